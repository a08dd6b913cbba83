//! The local log: its size is bounded, other programs may rotate it, and a disk may be full.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use linkprobe_tests::harness::Disk;
use linkprobe_tests::harness::wait::{patience, until_true};

use super::{flood, receiver};
use crate::lab::Lab;

const AGENT: &str = "--interface wan0 --before 5s --after 500ms --cooldown 0s --kernel-log false --next-hop off";

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn the_log_is_rotated_by_size_and_count_and_survives_those_who_move_it() -> Result<()> {
    let lab = Lab::new()?;
    let dir = lab.scratch.path().join("log");
    fs::create_dir(&dir)?;
    let path = dir.join("events.log");
    let options = format!("{AGENT} --event-log {}?size=64KiB&files=3&level=debug", path.display());
    let mut agent = lab.launch(&options).start()?;
    flood(&lab, 4000, 1444)?;
    until_true("the last change is in it", patience(20), || Ok(text(&path).contains("→ 1444")))?;
    let mut names: Vec<String> =
        fs::read_dir(&dir)?.flatten().map(|file| file.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    assert_eq!(names, ["events.log", "events.log.1", "events.log.2", "events.log.3"]);
    let all: String = names.iter().rev().map(|name| text(&dir.join(name))).collect();
    for name in &names {
        let length = text(&dir.join(name)).len();
        assert!(length <= 64 << 10 && length > 0, "{name}: {length}");
    }
    let times: Vec<&str> = all.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(times.len() > 1000 && times.windows(2).all(|pair| pair[0] <= pair[1]), "in order across the files");
    assert!(all.lines().all(|line| line.contains(" wan0 ") || line.contains(" - ")), "whole lines");
    // logrotate without copytruncate
    fs::rename(&path, dir.join("moved"))?;
    lab.near.ip("link set wan0 mtu 1500")?;
    until_true("a new file", patience(10), || Ok(text(&path).contains("mtu 1444 → 1500")))?;
    assert!(agent.stop()?.success());
    assert!(text(&path).lines().last().is_some_and(|line| line.contains("agent-stopped")), "{}", text(&path));
    Ok(())
}

#[test]
fn a_full_disk_is_an_alarm_once_and_the_log_says_what_is_missing_when_there_is_room() -> Result<()> {
    let lab = Lab::new()?;
    let disk = Disk::new(&lab.scratch, 256)?;
    let path = disk.path().join("events.log");
    let options = format!("{AGENT} --event-log {}?level=debug", path.display());
    let mut agent = lab.launch(&options).start()?;
    until_true("it is written", patience(10), || Ok(text(&path).contains("agent-started")))?;
    fs::write(disk.path().join("filler"), vec![1; 200 * 1024])?;
    flood(&lab, 9000, 1444)?;
    until_true("lines are lost", patience(20), || Ok(receiver(&agent, "event-log")?["dropped"].as_u64() > Some(0)))?;
    assert!(agent.runs()?);
    let alarms = agent.log().matches("No space left on device").count();
    assert!((1..=2).contains(&alarms), "one for the disk, one for the queue: {}", agent.log());
    fs::remove_file(disk.path().join("filler"))?;
    disk.resize(8 * 1024)?;
    until_true("the loss is told", patience(20), || Ok(text(&path).contains("messages were dropped between")))
        .with_context(|| format!("{:#}", receiver(&agent, "event-log").unwrap_or_default()))?;
    lab.near.ip("link set wan0 mtu 1500")?;
    until_true("it goes on", patience(10), || Ok(text(&path).contains("mtu 1444 → 1500")))?;
    let text = text(&path);
    assert!(text.lines().all(|line| line.starts_with("20") && line.len() > 60), "whole lines only");
    let dropped = receiver(&agent, "event-log")?["dropped"].as_u64().unwrap_or(0);
    let told: u64 = text
        .lines()
        .filter(|line| line.contains(" messages-dropped "))
        .filter_map(|line| line.split(" messages were dropped").next()?.rsplit(' ').next()?.parse::<u64>().ok())
        .sum();
    assert_eq!(told, dropped);
    Ok(())
}
