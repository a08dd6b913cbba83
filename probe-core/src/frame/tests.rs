use super::describe;
use crate::samples::Random;

fn ethernet(destination: [u8; 6], kind: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = destination.to_vec();
    frame.extend_from_slice(&[0x00, 0x0c, 0x29, 0x01, 0x02, 0x03]);
    frame.extend_from_slice(&kind.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

fn tagged(vlan: u16, frame: &[u8]) -> Vec<u8> {
    let mut tagged = frame[..12].to_vec();
    tagged.extend_from_slice(&[0x81, 0x00]);
    tagged.extend_from_slice(&vlan.to_be_bytes());
    tagged.extend_from_slice(&frame[12..]);
    tagged
}

const UNICAST: [u8; 6] = [0, 0, 0x0c, 0x9f, 0xf0, 1];

fn ipv4(protocol: u8, addresses: [[u8; 4]; 2], payload: &[u8]) -> Vec<u8> {
    let total = (20 + payload.len()) as u16;
    let mut packet = vec![0x45, 0];
    packet.extend_from_slice(&total.to_be_bytes());
    packet.extend_from_slice(&[0x12, 0x34, 0x40, 0, 64, protocol, 0, 0]);
    packet.extend_from_slice(&addresses.concat());
    packet.extend_from_slice(payload);
    ethernet(UNICAST, 0x0800, &packet)
}

fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend_from_slice(&(payload.len() as u16).to_be_bytes());
    packet.extend_from_slice(&[next, 64]);
    for last in [1u8, 2] {
        packet.extend_from_slice(&[0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    }
    packet.extend_from_slice(payload);
    ethernet(UNICAST, 0x86dd, &packet)
}

/// The acknowledgement of the reference incident.
fn keepalive() -> Vec<u8> {
    let mut tcp = vec![0xf1, 0x22, 0x05, 0x9a];
    tcp.extend_from_slice(&11646u32.to_be_bytes());
    tcp.extend_from_slice(&3142u32.to_be_bytes());
    tcp.extend_from_slice(&[0x80, 0x10, 1, 0, 0, 0, 0, 0]);
    tcp.extend_from_slice(&[1, 1, 5, 10, 0, 0, 0x0c, 0x45, 0, 0, 0x0c, 0x46]);
    tagged(956, &ipv4(6, [[172, 20, 18, 40], [10, 100, 200, 143]], &tcp))
}

fn arp(destination: [u8; 6]) -> Vec<u8> {
    let mut arp = vec![0, 1, 8, 0, 6, 4, 0, 1, 0, 0x0c, 0x29, 1, 2, 3, 10, 100, 100, 75, 0, 0, 0, 0, 0, 0, 10, 100, 100, 65];
    arp.resize(46, 0);
    ethernet(destination, 0x0806, &arp)
}

fn lacpdu() -> Vec<u8> {
    let port = |kind: u8, system: u8, port: u16, state: u8| {
        let mut tlv = vec![kind, 20, 0xff, 0xff, 2, 0, 0, 0, 0, system, 0, 9, 0, 255];
        tlv.extend_from_slice(&port.to_be_bytes());
        tlv.extend_from_slice(&[state, 0, 0, 0]);
        tlv
    };
    let mut pdu = vec![1, 1];
    pdu.extend(port(1, 0xa, 1, 0x3d));
    pdu.extend(port(2, 0, 0, 0x02));
    pdu.resize(110, 0);
    ethernet([1, 0x80, 0xc2, 0, 0, 2], 0x8809, &pdu)
}

fn told(frame: &[u8]) -> String {
    describe(frame, frame.len() as u32)
}

fn all() -> Vec<(Vec<u8>, &'static str)> {
    let hosts = [[10, 0, 0, 1], [10, 0, 0, 2]];
    let router = [[10, 0, 0, 1], [224, 0, 0, 102]];
    let mut udp = vec![0x03, 0xe8, 0x07, 0xd0, 0, 0x10, 0, 0];
    udp.extend_from_slice(b"payload!");
    let hsrp = |payload: &[u8]| {
        let mut udp = vec![0x07, 0xc1, 0x07, 0xc1, 0, 0, 0, 0];
        udp.extend_from_slice(payload);
        ipv4(17, router, &udp)
    };
    let mut solicitation = vec![135, 0, 0, 0, 0, 0, 0, 0];
    solicitation.extend_from_slice(&[0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
    let mut fragment = ipv4(17, hosts, &udp);
    fragment[20..22].copy_from_slice(&185u16.to_be_bytes());
    let hop_by_hop = [&[17, 0, 5, 2, 0, 0, 1, 0][..], &udp].concat();
    let bpdu = [&[0x42, 0x42, 3, 0, 0, 2, 2, 0x3c, 0x80, 0, 2, 0, 0, 0, 0, 7][..], &[0; 30]].concat();
    vec![
        (keepalive(), "TCP 172.20.18.40:61730 → 10.100.200.143:1434 [ACK] len 0, VLAN 956"),
        (arp([0xff; 6]), "ARP who-has 10.100.100.65 tell 10.100.100.75, broadcast"),
        (arp(UNICAST), "ARP who-has 10.100.100.65 tell 10.100.100.75, to 00:00:0c:9f:f0:01"),
        (
            lacpdu(),
            "LACPDU of system 02:00:00:00:00:0a, key 9, port 1 (activity, aggregation, synchronization, collecting, \
             distributing); of the other end: 02:00:00:00:00:00, port 0 (timeout)",
        ),
        (ipv4(17, hosts, &udp), "UDP 10.0.0.1:1000 → 10.0.0.2:2000 len 8"),
        (tagged(100, &tagged(200, &ipv4(17, hosts, &udp))), "UDP 10.0.0.1:1000 → 10.0.0.2:2000 len 8, VLAN 100.200"),
        (fragment, "fragment of UDP 10.0.0.1 → 10.0.0.2, offset 1480, 16 bytes"),
        (ipv4(1, hosts, &[8, 0, 0, 0, 0, 7, 0, 3]), "ICMP echo request 10.0.0.1 → 10.0.0.2, id 7, seq 3"),
        (ipv4(112, router, &[0x31, 5, 200, 1]), "VRRPv3 advertisement of 10.0.0.1, router 5, priority 200"),
        (ipv4(89, router, &[2, 1, 0, 44, 1, 1, 1, 1]), "OSPFv2 hello 10.0.0.1 → 224.0.0.102, router 1.1.1.1"),
        (hsrp(&[0, 0, 16, 3, 10, 100, 7, 0]), "HSRPv1 hello of 10.0.0.1, group 7"),
        (hsrp(&[1, 40, 2, 0, 6, 4, 0, 1]), "HSRPv2 hello of 10.0.0.1, group 1"),
        (ipv4(47, hosts, &[0; 30]), "GRE 10.0.0.1 → 10.0.0.2, 30 bytes"),
        (ipv6(58, &solicitation), "ND who-has fe80::9 tell fe80::1"),
        (ipv6(0, &hop_by_hop), "UDP [fe80::1]:1000 → [fe80::2]:2000 len 8"),
        (ethernet([1, 0x80, 0xc2, 0, 0, 0], 39, &bpdu), "RSTP of 00:0c:29:01:02:03, root 32768/02:00:00:00:00:07"),
        (ethernet(UNICAST, 0x88cc, &[2, 7, 4]), "LLDP of 00:0c:29:01:02:03"),
        (ethernet(UNICAST, 0x1234, &[0; 46]), "ethertype 0x1234 00:0c:29:01:02:03 → 00:00:0c:9f:f0:01"),
        (vec![1; 9], "frame of 9 bytes"),
    ]
}

#[test]
fn a_frame_is_told_by_what_an_operator_would_look_for() {
    for (frame, expected) in all() {
        assert_eq!(told(&frame), expected);
    }
}

#[test]
fn a_frame_that_is_cut_anywhere_is_told_as_far_as_it_goes() {
    for (frame, _) in all() {
        for cut in 0..frame.len() {
            let text = describe(&frame[..cut], frame.len() as u32);
            assert!(!text.is_empty() && !text.contains('\n'), "{text:?}");
        }
    }
    assert_eq!(describe(&keepalive()[..30], 70), "IPv4 00:0c:29:01:02:03 → 00:00:0c:9f:f0:01, cut, VLAN 956");
    assert_eq!(describe(&keepalive()[..40], 70), "TCP 172.20.18.40 → 10.100.200.143, cut, VLAN 956");
}

#[test]
fn bytes_that_make_no_sense_do_no_harm() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let frames: Vec<Vec<u8>> = all().into_iter().map(|(frame, _)| frame).collect();
    for round in 0..20_000 {
        let mut frame = frames[round % frames.len()].clone();
        for _ in 0..=random.below(6) {
            let at = random.below(frame.len());
            frame[at] = random.byte();
        }
        frame.truncate(random.below(frame.len()) + 1);
        assert!(!describe(&frame, u32::from(random.byte())).is_empty());
    }
}
