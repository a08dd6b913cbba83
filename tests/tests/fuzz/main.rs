//! Fuzzing of every parser of untrusted input: `cargo test --test fuzz` for some seconds, `cargo xtask fuzz --seconds N` for longer.
//!
//! Inputs are those of `tests/corpus/<target>`, and what a seeded generator makes of them by flipping, cutting, joining and overwriting.
//! A mutation loop of our own, because it runs with stable Rust inside `cargo test` and finds the same input again from the same seed;
//! coverage-guided fuzzers (cargo-fuzz, bolero's engines) need a nightly compiler. What is checked: nothing panics (overflows included,
//! the tests have them checked), nothing is read for ever, and what a target asserts.

mod answers;
mod flight;
mod logs;
mod mutate;
mod run;
mod targets;

use run::fuzz;

#[test]
fn frames_of_any_bytes_are_described_classified_and_observed() {
    fuzz("frame", targets::frame);
}

#[test]
fn lacpdus_of_any_bytes_are_decoded_or_refused() {
    fuzz("lacpdu", targets::lacpdu);
}

#[test]
fn netlink_datagrams_of_any_bytes_are_decoded_or_refused() {
    fuzz("netlink", targets::netlink);
}

#[test]
fn answers_of_any_bytes_to_probes_are_taken_or_refused() {
    fuzz("answer", answers::probe);
}

#[test]
fn routes_addresses_and_counters_of_any_bytes_are_decoded_or_refused() {
    fuzz("network", answers::network);
}

#[test]
fn logs_of_any_bytes_are_lines_whatever_the_pieces_that_they_come_in() {
    fuzz("log", logs::log);
}

#[test]
fn flights_through_any_lacpdus_never_want_to_be_told_the_time_again_at_once() {
    fuzz("flight", flight::flight);
}

#[test]
fn copies_of_the_recorder_of_any_bytes_are_read_as_far_as_they_go() {
    fuzz("record", targets::record);
}

#[test]
fn captures_of_any_bytes_are_walked_and_replayed_as_far_as_they_go() {
    fuzz("dump", targets::dump);
}

#[test]
fn packed_captures_of_any_bytes_are_read_as_far_as_they_go() {
    fuzz("packed", targets::packed);
}

#[test]
fn filters_of_any_text_are_read_or_refused_with_a_column() {
    fuzz("filter", targets::filter);
}

#[test]
fn configuration_files_of_any_text_are_read_or_refused_with_a_place() {
    fuzz("config", targets::config);
}

/// Else the parsers of single keys are never reached.
#[test]
fn the_corpus_has_a_configuration_file_that_sets_what_can_be_set_and_is_taken() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/config/full.toml");
    let config = probe_user::config::check(&path).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!((config.targets.len(), config.log_patterns.len(), config.filter.is_some()), (5, 3, true));
}
