//! What is sent is what is counted and recorded, at every hook.

use anyhow::{Context as _, Result, ensure};
use linkprobe_tests::traffic::{Kind, Numbers, Verdict, verify};
use probe_common::{
    class::id,
    recorder::{flags, lane},
    tap::direction,
};
use probe_user::kernel::{Hook, HookChoice, Kernel, KernelConfig};

use crate::lab::{Lab, counters, name_of, nothing_lost, recorded};

const COUNT: u64 = 96;
/// Kinds that arrive as they were sent at any hook.
const KINDS: [Kind; 10] = [
    Kind::Udp,
    Kind::Tcp,
    Kind::Vlan,
    Kind::Qinq,
    Kind::Jumbo,
    Kind::Fragments,
    Kind::Ipv4Options,
    Kind::Ipv6Ext,
    Kind::Arp,
    Kind::Lacp,
];

/// Classes that frames of a kind may be of.
fn classes(kind: Kind) -> &'static [u8] {
    match kind {
        Kind::Tcp | Kind::Gso => &[id::TCP4],
        Kind::Fragments => &[id::UDP4, id::FRAGMENT],
        Kind::Ipv6Ext => &[id::UDP6],
        Kind::Arp => &[id::ARP],
        Kind::Lacp => &[id::LACP],
        _ => &[id::UDP4],
    }
}

#[test]
fn at_native_xdp_and_tcx_what_is_sent_is_what_is_counted_and_recorded() -> Result<()> {
    check(HookChoice::Xdp, true, [Hook::Xdp, Hook::tc()])
}

#[test]
fn at_tcx_what_is_sent_is_what_is_counted_and_recorded() -> Result<()> {
    check(HookChoice::Tc, true, [Hook::tc(), Hook::tc()])
}

#[test]
fn at_clsact_what_is_sent_is_what_is_counted_and_recorded() -> Result<()> {
    check(HookChoice::Tc, false, [Hook::Clsact, Hook::Clsact])
}

#[test]
fn at_generic_xdp_what_is_sent_is_what_is_counted_and_recorded() -> Result<()> {
    check(HookChoice::XdpGeneric, true, [Hook::XdpGeneric, Hook::tc()])
}

fn check(choice: HookChoice, tcx: bool, hooks: [Hook; 2]) -> Result<()> {
    let lab = Lab::new()?;
    for kind in KINDS {
        if choice == HookChoice::XdpGeneric && kind == Kind::Jumbo {
            // What generic XDP is given depends on how the stack had cut the packet up.
            continue;
        }
        lab.near
            .run(|| -> Result<()> {
                let mut kernel = Kernel::load(KernelConfig { tcx, ..lab.config() })?;
                let taps = kernel.attach(&lab.link(choice)?)?;
                ensure!(taps.iter().map(|tap| tap.hook).eq(hooks), "{taps:?}");
                let sent = lab.send_in(kind, COUNT)?;
                arrived(&kernel, kind, direction::INGRESS, &sent, hooks[0])?;
                let sent = lab.send_out(kind, COUNT)?;
                arrived(&kernel, kind, direction::EGRESS, &sent, hooks[1])?;
                kernel.shutdown();
                Ok(())
            })?
            .with_context(|| format!("{choice:?}, {}", kind.name()))?;
    }
    Ok(())
}

fn arrived(kernel: &Kernel, kind: Kind, way: u8, sent: &Numbers, hook: Hook) -> Result<()> {
    let counters = counters(kernel, way, sent.total.packets)?;
    let total = counters.total();
    let counted = (total.packets, total.bytes, total.segments);
    let expected = (sent.total.packets, sent.total.bytes, sent.total.segments);
    ensure!(counted == expected, "{} at {}: counted {counted:?}, sent {expected:?}", name_of(way), hook.name());
    nothing_lost(&counters)?;
    let of_class: u64 = classes(kind).iter().map(|&class| counters.classes[usize::from(class)].packets).sum();
    ensure!(of_class == sent.total.packets, "{}: classes {:?}", name_of(way), counters.classes);

    let frames = recorded(kernel, way)?;
    let bytes: u64 = frames.iter().map(|frame| u64::from(frame.header.length)).sum();
    ensure!(
        (frames.len() as u64, bytes) == (sent.total.packets, sent.total.bytes),
        "{}: recorded {} frames, {bytes} bytes",
        name_of(way),
        frames.len()
    );
    let mut marks = 0;
    for frame in &frames {
        match verify(&frame.bytes) {
            Verdict::Whole(seen) if seen.kind == kind => marks += u64::from(seen.marks),
            other => anyhow::bail!("{} at {}: {other:?} in {:02x?}", name_of(way), hook.name(), frame.bytes),
        }
        let restored = frame.header.flags & flags::VLAN_RESTORED != 0;
        let in_metadata =
            matches!(kind, Kind::Vlan | Kind::Qinq) && way == direction::INGRESS && matches!(hook, Hook::Tcx | Hook::Clsact);
        ensure!(restored == in_metadata, "{} at {}: tag restored: {restored}", name_of(way), hook.name());
    }
    ensure!(marks == sent.total.sequence, "{marks} of {} marks", sent.total.sequence);
    let control = classes(kind).iter().all(|&class| probe_common::class::is_control(class));
    let lane = if control { lane::CONTROL } else { lane::BULK };
    ensure!(counters.recorded[lane] == sent.total.packets, "lanes {:?}", counters.recorded);
    Ok(())
}

#[test]
fn a_gso_packet_is_one_frame_of_many_segments_at_tc() -> Result<()> {
    let lab = Lab::new()?;
    lab.near.run(|| -> Result<()> {
        let mut kernel = Kernel::load(lab.config())?;
        kernel.attach(&lab.link(HookChoice::Tc)?)?;
        let sent = lab.send_in(Kind::Gso, COUNT)?;
        ensure!(sent.total.segments > sent.total.packets);
        arrived(&kernel, Kind::Gso, direction::INGRESS, &sent, Hook::tc())?;
        kernel.shutdown();
        Ok(())
    })?
}

#[test]
fn frames_are_cut_at_the_snap_length_of_their_lane_and_that_is_counted() -> Result<()> {
    let lab = Lab::new()?;
    for choice in [HookChoice::Xdp, HookChoice::Tc] {
        for (kind, snaplen) in [(Kind::Udp, 64), (Kind::Udp, 100), (Kind::Vlan, 128), (Kind::Jumbo, 2000), (Kind::Lacp, 100)] {
            lab.near
                .run(|| -> Result<()> {
                    let mut kernel = Kernel::load(KernelConfig { snaplen, control_snaplen: snaplen, ..lab.config() })?;
                    kernel.attach(&lab.link(choice)?)?;
                    let sent = lab.send_in(kind, COUNT)?;
                    let counters = counters(&kernel, direction::INGRESS, sent.total.packets)?;
                    ensure!(counters.losses.truncated == COUNT, "{:?}", counters.losses);
                    for frame in recorded(&kernel, direction::INGRESS)? {
                        ensure!(frame.bytes.len() == snaplen as usize);
                        ensure!(matches!(verify(&frame.bytes), Verdict::Cut(_) | Verdict::Short), "{:02x?}", frame.bytes);
                    }
                    kernel.shutdown();
                    Ok(())
                })?
                .with_context(|| format!("{choice:?}, {}, {snaplen}", kind.name()))?;
        }
    }
    Ok(())
}
