//! What others make of an incident's files: Wireshark's own programs, and those who look at the directory.

use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result};
use linkprobe_tests::harness::wait::patience;
use linkprobe_tests::harness::{Incident, Traffic, json, tshark};

use crate::lab::Lab;

/// An incident with frames of all kinds and a cut.
fn incident(lab: &Lab) -> Result<Incident> {
    let mut agent = lab.launch("--interface wan0 --before 60s --after 2s --snaplen 512").start()?;
    Traffic::send(&lab.near, "wan0", "--mix --count 500 --rate 10000")?;
    Traffic::send(&lab.far, "far0", "--mix --count 500 --rate 10000")?;
    lab.far.ip("link set far0 down")?;
    agent.incident(patience(20))
}

#[test]
fn tshark_and_capinfos_read_the_capture_without_a_warning_and_see_what_we_see() -> Result<()> {
    let lab = Lab::new()?;
    let incident = incident(&lab)?;
    let file = incident.capture_path();
    let about = tshark::capinfos(&file)?;
    assert!(about.contains("pcapng"), "{about}");
    let rows = tshark::fields(
        &file,
        "",
        &["frame.interface_name", "frame.len", "frame.time_epoch", "frame.packet_id", "frame.packet_flags_direction"],
    )?;
    let packets = rows.iter().filter(|row| !row[0].is_empty()).count();
    assert_eq!(packets, incident.capture.packets.len());
    for (row, packet) in rows.iter().filter(|row| !row[0].is_empty()).zip(&incident.capture.packets) {
        let (seconds, fraction) = row[2].split_once('.').context("a time without a fraction")?;
        let at_ns = seconds.parse::<u64>()? * 1_000_000_000 + fraction.parse::<u64>()?;
        assert_eq!(at_ns, packet.at_ns);
        assert_eq!(row[0], incident.capture.interfaces[packet.interface].name);
        assert_eq!(row[1].parse::<u32>()?, packet.length);
    }
    Ok(())
}

#[test]
fn tshark_finds_the_tags_the_fragments_and_the_options() -> Result<()> {
    let lab = Lab::new()?;
    let file = incident(&lab)?.capture_path();
    let count = |filter: &str| -> Result<usize> { Ok(tshark::fields(&file, filter, &["frame.number"])?.len()) };
    let marked = count("eth.src[0:3] == 02:4c:50")?;
    assert_eq!(marked, 1000);
    assert!(count("vlan.id == 956 && !ieee8021ad")? > 50);
    assert!(count("ieee8021ad.id == 100 && vlan.id == 956")? > 50);
    assert!(count("ip.flags.mf == 1 || ip.frag_offset > 0")? > 50);
    assert!(count("ip.opt.type")? > 50);
    assert!(count("ipv6.hopopts && ipv6.dstopts && udp")? > 50);
    assert_eq!(count("_ws.malformed")?, 0);
    Ok(())
}

#[test]
fn the_cut_stands_between_the_packets_in_wireshark() -> Result<()> {
    let lab = Lab::new()?;
    let incident = incident(&lab)?;
    let rows = tshark::fields(
        &incident.capture_path(),
        "systemd_journal || frame.comment",
        &["frame.number", "_ws.col.Info", "frame.comment"],
    )?;
    let told = rows.iter().any(|row| row.join(" ").contains("wan0"));
    assert!(told, "{rows:?}");
    Ok(())
}

#[test]
fn the_interfaces_of_the_capture_are_the_taps_with_their_macs() -> Result<()> {
    let lab = Lab::new()?;
    let incident = incident(&lab)?;
    let names: Vec<&str> = incident.capture.interfaces.iter().map(|interface| interface.name.as_str()).collect();
    assert_eq!(names, ["wan0", "wan0"], "one per tap");
    for interface in &incident.capture.interfaces {
        assert_eq!(interface.mac, Some([0x02, 0x4c, 0x51, 0, 0, 1]));
        let speed = interface.options.first(8).and_then(|bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?)));
        assert_eq!(speed, Some(10_000_000_000), "what a veth pair says of itself");
        let hooks = ["(tcx)", "(clsact)", "(xdp)"];
        assert!(hooks.iter().any(|hook| interface.description.contains(hook)), "{}", interface.description);
    }
    assert_eq!(incident.capture.statistics.len(), 2, "statistics for every interface");
    for statistics in &incident.capture.statistics {
        let delivered = incident.capture.packets.iter().filter(|packet| packet.interface == statistics.interface).count();
        assert_eq!(statistics.delivered, Some(delivered as u64));
        assert!(statistics.received >= statistics.delivered);
        assert!(statistics.start_ns <= statistics.end_ns);
    }
    Ok(())
}

#[test]
fn the_json_has_a_version_and_the_report_tells_the_story() -> Result<()> {
    let lab = Lab::new()?;
    let incident = incident(&lab)?;
    assert!(json::number(&incident.json, "/version")? >= 1);
    assert_eq!(json::text(&incident.json, "/id")?, incident.id());
    assert!(incident.report.contains(&incident.id()), "{}", incident.report);
    assert!(incident.report.contains("wan0"), "{}", incident.report);
    Ok(())
}

#[test]
fn an_incident_is_not_for_everybody_to_read() -> Result<()> {
    let lab = Lab::new()?;
    let incident = incident(&lab)?;
    let others = |path: &std::path::Path| -> Result<u32> { Ok(std::fs::metadata(path)?.permissions().mode() & 0o007) };
    let parent = incident.dir.parent().context("no parent")?;
    let closed = others(&incident.dir)? == 0 || others(&incident.capture_path())? == 0 || others(parent)? == 0;
    assert!(closed, "captured packets are readable by everybody");
    Ok(())
}

#[test]
#[ignore = "reads what came out of the rig: LINKPROBE_TEST_CAPTURES names the directory"]
fn the_rigs_captures_are_read_without_a_warning() -> Result<()> {
    fn captures(dir: &std::path::Path, found: &mut Vec<std::path::PathBuf>) -> Result<()> {
        for entry in std::fs::read_dir(dir).with_context(|| dir.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                captures(&path, found)?;
            } else if path.file_name().is_some_and(|name| name == "capture.pcapng") {
                found.push(path);
            } else if path.file_name().is_some_and(|name| name == "sflow.pcap") {
                crate::sflow::lag_is_as_expected(&path)?;
            }
        }
        Ok(())
    }
    let Some(dir) = std::env::var_os("LINKPROBE_TEST_CAPTURES") else { return Ok(()) };
    let mut found = Vec::new();
    captures(dir.as_ref(), &mut found)?;
    assert!(!found.is_empty(), "no capture came out of the rig");
    for capture in &found {
        assert!(tshark::capinfos(capture)?.contains("pcapng"));
        let rows = tshark::fields(capture, "", &["frame.interface_name", "_ws.malformed"])?;
        assert!(rows.iter().all(|row| row.get(1).is_none_or(String::is_empty)), "{}", capture.display());
    }
    Ok(())
}
