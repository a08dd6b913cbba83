//! What the commands print.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result};
use linkprobe_tests::harness::wait::patience;
use linkprobe_tests::harness::{Launch, Traffic, command, json};
use serde_json::Value;

use crate::lab::{Lab, status_link, status_tap};

#[test]
fn status_counts_what_the_sender_says_per_tap_and_class() -> Result<()> {
    let lab = Lab::new()?;
    let agent = lab.launch("--interface wan0").start()?;
    let near = Traffic::send(&lab.near, "wan0", "--kind udp --count 300 --rate 10000")?;
    let far = Traffic::send(&lab.far, "far0", "--kind arp --count 200 --rate 10000")?;
    let status = agent.status()?;
    for (direction, class, sent) in [("egress", "udp4", &near), ("ingress", "arp", &far)] {
        let tap = status_tap(&status, "wan0", direction)?;
        let mut classes = json::list(tap, "/classes")?.iter();
        let counts = classes.find(|counts| counts["class"] == class).with_context(|| format!("{tap:#}"))?;
        assert_eq!(counts["packets"], sent.total.packets);
        assert_eq!(counts["bytes"], sent.total.bytes);
    }
    assert_eq!(status_link(&status, "wan0")?["carrier"], true);
    Ok(())
}

#[test]
fn status_for_people_names_taps_hooks_depth_and_losses() -> Result<()> {
    let lab = Lab::new()?;
    let agent = lab.launch("--interface wan0").start()?;
    Traffic::send(&lab.far, "far0", "--count 100 --rate 10000")?;
    let ended = agent.ask("status --classes")?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for word in ["wan0", "ingress", "egress", "tcx", "control", "bulk", "udp4"] {
        assert!(ended.out.contains(word), "no {word} in:\n{}", ended.out);
    }
    Ok(())
}

#[test]
fn incidents_are_listed_and_shown() -> Result<()> {
    let lab = Lab::new()?;
    let mut agent = lab.launch("--interface wan0 --before 5s --after 500ms").start()?;
    agent.trigger("to be listed")?;
    let incident = agent.incident(patience(20))?;
    let linkprobe = |words: &[&str]| -> Result<command::Ended> {
        let mut client = std::process::Command::new(linkprobe_tests::harness::place::linkprobe()?);
        command::end(client.arg("incidents").args(words).arg("--dir").arg(agent.incidents_dir()))
    };
    for words in [&["list"][..], &[]] {
        let list = linkprobe(words)?;
        assert!(list.code == Some(0) && list.out.contains(&incident.id()), "{list:?}");
    }
    let show = linkprobe(&["show", &incident.id()])?;
    assert!(show.code == Some(0) && show.out.contains("to be listed"), "{show:?}");
    let nothing = linkprobe(&["show", "no-such-incident"])?;
    assert!(nothing.code == Some(1) && nothing.err.contains("no-such-incident"), "{nothing:?}");
    for evil in ["../../etc", "/etc", ".."] {
        assert_eq!(linkprobe(&["show", evil])?.code, Some(1), "{evil}");
    }
    Ok(())
}

#[test]
fn doctor_tells_what_this_kernel_can_do_and_which_hook_will_be_used() -> Result<()> {
    let lab = Lab::new()?;
    let launch = lab.launch("");
    let ended = command::end(launch.linkprobe()?.args(["doctor", "wan0"]))?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for word in ["tcx", "btf", "wan0"] {
        assert!(ended.out.contains(word), "no {word} in:\n{}", ended.out);
    }
    Ok(())
}

/// A `linkprobe watch` whose lines can be waited for.
struct Watch {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Watch {
    fn start(launch: &Launch<'_>, words: &str) -> Result<Watch> {
        let mut command = launch.linkprobe()?;
        command.arg("watch").args(words.split_whitespace());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let out = child.stdout.take().context("no standard output")?;
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Watch { child, lines })
    }

    fn line(&self) -> Result<String> {
        self.lines.recv_timeout(patience(10)).context("no further line")
    }

    /// The next line that `wanted` holds for.
    fn find(&self, wanted: impl Fn(&str) -> bool) -> Result<String> {
        loop {
            let line = self.line()?;
            if wanted(&line) {
                return Ok(line);
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Columns of a CSV row, trimmed.
fn columns(line: &str) -> Vec<&str> {
    line.split(',').map(str::trim).collect()
}

#[test]
fn watch_prints_the_old_scripts_header_and_a_row_at_every_change() -> Result<()> {
    let lab = Lab::new()?;
    let watch = Watch::start(&lab.launch(""), "wan0")?;
    let header = watch.line()?;
    assert_eq!(columns(&header)[..6], ["date", "if", "carr", "state", "age", "chngs"], "{header}");
    let first = watch.find(|line| columns(line).get(1) == Some(&"wan0"))?;
    assert_eq!(columns(&first)[2..4], ["1", "up"], "{first}");
    let changes = |row: &str| -> Result<u64> { Ok(columns(row)[5].parse()?) };
    std::thread::sleep(Duration::from_millis(300));
    lab.far.ip("link set far0 down")?;
    let down = watch.find(|line| columns(line).get(2) == Some(&"0"))?;
    assert_eq!(columns(&down)[1], "wan0");
    assert!(["down", "lowerlayerdown"].contains(&columns(&down)[3]), "{down}");
    assert!(changes(&down)? > changes(&first)?, "{first} / {down}");
    assert!(columns(&down)[4].parse::<f64>()? < 5.0, "the age starts anew: {down}");
    lab.far.ip("link set far0 up")?;
    let up = watch.find(|line| columns(line).get(2) == Some(&"1") && columns(line)[3] == "up")?;
    assert!(changes(&up)? > changes(&down)?, "{down} / {up}");
    // 2017-11-30T18:57:12+0900
    let date = columns(&up)[0];
    assert!(date.len() >= 24 && &date[4..5] == "-" && &date[10..11] == "T", "{date}");
    Ok(())
}

#[test]
fn watch_prints_rows_at_an_interval_when_asked() -> Result<()> {
    let lab = Lab::new()?;
    let watch = Watch::start(&lab.launch(""), "wan0 --every 1s")?;
    for _ in 0..3 {
        watch.find(|line| columns(line).get(1) == Some(&"wan0"))?;
    }
    Ok(())
}

#[test]
fn watch_as_json_has_one_object_per_line() -> Result<()> {
    let lab = Lab::new()?;
    let watch = Watch::start(&lab.launch(""), "wan0 --json")?;
    let line = watch.find(|line| line.contains("wan0"))?;
    let row: Value = serde_json::from_str(&line).with_context(|| line.clone())?;
    assert!(row.is_object());
    Ok(())
}
