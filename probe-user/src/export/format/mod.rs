//! Notices and traffic as bytes: in the format of a receiver, framed for its transport.

pub mod ecs;
mod line;
pub mod syslog;
#[cfg(test)]
mod tests;

use probe_core::notice::Notice;
use serde_json::Value;

use super::about::About;
use super::spec::{Format, Transport};

/// Longest text of a notice, bytes: a line of a log and what stands around it.
const LONGEST_TEXT: usize = 6 << 10;
/// Longest syslog message, bytes: what receivers take unless they are told otherwise (rsyslog's maxMessageSize is 8 KiB).
const LONGEST_SYSLOG: usize = 8000;
/// Longest syslog message in a datagram, bytes: what receivers should take by RFC 5426, 3.2.
const LONGEST_SYSLOG_DATAGRAM: usize = 2048;
/// Longest datagram, bytes: UDP's limit less headers.
pub const LONGEST_DATAGRAM: usize = 65_000;
/// Bytes of lines that share a datagram: so that it needs no fragments.
const LINES_OF_A_DATAGRAM: usize = 1400;

/// Something to send, framed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// When what it tells happened: nanoseconds since 1970.
    pub at_ns: u64,
    /// What goes out.
    pub bytes: Vec<u8>,
}

/// How a receiver finds the end of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// A datagram is a message.
    Datagram,
    /// Its length stands before it (RFC 6587, 3.4.1).
    Counted,
    /// A line is a message.
    Line,
}

/// Makes the messages of one receiver.
#[derive(Clone, Debug)]
pub struct Encoder {
    format: Format,
    framing: Framing,
    /// Most bytes of a syslog message.
    limit: usize,
    /// Syslog in its older form.
    old_syslog: Option<Host>,
    about: About,
}

/// Whether a message of the older syslog has the host's name in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// It leaves this host.
    Named,
    /// It goes to a local socket, whose reader knows.
    Unnamed,
}

impl Encoder {
    /// That writes syslog as RFC 3164 has it, for a receiver behind `transport`.
    #[must_use]
    pub fn with_old_syslog(self, transport: &Transport) -> Self {
        let host = if matches!(transport, Transport::Unix(_)) { Host::Unnamed } else { Host::Named };
        Self { old_syslog: Some(host), ..self }
    }

    /// For a receiver behind `transport`.
    pub fn new(format: Format, transport: &Transport, about: About) -> Self {
        let framing = match (transport, format) {
            (Transport::Udp(_) | Transport::Unix(_), _) => Framing::Datagram,
            (Transport::Tcp(_), Format::Syslog) => Framing::Counted,
            _ => Framing::Line,
        };
        let limit = if matches!(transport, Transport::Udp(_)) { LONGEST_SYSLOG_DATAGRAM } else { LONGEST_SYSLOG };
        Self { format, framing, limit, old_syslog: None, about }
    }

    /// A notice, and whether its text had to be cut. `number` counts the receiver's messages.
    pub fn notice(&self, notice: &Notice, number: u64) -> (Message, bool) {
        let text = readable(&notice.text);
        let (kept, cut) = cut(&text, LONGEST_TEXT);
        let (bytes, cut_again) = match self.format {
            Format::Syslog => match self.old_syslog {
                None => syslog::message(notice, kept, &self.about, number, self.limit),
                Some(host) => syslog::old_message(notice, kept, &self.about, host, self.limit),
            },
            Format::Json => (ecs::notice(notice, kept, &self.about, number).to_string().into_bytes(), false),
            // No reader of sar's lines takes one that begins like this for figures.
            Format::Sar => (format!("# linkprobe: {kept}").into_bytes(), false),
            Format::Text => (line::line(notice, kept).into_bytes(), false),
        };
        (Message { at_ns: notice.wall_ns, bytes: self.frame(bytes) }, cut || cut_again)
    }

    /// A document about traffic, completed with who tells; `None` when it is longer than a datagram can be.
    pub fn document(&self, document: &Value, at_ns: u64) -> Option<Message> {
        let bytes = ecs::complete(document, &self.about, at_ns).to_string().into_bytes();
        let fits = self.framing != Framing::Datagram || bytes.len() <= LONGEST_DATAGRAM;
        fits.then(|| Message { at_ns, bytes: self.frame(bytes) })
    }

    /// A block of lines: as it is; for datagrams in pieces that end where lines end.
    pub fn lines(&self, block: &str, at_ns: u64) -> Vec<Message> {
        let message = |text: &str| Message { at_ns, bytes: text.as_bytes().to_vec() };
        if self.framing != Framing::Datagram {
            let end = if block.is_empty() || block.ends_with('\n') { "" } else { "\n" };
            return vec![message(&format!("{block}{end}"))];
        }
        let mut pieces: Vec<String> = Vec::new();
        for line in block.split_inclusive('\n') {
            match pieces.last_mut() {
                Some(piece) if piece.len() + line.len() <= LINES_OF_A_DATAGRAM => piece.push_str(line),
                _ => pieces.push(line.to_owned()),
            }
        }
        pieces.iter().map(|piece| message(piece)).collect()
    }

    /// What a stream begins with; nothing in most formats.
    pub fn greeting(&self, now_ns: u64) -> Option<Vec<u8>> {
        (self.format == Format::Sar).then(|| super::traffic::banner(now_ns).into_bytes())
    }

    fn frame(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        match self.framing {
            Framing::Datagram => bytes,
            Framing::Line => {
                bytes.push(b'\n');
                bytes
            }
            Framing::Counted => {
                let mut framed = format!("{} ", bytes.len()).into_bytes();
                framed.append(&mut bytes);
                framed
            }
        }
    }
}

/// A text without control characters: what comes from outside goes to terminals, and a line ends where we end it.
fn readable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// At most so many bytes of a text, whole characters; and whether any are missing.
fn cut(text: &str, most: usize) -> (&str, bool) {
    if text.len() <= most {
        return (text, false);
    }
    let end = (0..=most).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    (&text[..end], true)
}
