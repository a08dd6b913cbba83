//! Capture files that tell the reference incident: the packets of its table, at its times, as `tcpdump` on the bond and on both slaves
//! would have written them.

pub mod file;
mod frames;

use std::io;
use std::path::{Path, PathBuf};

use file::PcapFile;
use frames::{PARTNER_DEFAULTED, PARTNER_EXPIRED, WORKING};

/// 2017-12-05 14:12:51 in Tokyo, nanoseconds since 1970.
pub const MINUTE: u64 = 1_512_450_771_000_000_000;
const SECOND: u64 = 1_000_000_000;
const MS: u64 = 1_000_000;

/// Copies that the storm has.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Nanoseconds from one copy of the TCP ACK to the next.
    pub every_ns: u64,
}

/// The files.
#[derive(Clone, Debug)]
pub struct Reference {
    /// Of the bond, then of both slaves.
    pub files: Vec<PathBuf>,
    /// Packets of all of them.
    pub packets: u64,
}

/// Packets that come again and again: one file, from a time on until another, so many nanoseconds apart.
struct Stream {
    file: usize,
    at: u64,
    until: u64,
    every: u64,
    frame: Vec<u8>,
}

const BOND: usize = 0;
const FIRST: usize = 1;
const SECOND_SLAVE: usize = 2;

/// Nanoseconds since 1970 of a time in the table: minutes and seconds of 14 o'clock.
fn at(minute: u64, microseconds: u64) -> u64 {
    MINUTE - (12 * 60 + 51) * SECOND + minute * 60 * SECOND + microseconds * 1000
}

/// Writes `dp0bond0.pcap`, `dp0s0.pcap` and `dp0s2.pcap` into a directory.
///
/// # Errors
/// Those of the file system.
pub fn reference(dir: &Path, scale: Scale) -> io::Result<Reference> {
    let files: Vec<PathBuf> = ["dp0bond0", "dp0s0", "dp0s2"].map(|name| dir.join(format!("{name}.pcap"))).into();
    let mut writers = files.iter().map(|path| PcapFile::create(path)).collect::<io::Result<Vec<_>>>()?;
    let mut streams = story(scale);
    let mut packets = 0;
    while let Some(next) = streams.iter_mut().filter(|stream| stream.at < stream.until).min_by_key(|stream| stream.at) {
        writers[next.file].packet(next.at, &next.frame)?;
        next.at += next.every;
        packets += 1;
    }
    writers.into_iter().try_for_each(PcapFile::finish)?;
    Ok(Reference { files, packets })
}

/// One packet.
fn once(file: usize, at: u64, frame: Vec<u8>) -> Stream {
    Stream { file, at, until: at + 1, every: 1, frame }
}

fn story(scale: Scale) -> Vec<Stream> {
    let (begin, storm) = (at(11, 40_000_000), at(12, 51_447_649));
    let (second, third, end) = (at(12, 53_955_594), at(13, 17_763_339), at(14, 21_000_000));
    let mut streams = vec![
        // What repeats by nature: a hello each second, and one each three seconds that goes on to the end.
        Stream { file: BOND, at: begin, until: storm, every: SECOND, frame: frames::vrrp() },
        Stream { file: BOND, at: at(11, 41_885_370), until: end, every: 3 * SECOND, frame: frames::hsrp_hello() },
        // The storm, and the ARP requests that nobody answers: one for three of the ACKs.
        Stream { file: BOND, at: storm, until: end, every: scale.every_ns, frame: frames::keep_alive_ack() },
        Stream { file: BOND, at: second, until: end, every: 3 * scale.every_ns, frame: frames::arp_request(true) },
        Stream { file: BOND, at: third, until: end, every: 3 * scale.every_ns, frame: frames::arp_request(false) },
    ];
    // A ping each second, answered until the storm; ARP answered as well, and keep-alives on the VLAN.
    for (number, sent) in (0u16..).zip((begin + 300 * MS..end).step_by(SECOND as usize)) {
        streams.push(once(BOND, sent, frames::ping(number, true)));
        if sent < storm {
            streams.push(once(BOND, sent + 138_000, frames::ping(number, false)));
        }
        if sent < storm && number % 20 == 5 {
            streams.push(once(BOND, sent + 400 * MS, frames::arp_request(true)));
            streams.push(once(BOND, sent + 401 * MS, frames::arp_reply()));
            streams.push(once(BOND, sent + 500 * MS, frames::keep_alive(number)));
            streams.push(once(BOND, sent + 501 * MS, frames::keep_alive_ack_of(number)));
        }
    }
    for (slave, port) in [(FIRST, 1), (SECOND_SLAVE, 2)] {
        for (minute, us) in
            [(11, 47_763_000), (12, 17_763_500), (12, 47_763_827), (13, 17_763_746), (13, 47_787_000), (14, 17_810_803)]
        {
            streams.push(once(slave, at(minute, us), frames::our_lacpdu(port, at(minute, us) > at(14, 17_810_749))));
        }
        for (minute, us) in [(11, 49_999_000), (12, 19_999_100), (12, 49_999_237), (13, 19_999_300), (13, 49_999_400)] {
            streams.push(once(slave, at(minute, us), frames::partner_lacpdu(port, WORKING)));
        }
        streams.push(once(slave, at(14, 17_810_749), frames::partner_lacpdu(port, PARTNER_EXPIRED)));
        streams.push(once(slave, at(14, 20_811_089), frames::partner_lacpdu(port, PARTNER_DEFAULTED)));
    }
    streams
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_table() {
        assert_eq!(at(12, 51_447_649), MINUTE + 447_649_000);
        assert_eq!(at(11, 51_000_000), MINUTE - 60 * SECOND);
        assert_eq!(at(14, 20_811_089), MINUTE + 89_811_089_000);
    }
}
