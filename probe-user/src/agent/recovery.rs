//! The way of a recovery through the agent: an incident is on disk, the engine says what it sees, the recovery says what to do, and a
//! thread does it.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context;
use probe_core::flight::{Action, Event};
use probe_core::recovery::{
    Deed, Input as Told, RecoverMode, Recovery, RecoveryConfig, RecoveryStatus, STOP_WAIT, Written, causes,
};
use probe_core::table::Role;
use probe_core::time::{Mono, SECOND};
use tokio::sync::mpsc;

use super::Agent;
use super::input::{Input, Inputs};
use super::start::ns;
use crate::clock;
use crate::config::Config;
use crate::incident::WrittenIncident;
use crate::recovery::{Doer, Report, StateFile, command};

/// A window ends so much after its first trigger at the latest where a recovery waits for its verdict: a storm could hold it open
/// for as long as windows go.
const LONGEST_WINDOW: u64 = 60 * SECOND;
/// How long a stopping agent waits for what became of a recovery to be on disk.
const LAST_RECORDS: Duration = Duration::from_secs(5);

/// The recovery, and what it works with.
pub(super) struct Recoverer {
    recovery: Recovery,
    doer: Doer,
    file: StateFile,
    reports: mpsc::UnboundedSender<Report>,
    running: Option<command::Running>,
    /// An order is under way: the kernel may hold its lock, and is not asked then.
    ordered: bool,
    /// Links that are to be asked for afterwards.
    asks: BTreeSet<u32>,
    /// Why the last record could not be kept.
    unkept: u64,
}

impl Recoverer {
    /// Starts the thread. What it has done comes through the receiver.
    ///
    /// # Errors
    /// When there can be no further thread, or a name in the configuration is unknown.
    pub fn start(config: &Config) -> anyhow::Result<(Self, mpsc::UnboundedReceiver<Report>)> {
        // One order, one command and a few records are under way at most: the channel needs no bound.
        let (reports, told) = mpsc::unbounded_channel();
        let file = StateFile::new(&config.run_dir, &config.instance);
        let doer = Doer::start(file.clone(), reports.clone()).context("recovery")?;
        let recovery = Recovery::new(recovery_config(config)?);
        let (running, ordered, asks, unkept) = (None, false, BTreeSet::new(), 0);
        Ok((Self { recovery, doer, file, reports, running, ordered, asks, unkept }, told))
    }

    /// Other settings from now on.
    pub fn configure(&mut self, config: RecoveryConfig) {
        self.recovery.configure(config);
    }

    /// Time from `now` to when it wants to look.
    pub fn due_in(&self, now: Mono) -> Duration {
        self.recovery.deadline().map_or(Duration::MAX, |at| Duration::from_nanos(at.since(now)))
    }

    /// Recoveries whose record is not on disk, for want of a disk or of room.
    pub fn losses(&self) -> (&'static str, u64) {
        ("recovery-records-lost", self.unkept)
    }
}

/// What the recovery is told of the configuration.
///
/// # Errors
/// A name that is unknown.
pub(super) fn recovery_config(config: &Config) -> anyhow::Result<RecoveryConfig> {
    Ok(RecoveryConfig {
        mode: config.recover,
        on: causes(&config.recover_on)?,
        limit: config.recover_limit,
        wait: ns(config.recover_wait),
        command: config.command.clone(),
        command_on: causes(&config.command_on)?,
    })
}

/// Longest time from an incident's first trigger to its end, nanoseconds.
pub(super) fn longest_window(config: &Config) -> u64 {
    let longest = ns(config.max_window.saturating_sub(config.before));
    if config.recover == RecoverMode::Off { longest } else { longest.min(LONGEST_WINDOW) }
}

impl Agent {
    /// The agent starts: what an earlier one left undone is done.
    pub(super) fn resume_recovery(&mut self) {
        match self.recoverer.file.load() {
            Ok(state) => self.recover(Told::Start(state)),
            Err(error) => {
                let path = self.recoverer.file.path().display().to_string();
                let text =
                    format!("{path}: {error}; if an earlier agent was killed in a recovery, a slave may be out of its bond");
                self.handle(Event::Alarm { text });
            }
        }
    }

    /// An incident is on disk.
    pub(super) fn recover_from(&mut self, incident: &WrittenIncident) {
        let WrittenIncident { id, headline, verdict, triggers, path, .. } = incident;
        let written = Written::new(id, &path.display().to_string(), headline, verdict, triggers);
        self.recover(Told::Written(written));
    }

    /// Something was done.
    pub(super) fn recovery_report(&mut self, report: Report) {
        match report {
            Report::Done(number, result) => {
                self.recoverer.ordered = false;
                for ifindex in std::mem::take(&mut self.recoverer.asks) {
                    self.do_all(vec![Action::AskLink { ifindex }]);
                }
                self.recover(Told::Done(number, result));
            }
            Report::Command(well, text) => {
                self.recoverer.running = None;
                self.recover(Told::CommandEnded(well, text));
            }
            Report::Kept(result) => {
                self.recoverer.doer.kept();
                if let Err(error) = result {
                    self.recoverer.unkept += 1;
                    self.handle(Event::Alarm { text: format!("what became of a recovery is not kept: {error}") });
                }
            }
        }
    }

    /// While a recovery goes on: links have changed, or time has passed.
    pub(super) fn recovery_look(&mut self) {
        if self.recoverer.recovery.is_busy() {
            self.recover(Told::Look);
        }
    }

    /// Whether a link must not be asked for now: it is remembered, and asked for when the order is carried out.
    pub(super) fn asks_later(&mut self, ifindex: u32) -> bool {
        if self.recoverer.ordered {
            self.recoverer.asks.insert(ifindex);
        }
        self.recoverer.ordered
    }

    fn recover(&mut self, told: Told) {
        let now = clock::now();
        let sight = self.flight.sight(now, self.recoverer.recovery.wants().or(noted(&told)));
        for deed in self.recoverer.recovery.handle(now, told, &sight) {
            self.recovery_deed(deed);
        }
    }

    fn recovery_deed(&mut self, deed: Deed) {
        match deed {
            Deed::Tell { link, step, dry_run, text } => self.handle(Event::Recovery { link, step, dry_run, text }),
            Deed::Hold { slave, bond } => self.handle(Event::Hold { slave, bond: bond.ifindex }),
            Deed::Free { slave, out } => self.handle(Event::Free { slave, out }),
            Deed::Ask(ifindex) => self.do_all(vec![Action::AskLink { ifindex }]),
            Deed::Order(number, order) => {
                self.recoverer.ordered = self.recoverer.doer.order(number, order);
                if !self.recoverer.ordered {
                    self.handle(Event::Alarm { text: "the thread that recovers is gone: restart linkprobe".to_owned() });
                }
            }
            Deed::Run(call) => {
                let (timeout, reports) = (self.config.command_timeout, self.recoverer.reports.clone());
                self.recoverer.running = Some(command::run(call, timeout, reports));
            }
            Deed::Keep(record) => {
                if !self.recoverer.doer.keep(record, clock::wall_offset()) {
                    self.recoverer.unkept += 1;
                    self.handle(Event::Alarm { text: "what became of a recovery is not kept: too many wait".to_owned() });
                }
            }
        }
    }

    /// The agent stops: a slave that is out is put back, a command that runs is ended, and what became of them is written.
    pub(super) async fn stop_recovery(&mut self, inputs: &mut Inputs) {
        self.recover(Told::Stop);
        self.recoverer.running = None;
        let limit = clock::now().plus(STOP_WAIT);
        let records = clock::now().plus(ns(LAST_RECORDS));
        loop {
            let now = clock::now();
            let busy = self.recoverer.recovery.is_busy() && now < limit;
            let waits = self.recoverer.recovery.is_called() && now < limit;
            let keeping = self.recoverer.doer.is_keeping() && now < records;
            if !busy && !waits && !keeping {
                break;
            }
            match inputs.next(Duration::from_millis(100)).await {
                Ok(Input::Netlink(received)) => self.netlink(received, inputs),
                Ok(Input::Recovery(report)) => self.recovery_report(report),
                Ok(Input::Events) => self.kernel_events(inputs),
                Ok(_) => {}
                Err(error) => {
                    log::error!("{error:#}");
                    break;
                }
            }
            self.recovery_look();
        }
        if self.recoverer.recovery.is_busy() {
            let path = self.recoverer.file.path().display().to_string();
            let text = format!("a recovery did not end in time: what is left to do stands in {path}, and the next start does it");
            self.handle(Event::Alarm { text });
        }
    }

    pub(super) fn recovery_status(&self) -> RecoveryStatus {
        let table = self.flight.table();
        let bonds = table.watched().filter(|(_, role)| *role == Role::Bond);
        let bonds: Vec<String> = bonds.map(|(link, _)| link.state.name.clone()).collect();
        self.recoverer.recovery.status(clock::now(), &bonds)
    }
}

/// The slave that an earlier agent left out of its bond.
fn noted(told: &Told) -> Option<u32> {
    match told {
        Told::Start(state) => state.out.as_ref().map(|note| note.slave_index),
        _ => None,
    }
}
