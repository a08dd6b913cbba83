use super::*;

/// Walks all of `bytes`: the packets (where, how many bytes, when), and how it ended.
fn walk(bytes: &[u8]) -> (Vec<Head>, Walker, Result<usize, DumpError>) {
    let (mut walker, mut packets, mut rest) = (Walker::default(), Vec::new(), bytes);
    loop {
        let used = match walker.step(rest) {
            Ok(Step::Packet(head)) => {
                packets.push(head);
                head.used
            }
            Ok(Step::Skip(bytes)) => usize::try_from(bytes).expect("a test's file"),
            Ok(Step::More(_)) => return (packets, walker, Ok(rest.len())),
            Err(error) => return (packets, walker, Err(error)),
        };
        rest = rest.get(used..).unwrap_or(&[]);
    }
}

/// A pcap of one packet `abcd`, 60 bytes on the wire, at 1,500,000,000.25 s, in the byte order of `put`.
fn pcap(magic: u32, put: fn(u32) -> [u8; 4]) -> Vec<u8> {
    let half = |value: u16| if put(1) == [1, 0, 0, 0] { value.to_le_bytes() } else { value.to_be_bytes() };
    let mut file = [put(magic).to_vec(), half(2).to_vec(), half(4).to_vec(), vec![0; 8]].concat();
    for word in [65_535, 1, 1_500_000_000, 250_000, 4, 60] {
        file.extend(put(word));
    }
    if magic == 0xA1B2_CD34 {
        file.extend([put(7), [8, 0, 4, 0]].concat());
    }
    file.extend(b"abcd");
    file
}

#[test]
fn a_pcap_is_read_in_both_byte_orders_units_and_in_the_modified_form() {
    let cases = [(0xA1B2_C3D4, 250_000_000), (0xA1B2_3C4D, 250_000), (0xA1B2_CD34, 250_000_000)];
    let orders: [fn(u32) -> [u8; 4]; 2] = [u32::to_le_bytes, u32::to_be_bytes];
    for ((magic, fraction), put) in cases.into_iter().flat_map(|case| orders.map(|put| (case, put))) {
        let file = pcap(magic, put);
        let (packets, walker, end) = walk(&file);
        assert_eq!((packets.len(), end, walker.offset()), (1, Ok(0), file.len() as u64), "{magic:x}");
        let head = packets[0];
        assert_eq!((head.at_ns, head.captured, head.length), (Some(1_500_000_000_000_000_000 + fraction), 4, 60));
        let modified = magic == 0xA1B2_CD34;
        assert_eq!((head.ifindex, head.direction), if modified { (7, Some(Direction::Egress)) } else { (0, None) });
    }
}

#[test]
fn a_length_that_cannot_be_is_told_with_its_offset() {
    let mut file = pcap(0xA1B2_C3D4, u32::to_le_bytes);
    file[32..36].copy_from_slice(&u32::MAX.to_le_bytes());
    let (packets, _, end) = walk(&file);
    assert_eq!(packets.len(), 0);
    let error = end.expect_err("too long");
    assert_eq!(error.to_string(), "offset 24: packet of 4294967295 bytes, 262144 are the most");
}

#[test]
fn what_is_no_capture_is_called_by_its_name() {
    let told = |bytes: &[u8]| walk(bytes).2.expect_err("foreign").to_string();
    assert_eq!(told(b"hello, world"), "offset 0: not a capture: it begins with 68 65 6c 6c");
    assert_eq!(told(b"\xFD7zXZ\0\0"), "offset 0: not a capture: it is packed with xz: unpack it first");
}

#[test]
fn a_file_that_ends_within_a_packet_wants_more() {
    let file = pcap(0xA1B2_C3D4, u32::to_le_bytes);
    let (packets, walker, end) = walk(&file[..file.len() - 1]);
    assert_eq!((packets.len(), walker.offset(), end), (0, 24, Ok(19)));
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let total = (12 + body.len().next_multiple_of(4)) as u32;
    let padding = vec![0; body.len().next_multiple_of(4) - body.len()];
    [&kind.to_le_bytes()[..], &total.to_le_bytes(), body, &padding, &total.to_le_bytes()].concat()
}

fn section() -> Vec<u8> {
    block(0x0A0D_0D0A, &[&0x1A2B_3C4Du32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xFF; 8]].concat())
}

fn option(code: u16, value: &[u8]) -> Vec<u8> {
    let padding = vec![0; value.len().next_multiple_of(4) - value.len()];
    [&code.to_le_bytes()[..], &(value.len() as u16).to_le_bytes(), value, &padding].concat()
}

fn interface(options: &[Vec<u8>]) -> Vec<u8> {
    block(1, &[&[1, 0, 0, 0, 0, 0, 0, 0], options.concat().as_slice()].concat())
}

fn packet(interface: u32, ticks: u64, bytes: &[u8], options: &[Vec<u8>]) -> Vec<u8> {
    let words = [interface, (ticks >> 32) as u32, ticks as u32, bytes.len() as u32, 60];
    let padding = vec![0; bytes.len().next_multiple_of(4) - bytes.len()];
    block(6, &[words.map(u32::to_le_bytes).concat().as_slice(), bytes, &padding, &options.concat()].concat())
}

#[test]
fn a_pcapng_has_names_addresses_directions_and_stamps_of_any_resolution() {
    let at = 1_500_000_000u64;
    let file = [
        section(),
        interface(&[option(2, b"eth1"), option(6, &[2, 0, 0, 0, 0, 9]), option(9, &[9])]),
        interface(&[option(2, b"eth2"), option(9, &[0x80 | 10]), option(14, &100u64.to_le_bytes())]),
        packet(0, at * 1_000_000_000 + 7, b"abcde", &[option(2, &2u32.to_le_bytes())]),
        block(0x0BAD, b"what nobody knows"),
        packet(1, at << 10 | 512, b"f", &[option(1, b"a comment"), option(2, &1u32.to_le_bytes())]),
        block(5, &[&[1, 0, 0, 0][..], &[0; 8], &option(5, &4u64.to_le_bytes()), &option(7, &3u64.to_le_bytes())].concat()),
    ]
    .concat();
    let (packets, walker, end) = walk(&file);
    assert_eq!(end, Ok(0));
    let seen: Vec<_> = packets.iter().map(|head| (head.interface, head.at_ns, head.captured, head.direction)).collect();
    let second = 1_000_000_000;
    assert_eq!(
        seen,
        [
            (0, Some(at * second + 7), 5, Some(Direction::Egress)),
            (1, Some((at + 100) * second + second / 2), 1, Some(Direction::Ingress)),
        ]
    );
    let names: Vec<_> = walker.interfaces().iter().map(|i| (i.name.as_str(), i.mac, i.dropped)).collect();
    assert_eq!(names, [("eth1", [2, 0, 0, 0, 0, 9], 0), ("eth2", [0; 6], 7)]);
}

#[test]
fn statistics_without_drops_take_none_back_and_long_names_are_cut() {
    let name = "n".repeat(5000);
    let statistics = |options: &[Vec<u8>]| block(5, &[&[0; 12][..], &options.concat()].concat());
    let drops = statistics(&[option(5, &4u64.to_le_bytes())]);
    let file =
        [section(), interface(&[option(2, name.as_bytes())]), drops, statistics(&[option(4, &9u64.to_le_bytes())])].concat();
    let (_, walker, end) = walk(&file);
    let told: Vec<_> = walker.interfaces().iter().map(|of| (of.name.len(), of.dropped)).collect();
    assert_eq!((told, end), (vec![(256, 4)], Ok(0)));
}

#[test]
fn a_second_section_has_interfaces_of_its_own() {
    let one = [section(), interface(&[option(2, b"eth1")]), packet(0, 5, b"x", &[])].concat();
    let two = [section(), interface(&[option(2, b"eth9")]), packet(0, 6, b"y", &[])].concat();
    let (packets, walker, end) = walk(&[one, two].concat());
    assert_eq!((packets.iter().map(|head| head.interface).collect::<Vec<_>>(), end), (vec![0, 1], Ok(0)));
    assert_eq!(walker.interfaces()[1].name, "eth9");
}

#[test]
fn a_packet_of_an_interface_that_was_never_described_is_damage() {
    let file = [section(), packet(3, 5, b"x", &[])].concat();
    assert_eq!(walk(&file).2.expect_err("damage").to_string(), "offset 28: packet of interface 3: the section has 0 so far");
    let mut file = [section(), interface(&[])].concat();
    let end = file.len() - 4;
    file[end] = 99;
    assert!(walk(&file).2.is_err_and(|error| error.to_string().contains("says 99 at its end")));
}

#[test]
fn cooked_packets_become_frames_with_their_direction() {
    let mut room = Vec::new();
    let head = [0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 9, 0, 0, 8, 6];
    let frame =
        LinkType(113).frame(&[&head[..], b"arp"].concat(), 19, &mut room).map(|f| (f.bytes.to_vec(), f.length, f.direction));
    let bytes = [&[0; 6][..], &[2, 0, 0, 0, 0, 9, 8, 6], b"arp"].concat();
    assert_eq!(frame, Ok((bytes, 17, Some(Direction::Egress))));
    let head = [0x88, 9, 0, 0, 0, 0, 0, 3, 0, 1, 2, 6, 2, 0, 0, 0, 0, 7, 0, 0];
    let frame = LinkType(276).frame(&head, 20, &mut room).expect("SLL2");
    assert_eq!(
        (frame.ifindex, frame.direction, frame.bytes[..6].to_vec()),
        (3, Some(Direction::Ingress), vec![1, 0x80, 0xC2, 0, 0, 2])
    );
    assert_eq!(LinkType(105).frame(b"x", 1, &mut room), Err(Unreadable::LinkType(LinkType(105))));
    assert_eq!(LinkType(101).frame(&[], 0, &mut room), Err(Unreadable::Short));
}
