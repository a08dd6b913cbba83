//! Runs a target over its corpus and over what is made of it.
//!
//! `LINKPROBE_FUZZ_SECONDS`: for how long, for each target (else 1). `LINKPROBE_FUZZ_SEED`: where the random numbers begin (else 1).
//! `LINKPROBE_FUZZ_INPUT`: a file; only this input is run.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs, panic};

use super::mutate::{Random, mutated};

/// Inputs that are run even on a machine that has no time.
const LEAST: u64 = 500;
/// No input may take longer than this.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs one target.
pub fn fuzz(name: &str, target: fn(&[u8])) {
    if let Some(path) = env::var_os("LINKPROBE_FUZZ_INPUT") {
        return target(&fs::read(&path).expect("the input"));
    }
    let corpus = corpus(name);
    assert!(!corpus.is_empty(), "no corpus for {name}");
    corpus.iter().for_each(|input| one(name, target, input));
    let number = |variable: &str| env::var(variable).ok().and_then(|text| text.parse::<u64>().ok());
    let end = Instant::now() + Duration::from_secs(number("LINKPROBE_FUZZ_SECONDS").unwrap_or(1));
    let mut random = Random::new(number("LINKPROBE_FUZZ_SEED").unwrap_or(1));
    let mut count = 0u64;
    while count < LEAST || Instant::now() < end {
        one(name, target, &mutated(&corpus, &mut random));
        count += 1;
    }
    eprintln!("{name}: {count} inputs made of {}", corpus.len());
}

/// Runs one input; where it panics, the input is kept and named.
fn one(name: &str, target: fn(&[u8]), input: &[u8]) {
    let start = Instant::now();
    let outcome = panic::catch_unwind(|| target(input));
    let slow = start.elapsed() > PATIENCE;
    if outcome.is_ok() && !slow {
        return;
    }
    let path = env::temp_dir().join(format!("linkprobe-fuzz-{name}-{}", std::process::id()));
    fs::write(&path, input).expect("a place for the input");
    eprintln!("{name}: LINKPROBE_FUZZ_INPUT={} shows it again", path.display());
    match outcome {
        Err(cause) => panic::resume_unwind(cause),
        Ok(()) => panic!("{name}: {} bytes took {:?}", input.len(), start.elapsed()),
    }
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = match name {
        // What a kernel said, and the decoder's own tests read.
        "netlink" => tests.join("../probe-core/src/netlink/fixtures"),
        name => tests.join("corpus").join(name),
    };
    let entries = fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a readable corpus")).collect()
}
