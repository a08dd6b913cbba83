"use strict";
// The document, elements, numbers. What comes from the document goes into the page as text, never as HTML.
const lp = (() => {
  const root = document.documentElement;
  // Nanoseconds since 1970 have more digits than a number here keeps. Within a text the quotes would be escaped.
  const doc = JSON.parse(document.getElementById("incident").textContent.replace(/"mono_ns":(\d+)/g, '"mono_ns":"$1"'));
  const errors = [];

  /** Notes an error where a test and a reader find it. */
  function failed(where, error) {
    errors.push(`${where}: ${error && error.message || error}`);
    root.dataset.errors = errors.length;
    root.dataset.firstError = errors[0];
  }
  window.addEventListener("error", (event) => failed("script", event.error || event.message));
  root.dataset.errors = "0";

  /** Runs `work`; where it fails, the rest of the page is still made, and the section says that something is missing. */
  function guard(where, work) {
    try {
      return work();
    } catch (error) {
      failed(where, error);
      const section = document.getElementById(where);
      if (section) section.append(h("p", { class: "notice" }, `This part could not be shown: ${error.message}. incident.json has its data.`));
      return null;
    }
  }

  /** An element. `props`: attributes; `on…` are listeners, `data` is a dataset. Children: nodes or text; null is left out. */
  function h(tag, props, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(props || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (name === "data") Object.assign(element.dataset, value);
      else if (name === "style") Object.assign(element.style, value);
      else element.setAttribute(name, value === true ? "" : String(value));
    }
    element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== "").map((child) =>
      child instanceof Node ? child : String(child)));
    return element;
  }

  /** A picture: bomb, star, flag, note. */
  function glyph(name) {
    return document.getElementById(`glyph-${name}`).content.firstElementChild.cloneNode(true);
  }

  /** A table in a box that scrolls by itself. `columns`: {title, num, hint}; a row is a list of cells, or {cells, class}. */
  function table(columns, rows, caption) {
    const cell = (tag, content, column) => h(tag, { class: column && column.num ? "num" : null, scope: tag === "th" ? "col" : null }, content);
    const row = (row) => {
      const cells = Array.isArray(row) ? row : row.cells;
      return h("tr", { class: row.class }, cells.map((content, i) => cell("td", content, columns[i])));
    };
    return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
      h("table", {}, h("thead", {}, h("tr", {}, columns.map((column) => cell("th", column.title, column)))), h("tbody", {}, rows.map(row))));
  }

  const none = (text) => h("p", { class: "none" }, text);
  const sum = (list) => list.reduce((total, n) => total + (n || 0), 0);
  const list = (value) => Array.isArray(value) ? value : [];

  const PREFIXES = ["", "k", "M", "G", "T"];
  /** A number in at most four characters and a prefix: 370 k. */
  function si(n) {
    if (n === null || n === undefined || !Number.isFinite(n)) return "";
    let size = Math.abs(n), prefix = 0;
    while (size >= 999.5 && prefix < PREFIXES.length - 1) {
      size /= 1000;
      prefix += 1;
    }
    const digits = size >= 99.95 || Number.isInteger(size) ? 0 : size >= 9.995 ? 1 : 2;
    return `${n < 0 ? "−" : ""}${digits ? size.toFixed(digits).replace(/\.?0+$/, "") : size.toFixed(0)}${prefix ? "\u202f" + PREFIXES[prefix] : ""}`;
  }
  /** Bytes: 4.28 MB. */
  const bytes = (n) => { const text = si(n || 0); return /\d$/.test(text) ? `${text} B` : `${text}B`; };
  /** A number with all its digits: 7,040,000. */
  const count = (n) => n === null || n === undefined ? "–" : Number(n).toLocaleString("en-US");

  /** "1 packet", "2 packets". */
  const plural = (n, one, many) => `${count(n)} ${n === 1 ? one : many || one + "s"}`;
  const linkName = (link) => link && link.name || "";

  return { root, doc, errors, failed, guard, h, glyph, table, none, sum, list, si, bytes, count, plural, linkName };
})();
