// Names of the things that a plan is about, in the language of the page.
import { has, language, t, word } from "jevons/i18n.js";
import { device } from "jevons/format.js";
import { term } from "jevons/terms.js";
import { SHORT } from "jevons/views/plan.js";

const CONTAINERS = ["devices", "sites", "models", "segments", "providers", "rivals", "lines"];

/** A path of a scenario in words: its last parts without those that only hold others. */
const spoken = (path) => path.split(".").filter((part) => !CONTAINERS.includes(part)).slice(1).join(" ").replace(/_/g, " ") || path;

/** The name of an input of the scenario. */
export function inputName(path, label) { return SHORT[path] ? t(`amount.${SHORT[path]}`) : raised(term(label && label !== path ? label : spoken(path))); }

/** A text with a capital at its start. */
export function raised(text) { return text ? text[0].toUpperCase() + text.slice(1) : text; }

/** A name within a sentence: no capital, but in AI or H20. */
export function inner(text) { return language() === "zh" || !/^[A-Z][a-z]/.test(text) ? text : text[0].toLowerCase() + text.slice(1); }

/** The name of a thing that a sentence names. */
export function thing(one, names) {
  if (one.kind === "device") return device(one.of);
  if (one.kind === "use") return word(`use.${one.of}`, term(one.text));
  if (one.kind === "input") return inputName(one.of, one.text);
  if (one.kind === "limit") return limitName(one.of, names);
  return term(one.text);
}

/** The name of a limit of the planner. */
export function limitName(name, names) {
  const [kind, what] = name.split(": ");
  const label = ((names || {}).limits || {})[name] || name;
  const of = what ? (((names || {}).devices || {})[what] ? device(what) : term(label.split(": ")[1] || what)) : "";
  const head = has(`limit.${kind}`) ? t(`limit.${kind}`) : term(kind);
  return of ? (language() === "zh" ? `${of} 的${head}` : `${head} of ${of}`) : head;
}
