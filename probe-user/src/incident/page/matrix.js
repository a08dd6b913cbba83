"use strict";
// The tap matrix: what was counted at the bond, at its slaves and by their drivers, in the range that the axis shows.
lp.matrix = (() => {
  const { doc, h, list, axis, time, states } = lp;
  const seconds = (doc.series || {}).seconds || { t: [], ns: [], links: [] };
  const xs = list(seconds.t).map(states.seriesX);
  const links = list(seconds.links);
  const box = h("div", {});

  /** Index range of the seconds that the axis shows, whole ones only where it shows less than the window. */
  function range() {
    if (axis.isWhole()) return [0, xs.length];
    const shown = xs.map((x, i) => i).filter((i) => xs[i] > axis.view.min && xs[i] - seconds.ns[i] / 1e9 < axis.view.max);
    return shown.length ? [shown[0], shown[shown.length - 1] + 1] : [0, 0];
  }

  const part = (values, [from, to]) => values ? lp.sum(values.slice(from, to)) : null;
  function row(link, shown) {
    const of = (counts, column) => counts ? part(counts[column], shown) : null;
    const driver = link.driver || {};
    return {
      name: link.link.name,
      out: [of(link.egress, "packets"), of(link.egress, "bytes"), of(link.egress, "frames")],
      in: [of(link.ingress, "packets"), of(link.ingress, "bytes"), of(link.ingress, "frames")],
      tx: [of(driver.tx, "packets"), of(driver.tx, "bytes")], rx: [of(driver.rx, "packets"), of(driver.rx, "bytes")],
      lost: [part(driver.tx_lost, shown), part(driver.rx_lost, shown)],
    };
  }
  const plus = (a, b) => a === null ? b : b === null ? a : a + b;
  const COLUMNS = ["out", "tx", "in", "rx", "lost"];
  const added = (rows, name) => rows.reduce((total, row) => {
    for (const key of COLUMNS) total[key] = total[key].map((n, i) => plus(n, row[key][i] ?? null));
    return total;
  }, { name, ...Object.fromEntries(COLUMNS.map((key) => [key, [null, null, null]])) });

  const number = ([packets, bytes]) => packets === null ? "–" : [lp.count(packets), h("span", { class: "bytes" }, lp.bytes(bytes))];
  const cells = (row) => [row.name, number(row.out), number(row.tx), number(row.in), number(row.rx), row.lost[0] === null && row.lost[1] === null ? "–" : `${lp.count(row.lost[0])} / ${lp.count(row.lost[1])}`];
  const HEAD = [{ title: "" }, { title: "out, tap", num: true }, { title: "out, driver", num: true }, { title: "in, tap", num: true }, { title: "in, driver", num: true }, { title: "driver lost, out / in", num: true }];

  /** What the numbers of two layers differ by; words only for what is a difference of packets. */
  function differences(bond, slaves) {
    const differ = (a, b, text) => a === null || b === null || a === b ? null : h("li", {}, h("strong", {}, lp.count(Math.abs(a - b))), text(a > b));
    // A driver counts a GSO frame as one packet or as many: between the two nothing differs.
    const [handed, , frames] = slaves.out;
    const sent = slaves.tx[0];
    const wire = sent === null || handed === null ? null : sent > handed ? handed : Math.min(sent, frames ?? handed) === sent ? frames ?? handed : sent;
    return [
      differ(bond.out[0], slaves.out[0], (more) => more ? " packets left the bond and did not pass the egress taps of its slaves" : " packets passed the egress taps of the slaves and not that of the bond"),
      differ(wire, sent, (more) => more ? " packets passed the egress taps of the slaves and were not sent by their drivers" : " packets were sent by the drivers and did not pass the egress taps of the slaves"),
      differ(slaves.in[0], bond.in[0], (more) => more ? " packets came into the slaves and not up to the bond" : " packets came up to the bond and not into its slaves"),
    ].filter(Boolean);
  }

  function show() {
    const shown = range();
    const rows = new Map(links.map((link) => [link.link.ifindex, row(link, shown)]));
    const bonds = links.filter((link) => links.some((other) => other.master === link.link.ifindex));
    const inBond = new Set();
    const parts = bonds.map((bond) => {
      const slaves = links.filter((link) => link.master === bond.link.ifindex);
      [bond, ...slaves].forEach((link) => inBond.add(link.link.ifindex));
      const own = rows.get(bond.link.ifindex);
      const below = slaves.map((slave) => rows.get(slave.link.ifindex));
      const together = added(below, "slaves together");
      const told = differences(own, together);
      return [lp.table(HEAD, [{ cells: cells({ ...own, tx: [null, null], rx: [null, null], lost: [null, null] }), class: "bond" }, ...below.map(cells), { cells: cells(together), class: "total" }], `Tap matrix of ${own.name}`),
        told.length ? h("ul", { class: "differences" }, told) : null];
    });
    const others = links.filter((link) => !inBond.has(link.link.ifindex)).map((link) => cells(rows.get(link.link.ifindex)));
    if (others.length) parts.push(lp.table(HEAD, others, "Tap matrix of other interfaces"));
    const [from, to] = shown;
    const where = axis.isWhole() ? "Whole window" : to > from ? `${time.signed(xs[from] - seconds.ns[from] / 1e9, 1)} s to ${time.signed(xs[to - 1], 1)} s, as the axis shows` : "No whole second in the range that the axis shows";
    box.replaceChildren(h("p", { class: "hint" }, `${where}. Packets, with bytes below; counters of taps and drivers are not read at the same instant, and a driver may count a GSO frame as one.`), ...parts.flat().filter(Boolean));
  }

  /** Without counts per second: what the taps counted in all. */
  function totals() {
    const taps = list(doc.taps);
    const capture = new Map(list((doc.capture || {}).taps).map((tap) => [tap.tap, tap]));
    const rows = taps.map((tap) => {
      const classes = list(tap.classes);
      const file = capture.get(tap.tap) || {};
      return [tap.name || lp.linkName(tap.link), tap.mac, lp.count(lp.sum(classes.map((of) => of.packets))), lp.bytes(lp.sum(classes.map((of) => of.bytes))), lp.count(file.packets),
        h("span", { class: "classes" }, [...classes].sort((a, b) => b.packets - a.packets).map((of) => `${of.class} ${lp.count(of.packets)}`).join(", "))];
    });
    return lp.table([{ title: "tap" }, { title: "MAC" }, { title: "counted", num: true }, { title: "bytes", num: true }, { title: "in the file", num: true }, { title: "by class" }], rows, "Taps");
  }

  function build() {
    const section = document.getElementById("matrix");
    if (xs.length && links.length) {
      section.append(box);
      let waiting = 0;
      // Zooming by a wheel changes the range many times a second.
      axis.onChange(() => { clearTimeout(waiting); waiting = setTimeout(show, 80); });
      show();
    } else {
      section.append(lp.none("No counts per second were kept of this window."));
    }
    if (list(doc.taps).length) section.append(h("h3", {}, "By tap and class, whole window"), totals());
    return links.length;
  }

  return { build };
})();
