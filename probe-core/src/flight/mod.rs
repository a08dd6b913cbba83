//! The engine: events in, actions out. It holds the link table, the timeline and the open incident, and never waits.

mod config;
mod configure;
mod drops;
mod event;
mod held;
mod history;
mod lacp;
mod lacp_status;
#[cfg(test)]
mod lacp_tests;
mod logs;
mod matrix;
mod past;
mod reach;
mod reason;
mod recovery;
mod repeat;
mod status;
#[cfg(test)]
mod tests;
mod window;

use std::collections::{BTreeMap, BTreeSet};

pub use config::FlightConfig;
pub use event::{Action, Event, Opened};
pub use lacp_status::{LacpRow, LacpSide};
pub use status::{LinkRow, OpenIncident, Status};

use crate::incident::{Closed, Incident};
use crate::link::LinkState;
use crate::netlink::LinkMessage;
use crate::past::Past;
use crate::table::{EdgeSeen, LinkTable, Role};
use crate::time::Mono;
use crate::timeline::{Entry, LinkName, Source, Timeline, What};
use crate::trigger::{Cooldown, Fired, Hold, Kind, Triggers};

/// The flight recorder's mind.
#[derive(Clone, Debug)]
pub struct Flight {
    config: FlightConfig,
    table: LinkTable,
    timeline: Timeline,
    triggers: Triggers,
    cooldown: Cooldown,
    hold: Hold,
    history: history::History,
    past: Past,
    matrix: matrix::Matrix,
    probes: reach::Probes,
    logs: logs::Logs,
    lacp: lacp::Lacp,
    repeats: repeat::Repeats,
    drops: drops::Drops,
    reasons: reason::Reasons,
    ours: recovery::Ours,
    /// The links whose taps were asked for, why, and by which name.
    tapped: BTreeMap<u32, (Role, String)>,
    open: Option<window::Window>,
    opened: u64,
    /// Triggers that were held back since the last incident opened: told once each.
    held_back: BTreeSet<(Kind, Option<u32>, String)>,
}

impl Flight {
    /// An engine that has seen nothing.
    pub fn new(config: FlightConfig) -> Self {
        Self {
            table: LinkTable::new(config.watched.clone()),
            timeline: Timeline::new(config.timeline_room),
            triggers: Triggers::new(config.min_slaves),
            cooldown: Cooldown::new(config.cooldown),
            hold: Hold::new(config.ignore_shorter),
            history: history::History::new(config.before),
            past: past::past(&config),
            matrix: matrix::Matrix::new(config.before),
            probes: reach::Probes::new(config.probe_loss, config.before.saturating_add(config.longest)),
            logs: logs::Logs::default(),
            lacp: lacp::Lacp::default(),
            repeats: repeat::Repeats::new(config.storm_rate, config.before.saturating_add(config.longest)),
            drops: drops::Drops::new(config.before.saturating_add(config.longest)),
            reasons: reason::Reasons::default(),
            ours: recovery::Ours::default(),
            tapped: BTreeMap::new(),
            open: None,
            opened: 0,
            held_back: BTreeSet::new(),
            config,
        }
    }

    /// Takes an event at `now`; returns what to do, in order.
    pub fn handle(&mut self, now: Mono, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        // What the kernel stamped is older than its arrival: it may still be of a window whose end is past.
        let reached = match &event {
            Event::Edge { at, .. } | Event::Lacpdu { at, .. } => *at,
            Event::Repeat(seen) => seen.at,
            _ => now,
        };
        if let Event::Second(second) = &event {
            // Most of it may be of a window that ends now.
            self.matrix.keep(second.clone(), self.open.as_ref().map(|open| open.from));
            self.past.second(second);
        }
        // What the kernel programs tell is in order of time, and may wait in their ring: silence is found when it is empty.
        let second = matches!(event, Event::Second(_));
        let told_late = matches!(event, Event::Edge { .. } | Event::Lacpdu { .. } | Event::Repeat(_));
        self.outages_that_last(reached, &mut actions);
        if self.open.as_ref().is_some_and(|open| open.until <= reached) {
            self.close(None, &mut actions);
        }
        match event {
            Event::Start { links } => self.start(now, links, &mut actions),
            Event::Link { source, message: LinkMessage::New(state) } => {
                let ifindex = state.ifindex;
                self.change(now, Some(ifindex), &mut actions, |table| table.apply(now, source, *state));
            }
            Event::Link { source, message: LinkMessage::Del { ifindex } } => {
                if self.table.get(ifindex).is_some() && self.table.role(ifindex).is_none() {
                    self.logs.gone(now, self.table.name_of(ifindex));
                }
                self.change(now, Some(ifindex), &mut actions, |table| table.remove(now, source, ifindex));
            }
            Event::Link { .. } | Event::Tick => {}
            Event::Lacpdu { at, ifindex, direction, frame } => {
                self.lacpdu(now, (at, ifindex, direction), &frame, &mut actions);
            }
            Event::LacpCounters { ifindex, counters } => self.lacp_counters(now, ifindex, counters, &mut actions),
            Event::Repeat(seen) => self.repeat(now, *seen, &mut actions),
            Event::Repeats(seen) => self.repeats(now, seen, &mut actions),
            Event::Drops(drops) => self.drops(now, drops, &mut actions),
            Event::Second(second) => self.second(&second, &mut actions),
            Event::Log { at, file, failure, fires, pattern, line } => {
                self.log(now, logs::Line { at, file, failure, fires, pattern, line }, &mut actions);
            }
            Event::Targets(targets) => self.targets(targets),
            Event::Probe(sample) => self.probe(now, sample, &mut actions),
            Event::Edge { at, ifindex, up } => self.edge(now, at, ifindex, up, &mut actions),
            Event::Resync { reason, links } => {
                self.change(now, None, &mut actions, |table| table.resync(now, &reason, links));
            }
            Event::LinkReason { ifindex, reason } => self.link_reason(now, ifindex, reason, &mut actions),
            Event::ClockStep { step_ns } => self.note(now, None, What::ClockStep { step_ns }, &mut actions),
            Event::Manual { reason } => {
                self.fire(&Fired { at: now, kind: Kind::Manual, link: None, text: reason }, &mut actions);
            }
            Event::TapAttached { ifindex, tap } => {
                let link = LinkName { ifindex, name: self.table.name_of(ifindex) };
                self.note(now, Some(link), What::TapAttached { tap }, &mut actions);
            }
            Event::TapDetached { link, tap } => self.note(now, Some(link), What::TapDetached { tap }, &mut actions),
            Event::Recovery { link, step, dry_run, text } => {
                self.note(now, link, What::Recovery { step, dry_run, text }, &mut actions);
            }
            Event::Hold { slave, bond } => self.ours.hold(slave.ifindex, bond),
            Event::Free { slave, out } => self.free(now, slave, out, &mut actions),
            Event::Alarm { text } => self.note(now, None, What::Alarm { text }, &mut actions),
            Event::Stop => {
                self.close(Some(now), &mut actions);
                return actions;
            }
        }
        if !told_late {
            self.lacp_tick(now, &mut actions);
            self.storms_over(now, &mut actions);
        }
        self.note_past(now, second, &actions);
        actions
    }

    /// When [`Event::Tick`] is wanted next; `None`: only when something happens.
    pub fn next_deadline(&self) -> Option<Mono> {
        let open = self.open.as_ref().map(|open| open.until);
        [open, self.hold.deadline(), self.lacp.deadline(), self.repeats.deadline()].into_iter().flatten().min()
    }

    /// The link table.
    pub fn table(&self) -> &LinkTable {
        &self.table
    }

    fn start(&mut self, now: Mono, links: Vec<LinkState>, actions: &mut Vec<Action>) {
        let entries = self.table.start(now, links);
        for (link, _) in self.table.watched() {
            self.history.start(link.state.ifindex);
        }
        self.triggers.start(&self.table);
        self.lacp_links(now, &entries);
        self.report(entries, actions);
        self.tap(&[], actions);
    }

    /// Changes the table, about one link or about all, and draws the consequences.
    fn change(
        &mut self,
        now: Mono,
        ifindex: Option<u32>,
        actions: &mut Vec<Action>,
        change: impl FnOnce(&mut LinkTable) -> Vec<Entry>,
    ) {
        let watched = |table: &LinkTable| ifindex.is_none_or(|ifindex| table.role(ifindex).is_some());
        let before = watched(&self.table).then(|| self.states());
        let entries = change(&mut self.table);
        if before.is_none() && !watched(&self.table) {
            // A router has thousands of links that are not ours.
            return;
        }
        self.remember(now, before.unwrap_or_default(), ifindex);
        self.consequences(now, entries, actions);
    }

    fn edge(&mut self, now: Mono, at: Mono, ifindex: u32, up: bool, actions: &mut Vec<Action>) {
        let watched = self.table.role(ifindex).is_some();
        let before = if watched { self.states() } else { Vec::new() };
        let seen = self.table.edge(at, ifindex, up);
        if !watched {
            return;
        }
        match seen {
            EdgeSeen::New(what) => {
                self.remember(at, before, Some(ifindex));
                let entry = self.table.entry(at, ifindex, Source::Kernel, what);
                self.consequences(now, vec![entry], actions);
            }
            EdgeSeen::Late => {
                let name = self.table.name_of(ifindex);
                self.timeline.set_exact(&name, up, at);
            }
            EdgeSeen::Old => {}
        }
    }

    /// The watched links as they are.
    fn states(&self) -> Vec<LinkState> {
        self.table.watched().map(|(link, _)| link.state.clone()).collect()
    }

    /// Puts into the history what a change made of the watched links. A change of one bond can change what others are.
    fn remember(&mut self, at: Mono, before: Vec<LinkState>, ifindex: Option<u32>) {
        let known: Vec<u32> = before.iter().map(|state| state.ifindex).collect();
        for state in before {
            let index = state.ifindex;
            let watched = self.table.role(index).is_some();
            if watched && ifindex.is_some_and(|changed| changed != index) {
                continue;
            }
            let after = self.table.get(index).filter(|_| watched).map(|link| &link.state);
            self.history.change(at, Some(state), after);
        }
        for (link, _) in self.table.watched().filter(|(link, _)| !known.contains(&link.state.ifindex)) {
            self.history.change(at, None, Some(&link.state));
        }
    }

    fn consequences(&mut self, now: Mono, entries: Vec<Entry>, actions: &mut Vec<Action>) {
        let fired = self.triggers.observe(now, &self.table, &entries);
        self.lacp_links(now, &entries);
        self.ask_reasons(&entries, actions);
        let gone: Vec<u32> = entries
            .iter()
            .filter(|entry| entry.what == What::Vanished)
            .filter_map(|entry| entry.link.as_ref().map(|link| link.ifindex))
            .collect();
        self.report(entries, actions);
        self.tap(&gone, actions);
        for fired in fired {
            self.fire(&fired, actions);
        }
        self.outages_that_ended(now, actions);
    }

    fn report(&mut self, entries: Vec<Entry>, actions: &mut Vec<Action>) {
        for entry in entries {
            self.timeline.push(entry.clone());
            actions.push(Action::Report(entry));
        }
    }

    fn note(&mut self, at: Mono, link: Option<LinkName>, what: What, actions: &mut Vec<Action>) {
        self.report(vec![Entry { at, link, source: Source::Agent, what }], actions);
    }

    /// Asks for the taps of the links that are watched now, and takes away the others. The taps of links that were `gone` are
    /// gone with them, even if there is another link under the same index now.
    fn tap(&mut self, gone: &[u32], actions: &mut Vec<Action>) {
        let watched = self.tappable();
        let table = &self.table;
        self.tapped.retain(|ifindex, (role, name)| {
            let gone = gone.contains(ifindex);
            let stays = !gone && watched.get(ifindex) == Some(role);
            if stays {
                *name = table.name_of(*ifindex);
            } else {
                let link = LinkName { ifindex: *ifindex, name: name.clone() };
                actions.push(Action::Detach { link, gone: gone || table.get(*ifindex).is_none() });
            }
            stays
        });
        for (link, role) in self.table.watched() {
            let LinkState { ifindex, name, .. } = &link.state;
            if self.tapped.insert(*ifindex, (role, name.clone())).is_none() {
                actions.push(Action::Attach { link: Box::new(link.state.clone()), role });
            }
        }
    }

    fn fire(&mut self, fired: &Fired, actions: &mut Vec<Action>) {
        if self.ours.explains(fired) {
            return;
        }
        self.fire_about(fired, "", actions);
    }

    /// A trigger fired that waits for nothing: it opens an incident, or joins the one that is open.
    fn fire_now(&mut self, fired: &Fired, about: &str, actions: &mut Vec<Action>) {
        let passes = self.cooldown.passes(fired, about);
        let opens = fired.kind == Kind::Manual || self.config.opens.contains(&fired.kind);
        let extended = match &mut self.open {
            Some(open) if passes => open.join(fired),
            Some(open) => open.repeat(fired),
            None if opens && passes => {
                self.open(fired, actions);
                None
            }
            None if opens => return self.hold_back(fired, about, actions),
            None => return,
        };
        if passes {
            let what = What::Trigger { kind: fired.kind.name(), text: fired.text.clone() };
            self.note(fired.at, fired.link.clone(), what, actions);
        }
        actions.extend(extended.map(|until| Action::Extend { until }));
    }

    /// Tells once that a trigger opens no incident because of its cooldown.
    fn hold_back(&mut self, fired: &Fired, about: &str, actions: &mut Vec<Action>) {
        if self.held_back.insert((fired.kind, fired.link.as_ref().map(|link| link.ifindex), about.to_owned())) {
            let text = format!("{} (within its cooldown: no incident of its own)", fired.text);
            self.note(fired.at, fired.link.clone(), What::Trigger { kind: fired.kind.name(), text }, actions);
        }
    }

    fn open(&mut self, fired: &Fired, actions: &mut Vec<Action>) {
        self.opened += 1;
        self.held_back.clear();
        let table = &self.table;
        let from = fired.at.minus(self.config.before);
        let links_before = self.history.at(from, |ifindex| table.get(ifindex).map(|link| &link.state));
        let open = window::Window::open(self.opened, fired, &self.config, links_before);
        actions.push(Action::Open(Opened {
            number: open.number,
            at: fired.at,
            from: open.from,
            until: open.until,
            kind: fired.kind.name(),
            link: fired.link.clone(),
            text: fired.text.clone(),
        }));
        self.open = Some(open);
    }

    /// Ends the open incident; `stopped` is when the agent stops.
    fn close(&mut self, stopped: Option<Mono>, actions: &mut Vec<Action>) {
        let Some(open) = self.open.take() else { return };
        let (to, closed) = match stopped {
            Some(now) => (now.min(open.until), Closed::Stop),
            None => (open.until, open.closed()),
        };
        let mut links_after = self.states();
        for before in &open.links_before {
            // A slave that was taken out of its bond is still worth seeing.
            if !links_after.iter().any(|after| after.ifindex == before.ifindex) {
                links_after.extend(self.table.get(before.ifindex).map(|link| link.state.clone()));
            }
        }
        let mut incident = Incident {
            from: open.from,
            to,
            closed,
            triggers: open.triggers,
            timeline: self.timeline.window(open.from, to),
            timeline_lost: self.timeline.lost_within(open.from, to),
            links_before: open.links_before,
            links_after,
            seconds: self.matrix.window(open.from, to),
            probes: self.probes.window(open.from, to),
            lacpdus: self.lacp.window(open.from, to),
            drops: self.drops.window(open.from, to),
            ..Incident::default()
        };
        self.repeats.complete(&mut incident);
        actions.push(Action::Close(Box::new(incident)));
    }
}
