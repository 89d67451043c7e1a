// Numbers for people: units, significant digits, money in the currency that is shown, 万 and 亿 in Chinese.
import { language, t } from "jevons/i18n.js";
import { moneyName, term } from "jevons/terms.js";

const settings = { currency: "CNY", rates: { CNY: { cny: 1 } }, steps: { en: [], zh: [] }, time: "auto" };

/** What times can be shown in: the unit that suits each, or one for all up to ten minutes. */
export const TIME_UNITS = ["auto", "ms", "s"];
/** Set what times are shown in. */
export function setTimes(unit) { settings.time = TIME_UNITS.includes(unit) ? unit : "auto"; }
/** The unit that a time of this size is shown in, where that is s or below, and how many of it are a second. */
export function timeUnit(seconds) {
  const unit = settings.time !== "auto" ? settings.time : Math.abs(seconds) < 1 ? "ms" : "s";
  return { unit, factor: unit === "ms" ? 1e3 : 1 };
}

/** Set what money is shown in, and the rates [CNY of one]. */
export function setMoney(currency, rates) {
  settings.currency = currency;
  if (rates) settings.rates = rates;
}
/** The currency that is shown. */
export function currency() { return settings.currency; }
/** The dated rates. */
export function rates() { return settings.rates; }
/** Set by what sizes each language counts: from which number on, the size, its word. */
export function setSteps(steps) { settings.steps = steps; }

const locale = () => (language() === "zh" ? "zh-CN" : "en-US");
/** A half goes to the even neighbour, as in what a terminal prints. */
const plain = (value, digits) => new Intl.NumberFormat(locale(), { maximumFractionDigits: digits, minimumFractionDigits: 0, roundingMode: "halfEven" }).format(value);

/** A number with three significant digits below 1,000, grouped above. */
export function number(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1000) return plain(value, 0);
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(size) + 1e-12));
  return plain(value, Math.min(decimals, 8));
}

/** By what a number of this size is counted: the size and its word. */
function step(value) {
  const [, size, name] = (settings.steps[language()] || []).find(([from]) => Math.abs(value) >= from) || [0, 1, ""];
  return { size, name };
}

/** A large count: in millions and above in English, in 万 and 亿 in Chinese; `like` sets the unit where it is another's. */
export function large(value, digits = 3, like = value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const { size, name } = step(like);
  return number(value / size, digits) + name;
}

/** A time, in the unit that suits it. */
export function duration(seconds, digits = 3) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  const size = Math.abs(seconds);
  if (size < 1e-3 && settings.time === "auto") return `${number(seconds * 1e6, digits)} µs`;
  if (size < 600) { const { unit, factor } = timeUnit(seconds); return `${number(seconds * factor, digits)} ${unit}`; }
  if (size < 86400 * 2) return `${number(seconds / 3600, digits)} ${t("unit.hour")}`;
  return `${number(seconds / 86400, digits)} ${t("unit.days")}`;
}

/** Bytes in GB. */
export function gigabytes(bytes) { return `${number(bytes / 1e9)} GB`; }

/** A share as per cent. */
export function percent(share, digits = 3) {
  return share === null || share === undefined ? "–" : `${number(share * 100, digits)} %`;
}

/** A probability as per cent, never shown as impossible or certain. */
export function chance(share) {
  if (share > 0.99) return ">99 %";
  return share < 0.01 && share !== null ? "<1 %" : percent(share, 2);
}

/** Money of a currency in the one that is shown; null where there is no rate. */
export function converted(value, from = "CNY") {
  if (value === null || value === undefined) return null;
  const a = settings.rates[from], b = settings.rates[settings.currency];
  return a && b ? (value * a.cny) / b.cny : null;
}

/** The name of a currency beside an amount. */
export function currencyName(code) { return language() === "zh" ? moneyName(code) : code; }

/** Money with its currency. */
export function money(value, from = "CNY", { digits = 3, big = true, like = value } = {}) {
  const shown = converted(value, from);
  if (shown === null) return value === null || value === undefined ? "–" : `${number(value, digits)} ${from}`;
  const name = currencyName(settings.currency);
  const text = big ? large(shown, digits, converted(like, from)) : number(shown, digits);
  return language() === "zh" ? `${text}${/\d$/.test(text) ? " " : ""}${name}` : `${text} ${name}`;
}

/** What an axis counts in, and its name: money, tokens or pieces; 亿, 万亿 and 万 in Chinese. */
export function axisScale(what) {
  const zh = language() === "zh";
  if (what === "money") return zh ? { size: 1e8, unit: `亿${currencyName(settings.currency)}` } : { size: 1e9, unit: `bn ${settings.currency}` };
  if (what === "tokens") return { size: 1e12, unit: zh ? "万亿" : "trillion" };
  return zh ? { size: 1e4, unit: "万" } : { size: 1e3, unit: "thousand" };
}

/** What an axis counts in whose values reach up to `most` of a unit, and its name. */
export function axisOf(unit, most) {
  const { size, name } = step(most);
  return { size, unit: `${name} ${unit === "1" ? "" : term(unit)}`.trim().replace(unit === currencyName(unit) ? "" : /(?<=[万亿]) /, "") };
}

/** What follows an amount of money: per hour, per million tokens. */
const perWhat = (per) => (per ? term(`¤${per}`).slice(1) : "");

/** A value in its base unit as people read it. */
export function quantity(value, unit, like = value) {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? t("yes") : t("no");
  if (value === null || value === undefined) return "–";
  const [head, ...rest] = (unit || "1").split("/");
  const per = rest.length ? `/${rest.join("/")}` : "";
  switch (head) {
    case "s": return per ? `${number(value)} s${per}` : duration(value);
    case "d": return per ? `${number(value)} d${per}` : duration(value * 86400);
    case "frac": case "%": return percent(head === "%" ? value / 100 : value);
    case "bytes": return value >= 1e12 ? `${number(value / 1e12)} TB${per}` : value >= 1e9 ? `${number(value / 1e9)} GB${per}` : `${number(value / 1e6)} MB${per}`;
    case "W": return Math.abs(value) >= 1e6 ? `${number(value / 1e6)} MW` : Math.abs(value) >= 1e3 ? `${number(value / 1e3)} kW` : `${number(value)} W`;
    case "Hz": return value >= 1e9 ? `${number(value / 1e9)} GHz` : `${number(value / 1e6)} MHz`;
    case "flop": case "FLOP": return `${number(value / 1e12)} TFLOP${per}`;
    case "CNY": case "USD": case "EUR": return money(value, head, { like }) + perWhat(per);
    case "1": case "": case "text": return large(value, 3, like) + per;
    default: return `${large(value, 3, like)} ${term(unit)}`;
  }
}

/** The short name of a device id. */
export function device(id) {
  if (!id) return "–";
  return String(id).split("_").map((word) => (/^[a-z]{5,}/i.test(word) ? word[0].toUpperCase() + word.slice(1) : word.toUpperCase())).join(" ");
}

/** A layout in few words: degrees above one. */
export function layout(one) {
  if (!one) return "";
  const parts = [];
  for (const key of ["tp", "pp", "dp", "ep", "cp", "vpp"]) {
    if (one[key] > 1) parts.push(`${key}${one[key]}${key === "dp" && one.dp_attention ? "-attention" : ""}`);
  }
  if (one.zero) parts.push(`zero${one.zero}`);
  return parts.join(" ") || "tp1";
}

/** A range; what both ends share in unit is said once. */
export function span(low, high, unit) {
  const like = Math.max(Math.abs(low), Math.abs(high));
  const [a, b] = [quantity(low, unit, like), quantity(high, unit, like)];
  const tail = (text) => text.replace(/^[-–\d.,]+/, "");
  const to = low < 0 ? t("range.to") : "–";
  return tail(a) === tail(b) && tail(a) ? `${a.slice(0, a.length - tail(a).length)}${to}${b}` : `${a}${to}${b}`;
}

/** An interval beside its value: without the unit where the value shown ends with the same. */
export function beside(shown, low, high, unit) {
  const text = span(low, high, unit);
  const tail = text.replace(/^[-–\d.,]+/, "");
  return tail && String(shown).endsWith(tail) ? text.slice(0, -tail.length) : text;
}

/** A value in its own currency, as its source states it. */
export function original(value, unit) {
  const money_ = /^(CNY|USD|EUR|HKD|JPY)(\/.*)?$/.test(unit || "");
  return money_ && typeof value === "number" ? `${large(value)} ${term(unit)}`.replace(/([万亿]) (?=.*元)/, "$1") : quantity(value, unit);
}
