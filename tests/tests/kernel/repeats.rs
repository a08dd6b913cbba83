//! Repeats: a storm is counted and told of at once, and pushes nothing out of the recorder; what repeats by nature stays in it.

use std::{sync::atomic::AtomicBool, thread, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use linkprobe_tests::traffic::{Kind, Numbers, Plan, run::Run};
use probe_common::{
    event::FrameEvent,
    repeat::{KEEP, Repeat, STORM_COPIES},
    tap::direction,
};
use probe_user::kernel::{HookChoice, Kernel, KernelConfig, rings::KernelEvent};

use crate::lab::{FAR, Lab, NEAR, counters, recorded};

/// Sends into the watched end, or out of it.
fn send(lab: &Lab, way: u8, kind: Kind, count: u64, rate: Option<u32>) -> Result<Numbers> {
    let (from, interface) = if way == direction::INGRESS { (&lab.far, FAR) } else { (&lab.near, NEAR) };
    let run = Run {
        interface: interface.into(),
        kinds: vec![kind],
        plan: Plan::default(),
        count: Some(count),
        duration: None,
        rate,
        burst: if rate.is_some() { 1 } else { 64 },
        bypass: false,
    };
    from.run(|| run.go(&AtomicBool::new(false)))?
}

fn storms(events: &mut probe_user::kernel::rings::Events) -> Result<Vec<FrameEvent>> {
    thread::sleep(Duration::from_millis(30));
    let event = |event| match event {
        KernelEvent::Repeat(frame) => Ok(*frame),
        other => bail!("{other:?}"),
    };
    std::iter::from_fn(|| events.next_event()).map(event).collect()
}

#[test]
fn a_storm_is_told_of_with_its_packet_and_pushes_nothing_out_of_the_recorder() -> Result<()> {
    const BEFORE: u64 = 100;
    const STORM: u64 = 300_000;
    let lab = Lab::new()?;
    lab.near.run(|| -> Result<()> {
        for (choice, way, kind) in [
            (HookChoice::Xdp, direction::INGRESS, Kind::Keepalive),
            (HookChoice::Tc, direction::INGRESS, Kind::Storm),
            (HookChoice::Tc, direction::EGRESS, Kind::Keepalive),
        ] {
            let config = KernelConfig { snaplen: 128, control_snaplen: 256, memory_bytes: 4 << 20, ..KernelConfig::default() };
            let mut kernel = Kernel::load(config)?;
            kernel.attach(&lab.link(choice)?)?;
            let mut events = kernel.take_events().context("taken")?;
            send(&lab, way, Kind::Udp, BEFORE, None)?;
            let sent = send(&lab, way, kind, STORM, None)?;
            let counted = counters(&kernel, way, BEFORE + STORM)?;
            ensure!(counted.total().packets >= BEFORE + STORM, "{counted:?}");
            let told = storms(&mut events)?;
            let records = recorded(&kernel, way)?;
            let (rate, told_of, held) = (sent.packets_per_second, told.len(), counted.repeats);
            println!("{rate:.0}/s, {} records, {told_of} told, {held} not recorded", records.len());

            let first = told.first().context("nobody was told of the storm")?;
            ensure!(first.copies == u64::from(STORM_COPIES), "{first:?}");
            ensure!(first.at_ns - first.first_ns < 100_000_000, "{} ns", first.at_ns - first.first_ns);
            ensure!(told.iter().all(|frame| frame.hash == first.hash || frame.first_ns > first.first_ns), "one frame, one hash");
            let frame = &first.bytes[..usize::from(first.captured)];
            let stored = records.iter().filter(|record| frame.starts_with(&record.bytes)).collect::<Vec<_>>();
            // The first copies, and then each power of two; on each CPU.
            let exemplars: Vec<u8> = stored.iter().map(|record| record.header.copies_log2).filter(|&log2| log2 > 0).collect();
            let one_by_one = stored.len() - exemplars.len();
            ensure!(one_by_one >= KEEP as usize && one_by_one <= 8 * KEEP as usize, "{one_by_one} recorded one by one");
            ensure!(exemplars.contains(&5) && exemplars.contains(&14), "{exemplars:?}");
            ensure!(stored.iter().any(|record| record.header.at_ns == first.first_ns), "the first copy is not there");
            let others = records.iter().filter(|record| record.header.copies_log2 == 0 && !frame.starts_with(&record.bytes));
            ensure!(others.count() as u64 >= BEFORE, "what came before the storm was pushed out");
            let accounted = counted.repeats + counted.recorded.iter().sum::<u64>();
            ensure!(accounted == counted.total().packets, "{accounted} of {}", counted.total().packets);

            // What the map says adds up to what was sent, over all CPUs.
            let totals: u64 = kernel.repeats().iter().filter(|repeat| repeat.hash == first.hash).map(Repeat::total).sum();
            ensure!(totals == STORM, "{totals} copies counted");
            ensure!(kernel.losses()?.events_lost == 0);
            kernel.shutdown();
        }
        Ok(())
    })?
}

#[test]
fn ordinary_traffic_is_no_storm_and_is_recorded_whole() -> Result<()> {
    let lab = Lab::new()?;
    lab.near.run(|| -> Result<()> {
        let config = KernelConfig { snaplen: 128, control_snaplen: 256, memory_bytes: 64 << 20, ..KernelConfig::default() };
        for choice in [HookChoice::Xdp, HookChoice::Tc] {
            // Udp: equal headers, no checksum, another payload within the snap length. Retransmission: another IPv4 identification.
            for (kind, count, rate) in [
                (Kind::Udp, 20_000, None),
                (Kind::Tcp, 20_000, None),
                (Kind::Retransmission, 20_000, None),
                (Kind::Fragments, 3000, None),
                (Kind::Arp, 300, None),
                // Byte for byte the same, at the rates of what repeats by nature.
                (Kind::Storm, 20, Some(10)),
            ] {
                let mut kernel = Kernel::load(config.clone())?;
                kernel.attach(&lab.link(choice)?)?;
                let mut events = kernel.take_events().context("taken")?;
                send(&lab, direction::INGRESS, kind, count, rate)?;
                let counted = counters(&kernel, direction::INGRESS, count)?;
                let told = storms(&mut events)?;
                ensure!(told.is_empty(), "{kind:?} is taken for a storm: {:?}", told[0]);
                ensure!(counted.repeats == 0, "{kind:?}: {} not recorded", counted.repeats);
                ensure!(counted.recorded.iter().sum::<u64>() >= count, "{kind:?}: {counted:?}");
                kernel.shutdown();
            }
        }
        Ok(())
    })?
}
