//! The compiled kernel programs, and how they get into the kernel.

use std::path::Path;

use aya::{
    Ebpf, EbpfLoader, include_bytes_aligned,
    maps::{Map, MapData, RingBuf},
    programs::{SchedClassifier, Xdp},
};
use probe_common::{
    names::{global, map, program},
    recorder::lane,
};

use super::{KernelConfig, KernelError, carrier::Carrier, config::Division, drops::Drops, features, pin};

/// The ELF object that probe-user/build.rs makes of probe-ebpf.
pub static PROGRAMS: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/linkprobe-ebpf"));

/// aya-log's levels: `AYA_LOG_LEVEL` in the programs.
const LOG_OFF: u8 = 0;
const LOG_DEBUG: u8 = 4;
/// Smallest ring buffer: what the unused one of the diagnostics takes while they are off.
const LEAST_RING: u32 = 4096;

/// Makes maps, and programs with their parameters set; loads no program yet.
pub fn load(config: &KernelConfig, division: Division, carrier: &Carrier, drops: &Drops) -> Result<Ebpf, KernelError> {
    let parameters: [(&str, u32); 15] = [
        (global::STAGES, config.stages),
        (global::SNAPLEN, config.snaplen),
        (global::CONTROL_SNAPLEN, config.control_snaplen),
        (global::BLOCKS_CONTROL, division.blocks[lane::CONTROL]),
        (global::BLOCKS_BULK, division.blocks[lane::BULK]),
        (global::REPEAT_WINDOW_NS, config.repeat_window_ns),
        (global::STORM_NS, 1_000_000_000 / config.storm_rate.max(1)),
        (global::ATOMIC, u32::from(needs_atomics())),
        (global::NETDEV_IFINDEX, carrier.offsets.ifindex),
        (global::NETDEV_STATE, carrier.offsets.state),
        (global::NETDEV_NET, carrier.offsets.net),
        (global::NET_INUM, carrier.offsets.net_inum),
        (global::NETNS, carrier.netns),
        (global::SKB_DEV, drops.skb_dev),
        (global::DROP_FIRST, drops.first),
    ];
    let log = if config.log { LOG_DEBUG } else { LOG_OFF };
    let mut loader = EbpfLoader::new();
    // Nothing here is relocated against the kernel's types: the offsets are parameters.
    loader.btf(None);
    for (name, value) in &parameters {
        loader.override_global(name, value, true);
    }
    loader.override_global(global::AYA_LOG_LEVEL, &log, false);
    loader.map_max_entries(map::RECORDER, division.total());
    loader.map_max_entries(map::REPEATS, division.cpus);
    if !config.log {
        loader.map_max_entries("AYA_LOGS", LEAST_RING);
    }
    let pins: Vec<_> = config.pin.iter().flat_map(|dir| pin::MAPS.map(|name| (name, dir.join(name)))).collect();
    for (name, path) in &pins {
        loader.map_pin_path(name, Path::new(path));
    }
    loader.load(PROGRAMS).map_err(|error| KernelError::Load { hint: features::hint(), source: error.into() })
}

/// Loads the programs that see frames.
pub fn load_programs(ebpf: &mut Ebpf) -> Result<(), KernelError> {
    let failed = |program| {
        move |error: aya::programs::ProgramError| KernelError::Program {
            program,
            hint: features::hint(),
            source: refused(&error).into(),
        }
    };
    for name in [program::XDP_INGRESS, program::XDP_FRAGS] {
        xdp(ebpf, name)?.load().map_err(failed(name))?;
    }
    for name in [program::TC_INGRESS, program::TC_EGRESS] {
        classifier(ebpf, name)?.load().map_err(failed(name))?;
    }
    Ok(())
}

/// Why a program was refused. The verifier's log is for those who change the program: it goes to the log at level debug, and what
/// it ends with stays here.
fn refused(error: &aya::programs::ProgramError) -> String {
    let aya::programs::ProgramError::LoadError { io_error, verifier_log } = error else { return error.to_string() };
    let text = verifier_log.to_string();
    log::debug!("{text}");
    let numbers = ["verification time", "stack depth", "processed "];
    let mut said = text.lines().filter(|line| !numbers.iter().any(|start| line.starts_with(start)));
    match said.next_back().filter(|line| !line.is_empty()) {
        Some(last) => format!("{io_error}; its verifier ends with \"{}\" (--log debug has all of it)", last.trim()),
        None => io_error.to_string(),
    }
}

/// An XDP program of the object.
pub fn xdp<'a>(ebpf: &'a mut Ebpf, name: &'static str) -> Result<&'a mut Xdp, KernelError> {
    let program = ebpf.program_mut(name).ok_or_else(|| absent(name))?;
    program.try_into().map_err(|error: aya::programs::ProgramError| KernelError::Program {
        program: name,
        hint: String::new(),
        source: error.into(),
    })
}

/// A classifier of the object.
pub fn classifier<'a>(ebpf: &'a mut Ebpf, name: &'static str) -> Result<&'a mut SchedClassifier, KernelError> {
    let program = ebpf.program_mut(name).ok_or_else(|| absent(name))?;
    program.try_into().map_err(|error: aya::programs::ProgramError| KernelError::Program {
        program: name,
        hint: String::new(),
        source: error.into(),
    })
}

/// Takes a map out of the object. The programs that use it have to be loaded before.
pub fn take(ebpf: &mut Ebpf, name: &'static str) -> Result<Map, KernelError> {
    ebpf.take_map(name).ok_or_else(|| absent(name))
}

/// Takes a ring buffer out of the object.
pub fn ring(ebpf: &mut Ebpf, name: &'static str) -> Result<RingBuf<MapData>, KernelError> {
    take(ebpf, name)?.try_into().map_err(KernelError::map(name))
}

fn absent(name: &'static str) -> KernelError {
    KernelError::Load { hint: String::new(), source: format!("the object has no {name}").into() }
}

/// See [`global::ATOMIC`].
fn needs_atomics() -> bool {
    let preempt_rt = std::fs::read_to_string("/sys/kernel/realtime").is_ok_and(|text| text.trim() == "1");
    preempt_rt || !cfg!(any(target_arch = "x86_64", target_arch = "x86"))
}
