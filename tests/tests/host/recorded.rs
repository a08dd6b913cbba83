//! What was sent is what was recorded: count and bytes, against the sender's own numbers, byte for byte.

use anyhow::{Result, ensure};
use linkprobe_tests::harness::wait::patience;
use linkprobe_tests::harness::{Incident, Traffic};
use linkprobe_tests::traffic::{Kind, Numbers};

use crate::lab::{EGRESS, INGRESS, Lab};

const WINDOW: &str = "--before 60s --after 1s --cooldown 0s";

/// Runs the agent with `options` on `wan0`, sends with `traffic` from both ends, triggers, and returns the incident and what the
/// near and the far end sent.
fn record(lab: &Lab, options: &str, traffic: &str) -> Result<(Incident, Numbers, Numbers)> {
    let options = format!("--interface wan0 {WINDOW} {options}");
    let mut agent = lab.launch(&options).start()?;
    let near = Traffic::send(&lab.near, "wan0", traffic)?;
    let far = Traffic::send(&lab.far, "far0", traffic)?;
    agent.trigger("all was sent")?;
    let incident = agent.incident(patience(20))?;
    Ok((incident, near, far))
}

fn both_ways_equal(options: &str, traffic: &str) -> Result<Incident> {
    let lab = Lab::new()?;
    let (incident, near, far) = record(&lab, options, traffic)?;
    incident.equals_sent("wan0", EGRESS, &near)?;
    incident.equals_sent("wan0", INGRESS, &far)?;
    for (direction, sent) in [(EGRESS, &near), (INGRESS, &far)] {
        for (kind, sent_kind) in &sent.kinds {
            let sequence = incident.sequence("wan0", direction, sent.stream, *kind);
            let expected: Vec<u64> = (0..sent_kind.packets).collect();
            ensure!(*kind == Kind::Gso || sequence == expected, "{kind:?} {direction}: {sequence:?}");
        }
    }
    Ok(incident)
}

#[test]
fn plain_udp_and_tcp_are_recorded_as_sent() -> Result<()> {
    let incident = both_ways_equal("--snaplen 2048", "--kind udp,tcp --count 1000 --rate 20000 --flows 5")?;
    assert!(incident.capture.packets.len() >= 2000);
    Ok(())
}

#[test]
fn vlan_and_qinq_are_recorded_with_their_tags() -> Result<()> {
    let incident = both_ways_equal("--snaplen 2048", "--kind vlan,qinq --count 400 --rate 20000")?;
    for direction in [EGRESS, INGRESS] {
        let tags = |packet: &&linkprobe_tests::harness::pcapng::Packet| (packet.data[12], packet.data[13]);
        let of = |tag| incident.capture.of("wan0", direction).filter(|packet| tags(packet) == tag).count();
        assert_eq!((of((0x81, 0x00)), of((0x88, 0xa8))), (200, 200), "direction {direction}");
    }
    Ok(())
}

#[test]
fn a_tag_given_for_every_kind_is_there_too() -> Result<()> {
    both_ways_equal("--snaplen 2048", "--kind udp,arp,ipv6-ext --vlan 77 --count 300 --rate 20000")?;
    Ok(())
}

#[test]
fn jumbo_frames_are_recorded_whole() -> Result<()> {
    let incident = both_ways_equal("--snaplen 9216 --capture-limit 16MiB", "--kind jumbo --count 200 --rate 5000")?;
    assert!(incident.capture.packets.iter().filter(|packet| packet.data.len() == 9000).count() == 400);
    Ok(())
}

#[test]
fn fragments_options_and_extension_headers_are_recorded_as_sent() -> Result<()> {
    both_ways_equal("--snaplen 2048", "--kind fragments,ipv4-options,ipv6-ext --count 600 --rate 20000")?;
    Ok(())
}

#[test]
fn control_frames_are_recorded_as_sent() -> Result<()> {
    both_ways_equal("--snaplen 512", "--kind arp,lacp --count 400 --rate 20000")?;
    Ok(())
}

#[test]
fn a_storm_of_one_frame_is_counted_whole_and_recorded_in_its_first_copies_and_exemplars() -> Result<()> {
    let lab = Lab::new()?;
    let (incident, near, far) = record(&lab, "", "--kind storm --count 3000 --rate 50000")?;
    for (name, direction, sent) in [("egress", EGRESS, &near), ("ingress", INGRESS, &far)] {
        let (sent, found) = (sent.of(Kind::Storm), incident.found("wan0", direction, sent.stream)[&Kind::Storm]);
        assert_eq!(incident.class_total("wan0", name, "udp4")?.packets, sent.packets, "{name}");
        // sixteen in a second, then the powers of two up to 2048, on each CPU that took a part
        assert!((16..200).contains(&found.packets), "{name}: {found:?}");
    }
    Ok(())
}

#[test]
fn a_sockets_gso_packet_is_one_record_and_all_its_segments_are_counted() -> Result<()> {
    let lab = Lab::new()?;
    for (side, link) in [(&lab.near, "wan0"), (&lab.far, "far0")] {
        linkprobe_tests::harness::veth::address(side, link)?;
    }
    let (incident, near, far) =
        record(&lab, "--snaplen 16384 --hook tc --capture-limit 16MiB", "--kind gso-udp --count 200 --rate 5000")?;
    for (name, direction, sent) in [("egress", EGRESS, &near), ("ingress", INGRESS, &far)] {
        incident.equals_sent("wan0", direction, sent)?;
        let (sent, found) = (sent.of(Kind::GsoUdp), incident.found("wan0", direction, sent.stream)[&Kind::GsoUdp]);
        assert_eq!((found.marks, found.cut), (sent.sequence, 0), "{name}");
        let counted = incident.class_total("wan0", name, "udp4")?;
        assert_eq!((counted.packets, counted.bytes, counted.segments), (sent.packets, sent.bytes, sent.segments), "{name}");
    }
    Ok(())
}

#[test]
fn a_gso_packet_of_a_guest_is_one_record() -> Result<()> {
    let lab = Lab::new()?;
    let (incident, near, far) =
        record(&lab, "--snaplen 16384 --hook tc --capture-limit 16MiB", "--kind gso --count 200 --rate 5000")?;
    incident.equals_sent("wan0", EGRESS, &near)?;
    let found = incident.found("wan0", EGRESS, near.stream)[&Kind::Gso];
    assert_eq!((found.marks, found.cut), (near.of(Kind::Gso).sequence, 0));
    let found = incident.found("wan0", INGRESS, far.stream)[&Kind::Gso];
    assert_eq!((found.marks, found.cut), (far.of(Kind::Gso).sequence, 0));
    Ok(())
}

#[test]
fn the_default_snap_length_cuts_frames_and_keeps_their_lengths() -> Result<()> {
    let lab = Lab::new()?;
    let (incident, near, far) = record(&lab, "", "--kind udp,vlan --size 1000 --count 500 --rate 20000")?;
    incident.equals_sent("wan0", EGRESS, &near)?;
    incident.equals_sent("wan0", INGRESS, &far)?;
    for (direction, sent) in [(EGRESS, &near), (INGRESS, &far)] {
        for (kind, found) in incident.found("wan0", direction, sent.stream) {
            assert_eq!(found.cut, found.packets, "{kind:?}");
        }
        let long = incident.capture.of("wan0", direction).filter(|packet| packet.data.len() != 128 && packet.length == 1000);
        assert_eq!(long.count(), 0);
    }
    Ok(())
}

#[test]
fn native_xdp_records_what_tc_records() -> Result<()> {
    let lab = Lab::new()?;
    // native XDP on veth takes no jumbo frames
    lab.near.ip("link set wan0 mtu 1500")?;
    lab.far.ip("link set far0 mtu 1500")?;
    let traffic = "--kind udp,tcp,vlan,qinq,fragments,ipv4-options,ipv6-ext,arp --count 800 --rate 10000";
    let (incident, near, far) = record(&lab, "--snaplen 2048 --hook xdp", traffic)?;
    incident.equals_sent("wan0", EGRESS, &near)?;
    incident.equals_sent("wan0", INGRESS, &far)?;
    assert_eq!(incident.hook("wan0", "ingress")?, "xdp");
    Ok(())
}

#[test]
fn the_counts_of_the_incident_are_the_senders_numbers() -> Result<()> {
    let lab = Lab::new()?;
    let (incident, near, far) = record(&lab, "", "--kind udp,tcp,arp,ipv6-ext --count 400 --rate 20000")?;
    for (direction, sent) in [("egress", &near), ("ingress", &far)] {
        for (kind, class) in [(Kind::Udp, "udp4"), (Kind::Tcp, "tcp4"), (Kind::Arp, "arp"), (Kind::Ipv6Ext, "udp6")] {
            let counted = incident.class_total("wan0", direction, class)?;
            let sent = sent.of(kind);
            assert_eq!((counted.packets, counted.bytes), (sent.packets, sent.bytes), "{class} {direction}");
        }
    }
    Ok(())
}

#[test]
fn one_packet_at_several_taps_has_one_id() -> Result<()> {
    let lab = Lab::new()?;
    // both ends of one pair in the agent's namespace: what one transmits the other receives
    linkprobe_tests::harness::Veth::new(7, (&lab.near, "left"), (&lab.near, "right"))?;
    let mut agent = lab.launch("--interface left --interface right --before 60s --after 1s --snaplen 512").start()?;
    let sent = Traffic::send(&lab.near, "left", "--kind udp,tcp --count 400 --rate 20000")?;
    agent.trigger("all was sent")?;
    let incident = agent.incident(patience(20))?;
    incident.equals_sent("left", EGRESS, &sent)?;
    incident.equals_sent("right", INGRESS, &sent)?;
    let ids = |link, direction| -> Vec<Option<u64>> { incident.capture.of(link, direction).map(|packet| packet.id).collect() };
    let (mut out, mut into) = (ids("left", EGRESS), ids("right", INGRESS));
    out.sort_unstable();
    into.sort_unstable();
    assert_eq!(out, into);
    assert!(out.iter().all(Option::is_some));
    out.dedup();
    assert_eq!(out.len(), 400, "every packet has an id of its own");
    Ok(())
}
