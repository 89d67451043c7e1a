// "Where from?": the figure in words, what it follows from, and the facts at the end of it.
import { html, useEffect, useLayoutEffect, useRef, useState } from "jevons/vendor/preact.js";
import { fieldName, t, word } from "jevons/i18n.js";
import { original, quantity } from "jevons/format.js";
import { copy, Method } from "jevons/ui.js";
import { compact, parse } from "jevons/parse.js";
import { go, inputs, read } from "jevons/state.js";
import * as api from "jevons/api.js";

/** Paths of explained figures by place in a result, for kinds whose names differ. */
const PLACES = {
  size: { "best.ttft_s": "best.ttft_s.mean", "best.tpot_s": "best.tpot_s.mean", "best.e2e_s": "best.e2e_s.mean", cost_per_month: "best.cost_per_h" },
  plan: { "fleet.devices": "expansion.devices", "tokens_per_day.total": "expansion.tokens_per_d", "cash.capex": "expansion.capex", "value.per_share": "finance.value_per_share", "value.price_per_share": "finance.share_price", "jevons.probability": "jevons.compute_factor", "probability.value_created": "finance.orders_value" },
  buy_rent_api: { "api.output_cny_per_mtok": "api.per_output_mtok_cny" },
};

/** Inputs of a form by the figure that shows them. */
const KEYWORDS = {
  size: { "load.rate_req_per_s": "rate", "request.isl": "isl", "request.osl": "osl", "price.per_accelerator_hour": "gpu_hour" },
};

/** The key of the address that sets a figure: of the scenario, of the form, or of a fact; empty where none does. */
function settable(kind, path, node, amounts) {
  if (kind === "compare") return "";
  if (kind === "plan") return amounts.includes(path) ? `s.${path}` : "";
  const own = (KEYWORDS[kind] || {})[path];
  if (own) return own;
  return node.grade && !(node.parents || []).length && typeof node.value === "number" ? `f.${path}` : "";
}

/** A figure set here, in its own unit; the address takes it and the answer is asked for anew. */
function Override({ name, path, node, close }) {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState(false);
  const id = `set-${path}`;
  const put = (event) => {
    event.preventDefault();
    const value = parse(text);
    if (value === null || !(value >= 0 || node.value < 0)) { setWrong(true); return; }
    const { screen, values } = read();
    close();
    go(screen, { ...inputs(values), [name]: name === "gpu_hour" ? `${value} ${String(node.unit).split("/")[0]}` : value });
  };
  if (!open) return html`<button type="button" class="small" aria-label=${t("override.of", { path })} onClick=${() => { setText(compact(node.value)); setOpen(true); }}>${t("override")}</button>`;
  return html`<form class="override" onSubmit=${put}><label for=${id}>${t("override.value")}${node.unit && node.unit !== "1" ? ` [${node.unit}]` : ""}</label>
    <input type="text" id=${id} inputmode="decimal" value=${text} aria-invalid=${wrong ? "true" : "false"} aria-describedby=${wrong ? `${id}-wrong` : null} autocomplete="off" onInput=${(e) => { setText(e.target.value); setWrong(false); }}/>
    <button type="submit" class="small">${t("override.set")}</button><button type="button" class="small" onClick=${() => setOpen(false)}>${t("override.leave")}</button>
    ${wrong ? html`<p class="wrong" role="alert" id=${`${id}-wrong`}>${t("field.wrong_number")}</p>` : null}</form>`;
}

/** Figures that the address sets for facts, above the answer; each can be taken back. */
export function Overridden() {
  const { screen, values } = read();
  const own = Object.entries(inputs(values)).filter(([key]) => key.startsWith("f."));
  if (!own.length) return null;
  const without = (names) => go(screen, Object.fromEntries(Object.entries(inputs(values)).filter(([key]) => !names.includes(key))));
  return html`<p class="banner own" role="status"><strong>${t("override.own")}</strong> ${own.map(([key, value]) => html`<span class="chip" key=${key}><code>${key.slice(2)}</code> = ${String(value)}
    <button type="button" aria-label=${t("override.undo_one", { path: key.slice(2) })} onClick=${() => without([key])}>×</button></span>`)}
    <button type="button" class="small" onClick=${() => without(own.map(([key]) => key))}>${t("override.undo")}</button></p>`;
}

function guess(kind, path, paths) {
  const mapped = (PLACES[kind] || {})[path] || path;
  if (paths.includes(mapped)) return mapped;
  const last = mapped.split(".").slice(-2).join(".");
  return paths.find((one) => one.startsWith(`${mapped}.`)) || paths.find((one) => one === last || one.endsWith(`.${last}`)) || null;
}

function under(nodes, path) {
  const tree = {};
  const queue = [path];
  while (queue.length) { const one = queue.shift(); if (nodes[one] && !tree[one]) { tree[one] = nodes[one]; queue.push(...(nodes[one].parents || [])); } }
  return tree;
}

/** Evidence in one word. */
export function Badge({ grade }) { return grade ? html`<span class=${`badge ${grade}`}>${word(`grade.${grade}`, grade)}</span>` : null; }

function Tree({ nodes, path, depth = 0, seen = new Set(), kind = "", amounts = [], close = null }) {
  const node = nodes[path];
  const [open, setOpen] = useState(depth < 2);
  if (!node) return html`<li><code>${path}</code></li>`;
  const parents = seen.has(path) ? [] : node.parents || [];
  const next = new Set(seen).add(path);
  const source = String(node.source || "");
  const key = close ? settable(kind, path, node, amounts) : "";
  const url = /https?:\/\/[^\s;,)]+/.exec(source);
  return html`<li class="node"><div class="node-head">
    ${parents.length ? html`<button type="button" class="twist" aria-expanded=${open} aria-label=${t(open ? "tree.close" : "tree.open", { path })} onClick=${() => setOpen(!open)}>${open ? "▾" : "▸"}</button>` : html`<span class="twist"></span>`}
    <span><code>${path}</code> = <strong>${original(node.value, node.unit)}</strong>${node.low !== undefined ? html` <span class="range">[${original(node.low, node.unit)}–${original(node.high, node.unit)}]</span>` : null} <${Badge} grade=${node.grade}/>${key ? html` <${Override} name=${key} path=${path} node=${node} close=${close}/>` : null}</span></div>
    ${node.formula ? html`<div class="formula">${node.formula}</div>` : null}${node.method ? html`<div class="formula"><${Method} text=${node.method}/></div>` : null}
    ${source ? html`<div class="source" lang="en">${url ? html`<a href=${url[0]} rel="noreferrer noopener" target="_blank">${source}</a>` : source}</div>` : null}
    ${open && parents.length ? html`<ul>${parents.map((one) => html`<${Tree} nodes=${nodes} path=${one} depth=${depth + 1} seen=${next} kind=${kind} amounts=${amounts} close=${close} key=${one}/>`)}</ul>` : null}</li>`;
}

/** The drawer over the page; Esc closes it and the focus returns. */
export function Drawer({ asked, answer, frozen, close }) {
  const box = useRef(null);
  const [tree, setTree] = useState(null);
  const [state, setState] = useState("loading");
  const meta = answer && answer.meta;
  useLayoutEffect(() => {
    if (!asked) return undefined;
    const before = document.activeElement;
    box.current.querySelector("button").focus();
    return () => { if (before && before.focus) before.focus(); };
  }, [asked]);
  useEffect(() => {
    if (!asked) return undefined;
    let on = true;
    setTree(null); setState("loading");
    (async () => {
      try {
        if (!meta) { setState("none"); return; }
        const paths = frozen ? Object.keys(frozen.nodes) : meta.explained || [];
        const path = guess(meta.kind, asked.path, paths);
        if (!path) { setState("none"); return; }
        const nodes = frozen ? under(frozen.nodes, path) : (await api.get(`/runs/${meta.id}/explain?path=${encodeURIComponent(path)}`)).nodes;
        const scenario = !frozen && meta.kind === "plan" ? await api.get(`/scenarios/${encodeURIComponent(meta.input.scenario || "alibaba-380bn")}`) : null;
        if (on) { setTree({ path, nodes, amounts: scenario ? scenario.amounts.map((one) => one.path) : [] }); setState("done"); }
      } catch { if (on) setState("none"); }
    })();
    return () => { on = false; };
  }, [asked]);
  if (!asked) return null;
  const keys = (event) => {
    if (event.key === "Escape") { event.stopPropagation(); close(); }
    if (event.key === "Tab") {
      const all = [...box.current.querySelectorAll("button, input, a[href], [tabindex='0']")];
      const first = all[0], last = all[all.length - 1];
      if (event.shiftKey && document.activeElement === first) { event.preventDefault(); last.focus(); }
      else if (!event.shiftKey && document.activeElement === last) { event.preventDefault(); first.focus(); }
    }
  };
  const report = () => `jevons ${meta ? meta.versions.jevons : ""} · ${meta ? meta.versions.facts : ""}\n${asked.path} = ${asked.shown}\n${meta ? JSON.stringify({ kind: meta.kind, input: meta.input }) : ""}\n${t("report.what")}\n`;
  return html`<div class="veil" onClick=${(e) => e.target === e.currentTarget && close()}>
    <aside class="drawer" role="dialog" aria-modal="true" aria-labelledby="drawer-title" ref=${box} onKeyDown=${keys}>
      <div class="card-head"><h2 id="drawer-title">${t("from.title")}</h2><button type="button" class="small" onClick=${close} aria-label=${t("from.close")}>×</button></div>
      <p class="drawer-value"><strong>${asked.shown}</strong>${asked.label ? html` <span>${asked.label}</span>` : null}</p>
      ${asked.path ? html`<p><code>${asked.path}</code></p>` : null}
      ${asked.low !== undefined && asked.low !== null ? html`<p>${t("from.range", { low: quantity(asked.low, asked.unit), high: quantity(asked.high, asked.unit) })}</p>` : null}
      ${state === "loading" ? html`<p role="status">${t("from.loading")}</p>` : null}
      ${state === "none" ? html`<p>${t(meta ? `from.method.${["size", "simulate", "train", "plan", "buy_rent_api"].includes(meta.kind) ? meta.kind : "other"}` : "from.method.other")}</p>
        ${meta ? html`<dl class="inputs">${Object.entries(meta.input).map(([key, value]) => html`<dt>${fieldName(meta.kind, key)}</dt><dd>${typeof value === "object" ? JSON.stringify(value) : String(value)}</dd>`)}</dl>` : null}` : null}
      ${tree ? html`<ul class="tree"><${Tree} nodes=${tree.nodes} path=${tree.path} kind=${meta.kind} amounts=${tree.amounts} close=${frozen ? null : close}/></ul>` : null}
      <div class="buttons"><button type="button" onClick=${() => copy(String(asked.value ?? asked.shown))}>${t("from.copy")}</button>
        <button type="button" onClick=${() => copy(report())}>${t("from.report")}</button></div>
      ${meta ? html`<p class="footprint">${t("footprint", { version: meta.versions.jevons, facts: meta.versions.facts, seed: meta.seed ?? 0, id: meta.id || "–" })}</p>` : null}
    </aside></div>`;
}
