//! Whether there is to be a recovery, and one at a time.

use super::command::call;
use super::guard::candidates;
use super::order::{Attempt, Call, Deed, Refusal, State};
use super::record::{Done, Outcome, Record};
use super::run::{About, Context, Run};
use super::sight::{BondSight, Sight, concerns};
use super::written::{Match, Written, names};
use super::{RecoverMode, RecoveryConfig, Step};
use crate::time::{Mono, SECOND, seconds};
use crate::timeline::LinkName;

/// What the command's runs are counted under.
const COMMAND: &str = "command";

/// What a recovery is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The agent starts: what an earlier one left.
    Start(State),
    /// An incident is on disk.
    Written(Written),
    /// What became of the order of this number.
    Done(u64, Result<(), Refusal>),
    /// The command ended: whether it ended well, and what is to be said of it.
    CommandEnded(bool, String),
    /// Links have changed, or time has passed.
    Look,
    /// The agent stops.
    Stop,
}

/// Decides, and keeps what is under way.
#[derive(Clone, Debug)]
pub struct Recovery {
    pub(super) config: RecoveryConfig,
    pub(super) state: State,
    pub(super) run: Option<Run>,
    number: u64,
    /// The command that runs.
    pub(super) called: Option<Call>,
    /// The command that waits for the end of the recovery.
    waiting: Option<Call>,
    pub(super) last: Option<Record>,
    stopping: bool,
}

impl Recovery {
    /// One that has done nothing.
    pub fn new(config: RecoveryConfig) -> Self {
        let (state, run, called, waiting, last) = (State::default(), None, None, None, None);
        Self { config, state, run, number: 0, called, waiting, last, stopping: false }
    }

    /// Other settings from now on; what is under way goes on as it began.
    pub fn configure(&mut self, config: RecoveryConfig) {
        self.config = config;
    }

    /// Takes an input at `now`, with the bonds as they are; returns what to do, in order.
    pub fn handle(&mut self, now: Mono, input: Input, sight: &Sight) -> Vec<Deed> {
        let mut deeds = Vec::new();
        match input {
            Input::Start(state) => self.start(now, state, sight, &mut deeds),
            Input::Written(written) => self.written(now, &written, sight, &mut deeds),
            Input::Done(number, result) if number == self.number => {
                self.with_run(now, sight, &mut deeds, |run, cx| run.done(cx, result));
            }
            Input::Done(..) => {}
            Input::CommandEnded(well, text) => self.command_ended(well, &text, &mut deeds),
            Input::Look => self.with_run(now, sight, &mut deeds, Run::look),
            Input::Stop => self.stop(now, sight, &mut deeds),
        }
        self.settle(now, &mut deeds);
        deeds
    }

    /// When [`Input::Look`] is wanted at the latest.
    pub fn deadline(&self) -> Option<Mono> {
        self.run.as_ref().and_then(Run::deadline)
    }

    /// True while slaves are taken out and put back.
    pub fn is_busy(&self) -> bool {
        self.run.is_some()
    }

    /// True while the command runs.
    pub fn is_called(&self) -> bool {
        self.called.is_some()
    }

    /// A link that the sight must have, also when it is in no bond.
    pub fn wants(&self) -> Option<u32> {
        let noted = self.state.out.as_ref().map(|note| note.slave_index);
        self.run.as_ref().and_then(Run::slave).or(noted)
    }

    fn start(&mut self, now: Mono, state: State, sight: &Sight, deeds: &mut Vec<Deed>) {
        self.state = state;
        self.state.forget(now);
        if let Some(note) = self.state.out.clone() {
            // Whatever the mode is now: the slave was taken out by us.
            let wait = self.config.wait;
            let mut cx = Context { now, sight, state: &mut self.state, number: &mut self.number, deeds };
            self.run = Some(Run::resume(note, wait, &mut cx));
        }
    }

    fn with_run(&mut self, now: Mono, sight: &Sight, deeds: &mut Vec<Deed>, act: impl FnOnce(&mut Run, &mut Context<'_>)) {
        let Some(run) = &mut self.run else { return };
        act(run, &mut Context { now, sight, state: &mut self.state, number: &mut self.number, deeds });
    }

    /// Takes note of a run that has ended.
    fn settle(&mut self, now: Mono, deeds: &mut Vec<Deed>) {
        let Some(outcome) = self.run.as_ref().and_then(Run::ended) else { return };
        if let Some(run) = self.run.take() {
            self.keep(run.record(outcome, now), deeds);
        }
        if let Some(call) = self.waiting.take() {
            self.run_command(call, deeds);
        }
    }

    fn keep(&mut self, record: Record, deeds: &mut Vec<Deed>) {
        self.last = Some(record.clone());
        deeds.push(Deed::Keep(record));
    }

    fn written(&mut self, now: Mono, written: &Written, sight: &Sight, deeds: &mut Vec<Deed>) {
        if self.config.mode == RecoverMode::Off || self.stopping {
            return;
        }
        self.state.forget(now);
        let matches = written.matches(&self.config.on);
        if !matches.is_empty() {
            self.consider(now, written, &matches, sight, deeds);
        }
        if let Some(call) = call(&self.config.command, &self.config.command_on, written, sight) {
            self.command(now, call, deeds);
        }
    }

    /// An incident has a cause: recovers its bond, or says why not.
    fn consider(&mut self, now: Mono, written: &Written, matches: &[Match], sight: &Sight, deeds: &mut Vec<Deed>) {
        let only = match sight.bonds.as_slice() {
            [only] => Some(only),
            _ => None,
        };
        let bond_of = |found: &Match| found.link.as_ref().map_or(only, |link| sight.bond_of(link));
        let mut bonds: Vec<&BondSight> = Vec::new();
        for bond in matches.iter().filter_map(bond_of) {
            if !bonds.iter().any(|known| known.link == bond.link) {
                bonds.push(bond);
            }
        }
        if bonds.is_empty() {
            let about = self.about(written, matches, sight, None);
            return self.refuse(now, about, None, "it is about no bond that is watched", deeds);
        }
        for bond in bonds {
            let of_bond = |found: &&Match| bond_of(found).is_some_and(|of| of.link == bond.link);
            let ours: Vec<Match> = matches.iter().filter(of_bond).cloned().collect();
            let about = self.about(written, &ours, sight, Some(bond));
            match self.objection(now, &about, &ours, bond, sight) {
                Some(why) => self.refuse(now, about, Some(bond.link.clone()), &why, deeds),
                None if self.config.mode == RecoverMode::DryRun => self.dry_run(now, about, bond, sight, deeds),
                None => {
                    self.state.attempts.push(Attempt { what: bond.link.name.clone(), at: now.0 });
                    let wait = self.config.wait;
                    let mut cx = Context { now, sight, state: &mut self.state, number: &mut self.number, deeds };
                    self.run = Some(Run::begin(about, bond, wait, &mut cx));
                }
            }
        }
    }

    fn about(&self, written: &Written, matches: &[Match], sight: &Sight, bond: Option<&BondSight>) -> About {
        let mut kinds: Vec<_> = matches.iter().flat_map(|found| concerns(found.cause)).collect();
        kinds.sort();
        kinds.dedup();
        let slave = |found: &Match| {
            let link = found.link.as_ref()?;
            let found = sight.slaves.iter().find(|slave| slave.link.name == link.name)?;
            (found.master == bond.map(|bond| bond.link.ifindex)).then_some(found.link.ifindex)
        };
        About {
            incident: written.id.clone(),
            directory: written.directory.clone(),
            why: names(matches),
            concerns: kinds,
            named: matches.iter().filter_map(slave).collect(),
            only_named: matches.iter().all(|found| slave(found).is_some()),
        }
    }

    /// Why a bond is not recovered, if it is not.
    fn objection(&self, now: Mono, about: &About, matches: &[Match], bond: &BondSight, sight: &Sight) -> Option<String> {
        let name = &bond.link.name;
        if let Some(run) = &self.run {
            return Some(format!("the recovery of {} is not over", run.bond().name));
        }
        if let Some(note) = &self.state.out {
            let back = sight.slave(note.slave_index).is_some_and(|slave| slave.master == Some(note.bond_index));
            if !back {
                return Some(format!("{} is still out of {}: an earlier recovery could not put it back", note.slave, note.bond));
            }
        }
        let goes_on = matches.iter().any(|found| found.goes_on || concerns(found.cause).is_empty());
        if !goes_on && sight.troubles_of(bond.link.ifindex, &about.concerns).is_empty() {
            return Some(format!("{name} works again"));
        }
        if !bond.admin_up {
            return Some(format!("{name} is set down"));
        }
        if self.state.count(name, now) >= self.config.limit {
            return Some(format!("{name} was recovered {} times within an hour, which is the limit", self.config.limit));
        }
        let all = candidates(sight, bond, &about.named);
        let considered = || all.iter().filter(|(slave, _)| !about.only_named || about.named.contains(&slave.link.ifindex));
        if considered().any(|(_, may)| may.is_ok()) {
            return None;
        }
        let why: Vec<String> =
            considered().filter_map(|(slave, may)| may.as_ref().err().map(|why| format!("{} {why}", slave.link.name))).collect();
        if why.is_empty() { Some(format!("{name} has no slave")) } else { Some(why.join("; ")) }
    }

    fn refuse(&mut self, now: Mono, about: About, link: Option<LinkName>, why: &str, deeds: &mut Vec<Deed>) {
        let text = format!("nothing is done for {}, found by incident {}: {why}", about.why, about.incident);
        let dry_run = self.config.mode == RecoverMode::DryRun;
        let step = Done { at: now, link: link.clone(), step: Step::Refused, text: text.clone() };
        deeds.push(Deed::Tell { link: link.clone(), step: Step::Refused, dry_run, text });
        let record = self.undone(now, about, link, Outcome::Refused, vec![step]);
        self.keep(record, deeds);
    }

    /// Tells what would be done.
    fn dry_run(&mut self, now: Mono, about: About, bond: &BondSight, sight: &Sight, deeds: &mut Vec<Deed>) {
        let name = &bond.link.name;
        let wait = seconds(self.config.wait);
        let mut steps = Vec::new();
        let mut tell = |link: &LinkName, step, text: String| {
            steps.push(Done { at: now, link: Some(link.clone()), step, text: text.clone() });
            deeds.push(Deed::Tell { link: Some(link.clone()), step, dry_run: true, text });
        };
        let text = format!(
            "{name} would be recovered for {}, found by incident {}: one slave at a time, until it works again",
            about.why, about.incident
        );
        tell(&bond.link, Step::Begins, text);
        for (slave, may) in candidates(sight, bond, &about.named) {
            match may {
                Err(why) => tell(&slave.link, Step::Skips, format!("would be left alone: it {why}")),
                Ok(()) if about.only_named && !about.named.contains(&slave.link.ifindex) => {
                    tell(&slave.link, Step::Skips, "would be left alone: the incident does not name it".to_owned());
                }
                Ok(()) => {
                    let text = format!("would be taken out of {name} and put back, and have {wait:.0} s to carry traffic again");
                    tell(&slave.link, Step::Takes, text);
                }
            }
        }
        // It counts as the real one would: what is told is what would be done.
        self.state.attempts.push(Attempt { what: name.clone(), at: now.0 });
        let record = self.undone(now, about, Some(bond.link.clone()), Outcome::DryRun, steps);
        self.keep(record, deeds);
    }

    fn undone(&self, now: Mono, about: About, link: Option<LinkName>, outcome: Outcome, steps: Vec<Done>) -> Record {
        let About { incident, directory, why, .. } = about;
        let bond = link.map_or_else(String::new, |link| link.name);
        Record { incident, directory, why, bond, mode: self.config.mode, outcome, from: now, to: now, steps }
    }

    fn command(&mut self, now: Mono, call: Call, deeds: &mut Vec<Deed>) {
        let words = call.argv.join(" ");
        let mut tell = |step, dry_run, text: String| deeds.push(Deed::Tell { link: call.bond.clone(), step, dry_run, text });
        if self.called.is_some() || self.waiting.is_some() {
            return tell(
                Step::Refused,
                false,
                format!("{words} is not run for incident {}: another run is not over", call.incident),
            );
        }
        if self.state.count(COMMAND, now) >= self.config.limit {
            let limit = self.config.limit;
            return tell(
                Step::Refused,
                false,
                format!("{words} is not run for incident {}: it was run {limit} times within an hour", call.incident),
            );
        }
        self.state.attempts.push(Attempt { what: COMMAND.to_owned(), at: now.0 });
        if self.config.mode == RecoverMode::DryRun {
            return tell(Step::Command, true, format!("{words} would be run for incident {}", call.incident));
        }
        if self.run.is_some() {
            self.waiting = Some(call);
        } else {
            self.run_command(call, deeds);
        }
    }

    fn run_command(&mut self, mut call: Call, deeds: &mut Vec<Deed>) {
        let same = self.last.as_ref().filter(|record| record.incident == call.incident);
        let outcome = same.map_or("", |record| record.outcome.name()).to_owned();
        call.environment.push(("LINKPROBE_RECOVERY".to_owned(), outcome));
        let text = format!("{} is run for incident {}", call.argv.join(" "), call.incident);
        deeds.push(Deed::Tell { link: call.bond.clone(), step: Step::Command, dry_run: false, text });
        self.called = Some(call.clone());
        deeds.push(Deed::Run(call));
    }

    fn command_ended(&mut self, well: bool, text: &str, deeds: &mut Vec<Deed>) {
        let Some(call) = self.called.take() else { return };
        let step = if well { Step::CommandEnded } else { Step::CommandFailed };
        deeds.push(Deed::Tell { link: call.bond, step, dry_run: false, text: format!("{} {text}", call.argv.join(" ")) });
    }

    fn stop(&mut self, now: Mono, sight: &Sight, deeds: &mut Vec<Deed>) {
        self.stopping = true;
        if let Some(call) = self.waiting.take() {
            let text = format!("{} is not run for incident {}: the agent stops", call.argv.join(" "), call.incident);
            deeds.push(Deed::Tell { link: call.bond, step: Step::Refused, dry_run: false, text });
        }
        self.with_run(now, sight, deeds, Run::stop);
    }
}

/// So long a stopping agent waits for a slave to be back, nanoseconds.
pub const STOP_WAIT: u64 = 15 * SECOND;
