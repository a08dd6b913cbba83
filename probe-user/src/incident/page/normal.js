"use strict";
// What was usual before: a band behind each curve of the rates, and a table that sets the window beside it.
lp.normal = (() => {
  const { doc, h, list, theme, time } = lp;
  const normal = doc.normal || {};
  const links = list(normal.links);
  const byName = new Map(links.map((link) => [lp.linkName(link.link), link]));
  const WAYS = [["rx", "ingress"], ["tx", "egress"]];
  const length = links.length ? time.span(time.of(normal.to) - time.of(normal.from)) : "";

  /** What a curve usually was, as {low, middle, high}; null where nobody knows. */
  function usual(name, direction, column) {
    const way = (byName.get(name) || {})[direction === "out" ? "egress" : "ingress"];
    const spread = way && way.before && way.before[column === "bytes" ? "bits" : "packets"];
    return spread ? { low: spread.p5, middle: spread.median, high: spread.p95 } : null;
  }

  /** Behind the curves of a plot that are shown: from p5 to p95, and the median as dots. */
  function bands(u, all) {
    const { ctx, bbox } = u;
    const px = uPlot.pxRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    all.forEach((curve, i) => {
      if (!curve.usual || !u.series[i + 1].show) return;
      const [low, middle, high] = [curve.usual.low, curve.usual.middle, curve.usual.high].map((n) => u.valToPos(n, "y", true));
      ctx.fillStyle = ctx.strokeStyle = theme.series(curve.color);
      ctx.globalAlpha = 0.13;
      ctx.fillRect(bbox.left, high, bbox.width, Math.max(low - high, px));
      ctx.globalAlpha = 0.6;
      ctx.lineWidth = px;
      ctx.setLineDash([px, 4 * px]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, middle);
      ctx.lineTo(bbox.left + bbox.width, middle);
      ctx.stroke();
    });
    ctx.restore();
  }

  /** Words below the rates; empty where nothing is known. */
  const hint = () => links.length ? ` Shaded: usual in the ${length} before (nine seconds of ten), dotted: the median.` : "";

  const ODD = { more: "far more than usual", less: "far less than usual" };
  const rate = (packets, bits) => [lp.si(packets), h("span", { class: "bytes" }, `${lp.si(bits)}bit/s`)];
  const of = (rates, name) => rates ? rate(rates.packets[name], rates.bits[name]) : "–";
  const range = (rates) => rates ? [`${lp.si(rates.packets.p5)} to ${lp.si(rates.packets.p95)}`, h("span", { class: "bytes" }, `${lp.si(rates.bits.p5)} to ${lp.si(rates.bits.p95)}bit/s`)] : "–";

  function row(link, [word, key], first) {
    const way = link[key];
    if (!way) return null;
    const was = link.condition ? `${link.condition} for ${time.span(link.for_ns / 1e9)}${link.at_least ? " or more" : ""}` : "";
    const changes = link.condition && link.changes_day ? h("span", { class: "bytes" }, `${lp.plural(link.changes_hour, "change")} in the hour before, ${lp.count(link.changes_day)} in the day`) : null;
    return [first ? lp.linkName(link.link) : "", first ? [was, changes] : "", word, of(way.before, "median"), range(way.before), of(way.before, "max"), of(way.window, "mean"), of(way.window, "max"),
      way.odd ? h("span", { class: "badge warning" }, ODD[way.odd] || way.odd) : ""];
  }

  function build() {
    const section = document.getElementById("normal");
    const rows = links.flatMap((link) => {
      const ways = WAYS.filter(([, key]) => link[key]);
      return ways.map((way, i) => row(link, way, i === 0));
    });
    // An agent that has just started, and captures, know of no time before.
    section.hidden = rows.length === 0;
    if (rows.length === 0) return 0;
    section.append(h("p", { class: "hint" }, `Packets per second, bits below. Usual: the ${length} before the window.`),
      lp.table([{ title: "" }, { title: "at the window's start" }, { title: "" }, { title: "usual", num: true }, { title: "p5 to p95", num: true }, { title: "most", num: true },
        { title: "window: mean", num: true }, { title: "most", num: true }, { title: "" }], rows, "What was normal before"));
    return rows.length;
  }

  return { usual, bands, hint, build };
})();
