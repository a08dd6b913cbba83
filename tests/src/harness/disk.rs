//! A small disk that can be full, or refuse to be written.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::command::succeed;
use super::scratch::Scratch;

/// A tmpfs of limited size. Unmounted at the end.
#[derive(Debug)]
pub struct Disk {
    path: PathBuf,
}

impl Disk {
    /// Mounts one of `kib` KiB below a scratch directory.
    ///
    /// # Errors
    /// When mounting is refused.
    pub fn new(scratch: &Scratch, kib: u32) -> Result<Disk> {
        let path = scratch.path().join("disk");
        std::fs::create_dir_all(&path)?;
        succeed(Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs"]).arg(&path))?;
        Ok(Disk { path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes it another size.
    ///
    /// # Errors
    /// When that is refused.
    pub fn resize(&self, kib: u32) -> Result<()> {
        self.remount(&format!("size={kib}k"))
    }

    /// Makes it read-only, or writable again.
    ///
    /// # Errors
    /// When that is refused.
    pub fn read_only(&self, yes: bool) -> Result<()> {
        self.remount(if yes { "ro" } else { "rw" })
    }

    fn remount(&self, option: &str) -> Result<()> {
        succeed(Command::new("mount").args(["-o", &format!("remount,{option}")]).arg(&self.path))?;
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = succeed(Command::new("umount").arg("-l").arg(&self.path));
    }
}
