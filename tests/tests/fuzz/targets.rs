//! What is done with an input.

use std::sync::atomic::{AtomicU64, Ordering};

use probe_core::classify::classify;
use probe_core::direction::Direction;
use probe_core::dump::{Frame, LinkType, Step, Walker};
use probe_core::facts::{Observer, Seen};
use probe_core::filter::Filter;
use probe_core::lacp::Lacpdu;
use probe_core::replay::{Links, Replay, Scout, Wanted, link_name, plan};
use probe_core::time::Mono;
use probe_core::{frame, netlink, record};
use probe_user::analyze::input::{BUFFER, Input};
use probe_user::analyze::open::Position;
use probe_user::config;

/// Filters that look at all that a filter can look at.
const FILTERS: [&str; 6] = [
    "host 10.0.0.1 or net 2001:db8::/32 or portrange 100-2000",
    "not tcp port 80 and (arp or icmp6)",
    "vlan 956 and vlan and tcp[tcpflags] & tcp-syn != 0",
    "ip[0] & 0xf = 5 and tcp[ip[2:2]:4] > 7 or icmp6[icmp6type] = 135",
    "ether proto 0x8809 or stp or ether host 01:80:c2:00:00:02",
    "less 64 or len / ether[14] > 3",
];

/// A whole frame, also as one of every link type.
pub fn frame(input: &[u8]) {
    let length = input.len() as u32 + u32::from(input.first().copied().unwrap_or(0));
    assert!(!frame::describe(input, length).contains('\n'));
    assert!(probe_common::class::name(classify(input, length)).is_some());
    for text in FILTERS {
        text.parse::<Filter>().expect("a filter").takes(input, length, None);
    }
    let mut observer = Observer::new(Vec::new());
    for number in 1..4 {
        let direction = if number == 1 { Direction::Egress } else { Direction::Ingress };
        observer.take(&Seen { number, at: Mono(number * 1000), link: "eth1", direction, length, bytes: input });
    }
    observer.finish();
    for kind in [0, 1, 101, 108, 113, 228, 229, 276, 999] {
        let mut room = Vec::new();
        if let Ok(frame) = LinkType(kind).frame(input, length, &mut room) {
            assert!(frame.length as usize >= frame.bytes.len());
        }
    }
}

/// A LACPDU.
pub fn lacpdu(input: &[u8]) {
    if let Ok(pdu) = Lacpdu::decode(input) {
        assert!(!pdu.actor.state.to_string().is_empty());
    }
    frame(input);
}

/// A datagram of rtnetlink.
pub fn netlink(input: &[u8]) {
    netlink::decode(input);
}

/// A copy of the recorder's records.
pub fn record(input: &[u8]) {
    let whole = record::records(input).map_while(Result::ok);
    let bytes: usize = whole.map(|record| record.bytes.len()).sum();
    assert!(bytes <= input.len());
}

/// A capture, all of it at once, and replayed.
pub fn dump(input: &[u8]) {
    let mut scout = Scout::default();
    let name = link_name(&String::from_utf8_lossy(input.get(..40).unwrap_or(input)));
    let link = scout.link(&name, [0; 6]);
    walk(input, |_, frame| scout.packet(link, frame.bytes, frame.direction));
    let plan = plan(&scout, &Wanted::default());
    let mut replay = Replay::new(&plan, "fuzz");
    let mut packets = 0;
    walk(input, |at, frame| {
        packets += 1;
        replay.frame(at, link, frame);
        replay.actions().for_each(drop);
    });
    if packets > 0 {
        replay.finish();
    }
    assert_eq!(replay.packets(), packets);
}

/// Shows every packet with its time.
fn walk(input: &[u8], mut each: impl FnMut(u64, &Frame<'_>)) {
    let (mut walker, mut at, mut room) = (Walker::default(), 0usize, Vec::new());
    while let Some(rest) = input.get(at..) {
        let used = match walker.step(rest) {
            Ok(Step::Packet(head)) => {
                let bytes = &rest[head.start..head.start + head.captured];
                let kind = walker.interfaces()[head.interface as usize].link_type;
                if let Ok(frame) = kind.frame(bytes, head.length, &mut room) {
                    each(head.at_ns.unwrap_or(0), &frame);
                }
                head.used as u64
            }
            Ok(Step::Skip(bytes)) => bytes,
            Ok(Step::More(wanted)) => {
                assert!(wanted > rest.len(), "what is there is not enough");
                return;
            }
            Err(_) => return,
        };
        assert!(used > 0, "it must go on");
        at = usize::try_from(used).unwrap_or(usize::MAX).saturating_add(at);
    }
}

/// A capture in a file, perhaps packed.
pub fn packed(input: &[u8]) {
    let path = scratch("packed", input);
    let opened = Input::open(&path, &Position::default(), BUFFER);
    if let Ok(mut input) = opened {
        let mut packets = 0;
        // A few bytes may unpack to very many.
        while packets < 10_000
            && let Some(head) = input.next_packet()
        {
            assert_eq!(input.bytes(&head).len(), head.captured);
            packets += 1;
        }
    }
    std::fs::remove_file(path).expect("the file goes away");
}

/// An expression.
pub fn filter(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    match text.parse::<Filter>() {
        Ok(filter) => {
            let frame: Vec<u8> = (0..120).map(|at| input.get(at).copied().unwrap_or(at as u8)).collect();
            let taken = (0..120).step_by(7).filter(|length| filter.takes(&frame[..*length], 120, None)).count();
            assert!(taken <= 18);
        }
        Err(error) => assert!((1..=text.chars().count() + 1).contains(&error.column), "{error}"),
    }
}

/// A configuration file.
pub fn config(input: &[u8]) {
    let path = scratch("config", input);
    let told = config::check(&path).map(|config| config.to_toml());
    std::fs::remove_file(path).expect("the file goes away");
    if let Err(errors) = told {
        assert!(!errors.to_string().is_empty());
    }
}

fn scratch(name: &str, input: &[u8]) -> std::path::PathBuf {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("linkprobe-fuzz-{name}-{}-{number}", std::process::id()));
    std::fs::write(&path, input).expect("a place for files");
    path
}
