//! The second reading: every packet, in the order of time, to the engine and to those that are kept.

use std::ops::ControlFlow;

use probe_core::flight::Action;
use probe_core::incident::{Incident, TapCounts};
use probe_core::replay::{Plan, Replay};
use probe_core::time::Mono;
use probe_core::timeline::What;

use super::args::AnalyzeArgs;
use super::interrupt::Interrupt;
use super::keep::Keeper;
use super::merge::{Merge, Source};
use super::open::Position;
use super::progress::Progress;
use crate::incident::{Captured, wall};

/// What came of it.
#[derive(Debug)]
pub struct Replayed {
    /// The incident; `None` when there was no packet.
    pub incident: Option<Incident>,
    /// What was counted.
    pub taps: Vec<TapCounts>,
    /// The packets that were kept.
    pub captured: Captured,
    /// Packets that were read.
    pub packets: u64,
    /// When the first and the last passed, nanoseconds since 1970.
    pub span: (u64, u64),
    /// Losses, by name.
    pub losses: Vec<(String, u64)>,
    /// What is odd about the files, one sentence each.
    pub notes: Vec<String>,
    /// Why files ended before their end.
    pub problems: Vec<String>,
}

/// Reads all files; `total` is their size.
pub fn replay(sources: Vec<Source>, plan: &Plan, args: &AnalyzeArgs, total: u64, interrupt: &Interrupt) -> Replayed {
    let position = Position::default();
    let progress = Progress::start(&position, total, "all packets");
    let first = sources.iter().map(Source::first_at).min().unwrap_or(0);
    let mut merge = Merge::new(sources, position);
    let mut replay = Replay::new(plan, &format!("captures from {}", wall::date_and_time(first)));
    let mut taken = Taken { keeper: Keeper::new(args.capture_limit, Mono(first), args.filter.clone()), incident: None };
    merge.each(&mut replay, |replay, packet| {
        let kept = replay.frame(packet.at_ns, packet.link, &packet.frame);
        if let Some(kept) = kept {
            taken.keeper.keep(packet.at_ns, kept, &packet.frame);
        }
        if replay.has_actions() {
            replay.actions().for_each(|action| taken.act(action));
        }
        if interrupt.is_asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    drop(progress);
    if replay.packets() > 0 {
        replay.finish();
        replay.actions().for_each(|action| taken.act(action));
    }
    let losses = replay.losses().into_iter().chain([("cut", taken.keeper.truncated)]);
    Replayed {
        taps: replay.taps(),
        packets: replay.packets(),
        captured: taken.keeper.finish(),
        incident: taken.incident,
        span: replay.span(),
        losses: losses.filter(|(_, n)| *n > 0).map(|(name, n)| (name.to_owned(), n)).collect(),
        notes: merge.oddities(),
        problems: merge.problems().collect(),
    }
}

struct Taken {
    keeper: Keeper,
    incident: Option<Incident>,
}

impl Taken {
    fn act(&mut self, action: Action) {
        match action {
            Action::Report(entry) if matches!(entry.what, What::Trigger { .. }) => self.keeper.trigger(entry.at),
            Action::Close(incident) => self.incident = Some(*incident),
            // Nothing can be attached, asked or captured any more.
            _ => {}
        }
    }
}
