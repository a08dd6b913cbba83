//! Frames that reach userspace at once.

use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use linkprobe_tests::traffic::Kind;
use probe_common::{event::MOST_LACPDUS, tap::direction};
use probe_user::kernel::{HookChoice, Kernel, rings::KernelEvent};

use crate::lab::{Lab, NEAR, counters, ifindex, recorded};

#[test]
fn every_lacpdu_reaches_userspace_in_both_directions_as_it_was_recorded() -> Result<()> {
    let lab = Lab::new()?;
    lab.near.run(|| -> Result<()> {
        for choice in [HookChoice::Xdp, HookChoice::Tc] {
            let mut kernel = Kernel::load(lab.config())?;
            kernel.attach(&lab.link(choice)?)?;
            let mut events = kernel.take_events().context("taken")?;
            for (way, egress) in [(direction::INGRESS, 0), (direction::EGRESS, 1)] {
                if egress == 0 {
                    lab.send_in(Kind::Lacp, 20)?
                } else {
                    lab.send_out(Kind::Lacp, 20)?
                };
                counters(&kernel, way, 20)?;
                thread::sleep(Duration::from_millis(20));
                let near = ifindex(&lab.near, NEAR)?;
                let frames: Vec<_> = std::iter::from_fn(|| events.next_event()).collect();
                ensure!(frames.len() == 20, "{}", frames.len());
                let records = recorded(&kernel, way)?;
                for event in &frames {
                    let KernelEvent::Lacpdu(frame) = event else { anyhow::bail!("{event:?}") };
                    ensure!(frame.ifindex == near && frame.egress == egress && frame.copies == 1, "{frame:?}");
                    let record = records.iter().find(|record| record.header.at_ns == frame.at_ns).context("no record")?;
                    ensure!(record.bytes == frame.bytes[..usize::from(frame.captured)], "{frame:?}");
                }
            }
            ensure!(events.malformed() == 0 && kernel.losses()?.events_lost == 0);
            kernel.shutdown();
        }
        Ok(())
    })?
}

#[test]
fn a_flood_of_lacpdus_is_limited_and_what_is_held_back_is_counted() -> Result<()> {
    let lab = Lab::new()?;
    lab.near.run(|| -> Result<()> {
        let mut kernel = Kernel::load(lab.config())?;
        kernel.attach(&lab.link(HookChoice::Xdp)?)?;
        let mut events = kernel.take_events().context("taken")?;
        lab.send_in(Kind::Lacp, 2000)?;
        let counted = counters(&kernel, direction::INGRESS, 2000)?;
        thread::sleep(Duration::from_millis(20));
        let sent = std::iter::from_fn(|| events.next_event()).count() as u64;
        ensure!(sent >= MOST_LACPDUS, "{sent}");
        ensure!(sent + counted.losses.events_limited == 2000, "{sent} sent, {}", counted.losses.events_limited);
        kernel.shutdown();
        Ok(())
    })?
}

#[test]
fn events_that_find_no_room_are_counted() -> Result<()> {
    let lab = Lab::new()?;
    lab.near.run(|| -> Result<()> {
        let mut kernel = Kernel::load(lab.config())?;
        kernel.attach(&lab.link(HookChoice::Xdp)?)?;
        let mut events = kernel.take_events().context("taken")?;
        // so many a second and CPU get through; the ring has room for 800 of them
        let mut sent = 0;
        while kernel.losses()?.events_lost == 0 {
            ensure!(sent < 40 * MOST_LACPDUS, "{sent} LACPDUs and none was lost");
            // at two taps
            lab.send_in(Kind::Lacp, MOST_LACPDUS)?;
            lab.send_out(Kind::Lacp, MOST_LACPDUS)?;
            sent += 2 * MOST_LACPDUS;
            thread::sleep(Duration::from_millis(1050));
        }
        let limited = |way| Ok::<_, anyhow::Error>(counters(&kernel, way, sent / 2)?.losses.events_limited);
        let limited = limited(direction::INGRESS)? + limited(direction::EGRESS)?;
        let taken = std::iter::from_fn(|| events.next_event()).count() as u64;
        let lost = kernel.losses()?.events_lost;
        ensure!(taken + lost + limited == sent, "{taken} taken, {lost} lost and {limited} held back of {sent}");
        kernel.shutdown();
        Ok(())
    })?
}
