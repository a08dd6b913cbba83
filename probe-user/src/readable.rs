//! Waits until a file descriptor can be read: the one place where descriptors are given to tokio's reactor.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use tokio::io::Interest;
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};

/// A descriptor that the reactor watches.
pub struct Readable(AsyncFd<OwnedFd>);

impl Readable {
    /// Watches a duplicate of `fd`: it reports readiness of the same open file, and `fd` stays the caller's.
    ///
    /// # Errors
    /// When descriptors run out, or for a file that cannot be polled.
    pub fn watch(fd: impl AsFd) -> io::Result<Self> {
        let fd = fd.as_fd().try_clone_to_owned()?;
        // SAFETY: an `OwnedFd` is open until it is dropped, and always gives the same descriptor.
        let watched = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }?;
        Ok(Self(watched))
    }

    /// Waits. The guard says whether it was read to its end (`clear_ready`).
    ///
    /// # Errors
    /// When the reactor is shutting down.
    pub async fn ready(&self) -> io::Result<AsyncFdReadyGuard<'_, OwnedFd>> {
        self.0.readable().await
    }
}
