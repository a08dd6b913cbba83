//! `cargo xtask bench peers`: what Linkprobe costs and loses beside what one would use instead: tcpdump, dumpcap, xdpdump, and nothing.
//!
//! **The bed** ([`bed`]) is a veth pair. Frames are sent into one end on CPU 0, where the softirq of the other end takes them as well; the
//! peers, pinned to CPU 1, capture there. So what a frame costs the kernel is the CPU time of the sender's thread (which the softirq runs
//! on the account of) and of ksoftirqd/0, and what it costs a process is that process's own. Behind the peers the frames are taken out by a
//! filter, as if they were routed on.
//!
//! **The generator** ([`linkprobe_tests::live`]) was chosen by measurement (`--generators`; nanoseconds of CPU per packet that arrives at an
//! empty program, on the machine of the README): sendmmsg on an AF_PACKET socket 1850, live frames of BPF_PROG_TEST_RUN 495. The first
//! spends three quarters of the core on itself, and would hide what a peer adds. xdp-trafficgen sends live frames too, but has no rate, no
//! size, and at most 65,536 different frames, which look like a storm to whoever looks for repeats; version 1.3.1 does not load on kernels
//! whose BTF lacks `xdp_redirect_map_err`. So the program here is our own: it numbers each frame, and a hole in the numbers of a file is a
//! loss whatever the tool says.
//!
//! **The rounds** are interleaved: each measures every peer at every load once, one after the other, so that what slows the machine down
//! slows all; and what is compared is compared within its round. CPU time is what is measured, not the clock. A goal that is missed is told
//! and fails nothing.
//!
//! Linkprobe runs as it does by default, but that its window ends 50 ms after the trigger, and its file may take all that the recorder
//! holds: what is in that window must be in the file without a hole, and all packets must be counted.

mod arguments;
mod bed;
mod cell;
mod durable;
mod events;
mod generators;
mod goals;
mod machine;
mod peer;
mod plots;
mod results;
mod rounds;
mod scaling;
mod table;

use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;
use linkprobe_tests::live::generator::STOP;
use linkprobe_tests::live::{Length, cpu};
use serde_json::{Value, json};

use arguments::Arguments;
use bed::Port;
use cell::{CAPTURING, Load};
use peer::Linkprobe;
use results::Row;

fn main() -> ExitCode {
    end_at_signals();
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench peers: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    arguments.check()?;
    let cpus = cpu::usable();
    let machine = machine::line(cpus.len());
    // all that is started from here on is bound to it; the generators bind themselves to others
    cpu::pin(0, CAPTURING).context("this bench needs two CPUs, 0 and 1")?;
    eprintln!("{machine}");
    if arguments.generators {
        let rows = generators::measure(arguments.rounds(), arguments.length())?;
        if arguments.json {
            println!("{rows:#}");
        } else {
            generators::print(&rows);
        }
        return Ok(());
    }
    if arguments.durable {
        let measured = durable::measure(arguments.incidents())?;
        if arguments.json {
            println!("{measured:#}");
        } else {
            table::durable(&measured);
        }
        return Ok(());
    }
    let start = Instant::now();
    let loads = arguments.loads();
    let rows = rounds::compare(arguments, &loads)?;
    let incident = incident(arguments)?;
    let ready = ready(arguments)?;
    let whole = arguments.only.is_empty();
    let events = whole.then(|| events(arguments)).transpose()?;
    let durable = whole.then(|| progress("trigger to durable files", || durable::measure(arguments.incidents()))).transpose()?;
    let length = arguments.length();
    let scaling = whole.then(|| progress("scaling", || scaling::measure(arguments.rounds(), length, &cpus))).transpose()?;
    let goals = goals::goals(&rows, &incident, events.as_ref(), durable.as_ref());
    eprintln!("took {:.0} s", start.elapsed().as_secs_f64());
    if arguments.json {
        let result = json!({
            "machine": machine, "rounds": arguments.rounds(), "comparison": rows, "incident": incident, "ready": ready, "events": events,
            "durable": durable, "scaling": scaling, "goals": goals,
        });
        println!("{result:#}");
        return plot(arguments, &rows, &incident, events.as_ref(), &machine);
    }
    println!("On {machine}\n");
    table::comparison(&rows, arguments.rounds());
    table::incident(&incident, arguments.storm());
    let incident_bytes =
        incident.iter().find(|row| row.peer == peer::LINKPROBE).and_then(|row| row.bytes).map(|bytes| bytes.median);
    let steady = loads.iter().find(|load| load.size == Some(512)).or_else(|| loads.iter().find(|load| load.rate.is_some()));
    if let Some((load, rate)) = steady.and_then(|load| Some((load, load.rate?))) {
        table::per_day(&rows, load.name, rate, incident_bytes);
    }
    table::ready(&ready, READY.rate.unwrap_or(1));
    events.iter().flat_map(Value::as_array).flatten().for_each(table::events);
    durable.iter().for_each(table::durable);
    scaling.iter().for_each(table::scaling);
    table::goals(&goals);
    plot(arguments, &rows, &incident, events.as_ref(), &machine)
}

/// Draws what was measured, where that is wanted. Last: whatever is wrong with the directory, the figures have been shown.
fn plot(arguments: &Arguments, rows: &[Row], incident: &[Row], events: Option<&Value>, machine: &str) -> Result<()> {
    let Some(dir) = &arguments.plots else { return Ok(()) };
    // cargo runs a bench in the directory of its package
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(dir);
    std::fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
    plots::write(&dir, rows, incident, events, machine)
}

/// What the reference incident's packets leave on the disk, once for each peer that captures. Nobody but Linkprobe keeps less of a frame
/// that comes again, so for them bytes go with packets.
fn incident(arguments: &Arguments) -> Result<Vec<Row>> {
    // the window reaches back and goes on as by default, but that it ends sooner
    let linkprobe = Linkprobe { options: "--hook xdp --after 2s", after: Duration::from_secs(2) };
    let load = Load { name: INCIDENT, rate: Some(STORM_RATE), size: None };
    let length = Length::Frames(arguments.storm());
    // the storm is over two seconds after its last copy, and the window two seconds later: judging and writing are to be counted too
    let drain = Duration::from_secs(6);
    rounds::once(arguments, &linkprobe, load, length, Some(drain), 1)
}

/// A fault at a middling rate, at which nothing is lost for want of time: whoever wants the file gets it as it is.
fn ready(arguments: &Arguments) -> Result<Vec<Row>> {
    let length = Length::Time(Duration::from_secs_f64(1.5));
    let linkprobe = Linkprobe { options: "--hook xdp --after 50ms", ..Linkprobe::default() };
    rounds::once(arguments, &linkprobe, READY, length, Some(Duration::ZERO), arguments.rounds())
}

/// Name of the load of [`incident`].
const INCIDENT: &str = "reference incident";
/// The load of [`ready`].
const READY: Load = Load { name: "a fault", rate: Some(10_000), size: Some(512) };
/// Packets a second of the reference incident's first seconds.
pub const STORM_RATE: u32 = 370_000;

/// First of a link whose changes the kernel tells at once, then of one that it does not.
fn events(arguments: &Arguments) -> Result<Value> {
    let one = |port| events::measure(arguments.flips(), arguments.seed, port);
    progress("carrier flips", || Ok(json!([one(Port::Stacked)?, one(Port::Plain)?])))
}

/// Runs a part, and says so.
fn progress<T>(what: &str, run: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("{what}");
    run().with_context(|| what.to_owned())
}

/// At SIGINT and SIGTERM the generators end, with an error: what was started and made is taken away on the way out.
fn end_at_signals() {
    extern "C" fn stop(_: libc::c_int) {
        STOP.store(true, Ordering::Relaxed);
    }
    let handler: extern "C" fn(libc::c_int) = stop;
    for signal in [libc::SIGINT, libc::SIGTERM] {
        // SAFETY: the handler only stores to an atomic, which a signal handler may do.
        unsafe { libc::signal(signal, handler as libc::sighandler_t) };
    }
}
