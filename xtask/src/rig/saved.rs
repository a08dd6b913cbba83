//! Guests saved after their boot: restoring one takes a second or two, where booting takes several.
//!
//! A state fits only the same qemu, kernel, base, memory, processors and command line, and the same processor underneath
//! (`-cpu max`): all are in its file's name. It is made on first use; whatever goes wrong, the guest is booted instead.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};

use super::qemu::{self, Size};
use super::{Kernel, Rig, fingerprint, lock};
use crate::ui;

/// What the kernel's command line says to a guest that shall wait for its command.
pub const APPEND: &str = "rig.saved";
/// The disk that the command comes on; sparse.
const IN_BYTES: u64 = 512 << 20;
const OUT_BYTES: u64 = 2 << 30;
/// Tells the restored guest that it is another one, so that its kernel takes new random numbers.
const GENERATION: [&str; 2] = ["-device", "vmgenid,guid=auto"];
const BLOCK: usize = 4096;
const PATIENCE: Duration = Duration::from_secs(60);

/// The saved state for such a guest, made now if need be. None where KVM is (a boot is short there) or saving failed.
pub fn state(rig: &Rig, kernel: Kernel, size: Size) -> Option<PathBuf> {
    if qemu::has_kvm() {
        return None;
    }
    let base = rig.base(kernel);
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor: Vec<&str> = processor.lines().filter(|line| line.starts_with("flags")).take(1).collect();
    let key = fingerprint(&(base.file_name(), processor, APPEND));
    let state = base.with_file_name(format!("saved-{}-{}-{key:08x}.state", size.memory, size.cpus));
    let refused = state.with_extension("refused");
    if refused.exists() {
        return None;
    }
    let _lock = lock(base.parent()?).ok()?;
    if state.exists() {
        return Some(state);
    }
    match ui::step(&format!("rig: saving a booted guest with {kernel}"), || save(rig, kernel, size, &state)) {
        Ok(()) => Some(state),
        Err(error) => {
            ui::note(&format!("guests will be booted: {error:#}"));
            let _ = fs::write(refused, format!("{error:#}\n"));
            None
        }
    }
}

/// Removes a state that could not be restored.
pub fn forget(state: &Path) {
    let _ = fs::remove_file(state);
}

/// Adds to `qemu` what restores `state` and hands `archive` to the waiting guest on the disk `disk`.
///
/// # Errors
/// When the disk cannot be written.
pub fn restore(qemu: &mut Command, state: &Path, base: &Path, disk: &Path, archive: &[u8]) -> Result<()> {
    let mut file = File::create(disk).context("cannot make the disk in")?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let blocks = archive.len().div_ceil(BLOCK);
    ensure!((blocks + 1) * BLOCK <= IN_BYTES as usize, "the rig's files are larger than {} MiB", IN_BYTES >> 20);
    let head = format!("RIGPAYLOAD {blocks} {}\n", now.as_secs());
    file.write_all(head.as_bytes())
        .and_then(|()| file.seek(SeekFrom::Start(BLOCK as u64)))
        .and_then(|_| file.write_all(archive))
        .and_then(|()| file.set_len(IN_BYTES))
        .context("cannot write the disk in")?;
    qemu.arg("-initrd").arg(base).args(GENERATION);
    qemu::disk(qemu, "in", disk);
    qemu.arg("-incoming").arg(format!("file:{}", state.display()));
    Ok(())
}

fn save(rig: &Rig, kernel: Kernel, size: Size, state: &Path) -> Result<()> {
    let scratch = state.with_extension("making");
    let _ = fs::remove_dir_all(&scratch);
    fs::create_dir_all(&scratch).with_context(|| format!("cannot make {}", scratch.display()))?;
    let mut command = qemu::command(rig, kernel, size, "null", &scratch.join("klog"), APPEND)?;
    command.arg("-initrd").arg(rig.base(kernel)).args(GENERATION);
    for (id, bytes) in [("in", IN_BYTES), ("back", OUT_BYTES)] {
        let disk = scratch.join(id);
        File::create(&disk).and_then(|file| file.set_len(bytes)).context("cannot make a disk")?;
        qemu::disk(&mut command, id, &disk);
    }
    // a socket's path is short of 108 bytes: the cache's directory may be deep
    let socket = std::env::temp_dir().join(format!("linkprobe-qmp-{}", std::process::id()));
    command.arg("-qmp").arg(format!("unix:{},server=on,wait=off", socket.display()));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().context("cannot start qemu")?;
    let result = wait_for_guest(&mut child, &scratch.join("klog"))
        .and_then(|()| migrate(&socket, &scratch.join("state")))
        .and_then(|()| fs::rename(scratch.join("state"), state).context("cannot keep the state"));
    let _ = child.kill();
    let _ = child.wait();
    let _ = fs::remove_file(&socket);
    let _ = fs::remove_dir_all(&scratch);
    result
}

fn wait_for_guest(child: &mut Child, klog: &Path) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().context("lost qemu")? {
            bail!("qemu ended with {status}");
        }
        if fs::read(klog).is_ok_and(|log| String::from_utf8_lossy(&log).contains("RIG_WAITING")) {
            // let it settle into its waiting loop
            std::thread::sleep(Duration::from_millis(500));
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    bail!("the guest did not come up within {} s", PATIENCE.as_secs())
}

fn migrate(socket: &Path, state: &Path) -> Result<()> {
    let stream = UnixStream::connect(socket).context("cannot reach qemu")?;
    stream.set_read_timeout(Some(PATIENCE)).context("cannot set a time limit")?;
    let mut lines = BufReader::new(stream.try_clone().context("cannot share the socket")?).lines();
    let mut ask = |question: &str| -> Result<String> {
        (&stream).write_all(question.as_bytes()).context("cannot write to qemu")?;
        loop {
            let line = lines.next().context("qemu closed the socket")?.context("qemu does not answer")?;
            if line.contains("\"error\"") {
                bail!("qemu refused {question}: {line}");
            }
            // the greeting and events are no answers
            if line.contains("\"return\"") {
                return Ok(line);
            }
        }
    };
    ask(r#"{"execute":"qmp_capabilities"}"#)?;
    ask(r#"{"execute":"migrate-set-parameters","arguments":{"max-bandwidth":0}}"#)?;
    ask(&format!(r#"{{"execute":"migrate","arguments":{{"uri":"file:{}"}}}}"#, state.display()))?;
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        let answer = ask(r#"{"execute":"query-migrate"}"#)?;
        if answer.contains(r#""status": "completed""#) {
            return Ok(());
        }
        if answer.contains(r#""status": "failed""#) {
            bail!("qemu could not save the guest: {answer}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    bail!("saving the guest took longer than {} s", PATIENCE.as_secs())
}
