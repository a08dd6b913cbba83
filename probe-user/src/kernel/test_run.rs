//! Runs the programs on frames by hand (`BPF_PROG_TEST_RUN`), attached to nothing: for benchmarks and tests.

use aya::programs::{TestRun as _, TestRunOptions, TestRunResult};
use probe_common::{
    names::{map, program},
    tap::TapSlot,
};

use super::{KernelError, load::Kernel, object, pod::Value};

/// The loopback: frames of a test run seem to come from it.
const LOOPBACK: u32 = 1;
/// Tap id that test runs of ingress programs count under.
pub const INGRESS_TAP: u16 = 0;
/// Tap id that test runs of egress programs count under.
pub const EGRESS_TAP: u16 = 1;

/// Result of a run.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// What the program returned.
    pub returned: u32,
    /// Nanoseconds per run, in the mean over all repeats.
    pub ns: u64,
}

impl Kernel {
    /// Instructions that the verifier went through for a program; `None` when it is not loaded, or the kernel does not tell (before 5.16).
    pub fn verified_instructions(&self, name: &str) -> Option<u32> {
        self.ebpf.program(name)?.info().ok()?.verified_instruction_count()
    }

    /// Runs the program of this name ([`probe_common::names::program`]) on `frame`, `repeat` times.
    ///
    /// # Errors
    /// [`KernelError::Program`], [`KernelError::Map`].
    pub fn test_run(&mut self, name: &'static str, frame: &[u8], repeat: u32) -> Result<Run, KernelError> {
        let slot = TapSlot { ifindex: LOOPBACK, ingress: INGRESS_TAP, egress: EGRESS_TAP, sample_rate: self.config.sample_rate };
        self.slots.set(LOOPBACK, Value(slot), 0).map_err(KernelError::map(map::TAPS))?;
        let failed = |error: aya::programs::ProgramError| KernelError::Program {
            program: name,
            hint: String::new(),
            source: error.into(),
        };
        let options = TestRunOptions { data_in: Some(frame), repeat, ..TestRunOptions::new() };
        let TestRunResult { return_value, duration, .. } = match name {
            program::XDP_INGRESS | program::XDP_FRAGS | program::XDP_EMPTY => {
                let xdp = object::xdp(&mut self.ebpf, name)?;
                if xdp.fd().is_err() {
                    xdp.load().map_err(failed)?;
                }
                xdp.test_run(options).map_err(failed)?
            }
            _ => {
                let classifier = object::classifier(&mut self.ebpf, name)?;
                if classifier.fd().is_err() {
                    classifier.load().map_err(failed)?;
                }
                classifier.test_run(options).map_err(failed)?
            }
        };
        Ok(Run { returned: return_value, ns: u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX) })
    }
}
