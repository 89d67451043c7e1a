// Charts and short tables of the report's sections.
import { t, word } from "jevons/i18n.js";
import { axisScale, converted, currency, currencyName, device, large, money, number, percent, quantity, span } from "jevons/format.js";
import { term } from "jevons/terms.js";
import { baseOutcomes, fleetChart, limits } from "jevons/views/plan.js";
import { inputName, limitName } from "jevons/views/names.js";

const last = (list) => list[list.length - 1];
const sum = (list) => list.reduce((a, b) => a + b, 0);
const quarters = (answer) => ({ label: t("report.quarter"), type: "category", values: answer.quarters });
const bn = (list, from) => list.map((v) => (v === null ? null : (converted(v, from) ?? v) / axisScale("money").size));
const tableOf = (answer, name) => (answer.meta.tables || []).find((one) => one.name === name);

/** AI revenue: the draws' interval and median, the central plan thin. */
export function revenueFan(answer) {
  const drawn = (answer.meta.paths || {}).ai_revenue;
  const from = answer.currency;
  const central = answer.cash.ai_revenue_external.map((v, i) => v + answer.cash.ai_revenue_internal[i]);
  return { id: "revenue", kind: "xy", title: t("cash.ai_revenue_external"), x: quarters(answer), y: { label: t("plan.per_quarter"), unit: axisScale("money").unit, type: "value" }, direct: true, right: 124,
    series: [...(drawn ? [{ name: t("plan.median_line"), entity: "revenue", as: "line", data: bn(drawn.p50, from), low: bn(drawn.p10, from), high: bn(drawn.p90, from), endLabel: true }] : []), { name: t("plan.central_line"), entity: drawn ? "central" : "revenue", as: "line", thin: !!drawn, data: bn(central, from), endLabel: true }] };
}

const SOURCE = () => t("report.source_central");

function build(answer, found) {
  const from = answer.currency;
  const drawn = answer.quantiles.devices;
  const spec = fleetChart(answer);
  const at = answer.quarters.length - 1;
  const blank = (value) => answer.quarters.map((_, i) => (i === at ? value : null));
  if (drawn) spec.series.push({ name: t("plan.median_line"), entity: "median", as: "points", direct: true, symbol: "diamond", size: 12, data: blank(drawn.p50 / axisScale("count").size), low: blank(drawn.p10 / axisScale("count").size), high: blank(drawn.p90 / axisScale("count").size) });
  const capex = (answer.meta.paths || {}).capex;
  const kinds = Object.entries(answer.fleet.devices).filter(([, list]) => list.some((v) => v > 0));
  return {
    charts: [{ ...spec, x: quarters(answer), note: drawn ? t("report.fleet_note") : "", source: SOURCE() },
      { id: "spend", kind: "xy", title: t("report.spend"), x: quarters(answer), y: { label: t("plan.per_quarter"), unit: axisScale("money").unit, type: "value" }, direct: true, right: 124, source: t(capex ? "report.source_draws" : "report.source_central"),
        series: [...(capex ? [{ name: t("plan.median_line"), entity: "median", as: "line", endLabel: true, data: bn(capex.p50, from), low: bn(capex.p10, from), high: bn(capex.p90, from) }] : []), { name: t("plan.central_line"), entity: capex ? "central" : "median", as: "line", thin: !!capex, endLabel: true, data: bn(answer.cash.capex, from) }, { name: t("report.budget"), entity: "budget", as: "line", dashed: true, thin: true, endLabel: true, data: bn(answer.cash.budget, from) }] }],
    table: { caption: t("plan.fleet"), heads: [t("report.kind"), answer.quarters[0], last(answer.quarters), t("report.ordered")],
      rows: kinds.sort((a, b) => last(b[1]) - last(a[1])).slice(0, 6).map(([id, list]) => [device(id), large(list[0]), large(last(list)), large(sum(answer.fleet.ordered[id]))]) },
  };
}

function binds(answer, found) {
  const spec = limits(answer);
  const names = [...new Set(answer.cash.binding.flat())];
  const shadow = tableOf(answer, "shadow_prices");
  const rows = (shadow ? shadow.rows : []).map((row) => [row, Math.max(...row.slice(2).filter((v) => v !== null).map(Math.abs))]).filter(([, most]) => most > 0).slice(0, 8);
  return {
    charts: names.length ? [{ ...spec, x: { ...spec.x, label: t("report.quarter") }, y: { ...spec.y, values: names.map((one) => limitName(one, found.names)) }, height: 60 + 34 * names.length, source: SOURCE() }] : [],
    table: rows.length ? { caption: t("report.shadow"), heads: [t("report.limit_unit"), answer.quarters[0], last(answer.quarters)], rows: rows.map(([row]) => [term(row[0]), `${number(row[2])} ${term(row[1])}`, `${number(last(row))} ${term(row[1])}`]) } : null,
  };
}

function serves(answer, found) {
  const segments = Object.entries(answer.tokens_per_day.by_segment).filter(([, list]) => last(list) > 0).sort((a, b) => last(b[1]) - last(a[1]));
  const name = (id) => term((found.names.segments || {})[id] || id);
  const shown = segments.slice(0, 7), rest = segments.slice(7);
  const total = rest.length ? answer.quarters.map((_, i) => sum(rest.map(([, list]) => list[i]))) : null;
  const models = Object.entries(answer.price_per_mtok);
  const money_ = (v) => converted(v, answer.currency) ?? v;
  return {
    charts: [{ id: "segments", kind: "xy", title: t("report.segments"), x: quarters(answer), y: { label: t("plan.tokens_axis"), unit: axisScale("tokens").unit, type: "value" }, right: 178, direct: true, source: SOURCE(),
      series: [...shown.map(([id, list]) => ({ name: name(id), entity: id, as: "line", stack: "tokens", area: true, thin: true, endLabel: true, data: list.map((v) => v / 1e12) })), ...(total ? [{ name: t("report.rest"), entity: "rest", as: "line", stack: "tokens", area: true, thin: true, endLabel: true, data: total.map((v) => v / 1e12) }] : [])] },
      { id: "prices", kind: "xy", title: t("report.prices"), x: quarters(answer), y: { label: t("report.prices_axis"), unit: `${currencyName(currency())}/Mtok`, type: "log" }, right: 92, direct: true, source: SOURCE(),
        series: models.map(([id, kinds]) => ({ name: id, entity: id, as: "steps", endLabel: true, data: kinds.output.map(money_) })) }],
    table: { caption: `${t("report.price_and_cost")} [${currencyName(currency())}/Mtok]`, heads: [t("report.model"), t("report.price_first", { quarter: answer.quarters[0] }), t("report.price_last", { quarter: last(answer.quarters) }), t("report.cost_last", { quarter: last(answer.quarters) })],
      rows: models.map(([id, kinds]) => {
        const at = (each, i) => money_(sum(Object.entries(answer.token_mix[id]).map(([kind, share]) => share * each[kind].at(i))));
        return [id, number(at(kinds, 0)), number(at(kinds, -1)), number(at(answer.cost_per_mtok[id], -1))];
      }) },
  };
}

function flows(answer, found) {
  const uses = Object.entries(answer.use);
  const quarter = last(answer.quarters);
  const use = (id) => word(`use.${id}`, term((answer.use[id] || {}).label || id));
  const segment = (id) => term((found.names.segments || {})[id] || id);
  const hours = uses.map(([id, one]) => [id, last(one.device_hours_per_day)]).filter(([, v]) => v > 0);
  const total = sum(hours.map(([, v]) => v));
  const nodes = [{ name: "fleet", title: t("report.fleet_hours"), entity: "fleet", value: total, inward: false }];
  const links = [];
  for (const [id, v] of hours) { nodes.push({ name: `use ${id}`, title: use(id), entity: `use ${id}`, value: v }); links.push({ source: "fleet", target: `use ${id}`, value: v }); }
  for (const [id] of hours) {
    const parts = Object.entries(answer.use[id].segments || {}).map(([s, one]) => [s, last(one.device_hours_per_day || [0])]).filter(([, v]) => v > 0.02 * total);
    if (parts.length > 1) for (const [s, v] of parts) { nodes.push({ name: `segment ${s}`, title: segment(s), entity: s, value: v }); links.push({ source: `use ${id}`, target: `segment ${s}`, value: v }); }
  }
  const shares = (key) => { const all = sum(uses.map(([, one]) => last(one[key]))); return Object.fromEntries(uses.map(([id, one]) => [id, all ? last(one[key]) / all : 0])); };
  const h = shares("device_hours_per_day"), r = shares("revenue");
  return {
    charts: [{ id: "hours", kind: "flow", title: t("report.hours_flow", { quarter }), unit: "h", show: (v) => percent(v / total, 2), nodes, links, height: 270, source: SOURCE() }, ...revenueFlow(answer, use)],
    wide: true,
    table: { caption: t("report.topic.flows"), heads: [t("report.use"), t("report.hours_share", { quarter }), t("report.revenue_share", { quarter })], rows: uses.map(([id]) => [use(id), percent(h[id]), percent(r[id])]) },
  };
}

/** Revenue of the last calendar year by use, and where it goes. */
function revenueFlow(answer, use) {
  const accounts = tableOf(answer, "accounts");
  if (!accounts) return [];
  const year = last(accounts.columns).label;
  const line = (name) => { const row = accounts.rows.find((one) => one[0] === name); return row ? last(row) || 0 : 0; };
  const places = answer.quarters.map((one, i) => (one.startsWith(year) ? i : -1)).filter((i) => i >= 0);
  const uses = Object.entries(answer.use).map(([id, one]) => [id, sum(places.map((i) => one.revenue[i])) / 1e9]).filter(([, v]) => v > 0);
  const total = sum(uses.map(([, v]) => v));
  const costs = [["depreciation", "Depreciation"], ["energy", "Energy"], ["operations", "Operations"], ["overhead", "Overhead"]].map(([id, name]) => [id, -line(name)]).filter(([, v]) => v > 0);
  const ebita = total - sum(costs.map(([, v]) => v));
  if (!(total > 0) || !costs.length) return [];
  const show = (v) => money(v * 1e9, answer.currency);
  const nodes = [...uses.map(([id, v]) => ({ name: `use ${id}`, title: use(id), entity: `use ${id}`, value: v })), { name: "revenue", title: t("report.revenue"), entity: "revenue", value: total },
    ...costs.map(([id, v]) => ({ name: `line ${id}`, title: t(`line.${id}`), entity: `line ${id}`, value: v })), { name: "ebita", title: ebita > 0 ? t("line.ebita") : t("report.loss"), entity: "ebita", value: Math.abs(ebita) }];
  const links = [...uses.map(([id, v]) => ({ source: `use ${id}`, target: "revenue", value: v })), ...costs.map(([id, v]) => ({ source: "revenue", target: `line ${id}`, value: v })),
    ebita > 0 ? { source: "revenue", target: "ebita", value: ebita } : { source: "ebita", target: "revenue", value: -ebita }];
  return [{ id: "money", kind: "flow", title: t("report.money_flow", { year }), unit: `10⁹ ${answer.currency}`, show, nodes, links, height: 330, source: SOURCE() }];
}

/** A bridge of factors on a logarithmic axis. */
function bridge(id, title, causes, whole) {
  const order = ["adoption", "users", "calls", "tokens_per_call", "price", "ways", "efficiency"];
  const rows = Object.entries(causes).filter(([name]) => name !== whole).sort((a, b) => order.indexOf(a[0]) - order.indexOf(b[0]));
  let level = 0;
  const spans = rows.map(([, log]) => { const from = level; level += log; return [Math.exp(from), Math.exp(level)]; });
  const names = [...rows.map(([name]) => name), "compute"];
  const all = [...spans, [1, Math.exp(level)]];
  const factors = [...rows.map(([, log]) => Math.exp(log)), Math.exp(level)];
  return { id, kind: "xy", title, horizontal: true, bare: true, right: 64, narrowRight: 52, x: { label: t("report.factor"), unit: "×", type: "log", min: Math.min(...all.flat()) * 0.9, max: Math.max(...all.flat()) * 1.1 }, y: { label: "", type: "category", values: names.map((name) => t(`report.cause.${name}`)) },
    series: [{ name: t("report.factor"), as: "spans", data: all, colours: factors.map((f, i) => (i === names.length - 1 ? "bridge total" : f >= 1 ? "bridge up" : "bridge down")), labels: factors.map((f) => `×${number(f)}`) }],
    marks: [{ axis: "x", value: 1, label: "" }], height: 60 + 34 * names.length, source: SOURCE(), table: { heads: ["", t("report.factor")], rows: names.map((name, i) => [t(`report.cause.${name}`), factors[i]]) } };
}

/** What doubled efficiency does to the AI cloud's value, by channel: a bridge that ends in the whole. */
export function valueChannels(answer) {
  const own = (answer.jevons || {}).value_channels || {};
  const most = Math.max(0, ...Object.values(own).map(Math.abs));
  const rows = Object.entries(own).filter(([, v]) => Math.abs(v) > 0.02 * most).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  if (!rows.length) return null;
  const from = answer.currency || "CNY", size = axisScale("money").size;
  const of = (v) => (converted(v, from) ?? v) / size;
  const whole = Object.values(own).reduce((sum, v) => sum + v, 0);
  const rest = whole - rows.reduce((sum, [, v]) => sum + v, 0);
  const parts = [...rows, ...(Math.abs(rest) > 0.005 * most ? [["rest", rest]] : [])];
  let level = 0;
  const spans = parts.map(([, v]) => { const start = level; level += of(v); return [start, level]; });
  const amounts = [...parts.map(([, v]) => v), whole], names = [...parts.map(([name]) => t(`report.channel.${name}`)), t("report.channel.whole")];
  return { id: "value-channels", kind: "xy", title: t("report.value_channels"), summary: parts.map(([, v], i) => `${names[i]} ${money(v, from)}`).join("; "), horizontal: true, bare: true, right: 92, narrowRight: 78,
    x: { label: t("report.value_added"), unit: axisScale("money").unit, type: "value" }, y: { label: "", type: "category", values: names },
    series: [{ name: t("report.value_added"), as: "spans", data: [...spans, [0, of(whole)]], colours: amounts.map((v, i) => (i === amounts.length - 1 ? "bridge total" : v >= 0 ? "bridge up" : "bridge down")), labels: amounts.map((v) => money(v, from)) }],
    height: 60 + 34 * names.length, source: SOURCE(), table: { heads: ["", `${t("report.value_added")} [${axisScale("money").unit}]`], rows: names.map((name, i) => [name, of(amounts[i])]) } };
}

function jevons(answer, found) {
  const [first, end] = [answer.quarters[0], last(answer.quarters)];
  const j = answer.jevons;
  const rows = Object.entries(j.segment_compute_factor).map(([id, f]) => [id, last(j.compute_share_frac[id]), f, (j.probability_by_segment || {})[id]]).filter(([, share]) => share > 0.001).sort((a, b) => b[1] - a[1]).slice(0, 8);
  return {
    charts: [bridge("bridge", t("report.bridge", { first, last: end }), j.bridge, "compute"), valueChannels(answer) || bridge("channels", t("report.channels", { last: end }), j.channels, "compute")],
    table: { caption: t("report.factor_doubled"), heads: [t("report.segment"), t("report.share_hours"), t("report.factor_doubled"), t("report.p_rises")], rows: rows.map(([id, share, f, p]) => [term((found.names.segments || {})[id] || id), percent(share), `×${number(f)}`, p === undefined || p === null ? "–" : percent(p, 2)]) },
  };
}

/** Sum of the parts against the market, and the growth that the price implies; of a plan or of a value. */
export function price(answer) {
  const from = answer.currency;
  const parts = Object.entries(answer.value.bridge).filter(([, v]) => v !== 0);
  let level = 0;
  const spans = parts.map(([, v]) => { const start = level; level += (converted(v, from) ?? v) / axisScale("money").size; return [start, level]; });
  const whole = [[0, level], [0, (converted(answer.value.market, from) ?? answer.value.market) / axisScale("money").size]];
  const names = [...parts.map(([name]) => term(name)), t("report.equity"), t("report.market_cap")];
  const amounts = [...parts.map(([, v]) => v), answer.value.equity, answer.value.market];
  const colours = [...parts.map(([, v]) => (v >= 0 ? "bridge up" : "bridge down")), "bridge total", "market"];
  const surface = answer.value.iso_price_surface.slice(1);
  const margins = [...new Set(surface.map((one) => one.margin_frac))], capitals = [...new Set(surface.map((one) => one.capital_per_revenue))];
  const code = (one) => (one.growth_frac !== null ? one.growth_frac : String(one.reason).startsWith("none") ? -1 : 9);
  const words = (v, narrow) => (v <= -1 ? (narrow ? "0" : t("report.iso_none")) : v >= 9 ? (narrow ? "✕" : t("report.iso_out")) : percent(v, 2));
  return {
    charts: [{ id: "parts", kind: "xy", title: t("report.parts"), horizontal: true, bare: true, right: 90, narrowRight: 74, x: { label: t("report.value_axis"), unit: axisScale("money").unit, type: "value" }, y: { label: "", type: "category", values: names }, series: [{ name: t("report.value_axis"), as: "spans", data: [...spans, ...whole], colours, labels: amounts.map((v) => money(v, from)) }], height: 60 + 32 * names.length, source: SOURCE(),
      table: { heads: ["", t("report.value_axis")], rows: names.map((name, i) => [name, money(amounts[i], from)]) } },
    ...(surface.length ? [{ id: "iso", kind: "heat", title: t("report.iso"), x: { label: t("report.iso_capital"), type: "category", unit: "×", values: capitals.map((v) => number(v)) }, y: { label: t("report.iso_margin"), unit: "%", type: "category", values: margins.map((v) => percent(v)) }, named: true,
      cells: surface.map((one) => [capitals.indexOf(one.capital_per_revenue), margins.indexOf(one.margin_frac), code(one)]), min: -0.1, max: 1, words, shown: (v) => words(v, false), note: t("report.iso_note"), source: SOURCE(), height: 60 + 46 * margins.length,
      table: { heads: [t("report.iso_margin"), ...capitals.map((v) => `${number(v)} ${t("report.iso_capital")}`)], rows: margins.map((m) => [percent(m), ...capitals.map((c) => { const one = surface.find((s) => s.margin_frac === m && s.capital_per_revenue === c); return one ? words(code(one), false) : null; })]) } }] : [])],
  };
}

/** What the inputs that move the value of a share most make of it at either end of their ranges. */
export function tornado(answer, rows) {
  const value = (v) => converted(v, answer.currency) ?? v;
  const middle = value(rows[0].value);
  const names = rows.map((one) => inputName(one.path, one.label));
  const end = (key) => rows.map((one) => [middle, value(one[key])]);
  return { id: "tornado", kind: "xy", title: t("report.tornado"), horizontal: true, right: 30, x: { label: t("report.share_value"), unit: currencyName(currency()), type: "value", scale: true }, y: { label: t("compare.input"), type: "category", values: names },
    series: [{ name: t("report.at_low"), entity: "at low", as: "spans", data: end("at_low") }, { name: t("report.at_high"), entity: "at high", as: "spans", data: end("at_high") }], height: 80 + 28 * names.length, source: SOURCE(),
    table: { heads: [t("compare.input"), t("report.at_low"), t("report.at_high")], rows: rows.map((one, i) => [names[i], value(one.at_low), value(one.at_high)]) } };
}

function moves(answer, found) {
  const ranks = ["compute_factor", "tokens_per_d"].map((name) => [name, Object.entries((answer.sensitivity || {})[name] || {}).slice(0, 8)]).filter(([, list]) => list.length > 1)[0];
  const label = (path) => inputName(path);
  const more = ranks ? [{ id: "ranks", kind: "xy", title: t(ranks[0] === "compute_factor" ? "report.ranks_factor" : "report.ranks_tokens"), horizontal: true, bare: true, right: 40, x: { label: t("plan.rank_correlation"), unit: "", type: "value", min: -1, max: 1 }, y: { label: t("compare.input"), type: "category", values: ranks[1].map(([path]) => label(path)) }, series: [{ name: t("plan.rank_correlation"), entity: "rank", as: "bars", data: ranks[1].map(([, r]) => r), labels: ranks[1].map(([, r]) => number(r, 2)) }], source: t("report.draws_band"), height: 80 + 28 * ranks[1].length }] : [];
  return { charts: [tornado(answer, found.swings.slice(0, 10)), ...more] };
}

function cycle(answer, found) {
  const from = answer.currency;
  const both = found.cycle;
  const drawn = (answer.meta.paths || {}).ai_revenue;
  const spec = revenueFan(answer);
  spec.series.push({ name: t("report.boom"), entity: "boom", as: "line", data: bn(both.paths.boom, from), endLabel: true }, { name: t("report.bust"), entity: "bust", as: "line", data: bn(both.paths.bust, from), endLabel: true });
  const show = { capex: (v) => money(v, from), ai_revenue: (v) => money(v, from), orders_value: (v) => money(v, from), value_per_share: (v) => money(v, from), devices: large, tokens_per_d: large, compute_factor: (v) => `×${number(v)}` };
  const base = baseOutcomes(answer);
  const central = { ...base, ai_revenue: sum(answer.cash.ai_revenue_external.slice(-4)) + sum(answer.cash.ai_revenue_internal.slice(-4)), orders_value: answer.value.orders_value };
  const rows = Object.keys(show).filter((name) => both.boom[name]).map((name) => [t(`outcome.${name}`), show[name](both.bust[name]), central[name] === undefined ? "–" : show[name](central[name]), show[name](both.boom[name])]);
  if (drawn) rows.push([t("report.p_beyond"), percent(both.shares.bust, 2), "–", percent(both.shares.boom, 2)]);
  return { charts: [{ ...spec, id: "cycle", title: t("report.cycle_chart"), source: t(drawn ? "report.source_draws" : "report.source_central") }], table: { caption: t("report.topic.cycle"), heads: [t("report.outcome"), t("report.bust"), t("plan.central_line"), t("report.boom")], rows } };
}

/** Forecast and actual by quarter. */
export function actual(answer, found) {
  const from = (name) => answer.currency || found.actuals.find((one) => one.series === name).unit;
  const names = [...new Set(found.actuals.map((one) => one.series))];
  const points = (name) => found.actuals.filter((one) => one.series === name).length;
  const pick = [...names].sort((a, b) => points(b) - points(a)).filter((name) => points(name) > 1 || names.length === 1).slice(0, 2);
  const title = (name) => word(`report.series.${name}`, term(found.actuals.find((one) => one.series === name).meaning));
  const share = (name) => name.endsWith("_frac");
  const money_ = (name) => !name.includes("tokens") && name !== "price_index" && name !== "it_w";
  const scaled = (name, v) => (v === null ? null : share(name) ? v * 100 : name.includes("tokens") ? v / axisScale("tokens").size : money_(name) ? (converted(v, from(name)) ?? v) / axisScale("money").size : name === "it_w" ? v / 1e6 : v);
  const specs = pick.map((name) => {
    const rows = found.actuals.filter((one) => one.series === name);
    return { id: `actual-${name}`, kind: "xy", title: title(name), x: { label: t("report.quarter"), type: "category", values: rows.map((one) => one.quarter) }, y: { label: share(name) || !money_(name) ? title(name) : t("plan.per_quarter"), unit: share(name) ? "%" : name.includes("tokens") ? axisScale("tokens").unit : money_(name) ? axisScale("money").unit : name === "it_w" ? "MW" : "", type: "value" }, source: t("report.source_facts"),
      series: [{ name: t("report.forecast"), entity: "forecast", as: "line", data: rows.map((one) => scaled(name, one.median)), low: rows.map((one) => scaled(name, one.low)), high: rows.map((one) => scaled(name, one.high)) }, { name: t("report.actual"), entity: "actual", as: "points", data: rows.map((one) => scaled(name, one.actual)) }] };
  });
  const show = (one, v) => (share(one.series) ? percent(v) : quantity(v, one.unit));
  return { charts: specs, table: { caption: t("report.topic.actual"), heads: [t("report.series"), t("report.quarter"), t("report.forecast"), t("report.actual"), t("report.inside")], rows: found.actuals.map((one) => [title(one.series), one.quarter, `${show(one, one.median)} [${span(one.low, one.high, share(one.series) ? "frac" : one.unit)}]`, show(one, one.actual), t(one.inside ? "yes" : "no")]) } };
}

export const SECTIONS = { build, binds, serves, flows, jevons, price, moves, cycle, actual };
