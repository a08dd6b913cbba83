//! What an incident's JSON tells: triggers, timeline, taps.

use anyhow::{Context, Result};
use serde_json::Value;

use super::incident::Incident;
use super::json;

/// An edge of a carrier on the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// It came.
    pub up: bool,
    /// `CLOCK_MONOTONIC`, nanoseconds.
    pub mono_ns: u64,
    /// How the time is known: kernel, netlink, resync.
    pub source: String,
}

/// What one class counted at one tap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// Frames.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
    /// Packets on the wire.
    pub segments: u64,
}

impl Incident {
    /// Kinds of the triggers in their order.
    ///
    /// # Errors
    /// When the JSON is not as expected.
    pub fn trigger_kinds(&self) -> Result<Vec<String>> {
        json::list(&self.json, "/triggers")?.iter().map(|trigger| Ok(json::text(trigger, "/kind")?.to_owned())).collect()
    }

    /// Entries of the timeline about `link` ("" for any) of one event ("" for any).
    ///
    /// # Errors
    /// When the JSON is not as expected.
    pub fn events(&self, link: &str, event: &str) -> Result<Vec<&Value>> {
        let entries = json::list(&self.json, "/timeline")?.iter();
        let about = |entry: &&Value| link.is_empty() || entry["link"]["name"] == link;
        Ok(entries.filter(about).filter(|entry| event.is_empty() || entry["event"] == event).collect())
    }

    /// The carrier's edges of a link.
    ///
    /// # Errors
    /// When the JSON is not as expected.
    pub fn carrier(&self, link: &str) -> Result<Vec<Edge>> {
        let edge = |entry: &&Value| {
            Ok(Edge {
                up: json::at(entry, "/up")?.as_bool().context("up")?,
                mono_ns: mono_ns(entry)?,
                source: json::text(entry, "/source")?.to_owned(),
            })
        };
        self.events(link, "carrier")?.iter().map(edge).collect()
    }

    /// How often a link's carrier came and went, those included that only its counters tell.
    ///
    /// # Errors
    /// When the JSON is not as expected.
    pub fn flips(&self, link: &str) -> Result<(u64, u64)> {
        let mut flips = (0, 0);
        for entry in self.events(link, "")? {
            match entry["event"].as_str() {
                Some("carrier") => {
                    let up = entry["up"] == true;
                    flips.0 += u64::from(up) + entry["unseen_ups"].as_u64().unwrap_or(0);
                    flips.1 += u64::from(!up) + entry["unseen_downs"].as_u64().unwrap_or(0);
                }
                Some("flaps") => {
                    flips.0 += json::number(entry, "/ups")?;
                    flips.1 += json::number(entry, "/downs")?;
                }
                _ => {}
            }
        }
        Ok(flips)
    }

    /// Whether the timeline's stamps never go back.
    ///
    /// # Errors
    /// When the JSON is not as expected.
    pub fn in_order(&self) -> Result<bool> {
        let stamps = self.events("", "")?.into_iter().map(mono_ns).collect::<Result<Vec<_>>>()?;
        Ok(stamps.is_sorted())
    }

    /// What one class counted at a tap within the window; zeros when it counted nothing.
    ///
    /// # Errors
    /// When there is no such tap.
    pub fn class_total(&self, link: &str, direction: &str, class: &str) -> Result<Total> {
        let tap = self.tap(link, direction)?;
        let Some(counts) = json::list(tap, "/classes")?.iter().find(|counts| counts["class"] == class) else {
            return Ok(Total::default());
        };
        Ok(Total {
            packets: json::number(counts, "/packets")?,
            bytes: json::number(counts, "/bytes")?,
            segments: json::number(counts, "/segments")?,
        })
    }

    /// Hook of a tap: xdp, tcx, clsact.
    ///
    /// # Errors
    /// When there is no such tap.
    pub fn hook(&self, link: &str, direction: &str) -> Result<&str> {
        json::text(self.tap(link, direction)?, "/hook")
    }

    /// The tap of a link and direction (ingress, egress).
    ///
    /// # Errors
    /// When there is none.
    pub fn tap(&self, link: &str, direction: &str) -> Result<&Value> {
        let taps = json::list(&self.json, "/taps")?;
        let found = taps.iter().find(|tap| tap["link"]["name"] == link && tap["direction"] == direction);
        found.with_context(|| format!("no tap {link} {direction} in {taps:#?}"))
    }
}

/// Time of an entry on `CLOCK_MONOTONIC`, nanoseconds.
///
/// # Errors
/// When it has none.
pub fn mono_ns(entry: &Value) -> Result<u64> {
    json::number(entry, "/at/mono_ns")
}
