//! The log on standard error: one line per message, `linkprobe: ` before it.

use std::io::Write;

use log::{Level, LevelFilter};

/// The crate of the kernel programs, whose messages come through the loader.
const KERNEL_PROGRAMS: &str = "linkprobe_ebpf";
/// The loader. Below its warnings it tells of every symbol that it moves: hundreds of lines at each start.
const LOADER: &str = "aya";

/// Starts logging at `level`, the name of a level or `off`. Colour only on a terminal, and not with `NO_COLOR`.
pub fn start(level: &str) {
    let mut builder = env_logger::Builder::new();
    // What is logged is decided by [`set`], which can change it.
    builder.filter_level(LevelFilter::Trace).filter_module(LOADER, LevelFilter::Warn);
    builder.format(|out, record| {
        let style = out.default_level_style(record.level());
        let source = source(record.target());
        match record.level() {
            Level::Info => writeln!(out, "linkprobe: {source}{}", record.args()),
            level => writeln!(out, "linkprobe: {style}{}{style:#}: {source}{}", level.as_str().to_lowercase(), record.args()),
        }
    });
    // A second start, in a test, changes nothing.
    let _ = builder.try_init();
    set(level);
}

/// Goes on logging at another level.
pub fn set(level: &str) {
    log::set_max_level(level.parse().unwrap_or(LevelFilter::Info));
}

/// What stands before a message that is not the agent's own.
fn source(target: &str) -> &'static str {
    if target.split("::").next() == Some(KERNEL_PROGRAMS) { "in the kernel: " } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_programs_say_is_told_from_what_the_agent_says() {
        assert_eq!(source("linkprobe_ebpf::diag"), "in the kernel: ");
        assert_eq!(source("linkprobe_ebpf"), "in the kernel: ");
        assert_eq!(source("probe_user::agent"), "");
    }
}
