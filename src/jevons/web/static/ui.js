// The parts that screens are made of.
import { html, useEffect, useRef, useState, useMemo, useCallback } from "jevons/vendor/preact.js";
import { fieldName, language, rich, stageName, t, word } from "jevons/i18n.js";
import { term } from "jevons/terms.js";
import { beside, quantity } from "jevons/format.js";
import { compact, parse } from "jevons/parse.js";
import * as api from "jevons/api.js";

/** Shared by all parts: the run that is shown, and the drawer. Set by the app. */
export const shared = { openDrawer: () => {}, setDate: () => {}, catalog: null, frozen: null };

/** A number that can be asked where it is from. `path` is its place in the result. */
export function Num({ value, unit = "1", path = "", text, label = "", low, high, grade }) {
  const shown = text ?? quantity(value, unit);
  const ends = low !== null && low !== undefined && high !== null && high !== undefined && low !== high ? ` [${beside(shown, low, high, unit)}]` : "";
  const range = ends ? html`<span class="range">${ends}</span>` : null;
  return html`<button type="button" class="num" data-path=${path}
    aria-label=${`${label ? `${label}: ` : ""}${shown}${ends}. ${t("from.ask")}`}
    onClick=${(e) => { e.stopPropagation(); shared.openDrawer({ path, value, unit, shown, label, low, high, grade }); }}>${shown}${range}</button>`;
}

/** Parts of a sentence, each number on the line of the mark behind it. */
function kept(parts) {
  const out = [];
  for (const part of parts) {
    const before = out[out.length - 1];
    const mark = typeof part === "string" && before && typeof before === "object" ? /^[，。：；、）,.:;)]+/.exec(part) : null;
    if (mark) { out[out.length - 1] = html`<span class="keep">${before}${mark[0]}</span>`; out.push(part.slice(mark[0].length)); } else out.push(part);
  }
  return out;
}

/** A sentence of the catalogue with numbers in it. */
export function Sentence({ id, values, tag = "p", cls = "" }) {
  const parts = kept(rich(id, values));
  return tag === "h1" ? html`<h1 class=${cls} id="answer">${parts}</h1>` : html`<p class=${cls}>${parts}</p>`;
}

/** How a figure comes about, in the language of the page where it has words for it. */
export function Method({ text }) {
  const said = term(text);
  return html`<span lang=${language() === "zh" && said === text ? "en" : null}>${said}</span>`;
}

/** The library's own answer, in the language of the page where it was said in it: its first sentence, then the others. */
export function Told({ answer }) {
  const own = ((answer.meta || {}).said || {})[language()];
  const [head, ...rest] = String(own || answer.answer).split(/(?<=\.) (?=[A-Z])|(?<=。)/);
  return html`<div id="answer" class="told" lang=${own ? null : "en"}><h1>${head}</h1>${rest.length ? html`<p>${rest.join(own && language() === "zh" ? "" : " ")}</p>` : null}</div>`;
}

/** What would change the answer, from the result's own figures. */
export function Changes({ answer }) {
  const told = ((answer.meta || {}).change || {})[language()] || [];
  return told.length ? html`<section class="changes" aria-labelledby="changes-head"><h2 id="changes-head">${t("report.change")}</h2><ul>${told.map((one) => html`<li key=${one}>${one}</li>`)}</ul></section>` : null;
}

/** A box with a heading. */
export function Card({ title, children, cls = "", actions }) {
  return html`<section class=${`card ${cls}`}>
    ${title ? html`<div class="card-head"><h2>${title}</h2>${actions}</div>` : null}${children}</section>`;
}

/** What went wrong, and buttons that put it right where they can be applied. */
export function ErrorBox({ error, apply = null, kind = "" }) {
  if (!error) return null;
  const head = error.offline ? t("error.offline") : error.code === 3 ? t("error.infeasible") : error.code === 2 ? t("error.input") : t("error.program");
  return html`<div class="error" role="alert"><strong>${head}</strong>
    ${error.field && error.code === 2 ? html`<p class="field-name">${t("error.field")}: ${fieldName(kind, error.field)}</p>` : null}
    ${error.message ? html`<${Message} error=${error}/>` : null}
    <div class="buttons">${(apply ? error.remedies || [] : []).map((one) => html`<button type="button" class="remedy" onClick=${() => apply(one)}>${remedyText(one, fieldName(kind, one.field))}</button>`)}</div>
  </div>`;
}

/** The message in the language of the page where it has words for it, with the library's own below. */
function Message({ error }) {
  const own = html`<p lang="en">${error.message}</p>`;
  if (language() !== "zh") return own;
  const said = inWords(error);
  return html`<p>${said || t("error.see")}</p>${said ? html`<details><summary>${t("error.original")}</summary>${own}</details>` : own}`;
}

/** A message of the library in the page's language; empty where no words are on file. */
export function inWords(error) {
  const whole = term(error.message);
  if (whole !== error.message) return whole;
  const at = error.message.indexOf(": ");
  if (at < 0) return "";
  const [head, rest] = [error.message.slice(0, at), error.message.slice(at + 2)];
  const words = term(rest);
  if (words === rest) {
    const after = rest.indexOf(": "), told = after < 0 ? "" : term(rest.slice(after + 2));
    return told && told !== rest.slice(after + 2) ? `${word(`field.${head}`, head)} = ${rest.slice(0, after)}：${told}` : "";
  }
  const [name, ...value] = head.split("=");
  return `${word(`field.${name.trim()}`, name)}${value.length ? ` = ${value.join("=").trim()}` : ""}：${words}`;
}

function remedyText(one, field) {
  if (one.value === null) return t("remedy.leave", { field });
  const unit = ["ttft", "tpot", "e2e"].includes(one.field) ? "s" : "";
  return t("remedy.set", { field, value: compact(one.value, typeof one.value === "number" ? unit : "") });
}

/** Progress of a run, with a way to stop it. */
export function RunBar({ state, progress, cancel, seconds }) {
  if (state === "idle") return null;
  const words = { estimating: t("run.estimating"), estimate: t("run.estimate"), running: t("run.running"), done: t("run.done"), cancelled: t("run.cancelled"), failed: t("run.failed") };
  const busy = state === "running" || state === "estimating";
  const share = progress && progress.of ? progress.done / progress.of : null;
  return html`<div class=${`runbar ${state}`} role="status" aria-live="polite">
    <span class="dot" aria-hidden="true"></span><span>${words[state]}${progress && busy && progress.stage ? html` · ${stageName(progress.stage)}` : null}
    ${progress && progress.of && busy ? ` · ${progress.done}/${progress.of}` : null}${state === "done" && seconds ? ` · ${quantity(seconds, "s")}` : null}</span>
    ${share !== null && busy ? html`<progress value=${share} aria-label=${t("run.progress")}></progress>` : null}
    ${state === "running" && cancel ? html`<button type="button" class="small" onClick=${cancel}>${t("run.cancel")}</button>` : null}
  </div>`;
}

/** A label over a field; its problem stands beneath it. */
export function Field({ name, children, hint, id }) {
  return html`<div class="field"><label for=${id}>${word(`field.${name}`, name)}</label>${children}${hint ? html`<p class="hint">${hint}</p>` : null}</div>`;
}

/** Text that is read as a number with its unit, told when it is left or Enter is pressed; with a slider where it has bounds. */
export function NumberField({ name, value, unit = "", min, max, log = true, step, set, placeholder = "", whole = false }) {
  const id = `f-${name}`;
  const [text, setText] = useState(compact(value, unit));
  const [wrong, setWrong] = useState("");
  const typing = useRef(false);
  const shown = compact(value, unit);
  useEffect(() => { if (!typing.current) { setText(shown); setWrong(""); } }, [shown]);
  const commit = () => {
    typing.current = false;
    if (text.trim() === "") { setWrong(""); set(null); return; }
    const number = parse(text, unit);
    if (number === null) { setWrong(t(unit === "s" ? "field.wrong_time" : "field.wrong_number")); return; }
    setWrong("");
    set(whole ? Math.round(number) : number);
    setText(compact(whole ? Math.round(number) : number, unit));
  };
  const to = (x) => (log ? Math.log(x / min) / Math.log(max / min) : (x - min) / (max - min)) * 1000;
  const from = (p) => { const raw = log ? min * (max / min) ** (p / 1000) : min + ((max - min) * p) / 1000; return whole ? Math.max(1, Math.round(raw)) : step ? Math.round(raw / step) * step : Number(raw.toPrecision(2)); };
  const current = parse(compact(value, unit), unit);
  return html`<div class="field"><label for=${id}>${word(`field.${name}`, name)}${unit && !["s", "frac"].includes(unit) ? html` <span class="unit">[${word(`unit.${unit}`, unit)}]</span>` : null}</label>
    <div class=${min !== undefined ? "with-slider" : ""}>
    ${min !== undefined ? html`<input type="range" min="0" max="1000" step="1" aria-label=${word(`field.${name}`, name)}
      value=${current === null || !(current > 0 || !log) ? 500 : Math.min(1000, Math.max(0, to(current)))}
      aria-valuetext=${compact(value, unit)} onInput=${(e) => set(from(Number(e.target.value)))}/>` : null}
    <input type="text" inputmode="decimal" id=${id} value=${text} placeholder=${placeholder} aria-invalid=${wrong ? "true" : "false"} aria-describedby=${wrong ? `${id}-wrong` : null}
      onInput=${(e) => { typing.current = true; setText(e.target.value); }} onBlur=${() => typing.current && commit()} onKeyDown=${(e) => e.key === "Enter" && commit()} autocomplete="off"/></div>
    ${wrong ? html`<p class="wrong" id=${`${id}-wrong`} role="alert">${wrong}</p>` : null}</div>`;
}

/** A choice from a list that may be typed into. */
export function Pick({ name, value, options, set, placeholder = "" }) {
  const id = `f-${name}`;
  const [text, setText] = useState(value || "");
  useEffect(() => setText(value || ""), [value]);
  const commit = () => text !== (value || "") && set(text.trim());
  return html`<div class="field"><label for=${id}>${word(`field.${name}`, name)}</label>
    <input type="text" id=${id} list=${`${id}-list`} value=${text} placeholder=${placeholder} autocomplete="off" spellcheck=${false}
      onInput=${(e) => { setText(e.target.value); if (options.some((one) => one.value === e.target.value)) set(e.target.value); }}
      onBlur=${commit} onKeyDown=${(e) => e.key === "Enter" && commit()}/>
    <datalist id=${`${id}-list`}>${options.map((one) => html`<option value=${one.value}>${one.label}</option>`)}</datalist></div>`;
}

/** One of a few. */
export function Select({ name, value, options, set, label }) {
  const id = `f-${name}`;
  return html`<div class="field"><label for=${id}>${label || word(`field.${name}`, name)}</label>
    <select id=${id} value=${value} onChange=${(e) => set(e.target.value)}>${options.map((one) => html`<option value=${one.value} selected=${String(one.value) === String(value)}>${one.label}</option>`)}</select></div>`;
}

/** A switch. */
export function Check({ name, value, set }) {
  return html`<div class="field check"><label><input type="checkbox" checked=${!!value} onChange=${(e) => set(e.target.checked)}/> ${word(`field.${name}`, name)}</label></div>`;
}

/** Several devices as chips. */
export function Chips({ name, values, options, set }) {
  const id = `f-${name}`;
  const [text, setText] = useState("");
  const list = [].concat(values || []);
  const add = (value) => { const clean = value.trim(); if (clean && !list.includes(clean)) set([...list, clean]); setText(""); };
  const label = (value) => (options.find((one) => one.value === value) || {}).short || value;
  return html`<div class="field"><label for=${id}>${word(`field.${name}`, name)}</label>
    <div class="chips">${list.map((one) => html`<span class="chip" key=${one}>${label(one)}${list.length > 1 ? html`<button type="button" aria-label=${t("chips.remove", { name: label(one) })} onClick=${() => set(list.filter((x) => x !== one))}>×</button>` : null}</span>`)}
    <input type="text" id=${id} list=${`${id}-list`} value=${text} placeholder=${t("chips.add")} autocomplete="off" spellcheck=${false}
      onInput=${(e) => { setText(e.target.value); if (options.some((one) => one.value === e.target.value)) add(e.target.value); }} onKeyDown=${(e) => e.key === "Enter" && add(text)} onBlur=${() => text && add(text)}/></div>
    <datalist id=${`${id}-list`}>${options.map((one) => html`<option value=${one.value}>${one.label}</option>`)}</datalist></div>`;
}

/** Text to copy or keep. */
export function Code({ text, name = "jevons.txt", label }) {
  const [copied, setCopied] = useState(false);
  return html`<div class="code"><div class="code-bar">${label ? html`<span>${label}</span>` : null}
    <button type="button" class="small" onClick=${() => copy(text).then(() => { setCopied(true); setTimeout(() => setCopied(false), 1500); })}>${copied ? t("code.copied") : t("code.copy")}</button>
    <button type="button" class="small" onClick=${() => download(name, text, "text/plain")}>${t("code.download")}</button></div>
    <pre tabindex="0">${text}</pre></div>`;
}

/** Put text on the clipboard, also where the page has no right to. */
export async function copy(text) {
  try { await navigator.clipboard.writeText(text); } catch {
    const area = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(area); area.select(); document.execCommand("copy"); area.remove();
  }
}

/** Keep content as a file. */
export function download(name, content, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  link.download = name; document.body.append(link); link.click(); link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 2000);
}

/** Letters of a row beyond which a table of three columns is cards on a phone. */
const WIDE = 44;
/** Letters of the longest cell of a column of text that is not broken. */
const SHORT_TEXT = 12;
/** Pixels of a line on A4, of a letter and of a gap there. */
const PAPER = { line: 660, letter: 4.7, gap: 8 };
const longest = (text) => Math.max(0, ...String(text).split(/[\s\u3000-\u9fff-]+/).map((one) => one.length));
/** Whether a table is too wide for paper even where each cell is broken between its words. */
const isBroad = (columns, rows) => columns.reduce((sum, c) => sum + PAPER.gap + PAPER.letter * Math.max(longest(c.label), ...rows.slice(0, 60).map((row) => (typeof row[c.key] === "string" ? longest(row[c.key]) : 5))), 0) > PAPER.line;

/** A table that sorts by its heads. columns: {key, label, show?, text?}; rows are objects. */
export function Grid({ columns, rows, caption, most = 200, onPick, picked, cls = "" }) {
  const [order, setOrder] = useState(null);
  const [all, setAll] = useState(false);
  const shownRows = all ? Infinity : most;
  const sorted = useMemo(() => {
    if (!order) return rows;
    const value = (row) => row[order.key];
    return [...rows].sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === y) return 0;
      if (x === null || x === undefined) return 1;
      if (y === null || y === undefined) return -1;
      return (x < y ? -1 : 1) * (order.down ? -1 : 1);
    });
  }, [rows, order]);
  const mark = (key) => (order && order.key === key ? (order.down ? "descending" : "ascending") : "none");
  const broad = isBroad(columns, rows);
  const tight = columns.map((c) => c.text && rows.every((row) => typeof row[c.key] !== "string" || row[c.key].length <= SHORT_TEXT));
  const folds = rows.length > 0 && (columns.length > 3 || (columns.length > 2 && rows.some((row) => columns.reduce((sum, c) => sum + (typeof row[c.key] === "string" ? row[c.key].length : 0), 0) > WIDE)));
  return html`<p class="caption" aria-hidden="true">${caption}</p>${folds && rows.length > 2 ? html`<label class="fold-sort">${t("grid.sort")} <select onChange=${(e) => { const c = columns[Number(e.target.value)]; setOrder(c ? { key: c.key, down: !c.text } : null); }}><option value="">–</option>${columns.map((c, i) => html`<option value=${i} selected=${!!order && order.key === c.key}>${c.label}</option>`)}</select></label>` : null}
    <div class=${`scroll ${folds ? "fold" : ""} ${broad ? "broad" : ""} ${cls}`} tabindex="0" role="region" aria-label=${caption}>${broad ? html`<p class="on-paper">${t("grid.broad", { n: rows.length, columns: columns.length })}</p>` : null}<table role="table" aria-label=${caption}>
    <thead role="rowgroup"><tr role="row">${columns.map((c) => html`<th role="columnheader" scope="col" aria-sort=${mark(c.key)} class=${c.text ? "" : "right"}>
      <button type="button" class="sort" onClick=${() => setOrder({ key: c.key, down: order && order.key === c.key ? !order.down : false })}>${c.label}<span aria-hidden="true">${mark(c.key) === "ascending" ? " ▲" : mark(c.key) === "descending" ? " ▼" : ""}</span></button></th>`)}</tr></thead>
    <tbody role="rowgroup">${sorted.slice(0, shownRows).map((row, place) => html`<tr role="row" class=${picked === row ? "picked" : ""} onClick=${onPick ? () => onPick(row) : null}>${columns.map((c, at) => {
      const shown = c.show ? c.show(row[c.key], row) : row[c.key] ?? "–";
      return at === 0 ? html`<th role="rowheader" scope="row" class=${c.text ? "" : "right"}>${onPick ? html`<button type="button" class="link" aria-pressed=${picked === row} onClick=${(e) => { e.stopPropagation(); onPick(row); }}>${shown}</button>` : shown}</th>` : html`<td role="cell" data-label=${c.label} class=${tight[at] ? "nowrap" : c.text ? "" : "right"}>${shown}</td>`; })}</tr>`)}</tbody></table>
    ${sorted.length > shownRows ? html`<p class="hint"><button type="button" class="small" onClick=${() => setAll(true)}>${t("grid.more", { n: sorted.length - most })}</button></p>` : null}</div>`;
}

/** One of several views of the same thing. */
export function Tabs({ label, tabs, value, set }) {
  const keys = (event) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    const place = (tabs.findIndex((one) => one.value === value) + step + tabs.length) % tabs.length;
    set(tabs[place].value);
    event.currentTarget.children[place].focus();
  };
  return html`<div class="tabs" role="tablist" aria-label=${label} onKeyDown=${keys}>${tabs.map((one) => html`<button type="button" role="tab" aria-selected=${one.value === value} tabindex=${one.value === value ? 0 : -1} onClick=${() => set(one.value)}>${one.label}</button>`)}</div>`;
}

/** Ask a question when its input changes: an estimate first where there is one, then the run, whose `parts` come before its end. The newest wins. */
export function useRun(kind, input, { estimate = null, first = null, wait = 150, only = null } = {}) {
  const [view, setView] = useState({ state: "idle", answer: first, error: null, progress: null, parts: [] });
  const control = useRef(null);
  const key = JSON.stringify([kind, input, estimate]);
  const cancel = useCallback(() => { if (control.current) control.current.abort(); setView((old) => ({ ...old, state: "cancelled", progress: null })); }, []);
  useEffect(() => {
    if (shared.frozen || input === null) return undefined;
    const abort = new AbortController();
    control.current = abort;
    const put = (change) => !abort.signal.aborted && setView((old) => ({ ...old, ...change }));
    const timer = setTimeout(async () => {
      put({ state: "estimating", progress: null, parts: [] });
      try {
        if (estimate) {
          const answer = await api.post(`/${estimate.path}`, estimate.input, abort.signal);
          put({ state: only === "estimate" ? "done" : "estimate", answer, error: null, exact: false });
          if (only === "estimate") return;
        }
        if (kind) {
          put({ state: "running" });
          const part = (one) => !abort.signal.aborted && setView((old) => ({ ...old, parts: [...old.parts, one] }));
          const answer = await api.run(kind, input, { told: (progress) => put({ progress }), part, signal: abort.signal });
          put({ state: "done", answer, error: null, progress: null, parts: [], exact: true });
        }
      } catch (error) {
        if (error.name === "AbortError") { put({ state: "cancelled", progress: null }); return; }
        put({ state: "failed", error, progress: null });
      }
    }, wait);
    return () => { clearTimeout(timer); abort.abort(); };
  }, [key]);
  return { ...view, cancel };
}

/** Links to a run's files. */
export function Files({ answer, input, chart = true }) {
  const meta = answer && answer.meta;
  if (!meta || !meta.id || shared.frozen) return null;
  const endings = ["html", "json", "csv", ...(chart ? ["svg"] : []), "yaml", "py", "md"];
  return html`<div class="files"><span>${t("files.title")}</span> ${endings.map((one) => html`<a href=${api.file(meta.id, one, { lang: document.documentElement.lang.slice(0, 2) })} download>${one.toUpperCase()}</a> `)}</div>`;
}

/** What an answer rests on, in small print. */
export function Footprint({ answer }) {
  const meta = answer && answer.meta;
  if (!meta) return null;
  return html`<p class="footprint">${t("footprint", { version: meta.versions.jevons, facts: meta.versions.facts, seed: meta.seed ?? 0, id: meta.id || "–" })}</p>`;
}

/** The same question at the command line, and the files of its answer. */
export function Same({ text, name, label, answer, chart = true, title = true }) {
  const asked = !shared.frozen || Object.keys((answer.meta || {}).input || {}).length > 0;
  return html`${asked ? html`${title ? html`<h2>${t("launch.same")}</h2>` : html`<h3>${t("launch.same")}</h3>`}<${Code} label=${label || t("launch.cli")} name=${name} text=${text}/>` : null}<${Files} answer=${answer} chart=${chart}/><${Footprint} answer=${answer}/>`;
}
