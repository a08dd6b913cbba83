//! The compiler and the linker for the kernel programs, and what the tests call on the host.

mod debian;
mod linker;
mod nightly;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::exec::{is_executable, which};
use crate::{paths, ui};

/// Programs that the host's tests call, and their Debian packages.
const TEST_TOOLS: &[(&str, &str)] = &[
    ("ip", "iproute2"),
    ("ethtool", "ethtool"),
    ("tcpdump", "tcpdump"),
    ("tshark", "tshark"),
    ("capinfos", "wireshark-common"),
    ("chromium", "chromium"),
    ("zstd", "zstd"),
    ("git", "git"),
    // the collectors that real messages, samples and figures are sent to
    ("rsyslogd", "rsyslog"),
    ("sfacctd", "pmacct"),
    ("prometheus", "prometheus"),
    ("promtool", "prometheus"),
    ("sar", "sysstat"),
];

/// Programs that Linkprobe is measured beside, what prepares their bed, and their Debian packages.
const PEERS: &[(&str, &str)] = &[
    ("ip", "iproute2"),
    ("ethtool", "ethtool"),
    ("tcpdump", "tcpdump"),
    ("dumpcap", "wireshark-common"),
    ("xdpdump", "xdp-tools"),
];

/// What compiles and links the kernel programs. probe-user/build.rs reads it from `.linkprobe-toolchain`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    /// rustup's name of it: a nightly with rust-src, or `debian`
    pub name: String,
    /// a stable compiler that needs `RUSTC_BOOTSTRAP=1` for `-Z build-std`
    pub bootstrap: bool,
    /// the directory with bpf-linker, to be put on PATH
    pub linker_dir: PathBuf,
}

/// Finds or installs the compiler and the linker, and notes them for build.rs.
///
/// # Errors
/// What is missing and how to get it.
pub fn ensure() -> Result<Toolchain> {
    let file = paths::toolchain_file();
    let noted = fs::read_to_string(&file).ok().and_then(|text| Toolchain::parse(&text));
    if let Some(noted) = noted.filter(Toolchain::works) {
        ui::present(&format!("compiler ({}) and linker of the kernel programs", noted.name));
        return Ok(noted);
    }
    let compiler = match nightly::find() {
        Some(compiler) => compiler,
        None => debian::ensure()?,
    };
    let linker_dir = linker::ensure(&compiler)?;
    let toolchain = Toolchain { name: compiler.name, bootstrap: compiler.bootstrap, linker_dir };
    fs::write(&file, toolchain.to_string()).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(toolchain)
}

/// Installs what the tests call on this machine, where it is missing: tools, and the linter of Debian's compiler. `None`: there is no
/// compiler yet, and it will be Debian's.
///
/// # Errors
/// Which packages to install, when we cannot.
pub fn ensure_test_tools(toolchain: Option<&Toolchain>) -> Result<()> {
    let mut missing: Vec<&str> =
        TEST_TOOLS.iter().filter(|(tool, _)| which(tool).is_none()).map(|(_, package)| *package).collect();
    if toolchain.is_none_or(|toolchain| toolchain.bootstrap) && !debian::has_clippy() {
        missing.push(debian::CLIPPY);
    }
    missing.dedup();
    if missing.is_empty() {
        ui::present("tools of the tests");
        return Ok(());
    }
    debian::install(&missing, "the tests' tools")
}

/// Installs what of the peers is missing. What cannot be had is told: the bench goes without it.
pub fn ensure_peers() {
    let mut missing: Vec<&str> = PEERS.iter().filter(|(tool, _)| which(tool).is_none()).map(|(_, package)| *package).collect();
    missing.dedup();
    if let Err(error) = debian::install(&missing, "the programs that are compared") {
        ui::note(&format!("{error:#}"));
    }
}

/// A compiler with the sources of its standard library.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Compiler {
    name: String,
    bootstrap: bool,
    /// the major version of its LLVM
    llvm: u32,
}

impl Toolchain {
    fn works(&self) -> bool {
        // an upgrade of the compiler may bring another LLVM than that of the linker
        let fits = |llvm: u32| !self.bootstrap || self.linker_dir == linker::dir_of(llvm).unwrap_or_default();
        is_executable(&self.linker_dir.join("bpf-linker")) && has_sources(&self.name) && llvm(&self.name).is_some_and(fits)
    }

    fn parse(text: &str) -> Option<Self> {
        let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        Some(Self {
            name: value("toolchain")?.to_owned(),
            bootstrap: value("bootstrap")? == "1",
            linker_dir: PathBuf::from(value("linker_dir")?),
        })
    }
}

impl std::fmt::Display for Toolchain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bootstrap = u8::from(self.bootstrap);
        writeln!(f, "toolchain={}\nbootstrap={bootstrap}\nlinker_dir={}", self.name, self.linker_dir.display())
    }
}

/// The root of an installed toolchain, if it is one that works.
fn sysroot(name: &str) -> Option<PathBuf> {
    // asked of rustup without installing what is not there
    let output = Command::new("rustup").args(["run", name, "rustc", "--print", "sysroot"]).output().ok()?;
    output.status.success().then(|| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}

fn has_sources(name: &str) -> bool {
    sysroot(name).is_some_and(|root| sources_in(&root))
}

fn sources_in(sysroot: &Path) -> bool {
    sysroot.join("lib/rustlib/src/rust/library/core/Cargo.toml").exists()
}

/// The major version of the LLVM in an installed toolchain's compiler.
fn llvm(name: &str) -> Option<u32> {
    let output = Command::new("rustup").args(["run", name, "rustc", "-vV"]).output().ok()?;
    llvm_of(&String::from_utf8_lossy(&output.stdout))
}

fn llvm_of(version: &str) -> Option<u32> {
    let version = version.lines().find_map(|line| line.strip_prefix("LLVM version: "))?;
    version.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_for_build_rs_reads_back() {
        let toolchain = Toolchain { name: "debian".to_owned(), bootstrap: true, linker_dir: PathBuf::from("/some where/bin") };
        assert_eq!(Toolchain::parse(&toolchain.to_string()), Some(toolchain));
        assert_eq!(Toolchain::parse("toolchain=debian\n"), None);
    }

    #[test]
    fn the_llvm_of_a_compiler_is_its_major_version() {
        assert_eq!(llvm_of("rustc 1.96.0\nLLVM version: 22.1.8\n"), Some(22));
        assert_eq!(llvm_of("rustc 1.96.0\n"), None);
    }
}
