"use strict";
// Charts that are rows: bombs and stars, bands of states, ticks of LACPDUs and probes.
lp.lanes = (() => {
  const { axis, theme, time, h } = lp;

  /** A chart of rows. `draw(u, row, top, height)` draws one in canvas pixels; `about(row, x, slack)` gives the lines of the tip. */
  function lane(parent, { rows, height, axisVisible, draw, about, label, drawn }) {
    const inside = axis.narrow();
    // Labels above the bands where there is no room beside them.
    const step = height + (inside && label !== false ? 13 : 0);
    const total = rows.length * step + 10 + (axisVisible ? 38 : 0);
    const options = axis.options(total, axisVisible, {
      draw: [(u) => rows.forEach((row, i) => {
        const px = uPlot.pxRatio;
        const top = u.bbox.top + i * step * px + (step - height) * px;
        name(u, row.label, top, height * px, inside, label);
        clipped(u, () => draw(u, row, top, height * px));
      }), ...(drawn ? [drawn] : [])],
    });
    options.scales.y = { range: [0, 1] };
    options.axes = [axis.xAxis(axisVisible), { show: true, size: axis.gutter(), values: () => [], grid: { show: false }, ticks: { show: false } }];
    options.series = [{}, { show: false }];
    const chart = axis.add(new uPlot(options, [[axis.view.min, axis.view.max], [null, null]], parent));
    const rowAt = (y) => Math.floor((y - chart.bbox.top / uPlot.pxRatio + chart.over.offsetTop) / step);
    if (about) {
      chart.over.addEventListener("mousemove", (event) => {
        const box = chart.over.getBoundingClientRect();
        const row = rows[rowAt(event.clientY - box.top)];
        const x = chart.posToVal(event.clientX - box.left, "x");
        const slack = 5 * (axis.view.max - axis.view.min) / box.width;
        const lines = row ? about(row, x, slack) : null;
        if (lines) lp.tip.show(lines, event.clientX, event.clientY);
        else lp.tip.hide();
      });
      chart.over.addEventListener("mouseleave", lp.tip.hide);
    }
    return chart;
  }

  function clipped(u, work) {
    u.ctx.save();
    u.ctx.beginPath();
    u.ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
    u.ctx.clip();
    work();
    u.ctx.restore();
  }

  function name(u, text, top, height, inside, label) {
    if (!text || label === false) return;
    const { ctx, bbox } = u;
    const px = uPlot.pxRatio;
    ctx.save();
    ctx.fillStyle = theme.color("muted");
    ctx.font = theme.font(11);
    ctx.textBaseline = inside ? "bottom" : "middle";
    ctx.textAlign = inside ? "left" : "right";
    if (inside) ctx.fillText(text, bbox.left + px, top - px);
    else ctx.fillText(fit(ctx, text, bbox.left - 14 * px), bbox.left - 8 * px, top + height / 2);
    ctx.restore();
  }

  /** As much of a text as has room. */
  function fit(ctx, text, width) {
    if (ctx.measureText(text).width <= width) return text;
    let cut = text;
    while (cut.length > 1 && ctx.measureText(`${cut}…`).width > width) cut = cut.slice(0, -1);
    return `${cut}…`;
  }

  // Each kind of state has a colour, a pattern and, where there is room, its word: none of them is needed alone.
  const PATTERNS = { bad: "cross", warn: "slant", off: "dots" };
  const made = new Map();
  function pattern(ctx, kind) {
    const key = `${kind} ${theme.color(`state-${kind}`)} ${uPlot.pxRatio}`;
    if (!made.has(key)) made.set(key, tile(ctx, kind));
    return made.get(key);
  }
  function tile(ctx, kind) {
    const size = 8 * uPlot.pxRatio;
    const canvas = h("canvas", { width: size, height: size });
    const c = canvas.getContext("2d");
    c.fillStyle = theme.color(`state-${kind}`);
    c.fillRect(0, 0, size, size);
    c.strokeStyle = c.fillStyle = theme.color("hatch");
    c.lineWidth = uPlot.pxRatio;
    const line = (x0, y0, x1, y1) => { c.beginPath(); c.moveTo(x0, y0); c.lineTo(x1, y1); c.stroke(); };
    const slant = (d) => [-size, 0, size].forEach((x) => d > 0 ? line(x, size, x + size, 0) : line(x, 0, x + size, size));
    if (PATTERNS[kind] === "slant" || PATTERNS[kind] === "cross") slant(1);
    if (PATTERNS[kind] === "cross") slant(-1);
    if (PATTERNS[kind] === "dots") c.fillRect(size / 2, size / 2, 1.5 * uPlot.pxRatio, 1.5 * uPlot.pxRatio);
    return ctx.createPattern(canvas, "repeat");
  }

  /** Bands of states. */
  function bands(parent, rows) {
    return lane(parent, {
      rows, height: 17,
      draw(u, row, top, height) {
        const { ctx } = u;
        const px = uPlot.pxRatio;
        const right = u.bbox.left + u.bbox.width;
        for (const span of row.spans) {
          if (span.to < axis.view.min || span.from > axis.view.max) continue;
          const from = Math.max(u.bbox.left, u.valToPos(span.from, "x", true));
          const to = Math.min(right, u.valToPos(span.to, "x", true));
          // What lasted no time at all can still be seen.
          const wide = Math.max(to - from, 2 * px);
          ctx.fillStyle = pattern(ctx, span.kind);
          ctx.fillRect(from, top + px, wide, height - 3 * px);
          ctx.font = theme.font(10.5, "500");
          const text = wide > 22 * px ? fit(ctx, span.text, wide - 8 * px) : "";
          if (text === span.text || text.length > 3) {
            ctx.textBaseline = "middle";
            ctx.textAlign = "left";
            const room = ctx.measureText(text).width;
            ctx.fillStyle = theme.color(`state-${span.kind}`);
            ctx.fillRect(from + 2 * px, top + 2 * px, room + 6 * px, height - 5 * px);
            ctx.fillStyle = theme.color("on-state");
            ctx.fillText(text, from + 5 * px, top + height / 2);
          }
        }
      },
      about(row, x, slack) {
        const span = row.spans.find((span) => span.from - slack <= x && x <= span.to + slack && x >= span.from) || row.spans.find((span) => Math.abs(span.from - x) < slack);
        return span ? [`${row.label}: ${span.text}`, `${time.signed(span.from)} s to ${time.signed(span.to)} s (${time.span(span.to - span.from)})`] : null;
      },
    });
  }

  /** Index of the first x that is not below `min`. */
  function first(xs, min) {
    let low = 0, high = xs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (xs[middle] < min) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Ticks: rows of {label, xs (sorted), kinds, tell(i)}. A kind is good, bad or odd. */
  function ticks(parent, rows) {
    return lane(parent, {
      rows, height: 18,
      draw(u, row, top, height) {
        const { ctx } = u;
        const px = uPlot.pxRatio;
        ctx.strokeStyle = theme.color("grid");
        ctx.lineWidth = px;
        ctx.beginPath();
        ctx.moveTo(u.bbox.left, top + height - px);
        ctx.lineTo(u.bbox.left + u.bbox.width, top + height - px);
        ctx.stroke();
        // Good ones first: what is wrong is never below them.
        for (const kind of ["good", "odd", "bad"]) {
          ctx.strokeStyle = theme.color(`tick-${kind}`);
          ctx.lineWidth = (kind === "good" ? 1.25 : 2) * px;
          ctx.beginPath();
          let last = -Infinity;
          for (let i = first(row.xs, axis.view.min); i < row.xs.length && row.xs[i] <= axis.view.max; i++) {
            if (row.kinds[i] !== kind) continue;
            const x = Math.round(u.valToPos(row.xs[i], "x", true));
            if (x - last < px) continue;
            last = x;
            const [a, b] = [top + (kind === "good" ? 5 : 2) * px, top + height - px];
            if (kind === "bad") {
              const r = 3 * px, y = top + height / 2;
              ctx.moveTo(x - r, y - r); ctx.lineTo(x + r, y + r); ctx.moveTo(x + r, y - r); ctx.lineTo(x - r, y + r);
            } else {
              ctx.moveTo(x, a);
              ctx.lineTo(x, b);
            }
          }
          ctx.stroke();
        }
      },
      about(row, x, slack) {
        const from = first(row.xs, x - slack);
        let best = -1;
        for (let i = from; i < row.xs.length && row.xs[i] <= x + slack; i++) {
          if (best < 0 || Math.abs(row.xs[i] - x) < Math.abs(row.xs[best] - x)) best = i;
        }
        return best < 0 ? null : [`${row.label}, ${time.signed(row.xs[best], 6)} s`, ...row.tell(best)];
      },
    });
  }

  /** The top lane: the verdict's steps, bombs and stars. They are buttons over an empty chart. */
  function marks(parent, steps) {
    const { failures, recoveries, manual } = lp.events;
    const row = (label, items, make) => items.length ? { label, items, make } : null;
    const rows = [
      row("verdict", steps, stepButton),
      row("failures", failures, groupButton),
      row("recoveries", recoveries, groupButton),
      row("asked for", manual, groupButton),
    ].filter(Boolean);
    const height = 28;
    let range = "";
    return lane(parent, {
      rows, height, axisVisible: true, draw() {}, label: axis.narrow() ? false : undefined,
      drawn(u) {
        const now = `${u.scales.x.min} ${u.scales.x.max} ${u.over.clientWidth}`;
        if (now === range) return;
        range = now;
        u.over.querySelectorAll(".mark").forEach((mark) => mark.remove());
        // A picture and the number beside it.
        const gap = (u.scales.x.max - u.scales.x.min) / Math.max(1, u.over.clientWidth) * 40;
        rows.forEach((row, i) => {
          for (const group of lp.events.clusters(row.items, gap, u.scales.x.min, u.scales.x.max)) {
            const mark = row.make(group);
            mark.style.left = `${u.valToPos(group.x, "x")}px`;
            mark.style.top = `${i * height + height / 2}px`;
            u.over.append(mark);
          }
        });
      },
    });
  }

  function tipped(button, lines) {
    const show = () => {
      const box = button.getBoundingClientRect();
      lp.tip.show(lines, box.left + box.width / 2, box.bottom - 10);
    };
    for (const event of ["mouseenter", "focus"]) button.addEventListener(event, show);
    for (const event of ["mouseleave", "blur"]) button.addEventListener(event, lp.tip.hide);
    // A press is for the button, and no beginning of a zoom.
    for (const event of ["mousedown", "dblclick"]) button.addEventListener(event, (e) => e.stopPropagation());
    return button;
  }

  function groupButton({ items }) {
    const lines = lp.events.lines(items);
    const picture = lp.events.picture(items[0]);
    return tipped(h("button", { type: "button", class: `mark ${picture}`, "aria-label": lines.join("; "), onclick: () => lp.timeline.reveal(items[0].index) },
      lp.glyph(picture), items.length > 1 ? h("span", { class: "many" }, items.length > 99 ? "99+" : items.length) : null), lines);
  }

  function stepButton({ items }) {
    const lines = items.map((item) => `${item.number}. ${item.text}`);
    const worst = ["critical", "warning", "info"].find((severity) => items.some((item) => item.severity === severity));
    return tipped(h("button", { type: "button", class: `mark step ${worst}`, "aria-label": lines.join("; "), onclick: () => lp.verdict.reveal(items[0].number) },
      items.length > 1 ? `${items[0].number}–${items[items.length - 1].number}` : items[0].number), lines);
  }

  return { bands, ticks, marks };
})();
