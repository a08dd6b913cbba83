//! Wireshark's own programs as judges of a capture.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::command::{Ended, end};

/// One row per packet, one text per field (`tshark -T fields`), of the packets that the display filter lets through ("" for all).
///
/// # Errors
/// When tshark fails or warns about anything.
pub fn fields(file: &Path, filter: &str, fields: &[&str]) -> Result<Vec<Vec<String>>> {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(file).args(["-n", "-T", "fields", "-E", "separator=|", "-E", "occurrence=a"]);
    // the generator's payload is a pattern in which a heuristic may see any protocol
    command.args(["-d", "udp.port==9,data", "-d", "tcp.port==9,data"]);
    for field in fields {
        command.args(["-e", field]);
    }
    if !filter.is_empty() {
        command.args(["-Y", filter]);
    }
    let out = without_a_warning(&mut command)?;
    Ok(out.lines().map(|line| line.split('|').map(str::to_owned).collect()).collect())
}

/// What `capinfos` says of a file.
///
/// # Errors
/// When it fails or warns about anything.
pub fn capinfos(file: &Path) -> Result<String> {
    without_a_warning(Command::new("capinfos").arg(file))
}

fn without_a_warning(command: &mut Command) -> Result<String> {
    let Ended { code, out, err } =
        end(command).context("this test reads captures with Wireshark's programs: apt-get install tshark")?;
    let said: Vec<&str> = err.lines().filter(|line| !line.starts_with("Running as user \"root\"")).collect();
    ensure!(code == Some(0) && said.is_empty(), "{command:?} ended with {code:?} and said: {said:?}");
    Ok(out)
}
