// Plan: what a cloud should build, with sliders for the inputs that matter most.
import { html, useEffect, useMemo, useState } from "jevons/vendor/preact.js";
import { fillAlways, has, language, t, word } from "jevons/i18n.js";
import { axisScale, converted, device, large, money, number, original, percent, quantity } from "jevons/format.js";
import { Card, Changes, ErrorBox, Num, RunBar, Same, Select, Sentence, shared, useRun } from "jevons/ui.js";
import { Badge } from "jevons/drawer.js";
import { Chart } from "jevons/chart.js";
import { aShare, term } from "jevons/terms.js";
import { inputName, raised } from "jevons/views/names.js";
import { Figure, Split, first, useAnswer, useForm } from "jevons/views/common.js";
import { tornado, valueChannels } from "jevons/views/report_charts.js";
import { compact, parse } from "jevons/parse.js";
import * as api from "jevons/api.js";

/** Keys that the address of this screen may have. */
export const KEYS = ["scenario", "draws", "seed"];
export const defaults = { scenario: "alibaba-380bn", draws: 0 };
/** Keys of the names of amounts that have short ones. */
export const SHORT = { "expansion.budget": "budget", "market.value_scale": "value_scale", "market.elasticity_scale": "elasticity", "cost.wacc": "wacc", "finance.rest_growth": "rest_growth", "hardware.devices.h20.supply": "h20_supply", "serving.software_gain": "software", "market.markup": "markup", "expansion.ai_share": "ai_share", "cost.economic_life": "life" };
/** Amounts that are shares, shown as per cent. */
const SHARES = ["cost.wacc", "finance.rest_growth", "expansion.ai_share"];
const PRESETS = {
  ban: { "hardware.devices.h20.supply": 1000 },
  efficiency: { "serving.software_gain": 4 },
  price_war: { "market.markup": 1.05 },
  no_wallets: null,
};

/** Amounts that a preset changes; wallets are widened a thousandfold where there shall be none. */
function preset(name, amounts) {
  if (PRESETS[name]) return PRESETS[name];
  return Object.fromEntries((amounts ? amounts.amounts : []).filter((one) => one.path.endsWith(".wallet")).map((one) => [one.path, one.value * 1000]));
}

/** Changed amounts that the address holds: keys s.PATH. */
export function changes(values) {
  return Object.fromEntries(Object.entries(values).filter(([key]) => key.startsWith("s.")).map(([key, value]) => [key.slice(2), value]));
}

/** Keywords of `plan` for a form. */
export function input(form) {
  const set = changes(form);
  const given = { scenario: form.scenario };
  if (Object.keys(set).length) given.set = set;
  if (form.draws) given.draws = form.draws;
  if (form.seed !== undefined && form.seed !== null && form.seed !== "") given.seed = form.seed;
  return given;
}

export function View({ values, go }) {
  const { form, setAll } = useForm(defaults, values, go);
  const [amounts, setAmounts] = useState(null);
  const [example, setExample] = useState(null);
  const given = input(form);
  const changed = given.set || {};
  const own = Object.keys(changed).length > 0 || given.draws || given.seed !== undefined || form.scenario !== defaults.scenario;
  useEffect(() => {
    api.get(`/scenarios/${encodeURIComponent(form.scenario)}`).then(setAmounts).catch(() => {});
    fetch("/static/examples/plan.json").then((r) => r.json()).then(setExample).catch(() => {});
  }, [form.scenario]);
  useEffect(() => { shared.setDate(amounts && amounts.as_of); return () => shared.setDate(null); }, [amounts]);
  const draw = useRun(null, own ? { draw: changed } : null, { estimate: { path: "draw", input: { scenario: form.scenario, set: changed } }, only: "estimate" });
  const settled = own && !["estimating", "idle"].includes(draw.state);
  const run = useRun("plan", settled || !example ? given : null, { wait: 500 });
  useEffect(() => { api.post("/draw", { scenario: form.scenario }, undefined, { newest: false }).catch(() => {}); }, [form.scenario]);
  const answer = form.scenario === defaults.scenario ? run.answer || example : run.answer && run.answer.meta.input.scenario === form.scenario ? run.answer : null;
  const current = own && run.state === "done" ? run.answer : own ? null : answer;
  const fan = run.parts.findLast((one) => one.paths);
  const shown = useMemo(() => current || (fan && answer ? drawnSoFar(answer, fan, draw.answer) : answer), [current, fan, answer, draw.answer]);
  useAnswer(shown);
  const slide = (path, value) => setAll({ [`s.${path}`]: value });
  const fields = html`
    <${Select} name="scenario" value=${form.scenario} options=${(shared.catalog.scenarios || []).map((one) => ({ value: one, label: one }))} set=${(v) => go(v === defaults.scenario ? {} : { scenario: v }, { replace: true })}/>
    <div class="buttons">${Object.keys(PRESETS).filter((one) => Object.keys(preset(one, amounts)).every((path) => !amounts || amounts.amounts.some((a) => a.path === path))).map((one) => html`<button type="button" class="small" onClick=${() => setAll(Object.fromEntries(Object.entries(preset(one, amounts)).map(([path, v]) => [`s.${path}`, v])))}>${t(`plan.preset.${one}`)}</button>`)}
      ${Object.keys(changed).length ? html`<button type="button" class="small" onClick=${() => setAll(Object.fromEntries(Object.keys(changed).map((path) => [`s.${path}`, null])))}>${t("plan.reset")}</button>` : null}</div>
    ${amounts ? amounts.amounts.filter((one) => one.slider).map((one) => html`<${Amount} key=${one.path} one=${one} value=${changed[one.path]} set=${(v) => slide(one.path, v)}/>`) : html`<p role="status">${t("from.loading")}</p>`}
    <div class="buttons"><button type="button" onClick=${() => setAll({ draws: form.draws ? null : 60 })}>${form.draws ? t("plan.no_draws") : t("plan.draws")}</button></div>`;
  return html`<${Split} summary=${t("plan.summary", { n: Object.keys(changed).length })} form=${fields}>
    <${ErrorBox} kind="plan" error=${draw.error || run.error} apply=${(r) => setAll({ [KEYS.includes(r.field) ? r.field : `s.${r.field}`]: r.value })}/>
    ${own && !draw.answer && draw.state === "estimating" ? html`<div class="answer gap"><${RunBar} state="estimating" progress=${{ stage: "base" }}/></div>` : null}
    ${Object.keys(changed).length && draw.answer && run.state !== "done" ? html`<${Quick} draw=${draw.answer} base=${form.scenario === defaults.scenario ? example || answer : null} state=${draw.state}/>` : null}
    ${answer ? html`<${Result} answer=${shown} input=${given} of=${fan && !current ? given.draws : 0} state=${own && !current && !(fan && !Object.keys(changed).length) ? "stale" : "done"} bar=${html`<${RunBar} ...${run} state=${own || !example ? run.state : "done"} seconds=${current && current.meta && current.meta.seconds}/>`}/>` : html`<div class="answer"><${RunBar} ...${run}/></div>`}<//>`;
}

function Amount({ one, value, set }) {
  const id = `f-${one.path}`;
  const now = value ?? one.value;
  const log = one.low > 0 && one.high > 10 * one.low;
  const at = (x) => Math.min(1000, Math.max(0, (log ? Math.log(x / one.low) / Math.log(one.high / one.low) : (x - one.low) / (one.high - one.low)) * 1000));
  const from = (p) => Number((log ? one.low * (one.high / one.low) ** (p / 1000) : one.low + ((one.high - one.low) * p) / 1000).toPrecision(4));
  const [text, setText] = useState(null);
  const key = SHORT[one.path];
  const unit = SHARES.includes(one.path) ? "frac" : one.unit === "1" ? "" : one.unit;
  const inField = unit === "frac" ? "frac" : "";
  return html`<div class="field"><label for=${id}>${key ? t(`amount.${key}`) : one.path}${unit && unit !== "frac" ? html` <span class="unit">[${term(unit)}]</span>` : null} <${Badge} grade=${one.grade}/></label>
    <div class="with-slider"><div>${one.likelihood.length ? html`<${Likelihood} counts=${one.likelihood}/>` : null}<input type="range" id=${id} min="0" max="1000" value=${at(now)} aria-valuetext=${original(now, unit)} onInput=${(e) => set(from(Number(e.target.value)))}/></div>
    <input type="text" aria-label=${`${key ? t(`amount.${key}`) : one.path}: ${t("chart.value")}`} value=${text ?? compact(now, inField)} onInput=${(e) => setText(e.target.value)} onBlur=${() => { const v = text === null ? null : parse(text, inField); setText(null); if (v !== null) set(v); }} onKeyDown=${(e) => e.key === "Enter" && e.target.blur()}/></div>
    <p class="hint">${original(one.low, unit)} – ${original(one.high, unit)}${value !== undefined && value !== one.value ? html` · ${t("plan.was", { value: original(one.value, unit) })} <button type="button" class="link" onClick=${() => set(null)}>${t("plan.back")}</button>` : null}</p></div>`;
}

function Quick({ draw, base, state }) {
  const before = baseOutcomes(base);
  const rows = ["value_per_share", "tokens_per_d", "devices", "capex", "compute_factor"].map((name) => ({ name, now: draw.outcomes[name], was: before[name] })).filter((one) => one.now && one.now.value !== null);
  return html`<div class=${`answer gap ${state === "estimating" ? "stale" : ""}`} id="quick"><p class="runbar estimate"><span class="dot"></span>${t("plan.quick")}</p>
    <dl class="facts-line">${rows.map(({ name, now, was }) => html`<${Figure} key=${name} label=${t(`outcome.${name}`)}><span>${quantity(now.value, now.unit.replace("/share", "").replace("tok/day", "1").replace("devices", "1"))}</span>${was ? html` <span class="range">${was !== now.value ? `${now.value >= was ? "+" : ""}${percent(now.value / was - 1, 2)}` : ""}</span>` : null}<//>`)}</dl></div>`;
}

/** "Value per ADS": a share by the name of the kind that the price is of. */
function valuePer(answer) {
  const kind = answer.value.share || "share";
  return t("plan.value_per", { share: language() === "zh" ? aShare(kind) : kind });
}

/** A plan with what its draws say so far; the quick draw gives the path of the plan that they are of. */
export function drawnSoFar(answer, fan, quick) {
  const path = quick ? quick.paths.tokens_per_d.value : answer.tokens_per_day.total;
  return { ...answer, draws: fan.draws, uncertainty: fan.uncertainty, probability: fan.probability, jevons: { ...answer.jevons, probability: fan.probability.jevons.p },
    tokens_per_day: { ...answer.tokens_per_day, total: path }, meta: { ...answer.meta, paths: fan.paths } };
}

export function baseOutcomes(answer) {
  if (!answer) return {};
  const total = (object) => Object.values(object).reduce((sum, list) => sum + list[list.length - 1], 0);
  return { value_per_share: first(answer.value, "per_share", "per_ads"), tokens_per_d: answer.tokens_per_day.total[answer.tokens_per_day.total.length - 1], devices: total(answer.fleet.devices), capex: first(answer.cash, "capex", "capex_cny").reduce((a, b) => a + b, 0), compute_factor: answer.jevons.compute_factor[answer.jevons.compute_factor.length - 1] };
}

const last = (list) => list[list.length - 1];
const spread = (answer, name) => { const u = (answer.uncertainty || {})[name] || (answer.uncertainty || {})[name.replace("share", "ads")]; return u ? { low: u.p10, high: u.p90, median: u.p50 } : {}; };

export function Result({ answer, input: given, state, bar, of = 0 }) {
  fillAlways({ share: aShare(answer.value.share) });
  const base = baseOutcomes(answer);
  const money_ = answer.currency || "CNY";
  const num = (value, unit, path, label, more = {}) => html`<${Num} value=${value} unit=${unit} path=${path} label=${label} ...${more}/>`;
  const head = (name, text) => { const u = spread(answer, name); const value = u.median ?? base[name]; return { value, text: text(value), low: u.low, high: u.high }; };
  const capex = head("capex", (v) => money(v, money_)), factor = head("compute_factor", (v) => number(v));
  const tokens = head("tokens_per_d", large), devices = head("devices", large), share = head("value_per_share", (v) => money(v, money_));
  const chance = answer.jevons.probability;
  const quarter = last(answer.quarters);
  return html`<div class=${`answer ${state === "stale" ? "stale" : ""}`}>${bar}
    <${Sentence} id=${tokens.value ? "plan.answer" : "plan.answer_renting"} tag="h1" values=${{ devices: num(devices.value, "1", "fleet.devices", t("outcome.devices"), devices), tokens: num(tokens.value, "1", "tokens_per_day.total", t("outcome.tokens_per_d"), tokens), quarter }}/>
    <${Sentence} id=${factor.value > 1 ? "plan.jevons_yes" : "plan.jevons_no"} values=${{ factor: num(factor.value, "1", "jevons.compute_factor", t("outcome.compute_factor"), factor) }}/>
    <dl class="facts-line"><${Figure} label=${t("outcome.capex")}>${num(capex.value, money_, "cash.capex", t("outcome.capex"), capex)}<//>
      ${share.value === null || share.value === undefined ? null : html`<${Figure} label=${valuePer(answer)}>${num(share.value, money_, "value.per_share", valuePer(answer), share)}<//>
      <${Figure} label=${t("plan.price")}>${num(first(answer.value, "price_per_share", "price_per_ads"), money_, "value.price_per_share", t("plan.price"))}<//>`}
      <${Figure} label=${t("plan.p_jevons")}>${chance === null || chance === undefined ? t("plan.needs_draws") : html`${num(chance, "frac", "jevons.probability", t("plan.p_jevons"), { text: percent(chance, 2) })}<${Gauge} share=${chance} label=${t("plan.p_jevons")}/>`}<//>
      ${answer.probability && answer.probability.value_created ? html`<${Figure} label=${t("plan.p_value")}>${num(answer.probability.value_created.p, "frac", "probability.value_created", t("plan.p_value"))}<${Gauge} share=${answer.probability.value_created.p} label=${t("plan.p_value")}/><//>` : null}</dl>
    <p class="hint">${!answer.draws ? t("plan.central") : of ? t("plan.so_far", { n: answer.draws, of }) : t("plan.median", { n: answer.draws })}</p><${Changes} answer=${answer}/></div>
  <div class="cards">
    ${tokens.value ? html`<${Card} cls="half"><${Chart} spec=${tokensChart(answer)} height=${280}/><//>` : null}
    <${Card} cls="half"><${Chart} spec=${fleetChart(answer)} height=${280}/><//>
    <${Card} cls="half"><${Chart} spec=${cashChart(answer)} height=${280}/><//>
    <${Card} cls="half"><${Chart} spec=${limits(answer)} height=${280}/><//>
    ${(answer.meta.swings || []).length ? html`<${Card} cls="half"><${Chart} spec=${tornado(answer, answer.meta.swings.slice(0, 8))} height=${320}/><//>` : null}
    ${answer.sensitivity && Object.keys(ranked(answer)).length ? html`<${Card} cls="half"><${Chart} spec=${ranks(answer)} height=${260}/><//>` : null}
    ${valueChannels(answer) ? html`<${Card}><${Chart} spec=${valueChannels(answer)} height=${300}/><//>` : null}
    <${Card}><${Same} label="Python" name="plan.py" text=${python(given, answer)} answer=${answer} chart=${false}/><//></div>`;
}

/** A probability as a bar of its whole. */
function Gauge({ share, label }) { return html`<meter min="0" max="1" value=${share} aria-label=${label}>${percent(share, 2)}</meter>`; }

/** How likely the values of an input are, from one end of its range to the other. */
function Likelihood({ counts }) {
  const most = Math.max(...counts);
  return html`<svg class="likelihood" viewBox=${`0 0 ${counts.length} 10`} preserveAspectRatio="none" aria-hidden="true">${counts.map((n, i) => html`<rect x=${i} y=${10 - (10 * n) / most} width="1" height=${(10 * n) / most}/>`)}</svg>`;
}

/** Tokens a day: the interval of the draws, the median in front, the central plan a thin line. */
export function tokensChart(answer) {
  const own = ((answer.meta || {}).paths || {}).tokens_per_d;
  const paths = own && Array.isArray(own.p50) ? own : null;
  const axis = axisScale("tokens");
  const scale = (list) => list.map((v) => v / axis.size);
  const central = scale(answer.tokens_per_day.total);
  return { id: "tokens", kind: "xy", direct: true, right: 124, title: t("plan.tokens"), summary: t("plan.tokens_words", { from: large(answer.tokens_per_day.total[0]), to: large(last(answer.tokens_per_day.total)) }),
    x: { label: t("report.quarter"), type: "category", values: answer.quarters }, y: { label: t("plan.tokens_axis"), unit: axis.unit, type: "value" },
    series: [...(paths ? [{ name: t("plan.median_line"), entity: "tokens", as: "line", endLabel: true, data: scale(paths.p50), low: scale(paths.p10), high: scale(paths.p90) }] : []), { name: t("plan.central_line"), entity: paths ? "central" : "tokens", as: "line", thin: !!paths, endLabel: !!paths, area: !paths, data: central }] };
}

/** Accelerators in service by kind. */
export function fleetChart(answer) {
  const kinds = Object.entries(answer.fleet.devices).filter(([, list]) => list.some((v) => v > 0));
  return { id: "fleet", kind: "xy", title: t("plan.fleet"), summary: kinds.map(([id, list]) => `${device(id)} ${large(last(list))}`).join(", "), x: { label: t("report.quarter"), type: "category", values: answer.quarters }, y: { label: t("col.accelerators"), unit: axisScale("count").unit, type: "value" }, direct: true, right: 96,
    series: kinds.map(([id, list]) => ({ name: device(id), entity: device(id), as: "bars", stack: "fleet", data: list.map((v) => v / axisScale("count").size) })) };
}

/** Money of a quarter: capital spent, revenue, free cash flow. */
export function cashChart(answer) {
  const money_ = answer.currency || "CNY";
  const axis = axisScale("money");
  const bn = (list) => list.map((v) => (converted(v, money_) ?? v) / axis.size);
  return { id: "cash", kind: "xy", title: t("plan.cash"), summary: t("plan.cash"), x: { label: t("report.quarter"), type: "category", values: answer.quarters }, y: { label: t("plan.per_quarter"), unit: axis.unit, type: "value" },
    series: [["capex", -1], ["ai_revenue_external", 1], ["ai_fcf", 1]].map(([name, sign]) => ({ name: t(`cash.${name}`), entity: `cash ${name}`, as: name === "ai_fcf" ? "line" : "bars", data: bn(first(answer.cash, name, `${name}_cny`)).map((v) => v * sign) })) };
}

/** Which limits bind in which quarter; the strongest first. */
export function limits(answer) {
  const names = [...new Set(answer.cash.binding.flat())];
  const cells = answer.cash.binding.flatMap((list, x) => names.map((name, y) => [x, y, list.includes(name) ? Math.max(1, 6 - list.indexOf(name)) : 0]));
  const label = (name) => name.replace(/^([a-z ]+)(: (.*))?$/, (m, kind, _, rest) => `${has(`limit.${kind}`) ? t(`limit.${kind}`) : raised(term(kind))}${rest ? ` · ${/^[a-z]+\d/.test(rest) || rest.includes("_") ? device(rest) : raised(term(rest))}` : ""}`);
  return { id: "limits", kind: "heat", title: t("plan.limits"), summary: names.map(label).join(", "), x: { type: "category", values: answer.quarters }, y: { label: t("plan.limit"), type: "category", values: names.map(label) }, cells, min: 0, max: 6, note: t("plan.limits_note") };
}

const ranked = (answer) => first(answer.sensitivity || {}, "value_per_share", "value_per_ads") || {};

/** Inputs that move the value most. */
export function ranks(answer) {
  const own = ranked(answer);
  const rows = Object.entries(own).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1])).slice(0, 10);
  const label = (path) => inputName(path);
  return { id: "ranks", kind: "xy", title: t("plan.ranks"), note: t("plan.ranks_note", { n: answer.draws }), summary: rows.map(([path, r]) => `${label(path)} ${number(r, 2)}`).join(", "), horizontal: true, bare: true, right: 50, narrowRight: 36, x: { label: t("plan.rank_correlation"), unit: "", type: "value", min: -1, max: 1 }, y: { label: t("compare.input"), type: "category", values: rows.map(([path]) => label(path)) },
    series: [{ name: t("plan.rank_correlation"), entity: "rank", as: "bars", data: rows.map(([, r]) => r), labels: rows.map(([, r]) => number(r, 2)) }] };
}

function python(given, answer) {
  const set = given.set ? `\nscenario = scenario.with_values(${JSON.stringify(given.set)})` : "";
  return `import jevons\n\nscenario = jevons.load("scenarios/${given.scenario || "alibaba-380bn"}.yaml")${set}\nplan = jevons.plan(scenario, draws=${given.draws || answer.draws || 0})\nprint(plan.answer)\n`;
}
export { shared, useMemo, word };
