//! Bonds with LACP.

use anyhow::Result;
use linkprobe_tests::zoo::{Fault, Mode};

use super::zoo;

#[test]
fn what_breaks_a_carrier_or_a_bond_is_named() -> Result<()> {
    zoo(Mode::Lacp, &[Fault::CarrierBoth, Fault::CarrierOne, Fault::AdminDown, Fault::SlaveRemoved, Fault::Flapping])
}

#[test]
fn what_breaks_lacp_is_named() -> Result<()> {
    zoo(Mode::Lacp, &[Fault::PartnerLacpDead, Fault::PartnerRestart, Fault::KeyMismatch, Fault::TimeoutMismatch])
}

#[test]
fn what_breaks_the_way_is_named() -> Result<()> {
    zoo(Mode::Lacp, &[Fault::RxBlackout, Fault::NextHopDead, Fault::PathOnly, Fault::TxDrops])
}
