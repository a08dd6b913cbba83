//! What the links carried, as receivers of sar's lines and of JSON get it; beside sysstat's own `sar`.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use linkprobe_tests::harness::json::number;
use linkprobe_tests::harness::wait::{patience, until, until_true};
use linkprobe_tests::harness::{Netns, Traffic};
use serde_json::Value;

use crate::lab::Lab;

/// What an operator does with the lines: sums of a link's columns 3 to 10, and how many lines it had.
fn columns(text: &str, link: &str) -> Result<Vec<f64>> {
    const PROGRAM: &str = r#"$2 == link && $1 ~ /^[0-9][0-9]:[0-9][0-9]:[0-9][0-9]$/ && NF == 10 {
        n++; for (i = 3; i <= 10; i++) sum[i] += $i
    } END { for (i = 3; i <= 10; i++) printf "%.2f ", sum[i]; print n + 0 }"#;
    let mut awk = Command::new("awk");
    awk.args(["-v", &format!("link={link}"), PROGRAM]).env("LC_ALL", "C");
    let mut child = awk.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("awk")?;
    child.stdin.take().context("its input")?.write_all(text.as_bytes())?;
    let said = String::from_utf8(child.wait_with_output()?.stdout)?;
    said.split_whitespace().map(|word| word.parse().with_context(|| said.clone())).collect()
}

/// sysstat's sar in a namespace, for so many seconds.
fn sar(netns: &Netns, seconds: u32) -> Command {
    let mut command = Command::new("ip");
    // With its own /sys, where sar finds speeds.
    command.args(["netns", "exec", netns.name(), "sar", "-n", "DEV", "1", &seconds.to_string()]);
    command.env("LC_ALL", "C").env_remove("S_TIME_FORMAT").stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn the_lines_are_those_of_sar_with_the_same_figures() -> Result<()> {
    let lab = Lab::new()?;
    let file = lab.scratch.path().join("sar.txt");
    let mut agent = lab.launch(&format!("--interface wan0 --sar file:{} --traffic-interval 1s", file.display())).start()?;
    until("the first lines", patience(10), || Ok(read(&file).contains(" wan0 ").then_some(())))?;
    let theirs = sar(&lab.near, 9).spawn().context("sar")?;
    std::thread::sleep(Duration::from_millis(1500));
    // Whole within both.
    let out = Traffic::start(&lab.near, "wan0", "--kind tcp --count 2000 --rate 500 --size 300")?;
    Traffic::send(&lab.far, "far0", "--kind udp --count 16000 --rate 4000 --size 1400")?;
    out.stop()?;
    let theirs = String::from_utf8(theirs.wait_with_output()?.stdout)?;
    agent.stop()?;
    let ours = read(&file);

    assert_eq!(ours.lines().next(), theirs.lines().next(), "the banner");
    let heads = |text: &str| -> Vec<String> {
        text.lines()
            .filter(|line| line.contains("IFACE") && !line.starts_with("Average"))
            .map(|line| line[8..].to_owned())
            .collect()
    };
    assert_eq!(heads(&ours).first(), heads(&theirs).first(), "the names of the columns");
    assert!(heads(&ours).iter().all(|head| Some(head) == heads(&ours).first()));
    let shape = |text: &str| -> Option<Vec<usize>> {
        let line = text.lines().find(|line| line.contains(" wan0 ") && !line.starts_with("Average"))?;
        Some(line.match_indices('.').map(|(at, _)| at).collect())
    };
    assert_eq!(shape(&ours), shape(&theirs), "figures stand at the same places:\n{ours}\n{theirs}");

    let (our, their) = (columns(&ours, "wan0")?, columns(&theirs, "wan0")?);
    assert!(our[8] >= 8.0 && their[8] == 9.0, "{our:?} {their:?}");
    for (column, name) in ["rxpck/s", "txpck/s", "rxkB/s", "txkB/s"].into_iter().enumerate() {
        let (ours, theirs) = (our[column], their[column]);
        assert!(theirs > 100.0 && (ours - theirs).abs() < 0.03 * theirs, "{name}: {our:?} {their:?}");
    }
    assert!((our[7] - their[7]).abs() < 0.05 * their[7] + 0.05, "%ifutil: {our:?} {their:?}");
    Ok(())
}

#[test]
fn documents_of_all_intervals_together_are_what_was_sent_and_end_at_whole_seconds() -> Result<()> {
    let lab = Lab::new()?;
    let file = lab.scratch.path().join("links.json");
    let mut agent = lab.launch(&format!("--interface wan0 --json file:{} --traffic-interval 2s", file.display())).start()?;
    std::thread::sleep(Duration::from_millis(1500));
    let came = Traffic::send(&lab.far, "far0", "--kind udp,tcp --count 3000 --rate 1500 --size 600")?;
    let out = Traffic::send(&lab.near, "wan0", "--kind gso --count 100 --rate 1000")?;
    // One that begins after the last packet ends too.
    let documents = || read(&file).matches("\"linkprobe.traffic\"").count();
    let sent = documents();
    until_true("two more intervals end", patience(20), || Ok(documents() >= sent + 2))?;
    agent.stop()?;
    let text = read(&file);
    let all: Vec<Value> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let traffic: Vec<&Value> = all.iter().filter(|document| document["event"]["dataset"] == "linkprobe.traffic").collect();
    assert!(traffic.len() >= 2, "{text}");
    let total =
        |pointer: &str| -> u64 { traffic.iter().filter_map(|of| number(&of["linkprobe"]["traffic"], pointer).ok()).sum() };
    assert_eq!(total("/ingress/frames"), came.total.packets);
    assert_eq!(total("/driver/rx/packets"), came.total.packets);
    assert_eq!(total("/egress/packets"), out.total.segments);
    assert!(total("/ingress/classes/tcp4/bytes") > 0, "{text}");
    for (number, document) in traffic.iter().enumerate() {
        assert_eq!(document["observer"]["ingress"]["interface"]["name"], "wan0");
        assert_eq!((&document["event"]["kind"], &document["event"]["module"]), (&"metric".into(), &"linkprobe".into()));
        let end = document["event"]["end"].as_str().context("its end")?;
        assert_eq!(document["@timestamp"], end);
        if let Some(next) = traffic.get(number + 1) {
            assert_eq!(next["event"]["start"], end, "no gap between intervals");
        }
    }
    // of an even second, but for what a busy machine makes of one or the other
    let even = |document: &&&Value| {
        let end = document["event"]["end"].as_str().and_then(|end| end.get(17..29)?.parse::<f64>().ok());
        end.is_some_and(|seconds| (seconds + 0.1) % 2.0 < 0.7)
    };
    let inner = &traffic[..traffic.len() - 1];
    assert!(2 * inner.iter().filter(even).count() >= inner.len(), "{text}");
    Ok(())
}
