"use strict";
// States of links and of LACP over time, as bands: {label, group, spans: [{from, to, text, kind}]}.
// They are put together from the links before the window and what the timeline and the LACPDUs tell since.
lp.states = (() => {
  const { doc, time } = lp;
  const BITS = ["activity", "timeout", "aggregation", "synchronization", "collecting", "distributing", "defaulted", "expired"];
  const entries = lp.events.entries;
  const before = new Map(lp.list(doc.links_before).map((link) => [link.name, link]));
  const after = new Map(lp.list(doc.links_after).map((link) => [link.name, link]));
  const names = new Map();
  for (const link of [...before.values(), ...after.values()]) names.set(link.ifindex, link.name);

  /** A value over time: what it was at the start, and each change. Without a known start it is what the first change came from. */
  class Track {
    constructor(start) {
      this.start = start;
      this.changes = [];
    }
    add(x, value, from) {
      if (this.changes.length === 0 && this.start === undefined) this.start = from;
      this.changes.push([x, value]);
    }
    at(x) {
      let value = this.start;
      for (const [when, next] of this.changes) {
        if (when > x) break;
        value = next;
      }
      return value;
    }
  }

  /** Bands of what `describe` says of several tracks together. It is asked at each change. */
  function spans(tracks, describe) {
    const times = [...new Set([time.from, ...tracks.flatMap((track) => track.changes.map(([x]) => x)).filter((x) => x > time.from)])].sort((a, b) => a - b);
    const cursors = tracks.map((track) => ({ track, next: 0, value: track.start }));
    const found = [];
    for (const x of times) {
      for (const cursor of cursors) {
        while (cursor.next < cursor.track.changes.length && cursor.track.changes[cursor.next][0] <= x) {
          cursor.value = cursor.track.changes[cursor.next][1];
          cursor.next += 1;
        }
      }
      const state = describe(...cursors.map((cursor) => cursor.value));
      const last = found[found.length - 1];
      const from = Math.max(x, time.from);
      if (last && last.text === state.text && last.kind === state.kind) continue;
      if (last) last.to = from;
      found.push({ from, to: time.to, ...state });
    }
    return found.filter((span) => span.text !== "" && span.to >= span.from);
  }

  const state = (text, kind) => ({ text, kind });
  const UNKNOWN = state("", "none");

  function linkState(gone, admin, carrier, oper) {
    if (gone) return state("gone", "off");
    if (admin === false) return state("admin down", "off");
    if (carrier === false) return state("no carrier", "bad");
    if (oper === "down" || oper === "lowerlayerdown" || oper === "notpresent") return state(oper, "bad");
    if (oper === "dormant" || oper === "testing") return state(oper, "warn");
    // Captures tell of no link's state: those are null.
    if (carrier == null && admin == null && oper == null) return UNKNOWN;
    return state("up", "good");
  }

  function slaveState(master, mii, active) {
    if (!master) return state("in no bond", "off");
    const words = String(mii || "").replace("-", " ");
    if (words === "down") return state("MII down", "bad");
    if (words.startsWith("going")) return state(words, "warn");
    if (active == null) return UNKNOWN;
    return active ? state("active", "good") : state("backup", "idle");
  }

  function lacpState(bits, silent, admin, carrier, master) {
    // Without a link the last state means nothing.
    if (admin === false || carrier === false) return state("no link", "off");
    if (master === null) return state("in no bond", "off");
    if (silent) return state("silent", "bad");
    if (bits === undefined || bits === null) return UNKNOWN;
    const has = (name) => bits.includes(name);
    if (has("defaulted")) return state("defaulted", "bad");
    if (has("expired")) return state("expired", "warn");
    if (["synchronization", "collecting", "distributing"].every(has)) return state("working", "good");
    if (!has("aggregation")) return state("individual", "warn");
    return has("synchronization") ? state("waiting", "warn") : state("not in sync", "warn");
  }

  /** Names of the flags in a number, or in a text that is one. */
  function flags(value) {
    const bits = Number(value);
    return value === null || value === undefined || value === "none" || Number.isNaN(bits) ? undefined : BITS.filter((_, i) => bits & (1 << i));
  }

  function tracksOf(name) {
    const link = before.get(name);
    const then = link || {};
    const slave = then.slave || {};
    const known = link !== undefined;
    const masterOf = (of) => of && of.master ? names.get(of.master) || `#${of.master}` : null;
    const tracks = {
      gone: new Track(known ? false : undefined),
      admin: new Track(then.admin_up),
      carrier: new Track(then.carrier),
      oper: new Track(then.operstate),
      master: new Track(known ? masterOf(then) : undefined),
      mii: new Track(slave.mii),
      active: new Track(slave.active),
      ours: new Track(flags(slave.actor_state)),
      partner: new Track(flags(slave.partner_state)),
      oursSilent: new Track(false),
      partnerSilent: new Track(false),
    };
    for (const { x, link: of, event, entry } of entries) {
      if (of !== name) continue;
      switch (event) {
        case "vanished": tracks.gone.add(x, true, false); break;
        case "appeared": tracks.gone.add(x, false, !entry.initial); break;
        case "admin": tracks.admin.add(x, entry.up, !entry.up); break;
        case "carrier": tracks.carrier.add(x, entry.up, !entry.up); break;
        case "oper": tracks.oper.add(x, entry.to, entry.from); break;
        case "master": tracks.master.add(x, entry.to, entry.from); break;
        case "slave-mii": tracks.mii.add(x, entry.to, entry.from); break;
        case "slave-active": tracks.active.add(x, entry.active, !entry.active); break;
        case "lacp": {
          const track = entry.direction === "egress" ? tracks.ours : tracks.partner;
          track.add(x, entry.to.actor.state, entry.from ? entry.from.actor.state : undefined);
          break;
        }
        case "lacp-silence": (entry.direction === "egress" ? tracks.oursSilent : tracks.partnerSilent).add(x, entry.silent, !entry.silent); break;
        case "attribute":
          if (entry.name === "actor port state") tracks.ours.add(x, flags(entry.to), flags(entry.from));
          if (entry.name === "partner port state") tracks.partner.add(x, flags(entry.to), flags(entry.from));
          break;
        default:
      }
    }
    // What is known neither from before nor from a change is as it was in the end.
    const last = after.get(name);
    if (last) {
      const end = { gone: false, admin: last.admin_up, carrier: last.carrier, oper: last.operstate, master: masterOf(last),
        mii: (last.slave || {}).mii, active: (last.slave || {}).active };
      for (const [key, value] of Object.entries(end)) {
        if (tracks[key].start === undefined && tracks[key].changes.length === 0) tracks[key].start = value;
      }
    }
    const pdus = lp.list((doc.series || {}).pdus);
    for (const seen of lp.list((doc.series || {}).lacpdus)) {
      if (lp.linkName(seen.link) !== name) continue;
      const track = seen.direction === "egress" ? tracks.ours : tracks.partner;
      // Only where it changes: there may be thousands.
      let previous = null;
      seen.t.forEach((t, i) => {
        if (seen.pdu[i] === previous) return;
        previous = seen.pdu[i];
        const bits = pdus[previous] && pdus[previous].actor.state;
        track.changes.push([seriesX(t), bits]);
        if (track.start === undefined) track.start = bits;
      });
      track.changes.sort((a, b) => a[0] - b[0]);
    }
    return tracks;
  }

  const base = doc.series ? time.of(doc.series.from) : 0;
  /** Seconds from the first trigger, of a time in a series. */
  function seriesX(t) {
    return base + t / 1e9;
  }

  /** The links in the order in which people think of them: each bond, its slaves, then the rest. */
  function ordered() {
    const all = new Map([...after, ...before]);
    for (const { link } of entries) if (link && !all.has(link)) all.set(link, { name: link });
    const isBond = (link) => Boolean(link.bond) || link.kind === "bond";
    const bonds = [...all.values()].filter(isBond);
    const found = [];
    for (const bond of bonds) {
      found.push({ name: bond.name, role: "bond" });
      for (const link of all.values()) {
        const master = [before.get(link.name), after.get(link.name)].some((of) => of && of.master === bond.ifindex);
        if (master && !isBond(link)) found.push({ name: link.name, role: "slave", bond: bond.name, mode: (bond.bond || {}).mode });
      }
    }
    const known = new Set(found.map((link) => link.name));
    for (const link of all.values()) if (!known.has(link.name)) found.push({ name: link.name, role: link.slave ? "slave" : "interface" });
    return found;
  }

  const links = ordered();

  /** One row per thing that has states. */
  function rows() {
    const found = [];
    for (const { name, role } of links) {
      const tracks = tracksOf(name);
      const add = (label, spans) => { if (spans.length > 0) found.push({ label, link: name, spans }); };
      add(name, spans([tracks.gone, tracks.admin, tracks.carrier, tracks.oper], linkState));
      if (role === "slave") add(`${name} slave`, spans([tracks.master, tracks.mii, tracks.active], slaveState));
      if (tracks.ours.start === undefined && tracks.partner.start === undefined) continue;
      // Who is not known to be in a bond may well be: captures of others do not tell.
      const around = [tracks.admin, tracks.carrier, ...(tracks.master.changes.length ? [tracks.master] : [])];
      add(`${name} LACP ours`, spans([tracks.ours, tracks.oursSilent, ...around], lacpState));
      add(`${name} LACP partner`, spans([tracks.partner, tracks.partnerSilent, ...around], lacpState));
    }
    return found;
  }

  return { rows, links, seriesX, lacpState };
})();
