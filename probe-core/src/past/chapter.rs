//! Some minutes of the history: what all links carried, and how they changed. Chapters come and go whole.

use super::axis::Axis;
use super::column::Column;
use super::condition::Condition;
use crate::time::{Mono, SECOND};

/// Seconds of a chapter.
pub const SECONDS: u32 = 600;
/// Changes of one track in a chapter that are kept one by one; beyond, those of one second are kept as one.
const SINGLE: u16 = 256;

/// A change of a track, or its condition at the chapter's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Mono,
    /// Of which track.
    pub track: u16,
    /// So many changes in one, the first of them at `at`; 0 for what was so at the chapter's start, or when the track began.
    pub count: u16,
    /// From then on.
    pub condition: Condition,
}

/// A chapter. It can be read without the others.
#[derive(Clone, Debug, Default)]
pub struct Chapter {
    /// Its seconds.
    pub axis: Axis,
    /// By link, in the order in which they came.
    pub columns: Vec<Column>,
    /// In order of arrival: a cause can be told of later than what came after it.
    pub changes: Vec<Change>,
}

impl Chapter {
    /// That begins at `from`, with these conditions.
    pub fn new(from: Mono, conditions: impl Iterator<Item = (u16, Condition)>) -> Self {
        let start = |(track, condition)| Change { at: from, track, count: 0, condition };
        Self { axis: Axis::new(from), columns: Vec::new(), changes: conditions.map(start).collect() }
    }

    /// A track changed; `earlier` is how many changes of it this chapter has. False when it was put together with the one before.
    pub fn change(&mut self, change: Change, earlier: u16) -> bool {
        let of_track = |last: &&mut Change| last.track == change.track && last.count > 0;
        if earlier >= SINGLE
            && let Some(last) = self.changes.iter_mut().rev().find(of_track)
            && change.at.since(last.at) < SECOND
        {
            last.count = last.count.saturating_add(change.count);
            last.condition = change.condition;
            return false;
        }
        self.changes.push(change);
        true
    }

    /// Bytes of memory.
    pub fn memory(&self) -> usize {
        let columns: usize = self.columns.iter().map(Column::memory).sum();
        // The columns' own size is in theirs.
        size_of::<Self>() + self.axis.memory() + columns + self.changes.capacity() * size_of::<Change>()
    }

    /// Gives back what is not used: nothing more will be added.
    pub fn settle(&mut self) {
        self.axis.settle();
        self.columns.iter_mut().for_each(Column::settle);
        self.columns.shrink_to_fit();
        self.changes.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reach::TargetState;

    #[test]
    fn a_track_that_changes_without_end_is_kept_second_by_second() {
        let mut chapter = Chapter::new(Mono(0), [(3, Condition::Gone)].into_iter());
        let mut kept = 0;
        for change in 0..100_000u64 {
            let state = if change % 2 == 0 { TargetState::Down } else { TargetState::Up };
            let change = Change { at: Mono(change * SECOND / 200), track: 3, count: 1, condition: Condition::Target(state) };
            kept += u16::from(chapter.change(change, kept));
        }
        assert!(chapter.changes.len() < 256 + 520, "{} changes of 500 seconds", chapter.changes.len());
        let counted: u64 = chapter.changes.iter().map(|change| u64::from(change.count)).sum();
        assert_eq!(counted, 100_000);
        assert_eq!(chapter.changes.last().map(|last| last.condition), Some(Condition::Target(TargetState::Up)));
    }
}
