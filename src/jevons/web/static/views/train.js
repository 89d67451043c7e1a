// Train: days, money and MFU of a run, what a step spends its time on, and how it scales.
import { html } from "jevons/vendor/preact.js";
import { t, word } from "jevons/i18n.js";
import { device, duration, gigabytes, large, layout, money, number, percent, quantity } from "jevons/format.js";
import { Card, Changes, ErrorBox, Grid, Num, NumberField, Pick, RunBar, Same, Select, Sentence, shared, useRun } from "jevons/ui.js";
import { Chart } from "jevons/chart.js";
import { link } from "jevons/state.js";
import { Figure, Split, deviceOptions, keywords, modelOptions, remedied, useAnswer, useForm } from "jevons/views/common.js";
import { commandLine } from "jevons/views/size.js";
import { Kinds } from "jevons/views/train_kinds.js";

export const defaults = { model: "llama-3.1-70b", gpu: "h100_sxm", gpus: 1024, tokens: "2T", seq_len: 4096, precision: "bf16", scale_to: 8192 };
const NAMES = ["model", "gpu", "gpus", "tokens", "seq_len", "batch", "precision", "tp", "pp", "dp", "cp", "ep", "vpp", "zero", "offload", "gpu_hour", "as_of", "seed", "scale_to"];
/** Keys that the address of this screen may have. */
export const KEYS = [...NAMES, "run", "kinds"];

/** Keywords of `train` for a form. */
export function input(form) {
  if (form.run) return keywords({ ...form, scale_to: null }, ["run", "gpu_hour", "as_of", "seed"]);
  const given = keywords(form, NAMES);
  if (given.tokens !== undefined) given.tokens = typeof given.tokens === "number" ? given.tokens : String(given.tokens);
  if (given.scale_to && given.gpus && given.scale_to < given.gpus) given.scale_to = given.gpus;
  return given;
}

export function View({ values, go }) {
  const { form, set, setAll } = useForm(defaults, values, go);
  const given = input(form);
  const run = useRun(null, given, { estimate: { path: "train", input: given }, only: "estimate" });
  useAnswer(run.answer);
  const fields = form.run ? html`<p>${t("train.repeats", { run: form.run })}</p><div class="buttons"><button type="button" onClick=${() => set("run", null)}>${t("train.own_run")}</button></div>
    <${Pick} name="gpu_hour" value=${form.gpu_hour} options=${[{ value: "2 USD", label: "" }]} set=${(v) => set("gpu_hour", v)} placeholder=${t("placeholder.own_cost")}/>` : html`
    <${Pick} name="model" value=${form.model} options=${modelOptions()} set=${(v) => set("model", v)}/>
    <${Pick} name="one_gpu" value=${form.gpu} options=${deviceOptions()} set=${(v) => set("gpu", v)}/>
    <${NumberField} name="train_gpus" value=${form.gpus} min=${8} max=${32768} whole set=${(v) => set("gpus", v)}/>
    <${Pick} name="tokens" value=${String(form.tokens)} options=${["15B", "300B", "2T", "14.8T", "chinchilla"].map((value) => ({ value, label: "" }))} set=${(v) => set("tokens", v)}/>
    <div class="two"><${NumberField} name="seq_len" value=${form.seq_len} whole set=${(v) => set("seq_len", v)}/><${NumberField} name="batch" value=${form.batch} whole set=${(v) => set("batch", v)} placeholder="1024"/></div>
    <${Select} name="train_precision" value=${form.precision} options=${["bf16", "fp8", "fp8_block", "mxfp8", "nvfp4", "mxfp4"].map((one) => ({ value: one, label: one }))} set=${(v) => set("precision", v)}/>
    <${NumberField} name="scale_to" value=${form.scale_to} whole set=${(v) => set("scale_to", v)}/>
    <${Pick} name="gpu_hour" value=${form.gpu_hour} options=${[{ value: "2 USD", label: "" }]} set=${(v) => set("gpu_hour", v)} placeholder=${t("placeholder.own_cost")}/>
    <details><summary>${t("form.advanced")}</summary><div class="fields"><div class="two">${["tp", "pp", "dp", "cp", "ep", "vpp", "zero"].map((one) => html`<${NumberField} name=${one} value=${form[one]} whole set=${(v) => set(one, v)} placeholder=${t("placeholder.search")}/>`)}</div></div></details>`;
  return html`<${Split} summary=${form.run ? form.run : `${form.model} · ${number(form.gpus)} × ${device(form.gpu)} · ${form.tokens}`} form=${fields}>
    <${ErrorBox} kind="train" error=${run.error} apply=${(r) => setAll(remedied(form, r))}/>
    ${run.answer ? html`<${Result} answer=${run.answer} input=${given} state=${run.error ? "stale" : run.state} repeat=${(name) => go({ run: name })} kinds=${{ chosen: form.kinds, choose: (names) => set("kinds", names) }} bar=${html`<${RunBar} ...${run} seconds=${run.answer.meta && run.answer.meta.seconds}/>`}/>` : run.error ? null : html`<div class="answer"><${RunBar} ...${run}/></div>`}<//>`;
}

const PARTS = ["compute", "recompute", "tp_comm", "cp_comm", "ep_comm", "pp_comm", "pp_bubble", "dp_exposed", "optimizer", "offload", "overhead"];

/** Published runs: what was published, and beside it what is predicted where the answer repeats one. */
function Runs({ answer, repeat }) {
  const runs = (shared.catalog || {}).training_runs || [];
  const beside = answer.published || [];
  if (!runs.length && !beside.length) return null;
  const figure = (value, unit) => (unit === "flop/s" ? quantity(value, unit) : `${large(value)} ${word(`unit.${unit}`, unit)}`);
  return html`<${Card}>${beside.length ? html`<${Grid} caption=${t("train.beside")} columns=${[{ key: "quantity", label: t("train.figure"), text: true, show: (v) => word(`train.figure.${v}`, v) }, { key: "predicted", label: t("train.predicted"), show: (v, row) => figure(v, row.unit) }, { key: "published", label: t("train.published"), show: (v, row) => figure(v, row.unit) }, { key: "error_frac", label: t("train.error"), show: (v) => `${v > 0 ? "+" : ""}${percent(v, 2)}` }, { key: "source", label: t("facts.source"), text: true }]} rows=${beside}/>` : null}
    ${runs.length ? html`<${Grid} caption=${t("train.runs")} columns=${[{ key: "run", label: t("train.run"), text: true }, { key: "gpus", label: t("field.train_gpus"), show: (v, row) => `${number(v)} × ${device(row.gpu)}` }, { key: "tokens", label: t("field.tokens") }, { key: "published", label: t("train.published"), text: true, show: (v) => v.map((one) => figure(one.value, one.unit)).join(", ") }, { key: "model", label: t("train.repeat"), text: true, show: (v, row) => (repeat ? html`<button type="button" class="small" onClick=${() => repeat(row.run)}>${t("train.repeat")}</button>` : "") }]} rows=${runs}/>` : null}<//>`;
}

export function Result({ answer, input: given, state, bar, repeat, kinds }) {
  const days = (answer.run || {}).days || {};
  const num = (value, unit, path, label, more = {}) => html`<${Num} value=${value} unit=${unit} path=${path} label=${label} ...${more}/>`;
  return html`<div class=${`answer ${state === "stale" ? "stale" : ""}`}>${bar}
    <${Sentence} id="train.answer" tag="h1" values=${{ model: answer.model, n: num(answer.gpus, "1", "gpus", t("field.train_gpus"), { text: `${number(answer.gpus)} × ${device(answer.gpu)}` }), tokens: num(answer.tokens, "1", "tokens", t("field.tokens"), { text: large(answer.tokens) }),
      days: num(answer.days * 86400, "s", "days", t("train.days"), { low: answer.days_low * 86400, high: answer.days_high * 86400 }), cost: num(answer.cost, answer.currency, "cost", t("train.cost"), { low: answer.cost_low, high: answer.cost_high }) }}/>
    ${days.p5 !== undefined ? html`<p>${t("train.spread", { low: duration(days.p5 * 86400), high: duration(days.p95 * 86400), goodput: percent(answer.run.goodput_frac), mttf: number(answer.run.mttf_h) })}</p>` : null}
    <dl class="facts-line"><${Figure} label="MFU">${num(answer.mfu_frac, "frac", "mfu_frac", "MFU", { low: answer.mfu_frac_low, high: answer.mfu_frac_high })}<//>
      <${Figure} label=${t("col.step")}>${num(answer.step_time_s, "s", "step_time_s", t("col.step"), { low: answer.step_time_s_low, high: answer.step_time_s_high })}<//>
      <${Figure} label=${t("col.throughput")}>${num(answer.tokens_per_s, "1", "tokens_per_s", t("col.throughput"), { low: answer.tokens_per_s_low, high: answer.tokens_per_s_high })}<//>
      <${Figure} label=${t("col.memory")}>${num(answer.memory_bytes, "bytes", "memory_bytes", t("col.memory"), { low: answer.memory_bytes_low, high: answer.memory_bytes_high })} ${answer.tight ? html`<span class="badge judgement">${t("train.tight", { chance: percent(answer.p_fits) })}</span>` : ""}<//>
      <${Figure} label=${t("col.layout")}>${layout(answer.layout)} ${answer.layout.recompute !== "none" ? answer.layout.recompute : ""} mbs${answer.layout.micro_batch}<//></dl>
    <${Changes} answer=${answer}/>
    <div class="buttons">${shared.frozen ? null : html`<a class="primary" href=${link("size", { model: answer.model, gpu: [answer.gpu] })}>${t("train.to_size")}</a>`}</div></div>
  <div class="cards">
    <${Card} cls="half"><${Chart} spec=${steps(answer)} height=${300}/><//>
    <${Card} cls="half"><${Chart} spec=${memory(answer)} height=${300}/><//>
    ${(answer.scaling || []).length ? html`<${Card} cls="half"><${Chart} spec=${scaling(answer)} height=${300}/><//>` : null}
    <${Card} cls=${(answer.scaling || []).length ? "half" : ""}><${Grid} caption=${t("train.fastest", { n: (answer.fastest || []).length, tried: number(answer.tried) })} columns=${[{ key: "layout", label: t("col.layout"), text: true }, { key: "step_time_s", label: t("col.step"), show: (v) => duration(v) }, { key: "mfu_frac", label: "MFU", show: (v) => percent(v) }, { key: "memory_bytes", label: t("col.memory"), show: (v) => gigabytes(v) }]} rows=${answer.fastest || []} most=${10}/><//>
    ${kinds && !given.run && answer.days ? html`<${Kinds} answer=${answer} given=${given} ...${kinds}/>` : null}
    <${Runs} answer=${answer} repeat=${repeat}/>
    <${Card}><${Same} label=${t("launch.cli")} name="train.sh" text=${commandLine("train", given)} answer=${answer}/><//>
  </div>`;
}

/** What a step spends its time on. */
export function steps(answer) {
  const parts = PARTS.filter((name) => answer.parts_s[name] > 0.0005 * answer.step_time_s);
  return { id: "step", kind: "xy", title: t("train.step"), summary: parts.map((name) => `${t(`train.part.${name}`)} ${duration(answer.parts_s[name])}`).join(", "), horizontal: true, bare: true, right: 70,
    x: { label: t("col.step"), unit: "s", type: "value" }, y: { label: t("chart.part"), type: "category", values: parts.map((name) => t(`train.part.${name}`)) },
    series: [{ name: t("col.step"), entity: "step", as: "bars", data: parts.map((name) => answer.parts_s[name]), labels: parts.map((name) => percent(answer.parts_s[name] / answer.step_time_s, 2)), colours: parts.map((name) => `step ${name}`) }] };
}

/** Memory by part. */
export function memory(answer) {
  const parts = Object.entries(answer.memory_parts_bytes).filter(([, v]) => v > 0);
  return { id: "memory", kind: "xy", title: t("chart.memory"), summary: parts.map(([name, v]) => `${word(`memory.${name}`, name)} ${gigabytes(v)}`).join(", "), horizontal: true, bare: true, right: 76, note: t("train.memory_note", { used: gigabytes(answer.memory_bytes), margin: percent(answer.margin_frac, 2) }),
    x: { label: t("col.memory"), unit: "GB", type: "value" }, y: { label: t("chart.part"), type: "category", values: parts.map(([name]) => word(`memory.${name}`, name)) },
    series: [{ name: t("chart.memory_short"), entity: "memory", as: "bars", data: parts.map(([, v]) => v / 1e9), labels: parts.map(([, v]) => gigabytes(v)), colours: parts.map(([name]) => `memory ${name}`) }] };
}

/** Days against accelerators; what binds at each size is in the table. */
export function scaling(answer) {
  const points = answer.scaling.filter((one) => one.days);
  return { id: "scaling", kind: "xy", title: t("train.scaling"), summary: t("train.scaling_words"), x: { label: t("field.train_gpus"), unit: "", type: "log" }, y: { label: t("train.days"), unit: "", type: "log" },
    series: [{ name: t("train.days"), entity: "days", as: "line", data: points.map((one) => [one.gpus, one.days]), low: points.map((one) => (one.days * answer.days_low) / answer.days), high: points.map((one) => (one.days * answer.days_high) / answer.days), tips: points.map((one) => `${one.layout} · MFU ${percent(one.mfu_frac)}${one.reason ? ` · ${one.reason}` : ""}`) },
      { name: t("train.ideal"), entity: "ideal", as: "line", thin: true, dashed: true, data: points.map((one) => [one.gpus, (points[0].days * points[0].gpus) / one.gpus]) }],
    marks: [{ axis: "x", value: answer.gpus, label: t("train.here") }] };
}
export { quantity, money };
