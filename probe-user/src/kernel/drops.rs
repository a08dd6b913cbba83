//! Packets that the kernel drops (`kfree_skb`), where it lets a program see them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{BufRead as _, BufReader},
};

use aya::{
    Ebpf,
    maps::{MapData, PerCpuHashMap},
    programs::{ProgramError, RawTracePoint},
};
use probe_common::{
    drops::{DropKey, FIRST_REASON},
    names::{map, program},
};

use super::{KernelError, btf::Types, object::take, pod::Value};

const REASONS: &str = "skb_drop_reason";
const PREFIX: &str = "SKB_DROP_REASON_";
const SYMBOLS: &str = "/proc/kallsyms";

/// The program that counts drops, and the kernel's names for their reasons.
pub struct Drops {
    /// `sk_buff.dev`
    pub(super) skb_dev: u32,
    /// The first reason that is one.
    pub(super) first: u32,
    reasons: BTreeMap<u32, String>,
    state: Result<(), String>,
    counts: Option<PerCpuHashMap<MapData, Value<DropKey>, u64>>,
}

impl Drops {
    /// Finds where the packet's device stands and what the reasons are called.
    pub fn find() -> Self {
        let found = Types::of_kernel().and_then(|types| {
            let dev = types.offset("sk_buff", &["dev"]).ok_or("the kernel's BTF has no sk_buff.dev")?;
            let reasons = types.enumeration(REASONS);
            if reasons.is_empty() {
                Err("the kernel tells no reasons for drops (before 5.17)".to_owned())
            } else {
                Ok((dev, reasons))
            }
        });
        let (skb_dev, reasons, state) = match found {
            Ok((dev, reasons)) => (dev, reasons, Err("not attached".to_owned())),
            Err(why) => (0, BTreeMap::new(), Err(why)),
        };
        let unspecified = reasons.iter().find(|(_, name)| *name == "SKB_DROP_REASON_NOT_SPECIFIED").map(|(value, _)| *value);
        Self { skb_dev, first: unspecified.unwrap_or(FIRST_REASON), reasons, state, counts: None }
    }

    /// Whether this kernel tells why it drops, or why not.
    pub fn known(&self) -> Result<(), &str> {
        if self.reasons.is_empty() { self.state() } else { Ok(()) }
    }

    /// Loads and attaches the program; keeps the reason when that does not work. `located`: the fields of a device are known.
    pub fn attach(&mut self, ebpf: &mut Ebpf, located: bool) {
        if self.reasons.is_empty() {
            return;
        }
        self.state = if located { try_attach(ebpf) } else { Err("the kernel's BTF has no net_device".into()) };
        self.counts = take(ebpf, map::DROPS).ok().and_then(|map| map.try_into().ok());
    }

    /// Whether drops are counted, or why not.
    pub fn state(&self) -> Result<(), &str> {
        match &self.state {
            Ok(()) => Ok(()),
            Err(why) => Err(why),
        }
    }

    /// What was dropped since the program was attached, summed over CPUs.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn counts(&self) -> Result<BTreeMap<DropKey, u64>, KernelError> {
        let Some(counts) = self.counts.as_ref().filter(|_| self.state.is_ok()) else { return Ok(BTreeMap::new()) };
        let mut found = BTreeMap::new();
        for entry in counts.iter() {
            let (Value(key), per_cpu) = entry.map_err(KernelError::map(map::DROPS))?;
            found.insert(key, per_cpu.iter().sum());
        }
        Ok(found)
    }

    /// Counts no more what stands under this key, until it is dropped again.
    pub fn forget(&mut self, key: DropKey) {
        if let Some(counts) = &mut self.counts {
            // One that is gone already is forgotten.
            let _ = counts.remove(&Value(key));
        }
    }

    /// The kernel's name of a reason without its prefix; of one that its subsystems add, the number.
    pub fn reason(&self, reason: u32) -> String {
        self.reasons.get(&reason).map_or_else(|| format!("{reason:#x}"), |name| name.trim_start_matches(PREFIX).to_owned())
    }
}

fn try_attach(ebpf: &mut Ebpf) -> Result<(), String> {
    let name = program::KFREE_SKB;
    let program = ebpf.program_mut(name).ok_or_else(|| format!("the object has no {name}"))?;
    let program: &mut RawTracePoint = program.try_into().map_err(|error: ProgramError| error.to_string())?;
    program.load().and_then(|()| program.attach("kfree_skb")).map_err(|error| refused(&error))?;
    Ok(())
}

fn refused(error: &ProgramError) -> String {
    let io = match error {
        ProgramError::LoadError { io_error, .. } => Some(io_error),
        ProgramError::SyscallError(error) => Some(&error.io_error),
        _ => None,
    };
    io.map_or_else(|| error.to_string(), |io| format!("the kernel refuses programs at kfree_skb: {io}"))
}

/// Names of the functions that these addresses are in; those that cannot be told are left out. Reads all of /proc/kallsyms: some tens of
/// milliseconds.
pub fn places(addresses: &BTreeSet<u64>) -> BTreeMap<u64, String> {
    let Ok(file) = File::open(SYMBOLS) else { return BTreeMap::new() };
    let lines = BufReader::new(file).lines().map_while(Result::ok);
    nearest(lines, addresses)
}

fn nearest(lines: impl Iterator<Item = String>, addresses: &BTreeSet<u64>) -> BTreeMap<u64, String> {
    let mut found: BTreeMap<u64, (u64, String)> = BTreeMap::new();
    for line in lines {
        let mut words = line.split_ascii_whitespace();
        let (Some(start), Some(kind), Some(name)) = (words.next(), words.next(), words.next()) else { continue };
        let Ok(start) = u64::from_str_radix(start, 16) else { continue };
        if start == 0 || !matches!(kind, "t" | "T" | "w" | "W") {
            continue;
        }
        for address in addresses.range(start..start.saturating_add(1 << 16)) {
            let better = found.get(address).is_none_or(|(known, _)| *known < start);
            if better {
                found.insert(*address, (start, name.to_owned()));
            }
        }
    }
    found.into_iter().map(|(address, (_, name))| (address, name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_the_function_that_begins_last_before_it() {
        let lines = ["ffff0000 T first", "ffff0100 t second", "ffff0180 d data", "0 T hidden", "odd", "ffff0200 T third"];
        let addresses = BTreeSet::from([0xffff_0010, 0xffff_01ff, 0xffff_0200, 0x10]);
        let found = nearest(lines.map(str::to_owned).into_iter(), &addresses);
        let expected = [(0xffff_0010, "first"), (0xffff_01ff, "second"), (0xffff_0200, "third")];
        assert_eq!(found, expected.map(|(address, name)| (address, name.to_owned())).into());
    }
}
