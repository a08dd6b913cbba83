//! The base of every guest: an initramfs with busybox, the network tools with their libraries, the modules, and `/init`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::newc::Archive;
use super::tools::Tools;
use crate::exec::quiet;

/// The guest's first program.
pub const INIT: &str = include_str!("../../rig/init.sh");

const PROGRAMS: &[&str] = &["bash", "ip", "tc", "ss", "bridge", "ethtool", "bpftool"];
const DIRECTORIES: &[&str] =
    &["dev", "proc", "sys", "tmp", "run", "root", "etc", "m", "guest", "var/log", "lib64", "usr/bin", "usr/sbin"];

/// The archive for the kernel in `kernel` (made by [`super::kernel::Kernel::fetch`]).
///
/// # Errors
/// When a program or a module is not where it should be.
pub fn make(tools: &Tools, kernel: &Path) -> Result<Vec<u8>> {
    let mut archive = Archive::new();
    for directory in DIRECTORIES {
        archive.directory(directory);
    }
    busybox(tools, &mut archive)?;
    add(&mut archive, "lib64/ld-linux-x86-64.so.2", &tools.loader()?)?;
    for name in PROGRAMS {
        let program = tools.find(name)?;
        add(&mut archive, &format!("usr/sbin/{name}"), &program)?;
        for library in tools.libraries(&program)? {
            let name = library.file_name().unwrap_or_default().to_string_lossy().into_owned();
            add(&mut archive, &format!("lib/x86_64-linux-gnu/{name}"), &library)?;
        }
    }
    archive.symlink("bin/bash", "../usr/sbin/bash");
    archive.symlink("bin/sh", "../usr/sbin/bash");
    let modules = kernel.join("modules");
    let order = fs::read_to_string(modules.join("order")).context("the kernel's modules have no order")?;
    for name in order.lines() {
        add(&mut archive, &format!("m/{name}.ko"), &modules.join(format!("{name}.ko")))?;
    }
    archive.file("m/order", 0o644, order.as_bytes());
    archive.file("etc/passwd", 0o644, b"root:x:0:0:root:/root:/bin/bash\n");
    archive.file("etc/group", 0o644, b"root:x:0:\n");
    archive.file("etc/hosts", 0o644, b"127.0.0.1 localhost rig\n");
    archive.file("init", 0o755, INIT.as_bytes());
    Ok(archive.finish())
}

fn busybox(tools: &Tools, archive: &mut Archive) -> Result<()> {
    let busybox = tools.find("busybox")?;
    add(archive, "bin/busybox", &busybox)?;
    let applets = quiet(std::process::Command::new(&busybox).arg("--list"))?;
    // the real ones are better, and a shell of busybox's prefers its own applets to them
    let real = |name: &&str| !PROGRAMS.contains(name) && !["sh", "busybox"].contains(name);
    for applet in applets.lines().filter(real) {
        archive.symlink(&format!("bin/{applet}"), "busybox");
    }
    Ok(())
}

fn add(archive: &mut Archive, to: &str, from: &Path) -> Result<()> {
    // a link in an unpacked package may be absolute, and then points into the host
    let from: PathBuf = fs::canonicalize(from).with_context(|| format!("no {}", from.display()))?;
    let bytes = fs::read(&from).with_context(|| format!("cannot read {}", from.display()))?;
    archive.file(to, 0o755, &bytes);
    Ok(())
}
