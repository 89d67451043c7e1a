"""Writes a plan as a self-contained HTML page that opens without a network and prints well."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from jevons import __version__
from jevons.plot import FIGURES, figure_svg, plan_figure
from jevons.study import PlanResult
from jevons.study.schedule import SCHEDULE_TITLE
from jevons.units import format_count, format_money

_TEXT_COLUMNS = {"note", "unit", "kind", "accelerator", "layout"}
_STYLE = Path(__file__).with_name("style.css")

_CAPTIONS = {
    "fleet": "Accelerators in service by kind, with those held for training, and by the year of their order.",
    "power": "IT power built at each site against the accelerators' draw at full load.",
    "tokens_and_price": "Tokens served by segment, and each model's posted price relative to its list price at the start.",
    "price_schedule": "Posted standard price of each model; a step is a new entry of the schedule.",
    "demand_curve": "Demand of all segments against the mean price; the dotted path joins each quarter's price and demand.",
    "rents": "Rent of each kind over its full cost, scarce above 1 and in glut below; beside it the stock of brokers, where there are any.",
    "budget": "What is spent each quarter; grey words name the limit that binds first.",
    "cash": "Revenue and costs of the AI fleet, and its free cash flow.",
    "value_bridge": "Sum of the parts against the market value at the date.",
    "sensitivity": "Rank correlation of uncertain inputs with two outcomes over the draws; those within chance are left out.",
    "supply": "The fleet by running cost, with the scarcity rent that the planner's duals put on each kind.",
    "fan": "Median and 10 to 90 % of the draws by quarter, against a simple rule (dashed).",
    "iso_price": "Growth of the cloud a year for five years that the share price assumes; the dot is the scenario's own case; above the dashed orange line growth lowers value.",
    "tornado": "Mean outcome over the draws in which an input lies in its lowest or highest fifth, strongest rank correlation first.",
    "jevons": "Compute wanted after a doubling of efficiency over the draws, and the parts of the loop along the path.",
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
    tables = {title: (columns, rows) for title, columns, rows in result.table()}

    def shown(*titles: str) -> str:
        return "".join(_table(title, *tables[title]) for title in titles if title in tables)

    sections = [
        _section(
            "What to build",
            _figure(result, "fleet"),
            shown("Accelerators in service [thousand], power and use"),
            _figure(result, "power"),
            _figure(result, "supply"),
        ),
        _section(
            "What is served, at which price",
            _figure(result, "tokens_and_price"),
            shown("Tokens served a day [billion]", SCHEDULE_TITLE),
            _figure(result, "price_schedule"),
            shown("Price of a call, scarcity in it [CNY cents]"),
            _figure(result, "demand_curve"),
            _figure(result, "rents") if result.chain.rents is not None else "",
        ),
        _section(
            "What is spent, and what binds",
            _figure(result, "budget"),
            shown("Capital expenditure against the budget [bn CNY]", "What binds, strongest first"),
        ),
        _section("What it earns", _figure(result, "cash"), shown("Accounts by calendar year [bn CNY]")),
        _section("What it is worth", _figure(result, "value_bridge"), shown("Value"), _figure(result, "iso_price")),
        _section(
            "Does cheaper intelligence mean more compute?", _figure(result, "jevons"), shown("The Jevons verdict")
        ),
        _section(
            "How sure, and what it hangs on",
            "".join(_figure(result, name) for name in ("fan", "tornado", "sensitivity"))
            if result.draws is not None
            else "",
            shown("Uncertainty over the stated ranges"),
        ),
        _section("How each model is served", _engineering(result)),
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


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    notes = {index for index, column in enumerate(columns) if column in _TEXT_COLUMNS} | {0}
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
    plan, accounts, v = result.chain.plan, result.chain.accounts, result.verdict
    tokens = result.tokens_per_d.sum(axis=0)
    spent, budget = float(accounts.statements.capex_cny.sum()), float(plan.problem.budget_cny.sum())
    factor = float(v.compute_factor[-1])
    probability = None if result.draws is None else result.draws.probability("compute_factor", 1.0)
    gap = accounts.value_per_ads_cny / accounts.price_per_ads_cny - 1
    first, last = result.quarters[0], result.quarters[-1]
    cards = (
        (
            format_count(float(plan.installed[:, :, -1].sum())),
            f"accelerators in service in {last}",
            f"{plan.it_w[-1] / 1e6:,.0f} MW of IT power",
        ),
        (
            f"{tokens[-1] / 1e12:,.1f} trillion",
            f"tokens a day in {last}",
            f"from {tokens[0] / 1e12:,.2f} trillion in {first}",
        ),
        (
            format_money(spent, "CNY"),
            "spent on AI",
            f"{100 * spent / budget:.0f} % of the AI budget of {format_money(budget, 'CNY')}",
        ),
        (
            f"x {factor:.2f}",
            "compute wanted when efficiency doubles",
            "" if probability is None else f"it rises in {100 * probability:.0f} % of draws",
        ),
        (
            f"{gap:+.0%}",
            "value per ADS against its price",
            f"{accounts.value_per_ads_cny:,.0f} against {accounts.price_per_ads_cny:,.0f} CNY",
        ),
    )
    boxes = "".join(
        f'<div class="card"><strong>{html.escape(big)}</strong><span>{html.escape(what)}</span><small>{html.escape(small)}</small></div>'
        for big, what, small in cards
    )
    return (
        f"<header>\n<h1>{html.escape(result.scenario.name)}</h1>\n"
        f"<p class=lead>What to build, serve and charge from {first} to {last}, and what it earns, judged with what was public "
        f"on {result.scenario.as_of}. Amounts in CNY.</p>\n"
        f'<div class="cards">{boxes}</div>\n</header>\n'
    )


def _engineering(result: PlanResult) -> str:
    rows: list[Sequence[Any]] = []
    for point in result.engineering.points:
        label = result.device_label(point.device)
        if point.seconds is None or point.deployment is None:
            rows.append((point.model, label, "does not serve within the limits", "", "", "", "", ""))
            continue
        seconds, operating = point.seconds, point.seconds.point
        hour = result.chain.setting.hour_cny[list(result.scenario.hardware.devices).index(point.device), 0]
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
        "model", "accelerator", "layout", "requests at once", "TPOT [ms]", "input [tok/s per device]",
        "output [tok/s per device]", "output [CNY per Mtok, fully used]",
    )  # fmt: skip
    title = "Best static operating point by accelerator; speeds of input and output each served alone"
    return _table(title, columns, rows)


def _judgements(result: PlanResult) -> str:
    rows = [
        (path, f"{value:.4g}", f"{low:.4g} to {high:.4g}", unit if unit != "1" else "", reason)
        for path, value, low, high, unit, reason in result.judgements
    ]
    weakest = (
        "<p>No published figure was found for these; each carries a range and the reason for it. Results move with them: "
        "see the ranking above.</p>\n"
    )
    body = "".join(
        "<tr>"
        f'<th scope="row"><code>{html.escape(r[0])}</code></th>'
        f'<td class="number">{r[1]}</td><td>{r[2]}</td>'
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
            f'<tr><th scope="row"><code>{html.escape(name)}</code></th><td class="number">{html.escape(value)}</td>'
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
        f"planner are iterated with damping: residual {chain.residual:.4f} after {chain.rounds} rounds "
        f"(solver: {html.escape(chain.plan.status)}).</p>\n"
        "<p>Left out: rivals' own plans (they appear through the provider's elasticity and share), engines' queueing (a cap "
        "on utilisation stands for it), taxes other than on profit, currency movements. Operators are modelled, not "
        "measured, on most of these accelerators.</p>\n"
        f"<p class=small>jevons {__version__}; scenario {html.escape(result.file)}; seed {seed}; {draws} draws.</p>\n"
    )
