//! Who was asked, and whether answers came.

use std::collections::VecDeque;
use std::net::IpAddr;

use super::Mark;
use crate::time::{Mono, SECOND};

/// Time in which an answer is expected, nanoseconds.
const PATIENCE: u64 = SECOND;
/// Questions, or answers, that follow each other within so many nanoseconds are one: a storm of them fills nothing.
const SAME: u64 = SECOND / 10;
/// Most exchanges that are kept of one dialogue: the newest.
const MOST: usize = 1024;

/// How somebody is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ask {
    /// ARP.
    Arp,
    /// Neighbour solicitation.
    Nd,
    /// ICMP or ICMPv6 echo.
    Icmp,
}

impl Ask {
    /// What the question is called.
    pub const fn question(self) -> &'static str {
        match self {
            Ask::Arp => "ARP request",
            Ask::Nd => "neighbour solicitation",
            Ask::Icmp => "echo request",
        }
    }

    /// What the answer is called.
    pub const fn answer(self) -> &'static str {
        match self {
            Ask::Arp => "ARP reply",
            Ask::Nd => "neighbour advertisement",
            Ask::Icmp => "echo reply",
        }
    }
}

/// A question or an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The packet.
    pub mark: Mark,
    /// True for an answer.
    pub answer: bool,
}

/// Questions of ours to one target and its answers, whichever taps they passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialogue {
    /// How it is asked.
    pub ask: Ask,
    /// VLAN, where tagged.
    pub vlan: Option<u16>,
    /// Who is asked.
    pub target: IpAddr,
    /// Packets that ask; one that passes two taps counts twice.
    pub asked: u64,
    /// Packets that answer.
    pub answered: u64,
    /// What passed, in order; what followed its like within a tenth of a second is only counted.
    pub exchanges: VecDeque<Exchange>,
}

/// A time in which questions were asked and none was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// The first question without an answer.
    pub first: Mark,
    /// The last one.
    pub last: Mark,
    /// Questions, those apart by less than a tenth of a second counted as one.
    pub questions: u64,
    /// The last answer before.
    pub before: Option<Mark>,
    /// The first answer after.
    pub after: Option<Mark>,
}

impl Dialogue {
    /// Nothing said yet.
    pub fn new(ask: Ask, vlan: Option<u16>, target: IpAddr) -> Self {
        Self { ask, vlan, target, asked: 0, answered: 0, exchanges: VecDeque::new() }
    }

    /// Takes a packet. False when an older one had to go for it.
    pub(super) fn take(&mut self, mark: Mark, answer: bool) -> bool {
        *(if answer { &mut self.answered } else { &mut self.asked }) += 1;
        if self.exchanges.back().is_some_and(|last| last.answer == answer && mark.at.since(last.mark.at) < SAME) {
            return true;
        }
        self.exchanges.push_back(Exchange { mark, answer });
        let fits = self.exchanges.len() <= MOST;
        if !fits {
            self.exchanges.pop_front();
        }
        fits
    }

    /// The times without answers, in order. A question that had no time to be answered before `end` is left out.
    pub fn silences(&self, end: Mono) -> Vec<Silence> {
        let mut found = Vec::new();
        let mut open: Option<Silence> = None;
        let mut before: Option<&Mark> = None;
        for Exchange { mark, answer } in &self.exchanges {
            if !answer {
                match &mut open {
                    Some(silence) => {
                        silence.last = mark.clone();
                        silence.questions += 1;
                    }
                    None => {
                        let (first, last) = (mark.clone(), mark.clone());
                        open = Some(Silence { first, last, questions: 1, before: before.cloned(), after: None });
                    }
                }
                continue;
            }
            if let Some(mut silence) = open.take()
                && mark.at.since(silence.first.at) >= PATIENCE
            {
                silence.after = Some(mark.clone());
                found.push(silence);
            }
            before = Some(mark);
        }
        let expected = |silence: &Silence| end.since(silence.first.at) >= PATIENCE;
        found.extend(open.filter(expected));
        found
    }

    /// An answer from `from` on, up to `to`.
    pub fn answer_within(&self, from: Mono, to: Mono) -> Option<&Mark> {
        let within = |exchange: &&Exchange| exchange.answer && (from..=to).contains(&exchange.mark.at);
        self.exchanges.iter().find(within).map(|exchange| &exchange.mark)
    }

    /// `ARP requests for 10.0.0.1, VLAN 956`.
    pub fn words(&self) -> String {
        let vlan = self.vlan.map_or_else(String::new, |vlan| format!(", VLAN {vlan}"));
        format!("{}s for {}{vlan}", self.ask.question(), self.target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::at;

    fn dialogue(exchanges: &[(u64, bool)]) -> Dialogue {
        let mut dialogue = Dialogue::new(Ask::Arp, None, IpAddr::from([10, 0, 0, 1]));
        for (number, &(ms, answer)) in (1..).zip(exchanges) {
            dialogue.take(Mark { number, at: at(ms), link: "bond0".into() }, answer);
        }
        dialogue
    }

    #[test]
    fn questions_that_are_answered_make_no_silence() {
        let calm = dialogue(&[(0, false), (1, true), (1000, false), (1001, true)]);
        assert_eq!(calm.silences(at(60_000)), []);
    }

    #[test]
    fn a_silence_has_its_first_question_and_the_answers_around_it() {
        let gap = dialogue(&[(0, false), (1, true), (1000, false), (2000, false), (3000, false), (9000, false), (9001, true)]);
        let silences = gap.silences(at(60_000));
        assert_eq!(silences.len(), 1);
        let silence = &silences[0];
        assert_eq!((silence.first.number, silence.last.number, silence.questions), (3, 6, 4));
        assert_eq!((silence.before.as_ref().map(|m| m.number), silence.after.as_ref().map(|m| m.number)), (Some(2), Some(7)));
    }

    #[test]
    fn a_question_just_before_the_end_is_no_silence() {
        let calm = dialogue(&[(0, false), (1, true), (59_500, false)]);
        assert_eq!(calm.silences(at(60_000)), []);
    }

    #[test]
    fn a_storm_of_questions_is_counted_and_fills_nothing() {
        let mut storm = Dialogue::new(Ask::Arp, None, IpAddr::from([10, 0, 0, 1]));
        for number in 0..100_000 {
            storm.take(Mark { number, at: Mono(number * 10_000), link: "bond0".into() }, false);
        }
        assert_eq!((storm.asked, storm.exchanges.len()), (100_000, 10));
    }
}
