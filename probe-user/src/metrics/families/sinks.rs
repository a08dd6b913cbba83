//! Receivers of events and traffic.

use probe_core::metrics::{Family, Labels};

use crate::export::status::SinkStatus;

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
