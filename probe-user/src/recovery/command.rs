//! The operator's command: without a shell, with a bounded time, and nothing of it is left behind when that is over.

use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use probe_core::recovery::Call;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};

use super::Report;

/// Bytes that are kept of what it says: the last ones.
const KEPT: usize = 4096;
/// Time that it has to end by itself once it was asked to.
const GRACE: Duration = Duration::from_secs(2);
/// Time that its last words have to come through the pipe.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// Between two looks whether anything of it is left.
const LOOK: Duration = Duration::from_millis(20);
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A command that runs. Ended with the value.
#[derive(Debug)]
pub struct Running {
    _end: oneshot::Sender<()>,
}

/// Starts it. How it ended comes through `reports`, in any case. To be called within the runtime.
pub fn run(call: Call, timeout: Duration, reports: mpsc::UnboundedSender<Report>) -> Running {
    let (end, ended) = oneshot::channel();
    tokio::spawn(async move {
        let (well, text) = outcome(&call, timeout, ended).await;
        // The agent has stopped listening when it stops.
        let _ = reports.send(Report::Command(well, text));
    });
    Running { _end: end }
}

/// Whether it ended well, and what is to be said of it.
async fn outcome(call: &Call, timeout: Duration, ended: oneshot::Receiver<()>) -> (bool, String) {
    let started = Instant::now();
    let mut child = match spawn(call) {
        Ok(child) => child,
        Err(error) => return (false, format!("cannot be started: {error}")),
    };
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let said = Arc::new(Mutex::new(Vec::new()));
    let readers = [
        child.stdout.take().map(|out| tokio::spawn(listen(out, Arc::clone(&said)))),
        child.stderr.take().map(|err| tokio::spawn(listen(err, Arc::clone(&said)))),
    ];
    let (well, how) = tokio::select! {
        status = child.wait() => match status {
            Ok(status) => (status.success(), words(status)),
            Err(error) => (false, format!("cannot be waited for: {error}")),
        },
        () = tokio::time::sleep(timeout) => {
            end(&mut child, group).await;
            (false, format!("did not end within {} s and was ended, with all that it had started", timeout.as_secs_f64()))
        }
        _ = ended => {
            end(&mut child, group).await;
            (false, "was ended: the agent stops".to_owned())
        }
    };
    let taken = started.elapsed().as_secs_f64();
    for mut reader in readers.into_iter().flatten() {
        // What it left running may hold the pipe for ever.
        if tokio::time::timeout(LAST_WORDS, &mut reader).await.is_err() {
            reader.abort();
        }
    }
    let said = said.lock().unwrap_or_else(PoisonError::into_inner);
    let said = String::from_utf8_lossy(&said);
    let said = said.trim();
    let said = if said.is_empty() { "it said nothing".to_owned() } else { format!("it said: {said}") };
    (well, format!("{how} after {taken:.1} s; {said}"))
}

fn spawn(call: &Call) -> std::io::Result<Child> {
    let Some((program, arguments)) = call.argv.split_first() else {
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "no command"));
    };
    Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", PATH)
        .env("LANG", "C.UTF-8")
        .envs(call.environment.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

/// Asks it and all of its group to end, and makes them end when they do not.
async fn end(child: &mut Child, group: Option<Pid>) {
    let Some(group) = group else { return };
    // An error says that nothing of it is left.
    let _ = kill_process_group(group, Signal::TERM);
    let limit = Instant::now() + GRACE;
    let main = tokio::time::timeout(GRACE, child.wait()).await;
    while main.is_ok() && Instant::now() < limit && test_kill_process_group(group).is_ok() {
        tokio::time::sleep(LOOK).await;
    }
    let _ = kill_process_group(group, Signal::KILL);
    // Nothing survives that; the kernel may take its time.
    let _ = tokio::time::timeout(GRACE, child.wait()).await;
}

/// Keeps the last of what comes.
async fn listen(mut pipe: impl AsyncRead + Unpin, said: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = vec![0; KEPT];
    while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend_from_slice(buffer.get(..count).unwrap_or_default());
        let excess = said.len().saturating_sub(KEPT);
        said.drain(..excess);
    }
}

fn words(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(0), _) => "ended well".to_owned(),
        (Some(code), _) => format!("ended with exit status {code}"),
        (_, Some(signal)) => format!("was ended by signal {signal}"),
        _ => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(script: &str) -> Call {
        let environment = vec![("LINKPROBE_INCIDENT".to_owned(), "x y".to_owned())];
        Call { argv: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(), environment, ..Call::default() }
    }

    fn told(call: Call, timeout: Duration) -> (bool, String) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let (reports, mut told) = mpsc::unbounded_channel();
            let _running = run(call, timeout, reports);
            match told.recv().await {
                Some(Report::Command(well, text)) => (well, text),
                other => panic!("{other:?}"),
            }
        })
    }

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn it_has_the_incident_and_little_else_in_its_environment_and_nothing_to_read() {
        let (well, text) = told(call("env | sort | tr '\\n' ' '; cat; pwd"), LONG);
        assert!(well, "{text}");
        let names = text.split(" s; it said: ").nth(1).unwrap_or_default();
        let known = ["LANG=", "LINKPROBE_INCIDENT=x", "y", "OLDPWD=", "PATH=", "PWD=", "SHLVL=", "_=", "/"];
        assert!(names.split_whitespace().all(|word| known.iter().any(|known| word.starts_with(known))), "{names}");
        assert!(names.contains("LINKPROBE_INCIDENT=x y"), "{names}");
    }

    #[test]
    fn how_it_ended_and_its_last_words_are_told() {
        let (well, text) = told(call("echo out; echo err >&2; exit 3"), LONG);
        assert!(!well && text.starts_with("ended with exit status 3 after "), "{text}");
        assert!(text.contains("out") && text.contains("err"), "{text}");
        let (well, text) = told(call("kill -9 $$"), LONG);
        assert!(!well && text.starts_with("was ended by signal 9"), "{text}");
        let (well, text) = told(call("yes | head -c 100000; echo the end"), LONG);
        assert!(well && text.ends_with("the end") && text.len() < KEPT + 100, "{}", text.len());
    }

    #[test]
    fn one_that_cannot_be_started_is_told() {
        let missing = Call { argv: vec!["/nonexistent/mend".to_owned()], ..Call::default() };
        let (well, text) = told(missing, LONG);
        assert!(!well && text.starts_with("cannot be started: "), "{text}");
        assert!(!told(Call::default(), LONG).0);
    }

    #[test]
    fn one_that_hangs_is_ended_with_its_children_whether_they_listen_or_not() {
        let dir = tempfile::tempdir().expect("a directory");
        let pids = dir.path().join("pids");
        let script = format!("trap '' TERM; (trap '' TERM; sleep 300) & echo $$ $! > {}; sleep 300; sleep 300", pids.display());
        let started = Instant::now();
        let (well, text) = told(call(&script), Duration::from_millis(500));
        assert!(!well && text.starts_with("did not end within 0.5 s and was ended"), "{text}");
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        let pids = std::fs::read_to_string(pids).expect("it began");
        assert_eq!(pids.split_whitespace().count(), 2);
        std::thread::sleep(Duration::from_millis(300));
        for pid in pids.split_whitespace() {
            let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            // an orphan may wait for whoever reaps orphans here
            assert!(status.is_empty() || status.contains(") Z "), "{pid} lives: {status}");
        }
    }

    #[test]
    fn what_it_leaves_running_does_not_hold_it_up() {
        let started = Instant::now();
        let (well, text) = told(call("sleep 3 & echo gone on"), LONG);
        assert!(well && text.ends_with("gone on"), "{text}");
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    }

    #[test]
    fn it_ends_with_the_agent() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let text = runtime.block_on(async {
            let (reports, mut told) = mpsc::unbounded_channel();
            drop(run(call("sleep 300"), LONG, reports));
            match told.recv().await {
                Some(Report::Command(false, text)) => text,
                other => panic!("{other:?}"),
            }
        });
        assert!(text.starts_with("was ended: the agent stops"), "{text}");
    }
}
