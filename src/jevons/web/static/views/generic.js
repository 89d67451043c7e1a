// Any result: its answer, charts where its kind has some, and its tables.
import { html } from "jevons/vendor/preact.js";
import { language, t } from "jevons/i18n.js";
import { axisOf, chance, converted, currency, currencyName, number, percent } from "jevons/format.js";
import { term } from "jevons/terms.js";
import { Card, Changes, Grid, Told } from "jevons/ui.js";
import { Chart } from "jevons/chart.js";
import { inputName, raised } from "jevons/views/names.js";
import { actual, price } from "jevons/views/report_charts.js";

/** A cell of text in the language of the page; a sentence that has no words there is marked as English. */
function words(cell) {
  const said = term(cell);
  return language() === "zh" && said === cell && /[a-z]{2,} [a-z]{2,}/.test(cell || "") ? html`<span lang="en">${cell}</span>` : said ?? "–";
}

/** A unit of money by the billion, which Chinese counts by 亿: ten times as many. */
const BILLIONS = /^bn ([A-Z]{3})(.*)$/;
const counted = (unit) => (language() === "zh" && BILLIONS.test(unit || "") ? 10 : 1);
const unitName = (unit) => { const [, code, per] = (counted(unit) > 1 && BILLIONS.exec(unit)) || []; return code ? `亿${currencyName(code)}${per ? term(`¤${per}`).slice(1) : ""}` : words(unit); };
/** The unit that a row names in one of its cells. */
const unitOf = (row) => row.find((cell) => typeof cell === "string" && BILLIONS.test(cell));

/** Tables as the command line prints them, in the language of the page as far as its words go; those for details fold. */
export function Tables({ tables, folded = false }) {
  if (!tables || !tables.length) return null;
  const value = (cell, column, row) => number(cell * (column.scale || 1) * counted(column.unit || unitOf(row)), column.digits || 3);
  const shown = (column) => (cell, row) => (typeof cell === "number" ? (column.form === "p" ? chance(cell).replace(" %", "") : value(cell, column, row)) : typeof cell === "boolean" ? t(cell ? "yes" : "no") : unitName(cell));
  const head = (c) => (c.unit ? `${term(c.label)} [${counted(c.unit) > 1 ? unitName(c.unit) : term(c.unit)}]` : term(c.label));
  const body = (some) => some.map((one) => html`<${Grid} key=${one.name} caption=${term(one.title)} most=${60} columns=${one.columns.map((c, i) => ({ key: i, label: head(c), text: c.text, show: shown(c) }))} rows=${one.rows}/>${one.left ? html`<p class="hint">${t("tables.left", { n: number(one.left) })}</p>` : null}`);
  const [first, rest] = [tables.filter((one) => !folded && !one.detail), tables.filter((one) => folded || one.detail)];
  return html`${first.length ? html`<${Card} cls="tables"><div>${body(first)}</div><//>` : null}
    ${rest.length ? html`<${Card} cls="tables"><details><summary>${t(first.length ? "tables.more" : "tables.title", { n: rest.length })}</summary><div>${body(rest)}</div></details><//>` : null}`;
}

const quarter = (values) => ({ label: t("report.quarter"), type: "category", values });
const label = (text) => raised(term(text));

/** A path by quarter with its interval. */
function fan(id, one, quarters, source) {
  const { size, unit } = axisOf(one.unit, Math.max(...one.p90.map(Math.abs)));
  const scale = (list) => list.map((v) => v / size);
  return { id, kind: "xy", title: label(one.meaning), x: quarter(quarters), y: { label: "", unit, type: "value" }, source, series: [{ name: t("plan.median_line"), entity: "median", as: "line", data: scale(one.p50), low: scale(one.p10), high: scale(one.p90) }] };
}

/** What one input at either end of its range makes of an outcome. */
function swings(id, title, unit, middle, rows) {
  return { id, kind: "xy", title, horizontal: true, x: { label: term(unit), unit: "", type: "value", scale: true }, y: { label: t("compare.input"), type: "category", values: rows.map((one) => one.name) }, height: 90 + 28 * rows.length,
    series: [{ name: t("report.at_low"), entity: "at low", as: "spans", data: rows.map((one) => [middle, one.low]) }, { name: t("report.at_high"), entity: "at high", as: "spans", data: rows.map((one) => [middle, one.high]) }],
    table: { heads: [t("compare.input"), t("report.at_low"), t("report.at_high")], rows: rows.map((one) => [one.name, one.low, one.high]) } };
}

const KINDS = {
  cost: (answer) => {
    const parts = Object.entries(answer.parts_per_h).map(([name, v]) => [label(name), converted(v, answer.currency) ?? v]);
    const tokens = ["input", "output", "blended"].filter((name) => answer[`${name}_per_mtok`] !== undefined);
    const money_ = (name) => tokens.map((one) => converted(answer[`${one}_per_mtok${name}`], answer.currency) ?? answer[`${one}_per_mtok${name}`]);
    const perToken = tokens.length ? [{ id: "tokens", kind: "xy", title: t("chart.token_cost"), horizontal: true, bare: true, right: 70, narrowRight: 60, x: { label: t("col.cost_mtok"), unit: `${currency()}/Mtok`, type: "value" }, y: { label: label("item"), type: "category", values: tokens.map((one) => label(one === "blended" ? one : `${one} tokens`)) }, series: [{ name: label("cost"), entity: "tokens", as: "bars", data: money_(""), low: money_("_low"), high: money_("_high") }], height: 200, note: t("chart.interval_note") }] : [];
    return [...perToken, { id: "parts", kind: "xy", title: label("cost of an hour by part"), horizontal: true, bare: true, right: 70, narrowRight: 60, x: { label: label("cost of an hour"), unit: `${currency()}/h`, type: "value" }, y: { label: t("chart.part"), type: "category", values: parts.map(([name]) => name) }, series: [{ name: label("cost"), entity: "tokens", as: "bars", data: parts.map(([, v]) => v), labels: parts.map(([, v]) => number(v)) }], height: 240 }];
  },
  value: (answer) => price({ ...answer, value: answer }).charts,
  compare: (answer) => {
    const quarters = answer.quarters.a;
    const same = quarters.join() === answer.quarters.b.join();
    const shown = ["tokens_per_d", "ai_revenue", "capex"].filter((name) => answer.paths.a[name] && answer.paths.a[name].some((v) => v > 0)).slice(0, 2);
    const unit = { tokens_per_d: "tok/day", ai_revenue: answer.currency || "CNY", capex: answer.currency || "CNY" };
    const paths = !same ? [] : shown.map((name) => {
      const { size, unit: shownUnit } = axisOf(unit[name], Math.max(...answer.paths.a[name], ...answer.paths.b[name]));
      return { id: name, kind: "xy", title: t(`report.series.${name}`), x: quarter(quarters), y: { label: "", unit: shownUnit, type: "value" }, direct: true, right: 34, series: ["a", "b"].map((side) => ({ name: side.toUpperCase(), entity: side === "a" ? "central" : "median", as: "line", endLabel: true, data: answer.paths[side][name].map((v) => v / size) })) };
    });
    const parts = Object.entries(answer.attribution.value_per_share || {}).filter(([, v]) => v).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1])).slice(0, 10);
    const name = (path) => (path === "interaction" ? t("compare.together") : inputName(path, path));
    return [...paths, ...(parts.length > 1 ? [{ id: "attribution", kind: "xy", title: label("value per share: what each change does by itself"), horizontal: true, bare: true, right: 60, x: { label: t("report.share_value"), unit: answer.difference.value_per_share.unit, type: "value" }, y: { label: t("compare.input"), type: "category", values: parts.map(([path]) => name(path)) }, series: [{ name: t("chart.value"), entity: "median", as: "bars", data: parts.map(([, v]) => v), labels: parts.map(([, v]) => number(v)) }], height: 90 + 28 * parts.length }] : [])];
  },
  study: (answer) => {
    if (answer.paths) return ["ai_revenue", "tokens_per_d"].filter((name) => answer.paths[name] && answer.paths[name].p50.some((v) => v > 0)).map((name) => fan(name, answer.paths[name], answer.quarters, t("report.draws_band")));
    const points = answer.points || [];
    const axes = Object.keys(points[0] || {}).filter((name) => name.includes(".") && typeof points[0][name] === "number");
    if (axes.length !== 1 || points.length < 3) return [];
    const unit = (name) => term(((answer.meta.tables || []).flatMap((one) => one.columns).find((one) => one.name === name) || {}).unit || "");
    const value = (name) => (one) => (one[name] && typeof one[name] === "object" ? one[name].p50 : one[name]);
    return ["value_per_share", "compute_factor"].filter((name) => Number.isFinite(value(name)(points[0]))).map((name) => ({ id: name, kind: "xy", title: t(`outcome.${name}`), x: { label: inputName(axes[0], axes[0]), unit: "", type: "value", scale: true }, y: { label: t(`outcome.${name}`), unit: unit(name), type: "value", scale: true }, series: [{ name: t(`outcome.${name}`), entity: "median", as: "line", data: points.map((one) => [one[axes[0]], value(name)(one)]).sort((a, b) => a[0] - b[0]) }] }));
  },
  sensitivity: (answer) => [swings("swings", label(`${term(answer.outcome.replace(/_/g, " "))}`), answer.unit, answer.central, answer.inputs.slice(0, 12).map((one) => ({ name: inputName(one.input, one.input), low: one.at_low ?? answer.central, high: one.at_high ?? answer.central })))],
  track: (answer) => actual(answer, { actuals: answer.quarters }).charts,
  validate: (answer) => {
    const rows = answer.rows.filter((one) => one.measured > 0 && one.predicted > 0);
    const metrics = [...new Set(rows.map((one) => one.metric))];
    const most = metrics.sort((a, b) => rows.filter((one) => one.metric === b).length - rows.filter((one) => one.metric === a).length)[0];
    const own = rows.filter((one) => one.metric === most).slice(0, 1500);
    const groups = answer.groups.filter((one) => Number.isFinite(one.median_ape)).slice(0, 14);
    const ends = own.flatMap((one) => [one.measured, one.predicted]);
    return [...(own.length ? [{ id: "rows", kind: "xy", title: `${most}: ${label("predicted against measured")}`, x: { label: label("measured"), unit: most, type: "log" }, y: { label: label("predicted"), unit: most, type: "log" }, series: [{ name: most, entity: "median", as: "points", size: 6, data: own.map((one) => [one.measured, one.predicted]), low: own.every((one) => Number.isFinite(one.low)) ? own.map((one) => one.low) : undefined, high: own.every((one) => Number.isFinite(one.high)) ? own.map((one) => one.high) : undefined }, { name: "1:1", entity: "central", as: "line", thin: true, data: [[Math.min(...ends), Math.min(...ends)], [Math.max(...ends), Math.max(...ends)]] }] }] : []),
      ...(groups.length ? [{ id: "groups", kind: "xy", title: label("median error by group"), horizontal: true, bare: true, right: 56, x: { label: label("median error"), unit: "%", type: "value" }, y: { label: label("group"), type: "category", values: groups.map((one) => one.group) }, series: [{ name: label("median error"), entity: "median", as: "bars", data: groups.map((one) => one.median_ape * 100), labels: groups.map((one) => percent(one.median_ape, 2)) }], height: 90 + 26 * groups.length }] : [])];
  },
};

/** The charts of a result; none where its kind has none, or where its figures are not as expected. */
export function chartsOf(answer) {
  const kind = (answer.meta || {}).kind;
  try { return (KINDS[kind] || (() => []))(answer); } catch (error) { console.warn(`no charts of ${kind}: ${error.message}`); return []; }
}

/** The notes of a result in the reader's language. */
export const notesOf = ({ meta = {} }) => (meta.said_notes || {})[language()] || meta.notes || [];

export function Result({ answer }) {
  const charts = chartsOf(answer);
  return html`<div class="answer"><${Told} answer=${answer}/><${Changes} answer=${answer}/>${notesOf(answer).map((one) => html`<p class="hint">${one}</p>`)}</div>
    ${charts.length ? html`<div class="cards">${charts.map((spec) => html`<${Card} key=${spec.id} cls=${charts.length > 1 ? "half" : ""}><${Chart} spec=${spec} height=${spec.height || 290}/><//>`)}</div>` : null}`;
}
