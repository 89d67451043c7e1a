// What people write in a field, as the number that a function takes.
const TIMES = { us: 1e-6, "µs": 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600, d: 86400 };
import { language } from "jevons/i18n.js";
import { timeUnit } from "jevons/format.js";

let scales = {};
/** Take the words and letters that scale a number. */
export function setScales(words) { scales = words; }
const PERIODS = { s: 1, min: 60, h: 3600, day: 86400, d: 86400, "天": 86400, month: 2629800 };

/** How many of what a time without a unit is written in are a second: of the unit that all times are shown in, else one. */
const bareTimes = () => (timeUnit(0).unit === timeUnit(60).unit ? timeUnit(0).factor : 1);

/** A number from text such as "1,500", "1.5M", "3万", "300ms" or "1.5M/day"; null where it is none.
 *  unit "s" reads times, unit "req/s" rates with a period, unit "frac" shares: 0.3, 30 % and, above one, 30. */
export function parse(text, unit = "") {
  const clean = String(text).trim().replace(/[,，\s]/g, "");
  if (clean === "") return null;
  const match = /^([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)(.*)$/i.exec(clean);
  if (!match) return null;
  let value = Number(match[1]);
  let rest = match[2];
  if (!Number.isFinite(value)) return null;
  if (unit === "s") {
    if (rest === "") return value / bareTimes();
    return rest in TIMES ? value * TIMES[rest] : null;
  }
  const slash = rest.split("/");
  const period = slash.length > 1 ? slash[1] : "";
  const percent = slash[0].endsWith("%") || (unit === "frac" && value > 1);
  rest = slash[0].replace(/(req|tokens|tok|gpus|gpu|CNY|USD|%|years|year|y|年)$/i, "");
  if (percent) value /= 100;
  if (rest in scales) value *= scales[rest];
  else if (rest !== "") return null;
  if (period) {
    if (!(period in PERIODS)) return null;
    if (unit.endsWith("/s")) value /= PERIODS[period];
    else if (unit.endsWith("/day")) value *= PERIODS.day / PERIODS[period];
  }
  return value;
}

/** A number as a field shows it: short, counted as the language counts, and read back by parse to the same value. */
export function compact(value, unit = "") {
  if (value === null || value === undefined || value === "") return "";
  if (typeof value === "string") return value;
  const tidy = (x) => String(Number(x.toPrecision(6)));
  if (unit === "frac") return `${tidy(value * 100)} %`;
  if (unit === "s") { const shown = timeUnit(value); return `${tidy(value * shown.factor)} ${shown.unit}`; }
  if (language() === "zh" && Math.abs(value) >= 1e5) return Math.abs(value) >= 1e8 ? `${tidy(value / 1e8)} 亿` : `${tidy(value / 1e4)} 万`;
  if (Math.abs(value) >= 1e12) return `${tidy(value / 1e12)}T`;
  if (Math.abs(value) >= 1e9) return `${tidy(value / 1e9)}bn`;
  if (Math.abs(value) >= 1e6) return `${tidy(value / 1e6)}M`;
  if (Math.abs(value) >= 1e4) return Math.round(value).toLocaleString("en-US");
  return tidy(value);
}
