// Buy, rent or API: the cheapest way for a load, and the load at which that changes.
import { html } from "jevons/vendor/preact.js";
import { has, t, word } from "jevons/i18n.js";
import { converted, currency, device, duration, large, money, number, percent, span } from "jevons/format.js";
import { Card, Changes, Chips, ErrorBox, Grid, Num, NumberField, Pick, RunBar, Same, Select, Sentence, Told, shared, useRun } from "jevons/ui.js";
import { Chart } from "jevons/chart.js";
import { link } from "jevons/state.js";
import { Figure, Split, apiOptions, deviceOptions, first, keywords, modelOptions, remedied, siteOptions, tableRows, useAnswer, useForm } from "jevons/views/common.js";
import { notesOf } from "jevons/views/generic.js";
import { commandLine } from "jevons/views/size.js";

export const defaults = { model: "deepseek-r1", gpu: ["h20", "h200_sxm"], tokens_per_day: 57e6, isl: 2000, osl: 500, tpot: 0.05 };
const NAMES = ["model", "gpu", "tokens_per_day", "rate", "isl", "osl", "ttft", "tpot", "api", "rent", "years", "utilisation", "availability", "staff", "cached", "price_cut", "as_of", "engine", "precision", "hours", "unit", "provider", "term", "site"];
/** Keys that the address of this screen may have. */
export const KEYS = NAMES;

/** Where machines stand, and those that are compared abroad, if nothing is chosen. */
const HOME = "site.china_east", ABROAD = ["h100_sxm", "h200_sxm"];

/** Keywords of `buy_rent_api` for a form. */
export function input(form) {
  const given = keywords(form, NAMES);
  if (given.gpu) given.gpu = [].concat(given.gpu);
  if (given.rate) delete given.tokens_per_day;
  return given;
}

export function View({ values, go }) {
  const abroad = values.site && !String(values.site).startsWith("site.china");
  const { form, set, setAll } = useForm(abroad ? { ...defaults, gpu: ABROAD } : defaults, values, go);
  const given = input(form);
  const run = useRun(null, given, { estimate: { path: "buy-rent-api", input: given }, only: "estimate" });
  useAnswer(run.answer);
  const load = form.rate ? form.rate * form.osl * 86400 : form.tokens_per_day;
  const fields = html`
    <${Pick} name="model" value=${form.model} options=${modelOptions()} set=${(v) => set("model", v)}/>
    <${NumberField} name="tokens_per_day" unit="tokens/day" value=${load} min=${1e5} max=${1e12} set=${(v) => setAll({ tokens_per_day: v, rate: null })}/>
    <${Chips} name="gpu" values=${form.gpu} options=${deviceOptions()} set=${(v) => set("gpu", v)}/>
    <${Pick} name="api" value=${form.api} options=${apiOptions()} set=${(v) => set("api", v)} placeholder=${t("placeholder.api")}/>
    <div class="two"><${NumberField} name="isl" value=${form.isl} whole set=${(v) => set("isl", v)}/><${NumberField} name="osl" value=${form.osl} whole set=${(v) => set("osl", v)}/></div>
    <${NumberField} name="utilisation" unit="frac" value=${form.utilisation ?? 0.3} min=${0.02} max=${1} log=${false} set=${(v) => set("utilisation", v)}/>
    <p class="hint">${t("choice.utilisation_hint")}</p>
    <div class="two"><${Select} name="hours" value=${form.hours || "always"} options=${["always", "office", "scale-to-zero"].map((one) => ({ value: one, label: t(`hours.${one}`) }))} set=${(v) => set("hours", v === "always" ? null : v)}/>
    <${Select} name="machine_unit" value=${form.unit || "gpu"} options=${["gpu", "node"].map((one) => ({ value: one, label: t(`machine.${one}`) }))} set=${(v) => set("unit", v === "gpu" ? null : v)}/></div>
    <${Select} name="site" value=${form.site || HOME} options=${siteOptions()} set=${(v) => set("site", v === HOME ? null : v)}/>
    <p class="hint">${t("choice.site_hint")}</p>
    <${NumberField} name="price_cut" unit="frac" value=${form.price_cut ?? 0.3} min=${0} max=${0.9} log=${false} set=${(v) => set("price_cut", v)}/>
    <details><summary>${t("form.terms")}</summary><div class="fields">
      <div class="two"><${NumberField} name="years" unit="years" value=${form.years} set=${(v) => set("years", v)} placeholder=${t("placeholder.default")}/>
      <${NumberField} name="availability" unit="frac" value=${form.availability} set=${(v) => set("availability", v)} placeholder=${t("placeholder.default")}/></div>
      <div class="two"><${NumberField} name="staff" unit="CNY/year" value=${form.staff} set=${(v) => set("staff", v)} placeholder=${t("placeholder.default")}/>
      <${NumberField} name="cached" unit="frac" value=${form.cached} set=${(v) => set("cached", v)} placeholder=${t("placeholder.default")}/></div>
      <${Pick} name="rent" value=${form.rent} options=${[{ value: "h20=6 CNY", label: "" }, { value: "h100_sxm=2 USD", label: "" }]} set=${(v) => set("rent", v)} placeholder="h20=6 CNY"/>
      <${NumberField} name="tpot" unit="s" value=${form.tpot} set=${(v) => set("tpot", v)}/>
      <${NumberField} name="ttft" unit="s" value=${form.ttft} set=${(v) => set("ttft", v)} placeholder="–"/></div></details>`;
  return html`<${Split} summary=${`${form.model} · ${typeof load === "number" ? large(load) : load} ${t("unit.tokens/day")}`} form=${fields}>
    <${ErrorBox} kind="buy_rent_api" error=${run.error} apply=${(r) => setAll(remedied(form, r))}/>
    ${run.answer ? html`<${Result} answer=${run.answer} input=${given} state=${run.error ? "stale" : run.state} bar=${html`<${RunBar} ...${run} seconds=${run.answer.meta && run.answer.meta.seconds}/>`}/>` : run.error ? null : html`<div class="answer"><${RunBar} ...${run}/></div>`}<//>`;
}

const monthly = (way) => first(way.cost, "per_month_cny", "per_month");
/** The ends of a month's cost, which an API's bill has not. */
export const monthEnds = (way) => (way.way === "API" ? {} : { low: first(way.cost, "per_month_cny_low", "per_month_low"), high: first(way.cost, "per_month_cny_high", "per_month_high") });
/** A month's cost in the currency that is shown. */
export const monthText = (way, answer) => money(monthly(way), cash(answer));
const perMtok = (way) => first(way.cost, "per_output_mtok_cny", "per_output_mtok");
export const cash = (answer) => (answer.ways[0].cost.per_month_cny !== undefined ? "CNY" : answer.currency || "CNY");
const apiName = (answer) => (answer.api.prefix === "own price" ? t("choice.own_api") : `API ${answer.api.prefix}`);
const nameOf = (way, answer) => (way.way === "API" ? apiName(answer) : t(`way.${way.way}`, { n: number(way.accelerators), gpu: device(way.gpu) }));

/** The accelerator whose cost the assumptions are varied for. */
const varied = (answer) => ((answer.machines || [])[0] || {}).gpu;

/** Months since a date. */
function age(since, until) {
  const [a, b] = [new Date(since), new Date(until)];
  return Math.max(0, Math.round((b - a) / 2629800000));
}

/** Months since the price of a way was on file: of its API, its machine or its rent; null of one that is given or reckoned. */
function priceAge(way, answer) {
  if (way.way === "API") return age(answer.api.since, answer.start);
  const machine = (answer.machines || []).find((one) => one.gpu === way.gpu) || {};
  const since = way.way === "buy" ? machine.price_since : machine.rent_since;
  return since ? age(since, answer.start) : null;
}

/** How old a price is; one of more than a year stands out. */
function Age({ n, words = "choice.months" }) { return html`<span class=${n > 12 ? "badge judgement" : "badge"}>${t(words, { n })}</span>`; }

export function Result({ answer, input: given, state, bar }) {
  if (!answer.ways) return html`<div class="answer">${bar}<${Told} answer=${answer}/><${Changes} answer=${answer}/></div>`;
  const money_ = cash(answer);
  const ways = [...answer.ways].sort((a, b) => monthly(a) - monthly(b));
  const [best, second] = ways;
  const breaks = (answer.machines || []).filter((one) => one.break_even_tok_per_d).sort((a, b) => a.break_even_tok_per_d - b.break_even_tok_per_d);
  const place = (way) => `ways.${answer.ways.indexOf(way)}.cost.per_month`;
  const months = age(answer.api.since, answer.start);
  const num = (value, unit, path, label, more = {}) => html`<${Num} value=${value} unit=${unit} path=${path} label=${label} ...${more}/>`;
  const owned = ways.find((one) => one.way === "buy" && one.gpu === varied(answer));
  const ends = (answer.swings || []).flatMap((one) => [first(one, "at_low_cny", "at_low"), first(one, "at_high_cny", "at_high")]);
  return html`<div class=${`answer ${state === "stale" ? "stale" : ""}`}>${bar}
    <${Sentence} id="choice.answer" tag="h1" values=${{ load: num(answer.output_tok_per_d, "1", "output_tok_per_d", t("field.tokens_per_day"), { text: large(answer.output_tok_per_d) }), model: answer.model, way: nameOf(best, answer), cost: num(monthly(best), money_, place(best), t("col.cost_month"), monthEnds(best)) }}/>
    ${second ? html`<${Sentence} id="choice.second" values=${{ way: nameOf(second, answer), cost: num(monthly(second), money_, place(second), t("col.cost_month"), monthEnds(second)), times: number(monthly(second) / monthly(best), 2) }}/>` : null}
    <p>${breaks.length ? html`<${Sentence} id="choice.flips" tag="span" values=${{ gpu: `${number(breaks[0].accelerators)} × ${device(breaks[0].gpu)}`, load: num(breaks[0].break_even_tok_per_d, "1", `machines.${answer.machines.indexOf(breaks[0])}.break_even_tok_per_d`, t("choice.break_even"), { text: large(breaks[0].break_even_tok_per_d) }) }}/>` : t("choice.never")}</p>
    <dl class="facts-line"><${Figure} label=${t("choice.api_price")}>${num(first(answer.api, "output_cny_per_mtok", "output_per_mtok"), `${money_}/Mtok`, "api.output_cny_per_mtok", t("choice.api_price"))}${" "}
        <${Age} n=${months} words="choice.age"/><//>
      ${ways.filter((w) => w.latency).slice(0, 1).map((w) => html`<${Figure} label="TPOT">${num(w.latency.tpot_s, "s", `ways.${answer.ways.indexOf(w)}.latency.tpot_s`, "TPOT", { low: w.latency.tpot_s_low, high: w.latency.tpot_s_high })}<//>`)}
      ${owned && ends.length ? html`<${Figure} label=${t("choice.owned", { gpu: device(owned.gpu) })}>${num(perMtok(owned), `${money_}/Mtok`, `ways.${answer.ways.indexOf(owned)}.cost.per_output_mtok`, t("choice.per_output"), { low: Math.min(...ends), high: Math.max(...ends) })}<//>` : null}</dl>
    ${notesOf(answer).slice(1).map((one) => html`<p class="hint">${one}</p>`)}
    <${Changes} answer=${answer}/>
    <div class="buttons">${shared.frozen ? null : best.way === "API" ? html`<a class="primary" href=${link("size", { model: answer.model, gpu: [(ways.find((w) => w.gpu) || {}).gpu], rate: Number((answer.output_tok_per_d / answer.osl / 86400 / (given.utilisation || 0.3)).toPrecision(3)), isl: answer.isl, osl: answer.osl })}>${t("choice.to_size")}</a>`
      : html`<a class="primary" href=${link("size", { model: answer.model, gpu: [best.gpu], rate: Number((answer.output_tok_per_d / answer.osl / 86400 / (given.utilisation || 0.3)).toPrecision(3)), isl: answer.isl, osl: answer.osl })}>${t("choice.to_size")}</a>`}</div>
  </div>
  <div class="cards">
    <${Card} cls="half"><${Chart} spec=${crossover(answer, breaks)} height=${320}/><//>
    <${Card} cls="half"><${Chart} spec=${bill(answer, ways)} height=${320}/><//>
    <${Card}><${Grid} caption=${t("choice.ways")} columns=${[
      { key: "name", label: t("choice.way"), text: true }, { key: "machines", label: t("choice.machines"), show: (v) => (v ? number(v) : "–") }, { key: "cost", label: t("col.cost_month"), show: (v, row) => num(v, money_, place(row.own), `${row.name} ${t("col.cost_month")}`, monthEnds(row.own)) },
      { key: "mtok", label: t("choice.per_output"), show: (v, row) => num(v, `${money_}/Mtok`, `ways.${answer.ways.indexOf(row.own)}.cost.per_output_mtok`, `${row.name} ${t("choice.per_output")}`) }, { key: "use", label: t("choice.use"), show: (v) => percent(v, 2) }, { key: "even", label: t("choice.break_even"), show: (v) => (v ? large(v) : "–") },
      { key: "age", label: t("choice.price_age"), show: (v) => (v === null ? "–" : html`<${Age} n=${v}/>`) }]}
      rows=${ways.map((w) => ({ own: w, name: nameOf(w, answer), machines: w.machines, cost: monthly(w), mtok: perMtok(w), use: w.utilisation_frac, even: w.break_even_tok_per_d, age: priceAge(w, answer) }))}/><//>
    <${Card}><${Chart} spec=${tornado(answer)} height=${300}/><//>
    <${Card}><${Same} label=${t("launch.cli")} name="buy-rent-api.sh" text=${commandLine("buy-rent-api", given)} answer=${answer} chart=${false}/><//>
  </div>`;
}

/** Cost of a month against load, each way a line; marks where buying breaks even. */
export function crossover(answer, breaks = []) {
  const rows = tableRows(answer, "by_load");
  const names = rows.length ? Object.keys(rows[0]).filter((key) => !["output_tok_per_d", "cheapest"].includes(key)) : [];
  const label = (key) => {
    const [way, ...gpu] = key.replace(/_(cny|usd|eur)$/, "").split("_");
    return way === "api" ? apiName(answer) : t(`way.${way}_short`, { gpu: device(gpu.join("_")) });
  };
  const falls = (answer.price_cuts || []).filter((one) => one.cut_frac_per_y > 0 && one.mean_price_frac < 1)[0];
  const band = (key) => (falls && key.startsWith("api_") ? { low: rows.map((row) => converted(row[key] * falls.mean_price_frac, cash(answer))), high: rows.map((row) => converted(row[key], cash(answer))) } : {});
  return {
    id: "crossover", kind: "xy", title: t("choice.crossover"), summary: t("choice.crossover_words"), note: falls ? t("choice.band", { api: answer.api.prefix === "own price" ? t("choice.own_price") : answer.api.prefix, cut: percent(falls.cut_frac_per_y, 2) }) : "",
    x: { label: t("field.tokens_per_day"), unit: "", type: "log" }, y: { label: t("col.cost_month"), unit: currency(), type: "log" },
    series: names.map((key) => ({ name: label(key), entity: label(key), as: "line", data: rows.map((row) => [row.output_tok_per_d, converted(row[key], cash(answer))]), ...band(key) })),
    marks: [{ axis: "x", value: answer.output_tok_per_d, label: t("choice.today") }, ...breaks.slice(0, 2).map((one) => ({ axis: "x", value: one.break_even_tok_per_d, label: t("choice.break_even") }))],
  };
}

/** A month's bill by part. */
export function bill(answer, ways) {
  const parts = [...new Set(ways.flatMap((way) => Object.keys(first(way.cost, "parts_cny", "parts"))))];
  return {
    id: "bill", kind: "xy", title: t("choice.bill"), summary: ways.map((w) => `${nameOf(w, answer)} ${money(monthly(w), cash(answer))}`).join("; "), horizontal: true,
    x: { label: t("col.cost_month"), unit: currency(), type: "value" }, y: { label: t("choice.way"), type: "category", values: ways.map((w) => nameOf(w, answer)) },
    series: parts.map((part) => ({ name: word(`part.${part}`, part), entity: `part ${part}`, as: "bars", stack: "bill", data: ways.map((w) => converted(first(w.cost, "parts_cny", "parts")[part] ?? null, cash(answer))) })),
  };
}

/** What moves the cost of output on a bought machine. */
export function tornado(answer) {
  const swings = [...(answer.swings || [])].map((one) => ({ ...one, a: first(one, "at_low_cny", "at_low"), b: first(one, "at_high_cny", "at_high") })).sort((p, q) => Math.abs(q.b - q.a) - Math.abs(p.b - p.a)).slice(0, 8);
  const label = (one) => (has(`swing.${one.name}`) ? t(`swing.${one.name}`) : one.name);
  return {
    id: "tornado", kind: "xy", title: t("choice.tornado", { gpu: device(varied(answer)) }), summary: swings.map((s) => `${label(s)}: ${money(s.a, cash(answer))}–${money(s.b, cash(answer))}`).join("; "), horizontal: true, bare: true, right: 96, narrowRight: 96, note: t("choice.tornado_note"),
    x: { label: t("choice.per_output"), unit: currency(), type: "value", scale: true }, y: { label: t("choice.assumption"), type: "category", values: swings.map(label) },
    table: { heads: [t("choice.assumption"), t("chart.low"), t("chart.high"), t("choice.at_low"), t("choice.at_high")], rows: swings.map((s) => [label(s), s.low, s.high, s.a, s.b]) },
    series: [{ name: "lower", entity: "spacer", as: "spacer", stack: "t", data: swings.map((s) => converted(Math.min(s.a, s.b), cash(answer))) },
      { name: t("choice.range"), entity: "range", as: "bars", stack: "t", data: swings.map((s) => converted(Math.abs(s.b - s.a), cash(answer))), labels: swings.map((s) => span(s.low, s.high, s.unit === "1" && s.high <= 1 ? "frac" : s.unit || "1")) }],
  };
}
export { duration };
