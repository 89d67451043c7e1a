// Words of tables that the library writes in English, in the language of the page: whole, by pattern, or as they are.
import { language } from "jevons/i18n.js";
import { currencyName, number } from "jevons/format.js";

let terms = {};
let patterns = [];
let counts = { read: {}, shown: { zh: [] } };
let amount = /$^/;
/** A unit of money, as heads of columns have it: `bn GBP`, `INR/Mtok output`. */
let unitOfMoney = /$^/;
/** Take the words: English text to Chinese; a key with * stands for any text there, and # for any number or quarter.
 *  Patterns that say most come first. `scales` are the words that scale a number, and the steps of each language. */
export function install(words, scales) {
  counts = scales;
  const sizes = Object.keys(scales.read).filter((word) => /^[a-z]{2,}$/.test(word)).join("|");
  amount = new RegExp(`(?:(-?\\d[\\d,.]*) to )?(-?\\d[\\d,.]*) (${sizes}|[MBT](?= tokens))\\b(?: ([A-Z]{3})\\b)?`, "g");
  unitOfMoney = new RegExp(`^(?:(?:${Object.keys(scales.read).join("|")}) )?([A-Z]{3})(?:/.*| per .*)?$`);
  terms = words;
  const said = (key) => key.replace(/[*#]/g, "").length;
  patterns = Object.keys(words).filter((key) => key.includes("*") || key.includes("#")).sort((a, b) => said(b) - said(a))
    .map((key) => [new RegExp(`^${key.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/\*/g, "(.+)").replace(/#/g, "([-+±]?\\d[\\d,.]*(?:-Q\\d|-\\d\\d-\\d\\d)?)")}$`), words[key]]);
}

/** Words of an English sentence: one that has no Chinese, such as a quotation, stays whole with its amounts. */
const SENTENCE = /[a-z]{3,} [a-z]{3,}/;

/** The Chinese name of a currency. */
export const moneyName = (code) => (terms[`# ${code}`] || `# ${code}`).slice(2);

/** A kind of share in a sentence, such as "an ADS". */
export const aShare = (kind = "share") => term(`${/^[aeio]/i.test(kind) ? "an" : "a"} ${kind || "share"}`);

/** A text in the language of the page. */
export function term(text) {
  if (language() !== "zh" || typeof text !== "string" || !text) return text;
  if (terms[text] !== undefined) return terms[text];
  const money = unitOfMoney.exec(text);
  if (money && money[1] !== "CNY" && terms[`# ${money[1]}`]) {
    const inYuan = term(text.replace(money[1], "CNY"));
    return inYuan.includes("CNY") ? text : inYuan.replace("元", moneyName(money[1]));
  }
  for (const [pattern, words] of patterns) {
    const match = pattern.exec(text);
    if (match) { let i = 0; return words.replace(/[*#]/g, () => term(match[(i += 1)])); }
  }
  const colon = text.indexOf(": "), quantity = terms[text.slice(colon + 2)];
  if (colon > 0 && quantity !== undefined) return `${term(text.slice(0, colon))}：${quantity}`;
  const counted = amounts(text), told = counted !== text ? term(counted) : text;
  return told === counted && SENTENCE.test(text) ? text : told;
}

/** A text with its large amounts counted as Chinese counts them: 2,050 亿元 for 205 bn CNY. */
function amounts(text) {
  const told = text.replace(amount, (whole, from, to, word, code) => {
    const ends = [from, to].filter(Boolean).map((digits) => Number(digits.replace(/,/g, "")) * counts.read[word]);
    const most = Math.max(...ends.map(Math.abs));
    const [, size, name] = counts.shown.zh.find(([least]) => most >= least) || [0, 1, ""];
    return `${ends.map((end) => number(end / size)).join(" 至 ")}${name}${code ? currencyName(code) : ""}`;
  });
  return told === text ? text : told.replace(/ to /g, " 至 ").replace(/ \(/g, "（").replace(/\)/g, "）");
}
