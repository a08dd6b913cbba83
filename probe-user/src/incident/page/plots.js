"use strict";
// The charts, from top to bottom, and the plots with a y axis: round-trip times, packets and bits per second.
lp.plots = (() => {
  const { doc, h, list, axis, theme, time, states } = lp;
  const series = doc.series || {};
  const seconds = series.seconds || { t: [], ns: [], links: [] };
  const box = document.getElementById("plots");
  const hidden = new Set();
  let logarithmic = null;
  let quietShown = false;

  const DASH = [5, 4];
  const colorOf = new Map(states.links.map((link, i) => [link.name, i]));
  const colorIndex = (name) => {
    if (!colorOf.has(name)) colorOf.set(name, colorOf.size);
    return colorOf.get(name);
  };

  /** Curves of one quantity: each is {name, color, dash, wide, ys}. `of(counts)` picks the column. */
  function curves(direction, column, factor) {
    const found = [];
    const per = (values) => values.map((n, i) => n === null ? null : n * factor / (seconds.ns[i] / 1e9));
    const bonds = new Set(states.links.filter((link) => link.role === "bond").map((link) => link.name));
    const order = new Map(states.links.map((link, i) => [link.name, i]));
    const links = [...list(seconds.links)].sort((a, b) => (order.get(a.link.name) ?? 99) - (order.get(b.link.name) ?? 99));
    for (const link of links) {
      const name = link.link.name;
      const tap = link[direction === "out" ? "egress" : "ingress"];
      const driver = link.driver && link.driver[direction === "out" ? "tx" : "rx"];
      const color = colorIndex(name);
      if (tap) found.push({ name, color, wide: bonds.has(name), ys: per(tap[column]), usual: lp.normal.usual(name, direction, column) });
      // A bond has no wire of its own.
      if (driver && !bonds.has(name)) found.push({ name: `${name} driver`, color, dash: true, ys: per(driver[column]) });
    }
    return found;
  }

  /** Whether one second holds so much more than the others that they would all lie on the ground. */
  function isSteep() {
    const all = ["out", "in"].flatMap((direction) => curves(direction, "packets", 1)).flatMap((curve) => curve.ys).filter((n) => n > 0).sort((a, b) => a - b);
    return all.length > 0 && all[all.length - 1] > 300 * all[all.length >> 1];
  }

  function legend(title, group, all, u) {
    const values = all.map(() => h("span", { class: "value" }));
    const buttons = all.map((curve, i) => {
      const key = `${group} ${curve.name}`;
      const swatch = h("span", { class: curve.dash ? "swatch dash" : curve.wide ? "swatch wide" : "swatch", style: { color: `var(--c${curve.color % theme.SERIES})` } });
      return h("button", {
        type: "button", "aria-pressed": String(!hidden.has(key)),
        onclick: (event) => {
          hidden.has(key) ? hidden.delete(key) : hidden.add(key);
          event.currentTarget.setAttribute("aria-pressed", String(!hidden.has(key)));
          u().setSeries(i + 1, { show: !hidden.has(key) });
        },
      }, swatch, curve.name, values[i]);
    });
    const element = h("div", { class: "head" }, h("h3", {}, title), h("div", { class: "legend" }, buttons));
    const show = (chart) => all.forEach((curve, i) => {
      const at = chart.cursor.idx;
      const value = at === null || at === undefined ? undefined : chart.data[i + 1][at];
      values[i].textContent = value === undefined || value === null ? "" : ` ${curve.format(value)}`;
    });
    return { element, show };
  }

  /** A plot of curves over common xs. */
  function plot(title, group, xs, all, { height, format, unit, stepped, last, ground }) {
    all.forEach((curve) => { curve.format = format; });
    let chart = null;
    const head = legend(title, group, all, () => chart);
    const holder = h("div", { class: "chart", role: "img", "aria-label": `${title}: ${all.map((curve) => curve.name).join(", ")}` });
    box.append(h("div", { class: "panel" }, head.element, holder));
    const options = axis.options(height + (last ? 38 : 0), last, { setCursor: [head.show], drawClear: [(u) => lp.normal.bands(u, all)] });
    const log = logarithmic && stepped;
    options.scales.y = log
      ? { distr: 4, asinh: ground, range: (u, min, max) => [0, Math.max(10 * ground, (max || 0) * 1.4)] }
      : { range: (u, min, max) => [0, max > 0 ? max * 1.08 : 1] };
    options.axes = [axis.xAxis(last), {
      size: axis.gutter(), font: "11px system-ui, sans-serif", stroke: () => theme.color("muted"), gap: 6,
      grid: { stroke: () => theme.color("grid"), width: 1 }, ticks: { show: false }, space: log ? 18 : 28,
      values: (u, splits) => splits.map((v) => v === null ? "" : unit(v)), ...(log ? { splits: (u, i, min, max) => decades(max, ground), filter: (u, splits) => splits } : {}),
    }];
    options.series = [{}, ...all.map((curve) => ({
      label: curve.name, show: !hidden.has(`${group} ${curve.name}`), width: curve.wide ? 2.5 : 1.6,
      stroke: () => theme.series(curve.color), dash: curve.dash ? DASH : undefined,
      paths: stepped ? uPlot.paths.stepped({ align: -1 }) : undefined,
      points: { show: stepped ? false : undefined, size: 4 },
    }))];
    chart = axis.add(new uPlot(options, [xs, ...all.map((curve) => curve.ys)], holder));
    return chart;
  }

  /** Marks of a logarithmic axis that is linear below `ground`: at most six. */
  function decades(max, ground) {
    const all = [];
    for (let v = max > 1000 * ground ? 10 * ground : ground; v <= max; v *= 10) all.push(v);
    const step = Math.ceil(all.length / 5);
    return [0, ...all.filter((_, i) => (all.length - 1 - i) % step === 0)];
  }

  function rates(last) {
    const xs = list(seconds.t).map(states.seriesX);
    const panels = [
      ["Packets per second, out", "po", curves("out", "packets", 1), 120, 1], ["Packets per second, in", "pi", curves("in", "packets", 1), 120, 1],
      ["Bits per second, out", "bo", curves("out", "bytes", 8), 96, 1000], ["Bits per second, in", "bi", curves("in", "bytes", 8), 96, 1000],
    ].filter(([, , all]) => all.length > 0);
    if (xs.length === 0 || panels.length === 0) {
      box.append(lp.none("No counts per second were kept of this window."));
      return;
    }
    box.append(h("div", { class: "switches" }, h("label", {}, h("input", {
      type: "checkbox", checked: logarithmic,
      onchange: (event) => { logarithmic = event.currentTarget.checked; build(); box.querySelector(".switches input").focus(); },
    }), " Logarithmic rates"), h("span", { class: "hint" }, `Solid: at the tap. Dashed: by the driver's own counters.${lp.normal.hint()}`)));
    panels.forEach(([title, group, all, height, ground], i) =>
      plot(title, group, xs, all, { height, format: lp.si, unit: lp.si, stepped: true, ground, last: last && i === panels.length - 1 }));
  }

  function probes() {
    const targets = list(series.probes);
    if (targets.length === 0) return;
    const name = (target) => target.method === "icmp" ? target.target : `${target.target} (${target.method.toUpperCase()})`;
    const xs = targets.map((target) => target.t.map(states.seriesX));
    const ms = targets.map((target) => target.rtt_ns.map((ns) => ns === null ? null : ns / 1e6));
    if (ms.some((values) => values.some((value) => value !== null))) {
      const [common, ...columns] = uPlot.join(targets.map((_, i) => [xs[i], ms[i]]));
      plot("Round-trip time, ms", "rtt", common, targets.map((target, i) => ({ name: name(target), color: i, ys: columns[i] })),
        { height: 110, format: (v) => `${v.toPrecision(3)} ms`, unit: (v) => String(+v.toPrecision(3)), stepped: false, last: false });
    }
    const lost = (target) => target.rtt_ns.filter((ns) => ns === null).length - list(target.send_errors).length;
    const told = targets.filter((target) => lost(target) > 0).slice(0, 4).map((target) => `${name(target)}: ${lost(target)} of ${target.t.length} not answered`);
    panel("Probes", [key({ good: "answered", bad: "not answered", odd: "not sent" }), told.join("; ")], (holder) => lp.lanes.ticks(holder, targets.map((target, i) => {
      const errors = new Map(list(target.send_errors));
      const kinds = target.rtt_ns.map((ns, row) => errors.has(row) ? "odd" : ns === null ? "bad" : "good");
      return {
        label: name(target), xs: xs[i], kinds,
        tell: (row) => [errors.has(row) ? `not sent: ${errors.get(row)}` : ms[i][row] === null ? "not answered" : `answered after ${ms[i][row].toPrecision(3)} ms`],
      };
    })));
  }

  function lacpdus() {
    const pdus = list(series.pdus);
    const order = new Map(states.links.map((link, i) => [link.name, i]));
    const seen = [...list(series.lacpdus)].sort((a, b) => (order.get(a.link.name) ?? 99) - (order.get(b.link.name) ?? 99) || (a.direction < b.direction ? -1 : 1));
    if (seen.length === 0) {
      if (states.links.some((link) => link.mode === "802.3ad")) box.append(lp.none("No LACPDU was seen in this window."));
      return;
    }
    const says = (pdu) => lp.states.lacpState(pdu.actor.state, false).text;
    panel("LACPDUs", key({ good: "the sender is working", odd: "not yet, or individual", bad: "it says expired or defaulted" }), (holder) => lp.lanes.ticks(holder, seen.map((row) => ({
      label: `${row.link.name} ${row.direction === "egress" ? "sent" : "received"}`,
      xs: row.t.map(states.seriesX),
      kinds: row.pdu.map((i) => ({ working: "good", expired: "bad", defaulted: "bad" })[says(pdus[i])] || "odd"),
      tell: (i) => {
        const pdu = pdus[row.pdu[i]];
        return [`actor ${pdu.actor.system}, key ${pdu.actor.key}, port ${pdu.actor.port}: ${pdu.actor.state.join(", ") || "none"}`,
          `partner ${pdu.partner.system}, key ${pdu.partner.key}, port ${pdu.partner.port}: ${pdu.partner.state.join(", ") || "none"}`];
      },
    }))));
  }

  /** What the ticks mean. */
  const key = (kinds) => Object.entries(kinds).map(([kind, text]) => h("span", { class: `key ${kind}` }, text));

  function panel(title, hint, make) {
    const holder = h("div", { class: "chart", role: "img", "aria-label": title });
    box.append(h("div", { class: "panel" }, h("div", { class: "head" }, h("h3", {}, title), hint ? h("span", { class: "hint" }, hint) : null), holder));
    return make(holder);
  }

  const MOST_ROWS = 14;
  function bands() {
    const all = states.rows();
    if (all.length === 0) return;
    const quiet = (row) => row.spans.length === 1 && ["good", "idle"].includes(row.spans[0].kind);
    const fold = all.length > MOST_ROWS && !quietShown && !lp.root.dataset.print;
    const rows = fold ? all.filter((row) => !quiet(row)) : all;
    if (rows.length > 0) panel("States", null, (holder) => lp.lanes.bands(holder, rows));
    if (fold && rows.length < all.length) {
      box.append(h("button", { type: "button", class: "more", onclick: () => { quietShown = true; build(); } },
        `Show ${lp.plural(all.length - rows.length, "row")} in which all was well`));
    }
  }

  function build() {
    if (logarithmic === null) logarithmic = isSteep();
    axis.remove([...axis.charts]);
    const y = scrollY;
    box.replaceChildren();
    const top = h("div", { class: "chart marks" });
    box.append(top);
    lp.lanes.marks(top, lp.verdict.steps());
    bands();
    lacpdus();
    probes();
    rates(true);
    scrollTo(0, y);
    return axis.charts.length;
  }

  let width = 0;
  function watch() {
    width = axis.width();
    theme.onChange(build);
    new ResizeObserver(() => {
      if (axis.width() === width) return;
      width = axis.width();
      requestAnimationFrame(build);
    }).observe(box);
  }

  return { build, watch };
})();
