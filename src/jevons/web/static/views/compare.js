// Compare: two questions of one kind; the inputs that differ, the outputs that do, and what explains it.
import { html, useEffect, useState } from "jevons/vendor/preact.js";
import { fieldName, has, language, t, word } from "jevons/i18n.js";
import { axisScale, converted, currency, device, gigabytes, number, original, percent, quantity, timeUnit } from "jevons/format.js";
import { Card, ErrorBox, Footprint, Grid, Num, RunBar, Select, Sentence, shared, useRun } from "jevons/ui.js";
import { Chart } from "jevons/chart.js";
import { read } from "jevons/state.js";
import { first, months, useAnswer } from "jevons/views/common.js";
import * as size from "jevons/views/size.js";
import * as choice from "jevons/views/choice.js";
import * as replay from "jevons/views/replay.js";
import * as train from "jevons/views/train.js";
import * as plan from "jevons/views/plan.js";
import { inputName } from "jevons/views/names.js";

const OF = { size: ["size", size], choice: ["buy_rent_api", choice], replay: ["simulate", replay], train: ["train", train], plan: ["plan", plan] };
/** Keys that the address of this screen may have. */
export const KEYS = ["a", "b"];
const EXAMPLE = { a: "#/train?gpu=h100_sxm", b: "#/train?gpu=h200_sxm&gpus=2048&tokens=4T" };

/** The question that an address asks. */
export function question(text) {
  const hash = String(text).replace(/^[^#]*#/, "#");
  const { screen, values } = read(hash);
  if (!(screen in OF)) return null;
  const [kind, view] = OF[screen];
  const { lang, cur, theme, ...own } = values;
  const input = view.input({ ...view.defaults, ...own });
  return { kind, input: kind === "size" ? { ...input, static: true } : input };
}

export function View({ values, go }) {
  const both = { a: values.a ?? EXAMPLE.a, b: values.b ?? EXAMPLE.b };
  const asked = { a: question(both.a), b: question(both.b) };
  const known = asked.a && asked.b;
  const run = useRun("compare", known ? asked : null);
  useAnswer(run.answer);
  return html`<div class="card gap"><p>${t("compare.how")}</p><div class="pair">${["a", "b"].map((side) => html`<${Side} key=${side} side=${side} text=${both[side]} set=${(text) => go({ ...values, [side]: text }, { replace: true })} wrong=${!asked[side]}/>`)}</div></div>
    <${ErrorBox} error=${known ? run.error : null}/>
    ${run.answer && known ? html`<${Result} answer=${run.answer} state=${run.state} bar=${html`<${RunBar} ...${run}/>`}/>` : known && !run.error ? html`<div class="answer"><${RunBar} ...${run}/></div>` : null}`;
}

function Side({ side, text, set, wrong }) {
  const [own, setOwn] = useState(text);
  useEffect(() => setOwn(text), [text]);
  const id = `f-side-${side}`;
  return html`<div class="field"><label for=${id}>${side.toUpperCase()}</label><input type="text" id=${id} value=${own} aria-invalid=${wrong ? "true" : "false"} onInput=${(e) => setOwn(e.target.value)} onBlur=${() => own !== text && set(own)} onKeyDown=${(e) => e.key === "Enter" && set(own)}/>${wrong ? html`<p class="wrong" role="alert">${t("compare.wrong")}</p>` : html`<p class="hint"><a href=${String(text).replace(/^[^#]*#/, "#")}>${t("compare.open")}</a></p>`}</div>`;
}

const name = (key) => (has(`out.${key}`) ? t(`out.${key}`) : word(`outcome.${key}`, key));
/** An input by its name: a keyword of a function, or an amount of a scenario. */
const named = (kind, key) => (kind === "plan" && key !== "scenario" ? inputName(key) : fieldName(kind, key));
/** A difference: of shares in points, of bytes and days in the unit that the sides are shown in. */
const change = (value, unit, side = value) => (unit === "frac" ? t("compare.points", { n: number(value * 100, 3) })
  : unit === "bytes" && Math.abs(side) >= 1e9 && Math.abs(side) < 1e12 ? gigabytes(value)
    : unit === "d" && Math.abs(side) >= 2 ? `${number(value)} ${t("unit.days")}` : quantity(value, unit));
const inputText = (value, name) => (value === null || value === undefined ? t("compare.default") : Array.isArray(value) ? value.map((one) => inputText(one, name)).join(", ")
  : name === "gpu" ? device(value) : name === "site" ? word(value, value) : typeof value === "number" ? number(value) : String(value));

/** An input of a side; an amount of a scenario with its unit, as per cent where both sides are below one. */
const shownInput = (one, side) => (one.unit === undefined || typeof one[side] !== "number" ? inputText(one[side], one.input)
  : original(one[side], one.unit === "1" && Math.max(Math.abs(one.a), Math.abs(one.b)) < 1 ? "frac" : one.unit));

export function Result({ answer, state, bar }) {
  const outputs = Object.entries(answer.difference).filter(([, one]) => one.a !== null || one.b !== null);
  const headline = answer.attribution.find((one) => /cost|month|hour|value_per_share/.test(one.output)) || answer.attribution[0];
  const [picked, setPicked] = useState(null);
  const attribution = answer.attribution.find((one) => one.output === picked) || headline;
  const unit = (key) => answer.difference[key].unit;
  const others = attribution && attribution.parts.length > 1 ? attribution.total - (biggest(attribution).delta || 0) : null;
  const head = headline ? answer.difference[headline.output] : null;
  return html`<div class="answer">${bar}
    ${head ? html`<${Sentence} id="compare.answer" tag="h1" values=${{ what: name(headline.output), ...Object.fromEntries(["a", "b"].map((side) => [side, html`<${Num} value=${head[side]} unit=${head.unit} path=${`difference.${headline.output}.${side}`} label=${`${name(headline.output)} ${side.toUpperCase()}`} low=${head[`${side}_low`]} high=${head[`${side}_high`]}/>`])), change: head.a ? `${head.delta > 0 ? "+" : ""}${percent(head.delta / head.a, 2)}` : "–" }}/>` : html`<h1 id="answer">${t("compare.same")}</h1>`}
    ${attribution && attribution.parts.length && (biggest(attribution).delta || 0) * attribution.total > 0 ? html`<p>${t("compare.most", { input: named(answer.kind, biggest(attribution).input) })}${others === null ? "" : ` ${t("compare.others", { rest: change(others, unit(attribution.output)), whole: change(attribution.total, unit(attribution.output)) })}`}</p>` : null}</div>
  <div class="cards"><${Card} cls="third"><${Grid} caption=${t("compare.inputs", { n: answer.changed.length })} columns=${[{ key: "name", label: t("compare.input"), text: true }, { key: "a", label: "A", text: true }, { key: "b", label: "B", text: true }]} rows=${answer.changed.map((one) => ({ name: named(answer.kind, one.input), a: shownInput(one, "a"), b: shownInput(one, "b") }))}/><//>
    <${Card} cls="two-thirds"><${Grid} caption=${t("compare.outputs")} columns=${[{ key: "name", label: t("compare.output"), text: true }, ...["a", "b"].map((side) => ({ key: side, label: side.toUpperCase(), show: (v, row) => (v === null ? "–" : html`<${Num} value=${v} unit=${row.unit} path=${`difference.${row.key}.${side}`} label=${`${row.name} ${side.toUpperCase()}`} low=${row[`${side}_low`]} high=${row[`${side}_high`]}/>`) })), { key: "delta", label: "Δ", show: (v, row) => change(v, row.unit, row.a) }, { key: "share", label: "%", show: (v) => (v === null ? "–" : `${v > 0 ? "+" : ""}${number(v * 100, 2)} %`) }]} rows=${outputs.map(([key, one]) => ({ key, name: name(key), ...one, share: one.a ? one.delta / one.a : null }))}/><//>
    ${attribution ? html`<${Card}><${Select} name="attribution" value=${attribution.output} options=${answer.attribution.map((one) => ({ value: one.output, label: name(one.output) }))} set=${setPicked}/>
      <div class="gap"></div><${Chart} spec=${parts(attribution, unit(attribution.output), answer)} height=${Math.max(180, 60 + 34 * (attribution.parts.length + 2))}/><//>` : null}
    ${overlaid(answer) ? html`<${Card}><${Chart} spec=${overlaid(answer)} height=${320}/><//>` : null}
    <${Card}>${answer.kind === "plan" ? html`<p class="hint">${t("compare.plans")}</p>` : ["a", "b"].map((side) => { const own = ((answer.said || {})[side] || {})[language()]; return html`<p key=${side} lang=${own ? null : "en"}><strong>${side.toUpperCase()}</strong> ${own || answer.answers[side]}</p>`; })}<${Footprint} answer=${answer}/><//></div>`;
}

const SIDES = [["a", "central"], ["b", "median"]];
const both = (title, more) => ({ id: "overlaid", kind: "xy", title, summary: title, ...more });

/** Both sides in one chart: fleets, latencies, ways or the parts of a step. */
const OVERLAID = {
  size: (drawn, time = timeUnit(drawn.a.entries[0].tpot_s)) => both(t("chart.front"), { x: { label: "TPOT", unit: time.unit, type: "value", scale: true }, y: { label: t("col.cost_month"), unit: currency(), type: "log" },
    series: SIDES.map(([side, entity]) => { const own = drawn[side].entries.filter((one) => one.cost_per_h); return { name: side.toUpperCase(), entity, as: "points", data: own.map((one) => [one.tpot_s * time.factor, converted(one.cost_per_h * months, one.currency)]), tips: own.map((one) => `${number(one.accelerators)} × ${device(one.gpu)}`) }; }) }),
  simulate: (drawn) => both(t("replay.latency_both"), { x: { label: t("replay.percentile"), type: "category", values: ["p50", "p90", "p95", "p99"] }, y: { label: t("replay.seconds"), unit: "s", type: "log" },
    series: ["ttft_s", "tpot_s", "e2e_s"].flatMap((name) => SIDES.map(([side]) => ({ name: `${name.slice(0, -2).toUpperCase()} ${side.toUpperCase()}`, entity: name, as: "line", dashed: side === "b", data: ["p50", "p90", "p95", "p99"].map((stat) => drawn[side][name][stat]) }))) }),
  buy_rent_api: (drawn) => {
    const label = (way) => (way.way === "API" ? "API" : t(`way.${way.way}_short`, { gpu: device(way.gpu) }));
    const names = [...new Set(SIDES.flatMap(([side]) => drawn[side].ways.map(label)))];
    const cost = (side, name) => { const way = drawn[side].ways.find((one) => label(one) === name); return way ? converted(first(way.cost, "per_month_cny", "per_month"), way.cost.per_month_cny === undefined ? way.cost.currency : "CNY") : null; };
    return both(t("choice.ways_both"), { horizontal: true, x: { label: t("col.cost_month"), unit: currency(), type: "value" }, y: { label: t("choice.way"), type: "category", values: names }, series: SIDES.map(([side, entity]) => ({ name: side.toUpperCase(), entity, as: "bars", data: names.map((name) => cost(side, name)) })) });
  },
  train: (drawn) => {
    const whole = Math.max(...SIDES.map(([side]) => Object.values(drawn[side].parts_s).reduce((sum, v) => sum + v, 0)));
    const names = Object.keys(drawn.a.parts_s).filter((name) => SIDES.some(([side]) => drawn[side].parts_s[name] > 0.002 * whole));
    return both(t("train.step"), { horizontal: true, x: { label: t("col.step"), unit: "s", type: "value" }, y: { label: t("chart.part"), type: "category", values: names.map((name) => t(`train.part.${name}`)) }, series: SIDES.map(([side, entity]) => ({ name: side.toUpperCase(), entity, as: "bars", data: names.map((name) => drawn[side].parts_s[name]) })) });
  },
};
/** Tokens a day of two plans, or revenue where they serve none. */
OVERLAID.plan = (drawn, answer) => {
  if (drawn.a.quarters.join() !== drawn.b.quarters.join()) return null;
  const served = SIDES.every(([side]) => drawn[side].paths.tokens_per_d.value.some((v) => v > 0));
  const path = served ? "tokens_per_d" : "ai_revenue", axis = axisScale(served ? "tokens" : "money");
  const scaled = (v) => (served ? v : converted(v, answer.currency) ?? v) / axis.size;
  return both(t(served ? "plan.tokens" : "outcome.ai_revenue"), { x: { label: t("report.quarter"), type: "category", values: drawn.a.quarters }, y: { label: served ? t("plan.tokens_axis") : t("plan.per_quarter"), unit: axis.unit, type: "value" }, direct: true, right: 34,
    series: SIDES.map(([side, entity]) => ({ name: side.toUpperCase(), entity, as: "line", endLabel: true, data: drawn[side].paths[path].value.map(scaled) })) });
};
const overlaid = (answer) => (answer.drawn && OVERLAID[answer.kind] ? OVERLAID[answer.kind](answer.drawn, answer) : null);

const biggest = (one) => [...one.parts].sort((a, b) => ((b.delta || 0) - (a.delta || 0)) * Math.sign(one.total))[0];

/** What each changed input does alone, what they do together, and the whole difference. */
export function parts(one, unit, answer) {
  const [, code, per] = /^(CNY|USD|EUR)(.*)$/.exec(unit) || [];
  const hours = unit === "d" && [one.total, one.together, ...one.parts.map((part) => part.delta)].every((v) => Math.abs(v || 0) < 2);
  const shown = (v) => (code ? converted(v, code) ?? v : hours && v !== null ? v * 24 : v);
  const rows = [...one.parts.map((part) => [named(answer.kind, part.input), part.delta]), [t("compare.together"), one.together], [t("compare.total"), one.total]];
  return { id: "attribution", kind: "xy", title: t("compare.explains", { what: name(one.output) }), summary: rows.map(([label, v]) => `${label} ${change(v, unit)}`).join("; "), horizontal: true, bare: true, right: 110, note: t("compare.note"),
    x: { label: name(one.output), unit: unit === "1" ? "" : unit === "d" ? t(hours ? "unit.h" : "unit.days") : code ? `${currency()}${per}` : unit, type: "value" }, y: { label: t("compare.input"), type: "category", values: rows.map(([label]) => label) },
    series: [{ name: "Δ", entity: "delta", as: "bars", data: rows.map(([, v]) => shown(v)), labels: rows.map(([, v]) => change(v, unit)), colours: rows.map((_, i) => (i === rows.length - 1 ? "delta total" : "delta part")) }] };
}
export { shared };
