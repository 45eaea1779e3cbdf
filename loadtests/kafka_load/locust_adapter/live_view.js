// The page in the Kafka tab: asks for the run's state every two seconds while it is seen, and shows it.
"use strict";
const EVERY_MS = 2000;
const root = document.documentElement;
const frame = window.frameElement;

function make(tag, text = "", bad = false) {
  const made = document.createElement(tag);
  made.textContent = text;
  made.classList.toggle("bad", bad);
  return made;
}

const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();

/** Locust's theme is a switch of its own: dark if its page is. */
function adoptTheme() {
  const page = frame ? getComputedStyle(frame.ownerDocument.body).backgroundColor.match(/\d+/g) : null;
  const dark = page ? page.slice(0, 3).every((part) => part < 128) : matchMedia("(prefers-color-scheme: dark)").matches;
  root.classList.toggle("dark", dark);
}

function themed(layout) {
  const axes = Object.keys(layout).filter((key) => /^[xy]axis/.test(key));
  const coloured = axes.map((key) => [key, { ...layout[key], gridcolor: colour("--grid"), linecolor: colour("--rule") }]);
  const font = { color: colour("--soft"), family: "system-ui, sans-serif", size: 12 };
  const hoverlabel = { bgcolor: colour("--card"), font: { color: colour("--ink") } };
  return { ...layout, ...Object.fromEntries(coloured), font, hoverlabel };
}

function showChart({ id, title, subtitle, data, layout }) {
  if (!document.getElementById(id)) {
    const section = make("section");
    const heading = make("h2", title + " ");
    heading.append(make("small", subtitle));
    const plot = make("div");
    plot.id = id;
    section.append(heading, plot);
    document.getElementById("charts").append(section);
  }
  Plotly.react(id, data, themed(layout), { responsive: true, displayModeBar: false });
}

/** A table is folded away, and stays as its reader left it. */
function showTable({ id, title, note, bad, head, rows }) {
  let details = document.getElementById(id);
  if (!details) {
    details = make("details");
    details.id = id;
    details.append(make("summary"), make("div"));
    details.lastChild.className = "scroll";
    document.getElementById("tables").append(details);
  }
  const summary = make("summary", title + " ", bad);
  summary.append(make("small", note));
  details.firstChild.classList.toggle("bad", bad);
  details.firstChild.replaceChildren(...summary.childNodes);
  const table = make("table");
  const line = (tag, cells) => {
    const row = make("tr");
    row.append(...cells.map((cell) => make(tag, cell)));
    return row;
  };
  table.append(line("th", head), ...rows.map((row) => line("td", row)));
  details.lastChild.replaceChildren(table);
}

function show(state) {
  document.getElementById("standing").className = state.outcome;
  document.getElementById("headline").textContent = state.headline;
  document.getElementById("about").textContent = state.about;
  const tiles = state.tiles.map(({ name, value, bad }) => {
    const tile = make("div");
    tile.append(make("span", name), make("b", value, bad));
    tile.firstChild.className = "soft";
    return tile;
  });
  document.getElementById("tiles").replaceChildren(...tiles);
  const events = state.events.map(({ at, text, bad }) => {
    const event = make("li", "", bad);
    event.append(make("span", at), text);
    return event;
  });
  document.getElementById("events").replaceChildren(...events);
  if (window.Plotly) state.figures.forEach(showChart);
  state.tables.forEach(showTable);
}

async function follow() {
  if (!document.hidden && (!frame || frame.offsetParent)) {
    try {
      const answer = await fetch("state");
      adoptTheme();
      if (answer.ok) show(await answer.json());
    } catch (error) {
      document.getElementById("about").textContent = `Locust does not answer: ${error.message}`;
    }
  }
  setTimeout(follow, EVERY_MS);
}

if (frame) new ResizeObserver(() => { frame.style.height = `${document.querySelector("main").offsetHeight}px`; }).observe(document.querySelector("main"));
follow();
