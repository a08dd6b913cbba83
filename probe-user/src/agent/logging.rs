//! The log on standard error: one line per message, `linkprobe: ` before it.

use std::io::Write;

use log::Level;

/// Starts logging at `level`, the name of a level or `off`. Colour only on a terminal, and not with `NO_COLOR`.
pub fn start(level: &str) {
    let mut builder = env_logger::Builder::new();
    builder.parse_filters(level);
    builder.format(|out, record| {
        let style = out.default_level_style(record.level());
        match record.level() {
            Level::Info => writeln!(out, "linkprobe: {}", record.args()),
            level => writeln!(out, "linkprobe: {style}{}{style:#}: {}", level.as_str().to_lowercase(), record.args()),
        }
    });
    // A second start, in a test, changes nothing.
    let _ = builder.try_init();
}
