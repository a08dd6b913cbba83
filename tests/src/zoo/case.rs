//! One fault from calm to the finished incident, with the times on the way.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::breaks::Storm;
use super::fault::{Fault, Mode};
use super::lab::{Lab, TARGET};
use crate::harness::wait::{patience, until};
use crate::harness::{Agent, Incident, incident};
use crate::traffic::numbers::Moment;

/// Held by the case whose agent starts.
static STARTING: Mutex<()> = Mutex::new(());

/// How a fault is run.
#[derive(Clone, Debug)]
pub struct Case {
    /// Which.
    pub fault: Fault,
    /// On which bond.
    pub mode: Mode,
    /// LACPDUs every 30 s on both sides, and all that follows takes as long.
    pub slow: bool,
    /// Time between the agent's start and the fault.
    pub calm: Duration,
    /// Time between the fault and its end; `None` when it is not healed.
    pub heal_after: Option<Duration>,
    /// Of [`Fault::TxDuplication`].
    pub storm: Storm,
    /// Where incidents are written; the lab's own directory when `None`.
    pub incidents: Option<PathBuf>,
    /// More options of `linkprobe run`, split at spaces.
    pub options: String,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// What was run.
    pub case: Case,
    /// Just before the fault was made, `CLOCK_MONOTONIC`.
    pub cause_ns: u64,
    /// Seconds from there until the agent logged that an incident opens.
    pub alarm_s: Option<f64>,
    /// Seconds from there until the incident was whole on the disk.
    pub finished_s: Option<f64>,
    /// The incidents.
    pub incidents: Vec<Incident>,
    /// `linkprobe status` at the end.
    pub status: String,
    /// What the agent said.
    pub log: String,
    /// Gone with the value, and the incidents' files with it.
    _lab: Lab,
}

impl Case {
    /// As it fits the fault, for a test: short, with a storm that leaves others their share of the machine.
    pub fn new(fault: Fault, mode: Mode) -> Case {
        let heal_after = match fault {
            Fault::Clean => Some(Duration::from_secs(60)),
            Fault::TxDuplication => Some(Duration::from_secs(9)),
            // it would go on for ever, and so would the incident
            Fault::TimeoutMismatch | Fault::TxDrops => Some(Duration::from_secs(11)),
            _ => None,
        };
        Case {
            fault,
            mode,
            slow: false,
            calm: Duration::from_secs(6),
            heal_after,
            storm: Storm::Rate(3000),
            incidents: None,
            options: String::new(),
        }
    }

    /// Makes the lab, breaks it, and waits for the incident.
    ///
    /// # Errors
    /// When the lab cannot be made, or the agent fails. That no incident comes is no error here.
    pub fn run(self) -> Result<Outcome> {
        let mut lab = Lab::new(self.fault, self.mode, self.slow)?;
        lab.calm_traffic()?;
        let mut options = format!("--bond bond0 --before 10s --after 5s --memory 16MiB --snaplen 192 {}", self.options);
        if !self.options.contains("--target") {
            options += &format!(" --target {TARGET}");
        }
        if let Some(incidents) = &self.incidents {
            options += &format!(" --incidents {}", incidents.display());
        }
        let mut agent = {
            // one at a time: the verifier takes seconds of a CPU under emulation
            let _alone = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
            lab.launch(&options).start()?
        };
        thread::sleep(self.calm);
        let early = incidents_of(&agent, self.incidents.as_ref())?;
        if !early.is_empty() {
            bail!("{}: an incident before the fault: {early:?}\n{}", self.fault.name(), agent.log());
        }
        let mut times = Times { cause: Moment::now().mono_ns, alarm: None, finished: None };
        // the alarm may come before everything is broken
        thread::scope(|scope| {
            let breaking = scope.spawn(|| lab.break_it(self.fault, self.storm));
            while !breaking.is_finished() {
                times.look(&mut agent, self.incidents.as_ref())?;
                thread::sleep(Duration::from_millis(20));
            }
            breaking.join().unwrap_or_else(|_| bail!("the fault could not be made"))
        })?;
        let mut healed = self.heal_after.is_none();
        let limit = patience(20) + self.heal_after.unwrap_or_default() + if self.slow { patience(60) } else { Duration::ZERO };
        let result = until("an incident", limit, || {
            let now = times.look(&mut agent, self.incidents.as_ref())?;
            if !healed && self.heal_after.is_some_and(|after| u128::from(now) >= after.as_nanos()) {
                lab.heal(self.fault)?;
                healed = true;
            }
            // ordinary traffic that ends must open no incident either
            let clean = self.fault == Fault::Clean
                && self.heal_after.is_some_and(|after| u128::from(now) >= after.as_nanos() + 5_000_000_000);
            Ok((clean || healed && times.finished.is_some()).then_some(()))
        });
        if let Err(error) = result {
            eprintln!("{}: {error:#}", self.fault.name());
        }
        let status = agent.ask("status")?.out;
        let found = incidents_of(&agent, self.incidents.as_ref())?;
        let incidents = found.iter().map(|dir| Incident::read(dir)).collect::<Result<Vec<_>>>().with_context(|| agent.log())?;
        agent.stop()?;
        let seconds = |ns: u64| ns as f64 / 1e9;
        Ok(Outcome {
            cause_ns: times.cause,
            alarm_s: times.alarm.map(seconds),
            finished_s: times.finished.map(seconds),
            incidents,
            status,
            log: agent.log(),
            case: self,
            _lab: lab,
        })
    }
}

/// Nanoseconds, the last two since the cause.
struct Times {
    cause: u64,
    alarm: Option<u64>,
    finished: Option<u64>,
}

impl Times {
    /// Nanoseconds since the cause.
    fn look(&mut self, agent: &mut Agent, incidents: Option<&PathBuf>) -> Result<u64> {
        let now = Moment::now().mono_ns.saturating_sub(self.cause);
        if !agent.runs()? {
            bail!("the agent ended:\n{}", agent.log());
        }
        if self.alarm.is_none() && agent.log().contains(" opens: ") {
            self.alarm = Some(now);
        }
        if self.alarm.is_some() && self.finished.is_none() && !incidents_of(agent, incidents)?.is_empty() {
            self.finished = Some(now);
        }
        Ok(now)
    }
}

fn incidents_of(agent: &Agent, own: Option<&PathBuf>) -> Result<Vec<PathBuf>> {
    incident::list(own.map_or(agent.incidents_dir(), PathBuf::as_path))
}

/// Runs cases side by side, `at_once` of them; returns what came of each, in their order.
pub fn run_all(cases: Vec<Case>, at_once: usize) -> Vec<(Case, Result<Outcome>)> {
    let results: Mutex<Vec<Option<Result<Outcome>>>> = Mutex::new(cases.iter().map(|_| None).collect());
    let next = Mutex::new(cases.iter().cloned().enumerate());
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                loop {
                    // taken in a statement of its own: the lock must not be held while the case runs
                    let taken = next.lock().ok().and_then(|mut next| next.next());
                    let Some((number, case)) = taken else { return };
                    let result = case.run();
                    if let Ok(mut results) = results.lock() {
                        results[number] = Some(result);
                    }
                }
            });
        }
    });
    let results = results.into_inner().unwrap_or_default();
    let lost = || Err(anyhow::anyhow!("its thread died"));
    cases.into_iter().zip(results).map(|(case, result)| (case, result.unwrap_or_else(lost))).collect()
}
