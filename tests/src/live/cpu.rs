//! On which CPU something runs, and how long it ran there.

use std::fs;
use std::io;

use anyhow::{Result, ensure};

/// Binds a thread to one CPU; 0 is the calling one.
///
/// # Errors
/// The system's: there is no such CPU, or we may not use it.
pub fn pin(thread: u32, cpu: usize) -> io::Result<()> {
    let thread = libc::pid_t::try_from(thread).map_err(io::Error::other)?;
    // SAFETY: cpu_set_t is made of integers: all zeros is a value of it.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: `set` lives through the call, which ignores a number that does not fit.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    // SAFETY: `set` lives through the call and the size is its own.
    match unsafe { libc::sched_setaffinity(thread, size_of::<libc::cpu_set_t>(), &raw const set) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// CPUs that we may use, in order.
pub fn usable() -> Vec<usize> {
    // SAFETY: cpu_set_t is made of integers: all zeros is a value of it.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: `set` is writable, lives through the call, and the size is its own.
    if unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) } != 0 {
        return Vec::new();
    }
    // SAFETY: the numbers are below CPU_SETSIZE.
    (0..libc::CPU_SETSIZE as usize).filter(|cpu| unsafe { libc::CPU_ISSET(*cpu, &set) }).collect()
}

/// CPU time of the calling thread, nanoseconds.
pub fn of_this_thread() -> u64 {
    clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// `CLOCK_MONOTONIC`, nanoseconds.
pub fn monotonic() -> u64 {
    clock(libc::CLOCK_MONOTONIC)
}

/// What a time of [`monotonic`] lies before the same moment's nanoseconds since 1970.
pub fn monotonic_to_wall() -> u64 {
    clock(libc::CLOCK_REALTIME) - monotonic()
}

fn clock(id: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is writable and lives through the call. Both clocks exist on every Linux.
    unsafe { libc::clock_gettime(id, &raw mut time) };
    time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned()
}

/// CPU time of a process, nanoseconds: what `/proc/PID/task/TID/schedstat` says of its threads, and what those had that have ended.
///
/// # Errors
/// When the process is gone.
pub fn of_process(pid: u32) -> Result<u64> {
    let mut clock = 0;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: both pointers are to locals that outlive the calls.
    let found = unsafe {
        libc::clock_getcpuclockid(pid as libc::pid_t, &raw mut clock) == 0 && libc::clock_gettime(clock, &raw mut time) == 0
    };
    ensure!(found, "process {pid} is gone");
    Ok(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

/// The thread that takes over what interrupts leave to do on a CPU, when there is much of it.
#[derive(Clone, Copy, Debug)]
pub struct Softirqd(Option<u32>);

impl Softirqd {
    /// That of `cpu`.
    pub fn of(cpu: usize) -> Self {
        let name = format!("ksoftirqd/{cpu}");
        let pids =
            fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let named = |pid: &u32| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim_end() == name);
        Self(pids.into_iter().find(named))
    }

    /// Its CPU time so far, nanoseconds; 0 where there is none.
    pub fn cpu_ns(self) -> u64 {
        self.0.and_then(|pid| of_process(pid).ok()).unwrap_or(0)
    }
}
