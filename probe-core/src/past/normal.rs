//! What was normal before an incident, and what of it was not as usual.

use serde::Serialize;

use super::Past;
use super::condition::Condition;
use super::summary::Rates;
use super::view::{Seen, View};
use crate::time::{Mono, SECOND};
use crate::timeline::LinkName;

/// The time before an incident's window that is taken for normal, nanoseconds.
const HOUR: u64 = 3600 * SECOND;
const DAY: u64 = 24 * HOUR;
/// Less time than that tells of no habit, nanoseconds.
const LEAST: u64 = 10 * SECOND;
/// So many times the most of before is out of the ordinary, as is such a part of what was hardly ever less.
const TIMES: u64 = 2;
/// Packets and bits per second below which nothing is out of the ordinary: on a calm link a few packets more are many times as many.
const FEW_PACKETS: u64 = 100;
const FEW_BITS: u64 = 1_000_000;

/// What was normal before an incident's window.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Normal {
    /// Start of the time that was looked at: an hour before the window, or as far back as the history reaches.
    pub from: Mono,
    /// Its end: the window's start.
    pub to: Mono,
    /// By link: each bond before its slaves, then the others.
    pub links: Vec<NormalLink>,
}

/// One link.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NormalLink {
    /// The link.
    pub link: LinkName,
    /// Interface index of its bond; 0 where it has none.
    pub master: u32,
    /// What it was like at the window's start, in words; empty where that is not known.
    pub condition: String,
    /// For how long it had been so, nanoseconds.
    pub for_ns: u64,
    /// It had been so for longer: as far back as the history reaches.
    pub at_least: bool,
    /// Changes of its condition in the hour before.
    pub changes_hour: u64,
    /// In the day before, as far as the history reaches.
    pub changes_day: u64,
    /// What it received; `None` where nobody counted.
    pub ingress: Option<NormalWay>,
    /// What it transmitted.
    pub egress: Option<NormalWay>,
}

/// One direction of a link.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NormalWay {
    /// Before the window; `None` where too little of that time is known.
    pub before: Option<Rates>,
    /// In the window.
    pub window: Option<Rates>,
    /// What was out of the ordinary in the window.
    pub odd: Option<Odd>,
}

/// How a rate differs from what is usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Odd {
    /// Far more than ever in the time before.
    More,
    /// Far less than it hardly ever was in the time before.
    Less,
}

/// The part of the history from which [`Normal`] is made: cheap to take, and good to be read on another thread.
#[derive(Clone, Debug)]
pub struct Before {
    day: View,
    window: View,
}

impl Past {
    /// What is needed to say what was normal before the window from `from` to `to`.
    pub fn before(&self, from: Mono, to: Mono) -> Before {
        Before { day: self.view(from.minus(DAY), from), window: self.view(from, to) }
    }
}

impl Before {
    /// What was normal. `None` where nothing is known of the time before the window.
    pub fn normal(&self) -> Option<Normal> {
        let (day, window) = (&self.day, &self.window);
        let hour = day.since(day.to().minus(HOUR), day.to());
        if hour.known_ns() < LEAST {
            return None;
        }
        let links = hour.links().into_iter().filter_map(|(id, name, seen)| link(id, (name, seen), [day, &hour, window]));
        Some(Normal { from: hour.from(), to: hour.to(), links: links.collect() })
    }
}

fn link(id: u16, (link, seen): (&LinkName, &Seen), [day, hour, window]: [&View; 3]) -> Option<NormalLink> {
    let of_day = day.states(id);
    let [ingress, egress] = [0, 1].map(|side| {
        let rates = |view: &View| view.rates(id).get(side).copied().flatten();
        let (before, now) = (rates(hour).filter(|rates| rates.known_ns >= LEAST), rates(window));
        let odd = before.zip(now).and_then(|(before, now)| odd(&before, &now));
        (before.is_some() || now.is_some()).then_some(NormalWay { before, window: now, odd })
    });
    // One that was made within the window, or was gone long before it, has nothing that was usual.
    let counted = [&ingress, &egress].into_iter().flatten().any(|way| way.before.is_some());
    let was_there = matches!(of_day.last, Some(Condition::Link(_))) || counted;
    let since = of_day.since.or(of_day.known_from);
    was_there.then(|| NormalLink {
        link: link.clone(),
        master: seen.master,
        condition: of_day.last.map(Condition::words).unwrap_or_default(),
        for_ns: since.map_or(0, |since| day.to().since(since)),
        at_least: of_day.since.is_none(),
        changes_hour: hour.states(id).changes,
        changes_day: of_day.changes,
        ingress,
        egress,
    })
}

/// What is out of the ordinary, by packets and by bits.
fn odd(before: &Rates, now: &Rates) -> Option<Odd> {
    let pairs = [(&before.packets, &now.packets, FEW_PACKETS), (&before.bits, &now.bits, FEW_BITS)];
    let more = pairs.iter().any(|(before, now, few)| now.max >= before.max.saturating_mul(TIMES) && now.max - before.max >= *few);
    let less = pairs.iter().any(|(before, now, few)| before.p5 >= *few && now.min <= before.p5 / 4);
    if more { Some(Odd::More) } else { less.then_some(Odd::Less) }
}
