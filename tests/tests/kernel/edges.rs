//! Carrier edges: they come where the kernel allows tracing programs, and elsewhere there is a reason.

use std::{os::fd::AsRawFd, thread, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use linkprobe_tests::traffic::Kind;
use probe_common::{event::kind, tap::direction};
use probe_user::kernel::{HookChoice, Kernel, KernelConfig, features, rings::KernelEvent};

use crate::lab::{FAR, Lab, NEAR, counters, ifindex};

#[test]
fn each_edge_of_a_carrier_arrives_once_with_its_time_or_the_kernel_says_why_not() -> Result<()> {
    let lab = Lab::new()?;
    lab.near.run(|| -> Result<()> {
        let mut kernel = Kernel::load(lab.config())?;
        if let Err(why) = kernel.carrier_edges() {
            println!("no edges here: {why}");
            ensure!(!why.is_empty());
            return Ok(());
        }
        let mut events = kernel.take_events().context("taken")?;
        let near = ifindex(&lab.near, NEAR)?;
        for _ in 0..10 {
            lab.far.ip(&format!("link set {FAR} down"))?;
            lab.far.ip(&format!("link set {FAR} up"))?;
        }
        thread::sleep(Duration::from_millis(100));
        let edges: Vec<_> = std::iter::from_fn(|| events.next_event())
            .map(|event| match event {
                KernelEvent::Edge(edge) => Ok(edge),
                other => bail!("{other:?}"),
            })
            .collect::<Result<_>>()?;
        let kinds: Vec<u32> = edges.iter().filter(|edge| edge.ifindex == near).map(|edge| edge.kind).collect();
        ensure!(kinds == [kind::CARRIER_OFF, kind::CARRIER_ON].repeat(10), "{edges:?}");
        ensure!(edges.is_sorted_by_key(|edge| edge.at_ns));
        Ok(())
    })?
}

#[test]
fn what_the_kernel_can_do_is_told_with_its_consequences() -> Result<()> {
    let features = features::probe(None);
    ensure!(features.sufficient(), "{features:?}");
    ensure!(features.features.iter().all(|feature| !feature.consequence.is_empty()), "{features:?}");
    println!("{features:#?}");
    Ok(())
}

#[test]
fn diagnostics_come_when_they_are_asked_for() -> Result<()> {
    let lab = Lab::new()?;
    lab.near.run(|| -> Result<()> {
        let mut kernel = Kernel::load(KernelConfig { log: true, sample_rate: 2, ..lab.config() })?;
        kernel.attach(&lab.link(HookChoice::Xdp)?)?;
        let mut diagnostics = kernel.take_diagnostics().context("they are off")?;
        ensure!(!readable(&diagnostics)?);
        lab.send_in(Kind::Udp, 10)?;
        counters(&kernel, direction::INGRESS, 10)?;
        ensure!(readable(&diagnostics)?, "the first record of a lane takes a block into use, and that is logged");
        diagnostics.flush();
        ensure!(!readable(&diagnostics)?);
        kernel.shutdown();
        Ok(())
    })?
}

/// Whether a descriptor is readable now.
fn readable(fd: &impl AsRawFd) -> Result<bool> {
    let mut poll = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one `pollfd`, which outlives the call.
    let ready = unsafe { libc::poll(&raw mut poll, 1, 0) };
    ensure!(ready >= 0, std::io::Error::last_os_error());
    Ok(ready == 1)
}
