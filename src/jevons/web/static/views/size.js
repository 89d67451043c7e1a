// Size: how many accelerators, which layout, for a model, a load and its limits.
import { html, useEffect, useMemo, useState } from "jevons/vendor/preact.js";
import { t, word } from "jevons/i18n.js";
import { chance, converted, currency, device, duration, gigabytes, layout, money, number, percent, quantity, timeUnit } from "jevons/format.js";
import { Card, Changes, Check, Chips, Code, ErrorBox, Grid, Num, NumberField, Pick, RunBar, Same, Select, Sentence, Tabs, shared, useRun } from "jevons/ui.js";
import { Chart } from "jevons/chart.js";
import { link } from "jevons/state.js";
import { Figure, Split, deviceOptions, keywords, modelOptions, months, remedied, siteOptions, useAnswer, useForm } from "jevons/views/common.js";
import * as api from "jevons/api.js";

export const defaults = { model: "deepseek-v3", gpu: ["h200_sxm"], rate: 30, isl: 2000, osl: 500, ttft: 1, tpot: 0.05, percentile: "p95", engine: "vllm", confidence: 0.8 };
const NAMES = ["model", "gpu", "gpus", "rate", "concurrency", "isl", "osl", "ttft", "tpot", "e2e", "percentile", "confidence", "engine", "precision", "kv_precision", "gpu_hour", "site", "budget", "tp", "pp", "ep", "dp", "max_replica_gpus", "max_num_seqs", "isl_cv", "osl_cv", "seed", "as_of", "trace"];
/** Keys that the address of this screen may have. */
export const KEYS = [...NAMES, "use", "load", "by"];
const SHAPES = { chat: [2000, 500], agent: [8000, 800], rag: [6000, 300], code: [3000, 1000], reasoning: [1500, 8000] };

/** Keywords of `size` for a form. */
export function input(form) {
  const given = keywords(form, NAMES);
  if (given.gpu) given.gpu = [].concat(given.gpu);
  if (given.trace) { delete given.rate; delete given.isl; delete given.osl; delete given.isl_cv; delete given.osl_cv; delete given.concurrency; }
  if (given.concurrency) delete given.rate;
  return given;
}

export function View({ values, go }) {
  const { form, set, setAll } = useForm(defaults, values, go);
  const given = input(form);
  const run = useRun("size", given, { estimate: { path: "size", input: { ...given, static: true } } });
  const shown = useMemo(() => withFleets(run.answer, run.parts), [run.answer, run.parts]);
  useAnswer(shown);
  const apply = (remedy) => setAll(remedied(form, remedy));
  const by = form.concurrency ? "users" : form.trace ? "trace" : "rate";
  const shape = Object.keys(SHAPES).find((one) => SHAPES[one][0] === form.isl && SHAPES[one][1] === form.osl) || "own";
  const fields = html`
    <${Pick} name="model" value=${form.model} options=${modelOptions()} set=${(v) => set("model", v)}/>
    <${Chips} name="gpu" values=${form.gpu} options=${deviceOptions()} set=${(v) => set("gpu", v)}/>
    <${Select} name="load_by" value=${by} options=${["rate", "users", ...(form.trace ? ["trace"] : [])].map((one) => ({ value: one, label: t(`load.${one}`) }))} set=${(v) => setAll(v === "users" ? { concurrency: 100, trace: null } : { concurrency: null, trace: null })}/>
    ${by === "users" ? html`<${NumberField} name="concurrency" value=${form.concurrency} min=${1} max=${10000} whole set=${(v) => set("concurrency", v)}/>`
      : by === "rate" ? html`<${NumberField} name="rate" unit="req/s" value=${form.rate} min=${0.1} max=${1000} set=${(v) => set("rate", v)}/>` : html`<p class="hint">${form.trace}</p>`}
    <${Select} name="shape" value=${shape} options=${[...Object.keys(SHAPES), "own"].map((one) => ({ value: one, label: t(`shape.${one}`) }))} set=${(v) => SHAPES[v] && setAll({ isl: SHAPES[v][0], osl: SHAPES[v][1] })}/>
    <div class="two"><${NumberField} name="isl" value=${form.isl} whole set=${(v) => set("isl", v)}/><${NumberField} name="osl" value=${form.osl} whole set=${(v) => set("osl", v)}/></div>
    <${NumberField} name="ttft" unit="s" value=${form.ttft} min=${0.05} max=${20} set=${(v) => set("ttft", v)}/>
    <${NumberField} name="tpot" unit="s" value=${form.tpot} min=${0.002} max=${0.5} set=${(v) => set("tpot", v)}/>
    <div class="two"><${Select} name="percentile" value=${form.percentile} options=${["mean", "p50", "p90", "p95", "p99"].map((one) => ({ value: one, label: one }))} set=${(v) => set("percentile", v)}/>
    <${Select} name="engine" value=${form.engine} options=${(shared.catalog ? shared.catalog.engines : ["vllm"]).map((one) => ({ value: one, label: one }))} set=${(v) => set("engine", v)}/></div>
    <details><summary>${t("form.price")}</summary><div class="fields">
      <${Pick} name="gpu_hour" value=${form.gpu_hour} options=${[{ value: "2 USD", label: "" }, { value: "8 CNY", label: "" }]} set=${(v) => set("gpu_hour", v)} placeholder=${t("placeholder.own_cost")}/>
      <${Select} name="site" value=${form.site || "site.china_north"} options=${siteOptions()} set=${(v) => set("site", v === "site.china_north" ? null : v)}/>
      <${Pick} name="budget" value=${form.budget} options=${[{ value: "300k CNY", label: "" }]} set=${(v) => set("budget", v)} placeholder="300k CNY"/></div></details>
    <details><summary>${t("form.advanced")}</summary><div class="fields">
      <div class="two">${["tp", "pp", "ep", "dp"].map((one) => html`<${NumberField} name=${one} value=${form[one]} whole set=${(v) => set(one, v)} placeholder=${t("placeholder.search")}/>`)}</div>
      <${Select} name="precision" value=${form.precision || "auto"} options=${["auto", "native", "bf16", "fp8", "int8"].map((one) => ({ value: one, label: one }))} set=${(v) => set("precision", v === "auto" ? null : v)}/>
      <${Select} name="kv_precision" value=${form.kv_precision || "bf16"} options=${["bf16", "fp8"].map((one) => ({ value: one, label: one }))} set=${(v) => set("kv_precision", v === "bf16" ? null : v)}/>
      <div class="two"><${NumberField} name="gpus" value=${form.gpus} whole set=${(v) => set("gpus", v)} placeholder="–"/><${NumberField} name="max_replica_gpus" value=${form.max_replica_gpus} whole set=${(v) => set("max_replica_gpus", v)} placeholder="16"/></div>
      <${NumberField} name="e2e" unit="s" value=${form.e2e} set=${(v) => set("e2e", v)} placeholder="–"/>
      <${NumberField} name="confidence" unit="frac" value=${form.confidence} set=${(v) => set("confidence", v)}/>
      <${NumberField} name="seed" value=${form.seed} whole set=${(v) => set("seed", v)} placeholder="0"/></div></details>`;
  const load = by === "users" ? `${number(form.concurrency)} ${t("load.users")}` : by === "rate" ? quantity(form.rate, "req/s") : t("load.trace");
  return html`<${Split} summary=${`${form.model} · ${[].concat(form.gpu).map(device).join(", ")} · ${load}`} form=${fields}>
    <${ErrorBox} kind="size" error=${run.error} apply=${apply}/>
    ${shown ? html`<${Result} answer=${shown} input=${given} state=${run.error ? "stale" : run.state} bar=${html`<${RunBar} ...${run} seconds=${run.answer.meta && run.answer.meta.seconds}/>`}/>`
      : run.error ? null : html`<div class="answer"><${RunBar} ...${run}/></div>`}<//>`;
}

/** An estimate with the fleets that are simulated so far in their places; those that it does not have come last. */
export function withFleets(answer, parts) {
  if (!answer || !parts.length) return answer;
  const same = (one, fleet) => ["gpu", "layout", "prefill_layout", "precision"].every((key) => JSON.stringify(one[key]) === JSON.stringify(fleet[key]));
  const entries = [...answer.entries];
  for (const { fleet } of parts) {
    const place = entries.findIndex((one) => same(one, fleet) && (!one.simulated || one.accelerators === fleet.accelerators));
    if (place < 0) entries.push(fleet); else entries[place] = fleet;
  }
  return { ...answer, entries, best: entries[0], pareto: [], simulated: entries.filter((one) => one.simulated).length };
}

/** The statistic that limits are kept at, in words. */
const statistic = (answer) => { const which = answer.limits.percentile.split(" ")[0]; return word(`stat.${which}`, which); };

/** A latency of a fleet at the statistic of the limits; its interval is that of the mean, in proportion. */
const stat = (fleet, name, result) => {
  const asked = result.limits.percentile.split(" ")[0], known = fleet.latency[name] || {};
  const which = known[asked] ? asked : "mean", one = known[which];
  if (!one) return { value: fleet[name], low: fleet[`${name}_low`], high: fleet[`${name}_high`] };
  const value = typeof one === "number" ? one : one.mean ?? one.value;
  const share = (end) => (fleet[`${name}_${end}`] === undefined ? null : (value * fleet[`${name}_${end}`]) / fleet[name]);
  return { value, low: one.low ?? share("low"), high: one.high ?? share("high"), which };
};

/** The cost of a month of a fleet, with its interval. */
const monthly = (fleet) => ({ value: fleet.cost_per_h * months, low: ends(fleet.cost_per_h_low), high: ends(fleet.cost_per_h_high) });
const ends = (hour) => (hour === null || hour === undefined ? null : hour * months);

/** The layout of a fleet in words. */
export function shape(fleet) {
  const own = layout(fleet.layout);
  if (fleet.prefill_layout) return t("size.disaggregated", { p: fleet.prefill_replicas, pl: layout(fleet.prefill_layout), d: fleet.replicas, dl: own });
  return t("size.replicas", { n: number(fleet.replicas), layout: own });
}

export function Result({ answer, input: given, state, bar }) {
  const [picked, setPicked] = useState(0);
  const entries = answer.entries || [answer.best];
  const fleet = entries[picked] || answer.best;
  const at = picked === 0 ? "best" : `entries.${picked}`;
  const which = statistic(answer);
  const ttft = stat(fleet, "ttft_s", answer), tpot = stat(fleet, "tpot_s", answer);
  const cost = monthly(fleet);
  const rate = answer.load.rate_req_per_s || fleet.req_per_s;
  const room = fleet.req_per_s_at_most && rate ? fleet.req_per_s_at_most / rate - 1 : null;
  const limit = (value, name) => (answer.limits[name] ? ` ${t("size.limit", { limit: duration(answer.limits[name]) })}` : "");
  const num = (value, unit, path, label, more = {}) => html`<${Num} value=${value} unit=${unit} path=${path} label=${label} ...${more}/>`;
  const values = {
    n: num(fleet.accelerators, "1", `${at}.accelerators`, t("col.accelerators"), { text: `${number(fleet.accelerators)} × ${device(fleet.gpu)}` }),
    model: answer.model, rate: num(rate, "req/s", "load.rate_req_per_s", t("field.rate")),
  };
  return html`<div class=${`answer ${state === "stale" ? "stale" : ""}`}>${bar}
    <${Sentence} id=${answer.load.users ? "size.answer_users" : "size.answer"} values=${{ ...values, users: number(answer.load.users) }} tag="h1"/>
    <dl class="facts-line">
      <${Figure} label=${t("col.layout")}>${shape(fleet)} · ${fleet.precision}<//>
      <${Figure} label=${`TTFT ${which}`}>${num(ttft.value, "s", `${at}.ttft_s.${ttft.which}`, `TTFT ${which}`, ttft)}${limit(ttft.value, "ttft_s")}<//>
      <${Figure} label=${`TPOT ${which}`}>${num(tpot.value, "s", `${at}.tpot_s.${tpot.which}`, `TPOT ${which}`, tpot)}${limit(tpot.value, "tpot_s")}<//>
      ${fleet.cost_per_h !== null && fleet.cost_per_h !== undefined ? html`<${Figure} label=${t("col.cost_month")}>${num(cost.value, `${fleet.currency}`, `${at}.cost_per_h`, t("col.cost_month"), cost)}<//>
      <${Figure} label=${t("col.cost_mtok")}>${num(fleet.cost_per_mtok, `${fleet.currency}/Mtok`, `${at}.cost_per_mtok`, t("col.cost_mtok"), { low: fleet.cost_per_mtok_low, high: fleet.cost_per_mtok_high })}<//>` : null}
      <${Figure} label=${t("col.power")}>${num(fleet.power_w, "W", `${at}.power_w`, t("col.power"))}<//>
      ${room !== null ? html`<${Figure} label=${t("size.headroom")}>${num(room, "frac", `${at}.req_per_s_at_most`, t("size.headroom"), { text: `${room >= 0 ? "+" : ""}${percent(room, 2)}` })}<//>` : null}
      ${fleet.chance_within_limits !== null && fleet.chance_within_limits !== undefined ? html`<${Figure} label=${t("size.chance")}>${num(fleet.chance_within_limits, "frac", `${at}.chance_within_limits`, t("size.chance"), { text: chance(fleet.chance_within_limits) })}<//>` : null}
    </dl>
    ${picked === 0 && cheaper(answer) ? html`<p>${t("size.cheaper", cheaper(answer))}</p>` : null}
    ${answer.simulated ? html`<p class="note" role="status">${t("size.so_far", { n: answer.simulated })}</p>` : answer.best && !fleet.simulated ? html`<p class="note">${t(state === "done" ? "size.static_only" : "size.estimate")}</p>` : null}
    ${picked === 0 ? html`<${Changes} answer=${answer}/>` : null}
    <div class="buttons"><a class="primary" href="#launch" onClick=${(e) => { e.preventDefault(); document.getElementById("launch").scrollIntoView({ behavior: "smooth" }); }}>${t("size.to_launch")}</a>
      ${shared.frozen ? null : html`<a href=${link("replay", { model: answer.model, gpu: fleet.gpu, gpus: fleet.accelerators_per_replica, tp: fleet.layout.tp, replicas: fleet.replicas, rate, isl: answer.isl, osl: answer.osl, ttft: answer.limits.ttft_s, tpot: answer.limits.tpot_s })}>${t("size.to_replay")}</a>
      <a href=${link("choice", { model: answer.model, rate, gpu: [fleet.gpu], isl: answer.isl, osl: answer.osl })}>${t("size.to_choice")}</a>`}</div>
  </div>
  <div class="cards">
    <${Card} cls="two-thirds"><${Chart} spec=${front(answer, fleet)} height=${310} onPick=${(e) => { const one = e.data && e.data.fleet; if (one !== undefined) setPicked(one); }}/><//>
    <${Card} cls="third" title=${t("size.limits")}><${Bounds} fleet=${fleet}/><${Chart} spec=${memory(fleet)} height=${190}/><//>
    <${Card}><${Grid} caption=${t("size.alternatives", { n: Math.min(8, entries.length), tried: answer.tried })} columns=${columns(which, fleet.currency)} rows=${rows(entries, answer)} most=${8 + (answer.simulated || 0)} picked=${null} onPick=${(row) => setPicked(row.place)}/><//>
    <${Near} found=${answer.nearest || []}/>
    <${Launch} answer=${answer} fleet=${fleet} place=${picked} settled=${!answer.simulated}/>
    <${Why} answer=${answer}/>
    <${Card}><${Same} name="size.sh" text=${commandLine("size", given)} answer=${answer}/><//>
  </div>`;
}

/** Measured runs nearest to the best fleet, and how far predictions made without them were off. */
export function Near({ found }) {
  if (!found.length) return html`<${Card} title=${t("near.title")}><p class="note">${t("near.none")}</p><//>`;
  const off = (value) => (value === null || value === undefined ? "–" : `${value >= 0 ? "+" : "-"}${percent(Math.abs(value), 2)}`);
  const load = (one) => { const ends = [...new Set([number(one.least_load), number(one.most_load)])].join("–"); return t(one.open_loop ? "near.at_rate" : "near.at_once", { n: ends }); };
  return html`<${Card}><${Grid} caption=${t("near.caption")} columns=${[{ key: "run", label: t("near.run"), text: true }, { key: "load", label: t("near.load"), text: true }, { key: "isl", label: t("near.lengths"), text: true, show: (v, row) => `${number(row.isl)} / ${number(row.osl)}` },
      ...["ttft", "tpot", "rate"].map((name) => ({ key: name, label: t(`near.${name}`), show: off })), { key: "figures", label: t("near.figures"), show: (v) => number(v) }, { key: "source", label: t("near.source"), text: true }]}
      rows=${found.map((one) => ({ run: `${one.model} · ${one.weights} · ${one.gpus} × ${device(one.device)} · ${one.apart ? t("near.apart") : one.layout} · ${one.engine}${one.version ? ` ${one.version}` : ""}`, load: load(one), isl: one.isl, osl: one.osl, ttft: one.errors.ttft, tpot: one.errors.tpot, rate: one.errors.rate, figures: one.figures, source: one.source }))}/>
    <p class="hint">${t("near.note")}</p><//>`;
}

/** A fleet much cheaper than the best, which keeps the limits less surely: what the confidence costs. */
function cheaper(answer) {
  const { best } = answer;
  const one = (answer.entries || []).filter((x) => x.cost_per_h < best.cost_per_h * 0.9 && x.chance_within_limits < best.chance_within_limits).sort((a, b) => a.cost_per_h - b.cost_per_h)[0];
  return one ? { n: number(one.accelerators), gpu: device(one.gpu), cost: money(one.cost_per_h * months, one.currency), chance: percent(one.chance_within_limits, 2), confidence: percent(answer.limits.confidence, 2) } : null;
}

function Bounds({ fleet }) {
  const name = (bound) => word(`bound.${bound}`, bound);
  return html`<p class="gap">${t("size.bound", { prefill: name(fleet.bounds.prefill), decode: name(fleet.bounds.decode) })}</p>`;
}

/** Cost against latency: the fleets, the front joined by a line. */
export function front(answer, chosen) {
  const entries = answer.entries || [answer.best];
  const money_ = (fleet) => converted(fleet.cost_per_h * months, fleet.currency) ?? fleet.accelerators;
  const priced = entries.every((one) => one.cost_per_h !== null && one.cost_per_h !== undefined);
  const cost = (fleet) => (priced ? money_(fleet) : fleet.accelerators);
  const { unit, factor } = timeUnit(stat(entries[0], "tpot_s", answer).value);
  const value = (fleet) => stat(fleet, "tpot_s", answer).value * factor;
  const names = [...new Set(entries.map((one) => one.gpu))];
  const tip = (fleet) => `${number(fleet.accelerators)} × ${device(fleet.gpu)} · ${shape(fleet)} · ${fleet.precision}`;
  const joined = (answer.pareto || []).map((one) => [value(one), cost(one)]).sort((a, b) => a[0] - b[0]);
  return {
    id: "front", kind: "xy", title: t("chart.front"), summary: t("chart.front_words", { n: entries.length }),
    x: { label: `TPOT ${statistic(answer)}`, unit, type: "value", scale: true },
    y: { label: priced ? t("col.cost_month") : t("col.accelerators"), unit: priced ? currency() : "", type: "log" },
    series: [
      ...names.map((name) => { const own = entries.filter((one) => one.gpu === name); return { name: device(name), entity: device(name), as: "points", data: own.map((one) => [value(one), cost(one)]), tips: own.map(tip), picked: own.indexOf(chosen) }; }),
      ...(joined.length > 1 ? [{ name: t("chart.pareto"), entity: "pareto", as: "line", data: joined, thin: true, dashed: true }] : []),
    ],
    marks: answer.limits.tpot_s ? [{ axis: "x", value: answer.limits.tpot_s * factor, label: t("chart.limit") }] : [],
  };
}

/** What lies in the memory of one accelerator. */
export function memory(fleet) {
  const m = fleet.memory_bytes;
  const parts = [["weights", m.weights], ["activations", m.activations], ["graphs", m.graphs], ["other", m.reserved], ["kv", m.kv], ["free", m.kv_free]].filter(([, v]) => v > 0);
  return { id: "memory", kind: "xy", title: t("chart.memory"), summary: parts.map(([name, v]) => `${t(`memory.${name}`)} ${gigabytes(v)}`).join(", "),
    horizontal: true, bare: true, right: 74, narrowRight: 74, x: { label: t("col.memory"), unit: "GB", type: "value" }, y: { label: t("chart.part"), type: "category", values: parts.map(([name]) => t(`memory.${name}`)) },
    series: [{ name: t("chart.memory_short"), entity: "memory", as: "bars", data: parts.map(([, v]) => v / 1e9), labels: parts.map(([, v]) => gigabytes(v)), colours: parts.map(([name]) => `memory ${name}`) }] };
}

/** Columns of the fleets; each figure leads to its source. */
const columns = (which, from) => {
  const num = (unit, field, label, ends, text) => ({ label, show: (value, row) => (value === null || value === undefined ? "–"
    : html`<${Num} value=${value} unit=${unit} path=${`entries.${row.place}.${typeof field === "string" ? field : field(row)}`} label=${`${row.name}, ${label}`} text=${text && text(value)} ...${ends ? ends(row) : {}}/>`) });
  return [{ key: "name", label: t("col.fleet"), text: true },
    { key: "accelerators", ...num("1", "accelerators", t("col.gpus")) },
    { key: "cost", ...num(from, "cost_per_h", t("col.cost_month"), (row) => monthly(row.one)) },
    { key: "mtok", ...num(from, "cost_per_mtok", t("col.cost_mtok"), ({ one }) => ({ low: one.cost_per_mtok_low, high: one.cost_per_mtok_high })) },
    { key: "ttft", ...num("s", (row) => `ttft_s.${row.at.ttft.which}`, `TTFT ${which}`, (row) => row.at.ttft) }, { key: "tpot", ...num("s", (row) => `tpot_s.${row.at.tpot.which}`, `TPOT ${which}`, (row) => row.at.tpot) },
    { key: "capacity", ...num("req/s", "req_per_s_at_most", t("col.capacity"), null, (value) => number(value)) }, { key: "chance", ...num("frac", "chance_within_limits", t("size.chance"), null, chance) },
    { key: "power", ...num("W", "power_w", t("col.power")) }];
};
const rows = (entries, answer) => entries.map((one, place) => ({ one, place, at: { ttft: stat(one, "ttft_s", answer), tpot: stat(one, "tpot_s", answer) } })).filter(({ one, place }) => !answer.simulated || place < 8 || one.simulated).map(({ one, place, at }) => ({
  one, place, at, name: `${device(one.gpu)} · ${shape(one)} · ${one.precision}${answer.simulated && one.simulated ? ` · ${t("size.simulated")}` : ""}`, accelerators: one.accelerators, ttft: at.ttft.value, tpot: at.tpot.value,
  capacity: one.req_per_s_at_most, chance: one.chance_within_limits, power: one.power_w, cost: one.cost_per_h === null ? null : one.cost_per_h * months, mtok: one.cost_per_mtok,
}));

function Why({ answer }) {
  const left = answer.left_out || answer.infeasible || [];
  const groups = Object.entries(answer.rejected || {});
  if (!groups.length) return null;
  return html`<${Card}><details><summary>${t("size.why_not", { tried: answer.tried, left: groups.reduce((sum, [, n]) => sum + n, 0) })}</summary>
    <ul lang="en">${groups.map(([reason, n]) => { const one = left.find((x) => x.reason === reason); return html`<li><strong>${n} × ${reason}</strong>${one ? html`: ${one.detail || one.layout}` : null}</li>`; })}</ul></details><//>`;
}

function Launch({ answer, fleet, place, settled }) {
  const [target, setTarget] = useState("vllm");
  const [files, setFiles] = useState(null);
  const [problem, setProblem] = useState(null);
  const id = answer.meta && answer.meta.id;
  const launch = fleet.launch || (answer.best && answer.best.launch) || {};
  const own = Object.keys(launch).length ? launch : null;
  const busy = !settled || (!fleet.simulated && answer.meta && answer.meta.input && !answer.meta.input.static);
  useEffect(() => {
    setFiles(null); setProblem(null);
    if (!id || busy || shared.frozen) return undefined;
    const abort = new AbortController();
    api.get(`/runs/${id}/deploy/${place}?target=${target}`, abort.signal).then((one) => setFiles(one.files)).catch((error) => error.name !== "AbortError" && setProblem(error));
    return () => abort.abort();
  }, [id, place, target, busy]);
  const text = shared.frozen && own && own[target] ? [{ name: `${target}.sh`, text: [].concat(own[target]).join("\n") }] : files;
  return html`<section class="card" id="launch"><h2>${t("launch.title")}</h2>
    <${Tabs} label=${t("launch.title")} value=${target} set=${setTarget} tabs=${Object.entries((shared.frozen || shared.catalog).targets).filter(([key]) => !shared.frozen || (own && own[key])).map(([value, label]) => ({ value, label }))}/>
    ${problem ? html`<p class="note" lang="en">${problem.message}</p>` : null}
    ${files ? html`<p><a href=${api.packed(id, place, target)} download>${t("launch.zip", { n: number(files.length) })}</a></p>` : null}
    ${text ? text.map((one) => html`<${Code} key=${one.name} label=${one.name} text=${one.text} name=${one.name}/>`) : problem || shared.frozen ? null : html`<p role="status">${t("from.loading")}</p>`}
  </section>`;
}

/** The command line that asks the same question. */
export function commandLine(command, given) {
  const quote = (value) => (/^[\w.,:@%+-]+$/.test(String(value)) ? String(value) : `'${String(value).replace(/'/g, "'\\''")}'`);
  const { facts: own, ...rest } = given || {};
  const note = own ? `# ${t("launch.facts", { facts: Object.entries(own).map(([id, value]) => `${id}=${value}`).join(", ") })}\n` : "";
  const parts = Object.entries(rest).map(([key, value]) => {
    const flag = `--${key.replace(/_/g, "-")}`;
    return value === true ? flag : value === false ? "" : `${flag} ${quote(Array.isArray(value) ? value.join(",") : value)}`;
  });
  return note + ["jevons", command, ...parts.filter(Boolean)].join(" ");
}
