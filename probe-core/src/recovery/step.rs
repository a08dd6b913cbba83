//! The steps of a recovery, as they stand on the timeline.

use serde::Serialize;

use crate::tone::Tone;

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Nothing is done, and why.
    Refused,
    /// A recovery begins.
    Begins,
    /// A slave is left alone, and why.
    Skips,
    /// A slave is taken out of its bond.
    Takes,
    /// It is in its bond again.
    PutBack,
    /// It carries traffic again.
    Settled,
    /// It does not yet, after the time that it has.
    Late,
    /// The bond works again.
    Works,
    /// All that could be done is done, and the bond does not work, or nobody can tell.
    Unhelped,
    /// Something could not be done.
    Failed,
    /// The agent stops, or the operator stepped in.
    Stopped,
    /// What an agent that was killed left undone.
    Resumes,
    /// The command is started.
    Command,
    /// The command ended well.
    CommandEnded,
    /// It did not.
    CommandFailed,
}

impl Step {
    /// Whether it is bad news or good news.
    pub fn tone(self) -> Tone {
        match self {
            Step::Settled | Step::Works => Tone::Recovery,
            Step::Late | Step::Failed | Step::Unhelped | Step::CommandFailed => Tone::Failure,
            _ => Tone::Note,
        }
    }
}
