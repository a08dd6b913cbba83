"use strict";
// What is on top: the verdict, or what fired where there is none.
lp.verdict = (() => {
  const { doc, h, list, time } = lp;
  const verdict = doc.verdict || {};
  const chain = list(verdict.chain);
  const ABBREVIATIONS = { tx: "TX", rx: "RX", lacp: "LACP", lacpdus: "LACPDUs", arp: "ARP" };

  /** tx-blackout: TX blackout */
  const words = (kind) => {
    const text = String(kind || "").split("-").map((word) => ABBREVIATIONS[word] || word).join(" ");
    return text.charAt(0).toUpperCase() + text.slice(1);
  };
  /** dp0bond0: TX blackout */
  const label = (finding) => [lp.linkName(finding.link), finding.title || words(finding.kind)].filter(Boolean).join(": ");
  const when = (x) => h("span", { class: "when", title: `${time.clock(x, 6)} ${time.zone}` }, `${time.signed(x)} s`);
  /** The steps of the chain, for the axis: {x, number, severity, text}, in order of time. */
  const steps = () => chain.map((finding, i) => ({ x: time.of(finding.at), number: i + 1, severity: finding.severity, text: `${label(finding)}. ${finding.text}` }))
    .sort((a, b) => a.x - b.x);

  /** A number and its unit stay on one line. */
  const together = (text) => text.replace(/(\d) (µs|ms|s|min)(?![\w])/g, "$1\u00a0$2");

  function evidence(piece) {
    switch (piece.type) {
      case "packet":
        return h("li", {}, when(time.of(piece.at)), " ", h("code", { class: "frame", title: "Display filter for capture.pcapng" }, `frame.number == ${piece.number}`), " ", piece.text);
      case "entry":
        return h("li", {}, when(time.of(piece.at)), " ", piece.text);
      case "counter":
        return h("li", {}, `${piece.name}: `, h("strong", {}, lp.count(piece.value)));
      default:
        return h("li", {}, piece.text || "");
    }
  }

  function finding(of, number) {
    const pieces = list(of.evidence);
    const x = time.of(of.at);
    const until = time.of(of.until);
    return h("li", { class: `finding ${of.severity}`, id: number ? `step-${number}` : null },
      number ? h("span", { class: `step ${of.severity}`, "aria-hidden": "true" }, number) : null,
      h("div", { class: "body" },
        h("p", { class: "what" }, h("button", { type: "button", class: "at", title: "Show on the axis", onclick: () => toAxis(x) }, `${time.signed(x)} s`),
          until !== null ? h("span", { class: "until" }, ` for ${time.span(Math.max(0, until - x))}`) : null,
          " ", h("strong", {}, label(of))),
        h("p", { class: "text" }, of.text),
        of.action ? h("p", { class: "action" }, of.action) : null,
        pieces.length ? h("details", { open: pieces.length <= 8 },
          h("summary", {}, `Evidence (${pieces.length}), confidence ${of.confidence}`), h("ul", { class: "evidence" }, pieces.map(evidence))) : null));
  }

  function toAxis(x) {
    lp.axis.around(x);
    document.getElementById("axis").scrollIntoView({ block: "start" });
  }

  const facts = (pairs) => h("dl", { class: "facts" }, pairs.filter(([, value]) => value).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  const sentences = (title, all, className) => all.length ? h("div", { class: `aside ${className}` }, h("h3", {}, title), h("ul", {}, all.map((text) => h("li", {}, text)))) : null;

  function build() {
    const section = document.getElementById("verdict");
    const triggers = list(doc.triggers);
    const found = Boolean(verdict.headline);
    const [date, clock] = time.wall(0, 3);
    const severity = found ? verdict.severity : "plain";
    const closed = { limit: "ended because it was as long as a window may be; what follows is another incident", stop: "ended because Linkprobe was stopped" }[(doc.window || {}).closed];
    const head = h("header", { class: `head ${severity}` },
      h("p", { class: "kicker" }, found ? h("span", { class: `badge ${severity}` }, words(severity)) : h("span", { class: "badge plain" }, "No verdict"),
        found ? h("span", { class: "confidence" }, `confidence ${verdict.confidence}`) : null,
        h("span", { class: "id" }, [doc.host, doc.id].filter(Boolean).join(" · "))),
      h("h1", {}, found ? together(verdict.headline) : triggers.length ? triggers[0].text : doc.headline || "Incident"),
      found && verdict.action ? h("p", { class: "first" }, h("strong", {}, "What to do first: "), verdict.action) : null,
      found ? null : h("p", { class: "hint" }, "No rule found a cause. What fired and what happened is below."));
    section.append(head, facts([
      ["When", `${date} ${clock} ${time.zone}`],
      ["Window", `${time.span(-time.from)} before to ${time.span(time.to)} after${closed ? "; " + closed : ""}`],
      ["First trigger", triggers.length ? `${triggers[0].kind}: ${triggers[0].text}` : "none"],
      ["Triggers", triggers.length > 1 ? `${triggers.length}: ${[...new Set(triggers.map((trigger) => trigger.kind))].join(", ")}` : ""],
      ["Kernel", doc.kernel ? `Linux ${doc.kernel}` : ""],
    ]));
    if (chain.length) section.append(h("h2", {}, "What happened, in order"), h("ol", { class: "chain" }, chain.map((of, i) => finding(of, i + 1))));
    const asides = [
      sentences("What it was not", list(verdict.excluded), "not"),
      sentences("Evidence that is missing", list(verdict.missing), "missing"),
    ].filter(Boolean);
    if (asides.length) section.append(h("div", { class: "asides" }, asides));
    const others = list(verdict.others);
    if (others.length) section.append(h("h3", {}, "Also found"), h("ul", { class: "chain" }, others.map((of) => finding(of, null))));
    return chain.length;
  }

  /** Brings a step of the chain into view. */
  function reveal(number) {
    const step = document.getElementById(`step-${number}`);
    step.scrollIntoView({ block: "center" });
    lp.flash(step);
  }

  return { build, steps, reveal, toAxis };
})();

/** Makes an element stand out for a moment. */
lp.flash = (element) => {
  element.classList.remove("flash");
  void element.offsetWidth;
  element.classList.add("flash");
};
