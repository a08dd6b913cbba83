"use strict";
// Times. Everything is in seconds from the first trigger; the wall clock is the router's, in its own time zone.
lp.time = (() => {
  const { doc } = lp;
  const window_ = doc.window || {};
  const origin = (lp.list(doc.triggers)[0] || { at: window_.from }).at || { mono_ns: 0, wall: "" };
  const parts = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(origin.wall || "");
  const whole = parts ? Date.UTC(parts[1], parts[2] - 1, parts[3], parts[4], parts[5], parts[6]) / 1000 : 0;
  const fraction = parts && parts[7] ? Number(parts[7]) : 0;

  const zero = BigInt(origin.mono_ns);

  /** Seconds from the first trigger, of a time of the document (or bare nanoseconds). */
  function of(at) {
    if (at === null || at === undefined) return null;
    return Number(BigInt(typeof at === "object" ? at.mono_ns : at) - zero) / 1e9;
  }

  /** [date, time of day] on the router's clock. */
  function wall(x, digits) {
    if (!parts) return ["", ""];
    // Rounded first: 59.9996 s with three digits is the next minute.
    const unit = 10 ** digits;
    const ticks = Math.floor((fraction + x) * unit + 1e-6);
    const seconds = Math.floor(ticks / unit);
    const text = new Date((whole + seconds) * 1000).toISOString();
    const rest = String(ticks - seconds * unit).padStart(digits, "0");
    return [text.slice(0, 10), text.slice(11, 19) + (digits ? "." + rest : "")];
  }
  const clock = (x, digits = 3) => wall(x, digits)[1];
  const zone = parts ? (/^(Z|[+-]00:00)$/.test(parts[8]) ? "UTC" : `UTC${parts[8]}`) : "";

  /** +1.234 s */
  function signed(x, digits = 3) {
    return `${x < 0 ? "−" : "+"}${Math.abs(x).toFixed(digits)}`;
  }
  /** A length of time: 138 µs, 1.2 ms, 3.5 s, 2 min 5 s. */
  function span(s) {
    if (s < 1e-9) return "0 s";
    if (s < 1e-3) return `${+(s * 1e6).toPrecision(3)} µs`;
    if (s < 1) return `${+(s * 1e3).toPrecision(3)} ms`;
    if (s < 60) return `${+s.toPrecision(3)} s`;
    return `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`;
  }
  /** Digits behind the point that tell two places of the axis apart. */
  function digits(step) {
    return Math.max(0, Math.min(6, Math.ceil(-Math.log10(step))));
  }

  const from = of(window_.from) || 0;
  const to = Math.max(of(window_.to) || 0, from + 1e-3);
  return { of, wall, clock, zone, signed, span, digits, from, to };
})();
