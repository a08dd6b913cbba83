//! The class of a frame, byte by byte, in all packet programs.

use anyhow::{Result, ensure};
use probe_common::{class::id, names::program};
use probe_core::classify::classify;
use probe_user::kernel::{Kernel, KernelConfig, test_run::INGRESS_TAP};

const PROGRAMS: [&str; 3] = [program::XDP_INGRESS, program::XDP_FRAGS, program::TC_INGRESS];

/// An Ethernet frame: addresses, then what `parts` hold, padded to 60 bytes.
fn frame(parts: &[&[u8]]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    parts.iter().for_each(|part| frame.extend_from_slice(part));
    frame.resize(frame.len().max(60), 0);
    frame
}

/// Type and IPv4 header with this protocol, `options` words of options and this fragment field.
fn v4(protocol: u8, options: u8, fragment: u16) -> Vec<u8> {
    let mut bytes = vec![0x08, 0x00, 0x45 + options, 0, 0, 100, 0, 1];
    bytes.extend(fragment.to_be_bytes());
    bytes.extend([64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    // no-operations, and the number of a protocol that a fixed header length would take for ports
    bytes.extend(vec![1; usize::from(options) * 4]);
    bytes
}

/// Type and IPv6 header with this next header.
fn v6(next: u8) -> Vec<u8> {
    let mut bytes = vec![0x86, 0xdd, 0x60, 0, 0, 0, 0, 60, next, 64];
    bytes.extend([0xfe; 32]);
    bytes
}

/// Type and an ARP packet of IPv4 over Ethernet that claims these lengths of addresses.
fn arp(hardware: u8, protocol: u8) -> Vec<u8> {
    let mut bytes = vec![0x08, 0x06, 0, 1, 0x08, 0, hardware, protocol, 0, 1];
    bytes.extend([7; 20]);
    bytes
}

/// An extension header of eight bytes.
fn extension(next: u8) -> [u8; 8] {
    [next, 0, 1, 4, 0, 0, 0, 0]
}

fn ports(source: u16, destination: u16) -> Vec<u8> {
    let mut bytes = [source.to_be_bytes(), destination.to_be_bytes()].concat();
    bytes.resize(20, 0);
    bytes
}

fn cases() -> Vec<(&'static str, u8, Vec<u8>)> {
    let tag = |kind: [u8; 2]| [kind[0], kind[1], 0x03, 0xbc];
    let (c, s) = (tag([0x81, 0]), tag([0x88, 0xa8]));
    vec![
        ("arp", id::ARP, frame(&[&arp(6, 4)])),
        ("arp behind a tag", id::ARP, frame(&[&c, &arp(6, 4)])),
        ("arp of another network", id::ARP, frame(&[&[0x08, 0x06, 0, 32, 0x08, 0, 20, 4, 0, 1]])),
        ("rarp", id::ARP, frame(&[&[0x80, 0x35], &arp(6, 4)[2..]])),
        ("arp with long hardware addresses", id::MALFORMED, frame(&[&arp(8, 4)])),
        ("arp with ipv4 addresses of 16 bytes", id::MALFORMED, frame(&[&c, &arp(6, 16)])),
        ("arp without its last byte", id::MALFORMED, frame(&[&arp(6, 4)])[..41].to_vec()),
        ("arp without its operation", id::MALFORMED, frame(&[&arp(6, 4)])[..20].to_vec()),
        ("lacp", id::LACP, frame(&[&[0x88, 0x09, 1, 1]])),
        ("marker", id::SLOW, frame(&[&[0x88, 0x09, 2, 1]])),
        ("lldp", id::LLDP, frame(&[&[0x88, 0xcc]])),
        ("stp", id::STP, frame(&[&[0, 38, 0x42, 0x42, 0x03]])),
        ("pvst", id::STP, frame(&[&c, &[0, 50, 0xaa, 0xaa, 0x03, 0, 0, 0x0c, 0x01, 0x0b]])),
        ("is-is", id::ISIS, frame(&[&[0, 50, 0xfe, 0xfe, 0x03]])),
        ("other llc", id::OTHER, frame(&[&[0, 50, 0xe0, 0xe0, 0x03]])),
        ("mpls", id::MPLS, frame(&[&[0x88, 0x47, 0, 0, 1, 64]])),
        ("unknown type", id::OTHER, frame(&[&[0x12, 0x34]])),
        ("tcp", id::TCP4, frame(&[&v4(6, 0, 0), &ports(80, 1000)])),
        ("bgp from", id::BGP, frame(&[&v4(6, 0, 0), &ports(179, 1000)])),
        ("bgp to", id::BGP, frame(&[&v6(6), &ports(1000, 179)])),
        ("udp", id::UDP4, frame(&[&v4(17, 0, 0), &ports(53, 1000)])),
        ("udp with options", id::UDP4, frame(&[&v4(17, 10, 0), &ports(53, 1000)])),
        ("bfd behind options", id::BFD, frame(&[&v4(17, 3, 0), &ports(49152, 3784)])),
        ("hsrp", id::HSRP, frame(&[&v4(17, 0, 0), &ports(1985, 1985)])),
        ("icmp", id::ICMP4, frame(&[&v4(1, 0, 0)])),
        ("igmp", id::IGMP, frame(&[&v4(2, 6, 0)])),
        ("vrrp", id::VRRP, frame(&[&v4(112, 0, 0)])),
        ("ospf", id::OSPF, frame(&[&v4(89, 0, 0)])),
        ("gre", id::IP4, frame(&[&v4(47, 0, 0)])),
        ("first fragment", id::UDP4, frame(&[&v4(17, 0, 0x2000), &ports(53, 1000)])),
        ("later fragment", id::FRAGMENT, frame(&[&v4(17, 0, 0x2001), &ports(1985, 1985)])),
        ("four tags", id::UDP4, frame(&[&s, &s, &c, &c, &v4(17, 0, 0), &ports(53, 1000)])),
        ("old qinq", id::UDP4, frame(&[&tag([0x91, 0]), &c, &v4(17, 0, 0), &ports(53, 1000)])),
        ("tcp6", id::TCP6, frame(&[&v6(6), &ports(80, 1000)])),
        ("udp6 behind extensions", id::UDP6, frame(&[&v6(0), &extension(60), &extension(17), &ports(53, 1000)])),
        ("tcp6 behind authentication", id::TCP6, frame(&[&v6(51), &[6, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &ports(80, 1000)])),
        ("neighbour solicitation", id::ND, frame(&[&v6(58), &[135, 0]])),
        ("mld report behind hop-by-hop", id::IGMP, frame(&[&v6(0), &extension(58), &[143, 0]])),
        ("echo6", id::ICMP6, frame(&[&v6(58), &[128, 0]])),
        ("first fragment6", id::UDP6, frame(&[&v6(44), &[17, 0, 0, 1, 0, 0, 0, 7], &ports(53, 1000)])),
        ("later fragment6", id::FRAGMENT, frame(&[&v6(44), &[17, 0, 5, 0xd1, 0, 0, 0, 7], &ports(53, 1000)])),
        ("vrrp6", id::VRRP, frame(&[&v6(112)])),
        ("ospf6", id::OSPF, frame(&[&v6(89)])),
        ("esp6", id::IP6, frame(&[&v6(50), &[0; 8]])),
        ("ipv4 of version 5", id::MALFORMED, frame(&[&[0x08, 0x00, 0x55], &[0; 40]])),
        ("ipv4 with a header of 16 bytes", id::MALFORMED, frame(&[&[0x08, 0x00, 0x44], &[0; 40]])),
        ("options beyond the end", id::MALFORMED, frame(&[&v4(17, 0, 0)[..2], &[0x4f], &v4(17, 0, 0)[3..]])),
        ("ipv6 of version 4", id::MALFORMED, frame(&[&[0x86, 0xdd, 0x40], &[0; 60]])),
        ("extension beyond the end", id::MALFORMED, frame(&[&v6(0), &[17, 255, 0, 0, 0, 0, 0, 0]])),
    ]
}

#[test]
fn every_kind_of_frame_is_of_its_class_in_every_program() -> Result<()> {
    let mut kernel = Kernel::load(KernelConfig { memory_bytes: 4 << 20, ..KernelConfig::default() })?;
    let mut failures = Vec::new();
    for program in PROGRAMS {
        for (name, class, frame) in cases() {
            let before = kernel.counters_of(INGRESS_TAP)?;
            kernel.test_run(program, &frame, 1)?;
            let after = kernel.counters_of(INGRESS_TAP)?;
            let counted =
                (0..32u8).find(|&class| after.classes[usize::from(class)].packets > before.classes[usize::from(class)].packets);
            if counted != Some(class) {
                let name_of = |class: Option<u8>| class.and_then(probe_common::class::name);
                failures.push(format!("{program}: {name} is {:?}, not {:?}", name_of(counted), name_of(Some(class))));
            }
            ensure!(after.total().bytes - before.total().bytes == frame.len() as u64);
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

#[test]
fn the_parser_gives_up_on_endless_tags_and_extensions_and_counts_that() -> Result<()> {
    let mut kernel = Kernel::load(KernelConfig { memory_bytes: 4 << 20, ..KernelConfig::default() })?;
    let tag = [0x81, 0x00, 0, 1];
    let tags = frame(&[&tag, &tag, &tag, &tag, &tag, &v4(17, 0, 0), &ports(53, 1000)]);
    let mut parts = vec![v6(60)];
    parts.extend((0..9).map(|_| extension(60).to_vec()));
    let extensions = frame(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
    for program in PROGRAMS {
        for frame in [&tags, &extensions] {
            let before = kernel.counters_of(INGRESS_TAP)?;
            kernel.test_run(program, frame, 1)?;
            let after = kernel.counters_of(INGRESS_TAP)?;
            ensure!(after.losses.parse_limit == before.losses.parse_limit + 1, "{program}");
            ensure!(after.classes[usize::from(id::OTHER)].packets == before.classes[usize::from(id::OTHER)].packets + 1);
        }
    }
    Ok(())
}

/// Every case, cut at every length, and with each of its bytes behind the addresses made another.
fn variants() -> Vec<(&'static str, Vec<u8>)> {
    let mut found = Vec::new();
    for (name, _, whole) in cases() {
        found.extend((14..=whole.len()).map(|length| (name, whole[..length].to_vec())));
        for at in 12..whole.len().min(66) {
            for value in [0, 1, 4, 0x3c, 0x81, 0xff] {
                let mut changed = whole.clone();
                changed[at] = value;
                found.push((name, changed));
            }
        }
    }
    found
}

#[test]
fn what_old_captures_are_counted_by_agrees_with_the_programs_however_a_frame_is_cut_or_changed() -> Result<()> {
    let mut kernel = Kernel::load(KernelConfig { memory_bytes: 4 << 20, ..KernelConfig::default() })?;
    let mut failures = Vec::new();
    // the kernel takes no test frame without an Ethernet header, and for tc none that ends within its IP header
    for (program, shortest) in [(program::XDP_INGRESS, 14), (program::TC_INGRESS, 60)] {
        let mut before = kernel.counters_of(INGRESS_TAP)?;
        for (name, frame) in variants().into_iter().filter(|(_, frame)| frame.len() >= shortest) {
            kernel.test_run(program, &frame, 1)?;
            let after = kernel.counters_of(INGRESS_TAP)?;
            let grown = |class: u8| after.classes[usize::from(class)].packets > before.classes[usize::from(class)].packets;
            let wanted = classify(&frame, u32::try_from(frame.len())?);
            if !grown(wanted) {
                let name_of = |class: Option<u8>| class.and_then(probe_common::class::name);
                let counted = name_of((0..32).find(|&class| grown(class)));
                failures.push(format!("{program}: {name}: {counted:?}, in files {:?}: {frame:02x?}", name_of(Some(wanted))));
            }
            before = after;
        }
    }
    ensure!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures[..failures.len().min(10)].join("\n"));
    Ok(())
}

#[test]
fn every_program_passes_every_frame_on() -> Result<()> {
    const XDP_PASS: u32 = 2;
    let tcx_next = (-1i32).cast_unsigned();
    let mut kernel = Kernel::load(KernelConfig { memory_bytes: 4 << 20, sample_rate: 1, ..KernelConfig::default() })?;
    for (_, _, frame) in cases() {
        for program in [program::XDP_INGRESS, program::XDP_FRAGS] {
            ensure!(kernel.test_run(program, &frame, 1)?.returned == XDP_PASS);
        }
        for program in [program::TC_INGRESS, program::TC_EGRESS] {
            ensure!(kernel.test_run(program, &frame, 1)?.returned == tcx_next);
        }
    }
    Ok(())
}

#[test]
fn the_verifier_is_far_from_its_limit_whatever_is_turned_on() -> Result<()> {
    /// It goes through a million at most. 6.1 goes through most: 440,000 for a classifier with the longest snap length, 260,000 with
    /// the usual one. Here it is less than half as many.
    const MOST: u32 = 400_000;
    for (snaplen, sample_rate, log) in
        [(128, 0, false), (16384, 0, false), (128, 1000, false), (16384, 1000, false), (128, 1000, true), (16384, 1000, true)]
    {
        let config = KernelConfig {
            snaplen,
            control_snaplen: snaplen,
            sample_rate,
            log,
            memory_bytes: 4 << 20,
            ..KernelConfig::default()
        };
        let kernel = Kernel::load(config)?;
        for program in [program::XDP_INGRESS, program::XDP_FRAGS, program::TC_INGRESS, program::TC_EGRESS] {
            let count = kernel.verified_instructions(program).unwrap_or(0);
            println!("snaplen {snaplen}, sampling {sample_rate}, log {log}: {program} {count}");
            ensure!(count < MOST, "{program}: {count}");
        }
    }
    Ok(())
}
