//! The kernel drops packets.

use crate::timeline::What;
use crate::verdict::case::{Case, counter, entry};
use crate::verdict::{Confidence, Finding, FindingKind, Severity};

/// Most reasons that are told.
const TOLD: usize = 4;

/// Speaks once for a bond or interface with a burst of drops, with the reasons by their numbers. Stays silent about the few drops
/// that every host has: those are in the incident's list.
pub fn local_drops(case: &Case<'_>) -> Vec<Finding> {
    let mut scopes: Vec<String> = Vec::new();
    let bursts = || case.incident.timeline.iter().filter(|entry| matches!(entry.what, What::Drops { .. }));
    for burst in bursts() {
        let scope = burst.link.as_ref().map_or_else(String::new, |link| case.scope(&link.name));
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    scopes.iter().filter_map(|scope| finding(case, scope)).collect()
}

fn finding(case: &Case<'_>, scope: &str) -> Option<Finding> {
    let of_scope = |name: Option<&str>| name.map_or(scope.is_empty(), |name| case.scope(name) == scope);
    let bursts = || {
        let entries = case.incident.timeline.iter().filter(|entry| matches!(entry.what, What::Drops { .. }));
        entries.filter(|entry| of_scope(entry.link.as_ref().map(|link| link.name.as_str())))
    };
    let first = bursts().next()?;
    let mut reasons: Vec<(String, String, String, u64)> = Vec::new();
    for burst in bursts() {
        let What::Drops { reason, place, packets, .. } = &burst.what else { continue };
        let link = burst.link.as_ref().map_or_else(String::new, |link| link.name.clone());
        match reasons.iter_mut().find(|(of, why, at, _)| (&**of, &**why, &**at) == (&*link, &**reason, &**place)) {
            Some((.., sum)) => *sum += packets,
            None => reasons.push((link, reason.clone(), place.clone(), *packets)),
        }
    }
    // The total of the window counts what came between the bursts, too.
    for (link, reason, place, sum) in &mut reasons {
        let totals =
            case.incident.drops.iter().filter(|drop| drop.link.name == *link && drop.reason == *reason && drop.place == *place);
        *sum = totals.map(|drop| drop.packets).sum::<u64>().max(*sum);
    }
    reasons.sort_by_key(|(.., sum)| std::cmp::Reverse(*sum));
    let place = |place: &str| if place.is_empty() { String::new() } else { format!(" in {place}") };
    let (link, reason, at, sum) = reasons.first()?;
    let on = if link.is_empty() { String::new() } else { format!(" of {link}") };
    let text = format!("the kernel dropped {sum} packets{on}: {reason}{}", place(at));
    let counters =
        reasons.iter().take(TOLD).map(|(link, reason, at, sum)| counter(format!("drops of {link}: {reason}{}", place(at)), *sum));
    let link_name = (!scope.is_empty()).then(|| case.link(scope));
    Some(
        Finding::new(FindingKind::LocalDrops, link_name, first.at, text)
            .titled(format!("the kernel drops packets ({reason})"))
            .weighed(Severity::Warning, Confidence::High)
            .action(advice(reason, link))
            .evidence(bursts().take(TOLD).map(entry))
            .evidence(counters),
    )
}

fn advice(reason: &str, link: &str) -> String {
    match reason {
        reason if reason.contains("QDISC") => format!("{link}'s queue is full or shaped: tc -s qdisc show dev {link}"),
        reason if reason.contains("NETFILTER") => "A firewall rule drops them: nft list ruleset; iptables-save".to_owned(),
        reason if reason.starts_with("TC_") => {
            format!("A tc filter drops them: tc filter show dev {link} ingress; tc filter show dev {link} egress")
        }
        reason if reason.starts_with("XDP") => format!("An XDP program drops them: ip -d link show dev {link}"),
        _ => "Look the reason up in include/net/dropreason-core.h of the kernel".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SECOND;
    use crate::verdict::testing::Scene;

    fn drops(packets: u64, reason: &str) -> What {
        What::Drops { reason: reason.to_owned(), place: "__dev_queue_xmit".to_owned(), packets, within_ns: SECOND }
    }

    #[test]
    fn a_burst_is_told_with_its_reason_and_place() {
        let scene = Scene::lacp().what(10_000, "eth1", drops(500, "QDISC_DROP")).what(11_000, "eth1", drops(700, "QDISC_DROP"));
        let found = scene.run(local_drops);
        assert_eq!((found.len(), found[0].link_name()), (1, "bond0"));
        assert_eq!(found[0].text, "the kernel dropped 1200 packets of eth1: QDISC_DROP in __dev_queue_xmit");
        assert_eq!(found[0].action, "eth1's queue is full or shaped: tc -s qdisc show dev eth1");
    }

    #[test]
    fn it_is_silent_without_a_burst() {
        assert_eq!(Scene::lacp().dropped("eth1", "UNHANDLED_PROTO", 12).run(local_drops), []);
    }
}
