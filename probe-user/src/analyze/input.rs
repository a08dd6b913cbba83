//! One capture file as a stream of packets, through one buffer.

use std::io::{self, Read};
use std::path::Path;

use probe_core::dump::{Format, Head, Interface, Step, Walker};

use super::open::{Position, open};

/// Bytes of the buffer: little enough to stay in a processor's cache on the way from the kernel to the walker.
pub const BUFFER: usize = 512 * 1024;

/// A capture file that is being read.
pub struct Input {
    reader: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes that are passed over before the walker goes on.
    skip: u64,
    walker: Walker,
    ended: bool,
    problem: Option<String>,
}

impl Input {
    /// Opens a file, with a buffer of so many bytes at first.
    ///
    /// # Errors
    /// See [`open`].
    pub fn open(path: &Path, position: &Position, buffer: usize) -> io::Result<Self> {
        let reader = open(path, position)?;
        Ok(Self {
            reader,
            buffer: vec![0; buffer],
            start: 0,
            end: 0,
            skip: 0,
            walker: Walker::default(),
            ended: false,
            problem: None,
        })
    }

    /// The next packet; its bytes are those of [`Self::bytes`] until the next call. `None` at the end, whatever ended the file.
    #[inline]
    pub fn next_packet(&mut self) -> Option<Head> {
        loop {
            if self.skip > 0 && !self.pass_over() {
                return None;
            }
            let shown = self.buffer.get(self.start..self.end).unwrap_or(&[]);
            match self.walker.step(shown) {
                Ok(Step::Packet(head)) => {
                    let start = self.start + head.start;
                    self.start += head.used;
                    return Some(Head { start, ..head });
                }
                Ok(Step::Skip(bytes)) => self.skip = bytes,
                Ok(Step::More(wanted)) => {
                    if self.ended || !self.fill(wanted) {
                        return None;
                    }
                }
                Err(error) => return self.fail(error.to_string()),
            }
        }
    }

    /// The bytes of the packet that [`Self::next_packet`] gave last.
    #[inline]
    pub fn bytes(&self, head: &Head) -> &[u8] {
        self.buffer.get(head.start..head.start + head.captured).unwrap_or(&[])
    }

    /// The interfaces that it described so far.
    pub fn interfaces(&self) -> &[Interface] {
        self.walker.interfaces()
    }

    /// What it begins with; `None` before its first bytes were seen.
    pub fn format(&self) -> Option<Format> {
        self.walker.format()
    }

    /// Unpacked bytes that were walked.
    pub fn offset(&self) -> u64 {
        self.walker.offset()
    }

    /// Why it ended before its end.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    fn fail(&mut self, problem: String) -> Option<Head> {
        self.problem = Some(problem);
        self.ended = true;
        self.start = self.end;
        self.skip = 0;
        None
    }

    /// Passes over what the walker does not want to see. False when the file ends before that.
    fn pass_over(&mut self) -> bool {
        loop {
            let held = (self.end - self.start) as u64;
            let now = self.skip.min(held);
            self.start += now as usize;
            self.skip -= now;
            if self.skip == 0 {
                return true;
            }
            if self.ended || !self.fill(1) {
                if self.problem.is_none() {
                    let at = self.walker.offset() - self.skip;
                    self.fail(format!("offset {at}: the file ends within a block"));
                }
                return false;
            }
        }
    }

    /// Reads until `wanted` bytes are there. False when the file ends before that.
    fn fill(&mut self, wanted: usize) -> bool {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted.next_multiple_of(BUFFER), 0);
        }
        while self.end < wanted {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.ended = true;
                    self.tell_end(wanted);
                    return false;
                }
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.fail(format!("offset {}: {error}", self.walker.offset()));
                    return false;
                }
            }
        }
        true
    }

    fn tell_end(&mut self, wanted: usize) {
        let (at, left) = (self.walker.offset(), self.end);
        self.problem = match (self.walker.format(), left) {
            (None, 0) => Some("offset 0: not a capture: it is empty".to_owned()),
            (None, _) => Some(format!("offset 0: not a capture: it has {left} bytes")),
            (Some(_), 0) => None,
            (Some(_), _) if self.skip == 0 => {
                Some(format!("offset {at}: the file ends within a packet or block: {left} bytes are there, {wanted} wanted"))
            }
            (Some(_), _) => None,
        };
    }
}
