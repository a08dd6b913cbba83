//! What it was not: each claim only where the evidence carries it.

use super::case::Case;
use super::{Finding, FindingKind};
use crate::facts::{Heard, NOT_IN_FILE};
use crate::time::Mono;
use crate::timeline::{Source, What};

/// One sentence for each thing that can be ruled out, with what rules it out.
pub fn excluded(case: &Case<'_>, chain: &[Finding], others: &[Finding]) -> Vec<String> {
    let Some(cause) = chain.first() else { return Vec::new() };
    let scope = case.scope(cause.link_name());
    let found = |kinds: &[FindingKind]| {
        chain.iter().chain(others).any(|finding| kinds.contains(&finding.kind) && case.scope(finding.link_name()) == scope)
    };
    let links = links(case, &scope);
    let names = links.join(" and ");
    let until = chain.iter().map(|finding| finding.at).max().unwrap_or(cause.at);
    let mut excluded = Vec::new();
    let captures = case.incident.is_from_captures();
    let gaps =
        case.incident.timeline_lost > 0 || case.incident.timeline.iter().any(|entry| matches!(entry.what, What::Gap { .. }));
    if !captures && !found(&[FindingKind::CarrierLoss, FindingKind::Flapping, FindingKind::SlaveRemoved, FindingKind::AdminDown])
    {
        excluded.extend(no_carrier_loss(case, &links, gaps));
    }
    if !captures && !found(&[FindingKind::AdminDown]) && !gaps {
        let up = links.iter().chain([&scope]).all(|name| case.life(name).is_some_and(|life| life.admin_down.is_empty()));
        if up && case.incident.links_before.iter().any(|link| link.name == scope) {
            excluded.push(format!("not set down: {} stayed administratively up", with(&scope, &names)));
        }
    }
    if !found(&[FindingKind::RxBlackout]) {
        excluded.extend(no_rx_loss(case, &scope, cause.at, until));
    }
    if !found(&LACP) {
        excluded.extend(no_lacp_fault(case, &links, cause.at));
    }
    if !found(&[FindingKind::NextHopUnreachable, FindingKind::TxBlackout]) && found(&[FindingKind::PathLoss]) {
        excluded.push("not the next hop: it answers".to_owned());
    }
    if !found(&[FindingKind::DuplicateStorm])
        && case.incident.taps.iter().any(|tap| links.contains(&tap.link.name) || tap.link.name == scope)
    {
        let storm = case.incident.repeats.iter().any(|repeat| repeat.storm);
        let watched = !case.incident.seconds.is_empty() || !case.incident.repeats.is_empty();
        if !storm && watched {
            excluded.push("not a storm: no frame was repeated like one at any tap".to_owned());
        }
    }
    excluded
}

const LACP: [FindingKind; 8] = [
    FindingKind::PartnerSilent,
    FindingKind::LacpdusNotArriving,
    FindingKind::LacpdusNotSent,
    FindingKind::PartnerChanged,
    FindingKind::LacpKeyMismatch,
    FindingKind::BondCarriesNothing,
    FindingKind::TxBlackout,
    FindingKind::RxBlackout,
];

/// The ports of a scope: a bond's slaves, or the interface itself.
fn links(case: &Case<'_>, scope: &str) -> Vec<String> {
    match case.bond(scope) {
        Some(bond) => bond.slaves.clone(),
        None if scope.is_empty() => case.bonds.iter().flat_map(|bond| bond.slaves.clone()).collect(),
        None => vec![scope.to_owned()],
    }
}

fn with(scope: &str, names: &str) -> String {
    if scope == names || scope.is_empty() { names.to_owned() } else { format!("{scope}, {names}") }
}

fn no_carrier_loss(case: &Case<'_>, links: &[String], gaps: bool) -> Option<String> {
    if links.is_empty()
        || links.iter().any(|name| case.life(name).is_none_or(|life| life.losses > 0 || !life.no_carrier.is_empty()))
    {
        return None;
    }
    // The kernel's counters tell even of what no message told.
    let counted: Option<Vec<u32>> = links
        .iter()
        .map(|name| match case.before_and_after(name) {
            (Some(before), Some(after)) if before.carrier_down_count == after.carrier_down_count => {
                Some(after.carrier_down_count)
            }
            _ => None,
        })
        .collect();
    let names = links.join(" and ");
    match counted {
        Some(_) => {
            Some(format!("no carrier loss: the carrier of {names} stayed, and the kernel's counters of losses did not move"))
        }
        None if !gaps => Some(format!("no carrier loss: no change of the carrier of {names} was told")),
        None => None,
    }
}

fn no_rx_loss(case: &Case<'_>, scope: &str, from: Mono, to: Mono) -> Option<String> {
    let end = to.max(from.plus(crate::time::SECOND)).min(case.incident.to);
    let heard = case.heard(scope, from, case.incident.to)?;
    // Something near the end shows that receiving went on throughout, not only at the start.
    let later = case.heard(scope, from.plus(end.since(from) / 2), case.incident.to)?;
    let first = named(heard);
    let more = if later.best == heard.best { String::new() } else { format!(", {}", named(later)) };
    Some(format!("no RX loss: frames were received meanwhile, {first}{more}"))
}

/// A packet by its number, where it has one, and in words.
fn named(heard: &Heard) -> String {
    match heard.best.number {
        NOT_IN_FILE => format!("{} (left out by the filter)", heard.text),
        number => format!("packet {number} ({})", heard.text),
    }
}

/// LACP worked throughout on each slave that has it.
fn no_lacp_fault(case: &Case<'_>, links: &[String], from: Mono) -> Option<String> {
    let talks: Vec<_> = links.iter().filter_map(|name| Some((name, case.talk(name)?))).collect();
    let all = talks.iter().all(|(_, talk)| {
        let later = |pdus: &[super::lacp::Pdu<'_>]| pdus.iter().any(|pdu| pdu.at >= from);
        talk.works(from) && talk.works(case.incident.to) && later(&talk.ours) && later(&talk.theirs)
    });
    let names: Vec<&str> = talks.iter().map(|(name, _)| name.as_str()).collect();
    (!names.is_empty() && all)
        .then(|| format!("not LACP: LACPDUs went both ways on {}, and both ends stayed in sync", names.join(" and ")))
}

/// True when no carrier's time is exact.
pub fn inexact_carriers(case: &Case<'_>) -> bool {
    let mut carriers = case.incident.timeline.iter().filter(|entry| matches!(entry.what, What::Carrier { .. })).peekable();
    carriers.peek().is_some() && carriers.all(|entry| entry.source != Source::Kernel)
}
