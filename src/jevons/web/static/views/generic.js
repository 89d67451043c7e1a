// Any result: its answer and its tables.
import { html } from "jevons/vendor/preact.js";
import { t } from "jevons/i18n.js";
import { number } from "jevons/format.js";
import { Card, Grid } from "jevons/ui.js";

/** Tables as the command line prints them. */
export function Tables({ tables, folded = false }) {
  if (!tables || !tables.length) return null;
  const shown = (column) => (cell) => (typeof cell === "number" ? number(cell * (column.scale || 1)) : typeof cell === "boolean" ? t(cell ? "yes" : "no") : cell ?? "–");
  const body = tables.map((one) => html`<${Grid} key=${one.name} caption=${one.title} most=${60} columns=${one.columns.map((c, i) => ({ key: i, label: c.unit ? `${c.label} [${c.unit}]` : c.label, text: c.text, show: shown(c) }))} rows=${one.rows}/>`);
  return html`<${Card} cls="tables"><details open=${!folded}><summary>${t("tables.title", { n: tables.length })}</summary><div lang="en">${body}</div></details><//>`;
}

export function Result({ answer }) {
  return html`<div class="answer"><h1 id="answer" lang="en">${answer.answer}</h1></div>`;
}
