//! Flow samples: one frame, and what it stands for.

use super::xdr::Put;

/// `flow_sample` and `flow_sample_expanded`.
const FLOW: u32 = 1;
const FLOW_EXPANDED: u32 = 3;
/// `sampled_header`, and the header protocol of Ethernet.
const RAW_HEADER: u32 = 1;
const ETHERNET: u32 = 1;
/// Bytes of the frame check sequence: on the wire, but in no frame that a tap sees.
const FCS: u32 = 4;
/// Largest ifIndex in the compact form of a data source; from there on the expanded form is used, and for that interface alone.
pub(super) const MOST_COMPACT: u32 = (1 << 24) - 1;

/// A sampled frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow<'a> {
    /// ifIndex of the interface.
    pub ifindex: u32,
    /// It was transmitted; else received.
    pub egress: bool,
    /// Number of this sample of the interface, from 1.
    pub sequence: u32,
    /// Packets that the sample stands for.
    pub rate: u32,
    /// Packets that have passed the interface's taps, samples included.
    pub pool: u32,
    /// Samples of the interface that were lost.
    pub drops: u32,
    /// Bytes of the packet on the wire, without FCS.
    pub length: u32,
    /// Its first bytes.
    pub header: &'a [u8],
}

impl Flow<'_> {
    /// Appends the sample.
    pub fn put(&self, to: &mut Vec<u8>) {
        let expanded = self.ifindex > MOST_COMPACT;
        to.u32(if expanded { FLOW_EXPANDED } else { FLOW });
        to.sized(|to| {
            to.u32(self.sequence);
            source(to, self.ifindex);
            for number in [self.rate, self.pool, self.drops] {
                to.u32(number);
            }
            // The direction is told by which of the two the data source is. Where else the packet went is not known here.
            let (input, output) = if self.egress { (0, self.ifindex) } else { (self.ifindex, 0) };
            for interface in [input, output] {
                if expanded {
                    // Format 0: a single interface.
                    to.u32(0);
                }
                to.u32(interface);
            }
            // One record.
            to.u32(1);
            to.u32(RAW_HEADER);
            to.sized(|to| {
                to.u32(ETHERNET);
                to.u32(self.length.saturating_add(FCS));
                to.u32(FCS);
                to.opaque(self.header);
            });
        });
    }
}

/// The data source: an interface (class 0).
pub(super) fn source(to: &mut Vec<u8>, ifindex: u32) {
    if ifindex > MOST_COMPACT {
        to.u32(0);
    }
    to.u32(ifindex);
}

/// Bytes on the wire of one of the packets that a frame is: the headers, which each of them has, and its part of what is behind them.
/// `length` and the result are without FCS.
///
/// A sample stands for packets, so its length must be a packet's: rate × length is then right in the mean for the bytes, as the rate is
/// for the packets. A tunnel's inner headers count as what is behind.
pub(super) fn packet_length(header: &[u8], length: u32, segments: u16) -> u32 {
    if segments <= 1 {
        return length;
    }
    let segments = u32::from(segments);
    let headers = headers(header).unwrap_or(0).min(length);
    let behind = length - headers;
    headers + behind / segments + u32::from(behind % segments * 2 >= segments)
}

/// Bytes of the headers of Ethernet, IP and TCP or UDP; `None` where they are others, or not all there.
fn headers(frame: &[u8]) -> Option<u32> {
    let u16_at = |at: usize| Some(u16::from_be_bytes([*frame.get(at)?, *frame.get(at + 1)?]));
    let mut at = 12;
    while matches!(u16_at(at)?, 0x8100 | 0x88a8 | 0x9100) {
        at += 4;
    }
    let (protocol, transport) = match u16_at(at)? {
        0x0800 => (*frame.get(at + 11)?, at + 2 + usize::from(*frame.get(at + 2)? & 0x0f) * 4),
        0x86dd => (*frame.get(at + 8)?, at + 2 + 40),
        _ => return None,
    };
    let end = match protocol {
        6 => transport + usize::from(*frame.get(transport + 12)? >> 4) * 4,
        17 => transport + 8,
        _ => return None,
    };
    u32::try_from(end).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Random;

    fn flow(ifindex: u32, egress: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        let header = [0xaa; 5];
        let flow = Flow { ifindex, egress, sequence: 1, rate: 1000, pool: 5000, drops: 2, length: 1514, header: &header };
        flow.put(&mut bytes);
        bytes
    }

    fn words(bytes: &[u8]) -> Vec<u32> {
        bytes.chunks(4).map(|word| u32::from_be_bytes(word.try_into().expect("four bytes"))).collect()
    }

    #[test]
    fn a_received_frame_is_a_sample_of_its_input_interface() {
        let expected = [
            1,
            64,
            1,
            7,
            1000,
            5000,
            2,
            7,
            0,
            1, // seven words of the sample follow its length, then one record
            1,
            24,
            1,
            1518,
            4,
            5,
            0xaaaa_aaaa,
            0xaa00_0000,
        ];
        assert_eq!(words(&flow(7, false)), expected);
    }

    #[test]
    fn a_transmitted_frame_is_a_sample_of_its_output_interface() {
        assert_eq!(words(&flow(7, true))[7..9], [0, 7]);
    }

    #[test]
    fn an_index_that_is_too_large_for_the_compact_form_is_told_in_the_expanded_one() {
        let index = MOST_COMPACT + 1;
        assert_eq!(words(&flow(MOST_COMPACT, false))[..4], [1, 64, 1, MOST_COMPACT]);
        let expected = [3, 76, 1, 0, index, 1000, 5000, 2, 0, index, 0, 0, 1];
        assert_eq!(words(&flow(index, false))[..13], expected);
    }

    /// Ethernet, `tags` VLAN tags, IPv4 with 24 bytes, TCP with 32.
    fn tcp(tags: usize) -> Vec<u8> {
        let mut frame = vec![0; 12];
        (0..tags).for_each(|_| frame.extend([0x81, 0, 3, 0xbc]));
        frame.extend([8, 0, 0x46]);
        frame.resize(frame.len() + 23, 0);
        let ip = frame.len() - 24;
        frame[ip + 9] = 6;
        frame.resize(frame.len() + 32, 0);
        let tcp = ip + 24;
        frame[tcp + 12] = 0x80;
        frame
    }

    #[test]
    fn the_length_of_one_packet_has_its_headers_and_its_part_of_the_rest() {
        assert_eq!(packet_length(&tcp(0), 70 + 1400 * 8, 8), 70 + 1400);
        assert_eq!(packet_length(&tcp(2), 78 + 1400 * 8, 8), 78 + 1400);
        assert_eq!(packet_length(&tcp(0), 70 + 1000 + 1, 2), 70 + 501, "rounded");
        assert_eq!(packet_length(&tcp(0), 900, 1), 900);
        assert_eq!(packet_length(&[0; 60], 1000, 4), 250, "headers that are not known count as what is behind");
        let mut six = vec![0; 12];
        six.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, 17]);
        six.resize(14 + 40 + 8, 0);
        assert_eq!(packet_length(&six, 62 + 1000 * 3, 3), 1062);
    }

    #[test]
    fn any_bytes_have_a_length_and_never_a_panic() {
        let mut random = Random(3);
        for _ in 0..50_000 {
            let mut frame = tcp(random.below(4));
            frame.truncate(random.below(frame.len() + 1));
            if !frame.is_empty() {
                let at = random.below(frame.len());
                frame[at] = random.byte();
            }
            let (length, segments) = (u32::from(random.byte()) << random.below(25), u16::from(random.byte()));
            assert!(packet_length(&frame, length, segments) <= length.max(1));
        }
    }

    /// What taps do with each frame (see the kernel programs' `sample.rs`), on a mixture of acknowledgements and of frames that are 44
    /// packets each: what collectors make of the samples is what was sent, for those that multiply by the rate as for those that
    /// multiply by the packets between two samples.
    #[test]
    fn packets_and_bytes_of_a_mixture_with_gso_are_right_in_the_mean() {
        const RATE: u64 = 100;
        let header = tcp(0);
        let mut random = Random(0x5eed);
        let (mut packets, mut bytes) = (0u64, 0u64);
        let (mut by_rate, mut by_pool) = ([0u64; 2], [0u64; 2]);
        let draw = |random: &mut Random| 1 + random.next() % (2 * RATE - 1);
        let (mut skip, mut gap) = (draw(&mut random), 0);
        for _ in 0..400_000 {
            let segments = if random.one_in(2) { 1u16 } else { 44 };
            let length = 70 + if segments == 1 { 0 } else { 1400 * 44 };
            let wire = u64::from(packet_length(&header, length, segments));
            let n = u64::from(segments);
            packets += n;
            bytes += n * wire;
            gap += n;
            if skip > n {
                skip -= n;
                continue;
            }
            let behind = n - skip;
            let more = random.next() % RATE < behind % RATE;
            let hits = 1 + behind / RATE + u64::from(more);
            skip = draw(&mut random);
            for (sum, factor) in [(&mut by_rate, RATE * hits), (&mut by_pool, gap)] {
                sum[0] += factor;
                sum[1] += factor * wire;
            }
            gap = 0;
        }
        let samples = packets as f64 / RATE as f64;
        for sum in [by_rate, by_pool] {
            for (found, sent) in [(sum[0], packets), (sum[1], bytes)] {
                let off = (found as f64 / sent as f64 - 1.0).abs();
                assert!(off < 4.0 / samples.sqrt(), "{found} found of {sent}: {off}");
            }
        }
    }
}
