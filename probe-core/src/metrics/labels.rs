//! Labels, as they are written.

use std::fmt::Write as _;

/// The labels of one sample, escaped and in their order: `interface="eth1",role="slave"`. Both formats write them alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Labels(String);

impl Labels {
    /// None.
    pub fn none() -> Self {
        Self::default()
    }

    /// These and one more. `name` is a constant of ours that both formats take; `value` may be anything.
    #[must_use]
    pub fn and(&self, name: &'static str, value: &str) -> Self {
        let mut text = String::with_capacity(self.0.len() + name.len() + value.len() + 4);
        text.push_str(&self.0);
        if !text.is_empty() {
            text.push(',');
        }
        // A String takes everything.
        let _ = write!(text, "{name}=\"");
        escape(&mut text, value, true);
        text.push('"');
        Self(text)
    }

    /// As they are written between braces.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Appends a text with what ends lines or values escaped; quotes too where `quotes` is set.
pub fn escape(to: &mut String, text: &str, quotes: bool) {
    for character in text.chars() {
        match character {
            '\\' => to.push_str("\\\\"),
            '\n' => to.push_str("\\n"),
            '"' if quotes => to.push_str("\\\""),
            character => to.push(character),
        }
    }
}
