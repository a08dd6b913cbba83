//! `linkprobe`: the command line.

fn main() {}
