"use strict";
// The whole timeline as a list, to search and to filter. Long ones are shown in part until asked for.
lp.timeline = (() => {
  const { h, time, events } = lp;
  const FIRST = 250;
  const entries = events.entries;
  let most = FIRST;
  let shown = [];
  const body = h("tbody", {});
  const status = h("p", { class: "hint", role: "status" });
  const more = h("button", { type: "button", class: "more", onclick: () => { most = Infinity; show(); } });
  const search = h("input", { type: "search", placeholder: "Search", "aria-label": "Search the timeline", oninput: () => filter() });
  const link = h("select", { "aria-label": "Link", onchange: () => filter() }, h("option", { value: "" }, "all links"),
    [...new Set(entries.map((item) => item.link))].filter(Boolean).sort().map((name) => h("option", { value: name }, name)));
  const tone = h("select", { "aria-label": "Kind", onchange: () => filter() },
    [["", "everything"], ["failure", "failures"], ["recovery", "recoveries"], ["trigger", "triggers"], ["log", "log lines"], ["lacp", "LACP"]].map(([value, text]) => h("option", { value }, text)));

  function matches(item) {
    const wanted = search.value.trim().toLowerCase();
    const kind = tone.value;
    return (!link.value || item.link === link.value)
      && (!kind || item.tone === kind || item.event === kind || (kind === "lacp" && /lacp|port state|aggregator|partner/.test(`${item.event} ${item.entry.name || ""}`)))
      && (!wanted || `${item.text} ${item.event}`.toLowerCase().includes(wanted));
  }

  function row(item) {
    return h("tr", { class: item.tone, id: `entry-${item.index}` },
      h("td", { class: "num" }, h("button", { type: "button", class: "at", title: "Show on the axis", onclick: () => lp.verdict.toAxis(item.x) }, time.signed(item.x, 6))),
      h("td", { class: "clock" }, time.clock(item.x, 3)),
      h("td", { class: "picture" }, lp.glyph(events.picture(item)), item.tone === "note" ? null : h("span", { class: "unseen" }, item.tone)),
      h("td", { class: "text" }, item.text));
  }

  function show() {
    const rows = shown.slice(0, most);
    body.replaceChildren(...rows.map(row));
    more.hidden = rows.length === shown.length;
    more.textContent = `Show all ${lp.count(shown.length)}`;
    status.textContent = `${shown.length === entries.length ? lp.plural(shown.length, "entry", "entries") : `${lp.count(shown.length)} of ${lp.plural(entries.length, "entry", "entries")}`}${
      rows.length < shown.length ? `; the first ${lp.count(rows.length)} are shown` : ""}. Seconds from the first trigger; clock: ${time.zone || "router"}.`;
  }
  function filter() {
    shown = entries.filter(matches);
    most = FIRST;
    show();
  }

  /** Brings an entry into view, whatever is filtered. */
  function reveal(index) {
    if (!shown.includes(entries[index])) {
      search.value = link.value = tone.value = "";
      shown = entries;
    }
    most = Math.max(most, shown.indexOf(entries[index]) + 50);
    show();
    const element = document.getElementById(`entry-${index}`);
    element.scrollIntoView({ block: "center" });
    lp.flash(element);
  }

  function build() {
    const section = document.getElementById("timeline");
    if (lp.doc.timeline_lost) section.append(h("p", { class: "notice" }, `${lp.plural(lp.doc.timeline_lost, "entry", "entries")} of this window were no longer held.`));
    if (entries.length === 0) {
      section.append(lp.none("Nothing that Linkprobe watches changed."));
      return 0;
    }
    section.append(h("div", { class: "filters" }, search, link, tone), status,
      h("table", { class: "timeline" }, h("thead", { class: "unseen" }, h("tr", {}, ["seconds", "clock", "kind", "what"].map((title) => h("th", { scope: "col" }, title)))), body), more);
    filter();
    return entries.length;
  }

  // Paper shows everything, whatever is searched for and however long it is.
  let onScreen = null;
  window.addEventListener("beforeprint", () => {
    if (entries.length === 0) return;
    onScreen = onScreen || { shown, most };
    shown = entries;
    most = Infinity;
    show();
  });
  window.addEventListener("afterprint", () => {
    if (!onScreen) return;
    ({ shown, most } = onScreen);
    onScreen = null;
    show();
  });

  return { build, reveal };
})();
