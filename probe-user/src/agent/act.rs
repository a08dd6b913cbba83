//! Does what the engine asks for. What fails becomes an event again: an alarm on the timeline.

use std::io;

use probe_common::tap::direction;
use probe_core::counts::{Moment, classes_between, losses_between, other_losses_between, repeats_between};
use probe_core::flight::{Action, Event};
use probe_core::incident::{Incident, TapCounts};
use probe_core::link::LinkState;
use probe_core::netlink::LinkMessage;
use probe_core::table::Role;
use probe_core::time::{Mono, SECOND};
use probe_core::timeline::{Entry, LinkName, Source, What};

use super::{Agent, Untapped};
use crate::clock;
use crate::incident::WriteOutcome;
use crate::kernel::ethtool;
use crate::kernel::{HookChoice, KernelError, LinkToTap, Tap};
use crate::netlink;

/// Time between two attempts to tap an interface, nanoseconds.
const RETRY: u64 = 5 * SECOND;

impl Agent {
    pub(super) fn act(&mut self, action: Action) -> Vec<Event> {
        match action {
            Action::Attach { link, role } => self.attach(&link, role),
            Action::Detach { link, gone } => self.detach(&link, gone),
            Action::Open(opened) => {
                let result = self.incidents.open(&opened);
                if let Some(id) = self.incidents.open_id() {
                    self.teller.opened(&opened, id);
                }
                // Kept from now on: by the window's end the history may have forgotten its beginning.
                self.base = self.history.base(opened.from).cloned();
                result.map_or_else(|error| vec![Event::Alarm { text: format!("{error:#}") }], |()| Vec::new())
            }
            Action::Extend { until } => {
                self.incidents.extend(clock::now(), until);
                Vec::new()
            }
            Action::Close(incident) => {
                let base = self.base.take();
                let incident = self.complete(*incident, base.as_ref());
                let before = self.flight.before(incident.from, incident.to);
                self.incidents.close(incident, before, other_losses_between(base.as_ref(), self.own_losses()));
                Vec::new()
            }
            Action::AskLink { ifindex } if self.asks_later(ifindex) => Vec::new(),
            Action::AskLink { ifindex } => ask(ifindex),
            Action::AskReason { ifindex } => {
                self.reasons.ask(ifindex);
                Vec::new()
            }
            Action::Report(entry) => {
                self.tones.count(entry.tone());
                self.report(&entry);
                self.teller.entry(&entry);
                Vec::new()
            }
        }
    }

    /// What became of writing an incident.
    pub(super) fn written(&mut self, outcome: WriteOutcome) {
        if let WriteOutcome::Written { incident, .. } = &outcome {
            self.teller.written(incident);
        }
        let on_disk = match &outcome {
            WriteOutcome::Written { incident, .. } => Some(incident.clone()),
            _ => None,
        };
        if let Some(text) = self.incidents.outcome(outcome) {
            self.handle(Event::Alarm { text });
        }
        if let Some(incident) = on_disk {
            self.recover_from(&incident);
        }
    }

    fn attach(&mut self, link: &LinkState, role: Role) -> Vec<Event> {
        let master = match role {
            Role::Slave { master } => master,
            Role::Bond | Role::Plain => 0,
        };
        let ingress = match role {
            // XDP on a bond and XDP on its slaves exclude each other: the slaves have it.
            Role::Bond => HookChoice::Auto,
            Role::Slave { .. } | Role::Plain => self.config.hook,
        };
        let wanted = LinkToTap { ifindex: link.ifindex, name: link.name.clone(), master, ingress, egress: true };
        match self.kernel.attach(&wanted) {
            Ok(taps) => {
                self.untapped.retain(|other| other.link.ifindex != link.ifindex);
                self.set_rates();
                for tap in &taps {
                    // what the kernel programs say of themselves names taps by number
                    log::trace!("tap {} is {} {}", tap.id, tap.name, describe(tap));
                }
                taps.iter().map(|tap| Event::TapAttached { ifindex: tap.ifindex, tap: describe(tap) }).collect()
            }
            // It vanished while its message was on the way: the message that says so follows.
            Err(KernelError::NoInterface { .. }) => Vec::new(),
            Err(error) => {
                let name = LinkName { ifindex: link.ifindex, name: link.name.clone() };
                let why = error.to_string();
                let text = format!("{} is not recorded: {why}", link.name);
                let known = self.untapped.iter().any(|other| other.link.ifindex == link.ifindex && other.why == why);
                self.untapped.retain(|other| other.link.ifindex != link.ifindex);
                self.untapped.push(Untapped { link: name, role, why, at: clock::now() });
                if known { Vec::new() } else { vec![Event::Alarm { text }] }
            }
        }
    }

    /// Tries again, now and then, to tap what could not be tapped: another agent may have ended, a rename may be over.
    pub(super) fn retry_taps(&mut self, now: Mono) {
        let due = |untapped: &&Untapped| now.since(untapped.at) >= RETRY;
        let due: Vec<(u32, Role)> =
            self.untapped.iter().filter(due).map(|untapped| (untapped.link.ifindex, untapped.role)).collect();
        for (ifindex, role) in due {
            let Some(link) = self.flight.table().get(ifindex).map(|link| link.state.clone()) else { continue };
            for event in self.attach(&link, role) {
                self.handle(event);
            }
        }
    }

    fn detach(&mut self, link: &LinkName, gone: bool) -> Vec<Event> {
        self.untapped.retain(|untapped| untapped.link.ifindex != link.ifindex);
        let taps: Vec<String> = self.kernel.taps().filter(|tap| tap.ifindex == link.ifindex).map(describe).collect();
        self.kernel.detach(link.ifindex);
        if gone {
            // The timeline says that the link is gone; its taps went with it.
            return Vec::new();
        }
        taps.into_iter().map(|tap| Event::TapDetached { link: link.clone(), tap }).collect()
    }

    fn report(&mut self, entry: &Entry) {
        match (&entry.what, &entry.link) {
            (What::Alarm { .. }, _) => log::error!("{entry}"),
            (What::TapAttached { .. } | What::TapDetached { .. } | What::Appeared { initial: true }, _) => log::debug!("{entry}"),
            _ => log::info!("{entry}"),
        }
        if let (What::Renamed { .. }, Some(link)) = (&entry.what, &entry.link)
            && let Err(error) = self.kernel.rename(link.ifindex, &link.name)
        {
            log::error!("{error}");
        }
    }

    /// Fills in what the engine does not know: the taps and what they counted, and where this is.
    fn complete(&self, mut incident: Incident, base: Option<&Moment>) -> Incident {
        for (id, info) in self.kernel.described_taps() {
            let Ok(after) = self.kernel.counters_of(id) else { continue };
            let classes = classes_between(id, base, &after);
            let attached = self.kernel.taps().find(|tap| tap.id == id);
            if attached.is_none() && classes.is_empty() {
                // An earlier tap whose frames may still be in the recorder, but not in this window.
                continue;
            }
            let name = String::from_utf8_lossy(info.name.split(|&b| b == 0).next().unwrap_or(&[])).into_owned();
            incident.taps.push(TapCounts {
                tap: id,
                link: LinkName { ifindex: info.ifindex, name },
                // A bond takes its first slave's address after its tap was made.
                mac: self.flight.table().get(info.ifindex).filter(|_| attached.is_some()).map_or(info.mac, |link| link.state.mac),
                speed_bps: attached.and_then(|tap| ethtool::speed_bps(&tap.name).or(tap.speed_bps)),
                hook: hook_name(info.hook),
                direction: direction_name(info.direction),
                classes,
                losses: losses_between(id, base, &after),
                repeats: repeats_between(id, base, &after),
            });
        }
        let system = rustix::system::uname();
        incident.host = system.nodename().to_string_lossy().into_owned();
        incident.kernel = system.release().to_string_lossy().into_owned();
        incident
    }
}

/// What the kernel says of a slave when it is asked. A slave that is gone has no answer; the message that says so follows.
fn ask(ifindex: u32) -> Vec<Event> {
    let link = netlink::link(ifindex)
        .map(|link| link.map(|state| Event::Link { source: Source::Resync, message: LinkMessage::New(Box::new(state)) }));
    let counters = netlink::lacp_counters(ifindex);
    let counters = counters.map(|counters| counters.map(|counters| Event::LacpCounters { ifindex, counters }));
    let told = |answer: io::Result<Option<Event>>| {
        answer.unwrap_or_else(|error| {
            log::debug!("link {ifindex} cannot be asked for: {error}");
            None
        })
    };
    [link, counters].into_iter().filter_map(told).collect()
}

/// `ingress (tcx)`.
fn describe(tap: &Tap) -> String {
    format!("{} ({})", direction_name(tap.direction), tap.hook.name())
}

/// A direction by its number in the ABI.
pub(super) fn direction_name(number: u8) -> &'static str {
    if number == direction::EGRESS { "egress" } else { "ingress" }
}

fn hook_name(number: u8) -> &'static str {
    use probe_common::tap::hook;
    match number {
        hook::XDP => "xdp",
        hook::XDP_GENERIC => "xdp-generic",
        hook::TCX => "tcx",
        hook::CLSACT => "clsact",
        _ => "unknown",
    }
}
