//! What was carried over an interval, as documents for receivers of JSON, and what sar says of the machine.

use probe_common::class;
use probe_common::counters::TapCounters;
use probe_core::counts::named_losses;
use probe_core::link::LinkStats;
use probe_core::table::Role;
use probe_core::traffic::{Banner, DriverInterval, Interval, LinkInterval, Times, sum};
use serde_json::{Map, Value, json};

use crate::incident::wall;
use crate::kernel;

/// So much before a whole second, a reading is taken for one of that second, nanoseconds: the clock may be slewed while it is waited for.
pub const EARLY: u64 = 100_000_000;

/// A document for each link, by the names of the Elastic Common Schema; what it has no name for is under `linkprobe.traffic`. All counts
/// are those of the interval. Bond and slaves carry the same packets: `linkprobe.traffic.role` tells them apart.
///
/// `wall_ns`: its beginning and its end.
pub fn documents(interval: &Interval, wall_ns: [u64; 2]) -> Vec<Value> {
    let [start, end] = wall_ns.map(wall::rfc3339_utc);
    let document = |link: &LinkInterval| {
        let mut own = Map::new();
        match (link.role, &link.master) {
            (Role::Bond, _) => {
                own.insert("bond".to_owned(), link.link.name.as_str().into());
            }
            (Role::Slave { .. }, master) => {
                own.insert("slave".to_owned(), link.link.name.as_str().into());
                own.extend(master.as_ref().map(|bond| ("bond".to_owned(), bond.name.as_str().into())));
            }
            (Role::Plain, _) => {}
        }
        own.insert("traffic".to_owned(), traffic(link, interval.ns()));
        json!({
            "@timestamp": end,
            "event": {
                "kind": "metric",
                "category": ["network"],
                "type": ["info"],
                "dataset": "linkprobe.traffic",
                "start": start,
                "end": end,
                "duration": interval.ns(),
            },
            "observer": { "ingress": { "interface": { "id": link.link.ifindex.to_string(), "name": link.link.name } } },
            "linkprobe": own,
        })
    };
    interval.links.iter().map(document).collect()
}

fn traffic(link: &LinkInterval, ns: u64) -> Value {
    let role = match link.role {
        Role::Bond => "bond",
        Role::Slave { .. } => "slave",
        Role::Plain => "interface",
    };
    let mut traffic = json!({ "role": role, "seconds": seconds(ns), "present": link.present });
    for (name, tap) in [("ingress", &link.ingress), ("egress", &link.egress)] {
        if let Some(tap) = tap {
            traffic[name] = counted(tap);
        }
    }
    if let Some(told) = &link.driver {
        traffic["driver"] = driver(told);
    }
    if let Some(speed) = link.speed_bps {
        traffic["speed_bps"] = speed.into();
    }
    traffic
}

/// What a tap counted. Classes and losses that did not occur are left out.
fn counted(tap: &TapCounters) -> Value {
    let all = sum(tap);
    let classes = (0u8..).zip(&tap.classes).filter(|(_, count)| count.packets > 0).filter_map(|(id, count)| {
        let counts = json!({ "packets": count.segments, "frames": count.packets, "bytes": count.bytes });
        Some((class::name(id)?.to_owned(), counts))
    });
    let losses = named_losses(&tap.losses).into_iter().filter(|(_, count)| *count > 0);
    json!({
        "packets": all.packets,
        "frames": all.frames,
        "bytes": all.bytes,
        "classes": classes.collect::<Map<_, _>>(),
        "losses": losses.map(|(name, count)| (name.replace('-', "_"), count.into())).collect::<Map<_, _>>(),
        "recorded": { "control": tap.recorded[0], "bulk": tap.recorded[1] },
        "repeats": tap.repeats,
        "samples": tap.samples,
    })
}

fn driver(told: &DriverInterval) -> Value {
    let LinkStats { rx_packets, rx_bytes, rx_errors, rx_dropped, rx_missed, multicast, .. } = told.stats;
    let LinkStats { tx_packets, tx_bytes, tx_errors, tx_dropped, collisions, .. } = told.stats;
    json!({
        "seconds": seconds(told.ns),
        "rx": {
            "packets": rx_packets,
            "bytes": rx_bytes,
            "errors": rx_errors,
            "dropped": rx_dropped,
            "missed": rx_missed,
            "multicast": multicast,
        },
        "tx": {
            "packets": tx_packets,
            "bytes": tx_bytes,
            "errors": tx_errors,
            "dropped": tx_dropped,
            "collisions": collisions,
        },
    })
}

fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

/// Beginning and end of an interval, nanoseconds since 1970, as they stand in sar's block.
pub fn times(wall_ns: [u64; 2]) -> Times {
    let [from, to] = wall_ns.map(|at_ns| wall::hours_minutes_seconds(at_ns.saturating_add(EARLY)));
    Times { from, to }
}

/// The first line of a stream of sar's, on the date of a time.
pub fn banner(wall_ns: u64) -> String {
    let name = rustix::system::uname();
    let text = |part: &std::ffi::CStr| part.to_string_lossy().into_owned();
    probe_core::traffic::banner(&Banner {
        system: text(name.sysname()),
        release: text(name.release()),
        host: text(name.nodename()),
        date: wall::date_as_c(wall_ns),
        machine: text(name.machine()),
        cpus: kernel::cpus::present(),
    })
}

#[cfg(test)]
mod tests {
    use probe_common::class::id;
    use probe_common::counters::ClassCount;
    use probe_core::time::Mono;
    use probe_core::timeline::LinkName;

    use super::*;

    fn interval() -> Interval {
        let mut ingress = TapCounters::ZERO;
        ingress.classes[usize::from(id::LACP)] = ClassCount { packets: 2, bytes: 248, segments: 2 };
        ingress.classes[usize::from(id::TCP4)] = ClassCount { packets: 3, bytes: 4000, segments: 5 };
        ingress.losses.samples_lost = 4;
        let stats = LinkStats { rx_packets: 10, rx_dropped: 1, tx_bytes: 7, ..LinkStats::default() };
        let slave = LinkInterval {
            link: LinkName { ifindex: 4, name: "eth1".to_owned() },
            role: Role::Slave { master: 3 },
            master: Some(LinkName { ifindex: 3, name: "bond0".to_owned() }),
            present: true,
            ingress: Some(ingress),
            egress: None,
            driver: Some(DriverInterval { ns: 1_000_000_000, stats }),
            speed_bps: Some(10_000_000_000),
        };
        let bond = LinkInterval {
            link: LinkName { ifindex: 3, name: "bond0".to_owned() },
            role: Role::Bond,
            master: None,
            ingress: None,
            driver: None,
            speed_bps: None,
            ..slave.clone()
        };
        Interval { from: Mono(1_000_000_000), to: Mono(2_500_000_000), links: vec![bond, slave] }
    }

    #[test]
    fn each_link_has_a_document_with_its_role_and_what_is_not_known_is_left_out() {
        let documents = documents(&interval(), [1_512_450_001_000_000_000, 1_512_450_002_500_000_000]);
        assert_eq!(documents.len(), 2);
        let bond = &documents[0]["linkprobe"];
        assert_eq!(bond["traffic"], json!({ "role": "bond", "seconds": 1.5, "present": true }));
        assert_eq!((bond["bond"].as_str(), bond.get("slave")), (Some("bond0"), None));
        let slave = &documents[1];
        assert_eq!(slave["@timestamp"], "2017-12-05T05:00:02.500000000Z");
        assert_eq!(slave["event"]["start"], "2017-12-05T05:00:01.000000000Z");
        assert_eq!(slave["event"]["duration"], 1_500_000_000);
        assert_eq!(slave["observer"]["ingress"]["interface"], json!({ "id": "4", "name": "eth1" }));
        assert_eq!((slave["linkprobe"]["slave"].as_str(), slave["linkprobe"]["bond"].as_str()), (Some("eth1"), Some("bond0")));
        let ingress = json!({
            "packets": 7,
            "frames": 5,
            "bytes": 4248,
            "classes": { "lacp": { "packets": 2, "frames": 2, "bytes": 248 }, "tcp4": { "packets": 5, "frames": 3, "bytes": 4000 } },
            "losses": { "samples_lost": 4 },
            "recorded": { "control": 0, "bulk": 0 },
            "repeats": 0,
            "samples": 0,
        });
        assert_eq!(slave["linkprobe"]["traffic"]["ingress"], ingress);
        let driver = &slave["linkprobe"]["traffic"]["driver"];
        assert_eq!((&driver["seconds"], &driver["rx"]["packets"], &driver["tx"]["bytes"]), (&json!(1.0), &json!(10), &json!(7)));
    }

    #[test]
    fn the_banner_names_this_machine() {
        let banner = banner(1_512_450_771_447_649_123);
        assert!(banner.starts_with("Linux ") && banner.ends_with(" CPU)\n") && banner.contains(") \t12/0"), "{banner:?}");
    }
}
