//! The partner's LACPDUs stopped, and the link receives all else.

use super::receiving::{Gap, Receiving, gaps, receiving};
use crate::direction::Direction;
use crate::facts::Mark;
use crate::verdict::case::{Case, entry, fact, packet};
use crate::verdict::lacp::{Pdu, Talk};
use crate::verdict::{Confidence, Evidence, Finding, FindingKind};

/// Speaks when a slave with its carrier up misses three LACPDUs of its partner while other frames come. Where other frames stopped
/// too it stays silent (the receiver is dead); where there never were any, it says that it is not sure.
pub fn partner_silent(case: &Case<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, talk) in case.talks() {
        for gap in gaps(case, name, talk, Direction::Ingress).into_iter().filter(|gap| !another_answers(talk, gap)) {
            let (confidence, reason) = match receiving(case, name, &gap) {
                Receiving::Dead => continue,
                Receiving::Alive(Some(heard)) => {
                    (Confidence::High, packet(&heard.best, format!("{} receives: {}", heard.best.link, heard.text)))
                }
                Receiving::Alive(None) => (Confidence::High, fact("other frames are received")),
                Receiving::Unknown => {
                    let text = format!(
                        "{name} received nothing but LACPDUs before: whether the partner or receiving broke is not decided"
                    );
                    (Confidence::Low, fact(text))
                }
            };
            found.push(
                Finding::new(
                    FindingKind::PartnerSilent,
                    Some(case.link(name)),
                    gap.from,
                    format!("{name}: no LACPDU of the partner came any more{}", case.with_the_carrier_up()),
                )
                .until(gap.until)
                .weighed(case.severity_of_loss(name, gap.from.plus(gap.limit)), confidence)
                .action(format!("Look at the partner of {name}: its LACP process, its port's configuration, its CPU"))
                .evidence(evidence(&gap, "the last LACPDU of the partner"))
                .evidence([reason]),
            );
        }
    }
    found
}

/// Another partner ended it: the link was put elsewhere, and nobody fell silent.
fn another_answers(talk: &Talk<'_>, gap: &Gap<'_>) -> bool {
    let before = talk.theirs.iter().rfind(|pdu| pdu.at <= gap.from);
    let after = gap.until.and_then(|until| talk.theirs.iter().find(|pdu| pdu.at >= until));
    let identity = |pdu: &Pdu<'_>| (pdu.pdu.actor.system, pdu.pdu.actor.key);
    before.zip(after).is_some_and(|(before, after)| identity(before) != identity(after))
}

/// The last LACPDU before a gap, and what the engine said.
pub fn evidence(gap: &Gap<'_>, text: &str) -> Vec<Evidence> {
    let last = gap.last.map(|number| packet(&Mark { number, at: gap.from, ..Mark::default() }, text));
    last.into_iter().chain(gap.entry.map(entry)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::at;
    use crate::timeline::What;
    use crate::verdict::testing::{EXPIRED, Scene, WORKING};

    /// Both slaves speak each second until `ms`, eth1's partner only until 10 s.
    fn silent_from_10() -> Scene {
        Scene::lacp().talk(0..60_000, "eth2", WORKING).talk(0..10_000, "eth1", WORKING).talk_ours(10_000..60_000, "eth1", WORKING)
    }

    #[test]
    fn lacpdus_that_stop_while_other_frames_come_are_the_partners_silence() {
        let found = silent_from_10().hellos(0..60_000, "eth1").run(partner_silent);
        assert_eq!((found.len(), found[0].link_name(), found[0].at), (1, "eth1", at(9_000)));
        assert_eq!((found[0].until, found[0].confidence), (None, Confidence::High));
        assert!(
            matches!(&found[0].evidence[..], [Evidence::Packet { .. }, Evidence::Packet { text, .. }] if text.contains("HSRP"))
        );
    }

    #[test]
    fn it_is_not_sure_where_nothing_else_was_ever_received() {
        assert_eq!(silent_from_10().run(partner_silent)[0].confidence, Confidence::Low);
    }

    #[test]
    fn a_short_silence_counts_where_our_port_gave_its_partner_up() {
        let scene =
            || Scene::lacp().talk(0..10_000, "eth1", WORKING).hellos(0..60_000, "eth1").talk(12_150..60_000, "eth1", WORKING);
        assert_eq!(scene().run(partner_silent), [], "the machine was busy for a moment");
        let told = What::Attribute { name: "actor port state", from: WORKING.to_string(), to: EXPIRED.to_string() };
        let found = scene().what(12_050, "eth1", told).run(partner_silent);
        assert_eq!((found.len(), found[0].at, found[0].until), (1, at(9_000), Some(at(12_150))));
    }

    #[test]
    fn it_is_silent_when_all_else_stops_too_or_the_carrier_is_gone() {
        assert_eq!(silent_from_10().hellos(0..10_000, "eth1").run(partner_silent), []);
        assert_eq!(silent_from_10().hellos(0..60_000, "eth1").carrier(9_500, "eth1", false).run(partner_silent), []);
    }

    #[test]
    fn it_is_silent_when_another_partner_answers_after_a_while() {
        let scene = Scene::lacp().talk(0..10_000, "eth1", WORKING).hellos(0..60_000, "eth1").key(77);
        assert_eq!(scene.talk(15_000..60_000, "eth1", WORKING).run(partner_silent), []);
    }

    #[test]
    fn it_is_silent_while_lacpdus_come() {
        assert_eq!(Scene::lacp().talk(0..60_000, "eth1", WORKING).hellos(0..60_000, "eth1").run(partner_silent), []);
    }
}
