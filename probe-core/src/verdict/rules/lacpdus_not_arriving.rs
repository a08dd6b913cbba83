//! We send LACPDUs, and the partner says that it does not get them.

use super::lacpdus_not_sent::{counters, sent_before};
use crate::lacp::PortState;
use crate::time::{Mono, SECOND};
use crate::verdict::case::{Case, entry, fact};
use crate::verdict::lacp::{Pdu, Talk};
use crate::verdict::{Confidence, Evidence, Finding, FindingKind};

/// Most of our own LACPDUs that are named.
const NAMED: usize = 3;

/// Speaks when the partner's LACPDUs turn Expired or Defaulted (or no longer name us) while ours passed the egress tap. Stays silent
/// when none was sent, when the partner is another system, and when the link itself changed just before.
pub fn lacpdus_not_arriving(case: &Case<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, talk) in case.talks() {
        for lost in losses(case, name, talk) {
            let sent = sent_before(talk, lost.pdu.at, lost.limit);
            if !proves(case, &sent, &lost) {
                continue;
            }
            let skip = sent.len().saturating_sub(NAMED);
            let mut evidence: Vec<Evidence> =
                sent.iter().skip(skip).map(|pdu| pdu.evidence(format!("our LACPDU is handed to {name}"))).collect();
            evidence.push(lost.pdu.evidence(format!("the partner's LACPDU says: {}", lost.pdu.pdu.actor.state)));
            if let Some(defaulted) = talk.theirs.iter().find(|pdu| pdu.at >= lost.pdu.at && knows_nobody(pdu)) {
                let partner = &defaulted.pdu.partner;
                let text = format!(
                    "the partner knows nobody at its other end: partner system {}, port {}; it says: {}",
                    crate::link::mac_text(partner.system),
                    partner.port,
                    defaulted.pdu.actor.state
                );
                evidence.push(defaulted.evidence(text));
            }
            if case.knows_carriers() && case.life(name).is_some_and(|life| life.losses == 0) {
                evidence.push(fact(format!("{name} kept its carrier")));
            }
            evidence.extend(counters(case, name, lost.pdu.at, lost.until).map(|(counted, _)| entry(counted)));
            evidence.sort_by_key(|evidence| evidence.at().unwrap_or(Mono(u64::MAX)));
            found.push(
                Finding::new(
                    FindingKind::LacpdusNotArriving,
                    Some(case.link(name)),
                    lost.pdu.at,
                    format!("{name}: the partner has had no LACPDU of ours for three periods and lets the link go; ours were sent"),
                )
                .until(lost.until)
                .weighed(case.severity_of_loss(name, lost.pdu.at), Confidence::High)
                .action(format!("What {name} transmits gets lost below the tap: look at its driver, queues and the cable's other direction; re-enslaving {name} often revives it"))
                .evidence(evidence),
            );
        }
    }
    found
}

/// A time in which the partner does not get our LACPDUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss<'a, 'b> {
    /// The LACPDU that tells it first.
    pub pdu: &'b Pdu<'a>,
    /// When one told that they arrive again.
    pub until: Option<Mono>,
    /// For so long it had had none, nanoseconds.
    pub limit: u64,
}

/// The times in which the partner of a link says that it does not get our LACPDUs.
pub fn losses<'a, 'b>(case: &Case<'a>, name: &str, talk: &'b Talk<'a>) -> Vec<Loss<'a, 'b>> {
    let mut found: Vec<Loss<'a, 'b>> = Vec::new();
    let mut system = None;
    for pdu in &talk.theirs {
        let actor = &pdu.pdu.actor;
        let misses = actor.state.expired() || actor.state.defaulted();
        let open = found.last_mut().filter(|loss| loss.until.is_none());
        match (open, misses) {
            (Some(loss), false) if actor.state.is_working() => loss.until = Some(pdu.at),
            (None, true) => {
                let before = talk.their_state(pdu.at.minus(1));
                let limit = if before.is_some_and(|state| !state.timeout()) { 90 * SECOND } else { 3 * SECOND };
                let worked = before.is_none_or(PortState::is_working);
                let same = system.is_none_or(|system| system == actor.system);
                let since = pdu.at.minus(limit.min(5 * SECOND));
                let calm = case.life(name).is_none_or(|life| {
                    life.is_up(pdu.at) && !life.changes().any(|at| at > since && at <= pdu.at && at > case.incident.from)
                });
                if worked && same && calm {
                    found.push(Loss { pdu, until: None, limit });
                }
            }
            _ => {}
        }
        system = Some(actor.system);
    }
    found
}

/// Two of ours that were lost leave no doubt; one does where the window does not reach back to the others.
pub fn proves(case: &Case<'_>, sent: &[&Pdu<'_>], lost: &Loss<'_, '_>) -> bool {
    let reaches_back = lost.pdu.at.since(case.incident.from) >= lost.limit;
    sent.len() >= if reaches_back { 2 } else { 1 }
}

fn knows_nobody(pdu: &Pdu<'_>) -> bool {
    pdu.pdu.actor.state.defaulted() || pdu.pdu.partner.system == [0; 6]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::at;
    use crate::verdict::testing::{DEFAULTED, EXPIRED, Scene, WORKING};

    fn expires() -> Scene {
        Scene::lacp().talk(0..10_000, "eth1", WORKING).theirs(13_000, "eth1", EXPIRED).theirs(16_000, "eth1", DEFAULTED)
    }

    #[test]
    fn a_partner_that_expires_while_we_send_does_not_get_ours() {
        let found = expires().talk_ours(10_000..20_000, "eth1", WORKING).run(lacpdus_not_arriving);
        assert_eq!((found.len(), found[0].at, found[0].until), (1, at(13_000), None));
        let texts: Vec<&Evidence> = found[0].evidence.iter().collect();
        assert!(
            matches!(
                texts[..],
                [
                    Evidence::Packet { .. },
                    Evidence::Packet { .. },
                    Evidence::Packet { .. },
                    Evidence::Packet { .. },
                    Evidence::Fact { .. }
                ]
            ),
            "{texts:?}"
        );
    }

    #[test]
    fn it_ends_when_the_partner_is_in_sync_again() {
        let scene = expires().talk_ours(10_000..30_000, "eth1", WORKING).theirs(25_000, "eth1", WORKING);
        assert_eq!(scene.run(lacpdus_not_arriving)[0].until, Some(at(25_000)));
    }

    #[test]
    fn it_is_silent_when_we_sent_none_or_the_carrier_just_came() {
        assert_eq!(expires().run(lacpdus_not_arriving), []);
        let carrier = Scene::lacp().talk(0..10_000, "eth1", WORKING).carrier(10_000, "eth1", false).carrier(12_500, "eth1", true);
        let carrier = carrier.ours(12_600, "eth1", EXPIRED).theirs(13_000, "eth1", EXPIRED);
        assert_eq!(carrier.run(lacpdus_not_arriving), []);
    }

    #[test]
    fn it_is_silent_about_another_partner() {
        let scene = Scene::lacp().talk(0..10_000, "eth1", WORKING).talk_ours(10_000..20_000, "eth1", WORKING);
        assert_eq!(scene.system(9).theirs(13_000, "eth1", EXPIRED).run(lacpdus_not_arriving), []);
    }
}
