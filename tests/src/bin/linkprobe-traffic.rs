//! `linkprobe-traffic`: sends test traffic and tells its own numbers.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;
use linkprobe_tests::traffic::run::Run;
use linkprobe_tests::traffic::{Kind, Plan};

/// Sends frames on an interface and prints, as one line of JSON, how many of each kind, and when.
///
/// Every frame carries a sequence number and checksums, so that whoever records it can tell that it is whole.
/// The numbers are the sender's own: what the kernel took. It needs CAP_NET_RAW. SIGINT and SIGTERM end a run early, with its numbers.
///
/// Examples:
///
///   linkprobe-traffic -i eth0 --count 1000                       1000 UDP frames at 1000 a second
///
///   linkprobe-traffic -i eth0 --mix --rate 5000 --duration 10s   nine kinds in turn
///
///   linkprobe-traffic -i eth0 --kind vlan,qinq --count 200       two kinds in turn
///
///   linkprobe-traffic -i eth0 --flat-out --size 82 --duration 3s  the fastest rate, with the smallest frames
///
///   linkprobe-traffic -i eth0 --kind storm --flat-out            one frame, again and again, for a second
#[derive(Parser)]
#[command(version, verbatim_doc_comment)]
struct Arguments {
    /// Interface to send on.
    #[arg(short, long)]
    interface: String,
    /// Kinds to send, in turn from burst to burst.
    #[arg(short, long, value_delimiter = ',', default_value = "udp")]
    kind: Vec<Kind>,
    /// Nine kinds in turn: those that need no large MTU and no address, harm no partner and do not repeat themselves.
    #[arg(long, conflicts_with = "kind")]
    mix: bool,
    /// Frames in all.
    #[arg(short, long)]
    count: Option<u64>,
    /// Time in all, such as 500ms, 10s or 2m [default: 1s when there is no --count].
    #[arg(short, long, value_parser = duration)]
    duration: Option<Duration>,
    /// Frames a second, all kinds together.
    #[arg(short, long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    /// As fast as it goes.
    #[arg(long, conflicts_with = "rate")]
    flat_out: bool,
    /// Frames sent back to back [default: a thousandth of the rate, at least 1; 64 with --flat-out].
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    burst: Option<u16>,
    /// Bytes of a frame without FCS, tags included; of a segment for gso; a multiple of eight is kept of a fragment's payload
    /// [default: 256; 9000 for jumbo, 1414 for gso].
    #[arg(short, long)]
    size: Option<usize>,
    /// Put a VLAN tag with this id into every frame.
    #[arg(long, value_parser = clap::value_parser!(u16).range(0..=4094))]
    vlan: Option<u16>,
    /// Spread the frames over so many source MACs and ports.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    flows: u16,
    /// Destination MAC. The default belongs to nobody, so that no stack answers.
    #[arg(long, value_parser = mac, default_value = "02:4c:50:ff:00:01")]
    destination: Mac,
    /// Segments of a GSO packet.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    segments: u16,
    /// Send past the qdisc (PACKET_QDISC_BYPASS). Programs on tc egress do not see such frames.
    #[arg(long)]
    qdisc_bypass: bool,
    /// Number that every frame of this run carries [default: from the clock and the process].
    #[arg(long)]
    stream: Option<u32>,
}

type Mac = [u8; 6];

static STOP: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match send(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("linkprobe-traffic: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn send(arguments: Arguments) -> Result<()> {
    stop_at_signals();
    let rate = (!arguments.flat_out).then_some(arguments.rate);
    let burst = match (arguments.burst, rate) {
        (Some(burst), _) => burst.into(),
        (None, Some(rate)) => usize::try_from(rate / 1000)?.clamp(1, 1024),
        (None, None) => 64,
    };
    let run = Run {
        interface: arguments.interface,
        kinds: if arguments.mix { Kind::MIX.to_vec() } else { arguments.kind },
        plan: Plan {
            stream: arguments.stream.unwrap_or_else(any_stream),
            size: arguments.size,
            vlan: arguments.vlan,
            flows: arguments.flows,
            destination: arguments.destination,
            segments: arguments.segments,
        },
        count: arguments.count,
        duration: match (arguments.duration, arguments.count) {
            (None, None) => Some(Duration::from_secs(1)),
            (duration, _) => duration,
        },
        rate,
        burst,
        bypass: arguments.qdisc_bypass,
    };
    let numbers = run.go(&STOP)?;
    println!("{}", serde_json::to_string(&numbers)?);
    Ok(())
}

fn stop_at_signals() {
    extern "C" fn stop(_: libc::c_int) {
        STOP.store(true, Ordering::Relaxed);
    }
    let handler: extern "C" fn(libc::c_int) = stop;
    for signal in [libc::SIGINT, libc::SIGTERM] {
        // SAFETY: the handler only stores to an atomic, which a signal handler may do.
        unsafe { libc::signal(signal, handler as libc::sighandler_t) };
    }
}

fn any_stream() -> u32 {
    let now = linkprobe_tests::traffic::numbers::Moment::now();
    let mixed = now.wall_ns ^ u64::from(std::process::id()) << 20;
    u32::try_from(mixed >> 8 & 0xffff_ffff).unwrap_or(1)
}

fn duration(text: &str) -> Result<Duration> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: f64 = number.parse().with_context(|| format!("{text:?} does not begin with a number"))?;
    let seconds = match unit {
        "ms" => number / 1000.0,
        "" | "s" => number,
        "m" => number * 60.0,
        "h" => number * 3600.0,
        _ => bail!("the unit {unit:?} is none of ms, s, m, h"),
    };
    Duration::try_from_secs_f64(seconds).with_context(|| format!("{text:?} is no duration"))
}

fn mac(text: &str) -> Result<Mac> {
    let bytes = text
        .split(':')
        .map(|byte| u8::from_str_radix(byte, 16).with_context(|| format!("{byte:?} is no hexadecimal byte")))
        .collect::<Result<Vec<u8>>>()?;
    bytes.try_into().ok().context("a MAC has six bytes, such as 02:00:00:00:00:01")
}
