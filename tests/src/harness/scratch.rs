//! A directory for one test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A word that no other test of this machine uses: `label`, the process and a number.
pub fn unique(label: &str) -> String {
    format!("lpt-{label}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A directory that is removed at the end; kept when `LINKPROBE_TEST_KEEP` is set: its path is printed then.
/// When `LINKPROBE_TEST_OUT` names a directory, what is in `incidents` is copied there first.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes one.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(label: &str) -> Result<Scratch> {
        let path = std::env::temp_dir().join(unique(label));
        fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        Ok(Scratch { path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(out) = std::env::var_os("LINKPROBE_TEST_OUT") {
            let to = PathBuf::from(out).join(self.path.file_name().unwrap_or_default());
            let _ = fs::create_dir_all(&to);
            let _ = Command::new("cp").arg("-r").arg(self.path.join("incidents")).arg(&to).status();
        }
        if std::env::var_os("LINKPROBE_TEST_KEEP").is_some() {
            eprintln!("kept: {}", self.path.display());
        } else {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
