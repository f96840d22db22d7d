"use strict";
// Shows the state that the server sends, whole each time: a page that comes late or comes back misses nothing.
const byId = (id) => document.getElementById(id);
const svgNS = "http://www.w3.org/2000/svg";
const width = 320, height = 84, left = 4, top_ = 16, bottom = 14;

function element(parent, name, className, text) {
  const e = document.createElement(name);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return parent.appendChild(e);
}

function shape(parent, name, attributes, text) {
  const e = document.createElementNS(svgNS, name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  if (text !== undefined) e.textContent = text;
  return parent.appendChild(e);
}

// plot draws one value of all points over time, with the times shaded in which a fault was in force.
function plot(parent, lock, length, key, kind, caption, label) {
  const svg = shape(parent, "svg", {viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": caption});
  const x = (t) => left + t / length * (width - 2 * left);
  for (const f of lock.faults) {
    const to = f.to === null ? length : f.to;
    shape(svg, "rect", {class: "fault", x: x(f.from), y: top_, width: Math.max(1, x(to) - x(f.from)), height: height - top_ - bottom});
  }
  const most = Math.max(...lock.points.map((p) => p[key]), 0);
  shape(svg, "text", {x: left, y: 11}, `${caption}${most > 0 ? `, up to ${label(most)}` : ""}`);
  shape(svg, "line", {class: "axis", x1: left, x2: width - left, y1: height - bottom, y2: height - bottom});
  shape(svg, "text", {x: width - left, y: height - 3, "text-anchor": "end"}, `${Math.round(length)} s`);
  if (most > 0) {
    const y = (v) => height - bottom - v / most * (height - top_ - bottom);
    shape(svg, "polyline", {class: kind, points: lock.points.map((p) => `${x(p.at).toFixed(1)},${y(p[key]).toFixed(1)}`).join(" ")});
  }
}

const number = (v) => v >= 100 ? Math.round(v).toString() : v.toPrecision(3);
const ms = (v) => v >= 1000 ? `${number(v / 1000)} s` : v >= 1 ? `${number(v)} ms` : `${number(v * 1000)} µs`;

function show(state) {
  byId("title").textContent = document.title = state.title;
  byId("status").textContent = state.status;
  const length = Math.max(1, ...state.locks.flatMap((l) => l.points.map((p) => p.at)));
  const locks = byId("locks");
  locks.replaceChildren();
  for (const lock of state.locks) {
    const card = element(locks, "section", "lock");
    element(card, "h2", "", lock.driver);
    element(card, "p", "now", lock.now);
    const said = element(card, "p");
    if (lock.incidents > 0) {
      element(said, "span", "incidents", `${lock.incidents} incident${lock.incidents > 1 ? "s" : ""} so far`);
    } else {
      said.textContent = "no incident so far";
    }
    plot(card, lock, length, "rate", "rate", "grants per second", number);
    plot(card, lock, length, "wait", "wait", "p99 of an acquire in its phase", ms);
  }
  const messages = byId("messages");
  messages.replaceChildren();
  for (const m of state.messages) element(messages, "li", "", m);
}

const events = new EventSource("events");
events.addEventListener("state", (e) => show(JSON.parse(e.data)));
events.addEventListener("over", (e) => {
  events.close();
  if (JSON.parse(e.data).report) {
    location.replace("report");
  } else {
    byId("status").textContent = "It is over, and there is no report. The terminal says why.";
  }
});
events.addEventListener("error", () => { byId("status").textContent = "The connection to lockbench is broken; trying again."; });
