// Replay: what happens to latency when a load or a trace hits a fleet.
import { html, useState } from "jevons/vendor/preact.js";
import { t } from "jevons/i18n.js";
import { device, duration, large, money, number, percent, quantity, timeUnit } from "jevons/format.js";
import { Card, Changes, Check, ErrorBox, Num, NumberField, Pick, RunBar, Same, Select, Sentence, Told, shared, useRun } from "jevons/ui.js";
import { Chart } from "jevons/chart.js";
import { link } from "jevons/state.js";
import { Figure, Split, deviceOptions, interval, keywords, modelOptions, remedied, useAnswer, useForm } from "jevons/views/common.js";
import { commandLine } from "jevons/views/size.js";
import * as api from "jevons/api.js";

export const defaults = { model: "llama-3.1-8b", gpu: "h100_sxm", replicas: 1, rate: 20, isl: 500, osl: 200, engine: "vllm", requests: 4000 };
const NAMES = ["model", "gpu", "gpus", "tp", "replicas", "rate", "concurrency", "requests", "isl", "osl", "isl_cv", "osl_cv", "arrivals", "trace", "speed", "keep", "prefix_cache", "ttft", "tpot", "e2e", "engine", "precision", "autoscale", "mtbf", "draft_tokens", "max_num_seqs", "gpu_hour", "seed", "as_of", "sweep_rates", "swap"];
/** Keys that the address of this screen may have. */
export const KEYS = [...NAMES, "sweep"];
const FLEET = ["autoscale", "mtbf"];

/** Keywords of `simulate` for a form. */
export function input(form) {
  const given = keywords(form, NAMES);
  if (given.trace) for (const name of ["rate", "isl", "osl", "requests", "arrivals", "isl_cv", "osl_cv", "concurrency", "sweep_rates"]) delete given[name];
  else delete given.keep;
  if (!given.trace) { delete given.speed; delete given.prefix_cache; }
  if (given.concurrency) { delete given.rate; delete given.sweep_rates; delete given.arrivals; }
  if (given.autoscale) { delete given.replicas; given.autoscale = String(given.autoscale); }
  if (given.sweep_rates) { delete given.rate; for (const name of FLEET) delete given[name]; }
  return given;
}

export function View({ values, go }) {
  const { form, set, setAll } = useForm(defaults, values, go);
  const sweep = form.sweep === true;
  const given = input(form);
  const swept = sweep && !given.trace && !given.concurrency && form.rate ? input({ ...form, autoscale: null, mtbf: null, sweep_rates: [0.5, 0.75, 1, 1.5, 2, 3, 4].map((x) => Number((x * form.rate).toPrecision(3))).join(",") }) : null;
  const run = useRun("simulate", given);
  const curve = useRun(swept ? "simulate" : null, swept);
  const [trace, setTrace] = useState(null);
  useAnswer(run.answer);
  const apply = (r) => setAll(remedied(form, r));
  const fields = html`
    <${Upload} trace=${trace} told=${(one) => { setTrace(one); setAll({ trace: one ? one.id : null }); }} held=${form.trace}/>
    <${Pick} name="model" value=${form.model} options=${modelOptions()} set=${(v) => set("model", v)}/>
    <${Pick} name="one_gpu" value=${form.gpu} options=${deviceOptions()} set=${(v) => set("gpu", v)}/>
    <div class="two"><${NumberField} name="tp" value=${form.tp} whole set=${(v) => set("tp", v)} placeholder="1"/><${NumberField} name="replicas" value=${form.replicas} whole set=${(v) => set("replicas", v)}/></div>
    ${form.trace ? html`<${NumberField} name="speed" value=${form.speed ?? 1} min=${0.1} max=${20} set=${(v) => set("speed", v)}/>` : html`
    <${NumberField} name="rate" unit="req/s" value=${form.rate} min=${0.1} max=${500} set=${(v) => set("rate", v)}/>
    <div class="two"><${NumberField} name="isl" value=${form.isl} whole set=${(v) => set("isl", v)}/><${NumberField} name="osl" value=${form.osl} whole set=${(v) => set("osl", v)}/></div>
    <${NumberField} name="requests" value=${form.requests} whole set=${(v) => set("requests", v)}/>
    <${Select} name="arrivals" value=${form.arrivals || "poisson"} options=${["poisson", "gamma", "bursts", "constant", "at_once"].map((one) => ({ value: one, label: t(`arrivals.${one}`) }))} set=${(v) => set("arrivals", v === "poisson" ? null : v)}/>`}
    <${NumberField} name="ttft" unit="s" value=${form.ttft} set=${(v) => set("ttft", v)} placeholder="–"/>
    <${NumberField} name="tpot" unit="s" value=${form.tpot} set=${(v) => set("tpot", v)} placeholder="–"/>
    <${Check} name="autoscale_on" value=${form.autoscale} set=${(v) => set("autoscale", v ? `1:${Math.max(4, 2 * (form.replicas || 1))}` : null)}/>
    ${form.autoscale ? html`<${Pick} name="autoscale" value=${form.autoscale} options=${[{ value: "1:4", label: "" }]} set=${(v) => set("autoscale", v)}/>` : null}
    <${Check} name="failures_on" value=${form.mtbf} set=${(v) => set("mtbf", v ? 1 : null)}/>
    ${form.mtbf ? html`<${NumberField} name="mtbf" value=${form.mtbf} set=${(v) => set("mtbf", v)}/>` : null}
    ${form.trace ? null : html`<${Check} name="sweep_on" value=${sweep} set=${(v) => set("sweep", v || null)}/>`}
    <details><summary>${t("form.advanced")}</summary><div class="fields">
      <${Select} name="engine" value=${form.engine} options=${(shared.catalog ? shared.catalog.engines : ["vllm"]).map((one) => ({ value: one, label: one }))} set=${(v) => set("engine", v)}/>
      <${Select} name="precision" value=${form.precision || "native"} options=${["native", "bf16", "fp8", "int8"].map((one) => ({ value: one, label: one }))} set=${(v) => set("precision", v === "native" ? null : v)}/>
      ${form.trace ? html`<${Check} name="prefix_cache" value=${form.prefix_cache} set=${(v) => set("prefix_cache", v || null)}/>` : html`<div class="two"><${NumberField} name="isl_cv" value=${form.isl_cv} set=${(v) => set("isl_cv", v)} placeholder="0"/><${NumberField} name="osl_cv" value=${form.osl_cv} set=${(v) => set("osl_cv", v)} placeholder="0"/></div>`}
      <${NumberField} name="max_num_seqs" value=${form.max_num_seqs} whole set=${(v) => set("max_num_seqs", v)} placeholder="1024"/>
      <${NumberField} name="seed" value=${form.seed} whole set=${(v) => set("seed", v)} placeholder="0"/></div></details>`;
  return html`<${Split} summary=${`${form.model} · ${device(form.gpu)} · ${form.trace ? t("load.trace") : quantity(form.rate, "req/s")}`} form=${fields}>
    <${ErrorBox} kind="simulate" error=${run.error} apply=${apply}/>
    ${run.answer ? html`<${Result} answer=${run.answer} input=${given} state=${run.error ? "stale" : run.state} trace=${trace} sweep=${swept ? curve : null} bar=${html`<${RunBar} ...${run} seconds=${run.answer.meta && run.answer.meta.seconds}/>`}/>` : run.error ? null : html`<div class="answer"><${RunBar} ...${run}/></div>`}<//>`;
}

function Upload({ trace, told, held }) {
  const [state, setState] = useState(null);
  const [over, setOver] = useState(false);
  const [file, setFile] = useState(null);
  const [map, setMap] = useState({});
  const send = async (one, columns) => {
    setFile(one);
    setState({ busy: true });
    if (one.size > 50e6) { setState({ error: { message: "", code: 2, large: true } }); return; }
    try { told(await api.upload(one, columns)); setState(null); } catch (error) { setState({ error }); setMap({}); }
  };
  const error = state && state.error;
  return html`<div class=${`drop ${over ? "over" : ""}`} onDragOver=${(e) => { e.preventDefault(); setOver(true); }} onDragLeave=${() => setOver(false)} onDrop=${(e) => { e.preventDefault(); setOver(false); if (e.dataTransfer.files[0]) send(e.dataTransfer.files[0]); }}>
    <p id="drop-words">${t("replay.drop")}</p><label class="button" for="f-file">${t("replay.choose")}</label><input type="file" id="f-file" class="hidden" aria-describedby="drop-words" accept=".csv,.jsonl,.json,.parquet,.gz,.zst" onChange=${(e) => e.target.files[0] && send(e.target.files[0])}/>
    ${state && state.busy ? html`<p role="status">${t("replay.reading")}</p>` : null}
    ${trace ? html`<p role="status">${t("replay.read", { name: trace.name, n: number(trace.requests), format: trace.format, rate: number(trace.rate_req_per_s) })}</p>` : null}
    ${held ? html`<button type="button" class="small" onClick=${() => told(null)}>${t("replay.forget")}</button>` : null}
    ${error && error.large ? html`<p class="wrong" role="alert">${t("replay.too_large")}</p>` : error && !error.columns ? html`<p class="wrong" role="alert">${error.offline ? t("error.offline") : error.message}</p>` : null}
    ${error && error.columns ? html`<div class="fields" role="group" aria-label=${t("replay.map")}><p>${t("replay.map")}</p>${["arrival", "isl", "osl"].map((role) => html`<${Select} name=${`map_${role}`} value=${map[role] || ""} options=${[{ value: "", label: "–" }, ...error.columns.map((one) => ({ value: one, label: one }))]} set=${(v) => setMap({ ...map, [role]: v })}/>`)}
      <button type="button" disabled=${!(map.arrival && map.isl && map.osl)} onClick=${() => send(file, map)}>${t("replay.use_map")}</button></div>` : null}</div>`;
}

const STATS = ["p50", "p90", "p95", "p99"];

export function Result({ answer, input: given, state, trace, sweep, bar }) {
  if (answer.sweep) return html`<div class="answer">${bar}<${Told} answer=${answer}/><${Changes} answer=${answer}/></div><div class="cards"><${Card}><${Chart} spec=${sweepChart(answer)} height=${320}/><//></div>`;
  const stable = answer.stable !== false && !answer.overload_frac;
  const num = (value, unit, path, label, more = {}) => html`<${Num} value=${value} unit=${unit} path=${path} label=${label} ...${more}/>`;
  const time = (name, stat) => ({ ...interval(answer[name] || {}, stat), ...(answer[name] && answer[name][`${stat}_low`] === undefined ? interval(answer, name, answer[name][stat]) : {}) });
  const cost = answer.cost_per_mtok;
  const replicas = answer.replicas ?? (given.autoscale ? String(given.autoscale).replace(":", "–") : given.replicas || 1);
  return html`<div class=${`answer ${state === "stale" ? "stale" : ""}`}>${bar}
    <${Sentence} id=${stable ? "replay.answer" : "replay.unstable"} tag="h1" values=${{ n: `${replicas} × ${device(answer.gpu)}${answer.tp > 1 ? ` (tp${answer.tp})` : ""}`, model: answer.model, rate: num(answer.req_per_s, "req/s", "req_per_s", t("replay.finished")), ttft: num(answer.ttft_s.p95, "s", "ttft_s.p95", "TTFT p95", time("ttft_s", "p95")), tpot: num(answer.tpot_s.p95, "s", "tpot_s.p95", "TPOT p95", time("tpot_s", "p95")) }}/>
    <dl class="facts-line"><${Figure} label=${t("replay.tokens")}>${num(answer.output_tok_per_s, "tok/s", "output_tok_per_s", t("replay.tokens"), interval(answer, "output_tok_per_s", answer.output_tok_per_s))}<//>
      <${Figure} label="E2E p95">${num(answer.e2e_s.p95, "s", "e2e_s.p95", "E2E p95", time("e2e_s", "p95"))}<//>
      <${Figure} label=${t("replay.goodput")}>${num(answer.goodput_req_per_s, "req/s", "goodput_req_per_s", t("replay.goodput"))}<//>
      ${cost !== undefined && cost !== null ? html`<${Figure} label=${t("col.cost_mtok")}>${num(cost, `${answer.currency}/Mtok`, "cost_per_mtok", t("col.cost_mtok"), interval(answer, "cost_per_mtok", cost))}<//>` : null}
      ${answer.kv_peak_frac !== undefined ? html`<${Figure} label=${t("replay.kv_peak")}>${num(answer.kv_peak_frac, "frac", "kv_peak_frac", t("replay.kv_peak"))}<//>` : null}
      ${answer.preemptions !== undefined ? html`<${Figure} label=${t("replay.preemptions")}>${num(answer.preemptions, "1", "preemptions", t("replay.preemptions"))}<//>` : null}
      ${answer.failures !== undefined ? html`<${Figure} label=${t("replay.failures")}>${num(answer.failures, "1", "failures", t("replay.failures"))}<//>` : null}</dl>
    <${Changes} answer=${answer}/>
    <div class="buttons">${shared.frozen ? null : html`<a class="primary" href=${link("size", { model: answer.model, gpu: [String(answer.gpu).split(":")[0]], ...(given.trace ? { trace: given.trace } : { rate: given.rate, isl: given.isl ?? 500, osl: given.osl ?? 200 }), ttft: given.ttft, tpot: given.tpot })}>${t("replay.to_size")}</a>`}</div></div>
  <div class="cards">
    ${trace ? html`<${Card} cls="half"><${Chart} spec=${arrivalsChart(trace)} height=${220}/><//><${Card} cls="half"><${Chart} spec=${lengthsChart(trace)} height=${220}/><//>` : null}
    ${answer.series ? panels(answer).map((one, at) => html`<${Card} key=${one[1]} cls=${at < 2 || !shares(answer).length ? "half" : ""}><${Chart} spec=${timeline(answer, ...one)} height=${240} group="replay"/><//>`) : null}
    ${shares(answer).length ? html`<${Card}><div class="three-up">${shares(answer).map((spec) => html`<${Chart} key=${spec.id} spec=${spec} height=${240}/>`)}</div><//>` : null}
    ${shares(answer).length ? null : html`<${Card} cls="half"><${Chart} spec=${latency(answer)} height=${240}/><//>`}
    ${sweep ? html`<${Card}>${sweep.answer ? html`<${Chart} spec=${sweepChart(sweep.answer, given)} height=${300}/>` : null}<${RunBar} ...${sweep}/><${ErrorBox} kind="simulate" error=${sweep.error}/><//>` : null}
    <${Card}><${Same} label=${t("launch.cli")} name="simulate.sh" text=${commandLine("simulate", given)} answer=${answer}/><//>
  </div>`;
}

/** Figures over time by the time that each is of; those of a fleet, which has them by kind of replica, over all kinds. */
function seriesOf(s) {
  if (s.start_s) return { at: s.start_s, ...s };
  const total = (rows) => rows.map((row) => row.reduce((sum, v) => sum + v, 0));
  const up = total(s.up);
  return { at: s.end_s, up, paid: total(s.paid), outstanding: total(s.outstanding), busy: s.utilisation_frac.map((row, i) => (up[i] ? row.reduce((sum, v, k) => sum + v * s.up[i][k], 0) / up[i] : null)) };
}

/** Panels over time: requests, their flow and the KV cache; of a fleet its replicas, their requests and their use. */
const panels = (answer) => (answer.series.start_s
  ? [[["running", "waiting"], "replay.queue", t("replay.requests")], [["arrivals_per_s", "finished_per_s"], "replay.flow", t("field.rate"), "req/s"], [["kv_frac"], "replay.kv", t("replay.kv_used"), "%", 100]]
  : [[["up", "paid"], "replay.replicas", t("field.replicas")], [["outstanding"], "replay.outstanding", t("replay.requests")], [["busy"], "replay.busy", t("replay.busy_axis"), "%", 100]]);

/** Figures over time; panels of one group share their pointer. */
export function timeline(answer, names, title, label, unit = "", factor = 1) {
  const s = seriesOf(answer.series);
  const known = names.filter((name) => s[name]);
  return { id: title.replace(".", "-"), kind: "xy", title: t(title), summary: t(title), trigger: "axis", x: { label: t("replay.time"), unit: "s", type: "value" }, y: { label, unit, type: "value" },
    series: known.map((name) => ({ name: t(`series.${name}`), entity: `series ${name}`, as: "line", thin: true, area: known.length === 1, data: s.at.map((x, i) => [x, s[name][i] === null ? null : s[name][i] * factor]) })) };
}

/** The share of requests that are answered within each latency, a chart for each, with its interval and its limit. */
export function shares(answer) {
  const own = (answer.meta || {}).distributions || {};
  const limits = answer.slo || {};
  return ["ttft_s", "tpot_s", "e2e_s"].filter((name) => own[name]).map((name) => {
    const word_ = name.slice(0, -2).toUpperCase(), limit = limits[name];
    const tail = own[name][own[name].length - 2];
    const far = Math.max(tail, limit && limit < 3 * tail ? limit : 0);
    const { factor, unit } = timeUnit(far);
    const times = own[name].map((v) => v * factor);
    const ends = interval(answer, name, 1);
    const within = limit ? percent(own.share.findLast((v, i) => own[name][i] <= limit) ?? 0) : "";
    return { id: `cdf-${name.slice(0, -2)}`, kind: "xy", title: t("replay.share_within", { name: word_ }), summary: STATS.map((stat) => `${word_} ${stat} ${duration(answer[name][stat])}`).join(", "), bare: true,
      note: limit ? t("replay.share_note", { share: within, limit: duration(limit) }) : "",
      x: { label: word_, unit, type: "value", min: 0, max: Number((far * 1.08 * factor).toPrecision(2)) }, y: { label: t("replay.share"), unit: "%", type: "value", min: 0, max: 100 },
      series: [{ name: word_, entity: name, as: "line", thin: true, data: times.map((v, i) => [v, own.share[i] * 100]), ...(ends.low ? { left: times.map((v) => v * ends.low), right: times.map((v) => v * ends.high) } : {}) }],
      marks: limit ? [{ axis: "x", value: limit * factor, label: t("replay.limit_of", { name: word_ }) }] : [] };
  });
}

/** Charts of latencies from milliseconds to minutes count in seconds, unless all times are shown in another unit. */
const LONG_S = 60;

/** Percentiles of the latencies with their intervals and limits. */
export function latency(answer) {
  const names = ["ttft_s", "tpot_s", "itl_s", "e2e_s"].filter((name) => answer[name]);
  const limits = answer.slo || {}, { factor, unit } = timeUnit(LONG_S);
  const bound = (name, stat, side) => { const own = answer[name][`${stat}_${side}`]; if (own !== undefined) return own; const one = interval(answer, name, answer[name][stat]); return one[side] ?? null; };
  const ends = (name, side) => STATS.map((stat) => { const at = bound(name, stat, side); return at === null ? null : factor * at; });
  return { id: "latency", kind: "xy", title: t("replay.latency"), summary: names.map((name) => `${name.slice(0, -2).toUpperCase()} p95 ${duration(answer[name].p95)}`).join(", "),
    x: { label: t("replay.percentile"), type: "category", values: STATS }, y: { label: t("replay.seconds"), unit, type: "log" },
    series: names.map((name) => ({ name: name.slice(0, -2).toUpperCase(), entity: name, as: "line", data: STATS.map((stat) => factor * answer[name][stat]), low: ends(name, "low"), high: ends(name, "high") })),
    marks: names.filter((name) => limits[name]).map((name) => ({ axis: "y", value: factor * limits[name], label: t("replay.limit_of", { name: name.slice(0, -2).toUpperCase() }) })) };
}

/** TTFT and throughput by rate. */
export function sweepChart(answer) {
  const rows = answer.sweep.map((one) => ({ ...one, rate: one.rate ?? one.req_per_s }));
  const { factor, unit } = timeUnit(LONG_S);
  const pick = (name) => rows.map((one) => [one.rate, one[name] ? factor * one[name].p95 : null]);
  return { id: "sweep", kind: "xy", title: t("replay.sweep"), summary: t("replay.sweep"), x: { label: t("field.rate"), unit: "req/s", type: "value" }, y: { label: t("replay.seconds"), unit, type: "log" },
    series: ["ttft_s", "tpot_s", "e2e_s"].map((name) => ({ name: `${name.slice(0, -2).toUpperCase()} p95`, entity: name, as: "line", data: pick(name) })) };
}

function arrivalsChart(trace) {
  return { id: "arrivals", kind: "xy", title: t("replay.arrivals"), summary: t("replay.arrivals"), bare: true, x: { label: t("replay.time"), unit: "s", type: "value" }, y: { label: t("field.rate"), unit: "req/s", type: "value" },
    series: [{ name: t("series.arrivals_per_s"), entity: "series arrivals_per_s", as: "steps", thin: true, area: true, data: trace.arrivals.start_s.map((x, i) => [x, trace.arrivals.per_s[i]]) }] };
}

function lengthsChart(trace) {
  const points = (one) => one.counts.map((n, i) => [one.edges[i], n]);
  return { id: "lengths", kind: "xy", title: t("replay.lengths"), summary: t("replay.lengths"), x: { label: t("unit.tokens"), unit: "", type: "log" }, y: { label: t("replay.requests"), unit: "", type: "value" },
    series: [{ name: t("field.isl"), entity: "isl", as: "steps", thin: true, data: points(trace.isl) }, { name: t("field.osl"), entity: "osl", as: "steps", thin: true, data: points(trace.osl) }] };
}
export { large, money, percent };
