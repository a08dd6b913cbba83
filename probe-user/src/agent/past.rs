//! Answers `linkprobe status --since`: the loop takes a view of the history, which costs nothing, and a thread of its own reads it.

use std::sync::Arc;
use std::time::Duration;

use probe_core::past::{Bucket, Condition, Extent, Rates, Series, States, Subject, View};
use probe_core::time::{Mono, SECOND, WallOffset, seconds};
use probe_core::tone::Tone;
use tokio::sync::oneshot;

use super::Agent;
use super::history::{ChangeHistory, Columns, Gap, History, HistoryExtent, LinkHistory, SeriesHistory, StateHistory, WayHistory};
use crate::clock;
use crate::control::Reply;
use crate::incident::wall;

/// Histories that are read at the same time at most: each takes some megabytes for a moment.
const READERS: usize = 2;
/// Most buckets of a series, and their shortest length.
const BUCKETS: u64 = 300;
const SHORTEST: u64 = SECOND;
/// Numbers of all series together: so that the answer is no longer than the control socket's lines may be.
const MOST_NUMBERS: u64 = 100_000;
/// Links that an answer has at most.
const MOST_LINKS: usize = 2000;
/// Changes and gaps that are listed.
const MOST_CHANGES: usize = 500;
const MOST_GAPS: usize = 50;
/// Threads have little to do: the default stack is not needed.
const STACK: usize = 256 << 10;

impl Agent {
    /// Answers from another thread.
    pub(super) fn history(&self, since: Duration, reply: oneshot::Sender<Reply>) {
        let now = clock::now();
        let ns = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        let question = Question {
            asked_s: since.as_secs(),
            view: self.flight.past(now.minus(ns), now),
            extent: self.flight.past_extent(),
            now,
            wall: clock::wall_offset(),
        };
        let ticket = self.past_readers.clone();
        if Arc::strong_count(&ticket) > READERS + 1 {
            let _ = reply.send(Reply::Error("the history is being read for others: ask again".into()));
            return;
        }
        let read = move || {
            let answer = serde_json::to_value(question.answer());
            // A client that has gone away takes no answer.
            let _ = reply.send(answer.map_or_else(|error| Reply::Error(error.to_string()), Reply::Ok));
            drop(ticket);
        };
        // Without a thread the client learns it from the reply that is gone.
        if let Err(error) = std::thread::Builder::new().name("history".into()).stack_size(STACK).spawn(read) {
            log::error!("no thread to read the history: {error}");
        }
    }

    /// How much history there is.
    pub(super) fn history_extent(&self, now: Mono) -> HistoryExtent {
        extent(self.flight.past_extent(), now)
    }
}

fn extent(extent: Extent, now: Mono) -> HistoryExtent {
    HistoryExtent {
        reaches_s: extent.from.map_or(0.0, |from| seconds(now.since(from))),
        wanted_s: seconds(extent.span),
        memory_bytes: extent.bytes as u64,
        memory_limit: extent.limit as u64,
        memory_full: extent.pushed_out,
    }
}

/// What was asked, with all that the answer needs.
struct Question {
    asked_s: u64,
    view: View,
    extent: Extent,
    now: Mono,
    wall: WallOffset,
}

impl Question {
    fn answer(&self) -> History {
        let view = &self.view;
        let all = view.links();
        let buckets = buckets(view.to().since(view.from()), all.len());
        let mut answer = History {
            version: env!("CARGO_PKG_VERSION").into(),
            asked_s: self.asked_s,
            from: self.time(view.from()),
            to: self.time(view.to()),
            extent: extent(self.extent, self.now),
            known_s: seconds(view.known_ns()),
            bucket_s: seconds(Series::new(view.from(), view.to(), buckets).step),
            links_left_out: all.len().saturating_sub(MOST_LINKS) as u64,
            ..History::default()
        };
        let name = |ifindex: u32| all.iter().find(|(_, link, _)| link.ifindex == ifindex).map(|(_, link, _)| link.name.clone());
        for (id, link, seen) in all.iter().take(MOST_LINKS) {
            let states = view.states(*id);
            let [rx, tx] = view.read(*id, buckets).map(|way| way.map(|(rates, series)| way_history(&rates, &series)));
            // One that was gone before had nothing to do with this time.
            if states.known_ns > 0 || states.changes > 0 || rx.is_some() || tx.is_some() {
                let master = (seen.master != 0).then(|| name(seen.master)).flatten();
                let states = self.states(&link.name, &states);
                answer.links.push(LinkHistory { ifindex: link.ifindex, master, states, rx, tx });
            }
        }
        for (id, seen) in view.seen().filter(|(_, seen)| matches!(seen.subject, Subject::Target(_))) {
            let states = view.states(id);
            if states.known_ns > 0 || states.changes > 0 {
                answer.targets.push(self.states(seen.subject.name(), &states));
            }
        }
        self.changes(&mut answer);
        self.gaps(&mut answer);
        answer
    }

    fn states(&self, name: &str, states: &States) -> StateHistory {
        let since = states.since.or(states.known_from);
        StateHistory {
            name: name.to_owned(),
            state: states.last.map(Condition::words).unwrap_or_default(),
            up: states.last.and_then(Condition::up),
            for_s: since.map(|since| seconds(self.view.to().since(since))),
            at_least: states.since.is_none(),
            known_s: seconds(states.known_ns),
            up_share: (states.known_ns > 0).then(|| states.up_ns as f64 / states.known_ns as f64),
            changes: states.changes,
            downs: states.downs,
        }
    }

    fn changes(&self, answer: &mut History) {
        let changes = self.view.changes();
        answer.changes_total = changes.iter().map(|change| u64::from(change.count)).sum();
        let names: std::collections::BTreeMap<u16, &str> = self.view.seen().map(|(id, seen)| (id, seen.subject.name())).collect();
        for change in changes.get(changes.len().saturating_sub(MOST_CHANGES)..).unwrap_or_default() {
            answer.changes.push(ChangeHistory {
                at: self.time(change.at),
                name: names.get(&change.track).copied().unwrap_or_default().to_owned(),
                text: change.text.clone(),
                tone: tone(change.tone).into(),
                count: change.count,
            });
        }
    }

    fn gaps(&self, answer: &mut History) {
        let gaps = self.view.gaps();
        answer.gaps_total = gaps.len() as u64;
        let newest = gaps.get(gaps.len().saturating_sub(MOST_GAPS)..).unwrap_or_default();
        answer.gaps = newest.iter().map(|(from, to)| Gap { from: self.time(*from), s: seconds(to.since(*from)) }).collect();
    }

    fn time(&self, at: Mono) -> String {
        wall::rfc3339(self.wall.wall_ns(at))
    }
}

fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Failure => "failure",
        Tone::Recovery => "recovery",
        Tone::Note => "note",
    }
}

/// How many buckets a time is divided into.
fn buckets(ns: u64, links: usize) -> usize {
    // Two directions, of each packets and bits, of each three numbers.
    let room = MOST_NUMBERS / 12 / (links.clamp(1, MOST_LINKS) as u64);
    usize::try_from(BUCKETS.min(room).min(ns / SHORTEST).max(1)).unwrap_or(1)
}

fn way_history(rates: &Rates, series: &Series) -> WayHistory {
    let columns = |of: &dyn Fn(&Bucket) -> [u64; 3]| {
        let known = |place: usize| {
            let value = |bucket: &Bucket| (bucket.known_ns > 0).then(|| of(bucket)[place]);
            series.buckets.iter().map(value).collect()
        };
        Columns { min: known(0), mean: known(1), max: known(2) }
    };
    WayHistory {
        known_s: seconds(rates.known_ns),
        packets: rates.packets,
        bits: rates.bits,
        total_packets: rates.total_packets,
        total_bytes: rates.total_bytes,
        lost: rates.lost,
        series: SeriesHistory {
            packets: columns(&|bucket| [bucket.packets.0, bucket.means().0, bucket.packets.1]),
            bits: columns(&|bucket| [bucket.bits.0, bucket.means().1, bucket.bits.1]),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use probe_core::matrix::{Cell, Count, Second};
    use probe_core::past::Past;
    use probe_core::timeline::LinkName;

    fn answer(past: &Past, from: u64, to: u64) -> History {
        let (view, extent) = (past.view(Mono(from * SECOND), Mono(to * SECOND)), past.extent());
        let asked_s = to - from;
        Question { asked_s, view, extent, now: Mono(to * SECOND), wall: WallOffset(0) }.answer()
    }

    fn second(end: u64, links: u32, packets: u64) -> Second {
        let cell = |ifindex| {
            let count = Some(Count { packets, frames: packets, bytes: packets * 700 });
            let link = LinkName { ifindex, name: format!("eth{ifindex}") };
            Cell { link, ingress: count, egress: count, ..Cell::default() }
        };
        Second { at: Mono(end * SECOND), ns: SECOND, cells: (1..=links).map(cell).collect() }
    }

    #[test]
    fn the_answer_of_a_day_of_sixteen_taps_has_short_series_and_fits_into_a_line() {
        let mut past = Past::new(86_400 * SECOND, 32 << 20);
        let mut random = 88_172_645_463_325_252_u64;
        for end in 1..=86_400 {
            (random, _) = (random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1), ());
            past.second(&second(end, 8, 90_000 + (random >> 33) % 20_000));
        }
        let started = std::time::Instant::now();
        let view = past.view(Mono(0), Mono(86_400 * SECOND));
        let on_the_loop = started.elapsed();
        drop(view);
        let answer = answer(&past, 0, 86_400);
        println!("a view: {on_the_loop:?}; the answer: {:?}", started.elapsed());
        assert_eq!((answer.links.len(), answer.known_s, answer.bucket_s), (8, 86_400.0, 288.0));
        let rx = answer.links[0].rx.as_ref().expect("received");
        assert_eq!((rx.series.packets.max.len(), rx.series.bits.min.len()), (300, 300));
        assert_eq!(rx.total_bytes, rx.total_packets * 700);
        let bytes = serde_json::to_vec(&answer).expect("JSON").len();
        assert!(bytes < 4 << 20, "{bytes} bytes");
        assert!(on_the_loop < Duration::from_millis(50), "{on_the_loop:?}");
    }

    #[test]
    fn many_links_have_shorter_series_and_the_answer_still_fits() {
        let mut past = Past::new(86_400 * SECOND, 64 << 20);
        for end in 1..=1000 {
            past.second(&second(end, 1500, u64::MAX / 1_000_000 - end));
        }
        let answer = answer(&past, 0, 1000);
        assert_eq!((answer.links.len(), answer.links_left_out), (1500, 0));
        let bytes = serde_json::to_vec(&answer).expect("JSON").len();
        assert!(bytes < 4 << 20, "{bytes} bytes");
    }

    #[test]
    fn what_was_asked_beyond_the_history_begins_where_it_begins() {
        let mut past = Past::new(86_400 * SECOND, 1 << 20);
        (101..=110).for_each(|end| past.second(&second(end, 1, 10)));
        let answer = answer(&past, 0, 110);
        assert_eq!((answer.asked_s, answer.known_s, answer.extent.reaches_s), (110, 10.0, 10.0));
        assert_eq!((answer.links[0].rx.as_ref().map(|rx| rx.total_packets), answer.gaps_total), (Some(100), 0));
        let nothing = Past::new(0, 0);
        let nothing = self::answer(&nothing, 0, 10);
        assert_eq!((nothing.links.len(), nothing.extent.wanted_s), (0, 0.0));
    }
}
