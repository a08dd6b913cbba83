//! What a person writes, and what the answer is.

use std::path::Path;
use std::time::Duration;

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    run: RunArgs,
}

fn resolve(args: &[&str]) -> Result<Config, ConfigErrors> {
    let cli = Cli::try_parse_from(std::iter::once(&"linkprobe").chain(args)).expect("the options are well formed");
    Config::resolve(&cli.run)
}

fn parse(text: &str) -> Result<Config, String> {
    let file = file::parse("linkprobe.toml", text).map_err(|errors| errors.to_string())?;
    let whole = Place::File { path: "linkprobe.toml".to_owned(), line: 0, column: 0 };
    Config::from_parts(Settings::default(), file, &whole).map_err(|errors| errors.to_string())
}

fn message(text: &str) -> String {
    parse(text).expect_err("this is wrong")
}

#[test]
fn one_bond_is_enough() {
    let config = resolve(&["--bond", "bond0"]).expect("one bond");
    assert_eq!(config.bonds, ["bond0"]);
    assert_eq!((config.snaplen, config.control_snaplen), (128, 256));
    assert_eq!((config.before, config.after), (Duration::from_secs(30), Duration::from_secs(10)));
    assert_eq!(config.memory, 64 << 20);
    assert_eq!(config.triggers, Kind::DEFAULT);
}

#[test]
fn nothing_to_watch_is_an_error() {
    let error = resolve(&[]).expect_err("nothing to watch").to_string();
    assert!(error.starts_with("command line: nothing to watch"), "{error}");
    assert!(message("before = \"1s\"").starts_with("linkprobe.toml: nothing to watch"));
}

#[test]
fn the_command_line_wins_over_the_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("linkprobe.toml");
    std::fs::write(&path, "bond = \"bond7\"\nbefore = \"1m\"\nsnaplen = 300\n").expect("written");
    let config = resolve(&["--config", path.to_str().expect("UTF-8"), "--snaplen", "96"]).expect("both are right");
    assert_eq!((config.bonds[0].as_str(), config.before, config.snaplen), ("bond7", Duration::from_secs(60), 96));
    // What is overridden is the command line's fault, not the file's.
    let error = resolve(&["--config", path.to_str().expect("UTF-8"), "--snaplen", "5"]).expect_err("too short").to_string();
    assert_eq!(error, "command line: --snaplen: 5 is out of range; allowed are 64 to 16384");
}

#[test]
fn every_key_of_a_file_is_read() {
    let text = r#"
        bond = ["bond0", "bond1"]
        interface = "wan"
        hook = "tc"
        snaplen = 256
        control-snaplen = 1514
        memory = "128MiB"
        sample = ["2000", "eth1=400", "eth2=0"]
        triggers = ["bond-down", "manual"]
        min-slaves = 2
        storm-rate = 5000
        drop-burst = 10
        cooldown = "5s"
        ignore-shorter = "1s"
        before = "1m"
        after = "1500ms"
        max-window = "2m"
        target = ["10.0.80.11", "icmp:2001:db8::1%bond0", "arp:10.100.100.65%bond0.956", "ns1.example.net"]
        next-hop = "off"
        probe-interval = "500ms"
        probe-timeout = "2s"
        probe-loss = "2/4"
        kernel-log = false
        log-file = ["/var/log/messages", "/var/log/frr/frr.log"]
        log-failure = ["bgp-down=neighbor \\S+ Down", "two=x"]
        log-recovery = "bgp-up=neighbor \\S+ Up"
        incidents = "/srv/incidents"
        capture-limit = 67108864
        filter = "tcp and port 179"
        keep-incidents = 7
        keep-bytes = "5GiB"
        keep-days = 0
        syslog = ["udp://192.0.2.1", "tcp://logs.example.net:6514?level=warning", "unix:/dev/log"]
        json = "tcp://[2001:db8::1]:5170"
        sar = ["file:/var/log/sar.txt?size=1MiB&files=3"]
        event-log = "/var/log/linkprobe.log?files=4"
        traffic-interval = "10s"
        metrics = 9100
        sflow = ["192.0.2.7", "192.0.2.8:6344"]
        sflow-agent = "192.0.2.254"
        sflow-sub-agent = 3
        sflow-counters = "30s"
        history = "12h"
        history-memory = "4MiB"
        recover = "on"
        recover-on = ["tx-blackout", "lacp-down"]
        recover-limit = 1
        recover-wait = "5s"
        command = ["/usr/local/bin/tell", "--now"]
        command-on = "next-hop-unreachable"
        command-timeout = "5s"
        instance = "edge-1"
        run-dir = "/run/lp"
        log = "debug"
    "#;
    let config = parse(text).expect("all are right");
    assert_eq!(config.hook, HookChoice::Tc);
    assert_eq!((config.capture_limit, config.keep_bytes, config.after), (64 << 20, 5 << 30, Duration::from_millis(1500)));
    let again = parse(&config.to_toml()).expect("what is shown can be read");
    assert_eq!(again, config, "the effective configuration, written and read again, is the same");
    assert_eq!(file::KEYS.iter().filter(|key| text.contains(**key)).count(), file::KEYS.len(), "this test names every key");
}

#[test]
fn a_wrong_value_is_named_with_file_line_key_and_what_is_allowed() {
    let error = message("bond = \"bond0\"\n\nbefore = \"30 parsecs\"\n");
    assert_eq!(error, r#"linkprobe.toml:3:10: key `before`: "30 parsecs" is not a duration; write 500ms, 30s, 5m or 1h"#);
    let error = message("bond = \"b\"\nhook = \"xpd\"");
    assert_eq!(error, r#"linkprobe.toml:2:8: key `hook`: "xpd" is not known; write one of auto, xdp, tc, xdp-generic"#);
    let error = message("bond = \"b\"\nsnaplen = \"128\"");
    assert_eq!(
        error,
        "linkprobe.toml:2:11: key `snaplen`: a string is not a whole number; write a whole number without quotes, such as 128"
    );
}

#[test]
fn the_help_of_run_names_every_trigger_and_a_rate_of_nothing_is_refused() {
    use clap::CommandFactory;
    let mut cli = crate::cli::Cli::command();
    let help = cli.find_subcommand_mut("run").expect("run").render_long_help().to_string();
    let words: Vec<&str> = help.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').collect();
    let missing: Vec<&str> = Kind::NAMES.into_iter().filter(|name| !words.contains(name)).collect();
    assert_eq!(missing, [""; 0]);
    let error = message("bond = \"b\"\nstorm-rate = 0\ndrop-burst = 0");
    assert!(error.contains("linkprobe.toml:2:1: key `storm-rate`: 0 is out of range; allowed are 10 to 1000000"), "{error}");
    assert!(error.contains("linkprobe.toml:3:1: key `drop-burst`: 0 is out of range; it is at least 1"), "{error}");
}

#[test]
fn a_wrong_target_is_named_with_its_own_line() {
    let error = message("bond = \"b\"\ntarget = [\n  \"10.0.80.11\",\n  \"arp:10.0.80.12\",\n  \"10.0.80\",\n]\n");
    let lines: Vec<&str> = error.lines().collect();
    assert!(
        lines[0].starts_with(r#"linkprobe.toml:4:3: key `target`: "arp:10.0.80.12" is no target: arp asks on an"#),
        "{error}"
    );
    assert!(lines[1].starts_with(r#"linkprobe.toml:5:3: key `target`: "10.0.80" is no target: "10.0.80" is neither"#), "{error}");
    let error = message("bond = \"b\"\ntarget = [\"10.0.80.11\", \"icmp:10.0.80.11\"]");
    assert_eq!(error, r#"linkprobe.toml:2:1: key `target`: "10.0.80.11" is named twice"#);
    let error = message("bond = \"b\"\nprobe-interval = \"1ms\"\nprobe-loss = \"5/3\"");
    assert!(error.contains("linkprobe.toml:3:14: key `probe-loss`: \"5/3\" is no k of n; write 3/5"), "{error}");
    let error = message("bond = \"b\"\nprobe-interval = \"1ms\"");
    assert_eq!(error, "linkprobe.toml:2:1: key `probe-interval`: 1ms is out of range; allowed are 10ms to 1h");
}

#[test]
fn a_pattern_that_does_not_compile_is_named_with_its_own_line() {
    let error = message("bond = \"b\"\nlog-failure = [\n  \"a=fine\",\n  \"b=(un\",\n]\nlog-recovery = \"no name\"\n");
    let lines: Vec<&str> = error.lines().collect();
    assert!(lines[0].starts_with("linkprobe.toml:4:3: key `log-failure`: pattern b: unclosed group; write NAME="), "{error}");
    assert!(lines[1].starts_with("linkprobe.toml:6:16: key `log-recovery`: \"no name\" has no name of"), "{error}");
    let error = message("bond = \"b\"\nkernel-log = \"yes\"");
    assert!(error.contains("linkprobe.toml:2:14: key `kernel-log`: a string is not true or false"), "{error}");
}

#[test]
fn an_unknown_key_names_the_nearest_known_one() {
    assert_eq!(message("bonds = \"b\""), r#"linkprobe.toml:1:1: unknown key "bonds"; did you mean `bond`?"#);
    assert!(message("control_snaplen = 1").contains("did you mean `control-snaplen`?"));
    assert!(message("Befor = 1").contains("did you mean `before`?"));
    assert!(message("colour = 1").contains("known are bond, interface"));
    assert!(message("[recorder]\nmemory = \"1GiB\"").contains("all keys stand at the top level"));
}

#[test]
fn several_errors_are_told_at_once_in_their_order() {
    let error = message("snaplen = \"x\"\nbond = 7\nafter = 3\n");
    let lines: Vec<&str> = error.lines().map(|line| line.split(": ").next().unwrap_or_default()).collect();
    assert_eq!(lines, ["linkprobe.toml:1:11", "linkprobe.toml:2:8", "linkprobe.toml:3:9"]);
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let error = message("bond = \"bond0\"\nbefore = \"4m\"\nafter = \"90s\"\n");
    assert_eq!(
        error,
        "linkprobe.toml:2:1: key `before`: before (4m) and after (90s) do not fit into max-window (5m); make it at least 330s"
    );
    assert!(message("bond = [\"b\", \"b\"]").contains("\"b\" is named twice"));
    assert!(message("bond = \"b\"\ninterface = \"b\"").contains("\"b\" is named twice"));
    assert!(message("bond = \"b\"\ntriggers = []").contains("nothing would ever fire"));
    assert!(message("bond = \"b\"\nmemory = \"3KiB\"").contains("allowed are 1MiB to 64GiB"));
    assert!(message("bond = \"b\"\ninstance = \"../x\"").contains("not a name of an instance"));
}

#[test]
fn names_that_the_kernel_would_refuse_are_refused() {
    for name in ["", "a name", "eth0/1", "sixteen-bytes-xx", "..", "eth0\\u0000", "eth\\n0", "a:b"] {
        let error = message(&format!("interface = \"{name}\""));
        assert!(error.contains("is not a name of an interface"), "{name}: {error}");
    }
}

#[test]
fn broken_toml_is_an_error_with_its_line() {
    assert!(message("bond = \"bond0\"\nbefore = \n").starts_with("linkprobe.toml:2:"));
    assert!(message("bond = \"bond0\"\nbond = \"bond1\"").contains("linkprobe.toml:2:1: not TOML: duplicate key"));
}

#[test]
fn hostile_text_is_an_error_and_never_a_panic() {
    let deep = format!("bond = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let tables = format!("bond = {}", "{a=".repeat(50_000));
    let dotted = format!("{}x = 1", "a.".repeat(50_000));
    let long = format!("{} = 1", "k".repeat(500_000));
    let huge = format!("snaplen = {}", "9".repeat(100_000));
    for text in [
        deep.as_str(),
        &tables,
        &dotted,
        &long,
        &huge,
        "snaplen = -1",
        "snaplen = 0xFFFFFFFFFFFFFFFFFFFF",
        "snaplen = 99999999999999999999999",
        "snaplen = 1e400",
        "snaplen = nan",
        "memory = -5",
        "memory = 99999999999999999999999999999999",
        "before = \"\\u0000\"",
        "before = \"٣s\"",
        "\u{202e}drob = 1",
        "\u{feff}bond = 3",
        "\"\" = 1",
        "\"\\n\\u001b[31m\" = 1",
        "bond = [\"b\", [\"c\"]]",
        "bond.x = 1",
        "bond = 1979-05-27T07:32:00Z",
        "\0",
        "]",
        "'''",
    ] {
        let error = message(text);
        assert!(error.lines().all(|line| line.len() < 2000), "short messages");
        assert!(!error.contains('\u{1b}'), "nothing that a terminal would obey: {error}");
    }
}

#[test]
fn a_file_that_is_none_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let of = |path: &Path| check(path).expect_err("no configuration").to_string();
    assert!(of(dir.path()).starts_with(&format!("{}: cannot be read: ", dir.path().display())));
    assert!(of(&dir.path().join("none")).contains("No such file"));
    let binary = dir.path().join("binary");
    std::fs::write(&binary, b"bond = \"b\"\n\xff\xfe").expect("written");
    assert!(of(&binary).ends_with("is not UTF-8 text (line 2)"));
    assert!(of(Path::new("/dev/zero")).contains("is larger than 1048576 bytes"));
}

#[test]
fn a_wrong_option_is_refused_by_name() {
    for args in
        [["--before", "soon"], ["--hook", "magic"], ["--triggers", "bond-down,foo"], ["--memory", "lots"], ["--snaplen", "many"]]
    {
        let error = Cli::try_parse_from(["linkprobe", args[0], args[1]]).err().expect("refused").to_string();
        assert!(error.contains(args[0]), "{error}");
    }
}
