//! Receivers of events, traffic and samples.

use probe_core::metrics::{Family, Labels};

use crate::export::status::SinkStatus;
use crate::export::{CollectorStatus, SflowStatus};

/// A name, what it is, and where it stands.
type Column = (&'static str, &'static str, fn(&SinkStatus) -> u64);

const COUNTERS: [Column; 6] = [
    ("linkprobe_sink_messages", "Messages that were handed to the system for a receiver.", |sink| sink.sent),
    ("linkprobe_sink_bytes", "Bytes of them.", |sink| sink.bytes),
    ("linkprobe_sink_resent", "Messages that were sent anew because a connection broke.", |sink| sink.resent),
    ("linkprobe_sink_dropped", "Messages that the receiver will never get.", |sink| sink.dropped),
    ("linkprobe_sink_truncated", "Messages whose text was cut.", |sink| sink.truncated),
    ("linkprobe_sink_errors", "Connections that failed or broke, writes that failed.", |sink| sink.errors),
];
const GAUGES: [Column; 3] = [
    ("linkprobe_sink_connected", "Whether a connection is there, or the last message was taken.", |sink| sink.connected.into()),
    ("linkprobe_sink_queued_messages", "Messages that wait.", |sink| sink.queued),
    ("linkprobe_sink_queued_bytes", "Bytes of messages that wait.", |sink| sink.queued_bytes),
];

/// What they were sent and what they lost.
pub fn families(sinks: &[SinkStatus]) -> Vec<Family> {
    let fill = |family: Family, value: fn(&SinkStatus) -> u64| {
        let labels = |sink: &SinkStatus| Labels::none().and("kind", &sink.kind).and("to", &sink.to);
        sinks.iter().fold(family, |family, sink| family.with(labels(sink), value(sink)))
    };
    let counters = COUNTERS.into_iter().map(|(name, help, value)| fill(Family::counter(name, help), value));
    let gauges = GAUGES.into_iter().map(|(name, help, value)| fill(Family::gauge(name, help), value));
    counters.chain(gauges).collect()
}

/// What flow collectors were sent.
pub fn sflow(status: &SflowStatus) -> Vec<Family> {
    let one = |name, help, value: u64| Family::counter(name, help).with(Labels::none(), value);
    let each = |name, help, value: fn(&CollectorStatus) -> u64| {
        let labels = |collector: &CollectorStatus| Labels::none().and("collector", &collector.name);
        let family = Family::counter(name, help);
        status.collectors.iter().fold(family, |family, collector| family.with(labels(collector), value(collector)))
    };
    vec![
        one("linkprobe_sflow_datagrams", "sFlow datagrams that were made.", status.datagrams),
        Family::counter("linkprobe_sflow_samples", "Samples in them: of frames, and of what interfaces count.")
            .with(Labels::none().and("of", "frames"), status.flow_samples)
            .with(Labels::none().and("of", "interfaces"), status.counter_samples),
        each("linkprobe_sflow_sent", "Datagrams that the system took for a collector.", |collector| collector.sent),
        each("linkprobe_sflow_lost", "Datagrams that it did not take.", |collector| collector.lost),
        each("linkprobe_sflow_refused", "Times that a collector's host said that nobody listens.", |collector| collector.refused),
    ]
}
