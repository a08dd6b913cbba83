//! Debian packages without touching the system's package state: apt with a sources list, lists, cache and an *empty* status of
//! its own, so that a package comes with all that it needs, down to the C library, and runs from where it was unpacked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::exec::{quiet, which};

/// The suites to take from, first the one of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// Debian 12, and any machine that is not Debian 13: qemu 10.0 and kernel 6.12 come from the backports.
    Bookworm,
    /// Debian 13 has both itself; kernel 6.1 comes from Debian 12.
    Trixie,
}

impl Suite {
    /// The suite for a machine with this text in /etc/os-release.
    pub fn of(os_release: &str) -> Self {
        if os_release.lines().any(|line| line == "VERSION_CODENAME=trixie") { Self::Trixie } else { Self::Bookworm }
    }

    /// Its name, for the cache's directory.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bookworm => "bookworm",
            Self::Trixie => "trixie",
        }
    }

    fn suites(self) -> [&'static str; 2] {
        match self {
            Self::Bookworm => ["bookworm", "bookworm-backports"],
            Self::Trixie => ["trixie", "bookworm"],
        }
    }

    fn target(self) -> &'static str {
        match self {
            Self::Bookworm => "bookworm-backports",
            Self::Trixie => "trixie",
        }
    }
}

/// apt with its state under one directory, which may be deleted afterwards.
pub struct Apt {
    dir: PathBuf,
    suite: Suite,
}

impl Apt {
    /// Makes the directory and the sources list in it.
    ///
    /// # Errors
    /// When apt-get or dpkg is missing, or the directory cannot be written.
    pub fn new(dir: &Path, suite: Suite) -> Result<Self> {
        for tool in ["apt-get", "apt-cache", "dpkg"] {
            if which(tool).is_none() {
                bail!(
                    "{tool} is missing: the rig is made of Debian packages, and apt and dpkg fetch and unpack them (nothing is installed). Install them, or use a Debian machine"
                );
            }
        }
        for sub in ["lists/partial", "cache/archives/partial", "preferences.d"] {
            fs::create_dir_all(dir.join(sub)).with_context(|| format!("cannot make {}", dir.display()))?;
        }
        let keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
        let signed = if Path::new(keyring).exists() { format!("signed-by={keyring} ") } else { String::new() };
        let mirror =
            mirror(&configured_sources()).context("apt's sources name no Debian mirror: put one into /etc/apt/sources.list")?;
        let list: String = suite.suites().iter().map(|name| format!("deb [{signed}arch=amd64] {mirror} {name} main\n")).collect();
        fs::write(dir.join("sources.list"), list).context("cannot write the rig's sources.list")?;
        fs::write(dir.join("status"), "").context("cannot write the rig's status")?;
        Ok(Self { dir: dir.to_path_buf(), suite })
    }

    /// Fetches the package lists.
    ///
    /// # Errors
    /// What apt says, e.g. without a network.
    pub fn update(&self) -> Result<()> {
        quiet(self.command("apt-get").args(["update", "-qq", "--error-on=any"])).map(drop).context(
            "cannot fetch Debian's package lists: is there a network, and does the mirror in this machine's apt sources answer?",
        )
    }

    /// Downloads `packages` with all that they depend on and unpacks them into `root`.
    ///
    /// # Errors
    /// What apt or dpkg says.
    pub fn unpack_closure(&self, packages: &[&str], root: &Path) -> Result<()> {
        let target = self.suite.target();
        quiet(
            self.command("apt-get")
                .args(["install", "-y", "-qq", "--download-only", "--no-install-recommends", "-t", target])
                .args(packages),
        )?;
        self.unpack(root)
    }

    /// Downloads exactly `package`, without what it depends on, and unpacks it into `root`.
    ///
    /// # Errors
    /// What apt or dpkg says.
    pub fn unpack_one(&self, package: &str, root: &Path) -> Result<()> {
        let archives = self.dir.join("cache/archives");
        quiet(self.command("apt-get").args(["download", "-qq", package]).current_dir(&archives))?;
        self.unpack(root)
    }

    /// The packages that `package` depends on, for each version that the suites offer: (version, the Depends line).
    ///
    /// # Errors
    /// What apt says.
    pub fn versions(&self, package: &str) -> Result<Vec<(String, String)>> {
        let text = quiet(self.command("apt-cache").args(["show", package]))?;
        Ok(stanzas(&text))
    }

    fn unpack(&self, root: &Path) -> Result<()> {
        fs::create_dir_all(root).with_context(|| format!("cannot make {}", root.display()))?;
        let archives = self.dir.join("cache/archives");
        for entry in fs::read_dir(&archives).with_context(|| format!("cannot read {}", archives.display()))? {
            let file = entry?.path();
            if file.extension().is_some_and(|extension| extension == "deb") {
                quiet(Command::new("dpkg").arg("-x").arg(&file).arg(root))?;
                fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
            }
        }
        Ok(())
    }

    fn command(&self, program: &str) -> Command {
        let dir = self.dir.display();
        let mut command = Command::new(program);
        command.env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C").args([
            format!("-oDir::Etc::sourcelist={dir}/sources.list"),
            "-oDir::Etc::sourceparts=/dev/null".to_owned(),
            "-oDir::Etc::preferences=/dev/null".to_owned(),
            format!("-oDir::Etc::preferencesparts={dir}/preferences.d"),
            format!("-oDir::State={dir}"),
            format!("-oDir::State::Lists={dir}/lists"),
            format!("-oDir::State::status={dir}/status"),
            format!("-oDir::Cache={dir}/cache"),
            // our own directory: no lock of the system's, and no other user who could not write there
            "-oDebug::NoLocking=1".to_owned(),
            "-oAPT::Sandbox::User=root".to_owned(),
            "-oAPT::Architecture=amd64".to_owned(),
            "-oAPT::Architectures=amd64".to_owned(),
            "-oAcquire::Languages=none".to_owned(),
            "-oAcquire::Retries=3".to_owned(),
        ]);
        command
    }
}

/// This machine's apt sources, both formats, one after the other; what they name as a list of mirrors is read too.
fn configured_sources() -> String {
    let mut text = fs::read_to_string("/etc/apt/sources.list").unwrap_or_default();
    for part in fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten() {
        text.push('\n');
        text.push_str(&fs::read_to_string(part.path()).unwrap_or_default());
    }
    for list in mirror_lists(&text) {
        let mirrors = fs::read_to_string(list).unwrap_or_default();
        mirrors.lines().for_each(|mirror| text.push_str(&format!("\nURIs: {mirror}")));
    }
    text
}

/// Files with mirrors, one a line, that sources name instead of one: cloud images do.
fn mirror_lists(sources: &str) -> Vec<String> {
    sources.split_whitespace().filter_map(|word| word.strip_prefix("mirror+file:")).map(str::to_owned).collect()
}

/// The mirror that this machine uses for Debian itself.
fn mirror(sources: &str) -> Option<String> {
    sources
        .lines()
        .filter(|line| line.starts_with("deb ") || line.starts_with("URIs:"))
        .flat_map(str::split_whitespace)
        .map(|word| word.trim_end_matches('/'))
        .find(|word| word.starts_with("http") && word.ends_with("/debian"))
        .map(str::to_owned)
}

/// (Version, Depends) of each paragraph of `apt-cache show`.
fn stanzas(text: &str) -> Vec<(String, String)> {
    let field = |stanza: &str, name: &str| {
        stanza.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned()).unwrap_or_default()
    };
    text.split("\n\n")
        .filter(|stanza| stanza.contains("Version:"))
        .map(|stanza| (field(stanza, "Version:"), field(stanza, "Depends:")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_own_mirror_is_used_and_never_its_security_archive() {
        let sources =
            "Types: deb\nURIs: http://mirror.example/debian-security\n\nTypes: deb\nURIs: http://mirror.example/debian/\n";
        assert_eq!(mirror(sources).as_deref(), Some("http://mirror.example/debian"));
        assert_eq!(mirror("deb https://m.example/debian bookworm main\n").as_deref(), Some("https://m.example/debian"));
        assert_eq!(mirror("deb https://packages.example/apt cloud main\n"), None);
        assert_eq!(mirror_lists("URIs: mirror+file:/etc/apt/mirrors/debian.list\n"), ["/etc/apt/mirrors/debian.list"]);
    }

    #[test]
    fn a_machine_that_is_not_debian_13_takes_debian_12() {
        assert_eq!(Suite::of("ID=debian\nVERSION_CODENAME=trixie\n"), Suite::Trixie);
        assert_eq!(Suite::of("ID=ubuntu\nVERSION_CODENAME=noble\n"), Suite::Bookworm);
    }

    #[test]
    fn each_version_of_a_package_is_listed_with_what_it_depends_on() {
        let text =
            "Package: a\nVersion: 6.12.1-1\nDepends: linux-image-6.12 (= 6.12.1-1)\n\nPackage: a\nVersion: 6.1.2-1\nDepends: b\n";
        let expected = [("6.12.1-1", "linux-image-6.12 (= 6.12.1-1)"), ("6.1.2-1", "b")];
        assert_eq!(stanzas(text), expected.map(|(version, depends)| (version.to_owned(), depends.to_owned())));
    }
}
