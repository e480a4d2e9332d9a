// Shows what /api says. Nothing is kept but the chosen board, which stands in the address behind #.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const SOURCES = [["wind", "wind"], ["pv", "PV"], ["genset", "genset"], ["grid", "grid"], ["bess", "battery"]];
const USES = [["load", "load"], ["charge", "battery"], ["export", "grid"]];
const USE_COLOURS = { load: "load", charge: "bess", export: "grid" };
const find = (id) => document.getElementById(id);

function node(name, attributes, text) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function shape(parent, name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

function power(watts) {
  if (watts === null || watts === undefined) return "not known";
  const size = Math.abs(watts);
  if (size >= 1e6) return (watts / 1e6).toFixed(2) + " MW";
  if (size >= 1e3) return (watts / 1e3).toFixed(1) + " kW";
  return watts + " W";
}

function factor(mgPerKwh) {
  return mgPerKwh === null || mgPerKwh === undefined ? "not known" : (mgPerKwh / 1000).toFixed(1) + " g/kWh";
}

function ago(seconds) {
  if (seconds >= 86400) return Math.floor(seconds / 86400) + " d ago";
  if (seconds >= 3600) return Math.floor(seconds / 3600) + " h ago";
  if (seconds >= 60) return Math.floor(seconds / 60) + " min ago";
  return seconds + " s ago";
}

const chosen = () => decodeURIComponent(location.hash.slice(1));
const path = (name) => "/api/boards/" + name.split("/").map(encodeURIComponent).join("/");

async function read(url) {
  const answer = await fetch(url);
  return answer.ok ? answer.json() : null;
}

function showFleet(rows) {
  const body = find("fleet").tBodies[0];
  body.replaceChildren(...rows.map((row) => {
    const name = row.site + "/" + row.device;
    const line = node("tr", name === chosen() ? { class: "chosen" } : {});
    const pick = node("button", { type: "button" }, row.device);
    pick.addEventListener("click", () => { location.hash = encodeURIComponent(name); });
    const board = node("td");
    board.append(pick);
    const wrong = [...row.words, ...row.alarms].join(", ");
    line.append(node("td", {}, row.site), board, node("td", {}, row.records.toLocaleString("en")),
      node("td", {}, row.last_utc || "-"), node("td", {}, ago(row.seen_s)), node("td", {}, row.mode || "-"),
      node("td", wrong ? { class: "wrong" } : {}, wrong || "nothing"));
    return line;
  }));
}

function canvas(width, height, label) {
  const made = document.createElementNS(SVG, "svg");
  made.setAttribute("viewBox", `0 0 ${width} ${height}`);
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", label);
  return made;
}

// Bands from the sources at the left to the uses at the right, as wide as their power; each use takes its share of each.
function showFlow(now) {
  const place = find("flow");
  if (!now) { place.textContent = "the board has not said"; return; }
  const total = Math.max(SOURCES.reduce((sum, [key]) => sum + now.sources_w[key], 0), 1);
  const used = Math.max(USES.reduce((sum, [key]) => sum + now.uses_w[key], 0), 1);
  const words = SOURCES.filter(([key]) => now.sources_w[key] > 0)
    .map(([key, name]) => `${name} ${power(now.sources_w[key])}`);
  const art = canvas(560, 240, `The load of ${power(now.uses_w.load)} is fed by ${words.join(", ") || "nothing"}`);
  const scale = 190 / Math.max(total, used);
  let left = 6;
  const begins = {};
  for (const [key, name] of USES) {
    const height = now.uses_w[key] * scale;
    begins[key] = { top: left, next: left };
    if (height > 0) {
      shape(art, "rect", { x: 426, y: left, width: 10, height: Math.max(height, 1), fill: `var(--${USE_COLOURS[key]})` });
      shape(art, "text", { x: 442, y: left + height / 2 + 4 }, `${name} ${power(now.uses_w[key])}`);
    }
    left += height + (height > 0 ? 14 : 0);
  }
  let top = 6;
  for (const [key, name] of SOURCES) {
    const height = now.sources_w[key] * scale;
    if (height <= 0) continue;
    shape(art, "rect", { x: 124, y: top, width: 10, height: Math.max(height, 1), fill: `var(--${key})` });
    shape(art, "text", { x: 118, y: top + height / 2 + 4, "text-anchor": "end" }, `${name} ${power(now.sources_w[key])}`);
    let from = top;
    for (const [use] of USES) {
      const part = height * now.uses_w[use] / used;
      if (part <= 0) continue;
      const to = begins[use].next;
      shape(art, "path", { d: `M134 ${from} C280 ${from} 280 ${to} 426 ${to} v${part} C280 ${to + part} 280 ${from + part} 134 ${from + part} z`,
        fill: `var(--${key})`, "fill-opacity": 0.35 });
      from += part;
      begins[use].next += part;
    }
    top += height + 14;
  }
  place.replaceChildren(art);
}

function showBattery(now, quarters) {
  const last = quarters[quarters.length - 1];
  const power_w = now ? now.sources_w.bess - now.uses_w.charge : null;
  const doing = power_w === null ? "not known" : power_w > 0 ? `gives ${power(power_w)}`
    : power_w < 0 ? `takes ${power(-power_w)}` : "rests";
  const rows = [["now", doing], ["set point", power(now ? now.setpoint_w : null)],
    ["state of charge", now && now.soc_permille !== null && now.soc_permille !== undefined ? (now.soc_permille / 10).toFixed(1) + " %" : "not known"],
    ["carbon of what it holds", last ? factor(last.pool_direct_mg_per_kwh) : "not known"],
    ["carbon of the load, last quarter hour", last ? factor(last.load_direct_mg_per_kwh) : "not known"]];
  find("battery").replaceChildren(...rows.flatMap(([key, value]) => [node("dt", {}, key), node("dd", {}, value)]));
}

function legend(entries) {
  const list = node("ul", { class: "legend" });
  for (const [colour, name] of entries) {
    const mark = node("i");
    mark.style.background = `var(--${colour})`;
    const item = node("li");
    item.append(mark, name);
    list.append(item);
  }
  return list;
}

function showLine(points) {
  const known = points.filter((point) => point.load_w !== null && point.load_w !== undefined);
  const place = find("line");
  if (known.length < 2) { place.textContent = "waiting for a second word of the board"; return; }
  const values = known.flatMap((point) => [point.load_w, point.setpoint_w || 0, point.grid_w || 0]);
  const low = Math.min(0, ...values), high = Math.max(1, ...values);
  const art = canvas(1000, 220, `Load ${power(known[known.length - 1].load_w)}, set point ${power(known[known.length - 1].setpoint_w)}`);
  const x = (i) => 4 + 992 * i / (known.length - 1), y = (value) => 200 - 185 * (value - low) / (high - low);
  shape(art, "line", { x1: 4, x2: 996, y1: y(0), y2: y(0), stroke: "var(--rule)" });
  for (const [key, colour] of [["grid_w", "grid"], ["load_w", "load"], ["setpoint_w", "bess"]]) {
    const line = known.map((point, i) => `${x(i).toFixed(1)},${y(point[key] || 0).toFixed(1)}`).join(" ");
    shape(art, "polyline", { points: line, fill: "none", stroke: `var(--${colour})`, "stroke-width": 2 });
  }
  shape(art, "text", { x: 6, y: 14, class: "soft" }, power(high));
  shape(art, "text", { x: 6, y: 216, class: "soft" }, power(low));
  place.replaceChildren(art, legend([["load", "load"], ["bess", "set point of the battery (positive: it gives)"], ["grid", "grid"]]));
}

function showDay(quarters) {
  const place = find("day");
  if (!quarters.length) { place.textContent = "no quarter hour yet"; return; }
  const high = Math.max(1, ...quarters.map((row) => row.load_wh));
  const art = canvas(1000, 190, `${quarters.length} quarter hours up to ${quarters[quarters.length - 1].start_utc}`);
  const width = 992 / Math.max(quarters.length, 24);
  quarters.forEach((row, i) => {
    let top = 170;
    for (const [key] of SOURCES) {
      const height = 160 * row.mix_wh[key] / high;
      top -= height;
      const bar = shape(art, "rect", { x: 4 + i * width, y: top, width: Math.max(width - 1, 0.5), height, fill: `var(--${key})` });
      shape(bar, "title", {}, `${row.start_utc}: load ${(row.load_wh / 1000).toFixed(1)} kWh, ${factor(row.load_direct_mg_per_kwh)}`);
    }
  });
  shape(art, "text", { x: 4, y: 186, class: "soft" }, quarters[0].start_utc || "");
  shape(art, "text", { x: 996, y: 186, class: "soft", "text-anchor": "end" }, quarters[quarters.length - 1].start_utc || "");
  place.replaceChildren(art, legend(SOURCES.map(([key, name]) => [key, name])));
}

function showEvents(events) {
  find("events").replaceChildren(...events.map((event) => {
    const line = node("li");
    const when = event.utc_ms ? new Date(event.utc_ms).toISOString().slice(0, 19) + "Z" : "time unknown";
    line.append(node("time", {}, when), `${event.source} ${event.code}: ${event.text}`);
    return line;
  }));
}

function showVerdict(verdict) {
  const place = find("verdict");
  if (!verdict) { place.textContent = "no keys were given to verify with"; return; }
  const lines = ["integrity", "completeness", "plausibility"].map((name) => {
    const line = node("p");
    line.append(node("b", { class: verdict[name] }, verdict[name]), " " + name);
    return line;
  });
  lines.push(node("p", {}, `${verdict.records} records`));
  for (const [code, count] of Object.entries(verdict.counts)) lines.push(node("p", {}, count > 1 ? `${code}, ${count} times` : code));
  place.replaceChildren(...lines);
}

async function show() {
  const rows = await read("/api/fleet");
  if (rows) showFleet(rows);
  let name = chosen();
  if (!name && rows && rows.length) name = rows[0].site + "/" + rows[0].device;
  if (!name) return;
  const board = await read(path(name));
  find("board").hidden = !board;
  if (!board) return;
  find("board-title").textContent = name;
  const reason = board.reason_text || board.reason || "the board has not said why it does what it does";
  find("why").textContent = reason;
  showFlow(board.now);
  showBattery(board.now, board.quarters);
  showLine(board.points);
  showDay(board.quarters);
  showEvents(board.events);
  showVerdict(await read(path(name) + "/verdict"));
}

// One showing at a time; what changes meanwhile is shown after it.
let showing = false, again = false;
async function refresh() {
  if (showing) { again = true; return; }
  showing = true;
  try { await show(); } catch (error) { /* the stream below says that the host has gone */ }
  showing = false;
  if (again) { again = false; setTimeout(refresh, 200); }
}

function follow() {
  const stream = new EventSource("/api/changes");
  stream.onmessage = (message) => {
    const told = JSON.parse(message.data);
    find("link").textContent = told.trouble || "live";
    find("link").className = told.trouble ? "trouble" : "";
    refresh();
  };
  stream.onerror = () => {
    find("link").textContent = "the host does not answer; trying again";
    find("link").className = "trouble";
  };
}

addEventListener("hashchange", refresh);
follow();
