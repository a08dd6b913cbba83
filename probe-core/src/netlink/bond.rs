//! Attributes of bonds and of their slaves (`IFLA_BOND_*`, `IFLA_BOND_SLAVE_*` of linux/if_link.h).

use super::DecodeError;
use super::attribute::Attribute;
use crate::link::{Aggregator, BondState, MiiStatus, SlaveState};

const IFLA_BOND_MODE: u16 = 1;
const IFLA_BOND_ACTIVE_SLAVE: u16 = 2;
const IFLA_BOND_MIIMON: u16 = 3;
const IFLA_BOND_PRIMARY: u16 = 11;
const IFLA_BOND_MIN_LINKS: u16 = 18;
const IFLA_BOND_AD_LACP_RATE: u16 = 21;
const IFLA_BOND_AD_INFO: u16 = 23;

const IFLA_BOND_AD_INFO_AGGREGATOR: u16 = 1;
const IFLA_BOND_AD_INFO_NUM_PORTS: u16 = 2;
const IFLA_BOND_AD_INFO_ACTOR_KEY: u16 = 3;
const IFLA_BOND_AD_INFO_PARTNER_KEY: u16 = 4;
const IFLA_BOND_AD_INFO_PARTNER_MAC: u16 = 5;

const IFLA_BOND_SLAVE_STATE: u16 = 1;
const IFLA_BOND_SLAVE_MII_STATUS: u16 = 2;
const IFLA_BOND_SLAVE_LINK_FAILURE_COUNT: u16 = 3;
const IFLA_BOND_SLAVE_PERM_HWADDR: u16 = 4;
const IFLA_BOND_SLAVE_QUEUE_ID: u16 = 5;
const IFLA_BOND_SLAVE_AD_AGGREGATOR_ID: u16 = 6;
const IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE: u16 = 7;
const IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE: u16 = 8;
const IFLA_BOND_SLAVE_PRIO: u16 = 9;

/// Names of the modes, by number (`bond_mode_tbl` of the kernel).
const MODES: [&str; 7] = ["balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"];

/// `IFLA_INFO_DATA` of a bond.
pub fn bond(data: Attribute<'_>) -> Result<BondState, DecodeError> {
    let mut bond = BondState::default();
    for attribute in data.nested() {
        let attribute = attribute?;
        match attribute.kind {
            IFLA_BOND_MODE => {
                let mode = attribute.u8("IFLA_BOND_MODE")?;
                bond.mode = MODES.get(usize::from(mode)).map_or_else(|| format!("mode {mode}"), ToString::to_string);
            }
            IFLA_BOND_ACTIVE_SLAVE => bond.active_slave = attribute.ifindex("IFLA_BOND_ACTIVE_SLAVE")?,
            IFLA_BOND_PRIMARY => bond.primary = attribute.ifindex("IFLA_BOND_PRIMARY")?,
            IFLA_BOND_MIIMON => bond.miimon_ms = attribute.u32("IFLA_BOND_MIIMON")?,
            IFLA_BOND_MIN_LINKS => bond.min_links = attribute.u32("IFLA_BOND_MIN_LINKS")?,
            IFLA_BOND_AD_LACP_RATE => bond.lacp_fast = attribute.u8("IFLA_BOND_AD_LACP_RATE")? != 0,
            IFLA_BOND_AD_INFO => bond.aggregator = Some(aggregator(attribute)?),
            _ => {}
        }
    }
    Ok(bond)
}

/// `IFLA_INFO_SLAVE_DATA` of a bond's slave.
pub fn slave(data: Attribute<'_>) -> Result<SlaveState, DecodeError> {
    let mut slave = SlaveState::default();
    for attribute in data.nested() {
        let attribute = attribute?;
        match attribute.kind {
            // BOND_STATE_ACTIVE is 0, BOND_STATE_BACKUP 1.
            IFLA_BOND_SLAVE_STATE => slave.active = attribute.u8("IFLA_BOND_SLAVE_STATE")? == 0,
            IFLA_BOND_SLAVE_MII_STATUS => slave.mii = mii(attribute)?,
            IFLA_BOND_SLAVE_LINK_FAILURE_COUNT => {
                slave.link_failures = attribute.u32("IFLA_BOND_SLAVE_LINK_FAILURE_COUNT")?;
            }
            IFLA_BOND_SLAVE_PERM_HWADDR => slave.permanent_mac = attribute.mac(),
            IFLA_BOND_SLAVE_QUEUE_ID => slave.queue_id = attribute.u16("IFLA_BOND_SLAVE_QUEUE_ID")?,
            IFLA_BOND_SLAVE_PRIO => slave.prio = attribute.u32("IFLA_BOND_SLAVE_PRIO")?.cast_signed(),
            IFLA_BOND_SLAVE_AD_AGGREGATOR_ID => {
                slave.aggregator_id = Some(attribute.u16("IFLA_BOND_SLAVE_AD_AGGREGATOR_ID")?);
            }
            IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE => {
                slave.actor_state = Some(attribute.u8("IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE")?);
            }
            IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE => {
                slave.partner_state = Some(attribute.u16("IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE")?);
            }
            _ => {}
        }
    }
    Ok(slave)
}

fn mii(attribute: Attribute<'_>) -> Result<MiiStatus, DecodeError> {
    let name = "IFLA_BOND_SLAVE_MII_STATUS";
    match attribute.u8(name)? {
        0 => Ok(MiiStatus::Up),
        1 => Ok(MiiStatus::GoingDown),
        2 => Ok(MiiStatus::Down),
        3 => Ok(MiiStatus::GoingBack),
        value => Err(DecodeError::Value { ifindex: attribute.ifindex, name, value: u32::from(value) }),
    }
}

fn aggregator(info: Attribute<'_>) -> Result<Aggregator, DecodeError> {
    let mut aggregator = Aggregator::default();
    for attribute in info.nested() {
        let attribute = attribute?;
        match attribute.kind {
            IFLA_BOND_AD_INFO_AGGREGATOR => aggregator.id = attribute.u16("IFLA_BOND_AD_INFO_AGGREGATOR")?,
            IFLA_BOND_AD_INFO_NUM_PORTS => aggregator.ports = attribute.u16("IFLA_BOND_AD_INFO_NUM_PORTS")?,
            IFLA_BOND_AD_INFO_ACTOR_KEY => aggregator.actor_key = attribute.u16("IFLA_BOND_AD_INFO_ACTOR_KEY")?,
            IFLA_BOND_AD_INFO_PARTNER_KEY => aggregator.partner_key = attribute.u16("IFLA_BOND_AD_INFO_PARTNER_KEY")?,
            IFLA_BOND_AD_INFO_PARTNER_MAC => aggregator.partner_mac = attribute.mac(),
            _ => {}
        }
    }
    Ok(aggregator)
}

#[cfg(test)]
mod tests {
    use super::super::tests::attribute;
    use super::*;

    #[test]
    fn what_an_operator_set_at_a_slave_and_at_its_bond_is_told() {
        let of = |attributes: &[Vec<u8>]| attributes.concat();
        let bytes = of(&[attribute(5, &7u16.to_ne_bytes()), attribute(9, &(-3i32).to_ne_bytes())]);
        let told = slave(Attribute { ifindex: 1, kind: 0, value: &bytes }).expect("a slave");
        assert_eq!((told.queue_id, told.prio), (7, -3));
        let bytes = of(&[attribute(2, &4u32.to_ne_bytes()), attribute(11, &5u32.to_ne_bytes())]);
        let told = bond(Attribute { ifindex: 1, kind: 0, value: &bytes }).expect("a bond");
        assert_eq!((told.active_slave, told.primary), (Some(4), Some(5)));
    }
}
