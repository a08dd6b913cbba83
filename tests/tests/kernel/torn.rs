//! Reading while the recorder is overwritten.

use std::{
    os::fd::{AsFd as _, AsRawFd as _},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use linkprobe_tests::traffic::{Kind, Plan, Verdict, run::Run, verify};
use probe_common::{
    recorder::{BLOCK_SIZE, lane},
    stage,
};
use probe_core::record::records;
use probe_user::kernel::{HookChoice, Kernel, KernelConfig, RawBlock};

use crate::lab::{FAR, Lab};

const TIME: Duration = Duration::from_secs(4);

#[derive(Debug, Default)]
struct Read {
    frames: u64,
    overrun: u64,
    rounds: u64,
}

#[test]
fn a_reader_of_a_recorder_that_wraps_around_under_load_never_gets_a_torn_frame() -> Result<()> {
    let lab = Lab::new()?;
    let (mut kernel, ends) = lab.near.run(|| -> Result<_> {
        let config = KernelConfig { snaplen: 1024, control_snaplen: 1024, memory_bytes: 600 << 10, ..lab.config() };
        let mut kernel = Kernel::load(config)?;
        kernel.attach(&lab.link(HookChoice::Xdp)?)?;
        Ok((kernel, AtomicBool::new(false)))
    })??;
    let recorder = kernel.recorder();
    let (snapshots, followed) = thread::scope(|scope| -> Result<_> {
        let sender = scope.spawn(|| {
            lab.far.run(|| {
                let (kinds, plan) = (vec![Kind::Udp, Kind::Lacp], Plan::default());
                let run = Run {
                    interface: FAR.into(),
                    kinds,
                    plan,
                    count: None,
                    duration: Some(TIME),
                    rate: None,
                    burst: 64,
                    bypass: false,
                };
                run.go(&ends)
            })
        });
        let snapshots = scope.spawn(|| {
            let mut read = Read::default();
            while !ends.load(Ordering::Relaxed) {
                let snapshot = recorder.snapshot(0);
                read.overrun += snapshot.overrun.iter().sum::<u64>();
                check(&snapshot.blocks, &mut read);
            }
            read
        });
        let mut followed = Read::default();
        let mut follower = recorder.snapshot(u64::MAX).follower;
        let end = Instant::now() + TIME;
        while Instant::now() < end {
            let mut blocks = Vec::new();
            let passed = follower.next([true, true], &mut |block| blocks.push(block));
            followed.overrun += passed.overrun.iter().sum::<u64>();
            check(&blocks, &mut followed);
            thread::sleep(Duration::from_millis(followed.rounds % 4));
        }
        ends.store(true, Ordering::Relaxed);
        sender.join().expect("the sender does not panic")??;
        Ok((snapshots.join().expect("no torn frame"), followed))
    })?;
    println!("snapshots {snapshots:?}, follower {followed:?}");
    ensure!(snapshots.frames > 10_000 && followed.frames > 10_000);
    ensure!(followed.overrun + snapshots.overrun > 0, "the load did not wrap the recorder around under the readers");
    let depth = kernel.recorder().depth();
    ensure!(depth[lane::BULK].complete_from_ns.is_some());
    kernel.detach(lab.link(HookChoice::Xdp)?.ifindex);
    kernel.shutdown();
    Ok(())
}

fn check(blocks: &[RawBlock], read: &mut Read) {
    for block in blocks {
        let mut last = 0;
        for record in records(&block.bytes) {
            let record = record.expect("whole records only");
            assert!(matches!(verify(record.bytes), Verdict::Whole(_)), "{:?}: {:02x?}", verify(record.bytes), record.bytes);
            assert!(record.header.at_ns >= last, "times of one CPU go backwards");
            last = record.header.at_ns;
            read.frames += 1;
        }
    }
    read.rounds += 1;
}

#[test]
fn a_follower_gets_each_frame_once_and_goes_on_where_the_snapshot_ended() -> Result<()> {
    let lab = Lab::new()?;
    lab.near.run(|| -> Result<()> {
        // Each round sends the same frames again, and each is to be recorded.
        let config = KernelConfig { stages: stage::ALL & !stage::REPEAT, ..lab.config() };
        let mut kernel = Kernel::load(config)?;
        kernel.attach(&lab.link(HookChoice::Xdp)?)?;
        lab.send_in(Kind::Udp, 300)?;
        crate::lab::counters(&kernel, 1, 300)?;
        let recorder_cpus = kernel.recorder().division().cpus;
        let mut snapshot = kernel.recorder().snapshot(0);
        let mut seen = sequences(&snapshot.blocks);
        for round in 0..20 {
            lab.send_in(Kind::Arp, 50)?;
            crate::lab::counters(&kernel, 1, 300 + 50 * (round + 1))?;
            let mut blocks = Vec::new();
            let passed = snapshot.follower.next([true, true], &mut |block| blocks.push(block));
            ensure!(passed.overrun == [0, 0]);
            seen += sequences(&blocks);
        }
        ensure!(seen == 300 + 20 * 50, "{seen}");
        lab.send_in(Kind::Udp, 100)?;
        crate::lab::counters(&kernel, 1, 1400)?;
        let others = (0..recorder_cpus).map(|cpu| (cpu, lane::CONTROL)).chain([(u32::MAX, lane::BULK), (0, usize::MAX)]);
        let mut blocks = 0;
        snapshot.follower.next_of(others, [true, true], &mut |_| blocks += 1);
        ensure!(blocks == 0, "only the lanes that are named are read, and only those that there are");
        let passed = snapshot.follower.next([true, false], &mut |_| blocks += 1);
        ensure!(blocks == 0 && passed.skipped_bytes[lane::BULK] == 100 * (24 + 256), "{passed:?}");
        snapshot.follower.next([true, true], &mut |_| blocks += 1);
        ensure!(blocks == 0, "what was passed over came after all");
        kernel.shutdown();
        Ok(())
    })?
}

#[test]
fn whoever_follows_is_woken_when_a_quarter_of_a_lane_was_written_and_not_before() -> Result<()> {
    let lab = Lab::new()?;
    lab.near.run(|| -> Result<()> {
        let stages = stage::ALL & !stage::REPEAT;
        let config = KernelConfig { stages, snaplen: 1024, control_snaplen: 1024, memory_bytes: 4 << 20, ..lab.config() };
        let mut kernel = Kernel::load(config)?;
        kernel.attach(&lab.link(HookChoice::Xdp)?)?;
        let recorder = kernel.recorder();
        let (blocks, frames) = (recorder.division().blocks[lane::BULK] / 4, BLOCK_SIZE as u32 / (24 + 256));
        let mut sent = 0;
        let mut send = |count: u32| -> Result<bool> {
            lab.send_in(Kind::Udp, u64::from(count))?;
            sent += u64::from(count);
            crate::lab::counters(&kernel, 1, sent)?;
            let mut bell = libc::pollfd { fd: recorder.filled().as_fd().as_raw_fd(), events: libc::POLLIN, revents: 0 };
            // SAFETY: one entry, which lives as long as the call.
            Ok(unsafe { libc::poll(&raw mut bell, 1, 0) } > 0)
        };
        ensure!(!send(frames * (blocks - 2))?, "it rang too early");
        // nobody answers for so long that its ring is full of entries
        ensure!(send(frames * blocks * 300)?, "it did not ring");
        ensure!(recorder.filled().take().is_none(), "so many entries that some may be missing");
        ensure!(!send(frames / 2)?, "it went on ringing");
        ensure!(send(frames * (blocks + 1))?, "it rang only once");
        let rang = recorder.filled().take();
        ensure!(rang.as_ref().is_some_and(|lanes| !lanes.is_empty() && lanes.iter().all(|of| of.1 == lane::BULK)), "{rang:?}");
        kernel.shutdown();
        Ok(())
    })?
}

fn sequences(blocks: &[RawBlock]) -> u64 {
    blocks.iter().map(|block| records(&block.bytes).filter(Result::is_ok).count() as u64).sum()
}
