"use strict";
// Failures and recoveries: what becomes a bomb or a star on the axis.
lp.events = (() => {
  const entries = lp.list(lp.doc.timeline).map((entry, index) => ({
    index, entry, x: lp.time.of(entry.at), link: lp.linkName(entry.link), event: entry.event || "", text: entry.text || "", tone: entry.tone || "note",
  }));

  // A trigger says again what the entry at the same time has said.
  const key = (item) => `${item.link} ${item.x.toFixed(6)} ${item.tone}`;
  const caused = new Set(entries.filter((item) => item.event !== "trigger").map(key));
  const shown = entries.filter((item) => item.event !== "trigger" || !caused.has(key(item)));

  const failures = shown.filter((item) => item.tone === "failure");
  const recoveries = shown.filter((item) => item.tone === "recovery");
  const manual = entries.filter((item) => item.event === "trigger" && item.tone === "note");

  /** Items that would be drawn over one another become one: {x, items}. `gap`: seconds that two must be apart. */
  function clusters(items, gap, min, max) {
    const found = [];
    for (const item of items) {
      if (item.x < min || item.x > max) continue;
      const last = found[found.length - 1];
      if (last && item.x - last.x < gap) last.items.push(item);
      else found.push({ x: item.x, items: [item] });
    }
    return found;
  }

  /** What a group of entries is about, line by line. */
  function lines(items, most = 8) {
    const told = items.slice(0, most).map((item) => `${lp.time.signed(item.x, 3)}  ${item.text}`);
    if (items.length > most) told.push(`and ${items.length - most} more`);
    return told;
  }
  const picture = (item) => item.tone === "failure" ? "bomb" : item.tone === "recovery" ? "star" : item.event === "trigger" ? "flag" : "note";

  return { entries, failures, recoveries, manual, clusters, lines, picture };
})();
