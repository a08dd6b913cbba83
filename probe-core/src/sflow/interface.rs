//! What counter samples say of an interface, put together from what is known of it.

use crate::flight::LacpRow;
use crate::lacp::{LacpCounters, PortState};
use crate::link::{LinkState, LinkStats};
use crate::table::Role;
use crate::traffic::LinkSnapshot;

/// An interface, for its counter samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Interface {
    /// ifIndex.
    pub ifindex: u32,
    /// Name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Bits per second, where the driver tells.
    pub speed_bps: Option<u64>,
    /// Set up by the administrator.
    pub admin_up: bool,
    /// Can pass packets.
    pub oper_up: bool,
    /// Takes frames for others too.
    pub promiscuous: bool,
    /// What the driver counts.
    pub stats: LinkStats,
    /// LACP, of a slave of an 802.3ad bond.
    pub lag: Option<LagPort>,
}

/// What an interface is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ethernet.
    Ethernet,
    /// A bond: a sum of others.
    Bond,
}

/// LACP at a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LagPort {
    /// Our system; zeros where it is not known.
    pub actor_system: [u8; 6],
    /// The partner's; zeros where there is none.
    pub partner_system: [u8; 6],
    /// ifIndex of the bond that it carries traffic for; 0 for a port that is in no aggregator, or in one that the bond does not use.
    pub aggregator: u32,
    /// Our state, as it is.
    pub actor: PortState,
    /// The partner's.
    pub partner: PortState,
    /// What the bonding driver counts; `None` when it was not asked yet.
    pub counters: Option<LacpCounters>,
}

impl Interface {
    /// Puts it together. `None` while the driver has not told its counters.
    pub fn of(
        snapshot: &LinkSnapshot,
        state: &LinkState,
        lacp: Option<&LacpRow>,
        counters: Option<LacpCounters>,
    ) -> Option<Self> {
        Some(Self {
            ifindex: snapshot.link.ifindex,
            name: snapshot.link.name.clone(),
            kind: if snapshot.role == Role::Bond { Kind::Bond } else { Kind::Ethernet },
            speed_bps: snapshot.speed_bps,
            admin_up: state.admin_up,
            oper_up: state.admin_up && state.carrier && !state.operstate.is_down(),
            promiscuous: state.promiscuous,
            stats: snapshot.driver?,
            lag: lacp.and_then(|row| port(snapshot.role, state, row, counters)),
        })
    }
}

fn port(role: Role, state: &LinkState, row: &LacpRow, counters: Option<LacpCounters>) -> Option<LagPort> {
    let (Role::Slave { master }, Some(slave)) = (role, &state.slave) else { return None };
    let (actor, partner) = (slave.actor_state?, slave.partner_state?);
    let [_, partner] = partner.to_be_bytes();
    // Each end knows both; our own LACPDUs say what the kernel goes by.
    let ours = row.ours.pdu.map(|pdu| (pdu.actor.system, pdu.partner.system));
    let theirs = row.partner.pdu.map(|pdu| (pdu.partner.system, pdu.actor.system));
    let (actor_system, partner_system) = ours.or(theirs).unwrap_or_default();
    Some(LagPort {
        actor_system,
        partner_system,
        aggregator: if row.selected == Some(true) { master } else { 0 },
        actor: PortState(actor),
        partner: PortState(partner),
        counters,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flight::LacpSide;
    use crate::lacp::Lacpdu;
    use crate::link::SlaveState;
    use crate::samples;
    use crate::timeline::LinkName;

    fn snapshot(role: Role) -> LinkSnapshot {
        LinkSnapshot {
            link: LinkName { ifindex: 2, name: "eth2".to_owned() },
            role,
            master: None,
            ingress: None,
            egress: None,
            driver: Some(LinkStats { rx_packets: 5, ..LinkStats::default() }),
            speed_bps: Some(10_000_000_000),
        }
    }

    fn side(pdu: Option<Lacpdu>) -> LacpSide {
        LacpSide {
            pdu,
            age_s: None,
            kernel_state: None,
            rate: None,
            gap_s: None,
            longest_gap_s: 0.0,
            silent: false,
            seen: 0,
            malformed: 0,
        }
    }

    fn row(ours: Option<Lacpdu>, partner: Option<Lacpdu>) -> LacpRow {
        LacpRow {
            name: "eth2".to_owned(),
            ifindex: 2,
            master: Some("bond0".to_owned()),
            aggregator: Some(1),
            selected: Some(true),
            phase: "working",
            ours: side(ours),
            partner: side(partner),
            counters: None,
            counters_age_s: None,
        }
    }

    fn slave() -> LinkState {
        let slave =
            SlaveState { aggregator_id: Some(1), actor_state: Some(0x3f), partner_state: Some(0x3d), ..SlaveState::default() };
        LinkState { slave: Some(slave), ..samples::slave(2, "eth2", 10) }
    }

    const SLAVE: Role = Role::Slave { master: 10 };

    #[test]
    fn a_slave_tells_of_its_aggregator_and_of_both_systems() {
        let ours = Lacpdu { actor: samples::port(1, 1, 0x3f), partner: samples::port(2, 7, 0x3d) };
        let counted = LacpCounters { sent: 3, ..LacpCounters::default() };
        let interface = Interface::of(&snapshot(SLAVE), &slave(), Some(&row(Some(ours), None)), Some(counted)).expect("counters");
        let lag = interface.lag.expect("LACP");
        let systems = [[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]];
        assert_eq!([lag.actor_system, lag.partner_system], systems);
        assert_eq!((lag.aggregator, lag.actor.0, lag.partner.0), (10, 0x3f, 0x3d));
        assert_eq!(lag.counters.map(|counters| counters.sent), Some(3));
        let theirs = Lacpdu { actor: samples::port(2, 7, 0x3d), partner: samples::port(1, 1, 0x3f) };
        let heard = Interface::of(&snapshot(SLAVE), &slave(), Some(&row(None, Some(theirs))), None).and_then(|of| of.lag);
        assert_eq!(heard.map(|lag| [lag.actor_system, lag.partner_system]), Some(systems));
    }

    #[test]
    fn a_port_that_the_bond_does_not_use_is_attached_to_nothing() {
        let unused = LacpRow { selected: Some(false), ..row(None, None) };
        let interface = Interface::of(&snapshot(SLAVE), &slave(), Some(&unused), None).expect("counters");
        assert_eq!(interface.lag.map(|lag| (lag.aggregator, lag.partner_system)), Some((0, [0; 6])));
    }

    #[test]
    fn what_is_no_slave_of_802_3ad_has_no_lag_and_without_a_driver_there_is_no_sample() {
        let plain = Interface::of(&snapshot(Role::Plain), &samples::link(2, "eth2"), None, None).expect("counters");
        assert_eq!((plain.kind, plain.lag, plain.oper_up), (Kind::Ethernet, None, true));
        let backup = Interface::of(&snapshot(SLAVE), &samples::slave(2, "eth2", 10), Some(&row(None, None)), None);
        assert_eq!(backup.expect("counters").lag, None);
        let bond = Interface::of(&snapshot(Role::Bond), &samples::down(samples::bond(2, "eth2")), None, None).expect("counters");
        assert_eq!((bond.kind, bond.admin_up, bond.oper_up), (Kind::Bond, true, false));
        let silent = LinkSnapshot { driver: None, ..snapshot(Role::Plain) };
        assert_eq!(Interface::of(&silent, &samples::link(2, "eth2"), None, None), None);
    }
}
