//! The frames: UDP that nobody takes, each with a number of its own and the mark of its run; and those of the reference incident's storm.

use crate::traffic::{Kind, Plan, build};

/// Where the number stands in a frame: behind the headers of Ethernet, IPv4 and UDP. It is in the machine's byte order.
pub const NUMBER: usize = 42;
/// Where the mark stands.
pub const MARK: usize = 50;
/// Fewest bytes of a frame without FCS, as Ethernet has it.
pub const LEAST: usize = 60;

/// A frame of `size` bytes without FCS, at least [`LEAST`], that carries `mark`. Its number is 0 until [`super::Program`] puts one in.
pub fn numbered(size: usize, mark: u64) -> Vec<u8> {
    let size = size.max(LEAST);
    let length = |bytes: usize| u16::try_from(bytes).unwrap_or(u16::MAX).to_be_bytes();
    let mut frame = vec![0x02, 0x4c, 0x50, 0xff, 0, 1, 0x02, 0x4c, 0x50, 0, 0, 1, 0x08, 0];
    frame.extend([0x45, 0]);
    frame.extend(length(size - 14));
    frame.extend([0, 0, 0x40, 0, 64, 17, 0, 0, 198, 51, 100, 1, 198, 51, 100, 2]);
    let sum = crate::traffic::checksum::finish(crate::traffic::checksum::partial(&frame[14..34], 0));
    frame[24..26].copy_from_slice(&sum.to_be_bytes());
    // from 40000 to the discard port (RFC 863), without a checksum: the number changes
    frame.extend(40_000u16.to_be_bytes());
    frame.extend(9u16.to_be_bytes());
    frame.extend(length(size - 34));
    frame.extend([0; 2]);
    frame.extend([0; 8]);
    frame.extend(mark.to_ne_bytes());
    frame.resize(size, 0x5a);
    frame
}

/// The number of a frame that carries `mark`, as far as it was kept; `None` for any other frame.
pub fn number(frame: &[u8], mark: u64) -> Option<u64> {
    let at = |from: usize| Some(u64::from_ne_bytes(*frame.get(from..)?.first_chunk()?));
    (at(MARK)? == mark).then(|| at(NUMBER))?
}

/// The two frames of the reference incident's storm, and how many there are of each in four: a TCP keep-alive's acknowledgement on
/// VLAN 956, and an ARP request of which nobody takes notice.
pub fn storm() -> [(Vec<u8>, u32); 2] {
    let plan = Plan::default();
    [(Kind::Keepalive, 3), (Kind::Arp, 1)].map(|(kind, share)| {
        let mut frame = Vec::new();
        build(&plan, kind, 0, &mut frame);
        (frame, share)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_has_the_size_that_was_asked_for_and_right_lengths_in_its_headers() {
        for size in [60, 508, 1514] {
            let frame = numbered(size, 7);
            assert_eq!(frame.len(), size);
            assert_eq!(usize::from(u16::from_be_bytes([frame[16], frame[17]])), size - 14);
            assert_eq!(usize::from(u16::from_be_bytes([frame[38], frame[39]])), size - 34);
            let sum = crate::traffic::checksum::partial(&frame[14..34], 0);
            assert_eq!(crate::traffic::checksum::finish(sum), 0);
        }
        assert_eq!(numbered(14, 7).len(), LEAST);
    }

    #[test]
    fn the_number_is_read_only_from_frames_of_the_same_run() {
        let mut frame = numbered(60, 0xfeed);
        frame[NUMBER..MARK].copy_from_slice(&77u64.to_ne_bytes());
        assert_eq!(number(&frame, 0xfeed), Some(77));
        assert_eq!(number(&frame[..58], 0xfeed), Some(77));
        assert_eq!(number(&frame, 0xfeee), None);
        assert_eq!(number(&frame[..57], 0xfeed), None);
    }

    #[test]
    fn the_storms_frames_are_the_incidents_kinds_three_to_one() {
        let [(ack, three), (arp, one)] = storm();
        assert_eq!((ack[12..18].to_vec(), three), (vec![0x81, 0, 0x03, 0xbc, 0x08, 0], 3));
        assert_eq!((arp[12..14].to_vec(), one), (vec![0x08, 0x06], 1));
    }
}
