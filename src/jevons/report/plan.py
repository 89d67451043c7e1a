"""Writes a plan as a self-contained HTML page that opens without a network and prints well."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from jevons import __version__
from jevons.plot import FIGURES, figure_svg, plan_figure
from jevons.results import Table
from jevons.study import PlanResult
from jevons.study.draws import summary as uncertainty
from jevons.study.plan.group_cash import group_cash
from jevons.study.plan.tables import statements as books
from jevons.study.plan.valuation import required_of_plan, returns_on_capital
from jevons.units import format_count, format_money

_STYLE = Path(__file__).with_name("style.css")

_CAPTIONS = {
    "fleet": "Accelerators in service by kind, with those reserved for training, and by year of order. The diamond is the median of the draws in the last quarter, with its 10 to 90 % range.",
    "power": "IT power built at each site and the accelerators' draw at full load. The bar in the last quarter is the range over the draws.",
    "tokens_and_price": "Tokens served by segment, and each model's list price relative to the start.",
    "price_schedule": "Standard list price of each model; a step is a new entry of the schedule.",
    "demand_curve": "Demand of all segments against the mean price of a token in three quarters (lines), and the plan's price and demand in each quarter (points).",
    "rents": "Rent of each accelerator over its full cost: above 1 scarcity, below 1 a glut. Beside it the stock of brokers, if there are any.",
    "budget": "Spending each quarter against the released budget. The words over a bar name the strongest limit; demand means that more capacity would not sell at its cost.",
    "cash": "Revenue and costs of the AI fleet, and its free cash flow.",
    "value_bridge": "Sum of the parts against the market capitalisation at the date. The black bar is the 10 to 90 % range of the draws.",
    "sensitivity": "Rank correlation of uncertain inputs with two outcomes over the draws, strongest first. Pale bars are no larger than chance may give among so many inputs.",
    "supply": "The fleet by running cost, with the planner's scarcity rent of each kind. A positive rent means that one more accelerator would be used.",
    "fan": "Median and 10 to 90 % range of the draws by quarter, the plan at its central figures (dotted), and a simple rule (dashed).",
    "iso_price": "Cloud growth over five years that the share price implies (blue), by EBITA margin, capital per revenue and cost of capital. In the orange field no growth below 100 % a year is enough; in the green field none is needed. Left of the dashed line added capital returns less than it costs, and growth lowers value. The dot is the scenario's own case.",
    "tornado": "Mean outcome over the draws in which an input lies in its lowest or highest fifth, widest first. Pale bars are inputs whose correlation may be chance.",
    "jevons": "Left: compute demand in the last quarter after a doubling of efficiency, over the draws; the outline is the long run (full pass-through and adoption). Middle: size of the price elasticity of tokens, and the share of a cost saving that reaches the price; bars are 10 to 90 % of the draws. Right: loop gain (learning exponent times pass-through times elasticity; band: 10 to 90 % of the draws). From 1 on growth feeds itself.",
}


def plan_html(result: PlanResult) -> str:
    """Return the report of a plan as one HTML document.

    Parameters
    ----------
    result : PlanResult
        From `jevons.plan`.

    Returns
    -------
    str
        HTML with its style and SVG figures inside; no script, no outside reference but links to sources.
    """
    accounts = result.chain.accounts
    returns = books.returns_table(returns_on_capital(result.scenario, accounts), result.scenario.cost.wacc.value)
    cash = group_cash(result.scenario, accounts)
    more = [
        *books.statement_tables(accounts.statements, cash, accounts.contracts),
        returns,
        books.required_table(required_of_plan(accounts)),
    ]
    tables = {one.name: one for one in (*result.tables.values(), *more)}

    placed: set[str] = {"summary"}

    def shown(*names: str) -> str:
        """Return the tables of these names that the plan has."""
        placed.update(names)
        return "".join(_named(tables[name]) for name in names if name in tables)

    sections = [
        _section(
            "What to build",
            _figure(result, "fleet"),
            shown("fleet"),
            _figure(result, "power"),
            _figure(result, "supply"),
        ),
        _section(
            "What is served, and at which price",
            _figure(result, "tokens_and_price"),
            shown("tokens", "price_schedule"),
            _figure(result, "price_schedule"),
            shown("call_prices"),
            _figure(result, "demand_curve"),
            _figure(result, "rents") if result.chain.rents is not None else "",
        ),
        _section(
            "The whole market",
            shown(
                "use", "uses", "market_tokens", "market_shares", "market_prices", "rents", "shortages", "own_rent_api"
            ),
        ),
        _section(
            "Spending and binding limits",
            _figure(result, "budget"),
            shown("capital", "months", "binding", "shadow_prices", "budget_lines"),
        ),
        _section(
            "Earnings",
            _figure(result, "cash"),
            shown("accounts", "statements_ai", "statements_cloud", "statements_group", "returns"),
        ),
        _section(
            "Value",
            _figure(result, "value_bridge"),
            shown("value", "required"),
            _figure(result, "iso_price"),
        ),
        _section(
            "Does cheaper intelligence mean more compute?",
            _figure(result, "jevons"),
            shown("jevons", "bridge", "channels", "responses"),
        ),
        _section(
            "Uncertainty and sensitivity",
            "".join(_figure(result, name) for name in ("fan", "tornado", "sensitivity"))
            if result.draws is not None
            else "",
            shown("uncertainty", "sensitivity"),
        ),
        _section("How each model is served", _engineering(result), shown("operating_points", "reconciliation")),
        _section("Other tables", shown(*(name for name in tables if name not in placed))),
        _section("Figures that rest on judgement", _judgements(result)),
        _section("Sources", _sources(result)),
        _section("Method and limits", _method(result)),
    ]
    title = html.escape(result.scenario.name)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>\n{_STYLE.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n<main>\n"
        f"{_head(result)}\n{''.join(sections)}</main>\n</body>\n</html>\n"
    )


def _section(title: str, *parts: str) -> str:
    if not any(parts):
        return ""
    return f"<section>\n<h2>{html.escape(title)}</h2>\n{''.join(parts)}</section>\n"


def _figure(result: PlanResult, name: str) -> str:
    if name not in FIGURES:
        return ""
    svg = figure_svg(plan_figure(result, name))
    caption = f"{_CAPTIONS[name]} {result.scenario.name}; facts of {result.scenario.as_of}."
    return (
        f'<figure role="group">\n<div class="chart" role="img" aria-label="{html.escape(_CAPTIONS[name])}">{svg}</div>\n'
        f"<figcaption>{html.escape(caption)}</figcaption>\n</figure>\n"
    )


def _named(one: Table) -> str:
    """Return a table of the plan; columns of words read from the left."""
    words = [column.head if one.text(place) else "" for place, column in enumerate(one.columns)]
    return _table(one.title, [column.head for column in one.columns], one.shown(), {w for w in words if w})


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], words: set[str]) -> str:
    notes = {index for index, column in enumerate(columns) if column in words} | {0}
    head = "".join(
        f'<th scope="col"{"" if i in notes else " class=number"}>{html.escape(str(column))}</th>'
        for i, column in enumerate(columns)
    )
    body = []
    for row in rows:
        cells = [f'<th scope="row">{html.escape(str(row[0]))}</th>']
        cells += [
            f"<td{'' if i in notes else ' class=number'}>{html.escape(str(cell))}</td>"
            for i, cell in enumerate(row[1:], start=1)
        ]
        body.append(f"<tr>{''.join(cells)}</tr>")
    lines = "\n".join(body)
    wide = ' class="wide"' if len(columns) > 8 else ""
    return (
        f'<div class="table"><table{wide}>\n<caption>{html.escape(title)}</caption>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{lines}\n</tbody>\n</table></div>\n"
    )


def _head(result: PlanResult) -> str:
    first, last = result.quarters[0], result.quarters[-1]
    boxes = "".join(
        f'<div class="card"><strong>{html.escape(big)}</strong><span>{html.escape(what)}</span>'
        f"{''.join(f'<small>{html.escape(line)}</small>' for line in small if line)}</div>"
        for big, what, *small in _cards(result)
    )
    return (
        f"<header>\n<h1>{html.escape(result.scenario.name)}</h1>\n"
        f"<p class=lead>{html.escape(result.answer)}</p>\n"
        f"<p>The plan runs from {first} to {last} and uses what was public on {result.scenario.as_of}. Amounts are in {result.scenario.currency}. "
        "Large figures are the plan at its central inputs; ranges are those of the draws, whose median may differ.</p>\n"
        f'<div class="cards">{boxes}</div>\n</header>\n'
    )


def _cards(result: PlanResult) -> list[tuple[str, ...]]:
    """Return figure, meaning, comparison, and interval or probability of each headline."""
    plan, accounts, draws = result.chain.plan, result.chain.accounts, result.draws
    tokens = result.tokens_per_d.sum(axis=0)
    spent, budget = float(accounts.statements.capex_cur.sum()), float(plan.problem.money.budget_cur.sum())
    gap = accounts.value_per_share_cur / accounts.price_per_share_cur - 1
    first, last = result.quarters[0], result.quarters[-1]

    def between(outcome: str) -> str:
        return "" if draws is None else uncertainty.interval_text(draws, outcome)

    def chance(event: str, name: str) -> str:
        return "" if draws is None else f"{name} {uncertainty.probability_text(draws, event)}"

    long_run = "" if draws is None else f"; in the long run {uncertainty.probability_text(draws, 'jevons_settled')}"
    return [
        (
            format_count(float(plan.installed[:, :, -1].sum())), f"accelerators in service in {last}",
            f"{plan.it_w[-1] / 1e6:,.0f} MW of IT power", between("devices"),
        ),
        (
            f"{tokens[-1] / 1e12:,.1f} trillion", f"tokens a day in {last}",
            f"from {tokens[0] / 1e12:,.2f} trillion in {first}", between("tokens_per_d"),
        ),
        (
            format_money(spent, result.scenario.currency), "spent on AI",
            f"{100 * spent / budget:.0f} % of the AI budget of {format_money(budget, result.scenario.currency)}", between("capex"),
        ),
        (
            f"x {float(result.verdict.compute_factor[-1]):.2f}", "compute demand when efficiency doubles",
            between("compute_factor"), f"{chance('jevons', 'P(Jevons), that it rises:')}{long_run}",
        ),
        (
            format_money(result.orders_value_cur, result.scenario.currency), "value added by new orders",
            between("orders_value"), chance("value_created", "P(value created):"),
        ),
        (
            f"{accounts.value_per_share_cur:,.0f} {result.scenario.currency}", "value per share",
            f"{gap:+.0%} against its price of {accounts.price_per_share_cur:,.0f} {result.scenario.currency}", between("value_per_share"),
        ),
    ]  # fmt: skip


def _engineering(result: PlanResult) -> str:
    rows: list[Sequence[Any]] = []
    for point in result.engineering.points:
        label = result.device_label(point.device)
        if point.seconds is None or point.deployment is None:
            rows.append((point.model, label, "cannot meet the latency limits", "", "", "", "", ""))
            continue
        seconds, operating = point.seconds, point.seconds.point
        hour = result.chain.setting.hour_cur[list(result.scenario.hardware.devices).index(point.device), 0]
        rows.append(
            (
                point.model,
                label,
                f"{point.deployment.layout} {point.deployment.precision}",
                f"{operating.batch:,.0f}",
                f"{operating.tpot_s * 1e3:.0f}",
                f"{1 / seconds.per_input_token_s:,.0f}",
                f"{1 / seconds.per_output_token_s:,.0f}",
                f"{hour * seconds.per_output_token_s / 3600 * 1e6:.2f}",
            )
        )
    columns = (
        "model", "accelerator", "layout", "concurrent requests", "TPOT [ms]", "input [tok/s per device]",
        "output [tok/s per device]", f"output [{result.scenario.currency} per Mtok, fully used]",
    )  # fmt: skip
    title = "Best static operating point by accelerator; input and output speeds each without the other"
    return _table(title, columns, rows, {"model", "accelerator", "layout"})


def _path(path: str) -> str:
    """Return a path that breaks after its dots."""
    return f"<code>{html.escape(path).replace('.', '.<wbr>')}</code>"


def _plain(value: float, low: float, high: float, unit: str) -> tuple[str, str, str]:
    """Return a figure, its range and its unit as people write them: 250 and 150 to 400 MW, not 2.5e+08 W."""
    size = max(abs(value), abs(low), abs(high))
    scale, word = 1.0, "" if unit == "1" else unit
    if unit.startswith("W"):
        scale, word = 1e6, f"M{unit}"
    else:
        for step, name in ((1e12, "tn"), (1e9, "bn"), (1e6, "mn")):
            if size >= step:
                scale, word = step, f"{name} {word}".strip()
                break

    def text(number: float) -> str:
        return f"{number / scale:,.0f}" if abs(number / scale) >= 1000 else f"{number / scale:.4g}"

    return text(value), f"{text(low)} to {text(high)}", word


def _judgements(result: PlanResult) -> str:
    rows = [
        (path, *_plain(value, low, high, unit), reason.removeprefix("judgement: "))
        for path, value, low, high, unit, reason in result.judgements
    ]
    weakest = (
        "<p>No published figure was found for these; each carries a range and the reason for it. Results move with them: "
        "see the ranking above.</p>\n"
    )
    body = "".join(
        "<tr>"
        f'<th scope="row">{_path(r[0])}</th>'
        f'<td class="number">{r[1]}</td><td class="range">{r[2]}</td>'
        f"<td>{html.escape(r[3])}</td><td>{html.escape(r[4])}</td></tr>"
        for r in rows
    )
    return (
        weakest
        + '<div class="table"><table class="small">\n<thead><tr><th scope="col">figure</th><th scope="col" class="number">value'
        '</th><th scope="col">range</th><th scope="col">unit</th><th scope="col">reason</th></tr></thead>\n'
        f"<tbody>{body}</tbody></table></div>\n"
    )


def _sources(result: PlanResult) -> str:
    rows = []
    for name, (value, unit, start, grade, source, url) in result.sources.items():
        linked = html.escape(source)
        if url.startswith(("https://", "http://")):
            linked = f'<a href="{html.escape(url.split()[0], quote=True)}">{linked}</a>'
        rows.append(
            f'<tr><th scope="row">{_path(name)}</th><td class="number">{html.escape(value)}</td>'
            f"<td>{html.escape(unit)}</td><td>{start}</td><td>{grade}</td><td>{linked}</td></tr>"
        )
    return (
        '<div class="table"><table class="small">\n<thead><tr><th scope="col">fact</th><th scope="col" class="number">value</th>'
        '<th scope="col">unit</th><th scope="col">from</th><th scope="col">grade</th><th scope="col">source</th></tr></thead>\n'
        f"<tbody>{''.join(rows)}</tbody></table></div>\n"
    )


def _method(result: PlanResult) -> str:
    chain = result.chain
    seed = result.scenario.seed
    draws = 0 if result.draws is None else result.draws.outcomes["devices"].size
    return (
        "<p>Device-hours are priced from capital at the cost of capital over the economic life, sites, power and operations. "
        "A token costs device-seconds times that. Posted prices follow cost with inertia and in steps; adoption follows diffusion among "
        "those for whom a call is worth its price, so elasticity is an outcome. A linear program chooses orders, sites and "
        "dispatch under budget, chip supply, lead times, power and build rates; its duals name what binds. Market and "
        f"planner are iterated with damping: residual {chain.convergence.residual:.4f} after {chain.convergence.rounds} rounds, "
        f"prices {100 * chain.convergence.gap_frac:.2f} % from the planner's own, weighted by revenue "
        f"(solver: {html.escape(chain.plan.status)}).</p>\n"
        "<p>Left out: what rivals build (their costs, prices and shares are modelled), engines' queueing (a cap "
        "on utilisation stands for it), taxes other than on profit, currency movements. Operators are modelled, not "
        "measured, on most of these accelerators.</p>\n"
        f"<p class=small>jevons {__version__}; scenario {html.escape(result.file)}; seed {seed}; {draws} draws.</p>\n"
    )
