//! The thread that changes links and writes files: both can take their time.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use probe_core::recovery::{Order, Record, Refusal};
use probe_core::time::WallOffset;
use probe_core::timeline::LinkName;
use tokio::sync::mpsc;

use super::{Report, StateFile, keep};
use crate::netlink;

/// Jobs that wait: one order, and the records of incidents that were refused one after the other.
const WAITING: usize = 64;

/// Hidden, for tests of a crash in the middle: milliseconds that the thread waits when it has taken a slave out.
const HOLD: &str = "LINKPROBE_RECOVERY_HOLD";

enum Job {
    Order(u64, Order),
    Keep(Box<Record>, WallOffset),
}

/// The way to it. The thread ends with it.
#[derive(Debug)]
pub struct Doer {
    jobs: SyncSender<Job>,
    /// Records that are not on disk yet.
    keeping: u64,
}

impl Doer {
    /// Starts the thread. What becomes of each job comes through `reports`.
    ///
    /// # Errors
    /// When there can be no further thread.
    pub fn start(file: StateFile, reports: mpsc::UnboundedSender<Report>) -> io::Result<Self> {
        let (jobs, inbox) = sync_channel(WAITING);
        let work = move || work(&inbox, &file, &reports);
        std::thread::Builder::new().name("recovery".into()).stack_size(256 << 10).spawn(work)?;
        Ok(Self { jobs, keeping: 0 })
    }

    /// Hands an order over. False when the thread is gone: nothing will come back.
    pub fn order(&self, number: u64, order: Order) -> bool {
        self.jobs.try_send(Job::Order(number, order)).is_ok()
    }

    /// Hands over what became of a recovery. False when too many wait.
    pub fn keep(&mut self, record: Record, wall: WallOffset) -> bool {
        let taken = self.jobs.try_send(Job::Keep(Box::new(record), wall)).is_ok();
        self.keeping += u64::from(taken);
        taken
    }

    /// Takes note that a record is on disk, or never will be.
    pub fn kept(&mut self) {
        self.keeping = self.keeping.saturating_sub(1);
    }

    /// Whether records are on their way to the disk.
    pub fn is_keeping(&self) -> bool {
        self.keeping > 0
    }
}

fn work(inbox: &Receiver<Job>, file: &StateFile, reports: &mpsc::UnboundedSender<Report>) {
    while let Ok(job) = inbox.recv() {
        let report = match job {
            Job::Order(number, order) => Report::Done(number, carry_out(&order, file)),
            Job::Keep(record, wall) => {
                let directory = PathBuf::from(&record.directory);
                let path = directory.join(keep::RECOVERY);
                let kept = keep::keep(&directory, &record, wall);
                Report::Kept(kept.map_err(|error| format!("{}: {error}", path.display())))
            }
        };
        if reports.send(report).is_err() {
            return;
        }
    }
}

fn carry_out(order: &Order, file: &StateFile) -> Result<(), Refusal> {
    match order {
        Order::Save(state) => {
            file.save(state).map_err(|error| Refusal { gone: false, text: format!("{}: {error}", file.path().display()) })
        }
        Order::Release { slave } => {
            let released = netlink::release(slave.ifindex).map_err(|error| refused("", &error));
            if let Some(ms) = std::env::var(HOLD).ok().and_then(|ms| ms.parse().ok()) {
                std::thread::sleep(Duration::from_millis(ms));
            }
            released
        }
        Order::Enslave { slave, bond } => enslave(slave, bond),
        Order::Restore { slave, queue_id, prio, primary_of } => {
            if *queue_id != 0 || *prio != 0 {
                let set = netlink::set_slave(slave.ifindex, *queue_id, *prio);
                set.map_err(|error| refused(&format!("queue {queue_id}, priority {prio}: "), &error))?;
            }
            let primary = primary_of.as_ref().map_or(Ok(()), |bond| netlink::set_primary(bond.ifindex, slave.ifindex));
            primary.map_err(|error| refused("primary: ", &error))
        }
        Order::Activate { bond, slave } => netlink::set_active(bond.ifindex, slave.ifindex).map_err(|error| refused("", &error)),
    }
}

/// The kernel takes only links that are down. The bonding driver sets them up.
fn enslave(slave: &LinkName, bond: &LinkName) -> Result<(), Refusal> {
    netlink::set_up(slave.ifindex, false).map_err(|error| refused("it cannot be set down: ", &error))?;
    netlink::enslave(slave.ifindex, bond.ifindex).map_err(|error| refused("", &error))?;
    netlink::set_up(slave.ifindex, true).map_err(|error| refused("it cannot be set up: ", &error))
}

fn refused(what: &str, error: &io::Error) -> Refusal {
    Refusal { gone: error.raw_os_error() == Some(libc::ENODEV), text: format!("{what}{error}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_answered_under_its_number_and_a_link_that_is_gone_is_told_as_such() {
        let dir = tempfile::tempdir().expect("a directory");
        let (reports, mut told) = mpsc::unbounded_channel();
        let doer = Doer::start(StateFile::new(dir.path(), "x"), reports).expect("a thread");
        let slave = LinkName { ifindex: u32::MAX >> 1, name: "gone0".to_owned() };
        assert!(doer.order(7, Order::Release { slave }));
        let Some(Report::Done(7, Err(refusal))) = told.blocking_recv() else { panic!("no refusal") };
        // who may not change links is told that instead
        assert!(refusal.gone || refusal.text.contains("not permitted"), "{refusal:?}");
        assert!(doer.order(8, Order::Save(probe_core::recovery::State::default())));
        assert!(matches!(told.blocking_recv(), Some(Report::Done(8, Ok(())))));
        drop(doer);
        assert!(told.blocking_recv().is_none(), "the thread ends");
    }
}
