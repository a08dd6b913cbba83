//! Samples: how many, of what, and what they say has passed.

use anyhow::{Context as _, Result, ensure};
use linkprobe_tests::traffic::{Kind, Numbers, Verdict, verify};
use probe_common::{event::Sample, tap::direction};
use probe_user::kernel::{HookChoice, Kernel, KernelConfig, rings::Samples};

use crate::lab::{Lab, counters};

/// What samples say together.
#[derive(Debug, Default, PartialEq)]
struct Said {
    /// How many there are.
    samples: u64,
    /// Packets that they stand for.
    packets: u64,
    /// Packets that have passed.
    passed: u64,
    /// Samples that were lost before them.
    lost: u64,
}

impl Said {
    fn add(&mut self, sample: &Sample) {
        self.samples += 1;
        self.packets += u64::from(sample.rate) * u64::from(sample.hits);
        self.passed += u64::from(sample.passed);
        self.lost += u64::from(sample.lost);
    }
}

/// Sends in `times` parts, so that the ring buffer does not fill, and adds up what the samples say.
fn send(lab: &Lab, samples: &mut Samples, (kind, count): (Kind, u64), times: u64, said: &mut Said) -> Result<Numbers> {
    let mut sent = Numbers::default();
    for _ in 0..times {
        let part = lab.send_in(kind, count / times)?;
        sent.total.packets += part.total.packets;
        sent.total.segments += part.total.segments;
        samples.drain(|sample| {
            assert!(matches!(verify(&sample.bytes[..sample.captured.into()]), Verdict::Cut(_)), "{sample:?}");
            assert!(sample.captured == 128 && sample.length > 128, "{sample:?}");
            said.add(sample);
        });
    }
    Ok(sent)
}

/// That this many of `of` packets were sampled at one in `rate`: within five standard deviations, where the gaps are uniform.
fn fair(samples: u64, of: u64, rate: u64) -> Result<()> {
    let expected = of as f64 / rate as f64;
    let deviation = (expected / 3.0).sqrt().max(1.0);
    ensure!((samples as f64 - expected).abs() < 5.0 * deviation, "{samples} samples of {of} packets at 1 in {rate}");
    Ok(())
}

/// This thread, and those that it starts, run on CPU 0 only.
fn stay_on_one_cpu() -> Result<()> {
    // SAFETY: an all-zero set is an empty set, and the call reads no more than its size.
    let done = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(0, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set)
    };
    ensure!(done == 0, "{}", std::io::Error::last_os_error());
    Ok(())
}

#[test]
fn one_packet_in_n_is_sampled_at_random_and_the_samples_say_how_many_have_passed() -> Result<()> {
    const FRAMES: u64 = 40_000;
    let lab = Lab::new()?;
    lab.near.run(|| -> Result<()> {
        let mut kernel = Kernel::load(KernelConfig { sample_rate: 20, snaplen: 128, ..lab.config() })?;
        kernel.attach(&lab.link(HookChoice::Xdp)?)?;
        let (mut samples, mut said) = (kernel.take_samples().context("taken")?, Said::default());
        send(&lab, &mut samples, (Kind::Udp, FRAMES), 40, &mut said)?;
        let counters = counters(&kernel, direction::INGRESS, FRAMES)?;
        samples.drain(|sample| said.add(sample));
        ensure!(said.samples == counters.samples && counters.losses.samples_lost == 0, "{said:?} of {}", counters.samples);
        fair(said.samples, FRAMES, 20)?;
        // each CPU has passed over less than 40 since its last sample
        ensure!(said.passed <= FRAMES && said.passed + 40 * 8 > FRAMES, "{said:?}");
        kernel.shutdown();
        Ok(())
    })?
}

#[test]
fn each_packet_of_a_gso_frame_has_the_same_chance_also_when_it_is_of_more_packets_than_the_rate() -> Result<()> {
    const FRAMES: u64 = 8_000;
    let lab = Lab::new()?;
    for rate in [3, 50] {
        lab.near.run(|| -> Result<()> {
            let mut kernel = Kernel::load(KernelConfig { sample_rate: rate, snaplen: 128, ..lab.config() })?;
            kernel.attach(&lab.link(HookChoice::Tc)?)?;
            let (mut samples, mut said) = (kernel.take_samples().context("taken")?, Said::default());
            let sent = send(&lab, &mut samples, (Kind::Gso, FRAMES), 16, &mut said)?.total;
            ensure!(sent.segments >= 8 * sent.packets, "{sent:?}");
            counters(&kernel, direction::INGRESS, sent.packets)?;
            samples.drain(|sample| said.add(sample));
            ensure!(said.lost == 0, "{said:?}");
            fair(said.packets / u64::from(rate), sent.segments, rate.into())?;
            ensure!(said.passed <= sent.segments && said.passed + 8 * 100 > sent.segments, "{said:?} of {sent:?}");
            kernel.shutdown();
            Ok(())
        })??;
    }
    Ok(())
}

#[test]
fn a_rate_can_be_changed_and_turned_off_and_on_while_frames_pass() -> Result<()> {
    const FRAMES: u64 = 10_000;
    let lab = Lab::new()?;
    lab.near.run(|| -> Result<()> {
        let mut kernel = Kernel::load(KernelConfig { snaplen: 128, ..lab.config() })?;
        let link = lab.link(HookChoice::Xdp)?;
        kernel.attach(&link)?;
        let mut samples = kernel.take_samples().context("taken")?;
        let mut at = |kernel: &mut Kernel, rate: u32| -> Result<Said> {
            let mut said = Said::default();
            kernel.sample(link.ifindex, rate)?;
            send(&lab, &mut samples, (Kind::Udp, FRAMES), 10, &mut said)?;
            Ok(said)
        };
        ensure!(at(&mut kernel, 0)? == Said::default(), "it is off until a rate is set");
        fair(at(&mut kernel, 1 << 20)?.samples, FRAMES, 1 << 20)?;
        let often = at(&mut kernel, 25)?;
        fair(often.samples, FRAMES, 25)?;
        ensure!(often.passed <= FRAMES, "what passed at another rate is not counted: {often:?}");
        ensure!(at(&mut kernel, 0)? == Said::default(), "it is off again");
        let again = at(&mut kernel, 25)?;
        fair(again.samples, FRAMES, 25)?;
        ensure!(again.passed <= FRAMES, "what passed while it was off is not counted: {again:?}");
        ensure!(kernel.sample(link.ifindex, (1 << 20) + 1).is_err());
        kernel.sample(link.ifindex + 1, 1)?;
        kernel.shutdown();
        Ok(())
    })?
}

#[test]
fn samples_that_find_no_room_are_counted_and_told_by_the_next_one() -> Result<()> {
    const FRAMES: u64 = 20_000;
    let lab = Lab::new()?;
    lab.near.run(|| -> Result<()> {
        stay_on_one_cpu()?;
        let mut kernel = Kernel::load(KernelConfig { sample_rate: 1, snaplen: 128, ..lab.config() })?;
        kernel.attach(&lab.link(HookChoice::Xdp)?)?;
        let mut samples = kernel.take_samples().context("taken")?;
        let mut said = Said::default();
        lab.send_in(Kind::Udp, FRAMES)?;
        let counted = counters(&kernel, direction::INGRESS, FRAMES)?;
        samples.drain(|sample| said.add(sample));
        let lost = counted.losses.samples_lost;
        ensure!(lost > 0 && said.samples > 0 && said.samples + lost == FRAMES, "{said:?} and {lost} lost of {FRAMES}");
        // now there is room, and the CPU that has lost them tells
        lab.send_in(Kind::Udp, 1000)?;
        counters(&kernel, direction::INGRESS, FRAMES + 1000)?;
        samples.drain(|sample| said.add(sample));
        ensure!(said.lost == lost && said.passed == FRAMES + 1000, "{said:?} and {lost} lost");
        kernel.shutdown();
        Ok(())
    })?
}
