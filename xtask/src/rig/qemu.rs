//! qemu's command line: what a plain boot, a saved boot and a restored one have in common.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::{Kernel, Rig};

/// The guest's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// memory in MiB
    pub memory: u32,
    /// processors
    pub cpus: u32,
}

/// Whether this machine can run a guest with KVM: by the processor's flags *and* the device, as /dev/kvm alone may exist
/// where it cannot run an ordinary kernel.
pub fn has_kvm() -> bool {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    cpu_virtualizes(&cpuinfo) && fs::OpenOptions::new().read(true).write(true).open("/dev/kvm").is_ok()
}

fn cpu_virtualizes(cpuinfo: &str) -> bool {
    cpuinfo
        .lines()
        .filter(|line| line.starts_with("flags"))
        .flat_map(str::split_whitespace)
        .any(|flag| flag == "vmx" || flag == "svm")
}

/// The command with everything but disks and what comes in; the kernel's log goes to `klog`.
///
/// Output of the guest's ttyS0 goes to the chardev `serial`, e.g. `stdio,signal=off`.
///
/// # Errors
/// When qemu is not in the rig.
pub fn command(rig: &Rig, kernel: Kernel, size: Size, serial: &str, klog: &Path, append: &str) -> Result<Command> {
    let boot = rig.boot(kernel);
    let mut command = rig.tools.qemu()?;
    if has_kvm() {
        command.args(["-accel", "kvm", "-cpu", "host"]);
    } else {
        command.args(["-accel", "tcg,thread=multi,tb-size=256", "-cpu", "max,la57=off"]);
    }
    // microvm hangs in two of three boots; q35 does not
    command.args(["-M", "q35", "-smp", &size.cpus.to_string(), "-m", &size.memory.to_string()]);
    command.args(["-nodefaults", "-display", "none", "-no-reboot"]);
    command.args(["-chardev", &format!("{serial},id=out"), "-serial", "chardev:out"]);
    command.args(["-serial", &format!("file:{}", klog.display())]);
    command.arg("-kernel").arg(boot.vmlinux);
    let console = "console=ttyS1 panic=-1 quiet nokaslr mitigations=off cryptomgr.notests tsc=reliable \
                   no_timer_check audit=0 nmi_watchdog=0 8250.nr_uarts=2 printk.devkmsg=on";
    command.arg("-append").arg(format!("{console} {append}").trim_end());
    Ok(command)
}

/// Adds a raw disk; the guest sees /dev/vda, /dev/vdb in the order of the calls.
pub fn disk(command: &mut Command, id: &str, file: &Path) {
    command.arg("-drive").arg(format!("if=none,id={id},format=raw,cache=unsafe,aio=threads,file={}", file.display()));
    command.args(["-device", &format!("virtio-blk-pci,drive={id}")]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kvm_is_decided_by_the_processors_flags() {
        assert!(cpu_virtualizes("processor: 0\nflags\t\t: fpu vmx sse2\n"));
        assert!(cpu_virtualizes("flags : svm\n"));
        assert!(!cpu_virtualizes("flags : fpu svm_lock\nbugs : vmx\n"));
    }
}
