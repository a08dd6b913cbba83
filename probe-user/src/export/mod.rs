//! What is sent out: events, traffic and samples, to receivers that may be slow or gone.

pub mod spec;
