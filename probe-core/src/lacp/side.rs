//! One end of a slave: its LACPDUs, one after the other.

use super::{Lacpdu, PortState};
use crate::time::{Mono, SECOND};

/// Time between two LACPDUs for a short timeout.
pub const SHORT: u64 = SECOND;
/// Time between two LACPDUs for a long timeout.
pub const LONG: u64 = 30 * SECOND;
/// So many missing ones in a row are silence, as the standard's timeouts have it.
const MISSING: u64 = 3;

/// What is known of one end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Side {
    last: Option<(Mono, Lacpdu)>,
    /// The last one came since the link is up.
    fresh: bool,
    /// The first of those since the link is up.
    first: Option<Mono>,
    /// Since when its LACPDUs say that it does not work.
    bad: Option<Mono>,
    /// Since when it is silent.
    silent: Option<Mono>,
    seen: u64,
    malformed: u64,
    gap: Option<u64>,
    longest: u64,
}

/// What a LACPDU was, beside what came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Came {
    /// The one before.
    pub before: Option<Lacpdu>,
    /// The silence that it ended, nanoseconds.
    pub after_silence: Option<u64>,
}

impl Side {
    /// Takes a LACPDU.
    pub(super) fn take(&mut self, at: Mono, pdu: Lacpdu) -> Came {
        let before = self.last.replace((at, pdu));
        let gap = before.map(|(earlier, _)| at.since(earlier));
        if self.fresh {
            self.gap = gap;
            self.longest = self.longest.max(gap.unwrap_or(0));
        }
        if !std::mem::replace(&mut self.fresh, true) {
            self.first = Some(at);
        }
        self.seen += 1;
        self.bad = if pdu.actor.state.is_working() { None } else { self.bad.or(Some(at)) };
        let after_silence = self.silent.take().and(gap);
        Came { before: before.map(|(_, pdu)| pdu), after_silence }
    }

    /// Counts a frame that could not be understood.
    pub(super) fn malformed_came(&mut self) {
        self.malformed += 1;
    }

    /// What was said before counts no more: the link is down, or was.
    pub(super) fn forget(&mut self) {
        *self = Self { fresh: false, first: None, bad: None, silent: None, gap: None, longest: 0, ..*self };
    }

    /// It is silent since `at`.
    pub(super) fn silence(&mut self, at: Mono) {
        self.silent = Some(at);
    }

    /// The newest LACPDU, and when it passed.
    pub fn last(&self) -> Option<(Mono, Lacpdu)> {
        self.last
    }

    /// The newest LACPDU of those since the link is up.
    pub fn current(&self) -> Option<(Mono, Lacpdu)> {
        self.last.filter(|_| self.fresh)
    }

    /// When the first of those since the link is up came.
    pub fn first(&self) -> Option<Mono> {
        self.first
    }

    /// Whether it says that traffic passes, and goes on saying so.
    pub fn is_good(&self) -> bool {
        self.fresh && self.bad.is_none() && self.silent.is_none()
    }

    /// Since when its LACPDUs say that it does not work.
    pub fn bad_since(&self) -> Option<Mono> {
        self.bad
    }

    /// Since when it is silent.
    pub fn silent_since(&self) -> Option<Mono> {
        self.silent
    }

    /// LACPDUs since the start.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Frames that could not be understood, since the start.
    pub fn malformed(&self) -> u64 {
        self.malformed
    }

    /// Nanoseconds between the last two LACPDUs.
    pub fn gap(&self) -> Option<u64> {
        self.gap
    }

    /// Longest time between two LACPDUs since the link is up, nanoseconds; 0 before the second.
    pub fn longest(&self) -> u64 {
        self.longest
    }
}

/// Time between the LACPDUs that `sender` owes `receiver`, nanoseconds; `None` when it owes none, for both are passive, or when
/// nothing is known of either.
///
/// The receiver's actor asks for the rate. What the sender knows of that stands in its own LACPDUs: where the two differ, or where
/// the sender has lost its partner or soon will, the long time is what can be relied on.
pub fn interval(sender: Option<&Lacpdu>, receiver: Option<&Lacpdu>) -> Option<u64> {
    let (sends, asks) = (sender.map(|pdu| pdu.actor.state), receiver.map(|pdu| pdu.actor.state));
    let knows = sender.map(|pdu| pdu.partner.state);
    let passive = |state: Option<PortState>| state.is_some_and(|state| !state.activity());
    if sends.or(asks).is_none() || passive(sends) && passive(asks) {
        return None;
    }
    let short = |state: Option<PortState>| state.is_none_or(PortState::timeout);
    let lost = sends.is_some_and(|state| state.defaulted() || state.expired());
    Some(if !lost && short(asks) && short(knows) { SHORT } else { LONG })
}

/// Time without a LACPDU that is silence.
pub fn limit(interval: u64) -> u64 {
    interval.saturating_mul(MISSING)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lacp::PortInfo;

    fn says(actor: u8, partner: u8) -> Lacpdu {
        let port = |state| PortInfo { state: PortState(state), ..PortInfo::default() };
        Lacpdu { actor: port(actor), partner: port(partner) }
    }

    #[test]
    fn the_receiver_asks_for_the_rate_and_the_sender_has_to_know_it() {
        let (fast, slow) = (says(0x3f, 0x3f), says(0x3d, 0x3d));
        assert_eq!(interval(Some(&fast), Some(&fast)), Some(SHORT));
        assert_eq!(interval(Some(&slow), Some(&slow)), Some(LONG));
        assert_eq!(
            interval(Some(&says(0x3d, 0x3f)), Some(&fast)),
            Some(SHORT),
            "what the sender asks for is not what it sends at"
        );
        assert_eq!(interval(Some(&says(0x3f, 0x3d)), Some(&slow)), Some(LONG));
        assert_eq!(interval(Some(&slow), Some(&fast)), Some(LONG), "it does not know yet");
        assert_eq!(interval(None, Some(&fast)), Some(SHORT));
        assert_eq!(interval(Some(&fast), None), Some(SHORT));
    }

    #[test]
    fn one_that_knows_no_partner_may_send_at_the_long_time_and_two_passive_ends_never() {
        assert_eq!(interval(Some(&says(0x47, 0x02)), Some(&says(0x3f, 0x3f))), Some(LONG));
        assert_eq!(interval(Some(&says(0x04, 0x04)), Some(&says(0x04, 0x04))), None);
        assert_eq!(interval(Some(&says(0x04, 0x05)), Some(&says(0x05, 0x04))), Some(LONG));
        assert_eq!(interval(None, None), None);
    }
}
