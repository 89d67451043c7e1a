// The page: head with screens and settings, the screen of the address, the drawer.
import { html, render, useEffect, useState } from "jevons/vendor/preact.js";
import * as i18n from "jevons/i18n.js";
import { t } from "jevons/i18n.js";
import { TIME_UNITS, setMoney, setSteps, setTimes } from "jevons/format.js";
import { setScales } from "jevons/parse.js";
import { DATE, go, inputs, link, read, setting, settled, shareable, sharedFrom } from "jevons/state.js";
import { copy, shared } from "jevons/ui.js";
import { Drawer, Overridden } from "jevons/drawer.js";
import * as api from "jevons/api.js";
import * as start from "jevons/views/start.js";
import * as size from "jevons/views/size.js";
import * as choice from "jevons/views/choice.js";
import * as replay from "jevons/views/replay.js";
import * as train from "jevons/views/train.js";
import * as plan from "jevons/views/plan.js";
import * as compare from "jevons/views/compare.js";
import * as facts from "jevons/views/facts.js";
import * as generic from "jevons/views/generic.js";
import * as report from "jevons/views/report.js";
import { usePaper } from "jevons/views/paper.js";
import { aShare, install as installTerms } from "jevons/terms.js";

const SCREENS = { start, size, choice, replay, train, plan, compare, facts };
/** Screens by the kind of a result. */
const OF_KIND = { size, buy_rent_api: choice, simulate: replay, train, plan, compare, simulation: replay, sweep: replay, fleet: replay };

/** Whether a comparison is of two scenarios, not of two questions of the page. */
const ofScenarios = (meta, doc) => meta.kind === "compare" && !Array.isArray(doc.result.attribution);

/** Whether a frozen result shows money that can be converted; that of others stands in its tables as it was told. */
const converts = ({ meta, document: doc }) => ["cost", "value", "track"].includes(meta.kind) || (meta.kind in OF_KIND && !ofScenarios(meta, doc));

/** The currency that a frozen result is in, where that is of its question and not of the reader's choice. */
const heldCurrency = () => {
  const { meta, document: doc } = shared.frozen || {};
  return !meta || (meta.kind in OF_KIND && meta.kind !== "plan" && !ofScenarios(meta, doc)) ? null : meta.currency || doc.result.currency || null;
};
/** The rates that money is shown by; a result in a currency without one is shown in that alone. */
const moneyRates = () => {
  const all = (shared.catalog || shared.frozen || {}).rates || { CNY: { cny: 1 } }, held = heldCurrency();
  if (shared.frozen && !converts(shared.frozen)) return { [held || "CNY"]: { cny: 1 } };
  return held && !(held in all) ? { [held]: { cny: 1 } } : all;
};
/** The currency that is shown: the one chosen, else the result's own, else the language's. */
const shownCurrency = () => {
  const chosen = settled("cur", ""), rates = moneyRates();
  return chosen in rates ? chosen : heldCurrency() || (i18n.language() === "zh" ? "CNY" : "USD");
};

function useAddress() {
  const [now, setNow] = useState(read());
  useEffect(() => {
    const changed = () => setNow(read());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return now;
}

/** Ends of the last quarters before a day. */
function quarterEnds(today, count) {
  const [year, month] = today.split("-").map(Number);
  const quarters = year * 4 + Math.floor((month - 1) / 3);
  return Array.from({ length: count }, (_, i) => new Date(Date.UTC(Math.floor((quarters - i) / 4), ((quarters - i) % 4) * 3, 0)).toISOString().slice(0, 10));
}

const OTHER = "other";
/** The date of the facts: today's, an earlier one, or the one that the screen's own answer is of. */
function AsOf({ screen, values, fixed }) {
  const [other, setOther] = useState(false);
  const { today } = shared.catalog;
  const date = String(values[DATE] ?? "");
  const put = (value) => { setOther(false); if (value !== date) go(screen, { ...values, [DATE]: value }, { replace: true }); };
  if (fixed) return html`<span class="dated">${t("settings.as_of", { date: fixed })}</span>`;
  if (!dated(screen)) return null;
  if (other) return html`<input type="date" aria-label=${t("field.as_of")} value=${date} max=${today} autofocus ref=${(one) => one && one.focus()} onChange=${(e) => e.target.value && put(e.target.value)} onKeyDown=${(e) => e.key === "Escape" && setOther(false)} onBlur=${() => setOther(false)}/>`;
  const days = [...new Set([...(date ? [date] : []), ...quarterEnds(today, 8)])].sort().reverse();
  return html`<label><span class="hidden">${t("field.as_of")}</span><select aria-label=${t("field.as_of")} title=${t("field.as_of")} value=${date} onChange=${(e) => (e.target.value === OTHER ? setOther(true) : put(e.target.value))}>
    <option value="" selected=${!date}>${t("settings.as_of_today")}</option>${days.map((day) => html`<option key=${day} value=${day} selected=${day === date}>${t("settings.as_of", { date: day.slice(0, 40) })}</option>`)}<option value=${OTHER}>${t("settings.as_of_other")}</option></select></label>`;
}
/** Whether a screen answers as of a date that can be chosen. */
const dated = (screen) => !!SCREENS[screen] && (SCREENS[screen].KEYS || []).includes(DATE);

function Settings({ rates, children }) {
  const lang = i18n.language();
  return html`<div class="settings">${children}
    ${Object.keys(rates).length < 2 ? null : html`<label><span class="hidden">${t("settings.currency")}</span><select aria-label=${t("settings.currency")} value=${shownCurrency()} onChange=${(e) => setting("cur", e.target.value)}>${Object.keys(rates).map((one) => html`<option selected=${one === shownCurrency()}>${one}</option>`)}</select></label>`}
    ${shared.frozen && shared.frozen.document.findings ? null : html`<label><span class="hidden">${t("settings.time")}</span><select aria-label=${t("settings.time")} title=${t("settings.time")} onChange=${(e) => setting("time", e.target.value)}>${TIME_UNITS.map((one) => html`<option value=${one} selected=${one === settled("time", "auto")}>${t(`time.${one}`)}</option>`)}</select></label>`}
    <button type="button" onClick=${() => setting("lang", lang === "zh" ? "en" : "zh")} lang=${lang === "zh" ? "en" : "zh-CN"}>${lang === "zh" ? "English" : "中文"}</button>
    <button type="button" aria-label=${t("settings.theme")} title=${t("settings.theme")} onClick=${() => setting("theme", document.documentElement.dataset.theme === "dark" || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches) ? "light" : "dark")}>◐</button>
    ${shared.frozen ? null : html`<${Hold}/><${Share}/>`}</div>`;
}

/** Keep the address as A; with one kept, compare it with the one that is open. */
function Hold() {
  const { screen } = read();
  const [held, setHeld] = useState(sessionStorage.getItem("jevons.a"));
  if (!["size", "choice", "replay", "train", "plan"].includes(screen)) return null;
  const fits = held && read(held).screen === screen && held !== location.hash;
  return html`<button type="button" onClick=${() => {
    if (fits) { go("compare", { a: held, b: location.hash }); return; }
    sessionStorage.setItem("jevons.a", location.hash);
    setHeld(location.hash);
  }}>${fits ? t("compare.with_a") : held === location.hash ? t("compare.held") : t("compare.hold")}</button>`;
}

/** What of the address is not understood here: its screen, keys of no field, or other versions than those that answer. */
function Misread({ screen, values }) {
  const view = SCREENS[screen], from = sharedFrom();
  const { jevons, facts } = shared.catalog.versions;
  const strange = view && view.KEYS ? Object.keys(values).filter((key) => !view.KEYS.includes(key) && !/^[fs]\./.test(key)) : [];
  const lines = [...(view ? [] : [t("address.screen", { screen: screen.slice(0, 40) })]),
    ...(strange.length ? [t("address.keys", { keys: strange.slice(0, 8).map((key) => key.slice(0, 40)).join(", ") })] : []),
    ...(from && from !== `${jevons} ${facts}` ? [t("address.versions", { from: String(from).slice(0, 60), here: `${jevons} ${facts}` })] : [])];
  return lines.length ? html`<p class="banner own" role="status">${lines.map((line) => html`<span key=${line}>${line}</span>`)}</p>` : null;
}

/** Words while the workers compile, when answers take longer. */
function Warming() {
  const [ready, setReady] = useState(true);
  useEffect(() => {
    let timer = null;
    const look = () => api.get("/status").then((one) => { const on = one.workers.every((w) => w.ready); setReady(on); if (!on) timer = setTimeout(look, 1000); }).catch(() => {});
    look();
    return () => clearTimeout(timer);
  }, []);
  return ready ? null : html`<p class="banner" role="status">${t("warming")}</p>`;
}

function Share() {
  const [told, setTold] = useState(false);
  return html`<button type="button" onClick=${() => copy(shareable(shared.catalog.versions)).then(() => { setTold(true); setTimeout(() => setTold(false), 1500); })}>${told ? t("share.copied") : t("share")}</button>`;
}

function apply(values) {
  i18n.use(["en", "zh"].includes(settled("lang", shared.frozen ? shared.frozen.language : "")) ? settled("lang", shared.frozen ? shared.frozen.language : "") : /^zh/.test(navigator.language) ? "zh" : "en");
  const theme = settled("theme", "");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme; else delete document.documentElement.dataset.theme;
  setMoney(shownCurrency(), moneyRates());
  setTimes(settled("time", "auto"));
  i18n.fillAlways({ share: aShare(((shared.frozen || {}).meta || {}).share) });
  document.title = `jevons · ${t(`screen.${SCREENS[values] ? values : "start"}`)}`;
}

function App() {
  const { screen, values } = useAddress();
  const [asked, setAsked] = useState(null);
  const [answer, setAnswer] = useState(null);
  const [fixed, setFixed] = useState(null);
  apply(screen);
  shared.openDrawer = setAsked;
  shared.setAnswer = setAnswer;
  shared.setDate = setFixed;
  const view = SCREENS[screen] || start;
  const own = inputs(values);
  if (!dated(screen)) delete own[DATE];
  useEffect(() => {
    const keys = (event) => { if (event.key === "e" && event.target.classList && event.target.classList.contains("num")) event.target.click(); };
    addEventListener("keydown", keys);
    return () => removeEventListener("keydown", keys);
  }, []);
  return html`<a class="skip" href="#main" onClick=${(e) => { e.preventDefault(); document.getElementById("main").focus(); }}>${t("skip")}</a>
    <header class="top"><a class="brand" href=${link("start")}>jevons</a>
      <nav aria-label=${t("nav")}>${Object.keys(SCREENS).filter((one) => one !== "start").map((one) => html`<a href=${link(one)} aria-current=${one === screen ? "page" : null} onClick=${(e) => { e.preventDefault(); go(one); }}>${t(`screen.${one}`)}</a>`)}</nav>
      <${Settings} rates=${moneyRates()}><${AsOf} screen=${screen} values=${own} fixed=${fixed}/><//></header>
    <${Warming}/>
    <main id="main" tabindex="-1"><${Misread} screen=${screen} values=${own}/><${Overridden}/><${view.View} values=${own} key=${screen} go=${(next, options) => go(screen, dated(screen) ? { [DATE]: null, ...next } : next, options)}/></main>
    <footer class="bottom"><p>${t("footer")}</p></footer>
    <${Drawer} asked=${asked} answer=${answer} frozen=${null} close=${() => setAsked(null)}/>`;
}

function Frozen() {
  useAddress();
  const [asked, setAsked] = useState(null);
  const { document: doc, meta } = shared.frozen;
  apply("start");
  shared.openDrawer = setAsked;
  shared.setAnswer = () => {};
  const answer = { ...doc.result, meta: { ...meta, tables: doc.tables, notes: doc.notes, paths: doc.paths, distributions: doc.distributions, findings: doc.findings, said: doc.said, said_notes: doc.said_notes, change: doc.change, explained: Object.keys(doc.nodes) } };
  const view = doc.findings ? report : ofScenarios(meta, doc) ? generic : OF_KIND[meta.kind] || generic;
  const title = doc.findings ? `jevons · ${doc.result.scenario}` : `jevons · ${i18n.word(`screen.${meta.kind}`, meta.kind)}`;
  useEffect(() => { document.title = title; });
  usePaper(view !== report);
  return html`<header class="top"><span class="brand">jevons</span><${Settings} rates=${moneyRates()}/></header>
    <main id="main" class="frozen">${meta.command && view !== report ? html`<p class="asked"><span>${t("frozen.asked")}</span> <code>${meta.command}</code></p>` : null}<${view.Result} answer=${answer} input=${meta.input} state="done"/>${view === report ? null : html`<${generic.Tables} tables=${doc.tables} folded=${view !== generic}/>`}</main>
    <footer class="bottom"><p>${t("frozen.footer")}</p></footer>
    <${Drawer} asked=${asked} answer=${answer} frozen=${doc} close=${() => setAsked(null)}/>`;
}

async function boot() {
  const place = document.getElementById("app");
  const held = document.getElementById("frozen");
  if (held) {
    shared.frozen = JSON.parse(held.textContent);
    shared.frozen.document.nodes = window.jevonsNodes || shared.frozen.document.nodes || {};
    for (const [code, words] of Object.entries(shared.frozen.languages)) i18n.install(code, words);
    installTerms(shared.frozen.terms || {}, shared.frozen.scales);
    setSteps(shared.frozen.scales.shown); setScales(shared.frozen.scales.read);
    place.textContent = "";
    render(html`<${Frozen}/>`, place);
    return;
  }
  try {
    const [en, zh, catalog, terms] = await Promise.all([api.get("/i18n/en.json"), api.get("/i18n/zh.json"), api.get("/catalog"), fetch("/static/i18n/terms.zh.json").then((r) => r.json())]);
    i18n.install("en", en); i18n.install("zh", zh); installTerms(terms, catalog.scales);
    shared.catalog = catalog;
    setSteps(catalog.scales.shown); setScales(catalog.scales.read);
  } catch (error) {
    place.innerHTML = "";
    place.append(Object.assign(document.createElement("p"), { className: "boot", textContent: error.message || "The service does not answer. 服务没有响应。" }));
    return;
  }
  place.textContent = "";
  render(html`<${App}/>`, place);
}
boot();
