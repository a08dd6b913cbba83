//! The drivers' counters, asked for on a thread of its own.
//!
//! The kernel answers under its rtnetlink lock, which a driver that is being reset holds for seconds: just then the agent must not wait.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use probe_core::lacp::LacpCounters;
use probe_core::link::LinkStats;
use tokio::sync::mpsc;

use super::ask::lacp_counters;
use super::stats::Stats;
use crate::kernel::ethtool::speed_bps;

/// Questions between two that are about speeds too: a speed changes when a link comes up, and not often then.
const SPEED_EVERY: u64 = 10;
/// Questions between two that are about LACP too: what is counted there grows by one in a second at most.
const LACP_EVERY: u64 = 5;

/// An answer.
#[derive(Debug)]
pub struct StatsAnswer {
    /// The question's number.
    pub round: u64,
    /// The counters of the links that were asked for, of those that are there; or why there are none.
    pub counted: io::Result<Vec<(u32, LinkStats)>>,
    /// The links' speeds in bits per second, where drivers tell; `None` when they were not asked.
    pub speeds: Option<Vec<(u32, Option<u64>)>>,
    /// What the bonding driver counted of LACP at the slaves; `None` when it was not asked.
    pub lacp: Option<Vec<(u32, LacpCounters)>>,
}

/// What is asked.
#[derive(Debug)]
pub struct Question {
    /// Its number, for the answer.
    pub round: u64,
    /// The links whose counters are wanted, and their names.
    pub links: Vec<(u32, String)>,
    /// Those of them that are slaves of 802.3ad bonds.
    pub slaves: Vec<u32>,
}

/// Asks, one question at a time.
#[derive(Debug)]
pub struct StatsAsker {
    questions: SyncSender<Question>,
}

impl StatsAsker {
    /// Starts the thread; its answers come through the receiver. It ends with the asker.
    ///
    /// # Errors
    /// When there can be no further thread.
    pub fn start() -> io::Result<(Self, mpsc::Receiver<StatsAnswer>)> {
        let (questions, inbox) = sync_channel(0);
        let (sender, answers) = mpsc::channel(1);
        std::thread::Builder::new().name("stats".into()).stack_size(256 << 10).spawn(move || answer(&inbox, &sender))?;
        Ok((Self { questions }, answers))
    }

    /// Asks. False while the question before is not answered, or its answer not taken.
    pub fn ask(&self, question: Question) -> bool {
        self.questions.try_send(question).is_ok()
    }
}

fn answer(inbox: &Receiver<Question>, sender: &mpsc::Sender<StatsAnswer>) {
    let mut stats = Stats::default();
    let mut asked: Vec<(u32, String)> = Vec::new();
    let mut asked_slaves: Vec<u32> = Vec::new();
    while let Ok(Question { round, links, slaves }) = inbox.recv() {
        let indexes: Vec<u32> = links.iter().map(|(ifindex, _)| *ifindex).collect();
        let counted = stats.of(&indexes);
        let due = round % SPEED_EVERY == 0 || asked != links;
        let speeds = due.then(|| links.iter().map(|(ifindex, name)| (*ifindex, speed_bps(name))).collect());
        let due = round % LACP_EVERY == 0 || asked_slaves != slaves;
        let lacp = due.then(|| slaves.iter().filter_map(|ifindex| Some((*ifindex, lacp_counters(*ifindex).ok()??))).collect());
        (asked, asked_slaves) = (links, slaves);
        if sender.blocking_send(StatsAnswer { round, counted, speeds, lacp }).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_answered_and_a_second_one_is_not_taken_before() {
        let (asker, mut answers) = StatsAsker::start().expect("a thread");
        while !asker.ask(Question { round: 7, links: vec![(1, "lo".to_owned())], slaves: vec![1] }) {
            // it has not come to its inbox yet
            std::thread::yield_now();
        }
        let answer = answers.blocking_recv().expect("an answer");
        assert_eq!(answer.round, 7);
        assert_eq!(answer.speeds, Some(vec![(1, None)]));
        assert_eq!(answer.lacp, Some(Vec::new()), "the loopback is no slave, and leaves the others their answers");
        assert_eq!(answer.counted.expect("rtnetlink answers").first().map(|(ifindex, _)| *ifindex), Some(1));
    }
}
