// Start: three doors, each with a worked example that is answered already; and two more ways in.
import { html, useEffect, useState } from "jevons/vendor/preact.js";
import { t } from "jevons/i18n.js";
import { device, large, money, number, percent, quantity } from "jevons/format.js";
import { NumberField, Pick, Sentence } from "jevons/ui.js";
import { address, go } from "jevons/state.js";
import { first, modelOptions, months } from "jevons/views/common.js";
import * as size from "jevons/views/size.js";
import * as choice from "jevons/views/choice.js";

let kept = null;

export function View() {
  const [examples, setExamples] = useState(kept);
  useEffect(() => { if (!kept) fetch("/static/examples/start.json").then((r) => r.json()).then((all) => { kept = all; setExamples(all); }).catch(() => {}); }, []);
  return html`<p class="lead">${t("start.lead")}</p>
    <div class=${`doors ${examples ? "ready" : ""}`}><${SizeDoor} example=${examples && examples.size}/><${ChoiceDoor} example=${examples && examples.choice}/><${PlanDoor} example=${examples && examples.plan}/></div>
    <div class="cards"><section class="card half"><h2>${t("start.trace")}</h2><p>${t("start.trace_words")}</p><div class="buttons"><a class="primary" href=${address("replay")}>${t("start.to_replay")}</a></div></section>
    <section class="card half"><h2>${t("start.train")}</h2><p>${t("start.train_words")}</p><div class="buttons"><a class="primary" href=${address("train")}>${t("start.to_train")}</a></div></section></div>`;
}

function SizeDoor({ example }) {
  const [model, setModel] = useState(size.defaults.model);
  const [rate, setRate] = useState(size.defaults.rate);
  const best = example && example.best;
  return html`<section class="door"><h2>${t("start.size")}</h2>
    ${best ? html`<div><${Sentence} id="start.size_answer" values=${{ n: html`<strong>${number(best.accelerators)} × ${device(best.gpu)}</strong>`, model: example.model, rate: quantity(example.load.rate_req_per_s, "req/s"), cost: money(best.cost_per_h * months, best.currency), chance: percent(best.chance_within_limits, 2) }}/><p class="hint">${t("start.example")}</p></div>` : null}
    <div class="two"><${Pick} name="model" value=${model} options=${modelOptions()} set=${setModel}/><${NumberField} name="rate" unit="req/s" value=${rate} set=${setRate}/></div>
    <div class="buttons"><button type="button" class="primary" onClick=${() => go("size", { ...(model !== size.defaults.model ? { model } : {}), ...(rate !== size.defaults.rate ? { rate } : {}) })}>${t("start.to_size")}</button></div></section>`;
}

function ChoiceDoor({ example }) {
  const [model, setModel] = useState(choice.defaults.model);
  const [load, setLoad] = useState(choice.defaults.tokens_per_day);
  const ways = example ? [...example.ways].sort((a, b) => first(a.cost, "per_month_cny", "per_month") - first(b.cost, "per_month_cny", "per_month")) : [];
  const cost = (way) => money(first(way.cost, "per_month_cny", "per_month"), example.ways[0].cost.per_month_cny !== undefined ? "CNY" : example.currency);
  const name = (way) => (way.way === "API" ? `API ${example.api.prefix}` : t(`way.${way.way}`, { n: number(way.accelerators), gpu: device(way.gpu) }));
  return html`<section class="door"><h2>${t("start.choice")}</h2>
    ${ways.length ? html`<div><${Sentence} id="start.choice_answer" values=${{ load: large(example.output_tok_per_d), model: example.model, way: html`<strong>${name(ways[0])}</strong>`, cost: cost(ways[0]), other: name(ways[1]), more: cost(ways[1]) }}/><p class="hint">${t("start.example")}</p></div>` : null}
    <div class="two"><${Pick} name="choice_model" value=${model} options=${modelOptions()} set=${setModel}/><${NumberField} name="tokens_per_day" value=${load} set=${setLoad}/></div>
    <div class="buttons"><button type="button" class="primary" onClick=${() => go("choice", { ...(model !== choice.defaults.model ? { model } : {}), ...(load !== choice.defaults.tokens_per_day ? { tokens_per_day: load } : {}) })}>${t("start.to_choice")}</button></div></section>`;
}

function PlanDoor({ example }) {
  return html`<section class="door"><h2>${t("start.plan")}</h2>
    ${example ? html`<div><${Sentence} id="start.plan_answer" values=${{ capex: money(example.capex, example.currency), devices: html`<strong>${large(example.devices)}</strong>`, tokens: html`<strong>${large(example.tokens_per_d)}</strong>`, factor: number(example.compute_factor, 2) }}/><p class="hint">${t("start.example")}</p></div>` : null}
    <div class="buttons"><a class="primary" href=${address("plan")}>${t("start.to_plan")}</a></div></section>`;
}
export function Result() { return null; }
