//! The VM rig: boots a Debian kernel with real bonding under qemu, runs a command as root, brings back its output and exit code.
//!
//! Nothing is installed: everything lies under the cache directory (see [`crate::paths::cache`]) and is made once.

mod apt;
mod base;
mod kernel;
mod modules;
mod newc;
mod payload;
mod qemu;
mod saved;
mod tools;
mod vm;
mod vmlinux;

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

pub use kernel::Kernel;
pub use payload::{Payload, quote};
pub use vm::{TIMED_OUT, Vm};

use crate::{paths, ui};
use apt::{Apt, Suite};
use tools::Tools;

/// Raised when what lies in the cache is made otherwise, so that it is made anew.
const FORMAT: u32 = 1;

/// The rig's files in the cache.
#[derive(Clone, Debug)]
pub struct Rig {
    dir: PathBuf,
    root: PathBuf,
    tools: Tools,
}

/// The files to boot one kernel.
#[derive(Clone, Debug)]
struct Boot {
    vmlinux: PathBuf,
    base: PathBuf,
}

impl Rig {
    /// The rig with these kernels, fetching and making what is missing. `refresh` makes all of it anew.
    ///
    /// # Errors
    /// Without apt and dpkg, without a network where something is missing, or on another machine than x86-64.
    pub fn ensure(kernels: &[Kernel], refresh: bool) -> Result<Self> {
        ensure!(cfg!(target_arch = "x86_64"), "the VM rig needs an x86-64 machine");
        let suite = Suite::of(&fs::read_to_string("/etc/os-release").unwrap_or_default());
        let dir = paths::cache()?.join(format!("rig-{FORMAT}-{}", suite.name()));
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let _lock = lock(&dir)?;
        let root = dir.join(format!("tools-{:08x}", fingerprint(&tools::PACKAGES)));
        let rig = Self { tools: Tools::new(&root), root, dir };
        if refresh {
            ui::step("rig: removing the cached one", || rig.clear())?;
        }
        let missing: Vec<Kernel> =
            kernels.iter().copied().filter(|&kernel| !rig.kernel_dir(kernel).join("release").exists()).collect();
        if !missing.is_empty() || !rig.tools_work() {
            rig.fetch(suite, &missing)?;
        }
        for &kernel in kernels {
            rig.ensure_base(kernel)?;
        }
        Ok(rig)
    }

    /// Where it lies.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn fetch(&self, suite: Suite, missing: &[Kernel]) -> Result<()> {
        let scratch = self.dir.join("apt");
        let apt = Apt::new(&scratch, suite)?;
        ui::step("rig: Debian's package lists", || apt.update())?;
        if !self.tools_work() {
            ui::step("rig: qemu and the guest's programs", || {
                make_whole(&self.root, |fresh| apt.unpack_closure(tools::PACKAGES, fresh))?;
                ensure!(self.tools_work(), "the qemu that was fetched does not start");
                Ok(())
            })?;
        }
        for &kernel in missing {
            ui::step(&format!("rig: kernel {kernel} and its modules"), || {
                make_whole(&self.kernel_dir(kernel), |fresh| kernel.fetch(&apt, &self.tools, fresh))
            })?;
        }
        fs::remove_dir_all(&scratch).with_context(|| format!("cannot remove {}", scratch.display()))
    }

    fn ensure_base(&self, kernel: Kernel) -> Result<()> {
        let base = self.base(kernel);
        if base.exists() {
            return Ok(());
        }
        ui::step(&format!("rig: initramfs for {kernel}"), || {
            // one of another init, and the guests saved with it
            remove_old(&self.kernel_dir(kernel))?;
            let fresh = base.with_extension("tmp");
            fs::write(&fresh, base::make(&self.tools, &self.kernel_dir(kernel))?)
                .and_then(|()| fs::rename(&fresh, &base))
                .with_context(|| format!("cannot write {}", base.display()))
        })
    }

    fn boot(&self, kernel: Kernel) -> Boot {
        Boot { vmlinux: self.kernel_dir(kernel).join("vmlinux"), base: self.base(kernel) }
    }

    fn kernel_dir(&self, kernel: Kernel) -> PathBuf {
        self.dir.join(format!("kernel-{kernel}-{:08x}", fingerprint(&modules::WANTED)))
    }

    fn base(&self, kernel: Kernel) -> PathBuf {
        self.kernel_dir(kernel).join(format!("base-{:08x}.cpio", fingerprint(&base::INIT)))
    }

    /// qemu starts: a system that was upgraded under the cache is found out here.
    fn tools_work(&self) -> bool {
        self.tools.qemu().is_ok_and(|mut qemu| qemu.arg("--version").output().is_ok_and(|out| out.status.success()))
    }

    fn clear(&self) -> Result<()> {
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            if path.is_dir() {
                fs::remove_dir_all(&path).with_context(|| format!("cannot remove {}", path.display()))?;
            }
        }
        Ok(())
    }
}

fn remove_old(dir: &Path) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("base-") || name.starts_with("saved-") {
            fs::remove_file(entry.path()).with_context(|| format!("cannot remove {name}"))?;
        }
    }
    Ok(())
}

/// Makes the directory `dir` beside its place and then moves it there, so that a half-made one is never used.
fn make_whole(dir: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let mut fresh = dir.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    for old in [&fresh, dir] {
        if old.exists() {
            fs::remove_dir_all(old).with_context(|| format!("cannot remove {}", old.display()))?;
        }
    }
    fs::create_dir_all(&fresh).with_context(|| format!("cannot make {}", fresh.display()))?;
    make(&fresh)?;
    fs::rename(&fresh, dir).with_context(|| format!("cannot make {}", dir.display()))
}

/// One process at a time makes things in `dir`; the others wait.
fn lock(dir: &Path) -> Result<File> {
    let file = File::create(dir.join("lock")).context("cannot make the rig's lock file")?;
    file.lock().context("cannot lock the rig's directory")?;
    Ok(file)
}

/// Tells contents apart in file names; the same for one build of this program, and nothing breaks when it changes.
fn fingerprint(content: &impl Hash) -> u32 {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish() as u32
}
