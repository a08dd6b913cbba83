//! The list and the reports, also of directories that are broken.

use std::fs;
use std::path::Path;

use super::super::directory::write;
use super::super::list::{IncidentsArgs, IncidentsCommand, ListError, print};
use super::*;

fn run(dir: &Path, command: Option<IncidentsCommand>, json: bool) -> Result<(String, String), ListError> {
    let args = IncidentsArgs { command, dir: Some(dir.to_owned()), json };
    let (mut out, mut remarks) = (Vec::new(), Vec::new());
    print(&args, &mut out, &mut remarks)?;
    Ok((String::from_utf8(out).expect("text"), String::from_utf8(remarks).expect("text")))
}

fn show(dir: &Path, id: &str) -> Result<String, ListError> {
    run(dir, Some(IncidentsCommand::Show { id: id.to_owned() }), false).map(|(out, _)| out)
}

fn two() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for id in ["20171205T051251.447649Z", "20181205T051251.447649Z"] {
        let mut job = job();
        job.incident.id = id.to_owned();
        write(dir.path(), &job).expect("written");
    }
    dir
}

#[test]
fn incidents_are_listed_with_what_fired_and_how_much_there_is() {
    let dir = two();
    let (out, remarks) = run(dir.path(), None, false).expect("listed");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 5, "{out}");
    assert_eq!(lines[2], "    eth1: carrier lost", "the verdict stands below");
    let words: Vec<&str> = lines[1].split_whitespace().collect();
    assert_eq!(words[0], "20171205T051251.447649Z");
    assert_eq!(words[3..8], ["40.000", "s", "slave-down", "eth1", "5"], "{out}");
    assert_eq!(remarks, "");
}

#[test]
fn the_list_is_there_as_json() {
    let dir = two();
    let (out, _) = run(dir.path(), Some(IncidentsCommand::List), true).expect("listed");
    let list: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((list[1]["id"].as_str(), list[1]["capture"]["packets"].as_u64()), (Some("20181205T051251.447649Z"), Some(5)));
}

#[test]
fn a_report_is_found_by_the_beginning_of_its_id_or_as_the_last() {
    let dir = two();
    let shown = show(dir.path(), "2017").expect("unique");
    assert!(shown.contains("incident 20171205T051251.447649Z"), "{shown}");
    assert!(shown.trim_end().ends_with("/20171205T051251.447649Z/report.html"), "{shown}");
    assert!(show(dir.path(), "last").expect("there is one").contains("20181205T051251.447649Z"));
    assert!(matches!(show(dir.path(), "20"), Err(ListError::Ambiguous { candidates, .. }) if candidates.len() == 2));
    for id in ["2019", "", "../../etc", "/etc"] {
        assert!(matches!(show(dir.path(), id), Err(ListError::Unknown { .. })), "{id}");
    }
    let (json, _) = run(dir.path(), Some(IncidentsCommand::Show { id: "2017".to_owned() }), true).expect("shown");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).expect("JSON")["version"], 1);
}

#[test]
fn broken_and_foreign_directories_are_told_and_passed_over() {
    let dir = two();
    for (name, document) in
        [("empty", None), ("garbage", Some("{{{")), ("future", Some(r#"{"version": 7, "id": "future", "window": {"ns": 1}}"#))]
    {
        fs::create_dir(dir.path().join(name)).expect("made");
        if let Some(document) = document {
            fs::write(dir.path().join(name).join("incident.json"), document).expect("written");
        }
    }
    fs::create_dir(dir.path().join(".x.linkprobe-partial")).expect("made");
    fs::write(dir.path().join("file"), "x").expect("written");
    let (out, remarks) = run(dir.path(), None, false).expect("listed");
    assert_eq!(out.lines().count(), 5);
    assert_eq!(remarks.lines().count(), 3, "{remarks}");
    assert!(remarks.contains("future: not an incident that can be read: version 7 is not known here"), "{remarks}");
}

#[test]
fn no_incidents_are_no_error_but_no_directory_is() {
    let dir = tempfile::tempdir().expect("a directory");
    assert!(run(dir.path(), None, false).expect("listed").0.starts_with("no incidents in "));
    assert!(matches!(show(dir.path(), "last"), Err(ListError::None { .. })));
    let error = run(Path::new("/nonexistent"), None, false).expect_err("no directory");
    assert_eq!(error.to_string(), "/nonexistent: No such file or directory (os error 2)");
}

#[test]
fn a_foreign_report_cannot_steer_the_terminal() {
    let dir = two();
    fs::write(dir.path().join("20171205T051251.447649Z/report.txt"), b"\x1b[2Jgone\xff\nnext\n").expect("written");
    fs::remove_file(dir.path().join("20171205T051251.447649Z/report.html")).expect("removed");
    assert_eq!(show(dir.path(), "2017").expect("shown"), " [2Jgone\u{fffd}\nnext\n");
}
