//! bpf-linker, built against the LLVM of the compiler that it links for, and kept in the cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{Compiler, debian};
use crate::exec::{quiet, which};
use crate::{paths, ui};

const VERSION: &str = "0.13.0";
/// The LLVMs that this version has a feature for.
const LLVMS: std::ops::RangeInclusive<u32> = 21..=23;

/// The directory with a bpf-linker for `compiler`, building it (minutes) if need be.
///
/// # Errors
/// When it cannot be built.
pub fn ensure(compiler: &Compiler) -> Result<PathBuf> {
    let llvm = compiler.llvm;
    let bin = dir_of(llvm)?;
    if is_ours(&bin.join("bpf-linker")) {
        ui::present(&format!("bpf-linker {VERSION} for LLVM {llvm}"));
        return Ok(bin);
    }
    // a developer's own is as good, if it is this version; Debian's compiler always gets one of its own LLVM
    if !compiler.bootstrap
        && let Some(own) = which("bpf-linker").filter(|own| is_ours(own))
        && let Some(dir) = own.parent()
    {
        ui::present(&format!("bpf-linker {VERSION} on PATH"));
        return Ok(dir.to_path_buf());
    }
    if !prefix(llvm).exists() {
        debian::install(&[&format!("llvm-{llvm}-dev"), "zlib1g-dev", "libzstd-dev", "g++"], "LLVM for bpf-linker")?;
    }
    ui::step(&format!("building bpf-linker {VERSION} for LLVM {llvm} (about two minutes)"), || build(llvm, &root_of(llvm)?))?;
    Ok(bin)
}

/// The directory of the bpf-linker that we build for this LLVM.
///
/// # Errors
/// Without a directory for caches.
pub fn dir_of(llvm: u32) -> Result<PathBuf> {
    Ok(root_of(llvm)?.join("bin"))
}

fn root_of(llvm: u32) -> Result<PathBuf> {
    Ok(paths::cache()?.join("tools").join(format!("bpf-linker-{VERSION}-llvm-{llvm}")))
}

/// Whether there is, or could be, a linker for this LLVM.
pub fn possible(llvm: u32) -> bool {
    let buildable = LLVMS.contains(&llvm) && (prefix(llvm).exists() || debian::offered(&format!("llvm-{llvm}-dev")));
    buildable || which("bpf-linker").is_some_and(|own| is_ours(&own))
}

fn build(llvm: u32, root: &Path) -> Result<()> {
    // made beside its place, so that an interrupted build is never taken for a whole one
    let fresh = root.with_extension(format!("new-{}", std::process::id()));
    let result = quiet(
        Command::new("cargo")
            .args(["install", "bpf-linker", "--version", VERSION, "--locked", "--no-default-features"])
            .args(["--features", &format!("llvm-{llvm}"), "--root"])
            .arg(&fresh)
            .env("LLVM_PREFIX", prefix(llvm))
            .env("CARGO_TARGET_DIR", fresh.join("build"))
            // what `cargo xtask` and a developer set for this workspace is not meant for it
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS"),
    );
    let placed = result.and_then(|_| {
        fs::remove_dir_all(fresh.join("build")).context("cannot remove the build's files")?;
        if root.exists() {
            fs::remove_dir_all(root).with_context(|| format!("cannot remove {}", root.display()))?;
        }
        fs::rename(&fresh, root).with_context(|| format!("cannot make {}", root.display()))
    });
    if placed.is_err() {
        let _ = fs::remove_dir_all(&fresh);
    }
    placed
}

fn prefix(llvm: u32) -> PathBuf {
    PathBuf::from(format!("/usr/lib/llvm-{llvm}"))
}

/// Whether it starts (its LLVM is there) and is the version that we know.
fn is_ours(linker: &Path) -> bool {
    linker.exists() && quiet(Command::new(linker).arg("--version")).is_ok_and(|text| text.contains(VERSION))
}
