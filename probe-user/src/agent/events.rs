//! What the kernel programs send at once, as events of the engine.

use std::collections::BTreeMap;

use probe_common::class;
use probe_common::event::{FrameEvent, kind};
use probe_common::repeat::Repeat;
use probe_common::tap::direction;
use probe_core::direction::Direction;
use probe_core::flight::Event;
use probe_core::repeat::RepeatSeen;
use probe_core::time::{Mono, SECOND};
use probe_core::timeline::LinkName;

use super::Agent;
use super::input::Inputs;
use crate::clock;
use crate::kernel::rings::KernelEvent;

/// Events that are handed over before the loop looks at anything else. The ring buffer has room for fewer.
const MOST_AT_ONCE: usize = 8192;

impl Agent {
    /// Hands over what waits in the EVENTS ring buffer, in the order in which the kernel put it there: all of it, unless it is filled as
    /// fast as it is emptied.
    pub(super) fn kernel_events(&mut self, inputs: &mut Inputs) {
        for _ in 0..MOST_AT_ONCE {
            let Some(event) = inputs.events.next_event() else { break };
            match event {
                KernelEvent::Edge(edge) => {
                    let up = edge.kind == kind::CARRIER_ON;
                    self.handle(Event::Edge { at: Mono(edge.at_ns), ifindex: edge.ifindex, up });
                }
                KernelEvent::Lacpdu(frame) => self.handle(lacpdu(&frame)),
                KernelEvent::Repeat(frame) => {
                    // A LACPDU in a storm is told of here only.
                    if frame.class == class::id::LACP {
                        self.handle(lacpdu(&frame));
                    }
                    self.handle(Event::Repeat(Box::new(repeat(&frame))));
                }
            }
        }
        self.losses.events_malformed = inputs.events.malformed();
    }
}

impl Agent {
    /// Hands over what was counted of frames that repeat themselves: what several CPUs counted of one, together.
    pub(super) fn repeats(&mut self) {
        let counted = self.kernel.repeats();
        if counted.is_empty() {
            return;
        }
        let oldest = clock::now().minus(2 * SECOND);
        let taps: BTreeMap<u16, (u32, u8)> = self.kernel.taps().map(|tap| (tap.id, (tap.ifindex, tap.direction))).collect();
        let mut sums: BTreeMap<(u16, u64), Repeat> = BTreeMap::new();
        for repeat in counted {
            let sum = sums.entry((repeat.tap, repeat.hash)).or_insert(Repeat { copies: 0, ..repeat });
            sum.copies += repeat.total();
            sum.born_ns = sum.born_ns.min(repeat.born_ns);
            sum.last_ns = sum.last_ns.max(repeat.last_ns);
        }
        let seen: Vec<RepeatSeen> = sums
            .into_values()
            .filter(|repeat| repeat.last_ns >= oldest.0)
            .filter_map(|repeat| {
                let (ifindex, way) = *taps.get(&repeat.tap)?;
                Some(RepeatSeen {
                    at: Mono(repeat.last_ns),
                    first_at: Mono(repeat.born_ns),
                    link: LinkName { ifindex, name: String::new() },
                    direction: if way == direction::EGRESS { Direction::Egress } else { Direction::Ingress },
                    hash: repeat.hash,
                    copies: repeat.copies,
                    length: repeat.length,
                    class: class::name(repeat.class).unwrap_or("unknown"),
                    bytes: Vec::new(),
                })
            })
            .collect();
        if !seen.is_empty() {
            self.handle(Event::Repeats(seen));
        }
    }
}

fn lacpdu(frame: &FrameEvent) -> Event {
    Event::Lacpdu { at: Mono(frame.at_ns), ifindex: frame.ifindex, direction: direction_of(frame), frame: bytes(frame).to_vec() }
}

fn repeat(frame: &FrameEvent) -> RepeatSeen {
    RepeatSeen {
        at: Mono(frame.at_ns),
        first_at: Mono(frame.first_ns),
        link: LinkName { ifindex: frame.ifindex, name: String::new() },
        direction: direction_of(frame),
        hash: frame.hash,
        copies: frame.copies,
        length: frame.length,
        class: class::name(frame.class).unwrap_or("unknown"),
        bytes: bytes(frame).to_vec(),
    }
}

fn direction_of(frame: &FrameEvent) -> Direction {
    if frame.egress == 1 { Direction::Egress } else { Direction::Ingress }
}

fn bytes(frame: &FrameEvent) -> &[u8] {
    frame.bytes.get(..usize::from(frame.captured)).unwrap_or(&frame.bytes)
}
