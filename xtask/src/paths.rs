//! Where things are: the checkout, cargo's target directory, and the cache that several checkouts share.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The root of the checkout.
pub fn repo() -> PathBuf {
    let xtask = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    xtask.parent().map_or_else(|| xtask.clone(), Path::to_path_buf)
}

/// Cargo's target directory (`CARGO_TARGET_DIR`, else `target/` in the checkout).
pub fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => repo().join(dir),
        None => repo().join("target"),
    }
}

/// The directory for what takes long to make and fits every checkout: bpf-linker, qemu, kernels.
///
/// `LINKPROBE_TOOLS`, else `$XDG_CACHE_HOME/linkprobe`, else `~/.cache/linkprobe`.
///
/// # Errors
/// When none of these variables is set and there is no `HOME`.
pub fn cache() -> Result<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(dir) = set("LINKPROBE_TOOLS") {
        return Ok(dir);
    }
    if let Some(dir) = set("XDG_CACHE_HOME") {
        return Ok(dir.join("linkprobe"));
    }
    let home = set("HOME").context("none of LINKPROBE_TOOLS, XDG_CACHE_HOME and HOME is set: where may the tools go?")?;
    Ok(home.join(".cache/linkprobe"))
}

/// The file that tells probe-user/build.rs which compiler and linker make the kernel programs.
pub fn toolchain_file() -> PathBuf {
    repo().join(".linkprobe-toolchain")
}
