"use strict";
// The one time axis: every chart shows the same range, and a zoom in one is a zoom in all.
lp.axis = (() => {
  const { h, time } = lp;
  const margin = (time.to - time.from) * 0.01;
  const full = { min: time.from - margin, max: time.to + margin };
  // An agent that has just started knows nothing of the time before: that is left out at first.
  const known = [...lp.events.entries.map((item) => item.x), ...firsts()].filter((x) => x >= time.from);
  const start = Math.min(0, ...(known.length ? [known.reduce((a, b) => Math.min(a, b))] : [time.from]));
  const view = { min: start - time.from > (time.to - time.from) / 3 ? start - margin : full.min, max: full.max };
  const charts = [];
  const listeners = [];
  const SHORTEST = 2e-5;
  const STEPS = [1, 2, 5].flatMap((n) => [-6, -5, -4, -3, -2, -1].map((e) => n * 10 ** e)).sort((a, b) => a - b)
    .concat([1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600]);

  /** Where each of the series begins. */
  function firsts() {
    const series = lp.doc.series || {};
    const base = series.from ? time.of(series.from) : 0;
    const columns = [(series.seconds || {}).t, ...lp.list(series.probes).map((of) => of.t), ...lp.list(series.lacpdus).map((of) => of.t)];
    return columns.filter((t) => t && t.length).map((t) => base + t[0] / 1e9);
  }

  /** Shows a range, in seconds. It stays within the whole, and has a least length. */
  function show(min, max) {
    const length = Math.max(SHORTEST, Math.min(max - min, full.max - full.min));
    const middle = (min + max) / 2;
    const from = Math.max(full.min, Math.min(middle - length / 2, full.max - length));
    view.min = from;
    view.max = from + length;
    charts.forEach((chart) => chart.setScale("x", { ...view }));
    listeners.forEach((listener) => listener());
  }
  const whole = () => show(full.min, full.max);
  function zoom(factor, at = (view.min + view.max) / 2) {
    show(at - (at - view.min) * factor, at + (view.max - at) * factor);
  }
  function move(part) {
    const by = (view.max - view.min) * part;
    show(view.min + by, view.max + by);
  }
  /** So that `x` is in the middle, close enough to see what is near it. */
  function around(x) {
    const length = Math.min(view.max - view.min, 4);
    show(x - length / 2, x + length / 2);
  }
  // Not by equality: what was computed differs in the last digit.
  const isWhole = () => view.max - view.min > (full.max - full.min) * 0.9999;

  // Narrow screens have no room for labels beside the plots.
  const narrow = () => width() < 640;
  const gutter = () => narrow() ? 44 : 132;
  // Paper is 700 pixels wide.
  const width = () => lp.root.dataset.print ? 700 : Math.max(200, document.getElementById("plots").clientWidth);

  /** Marks of the x axis: seconds from the first trigger, and the clock below. */
  function marks(u, splits, _axis, _space, step) {
    const digits = time.digits(step);
    return splits.map((x) => `${time.signed(Math.abs(x) < step / 1e3 ? 0 : x, digits).replace(/^[+−](0(\.0+)?)$/, "$1")} s\n${time.clock(x, digits)}`);
  }

  function xAxis(visible) {
    return {
      show: true, size: visible ? 38 : 0, space: 84, incrs: STEPS, gap: 4,
      values: visible ? marks : (u, splits) => splits.map(() => ""),
      font: `11px system-ui, sans-serif`, lineGap: 1.25,
      stroke: () => lp.theme.color("muted"), grid: { stroke: () => lp.theme.color("grid"), width: 1 },
      ticks: { show: visible, stroke: () => lp.theme.color("grid"), size: 4 },
    };
  }

  /** Options that all charts have. */
  function options(height, axisVisible, hooks = {}) {
    return {
      width: width(), height, padding: [6, narrow() ? 10 : 26, axisVisible ? 0 : 4, 0], legend: { show: false },
      scales: { x: { time: false } },
      cursor: {
        y: false, drag: { x: true, y: false, setScale: false, dist: 6 }, points: { size: 6 },
        sync: { key: "lp", setSeries: false, scales: ["x", null], filters: { pub: (type) => type === "mousemove" || type === "mouseleave" } },
        bind: { dblclick: () => () => { whole(); return null; } },
      },
      hooks: {
        ...hooks,
        drawClear: [(u) => verticals(u), ...(hooks.drawClear || [])],
        setSelect: [(u) => {
          if (u.select.width < 4) return;
          const [min, max] = [u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x")];
          u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          show(min, max);
        }],
        setCursor: [(u) => readout(u), ...(hooks.setCursor || [])],
      },
    };
  }

  // More lines than this hide what they should point at.
  const MOST_LINES = 40;
  /** Lines at failures and recoveries through every chart, as far as they can be told apart. */
  function verticals(u) {
    const { ctx, bbox } = u;
    const gap = (view.max - view.min) / Math.max(1, bbox.width / uPlot.pxRatio) * 7;
    const draw = (x, color, dash) => {
      const at = Math.round(u.valToPos(x, "x", true));
      ctx.beginPath();
      ctx.setLineDash(dash.map((n) => n * uPlot.pxRatio));
      ctx.strokeStyle = color;
      ctx.moveTo(at, bbox.top);
      ctx.lineTo(at, bbox.top + bbox.height);
      ctx.stroke();
    };
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.lineWidth = uPlot.pxRatio;
    const near = (items) => {
      const groups = lp.events.clusters(items, gap, view.min, view.max);
      return groups.length > MOST_LINES ? [] : groups;
    };
    near(lp.events.recoveries).forEach(({ x }) => draw(x, lp.theme.color("line-good"), [2, 3]));
    near(lp.events.failures).forEach(({ x }) => draw(x, lp.theme.color("line-bad"), []));
    draw(0, lp.theme.color("zero"), [6, 3]);
    ctx.restore();
  }

  function add(chart) {
    charts.push(chart);
    chart.setScale("x", { ...view });
    return chart;
  }
  function remove(list) {
    list.forEach((chart) => { charts.splice(charts.indexOf(chart), 1); chart.destroy(); });
  }

  const place = h("output", { class: "readout", "aria-live": "off" });
  const range = h("span", { class: "range" });
  function readout(u) {
    const { left } = u.cursor;
    if (left === undefined || left < 0) {
      place.textContent = "";
      return;
    }
    const x = u.posToVal(left, "x");
    const digits = Math.max(3, time.digits((view.max - view.min) / 2000));
    place.textContent = `${time.signed(x, digits)} s · ${time.clock(x, digits)}`;
  }
  function told() {
    const digits = time.digits((view.max - view.min) / 200);
    range.textContent = isWhole() ? "whole window" : `${time.signed(view.min, digits)} s to ${time.signed(view.max, digits)} s`;
  }
  listeners.push(told);

  /** When the trouble began: by the verdict, or the first failure, or the first trigger. */
  function failure() {
    const began = lp.verdict.steps()[0] || lp.events.failures[0];
    return began ? began.x : 0;
  }

  function tools() {
    const button = (text, label, work) => h("button", { type: "button", "aria-label": label, title: label, onclick: work }, text);
    document.getElementById("tools").append(
      button("−", "Zoom out", () => zoom(2)), button("+", "Zoom in", () => zoom(0.5)),
      button("←", "Earlier", () => move(-0.3)), button("→", "Later", () => move(0.3)),
      button("Failure", "Around the first failure", () => { const x = failure(); show(x - 3, x + 3); }), button("All", "The whole window", whole), range, place);
    const plots = document.getElementById("plots");
    const keys = { "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), "ArrowLeft": () => move(-0.2), "ArrowRight": () => move(0.2), "0": whole };
    plots.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
      event.preventDefault();
      keys[event.key]();
    });
    plots.addEventListener("wheel", (event) => {
      // Without a modifier the wheel scrolls the page.
      if (!(event.ctrlKey || event.shiftKey) || charts.length === 0) return;
      event.preventDefault();
      const over = charts[0].over.getBoundingClientRect();
      zoom((event.deltaY || event.deltaX) > 0 ? 1.3 : 1 / 1.3, charts[0].posToVal(event.clientX - over.left, "x"));
    }, { passive: false });
    pinch(plots);
    told();
  }

  /** Two fingers zoom and move. */
  function pinch(plots) {
    let start = null;
    const at = (touches) => {
      const over = charts[0].over.getBoundingClientRect();
      return [...touches].map((touch) => (touch.clientX - over.left) / over.width).sort((a, b) => a - b);
    };
    plots.addEventListener("touchstart", (event) => {
      if (event.touches.length === 2 && charts.length > 0) start = { fingers: at(event.touches), view: { ...view } };
    }, { passive: true });
    plots.addEventListener("touchmove", (event) => {
      if (!start || event.touches.length !== 2) return;
      event.preventDefault();
      const [a, b] = at(event.touches), [c, d] = start.fingers;
      const length = start.view.max - start.view.min;
      const scale = Math.max(0.02, d - c) / Math.max(0.02, b - a);
      const min = start.view.min + c * length - a * length * scale;
      show(min, min + length * scale);
    }, { passive: false });
    plots.addEventListener("touchend", () => { start = null; });
  }

  return { view, show, whole, zoom, around, isWhole, options, xAxis, add, remove, charts, gutter, narrow, width, tools, onChange: (f) => listeners.push(f) };
})();

// One place for what the pointer is over.
lp.tip = (() => {
  const element = document.getElementById("tip");
  function show(lines, x, y) {
    element.replaceChildren(...lines.map((line) => lp.h("div", {}, line)));
    element.hidden = false;
    const { width, height } = element.getBoundingClientRect();
    element.style.left = `${Math.max(4, Math.min(x - width / 2, innerWidth - width - 4))}px`;
    element.style.top = `${y + 16 + height > innerHeight ? Math.max(4, y - height - 12) : y + 16}px`;
  }
  const hide = () => { element.hidden = true; };
  return { show, hide };
})();
