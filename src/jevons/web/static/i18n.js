// Words of the page: one JSON catalogue a language, the same keys in both.
import { term } from "jevons/terms.js";

const catalogues = {};
const missing = new Set();
let current = "en";

/** Languages offered, each under its own name. */
export const LANGUAGES = { en: "English", zh: "中文" };

/** Take a language's catalogue. */
export function install(code, catalogue) { catalogues[code] = catalogue; }

/** Use a language that was installed. */
export function use(code) {
  current = code;
  document.documentElement.lang = code === "zh" ? "zh-CN" : "en";
}

/** The language in use. */
export function language() { return current; }

/** Whether a key has words. */
export function has(key) { return (catalogues[current] || {})[key] !== undefined; }

let always = {};
/** Set names that words are filled in with wherever nothing else is given: how the firm's share is called. */
export function fillAlways(values) { always = values; }

/** The words of a key, with {names} filled in; a key without words is noted for the tests. */
export function t(key, values = {}) {
  let text = (catalogues[current] || {})[key];
  if (text === undefined) { missing.add(`${current}:${key}`); text = (catalogues.en || {})[key] ?? key; }
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : name in always ? always[name] : whole));
}

/** The words of a key where it has some, else a text of its own. */
export function word(key, other) { return has(key) ? t(key) : other; }

/** The name of a function's keyword: its own for that function where it has one. */
export function fieldName(kind, key) {
  return word(`field.${kind}.${key}`, word(`field.${key}`, key));
}

/** The name of a stage of a run. */
export function stageName(stage) {
  const known = `stage.${stage}`;
  return has(known) ? t(known) : term(stage);
}

/** The words of a key as parts: text and the things that stand for its {names}. */
export function rich(key, values) {
  let text = (catalogues[current] || {})[key];
  if (text === undefined) { missing.add(`${current}:${key}`); text = key; }
  return text.split(/(\{\w+\})/g).filter(Boolean).map((part) => {
    const match = /^\{(\w+)\}$/.exec(part);
    return match && match[1] in values ? values[match[1]] : part;
  });
}

/** Keys that were asked for and have no words. */
export function missingKeys() { return [...missing]; }
window.jevonsMissingWords = missingKeys;
