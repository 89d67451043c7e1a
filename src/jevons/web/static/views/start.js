// Start: three doors, each with a worked example that is answered already; and two more ways in.
import { html, useEffect, useState } from "jevons/vendor/preact.js";
import { t } from "jevons/i18n.js";
import { beside, device, large, money, number, percent, quantity } from "jevons/format.js";
import { NumberField, Pick, Sentence } from "jevons/ui.js";
import { link, go } from "jevons/state.js";
import { first, modelOptions, months } from "jevons/views/common.js";
import * as size from "jevons/views/size.js";
import * as choice from "jevons/views/choice.js";

let kept = null;

/** A number of an example, with its interval; it opens the screen that answers it, where each number says where it is from. */
function Told({ text, to, low, high, unit }) {
  const range = low === undefined || low === null || high === null || low === high ? null : html`<span class="range"> [${beside(text, low, high, unit)}]</span>`;
  return html`<a class="num" href=${link(to)} title=${t("start.open")}>${text}${range}</a>`;
}

export function View() {
  const [examples, setExamples] = useState(kept);
  useEffect(() => { if (!kept) fetch("/static/examples/start.json").then((r) => r.json()).then((all) => { kept = all; setExamples(all); }).catch(() => {}); }, []);
  return html`<p class="lead">${t("start.lead")}</p>
    <div class=${`doors ${examples ? "ready" : ""}`}><${SizeDoor} example=${examples && examples.size}/><${ChoiceDoor} example=${examples && examples.choice}/><${PlanDoor} example=${examples && examples.plan}/></div>
    <div class="cards"><section class="card half"><h2>${t("start.trace")}</h2><p>${t("start.trace_words")}</p><div class="buttons"><a class="primary" href=${link("replay")}>${t("start.to_replay")}</a></div></section>
    <section class="card half"><h2>${t("start.train")}</h2><p>${t("start.train_words")}</p><div class="buttons"><a class="primary" href=${link("train")}>${t("start.to_train")}</a></div></section></div>`;
}

function SizeDoor({ example }) {
  const [model, setModel] = useState(size.defaults.model);
  const [rate, setRate] = useState(size.defaults.rate);
  const best = example && example.best;
  return html`<section class="door"><h2>${t("start.size")}</h2>
    ${best ? html`<div><${Sentence} id="start.size_answer" values=${{ n: html`<strong><${Told} to="size" text=${`${number(best.accelerators)} × ${device(best.gpu)}`}/></strong>`, model: example.model, rate: quantity(example.load.rate_req_per_s, "req/s"), cost: html`<${Told} to="size" text=${money(best.cost_per_h * months, best.currency)} low=${best.cost_per_h_low * months} high=${best.cost_per_h_high * months} unit=${best.currency}/>`, chance: html`<${Told} to="size" text=${percent(best.chance_within_limits, 2)}/>` }}/><p class="hint">${t("start.example")}</p></div>` : null}
    <div class="two"><${Pick} name="model" value=${model} options=${modelOptions()} set=${setModel}/><${NumberField} name="rate" unit="req/s" value=${rate} set=${setRate}/></div>
    <div class="buttons"><button type="button" class="primary" onClick=${() => go("size", { ...(model !== size.defaults.model ? { model } : {}), ...(rate !== size.defaults.rate ? { rate } : {}) })}>${t("start.to_size")}</button></div></section>`;
}

function ChoiceDoor({ example }) {
  const [model, setModel] = useState(choice.defaults.model);
  const [load, setLoad] = useState(choice.defaults.tokens_per_day);
  const ways = example ? [...example.ways].sort((a, b) => first(a.cost, "per_month_cny", "per_month") - first(b.cost, "per_month_cny", "per_month")) : [];
  const cost = (way) => html`<${Told} to="choice" text=${choice.monthText(way, example)} ...${choice.monthEnds(way)} unit=${choice.cash(example)}/>`;
  const name = (way) => (way.way === "API" ? `API ${example.api.prefix}` : t(`way.${way.way}`, { n: number(way.accelerators), gpu: device(way.gpu) }));
  return html`<section class="door"><h2>${t("start.choice")}</h2>
    ${ways.length ? html`<div><${Sentence} id="start.choice_answer" values=${{ load: large(example.output_tok_per_d), model: example.model, way: html`<strong>${name(ways[0])}</strong>`, cost: cost(ways[0]), other: name(ways[1]), more: cost(ways[1]) }}/><p class="hint">${t("start.example")}</p></div>` : null}
    <div class="two"><${Pick} name="choice_model" value=${model} options=${modelOptions()} set=${setModel}/><${NumberField} name="tokens_per_day" value=${load} set=${setLoad}/></div>
    <div class="buttons"><button type="button" class="primary" onClick=${() => go("choice", { ...(model !== choice.defaults.model ? { model } : {}), ...(load !== choice.defaults.tokens_per_day ? { tokens_per_day: load } : {}) })}>${t("start.to_choice")}</button></div></section>`;
}

const NAMES = { capex: "capex", devices: "devices", tokens_per_d: "tokens", compute_factor: "factor" };

/** Budget of the plan that ships. */
const BUDGET = 380e9;

function PlanDoor({ example }) {
  const [budget, setBudget] = useState(BUDGET);
  return html`<section class="door"><h2>${t("start.plan")}</h2>
    ${example ? html`<div><${Sentence} id="start.plan_answer" values=${{ ...Object.fromEntries([["capex", example.currency], ["devices", "1"], ["tokens_per_d", "1"], ["compute_factor", "1"]].map(([name, unit]) => [NAMES[name], html`<${Told} to="plan" text=${name === "compute_factor" ? number(example[name]) : quantity(example[name], unit)} low=${(example.ends[name] || [])[0]} high=${(example.ends[name] || [])[1]} unit=${unit}/>`])) }}/><p class="hint">${t("start.example")}</p></div>` : null}
    <${NumberField} name="plan_budget" unit="CNY" value=${budget} set=${(v) => setBudget(v ?? BUDGET)}/>
    <div class="buttons"><button type="button" class="primary" onClick=${() => go("plan", budget === BUDGET ? {} : { "s.expansion.budget": budget })}>${t("start.to_plan")}</button></div></section>`;
}
export function Result() { return null; }
