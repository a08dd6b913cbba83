//! Blackouts: what is handed over does not reach the wire, or nothing comes in any more.

use std::collections::VecDeque;

use super::{Cell, Second};
use crate::direction::Direction;
use crate::time::{Mono, SECOND};
use crate::timeline::What;

/// Seconds in a row that a driver must send nothing of what it is handed: some drivers bring their counters up to date only
/// every two seconds.
const SILENT: usize = 3;
/// Seconds in a row in which it must send again.
const SENDING: usize = 2;
/// Time without any frame that is suspicious at least, nanoseconds.
const QUIET: u64 = 3 * SECOND;
/// Hellos that must be missing in a row.
const MISSING: u64 = 3;
/// Intervals between hellos that are remembered, and how many are needed to know their period.
const INTERVALS: usize = 8;
const NEEDED: usize = 3;

/// What one link transmits.
#[derive(Clone, Debug, Default)]
pub struct Egress {
    last: VecDeque<Handed>,
    /// The driver was seen to send, and to count it.
    worked: bool,
    blackout: bool,
}

#[derive(Clone, Copy, Debug)]
struct Handed {
    from: Mono,
    ns: u64,
    /// Frames at the egress tap.
    frames: u64,
    /// That the driver sent, and that it lost.
    sent: u64,
    lost: u64,
}

impl Egress {
    /// It goes on.
    pub fn is_blackout(&self) -> bool {
        self.blackout
    }

    /// Takes a second of the link; returns when a blackout began, or ended.
    pub fn second(&mut self, second: &Second, cell: &Cell, up: bool) -> Option<(Mono, What)> {
        let (Some(egress), Some(driver), true) = (cell.egress, cell.driver, up) else {
            self.last.clear();
            self.blackout &= up;
            return None;
        };
        let (frames, sent, lost) = (egress.frames, driver.tx.packets, driver.tx_lost);
        if frames == 0 && sent == 0 {
            // Nothing was tried: that says nothing, and ends a run.
            self.last.clear();
            return None;
        }
        self.last.push_back(Handed { from: second.at.minus(second.ns), ns: second.ns, frames, sent, lost });
        if self.last.len() > SILENT {
            self.last.pop_front();
        }
        let changed = if self.blackout { self.sends() } else { self.is_silent() };
        self.worked |= frames > 0 && sent >= frames.div_ceil(2);
        let from = self.last.front()?.from;
        changed.then(|| {
            self.blackout = !self.blackout;
            // It ended when the driver began to send, not when that was certain.
            let recent = self.last.len().saturating_sub(SENDING);
            let again = self.last.get(recent).map_or(from, |handed| handed.from);
            let at = if self.blackout { from } else { again };
            (at, What::Blackout { direction: Direction::Egress, begins: self.blackout, text: self.text() })
        })
    }

    fn is_silent(&self) -> bool {
        let silent = |handed: &Handed| handed.frames > 0 && handed.sent.saturating_mul(20) <= handed.frames;
        self.worked && self.last.len() == SILENT && self.last.iter().all(silent)
    }

    fn sends(&self) -> bool {
        let recent = || self.last.iter().rev().take(SENDING);
        recent().count() == SENDING && recent().all(|handed| handed.sent > 0 && handed.sent.saturating_mul(2) >= handed.frames)
    }

    fn text(&self) -> String {
        let all = |of: fn(&Handed) -> u64| self.last.iter().map(of).sum::<u64>();
        let (frames, sent, lost) = (all(|handed| handed.frames), all(|handed| handed.sent), all(|handed| handed.lost));
        let seconds = all(|handed| handed.ns) as f64 / SECOND as f64;
        format!("{frames} packets handed over in {seconds:.1} s, {sent} of them sent and {lost} dropped by the driver")
    }
}

/// What one link receives.
#[derive(Clone, Debug, Default)]
pub struct Ingress {
    /// Times between seconds with hellos, newest last.
    intervals: VecDeque<u64>,
    last_hello: Option<Mono>,
    /// The end of the last second in which anything came in.
    last_frame: Option<Mono>,
    /// Frames handed over for transmission since then.
    sent_since: u64,
    blackout: bool,
}

impl Ingress {
    /// It goes on.
    pub fn is_blackout(&self) -> bool {
        self.blackout
    }

    /// Takes a second of the link; returns when a blackout began, or ended.
    ///
    /// That traffic stops proves nothing. What the other end sends by itself must have come steadily, and be missing, while we go
    /// on sending.
    pub fn second(&mut self, second: &Second, cell: &Cell, up: bool) -> Option<(Mono, What)> {
        let (Some(ingress), true) = (cell.ingress, up) else {
            *self = Self::default();
            return None;
        };
        if cell.hellos > 0
            && let Some(last) = self.last_hello.replace(second.at).filter(|_| !self.blackout)
        {
            self.intervals.push_back(second.at.since(last));
            if self.intervals.len() > INTERVALS {
                self.intervals.pop_front();
            }
        }
        if ingress.frames > 0 {
            self.last_frame = Some(second.at);
            self.sent_since = 0;
            let text = format!("{} packets in {:.1} s", ingress.packets, second.ns as f64 / SECOND as f64);
            let over = What::Blackout { direction: Direction::Ingress, begins: false, text };
            return std::mem::take(&mut self.blackout).then(|| (second.at.minus(second.ns), over));
        }
        let sending = cell.egress.is_some_and(|egress| egress.frames > 0);
        self.sent_since = self.sent_since.saturating_add(cell.egress.map_or(0, |egress| egress.frames));
        let (Some(since), Some(hello), Some(period)) = (self.last_frame, self.last_hello, self.period()) else { return None };
        if since.since(hello) > period.saturating_add(SECOND) {
            // The hellos stopped first: the other end has chosen to send no more.
            return None;
        }
        let quiet = second.at.since(since);
        let suspicious = quiet >= QUIET.max(self.patience(period)) && sending && self.sent_since >= 3;
        if self.blackout || !suspicious {
            return None;
        }
        self.blackout = true;
        let text = format!(
            "nothing received for {:.1} s, where something came by itself every {:.1} s; {} packets handed over for transmission",
            quiet as f64 / SECOND as f64,
            period as f64 / SECOND as f64,
            self.sent_since
        );
        Some((since, What::Blackout { direction: Direction::Ingress, begins: true, text }))
    }

    /// The usual time between two hellos; `None` when there are too few.
    fn period(&self) -> Option<u64> {
        let mut intervals: Vec<u64> = self.intervals.iter().copied().collect();
        intervals.sort_unstable();
        intervals.get(intervals.len() / 2).copied().filter(|_| intervals.len() >= NEEDED)
    }

    /// Time without hellos in which so many must have been missed that it is no chance. What comes every second may be counted
    /// with the second before or after.
    fn patience(&self, period: u64) -> u64 {
        let longest = self.intervals.iter().max().copied().unwrap_or(0);
        period.saturating_mul(MISSING).saturating_add(SECOND).max(longest.saturating_mul(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::testing::{cell, hellos, second, sent};

    /// What is told of seconds 1 to `to`: the number of the second, when it began, and whether it begins.
    fn told(to: u64, link: impl Fn(u64) -> (Cell, bool)) -> Vec<(u64, u64, Direction, bool)> {
        let (mut egress, mut ingress) = (Egress::default(), Ingress::default());
        let mut told = Vec::new();
        for number in 1..=to {
            let (cell, up) = link(number);
            let now = second(number, Vec::new());
            for (at, what) in [egress.second(&now, &cell, up), ingress.second(&now, &cell, up)].into_iter().flatten() {
                let What::Blackout { direction, begins, .. } = what else { panic!("{what}") };
                told.push((number, at.0 / SECOND, direction, begins));
            }
        }
        told
    }

    #[test]
    fn a_driver_that_sends_nothing_of_what_it_is_handed_is_in_a_blackout_until_it_sends_again() {
        let blocked = |s: u64| (11..=30).contains(&s);
        let told = told(40, |s| (sent(if blocked(s) { 0 } else { 2 }, cell(1, 0, 5, 2)), true));
        assert_eq!(told, [(13, 10, Direction::Egress, true), (32, 30, Direction::Egress, false)]);
    }

    #[test]
    fn drops_that_the_driver_counts_are_no_sending() {
        let told = told(20, |s| {
            let mut cell = sent(if s > 10 { 3 } else { 100 }, cell(1, 0, 5, 100));
            cell.driver.as_mut().expect("a driver").tx_lost = 97;
            (cell, true)
        });
        assert_eq!(told, [(13, 10, Direction::Egress, true)]);
    }

    #[test]
    fn an_idle_link_a_late_driver_and_a_driver_that_never_counts_are_in_no_blackout() {
        assert_eq!(told(60, |s| (cell(1, 0, 0, u64::from(s < 10)), true)), []);
        let late = |s: u64| if s.is_multiple_of(3) { 30 } else { 0 };
        assert_eq!(told(60, |s| (sent(late(s), cell(1, 0, 5, 10)), true)), []);
        assert_eq!(told(60, |_| (sent(0, cell(1, 0, 5, 10)), true)), []);
    }

    #[test]
    fn a_link_without_carrier_is_down_and_in_no_blackout() {
        assert_eq!(told(60, |s| (sent(if s > 10 { 0 } else { 10 }, cell(1, 0, 5, 10)), s <= 10)), []);
    }

    /// LACPDUs every second, and traffic; then nothing comes in while we go on sending.
    #[test]
    fn a_link_that_receives_nothing_not_even_hellos_is_in_a_blackout() {
        let silent = |s: u64| (21..=30).contains(&s);
        let told = told(40, |s| {
            let frames = if silent(s) { 0 } else { 50 };
            (hellos(u64::from(!silent(s)), cell(1, 10, frames, 20)), true)
        });
        assert_eq!(told, [(24, 20, Direction::Ingress, true), (31, 30, Direction::Ingress, false)]);
    }

    #[test]
    fn slow_hellos_need_three_of_them_to_be_missing() {
        let told = told(400, |s| {
            let hello = u64::from(s.is_multiple_of(30) && s <= 200);
            (hellos(hello, cell(1, 10, hello, 1)), true)
        });
        assert_eq!(told, [(271, 180, Direction::Ingress, true)]);
    }

    /// A partner whose LACPDUs are lost gives the link up some seconds later, and sends nothing on it any more.
    #[test]
    fn hellos_that_stop_before_all_else_are_no_blackout() {
        let told = told(60, |s| (hellos(u64::from(s <= 20), cell(1, 10, if s <= 26 { 50 } else { 0 }, 20)), true));
        assert_eq!(told, []);
    }

    #[test]
    fn traffic_that_just_stops_is_no_blackout() {
        let told = |link: fn(u64) -> Cell| told(100, |s| (link(s), true));
        let download = |s: u64| if s < 50 { cell(1, 0, 9000, 4000) } else { cell(1, 0, 0, 1) };
        assert_eq!(told(download), [], "no hellos: nobody says that something should come");
        let hellos_go_on = |s: u64| hellos(1, cell(1, 0, if s < 50 { 9000 } else { 1 }, 3));
        assert_eq!(told(hellos_go_on), []);
        let we_stop_too = |s: u64| if s < 50 { hellos(1, cell(1, 0, 10, 10)) } else { cell(1, 0, 0, 0) };
        assert_eq!(told(we_stop_too), []);
    }
}
