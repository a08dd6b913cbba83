//! What the watched links were like some time ago: an incident begins before its trigger.

use std::collections::{BTreeMap, VecDeque};

use crate::link::{LinkState, LinkStats};
use crate::time::{Mono, SECOND};

/// Earlier states that are kept of each link, over the time that an incident reaches back. A link that changes more often
/// keeps the first state of each of these spans.
const STATES: u64 = 64;

/// Past states of the links that are or were watched.
#[derive(Clone, Debug)]
pub struct History {
    reach: u64,
    tracks: BTreeMap<u32, Track>,
}

#[derive(Clone, Debug, Default)]
struct Track {
    /// When it was first watched; `None`: at the start.
    since: Option<Mono>,
    /// States, oldest first, each with the time until which it was so.
    past: VecDeque<(Mono, LinkState)>,
    /// When it was gone, or no longer watched.
    gone: Option<Mono>,
}

impl History {
    /// That reaches back so many nanoseconds.
    pub fn new(reach: u64) -> Self {
        Self { reach: reach.saturating_add(5 * SECOND), tracks: BTreeMap::new() }
    }

    /// From now on it reaches back so far.
    pub fn set_reach(&mut self, reach: u64) {
        self.reach = reach.saturating_add(5 * SECOND);
    }

    /// A link was watched from the start.
    pub fn start(&mut self, ifindex: u32) {
        self.tracks.insert(ifindex, Track::default());
    }

    /// A link changed at `at`. `before` and `after` are its states as a watched link: `None` when it was not, or is not.
    pub fn change(&mut self, at: Mono, before: Option<LinkState>, after: Option<&LinkState>) {
        let Some(ifindex) = before.as_ref().or(after).map(|state| state.ifindex) else { return };
        let Some(before) = before else {
            let track = self.tracks.entry(ifindex).or_insert_with(|| Track { since: Some(at), ..Track::default() });
            track.gone = None;
            return;
        };
        if after.is_some_and(|after| same(&before, after)) {
            return;
        }
        let track = self.tracks.entry(ifindex).or_default();
        let span = self.reach / STATES;
        if after.is_none() || track.past.back().is_none_or(|(until, _)| at.since(*until) >= span) {
            track.past.push_back((at, before));
        }
        if after.is_none() {
            track.gone = Some(at);
        }
        self.forget(at);
    }

    /// The links that were watched at `at`, as they were. `current` gives the states now.
    pub fn at<'a>(&self, at: Mono, current: impl Fn(u32) -> Option<&'a LinkState>) -> Vec<LinkState> {
        let state = |(ifindex, track): (&u32, &Track)| {
            let watched = track.since.is_none_or(|since| since <= at) && track.gone.is_none_or(|gone| gone > at);
            if !watched {
                return None;
            }
            let past = track.past.iter().find(|(until, _)| *until > at).map(|(_, state)| state.clone());
            past.or_else(|| current(*ifindex).cloned())
        };
        self.tracks.iter().filter_map(state).collect()
    }

    fn forget(&mut self, now: Mono) {
        let oldest = now.minus(self.reach);
        self.tracks.retain(|_, track| {
            while track.past.front().is_some_and(|(until, _)| *until <= oldest) {
                track.past.pop_front();
            }
            track.gone.is_none_or(|gone| gone > oldest)
        });
    }
}

/// Whether two states differ in nothing but the driver's counters.
fn same(a: &LinkState, b: &LinkState) -> bool {
    let without = |state: &LinkState| LinkState { stats: LinkStats::default(), ..state.clone() };
    a.stats == b.stats && a == b || without(a) == without(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{at, down, link, up};

    fn carriers(history: &History, when: Mono, now: &LinkState) -> Vec<bool> {
        history.at(when, |_| Some(now)).iter().map(|state| state.carrier).collect()
    }

    #[test]
    fn a_state_of_before_a_change_is_known_after_it() {
        let mut history = History::new(30 * SECOND);
        let (was, is) = (link(1, "eth1"), down(link(1, "eth1")));
        history.start(1);
        history.change(at(50_000), Some(was), Some(&is));
        assert_eq!(carriers(&history, at(49_999), &is), [true]);
        assert_eq!(carriers(&history, at(50_000), &is), [false]);
    }

    #[test]
    fn a_link_that_came_later_was_not_there_and_one_that_left_was() {
        let mut history = History::new(30 * SECOND);
        let state = link(1, "eth1");
        history.change(at(1000), None, Some(&state));
        history.change(at(3000), Some(state.clone()), None);
        assert_eq!(carriers(&history, at(900), &state), Vec::<bool>::new());
        assert_eq!(carriers(&history, at(2000), &state), [true]);
        assert_eq!(carriers(&history, at(3000), &state), Vec::<bool>::new());
    }

    #[test]
    fn a_link_that_flaps_for_hours_needs_little_memory() {
        let mut history = History::new(30 * SECOND);
        let mut state = link(1, "eth1");
        history.start(1);
        for flip in 0..100_000u64 {
            let next = if flip % 2 == 0 { down(state.clone()) } else { up(state.clone()) };
            history.change(at(flip * 20), Some(state), Some(&next));
            state = next;
        }
        let kept = history.tracks[&1].past.len();
        assert!(kept <= 65, "{kept} states");
    }
}
