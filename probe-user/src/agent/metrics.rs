//! Answers those who read the metrics.

use super::Agent;
use crate::clock;
use crate::export::Sflow;
use crate::metrics::{Reading, Scrape};

impl Agent {
    /// Hands over what is known now. It is made into text elsewhere.
    pub(super) fn scraped(&self, scrape: Scrape) {
        // A reader that has gone away takes no answer.
        let _ = scrape.reply.send(self.reading());
    }

    fn reading(&self) -> Reading {
        let now = clock::now();
        let totals = self.traffic.totals.clone();
        let seconds = |since| now.since(since) as f64 / 1e9;
        Reading {
            instance: self.config.instance.clone(),
            uptime_s: seconds(self.started),
            flight: self.flight.status(now),
            totals_age_s: (totals.at.0 > 0).then(|| seconds(totals.at)),
            totals,
            tones: self.tones,
            recorder: self.recorder_status(now.0),
            incidents: self.incidents.status(),
            sinks: self.teller.sinks.status(),
            sflow: self.sflow.as_ref().map(Sflow::status),
            losses: self.own_losses(),
        }
    }
}
