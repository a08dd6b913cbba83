//! Offsets of fields in the kernel's structures, from its BTF (Documentation/bpf/btf.rst).
//!
//! It is some megabytes of bytes, read once and given back; nothing is built from them but a table of where each type begins.

use std::{collections::BTreeMap, fs};

use crate::netlink::request::{u16_at, u32_at};

const PATH: &str = "/sys/kernel/btf/vmlinux";
const MAGIC: u16 = 0xeb9f;
const KIND_STRUCT: u32 = 4;
const KIND_UNION: u32 = 5;
const KIND_ENUM: u32 = 6;

/// The kernel's types.
pub struct Types {
    bytes: Vec<u8>,
    strings: usize,
    /// Where type `n + 1` begins.
    starts: Vec<u32>,
}

/// A member of a structure.
struct Member {
    name: usize,
    type_id: u32,
    /// Bytes.
    offset: u32,
}

impl Types {
    /// Those of the kernel that runs.
    ///
    /// # Errors
    /// Why there are none, in words.
    pub fn of_kernel() -> Result<Self, String> {
        let bytes = fs::read(PATH).map_err(|error| format!("the kernel has no BTF ({PATH}: {error})"))?;
        Self::parse(bytes).ok_or_else(|| format!("{PATH} is malformed"))
    }

    fn parse(bytes: Vec<u8>) -> Option<Self> {
        if u16_at(&bytes, 0)? != MAGIC {
            return None;
        }
        let header = u32_at(&bytes, 4)? as usize;
        let (type_offset, type_length, string_offset) = (u32_at(&bytes, 8)?, u32_at(&bytes, 12)?, u32_at(&bytes, 16)?);
        let mut at = header.checked_add(type_offset as usize)?;
        let end = at.checked_add(type_length as usize)?;
        let strings = header.checked_add(string_offset as usize)?;
        let mut starts = Vec::new();
        while at < end {
            starts.push(u32::try_from(at).ok()?);
            at = at.checked_add(12 + tail(u32_at(&bytes, at + 4)?)?)?;
        }
        Some(Self { bytes, strings, starts })
    }

    /// Offset in bytes of a field, through the structures that `path` names; members of structures without a name count as their
    /// parent's.
    pub fn offset(&self, structure: &str, path: &[&str]) -> Option<u32> {
        let start = self.starts.iter().copied().find(|&start| {
            self.kind(start) == Some(KIND_STRUCT)
                && self.members(start).next().is_some()
                && self.is_named(self.name(start), structure)
        })?;
        self.offset_in(start, path)
    }

    /// The values of an enumeration and their names; empty when there is none of that name.
    pub fn enumeration(&self, name: &str) -> BTreeMap<u32, String> {
        let wanted = |start: &u32| self.kind(*start) == Some(KIND_ENUM) && self.is_named(self.name(*start), name);
        let Some(start) = self.starts.iter().copied().find(wanted) else { return BTreeMap::new() };
        let count = u32_at(&self.bytes, start as usize + 4).unwrap_or(0) as usize & 0xffff;
        let value = |n: usize| {
            let at = start as usize + 12 + n * 8;
            let name = self.bytes.get(self.strings + u32_at(&self.bytes, at)? as usize..)?;
            let name = name.split(|byte| *byte == 0).next()?;
            Some((u32_at(&self.bytes, at + 4)?, String::from_utf8_lossy(name).into_owned()))
        };
        (0..count).map_while(value).collect()
    }

    fn offset_in(&self, start: u32, path: &[&str]) -> Option<u32> {
        let (first, rest) = path.split_first()?;
        for member in self.members(start) {
            let inner = self.start_of(member.type_id);
            if self.is_named(Some(member.name), first) {
                let below = if rest.is_empty() { 0 } else { self.offset_in(inner?, rest)? };
                return Some(member.offset + below);
            }
            let unnamed = self.is_named(Some(member.name), "");
            if let Some(below) = inner.filter(|_| unnamed).and_then(|inner| self.offset_in(inner, path)) {
                return Some(member.offset + below);
            }
        }
        None
    }

    fn members(&self, start: u32) -> impl Iterator<Item = Member> {
        let info = u32_at(&self.bytes, start as usize + 4).unwrap_or(0);
        let is_structure = matches!(info >> 24 & 0x1f, KIND_STRUCT | KIND_UNION);
        let count = if is_structure { info as usize & 0xffff } else { 0 };
        // With this flag the upper byte of an offset is the width of a bit field.
        let bits = if info >> 31 == 1 { 0x00ff_ffff } else { u32::MAX };
        (0..count).map_while(move |n| {
            let at = start as usize + 12 + n * 12;
            let offset = (u32_at(&self.bytes, at + 8)? & bits) / 8;
            Some(Member { name: u32_at(&self.bytes, at)? as usize, type_id: u32_at(&self.bytes, at + 4)?, offset })
        })
    }

    fn start_of(&self, type_id: u32) -> Option<u32> {
        self.starts.get((type_id as usize).checked_sub(1)?).copied()
    }

    fn kind(&self, start: u32) -> Option<u32> {
        Some(u32_at(&self.bytes, start as usize + 4)? >> 24 & 0x1f)
    }

    fn name(&self, start: u32) -> Option<usize> {
        Some(u32_at(&self.bytes, start as usize)? as usize)
    }

    fn is_named(&self, name: Option<usize>, wanted: &str) -> bool {
        let Some(name) = name.and_then(|name| self.bytes.get(self.strings + name..)) else { return false };
        name.strip_prefix(wanted.as_bytes()).is_some_and(|rest| rest.first() == Some(&0))
    }
}

/// Bytes that follow a type's three words.
fn tail(info: u32) -> Option<usize> {
    let count = info as usize & 0xffff;
    Some(match info >> 24 & 0x1f {
        2 | 7..=12 | 16 | 18 => 0,
        1 | 14 | 17 => 4,
        3 => 12,
        KIND_STRUCT | KIND_UNION | 15 | 19 => count * 12,
        6 | 13 => count * 8,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One structure `s` of a word without a name that holds `b`, and `a` behind it.
    fn fixture() -> Vec<u8> {
        let strings = b"\0s\0a\0b\0";
        let mut types: Vec<u32> = Vec::new();
        types.extend([0, 1 << 24, 4, 32]); // 1: an integer
        types.extend([0, KIND_UNION << 24 | 1, 4, 5, 1, 0]); // 2: union { b }
        types.extend([1, KIND_STRUCT << 24 | 2, 8, 0, 2, 0, 3, 1, 32]); // 3: s { union; a }
        let types: Vec<u8> = types.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&MAGIC.to_ne_bytes());
        bytes.extend_from_slice(&[1, 0]);
        for word in [24, 0, types.len() as u32, types.len() as u32, strings.len() as u32] {
            bytes.extend_from_slice(&u32::to_ne_bytes(word));
        }
        bytes.extend_from_slice(&types);
        bytes.extend_from_slice(strings);
        bytes
    }

    #[test]
    fn fields_are_found_also_in_members_without_a_name() {
        let types = Types::parse(fixture()).unwrap();
        assert_eq!(types.offset("s", &["a"]), Some(4));
        assert_eq!(types.offset("s", &["b"]), Some(0));
        assert_eq!(types.offset("s", &["c"]), None);
        assert_eq!(types.offset("t", &["a"]), None);
    }

    #[test]
    fn cut_bytes_give_nothing_and_no_panic() {
        let whole = fixture();
        for cut in 0..whole.len() {
            if let Some(types) = Types::parse(whole[..cut].to_vec()) {
                let _ = types.offset("s", &["a"]);
            }
        }
    }

    #[test]
    fn the_running_kernels_net_device_is_found_where_there_is_btf() {
        if let Ok(types) = Types::of_kernel() {
            assert!(types.offset("net_device", &["ifindex"]).is_some());
            assert!(types.offset("net", &["ns", "inum"]).is_some());
        }
    }
}
