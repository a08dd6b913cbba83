//! One target: asks, listens, and tells what became of each question.

use std::io;
use std::time::Duration;

use probe_core::reach::{Answer, ProbeSample, Question, Schedule, Target};
use probe_core::time::Mono;

use super::Reporter;
use super::socket::{Received, Socket};
use crate::clock;

/// Packets that are read before other tasks have their turn.
const MOST_AT_ONCE: usize = 64;

/// Asks for ever.
pub(super) struct Asking {
    pub(super) target: Target,
    /// What to ask, or why it cannot be asked: then that is the outcome of each question.
    pub(super) question: Result<Question, String>,
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
    pub(super) reporter: Reporter,
}

impl Asking {
    pub(super) async fn run(self) {
        let mut schedule = Schedule::new(clock::now(), nanos(self.interval), nanos(self.timeout));
        let mut socket = None;
        loop {
            // What has arrived comes before what is overdue: the agent may have been busy, the answer was not late.
            if let Some(socket) = &socket {
                self.answers(socket, &mut schedule);
            }
            let now = clock::now();
            while let Some(sent) = schedule.expired(now) {
                self.tell(sent, Answer::Lost);
            }
            if let Some(number) = schedule.due(now) {
                match self.ask(&mut socket, number) {
                    Ok(sent) => schedule.sent(number, sent),
                    Err(why) => self.tell(now, Answer::SendError(why)),
                }
            }
            let late = schedule.take_late();
            self.reporter.late(late);
            self.wait(socket.as_ref(), schedule.next_deadline()).await;
        }
    }

    /// Sends a question. A socket that cannot be opened, or does not send, is opened anew for the next one.
    fn ask(&self, socket: &mut Option<Socket>, number: u64) -> Result<Mono, String> {
        let question = self.question.as_ref().map_err(Clone::clone)?;
        let open = match socket {
            Some(open) => open,
            None => socket.insert(Socket::open(question.clone()).map_err(|error| words(&error))?),
        };
        let sent = clock::now();
        match open.send(number) {
            Ok(()) => Ok(sent),
            Err(error) => {
                // Answers to earlier questions may still come; only a socket whose interface is gone is of no use any more.
                if matches!(error.raw_os_error(), Some(libc::ENODEV | libc::ENXIO | libc::EBADF)) {
                    *socket = None;
                }
                Err(words(&error))
            }
        }
    }

    fn answers(&self, socket: &Socket, schedule: &mut Schedule) {
        for _ in 0..MOST_AT_ONCE {
            match socket.receive() {
                Received::Answer(number, at) => {
                    if let Some(answered) = schedule.answered(number, at) {
                        self.tell(answered.sent, Answer::Rtt(answered.rtt));
                    }
                }
                Received::Malformed(error) => {
                    self.reporter.malformed();
                    log::debug!("{}: ignored an answer: {error}", self.target.name);
                }
                Received::Foreign => {}
                Received::Nothing => break,
            }
        }
    }

    async fn wait(&self, socket: Option<&Socket>, until: Mono) {
        let sleep = tokio::time::sleep(Duration::from_nanos(until.since(clock::now())));
        let Some(socket) = socket else { return sleep.await };
        tokio::select! {
            () = sleep => {}
            ready = socket.ready() => match ready {
                // What waits is read next, and a flood's rest when the next question is due; what comes after this wakes it again.
                Ok(mut guard) => guard.clear_ready(),
                Err(error) => log::debug!("{}: {error}", self.target.name),
            }
        }
    }

    fn tell(&self, at: Mono, answer: Answer) {
        self.reporter.sample(ProbeSample { at, target: self.target.name.clone(), method: self.target.method, answer });
    }
}

/// `Network is unreachable`, without the number that the standard library adds.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    let plain = text.split(" (os error").next().unwrap_or(&text).to_owned();
    if error.kind() == io::ErrorKind::PermissionDenied { format!("{plain} (CAP_NET_RAW, or a firewall)") } else { plain }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
