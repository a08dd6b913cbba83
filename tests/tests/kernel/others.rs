//! Other people's programs are left alone, and other agents are kept away.

use anyhow::{Context as _, Result, ensure};
use aya::{
    Ebpf,
    programs::{
        SchedClassifier, TcAttachType, Xdp, XdpMode,
        tc::{NlOptions, TcAttachOptions, qdisc_add_clsact},
    },
};
use linkprobe_tests::traffic::Kind;
use probe_common::{names::program, tap::direction};
use probe_user::kernel::{Hook, HookChoice, Kernel, KernelConfig, KernelError, LinkToTap, object};

use crate::lab::{Lab, NEAR, counters};

/// Somebody else's programs: they do nothing.
fn others() -> Result<Ebpf> {
    let mut ebpf = aya::EbpfLoader::new().btf(None).load(object::PROGRAMS)?;
    let xdp: &mut Xdp = ebpf.program_mut(program::XDP_EMPTY).context("no program")?.try_into()?;
    xdp.load()?;
    let tc: &mut SchedClassifier = ebpf.program_mut(program::TC_EMPTY).context("no program")?.try_into()?;
    tc.load()?;
    Ok(ebpf)
}

#[test]
fn another_xdp_program_stays_and_receive_is_tapped_at_tc() -> Result<()> {
    let lab = Lab::new()?;
    lab.near.run(|| -> Result<()> {
        let mut others = others()?;
        let xdp: &mut Xdp = others.program_mut(program::XDP_EMPTY).context("no program")?.try_into()?;
        xdp.attach(NEAR, XdpMode::Driver)?;
        let before = lab.near.ip(&format!("link show dev {NEAR}"))?;
        ensure!(before.contains("xdp"), "{before}");
        let mut kernel = Kernel::load(lab.config())?;
        let taps = kernel.attach(&lab.link(HookChoice::Auto)?)?;
        ensure!(taps[0].hook == Hook::tc() && taps[0].why.contains("another XDP program"), "{taps:?}");
        kernel.detach(taps[0].ifindex);
        let Err(error) = kernel.attach(&lab.link(HookChoice::Xdp)?) else { anyhow::bail!("it was replaced") };
        ensure!(error.to_string().contains(NEAR), "{error}");
        kernel.shutdown();
        let after = lab.near.ip(&format!("link show dev {NEAR}"))?;
        ensure!(before == after, "{before}\n{after}");
        Ok(())
    })?
}

#[test]
fn other_tc_filters_stay_and_so_does_their_qdisc() -> Result<()> {
    let lab = Lab::new()?;
    lab.near.run(|| -> Result<()> {
        let mut others = others()?;
        qdisc_add_clsact(NEAR)?;
        let tc: &mut SchedClassifier = others.program_mut(program::TC_EMPTY).context("no program")?.try_into()?;
        for way in [TcAttachType::Ingress, TcAttachType::Egress] {
            tc.attach_with_options(NEAR, way, TcAttachOptions::Netlink(NlOptions::default()))?;
        }
        for tcx in [false, true] {
            let mut kernel = Kernel::load(KernelConfig { tcx, ..lab.config() })?;
            let taps = kernel.attach(&lab.link(HookChoice::Tc)?)?;
            let sent = lab.send_in(Kind::Udp, 50)?;
            ensure!(counters(&kernel, direction::INGRESS, 50)?.total().packets == sent.total.packets);
            kernel.detach(taps[0].ifindex);
            kernel.settle()?;
            kernel.shutdown();
            for way in ["ingress", "egress"] {
                let filters = lab.near.exec(&format!("tc filter show dev {NEAR} {way}"))?;
                ensure!(
                    filters.contains(program::TC_EMPTY) && !filters.contains("lp_tc_in") && !filters.contains("lp_tc_eg"),
                    "{filters}"
                );
            }
        }
        Ok(())
    })?
}

#[test]
fn our_own_qdisc_goes_with_us() -> Result<()> {
    let lab = Lab::new()?;
    lab.near.run(|| -> Result<()> {
        let mut kernel = Kernel::load(KernelConfig { tcx: false, ..lab.config() })?;
        kernel.attach(&lab.link(HookChoice::Tc)?)?;
        ensure!(lab.near.exec(&format!("tc qdisc show dev {NEAR}"))?.contains("clsact"));
        kernel.shutdown();
        let left = lab.near.exec(&format!("tc qdisc show dev {NEAR}"))?;
        ensure!(!left.contains("clsact"), "{left}");
        Ok(())
    })?
}

#[test]
fn a_second_agent_is_refused_with_the_first_ones_pid_until_that_has_ended() -> Result<()> {
    let lab = Lab::new()?;
    lab.near.run(|| -> Result<()> {
        let link = lab.link(HookChoice::Auto)?;
        let mut first = Kernel::load(lab.config())?;
        first.attach(&link)?;
        let mut second = Kernel::load(lab.config())?;
        match second.attach(&link) {
            Err(KernelError::InUse { what, pid }) => {
                ensure!(what.contains(NEAR) && pid == Some(std::process::id()), "{what} {pid:?}");
            }
            other => anyhow::bail!("{:?}", other.map(|taps| taps.len())),
        }
        first.shutdown();
        second.attach(&link)?;
        second.shutdown();
        Ok(())
    })?
}

#[test]
fn an_interface_that_vanishes_takes_its_taps_with_it() -> Result<()> {
    let lab = Lab::new()?;
    for tcx in [true, false] {
        lab.near.run(|| -> Result<()> {
            lab.near.ip("link add gone0 type veth peer name gone1")?;
            let ifindex = crate::lab::ifindex(&lab.near, "gone0")?;
            let link = LinkToTap { ifindex, name: "gone0".into(), master: 0, ingress: HookChoice::Xdp, egress: true };
            let mut kernel = Kernel::load(KernelConfig { tcx, ..lab.config() })?;
            kernel.attach(&link)?;
            lab.near.ip("link del gone0")?;
            kernel.detach(ifindex);
            ensure!(kernel.taps().count() == 0);
            let Err(KernelError::NoInterface { name, .. }) = kernel.attach(&link) else { anyhow::bail!("attached to nothing") };
            ensure!(name == "gone0");
            kernel.attach(&lab.link(HookChoice::Auto)?)?;
            kernel.shutdown();
            Ok(())
        })??;
    }
    Ok(())
}
