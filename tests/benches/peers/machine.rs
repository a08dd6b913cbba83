//! The machine that the figures are from, in one line.

use std::fs;

/// Processor, `cpus` that we may use, kernel, what it guards its calls with, the peers' versions.
pub fn line(cpus: usize) -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field =
        |name: &str| info.lines().find(|line| line.starts_with(name))?.split_once(':').map(|(_, value)| value.trim().to_owned());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let guest = field("flags").is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor"));
    let kind = if guest { "a virtual machine" } else { "a machine" };
    let guards = ["spec_rstack_overflow", "retbleed", "spectre_v2"].map(|name| {
        let text = fs::read_to_string(format!("/sys/devices/system/cpu/vulnerabilities/{name}")).unwrap_or_default();
        format!("{name}: {}", text.trim().split(';').next().unwrap_or_default())
    });
    format!(
        "{kind} with {cpus} CPUs ({}), Linux {}; {}; tcpdump {}, dumpcap {}, xdpdump {}",
        field("model name").unwrap_or_else(|| "unknown".to_owned()),
        kernel.trim().split('-').next().unwrap_or_default(),
        guards.join(", "),
        version("tcpdump"),
        version("dumpcap"),
        version("xdpdump"),
    )
}

/// The first word with a digit in it of what a program says of its version.
fn version(program: &str) -> String {
    let output = std::process::Command::new(program).arg("--version").output();
    let text =
        output.map(|output| format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)));
    let text = text.unwrap_or_default();
    let word = text
        .split_whitespace()
        .map(|word| word.trim_start_matches('v'))
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    word.map_or_else(|| "missing".to_owned(), |word| word.trim_end_matches(['.', ',']).to_owned())
}
