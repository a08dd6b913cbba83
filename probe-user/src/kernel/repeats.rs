//! Reads what the programs count of frames that repeat themselves.

use std::{io, os::fd::AsFd};

use memmap2::{MmapOptions, MmapRaw};
use probe_common::repeat::{REPEATS, Repeat, RepeatTable};

/// The REPEATS map, as memory: no system call reads it.
pub struct RepeatTables {
    map: MmapRaw,
    cpus: usize,
}

impl RepeatTables {
    pub(super) fn map(fd: impl AsFd, cpus: u32) -> io::Result<Self> {
        let cpus = cpus as usize;
        let fd = fd.as_fd().try_clone_to_owned()?;
        Ok(Self { map: MmapOptions::new().len(size_of::<RepeatTable>() * cpus).map_raw_read_only(&fd)?, cpus })
    }

    /// What was counted of each frame that came `least` times at least, by each CPU for itself: equal hashes and taps add up. The programs
    /// go on while this reads: an entry may be of two moments.
    pub fn read(&self, least: u64) -> Vec<Repeat> {
        let mut found = Vec::new();
        for cpu in 0..self.cpus {
            let table = self.map.as_ptr().cast::<RepeatTable>().wrapping_add(cpu);
            for index in 0..REPEATS {
                // SAFETY: the map has a table for each of these CPUs, and lives as long as `self`; every place is made of integers, and
                // aligned to eight bytes. Only raw pointers lead there, since the kernel's programs write while we read.
                let repeat = unsafe { (&raw const (*table).repeats).cast::<Repeat>().add(index).read_volatile() };
                if repeat.total() >= least && repeat.hash != 0 {
                    found.push(repeat);
                }
            }
        }
        found
    }

    /// Copies that were recorded because there was no place to count them.
    pub fn untracked(&self) -> u64 {
        let tables = self.map.as_ptr().cast::<RepeatTable>();
        // SAFETY: as above.
        (0..self.cpus).map(|cpu| unsafe { (&raw const (*tables.wrapping_add(cpu)).untracked).read_volatile() }).sum()
    }
}
