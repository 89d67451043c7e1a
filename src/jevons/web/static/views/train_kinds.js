// What the run that is open takes and costs on other kinds of accelerators: asked one after the other once it is in sight.
import { html, useEffect, useRef, useState } from "jevons/vendor/preact.js";
import { language, t } from "jevons/i18n.js";
import { beside, converted, currency, device, percent, quantity } from "jevons/format.js";
import { Card, Chips, Grid, inWords, shared } from "jevons/ui.js";
import { Chart } from "jevons/chart.js";
import { link, inputs, read } from "jevons/state.js";
import { deviceOptions } from "jevons/views/common.js";
import * as api from "jevons/api.js";

/** Kinds that are shown where none are chosen. */
export const KINDS = ["h100_sxm", "h200_sxm", "b200_sxm", "h20", "ascend_910c"];
const WAIT_MS = 300;

/** The question for another kind: a price of one's own is of the kind that is open. */
const asked = (given, gpu) => { const { gpu_hour: price, scale_to: most, ...rest } = given; return { ...rest, gpu }; };

/** Answers by kind, as they come; null where it is not known yet, an error where it cannot be. */
function useKinds(kinds, answer, given, on) {
  const [known, setKnown] = useState({});
  const key = JSON.stringify([kinds, given]);
  useEffect(() => {
    if (!on) return undefined;
    const abort = new AbortController();
    setKnown({ [answer.gpu]: { answer } });
    const timer = setTimeout(async () => {
      for (const gpu of kinds.filter((one) => one !== answer.gpu)) {
        let told;
        try { told = { answer: await api.post("/train", asked(given, gpu), abort.signal, { newest: false }) }; } catch (error) { told = { error }; }
        if (abort.signal.aborted) return;
        setKnown((old) => ({ ...old, [gpu]: told }));
      }
    }, WAIT_MS);
    return () => { clearTimeout(timer); abort.abort(); };
  }, [key, on, answer.meta && answer.meta.id]);
  return known;
}

/** Whether a place has come into sight. */
function useSeen() {
  const place = useRef(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const watch = new IntersectionObserver((all) => { if (all.some((one) => one.isIntersecting)) setSeen(true); });
    watch.observe(place.current);
    return () => watch.disconnect();
  }, []);
  return [place, seen];
}

/** Days and cost of the same run by kind of accelerator. */
export function Kinds({ answer, given, chosen, choose }) {
  const [place, seen] = useSeen();
  const kinds = [...new Set([answer.gpu, ...[].concat(chosen || KINDS)])];
  const known = useKinds(kinds, answer, given, seen);
  const rows = kinds.map((gpu) => row(gpu, known[gpu]));
  const door = (gpu, text) => html`<a class="num" href=${link("train", { ...inputs(read().values), gpu, ...(gpu === answer.gpu ? {} : { gpu_hour: null }) })}>${text}</a>`;
  const figure = (unit, name) => (value, one) => (value === null ? "–" : door(one.gpu, html`${quantity(value, unit)}${one[name] ? html`<span class="range"> [${beside(quantity(value, unit), one[name][0], one[name][1], unit)}]</span>` : null}`));
  return html`<div class="card" ref=${place} id="kinds">
    <${Grid} caption=${t("train.kinds")} columns=${[{ key: "name", label: t("field.one_gpu"), text: true }, { key: "hour", label: t("train.hour"), show: figure("CNY", "") },
      { key: "days", label: t("train.days"), show: figure("d", "days_ends") }, { key: "cost", label: t("train.cost"), show: figure("CNY", "cost_ends") }, { key: "mfu", label: "MFU", show: figure("frac", "mfu_ends") }, { key: "note", label: t("train.kinds_note"), text: true }]} rows=${rows}/>
    <p class="hint">${t("train.kinds_words")}</p>
    <form class="fields" onSubmit=${(e) => e.preventDefault()}><${Chips} name="kinds" values=${kinds} options=${deviceOptions()} set=${choose}/></form>
    ${rows.filter((one) => one.cost !== null).length > 1 ? html`<${Chart} spec=${bars(rows)} height=${260}/>` : null}</div>`;
}

/** A kind as a row: its figures, or why there are none. Money is in CNY. */
function row(gpu, told) {
  const name = device(gpu), none = { gpu, name, hour: null, days: null, cost: null, mfu: null };
  if (!told) return { ...none, note: t("train.kinds_wait") };
  if (told.error) return { ...none, note: (language() === "zh" && inWords(told.error)) || told.error.message };
  const one = told.answer;
  const yuan = (value) => (value === null || value === undefined ? null : value * rate(one.currency));
  const cost = yuan(one.cost);
  return {
    gpu, name, hour: cost === null ? null : cost / one.accelerator_h, days: one.days, days_ends: [one.days_low, one.days_high], cost, cost_ends: cost === null ? null : [yuan(one.cost_low), yuan(one.cost_high)],
    mfu: one.mfu_frac, mfu_ends: [one.mfu_frac_low, one.mfu_frac_high], note: cost === null ? t("train.no_price") : one.tight ? t("train.tight", { chance: percent(one.p_fits) }) : "",
  };
}

const rate = (code) => { const { rates } = shared.catalog; return rates[code || "CNY"] ? rates[code || "CNY"].cny : 1; };

/** Cost by kind, with its interval. */
function bars(rows) {
  const priced = rows.filter((one) => one.cost !== null);
  const shown = (value) => converted(value, "CNY");
  return { id: "kinds", kind: "xy", title: t("train.kinds_chart"), summary: priced.map((one) => `${one.name} ${quantity(one.cost, "CNY")}`).join(", "),
    x: { label: t("field.one_gpu"), type: "category", values: priced.map((one) => one.name) }, y: { label: t("train.cost"), unit: currency(), type: "value" },
    series: [{ name: t("train.cost"), entity: "cost", as: "bars", data: priced.map((one) => shown(one.cost)), low: priced.map((one) => shown(one.cost_ends[0])), high: priced.map((one) => shown(one.cost_ends[1])) }] };
}
