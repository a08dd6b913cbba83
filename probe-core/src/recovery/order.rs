//! What a recovery asks for, and what it must remember.

use serde::{Deserialize, Serialize};

use super::{Record, Step};
use crate::time::Mono;
use crate::timeline::LinkName;

/// Something to do with the kernel or the disk: one at a time, each answered by [`super::Input::Done`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Write this down so that a crash does not lose it.
    Save(State),
    /// Take a slave out of its bond.
    Release {
        /// The slave.
        slave: LinkName,
    },
    /// Set a slave down if it is up, put it into a bond, and set it up.
    Enslave {
        /// The slave.
        slave: LinkName,
        /// The bond.
        bond: LinkName,
    },
    /// Give a slave the attributes that it had.
    Restore {
        /// The slave.
        slave: LinkName,
        /// Its queue; 0: none of its own, and nothing to do.
        queue_id: u16,
        /// Its priority; 0: nothing to do.
        prio: i32,
        /// The bond, where the slave was its primary and is not now.
        primary_of: Option<LinkName>,
    },
    /// Make a slave the active one.
    Activate {
        /// The bond.
        bond: LinkName,
        /// The slave.
        slave: LinkName,
    },
}

/// Why something could not be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The slave or the bond is not there.
    pub gone: bool,
    /// In words.
    pub text: String,
}

/// What the agent does for a recovery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Put a step on the timeline.
    Tell {
        /// The bond or the slave.
        link: Option<LinkName>,
        /// Which.
        step: Step,
        /// Nothing is done: it only would be.
        dry_run: bool,
        /// In words.
        text: String,
    },
    /// What happens to this slave now is our doing: no incident is to open for it.
    Hold {
        /// The slave.
        slave: LinkName,
        /// Its bond.
        bond: LinkName,
    },
    /// It is no longer. `out`: it is not in its bond.
    Free {
        /// The slave.
        slave: LinkName,
        /// The slave could not be put back.
        out: bool,
    },
    /// Do this; the number comes back with the outcome.
    Order(u64, Order),
    /// Ask the kernel for a link as it is.
    Ask(u32),
    /// Run the command.
    Run(Call),
    /// A recovery has ended: write it beside its incident.
    Keep(Record),
}

/// A run of the operator's command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// The command and its arguments.
    pub argv: Vec<String>,
    /// Its environment, beside a path and a language.
    pub environment: Vec<(String, String)>,
    /// The incident.
    pub incident: String,
    /// The bond, where there is one.
    pub bond: Option<LinkName>,
}

/// What outlives the agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Recoveries of the last hour.
    pub attempts: Vec<Attempt>,
    /// The slave that is out of its bond.
    pub out: Option<Note>,
}

/// When something was done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The bond; of a run of the command, `command`.
    pub what: String,
    /// Nanoseconds of the clock that goes on across restarts of the agent, from the machine's start.
    pub at: u64,
}

/// A slave that was taken out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The incident.
    pub incident: String,
    /// Its directory.
    pub directory: String,
    /// Name of the bond.
    pub bond: String,
    /// Its index.
    pub bond_index: u32,
    /// Name of the slave.
    pub slave: String,
    /// Its index.
    pub slave_index: u32,
    /// Its queue.
    pub queue_id: u16,
    /// Its priority.
    pub prio: i32,
    /// It was the bond's primary.
    pub primary: bool,
    /// When it was taken out, by the same clock.
    pub at: u64,
}

impl State {
    /// Leaves out what is older than an hour at `now`.
    pub fn forget(&mut self, now: Mono) {
        self.attempts.retain(|attempt| attempt.at <= now.0 && now.0 - attempt.at < HOUR);
    }

    /// How often something was done in the hour before `now`.
    pub fn count(&self, what: &str, now: Mono) -> u32 {
        let within = |attempt: &&Attempt| attempt.what == what && attempt.at <= now.0 && now.0 - attempt.at < HOUR;
        u32::try_from(self.attempts.iter().filter(within).count()).unwrap_or(u32::MAX)
    }
}

/// An hour, nanoseconds.
pub const HOUR: u64 = 3600 * crate::time::SECOND;
