//! What the kernel side is loaded with, and how memory is divided.

use std::path::PathBuf;

use probe_common::{
    recorder::{BLOCK_STRIDE, MAX_SNAPLEN, lane},
    repeat::{STORM_RATE, WINDOW_NS},
    stage,
};
use probe_core::sampling::MAX_RATE;

use super::KernelError;

/// Shortest snap length: headers as far as the transport layer.
pub const MIN_SNAPLEN: u32 = 64;
/// Fewest blocks of a lane on one CPU: while one is written, the one before can be read.
const MIN_BLOCKS: u64 = 2;
/// One block in this many is the control lane's.
const CONTROL_SHARE: u64 = 8;

/// Parameters of the kernel side.
#[derive(Clone, Debug)]
pub struct KernelConfig {
    /// Bytes kept of a frame in the bulk lane.
    pub snaplen: u32,
    /// Bytes kept of a frame in the control lane.
    pub control_snaplen: u32,
    /// Memory of the recorder for all CPUs, in bytes.
    pub memory_bytes: u64,
    /// Of an interface that is tapped one packet in so many is sampled until [`super::Kernel::sample`] says otherwise; 0 for none.
    pub sample_rate: u32,
    /// Copies of one frame in a second from which on they are a storm.
    pub storm_rate: u32,
    /// Nanoseconds within which an equal frame is a repeat: a second, but in benchmarks.
    pub repeat_window_ns: u32,
    /// Directory on a bpffs where maps and links are pinned, so that a killed agent loses no history. `None`: nothing is pinned.
    pub pin: Option<PathBuf>,
    /// For how long the frames of a tap that has ended may still be asked for, nanoseconds: so long its id means nothing else.
    pub wanted_ns: u64,
    /// tcx links where the kernel has them; clsact filters otherwise.
    pub tcx: bool,
    /// The kernel programs' own diagnostics.
    pub log: bool,
    /// Stages, as bits of [`probe_common::stage`]; all but in benchmarks.
    pub stages: u32,
}

impl Default for KernelConfig {
    fn default() -> Self {
        Self {
            snaplen: 128,
            control_snaplen: 256,
            memory_bytes: 64 << 20,
            sample_rate: 0,
            storm_rate: STORM_RATE,
            repeat_window_ns: WINDOW_NS as u32,
            pin: None,
            wanted_ns: 600_000_000_000,
            tcx: true,
            log: false,
            stages: stage::ALL,
        }
    }
}

impl KernelConfig {
    /// Checks the lengths and rates.
    pub(super) fn check(&self) -> Result<(), KernelError> {
        for (name, value) in [("snaplen", self.snaplen), ("control-snaplen", self.control_snaplen)] {
            if !(MIN_SNAPLEN..=MAX_SNAPLEN as u32).contains(&value) {
                return Err(KernelError::Snaplen { name, value, min: MIN_SNAPLEN, max: MAX_SNAPLEN as u32 });
            }
        }
        check_rate(self.sample_rate)
    }
}

/// Refuses a rate that the programs cannot count down.
pub(super) const fn check_rate(rate: u32) -> Result<(), KernelError> {
    if rate > MAX_RATE {
        return Err(KernelError::SampleRate { value: rate, max: MAX_RATE });
    }
    Ok(())
}

/// How the recorder's memory is divided on each CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Division {
    /// CPUs that have blocks.
    pub cpus: u32,
    /// Blocks per CPU, by lane.
    pub blocks: [u32; lane::COUNT],
}

impl Division {
    /// Divides `memory_bytes` among `cpus`.
    ///
    /// # Errors
    /// [`KernelError::TooLittleMemory`], which names the least that would do.
    pub fn of(memory_bytes: u64, cpus: u32) -> Result<Self, KernelError> {
        let stride = BLOCK_STRIDE as u64;
        let per_cpu = memory_bytes / stride / u64::from(cpus.max(1));
        if per_cpu < 2 * MIN_BLOCKS {
            let minimum_bytes = 2 * MIN_BLOCKS * stride * u64::from(cpus.max(1));
            return Err(KernelError::TooLittleMemory { memory_bytes, minimum_bytes, cpus });
        }
        let control = (per_cpu / CONTROL_SHARE).max(MIN_BLOCKS);
        let as_u32 = |n: u64| u32::try_from(n).map_err(|_| KernelError::TooMuchMemory { memory_bytes });
        let division = Self { cpus, blocks: [as_u32(control)?, as_u32(per_cpu - control)?] };
        // The map's size in bytes has to fit what the kernel counts in.
        as_u32(per_cpu * u64::from(cpus))?;
        Ok(division)
    }

    /// Blocks of one CPU.
    pub const fn per_cpu(&self) -> u32 {
        self.blocks[lane::CONTROL] + self.blocks[lane::BULK]
    }

    /// Blocks in all.
    pub const fn total(&self) -> u32 {
        self.cpus * self.per_cpu()
    }

    /// Index in the RECORDER map of the block that sequence number `seq` of a lane is in.
    pub const fn block_of(&self, cpu: u32, lane: usize, seq: u64) -> u32 {
        let first = if lane == lane::CONTROL { 0 } else { self.blocks[lane::CONTROL] };
        cpu * self.per_cpu() + first + (seq % self.blocks[lane] as u64) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_eighth_of_the_blocks_is_the_control_lanes() {
        let division = Division::of(64 << 20, 2).unwrap();
        assert_eq!(division, Division { cpus: 2, blocks: [63, 441] });
        assert!(u64::from(division.total()) * BLOCK_STRIDE as u64 <= 64 << 20);
    }

    #[test]
    fn every_lane_has_at_least_two_blocks() {
        let least = 2 * 2 * BLOCK_STRIDE as u64 * 4;
        assert_eq!(Division::of(least, 4).unwrap(), Division { cpus: 4, blocks: [2, 2] });
    }

    #[test]
    fn too_little_memory_is_refused_with_the_least_that_would_do() {
        let least = 4 * BLOCK_STRIDE as u64 * 4;
        let Err(KernelError::TooLittleMemory { minimum_bytes, .. }) = Division::of(least - 1, 4) else { panic!("accepted") };
        assert_eq!(minimum_bytes, least);
        assert!(Division::of(minimum_bytes, 4).is_ok());
    }

    #[test]
    fn the_lanes_of_a_cpu_stand_together_control_first() {
        let division = Division { cpus: 2, blocks: [2, 3] };
        let control: Vec<u32> = (1..4).map(|seq| division.block_of(1, lane::CONTROL, seq)).collect();
        let bulk: Vec<u32> = (1..5).map(|seq| division.block_of(1, lane::BULK, seq)).collect();
        assert_eq!((control, bulk), (vec![6, 5, 6], vec![8, 9, 7, 8]));
    }
}
