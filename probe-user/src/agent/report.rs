//! Gathers what `linkprobe status` shows.

use probe_common::class;
use probe_common::recorder::{BLOCK_STRIDE, lane};
use probe_core::counts::named_losses;
use probe_core::drops::DropTotal;
use probe_core::flight::LinkRow;
use probe_core::reach::TargetRow;
use probe_core::repeat::StormRow;

use super::Agent;
use super::act::direction_name;
use super::status::{
    ClassStatus, DropStatus, LaneStatus, LinkStatus, Loss, RecorderStatus, Status, StormStatus, TapStatus, TargetStatus,
};
use crate::clock;
use crate::export::Sflow;

impl Agent {
    pub(super) fn status(&self) -> anyhow::Result<Status> {
        let now = clock::now();
        let flight = self.flight.status(now);
        let mut losses: Vec<Loss> =
            self.own_losses().into_iter().map(|(name, count)| Loss { place: "agent".into(), name, count }).collect();
        let mut taps = Vec::new();
        // What a tap that is gone has lost stays lost.
        for (id, info) in self.kernel.described_taps().filter(|(id, _)| !self.kernel.taps().any(|tap| tap.id == *id)) {
            let Ok(counters) = self.kernel.counters_of(id) else { continue };
            let name = String::from_utf8_lossy(info.name.split(|&b| b == 0).next().unwrap_or(&[])).into_owned();
            let place = format!("{name} {} (gone)", direction_name(info.direction));
            let lost = named_losses(&counters.losses).into_iter().filter(|(_, count)| *count > 0);
            losses.extend(lost.map(|(name, count)| Loss { place: place.clone(), name: name.into(), count }));
        }
        for tap in self.kernel.taps() {
            let counters = self.kernel.counters_of(tap.id)?;
            let classes: Vec<ClassStatus> =
                (0u8..).zip(&counters.classes).filter(|(_, c)| c.packets > 0).map(class_status).collect();
            let place = format!("{} {}", tap.name, direction_name(tap.direction));
            losses.extend(named_losses(&counters.losses).map(|(name, count)| Loss {
                place: place.clone(),
                name: name.into(),
                count,
            }));
            taps.push(TapStatus {
                tap: tap.id,
                interface: tap.name.clone(),
                ifindex: tap.ifindex,
                direction: direction_name(tap.direction).into(),
                hook: tap.hook.name().into(),
                why: tap.why.clone(),
                packets: classes.iter().map(|class| class.packets).sum(),
                bytes: classes.iter().map(|class| class.bytes).sum(),
                classes,
                recorded: counters.recorded.iter().sum(),
                samples: counters.samples,
                sample_rate: self.kernel.sample_rate(tap.ifindex),
                repeats: counters.repeats,
            });
        }
        let mut notes = self.kernel.notes().to_vec();
        notes.extend(self.untapped.iter().map(|untapped| format!("{} is not recorded: {}", untapped.link.name, untapped.why)));
        Ok(Status {
            version: env!("CARGO_PKG_VERSION").into(),
            instance: self.config.instance.clone(),
            pid: std::process::id(),
            uptime_s: now.since(self.started) as f64 / 1e9,
            links: flight.links.into_iter().map(link_status).collect(),
            lacp: flight.lacp.into_iter().map(Into::into).collect(),
            waiting: flight.waiting.into_iter().map(|waiting| waiting.name).collect(),
            targets: flight.targets.into_iter().map(target_status).collect(),
            taps,
            storms: flight.storms.iter().map(storm_status).collect(),
            drops: flight.drops.into_iter().map(drop_status).collect(),
            drop_reasons: self.kernel.drops.state().map_or_else(ToOwned::to_owned, |()| "counted".into()),
            matrix: self.matrix_status(),
            history: self.history_extent(now),
            recorder: self.recorder_status(now.0),
            sflow: self.sflow.as_ref().map(Sflow::status),
            incidents: self.incidents.status(),
            recovery: self.recovery_status(),
            sinks: self.teller.sinks.status(),
            losses,
            carrier_edges: self.kernel.carrier_edges().map_or_else(ToOwned::to_owned, |()| "exact".into()),
            notes,
        })
    }

    /// Losses that no tap can be blamed for, by name, also those that are zero.
    pub(super) fn own_losses(&self) -> Vec<(String, u64)> {
        // A map that cannot be read has lost nothing that is known of; the error is in the log when counters are read.
        let kernel = self.kernel.losses().unwrap_or_default();
        let flight = self.flight.status(clock::now());
        let named = [
            ("netlink-overruns", self.losses.netlink_overruns),
            ("netlink-undecodable", self.losses.netlink_undecodable),
            ("events-lost", kernel.events_lost),
            ("events-malformed", self.losses.events_malformed),
            ("samples-malformed", self.losses.samples_malformed),
            ("frames-of-no-tap", kernel.unwatched),
            ("drops-uncounted", kernel.drops_uncounted),
            ("drops-lost", flight.drops_lost),
            ("repeats-untracked", self.kernel.repeats_untracked()),
            ("repeats-lost", flight.repeats_lost),
            ("lacpdus-malformed", flight.lacpdus_malformed),
            ("lacpdus-not-kept", flight.lacpdus_lost),
            ("timeline-entries-lost", flight.timeline_lost),
            ("probe-samples-lost", flight.probes_lost),
            ("log-lines-not-kept", flight.log_lines_lost),
            ("history-not-kept", self.flight.past_extent().not_kept),
            ("incidents-lost", self.incidents.status().lost),
        ];
        let named = named.into_iter().chain(self.losses.others.iter().copied()).map(|(name, count)| (name.to_owned(), count));
        named.chain(self.teller.sinks.losses()).collect()
    }

    pub(super) fn recorder_status(&self, now_ns: u64) -> RecorderStatus {
        let recorder = self.kernel.recorder();
        let division = recorder.division();
        let depth = recorder.depth();
        let lane = |(name, index): (&str, usize)| LaneStatus {
            lane: name.into(),
            depth_s: depth[index].seconds(now_ns),
            everything: depth[index].complete_from_ns.is_none(),
        };
        RecorderStatus {
            memory_bytes: u64::from(division.total()) * BLOCK_STRIDE as u64,
            cpus: division.cpus,
            lanes: [("control", lane::CONTROL), ("bulk", lane::BULK)].map(lane).into(),
        }
    }

    /// Says what is recorded, and what is not as it should be.
    pub(super) fn announce(&mut self) {
        for note in self.kernel.notes() {
            log::info!("{note}");
        }
        if let Err(why) = self.kernel.carrier_edges() {
            log::info!("no exact times of carrier changes: {why}");
        }
        let names: Vec<String> = self.flight.status(clock::now()).links.into_iter().map(|link| link.name).collect();
        let memory = self.recorder_status(0).memory_bytes as f64 / f64::from(1 << 20);
        log::info!(
            "recording {} at {} taps into {memory:.1} MiB; incidents go to {}",
            names.join(", "),
            self.kernel.taps().count(),
            self.config.incidents.display()
        );
        self.teller.started(&names);
    }
}

fn drop_status(total: DropTotal) -> DropStatus {
    DropStatus { interface: total.link.name, reason: total.reason, place: total.place, packets: total.packets }
}

fn storm_status(storm: &StormRow) -> StormStatus {
    StormStatus {
        interface: storm.link.name.clone(),
        direction: storm.direction.name().into(),
        what: storm.what.clone(),
        copies: storm.copies,
        rate: storm.rate,
    }
}

fn class_status((id, count): (u8, &probe_common::counters::ClassCount)) -> ClassStatus {
    let class = class::name(id).unwrap_or("unknown").into();
    ClassStatus { class, packets: count.packets, bytes: count.bytes, segments: count.segments }
}

fn target_status(row: TargetRow) -> TargetStatus {
    TargetStatus {
        state: row.state.name().into(),
        name: row.name,
        method: row.method.into(),
        interface: row.link,
        next_hop: row.next_hop,
        answered: row.answered,
        lost: row.lost,
        of: row.of,
        probes: row.probes,
        lost_of_all: row.lost_of_all,
        rtt_ms: row.rtt_ns.map(|ns| ns as f64 / 1e6),
        send_error: row.send_error,
    }
}

fn link_status(row: LinkRow) -> LinkStatus {
    let slave_state = row.mii.map(|mii| {
        let active = if row.active == Some(true) { "active" } else { "backup" };
        format!("{mii}, {active}")
    });
    LinkStatus {
        name: row.name,
        ifindex: row.ifindex,
        role: if row.role == "plain" { "interface" } else { row.role }.into(),
        master: row.master,
        admin_up: row.admin_up,
        carrier: row.carrier,
        operstate: row.operstate.to_string(),
        slave_state,
        age_s: row.age_s,
        changes: row.changes,
    }
}
