//! A configuration that is read again while the agent runs.

use std::fs::{self, File};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use linkprobe_tests::harness::Agent;
use linkprobe_tests::harness::wait::{patience, until};

use crate::lab::Lab;

/// An agent with a file, which `text` is written to.
fn start(lab: &Lab, text: &str) -> Result<(Agent, PathBuf)> {
    let file = lab.scratch.path().join("linkprobe.toml");
    fs::write(&file, text)?;
    let agent = lab.launch(&format!("--config {}", file.display())).start()?;
    Ok((agent, file))
}

fn names(agent: &Agent) -> Result<Vec<String>> {
    let status = agent.status()?;
    let names = status["links"].as_array().into_iter().flatten().filter_map(|link| link["name"].as_str());
    Ok(names.map(str::to_owned).collect())
}

#[test]
fn what_is_watched_and_how_long_is_another_after_a_reload_and_the_incident_shows_it() -> Result<()> {
    let lab = Lab::new()?;
    lab.near.ip("link add other0 type bridge")?;
    lab.near.ip("link set other0 up")?;
    let (mut agent, file) = start(&lab, "interface = \"wan0\"\nbefore = \"5s\"\nafter = \"60s\"\n")?;
    fs::write(&file, "interface = [\"wan0\", \"other0\"]\nbefore = \"2s\"\nafter = \"1s\"\n")?;
    let said = agent.ask("reload")?;
    ensure!(said.code == Some(0), "{said:?}");
    assert_eq!(said.out, "reloaded; changed: interface, before, after\n");
    assert_eq!(names(&agent)?, ["wan0", "other0"]);
    agent.trigger("after the reload")?;
    let incident = agent.incident(patience(20))?;
    let window = incident.json["window"]["ns"].as_u64().context("a window")?;
    assert!((900_000_000..4_000_000_000).contains(&window), "{window}");
    assert_eq!(agent.ask("reload")?.out, "nothing is another than before\n");
    Ok(())
}

#[test]
fn a_wrong_file_or_one_that_needs_a_restart_changes_nothing_and_says_where() -> Result<()> {
    let lab = Lab::new()?;
    let (mut agent, file) = start(&lab, "interface = \"wan0\"\n")?;
    let path = file.display();
    for (text, expected) in [
        ("interface = \"wan0\"\nafter = \"soon\"\n", format!("{path}:2:9: key `after`: \"soon\" is not a duration")),
        (
            "interface = \"wan0\"\nmemory = \"1MiB\"\nafter = \"1s\"\n",
            format!("{path}:2:1: key `memory`: \"1MiB\" needs a restart"),
        ),
        ("interface = [\"wan0\", \"nothing0\"]\n", "no interface is called nothing0".to_owned()),
        ("interface = \"wan0\"\nafter = ", format!("{path}:2:")),
    ] {
        fs::write(&file, text)?;
        let said = agent.ask("reload")?;
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.err.contains("nothing was changed") && said.err.contains(&expected), "{said:?}");
    }
    fs::remove_file(&file)?;
    let said = agent.ask("reload --json")?;
    assert!(said.code == Some(1) && said.out.contains("cannot be read"), "{said:?}");
    assert!(agent.runs()?);
    assert_eq!(names(&agent)?, ["wan0"]);
    Ok(())
}

#[test]
fn sighup_reads_the_file_again_and_what_is_wrong_with_it_is_an_alarm() -> Result<()> {
    let lab = Lab::new()?;
    let (mut agent, file) = start(&lab, "interface = \"wan0\"\n")?;
    fs::write(&file, "interface = \"wan0\"\nmin-slaves = 1\n")?;
    agent.signal(libc::SIGHUP)?;
    said(&agent, "changed: min-slaves")?;
    fs::write(&file, "interface = \"wan0\"\nmin-slaves = -1\n")?;
    agent.signal(libc::SIGHUP)?;
    said(&agent, "SIGHUP: nothing was changed")?;
    assert!(agent.runs()?, "{}", agent.log());
    Ok(())
}

#[test]
fn without_a_file_sighup_is_no_end() -> Result<()> {
    let lab = Lab::new()?;
    let mut agent = lab.launch("--interface wan0").start()?;
    agent.signal(libc::SIGHUP)?;
    said(&agent, "started without --config")?;
    assert!(agent.runs()?, "{}", agent.log());
    Ok(())
}

#[test]
fn a_terminal_that_goes_away_ends_the_agent_cleanly_and_its_incident_is_written() -> Result<()> {
    let lab = Lab::new()?;
    let launch = lab.launch("--interface wan0 --before 5s --after 60s");
    fs::create_dir_all(lab.scratch.path().join("run"))?;
    let (terminal, other) = pseudo_terminal()?;
    let mut command = launch.command()?;
    command.stdin(other.try_clone()?).stdout(other.try_clone()?).stderr(other.try_clone()?);
    // SAFETY: both calls are async-signal-safe, and are made in the child before it becomes the agent.
    unsafe {
        command.pre_exec(|| {
            if libc::setsid() < 0 || libc::ioctl(0, libc::TIOCSCTTY, 0) < 0 {
                return Err(std::io::Error::last_os_error());
            }
            Ok(())
        });
    }
    let mut child = command.spawn()?;
    drop((command, other));
    let sockets =
        || Ok(fs::read_dir(lab.scratch.path().join("run"))?.flatten().map(|entry| entry.path()).find(|path| is_socket(path)));
    let socket = until("the agent's socket", patience(20), sockets)?;
    let instance = socket.file_stem().context("a name")?.to_string_lossy().into_owned();
    let mut trigger = launch.linkprobe()?;
    trigger.arg("trigger").arg("--run-dir").arg(lab.scratch.path().join("run")).args(["--instance", &instance]);
    until("the trigger is taken", patience(20), || Ok(trigger.output()?.status.success().then_some(())))?;
    drop(terminal);
    let status = until("the agent's end", patience(20), || Ok(child.try_wait()?))?;
    assert!(status.success(), "{status}");
    assert_eq!(fs::read_dir(lab.scratch.path().join("incidents"))?.count(), 1);
    Ok(())
}

fn said(agent: &Agent, text: &str) -> Result<()> {
    until(&format!("the agent says: {text}"), patience(10), || Ok(agent.log().contains(text).then_some(())))
        .with_context(|| agent.log())
}

fn is_socket(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "sock")
}

/// A terminal, from the side of those who look at it, and from the side of a program.
fn pseudo_terminal() -> Result<(File, File)> {
    // SAFETY: `posix_openpt` makes a descriptor that nobody else has.
    let terminal = unsafe { File::from_raw_fd(libc::posix_openpt(libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC)) };
    let fd = terminal.as_raw_fd();
    let mut name = [0; 64];
    // SAFETY: the calls take a descriptor of a terminal, and a buffer with its length.
    let made =
        unsafe { libc::grantpt(fd) == 0 && libc::unlockpt(fd) == 0 && libc::ptsname_r(fd, name.as_mut_ptr(), name.len()) == 0 };
    ensure!(made, "no terminal: {}", std::io::Error::last_os_error());
    let name: Vec<u8> = name.iter().take_while(|c| **c != 0).map(|c| c.cast_unsigned()).collect();
    let other = File::options().read(true).write(true).open(String::from_utf8(name)?)?;
    Ok((terminal, other))
}
