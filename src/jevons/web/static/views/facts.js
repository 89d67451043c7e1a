// Facts: every figure on file with its date, grade and source; search, history.
import { html, useEffect, useRef, useState } from "jevons/vendor/preact.js";
import { t } from "jevons/i18n.js";
import { device, number, original, percent } from "jevons/format.js";
import { Card, ErrorBox, Grid, Select, shared } from "jevons/ui.js";
import { Badge } from "jevons/drawer.js";
import { Chart } from "jevons/chart.js";
import * as api from "jevons/api.js";

/** Keys that the address of this screen may have. */
export const KEYS = ["q", "grade", "as_of", "id"];
const ROW = 34;

export function View({ values, go }) {
  const [answer, setAnswer] = useState(null);
  const [error, setError] = useState(null);
  const [fact, setFact] = useState(null);
  const q = values.q ?? "", grade = values.grade ?? "", date = values.as_of ?? "";
  const set = (key, value) => go({ ...values, [key]: value }, { replace: true });
  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(() => api.get(`/facts?${new URLSearchParams({ q, grade, date })}`, abort.signal).then((one) => { setAnswer(one); setError(null); }).catch((e) => e.name !== "AbortError" && setError(e)), 150);
    return () => { clearTimeout(timer); abort.abort(); };
  }, [q, grade, date]);
  useEffect(() => {
    if (!values.id) { setFact(null); return undefined; }
    let on = true;
    api.get(`/facts/${encodeURIComponent(values.id)}`).then((one) => on && setFact(one)).catch((e) => { if (on) { setFact(null); setError(e); } });
    return () => { on = false; };
  }, [values.id]);
  const rows = answer ? answer.facts : [];
  return html`<div class="answer ${answer ? "ready" : ""}">${error && !answer ? null : html`<h1 id="answer">${answer ? t("facts.answer", { n: number(rows.length) }) : t("facts.loading")}</h1>`}
    <div class="filters"><div class="field"><label for="f-q">${t("field.q")}</label><input type="search" id="f-q" value=${q} placeholder="h20 price" onInput=${(e) => set("q", e.target.value)}/></div>
    <${Select} name="grade" value=${grade} options=${[{ value: "", label: t("grade.all") }, ...(shared.catalog.grades || []).map((one) => ({ value: one, label: t(`grade.${one}`) }))]} set=${(v) => set("grade", v)}/></div></div>
    <${ErrorBox} error=${error} apply=${(r) => set(r.field === "date" ? "as_of" : r.field, r.value)}/>
    <div class="cards"><${Card} cls=${fact ? "two-thirds" : ""}><${Virtual} rows=${rows} picked=${values.id} pick=${(id) => set("id", id)}/><//>
    ${fact ? html`<${Card} cls="third"><${Fact} fact=${fact} close=${() => set("id", null)}/><//>` : null}<${Support}/></div>`;
}

const shown = (row) => original(row.value, row.unit === "text" ? "text" : row.unit);

/** How far predictions were from measurements, by device, engine and family of models. */
function Support() {
  const error = (value) => (value === null ? "–" : percent(value, 2));
  const columns = [{ key: "gpu", label: t("support.device"), text: true, show: device }, { key: "engine", label: t("support.engine"), text: true }, { key: "family", label: t("support.family"), text: true }, { key: "figures", label: t("support.figures"), show: (v) => number(v) },
    { key: "throughput", label: t("support.throughput"), show: error }, { key: "tpot", label: "TPOT", show: error }, { key: "ttft", label: "TTFT", show: error }];
  return html`<${Card}><details><summary>${t("support.title")}</summary><${Grid} caption=${t("support.note")} columns=${columns} rows=${shared.catalog.support} cls="tall"/></details><//>`;
}

/** Thousands of rows of which only those in sight are drawn. */
function Virtual({ rows, picked, pick }) {
  const [top, setTop] = useState(0);
  const box = useRef(null);
  const [tall, setTall] = useState(600);
  useEffect(() => { if (box.current) { setTall(box.current.clientHeight); box.current.scrollTop = 0; } setTop(0); }, [rows]);
  const from = Math.max(0, Math.floor(top / ROW) - 5), to = Math.min(rows.length, from + Math.ceil(tall / ROW) + 12);
  return html`<div class="virtual" ref=${box} tabindex="0" role="region" aria-label=${t("screen.facts")} onScroll=${(e) => setTop(e.target.scrollTop)}>
    <table aria-rowcount=${rows.length + 1}><thead><tr><th scope="col">${t("facts.id")}</th><th scope="col" class="right">${t("facts.value")}</th><th scope="col">${t("facts.from")}</th><th scope="col">${t("field.grade")}</th><th scope="col">${t("facts.source")}</th></tr></thead>
    <tbody>${from > 0 ? html`<tr style=${`height:${from * ROW}px`} aria-hidden="true"><td colspan="5"></td></tr>` : null}
    ${rows.slice(from, to).map((row, i) => html`<tr key=${row.id} aria-rowindex=${from + i + 2} class=${row.id === picked ? "picked" : ""} style=${`height:${ROW}px`}><th scope="row"><button type="button" class="link" onClick=${() => pick(row.id)}>${row.id}</button></th><td class="right">${shown(row)}</td><td class="nowrap">${row.from}</td><td><${Badge} grade=${row.grade}/></td><td class="clip" lang="en" title=${row.source || row.reason || row.formula || ""}>${row.source || row.reason || row.formula || ""}</td></tr>`)}
    ${to < rows.length ? html`<tr style=${`height:${(rows.length - to) * ROW}px`} aria-hidden="true"><td colspan="5"></td></tr>` : null}</tbody></table></div>`;
}

function Fact({ fact, close }) {
  const now = fact.current || {};
  const history = (fact.values || []).filter((one) => typeof one.value === "number");
  return html`<div class="card-head"><h2><code>${fact.id}</code></h2><button type="button" class="small" aria-label=${t("from.close")} onClick=${close}>×</button></div>
    <p lang="en">${fact.about}</p><p class="drawer-value"><strong>${original(now.value, now.unit)}</strong> ${now.low !== null && now.low !== undefined ? html`<span class="range">[${original(now.low, now.unit)}–${original(now.high, now.unit)}]</span>` : null} <${Badge} grade=${now.grade}/></p>
    ${history.length > 1 ? html`<${Chart} height=${180} spec=${{ id: "history", kind: "xy", title: t("facts.history"), summary: `${fact.id}: ${history.map((one) => `${one.from} ${number(one.value)}`).join(", ")}`, bare: true, x: { label: t("facts.from"), type: "category", values: history.map((one) => one.from) }, y: { label: "", unit: fact.unit === "1" ? "" : fact.unit, type: "value", scale: true }, series: [{ name: fact.id, entity: "history", as: "line", data: history.map((one) => one.value) }] }}/>` : null}
    ${(fact.values || []).map((one) => html`<div class="source-row"><strong>${one.from}</strong> ${original(one.value, one.unit)} <${Badge} grade=${one.grade}/><div class="source" lang="en">${one.url ? html`<a href=${one.url} rel="noreferrer noopener" target="_blank">${one.source || one.url}</a>` : one.source || one.reason || one.formula || ""}${one.locator ? ` · ${one.locator}` : ""}${one.note ? ` · ${one.note}` : ""}</div></div>`)}`;
}
export function Result() { return null; }
