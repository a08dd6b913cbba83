//! `linkprobe analyze`: captures of others, and the reference incident from its dumps.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use linkprobe_tests::dump::{Reference, Scale, reference};
use linkprobe_tests::harness::command::{Ended, end, signal, succeed};
use linkprobe_tests::harness::{Scratch, Traffic, place, tshark, wait};
use probe_core::dump::{Step, Walker};
use probe_core::filter::Filter;
use serde_json::Value;

use crate::lab::Lab;

/// The reference incident with a storm of a thousandth of its rate.
fn story(scratch: &Scratch) -> Result<Reference> {
    Ok(reference(scratch.path(), Scale { every_ns: 2_700_000 / 5 })?)
}

fn analyze(dir: &Path, files: &[PathBuf], options: &[&str]) -> Result<Ended> {
    end(Command::new(place::linkprobe()?).current_dir(dir).arg("analyze").args(files).args(options))
}

fn document(dir: &Path) -> Result<Value> {
    let path = dir.join("incident.json");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(serde_json::from_str(&text)?)
}

#[test]
fn the_reference_incident_is_read_from_its_dumps() -> Result<()> {
    let scratch = Scratch::new("story")?;
    let story = story(&scratch)?;
    let ended = analyze(scratch.path(), &story.files, &["--out", "analysis"])?;
    ensure!(ended.code == Some(0), "{ended:?}");
    let dir = scratch.path().join("analysis");
    let document = document(&dir)?;
    let counted = document["taps"].as_array().context("taps")?.iter().flat_map(|tap| tap["classes"].as_array()).flatten();
    let counted: u64 = counted.filter_map(|class| class["packets"].as_u64()).sum();
    assert_eq!(counted, story.packets);
    let capture = dir.join("capture.pcapng");
    assert!(capture.metadata()?.len() < 300_000, "{}", capture.metadata()?.len());
    tshark::capinfos(&capture)?;
    let lacpdus = tshark::fields(&capture, "lacp", &["frame.interface_name", "frame.packet_flags_direction"])?;
    assert_eq!(lacpdus.len(), 2 * 13);
    let bond = &document["links_after"][0];
    assert_eq!((&bond["name"], &bond["kind"], &bond["carrier"]), (&"dp0bond0".into(), &"bond".into(), &Value::Null));
    let report = std::fs::read_to_string(dir.join("report.txt"))?;
    ensure!(!report.contains("operstate"), "nobody told of links: {report}");
    let chain: Vec<&str> =
        document["verdict"]["chain"].as_array().context("chain")?.iter().filter_map(|f| f["kind"].as_str()).collect();
    let place = |kind: &str| chain.iter().position(|found| *found == kind);
    assert_eq!(place("duplicate-storm"), Some(0), "{chain:?}");
    assert!(place("tx-blackout").is_some() && place("tx-blackout") < place("lacpdus-not-arriving"), "{chain:?}");
    assert_eq!((chain.first(), &document["verdict"]["confidence"]), (Some(&"duplicate-storm"), &"high".into()), "{chain:?}");
    let excluded = document["verdict"]["excluded"].to_string();
    assert!(excluded.contains("no RX loss") && !excluded.contains("set down"), "{excluded}");
    let missing = document["verdict"]["missing"].to_string();
    assert!(missing.contains("captures do not hold them") && missing.contains("--mac decides"), "{missing}");
    assert!(!document["verdict"].to_string().contains("carrier up"), "nobody told of carriers");
    for file in ["report.txt", "report.html"] {
        assert!(dir.join(file).metadata()?.len() > 1000, "{file}");
    }
    Ok(())
}

#[test]
fn packed_and_cut_files_are_read_as_far_as_they_go() -> Result<()> {
    let scratch = Scratch::new("packed")?;
    let story = story(&scratch)?;
    let whole = summary(&analyze(scratch.path(), &story.files, &["--json"])?)?;
    succeed(Command::new("gzip").arg(&story.files[0]))?;
    succeed(Command::new("zstd").args(["-q", "--rm"]).arg(&story.files[1]))?;
    let packed = ["dp0bond0.pcap.gz", "dp0s0.pcap.zst", "dp0s2.pcap"].map(|name| scratch.path().join(name));
    let again = summary(&analyze(scratch.path(), &packed, &["--json"])?)?;
    assert_eq!((&again["packets"], &again["from"], &again["to"]), (&whole["packets"], &whole["from"], &whole["to"]));
    assert_eq!(again["directory"], "./linkprobe-analysis-dp0bond0-2", "the first one is there already");
    // One that zstd packed into a single frame, as it does where it knows the size.
    let one = scratch.path().join("one.pcap.zst");
    succeed(Command::new("gunzip").arg("-k").arg(&packed[0]))?;
    succeed(Command::new("zstd").arg("-q").arg(scratch.path().join("dp0bond0.pcap")).arg("-o").arg(&one))?;
    for (path, told) in [(&packed[0], "dp0bond0.pcap.gz: offset "), (&one, "zstd: the file ends within a frame")] {
        let bytes = std::fs::read(path)?;
        std::fs::write(path, &bytes[..bytes.len() / 2])?;
        let ended = analyze(scratch.path(), std::slice::from_ref(path), &["--json"])?;
        assert_eq!(ended.code, Some(1));
        assert!(ended.err.contains(told), "{}", ended.err);
        let part: Value = serde_json::from_str(&ended.out)?;
        assert!(part["packets"].as_u64() > Some(1000) && part["packets"].as_u64() < whole["packets"].as_u64(), "{part}");
        let document = document(&scratch.path().join(part["directory"].as_str().context("directory")?))?;
        assert!(document["verdict"]["missing"].to_string().contains(told), "{}", document["verdict"]["missing"]);
    }
    Ok(())
}

#[test]
fn a_file_that_is_no_capture_does_not_keep_another_from_being_analysed() -> Result<()> {
    let scratch = Scratch::new("beside")?;
    let story = story(&scratch)?;
    let foreign = scratch.path().join("notes.txt");
    std::fs::write(&foreign, "hello, world")?;
    let ended = analyze(scratch.path(), &[foreign, story.files[0].clone()], &["--json"])?;
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("1 of 2 files could not be read to the end"), "{}", ended.err);
    let summary: Value = serde_json::from_str(&ended.out)?;
    assert!(summary["packets"].as_u64() > Some(1000), "{summary}");
    assert!(summary["problems"][0].as_str().is_some_and(|told| told.contains("notes.txt: offset 0: not a capture")), "{summary}");
    Ok(())
}

/// Every expression selects the same packets as tcpdump does.
#[test]
fn filters_take_the_packets_that_tcpdump_takes() -> Result<()> {
    const EXPRESSIONS: [&str; 35] = [
        "arp",
        "ip",
        "ip6",
        "tcp",
        "udp",
        "icmp",
        "vrrp",
        "vlan",
        "vlan 956",
        "vlan 956 and tcp",
        "vlan and host 172.20.18.40 and port 1434",
        "vlan and src port 1434",
        "not vlan",
        "host 10.100.100.75",
        "src 10.100.100.75",
        "dst host 10.0.80.11",
        "src and dst net 10.0.0.0/8",
        "net 10.100",
        "net 10.100.0.0 mask 255.255.0.0",
        "ether host 00:00:0c:9f:f0:01",
        "ether src 00:23:04:ee:be:01",
        "ether dst ff:ff:ff:ff:ff:ff",
        "broadcast",
        "multicast",
        "ip multicast",
        "ether proto 0x8809",
        "ether proto \\arp",
        "ip proto 112",
        "udp port 1985 or arp and broadcast",
        "portrange 1980-1990",
        "less 60",
        "greater 70",
        "ip[8] = 255",
        "icmp[icmptype] = icmp-echo or arp[6:2] = 2",
        "not (arp or icmp) and ip[2:2] > 40 and len - 14 >= ip[2:2]",
    ];
    let scratch = Scratch::new("filters")?;
    let story = reference(scratch.path(), Scale { every_ns: 200_000_000 })?;
    let whole = std::fs::read(&story.files[0])?;
    let frames = packets(&whole);
    for expression in EXPRESSIONS {
        let taken = scratch.path().join("taken.pcap");
        let mut tcpdump = Command::new("tcpdump");
        succeed(tcpdump.arg("-r").arg(&story.files[0]).arg("-w").arg(&taken).arg(expression)).context(expression)?;
        let filter: Filter = expression.parse().with_context(|| expression.to_owned())?;
        let ours: Vec<&[u8]> = frames.iter().copied().filter(|frame| filter.takes(frame, frame.len() as u32, None)).collect();
        assert_eq!(ours, packets(&std::fs::read(&taken)?), "{expression}");
    }
    Ok(())
}

fn packets(file: &[u8]) -> Vec<&[u8]> {
    let (mut walker, mut at, mut packets) = (Walker::default(), 0, Vec::new());
    loop {
        at += match walker.step(&file[at..]) {
            Ok(Step::Packet(head)) => {
                packets.push(&file[at + head.start..at + head.start + head.captured]);
                head.used
            }
            Ok(Step::Skip(bytes)) => bytes as usize,
            _ => return packets,
        };
    }
}

/// Files that tcpdump, dumpcap and editcap write on a real link, beside each other.
#[test]
fn captures_of_tcpdump_and_dumpcap_of_one_link_tell_the_same() -> Result<()> {
    let lab = Lab::new()?;
    let file = |name: &str| lab.scratch.path().join(name);
    let mut tcpdump = lab.near.command("tcpdump");
    let mut tcpdump = tcpdump.args(["-i", "wan0", "-U", "-w"]).arg(file("tcpdump.pcap")).stderr(Stdio::null()).spawn()?;
    let mut dumpcap = lab.near.command("dumpcap");
    let mut dumpcap = dumpcap.args(["-q", "-i", "wan0", "-w"]).arg(file("dumpcap.pcapng")).stderr(Stdio::null()).spawn()?;
    let both = || Ok(file("tcpdump.pcap").exists() && file("dumpcap.pcapng").exists());
    wait::until_true("both capture", wait::patience(20), both)?;
    std::thread::sleep(Duration::from_secs(1));
    Traffic::send(&lab.far, "far0", "--mix --count 500 --rate 5000")?;
    std::thread::sleep(Duration::from_secs(2));
    for child in [&mut tcpdump, &mut dumpcap] {
        signal(child.id(), libc::SIGINT)?;
        child.wait()?;
    }
    succeed(Command::new("editcap").args(["-F", "nsecpcap"]).arg(file("dumpcap.pcapng")).arg(file("editcap.pcap")))?;
    for (name, link) in [("tcpdump.pcap", "tcpdump"), ("dumpcap.pcapng", "wan0"), ("editcap.pcap", "editcap")] {
        // All that was sent comes from the other end: nothing shows which address is the link's own.
        let ended = analyze(lab.scratch.path(), &[file(name)], &["--out", link, "--mac", "02:00:00:00:00:01"])?;
        ensure!(ended.code == Some(0), "{ended:?}");
        let document = document(&lab.scratch.path().join(link))?;
        let tap = &document["taps"][0];
        assert_eq!((&tap["link"]["name"], &tap["direction"]), (&link.into(), &"ingress".into()), "{name}");
        let counted =
            tap["classes"].as_array().context("classes")?.iter().filter_map(|class| class["packets"].as_u64()).sum::<u64>();
        assert!(counted >= 500, "{name}: {counted}");
        tshark::capinfos(&lab.scratch.path().join(link).join("capture.pcapng"))?;
    }
    Ok(())
}

fn summary(ended: &Ended) -> Result<Value> {
    ensure!(ended.code == Some(0), "{ended:?}");
    Ok(serde_json::from_str(&ended.out)?)
}

#[test]
fn what_is_no_capture_is_told_by_name_and_leaves_nothing() -> Result<()> {
    let scratch = Scratch::new("foreign")?;
    let file = |name: &str, bytes: &[u8]| -> Result<PathBuf> {
        let path = scratch.path().join(name);
        std::fs::write(&path, bytes)?;
        Ok(path)
    };
    let cases = [
        (file("text.pcap", b"hello, world")?, "text.pcap: offset 0: not a capture: it begins with 68 65 6c 6c"),
        (file("empty.pcap", b"")?, "empty.pcap: offset 0: not a capture: it is empty"),
        (file("packed.pcap", b"\xFD7zXZ\0\0\0\0")?, "packed.pcap: offset 0: not a capture: it is packed with xz"),
        (scratch.path().join("gone.pcap"), "gone.pcap: No such file or directory"),
        (scratch.path().to_owned(), "it is a directory"),
    ];
    for (path, told) in cases {
        let ended = analyze(scratch.path(), &[path], &["--out", "analysis"])?;
        assert_eq!(ended.code, Some(1));
        assert!(ended.err.contains(told), "{}", ended.err);
    }
    assert!(!scratch.path().join("analysis").exists());
    Ok(())
}
