//! `report.html` in a real browser: its scripts run, everything is there, and nothing in an incident becomes a part of the page.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use linkprobe_tests::dump::{self, Scale};
use linkprobe_tests::fixture::{self, WALL};
use linkprobe_tests::harness::browser::{self, Loaded, Look};
use linkprobe_tests::harness::command::succeed;
use linkprobe_tests::harness::wait::patience;
use linkprobe_tests::harness::{Scratch, Traffic, place};
use probe_core::incident::Incident;
use probe_user::incident::Captured;
use probe_user::incident::directory::{DOCUMENT, Job, PAGE, write};
use probe_user::incident::page::page;
use serde_json::Value;

use crate::lab::Lab;

const DESK: Look = Look { width: 1280, height: 2400, dark: false };

/// Writes an incident of a fixture, and returns its page.
fn page_of(incident: Incident, scratch: &Scratch) -> Result<PathBuf> {
    let captured = Captured { looked: true, ..Captured::default() };
    let losses = vec![("events-lost".to_owned(), 3)];
    let job = Job { incident, captured, wall: WALL, losses, snaplen: 256, filter: None };
    Ok(write(&scratch.path().join("incidents"), &job)?.path.join(PAGE))
}

/// Another page of a written incident: with a verdict that has everything that a verdict can have. What the rules find in the
/// fixture is not this test's to say.
fn with_a_full_verdict(written: &Path) -> Result<PathBuf> {
    let dir = written.parent().context("a directory")?;
    let mut document: Value = serde_json::from_slice(&fs::read(dir.join(DOCUMENT))?)?;
    document["verdict"] = serde_json::to_value(fixture::verdict())?;
    let path = dir.join("full.html");
    fs::write(&path, page(&document))?;
    Ok(path)
}

/// Loads a page; its scripts must have run to their end without an error.
fn loaded(page: &Path, scratch: &Scratch) -> Result<Loaded> {
    let loaded = browser::load(page, scratch)?;
    ensure!(loaded.data("ready")? == "1");
    ensure!(loaded.data("errors")? == "0", "{:?}", loaded.data("first-error"));
    ensure!(loaded.said().is_empty(), "{:?}", loaded.said());
    ensure!(loaded.data("wide")? == "0", "it is wider than the window");
    Ok(loaded)
}

#[test]
fn the_page_of_a_real_incident_shows_its_timeline_and_its_rates() -> Result<()> {
    let lab = Lab::new()?;
    let mut agent = lab.launch("--interface wan0 --before 60s --after 2s --snaplen 256").start()?;
    let traffic = Traffic::start(&lab.far, "far0", "--mix --rate 500 --duration 60s")?;
    std::thread::sleep(std::time::Duration::from_millis(3500));
    lab.far.ip("link set far0 down")?;
    std::thread::sleep(std::time::Duration::from_millis(500));
    lab.far.ip("link set far0 up")?;
    let incident = agent.incident(patience(30))?;
    drop(traffic);
    let loaded = loaded(&incident.dir.join(PAGE), &lab.scratch)?;
    assert_eq!(loaded.number("timeline")?, incident.events("", "")?.len() as u64);
    assert_eq!(loaded.number("packets")?, incident.capture.packets.len() as u64);
    assert!(loaded.number("failures")? >= 1 && loaded.number("recoveries")? >= 1, "{}", loaded.dom);
    assert!(loaded.number("matrix")? >= 1, "counts per second of wan0");
    // marks, states, packets and bits both ways
    assert!(loaded.number("charts")? >= 6, "{} charts", loaded.number("charts")?);
    assert!(loaded.dom.contains("wan0: carrier lost"));
    browser::picture(&incident.dir.join(PAGE), &lab.scratch, DESK, "real.png")?;
    Ok(())
}

#[test]
fn the_reference_incident_has_its_verdict_on_top_and_every_chart() -> Result<()> {
    let scratch = Scratch::new("page")?;
    let written = page_of(fixture::reference(), &scratch)?;
    assert!(loaded(&written, &scratch)?.number("chain")? >= 1, "the rules find something");
    let page = with_a_full_verdict(&written)?;
    let loaded = loaded(&page, &scratch)?;
    assert_eq!((loaded.number("chain")?, loaded.number("repeats")?, loaded.number("links")?), (6, 3, 3));
    assert_eq!(loaded.number("normal")?, 6, "rows of what was normal: three links, both ways");
    assert_eq!(loaded.number("charts")?, 9, "marks, states, LACPDUs, round-trip times, probes, four of rates");
    assert!(loaded.number("failures")? >= 12 && loaded.number("recoveries")? >= 8);
    for text in [
        "frame.number == 4211",
        "What it was not",
        "Evidence that is missing",
        "dp0s0: our LACPDUs do not reach the partner",
        "wireshark capture.pcapng",
        "far more than usual",
        "Shaded: usual in the 58 min 0 s before",
    ] {
        assert!(loaded.dom.contains(text), "{text}");
    }
    browser::picture(&page, &scratch, DESK, "light.png")?;
    browser::picture(&page, &scratch, Look { dark: true, ..DESK }, "dark.png")?;
    Ok(())
}

#[test]
fn the_page_of_an_incident_that_was_read_from_dumps_has_a_verdict_and_charts() -> Result<()> {
    let scratch = Scratch::new("page")?;
    let story = dump::reference(scratch.path(), Scale { every_ns: 540_000 })?;
    let out = scratch.path().join("analysis");
    succeed(Command::new(place::linkprobe()?).arg("analyze").args(&story.files).arg("--out").arg(&out))?;
    let loaded = loaded(&out.join(PAGE), &scratch)?;
    assert!(loaded.number("chain")? >= 1);
    // marks, states, LACPDUs, packets and bits
    assert!(loaded.number("charts")? >= 5, "{} charts", loaded.number("charts")?);
    assert!(loaded.dom.contains("2017-12-05"));
    browser::picture(&out.join(PAGE), &scratch, DESK, "dumps.png")?;
    Ok(())
}

#[test]
fn paper_has_the_verdict_and_the_whole_timeline_however_long_it_is() -> Result<()> {
    let scratch = Scratch::new("page")?;
    let short = browser::print(&with_a_full_verdict(&page_of(fixture::reference(), &scratch)?)?, &scratch)?;
    ensure!((2..=12).contains(&short.sheets) && short.bytes > 50_000, "{} sheets, {} bytes", short.sheets, short.bytes);
    // A search is of the screen.
    let searched = "const search = document.querySelector('#timeline input'); search.value = 'zzz'; search.dispatchEvent(new Event('input'));";
    let crowded = page_of(fixture::crowded(3000), &scratch)?;
    let long = browser::print(&browser::with_script(&crowded, searched, &scratch)?, &scratch)?;
    ensure!(long.sheets > short.sheets + 3000 / 100, "{} sheets for 3000 entries more than {}", long.sheets, short.sheets);
    if let Some(text) = &short.text {
        for words in ["What it was not", "frame.number == 4211", "our LACPDUs do not reach the partner"] {
            ensure!(text.contains(words), "{words} is not on paper: {text}");
        }
    }
    if let Some(text) = &long.text {
        let entries = text.matches("x: carrier").count();
        ensure!(entries >= 2940, "{entries} of 2940 entries on paper");
    }
    Ok(())
}

/// Uses the page, and tells in attributes of its root what it then shows.
const USE: &str = include_str!("page_use.js");

#[test]
fn keys_and_buttons_zoom_a_legend_hides_its_curve_and_a_search_finds_entries() -> Result<()> {
    let scratch = Scratch::new("page")?;
    let page = page_of(fixture::reference(), &scratch)?;
    let used = loaded(&browser::with_script(&page, USE, &scratch)?, &scratch)?;
    let ranges = ["before", "nearer", "right", "left", "wider", "all", "wheel", "button"].map(|name| used.data(name));
    let ranges: Vec<&str> = ranges.into_iter().collect::<Result<_>>()?;
    let [before, nearer, right, left, wider, all, wheel, button] = ranges[..] else { unreachable!("eight") };
    assert_eq!((before, wider, all), ("whole window", "whole window", "whole window"));
    assert!(nearer.contains(" s to ") && right.contains(" s to ") && right != nearer, "{ranges:?}");
    assert_eq!(left, nearer, "there and back");
    assert!(wheel.contains(" s to ") && button.contains(" s to ") && button != wheel, "{ranges:?}");
    assert_eq!((used.data("curve")?, used.data("hidden")?, used.data("scale")?), ("true", "false", "changed"));
    let (entries, found) = (used.number("entries")?, used.number("found")?);
    assert!(found > 0 && found < entries, "{found} of {entries}");
    assert_eq!(used.data("alike")?, "1");
    assert!(used.data("status")?.starts_with(&format!("{found} of {entries} entries")), "{}", used.data("status")?);
    assert_eq!((used.number("nothing")?, used.number("again")?, used.data("revealed")?), (0, entries, "1"));
    assert!(used.data("matrixall")?.starts_with("Whole window"), "{}", used.data("matrixall")?);
    assert!(used.data("matrixpart")?.contains("as the axis shows"), "{}", used.data("matrixpart")?);
    Ok(())
}

#[test]
fn a_phone_shows_it_without_scrolling_sideways() -> Result<()> {
    let scratch = Scratch::new("page")?;
    let page = with_a_full_verdict(&page_of(fixture::reference(), &scratch)?)?;
    let phone = browser::phone(&page, 360, &scratch)?;
    let loaded = browser::load(&phone, &scratch)?;
    assert_eq!((loaded.data("ready")?, loaded.data("errors")?), ("1", "0"));
    assert_eq!(loaded.number("excess")?, 0, "pixels wider than the phone");
    browser::picture(&phone, &scratch, Look { width: 500, height: 3000, dark: false }, "phone.png")?;
    Ok(())
}

#[test]
fn thousands_of_entries_and_names_that_are_markup_are_shown_as_text() -> Result<()> {
    let scratch = Scratch::new("page")?;
    let incident = fixture::crowded(6000);
    let entries = incident.timeline.len() as u64;
    let page = page_of(incident, &scratch)?;
    let loaded = loaded(&page, &scratch)?;
    assert_eq!(loaded.number("timeline")?, entries);
    assert!(loaded.data("broken").is_err(), "a log line ran as a script");
    assert!(loaded.dom.matches("id=\"entry-").count() < 1000, "a long list is shown in part");
    assert!(loaded.dom.contains("Show all 6,0"), "and there is a way to all of it");
    assert!(!loaded.dom.contains("<img"));
    browser::picture(&page, &scratch, DESK, "crowded.png")?;
    Ok(())
}

#[test]
fn an_incident_with_nothing_but_a_trigger_has_a_page() -> Result<()> {
    let scratch = Scratch::new("page")?;
    let reference = fixture::reference();
    let bare = Incident {
        id: reference.id,
        from: reference.from,
        to: reference.to,
        triggers: reference.triggers.into_iter().take(1).collect(),
        ..Incident::default()
    };
    let loaded = loaded(&page_of(bare, &scratch)?, &scratch)?;
    assert!(loaded.dom.contains("No verdict") && loaded.dom.contains("Nothing that Linkprobe watches changed."));
    assert_eq!((loaded.number("chain")?, loaded.number("normal")?), (0, 0));
    Ok(())
}
