//! What this process takes of the machine.

use std::fs;

use rustix::time::{ClockId, clock_gettime};

/// CPU time and memory.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Process {
    /// CPU time of all threads, user and system, seconds.
    pub cpu_s: f64,
    /// Memory that is in use, bytes; `None` where /proc does not say.
    pub resident_bytes: Option<u64>,
}

impl Process {
    /// As of now.
    pub fn read() -> Self {
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self { cpu_s: cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9, resident_bytes: resident(&status) }
    }
}

/// `VmRSS` of proc(5)'s status.
fn resident(status: &str) -> Option<u64> {
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().strip_suffix(" kB")?;
    kib.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_used_time_and_memory() {
        let before = Process::read();
        let mut sum = 0u64;
        while Process::read().cpu_s < before.cpu_s + 0.01 {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(before.resident_bytes.is_some_and(|bytes| (1 << 20..1 << 40).contains(&bytes)), "{before:?}");
    }

    #[test]
    fn memory_is_told_in_bytes() {
        assert_eq!(resident("Name:\tx\nVmRSS:\t    2084 kB\nRssAnon:\t1 kB\n"), Some(2084 * 1024));
        assert_eq!([resident(""), resident("VmRSS: x kB"), resident("VmRSS:\t18446744073709551615 kB")], [None; 3]);
    }
}
