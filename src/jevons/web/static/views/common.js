// What several screens share: forms that follow the address, options of lists, the frame of form and answer.
import { html, useEffect, useMemo, useRef, useState } from "jevons/vendor/preact.js";
import { t, word } from "jevons/i18n.js";
import { device, large, number } from "jevons/format.js";
import { shared } from "jevons/ui.js";

/** Models to choose from. */
export function modelOptions() {
  return (shared.catalog ? shared.catalog.models : []).map((one) => ({ value: one.name, label: `${number(one.parameters_total / 1e9)} B` }));
}

/** Devices to choose from; those with a price where they are priced. */
export function deviceOptions() {
  return (shared.catalog ? shared.catalog.devices : []).map((one) => ({ value: one.device, label: `${one.name} · ${number(one.hbm_bytes / 1e9)} GB`, short: device(one.device) }));
}

/** APIs to choose from. */
export function apiOptions() {
  return (shared.catalog ? shared.catalog.apis : []).map((one) => ({ value: one.id, label: `${one.output} ${one.currency}/Mtok · ${one.from}` }));
}

/** Sites to choose from. */
export function siteOptions() {
  return (shared.catalog ? shared.catalog.sites : []).map((one) => ({ value: one, label: word(one, one) }));
}

/** The form's values: the screen's defaults under those of the address; set changes the address. */
export function useForm(defaults, values, go) {
  const form = { ...defaults, ...values };
  const set = (key, value) => {
    const next = { ...values };
    if (value === null || value === undefined || value === "") { if (key in defaults && defaults[key] !== null) next[key] = ""; else delete next[key]; }
    else if (JSON.stringify(value) === JSON.stringify(defaults[key])) delete next[key];
    else next[key] = value;
    go(next, { replace: true });
  };
  const setAll = (changes) => {
    const next = { ...values };
    for (const [key, value] of Object.entries(changes)) { if (value === null) delete next[key]; else next[key] = value; }
    go(next, { replace: true });
  };
  return { form, set, setAll };
}

/** The change of a form that a remedy asks for: of a list, only the wrong item gives way. */
export function remedied(form, { field, value, replaces }) {
  const old = form[field];
  const list = replaces && Array.isArray(old) && old.includes(replaces);
  return { [field]: list ? [...new Set(old.map((one) => (one === replaces ? value : one)))] : value };
}

/** Keywords for a function: empty ones left out; figures set for facts (keys f.ID of the address) go with them. */
export function keywords(form, names) {
  const given = {};
  for (const name of names) {
    const value = form[name];
    if (value !== null && value !== undefined && value !== "" && !(Array.isArray(value) && !value.length)) given[name] = value;
  }
  const own = Object.entries(form).filter(([key]) => key.startsWith("f.")).map(([key, value]) => [key.slice(2), value]);
  if (own.length) given.facts = Object.fromEntries(own);
  return given;
}

/** The form beside the answer; on a narrow window it folds above it, with its values in one line. */
export function Split({ summary, form, children }) {
  const wide = () => matchMedia("(min-width: 901px)").matches;
  const [open, setOpen] = useState(wide());
  const place = useRef(null);
  useEffect(() => {
    const media = matchMedia("(min-width: 901px)");
    const changed = () => setOpen(media.matches);
    media.addEventListener("change", changed);
    return () => media.removeEventListener("change", changed);
  }, []);
  return html`<div class="split"><details class="form" ref=${place} open=${open} onToggle=${(e) => { if (e.target === place.current && wide() && !e.target.open) e.target.open = true; }}>
    <summary>${t("form.change", { summary })}</summary><form class="fields" onSubmit=${(e) => e.preventDefault()}>${form}</form></details>
    <div class="out">${children}</div></div>`;
}

/** Tell the drawer which answer numbers belong to. */
export function useAnswer(answer) {
  useEffect(() => { if (shared.setAnswer) shared.setAnswer(answer); }, [answer]);
}

/** A figure with its name. */
export function Figure({ label, children }) { return html`<div><dt>${label}</dt><dd>${children}</dd></div>`; }

/** An interval of a figure of a result: beside it, in it, or as factors. */
export function interval(result, name, value) {
  if (!result) return {};
  if (result[`${name}_low`] !== undefined) return { low: result[`${name}_low`], high: result[`${name}_high`] };
  const own = result[name];
  if (own && typeof own === "object" && own.low !== undefined) return { low: own.low, high: own.high };
  const factors = (result.intervals_80 || {})[name];
  if (factors && value !== null && value !== undefined) return { low: value * factors.low, high: value * factors.high };
  return {};
}

export const months = 730.5;
export { large, useMemo };

/** The first of several names that an object has. */
export function first(object, ...names) {
  for (const name of names) if (object && object[name] !== undefined) return object[name];
  return null;
}

/** A table of a result as objects by column name. */
export function tableRows(answer, name) {
  const table = ((answer.meta || {}).tables || []).find((one) => one.name === name);
  return table ? table.rows.map((row) => Object.fromEntries(table.columns.map((c, i) => [c.name, row[i]]))) : [];
}
