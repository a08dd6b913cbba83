//! What is counted of one link and direction.

use probe_common::class;
use probe_common::counters::ClassCount;

use super::super::{Planned, Role};
use crate::direction::Direction;
use crate::incident::{ClassTotals, FROM_FILE, TapCounts};
use crate::matrix::{Cell, Count, HELLOS};
use crate::timeline::LinkName;

/// A tap.
#[derive(Clone, Debug)]
pub(super) struct Tap {
    classes: [ClassCount; class::CLASSES],
    second: Count,
    /// Of the second's frames, those that come by themselves while the other end lives.
    hellos: u64,
    /// Frames that were counted instead of kept: copies of others.
    pub(super) repeats: u64,
}

impl Default for Tap {
    fn default() -> Self {
        let classes = [ClassCount::default(); class::CLASSES];
        Self { classes, second: Count::default(), hellos: 0, repeats: 0 }
    }
}

impl Tap {
    #[inline]
    pub(super) fn count(&mut self, class: u8, length: u32) {
        self.second.packets += 1;
        self.second.frames += 1;
        self.second.bytes += u64::from(length);
        if let Some(count) = self.classes.get_mut(usize::from(class)) {
            count.packets += 1;
            count.bytes += u64::from(length);
        }
        self.hellos += u64::from(HELLOS.contains(&class));
    }

    pub(super) fn totals(&self, tap: u16, link: &Planned, direction: Direction) -> TapCounts {
        let counted = (0u8..).zip(&self.classes).filter(|(_, count)| count.packets > 0);
        let classes = counted.map(|(id, count)| ClassTotals {
            class: class::name(id).unwrap_or("unknown"),
            packets: count.packets,
            bytes: count.bytes,
            segments: count.packets,
        });
        TapCounts {
            tap,
            link: LinkName { ifindex: link.ifindex, name: link.name.clone() },
            mac: link.mac,
            hook: FROM_FILE,
            direction: direction.name(),
            classes: classes.collect(),
            repeats: self.repeats,
            ..TapCounts::default()
        }
    }
}

/// What a link's taps counted since the last time.
pub(super) fn cell(link: &Planned, taps: &mut [Tap; 2]) -> Cell {
    let hellos = taps.each_mut().map(|tap| std::mem::take(&mut tap.hellos))[0];
    let [ingress, egress] = taps.each_mut().map(|tap| Some(std::mem::take(&mut tap.second)));
    Cell {
        link: LinkName { ifindex: link.ifindex, name: link.name.clone() },
        master: if let Role::Slave(master) = link.role { master } else { 0 },
        ingress,
        egress,
        hellos,
        driver: None,
    }
}
