//! What was sent through a bond is what was recorded at the bond and at its slaves.

use anyhow::{Result, ensure};
use linkprobe_tests::harness::wait::patience;
use linkprobe_tests::harness::{Incident, Traffic};
use linkprobe_tests::traffic::{Kind, Numbers};

use crate::lab::{EGRESS, INGRESS, Lab, bond, kernel};

const LONG: &str = "--bond bond0 --before 60s --after 1s --cooldown 0s --memory 32MiB";

/// Sends `traffic` from both sides through the bond; the incident, what the router sent, and what the switch sent.
fn record(lab: &Lab, options: &str, traffic: &str) -> Result<(Incident, Numbers, Numbers)> {
    let options = format!("{LONG} {options}");
    let mut agent = lab.launch(&options).start()?;
    let out = Traffic::send(&lab.bonds.router, bond(), traffic)?;
    let into = Traffic::send(&lab.bonds.switch, bond(), traffic)?;
    agent.trigger("all was sent")?;
    let incident = agent.incident(patience(30))?;
    Ok((incident, out, into))
}

/// Holds that the slaves together recorded what was sent: packets and bytes of every kind.
fn slaves_equal(incident: &Incident, direction: u32, sent: &Numbers) -> Result<()> {
    for (kind, sent_kind) in &sent.kinds {
        let mut sum = (0, 0);
        for slave in ["slave0", "slave1"] {
            if let Some(found) = incident.found(slave, direction, sent.stream).get(kind) {
                sum = (sum.0 + found.packets, sum.1 + found.bytes);
            }
        }
        ensure!(sum == (sent_kind.packets, sent_kind.bytes), "{kind:?} {direction}: slaves {sum:?}, sent {sent_kind:?}");
    }
    Ok(())
}

#[test]
fn plain_tagged_and_fragmented_frames_are_recorded_as_sent_at_the_bond_and_at_its_slaves() -> Result<()> {
    let lab = Lab::lacp()?;
    let traffic = "--kind udp,tcp,vlan,qinq,fragments,ipv4-options,ipv6-ext,arp --count 480 --rate 600 --flows 16";
    let (incident, out, into) = record(&lab, "--snaplen 512", traffic)?;
    incident.equals_sent(bond(), EGRESS, &out)?;
    slaves_equal(&incident, EGRESS, &out)?;
    incident.equals_sent(bond(), INGRESS, &into)?;
    slaves_equal(&incident, INGRESS, &into)?;
    for slave in ["slave0", "slave1"] {
        assert!(!incident.found(slave, EGRESS, out.stream).is_empty(), "nothing went through {slave}");
    }
    Ok(())
}

#[test]
fn jumbo_frames_are_recorded_as_sent() -> Result<()> {
    let lab = Lab::lacp()?;
    let (incident, out, into) = record(&lab, "--snaplen 1024", "--kind jumbo --count 40 --rate 100")?;
    incident.equals_sent(bond(), EGRESS, &out)?;
    slaves_equal(&incident, EGRESS, &out)?;
    incident.equals_sent(bond(), INGRESS, &into)?;
    slaves_equal(&incident, INGRESS, &into)?;
    Ok(())
}

#[test]
fn with_the_longest_snap_length_jumbo_frames_and_gso_packets_are_recorded_whole() -> Result<()> {
    let lab = Lab::lacp()?;
    let (incident, out, into) = record(&lab, "--snaplen 16384", "--kind jumbo,gso --count 40 --rate 100")?;
    for (direction, sent) in [(EGRESS, &out), (INGRESS, &into)] {
        for kind in [Kind::Jumbo, Kind::Gso] {
            let found = incident.found(bond(), direction, sent.stream)[&kind];
            assert_eq!((found.marks, found.cut), (sent.of(kind).sequence, 0), "{kind:?} {direction}");
        }
    }
    Ok(())
}

#[test]
fn gso_packets_are_recorded_as_sent_and_their_segments_counted() -> Result<()> {
    let lab = Lab::lacp()?;
    for side in [&lab.bonds.router, &lab.bonds.switch] {
        linkprobe_tests::harness::veth::address(side, bond())?;
    }
    let (incident, out, into) = record(&lab, "--snaplen 1024", "--kind gso,gso-udp --count 40 --rate 100")?;
    for (direction, name, sent) in [(EGRESS, "egress", &out), (INGRESS, "ingress", &into)] {
        incident.equals_sent(bond(), direction, sent)?;
        slaves_equal(&incident, direction, sent)?;
        assert_eq!(incident.class_total(bond(), name, "udp4")?.segments, sent.of(Kind::GsoUdp).segments, "{name}");
    }
    Ok(())
}

#[test]
fn what_goes_through_a_vlan_interface_is_recorded_with_its_tag() -> Result<()> {
    let lab = Lab::lacp()?;
    lab.bonds.router.ip("link add link bond0 name bond0.956 type vlan id 956")?;
    lab.bonds.router.ip("link set bond0.956 up")?;
    let mut agent = lab.launch("--bond bond0 --before 60s --after 1s --snaplen 512 --memory 16MiB").start()?;
    let sent = Traffic::send(&lab.bonds.router, "bond0.956", "--count 60 --rate 300")?;
    agent.trigger("all was sent")?;
    let incident = agent.incident(patience(30))?;
    let found = incident.found(bond(), EGRESS, sent.stream)[&Kind::Udp];
    // the sender knows nothing of the tag: four bytes each
    assert_eq!((found.packets, found.bytes), (sent.total.packets, sent.total.bytes + 4 * sent.total.packets));
    for packet in incident.capture.of(bond(), EGRESS).filter(|packet| packet.data[6..9] == [0x02, 0x4c, 0x50]) {
        assert_eq!(packet.data[12..16], [0x81, 0x00, 0x03, 0xbc], "VLAN 956");
    }
    Ok(())
}

#[test]
fn one_packet_has_one_id_at_the_slave_and_at_the_bond() -> Result<()> {
    let lab = Lab::lacp()?;
    let (incident, out, into) = record(&lab, "--snaplen 512", "--kind udp,vlan --count 100 --rate 400 --flows 16")?;
    for (direction, sent) in [(EGRESS, &out), (INGRESS, &into)] {
        let ids = |link: &str| -> Vec<u64> {
            let ours = incident.capture.of(link, direction).filter(|packet| packet.data[6..9] == [0x02, 0x4c, 0x50]);
            ours.filter_map(|packet| packet.id).collect()
        };
        let mut bonds = ids(bond());
        let mut slaves = [ids("slave0"), ids("slave1")].concat();
        bonds.sort_unstable();
        slaves.sort_unstable();
        assert_eq!(bonds, slaves, "direction {direction}");
        assert_eq!(bonds.len() as u64, sent.total.packets);
    }
    Ok(())
}

#[test]
fn the_hooks_are_those_of_this_kernel() -> Result<()> {
    let lab = Lab::lacp()?;
    let (incident, _, _) = record(&lab, "", "--count 10")?;
    let tc = if kernel()? >= (6, 6) { "tcx" } else { "clsact" };
    for (link, direction) in [(bond(), "ingress"), (bond(), "egress"), ("slave0", "egress"), ("slave1", "egress")] {
        assert_eq!(incident.hook(link, direction)?, tc, "{link} {direction}");
    }
    for slave in ["slave0", "slave1"] {
        let hook = incident.hook(slave, "ingress")?;
        assert!(hook == "xdp" || hook == tc, "{slave}: {hook}");
    }
    Ok(())
}

#[test]
fn native_xdp_on_the_slaves_records_what_tc_records() -> Result<()> {
    let lab = Lab::lacp()?;
    let (incident, _, into) = record(&lab, "--hook xdp --snaplen 512", "--kind udp,vlan,arp --count 90 --rate 300 --flows 16")?;
    assert_eq!(incident.hook("slave0", "ingress")?, "xdp");
    slaves_equal(&incident, INGRESS, &into)?;
    incident.equals_sent(bond(), INGRESS, &into)?;
    Ok(())
}
