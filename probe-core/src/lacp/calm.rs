//! LACPDUs that say what the one before said, and come on time: of long runs of them only the ends are listed.
//!
//! So a list of bounded length holds what happened, however long it was calm before and after.

use std::collections::{BTreeMap, VecDeque};

use super::Lacpdu;
use crate::direction::Direction;
use crate::time::{Mono, SECOND};

/// Something that is a LACPDU in a list.
pub trait Listed {
    /// Tells links apart.
    type Link: Ord + Clone;
    /// Its link.
    fn link(&self) -> Self::Link;
    /// Which way.
    fn direction(&self) -> Direction;
    /// When.
    fn at(&self) -> Mono;
    /// What it says.
    fn pdu(&self) -> &Lacpdu;
    /// So many of its kind before it are not listed: they said the same, and came on time.
    fn unlisted(&mut self) -> &mut u64;
}

/// Times at which something happened, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moments(Vec<Mono>);

impl FromIterator<Mono> for Moments {
    fn from_iter<I: IntoIterator<Item = Mono>>(times: I) -> Self {
        let mut times: Vec<Mono> = times.into_iter().collect();
        times.sort_unstable();
        times.dedup();
        Self(times)
    }
}

impl Moments {
    /// Whether one of them is at most so many nanoseconds from `at`.
    pub fn near(&self, at: Mono, ns: u64) -> bool {
        let next = self.0.partition_point(|of| *of < at.minus(ns));
        self.0.get(next).is_some_and(|of| *of <= at.plus(ns))
    }

    /// Each.
    pub fn iter(&self) -> impl Iterator<Item = Mono> {
        self.0.iter().copied()
    }
}

/// When LACPDUs of a list began, changed, came late or ended. The list is in order of time.
pub fn moments<T: Listed>(list: &mut VecDeque<T>) -> Moments {
    let mut last: BTreeMap<(T::Link, Direction), (Mono, Lacpdu)> = BTreeMap::new();
    let mut found = Vec::new();
    for of in list {
        let (link, direction, at, pdu, run) = (of.link(), of.direction(), of.at(), *of.pdu(), *of.unlisted() > 0);
        let receiver = last.get(&(link.clone(), direction.other())).map(|(_, pdu)| pdu.actor.state);
        let fast = receiver.unwrap_or(pdu.partner.state).timeout();
        let on_time = if fast { 3 * SECOND / 2 } else { 45 * SECOND };
        match last.insert((link, direction), (at, pdu)) {
            Some((_, before)) if before == pdu && run => {}
            Some((earlier, before)) if before == pdu && at.since(earlier) <= on_time => {}
            Some((earlier, _)) => found.extend([earlier, at]),
            None => found.push(at),
        }
    }
    found.into_iter().chain(last.into_values().map(|(at, _)| at)).collect()
}

/// Takes out what is farther than `ns` from each of `moments`, which hold those of the list; it is counted at the next that stays.
pub fn collapse<T: Listed>(list: &mut VecDeque<T>, moments: &Moments, ns: u64) {
    let mut taken: BTreeMap<(T::Link, Direction), u64> = BTreeMap::new();
    list.retain_mut(|of| {
        let count = taken.entry((of.link(), of.direction())).or_default();
        if moments.near(of.at(), ns) {
            *of.unlisted() += std::mem::take(count);
            return true;
        }
        *count += *of.unlisted() + 1;
        false
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lacp::{LacpduSeen, PortInfo, PortState};
    use crate::samples::at;
    use crate::timeline::LinkName;

    /// A slave's LACPDUs, a second apart, each as its state.
    fn list(states: impl IntoIterator<Item = (u64, u8)>) -> VecDeque<LacpduSeen> {
        let port = |state| PortInfo { state: PortState(state), ..PortInfo::default() };
        let seen = |(second, state): (u64, u8)| LacpduSeen {
            at: at(second * 1000),
            link: LinkName { ifindex: 1, name: "eth1".to_owned() },
            direction: Direction::Ingress,
            pdu: Lacpdu { actor: port(state), partner: port(0x3f) },
            unlisted: 0,
        };
        states.into_iter().map(seen).collect()
    }

    fn seconds(list: &VecDeque<LacpduSeen>) -> Vec<(u64, u64)> {
        list.iter().map(|of| (of.at.0 / SECOND, of.unlisted)).collect()
    }

    #[test]
    fn of_a_calm_run_both_ends_stay_with_the_number_of_those_between() {
        let mut long = list((0..10_000).map(|second| (second, 0x3f)));
        let found = moments(&mut long);
        collapse(&mut long, &found, 0);
        assert_eq!(seconds(&long), [(0, 0), (9999, 9998)]);
        let again = moments(&mut long);
        assert_eq!(again, found, "a run that was collapsed is none that came late");
    }

    #[test]
    fn changes_and_gaps_stay_with_what_is_around_them() {
        let states =
            (0..1000).map(|second| (second, if second < 500 { 0x3f } else { 0x3d })).filter(|(s, _)| !(700..704).contains(s));
        let mut long = list(states);
        let found = moments(&mut long);
        collapse(&mut long, &found, 2 * SECOND);
        let kept: Vec<u64> = seconds(&long).into_iter().map(|(second, _)| second).collect();
        assert_eq!(kept, [0, 1, 2, 497, 498, 499, 500, 501, 502, 697, 698, 699, 704, 705, 706, 997, 998, 999]);
        assert_eq!(long.iter().map(|of| of.unlisted + 1).sum::<u64>(), 996);
    }
}
