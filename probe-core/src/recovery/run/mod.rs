//! A recovery under way: one slave after the other is taken out, put back and waited for.

mod taking;
mod waiting;

use super::order::{Deed, Note, Order, Refusal, State};
use super::record::{Done, Outcome, Record};
use super::sight::{BondSight, Sight, TroubleKind};
use super::{RecoverMode, Step};
use crate::time::{Mono, SECOND, seconds};
use crate::timeline::LinkName;

/// Time without any trouble after which a bond works again.
const STEADY: u64 = 3 * SECOND / 2;
/// Time between two questions to the kernel about a slave that is waited for.
const ASK: u64 = SECOND;

/// What a recovery is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The incident.
    pub incident: String,
    /// Its directory.
    pub directory: String,
    /// Names of findings and triggers.
    pub why: String,
    /// What is over when it works again.
    pub concerns: Vec<TroubleKind>,
    /// Slaves that the incident names.
    pub named: Vec<u32>,
    /// Only those are taken.
    pub only_named: bool,
}

/// What a run works with.
pub struct Context<'a> {
    /// Now.
    pub now: Mono,
    /// The bonds as they are.
    pub sight: &'a Sight,
    /// What outlives the agent.
    pub state: &'a mut State,
    /// Number of the newest order.
    pub number: &'a mut u64,
    /// What comes out.
    pub deeds: &'a mut Vec<Deed>,
}

/// The recovery.
#[derive(Clone, Debug)]
pub struct Run {
    about: About,
    bond: LinkName,
    wait: u64,
    began: Mono,
    /// Something was wrong that can be seen to be over.
    known: bool,
    /// The slave that was active when it began.
    active: Option<u32>,
    /// Slaves that were taken, or cannot be.
    touched: Vec<u32>,
    taken: Taken,
    stage: Stage,
    /// Nothing further is begun.
    stopping: bool,
    /// It goes on where a killed agent left off.
    resumed: bool,
    /// A step failed: what is out is put back, and that is all.
    failed: bool,
    ended: Option<Outcome>,
    steps: Vec<Done>,
}

/// The slave that it is about now.
#[derive(Clone, Debug, Default)]
struct Taken {
    slave: LinkName,
    note: Note,
    /// It worked before.
    worked: bool,
    /// Attempts to put it back that failed.
    tries: usize,
    /// When it was put back.
    back: Mono,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The note is written.
    Noting,
    /// It is taken out.
    Releasing,
    /// It is put back.
    Enslaving,
    /// Before the next attempt.
    Pausing { until: Mono },
    /// It is given its attributes.
    Restoring,
    /// The note is taken back.
    Clearing,
    /// It is to carry traffic.
    Settling { until: Mono, ask: Mono },
    /// The bond is to work.
    Checking { until: Mono, good: Option<Mono> },
    /// The slave that was active is made so again.
    Activating(Outcome),
    /// Nothing.
    Over,
}

impl Run {
    /// Begins to recover a bond.
    pub fn begin(about: About, bond: &BondSight, wait: u64, cx: &mut Context<'_>) -> Self {
        let mut run = Self::new(about, bond.link.clone(), wait, cx.now);
        run.active = bond.active;
        run.known = !cx.sight.troubles_of(bond.link.ifindex, &run.about.concerns).is_empty();
        let text = format!(
            "{} is recovered for {}, found by incident {}: one slave at a time is taken out and put back",
            bond.link.name, run.about.why, run.about.incident
        );
        run.tell(cx, Some(bond.link.clone()), Step::Begins, text);
        run.next(cx);
        run
    }

    /// Goes on where an agent that was killed left off: the slave of the note is out of its bond.
    pub fn resume(note: Note, wait: u64, cx: &mut Context<'_>) -> Self {
        let about = About {
            incident: note.incident.clone(),
            directory: note.directory.clone(),
            why: "an agent that was killed while a slave was out".to_owned(),
            ..About::default()
        };
        let by_name = cx.sight.bonds.iter().find(|bond| bond.link.name == note.bond);
        let bond = cx.sight.bond(note.bond_index).or(by_name);
        let bond = bond.map_or_else(|| LinkName { ifindex: note.bond_index, name: note.bond.clone() }, |bond| bond.link.clone());
        let mut run = Self::new(about, bond, wait, cx.now);
        let slave = LinkName { ifindex: note.slave_index, name: note.slave.clone() };
        let ago = seconds(cx.now.since(Mono(note.at)));
        let text = format!("was taken out of {} {ago:.1} s ago by an agent that did not put it back", run.bond.name);
        run.taken = Taken { slave: slave.clone(), note, ..Taken::default() };
        (run.stopping, run.resumed) = (true, true);
        run.tell(cx, Some(slave.clone()), Step::Resumes, text);
        cx.deeds.push(Deed::Hold { slave, bond: run.bond.clone() });
        run.put_back(cx);
        run
    }

    fn new(about: About, bond: LinkName, wait: u64, now: Mono) -> Self {
        Self {
            about,
            bond,
            wait,
            began: now,
            known: false,
            active: None,
            touched: Vec::new(),
            taken: Taken::default(),
            stage: Stage::Over,
            stopping: false,
            resumed: false,
            failed: false,
            ended: None,
            steps: Vec::new(),
        }
    }

    /// The bond.
    pub fn bond(&self) -> &LinkName {
        &self.bond
    }

    /// How it ended; `None` while it goes on.
    pub fn ended(&self) -> Option<Outcome> {
        self.ended
    }

    /// The slave that is to be looked at even if it is in no bond.
    pub fn slave(&self) -> Option<u32> {
        (self.stage != Stage::Over).then_some(self.taken.slave.ifindex)
    }

    /// When it wants to look again.
    pub fn deadline(&self) -> Option<Mono> {
        match self.stage {
            Stage::Pausing { until } => Some(until),
            Stage::Settling { until, ask } => Some(until.min(ask)),
            Stage::Checking { until, good } => Some(good.map_or(until, |good| until.min(good.plus(STEADY)))),
            _ => None,
        }
    }

    /// What it does now, in words.
    pub fn words(&self) -> String {
        let (slave, bond) = (&self.taken.slave.name, &self.bond.name);
        match self.stage {
            Stage::Noting | Stage::Releasing => format!("taking {slave} out of {bond}"),
            Stage::Enslaving | Stage::Pausing { .. } | Stage::Restoring | Stage::Clearing => {
                format!("putting {slave} back into {bond}")
            }
            Stage::Settling { .. } => format!("waiting for {slave} to carry traffic"),
            Stage::Checking { .. } | Stage::Activating(_) | Stage::Over => format!("looking whether {bond} works again"),
        }
    }

    /// What became of it.
    pub fn record(&self, outcome: Outcome, now: Mono) -> Record {
        let About { incident, directory, why, .. } = self.about.clone();
        let (bond, mode, steps) = (self.bond.name.clone(), RecoverMode::On, self.steps.clone());
        Record { incident, directory, why, bond, mode, outcome, from: self.began, to: now, steps }
    }

    /// The agent stops: what is out is put back, and nothing else is begun.
    pub fn stop(&mut self, cx: &mut Context<'_>) {
        self.stopping = true;
        match self.stage {
            Stage::Settling { .. } | Stage::Checking { .. } => self.finish(cx, Outcome::Stopped),
            Stage::Pausing { .. } => self.put_back(cx),
            _ => {}
        }
    }

    /// An order was carried out, or could not be.
    pub fn done(&mut self, cx: &mut Context<'_>, result: Result<(), Refusal>) {
        let slave = Some(self.taken.slave.clone());
        match (self.stage, result) {
            (Stage::Noting, Ok(())) => self.release(cx),
            (Stage::Noting, Err(error)) => {
                let text =
                    format!("stays in {}: what a restart must know cannot be written down: {}", self.bond.name, error.text);
                self.tell(cx, slave, Step::Failed, text);
                cx.state.out = None;
                self.stage = Stage::Over;
                self.finish(cx, Outcome::Failed);
            }
            (Stage::Releasing, Ok(())) => self.put_back(cx),
            (Stage::Releasing, Err(error)) => {
                self.failed = true;
                self.tell(cx, slave, Step::Failed, format!("cannot be taken out of {}: {}", self.bond.name, error.text));
                self.put_back(cx);
            }
            (Stage::Enslaving, Ok(())) => self.is_back(cx, true),
            (Stage::Enslaving, Err(error)) => self.not_back(cx, &error),
            (Stage::Restoring, Ok(())) => self.clear(cx),
            (Stage::Restoring, Err(error)) => {
                self.failed = true;
                self.tell(cx, slave, Step::Failed, format!("has not got back all that was set at it: {}", error.text));
                self.clear(cx);
            }
            (Stage::Clearing, result) => {
                if let Err(error) = result {
                    let text = format!("is in {} and still noted as out: {}", self.bond.name, error.text);
                    self.tell(cx, slave, Step::Failed, text);
                }
                self.cleared(cx);
            }
            (Stage::Activating(outcome), result) => {
                let (step, text) = match result {
                    Ok(()) => (Step::PutBack, "is the active slave again, as before".to_owned()),
                    Err(error) => (Step::Failed, format!("is not the active slave as before: {}", error.text)),
                };
                let link = self.active.and_then(|active| cx.sight.slave(active)).map(|slave| slave.link.clone());
                self.tell(cx, link, step, text);
                self.over(cx, outcome);
            }
            _ => {}
        }
    }

    /// Time has passed, or something has changed.
    pub fn look(&mut self, cx: &mut Context<'_>) {
        match self.stage {
            Stage::Pausing { until } if cx.now >= until => self.put_back(cx),
            Stage::Settling { until, ask } => self.settling(cx, until, ask),
            Stage::Checking { until, good } => self.checking(cx, until, good),
            _ => {}
        }
    }

    /// It is over; where it did not help, the slave that was active is made so again.
    pub(super) fn finish(&mut self, cx: &mut Context<'_>, outcome: Outcome) {
        let now_active = cx.sight.bond(self.bond.ifindex).and_then(|bond| bond.active);
        let was = self.active.filter(|was| Some(*was) != now_active && now_active.is_some());
        let slave = was.and_then(|was| cx.sight.slave(was));
        let back = slave.filter(|slave| slave.is_usable() && slave.master == Some(self.bond.ifindex));
        match back {
            Some(slave) if !matches!(outcome, Outcome::Recovered) => {
                let order = Order::Activate { bond: self.bond.clone(), slave: slave.link.clone() };
                self.order(cx, Stage::Activating(outcome), order);
            }
            _ => self.over(cx, outcome),
        }
    }

    fn over(&mut self, cx: &mut Context<'_>, outcome: Outcome) {
        if outcome == Outcome::Stopped {
            self.tell(cx, Some(self.bond.clone()), Step::Stopped, "the recovery ends here".to_owned());
        }
        self.stage = Stage::Over;
        self.ended = Some(outcome);
    }

    pub(super) fn order(&mut self, cx: &mut Context<'_>, stage: Stage, order: Order) {
        *cx.number += 1;
        self.stage = stage;
        cx.deeds.push(Deed::Order(*cx.number, order));
    }

    pub(super) fn tell(&mut self, cx: &mut Context<'_>, link: Option<LinkName>, step: Step, text: String) {
        self.steps.push(Done { at: cx.now, link: link.clone(), step, text: text.clone() });
        cx.deeds.push(Deed::Tell { link, step, dry_run: false, text });
    }
}
