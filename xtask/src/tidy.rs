//! Rules about the source's text that no compiler checks. `cargo xtask test` runs them.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::exec::quiet;
use crate::paths;

/// Files of this many lines are too long: one idea a file.
const TOO_LONG: usize = 400;

/// Checks every file that git knows or would add.
///
/// # Errors
/// All that is wrong, one `file:line: what` each.
pub fn check() -> Result<()> {
    let repo = paths::repo();
    let mut git = Command::new("git");
    // a checkout of another user's is as good: nothing of it is run by git
    git.current_dir(&repo).args(["-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard"]);
    let files = quiet(&mut git)?;
    let mut wrong = Vec::new();
    for file in files.lines().filter(|file| repo.join(file).is_file()) {
        let bytes = fs::read(repo.join(file)).with_context(|| format!("cannot read {file}"))?;
        // captures and the like are not prose
        if let Ok(text) = String::from_utf8(bytes) {
            wrong.extend(complaints(file, &text));
        }
    }
    if wrong.is_empty() { Ok(()) } else { bail!("tidy: {} complaints\n{}", wrong.len(), wrong.join("\n")) }
}

/// What is wrong with the file's text.
fn complaints(file: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut complain = |what: &str| wrong.push(format!("{file}:{}: {what}", index + 1));
        // the lock files hold what cargo writes, and hashes that look like anything
        if !file.ends_with(".lock") && names_a_place(line) {
            complain("names a directory of one machine");
        }
        if file.ends_with(".rs") && unfinished(line) {
            complain("left to do");
        }
    }
    if file.ends_with(".rs") {
        let lines: Vec<&str> = text.lines().collect();
        if lines.len() >= TOO_LONG {
            wrong.push(format!("{file}: {} lines, {TOO_LONG} are too many", lines.len()));
        }
        for (index, line) in lines.iter().enumerate() {
            if has_unsafe(line) && !is_justified(&lines, index) {
                wrong.push(format!("{file}:{}: unsafe without a SAFETY comment above it", index + 1));
            }
        }
    }
    if !text.is_empty() && !text.ends_with('\n') && is_source(file) {
        wrong.push(format!("{file}: no newline at the end"));
    }
    wrong
}

fn is_source(file: &str) -> bool {
    let extension = Path::new(file).extension().unwrap_or_default();
    ["rs", "sh", "md", "toml"].iter().any(|source| extension == *source)
}

// the words are put together here, so that this file does not complain of itself
fn names_a_place(line: &str) -> bool {
    [concat!("/ho", "me/"), concat!("/wo", "rk/"), concat!("/ro", "ot/.")].iter().any(|place| line.contains(place))
}

fn unfinished(line: &str) -> bool {
    [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("to", "do!("), concat!("unimple", "mented!(")]
        .iter()
        .any(|word| {
            line.split(|c: char| !c.is_alphanumeric() && c != '!' && c != '(')
                .any(|part| part == *word || (word.ends_with('(') && part.starts_with(word)))
        })
}

/// An `unsafe` block or impl in code; a declaration (`unsafe fn`, `unsafe extern`) says its contract in its own doc comment.
fn has_unsafe(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    ["unsafe {", "unsafe impl"].iter().any(|start| {
        // not inside a string
        code.find(start).is_some_and(|at| code[..at].replace("\\\"", "").matches('"').count().is_multiple_of(2))
    })
}

/// A SAFETY comment on the line, or right above the statement that the line is part of.
fn is_justified(lines: &[&str], index: usize) -> bool {
    const MARK: &str = "SAFETY:";
    let above = lines[..index].iter().rev().take(12);
    let mut seen_comment = false;
    lines[index].contains(MARK)
        || above
            .take_while(|line| {
                let line = line.trim_start();
                let comment = line.starts_with("//") || line.starts_with("#[");
                // a statement may begin some lines above its unsafe block; the comment is above its beginning
                let inside = !seen_comment && !line.is_empty() && !line.ends_with(';') && !line.ends_with('}');
                seen_comment |= comment;
                comment || inside
            })
            .any(|line| line.contains(MARK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unsafe_block_needs_its_reason_above() {
        let bare = "fn f() {\n    unsafe { g() }\n}\n";
        assert_eq!(complaints("a.rs", bare), ["a.rs:2: unsafe without a SAFETY comment above it"]);
        let reasoned =
            "fn f() {\n    // SAFETY: g has no contract,\n    // as its doc says\n    let x =\n        unsafe { g() };\n}\n";
        assert!(complaints("a.rs", reasoned).is_empty());
        let one_for_two = "// SAFETY: ok\nlet a = unsafe { g() };\nlet b = unsafe { g() };\n";
        assert_eq!(complaints("a.rs", one_for_two).len(), 1);
        assert!(complaints("a.rs", "let s = \"unsafe { }\";\n").is_empty());
    }

    #[test]
    fn what_is_left_to_do_is_found_as_a_word() {
        let line = concat!("    // TO", "DO: later\n");
        assert_eq!(complaints("a.rs", line), ["a.rs:1: left to do"]);
        assert_eq!(complaints("a.rs", concat!("    to", "do!()\n")).len(), 1);
        assert!(complaints("a.rs", concat!("let TO", "DOS = 1;\n")).is_empty());
    }

    #[test]
    fn a_file_of_400_lines_is_too_long() {
        assert!(complaints("a.rs", &"\n".repeat(399)).is_empty());
        assert_eq!(complaints("a.rs", &"\n".repeat(400)), ["a.rs: 400 lines, 400 are too many"]);
        assert!(complaints("a.md", &"\n".repeat(500)).is_empty());
    }

    #[test]
    fn a_directory_of_one_machine_is_found_in_any_file() {
        let line = concat!("cd /ho", "me/jane/src\n");
        assert_eq!(complaints("README.md", line), ["README.md:1: names a directory of one machine"]);
    }
}
