//! Locks that keep a second agent off an interface, a name or a pin directory. They end with the process that holds them, however it ends.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::ErrorKind,
    os::{
        linux::net::SocketAddrExt as _,
        unix::{
            fs::MetadataExt as _,
            net::{SocketAddr, UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
};

use super::KernelError;

/// A lock that is held as long as this lives.
#[derive(Debug)]
pub struct Lock {
    _held: Held,
}

#[derive(Debug)]
enum Held {
    Socket { _listener: UnixListener },
    File { _file: File },
}

impl Lock {
    /// Takes the lock of an interface of this network namespace: an abstract unix socket, whose name belongs to the namespace, so
    /// that agents meet whatever directories they use.
    ///
    /// # Errors
    /// [`KernelError::InUse`] with the holder's pid; [`KernelError::File`] when there can be no socket.
    pub fn interface(ifindex: u32, name: &str) -> Result<Self, KernelError> {
        let socket = format!("linkprobe-interface-{ifindex}");
        let failed = |source| KernelError::File { path: PathBuf::from(format!("@{socket}")), source };
        let address = SocketAddr::from_abstract_name(&socket).map_err(failed)?;
        match UnixListener::bind_addr(&address) {
            Ok(listener) => Ok(Self { _held: Held::Socket { _listener: listener } }),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                let holder = UnixStream::connect_addr(&address).ok();
                let credentials = holder.and_then(|stream| rustix::net::sockopt::socket_peercred(&stream).ok());
                let pid = credentials.and_then(|peer| u32::try_from(peer.pid.as_raw_nonzero().get()).ok());
                Err(KernelError::InUse { what: format!("interface {name}"), pid })
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Takes the lock of an agent's name: of its control socket.
    ///
    /// # Errors
    /// [`KernelError::InUse`] with the holder's pid; [`KernelError::File`] when the lock's file cannot be used.
    pub fn instance(run_dir: &Path, name: &str) -> Result<Self, KernelError> {
        let path = run_dir.join(format!("agent-{name}.lock"));
        let failed = |source| KernelError::File { path: path.clone(), source };
        fs::create_dir_all(run_dir).map_err(failed)?;
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        Self::file(file, &path, &format!("the name {name}"))
    }

    /// Takes the lock of a pin directory, which is there: the directory itself is locked, so that agents meet whatever else they use.
    ///
    /// # Errors
    /// As of [`Self::instance`].
    pub fn directory(path: &Path) -> Result<Self, KernelError> {
        let directory = File::open(path).map_err(|source| KernelError::File { path: path.into(), source })?;
        Self::file(directory, path, &path.display().to_string())
    }

    fn file(file: File, path: &Path, what: &str) -> Result<Self, KernelError> {
        match file.try_lock() {
            Ok(()) => Ok(Self { _held: Held::File { _file: file } }),
            Err(TryLockError::WouldBlock) => Err(KernelError::InUse { what: what.to_owned(), pid: holder(&file) }),
            Err(TryLockError::Error(source)) => Err(KernelError::File { path: path.into(), source }),
        }
    }
}

/// The process that holds a file's lock, from /proc/locks: `1: FLOCK ADVISORY WRITE 4711 00:1b:815 0 EOF`.
fn holder(file: &File) -> Option<u32> {
    let inode = format!(":{}", file.metadata().ok()?.ino());
    let locks = fs::read_to_string("/proc/locks").ok()?;
    let mut held = locks.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let lock = held.find(|words| words.get(1) == Some(&"FLOCK") && words.get(5).is_some_and(|place| place.ends_with(&inode)))?;
    lock.get(4)?.parse().ok()
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
    fn an_interface_that_is_held_is_refused_with_the_holders_pid_and_free_again_afterwards() {
        // No interface has such an index.
        let index = 0x7f00_0000 + std::process::id() % 0xffff;
        let held = Lock::interface(index, "eth0").unwrap();
        let Err(KernelError::InUse { what, pid }) = Lock::interface(index, "eth0") else { panic!("taken twice") };
        assert_eq!((what.as_str(), pid), ("interface eth0", Some(std::process::id())));
        assert!(Lock::interface(index + 0x10000, "eth1").is_ok());
        drop(held);
        assert!(Lock::interface(index, "eth0").is_ok());
    }

    #[test]
    fn a_name_and_a_directory_have_one_holder() {
        let dir = std::env::temp_dir().join(format!("linkprobe-lock-{}", std::process::id()));
        let held = Lock::instance(&dir, "default").unwrap();
        let Err(KernelError::InUse { pid, .. }) = Lock::instance(&dir, "default") else { panic!("taken twice") };
        assert_eq!(pid, Some(std::process::id()));
        assert!(Lock::instance(&dir, "other").is_ok());
        drop(held);
        let held = Lock::directory(&dir).unwrap();
        assert!(matches!(Lock::directory(&dir), Err(KernelError::InUse { pid: Some(pid), .. }) if pid == std::process::id()));
        drop(held);
        assert!(Lock::directory(&dir).is_ok());
        fs::remove_dir_all(&dir).unwrap();
    }
}
