//! What changed between two states of one link, its carrier apart.

use crate::link::{BondState, LinkState, SlaveState, mac_text};
use crate::timeline::What;

/// Changes that come before one of the carrier: name, and what the administrator did.
pub fn leading(old: &LinkState, new: &LinkState) -> Vec<What> {
    let mut changes = Vec::new();
    if old.name != new.name {
        changes.push(What::Renamed { from: old.name.clone() });
    }
    if old.admin_up != new.admin_up {
        changes.push(What::Admin { up: new.admin_up });
    }
    changes
}

/// All other changes. `name_of` names a link by its ifindex.
pub fn following(old: &LinkState, new: &LinkState, name_of: &dyn Fn(u32) -> String) -> Vec<What> {
    let mut changes = Vec::new();
    if old.operstate != new.operstate {
        changes.push(What::Oper { from: old.operstate, to: new.operstate });
    }
    if old.master != new.master {
        changes.push(What::Master { from: old.master.map(name_of), to: new.master.map(name_of) });
    }
    if let (Some(old), Some(new)) = (&old.slave, &new.slave) {
        slave(old, new, &mut changes);
    }
    if let (Some(old), Some(new)) = (&old.bond, &new.bond) {
        bond(old, new, name_of, &mut changes);
    }
    attribute(&mut changes, "mtu", &old.mtu, &new.mtu);
    attribute(&mut changes, "mac", &mac_text(old.mac), &mac_text(new.mac));
    changes
}

fn slave(old: &SlaveState, new: &SlaveState, changes: &mut Vec<What>) {
    if old.mii != new.mii {
        changes.push(What::SlaveMii { from: old.mii, to: new.mii });
    } else {
        // Otherwise the count tells only what the status does; here it went and came between two messages.
        attribute(changes, "link failures", &old.link_failures, &new.link_failures);
    }
    if old.active != new.active {
        changes.push(What::SlaveActive { active: new.active });
    }
    attribute(changes, "aggregator", &or_none(old.aggregator_id), &or_none(new.aggregator_id));
    attribute(changes, "actor port state", &or_none(old.actor_state), &or_none(new.actor_state));
    attribute(changes, "partner port state", &or_none(old.partner_state), &or_none(new.partner_state));
}

fn bond(old: &BondState, new: &BondState, name_of: &dyn Fn(u32) -> String, changes: &mut Vec<What>) {
    attribute(changes, "bond mode", &old.mode, &new.mode);
    attribute(changes, "miimon", &old.miimon_ms, &new.miimon_ms);
    attribute(changes, "min links", &old.min_links, &new.min_links);
    attribute(changes, "LACP rate", &rate(old), &rate(new));
    attribute(changes, "active slave", &or_none(old.active_slave.map(name_of)), &or_none(new.active_slave.map(name_of)));
    let (old, new) = (old.aggregator.as_ref(), new.aggregator.as_ref());
    attribute(changes, "aggregator", &or_none(old.map(|a| a.id)), &or_none(new.map(|a| a.id)));
    attribute(changes, "aggregator ports", &or_none(old.map(|a| a.ports)), &or_none(new.map(|a| a.ports)));
    attribute(changes, "actor key", &or_none(old.map(|a| a.actor_key)), &or_none(new.map(|a| a.actor_key)));
    attribute(changes, "partner key", &or_none(old.map(|a| a.partner_key)), &or_none(new.map(|a| a.partner_key)));
    let partner = |aggregator: Option<&crate::link::Aggregator>| or_none(aggregator.map(|a| mac_text(a.partner_mac)));
    attribute(changes, "partner", &partner(old), &partner(new));
}

fn rate(bond: &BondState) -> &'static str {
    if bond.lacp_fast { "fast" } else { "slow" }
}

fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

fn attribute<T: PartialEq + ToString>(changes: &mut Vec<What>, name: &'static str, old: &T, new: &T) {
    if old != new {
        changes.push(What::Attribute { name, from: old.to_string(), to: new.to_string() });
    }
}
