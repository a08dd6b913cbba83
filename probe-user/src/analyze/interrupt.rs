//! Ctrl-C and SIGTERM: the analysis ends at the next packet, and nothing half written is left.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

/// Whether somebody wants it to end.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Takes the signals from now on.
    ///
    /// # Errors
    /// When there can be no thread, or no handler.
    pub fn watch() -> anyhow::Result<Self> {
        let interrupt = Self::default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().context("signals")?;
        let (mut int, mut term) = {
            let _inside = runtime.enter();
            (signal(SignalKind::interrupt()).context("SIGINT")?, signal(SignalKind::terminate()).context("SIGTERM")?)
        };
        let asked = Arc::clone(&interrupt.0);
        let wait = move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = int.recv() => {}
                    _ = term.recv() => {}
                }
            });
            asked.store(true, Ordering::Relaxed);
        };
        thread::Builder::new().name("signals".to_owned()).spawn(wait).context("signals")?;
        Ok(interrupt)
    }

    /// True once it was asked for.
    #[inline]
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
