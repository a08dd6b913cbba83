//! Locks that keep a second agent off an interface or a pin directory. They end with the process that holds them.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::KernelError;

/// A lock that is held as long as this lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of an interface of this network namespace.
    ///
    /// # Errors
    /// [`KernelError::InUse`] with the holder's pid; [`KernelError::File`] when the lock's file cannot be used.
    pub fn interface(run_dir: &Path, ifindex: u32, name: &str) -> Result<Self, KernelError> {
        Self::take(run_dir, &format!("if-{}-{ifindex}.lock", netns_inode()?), &format!("interface {name}"))
    }

    /// Takes the lock of an agent's name: of its control socket.
    ///
    /// # Errors
    /// As of [`Self::interface`].
    pub fn instance(run_dir: &Path, name: &str) -> Result<Self, KernelError> {
        Self::take(run_dir, &format!("agent-{name}.lock"), &format!("agent name {name}"))
    }

    /// Takes the lock of a pin directory.
    ///
    /// # Errors
    /// As of [`Self::interface`].
    pub fn directory(run_dir: &Path, pin: &Path) -> Result<Self, KernelError> {
        let name: String = pin.to_string_lossy().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        Self::take(run_dir, &format!("pin{name}.lock"), &format!("{}", pin.display()))
    }

    fn take(run_dir: &Path, file: &str, what: &str) -> Result<Self, KernelError> {
        let path = run_dir.join(file);
        let failed = |source| KernelError::File { path: path.clone(), source };
        fs::create_dir_all(run_dir).map_err(failed)?;
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // The holder may not have written its pid yet: then the refusal does without.
                let pid = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
                return Err(KernelError::InUse { what: what.to_owned(), pid });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

/// Inode of this thread's network namespace.
///
/// # Errors
/// [`KernelError::File`] when /proc is not there.
pub fn netns_inode() -> Result<u64, KernelError> {
    let path = PathBuf::from("/proc/thread-self/ns/net");
    fs::metadata(&path).map(|file| file.ino()).map_err(|source| KernelError::File { path, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_held_is_refused_with_the_holders_pid_and_free_again_afterwards() {
        let dir = std::env::temp_dir().join(format!("linkprobe-lock-{}", std::process::id()));
        let held = Lock::interface(&dir, 7, "eth0").unwrap();
        let Err(KernelError::InUse { what, pid }) = Lock::interface(&dir, 7, "eth0") else { panic!("taken twice") };
        assert_eq!((what.as_str(), pid), ("interface eth0", Some(std::process::id())));
        assert!(Lock::interface(&dir, 8, "eth1").is_ok());
        drop(held);
        assert!(Lock::interface(&dir, 7, "eth0").is_ok());
        fs::remove_dir_all(&dir).unwrap();
    }
}
