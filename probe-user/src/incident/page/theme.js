"use strict";
// Colours. They are the style sheet's; the canvases ask for them each time that they are drawn.
lp.theme = (() => {
  const listeners = [];
  let cache = {};

  /** The value of a custom property. */
  function color(name) {
    if (!(name in cache)) cache[name] = getComputedStyle(lp.root).getPropertyValue(`--${name}`).trim();
    return cache[name];
  }
  function changed() {
    cache = {};
    listeners.forEach((listener) => listener());
  }
  const onChange = (listener) => listeners.push(listener);

  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  // On paper the page is light, and the canvases have to be drawn again for it.
  window.addEventListener("beforeprint", () => {
    lp.root.dataset.print = "1";
    document.querySelectorAll("details").forEach((details) => { details.dataset.was = details.open ? "1" : ""; details.open = details.closest("footer") === null; });
    changed();
  });
  window.addEventListener("afterprint", () => {
    delete lp.root.dataset.print;
    document.querySelectorAll("details").forEach((details) => { details.open = details.dataset.was === "1"; });
    changed();
  });

  const SERIES = 8;
  /** Colour of the i-th link or target. */
  const series = (i) => color(`c${i % SERIES}`);
  const font = (size, weight = "") => `${weight} ${size * devicePixelRatio}px system-ui, sans-serif`;
  return { color, series, onChange, font, SERIES };
})();
