//! Why a link lost its carrier: its driver is asked, as long as it has none, whenever something about it changes.

use std::collections::BTreeMap;

use super::{Action, Flight};
use crate::table::Role;
use crate::time::Mono;
use crate::timeline::{Entry, Source, What};

/// The reasons that were told, of links without carrier.
#[derive(Clone, Debug, Default)]
pub(super) struct Reasons {
    told: BTreeMap<u32, String>,
}

impl Flight {
    /// After `entries` changed some links: asks the drivers of those that have no carrier. A bond's carrier follows its slaves'.
    pub(super) fn ask_reasons(&mut self, entries: &[Entry], actions: &mut Vec<Action>) {
        let table = &self.table;
        let lost = |ifindex: u32| {
            let link = table.get(ifindex).filter(|_| table.role(ifindex).is_some_and(|role| role != Role::Bond))?;
            (link.state.admin_up && !link.state.carrier).then_some(ifindex)
        };
        self.reasons.told.retain(|ifindex, _| lost(*ifindex).is_some());
        let mut ask: Vec<u32> = entries.iter().filter_map(|entry| lost(entry.link.as_ref()?.ifindex)).collect();
        ask.sort_unstable();
        ask.dedup();
        actions.extend(ask.into_iter().map(|ifindex| Action::AskReason { ifindex }));
    }

    /// A driver has told.
    pub(super) fn link_reason(&mut self, now: Mono, ifindex: u32, reason: String, actions: &mut Vec<Action>) {
        let lost = self.table.get(ifindex).is_some_and(|link| !link.state.carrier) && self.table.role(ifindex).is_some();
        if !lost || self.reasons.told.get(&ifindex) == Some(&reason) {
            return;
        }
        self.reasons.told.insert(ifindex, reason.clone());
        let entry = self.table.entry(now, ifindex, Source::Agent, What::LinkReason { reason });
        self.report(vec![entry], actions);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{config, started, told};
    use super::*;
    use crate::flight::Event;
    use crate::samples::{at, down, slave, up};

    fn asked(actions: &[Action]) -> Vec<u32> {
        let asks = |action: &Action| if let Action::AskReason { ifindex } = action { Some(*ifindex) } else { None };
        actions.iter().filter_map(asks).collect()
    }

    fn lines(actions: &[Action]) -> Vec<String> {
        let line = |action: &Action| if let Action::Report(entry) = action { Some(entry.describe()) } else { None };
        actions.iter().filter_map(line).collect()
    }

    #[test]
    fn a_link_that_lost_its_carrier_is_asked_about_and_its_reason_is_told_once() {
        let mut flight = started(config());
        let lost = down(slave(1, "eth1", 10));
        assert_eq!(asked(&flight.handle(at(60_000), told(lost.clone()))), [1]);
        let reason = |reason: &str| Event::LinkReason { ifindex: 1, reason: reason.to_owned() };
        assert_eq!(lines(&flight.handle(at(60_010), reason("no cable"))), ["eth1: the driver says why: no cable"]);
        assert_eq!(flight.handle(at(60_020), reason("no cable")), []);
        assert_eq!(asked(&flight.handle(at(70_000), told(up(lost)))), [0; 0]);
        assert_eq!(flight.handle(at(70_010), reason("no cable")), [], "it has its carrier again");
    }

    #[test]
    fn links_of_others_are_not_asked_about() {
        let mut flight = started(config());
        assert_eq!(asked(&flight.handle(at(60_000), told(down(crate::samples::link(77, "lone7"))))), [0; 0]);
    }
}
