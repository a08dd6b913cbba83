//! What comes after a slave was put back: it is to carry traffic, and the bond is to work.

use super::super::Step;
use super::super::order::Deed;
use super::super::record::Outcome;
use super::super::sight::{LacpSight, SlaveSight};
use super::{ASK, Context, Run, STEADY, Stage};
use crate::time::{Mono, SECOND, seconds};

/// Time that a bond has to work again after a slave carries traffic: probes and counters need some seconds to tell.
const CHECK: u64 = 8 * SECOND;
/// Time that the slaves whose LACP has failed have to come back by themselves, where that is all that is wrong with them: a port that
/// knows no partner sends a LACPDU every 30 s only, so longer patience is no use.
const OTHERS: u64 = 2 * SECOND;

impl Run {
    pub(super) fn settling(&mut self, cx: &mut Context<'_>, until: Mono, ask: Mono) {
        let (slave, bond) = (self.taken.slave.clone(), self.bond.name.clone());
        let found = cx.sight.slave(slave.ifindex);
        if found.is_none_or(|found| found.master != Some(self.bond.ifindex)) {
            self.tell(cx, Some(slave), Step::Failed, format!("left {bond} again, and not by us: it is left where it is"));
            self.free(cx);
            return self.finish(cx, Outcome::Failed);
        }
        let lacp = cx.sight.bond(self.bond.ifindex).is_some_and(|bond| bond.lacp);
        let after = seconds(cx.now.since(self.taken.back));
        if found.is_some_and(|found| settled(found, lacp, self.taken.back)) {
            let how = if lacp { "both ends distribute" } else { "it is up for the bond's monitor" };
            self.tell(cx, Some(slave), Step::Settled, format!("carries traffic again after {after:.1} s: {how}"));
            self.free(cx);
            self.stage = Stage::Checking { until: cx.now.plus(CHECK), good: None };
            return self.look(cx);
        }
        if cx.now >= until {
            let what = if lacp { "does not distribute" } else { "is not up for the bond's monitor" };
            self.tell(cx, Some(slave), Step::Late, format!("{what} {after:.1} s after it was put back"));
            self.free(cx);
            if self.taken.worked {
                let text = "it worked before: no other slave is touched".to_owned();
                self.tell(cx, Some(self.bond.clone()), Step::Failed, text);
                return self.finish(cx, Outcome::Failed);
            }
            return self.next(cx);
        }
        if cx.now >= ask {
            cx.deeds.push(Deed::Ask(slave.ifindex));
            self.stage = Stage::Settling { until, ask: cx.now.plus(ASK) };
        }
    }

    pub(super) fn checking(&mut self, cx: &mut Context<'_>, until: Mono, good: Option<Mono>) {
        if !self.known {
            return self.next(cx);
        }
        if cx.sight.troubles_of(self.bond.ifindex, &self.about.concerns).is_empty() {
            let good = good.unwrap_or(cx.now);
            if cx.now.since(good) >= STEADY {
                return self.works(cx, Some(good));
            }
            self.stage = Stage::Checking { until, good: Some(good) };
        } else {
            self.stage = Stage::Checking { until, good: None };
            let waits = cx.now.since(until.minus(CHECK)) < OTHERS;
            let lacp = cx.sight.bond(self.bond.ifindex).is_some_and(|bond| bond.lacp);
            let untouched = |slave: &SlaveSight| !self.touched.contains(&slave.link.ifindex);
            let failed = lacp
                && cx.sight.slaves_of(self.bond.ifindex).any(|slave| untouched(slave) && slave.is_usable() && slave.fails(lacp));
            if cx.now >= until || (failed && !waits) {
                self.next(cx);
            }
        }
    }

    fn works(&mut self, cx: &mut Context<'_>, since: Option<Mono>) {
        let after = seconds(since.unwrap_or(cx.now).since(self.began));
        let text = format!("{} works again, {after:.1} s after the recovery began", self.bond.name);
        self.tell(cx, Some(self.bond.clone()), Step::Works, text);
        self.finish(cx, Outcome::Recovered);
    }

    /// There is no slave left to take.
    pub(super) fn all_done(&mut self, cx: &mut Context<'_>) {
        let troubles = cx.sight.troubles_of(self.bond.ifindex, &self.about.concerns);
        match (self.known, troubles.is_empty()) {
            (true, true) => self.works(cx, None),
            (true, false) => {
                let text = format!("{} does not work, and no slave is left to take out: {}", self.bond.name, troubles.join("; "));
                self.tell(cx, Some(self.bond.clone()), Step::Unhelped, text);
                self.finish(cx, Outcome::NotRecovered);
            }
            (false, _) => {
                let text = format!(
                    "every slave of {} that may be was taken out and put back; nothing shows whether it helped",
                    self.bond.name
                );
                self.tell(cx, Some(self.bond.clone()), Step::Unhelped, text);
                self.finish(cx, Outcome::Done);
            }
        }
    }
}

/// Whether a slave that was put back at `since` carries traffic again.
fn settled(slave: &SlaveSight, lacp: bool, since: Mono) -> bool {
    slave.is_usable() && (!lacp || matches!(slave.lacp, LacpSight::Works { heard, .. } if heard >= since))
}
