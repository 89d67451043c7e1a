// The report of a plan: the question, the answer, the chart that shows it; sections headed by what was found; sources.
import { html, useMemo, useState } from "jevons/vendor/preact.js";
import { language, rich, t } from "jevons/i18n.js";
import { beside, large, money, number, original, percent, quantity } from "jevons/format.js";
import { term } from "jevons/terms.js";
import { Method, shared } from "jevons/ui.js";
import { Badge } from "jevons/drawer.js";
import { Chart } from "jevons/chart.js";
import { tokensChart } from "jevons/views/plan.js";
import { inner, inputName, raised, thing } from "jevons/views/names.js";
import { notesOf } from "jevons/views/generic.js";
import * as charts from "jevons/views/report_charts.js";

const last = (list) => list[list.length - 1];
const anchor = (path) => `from-${path.replace(/[^\w-]+/g, "-")}`;
const factAnchor = (id) => `fact-${id.replace(/[^\w-]+/g, "-")}`;

/** The text of a figure without its range. */
export function shownFigure(one) {
  if (one.label && one.label.startsWith("chance.")) return percent(one.value, 2);
  if (one.unit === "frac" || one.unit === "W") return quantity(one.value, one.unit);
  if (/^(CNY|USD|EUR|HKD|JPY)$/.test(one.unit)) return money(one.value, one.unit);
  if (one.unit === "1") return large(one.value);
  return quantity(one.value, one.unit);
}

/** A number: a link to where it comes from, which opens the drawer. */
export function Figure({ one, label }) {
  const shown = shownFigure(one);
  const range = one.low !== undefined && one.low !== null ? ` [${beside(shown, one.low, one.high, one.unit)}]` : "";
  if (!one.path) return html`<span class="figure">${shown}${range ? html`<span class="range">${range}</span>` : null}</span>`;
  const name = label || (one.label ? t(one.label) : one.path);
  const open = (event) => { event.preventDefault(); shared.openDrawer({ path: one.path, value: one.value, unit: one.unit, shown, label: name, low: one.low, high: one.high }); };
  return html`<a class="num" href=${`#${anchor(one.path)}`} data-path=${one.path} aria-label=${`${name}: ${shown}${range}. ${t("from.ask")}`} onClick=${open}><span class="nowrap">${shown}</span>${range ? html`<span class="range">${range}</span>` : null}</a>`;
}

/** A sentence as parts: text, figures, names. It begins with a capital, and a name within it does not. */
export function parts(one, names, of = (value) => html`<${Figure} one=${value}/>`) {
  const filled = Object.fromEntries(Object.entries(one.values).map(([key, value]) => [key,
    value && typeof value === "object" ? ("kind" in value ? named(value, names) : of(value)) : term(String(value))]));
  const list = rich(one.id, filled);
  if (typeof list[0] === "string") list[0] = raised(list[0]);
  return list;
}
const named = (value, names) => { const name = thing(value, names); return value.kind === "device" ? name : inner(name); };

/** A sentence as plain text. */
export function plainText(one, names) { return parts(one, names, shownFigure).join(""); }

function jump(event, id) {
  event.preventDefault();
  const target = document.getElementById(id);
  if (!target) return;
  for (let up = target; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
  target.setAttribute("tabindex", "-1");
  target.scrollIntoView({ block: "start" });
  target.focus({ preventScroll: true });
}

/** A link within the report, which keeps the address for the settings. */
export function Jump({ to, children, cls = "" }) { return html`<a class=${cls} href=${`#${to}`} onClick=${(e) => jump(e, to)}>${children}</a>`; }

/** A short table: heads [{label, right}] and rows of cells. */
export function Short({ caption, heads, rows }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${caption}><table class="short"><caption>${caption}</caption><thead><tr>${heads.map((one, i) => html`<th scope="col" class=${i ? "right" : ""}>${one}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr>${row.map((cell, i) => (i ? html`<td class="right">${cell ?? "–"}</td>` : html`<th scope="row">${cell}</th>`))}</tr>`)}</tbody></table></div>`;
}

function Change({ answer, found }) {
  const unit = answer.currency;
  if (!found.change.length) return null;
  const end = (value, one, worth) => html`<dd><span class="range">${original(value, one.unit)} →</span> ${money(worth, unit)}</dd>`;
  return html`<section class="change" aria-labelledby="change-head"><h2 id="change-head">${t("report.change")}</h2>
    <dl>${found.change.map((one) => html`<div><dt>${inputName(one.path, one.label)} <${Badge} grade=${one.grade}/></dt>${end(one.low, one, one.at_low)}${end(one.high, one, one.at_high)}</div>`)}</dl>
    <p class="hint">${t("report.change_note")}</p></section>`;
}

function Contents({ found }) {
  const items = [...found.sections.map((one) => [`s-${one.id}`, t(`report.topic.${one.id}`), plainText(one.heading, found.names)]), ["details", t("report.topic.details"), ""]];
  return html`<nav class="contents" aria-label=${t("report.contents")}><h2>${t("report.contents")}</h2><ol>${items.map(([id, topic, text]) => html`<li><${Jump} to=${id}>${topic}<//>${text ? html`<span>${text}</span>` : null}</li>`)}</ol></nav>`;
}

export function Result({ answer }) {
  const found = answer.meta.findings;
  const names = found.names;
  const [pays, jevons] = [found.answer[1], found.answer[2]];
  const lead = answer.tokens_per_day.total.some((v) => v > 0) ? tokensChart(answer) : charts.revenueFan(answer);
  return html`<article class="report">
    <header class="first"><p class="topic">${t("report.facts_of", { date: answer.as_of, currency: answer.currency, quarters: `${answer.quarters[0]} – ${last(answer.quarters)}` })}</p>
      <h1 class="question">${parts(found.question, names)}</h1>
      <p class="lead-answer" id="answer">${parts(found.answer[0], names)}${language() === "zh" ? "" : " "}${parts(pays, names)}${language() === "zh" ? "；" : "; "}${lowered(parts(jevons, names))}${language() === "zh" ? "。" : "."}</p>
      <div class="lead-chart"><${Chart} spec=${{ ...lead, source: t(answer.draws ? "report.source_draws" : "report.source_central") }} height=${330}/></div>
      <div class="lead-more"><dl class="facts-line">${found.tiles.map((one) => html`<div><dt>${t(one.label)}</dt><dd><${Figure} one=${one}/></dd></div>`)}</dl>
        <p class="hint">${answer.draws ? t("report.intervals", { n: answer.draws }) : t("report.no_intervals")}</p>
        <${Change} answer=${answer} found=${found}/></div></header>
    <${Contents} found=${found}/>
    ${found.sections.map((one) => html`<${Section} key=${one.id} one=${one} answer=${answer} found=${found}/>`)}
    <${Details} answer=${answer} found=${found}/></article>`;
}

/** Parts that go on within a sentence: an English one does not begin with a capital there. */
function lowered(list) {
  if (language() === "zh" || typeof list[0] !== "string") return list;
  return [list[0][0].toLowerCase() + list[0].slice(1), ...list.slice(1)];
}

function Section({ one, answer, found }) {
  const body = (charts.SECTIONS[one.id] || (() => ({ charts: [] })))(answer, found);
  return html`<section class="finding" id=${`s-${one.id}`} aria-labelledby=${`h-${one.id}`}><p class="topic">${t(`report.topic.${one.id}`)}</p>
    <h2 id=${`h-${one.id}`}>${parts(one.heading, found.names)}</h2>
    ${one.text.map((text) => html`<p>${parts(text, found.names)}</p>`)}
    <div class=${`pictures ${body.charts.length > 1 && !body.wide ? "two-up" : ""}`}>${body.charts.map((spec) => html`<${Chart} key=${spec.id} spec=${spec} height=${spec.height || 290}/>`)}</div>
    ${body.table ? html`<${Short} ...${body.table}/>` : null}</section>`;
}

/** What a figure rests on: the ends of its tree. */
function leaves(nodes, path) {
  const seen = new Set();
  const ends = new Set();
  const queue = [path];
  while (queue.length) {
    const one = queue.pop();
    if (seen.has(one) || !nodes[one]) continue;
    seen.add(one);
    const above = (nodes[one].parents || []).filter((p) => nodes[p]);
    if (!above.length) ends.add(one);
    queue.push(...above);
  }
  return ends;
}

function Details({ answer, found }) {
  const [query, setQuery] = useState("");
  const nodes = (shared.frozen && shared.frozen.document.nodes) || {};
  const numbers = useMemo(() => headlines(found, nodes, answer), [found]);
  const words = query.trim().toLowerCase();
  const match = (cells) => !words || cells.join(" ").toLowerCase().includes(words);
  const judged = answer.judgements.map((one) => [one, [one.path, one.reason]]).filter(([, cells]) => match(cells));
  const facts = Object.entries(answer.sources).map(([id, one]) => [id, one, [id, one.source, one.grade]]).filter(([, , cells]) => match(cells));
  const tables = (answer.meta.tables || []).map((one) => [one, words ? one.rows.filter((row) => match(row.map((cell) => `${cell} ${term(String(cell))}`))) : one.rows]).filter(([one, rows]) => !words || rows.length || match([one.title, term(one.title)]));
  const hits = judged.length + facts.length + tables.reduce((sum, [, rows]) => sum + rows.length, 0);
  return html`<section class="finding details" id="details"><p class="topic">${t("report.topic.details")}</p>
    <div class="field search"><label for="report-search">${t("report.search")}</label><input type="search" id="report-search" value=${query} onInput=${(e) => setQuery(e.target.value)}/>${words ? html`<p class="hint" role="status">${t("report.hits", { n: hits })}</p>` : null}</div>
    <h2>${t("report.numbers")}</h2>
    <ul class="numbers">${numbers.filter((one) => match([t(one.label), one.path])).map((one) => html`<li id=${anchor(one.path)}><strong>${t(one.label)}</strong> <${Figure} one=${{ ...one.figure }}/> <code>${one.path}</code> <${Jump} to="answer">↑<span class="hidden">${t("report.back", { name: t(one.label) })}</span><//>
      <span class="method">${one.node ? html`${one.node.formula ? html`<code>${one.node.formula}</code>` : html`<${Method} text=${one.node.method || ""}/>`} · ${t("report.rests_on", { facts: one.facts.length, judgements: one.judged.length })}${[...one.facts.slice(0, 4), ...one.judged.slice(0, 2)].map((id) => html` <${Jump} to=${factAnchor(id)}>${id}<//>`)}` : null}</span></li>`)}</ul>
    <p class="hint">${t("report.original")}</p>
    <details open=${!!words && judged.length > 0}><summary>${t("report.judgements", { n: answer.judgements.length })}</summary><div class="scroll fold" tabindex="0" role="region" aria-label=${t("report.judgements", { n: judged.length })}><table><thead><tr><th scope="col">${t("report.path")}</th><th scope="col" class="right">${t("report.value")}</th><th scope="col" class="right">${t("report.range")}</th><th scope="col">${t("report.reason")}</th></tr></thead>
      <tbody>${judged.map(([one]) => html`<tr id=${factAnchor(one.path)}><th scope="row"><code>${one.path}</code></th><td data-label=${t("report.value")} class="right">${original(one.value, one.unit)}</td><td data-label=${t("report.range")} class="right">${original(one.low, one.unit)} – ${original(one.high, one.unit)}</td><td class="whole" lang="en">${one.reason.replace(/^judgement: /, "")}<${UsedBy} of=${one.path} numbers=${numbers}/></td></tr>`)}</tbody></table></div></details>
    <details open=${!!words && facts.length > 0}><summary>${t("report.sources", { n: Object.keys(answer.sources).length })}</summary><div class="scroll fold" tabindex="0" role="region" aria-label=${t("report.sources", { n: facts.length })}><table><thead><tr><th scope="col">${t("report.fact")}</th><th scope="col" class="right">${t("report.value")}</th><th scope="col">${t("report.date")}</th><th scope="col">${t("report.evidence_grade")}</th><th scope="col">${t("report.evidence")}</th></tr></thead>
      <tbody>${facts.map(([id, one]) => html`<tr id=${factAnchor(id)}><th scope="row"><code>${id}</code></th><td data-label=${t("report.value")} class="right">${one.value} ${one.unit}</td><td data-label=${t("report.date")} class="nowrap">${one.from}</td><td data-label=${t("report.evidence_grade")}><${Badge} grade=${one.grade}/></td><td class="whole" lang="en">${/^https?:/.test(one.url) ? html`<a href=${one.url} rel="noreferrer noopener" target="_blank">${one.source}</a>` : one.source}<${UsedBy} of=${id} numbers=${numbers}/></td></tr>`)}</tbody></table></div></details>
    <p class="on-paper hint">${t("report.tables_on_screen", { n: (answer.meta.tables || []).length })}</p>
    <details class="screen" open=${!!words && tables.length > 0 && tables.some(([, rows]) => rows.length)}><summary>${t("report.all_tables", { n: (answer.meta.tables || []).length })}</summary>${tables.map(([one, rows]) => html`<${Full} key=${one.name} one=${one} rows=${rows}/>`)}</details>
    <h2>${t("report.method")}</h2><p>${t("report.method_text", { note: notesOf(answer)[0] })}</p></section>`;
}

function UsedBy({ of, numbers }) {
  const own = numbers.filter((one) => one.all.has(of));
  return own.length ? html`<span class="used"> ${t("report.used_by")}: ${own.map((one) => html`<${Jump} to=${anchor(one.path)}>${t(one.label)}<//> `)}</span>` : null;
}

/** A table of the result with all its rows. */
function Full({ one, rows }) {
  const cell = (value, column) => (typeof value === "number" ? number(value * (column.scale || 1)) : typeof value === "boolean" ? t(value ? "yes" : "no") : value === null ? "–" : term(value));
  const head = (c) => (c.unit ? `${term(c.label)} [${term(c.unit)}]` : term(c.label));
  return html`<div class=${`scroll ${one.columns.length > 3 ? "fold" : ""}`} tabindex="0" role="region" aria-label=${term(one.title)}><table class="full"><caption>${term(one.title)}</caption><thead><tr>${one.columns.map((c) => html`<th scope="col" class=${c.text ? "" : "right"}>${head(c)}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr>${row.map((value, i) => (i ? html`<td data-label=${head(one.columns[i])} class=${one.columns[i].text ? "" : "right"}>${cell(value, one.columns[i])}</td>` : html`<th scope="row">${cell(value, one.columns[i])}</th>`))}</tr>`)}</tbody></table></div>`;
}

/** The headline numbers with what each rests on. */
function headlines(found, nodes, answer) {
  const figures = [...found.answer, ...found.sections.map((one) => one.heading), ...found.sections.flatMap((one) => one.text)].flatMap((one) => Object.values(one.values)).concat(found.tiles).filter((one) => one && one.path && one.label);
  const judged = new Set(answer.judgements.map((one) => one.path));
  const seen = new Map();
  for (const one of figures) if (!seen.has(one.path)) seen.set(one.path, one);
  return [...seen.values()].map((one) => {
    const all = leaves(nodes, one.path);
    const ends = [...all];
    return { path: one.path, label: one.label, figure: one, node: nodes[one.path], facts: ends.filter((id) => id in answer.sources), judged: ends.filter((id) => judged.has(id)), all };
  });
}
