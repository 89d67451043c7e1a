// Charts from plain JSON: the page, the report and notebooks give the same specification.
//
// A specification: { id, kind: "xy" | "heat" | "flow", title, summary, note, height,
//   x: { label, unit, type: "value" | "log" | "category", values, min, max }, y: the same,
//   series: [{ name, as: "line" | "points" | "bars" | "steps" | "spans", data, low, high, left, right, stack, entity, dashed, thin, labels, colours }],
//   marks: [{ axis: "x" | "y", value, label }], horizontal, source }
// "spans" are bars from one value to another, [from, to] by category, such as those of a bridge.
// data of an xy chart: [x, y] pairs, or y values where x is a category. low and high are as long as data: an interval; left and right are one along x.
// kind "heat": x and y are categories, cells: [[x, y, value]], shown: value -> text. kind "flow": nodes { name, title }, links.
import { html, useEffect, useRef, useState, useMemo } from "jevons/vendor/preact.js";
import { init, connect } from "jevons/vendor/echarts.js";
import { language, t } from "jevons/i18n.js";
import { number, large } from "jevons/format.js";
import { term } from "jevons/terms.js";
import { download } from "jevons/ui.js";

const HUES = {
  light: ["#0068a8", "#b35900", "#00795a", "#a8407f", "#2b7fb8", "#c04000", "#6b6b1f", "#5e4fa2"],
  dark: ["#5ab4f0", "#f0a840", "#3fcf9f", "#e79bc4", "#8fd0f5", "#ff8f5a", "#c8c86a", "#b3a7f0"],
};
const INK = { light: { text: "#22303c", muted: "#52616e", grid: "#dce3e8", back: "#ffffff" }, dark: { text: "#e6edf3", muted: "#a9b6c2", grid: "#33404c", back: "#161d24" } };
/** Places of colours that have a meaning of their own, the same in every chart, page and report. */
const FIXED = { median: 0, tokens: 0, revenue: 0, forecast: 0, "bridge total": 0, fleet: 0, central: 1, actual: 1, "cash capex": 1, "bridge up": 2, boom: 2, budget: 2, ebita: 2, market: 3, "bridge down": 5, bust: 5, "at low": 4, "at high": 5,
  H20: 2, "H800 SXM": 3, "A800 SXM": 4, L20: 5, "Ascend 910B": 6, "Ascend 910C": 7, "H100 SXM": 0, "H200 SXM": 1, "B200 SXM": 4, "GB200 NVL72": 6, "A100 SXM": 3, MI300X: 5, "series running": 0, "series waiting": 5, "series arrivals_per_s": 2, "series finished_per_s": 0, "use calls": 0, "use self_served": 1, "use training": 2, "use reserve": 3, "use internal": 4, "use platform": 7, "use own_training": 5, "use idle": 6, "line overhead": 4, "line depreciation": 1, "line operations": 3, "line energy": 6 };
/** Order in which things without a fixed colour take theirs: those that are fixed least often first. */
const ORDER = [7, 6, 4, 3, 5, 1, 2, 0];
const entities = new Map();

let paper = false;
const printing = () => paper;

/** Whether the page is dark. */
export function dark() {
  if (printing()) return false;
  const set = document.documentElement.dataset.theme;
  return set === "dark" || (set !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
}

/** The colour of an entity: the same everywhere on the page. */
export function hue(name) {
  if (FIXED[name] === undefined && !entities.has(name)) entities.set(name, ORDER[entities.size % 8]);
  return HUES[dark() ? "dark" : "light"][FIXED[name] ?? entities.get(name)];
}

const fade = (colour, share) => colour + Math.round(share * 255).toString(16).padStart(2, "0");
const axisName = (axis) => (axis.unit ? `${axis.label} [${term(axis.unit)}]` : axis.label || "");
const tick = (value) => (typeof value === "number" ? (Math.abs(value) >= 1e5 ? large(value, 3) : number(value, 3)) : value);

function axis(one, ink, narrow, vertical, few = false) {
  const base = {
    name: vertical ? "" : axisName(one), nameLocation: "middle", nameGap: 30,
    nameTextStyle: { color: ink.muted, fontSize: 12 }, axisLabel: { color: ink.muted, fontSize: 12, hideOverlap: true, formatter: (value) => (typeof value === "number" && Math.abs(value) < 1e5 ? number(value, 5) : tick(value)), ...(one.type === "log" && one.min !== undefined ? { showMinLabel: false, showMaxLabel: false } : {}) },
    axisLine: { lineStyle: { color: ink.grid } }, axisTick: { show: false }, splitLine: { lineStyle: { color: ink.grid } },
  };
  if (one.type === "category") {
    return { ...base, type: "category", data: one.values, splitLine: { show: false }, nameGap: vertical ? one.gap || 90 : 27,
      axisLabel: { ...base.axisLabel, formatter: (v) => v, ...(narrow && vertical ? { width: 106, overflow: "break", lineHeight: 14 } : {}), interval: vertical || (one.values || []).length <= 6 ? 0 : "auto", hideOverlap: !vertical }, ...(vertical ? { inverse: true, name: "" } : {}) };
  }
  return { ...base, type: one.type === "log" ? "log" : "value", min: one.min, max: one.max, scale: one.scale ?? false, logBase: 10, ...(few ? { splitNumber: narrow ? 3 : 4 } : {}) };
}

function xySeries(spec, ink, categorical, narrow) {
  const series = [];
  for (const one of spec.series) {
    const colour = hue(one.entity || one.name);
    const points = categorical ? one.data : one.data.filter(([x, y]) => x !== null && y !== null);
    if (one.low && one.high) {
      series.push({ type: "custom", name: one.name, silent: true, z: one.as === "bars" ? 4 : 1, tooltip: { show: false }, data: one.data.map((p, i) => (categorical ? [i, one.low[i], one.high[i]] : [p[0], one.low[i], one.high[i]])), encode: spec.horizontal ? { x: [1, 2], y: 0 } : { x: 0, y: [1, 2] },
        renderItem: one.as === "line" ? band(one, colour, categorical) : whisker(ink, spec.horizontal), itemStyle: { color: colour } });
    }
    if (one.left && one.right) {
      series.push({ type: "custom", name: one.name, silent: true, clip: true, z: 1, tooltip: { show: false }, data: one.data.map((p, i) => [p[0], p[1], one.left[i], one.right[i]]), encode: { x: [0], y: 1 }, renderItem: sideways(one, colour), itemStyle: { color: colour } });
    }
    if (one.as === "spans") { series.push(spans(one, ink, colour, spec.horizontal)); continue; }
    const base = { name: one.name, z: 3, data: points, itemStyle: { color: colour }, emphasis: { focus: "none" } };
    if (one.as === "spacer") series.push({ ...base, type: "bar", stack: one.stack, silent: true, itemStyle: { color: "transparent" }, barMaxWidth: 34 });
    else if (one.as === "bars") series.push({ ...base, type: "bar", stack: one.stack, barMaxWidth: 34, barMinHeight: 1, ...(one.colours ? { data: one.data.map((v, i) => ({ value: v, itemStyle: { color: hue(one.colours[i]) } })) } : {}), label: one.labels ? { show: true, position: spec.horizontal ? "right" : "top", color: ink.text, fontSize: 12, formatter: (p) => one.labels[p.dataIndex] } : undefined });
    else if (one.as === "points") series.push({ ...base, type: "scatter", symbolSize: one.size || 11, symbol: one.symbol || "circle", data: points.map((p, i) => ({ value: p, itemStyle: one.picked === i ? { borderColor: ink.text, borderWidth: 3 } : undefined, symbolSize: one.picked === i ? 16 : one.size || 11 })), label: one.labels ? { show: true, position: "right", color: ink.text, fontSize: 12, formatter: (p) => one.labels[p.dataIndex] } : undefined, labelLayout: { hideOverlap: true } });
    else series.push({ ...base, type: "line", step: one.as === "steps" ? "end" : false, showSymbol: points.length < 14 && !one.thin && !one.stack, symbolSize: 6, lineStyle: { color: colour, width: one.thin ? 1.2 : 2.2, type: one.dashed ? "dashed" : "solid" }, endLabel: one.endLabel && !narrow ? { show: true, formatter: one.name, color: ink.text, fontSize: 12 } : undefined, labelLayout: one.endLabel ? { moveOverlap: "shiftY" } : undefined, areaStyle: one.area ? { color: fade(colour, 0.35) } : undefined, stack: one.stack });
  }
  if (spec.direct && !narrow && spec.series.some((one) => one.as === "bars" && one.stack)) series.push(stackNames(spec, ink));
  if (spec.marks && spec.marks.length && series.length) {
    const last = series[series.length - 1];
    last.markLine = { symbol: "none", silent: true, animation: false, lineStyle: { color: ink.muted, type: "dashed" }, data: spec.marks.map((m) => ({ [`${m.axis}Axis`]: m.value, label: { formatter: m.label, color: ink.text, fontSize: 12, position: m.axis === "y" ? "insideEndTop" : "insideEndTop", rotate: 0 } })) };
  }
  return series;
}

/** Names beside the parts of the last bar of a stack, moved apart where they would overlap. */
function stackNames(spec, ink) {
  const at = spec.x.values.length - 1;
  let level = 0;
  const names = spec.series.filter((one) => one.stack).map((one) => { const value = one.data[at] || 0; level += value; return [one.name, level - value / 2, value]; }).filter(([, , value]) => value > 0);
  return { type: "custom", name: " ", silent: true, tooltip: { show: false }, z: 4, data: [[at, level]], encode: { x: 0, y: 1 },
    renderItem: (params, api) => {
      const wide = api.size([1, 0])[0], base = api.coord([at, 0])[1];
      let floor = base + 2;
      const children = names.map(([name, middle]) => {
        const y = Math.min(api.coord([at, middle])[1], floor - 14);
        floor = y;
        return { type: "text", style: { text: name, x: api.coord([at, 0])[0] + Math.min(17, wide * 0.39) + 7, y, fill: ink.text, fontSize: 12, fontFamily: "system-ui, sans-serif", verticalAlign: "middle" } };
      });
      return { type: "group", children };
    } };
}

/** Bars from one value to another. */
function spans(one, ink, colour, horizontal) {
  return { type: "custom", name: one.name, z: 3, data: one.data.map(([from, to], i) => ({ value: horizontal ? [from, to, i] : [i, from, to], itemStyle: { color: one.colours ? hue(one.colours[i]) : colour } })),
    encode: horizontal ? { x: [0, 1], y: 2 } : { x: 0, y: [1, 2] }, itemStyle: { color: colour },
    renderItem: (params, api) => {
      const i = params.dataIndex, [from, to] = one.data[i];
      const [a, b] = horizontal ? [api.coord([from, i]), api.coord([to, i])] : [api.coord([i, from]), api.coord([i, to])];
      const wide = Math.min(26, 0.62 * (horizontal ? api.size([0, 1])[1] : api.size([1, 0])[0]));
      const shape = horizontal ? { x: Math.min(a[0], b[0]), y: a[1] - wide / 2, width: Math.max(2, Math.abs(a[0] - b[0])), height: wide } : { x: a[0] - wide / 2, y: Math.min(a[1], b[1]), width: wide, height: Math.max(2, Math.abs(a[1] - b[1])) };
      const text = one.labels ? [{ type: "text", style: { text: one.labels[i], fill: ink.text, fontSize: 12, fontFamily: "system-ui, sans-serif", align: horizontal ? "left" : "center", verticalAlign: horizontal ? "middle" : "bottom", x: horizontal ? Math.max(a[0], b[0]) + 5 : a[0], y: horizontal ? a[1] : Math.min(a[1], b[1]) - 3 } }] : [];
      return { type: "group", children: [{ type: "rect", shape, style: { fill: one.colours ? hue(one.colours[i]) : colour } }, ...text] };
    } };
}

const whisker = (ink, horizontal) => (params, api) => {
  const [a, b] = horizontal ? [api.coord([api.value(1), api.value(0)]), api.coord([api.value(2), api.value(0)])] : [api.coord([api.value(0), api.value(1)]), api.coord([api.value(0), api.value(2)])];
  const style = { stroke: ink.text, lineWidth: 1.4, fill: null };
  const cap = 4;
  const ends = [a, b].map(([x, y]) => ({ type: "line", shape: horizontal ? { x1: x, y1: y - cap, x2: x, y2: y + cap } : { x1: x - cap, y1: y, x2: x + cap, y2: y }, style }));
  return { type: "group", children: [{ type: "line", shape: { x1: a[0], y1: a[1], x2: b[0], y2: b[1] }, style }, ...ends] };
};

function band(one, colour, categorical) {
  return (params, api) => {
    if (params.dataIndex !== 0) return { type: "group", children: [] };
    const points = [];
    one.data.forEach((p, i) => { if (one.high[i] !== null) points.push(api.coord([categorical ? i : p[0], one.high[i]])); });
    for (let i = one.data.length - 1; i >= 0; i -= 1) if (one.low[i] !== null) points.push(api.coord([categorical ? i : one.data[i][0], one.low[i]]));
    return { type: "polygon", shape: { points }, style: { fill: fade(colour, 0.22), stroke: null } };
  };
}

/** The area between two ends along x. */
function sideways(one, colour) {
  return (params, api) => {
    if (params.dataIndexInside !== 0) return { type: "group", children: [] };
    const ends = one.data.map((p, i) => [api.coord([one.left[i], p[1]]), api.coord([one.right[i], p[1]])]);
    return { type: "polygon", shape: { points: [...ends.map(([from]) => from), ...ends.map(([, to]) => to).reverse()] }, style: { fill: fade(colour, 0.22), stroke: null } };
  };
}

/** The option of ECharts for a specification. */
export function option(spec, { narrow = false, width = 600 } = {}) {
  const ink = INK[dark() ? "dark" : "light"];
  const quiet = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const tooltip = { trigger: "item", confine: true, backgroundColor: ink.back, borderColor: ink.grid, textStyle: { color: ink.text, fontSize: 13 }, renderMode: "html" };
  const base = { animation: false && !quiet, backgroundColor: "transparent", aria: { enabled: true, label: { description: spec.summary || spec.title } }, textStyle: { fontFamily: "system-ui, sans-serif", fontSize: 12, color: ink.text }, tooltip };
  if (spec.kind === "flow") return { ...base, series: [{ type: "sankey", data: spec.nodes.map((n) => ({ name: n.name, depth: n.depth, itemStyle: { color: hue(n.entity || n.name) }, label: n.inward ? { position: "left" } : undefined })), links: flowLinks(spec.links), nodeGap: 10, nodeWidth: 14, nodeAlign: "left", layoutIterations: 48, top: 6, bottom: 6, label: { color: ink.text, fontSize: 12, textBorderColor: ink.back, textBorderWidth: 3, formatter: (p) => flowTitle(spec, p.name, narrow) }, lineStyle: { opacity: 0.35 }, right: flowRoom(spec, narrow), left: 8 }],
    tooltip: { ...tooltip, formatter: (p) => `${p.dataType === "edge" ? `${escapeText(flowTitle(spec, p.data.source, true))} → ${escapeText(flowTitle(spec, p.data.target, true))}` : escapeText(flowTitle(spec, p.name, true))}: <b>${escapeText(spec.show ? spec.show(p.value) : tick(p.value))}</b>${sourceLine(spec)}` } };
  if (spec.kind === "heat") {
    const values = spec.cells.map((c) => c[2]).filter((v) => v !== null);
    return { ...base, grid: { left: 8, right: 8, top: spec.named ? 26 : 8, bottom: spec.x.label ? 30 : 8, containLabel: true },
      title: spec.named ? { text: axisName(spec.y), left: 0, top: 0, textStyle: { color: ink.muted, fontSize: 12, fontWeight: "normal" } } : undefined,
      xAxis: { ...axis({ ...spec.x, type: "category" }, ink, narrow, false), splitArea: { show: false } }, yAxis: axis({ ...spec.y, type: "category" }, ink, narrow, true),
      visualMap: { show: false, min: spec.min ?? Math.min(...values), max: spec.max ?? Math.max(...values), inRange: { color: spec.words ? (dark() ? ["#1c2a36", "#2a5a86"] : ["#eef5fb", "#a6cdec"]) : dark() ? ["#1c2a36", "#3a7ab0", "#8fd0f5"] : ["#e8f1f8", "#5b9bd0", "#004f86"] } },
      tooltip: { ...tooltip, formatter: (p) => `${spec.y.values[p.value[1]]}<br>${spec.x.values[p.value[0]]}: ${spec.shown ? spec.shown(p.value[2]) : number(p.value[2])}${sourceLine(spec)}` },
      series: [{ type: "heatmap", data: spec.cells, label: spec.words ? { show: true, fontSize: 12, formatter: (p) => spec.words(p.value[2], narrow), color: ink.text, textBorderColor: ink.back, textBorderWidth: 3 } : undefined, itemStyle: { borderColor: ink.back, borderWidth: 2 } }] };
  }
  const categorical = (spec.horizontal ? spec.y : spec.x).type === "category";
  const series = xySeries(spec, ink, categorical, narrow);
  const named = spec.series.filter((one) => !one.hidden).map((one) => one.name);
  const legend = named.length > 1 && !spec.bare && !(spec.direct && !narrow);
  const upright = spec.y.type !== "category" ? axisName(spec.y) : "";
  const above = legend ? 18 * legendRows(named, width) + 8 : 0;
  return { ...base,
    title: upright ? { text: upright, left: 0, top: above, textStyle: { color: ink.muted, fontSize: 12, fontWeight: "normal" } } : undefined,
    legend: legend ? { type: "plain", top: 0, left: 0, padding: [2, 0], data: named, textStyle: { color: ink.text, fontSize: 12 }, itemWidth: 14, itemHeight: 9, itemGap: 9 } : undefined,
    grid: { left: 8, right: Math.max(narrow ? spec.narrowRight ?? 16 : spec.right ?? 26, labelRoom(spec)), top: Math.max(10, above) + (upright ? 24 : 0), bottom: spec.x.label ? 26 : 8, containLabel: true },
    xAxis: axis(spec.x, ink, narrow, false, spec.horizontal), yAxis: axis(spec.y, ink, narrow, true),
    tooltip: { ...tooltip, trigger: spec.trigger || (categorical ? "axis" : "item"), axisPointer: { type: "line", lineStyle: { color: ink.muted } }, formatter: (p) => told(spec, p, categorical) },
    dataZoom: spec.zoom ? [{ type: "inside" }] : undefined,
    series };
}

/** The width of a text in a chart [px], about. */
const widthOf = (text) => [...String(text ?? "")].reduce((sum, c) => sum + (c > "\u2e7f" ? 12 : 6.8), 0);

/** The rows that a legend takes. */
function legendRows(names, width) {
  let rows = 1, left = width;
  for (const name of names) {
    const need = 14 + 5 + widthOf(name) + 9;
    if (need > left && left < width) { rows += 1; left = width; }
    left -= need;
  }
  return rows;
}

/** Room to the right for the labels behind bars, which are drawn beyond the longest one. */
function labelRoom(spec) {
  if (!spec.horizontal) return 0;
  return Math.min(120, Math.max(0, ...spec.series.flatMap((one) => (one.labels || []).map(widthOf))) + 8);
}

const sourceLine = (spec) => (spec.source ? `<br>${escapeText(t("chart.source", { source: spec.source }))}` : "");

/** Room to the right for the words of the nodes that a flow ends in. */
function flowRoom(spec, narrow) {
  const ends = spec.nodes.filter((node) => !spec.links.some((link) => link.source === node.name));
  return Math.min(240, Math.max(60, ...ends.map((node) => widthOf(flowTitle(spec, node.name, narrow)))) + 16);
}

/** Links in the colour of their own end: of the source where several meet, of the target where one spreads. A gradient
 * loses its transparency on paper. */
function flowLinks(links) {
  const into = (name) => links.filter((one) => one.target === name).length;
  return links.map((one) => ({ ...one, lineStyle: { color: into(one.target) > 1 ? "source" : "target" } }));
}

/** The words of a node of a flow, with its amount where there is room. */
function flowTitle(spec, name, short) {
  const node = spec.nodes.find((one) => one.name === name) || {};
  const title = node.title || name;
  return short || node.value === undefined ? title : `${title} ${spec.show ? spec.show(node.value) : tick(node.value)}`;
}

function told(spec, given, categorical) {
  const list = [].concat(given).filter((p) => (p.seriesType !== "custom" || (spec.series.find((s) => s.name === p.seriesName) || {}).as === "spans") && (spec.series.find((s) => s.name === p.seriesName) || {}).as !== "spacer");
  const lines = list.map((p) => {
    const one = spec.series.find((s) => s.name === p.seriesName) || {};
    const i = p.dataIndex;
    if (one.as === "spans") return `${escapeText(p.seriesName)}: <b>${escapeText(one.labels ? one.labels[i] : tick(one.data[i][1] - one.data[i][0]))}</b>`;
    const value = Array.isArray(p.value) ? p.value[spec.horizontal && categorical ? 0 : 1] : p.value;
    const range = one.low && one.low[i] !== null ? ` [${number(one.low[i])}–${number(one.high[i])}]` : "";
    const unit = term((spec.horizontal ? spec.x.unit : spec.y.unit) || "");
    const tip = one.tips ? `<br>${escapeText(one.tips[i])}` : "";
    return `${escapeText(p.seriesName)}: <b>${tick(value)}</b>${range} ${escapeText(unit)}${tip}`;
  });
  const first = list[0];
  const head = !first ? "" : categorical ? first.name : `${escapeText(spec.x.label)}: ${tick(first.value[0])} ${escapeText(term(spec.x.unit || ""))}`;
  return [escapeText(head), ...lines].join("<br>") + sourceLine(spec);
}
const escapeText = (text) => String(text ?? "").replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

/** The figures of a chart as a table: heads and rows. */
export function twin(spec) {
  if (spec.table) return spec.table;
  if (spec.kind === "flow") return { heads: [t("chart.from"), t("chart.to"), spec.unit || t("chart.value")], rows: spec.links.map((l) => [flowTitle(spec, l.source, true), flowTitle(spec, l.target, true), l.value]) };
  if (spec.kind === "heat") {
    const at = new Map(spec.cells.map(([x, y, v]) => [`${x},${y}`, v]));
    return { heads: [spec.y.label || "", ...spec.x.values], rows: spec.y.values.map((name, y) => [name, ...spec.x.values.map((_, x) => at.get(`${x},${y}`) ?? null)]) };
  }
  const along = spec.horizontal ? spec.y : spec.x;
  const up = spec.horizontal ? spec.x : spec.y;
  const unit = up.unit ? ` [${term(up.unit)}]` : "";
  if (along.type === "category") {
    const heads = [along.label || "", ...spec.series.flatMap((one) => [one.name + unit, ...(one.low ? [t("chart.low"), t("chart.high")] : [])])];
    return { heads, rows: along.values.map((name, i) => [name, ...spec.series.flatMap((one) => [one.data[i], ...(one.low ? [one.low[i], one.high[i]] : [])])]) };
  }
  const ends = spec.series.some((s) => s.low || s.left);
  const heads = [t("chart.series"), axisName(spec.x), axisName(spec.y), ...(ends ? [t("chart.low"), t("chart.high")] : []), ...(spec.series.some((s) => s.tips) ? [""] : [])];
  const rows = spec.series.flatMap((one) => one.data.map((p, i) => [one.name, p[0], p[1], ...(ends ? [(one.low || one.left || [])[i] ?? null, (one.high || one.right || [])[i] ?? null] : []), ...(spec.series.some((s) => s.tips) ? [one.tips ? one.tips[i] : ""] : [])]));
  return { heads, rows };
}

/** A chart as CSV text. */
export function csv(spec) {
  const { heads, rows } = twin(spec);
  const cell = (value) => { const text = value === null || value === undefined ? "" : String(value); return /[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text; };
  return [heads, ...rows].map((row) => row.map(cell).join(",")).join("\n") + "\n";
}

/** What a chart's option depends on of the place that it has. */
const fitting = (place) => { const width = place.clientWidth || 600; return { width, narrow: width < 480 }; };

/** The height that names of rows need on a phone, where they take several lines each; at least what was asked for. */
function fitted(spec, height, narrow) {
  const rows = (spec.kind === "heat" || spec.horizontal) && Array.isArray(spec.y.values) ? spec.y.values : [];
  if (!narrow || !rows.length) return height;
  const lines = rows.map((text) => Math.ceil([...String(text)].reduce((sum, letter) => sum + (letter.charCodeAt(0) > 255 ? 12 : 6.8), 0) / 106));
  return Math.max(height, rows.length * (14 * Math.max(...lines) + 6) + 80);
}

/** Width of a chart on A4 [px]. */
const PAPER = 660;

/** A chart with its table, its files and its words for who does not see it. */
export function Chart({ spec, height = 300, group, onPick }) {
  const place = useRef(null);
  const chart = useRef(null);
  const [asTable, setAsTable] = useState(false);
  const [width, setWidth] = useState(0);
  const latest = useRef(spec);
  latest.current = spec;
  const key = useMemo(() => JSON.stringify(spec), [spec]);
  const name = `jevons-${spec.id || "chart"}`;
  useEffect(() => {
    if (asTable || !place.current) return undefined;
    const drawn = init(place.current, null, { renderer: "svg", locale: language() === "zh" ? "ZH" : "EN" });
    chart.current = drawn;
    if (group) { drawn.group = group; connect(group); }
    if (onPick) drawn.on("click", (event) => onPick(event));
    const onPaper = () => { paper = true; drawn.resize({ width: PAPER, height: spec.height || height }); drawn.setOption(option(latest.current, { width: PAPER }), { notMerge: true }); };
    const offPaper = () => { paper = false; drawn.resize({ width: "auto", height: "auto" }); drawn.setOption(option(latest.current, fitting(place.current)), { notMerge: true }); };
    addEventListener("beforeprint", onPaper);
    addEventListener("afterprint", offPaper);
    const watch = new ResizeObserver(() => { if (place.current && !paper) { drawn.resize(); setWidth(place.current.clientWidth); } });
    watch.observe(place.current);
    return () => { removeEventListener("beforeprint", onPaper); removeEventListener("afterprint", offPaper); watch.disconnect(); drawn.dispose(); chart.current = null; };
  }, [asTable, language()]);
  useEffect(() => {
    if (chart.current) chart.current.setOption(option(spec, fitting(place.current)), { notMerge: true });
  }, [key, asTable, Math.round(width / 40), language(), dark()]);
  const svg = () => new XMLSerializer().serializeToString(place.current.querySelector("svg"));
  const png = () => {
    const node = place.current.querySelector("svg");
    const [w, h] = [node.clientWidth || 800, node.clientHeight || height];
    const image = new Image();
    image.onload = () => {
      const canvas = Object.assign(document.createElement("canvas"), { width: w * 2, height: h * 2 });
      const pen = canvas.getContext("2d");
      pen.fillStyle = INK[dark() ? "dark" : "light"].back; pen.fillRect(0, 0, w * 2, h * 2); pen.drawImage(image, 0, 0, w * 2, h * 2);
      canvas.toBlob((blob) => download(`${name}.png`, blob));
    };
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg())}`;
  };
  const table = asTable ? twin(spec) : null;
  return html`<figure class="chart" id=${spec.id ? `chart-${spec.id}` : null}>
    <figcaption><span class="chart-title">${spec.title}</span>
      <span class="chart-tools"><button type="button" class="small" aria-pressed=${asTable} onClick=${() => setAsTable(!asTable)}>${asTable ? t("chart.chart") : t("chart.table")}</button>
      ${asTable ? null : html`<button type="button" class="small" onClick=${png}>PNG</button><button type="button" class="small" onClick=${() => download(`${name}.svg`, svg(), "image/svg+xml")}>SVG</button>`}
      <button type="button" class="small" onClick=${() => download(`${name}.csv`, csv(spec), "text/csv")}>CSV</button></span></figcaption>
    ${asTable ? html`<div key="table" class="scroll" tabindex="0" role="region" aria-label=${spec.title} style=${`max-height:${height}px`}><table><caption class="hidden">${spec.title}</caption><thead><tr>${table.heads.map((one) => html`<th scope="col">${one}</th>`)}</tr></thead>
      <tbody>${table.rows.map((row) => html`<tr>${row.map((cell, i) => (i === 0 ? html`<th scope="row">${cell}</th>` : html`<td class=${typeof cell === "number" ? "right" : ""}>${typeof cell === "number" ? tick(cell) : cell ?? "–"}</td>`))}</tr>`)}</tbody></table></div>`
    : html`<div key="plot" class="plot" role="img" aria-label=${spec.summary || spec.title} ref=${place} style=${`height:${fitted(spec, spec.height || height, width > 0 && width < 480)}px`}></div>`}
    ${spec.note || spec.source ? html`<p class="hint">${spec.note || ""}${spec.note && spec.source ? " " : ""}${spec.source ? t("chart.source", { source: spec.source }) : ""}</p>` : null}</figure>`;
}
