//! Lists whose items are checked one by one, so that each error has the place of its item.

use std::ops::Range;
use std::str::FromStr;

use probe_core::logs::Pattern;
use probe_core::reach::{Loss, TargetSpec};
use probe_core::recovery::Cause;
use probe_core::sampling::Sampling;
use toml::Spanned;
use toml::de::DeValue;

use super::export::{parse_json, parse_sar, parse_sflow, parse_syslog};
use super::units::quote;

/// What k of n may look like, for messages.
const LOSS_FORM: &str = "write 3/5 for three lost of the last five; allowed are 1/1 to 100/100";

/// What is wrong with the items of a key, each with its place. Other keys have none.
pub fn wrong_items(key: &str, value: &Spanned<DeValue<'_>>) -> Vec<(Range<usize>, String)> {
    let Some(check) = check_of(key) else { return Vec::new() };
    items(value).into_iter().filter_map(|item| Some((item.span(), check(item.get_ref().as_str()?).err()?))).collect()
}

/// Says what is wrong with an item.
type Check = fn(&str) -> Result<(), String>;

/// How an item of this key is checked.
fn check_of(key: &str) -> Option<Check> {
    match key {
        "target" => Some(|text| parse_target(text).map(drop)),
        "log-failure" | "log-recovery" => Some(|text| parse_failure(text).map(drop)),
        "syslog" => Some(|text| parse_syslog(text).map(drop)),
        "json" => Some(|text| parse_json(text).map(drop)),
        "sar" => Some(|text| parse_sar(text).map(drop)),
        "sflow" => Some(|text| parse_sflow(text).map(drop)),
        "sample" => Some(|text| parse_sample(text).map(drop)),
        "recover-on" | "command-on" => Some(|text| parse_reason(text).map(drop)),
        _ => None,
    }
}

fn items<'a, 'b>(value: &'a Spanned<DeValue<'b>>) -> Vec<&'a Spanned<DeValue<'b>>> {
    value.get_ref().as_array().map_or_else(|| vec![value], |listed| listed.iter().collect())
}

/// Reads a target.
///
/// # Errors
/// What is wrong with it, and what is allowed.
pub fn parse_target(text: &str) -> Result<TargetSpec, String> {
    TargetSpec::from_str(text).map_err(|error| error.to_string())
}

/// Reads a pattern of log lines that tell of a failure.
///
/// # Errors
/// What is wrong with it, and how it is written.
pub fn parse_failure(text: &str) -> Result<Pattern, String> {
    Pattern::parse(text, true).map_err(|error| error.to_string())
}

/// Reads a pattern of log lines that tell of a recovery.
///
/// # Errors
/// What is wrong with it, and how it is written.
pub fn parse_recovery(text: &str) -> Result<Pattern, String> {
    Pattern::parse(text, false).map_err(|error| error.to_string())
}

/// Reads for whom one frame in how many is sampled.
///
/// # Errors
/// What is allowed.
pub fn parse_sample(text: &str) -> Result<String, String> {
    Sampling::parse([text]).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// Reads the name of a finding or of a trigger.
///
/// # Errors
/// That there is none of that name, and which there are.
pub fn parse_reason(text: &str) -> Result<String, String> {
    text.parse::<Cause>().map(|cause| cause.name().to_owned()).map_err(|error| error.to_string())
}

/// Reads k of n: `3/5`.
///
/// # Errors
/// What is allowed.
pub fn parse_loss(text: &str) -> Result<Loss, String> {
    let numbers = text.split_once('/').and_then(|(k, n)| Some((k.trim().parse().ok()?, n.trim().parse().ok()?)));
    match numbers {
        Some((lost, of)) if (1..=of).contains(&lost) && of <= 100 => Ok(Loss { lost, of }),
        _ => Err(format!("{} is no k of n; {LOSS_FORM}", quote(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k_of_n_is_read_and_nonsense_refused() {
        assert_eq!(parse_loss("3/5"), Ok(Loss { lost: 3, of: 5 }));
        assert_eq!(parse_loss(" 1 / 1 "), Ok(Loss { lost: 1, of: 1 }));
        for text in ["", "3", "0/5", "6/5", "3/101", "-1/5", "3/5/7", "a/b", "99999999999/5"] {
            assert!(parse_loss(text).expect_err(text).contains("write 3/5"), "{text}");
        }
    }
}
