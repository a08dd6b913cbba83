//! The agent's end of the socket. Each connection is a task of its own, so that a client that says nothing holds up nobody.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::{LONGEST_LINE, Reply, Request};
use crate::kernel::load::give_back_heap;

/// How long a client may take for its one line.
const PATIENCE: Duration = Duration::from_secs(5);
/// Requests that wait for the event loop.
const QUEUE: usize = 16;

/// One request and where its answer goes.
pub struct Call {
    /// What is asked.
    pub request: Request,
    /// Takes the answer.
    pub reply: oneshot::Sender<Reply>,
}

/// Listens until it is dropped.
pub struct Server {
    path: PathBuf,
    calls: mpsc::Receiver<Call>,
    accept: JoinHandle<()>,
}

impl Server {
    /// Binds the socket, for the owner only. A socket that a dead agent left behind is replaced; the caller holds the
    /// instance's lock, so none that lives.
    ///
    /// # Errors
    /// When the path cannot be bound.
    pub fn bind(path: &Path) -> io::Result<Self> {
        match std::fs::remove_file(path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        let (sender, calls) = mpsc::channel(QUEUE);
        let accept = tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        let sender = sender.clone();
                        tokio::spawn(async move {
                            let _ = tokio::time::timeout(PATIENCE, serve(stream, sender)).await;
                        });
                    }
                    // Out of file descriptors, say: wait rather than spin.
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        });
        Ok(Self { path: path.into(), calls, accept })
    }

    /// The next request. Safe to drop before it is ready.
    pub async fn call(&mut self) -> Option<Call> {
        self.calls.recv().await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accept.abort();
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn serve(stream: UnixStream, calls: mpsc::Sender<Call>) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    BufReader::new(reader.take(LONGEST_LINE)).read_line(&mut line).await?;
    let request: Result<Request, _> = serde_json::from_str(&line);
    let is_long = matches!(request, Ok(Request::History { .. }));
    let reply = match request {
        Ok(request) => {
            let (sender, answer) = oneshot::channel();
            match calls.send(Call { request, reply: sender }).await {
                Ok(()) => answer.await.unwrap_or_else(|_| Reply::Error("the agent is stopping".into())),
                Err(_) => Reply::Error("the agent is stopping".into()),
            }
        }
        Err(e) => Reply::Error(format!("not a request: {e}")),
    };
    // A megabyte of JSON takes its time: not that of the event loop.
    let bytes = if is_long {
        tokio::task::spawn_blocking(move || long_line(reply)).await.map_err(io::Error::other)?
    } else {
        encoded(&reply)
    };
    writer.write_all(&bytes?).await
}

/// The line of a long answer; what it took is given back.
fn long_line(reply: Reply) -> io::Result<Vec<u8>> {
    let line = encoded(&reply);
    drop(reply);
    give_back_heap();
    line
}

fn encoded(reply: &Reply) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(reply).map_err(io::Error::other)?;
    bytes.push(b'\n');
    Ok(bytes)
}
