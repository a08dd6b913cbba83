//! `cargo xtask build`, and the programs that other verbs need: static, so that they run on any router and in the rig.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::exec::{self, ExitWith, is_executable, quiet};
use crate::{paths, toolchain, ui};

/// Build the agent as one static program (release), and print its path.
///
/// The kernel programs are inside it. `cargo xtask setup` is done first if need be.
#[derive(clap::Args)]
pub struct Args {}

/// The programs of a release.
#[derive(Clone, Debug)]
pub struct Programs {
    /// the agent
    pub linkprobe: PathBuf,
    /// the tests' traffic generator
    pub traffic: PathBuf,
    /// what breaks bonds in the rig
    pub zoo: PathBuf,
}

/// Runs the verb.
///
/// # Errors
/// What cargo says.
pub fn main(_: &Args) -> Result<()> {
    toolchain::ensure()?;
    let target = Target::of_host()?;
    ui::loud("building linkprobe", || exec::run(target.cargo("build").args(["-p", "probe-user", "--bin", "linkprobe"])))?;
    println!("{}", target.program("linkprobe")?.display());
    Ok(())
}

/// Builds the agent, the traffic generator and the zoo.
///
/// # Errors
/// What cargo says.
pub fn programs() -> Result<Programs> {
    toolchain::ensure()?;
    let target = Target::of_host()?;
    let args = [
        "-p",
        "probe-user",
        "-p",
        "linkprobe-tests",
        "--bin",
        "linkprobe",
        "--bin",
        "linkprobe-traffic",
        "--bin",
        "linkprobe-zoo",
    ];
    ui::loud("building linkprobe and linkprobe-traffic", || exec::run(target.cargo("build").args(args)))?;
    let [linkprobe, traffic, zoo] = ["linkprobe", "linkprobe-traffic", "linkprobe-zoo"].map(|name| target.program(name));
    Ok(Programs { linkprobe: linkprobe?, traffic: traffic?, zoo: zoo? })
}

/// Builds the integration test `name` of linkprobe-tests and returns its path.
///
/// # Errors
/// What cargo says.
pub fn integration_test(name: &str) -> Result<PathBuf> {
    let target = Target::of_host()?;
    let mut cargo = target.cargo("test");
    cargo.args(["--no-run", "--message-format=json-render-diagnostics", "-p", "linkprobe-tests", "--test", name]);
    let output = cargo.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("cannot start cargo")?;
    if !output.status.success() {
        return Err(ExitWith(exec::code(output.status)).into());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    executable(&text, name).with_context(|| format!("cargo built no test `{name}`"))
}

/// The machine's own target, with the flags of a static build.
struct Target {
    triple: String,
}

impl Target {
    fn of_host() -> Result<Self> {
        let version = quiet(Command::new("rustc").arg("-vV"))?;
        let triple = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc does not tell its host")?;
        ensure!(triple.contains("linux"), "Linkprobe is for Linux, and this is {triple}");
        Ok(Self { triple: triple.to_owned() })
    }

    /// `cargo verb --release` for the target, static. The target is named so that the flags do not reach build scripts.
    fn cargo(&self, verb: &str) -> Command {
        let mut cargo = Command::new("cargo");
        let flags = format!("CARGO_TARGET_{}_RUSTFLAGS", self.triple.to_uppercase().replace('-', "_"));
        cargo.current_dir(paths::repo()).env(flags, "-C target-feature=+crt-static");
        cargo.args([verb, "--release", "--target", &self.triple]);
        cargo
    }

    fn program(&self, name: &str) -> Result<PathBuf> {
        let path = paths::target().join(&self.triple).join("release").join(name);
        if !is_executable(&path) {
            bail!("cargo left no {}", path.display());
        }
        Ok(path)
    }
}

/// The path in cargo's JSON message about the artifact of the test `name`.
fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    let target = format!("\"name\":\"{name}\"");
    let line = messages
        .lines()
        .find(|line| line.contains("compiler-artifact") && line.contains(&target) && line.contains("\"executable\":\""))?;
    let path = line.split("\"executable\":\"").nth(1)?.split('"').next()?;
    Some(PathBuf::from(path.replace("\\\\", "\\")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tests_path_is_read_from_cargos_messages() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"anyhow"},"executable":null}
{"reason":"compiler-artifact","target":{"kind":["test"],"name":"vm"},"executable":"/t/release/deps/vm-12ab","fresh":true}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages, "vm"), Some(PathBuf::from("/t/release/deps/vm-12ab")));
        assert_eq!(executable(messages, "host"), None);
    }
}
