// What somebody does who looks for something, and what the page then shows, into attributes of its root.
const told = document.documentElement.dataset, plots = document.getElementById("plots");
const range = () => document.querySelector("#tools .range").textContent;
const key = (key) => { plots.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })); return range(); };
told.before = range();
told.nearer = key("+");
told.right = key("ArrowRight");
told.left = key("ArrowLeft");
told.wider = key("-");
key("+");
told.all = key("0");
const wheel = new WheelEvent("wheel", { deltaY: -100, ctrlKey: true, clientX: 640, bubbles: true, cancelable: true });
plots.querySelector(".u-over").dispatchEvent(wheel);
told.wheel = range();
told.button = (document.querySelector("#tools button[aria-label='Around the first failure']").click(), range());

const legend = () => plots.querySelector(".legend button");
told.curve = legend().getAttribute("aria-pressed");
legend().click();
told.hidden = legend().getAttribute("aria-pressed");
const scale = () => plots.querySelector(".switches input");
const logarithmic = scale().checked;
scale().click();
told.scale = scale().checked === logarithmic ? "stayed" : "changed";

const timeline = document.getElementById("timeline"), search = timeline.querySelector("input");
const rows = () => [...timeline.querySelectorAll("tbody tr")];
const seek = (words) => { search.value = words; search.dispatchEvent(new Event("input", { bubbles: true })); return rows().length; };
told.entries = rows().length;
told.found = seek("  CARRIER lost ");
told.alike = rows().every((row) => row.textContent.toLowerCase().includes("carrier lost")) ? "1" : "0";
told.status = timeline.querySelector("[role=status]").textContent;
told.nothing = seek("no such words");
told.again = seek("");
seek("no such words");
key("0");
// What is drawn comes a moment later.
setTimeout(() => {
  told.matrixall = document.querySelector("#matrix .hint").textContent;
  // A bomb on the axis brings its entry into view, whatever is searched for.
  plots.querySelector(".mark.bomb").click();
  told.revealed = timeline.querySelector("tr.flash.failure") ? "1" : "0";
  key("+");
}, 300);
setTimeout(() => { told.matrixpart = document.querySelector("#matrix .hint").textContent; }, 600);
