//! The harness itself: real bonds in the rig.

use anyhow::Result;
use linkprobe_tests::harness::bond::{self, BOND, Mode};
use linkprobe_tests::harness::{Bonds, Traffic};

#[test]
fn two_bonds_become_partners_and_what_one_sends_the_other_receives() -> Result<()> {
    let bonds = Bonds::new(Mode::Lacp)?;
    assert_eq!(bonds.states()?, [(63, 63), (63, 63)]);
    let received = || -> Result<u64> {
        let links: serde_json::Value = serde_json::from_str(&bonds.switch.ip("-s -json link show bond0")?)?;
        Ok(links[0]["stats64"]["rx"]["packets"].as_u64().unwrap_or(0))
    };
    let before = received()?;
    let sent = Traffic::send(&bonds.router, BOND, "--kind udp,vlan,jumbo --count 60 --rate 300 --flows 16")?;
    let after = received()?;
    // LACPDUs come on top
    assert!(after - before >= sent.total.packets && after - before < sent.total.packets + 20, "{before} {after} {sent:?}");
    Ok(())
}

#[test]
fn a_port_that_is_set_down_takes_the_slaves_carrier() -> Result<()> {
    let bonds = Bonds::new(Mode::ActiveBackup)?;
    bonds.switch.ip("link set port0 down")?;
    assert!(!bond::carrier(&bonds.router, "slave0")?);
    assert!(bonds.carrier("slave1")? && bonds.carrier(BOND)?);
    Ok(())
}
