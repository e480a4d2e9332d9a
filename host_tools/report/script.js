"use strict";
// Reads the values under the pointer, or under the arrow keys, out of the JSON beside each chart.
for (const figure of document.querySelectorAll("figure.chart")) {
  const data = JSON.parse(figure.querySelector("script").textContent);
  const plots = [...figure.querySelectorAll(".plot")];
  const readout = figure.querySelector(".readout");
  const count = Math.max(0, ...data.rows.map(row => row[2].length));
  let at = -1;

  const place = i => data.edges ? (data.edges[i][0] + data.edges[i][1]) / 2 : (i + 0.5) / count;
  const find = x => data.edges ? data.edges.findIndex(edge => edge[0] <= x && x < edge[1])
    : Math.min(count - 1, Math.max(0, Math.floor(x * count)));
  const clock = x => {
    const time = new Date(data.from + x * (data.to - data.from)).toISOString();
    return (data.days ? time.slice(0, 10) + " " : "") + time.slice(11, data.seconds ? 19 : 16);
  };
  const shown = (low, high) => {
    if (low === null) return "–";
    return (high === undefined || high === null || high === low ? String(low) : low + " … " + high).replaceAll("-", "−");
  };

  function show(i) {
    at = i;
    const found = i >= 0 && i < count;
    for (const plot of plots) {
      const cursor = plot.querySelector(".cursor");
      cursor.style.display = found ? "block" : "none";
      if (found) cursor.style.left = 100 * place(i) + "%";
    }
    readout.replaceChildren();
    if (!found) return;
    const add = (name, value) => {
      const word = document.createElement("span");
      const bold = document.createElement("b");
      bold.textContent = value;
      word.append(name + " ", bold);
      readout.append(word);
    };
    add("", data.edges ? clock(data.edges[i][0]) + "–" + clock(data.edges[i][1]) : clock(place(i)));
    for (const [name, unit, lows, highs] of data.rows) add(name, shown(lows[i], highs && highs[i]) + " " + unit);
  }

  for (const plot of plots) {
    plot.addEventListener("pointermove", event => {
      const box = plot.getBoundingClientRect();
      show(find((event.clientX - box.left) / box.width));
    });
    plot.addEventListener("pointerleave", event => { if (event.pointerType === "mouse") show(-1); });
  }
  figure.addEventListener("keydown", event => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    show(Math.min(count - 1, Math.max(0, at + step * (event.shiftKey ? 10 : 1))));
  });
}
