//! The engine's part in recoveries: what they see of the bonds, and that their own doing opens no incident.

use std::collections::BTreeMap;

use super::{Action, Flight};
use crate::direction::Direction;
use crate::lacp::{Phase, PortState};
use crate::link::MiiStatus;
use crate::reach::TargetState;
use crate::recovery::{BondSight, LacpSight, Sight, SlaveSight, Trouble, TroubleKind};
use crate::table::{Link, Role};
use crate::time::{Mono, SECOND};
use crate::timeline::LinkName;
use crate::trigger::{Fired, Kind};

/// What a re-enslaving did may be told so much later.
const LATE: u64 = 2 * SECOND;

/// The slaves that a recovery deals with, and has dealt with a moment ago.
#[derive(Clone, Debug, Default)]
pub(super) struct Ours {
    slaves: BTreeMap<u32, Held>,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    bond: u32,
    /// `None`: it goes on.
    until: Option<Mono>,
}

impl Ours {
    pub fn hold(&mut self, slave: u32, bond: u32) {
        self.slaves.insert(slave, Held { bond, until: None });
    }

    /// The slaves that are dealt with now, each with its bond.
    pub fn held(&self) -> impl Iterator<Item = (u32, u32)> {
        self.slaves.iter().filter(|(_, held)| held.until.is_none()).map(|(slave, held)| (*slave, held.bond))
    }

    /// Whether a trigger tells of nothing but a recovery's own doing. That a bond goes down always fires.
    pub fn explains(&self, fired: &Fired) -> bool {
        let Some(ifindex) = fired.link.as_ref().map(|link| link.ifindex) else { return false };
        let going = |held: &&Held| held.until.is_none_or(|until| fired.at <= until);
        match fired.kind {
            Kind::SlaveDown
            | Kind::SlaveUp
            | Kind::SlaveRemoved
            | Kind::SlaveAdded
            | Kind::LacpDown
            | Kind::LacpUp
            | Kind::LacpPartner => self.slaves.get(&ifindex).as_ref().is_some_and(going),
            Kind::MinSlaves => self.slaves.values().filter(going).any(|held| held.bond == ifindex),
            _ => false,
        }
    }
}

impl Flight {
    /// A slave is no longer dealt with.
    pub(super) fn free(&mut self, now: Mono, slave: LinkName, out: bool, actions: &mut Vec<Action>) {
        if let Some(held) = self.ours.slaves.get_mut(&slave.ifindex) {
            held.until = Some(now.plus(LATE));
        }
        if !out {
            return;
        }
        self.ours.slaves.remove(&slave.ifindex);
        self.tap(&[], actions);
        let text = format!("{}: taken out by a recovery, and could not be put back", slave.name);
        self.fire(&Fired { at: now, kind: Kind::SlaveRemoved, link: Some(slave), text }, actions);
    }

    /// The links that are to have taps, and why. A slave that a recovery has taken out comes back at once: to take its taps away and
    /// attach them again would make some drivers begin anew, and hide its first LACPDUs.
    pub(super) fn tappable(&self) -> BTreeMap<u32, Role> {
        let mut watched: BTreeMap<u32, Role> = self.table.watched().map(|(link, role)| (link.state.ifindex, role)).collect();
        let is_out = |slave: u32| self.table.get(slave).is_some_and(|link| link.state.master.is_none());
        let held = self.ours.held().filter(|(slave, _)| is_out(*slave));
        watched.extend(held.map(|(slave, master)| (slave, Role::Slave { master })));
        watched
    }

    /// The watched bonds and their slaves as they are; `also`: a link that is wanted whatever it is in.
    pub fn sight(&self, now: Mono, also: Option<u32>) -> Sight {
        let mut sight = Sight::default();
        for (link, role) in self.table.watched() {
            match role {
                Role::Bond => sight.bonds.extend(bond(link)),
                Role::Slave { master } => sight.slaves.push(self.slave(now, link, Some(master))),
                Role::Plain => {}
            }
        }
        let known = |ifindex: &u32| sight.slaves.iter().any(|slave| slave.link.ifindex == *ifindex);
        if let Some(link) = also.filter(|also| !known(also)).and_then(|also| self.table.get(also)) {
            sight.slaves.push(self.slave(now, link, None));
        }
        sight.troubles = self.troubles(&sight);
        sight
    }

    fn slave(&self, now: Mono, link: &Link, master: Option<u32>) -> SlaveSight {
        let state = &link.state;
        let slave = state.slave.clone().unwrap_or_default();
        SlaveSight {
            link: name(link),
            master: master.or(state.master),
            admin_up: state.admin_up,
            carrier: state.carrier,
            mii_up: state.slave.is_some() && slave.mii == MiiStatus::Up,
            queue_id: slave.queue_id,
            prio: slave.prio,
            lacp: master.map_or(LacpSight::Unknown, |master| self.lacp_of(now, link, master)),
        }
    }

    fn lacp_of(&self, now: Mono, link: &Link, master: u32) -> LacpSight {
        let Some(slave) = &link.state.slave else { return LacpSight::Unknown };
        let bond = self.table.get(master).and_then(|bond| bond.state.bond.as_ref()?.aggregator.as_ref());
        let used = slave.aggregator_id.zip(bond).is_none_or(|(is, used)| is == used.id);
        let works = |state: Option<u8>| state.is_some_and(|state| PortState(state).is_working());
        let partner = slave.partner_state.and_then(|state| u8::try_from(state).ok());
        let kernel = works(slave.actor_state) && works(partner);
        let Some(follow) = self.lacp.slave(link.state.ifindex).map(|slave| &slave.follow) else { return LacpSight::Unknown };
        let heard = |direction| follow.side(direction).current().map(|(at, _)| at);
        match follow.phase() {
            Phase::Working | Phase::Failing { .. } => {
                // What the kernel said may be older than what was heard; where nothing was heard it is all there is.
                let heard = heard(Direction::Egress).zip(heard(Direction::Ingress)).map(|(ours, theirs)| ours.min(theirs));
                LacpSight::Works { heard: heard.unwrap_or(if kernel { now } else { Mono(0) }), used }
            }
            Phase::New | Phase::Converging { .. } if kernel => LacpSight::Works { heard: now, used },
            Phase::Failed => LacpSight::Fails,
            Phase::New | Phase::Converging { .. } | Phase::LinkDown => LacpSight::Unknown,
        }
    }

    fn troubles(&self, sight: &Sight) -> Vec<Trouble> {
        let mut troubles = Vec::new();
        for bond in &sight.bonds {
            let index = bond.link.ifindex;
            let mut tell = |kind, text: String| troubles.push(Trouble { bond: index, kind, text });
            if !self.table.get(index).is_some_and(Link::is_up) {
                tell(TroubleKind::Down, format!("{} is down", bond.link.name));
            }
            for slave in sight.slaves_of(index).filter(|slave| slave.is_usable()) {
                let name = &slave.link.name;
                let worked = self.lacp.slave(slave.link.ifindex).is_some_and(|slave| slave.follow.phase() != Phase::New);
                if bond.lacp && worked && !matches!(slave.lacp, LacpSight::Works { .. }) {
                    tell(TroubleKind::Lacp, format!("LACP does not work at {name}"));
                }
                for direction in [Direction::Egress, Direction::Ingress] {
                    if self.matrix.is_blacked_out(slave.link.ifindex, direction) {
                        let what = if direction == Direction::Egress {
                            "sends nothing of what it is handed"
                        } else {
                            "receives nothing"
                        };
                        tell(TroubleKind::Blackout(direction), format!("{name} {what}"));
                    }
                }
            }
        }
        let bond_of = |name: &str| sight.bond_of(&LinkName { ifindex: 0, name: name.to_owned() }).map(|bond| bond.link.ifindex);
        for row in self.probes.rows().into_iter().filter(|row| row.state == TargetState::Down) {
            // A target without an interface may be reached by any way.
            let bond = row.link.as_deref().map_or_else(|| only(sight), bond_of);
            let text = format!("{} does not answer", row.name);
            troubles.extend(bond.map(|bond| Trouble { bond, kind: TroubleKind::Target, text }));
        }
        for row in self.repeats.rows() {
            let text = format!("a storm at {}, {}", row.link.name, row.direction);
            let bond = bond_of(&row.link.name);
            troubles.extend(bond.map(|bond| Trouble { bond, kind: TroubleKind::Storm, text }));
        }
        troubles
    }
}

fn only(sight: &Sight) -> Option<u32> {
    match sight.bonds.as_slice() {
        [only] => Some(only.link.ifindex),
        _ => None,
    }
}

fn bond(link: &Link) -> Option<BondSight> {
    let bond = link.state.bond.as_ref()?;
    let lacp = bond.mode == "802.3ad";
    let (active, primary) = (bond.active_slave, bond.primary);
    Some(BondSight { link: name(link), admin_up: link.state.admin_up, lacp, active, primary })
}

fn name(link: &Link) -> LinkName {
    LinkName { ifindex: link.state.ifindex, name: link.state.name.clone() }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{config, doings, started, told};
    use super::*;
    use crate::flight::{Event, FlightConfig};
    use crate::link::LinkState;
    use crate::recovery::Step;
    use crate::samples::{at, bond as bond_link, down, slave, up};

    fn eth1() -> LinkName {
        LinkName { ifindex: 1, name: "eth1".to_owned() }
    }

    /// eth1 out of its bond: down, and in none.
    fn out() -> LinkState {
        LinkState { master: None, slave: None, admin_up: false, ..down(slave(1, "eth1", 10)) }
    }

    #[test]
    fn what_a_recovery_does_to_its_slave_opens_nothing_and_is_on_the_timeline() {
        let mut flight = started(FlightConfig { min_slaves: 2, ..config() });
        flight.handle(at(60_000), Event::Hold { slave: eth1(), bond: 10 });
        let mut actions = flight.handle(at(60_010), told(out()));
        let back = LinkState { master: Some(10), slave: slave(1, "eth1", 10).slave, admin_up: true, ..up(out()) };
        actions.extend(flight.handle(at(60_200), told(back.clone())));
        assert_eq!(doings(&actions), Vec::<String>::new(), "nor is a tap taken away");
        let entries = actions.iter().filter(|action| matches!(action, Action::Report(_))).count();
        assert!(entries > 2, "{actions:?}");
        flight.handle(at(61_000), Event::Free { slave: eth1(), out: false });
        assert_eq!(doings(&flight.handle(at(64_000), told(down(back))))[0], "open 1 slave-down");
    }

    #[test]
    fn another_slave_and_the_bond_itself_still_open_an_incident() {
        let mut flight = started(config());
        flight.handle(at(60_000), Event::Hold { slave: eth1(), bond: 10 });
        assert_eq!(doings(&flight.handle(at(60_010), told(down(slave(2, "eth2", 10)))))[0], "open 1 slave-down");
        let mut flight = started(config());
        flight.handle(at(60_000), Event::Hold { slave: eth1(), bond: 10 });
        assert_eq!(doings(&flight.handle(at(60_010), told(down(bond_link(10, "bond0")))))[0], "open 1 bond-down");
    }

    #[test]
    fn a_slave_that_stays_out_is_an_incident() {
        let mut flight = started(config());
        flight.handle(at(60_000), Event::Hold { slave: eth1(), bond: 10 });
        flight.handle(at(60_010), told(out()));
        let doings = doings(&flight.handle(at(70_000), Event::Free { slave: eth1(), out: true }));
        assert!(doings.contains(&"open 1 slave-removed".to_owned()), "{doings:?}");
    }

    #[test]
    fn a_sight_has_the_bonds_their_slaves_and_what_is_wrong() {
        let mut flight = started(config());
        let sight = flight.sight(at(1000), None);
        assert_eq!((sight.bonds.len(), sight.slaves.len(), sight.troubles.len()), (1, 2, 0));
        assert!(sight.slaves.iter().all(SlaveSight::is_usable));
        flight.handle(at(60_010), told(out()));
        assert_eq!(flight.sight(at(60_020), None).slaves.len(), 1);
        let sight = flight.sight(at(60_020), Some(1));
        assert_eq!(sight.slave(1).map(|slave| (slave.master, slave.admin_up)), Some((None, false)));
        flight.handle(at(61_000), told(down(bond_link(10, "bond0"))));
        let sight = flight.sight(at(61_001), None);
        assert_eq!(sight.troubles_of(10, &[TroubleKind::Down]), ["bond0 is down"]);
    }

    #[test]
    fn a_step_is_an_entry_in_words() {
        let mut flight = started(config());
        let step = Event::Recovery { link: Some(eth1()), step: Step::Takes, dry_run: true, text: "would go".to_owned() };
        let told = flight.handle(at(1), step).into_iter().find_map(|action| match action {
            Action::Report(entry) => Some(entry.describe()),
            _ => None,
        });
        assert_eq!(told.as_deref(), Some("eth1: recovery (dry run): would go"));
    }
}
