//! The command line of `linkprobe analyze`.

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use probe_core::filter::Filter;
use probe_core::replay::{Mac, link_name};

use crate::config::{parse_filter, parse_size};

/// Options of `linkprobe analyze`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  linkprobe analyze dp0bond0.pcap dp0s0.pcap dp0s2.pcap    a bond and its slaves, one file each: names come from the files
  linkprobe analyze bond0=/tmp/x.pcap.gz --mac 00:1b:21:3c:4d:5e
                                                           what the file is of, and which end is ours
  linkprobe analyze bond0.pcap --filter 'vlan 956 and tcp port 1434'
                                                           of ordinary packets, only these in the compacted capture
  linkprobe analyze bond0-20171205*.pcap --bond bond0      rotated files of one bond, in any order

It writes report.txt, report.html, incident.json and capture.pcapng, in which each repeat stands for its copies, into a new directory.
What a capture cannot show (carriers, the kernel's own view, drops) is named in the report.
Exit codes: 0 done, 1 a file could not be read to its end (the rest is analysed), 2 wrong usage.")]
pub struct AnalyzeArgs {
    /// Captures: pcap or pcapng, also packed with gzip or zstd; NAME=FILE says which interface a file is of
    ///
    /// Several files are put together by their time, typically one of a bond and one of each slave. Without NAME, a pcapng's own names
    /// count, else the file's name without its ending and its date.
    #[arg(value_name = "[NAME=]FILE", required = true)]
    pub files: Vec<String>,
    /// Where to write; must not be there yet [default: ./linkprobe-analysis- and the first file's name]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// A bond, and perhaps its slaves; may be given several times [default: inferred from LACPDUs and names]
    #[arg(long, value_name = "NAME[=SLAVE,…]", value_parser = parse_bond)]
    pub bond: Vec<(String, Vec<String>)>,
    /// A hardware address of this router; may be given several times [default: inferred]
    ///
    /// What comes from it was transmitted, the rest received. Files that say which way packets went need none.
    #[arg(long, value_name = "MAC", value_parser = parse_mac)]
    pub mac: Vec<Mac>,
    /// Most bytes of packets in capture.pcapng
    ///
    /// Control frames come first, then the packets nearest to the triggers; what does not fit is counted.
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "16MiB")]
    pub capture_limit: u64,
    /// Of ordinary packets, keep only these in capture.pcapng: an expression of pcap-filter(7)
    ///
    /// Control frames (LACP, ARP, routing…) and what is kept of repeats are kept in any case. The rest is counted, and the verdict looks
    /// at it as far as --capture-limit has room. Not known: mpls, pppoed, pppoes, gateway, protochain, names of hosts and services.
    #[arg(long, value_name = "EXPR", value_parser = parse_filter)]
    pub filter: Option<Filter>,
    /// Print the summary as JSON
    #[arg(long)]
    pub json: bool,
}

/// A file, and the interface that it is said to be of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The interface's name, where it is said.
    pub name: Option<String>,
    /// The file.
    pub path: PathBuf,
}

impl AnalyzeArgs {
    /// The files.
    ///
    /// # Errors
    /// For an empty name or path.
    pub fn files(&self) -> anyhow::Result<Vec<Named>> {
        self.files.iter().map(|text| named(text)).collect()
    }
}

impl Named {
    /// Bytes of the file as it is; 0 where that cannot be said.
    pub fn size(&self) -> u64 {
        self.path.metadata().map_or(0, |of| of.len())
    }

    /// The file's name without its endings.
    pub fn stem(&self) -> String {
        link_name(&self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default())
    }
}

fn named(text: &str) -> anyhow::Result<Named> {
    ensure!(!text.is_empty(), "the name of a file is empty");
    // A file may have = in its name.
    match text.split_once('=').filter(|(name, _)| !name.contains('/') && !PathBuf::from(text).exists()) {
        Some((name, path)) => {
            ensure!(!name.is_empty() && !path.is_empty(), "{text:?}: write NAME=FILE");
            Ok(Named { name: Some(name.to_owned()), path: path.into() })
        }
        None => Ok(Named { name: None, path: text.into() }),
    }
}

fn parse_bond(text: &str) -> Result<(String, Vec<String>), String> {
    let (bond, slaves) = text.split_once('=').unwrap_or((text, ""));
    let slaves: Vec<String> = slaves.split(',').filter(|slave| !slave.is_empty()).map(str::to_owned).collect();
    if bond.is_empty() { Err("write bond0 or bond0=eth1,eth2".to_owned()) } else { Ok((bond.to_owned(), slaves)) }
}

fn parse_mac(text: &str) -> Result<Mac, String> {
    let read = || {
        let bytes: Vec<u8> = text.split([':', '-']).map(|part| u8::from_str_radix(part, 16).ok()).collect::<Option<_>>()?;
        Mac::try_from(bytes).ok()
    };
    read().ok_or_else(|| format!("{text:?} is no hardware address: write 00:1b:21:3c:4d:5e"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_be_given_a_name() -> anyhow::Result<()> {
        assert_eq!(named("eth1=/tmp/x.pcap")?, Named { name: Some("eth1".to_owned()), path: "/tmp/x.pcap".into() });
        assert_eq!(named("/tmp/a=b.pcap")?, Named { name: None, path: "/tmp/a=b.pcap".into() });
        assert!(named("=x").is_err() && named("eth1=").is_err());
        Ok(())
    }

    #[test]
    fn bonds_and_addresses_are_read() {
        assert_eq!(parse_bond("bond0=eth1,eth2"), Ok(("bond0".to_owned(), vec!["eth1".to_owned(), "eth2".to_owned()])));
        assert_eq!(parse_bond("bond0"), Ok(("bond0".to_owned(), vec![])));
        assert_eq!(parse_mac("00:1b:21:3C-4d:5e"), Ok([0, 0x1B, 0x21, 0x3C, 0x4D, 0x5E]));
        assert!(parse_mac("00:1b:21:3c:4d").is_err());
    }
}
