//! The wall clock is set while the agent runs.

use anyhow::{Result, ensure};
use linkprobe_tests::harness::Traffic;
use linkprobe_tests::harness::pcapng::Packet;
use linkprobe_tests::harness::wait::patience;
use linkprobe_tests::traffic::numbers::Moment;
use linkprobe_tests::traffic::{Verdict, verify};

use crate::lab::{INGRESS, Lab, OPTIONS, bond};

/// Sets the wall clock forward or back by `seconds`; back again with the value.
struct Step(i64);

impl Step {
    fn by(seconds: i64) -> Result<Step> {
        let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `now` is writable and lives through the call.
        unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut now) };
        now.tv_sec += seconds;
        // SAFETY: `now` lives through the call.
        let result = unsafe { libc::clock_settime(libc::CLOCK_REALTIME, &raw const now) };
        ensure!(result == 0, "the clock cannot be set: {}", std::io::Error::last_os_error());
        Ok(Step(seconds))
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if self.0 != 0 {
            let seconds = std::mem::take(&mut self.0);
            if let Ok(mut back) = Step::by(-seconds) {
                back.0 = 0;
            }
        }
    }
}

fn step_during_a_run(seconds: i64) -> Result<()> {
    let lab = Lab::lacp()?;
    let mut agent = lab.launch(OPTIONS).start()?;
    let before = Traffic::send(&lab.bonds.switch, bond(), "--count 30 --rate 300")?;
    let step = Step::by(seconds)?;
    std::thread::sleep(std::time::Duration::from_millis(500));
    let after = Traffic::send(&lab.bonds.switch, bond(), "--count 30 --rate 300")?;
    let offset = {
        let now = Moment::now();
        i128::from(now.wall_ns) - i128::from(now.mono_ns)
    };
    agent.trigger("after the step")?;
    let incident = agent.incident(patience(30))?;
    drop(step);
    // reading it has shown already that no stamp goes back; all of them are by the new clock
    let near = 50_000_000;
    for sent in [&before, &after] {
        let (first, last) = (sent.total.first.expect("first"), sent.total.last.expect("last"));
        let bounds = (i128::from(first.mono_ns) + offset - near, i128::from(last.mono_ns) + offset + near);
        let of_it = |packet: &&Packet| match verify(&packet.data) {
            Verdict::Whole(seen) | Verdict::Cut(seen) => seen.stream == sent.stream,
            _ => false,
        };
        let packets: Vec<&Packet> = incident.capture.of(bond(), INGRESS).filter(of_it).collect();
        assert_eq!(packets.len() as u64, sent.total.packets);
        for packet in packets {
            let at = i128::from(packet.at_ns);
            assert!(at >= bounds.0 && at <= bounds.1, "{at} is not within {bounds:?}");
        }
    }
    let steps = incident.events("", "clock-step")?;
    let sizes: Vec<i64> = steps.iter().filter_map(|entry| entry["step_ns"].as_i64()).collect();
    let sum: i64 = sizes.iter().sum();
    assert!((sum - seconds * 1_000_000_000).abs() < 500_000_000, "{sizes:?} in {:#}", incident.json);
    assert!(incident.in_order()?);
    Ok(())
}

#[test]
fn a_clock_that_is_set_forward_is_told_and_stamps_stay_in_order() -> Result<()> {
    step_during_a_run(3600)
}

#[test]
fn a_clock_that_is_set_back_is_told_and_stamps_stay_in_order() -> Result<()> {
    step_during_a_run(-3600)
}
