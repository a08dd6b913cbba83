//! Bonds that are put back.

use anyhow::{Context, Result};
use linkprobe_tests::harness::bond::links;
use linkprobe_tests::harness::wait::{patience, until, until_true};
use linkprobe_tests::harness::{Agent, Healer, Launch, Netns, command, json, place};
use linkprobe_tests::zoo::{self, Fault, Mode, NEXT_HOP, Storm};
use serde_json::Value;

use crate::lab::{Lab, kernel};

const OPTIONS: &str = "--bond bond0 --before 5s --after 1s --cooldown 0s --memory 8MiB";
/// Holds the thread that recovers, milliseconds, while a slave is out.
const HOLD: &str = "LINKPROBE_RECOVERY_HOLD";

/// Waits for `recovery.json` beside the first incident, and returns the recoveries in it.
fn recoveries(agent: &Agent) -> Result<Vec<Value>> {
    let found = until("what became of a recovery", patience(30), || {
        let Some(dir) = linkprobe_tests::harness::incident::list(agent.incidents_dir())?.into_iter().next() else {
            return Ok(None);
        };
        match std::fs::read_to_string(dir.join("recovery.json")) {
            Ok(text) => Ok(Some(serde_json::from_str::<Value>(&text)?)),
            Err(_) => Ok(None),
        }
    });
    let found = found.with_context(|| agent.log())?;
    Ok(json::list(&found, "/recoveries")?.to_vec())
}

/// The steps of a recovery: `slave0 takes`.
fn steps(recovery: &Value) -> Result<Vec<String>> {
    let words = |step: &Value| {
        let link = step["link"]["name"].as_str().unwrap_or_default();
        format!("{link} {}", step["step"].as_str().unwrap_or_default())
    };
    Ok(json::list(recovery, "/steps")?.iter().map(words).collect())
}

/// The master of a link, and its index.
fn place(router: &Netns, link: &str) -> Result<(Option<String>, u64)> {
    let links = links(router)?;
    let found = links.iter().find(|found| found["ifname"] == link).with_context(|| format!("no {link}"))?;
    Ok((found["master"].as_str().map(str::to_owned), found["ifindex"].as_u64().unwrap_or_default()))
}

/// Kernels before tcx need three times as long for each agent. There, that slaves are put back, also after a crash, is enough: the rest
/// is decided by the same code.
fn is_old() -> Result<bool> {
    Ok(kernel()? < (6, 6))
}

/// An incident by hand, and what became of its recovery.
fn by_hand(agent: &Agent) -> Result<Value> {
    agent.trigger("put it back")?;
    recoveries(agent)?.pop().context("no recovery")
}

#[test]
fn the_reference_incident_ends_by_itself_within_ten_seconds_of_its_verdict() -> Result<()> {
    if is_old()? {
        return Ok(());
    }
    let mut lab = zoo::Lab::new(Fault::TxDuplication, Mode::Lacp, false)?;
    lab.calm_traffic()?;
    let recover = "--recover on --recover-on tx-blackout,lacpdus-not-arriving";
    // the storm would hold the window open
    let options = format!("--bond bond0 --before 10s --after 5s --max-window 24s --memory 16MiB --snaplen 192 {recover}");
    let mut agent = lab.launch(&options).start()?;
    std::thread::sleep(std::time::Duration::from_secs(6));
    let healer = Healer::heal(&lab.bonds.router, &["slave0", "slave1"])?;
    lab.break_it(Fault::TxDuplication, Storm::Rate(1000))?;
    let recovery = recoveries(&agent)?.pop().context("no recovery")?;
    let context = || format!("{recovery:#}\n{}", agent.log());
    assert_eq!(recovery["outcome"], "recovered", "{}", context());
    let began = json::number(&recovery, "/from/mono_ns")?;
    let after = |step: &Value| anyhow::Ok(json::number(step, "/at/mono_ns")?.saturating_sub(began));
    // the re-enslaving of one port is enough for the traffic
    let settled = json::list(&recovery, "/steps")?.iter().find(|step| step["step"] == "settled").with_context(context)?;
    let traffic = after(settled)?;
    assert!(traffic < 10_000_000_000, "{traffic} ns: {}", context());
    // the other one, which knows no partner, would send its next LACPDU after half a minute
    let whole = json::number(&recovery, "/to/mono_ns")?.saturating_sub(began);
    assert!(whole < 15_000_000_000, "{whole} ns: {}", context());
    lab.bonds.converged().with_context(context)?;
    lab.bonds.router.exec(&format!("ping -c 1 -W 2 {NEXT_HOP}")).with_context(context)?;
    assert!(healer.heard("slave0").iter().chain(&healer.heard("slave1")).any(|line| !line.contains(" master ")));
    let mut show = std::process::Command::new(place::linkprobe()?);
    let shown = command::succeed(show.args(["incidents", "show", "last", "--dir"]).arg(agent.incidents_dir()))?;
    assert!(shown.contains("\nRecovery: recovered for "), "{shown}");
    println!("traffic after {:.1} s, all slaves after {:.1} s\n{shown}", traffic as f64 / 1e9, whole as f64 / 1e9);
    let status = agent.status()?;
    assert_eq!(
        (&status["recovery"]["mode"], &status["recovery"]["last_outcome"]),
        (&"on".into(), &"recovered".into()),
        "{status:#}"
    );
    assert!(agent.stop()?.success(), "{}", agent.log());
    Ok(())
}

#[test]
fn one_slave_after_the_other_is_put_back_as_it_was_and_no_incident_is_made_of_it() -> Result<()> {
    let lab = Lab::lacp()?;
    let router = &lab.bonds.router;
    router.ip("link set slave0 type bond_slave queue_id 1")?;
    let options = format!("{OPTIONS} --recover on --recover-on manual --min-slaves 2");
    let mut agent = lab.launch(&options).start()?;
    let healer = Healer::listen(router)?;
    let recovery = by_hand(&agent)?;
    assert_eq!(recovery["outcome"], "done", "{recovery:#}\n{}", agent.log());
    let told = steps(&recovery)?;
    let expected = [
        "bond0 begins",
        "slave0 takes",
        "slave0 put-back",
        "slave0 settled",
        "slave1 takes",
        "slave1 put-back",
        "slave1 settled",
        "bond0 unhelped",
    ];
    assert_eq!(told, expected, "{recovery:#}");
    for slave in ["slave0", "slave1"] {
        assert_eq!(place(router, slave)?.0.as_deref(), Some("bond0"));
        assert!(healer.heard(slave).iter().any(|line| !line.contains(" master ")), "{:?}", healer.heard(slave));
    }
    lab.bonds.converged()?;
    let links = links(router)?;
    let slave0 = links.iter().find(|link| link["ifname"] == "slave0").context("slave0")?;
    assert_eq!(slave0["linkinfo"]["info_slave_data"]["queue_id"], 1, "{slave0:#}");
    std::thread::sleep(std::time::Duration::from_secs(4));
    agent.incident(patience(1)).context("its own doing is no incident")?;
    assert!(agent.log().contains("slave1: recovery: carries traffic again"), "{}", agent.log());
    Ok(())
}

#[test]
fn a_bond_with_one_working_slave_is_left_alone() -> Result<()> {
    if is_old()? {
        return Ok(());
    }
    let lab = Lab::lacp()?;
    let options = format!("{OPTIONS} --recover on --recover-on slave-down");
    let agent = lab.launch(&options).start()?;
    let before = place(&lab.bonds.router, "slave0")?;
    lab.port(1, false)?;
    let recovery = recoveries(&agent)?.pop().context("no recovery")?;
    assert_eq!((&recovery["outcome"], steps(&recovery)?), (&"refused".into(), vec!["bond0 refused".to_owned()]), "{recovery:#}");
    let why = json::text(&recovery, "/steps/0/text")?;
    assert!(why.contains("slave1 has no carrier"), "{why}");
    assert_eq!(place(&lab.bonds.router, "slave0")?, before);
    assert!(lab.bonds.carrier("bond0")?);
    Ok(())
}

#[test]
fn a_dry_run_tells_and_touches_nothing() -> Result<()> {
    if is_old()? {
        return Ok(());
    }
    let lab = Lab::active_backup()?;
    let router = &lab.bonds.router;
    let options = format!("{OPTIONS} --recover-on manual");
    let agent = lab.launch(&options).start()?;
    let before = [place(router, "slave0")?, place(router, "slave1")?];
    let healer = Healer::listen(router)?;
    let recovery = by_hand(&agent)?;
    assert_eq!((&recovery["mode"], &recovery["outcome"]), (&"dry-run".into(), &"dry-run".into()), "{recovery:#}");
    assert_eq!(steps(&recovery)?, ["bond0 begins", "slave0 takes", "slave1 takes"], "{recovery:#}");
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!([place(router, "slave0")?, place(router, "slave1")?], before);
    for link in ["slave0", "slave1", "bond0"] {
        assert_eq!(healer.heard(link), Vec::<String>::new());
    }
    assert!(agent.log().contains("slave0: recovery (dry run): would be taken out of bond0"), "{}", agent.log());
    Ok(())
}

/// An agent whose slave0 is out of the bond, and stays so for as long as the thread is held.
fn in_the_middle(launch: &Launch<'_>, router: &Netns) -> Result<Agent> {
    let agent = launch.start()?;
    agent.trigger("put it back")?;
    until_true("slave0 is out", patience(20), || Ok(place(router, "slave0")?.0.is_none())).with_context(|| agent.log())?;
    Ok(agent)
}

#[test]
fn a_slave_that_a_killed_agent_left_out_is_put_back_by_the_next_one() -> Result<()> {
    let lab = Lab::lacp()?;
    let router = &lab.bonds.router;
    let options = format!("{OPTIONS} --recover on --recover-on manual");
    let held = Launch { environment: &[(HOLD, "600000")], ..lab.launch(&options) };
    let mut first = in_the_middle(&held, router)?;
    first.kill()?;
    assert_eq!(place(router, "slave0")?.0, None);
    // whatever it is told to do now
    let mut second = lab.launch(OPTIONS).start()?;
    until_true("slave0 is back", patience(20), || Ok(place(router, "slave0")?.0.is_some())).with_context(|| second.log())?;
    lab.bonds.converged().with_context(|| second.log())?;
    assert!(second.log().contains("slave0: recovery: was taken out of bond0"), "{}", second.log());
    let recovery = recoveries(&second)?.pop().context("no recovery")?;
    assert_eq!(
        (&recovery["outcome"], steps(&recovery)?),
        (&"done".into(), vec!["slave0 resumes".into(), "slave0 put-back".into()])
    );
    assert!(second.stop()?.success(), "{}", second.log());
    let mut third = lab.launch(OPTIONS).start()?;
    assert!(!third.log().contains("was taken out of"), "{}", third.log());
    third.stop()?;
    Ok(())
}

#[test]
fn an_agent_that_is_stopped_puts_the_slave_back_before_it_ends() -> Result<()> {
    if is_old()? {
        return Ok(());
    }
    let lab = Lab::lacp()?;
    let options = format!("{OPTIONS} --recover on --recover-on manual");
    let held = Launch { environment: &[(HOLD, "2000")], ..lab.launch(&options) };
    let mut agent = in_the_middle(&held, &lab.bonds.router)?;
    let ended = agent.stop()?;
    assert!(ended.success(), "{}", agent.log());
    assert_eq!(place(&lab.bonds.router, "slave0")?.0.as_deref(), Some("bond0"), "{}", agent.log());
    let recovery = recoveries(&agent)?.pop().context("no recovery")?;
    assert_eq!(recovery["outcome"], "stopped", "{recovery:#}");
    lab.bonds.converged()
}
