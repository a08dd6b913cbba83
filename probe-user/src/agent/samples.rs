//! What taps sample, and what goes to flow collectors with it.

use probe_common::tap::direction;
use probe_core::direction::Direction;
use probe_core::sflow::Interface;
use probe_core::table::Role;

use super::Agent;
use crate::clock;
use crate::config::Config;
use crate::export::SflowConfig;
use crate::kernel::rings::Samples;

impl Agent {
    /// Takes the samples that are there, and sends what is due.
    pub(super) fn samples(&mut self, samples: &mut Samples) {
        let now = clock::now();
        let Some(sflow) = &mut self.sflow else {
            // Those that were under way when the last collector was taken out of the configuration.
            return samples.drain(|_| {});
        };
        samples.drain(|sample| {
            let Some(tap) = self.kernel.described_tap(sample.tap) else { return };
            let way = if tap.direction == direction::EGRESS { Direction::Egress } else { Direction::Ingress };
            sflow.flow(now, tap.ifindex, way, sample);
        });
        if let Some(latest) = &self.counting.latest {
            let (flight, lacp) = (&self.flight, &self.counting.lacp);
            sflow.counters(now, latest, |link| {
                let ifindex = link.link.ifindex;
                let state = &flight.table().get(ifindex)?.state;
                Interface::of(link, state, flight.lacp_row(ifindex, now).as_ref(), lacp.get(&ifindex).copied())
            });
        }
        sflow.send(now);
    }

    /// Has every interface sampled at its rate: by the configuration, its name and its speed as they are now. Bonds are not, for every
    /// frame of theirs passes a slave; and nothing is while there is no collector.
    pub(super) fn set_rates(&mut self) {
        let taps: Vec<_> = self.kernel.taps().map(|tap| (tap.ifindex, tap.name.clone(), tap.speed_bps)).collect();
        for (ifindex, name, speed) in taps {
            let sampled = self.sflow.is_some() && self.flight.table().role(ifindex) != Some(Role::Bond);
            let speed = self.counting.speed_bps(ifindex).unwrap_or(speed);
            let rate = if sampled { self.config.sample.of(&name).of(speed) } else { 0 };
            if let Err(error) = self.kernel.sample(ifindex, rate) {
                log::error!("{name} cannot be sampled: {error}");
            }
        }
    }
}

/// Who gets samples.
pub(super) fn sflow_config(config: &Config) -> SflowConfig {
    SflowConfig {
        collectors: config.sflow.clone(),
        agent: config.sflow_agent,
        sub_agent: config.sflow_sub_agent,
        counters: config.sflow_counters,
    }
}
