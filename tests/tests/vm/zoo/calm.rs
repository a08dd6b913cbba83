//! Nothing breaks.

use anyhow::Result;
use linkprobe_tests::zoo::{Case, Fault, Mode, expected, run_fairly, table};

use crate::lab::kernel;

#[test]
fn heavy_ordinary_traffic_for_a_minute_is_no_incident() -> Result<()> {
    let modes = if kernel()? < (6, 6) { vec![Mode::Lacp] } else { vec![Mode::Lacp, Mode::ActiveBackup] };
    let results = run_fairly(modes.into_iter().map(|mode| Case::new(Fault::Clean, mode)).collect(), 2);
    println!("{}", table(&results));
    for (case, result) in results {
        expected(case.fault, case.mode).holds(&result?)?;
    }
    Ok(())
}
