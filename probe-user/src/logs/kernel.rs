//! The kernel's log: `/dev/kmsg` from its end on.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use probe_core::logs::{Stamps, record};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Reporter;
use crate::clock;

/// Where it is.
pub(super) const PATH: &str = "/dev/kmsg";
/// Longest record that the kernel hands over (`PRINTKRB_RECORD_MAX` and its prefix).
const RECORD: usize = 8192;
/// Records that are read before the files have their turn.
const MOST_AT_ONCE: usize = 1000;

/// The open log.
pub(super) struct KernelLog {
    file: File,
    next: Option<u64>,
    stamps: Stamps,
}

impl KernelLog {
    /// Opens it; what is in it already is not read.
    pub(super) fn open() -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(PATH)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file, next: None, stamps: Stamps::default() })
    }

    /// Reads what is new. Records that were overwritten before are counted by their numbers.
    pub(super) fn read(&mut self, reporter: &mut Reporter) -> io::Result<()> {
        let mut buffer = [0u8; RECORD];
        for _ in 0..MOST_AT_ONCE {
            match self.file.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(length) => {
                    let Some(found) = buffer.get(..length).and_then(record) else { continue };
                    let missed = self.next.map_or(0, |next| found.sequence.saturating_sub(next));
                    Reporter::count(&reporter.counters.kernel_gaps, missed);
                    self.next = Some(found.sequence.saturating_add(1));
                    let read = clock::now();
                    let at = found.stamp_us.map_or(read, |stamp| self.stamps.written(read, stamp));
                    reporter.line(at, "kernel", &found.text);
                }
                Err(error) => match error.raw_os_error() {
                    Some(libc::EAGAIN) => return Ok(()),
                    // Overwritten under the reader, who stands at the oldest record now.
                    Some(libc::EPIPE | libc::EINTR) => {}
                    // A record longer than the buffer is passed over.
                    Some(libc::EINVAL) => Reporter::count(&reporter.counters.cut, 1),
                    _ => return Err(error),
                },
            }
        }
        Ok(())
    }

    /// Waits for a record, or so long.
    pub(super) fn wait(&self, patience: Duration) {
        let mut fds = [PollFd::new(&self.file, PollFlags::IN)];
        let timeout = Timespec::try_from(patience).ok();
        match poll(&mut fds, timeout.as_ref()) {
            // A burst is read together, and a log that never ends does not spin.
            Ok(1..) => std::thread::sleep(Duration::from_millis(5)),
            Ok(0) => {}
            Err(_) => std::thread::sleep(patience),
        }
    }
}
