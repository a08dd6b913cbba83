//! The settings as they are given: by option on the command line, by key of the same name in a file. Nothing is filled in here.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;
use probe_core::filter::Filter;
use probe_core::logs::Pattern;
use probe_core::reach::{Loss, TargetSpec};
use probe_core::trigger::Kind;

use super::export::ExportSettings;
use super::lists::{parse_failure, parse_loss, parse_recovery, parse_sample, parse_target};
use super::recovery::RecoverySettings;
use super::units::{parse_duration, parse_filter, parse_size};

/// Options of `linkprobe run`.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub struct RunArgs {
    /// Read settings from a TOML file
    ///
    /// Its keys are the names of the options below: `before = "30s"`, `bond = ["bond0", "bond1"]`. An option on the command line
    /// wins over the file. `linkprobe check FILE` says what is wrong with a file and what is in effect.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Everything else, which a file may hold too.
    #[command(flatten)]
    pub settings: Settings,
}

/// Options of `linkprobe check`.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct CheckArgs {
    /// TOML file to check
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// What can be set, as far as it was.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Watch a bond and its slaves; may be given several times
    ///
    /// Slaves that are added, removed or renamed while Linkprobe runs are followed.
    #[arg(long, value_name = "NAME", help_heading = "What to watch")]
    pub bond: Option<Vec<String>>,
    /// Watch any other interface; may be given several times
    #[arg(long, value_name = "NAME", help_heading = "What to watch")]
    pub interface: Option<Vec<String>>,
    /// Where received frames are seen: auto, xdp, tc or xdp-generic [default: auto]
    ///
    /// auto takes native XDP where the driver has it and the hardware leaves VLAN tags in the frames, and tc otherwise; `linkprobe
    /// doctor` shows the choice. xdp-generic slows the interface down and is never chosen by itself.
    #[arg(long, value_name = "HOOK", value_parser = PossibleValuesParser::new(super::HOOKS), hide_possible_values = true, help_heading = "What to watch")]
    pub hook: Option<String>,

    /// Bytes of each frame that are recorded [default: 128, at least 64, at most 16384]
    #[arg(long, value_name = "BYTES", help_heading = "Recorder")]
    pub snaplen: Option<u32>,
    /// The same for control frames: LACP, ARP, routing… [default: snaplen, but at least 256]
    #[arg(long, value_name = "BYTES", help_heading = "Recorder")]
    pub control_snaplen: Option<u32>,
    /// Memory of the recorder, for all CPUs together [default: 64MiB]
    ///
    /// `linkprobe status` shows how many seconds it holds at the present rate.
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "Recorder")]
    pub memory: Option<u64>,
    /// Sample one frame in N for --sflow; auto by the interface's speed, 0 for none, also NAME=N for one interface [default: auto]
    ///
    /// auto is one in 1000 at 1 Gbit/s, one in 10000 at 10 Gbit/s. A list with commas: auto,eth1=400. Nothing is sampled without a collector.
    #[arg(long, value_name = "auto|N|NAME=N", value_delimiter = ',', value_parser = parse_sample, help_heading = "Collectors")]
    pub sample: Option<Vec<String>>,

    /// What opens an incident: a list with commas [default: what is bad, and manual]
    ///
    /// By default bond-down, slave-down, slave-removed, min-slaves, interface-down, lacp-down, lacp-partner, probe-down, storm,
    /// blackout, drops, log-failure and manual. There are also bond-up, slave-up, slave-added, interface-up, lacp-up, probe-up,
    /// storm-end, blackout-end, log-recovery, ghosts and rate. Those that are not in the list only join an incident that is open.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = PossibleValuesParser::new(Kind::NAMES), hide_possible_values = true, help_heading = "Triggers")]
    pub triggers: Option<Vec<String>>,
    /// Fire when a bond has fewer active slaves than this; 0 turns it off [default: 0]
    #[arg(long, value_name = "N", help_heading = "Triggers")]
    pub min_slaves: Option<u32>,
    /// Copies of one frame in a second that are a storm [default: 1000]
    ///
    /// Fewer may take a little longer to be told: it needs 256 copies at that rate.
    #[arg(long, value_name = "N", help_heading = "Triggers")]
    pub storm_rate: Option<u32>,
    /// Packets of one interface that the kernel drops for one reason in a second and that are a burst [default: 100]
    ///
    /// Only reasons that are a link's trouble count, such as a full queue.
    #[arg(long, value_name = "N", help_heading = "Triggers")]
    pub drop_burst: Option<u32>,
    /// After a trigger, count it instead of firing again for the same link for so long [default: 10s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Triggers")]
    pub cooldown: Option<Duration>,
    /// Ignore outages that are shorter: what goes down fires only when it has not come up by then [default: 0s]
    ///
    /// They are told on the timeline with their length. It is about links, bonds, slaves, LACP and probes that go down.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Triggers")]
    pub ignore_shorter: Option<Duration>,
    /// How far an incident reaches back before its first trigger [default: 30s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Triggers")]
    pub before: Option<Duration>,
    /// How far it goes on after its last trigger [default: 10s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Triggers")]
    pub after: Option<Duration>,
    /// Longest that an incident goes on, however many triggers join it [default: 5m]
    ///
    /// Counted from `before` on: it must be at least `before` and `after` together.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Triggers")]
    pub max_window: Option<Duration>,

    /// Probe a target: an address, or a name; may be given several times
    ///
    /// By ICMP echo: 10.0.80.11, 2001:db8::1; with %INTERFACE, through that interface whatever the routing table says. By ARP or
    /// neighbour discovery, which need an interface: arp:10.100.100.65%bond0.956, nd:fe80::1%bond0.
    #[arg(long, value_name = "TARGET", value_parser = parse_target, help_heading = "Probes")]
    pub target: Option<Vec<TargetSpec>>,
    /// Probe the next hops too: auto or off [default: auto]
    ///
    /// auto asks the gateways of the routes through the watched links and their VLANs, by ARP or neighbour discovery.
    #[arg(long, value_name = "auto|off", value_parser = PossibleValuesParser::new(super::NEXT_HOPS), hide_possible_values = true, help_heading = "Probes")]
    pub next_hop: Option<String>,
    /// Time between two probes of a target [default: 1s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Probes")]
    pub probe_interval: Option<Duration>,
    /// Time in which an answer counts [default: 1s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Probes")]
    pub probe_timeout: Option<Duration>,
    /// A target is down when K of its last N probes are lost, and up when K are answered again [default: 3/5]
    #[arg(long, value_name = "K/N", value_parser = parse_loss, help_heading = "Probes")]
    pub probe_loss: Option<Loss>,

    /// Follow the kernel's log [default: true]
    #[arg(long, value_name = "true|false", help_heading = "Logs")]
    pub kernel_log: Option<bool>,
    /// Follow a log file, through rotation; may be given several times
    #[arg(long, value_name = "FILE", help_heading = "Logs")]
    pub log_file: Option<Vec<PathBuf>>,
    /// Lines that tell of a failure: a trigger; may be given several times
    ///
    /// The regular expression is looked for anywhere in a line, as in `bgp-down=neighbor .* Down`. Known without it: bonding, drivers,
    /// keepalived, OSPF, BGP and BFD neighbours, and interfaces that daemons call down.
    #[arg(long, value_name = "NAME=REGEX", value_parser = parse_failure, help_heading = "Logs")]
    pub log_failure: Option<Vec<Pattern>>,
    /// Lines that tell of a recovery; may be given several times
    #[arg(long, value_name = "NAME=REGEX", value_parser = parse_recovery, help_heading = "Logs")]
    pub log_recovery: Option<Vec<Pattern>>,

    /// Where incidents are written, each a directory [default: /var/lib/linkprobe/incidents]
    #[arg(long, value_name = "DIR", help_heading = "Incidents")]
    pub incidents: Option<PathBuf>,
    /// Most bytes of packets in an incident's capture.pcapng [default: 4MiB]
    ///
    /// Control frames come first, then the packets nearest to the triggers; what does not fit is counted.
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "Incidents")]
    pub capture_limit: Option<u64>,
    /// Of ordinary packets, write only these into an incident: an expression of pcap-filter(7) [default: all]
    ///
    /// Control frames (LACP, ARP, routing…) and what is kept of repeats are written in any case. The rest is counted, and the verdict looks
    /// at it as far as --capture-limit has room. Not known: mpls, pppoed, pppoes, gateway, protochain, names of hosts and services.
    #[arg(long, value_name = "EXPR", value_parser = parse_filter, help_heading = "Incidents")]
    pub filter: Option<Filter>,
    /// Keep at most so many incidents; 0 for any number [default: 100]
    #[arg(long, value_name = "N", help_heading = "Incidents")]
    pub keep_incidents: Option<u32>,
    /// Keep at most so many bytes of incidents; 0 for any number [default: 1GiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "Incidents")]
    pub keep_bytes: Option<u64>,
    /// Keep incidents for so many days; 0 for ever [default: 90]
    #[arg(long, value_name = "DAYS", help_heading = "Incidents")]
    pub keep_days: Option<u32>,

    /// What is sent to collectors.
    #[command(flatten)]
    pub export: ExportSettings,
    /// What is done about an incident.
    #[command(flatten)]
    pub recovery: RecoverySettings,

    /// Name of this agent, where several run on one machine [default: default]
    #[arg(long, value_name = "NAME", help_heading = "Agent")]
    pub instance: Option<String>,
    /// Directory of locks and the control socket [default: /run/linkprobe]
    #[arg(long, value_name = "DIR", help_heading = "Agent")]
    pub run_dir: Option<PathBuf>,
    /// What is logged: off, error, warn, info, debug, or trace with what the kernel programs say [default: info]
    #[arg(long, value_name = "LEVEL", value_parser = PossibleValuesParser::new(super::LOG_LEVELS), hide_possible_values = true, help_heading = "Agent")]
    pub log: Option<String>,
}

impl Settings {
    /// These settings, and those of `below` where these have none.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        macro_rules! first {
            ($($field:ident),*) => {
                Self {
                    $($field: self.$field.or(below.$field),)*
                    export: self.export.over(below.export),
                    recovery: self.recovery.over(below.recovery),
                }
            }
        }
        first!(
            bond,
            interface,
            hook,
            snaplen,
            control_snaplen,
            memory,
            sample,
            triggers,
            min_slaves,
            storm_rate,
            drop_burst,
            cooldown,
            ignore_shorter,
            before,
            after,
            max_window,
            target,
            next_hop,
            probe_interval,
            probe_timeout,
            probe_loss,
            kernel_log,
            log_file,
            log_failure,
            log_recovery,
            incidents,
            capture_limit,
            filter,
            keep_incidents,
            keep_bytes,
            keep_days,
            instance,
            run_dir,
            log
        )
    }
}
