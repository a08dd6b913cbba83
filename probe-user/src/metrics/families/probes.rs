//! Probes of targets.

use probe_core::metrics::{Family, Labels};
use probe_core::reach::{TargetRow, TargetState};

/// What became of them.
pub fn families(targets: &[TargetRow]) -> Vec<Family> {
    let mut up = Family::gauge("linkprobe_probe_up", "Whether the target answers; absent while too few probes tell.");
    let mut rtt = Family::gauge("linkprobe_probe_rtt_seconds", "Round-trip time of the last answer.");
    let mut sent = Family::counter("linkprobe_probe_sent", "Probes of the target.");
    let mut lost = Family::counter("linkprobe_probe_lost", "Probes that were not answered in time.");
    let mut ratio = Family::gauge("linkprobe_probe_loss_ratio", "Part of the last probes that was lost.");
    for target in targets {
        let mut labels = Labels::none().and("target", &target.name).and("method", target.method);
        if let Some(link) = &target.link {
            labels = labels.and("interface", link);
        }
        let known = (target.state != TargetState::Unknown).then_some(target.state == TargetState::Up);
        up = up.with_some(labels.clone(), known);
        rtt = rtt.with_some(labels.clone(), target.rtt_ns.map(|ns| ns as f64 / 1e9));
        sent.add(labels.clone(), target.probes);
        lost.add(labels.clone(), target.lost_of_all);
        ratio = ratio.with_some(labels, (target.of > 0).then(|| f64::from(target.lost) / f64::from(target.of)));
    }
    vec![up, rtt, sent, lost, ratio]
}
