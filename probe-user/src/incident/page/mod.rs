//! `report.html`: the incident for a person with a browser, in one file that opens from disk and asks nobody for anything.
//!
//! It is a template, a style sheet, a plotting library and some scripts, with incident.json in the middle. The scripts show what is in
//! the document and draw it; all that decides was decided before.
//!
//! Names, reasons and lines of logs come from outside. Two things keep them text: the document is escaped so that nothing in it
//! can end its element, and the scripts put text into the page as text only.

use serde_json::Value;

const TEMPLATE: &str = include_str!("template.html");
const STYLES: [&str; 4] =
    [include_str!("uplot/uPlot.min.css"), include_str!("style.css"), include_str!("plots.css"), include_str!("print.css")];
const LICENCE: &str = include_str!("uplot/LICENSE");
/// In the order in which they need each other.
const SCRIPTS: [&str; 15] = [
    include_str!("uplot/uPlot.iife.min.js"),
    include_str!("base.js"),
    include_str!("time.js"),
    include_str!("theme.js"),
    include_str!("events.js"),
    include_str!("states.js"),
    include_str!("axis.js"),
    include_str!("lanes.js"),
    include_str!("normal.js"),
    include_str!("plots.js"),
    include_str!("verdict.js"),
    include_str!("matrix.js"),
    include_str!("tables.js"),
    include_str!("timeline.js"),
    include_str!("main.js"),
];

/// The page of an incident, from its document ([`super::json::document`]).
pub fn page(document: &Value) -> String {
    let field = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
    let scripts = SCRIPTS.map(|script| format!("<script>\n{script}\n</script>\n")).concat();
    fill(TEMPLATE, &|name| match name {
        "title" => html(field("headline")),
        "host" => html(field("host")),
        "style" => STYLES.join("\n"),
        "licence" => html(LICENCE),
        "document" => inert(&document.to_string()),
        "scripts" => scripts.clone(),
        _ => String::new(),
    })
}

/// The template with each `{{name}}` replaced. What is put in is not looked at again.
fn fill(template: &str, value: &dyn Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, (name, after))) = rest.split_once("{{").and_then(|(b, r)| Some((b, r.split_once("}}")?))) {
        out.push_str(before);
        out.push_str(&value(name));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// JSON in which no character means anything to HTML: `<`, `>` and `&` stand in strings only, where JSON has another way to write
/// them. So neither `</script>` nor `<!--` can be in it. The separators would end a line of JavaScript before ES2019.
fn inert(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + json.len() / 16);
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            other => out.push(other),
        }
    }
    out
}

/// Text as HTML shows it.
fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NASTY: &str = "</script><script>alert(1)</script><!-- <b>\" ' & \u{2028} {{scripts}} ]]>";

    /// Text of the element that holds the document.
    fn document_of(page: &str) -> &str {
        let (_, rest) = page.split_once(r#"<script type="application/json" id="incident">"#).expect("an element");
        rest.split_once("</script>").expect("its end").0
    }

    #[test]
    fn whatever_is_in_names_and_lines_the_document_stays_one_element_and_reads_back() {
        let document = json!({
            "headline": NASTY, "host": NASTY, "timeline": [{ "text": NASTY, "link": { "name": NASTY } }],
            "triggers": [{ "text": NASTY }], NASTY: 1
        });
        let page = page(&document);
        let plain = super::page(&json!({}));
        for mark in ["<script", "</script", "<!--", "<b>", "\u{2028}"] {
            // Where HTML reads text, a separator is a character like others.
            let added = page.matches(mark).count() - plain.matches(mark).count();
            assert_eq!(added, if mark == "\u{2028}" { 3 } else { 0 }, "{mark:?}");
        }
        let read: Value = serde_json::from_str(document_of(&page)).expect("JSON");
        assert_eq!(read, document);
    }

    #[test]
    fn the_page_asks_nobody_for_anything() {
        let page = page(&json!({ "headline": "x" }));
        for mark in ["src=", "href=\"http", "url(", "@import", "fetch(", "XMLHttpRequest", "WebSocket", "sendBeacon", "<link"] {
            assert!(!page.contains(mark), "{mark}");
        }
        let addresses: Vec<&str> =
            page.split("http").skip(1).filter(|rest| rest.starts_with("://") || rest.starts_with("s://")).collect();
        let of_the_library = |rest: &&str| rest.starts_with("s://github.com/leeoniya/uPlot");
        assert!(addresses.iter().all(of_the_library), "a comment names the library, nothing else");
        assert!(page.contains("default-src 'none'"), "and the browser sees to it");
    }

    #[test]
    fn the_page_has_its_sections_its_library_and_the_librarys_licence() {
        let page = page(&json!({ "headline": "bond0: carrier lost" }));
        assert!(page.starts_with("<!doctype html>") && page.contains("<title>bond0: carrier lost"), "{}", &page[..200]);
        for id in ["verdict", "axis", "normal", "matrix", "repeats", "drops", "links", "losses", "timeline", "capture"] {
            assert!(page.contains(&format!("<section id=\"{id}\"")), "{id}");
        }
        assert!(page.contains("var uPlot=") && page.contains("Copyright (c) 2022 Leon Sorokin"));
        assert!(!page.contains("{{"), "every placeholder is filled");
        let named = TEMPLATE.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(name, _)| name);
        assert_eq!(named.collect::<Vec<_>>(), ["title", "host", "style", "title", "licence", "document", "scripts"]);
    }

    #[test]
    fn no_script_uses_what_makes_text_into_html() {
        for script in &SCRIPTS[1..] {
            for call in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"] {
                assert!(!script.contains(call), "{call}");
            }
            assert!(script.lines().count() < 400);
        }
    }
}
