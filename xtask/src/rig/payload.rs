//! What one run adds to the base: the command, its environment, and files from the host.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};

use super::newc::Archive;
use crate::exec::{bytes, is_executable, quiet, which};
use crate::paths;

/// Programs larger than this lose their debug information on the way in: unpacking it takes seconds under emulation.
const STRIP_FROM: u64 = 4 << 20;

/// The command and the files for one guest.
#[derive(Clone, Debug, Default)]
pub struct Payload {
    files: Vec<(PathBuf, String)>,
    script: String,
    environment: Vec<(String, String)>,
}

impl Payload {
    /// A payload that runs `script` with bash, in /guest.
    pub fn script(script: &str) -> Self {
        Self { script: script.to_owned(), ..Self::default() }
    }

    /// A payload that runs one command; if its first word is a program on the host, that goes along.
    pub fn command(words: &[String]) -> Self {
        let Some((first, rest)) = words.split_first() else { return Self::default() };
        let mut payload = Self::default();
        let mut program = first.clone();
        let file = Path::new(first);
        if first.contains('/') && is_executable(file) {
            program = format!("/guest/{}", file.file_name().unwrap_or_default().to_string_lossy());
            payload.files.push((file.to_path_buf(), program.clone()));
        }
        let quoted: Vec<String> = std::iter::once(&program).chain(rest).map(|word| quote(word)).collect();
        payload.script = format!("{}\n", quoted.join(" "));
        payload
    }

    /// Opens an interactive shell after the command.
    pub fn then_shell(mut self) -> Self {
        self.script
            .push_str("echo; echo 'A shell in the rig; leave it with exit or ctrl-d.'; PS1='rig:\\w# ' exec bash --norc -i\n");
        self
    }

    /// Adds a file or directory of the host at `to` in the guest; programs bring their shared libraries.
    pub fn file(mut self, from: &Path, to: &str) -> Self {
        self.files.push((from.to_path_buf(), to.to_owned()));
        self
    }

    /// Sets an environment variable for the command.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The archive to put behind the base. `settings` are shell assignments for the guest's init.
    ///
    /// # Errors
    /// When a file cannot be read or a library is missing.
    pub fn archive(&self, settings: &str) -> Result<Vec<u8>> {
        let mut archive = Archive::new();
        for (from, to) in &self.files {
            put(&mut archive, from, to)?;
        }
        let exports: String = self.environment.iter().map(|(name, value)| format!("export {name}={}\n", quote(value))).collect();
        archive.file("cmd", 0o755, format!("#!/bin/bash\ncd /guest\n{exports}{}", self.script).as_bytes());
        archive.file("rig.env", 0o644, settings.as_bytes());
        Ok(archive.finish())
    }
}

/// `word` so that a shell takes it as one word, whatever is in it.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

fn put(archive: &mut Archive, from: &Path, to: &str) -> Result<()> {
    let meta = fs::metadata(from).with_context(|| format!("no file {} for the rig", from.display()))?;
    if meta.is_dir() {
        archive.directory(to);
        for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
            let entry = entry?;
            put(archive, &entry.path(), &format!("{to}/{}", entry.file_name().to_string_lossy()))?;
        }
        return Ok(());
    }
    ensure!(meta.is_file(), "{} is neither a file nor a directory", from.display());
    let head = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    let elf = head.starts_with(b"\x7fELF");
    let mode = if is_executable(from) { 0o755 } else { 0o644 };
    if elf
        && meta.len() > STRIP_FROM
        && let Some(strip) = which("strip")
    {
        archive.file(to, mode, &stripped(&strip, from)?);
    } else {
        archive.file(to, mode, &head);
    }
    if elf {
        for library in libraries(from)? {
            let bytes = fs::read(&library).with_context(|| format!("cannot read {library}"))?;
            archive.file(&library, 0o755, &bytes);
        }
    }
    Ok(())
}

/// Strips a program. Payloads for several guests may be made at the same time.
fn stripped(strip: &Path, program: &Path) -> Result<Vec<u8>> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let dir = paths::target().join("rig");
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let out = dir.join(format!("stripped-{}-{number}", std::process::id()));
    bytes(Command::new(strip).arg("--strip-debug").arg("-o").arg(&out).arg(program))?;
    let result = fs::read(&out).with_context(|| format!("cannot read {}", out.display()));
    let _ = fs::remove_file(&out);
    result
}

/// The shared libraries of a program of the host, and its loader: absolute paths. None for a static one.
fn libraries(program: &Path) -> Result<Vec<String>> {
    let ldd = which("ldd").context("ldd is missing (package libc-bin): it tells a program's libraries")?;
    let output = Command::new(ldd).arg(program).output().context("cannot start ldd")?;
    if !output.status.success() {
        // "not a dynamic executable"
        return Ok(Vec::new());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(!text.contains("not found"), "{} lacks a library:\n{text}", program.display());
    Ok(text.split_whitespace().filter(|word| word.starts_with('/')).map(str::to_owned).collect())
}

/// Unpacks the tar archive that the guest wrote to the raw disk `disk` into `to`.
///
/// # Errors
/// What tar says.
pub fn unpack_disk(disk: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    quiet(Command::new("tar").args(["--no-same-owner", "-xf"]).arg(disk).arg("-C").arg(to)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_reaches_the_guests_shell_as_it_is() {
        assert_eq!(quote("bond0.956"), "bond0.956");
        assert_eq!(quote(""), "''");
        assert_eq!(quote("it's $HOME"), r"'it'\''s $HOME'");
    }

    #[test]
    fn a_static_program_and_a_script_need_no_libraries() {
        assert!(libraries(Path::new("/proc/self/status")).expect("ldd").is_empty());
    }

    #[test]
    fn the_command_is_in_the_archive_with_its_environment() {
        let payload = Payload::command(&["ip".to_owned(), "link".to_owned()]).env("WHO", "a b");
        let archive = payload.archive("RIG_SHELL=0\n").expect("an archive");
        let text = String::from_utf8_lossy(&archive).into_owned();
        assert!(text.contains("export WHO='a b'\nip link\n"));
        assert!(text.contains("RIG_SHELL=0"));
    }
}
