//! Bonds with one active slave: no LACP tells what is wrong.

use anyhow::Result;
use linkprobe_tests::zoo::{Fault, Mode};

use super::zoo;

#[test]
fn what_breaks_a_bond_without_lacp_is_named() -> Result<()> {
    let carriers = [Fault::CarrierBoth, Fault::CarrierOne, Fault::AdminDown, Fault::SlaveRemoved, Fault::Flapping];
    let ways = [Fault::RxBlackout, Fault::NextHopDead, Fault::PathOnly, Fault::TxDrops];
    zoo(Mode::ActiveBackup, &[&carriers[..], &ways[..]].concat())
}
