//! Debian's own compiler, which comes with its sources and its LLVM; and installing Debian packages.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{Compiler, has_sources, llvm};
use crate::exec::{is_executable, is_root, quiet, which};
use crate::ui;

/// rustup's name for the compiler in /usr.
const NAME: &str = "debian";
/// Its linter.
pub const CLIPPY: &str = "rust-web-clippy";
/// The compiler with its sources, and what building bpf-linker against its LLVM needs.
const PACKAGES: &[&str] = &["rustc-web", "cargo-web", "rust-web-src", "zlib1g-dev", "libzstd-dev", "g++"];

/// Debian's compiler, installed if need be and known to rustup as `debian`.
///
/// # Errors
/// What to install, when we cannot.
pub fn ensure() -> Result<Compiler> {
    if !has_sources(NAME) {
        install(&missing(PACKAGES), "Debian's Rust compiler for the kernel programs").context(
            "the kernel programs need a compiler with its sources: either a rustup nightly with rust-src \
             (`rustup toolchain install nightly --component rust-src`), or Debian's packages",
        )?;
        ui::step("rustup toolchain link debian /usr", || {
            quiet(Command::new("rustup").args(["toolchain", "link", NAME, "/usr"])).map(drop)
        })?;
    }
    let llvm = llvm(NAME).context("Debian's rustc does not tell its LLVM")?;
    let dev = format!("llvm-{llvm}-dev");
    // what the compiler's packages do not bring themselves
    let rest = missing(&[&dev, "zlib1g-dev", "libzstd-dev", "g++"]);
    if !rest.is_empty() {
        install(&rest, "LLVM for bpf-linker")?;
    }
    Ok(Compiler { name: NAME.to_owned(), bootstrap: true, llvm })
}

/// Whether Debian's compiler has its linter.
pub fn has_clippy() -> bool {
    is_executable(Path::new("/usr/bin/cargo-clippy"))
}

/// Installs Debian packages.
///
/// # Errors
/// The exact command for the user, when we are not root or have no apt; or what apt says.
pub fn install(packages: &[&str], what: &str) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let names = packages.join(" ");
    if which("apt-get").is_none() {
        bail!("{what}: this is not a Debian machine (no apt-get); install what Debian calls {names}");
    }
    if !is_root() {
        bail!("{what}: not root; run this as root, then try again:\n  apt-get install --no-install-recommends {names}");
    }
    ui::step(&format!("apt-get install {names} ({what})"), || {
        let apt = || {
            let mut apt = Command::new("apt-get");
            apt.env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C").arg("-qq");
            apt
        };
        quiet(apt().arg("update")).context("cannot fetch the package lists: is there a network?")?;
        let _quiet = NoServices::begin();
        // a package that would push another out is for the user to decide
        quiet(apt().args(["install", "-y", "--no-install-recommends", "--no-remove"]).args(packages)).map(drop)
    })
}

/// As long as it lives, packages that are installed start no services (Debian's policy-rc.d): the tests start their own.
struct NoServices(Option<&'static Path>);

impl NoServices {
    /// Where the machine has a policy already, that one stays.
    fn begin() -> Self {
        const POLICY: &str = "/usr/sbin/policy-rc.d";
        let policy = Path::new(POLICY);
        let made = fs::File::create_new(policy)
            .and_then(|mut file| file.write_all(b"#!/bin/sh\nexit 101\n"))
            .and_then(|()| fs::set_permissions(policy, fs::Permissions::from_mode(0o755)));
        Self(made.is_ok().then_some(policy))
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        // what stays would only keep later packages from starting their services, and root finds it
        let _ = self.0.map(fs::remove_file);
    }
}

/// Whether apt could install `package`.
pub fn offered(package: &str) -> bool {
    quiet(Command::new("apt-cache").args(["policy", package]))
        .is_ok_and(|text| text.lines().any(|line| line.trim().starts_with("Candidate:") && !line.contains("(none)")))
}

/// Those of `packages` that are not installed.
pub fn missing<'a>(packages: &[&'a str]) -> Vec<&'a str> {
    let installed = |package: &str| {
        quiet(Command::new("dpkg-query").args(["-W", "-f=${Status}", package]))
            .is_ok_and(|status| status.contains("install ok installed"))
    };
    packages.iter().copied().filter(|package| !installed(package)).collect()
}
