"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const NARROW = 640; // below it a chart has little room
  const PAPER = { width: 640, height: 0.74 }; // of a chart: its width in pixels, its height as a share of that on a screen

  // A text in both languages becomes the one that is read.
  const spoken = (value, lang) => {
    if (Array.isArray(value)) return value.map((each) => spoken(each, lang));
    if (value === null || typeof value !== "object") return value;
    const keys = Object.keys(value);
    if (keys.length === 2 && "en" in value && "zh" in value) return value[lang];
    return Object.fromEntries(keys.map((key) => [key, spoken(value[key], lang)]));
  };

  const axis = (own) => ({
    automargin: true, fixedrange: true, gridcolor: "#e6ecf0", linecolor: "#c8d2da", zeroline: false, tickangle: 0, ...own,
    title: { standoff: 8, font: { size: 12, color: "#5d6b76" }, ...(own && own.title) },
  });

  // As many labels as have room; Plotly would turn them upright instead.
  const longest = (labels) => Math.max(0, ...labels.map(String).flatMap((each) => each.split("<br>")).map((each) => each.length));
  const tickvals = (trace, width) => {
    const beside = trace.type === "heatmap" ? longest(trace.y) : 5;
    const room = Math.max(2, Math.floor((width - 50 - beside * 7) / (longest(trace.x) * 6.5 + 8)));
    const every = Math.ceil(trace.x.length / room);
    return trace.x.filter((_, i) => i % every === 0);
  };

  const layout = (own, data, width) => {
    const size = width < NARROW / 2 + 120 ? 10 : 12;
    const found = {
      height: 340, margin: { l: 8, r: 12, t: 28, b: 8 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: size === 10 ? 11 : 12, color: "#1d2b36" },
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", traceorder: "normal", font: { size } },
      hoverlabel: { font: { size: 12 } }, dragmode: false, bargap: 0.25, ...own,
    };
    for (const name of ["xaxis", "yaxis", "yaxis2"]) if (own[name] || name !== "yaxis2") found[name] = axis(own[name]);
    found.xaxis.ticklabelstandoff = 5; // away from the lowest label of the other axis
    if (found.xaxis.type === "category") found.xaxis.tickvals = tickvals(data[0], width);
    return found;
  };

  const draw = (paper) => {
    const lang = root.dataset.lang;
    for (const [name, figure] of Object.entries(figures)) {
      const place = document.getElementById(`chart-${name}`);
      const { data, layout: own } = spoken(figure, lang);
      const width = paper ? paper.width : place.clientWidth;
      const found = layout(own, data, width);
      Object.assign(found, { width, height: found.height * (paper ? paper.height : 1) });
      // Fields that are narrower than their numbers leave them to the table.
      for (const trace of data) if (trace.type === "heatmap" && width / trace.x.length < 34) trace.texttemplate = "";
      Plotly.react(place, data, found, { displayModeBar: false, responsive: false });
    }
  };

  document.getElementById("switch").addEventListener("click", () => {
    const lang = root.dataset.lang === "en" ? "zh" : "en";
    root.dataset.lang = lang;
    root.lang = lang === "zh" ? "zh-CN" : "en";
    document.title = lang === "zh" ? root.dataset.titleZh : root.dataset.titleEn;
    draw();
  });

  // Paper gets its own drawing, done when the call returns. The first one tells how much room the legends take.
  window.addEventListener("beforeprint", () => {
    draw(PAPER);
    draw(PAPER);
  });
  window.addEventListener("afterprint", () => draw());

  let width = window.innerWidth;
  let waiting = 0;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(() => draw(), 150);
  });
  draw();
})();
