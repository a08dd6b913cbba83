//! An agent that finds the maps of another version says why it cannot take them over, clears them away and begins anew.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use aya::maps::{Array, Map, MapData};
use linkprobe_tests::traffic::Kind;
use probe_common::{ABI_VERSION, names::map, tap::direction};
use probe_user::kernel::{HookChoice, Kernel, KernelConfig};

use crate::{
    killed::{Bpffs, kill, start},
    lab::{Lab, NEAR, counters, recorded},
};

#[test]
fn maps_of_another_version_are_dropped_with_a_reason_and_everything_begins_anew() -> Result<()> {
    // on clsact the old filters are found by their names, not by a pinned link
    for (hook, tcx, choice) in [("xdp", true, HookChoice::Xdp), ("tc", true, HookChoice::Tc), ("tc", false, HookChoice::Tc)] {
        let lab = Lab::new()?;
        let bpffs = Bpffs::new(&lab)?;
        let pin = bpffs.path.join("linkprobe");
        let child = start(&lab, Some(&pin), hook, tcx)?;
        lab.send_in(Kind::Udp, 100)?;
        kill(child)?;
        change_version(&pin.join(map::LAYOUT))?;
        let why = format!("its maps are of version {}, ours of {ABI_VERSION}", ABI_VERSION + 1);
        lab.near
            .run(|| -> Result<()> {
                let mut kernel = Kernel::load(KernelConfig { pin: Some(pin.clone()), tcx, ..lab.config() })?;
                ensure!(kernel.notes().iter().any(|note| note.contains(&why)), "{:?}", kernel.notes());
                kernel.attach(&lab.link(choice)?)?;
                kernel.settle()?;
                lab.send_in(Kind::Udp, 20)?;
                // twice as many, were the old programs still there beside ours and in our maps; 120, were those the old ones
                let counted = counters(&kernel, direction::INGRESS, 20)?.total().packets;
                ensure!(counted == 20, "{counted}");
                ensure!(recorded(&kernel, direction::INGRESS)?.len() == 20);
                ensure!(version(&pin.join(map::LAYOUT))? == ABI_VERSION, "the new maps are pinned in the place of the old");
                kernel.shutdown();
                Ok(())
            })?
            .with_context(|| format!("{hook}, tcx {tcx}"))?;
        ensure!(!pin.exists(), "pins are left after a clean end");
        ensure!(!lab.near.ip(&format!("link show dev {NEAR}"))?.contains("xdp"));
        for way in ["ingress", "egress"] {
            let filters = lab.near.exec(&format!("tc filter show dev {NEAR} {way}"))?;
            ensure!(!filters.contains("lp_"), "{filters}");
        }
    }
    Ok(())
}

#[test]
fn maps_whose_layout_has_another_shape_are_dropped_as_those_of_another_version() -> Result<()> {
    let lab = Lab::new()?;
    let bpffs = Bpffs::new(&lab)?;
    let pin = bpffs.path.join("linkprobe");
    kill(start(&lab, Some(&pin), "xdp", true)?)?;
    // another map in the place of the layout, as a later version might have one that is longer
    std::fs::remove_file(pin.join(map::LAYOUT))?;
    MapData::from_pin(pin.join(map::TAP_INFO))?.pin(pin.join(map::LAYOUT))?;
    lab.near.run(|| -> Result<()> {
        let kernel = Kernel::load(KernelConfig { pin: Some(pin.clone()), ..lab.config() })?;
        ensure!(kernel.notes().iter().any(|note| note.contains("of another version")), "{:?}", kernel.notes());
        kernel.shutdown();
        Ok(())
    })??;
    ensure!(!pin.exists());
    Ok(())
}

/// The LAYOUT map's value as integers: the version is the first, whatever follows.
fn layout(pin: &Path) -> Result<Array<MapData, [u32; 4]>> {
    Ok(Map::Array(MapData::from_pin(pin)?).try_into()?)
}

fn version(pin: &Path) -> Result<u32> {
    Ok(layout(pin)?.get(&0, 0)?[0])
}

/// Makes pinned maps those of a later version.
fn change_version(pin: &Path) -> Result<()> {
    let mut layout = layout(pin)?;
    let [version, rest @ ..] = layout.get(&0, 0)?;
    ensure!(version == ABI_VERSION, "{version}");
    let [cpus, control, bulk] = rest;
    layout.set(0, [version + 1, cpus, control, bulk], 0)?;
    Ok(())
}
