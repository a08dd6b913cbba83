//! *Ignore outages shorter than N*: what goes down waits, and fires only when it has not come up again by then.

use super::{Fired, Kind};
use crate::time::Mono;

/// Outages that wait at most; the next one fires at once.
const MOST: usize = 4096;

/// The outages that wait.
#[derive(Clone, Debug)]
pub struct Hold {
    ns: u64,
    now: Mono,
    waiting: Vec<Held>,
}

/// An outage that waits.
#[derive(Clone, Debug)]
struct Held {
    fired: Fired,
    about: String,
}

/// What becomes of a firing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It fires.
    Fires,
    /// It waits.
    Waits,
    /// It ends an outage that was too short: neither fires. Here is the outage.
    Ends(Fired),
}

impl Hold {
    /// `ns`: outages that are shorter than so many nanoseconds are ignored; 0 for none.
    pub fn new(ns: u64) -> Self {
        Self { ns, now: Mono(0), waiting: Vec::new() }
    }

    /// From now on so many nanoseconds, also for what waits already.
    pub fn set(&mut self, ns: u64) {
        self.ns = ns;
    }

    /// Takes a firing. `about` tells apart what one link can have several of: the target of a probe.
    pub fn take(&mut self, fired: &Fired, about: &str) -> Taken {
        let lasted = self.now.since(fired.at) >= self.ns;
        if let Some(down) = down_of(fired.kind) {
            let same = |held: &Held| held.is(down, fired, about);
            let found = self.waiting.iter().position(same);
            return found.map_or(Taken::Fires, |found| Taken::Ends(self.waiting.remove(found).fired));
        }
        if self.ns == 0 || lasted || !waits(fired.kind) {
            return Taken::Fires;
        }
        // It waits already: the outage began with the first one.
        let known = self.waiting.iter().any(|held| held.is(fired.kind, fired, about));
        if !known && self.waiting.len() >= MOST {
            return Taken::Fires;
        }
        if !known {
            self.waiting.push(Held { fired: fired.clone(), about: about.to_owned() });
        }
        Taken::Waits
    }

    /// Time has passed: the outages that lasted, which fire now, in order of time, each with what it is about.
    pub fn lasted(&mut self, now: Mono) -> Vec<(Fired, String)> {
        self.now = self.now.max(now);
        let (ns, now) = (self.ns, self.now);
        let lasted = self.waiting.extract_if(.., |held| now.since(held.fired.at) >= ns);
        let mut fire: Vec<(Fired, String)> = lasted.map(|held| (held.fired, held.about)).collect();
        fire.sort_by_key(|(fired, _)| fired.at);
        fire
    }

    /// The outages that are over without any firing that says so, such as a flip between two messages.
    pub fn over(&mut self, over: impl Fn(&Fired) -> bool) -> Vec<Fired> {
        self.waiting.extract_if(.., |held| over(&held.fired)).map(|held| held.fired).collect()
    }

    /// When the next one will have lasted.
    pub fn deadline(&self) -> Option<Mono> {
        self.waiting.iter().map(|held| held.fired.at.plus(self.ns)).min()
    }
}

impl Held {
    fn is(&self, kind: Kind, fired: &Fired, about: &str) -> bool {
        let name = |fired: &Fired| fired.link.as_ref().map(|link| link.name.clone());
        self.fired.kind == kind && self.about == about && name(&self.fired) == name(fired)
    }
}

/// Whether it is an outage that may turn out to be short.
fn waits(kind: Kind) -> bool {
    matches!(kind, Kind::BondDown | Kind::SlaveDown | Kind::MinSlaves | Kind::InterfaceDown | Kind::LacpDown | Kind::ProbeDown)
}

/// The outage that a firing ends.
fn down_of(kind: Kind) -> Option<Kind> {
    match kind {
        Kind::BondUp => Some(Kind::BondDown),
        Kind::SlaveUp => Some(Kind::SlaveDown),
        Kind::InterfaceUp => Some(Kind::InterfaceDown),
        Kind::LacpUp => Some(Kind::LacpDown),
        Kind::ProbeUp => Some(Kind::ProbeDown),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::at;
    use crate::time::SECOND;
    use crate::timeline::LinkName;

    fn fired(kind: Kind, ms: u64, name: &str) -> Fired {
        Fired { at: at(ms), kind, link: Some(LinkName { ifindex: 1, name: name.to_owned() }), text: String::new() }
    }

    #[test]
    fn a_short_outage_fires_neither_at_its_beginning_nor_at_its_end() {
        let mut hold = Hold::new(3 * SECOND);
        hold.lasted(at(1000));
        let down = fired(Kind::SlaveDown, 1000, "eth1");
        assert_eq!(hold.take(&down, ""), Taken::Waits);
        assert_eq!(hold.deadline(), Some(at(4000)));
        assert_eq!(hold.lasted(at(3999)), []);
        assert_eq!(hold.take(&fired(Kind::SlaveUp, 3999, "eth2"), ""), Taken::Fires, "another link");
        assert_eq!(hold.take(&fired(Kind::SlaveUp, 3999, "eth1"), ""), Taken::Ends(down));
        assert_eq!((hold.deadline(), hold.lasted(at(60_000))), (None, vec![]));
        assert_eq!(hold.take(&fired(Kind::SlaveUp, 60_000, "eth1"), ""), Taken::Fires);
    }

    #[test]
    fn an_outage_that_lasts_fires_once_with_the_time_of_its_cause() {
        let mut hold = Hold::new(3 * SECOND);
        let (first, second) = (fired(Kind::SlaveDown, 1000, "eth1"), fired(Kind::BondDown, 1100, "bond0"));
        assert_eq!((hold.take(&second, ""), hold.take(&first, "")), (Taken::Waits, Taken::Waits));
        assert_eq!(hold.take(&fired(Kind::SlaveDown, 1500, "eth1"), ""), Taken::Waits, "the same outage");
        assert_eq!(hold.lasted(at(4000)), [(first, String::new())]);
        assert_eq!(hold.lasted(at(5000)), [(second, String::new())]);
        assert_eq!(hold.lasted(at(9000)), []);
    }

    #[test]
    fn targets_of_one_link_wait_each_for_itself() {
        let mut hold = Hold::new(3 * SECOND);
        let down = fired(Kind::ProbeDown, 1000, "bond0");
        hold.take(&down, "10.0.80.11");
        hold.take(&down, "10.0.80.12");
        assert!(matches!(hold.take(&fired(Kind::ProbeUp, 2000, "bond0"), "10.0.80.12"), Taken::Ends(_)));
        assert_eq!(hold.lasted(at(4000)).len(), 1);
    }

    #[test]
    fn what_is_told_late_what_is_no_outage_and_everything_without_a_limit_fires_at_once() {
        let mut hold = Hold::new(3 * SECOND);
        hold.lasted(at(10_000));
        assert_eq!(hold.take(&fired(Kind::ProbeDown, 7000, "bond0"), ""), Taken::Fires);
        for kind in [Kind::SlaveRemoved, Kind::Storm, Kind::Blackout, Kind::Manual] {
            assert_eq!(hold.take(&fired(kind, 10_000, "bond0"), ""), Taken::Fires);
        }
        let mut off = Hold::new(0);
        assert_eq!(off.take(&fired(Kind::BondDown, 10_000, "bond0"), ""), Taken::Fires);
        assert_eq!(off.deadline(), None);
    }
}
