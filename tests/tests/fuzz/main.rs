//! Fuzzing of every parser of untrusted input: `cargo test --test fuzz` for some seconds, `cargo xtask fuzz --seconds N` for longer.
//!
//! Inputs are those of `tests/corpus/<target>`, and what a seeded generator makes of them by flipping, cutting, joining and overwriting.
//! A mutation loop of our own, because it runs with stable Rust inside `cargo test` and finds the same input again from the same seed;
//! coverage-guided fuzzers (cargo-fuzz, bolero's engines) need a nightly compiler. What is checked: nothing panics (overflows included,
//! the tests have them checked), nothing is read for ever, and what a target asserts.

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
