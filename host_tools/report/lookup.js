"use strict";
// Answers "what was it at 15:00?" from the packed records in this page. The words are those of answer.py.
function begin(lookup) {
const words = JSON.parse(lookup.querySelector("script").textContent);
let store = null;

async function unpack() {
  const packed = Uint8Array.from(atob(words.packed), letter => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const data = new Uint8Array(await new Response(stream).arrayBuffer());
  const columns = {};
  let at = 0;
  for (const name of words.columns) {
    const column = columns[name] = new Array(words.count);
    for (let i = 0, last = 0; i < words.count; i++) {
      let rest = 0, scale = 1, byte;
      do { byte = data[at++]; rest += (byte & 127) * scale; scale *= 128; } while (byte > 127);
      last += rest % 2 ? -(rest + 1) / 2 : rest / 2;
      column[i] = last;
    }
  }
  return columns;
}

const rounded = (numerator, denominator, places) => {
  const scale = 10n ** BigInt(places);
  const value = (2n * BigInt(numerator) * scale + BigInt(denominator)) / (2n * BigInt(denominator));
  return value / scale + "." + String(value % scale).padStart(places, "0");
};
const share = (part, total) => rounded(100 * part, total, 1);
const kwh = wh => rounded(wh, 1000, 3) + " kWh";
const show = ms => new Date(ms).toISOString().replace(".000Z", "Z");
const flagWords = flags => Object.entries(words.flags).filter(([bit]) => Math.floor(flags / 2 ** bit) % 2).map(e => e[1]);

function rowAt(i) {
  const row = {};
  for (const name of words.columns) row[name] = store[name][i];
  return row;
}

function partsOf(row) {
  return words.origins.map((origin, k) => [words.names[k], row["straight_" + origin] || 0, row["stored_" + origin], origin])
    .filter(part => part[1] || part[2]);
}

function sentences(row) {
  const parts = partsOf(row);
  const total = parts.reduce((sum, part) => sum + part[1] + part[2], 0);
  return [wasItWind(row, total), originOf(row, parts, total), carbonOf(row), batteryOf(row), factorOf(row), qualityOf(row)];
}

function wasItWind(row, total) {
  if (!total) return "Nothing to tell: the load took nothing.";
  const wind = row.straight_wind + row.stored_wind;
  const of = share(wind, total) + " % of the load";
  if (wind * 100 >= total * 95) return `Yes, it was wind: ${of}.`;
  if (wind * 2 >= total) return `Mostly wind: ${of}.`;
  if (wind * 1000 >= total) return `Partly wind: ${of}.`;
  return "No, it was not wind.";
}

function originOf(row, parts, total) {
  const list = parts.map(([name, straight, stored]) => {
    const through = stored && words.names.indexOf(name) < 4 ? ` (${share(stored, total)} % through the battery)` : "";
    return `${name} ${share(straight + stored, total)} %${through}`;
  });
  const end = show(row.start_ms + row.duration_ms);
  return `From ${show(row.start_ms)} to ${end} the load took ${kwh(row.load_wh)}`
    + (list.length ? ": " + list.join("; ") : "") + ".";
}

function carbonOf(row) {
  if (!row.load_wh) return "There was no load to carry carbon.";
  const [a, b] = [[row.direct_ug, "direct"], [row.lifecycle_ug, "over the life cycle"]].map(([ug, what]) =>
    `${rounded(ug, 1e9, 3)} kg ${what}, ${rounded(ug, row.load_wh * 1000, 1)} g/kWh`);
  const done = row.work > 0 ? ` ${row.work} units of work were done with it, at `
    + `${rounded(row.direct_ug, row.work * 1000, 3)} mg direct each.` : "";
  return `Its carbon was ${a}; ${b}.${done}`;
}

function batteryOf(row) {
  const did = [];
  if (row.charge_wh) did.push("took in " + kwh(row.charge_wh));
  if (row.discharge_wh) did.push("gave " + kwh(row.discharge_wh));
  let held = `and held ${kwh(row.pool_wh)} at the end`;
  if (row.pool_wh) held += `, at ${rounded(row.pool_direct_ug, row.pool_wh * 1000, 1)} g/kWh direct`;
  const soc = row.soc_permille < 0 ? "" : ` (state of charge ${rounded(row.soc_permille, 10, 1)} %)`;
  return `The battery ${did.join(" and ") || "rested"} ${held}${soc}.`;
}

function factorOf(row) {
  return `The grid factor was ${rounded(row.grid_direct_mg, 1000, 1)} g/kWh direct, `
    + `${rounded(row.grid_lifecycle_mg, 1000, 1)} g/kWh over the life cycle (${words.kinds[row.factor_kind]}).`;
}

function qualityOf(row) {
  let text = `Record ${row.seq} is ${words.qualities[row.quality]}`;
  if (row.ticks_expected) text += `; ${share(row.ticks_ok, row.ticks_expected)} % of its control periods had every measurement`;
  if (row.substituted_wh) text += `; ${kwh(row.substituted_wh)} come from substitute values`;
  const flags = flagWords(row.flags);
  return text + (flags.length ? "; " + flags.join(", ") : "") + ".";
}

function find(ms) {
  let low = 0, high = words.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (store.start_ms[middle] <= ms) low = middle + 1; else high = middle;
  }
  const i = low - 1;
  return i >= 0 && ms < store.start_ms[i] + store.duration_ms[i] ? i : -1;
}

function missing(ms) {
  for (const [start, length, reason] of words.gaps) {
    if (start !== null && start <= ms && (length === null || ms < start + length))
      return `There is no figure for ${show(ms)}: the board itself states a gap (${reason}).`;
  }
  return `There is no record of ${show(ms)} in this report.`;
}

const make = (name, text, style) => {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (style) element.className = style;
  return element;
};

const unbroken = text => text.replace(/(\d) (%|kWh|kg|mg|g\/kWh)/g, "$1\u00a0$2");

function answer(ms) {
  const i = find(ms);
  const said = (i < 0 ? [missing(ms)] : sentences(rowAt(i))).map(unbroken);
  lookup.querySelector(".short").textContent = said[0];
  lookup.querySelector(".long").replaceChildren(...said.slice(1).map(text => make("p", text)));
  const bar = lookup.querySelector(".mix");
  bar.replaceChildren();
  if (i >= 0) for (const [name, straight, stored, origin] of partsOf(rowAt(i))) {
    const part = make("i", undefined, origin + (stored > straight ? " through" : ""));
    part.style.flexGrow = straight + stored;
    part.title = name;
    bar.append(part);
  }
  fillDay(ms, i);
}

function fillDay(ms, chosen) {
  const body = lookup.querySelector("tbody");
  body.replaceChildren();
  if (!lookup.querySelector("details").open) return;
  const day = ms - ms % 86400000;
  for (let i = 0; i < words.count; i++) {
    const start = store.start_ms[i];
    if (start < day || start >= day + 86400000) continue;
    const row = rowAt(i), tr = make("tr", undefined, i === chosen ? "chosen" : "");
    const grams = ug => row.load_wh ? rounded(ug, row.load_wh * 1000, 1) : "–";
    const cells = [show(start).slice(11, 16), ...["load", "wind", "pv", "genset", "import", "discharge", "charge", "export"]
      .map(name => rounded(row[name + "_wh"], 1000, 3)), grams(row.direct_ug), grams(row.lifecycle_ug), row.seq];
    for (const cell of cells) tr.append(make("td", cell));
    body.append(tr);
  }
}

const field = lookup.querySelector("input");
const hint = lookup.querySelector(".hint");
const form = /^\s*(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)Z?\s*$/;
const timeOf = text => {
  const found = form.exec(text);
  return found ? Date.parse(found[1] + "T" + found[2] + ":00Z") : NaN;
};
let last = timeOf(field.value);
function ask() {
  const ms = timeOf(field.value), wrong = isNaN(ms);
  field.setAttribute("aria-invalid", wrong);
  hint.textContent = wrong ? "Write it as 2026-01-16 15:00." : "";
  if (!wrong) answer(last = ms);
}
const set = ms => {
  ms = Math.min(Math.max(ms, words.first), words.last - 1);
  field.value = show(ms - ms % 900000).slice(0, 16).replace("T", " ");
  ask();
};
const fromAddress = () => {
  const at = /^#at=(.{16})/.exec(decodeURIComponent(location.hash));
  if (at && !isNaN(timeOf(at[1]))) { field.value = at[1].replace("T", " "); ask(); }
};

unpack().then(columns => {
  store = columns;
  field.addEventListener("input", ask);
  lookup.querySelectorAll("button").forEach(button =>
    button.addEventListener("click", () => set(last + Number(button.dataset.step))));
  lookup.querySelector("details").addEventListener("toggle", ask);
  addEventListener("hashchange", fromAddress);
  for (const strip of lookup.closest(".run").querySelectorAll(".strip")) watch(strip);
  fromAddress();
  lookup.dataset.ready = "yes";
}, () => { lookup.querySelector(".noscript").hidden = false; });

// The strips of quarter hours: the pointer reads a quarter hour out, a click asks about it, arrow keys move.
function watch(strip) {
  const plot = strip.querySelector(".plot"), cursor = strip.querySelector(".cursor");
  const readout = strip.closest("figure").querySelector(".readout");
  const first = Number(strip.dataset.from), step = Number(strip.dataset.step), bins = Number(strip.dataset.bins);
  let at = -1;
  function read(bin) {
    at = bin;
    cursor.style.display = bin < 0 ? "none" : "block";
    cursor.style.left = 100 * (bin + 0.5) / bins + "%";
    readout.replaceChildren();
    if (bin < 0) return;
    const from = first + bin * step, sums = {};
    for (let i = Math.max(find(from), 0); i < words.count && store.start_ms[i] < from + step; i++) {
      if (store.start_ms[i] < from) continue;
      for (const name of ["load", "wind", "pv", "genset", "import", "discharge", "charge", "export"])
        sums[name] = (sums[name] || 0) + store[name + "_wh"][i];
    }
    readout.append(make("b", show(from).slice(0, 16).replace("T", " ") + " UTC"));
    for (const [name, wh] of Object.entries(sums)) if (wh) {
      const span = make("span", words.flows[name] + " ");
      span.append(make("b", kwh(wh)));
      readout.append(span);
    }
  }
  const binAt = event => {
    const box = plot.getBoundingClientRect();
    return Math.min(bins - 1, Math.max(0, Math.floor((event.clientX - box.left) / box.width * bins)));
  };
  plot.addEventListener("pointermove", event => read(binAt(event)));
  plot.addEventListener("pointerleave", () => read(-1));
  plot.addEventListener("click", event => set(first + binAt(event) * step));
  strip.addEventListener("keydown", event => {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (way) read(Math.min(bins - 1, Math.max(0, at + way * (event.shiftKey ? 4 : 1))));
    else if (event.key === "Enter" && at >= 0) set(first + at * step);
    else return;
    event.preventDefault();
  });
}
}
document.querySelectorAll(".lookup").forEach(begin);
