// Words of tables that the library writes in English, in the language of the page: whole, by pattern, or as they are.
import { language } from "jevons/i18n.js";

let terms = {};
let patterns = [];
/** Take the words: English text to Chinese; a key with * stands for any text there, and # for any number or quarter.
 *  Patterns that say most come first. */
export function install(words) {
  terms = words;
  const said = (key) => key.replace(/[*#]/g, "").length;
  patterns = Object.keys(words).filter((key) => key.includes("*") || key.includes("#")).sort((a, b) => said(b) - said(a))
    .map((key) => [new RegExp(`^${key.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/\*/g, "(.+)").replace(/#/g, "([-+±]?\\d[\\d,.]*(?:-Q\\d|-\\d\\d-\\d\\d)?)")}$`), words[key]]);
}

/** A text in the language of the page. */
export function term(text) {
  if (language() !== "zh" || typeof text !== "string" || !text) return text;
  if (terms[text] !== undefined) return terms[text];
  for (const [pattern, words] of patterns) {
    const match = pattern.exec(text);
    if (match) { let i = 0; return words.replace(/[*#]/g, () => term(match[(i += 1)])); }
  }
  const colon = text.indexOf(": "), quantity = terms[text.slice(colon + 2)];
  return colon > 0 && quantity !== undefined ? `${term(text.slice(0, colon))}：${quantity}` : text;
}
