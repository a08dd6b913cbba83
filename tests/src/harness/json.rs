//! Looking into JSON that the agent wrote.

use anyhow::{Context, Result};
use serde_json::Value;

/// The value at a JSON pointer (RFC 6901).
///
/// # Errors
/// When there is none: with the document.
pub fn at<'a>(value: &'a Value, pointer: &str) -> Result<&'a Value> {
    value.pointer(pointer).with_context(|| format!("no {pointer} in {value:#}"))
}

/// The list at a JSON pointer.
///
/// # Errors
/// When there is none: with the document.
pub fn list<'a>(value: &'a Value, pointer: &str) -> Result<&'a [Value]> {
    at(value, pointer)?.as_array().map(Vec::as_slice).with_context(|| format!("{pointer} is no list in {value:#}"))
}

/// The text at a JSON pointer.
///
/// # Errors
/// When there is none: with the document.
pub fn text<'a>(value: &'a Value, pointer: &str) -> Result<&'a str> {
    at(value, pointer)?.as_str().with_context(|| format!("{pointer} is no text in {value:#}"))
}

/// The number at a JSON pointer.
///
/// # Errors
/// When there is none: with the document.
pub fn number(value: &Value, pointer: &str) -> Result<u64> {
    at(value, pointer)?.as_u64().with_context(|| format!("{pointer} is no number in {value:#}"))
}
