//! Builds the kernel programs, so that a plain `cargo build` is all there is to do after `cargo xtask setup`.
//!
//! Which compiler and linker to use stands in `.linkprobe-toolchain` at the repository's root (lines `toolchain=NAME`,
//! `bootstrap=0|1`, `linker_dir=PATH`), which `cargo xtask setup` writes. `LINKPROBE_EBPF_TOOLCHAIN=NAME` overrides the compiler.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use aya_build::{Package, Toolchain};

const FILE: &str = ".linkprobe-toolchain";
const OVERRIDE: &str = "LINKPROBE_EBPF_TOOLCHAIN";

fn main() -> Result<()> {
    let root = repository()?;
    for path in [FILE, "probe-common"] {
        println!("cargo:rerun-if-changed={}", root.join(path).display());
    }
    println!("cargo:rerun-if-env-changed={OVERRIDE}");

    let choice = Choice::find(&root)?;
    choice.apply()?;
    let package = root.join("probe-ebpf");
    // aya-build runs cargo where it stands, and probe-ebpf is a workspace of its own.
    env::set_current_dir(&package).with_context(|| format!("cannot enter {}", package.display()))?;
    let package = package.to_str().context("the repository's path is not UTF-8")?;
    aya_build::build_ebpf(
        [Package { name: "probe-ebpf", root_dir: package, ..Default::default() }],
        Toolchain::Custom(&choice.toolchain),
    )
    .with_context(|| format!("the kernel programs do not build with toolchain `{}`: run `cargo xtask setup`", choice.toolchain))
}

fn repository() -> Result<PathBuf> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").context("CARGO_MANIFEST_DIR is not set: run by cargo only")?);
    Ok(here.parent().context("probe-user has no parent directory")?.to_owned())
}

/// What makes the kernel programs.
struct Choice {
    toolchain: String,
    /// The toolchain is a stable one, which has to be told to take unstable flags.
    bootstrap: bool,
    linker_dir: Option<PathBuf>,
}

impl Choice {
    fn find(root: &Path) -> Result<Self> {
        let path = root.join(FILE);
        let mut choice = match fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text).with_context(|| format!("{}: run `cargo xtask setup`", path.display()))?,
            Err(_) if env::var_os(OVERRIDE).is_some() => {
                Self { toolchain: String::new(), bootstrap: env::var_os("RUSTC_BOOTSTRAP").is_some(), linker_dir: None }
            }
            Err(error) => bail!(
                "no toolchain for the kernel programs is set up: run `cargo xtask setup` (cannot read {}: {error})",
                path.display()
            ),
        };
        if let Ok(toolchain) = env::var(OVERRIDE) {
            choice.toolchain = toolchain;
        }
        Ok(choice)
    }

    fn parse(text: &str) -> Result<Self> {
        let mut choice = Self { toolchain: String::new(), bootstrap: false, linker_dir: None };
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            match line.split_once('=') {
                Some(("toolchain", name)) => choice.toolchain = name.to_owned(),
                Some(("bootstrap", "1")) => choice.bootstrap = true,
                Some(("bootstrap", "0")) => choice.bootstrap = false,
                Some(("linker_dir", path)) => choice.linker_dir = Some(path.into()),
                _ => bail!("`{line}` is not a line of toolchain=, bootstrap=0|1 or linker_dir="),
            }
        }
        if choice.toolchain.is_empty() {
            bail!("no line toolchain=");
        }
        Ok(choice)
    }

    /// Sets the environment that aya-build and the cargo that it runs look at.
    fn apply(&self) -> Result<()> {
        let mut path: Vec<PathBuf> = self.linker_dir.iter().cloned().collect();
        path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
        let path = env::join_paths(path).context("linker_dir cannot be part of PATH")?;
        // SAFETY: a build script has one thread here.
        unsafe {
            env::set_var("PATH", path);
            // aya-build makes a warning of every line that cargo prints; errors come another way.
            env::set_var("CARGO_TERM_QUIET", "true");
            if self.bootstrap {
                env::set_var("RUSTC_BOOTSTRAP", "1");
            } else {
                env::remove_var("RUSTC_BOOTSTRAP");
            }
        }
        Ok(())
    }
}
