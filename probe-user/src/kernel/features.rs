//! What this kernel can do for us, found out by asking or by trying, each with its consequence in words.

use std::fs;

use aya::{
    maps::MapType,
    programs::ProgramType,
    sys::{is_map_supported, is_program_supported},
    util::KernelVersion,
};
use serde::Serialize;

use super::{btf::Types, carrier, drops::Drops, pin};

/// Oldest kernel that the common programs load on, and the feature that it came with.
const OLDEST: (u8, u8, &str) = (5, 18, "bpf_xdp_load_bytes");

/// Capabilities (linux/capability.h) that are needed, and what for.
const CAPABILITIES: [(u32, &str, &str); 3] = [
    (39, "CAP_BPF", "loading programs"),
    (12, "CAP_NET_ADMIN", "attaching to interfaces"),
    (38, "CAP_PERFMON", "reading the kernel's structures and tracing"),
];
/// Stands in for CAP_BPF and CAP_PERFMON.
const CAP_SYS_ADMIN: u32 = 21;

/// One thing that the kernel can or cannot do.
#[derive(Clone, Debug, Serialize)]
pub struct Feature {
    /// Short name.
    pub name: &'static str,
    /// Whether it is there.
    pub available: bool,
    /// Linkprobe does not work without it.
    pub required: bool,
    /// What that means, in words.
    pub consequence: String,
}

/// What this kernel can do.
#[derive(Clone, Debug, Serialize)]
pub struct Features {
    /// Release, as of uname.
    pub kernel: String,
    /// Names of capabilities that this process lacks.
    pub missing_capabilities: Vec<&'static str>,
    /// In the order in which they matter.
    pub features: Vec<Feature>,
}

impl Features {
    /// True when nothing that is required is missing.
    pub fn sufficient(&self) -> bool {
        self.missing_capabilities.is_empty() && self.features.iter().all(|feature| feature.available || !feature.required)
    }
}

/// Finds out. Loads and attaches nothing that stays.
pub fn probe(pin_dir: Option<&std::path::Path>) -> Features {
    let version = KernelVersion::current().ok();
    let since = |major, minor| version.is_some_and(|version| version >= KernelVersion::new(major, minor, 0));
    let program = |kind| is_program_supported(kind).unwrap_or(false);
    let map = |kind| is_map_supported(kind).unwrap_or(false);
    let btf = Types::of_kernel();
    let tracing = carrier::try_tracing();
    let feature = |name, available, required, yes: &str, no: &str| Feature {
        name,
        available,
        required,
        consequence: if available { yes } else { no }.to_owned(),
    };
    let mut features = vec![
        feature(
            "kernel 5.18",
            since(5, 18),
            true,
            "the programs load",
            "too old: bpf_xdp_load_bytes is missing, so nothing can be recorded",
        ),
        feature(
            "xdp",
            program(ProgramType::Xdp),
            true,
            "receive can be tapped before the stack",
            "no XDP programs: the kernel was built without them, or refuses them",
        ),
        feature(
            "tc",
            program(ProgramType::SchedClassifier),
            true,
            "transmit and bonds can be tapped",
            "no classifiers: neither transmit nor bonds can be tapped",
        ),
        feature("ring buffer", map(MapType::RingBuf), true, "samples and events come through", "no BPF ring buffer"),
        feature(
            "tcx links",
            since(6, 6),
            false,
            "taps go with the agent, and can be pinned",
            "before 6.6: tc filters on a clsact qdisc, cleaned up at the next start after a kill",
        ),
        feature(
            "driver features by netlink",
            since(6, 3),
            false,
            "native XDP is known before attaching",
            "before 6.3: native XDP is found out by attaching",
        ),
    ];
    features.push(match &btf {
        Ok(_) => feature("btf", true, false, "fields of the kernel's structures can be found", ""),
        Err(why) => feature("btf", false, false, "", &format!("{why}: no exact times of carrier edges")),
    });
    features.push(match &tracing {
        Ok(()) => feature("tracing programs", true, false, "carrier edges have exact times, and none is missed", ""),
        Err(why) => feature(
            "tracing programs",
            false,
            false,
            "",
            &format!("{why}: carrier changes are known from netlink and its counters only"),
        ),
    });
    features.push(match Drops::find().known() {
        Ok(()) => feature("drop reasons", true, false, "what the kernel drops is counted by reason", ""),
        Err(why) => feature("drop reasons", false, false, "", &format!("{why}: drops are known from the drivers' counters only")),
    });
    let pinned = pin_dir.unwrap_or(std::path::Path::new("/sys/fs/bpf"));
    features.push(feature(
        "bpffs",
        pin::on_bpffs(pinned),
        false,
        "a killed agent loses no history",
        &format!("{} is not on a bpffs (mount -t bpf bpf /sys/fs/bpf): a killed agent loses its history", pinned.display()),
    ));
    Features { kernel: release(), missing_capabilities: missing_capabilities(), features }
}

/// What is likely missing when the kernel refuses to load something; empty, or beginning with a space.
pub(super) fn hint() -> String {
    hint_of(&missing_capabilities(), KernelVersion::current().ok(), &release())
}

fn hint_of(missing: &[&str], version: Option<KernelVersion>, release: &str) -> String {
    if !missing.is_empty() {
        return format!(" (missing {})", missing.join(", "));
    }
    let (major, minor, feature) = OLDEST;
    match version {
        Some(version) if version < KernelVersion::new(major, minor, 0) => {
            format!(" (kernel {release}: {feature} needs {major}.{minor})")
        }
        _ => String::new(),
    }
}

/// Names of the capabilities that this process lacks.
pub fn missing_capabilities() -> Vec<&'static str> {
    let effective = fs::read_to_string("/proc/self/status").ok().and_then(|status| effective(&status));
    effective.map(missing_of).unwrap_or_default()
}

fn effective(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

fn missing_of(effective: u64) -> Vec<&'static str> {
    let has = |bit: u32| effective >> bit & 1 == 1;
    let covered = |name: &str| name != "CAP_NET_ADMIN" && has(CAP_SYS_ADMIN);
    CAPABILITIES.iter().filter(|(bit, name, _)| !has(*bit) && !covered(name)).map(|(_, name, _)| *name).collect()
}

/// What a capability is needed for, in words.
pub fn purpose(capability: &str) -> &'static str {
    CAPABILITIES.iter().find(|(_, name, _)| *name == capability).map_or("", |(_, _, purpose)| purpose)
}

fn release() -> String {
    fs::read_to_string("/proc/sys/kernel/osrelease").map(|text| text.trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_that_is_too_old_is_told_what_it_lacks_and_missing_capabilities_come_first() {
        let hint = |version| hint_of(&[], Some(version), "5.10.0-28-amd64");
        assert_eq!(hint(KernelVersion::new(5, 10, 0)), " (kernel 5.10.0-28-amd64: bpf_xdp_load_bytes needs 5.18)");
        assert_eq!(hint(KernelVersion::new(5, 18, 0)), "");
        assert_eq!(hint_of(&["CAP_BPF"], Some(KernelVersion::new(5, 10, 0)), "5.10.0"), " (missing CAP_BPF)");
    }

    #[test]
    fn missing_capabilities_are_named() {
        assert_eq!(missing_of(0), ["CAP_BPF", "CAP_NET_ADMIN", "CAP_PERFMON"]);
        assert_eq!(missing_of(1 << 21), ["CAP_NET_ADMIN"]);
        assert_eq!(missing_of(1 << 39 | 1 << 12 | 1 << 38), [""; 0]);
        assert_eq!(effective("Name:\tx\nCapEff:\t0000000000001000\n"), Some(1 << 12));
    }
}
