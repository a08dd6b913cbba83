//! The rig's kernels: which there are, and how one is fetched and taken apart.

use std::fmt;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;

use super::apt::Apt;
use super::modules::{WANTED, depends, load_order, plain, without_signature};
use super::tools::Tools;
use super::vmlinux::{Packing, payload};

/// A kernel that the rig boots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kernel {
    /// Debian 12's: tc programs through clsact
    #[value(name = "6.1")]
    V6_1,
    /// Debian 13's: tcx
    #[value(name = "6.12")]
    V6_12,
}

impl Kernel {
    /// All of them, oldest first.
    pub const ALL: [Self; 2] = [Self::V6_1, Self::V6_12];

    /// `6.1`
    pub fn version(self) -> &'static str {
        match self {
            Self::V6_1 => "6.1",
            Self::V6_12 => "6.12",
        }
    }

    /// Fetches the kernel and leaves in `dir`: `vmlinux`, `release`, `modules/*.ko` and `modules/order`.
    ///
    /// # Errors
    /// When the suites have no such kernel, or what apt, dpkg or the unpackers say.
    pub fn fetch(self, apt: &Apt, tools: &Tools, dir: &Path) -> Result<()> {
        let meta = "linux-image-cloud-amd64";
        let package = newest(&apt.versions(meta)?, self.version())
            .with_context(|| format!("the suites have no {meta} {}", self.version()))?;
        let raw = dir.join("package");
        apt.unpack_one(&package, &raw)?;
        let release = package.trim_start_matches("linux-image-");
        let image = fs::read(raw.join("boot").join(format!("vmlinuz-{release}"))).context("no vmlinuz in the package")?;
        let (packed, packing) = payload(&image)?;
        fs::write(dir.join("vmlinux"), unpack(tools, packed, packing)?).context("cannot write vmlinux")?;
        let tree = ["lib/modules", "usr/lib/modules"]
            .iter()
            .map(|sub| raw.join(sub).join(release))
            .find(|tree| tree.exists())
            .context("no modules in the package")?;
        self.collect_modules(tools, &tree, &dir.join("modules"))?;
        fs::write(dir.join("release"), format!("{release}\n")).context("cannot write release")?;
        fs::remove_dir_all(&raw).with_context(|| format!("cannot remove {}", raw.display()))
    }

    fn collect_modules(self, tools: &Tools, tree: &Path, out: &Path) -> Result<()> {
        fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
        let builtin = fs::read_to_string(tree.join("modules.builtin")).context("no modules.builtin")?;
        let is_builtin = |name: &str| builtin.lines().any(|line| module_name(Path::new(line)) == name);
        let files = files_below(&tree.join("kernel"))?;
        let wanted: Vec<&str> = WANTED.iter().copied().filter(|name| !is_builtin(&plain(name))).collect();
        let mut order = load_order(&wanted, |name| {
            if is_builtin(name) {
                return Ok(Vec::new());
            }
            let Some(file) = files.iter().find(|file| module_name(file) == name) else {
                bail!("kernel {self} has no module {name}")
            };
            let mut module = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            if file.extension().is_some_and(|extension| extension == "xz") {
                module = unpack(tools, &module, Packing::Xz)?;
            }
            fs::write(out.join(format!("{name}.ko")), without_signature(&module)).context("cannot write a module")?;
            Ok(depends(&module))
        })?;
        order.retain(|name| !is_builtin(name));
        fs::write(out.join("order"), order.join("\n") + "\n").context("cannot write the modules' order")
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.version())
    }
}

/// The image package that the newest metapackage of this `version` depends on.
fn newest(offered: &[(String, String)], version: &str) -> Option<String> {
    let prefix = format!("{version}.");
    let (_, depends) = offered.iter().find(|(offered, _)| offered.starts_with(&prefix))?;
    depends.split(&[',', ' '][..]).find(|word| word.starts_with("linux-image-")).map(str::to_owned)
}

fn unpack(tools: &Tools, packed: &[u8], packing: Packing) -> Result<Vec<u8>> {
    let mut command = match packing {
        Packing::Xz => tools.command("xz")?,
        Packing::Zstd => tools.command("zstd")?,
        Packing::Lz4 => tools.command("lz4")?,
    };
    if packing == Packing::Xz {
        command.arg("--single-stream");
    }
    let mut child = command
        .arg("-dc")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start the unpacker")?;
    let mut stdin = child.stdin.take().context("the unpacker has no input")?;
    // fed from a thread: it writes long before it has read all
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(packed).ok());
        child.wait_with_output()
    })
    .context("lost the unpacker")?;
    ensure!(
        output.status.success() && output.stdout.starts_with(b"\x7fELF"),
        "no whole ELF file came out of the unpacker: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output.stdout)
}

/// `net/8021q/8021q.ko.xz` → `8021q`
fn module_name(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    plain(name.split(".ko").next().unwrap_or_default())
}

fn files_below(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_package_of_the_wanted_series_is_taken() {
        let offered = [
            ("6.12.95-1~bpo12+1", "linux-image-6.12.95+deb12-cloud-amd64 (= 6.12.95-1~bpo12+1)"),
            ("6.1.176-1", "linux-image-6.1.0-50-cloud-amd64 (= 6.1.176-1)"),
            ("6.1.170-1", "linux-image-6.1.0-49-cloud-amd64 (= 6.1.170-1)"),
        ]
        .map(|(version, depends)| (version.to_owned(), depends.to_owned()));
        assert_eq!(newest(&offered, "6.1").as_deref(), Some("linux-image-6.1.0-50-cloud-amd64"));
        assert_eq!(newest(&offered, "6.12").as_deref(), Some("linux-image-6.12.95+deb12-cloud-amd64"));
        assert_eq!(newest(&offered, "6.6"), None);
    }

    #[test]
    fn a_module_is_known_by_the_name_that_the_kernel_uses() {
        assert_eq!(module_name(Path::new("kernel/drivers/virtio/virtio-pci.ko.xz")), "virtio_pci");
    }
}
