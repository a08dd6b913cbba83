//! Tells a receiver what it did not get.

use probe_core::notice::{Dropped, Notice};

use super::format::{Encoder, Message};
use super::shared::Shared;
use crate::clock;
use crate::incident::wall;

/// A message about what was lost since the last one, if anything was. Where it cannot be sent, what it tells is to be given back.
pub fn message(shared: &Shared, encoder: &Encoder) -> Option<(Message, Dropped)> {
    let lost = shared.take_lost()?;
    let why = match shared.state() {
        (_, Some(error)) => format!("the queue was full, and the last error was: {error}"),
        (_, None) => "the queue was full".to_owned(),
    };
    let [from, to] = [lost.first_ns, lost.last_ns].map(wall::rfc3339_micros);
    let now_ns = clock::wall_offset().wall_ns(clock::now());
    let notice = Notice::of_dropped(now_ns, lost, &from, &to, &why);
    Some((encoder.notice(&notice, shared.number()).0, lost))
}
