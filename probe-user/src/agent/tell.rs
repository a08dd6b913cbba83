//! Tells the receivers of events what happens: the timeline as it grows, incidents, verdicts, and the agent's own beginning and end.

use probe_core::flight::Opened;
use probe_core::notice::{Notice, Places};
use probe_core::table::LinkTable;
use probe_core::timeline::Entry;

use crate::clock;
use crate::export::Sinks;
use crate::incident::WrittenIncident;

/// What stands between the engine and the receivers.
pub(super) struct Teller {
    /// The receivers.
    pub(super) sinks: Sinks,
    places: Places,
    /// What the engine reported in one go: it is told when all of that is done, as only then it is known to which incident it belongs.
    heard: Vec<Heard>,
}

enum Heard {
    Entry(Entry),
    Opened { opened: Opened, id: String },
}

impl Teller {
    /// Tells these.
    pub(super) fn new(sinks: Sinks) -> Self {
        Self { sinks, places: Places::default(), heard: Vec::new() }
    }

    /// Takes note of an entry of the timeline.
    pub(super) fn entry(&mut self, entry: &Entry) {
        if !self.sinks.is_empty() {
            self.heard.push(Heard::Entry(entry.clone()));
        }
    }

    /// Takes note of an incident that opens.
    pub(super) fn opened(&mut self, opened: &Opened, id: &str) {
        if !self.sinks.is_empty() {
            self.heard.push(Heard::Opened { opened: opened.clone(), id: id.to_owned() });
        }
    }

    /// Tells what was taken note of. `incident`: the one that is open now; else the one that was open before.
    pub(super) fn tell(&mut self, table: &LinkTable, incident: Option<&str>) {
        if self.heard.is_empty() {
            return;
        }
        let wall = clock::wall_offset();
        for heard in std::mem::take(&mut self.heard) {
            let notice = match heard {
                Heard::Entry(entry) => {
                    let place = self.places.of_entry(table, &entry);
                    Notice::of_entry(&entry, wall, place, incident)
                }
                Heard::Opened { opened, id } => {
                    let place = opened.link.as_ref().map(|link| self.places.of(table, link)).unwrap_or_default();
                    Notice::of_opened(&opened, wall, place, &id)
                }
            };
            self.sinks.tell(&notice);
        }
    }

    /// Tells of an incident that is on disk, and of each finding.
    pub(super) fn written(&mut self, incident: &WrittenIncident) {
        let WrittenIncident { id, verdict, headline, wall, .. } = incident;
        let now_ns = clock::wall_offset().wall_ns(clock::now());
        for notice in Notice::of_written(id, verdict, headline, now_ns, *wall, |name| self.places.named(name)) {
            self.sinks.tell(&notice);
        }
    }

    /// Tells that these are recorded from now on.
    pub(super) fn started(&mut self, links: &[String]) {
        let what = if links.is_empty() { "nothing yet".to_owned() } else { links.join(", ") };
        let text = format!("linkprobe {} records {what}", env!("CARGO_PKG_VERSION"));
        self.sinks.tell(&Notice::of_start(clock::wall_offset().wall_ns(clock::now()), text));
    }

    /// Tells that the agent stops.
    pub(super) fn stopped(&mut self) {
        self.sinks.tell(&Notice::of_stop(clock::wall_offset().wall_ns(clock::now())));
    }
}
