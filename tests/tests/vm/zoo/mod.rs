//! The fault zoo: what the verdict makes of each way to break a bond. Faults run side by side, some at a time: most of a run is waiting.

mod active_backup;
mod calm;
mod lacp;
mod storm;

use anyhow::{Result, bail};
use linkprobe_tests::zoo::{Case, Fault, Mode, expected, run_fairly, table};

use crate::lab::kernel;

/// Faults that run side by side: more, and the partner's LACPDUs come late for want of the machine.
const AT_ONCE: usize = 3;

/// What is run on kernels before tcx: there the verifier needs three times as long for each agent, and the verdict is the same.
const ON_OLD_KERNELS: [(Mode, Fault); 8] = [
    (Mode::Lacp, Fault::CarrierBoth),
    (Mode::Lacp, Fault::Flapping),
    (Mode::Lacp, Fault::PartnerLacpDead),
    (Mode::Lacp, Fault::KeyMismatch),
    (Mode::Lacp, Fault::RxBlackout),
    (Mode::Lacp, Fault::TxDrops),
    (Mode::ActiveBackup, Fault::CarrierOne),
    (Mode::ActiveBackup, Fault::NextHopDead),
];

/// Runs faults, prints their table, and fails with all that is not as it must be.
fn zoo(mode: Mode, faults: &[Fault]) -> Result<()> {
    let old = kernel()? < (6, 6);
    let wanted = |fault: &&Fault| !old || ON_OLD_KERNELS.contains(&(mode, **fault));
    let cases = faults.iter().filter(wanted).map(|fault| Case::new(*fault, mode)).collect();
    let results = run_fairly(cases, AT_ONCE);
    println!("{}", table(&results));
    let mut wrong = Vec::new();
    for (case, result) in &results {
        let held = match result {
            Ok(outcome) => expected(case.fault, case.mode).holds(outcome),
            Err(error) => Err(anyhow::anyhow!("{error:#}")),
        };
        wrong.extend(held.err().map(|error| format!("{}: {error:#}", case.fault.name())));
    }
    if wrong.is_empty() { Ok(()) } else { bail!("{}", wrong.join("\n\n")) }
}
