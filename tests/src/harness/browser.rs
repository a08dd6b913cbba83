//! Chromium without a window: what becomes of a page when its scripts have run, and what it looks like.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::command::{Ended, end};
use super::scratch::{Scratch, unique};

/// Time that a page gets, milliseconds of its own clock: it does not wait where nothing happens.
const BUDGET_MS: u32 = 10_000;

/// A page after its scripts have run.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Its elements, as HTML.
    pub dom: String,
    /// What it and the browser said.
    pub log: String,
}

/// How a page is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Width of the window, pixels: at least 500, the browser makes none smaller ([`phone`]).
    pub width: u32,
    /// Height of the window, pixels.
    pub height: u32,
    /// The user likes it dark.
    pub dark: bool,
}

/// Loads a page and gives it time.
///
/// # Errors
/// When the browser does not start, or fails.
pub fn load(page: &Path, scratch: &Scratch) -> Result<Loaded> {
    let look = Look { width: 1280, height: 1000, dark: false };
    let ended = browse(page, scratch, look, &["--enable-logging=stderr", "--dump-dom"])?;
    Ok(Loaded { dom: ended.out, log: ended.err })
}

/// Takes a picture of a page from its top, into `name` in the scratch directory.
///
/// # Errors
/// When the browser fails, or the picture has another size or is as good as empty.
pub fn picture(page: &Path, scratch: &Scratch, look: Look, name: &str) -> Result<PathBuf> {
    let path = scratch.path().join(name);
    browse(page, scratch, look, &[&format!("--screenshot={}", path.display()), "--hide-scrollbars"])?;
    let png = fs::read(&path).with_context(|| path.display().to_string())?;
    // A PNG begins with 8 bytes of its own, then the first chunk's length and name, then width and height.
    let number = |at: usize| png.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes);
    ensure!((number(16), number(20)) == (Some(look.width), Some(look.height)), "{}: another size", path.display());
    // What has one colour is a few kilobytes.
    let least = u64::from(look.width) * u64::from(look.height) / 50;
    ensure!(png.len() as u64 > least, "{}: {} bytes: there is next to nothing on it", path.display(), png.len());
    Ok(path)
}

/// A page on paper.
#[derive(Clone, Debug)]
pub struct Printed {
    /// Its sheets.
    pub sheets: usize,
    /// Its bytes.
    pub bytes: usize,
    /// What can be read on it; `None` where there is no `pdftotext` (poppler-utils).
    pub text: Option<String>,
}

/// Prints a page into a PDF.
///
/// # Errors
/// When the browser fails, or what it made is no PDF.
pub fn print(page: &Path, scratch: &Scratch) -> Result<Printed> {
    let path = scratch.path().join(unique("print"));
    let look = Look { width: 1280, height: 1000, dark: true };
    browse(page, scratch, look, &[&format!("--print-to-pdf={}", path.display()), "--no-pdf-header-footer"])?;
    let pdf = fs::read(&path).with_context(|| path.display().to_string())?;
    ensure!(pdf.starts_with(b"%PDF-"), "{}: no PDF", path.display());
    // Each sheet is an object of its own, whose dictionary the browser does not compress.
    let kind = b"/Type /Page";
    let sheets = pdf.windows(kind.len() + 1).filter(|at| at.starts_with(kind) && at[kind.len()].is_ascii_whitespace()).count();
    let read = Command::new("pdftotext").arg("-layout").arg(&path).arg("-").output().ok().filter(|read| read.status.success());
    let text = read.map(|read| String::from_utf8_lossy(&read.stdout).into_owned());
    Ok(Printed { sheets, bytes: pdf.len(), text })
}

/// A page that is `page` and runs `script` once all is there.
///
/// # Errors
/// When it cannot be read or written.
pub fn with_script(page: &Path, script: &str, scratch: &Scratch) -> Result<PathBuf> {
    let inner = fs::read_to_string(page)?;
    let (before, after) = inner.rsplit_once("</body>").context("a page without an end")?;
    let path = scratch.path().join(format!("{}.html", unique("scripted")));
    fs::write(&path, format!("{before}<script>{script}</script></body>{after}"))?;
    Ok(path)
}

/// A page that shows `page` as on a phone of so many pixels, and takes over its attributes: `data-…` of its root, and `data-excess`,
/// the pixels by which it is wider than its window.
///
/// # Errors
/// When it cannot be read or written.
pub fn phone(page: &Path, width: u32, scratch: &Scratch) -> Result<PathBuf> {
    let inner = fs::read_to_string(page)?.replace('&', "&amp;").replace('"', "&quot;");
    let path = scratch.path().join(format!("phone-{width}.html"));
    let script = "const frame = document.querySelector('iframe'); frame.addEventListener('load', () => setTimeout(() => { \
                  const root = frame.contentDocument.documentElement; \
                  Object.assign(document.documentElement.dataset, root.dataset); \
                  document.documentElement.dataset.excess = root.scrollWidth - root.clientWidth; }, 1000));";
    let html = format!(
        "<!doctype html><meta charset=utf-8><body style=\"margin:0\"><iframe style=\"border:0\" width={width} height=4000 srcdoc=\"{inner}\">\
         </iframe><script>{script}</script>"
    );
    fs::write(&path, html)?;
    Ok(path)
}

fn browse(page: &Path, scratch: &Scratch, look: Look, options: &[&str]) -> Result<Ended> {
    let profile = scratch.path().join(unique("profile"));
    let mut command = Command::new("chromium");
    // As root there is no sandbox; the page is our own.
    command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]);
    command.arg(format!("--user-data-dir={}", profile.display()));
    command.arg(format!("--window-size={},{}", look.width, look.height));
    command.arg(format!("--virtual-time-budget={BUDGET_MS}"));
    command.arg(format!("--blink-settings=preferredColorScheme={}", u8::from(!look.dark)));
    command.args(options).arg(format!("file://{}", page.display()));
    let ended = end(&mut command).context("this test looks at pages with a browser: apt-get install chromium")?;
    ensure!(ended.code == Some(0), "chromium ended with {:?}: {}", ended.code, ended.err);
    // A profile has megabytes.
    let _ = fs::remove_dir_all(&profile);
    Ok(ended)
}

impl Loaded {
    /// `data-NAME` of the page's root.
    ///
    /// # Errors
    /// When there is none: with what the page said.
    pub fn data(&self, name: &str) -> Result<&str> {
        let root = self.dom.find("<html").and_then(|at| self.dom[at..].split('>').next()).unwrap_or_default();
        let found = root.split_once(&format!(" data-{name}=\"")).and_then(|(_, rest)| rest.split('"').next());
        found.with_context(|| format!("no data-{name} in {root}; the browser said: {}", self.said().join("\n")))
    }

    /// A number in `data-NAME`.
    ///
    /// # Errors
    /// See [`Loaded::data`]; when it is no number.
    pub fn number(&self, name: &str) -> Result<u64> {
        let text = self.data(name)?;
        text.parse().with_context(|| format!("data-{name} is {text:?}"))
    }

    /// Lines that the page itself said: errors of its scripts, and what it was refused.
    pub fn said(&self) -> Vec<&str> {
        self.log.lines().filter(|line| line.contains(":CONSOLE")).collect()
    }
}
