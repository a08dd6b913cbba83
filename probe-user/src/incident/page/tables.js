"use strict";
// The smaller tables: repeats, drops, links, the capture, losses of our own.
lp.tables = (() => {
  const { doc, h, list, time } = lp;
  const section = (id) => document.getElementById(id);
  const at = (x) => h("button", { type: "button", class: "at", title: "Show on the axis", onclick: () => lp.verdict.toAxis(x) }, `${time.signed(x)} s`);

  function repeats() {
    const rows = list(doc.repeats).map(({ last, what, peak_per_second: peak, storm }) => [
      h("span", { class: "frame-words" }, what || last.class), storm ? h("span", { class: "badge critical" }, "storm") : "",
      `${lp.linkName(last.link)} ${last.direction === "egress" ? "out" : "in"}`, lp.count(last.copies), lp.count(peak), at(time.of(last.first_at)), at(time.of(last.at)), lp.count(last.length),
    ]);
    section("repeats").append(rows.length ? lp.table([{ title: "frame" }, { title: "" }, { title: "tap" }, { title: "copies", num: true }, { title: "most in 1 s", num: true },
      { title: "first", num: true }, { title: "last kept", num: true }, { title: "bytes", num: true }], rows, "Repeated frames")
      : lp.none("No frame was repeated byte for byte."));
    return rows.length;
  }

  function drops() {
    const rows = list(doc.drops).map((of) => [lp.linkName(of.link), h("code", {}, of.reason), of.place ? h("code", {}, of.place) : "", lp.count(of.packets)]);
    section("drops").append(rows.length ? lp.table([{ title: "link" }, { title: "reason" }, { title: "place" }, { title: "packets", num: true }], rows, "Dropped packets")
      : lp.none("No drop of a watched link was seen."));
    return rows.length;
  }

  function links() {
    const before = new Map(list(doc.links_before).map((link) => [link.ifindex, link]));
    const after = new Map(list(doc.links_after).map((link) => [link.ifindex, link]));
    const all = new Map([...before, ...after]);
    const nameOf = (ifindex) => ifindex ? (all.get(ifindex) || { name: `#${ifindex}` }).name : "";
    const change = (id, of) => {
      const [was, is] = [before, after].map((side) => side.has(id) ? of(side.get(id)) : "–");
      return was === is || !before.size ? is : h("span", { class: "change" }, was === "" ? "–" : was, " → ", is === "" ? "–" : is);
    };
    const slave = (of) => (link) => link.slave ? of(link.slave) : "";
    const told = (value, yes, no) => value == null ? "" : value ? yes : no;
    const rows = [...all.keys()].map((id) => [
      change(id, (link) => link.name), change(id, (link) => told(link.admin_up, "up", "down")), change(id, (link) => told(link.carrier, "yes", "no")), change(id, (link) => link.operstate || ""),
      change(id, (link) => nameOf(link.master)), change(id, slave((of) => told(of.active, "active", "backup"))), change(id, slave((of) => of.mii || "")),
      change(id, (link) => String(link.carrier_down_count ?? "")), change(id, (link) => link.mac),
    ]);
    section("links").append(rows.length ? lp.table(["link", "admin", "carrier", "operstate", "bond", "slave", "MII", "carrier lost", "MAC"].map((title) => ({ title, num: title === "carrier lost" })), rows, "Links")
      : lp.none("No link was watched."));
    return rows.length;
  }

  function capture() {
    const of = doc.capture || {};
    const commands = [
      ["wireshark capture.pcapng", "opens it; the events stand between the packets"],
      ["tshark -r capture.pcapng -Y 'frame.number == N'", "one packet of the evidence"],
      ["lacp or arp or icmp or vrrp or ospf", "display filter: the control plane"],
      ["systemd_journal", "display filter: the events alone"],
    ];
    section("capture").append(
      h("p", {}, h("code", {}, of.file || "capture.pcapng"), ` beside this page holds ${lp.plural(of.packets || 0, "packet")} in ${lp.bytes(of.file_bytes)}`,
        of.missing ? `; ${lp.plural(of.missing, "frame was", "frames were")} counted and are not in it.` : ".",
        of.filter ? [` ${lp.plural(of.filtered || 0, "packet")} left out by the filter `, h("code", {}, of.filter), "."] : ""),
      h("dl", { class: "commands" }, commands.map(([command, text]) => h("div", {}, h("dt", {}, h("code", {}, command)), h("dd", {}, text)))));
    return of.packets || 0;
  }

  function losses() {
    const told = [];
    const add = (name, n) => { if (n > 0) told.push([name, lp.count(n)]); };
    for (const [name, n] of Object.entries(doc.losses || {})) add(name, n);
    for (const tap of list(doc.taps)) {
      // Frames that are longer than the snap length were asked to be cut.
      for (const [name, n] of Object.entries(tap.losses || {})) if (name !== "truncated") add(`${tap.name || lp.linkName(tap.link)}: ${name}`, n);
    }
    const of = doc.capture || {};
    add("frames that were counted and are not in the capture", of.missing);
    add("entries of the timeline that were no longer held", doc.timeline_lost);
    ["control", "bulk"].forEach((lane, i) => add(`blocks of the ${lane} lane overwritten before they were copied`, list(of.overrun_blocks)[i]));
    add("blocks that ended in bytes that are no record", of.damaged);
    const remarks = [
      of.limited ? "capture-limit kept packets out of the file: those nearest to the triggers were kept." : null,
      ...["control", "bulk"].map((lane) => (of.complete_from || {})[lane] ? `The ${lane} lane held nothing of before ${time.signed(time.of(of.complete_from[lane]))} s any more.` : null),
      of.looked === false ? "The recorder could not be copied." : null,
    ].filter(Boolean);
    const box = section("losses");
    if (told.length) box.append(lp.table([{ title: "what" }, { title: "how many", num: true }], told, "Losses"));
    if (remarks.length) box.append(h("ul", {}, remarks.map((text) => h("li", {}, text))));
    if (told.length + remarks.length === 0) box.append(h("p", { class: "none" }, "No losses: what was recorded in the window is all here."));
    return told.length;
  }

  function about() {
    document.getElementById("made").textContent = `${doc.program || "Linkprobe"} · incident ${doc.id || ""} · format ${doc.version ?? "?"} · times are the router's (${time.zone || "zone unknown"}), seconds count from the first trigger`;
  }

  return { repeats, drops, links, capture, losses, about };
})();
