//! Who was asked, and whether answers came.

use std::collections::VecDeque;
use std::net::IpAddr;

use super::Mark;
use crate::lacp::Moments;
use crate::time::{Mono, SECOND};

/// Time in which an answer is expected, nanoseconds.
const PATIENCE: u64 = SECOND;
/// Questions, or answers, that follow each other within so many nanoseconds are one: a storm of them fills nothing.
const SAME: u64 = SECOND / 10;
/// Most exchanges that are kept of one dialogue. Of more, those go that tell least.
const MOST: usize = 1024;
/// What is so near to a silence, or to what happened otherwise, stays as long as there is room for it, nanoseconds.
const NEAR: [u64; 3] = [30 * SECOND, 5 * SECOND, 0];

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
    /// Questions of the same silence before this one that are not listed.
    pub unlisted: u64,
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
    /// What passed, in order; what followed its like within a tenth of a second is only counted, and of very many calm ones some.
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

    /// Takes a packet. True when there are too many: [`Self::make_room`] is wanted.
    pub(super) fn take(&mut self, mark: Mark, answer: bool) -> bool {
        *(if answer { &mut self.answered } else { &mut self.asked }) += 1;
        if self.exchanges.back().is_some_and(|last| last.answer == answer && mark.at.since(last.mark.at) < SAME) {
            return false;
        }
        self.exchanges.push_back(Exchange { mark, answer, unlisted: 0 });
        self.exchanges.len() > MOST
    }

    /// Takes out what tells least: what was answered at once, and the middle of a silence, away from all `moments`. Where that is not
    /// enough the oldest go: returns how many.
    pub(super) fn make_room(&mut self, moments: &Moments) -> u64 {
        let room = MOST - MOST / 8;
        let calm = self.calm();
        let unrest = calm.iter().zip(&self.exchanges).filter(|(calm, _)| !**calm).map(|(_, exchange)| exchange.mark.at);
        let moments: Moments = unrest.chain(moments.iter()).collect();
        for ns in NEAR {
            if self.exchanges.len() > room {
                self.thin(&moments, ns);
            }
        }
        let oldest = self.exchanges.len().saturating_sub(room);
        self.exchanges.drain(..oldest);
        oldest as u64
    }

    /// Of each exchange, whether nothing begins, ends or is late with it.
    fn calm(&self) -> Vec<bool> {
        let place = |place: Option<usize>| place.and_then(|place| self.exchanges.get(place));
        let asks = |of: Option<&Exchange>| of.is_some_and(|of| !of.answer);
        let prompt = |question: usize| {
            let (of, next) = (place(Some(question)), place(Some(question + 1)));
            let waited = of.zip(next).map(|(of, next)| next.mark.at.since(of.mark.at));
            !asks(next) && waited.is_some_and(|waited| waited < PATIENCE) && !asks(place(question.checked_sub(1)))
        };
        let of = |(at, exchange): (usize, &Exchange)| {
            let before = at.checked_sub(1);
            match (exchange.answer, asks(place(before))) {
                (true, true) => before.is_some_and(prompt),
                (true, false) => true,
                (false, true) => asks(place(Some(at + 1))),
                (false, false) => prompt(at),
            }
        };
        // The newest may become anything yet.
        let newest = self.exchanges.len().saturating_sub(1);
        self.exchanges.iter().enumerate().map(|(at, exchange)| at < newest && of((at, exchange))).collect()
    }

    fn thin(&mut self, moments: &Moments, ns: u64) {
        let calm = self.calm();
        let (mut kept, mut place, mut silent, mut asked) = (VecDeque::new(), 0, 0, None);
        for mut exchange in std::mem::take(&mut self.exchanges) {
            let stays = !calm.get(place).is_some_and(|calm| *calm) || moments.near(exchange.mark.at, ns);
            // An answer goes with its question, or that would be one without.
            let stays = if exchange.answer { asked.take().unwrap_or(stays) } else { stays };
            let within = !exchange.answer && asked.is_some();
            if !exchange.answer {
                asked = Some(stays);
            }
            place += 1;
            if stays {
                exchange.unlisted += std::mem::take(&mut silent);
                kept.push_back(exchange);
            } else if within {
                silent += exchange.unlisted + 1;
            }
        }
        self.exchanges = kept;
    }

    /// The times without answers, in order. A question that had no time to be answered before `end` is left out.
    pub fn silences(&self, end: Mono) -> Vec<Silence> {
        let mut found = Vec::new();
        let mut open: Option<Silence> = None;
        let mut before: Option<&Mark> = None;
        for Exchange { mark, answer, unlisted } in &self.exchanges {
            if !answer {
                match &mut open {
                    Some(silence) => {
                        silence.last = mark.clone();
                        silence.questions += 1 + unlisted;
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

    fn long(silences: &[std::ops::Range<u64>], seconds: u64) -> (Dialogue, u64) {
        let mut dialogue = Dialogue::new(Ask::Arp, None, IpAddr::from([10, 0, 0, 1]));
        let (mut number, mut lost) = (0, 0);
        for second in 0..seconds {
            let answered = !silences.iter().any(|silence| silence.contains(&second));
            for (ms, answer) in [(0, false), (1, true)].into_iter().take(1 + usize::from(answered)) {
                number += 1;
                if dialogue.take(Mark { number, at: at(second * 1000 + ms), link: "bond0".into() }, answer) {
                    lost += dialogue.make_room(&Moments::default());
                }
            }
        }
        (dialogue, lost)
    }

    #[test]
    fn silences_stay_as_they_were_however_long_it_is_calm_after_them() {
        let (dialogue, lost) = long(&[300..400, 700..703, 5000..15_000], 40_000);
        assert!(dialogue.exchanges.len() <= MOST && lost == 0, "{} {lost}", dialogue.exchanges.len());
        let silences = dialogue.silences(at(40_000_000));
        let told: Vec<_> = silences.iter().map(|of| (of.first.at.0 / SECOND, of.last.at.0 / SECOND, of.questions)).collect();
        assert_eq!(
            told,
            [(300, 400, 101), (700, 703, 4), (5000, 15_000, 10_001)],
            "the question that is answered is the last one"
        );
        let around: Vec<_> =
            silences.iter().flat_map(|of| [&of.before, &of.after]).flatten().map(|of| of.at.0 / SECOND).collect();
        assert_eq!(around, [299, 400, 699, 703, 4999, 15_000]);
    }

    #[test]
    fn where_nothing_is_calm_the_oldest_go_and_are_counted() {
        let silences: Vec<_> = (0..5000).map(|n| n * 4..n * 4 + 2).collect();
        let (dialogue, lost) = long(&silences, 20_000);
        assert!(dialogue.exchanges.len() <= MOST && lost > 0);
        assert_eq!(dialogue.silences(at(20_000_000)).last().map(|of| of.first.at), Some(at(19_996_000)));
    }
}
