//! Drops by reason: those of a watched interface are counted where the kernel lets a program see them, and others are not.

use std::{sync::atomic::AtomicBool, time::Duration};

use anyhow::{Result, ensure};
use linkprobe_tests::traffic::{Kind, Plan, run::Run};
use probe_common::drops::DropKey;
use probe_user::kernel::{HookChoice, Kernel, drops::places};

use crate::lab::{Lab, NEAR, ifindex};

/// Sends out of the watched end for a moment. Each packet that the queue has no room for is refused, and tried again.
fn send(lab: &Lab) -> Result<()> {
    let run = Run {
        interface: NEAR.into(),
        kinds: vec![Kind::Udp],
        plan: Plan::default(),
        count: None,
        duration: Some(Duration::from_millis(200)),
        rate: None,
        burst: 1,
        bypass: false,
    };
    lab.near.run(|| run.go(&AtomicBool::new(false)))??;
    Ok(())
}

#[test]
fn packets_that_a_queue_has_no_room_for_are_counted_with_reason_and_place_or_the_kernel_says_why_not() -> Result<()> {
    let lab = Lab::new()?;
    lab.near.run(|| -> Result<()> {
        let mut kernel = Kernel::load(lab.config())?;
        if let Err(why) = kernel.drops.state() {
            println!("no drops here: {why}");
            ensure!(!why.is_empty());
            return Ok(());
        }
        lab.near.exec(&format!("tc qdisc replace dev {NEAR} root pfifo limit 0"))?;
        send(&lab)?;
        ensure!(kernel.drops.counts()?.is_empty(), "nobody watches this interface yet");
        kernel.attach(&lab.link(HookChoice::Xdp)?)?;
        send(&lab)?;
        let near = ifindex(&lab.near, NEAR)?;
        let counts = kernel.drops.counts()?;
        let full: Vec<_> = counts.iter().filter(|(key, _)| kernel.drops.reason(key.reason) == "QDISC_DROP").collect();
        let found = places(&full.iter().map(|(key, _)| key.location).collect());
        println!("{counts:?}, {found:?}");
        let named = |(key, _): &(&DropKey, &u64)| found.get(&key.location).is_some_and(|place| !place.is_empty());
        ensure!(full.iter().all(named), "a place without a name: {full:?}, {found:?}");
        ensure!(full.iter().all(|(key, _)| key.ifindex == near), "{counts:?}");
        ensure!(full.iter().map(|(_, count)| **count).sum::<u64>() >= 50, "{counts:?}");
        ensure!(kernel.losses()?.drops_uncounted == 0);
        kernel.shutdown();
        Ok(())
    })?
}
