//! The fault zoo as tables: for each fault the verdict that must come, and the findings that must not.

use FindingKind::*;

use super::testing::{DEFAULTED, EXPIRED, Scene, WORKING};
use super::{Confidence, FindingKind, Severity, Verdict};
use crate::direction::Direction;
use crate::time::SECOND;
use crate::timeline::What;

const HOP: [u8; 4] = [10, 0, 0, 1];
const HOP_TARGET: &str = "next-hop 10.0.0.1 dev bond0";
const TARGET: &str = "10.0.80.11";

/// Both slaves speak LACP and receive hellos in this time, and the next hop and a target answer throughout.
fn calm(until: u64) -> Scene {
    let scene = Scene::lacp().answered(0..until, "eth1", HOP);
    ["eth1", "eth2"].into_iter().fold(scene, |scene, slave| scene.talk(0..until, slave, WORKING).hellos(0..until, slave))
}

fn calm_backup(until: u64) -> Scene {
    Scene::active_backup().answered(0..until, "eth1", HOP).hellos(0..until, "eth1").hellos(0..until, "eth2")
}

fn kinds(verdict: &Verdict) -> Vec<FindingKind> {
    verdict.chain.iter().map(|finding| finding.kind).collect()
}

/// The chain, and that none of these stands anywhere.
#[track_caller]
fn expect(scene: &Scene, headline: &str, chain: &[FindingKind], never: &[FindingKind]) -> Verdict {
    let verdict = scene.judge();
    assert_eq!(verdict.headline, headline, "{verdict:#?}");
    assert_eq!(kinds(&verdict), chain, "{verdict:#?}");
    let all = verdict.chain.iter().chain(&verdict.others);
    let wrong: Vec<_> = all.filter(|finding| never.contains(&finding.kind)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(!verdict.action.is_empty() || chain.is_empty());
    verdict
}

#[track_caller]
fn rules_out(verdict: &Verdict, beginnings: &[&str]) {
    for beginning in beginnings {
        assert!(verdict.excluded.iter().any(|text| text.starts_with(beginning)), "{beginning:?} in {:#?}", verdict.excluded);
    }
}

/// What a storm with TX blocked below the bond looks like, on each slave in a scene that was calm for ten seconds.
fn tx_dead(scene: Scene) -> Scene {
    ["eth1", "eth2"].into_iter().fold(scene, |scene, slave| {
        let scene = scene.talk_ours(10_000..60_000, slave, WORKING).talk_theirs(10_000..13_000, slave, WORKING);
        let scene = scene.talk_theirs(13_000..16_000, slave, EXPIRED).talk_theirs(16_000..60_000, slave, DEFAULTED);
        scene.hellos(10_000..60_000, slave)
    })
}

#[test]
fn tx_duplication() {
    let tcp = "TCP 172.20.18.40:61730 → 10.100.200.143:1434, VLAN 956";
    let ghosts = What::Ghosts { bond: 500_000, slaves: 500_000, wire: 0, within_ns: SECOND };
    let blackout = What::Blackout { direction: Direction::Egress, begins: true, text: "0 of 500000 sent".to_owned() };
    let scene = tx_dead(calm(10_000)).trigger(10_050, "bond0", "storm").asks(10_000..60_000, "eth1", HOP);
    let scene = scene.storm(9_500, "bond0", tcp, 900_000).storm(9_501, "eth1", tcp, 900_000);
    let scene = scene.what(11_500, "bond0", ghosts).what(11_500, "bond0", blackout);
    let headline = "bond0: TX duplication storm → TX blackout after 0.5 s → our LACPDUs do not reach the partner after 3.5 s → \
                    looks up and carries nothing after 3.5 s";
    let chain = [DuplicateStorm, TxBlackout, GhostPackets, LacpdusNotArriving, LacpdusNotArriving, BondCarriesNothing];
    let never = [CarrierLoss, AdminDown, RxBlackout, PartnerSilent, SlaveRemoved, PartnerChanged, NextHopUnreachable];
    let verdict = expect(&scene, headline, &chain, &never);
    rules_out(&verdict, &["no carrier loss: the carrier of eth1 and eth2", "not set down", "no RX loss"]);
    assert_eq!((verdict.severity, verdict.confidence), (Severity::Critical, Confidence::High));
    assert!(verdict.chain[2].text.contains("500000 counted at the bond, 500000 at its slaves, 0 on the wire"));
}

#[test]
fn tx_duplication_of_an_active_backup_bond() {
    let blackout = What::Blackout { direction: Direction::Egress, begins: true, text: "0 of 500000 sent".to_owned() };
    let scene = calm_backup(10_000).hellos(10_000..60_000, "eth1").asks(10_000..60_000, "eth1", HOP);
    let scene = scene.storm(9_500, "bond0", "TCP a → b", 900_000).what(11_500, "eth1", blackout);
    let scene =
        scene.probes(0..60_000, HOP_TARGET, 10_000).reach(13_000, HOP_TARGET, false).trigger(13_000, "bond0", "probe-down");
    let headline = "bond0: TX duplication storm → TX blackout after 0.5 s";
    let verdict =
        expect(&scene, headline, &[DuplicateStorm, TxBlackout, NextHopUnreachable], &[CarrierLoss, RxBlackout, PathLoss]);
    rules_out(&verdict, &["no carrier loss", "not set down", "no RX loss"]);
}

#[test]
fn carrier_both() {
    let scene = calm(10_000).trigger(10_100, "bond0", "bond-down");
    let scene = scene.carrier(10_000, "eth1", false).carrier(10_020, "eth2", false).carrier(10_120, "bond0", false);
    let scene = scene.reach(14_000, HOP_TARGET, false).probes(0..60_000, HOP_TARGET, 10_000);
    let never = [TxBlackout, RxBlackout, PartnerSilent, LacpdusNotArriving, LacpdusNotSent, BondCarriesNothing, Degraded];
    let chain = [CarrierLoss, NextHopUnreachable, CarrierLoss, BondDown];
    let verdict = expect(&scene, "eth1: carrier lost → bond0: down after 0.1 s", &chain, &never);
    rules_out(&verdict, &["not set down"]);
    assert_eq!(verdict.severity, Severity::Critical);
}

#[test]
fn carrier_both_of_an_active_backup_bond_that_comes_back() {
    let scene = calm_backup(10_000).trigger(10_100, "bond0", "bond-down");
    let scene = scene.carrier(10_000, "eth1", false).carrier(10_020, "eth2", false).carrier(10_120, "bond0", false);
    let scene = scene.carrier(20_000, "eth1", true).carrier(20_010, "eth2", true).carrier(20_100, "bond0", true);
    let scene = scene.answered(20_500..60_000, "eth1", HOP).hellos(20_500..60_000, "eth1");
    let chain = [CarrierLoss, CarrierLoss, BondDown, Recovered];
    let verdict = expect(&scene, "eth1: carrier lost → bond0: down after 0.1 s", &chain, &[TxBlackout, RxBlackout, Degraded]);
    assert_eq!(verdict.chain[3].text, "bond0 works again after 10.1 s, by itself");
}

#[test]
fn carrier_one() {
    for scene in [calm(10_000).talk(10_000..60_000, "eth2", WORKING), calm_backup(10_000)] {
        let scene = scene.hellos(10_000..60_000, "eth2").carrier(10_000, "eth1", false).answered(10_000..60_000, "eth2", HOP);
        let never = [BondDown, BondCarriesNothing, TxBlackout, RxBlackout, PartnerSilent, NextHopUnreachable];
        let scene = scene.trigger(10_000, "eth1", "slave-down");
        let headline = "eth1: carrier lost → bond0: goes on with fewer slaves after 0.0 s";
        let verdict = expect(&scene, headline, &[CarrierLoss, Degraded], &never);
        assert_eq!(verdict.severity, Severity::Warning, "no outage");
    }
}

#[test]
fn admin_down() {
    let scene = calm(10_000).admin(10_000, "bond0", false).carrier(9_990, "bond0", false).trigger(10_000, "bond0", "bond-down");
    let never = [CarrierLoss, LacpdusNotSent, LacpdusNotArriving, TxBlackout, RxBlackout, PartnerSilent];
    let verdict = expect(&scene, "bond0: set down by the administrator → down after 0.0 s", &[AdminDown, BondDown], &never);
    assert!(verdict.action.contains("ip link set bond0 up"));
    let slave = calm(10_000).talk(10_000..60_000, "eth2", WORKING).carrier(10_000, "eth1", false).admin(10_700, "eth1", false);
    let slave = slave.hellos(10_000..60_000, "eth2").answered(10_000..60_000, "eth2", HOP);
    let headline = "eth1: set down by the administrator → bond0: goes on with fewer slaves after 0.0 s";
    expect(&slave.trigger(10_000, "eth1", "slave-down"), headline, &[AdminDown, Degraded], &never);
}

#[test]
fn partner_lacp_dead() {
    let scene = ["eth1", "eth2"].into_iter().fold(calm(10_000), |scene, slave| {
        let scene = scene.hellos(10_000..60_000, slave).talk_ours(10_000..13_000, slave, WORKING);
        scene.talk_ours(13_000..16_000, slave, EXPIRED).talk_ours(16_000..60_000, slave, DEFAULTED)
    });
    let headline = "eth1: the partner's LACPDUs stopped → bond0: looks up and carries nothing after 4.0 s";
    let never = [CarrierLoss, RxBlackout, TxBlackout, LacpdusNotArriving, LacpdusNotSent, BondDown, PartnerChanged];
    let verdict = expect(
        &scene.trigger(13_000, "eth1", "lacp-down"),
        headline,
        &[PartnerSilent, PartnerSilent, BondCarriesNothing],
        &never,
    );
    rules_out(&verdict, &["no carrier loss", "not set down", "no RX loss"]);
    assert_eq!(verdict.confidence, Confidence::High);
}

#[test]
fn partner_restart() {
    let scene = ["eth1", "eth2"].into_iter().fold(calm(10_000).system(0x77), |scene, slave| {
        let scene = scene.talk_theirs(12_000..14_000, slave, EXPIRED).talk_ours(10_000..60_000, slave, WORKING);
        scene.talk_theirs(14_000..60_000, slave, WORKING).hellos(10_000..60_000, slave)
    });
    let scene = scene.answered(14_000..60_000, "eth1", HOP).trigger(12_000, "eth1", "lacp-partner");
    let headline = "eth1: another partner → bond0: looks up and carries nothing after 0.0 s";
    let never = [CarrierLoss, TxBlackout, RxBlackout, LacpKeyMismatch, PartnerSilent, LacpdusNotArriving];
    let verdict = expect(&scene, headline, &[PartnerChanged, BondCarriesNothing, Recovered], &never);
    assert!(verdict.chain[0].text.contains("02:00:00:00:00:99 → 02:00:00:00:00:77"), "{}", verdict.chain[0].text);
}

#[test]
fn key_mismatch() {
    let scene =
        calm(10_000).talk(10_000..60_000, "eth1", WORKING).hellos(10_000..60_000, "eth1").answered(10_000..60_000, "eth1", HOP);
    let scene = scene.talk_ours(10_000..60_000, "eth2", 7).key(77).talk_theirs(10_000..60_000, "eth2", 7);
    let headline = "eth2: LACP key or system mismatch → bond0: goes on with fewer slaves after 1.0 s";
    let never = [PartnerChanged, CarrierLoss, TxBlackout, PartnerSilent, LacpdusNotArriving];
    expect(&scene.trigger(10_000, "eth2", "lacp-down"), headline, &[LacpKeyMismatch, Degraded], &never);
}

#[test]
fn timeout_mismatch() {
    let scene = ["eth1", "eth2"].into_iter().fold(Scene::lacp(), |scene, slave| {
        scene.talk_ours(0..60_000, slave, WORKING & !2).talk_theirs(0..60_000, slave, WORKING).hellos(0..60_000, slave)
    });
    let verdict = expect(&scene, "bond0: the ends disagree on the LACP rate", &[LacpTimeoutMismatch], &[PartnerSilent, Degraded]);
    assert_eq!(verdict.severity, Severity::Warning);
}

#[test]
fn timeout_mismatch_that_bites() {
    let slow = WORKING & !2;
    let scene = ["eth1", "eth2"].into_iter().fold(Scene::lacp().answered(0..10_000, "eth1", HOP), |scene, slave| {
        let scene = scene.talk_ours(0..60_000, slave, WORKING).talk_theirs(0..10_000, slave, slow).hellos(0..60_000, slave);
        let scene = scene.ours(12_500, slave, EXPIRED).ours(15_500, slave, DEFAULTED).ours(17_100, slave, WORKING);
        (17..60).step_by(8).fold(scene, |scene, second| scene.theirs(second * 1000, slave, slow))
    });
    let verdict = scene.trigger(12_500, "eth1", "lacp-down").judge();
    assert_eq!(kinds(&verdict).first(), Some(&LacpTimeoutMismatch), "{verdict:#?}");
    assert!(kinds(&verdict).contains(&PartnerSilent) && !kinds(&verdict).contains(&RxBlackout));
}

#[test]
fn rx_blackout() {
    let scene = ["eth1", "eth2"].into_iter().fold(calm(10_000), |scene, slave| {
        let scene = scene.talk_ours(10_000..13_000, slave, WORKING).talk_ours(13_000..16_000, slave, EXPIRED);
        scene.talk_ours(16_000..60_000, slave, DEFAULTED)
    });
    let scene = scene.asks(10_000..60_000, "eth1", HOP).trigger(13_000, "eth1", "lacp-down");
    let headline = "eth1: RX blackout → bond0: looks up and carries nothing after 3.7 s";
    let chain = [RxBlackout, RxBlackout, NextHopUnreachable, BondCarriesNothing];
    let verdict = expect(&scene, headline, &chain, &[PartnerSilent, TxBlackout, CarrierLoss, LacpdusNotArriving]);
    rules_out(&verdict, &["no carrier loss", "not set down"]);
    assert!(!verdict.excluded.iter().any(|text| text.starts_with("no RX loss")));
}

#[test]
fn rx_blackout_of_an_active_backup_bond() {
    let scene = calm_backup(10_000).asks(10_000..60_000, "eth1", HOP).trigger(13_000, "bond0", "probe-down");
    let headline = "eth1: RX blackout → bond0: the next hop does not answer after 0.7 s";
    expect(&scene, headline, &[RxBlackout, NextHopUnreachable], &[TxBlackout, CarrierLoss]);
}

#[test]
fn next_hop_dead() {
    let lacp = ["eth1", "eth2"]
        .into_iter()
        .fold(calm(10_000), |scene, slave| scene.talk(10_000..60_000, slave, WORKING).hellos(10_000..60_000, slave));
    for (scene, has_lacp) in [(lacp, true), (calm_backup(10_000).hellos(10_000..60_000, "eth1"), false)] {
        let scene =
            scene.asks(10_000..60_000, "eth1", HOP).probes(0..60_000, HOP_TARGET, 10_000).reach(13_000, HOP_TARGET, false);
        let scene = scene.probes(0..60_000, TARGET, 10_000).reach(13_000, TARGET, false).trigger(13_000, "bond0", "probe-down");
        let never = [TxBlackout, RxBlackout, CarrierLoss, PathLoss, PartnerSilent, Degraded];
        let verdict = expect(&scene, "bond0: the next hop does not answer", &[NextHopUnreachable], &never);
        rules_out(&verdict, &["no carrier loss", "not set down", "no RX loss"]);
        if has_lacp {
            rules_out(&verdict, &["not LACP"]);
        }
    }
}

#[test]
fn path_only() {
    for scene in [calm(60_000), calm_backup(60_000)] {
        let scene = scene.probes(0..60_000, HOP_TARGET, 60_000).probes(0..60_000, TARGET, 10_000).reach(13_000, TARGET, false);
        let scene = scene.trigger(13_000, "bond0", "probe-down");
        let headline = "bond0: targets behind the next hop do not answer";
        let verdict = expect(&scene, headline, &[PathLoss], &[NextHopUnreachable, TxBlackout, RxBlackout]);
        rules_out(&verdict, &["no carrier loss", "not set down", "no RX loss", "not the next hop"]);
    }
}

#[test]
fn flapping() {
    for scene in [calm(60_000), calm_backup(60_000)] {
        let scene = (0..5)
            .fold(scene, |scene, i| scene.carrier(10_000 + i * 2000, "eth1", false).carrier(11_000 + i * 2000, "eth1", true));
        let scene = scene.trigger(10_000, "eth1", "slave-down");
        let headline = "eth1: carrier flaps → bond0: goes on with fewer slaves after 0.0 s";
        let verdict = expect(&scene, headline, &[Flapping, Degraded, Recovered], &[CarrierLoss, BondDown]);
        assert!(verdict.chain[0].text.contains("went 5 times"));
    }
}

#[test]
fn tx_drops() {
    let drops = || What::Drops {
        reason: "QDISC_DROP".to_owned(),
        place: "__dev_queue_xmit".to_owned(),
        packets: 5000,
        within_ns: SECOND,
    };
    for scene in [calm(60_000), calm_backup(60_000)] {
        let scene = scene.what(10_000, "eth1", drops()).what(11_000, "eth1", drops()).trigger(10_000, "eth1", "drops");
        let headline = "bond0: the kernel drops packets (QDISC_DROP)";
        let verdict = expect(&scene, headline, &[LocalDrops], &[TxBlackout, NextHopUnreachable]);
        assert_eq!(verdict.severity, Severity::Warning);
        assert!(verdict.action.contains("tc -s qdisc show dev eth1"));
    }
}

#[test]
fn slave_removed() {
    let with_lacp = calm(10_000).talk(10_000..60_000, "eth2", WORKING);
    for scene in [with_lacp, calm_backup(10_000)] {
        let scene = scene.hellos(10_000..60_000, "eth2").answered(10_000..60_000, "eth2", HOP);
        let scene = scene.master(10_000, "eth1", Some("bond0"), None).admin(10_001, "eth1", false).carrier(10_001, "eth1", false);
        let headline = "eth1: taken out of its bond → bond0: goes on with fewer slaves after 0.0 s";
        let scene = scene.trigger(10_000, "eth1", "slave-removed");
        let never = [CarrierLoss, AdminDown, PartnerSilent, RxBlackout, TxBlackout];
        expect(&scene, headline, &[SlaveRemoved, Degraded], &never);
        let back = scene.master(20_000, "eth1", None, Some("bond0")).admin(20_001, "eth1", true).carrier(20_500, "eth1", true);
        let back = back.talk(21_000..60_000, "eth1", WORKING);
        let verdict = expect(&back, headline, &[SlaveRemoved, Degraded, Recovered], &never);
        assert!(verdict.chain[2].text.ends_with("after eth1 was put into bond0 again"), "{}", verdict.chain[2].text);
    }
}

#[test]
fn clean() {
    for scene in [calm(60_000), calm_backup(60_000)] {
        let scene = scene.probes(0..60_000, TARGET, 60_000).repeat(10_000, "bond0", "VRRP", 60, false);
        let verdict = expect(
            &scene.clone().trigger(30_000, "", "manual"),
            "nothing found: all that is watched worked in this window",
            &[],
            &[],
        );
        assert_eq!((verdict.severity, &verdict.others), (Severity::Info, &Vec::new()));
        let verdict = scene.trigger(30_000, "eth1", "rate").judge();
        assert!(verdict.headline.starts_with("not decided: nothing in evidence explains"), "{}", verdict.headline);
        assert_eq!(verdict.confidence, Confidence::Low);
    }
}

#[test]
fn a_bond_that_falls_without_any_cause_in_evidence_is_not_decided() {
    let scene = Scene::active_backup().carrier(10_000, "bond0", false).trigger(10_000, "bond0", "bond-down");
    let verdict = scene.judge();
    assert_eq!(verdict.headline, "not decided: bond0: down; what brought it about is not in evidence");
    assert_eq!((verdict.confidence, verdict.severity), (Confidence::Low, Severity::Critical));
}
