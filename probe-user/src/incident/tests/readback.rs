//! tshark and capinfos read the file: `cargo xtask setup` installs them. Where they are missing and `CI` is not set, nothing is tested.

use std::path::Path;
use std::process::Command;

use super::super::directory::{CAPTURE, write};
use super::*;

/// Standard output of a tool; `None` when there is no such tool and that is no fault. Every line on standard error is a failure.
fn output(tool: &str, args: &[&str], file: &Path) -> Option<String> {
    let answer = match Command::new(tool).args(args).arg(file).env("TZ", "UTC").output() {
        Ok(answer) => answer,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{tool}: {error}");
            eprintln!("skipped: {tool}: {error}");
            return None;
        }
    };
    let remarks = String::from_utf8_lossy(&answer.stderr).into_owned();
    let remarks: Vec<&str> = remarks.lines().filter(|line| !line.starts_with("Running as user \"root\"")).collect();
    assert!(answer.status.success() && remarks.is_empty(), "{tool}: {remarks:?}");
    Some(String::from_utf8_lossy(&answer.stdout).into_owned())
}

#[test]
fn tshark_lists_packets_and_events_in_order() {
    let dir = tempfile::tempdir().expect("a directory");
    let written = write(dir.path(), &job()).expect("written");
    let fields = ["-T", "fields", "-e", "frame.interface_name", "-e", "frame.packet_flags_direction", "-e", "_ws.col.Info", "-r"];
    let Some(text) = output("tshark", &fields, &written.path.join(CAPTURE)) else { return };
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines.len(), 8, "{text}");
    assert_eq!(lines[1][2], "eth1: carrier lost");
    assert!(lines[3][2].ends_with("trigger slave-down: slave of bond0 lost its carrier"), "{text}");
    assert_eq!((lines[0][0], lines[0][1]), ("eth1", "0x00000001"));
    assert_eq!(lines[2][1], "0x00000002");
}

#[test]
fn tshark_finds_nothing_malformed_and_no_step_back_in_time() {
    let dir = tempfile::tempdir().expect("a directory");
    let written = write(dir.path(), &job()).expect("written");
    let path = written.path.join(CAPTURE);
    let bad = "_ws.malformed || _ws.expert || frame.time_delta < 0";
    let Some(text) = output("tshark", &["-Y", bad, "-r"], &path) else { return };
    assert_eq!(text, "");
}

#[test]
fn capinfos_knows_the_interfaces_the_count_and_a_strict_order() {
    let dir = tempfile::tempdir().expect("a directory");
    let written = write(dir.path(), &job()).expect("written");
    let Some(text) = output("capinfos", &[], &written.path.join(CAPTURE)) else { return };
    for line in [
        "Number of packets:   5",
        "Strict time order:   True",
        "File timestamp precision:  nanoseconds (9)",
        "Capture oper-sys:    Linux 6.12.9",
        "Description = eth1 ingress (native XDP)",
        "Description = eth1 egress (tcx)",
        "Speed = 10000000000",
        "First packet time:   2017-12-05 05:12:46.447649123",
        "Number of stat entries = 1",
    ] {
        assert!(text.contains(line), "{line:?} in:\n{text}");
    }
}
