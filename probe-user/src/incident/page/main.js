"use strict";
// Puts the page together, and says in attributes of the root what came of it: a test reads them.
(() => {
  const { root, guard } = lp;
  const counts = {
    chain: guard("verdict", lp.verdict.build),
    timeline: guard("timeline", lp.timeline.build),
    repeats: guard("repeats", lp.tables.repeats),
    drops: guard("drops", lp.tables.drops),
    links: guard("links", lp.tables.links),
    packets: guard("capture", lp.tables.capture),
    losses: guard("losses", lp.tables.losses),
  };
  guard("about", lp.tables.about);
  guard("axis", lp.axis.tools);
  counts.charts = guard("axis", lp.plots.build);
  counts.normal = guard("normal", lp.normal.build);
  counts.matrix = guard("matrix", lp.matrix.build);
  guard("axis", lp.plots.watch);
  counts.failures = lp.events.failures.length;
  counts.recoveries = lp.events.recoveries.length;
  for (const [name, value] of Object.entries(counts)) root.dataset[name] = value ?? "failed";
  root.dataset.wide = root.scrollWidth > root.clientWidth ? "1" : "0";
  root.dataset.ready = "1";
})();
