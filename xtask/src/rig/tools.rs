//! The rig's programs (qemu, and what the guest gets): unpacked Debian packages that run from where they are.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::exec::quiet;

/// What is fetched, besides what these need.
pub const PACKAGES: &[&str] =
    &["qemu-system-x86", "bash", "iproute2", "busybox-static", "ethtool", "bpftool", "xz-utils", "zstd", "lz4"];

/// A directory with unpacked packages.
#[derive(Clone, Debug)]
pub struct Tools {
    root: PathBuf,
}

impl Tools {
    /// The programs under `root`.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_path_buf() }
    }

    /// Where `name` is under the root.
    ///
    /// # Errors
    /// When no package brought it.
    pub fn find(&self, name: &str) -> Result<PathBuf> {
        ["usr/bin", "bin", "usr/sbin", "sbin"]
            .iter()
            .map(|dir| self.root.join(dir).join(name))
            .find(|file| file.exists())
            .with_context(|| format!("the rig has no {name}: `cargo xtask setup --refresh` makes it anew"))
    }

    /// A command that runs `name` with the libraries that came with it.
    ///
    /// # Errors
    /// When it or the C library is not there.
    pub fn command(&self, name: &str) -> Result<Command> {
        let mut command = Command::new(self.loader()?);
        command.arg("--library-path").arg(self.library_path()).arg(self.find(name)?);
        Ok(command)
    }

    /// The shared libraries of `program`, as files; none for a static one.
    ///
    /// # Errors
    /// When a library is missing.
    pub fn libraries(&self, program: &Path) -> Result<Vec<PathBuf>> {
        let mut command = Command::new(self.loader()?);
        command.arg("--library-path").arg(self.library_path()).arg("--list").arg(program);
        let text = quiet(&mut command)?;
        Ok(text.lines().filter_map(|line| line.split_once("=> ")).map(|(_, rest)| first_word(rest)).collect())
    }

    /// The dynamic loader.
    ///
    /// # Errors
    /// When the C library is not there.
    pub fn loader(&self) -> Result<PathBuf> {
        self.library_dirs()
            .into_iter()
            .map(|dir| dir.join("ld-linux-x86-64.so.2"))
            .find(|file| file.exists())
            .with_context(|| format!("no C library under {}: `cargo xtask setup --refresh`", self.root.display()))
    }

    /// qemu with its firmware's directories.
    ///
    /// # Errors
    /// When it is not there.
    pub fn qemu(&self) -> Result<Command> {
        let mut command = self.command("qemu-system-x86_64")?;
        command.env("QEMU_MODULE_DIR", self.root.join("usr/lib/x86_64-linux-gnu/qemu"));
        for data in ["usr/share/qemu", "usr/share/seabios"] {
            command.arg("-L").arg(self.root.join(data));
        }
        Ok(command)
    }

    fn library_dirs(&self) -> [PathBuf; 2] {
        ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"].map(|dir| self.root.join(dir))
    }

    fn library_path(&self) -> OsString {
        let [first, second] = self.library_dirs();
        let mut path = first.into_os_string();
        path.push(":");
        path.push(second);
        path
    }
}

fn first_word(text: &str) -> PathBuf {
    PathBuf::from(text.split_whitespace().next().unwrap_or_default())
}
