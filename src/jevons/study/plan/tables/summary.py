"""A plan as printed tables, as JSON, and as a labelled dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jevons.expansion import ExpansionPlan
from jevons.rounding import scaled
from jevons.study.draws import summary as uncertainty
from jevons.study.draws.outcomes import OUTCOMES
from jevons.study.draws.run import Draws
from jevons.study.plan.budget_lines import PlanLines
from jevons.study.plan.tables.market import rent_table, rival_tables, ways_table
from jevons.study.plan.tables.schedule import schedule_table
from jevons.study.plan.tables.shadow_prices import shadow_table
from jevons.units import format_money

if TYPE_CHECKING:
    from jevons.study.plan.figures import PlanFigures

Table = tuple[str, Sequence[str], list[Sequence[Any]]]


def plan_tables(result: PlanFigures) -> list[Table]:
    """Return the tables that `jevons plan` prints, as (title, columns, rows)."""
    tables = [_fleet(result), _tokens(result), schedule_table(result), _calls(result), _capital(result)]
    if result.chain.inputs.rivals is not None:
        tables[3:3] = rival_tables(result)
    if result.chain.rents is not None:
        tables.insert(-1, rent_table(result))
    if result.chain.exchange.ways is not None:
        tables.insert(-1, ways_table(result))
    if result.chain.plan.months is not None:
        tables.append(_months(result, result.chain.plan.months))
    tables += [_binding(result), shadow_table(result), _accounts(result)]
    tables.append(_value(result))
    if result.lines is not None:
        tables.append(_lines(result.lines))
    tables.append(_verdict(result))
    if result.draws is not None:
        tables += [_intervals(result.draws), _sensitivity(result, result.draws)]
    return tables


def _fleet(result: PlanFigures) -> Table:
    plan = result.chain.plan

    def row(label: str, values: Any, scale: float = 1e3) -> Sequence[Any]:
        return (label, *(scaled(float(x) / scale) for x in values))

    rows: list[Sequence[Any]] = []
    for index, device in enumerate(plan.problem.devices):
        held = plan.installed[index].sum(axis=0)
        if held.max() > 0.5:
            rows.append(row(result.device_label(device), held))
    rows.append(row("all", plan.installed.sum(axis=(0, 1))))
    rows.append(row("of these for training", plan.training_devices.sum(axis=(0, 1))))
    busy = plan.busy_device_h_per_d.sum(axis=(1, 2, 4)) / 24.0
    rented = result.chain.inputs.model == len(result.models)
    rows.append(row("busy with calls, mean", busy[~rented].sum(axis=0)))
    if rented.any():
        rows.append(row("rented out, mean", busy[rented].sum(axis=0)))
    rows.append(row("ordered", plan.ordered.sum(axis=(0, 1))))
    if plan.retired_early.max() > 0.5:
        rows.append(row("retired before their life ends", plan.retired_early))
    rows.append(row("IT power of all [MW]", plan.it_w, 1e6))
    rows.append(row("site power built [MW]", plan.site_w.sum(axis=0), 1e6))
    rows.append(row("utilisation [%]", plan.utilisation_frac, 0.01))
    return ("Accelerators in service [thousand], power and use", ("", *result.quarters), rows)


def _tokens(result: PlanFigures) -> Table:
    rows: list[Sequence[Any]] = []
    tokens = result.tokens_per_d
    for row, segment in enumerate(result.segments):
        if tokens[row].max() > 0:
            rows.append((result.segment_label(segment), *(scaled(n / 1e9) for n in tokens[row])))
    rows.append(("all", *(scaled(n / 1e9) for n in tokens.sum(axis=0))))
    rows.append(("served of what is wanted [%]", *(f"{100 * f:.0f}" for f in _served_share(result))))
    return ("Tokens served a day [billion]", ("segment", *result.quarters), rows)


def _served_share(result: PlanFigures) -> Any:
    wanted = result.chain.market.tokens_per_d.sum(axis=0)
    return result.tokens_per_d.sum(axis=0) / np.maximum(wanted, 1e-30)


def _calls(result: PlanFigures) -> Table:
    paid = result.chain.market.call_price_cny * result.chain.exchange.scarcity
    rows: list[Sequence[Any]] = []
    for row, segment in enumerate(result.segments):
        if result.chain.inputs.model[row] < len(result.models):
            rows.append((result.segment_label(segment), *(scaled(p * 100) for p in paid[row])))
    return ("Price of a call, scarcity in it [CNY cents]", ("segment", *result.quarters), rows)


def _capital(result: PlanFigures) -> Table:
    plan = result.chain.plan
    spent = plan.device_capex_cny + plan.site_capex_cny
    to_date = np.cumsum(spent) / np.maximum(np.cumsum(plan.problem.money.budget_cny), 1e-30)
    rows: list[Sequence[Any]] = [
        ("accelerators and network", *(scaled(x / 1e9) for x in plan.device_capex_cny)),
        ("sites", *(scaled(x / 1e9) for x in plan.site_capex_cny)),
        ("AI budget released", *(scaled(x / 1e9) for x in plan.problem.money.budget_cny)),
        ("spent of budget to date [%]", *(f"{100 * f:.0f}" for f in to_date)),
    ]
    return ("Capital expenditure against the budget [bn CNY]", ("", *result.quarters), rows)


def _months(result: PlanFigures, fine: ExpansionPlan) -> Table:
    months = 3
    rows: list[Sequence[Any]] = []
    for index, device in enumerate(fine.problem.devices):
        ordered = fine.ordered[index].sum(axis=0).reshape(-1, months)
        if ordered.max() > 0.5:
            for m in range(months):
                label = f"{result.device_label(device)}, month {m + 1}"
                rows.append((label, *(scaled(x / 1e3) for x in ordered[:, m])))
    return ("Orders by month of the quarter [thousand]", ("", *result.quarters), rows)


def _binding(result: PlanFigures) -> Table:
    """Group neighbouring quarters with the same limits."""
    rows: list[Sequence[Any]] = []
    previous: tuple[str, ...] | None = None
    first = last = ""
    for quarter, names in (*zip(result.quarters, result.chain.plan.binding, strict=True), ("", ("end",))):
        if names != previous:
            if previous is not None:
                rows.append(
                    (
                        first if first == last else f"{first} to {last}",
                        ", ".join(map(result.limit_label, previous)) or "nothing",
                    )
                )
            first, previous = quarter, names
        last = quarter
    return ("What binds, strongest first", ("quarters", "note"), rows)


def _years(result: PlanFigures) -> list[tuple[str, list[int]]]:
    years: dict[str, list[int]] = {}
    for index, quarter in enumerate(result.quarters):
        years.setdefault(quarter[:4], []).append(index)
    return list(years.items())


def _accounts(result: PlanFigures) -> Table:
    accounts = result.chain.accounts.statements
    lines = (
        ("AI revenue, external", accounts.external_revenue_cny),
        ("AI revenue, internal", accounts.internal_revenue_cny),
        ("depreciation", -accounts.depreciation_cny),
        ("energy", -accounts.energy_cny),
        ("operations", -accounts.fixed_cny),
        ("overhead", -accounts.overhead_cny),
        ("EBITA of AI", accounts.ai_ebita_cny),
        ("EBITA of the other cloud", accounts.base_ebita_cny),
        ("capital expenditure, AI", -accounts.capex_cny),
        ("free cash flow of AI", accounts.ai_fcf_cny),
    )
    years = _years(result)
    rows: list[Sequence[Any]] = [
        (label, *(f"{series[index].sum() / 1e9 + 0.0:,.1f}".replace("-0.0", "0.0") for _, index in years))
        for label, series in lines
    ]
    cloud = accounts.external_revenue_cny + accounts.internal_revenue_cny + accounts.base_revenue_cny
    rows.insert(2, ("other cloud revenue", *(f"{accounts.base_revenue_cny[i].sum() / 1e9:,.1f}" for _, i in years)))
    rows.insert(3, ("cloud revenue", *(f"{cloud[i].sum() / 1e9:,.1f}" for _, i in years)))
    return ("Accounts by calendar year [bn CNY]", ("", *(year for year, _ in years)), rows)


def _value(result: PlanFigures) -> Table:
    accounts = result.chain.accounts
    rows: list[Sequence[Any]] = [
        (label, format_money(amount, "CNY"), _value_note(result, label)) for label, amount in accounts.valuation.bridge
    ]
    after = 1 + max((i for i, row in enumerate(rows) if row[0].startswith("AI cloud")), default=-1)
    note = "against ordering nothing, at the same prices"
    rows.insert(after, ("of these what the orders add", format_money(result.orders_value_cny, "CNY"), note))
    rows.append(("value of equity", format_money(accounts.valuation.equity_cny, "CNY"), ""))
    rows.append(("market value", format_money(accounts.market_value_cny, "CNY"), f"on {result.scenario.as_of}"))
    gap = accounts.value_per_ads_cny / accounts.price_per_ads_cny - 1
    drawn = "" if result.draws is None else f"; {uncertainty.interval_text(result.draws, 'value_per_ads_cny')} CNY"
    rows.append(
        (
            "value per ADS",
            format_money(accounts.value_per_ads_cny, "CNY"),
            f"{100 * gap:+.0f} % against the price{drawn}",
        )
    )
    rows.append(("price per ADS", format_money(accounts.price_per_ads_cny, "CNY"), ""))
    rows.append(("cloud growth that the price assumes", *_implied(result)))
    if (draws := result.draws) is not None:
        p = uncertainty.probability_text(draws, "value_created")
        rows.append(("P(value created)", p, f"that the orders are worth more than they cost; {_counted(draws)}"))
    return ("Value", ("", "value", "note"), rows)


def _lines(lines: PlanLines) -> Table:
    def row(label: str, *amounts: float) -> Sequence[Any]:
        return (label, *(f"{x / 1e9:,.1f}" for x in amounts))

    columns = (lines.spent_cny, lines.value_cny, lines.best_spent_cny, lines.best_value_cny)
    rows = [row(label, *(c[i] for c in columns)) for i, label in enumerate(lines.labels)]
    rows.append(row("all lines", *(c.sum() for c in columns)))
    rows.append(("not spent", *(f"{(lines.budget_cny - x) / 1e9:,.1f}" if x is not None else "" for x in (
        columns[0].sum(), None, columns[2].sum(), None
    ))))  # fmt: skip
    heads = ("line", "planned: money", "planned: value added", "best split: money", "best split: value added")
    return ("Budget by line [bn CNY, present value]", heads, rows)


def _value_note(result: PlanFigures, label: str) -> str:
    ai = result.chain.accounts.valuation.ai
    if label == "AI cloud: cash in the plan":
        return f"{result.quarters[0]} to {result.quarters[-1]}"
    if label == "AI cloud: what then stands":
        return "earning on at the last quarter's pace, replaced, without growth"
    if label == "AI cloud: growth after it":
        word = "destroys" if ai.growth_destroys_value else "creates"
        return f"{word} value: capital added returns {100 * ai.roic_frac:.1f} %, costs {100 * ai.wacc_frac:.1f} %"
    return ""


def _implied(result: PlanFigures) -> tuple[str, str]:
    own = result.implied[0]
    margin, capital = 100 * own["margin_frac"], own["capital_per_revenue"]
    word = growth_word(own)
    at = f"at margin {margin:.0f} %, capital {capital:.1f} per revenue"
    said = {"any": "worth it without growth", "none": "no growth below 100 % a year does"}
    return word, f"{said.get(word, 'a year for five years')}, {at}"


def growth_word(record: dict[str, Any]) -> str:
    """Return the growth a year that a price assumes: *any* where it holds without, *none* where no growth gives it."""
    if record["growth_frac"] is not None:
        return f"{100 * record['growth_frac']:.0f} %"
    return "any" if "worth it" in record["reason"] else "none"


def _counted(draws: Draws) -> str:
    held = draws.values.shape[0]
    return f"{held} draws ({draws.infeasible} more without a feasible plan)"


def _verdict(result: PlanFigures) -> Table:
    v = result.verdict
    factor = float(v.compute_factor[-1])
    word = "rises" if factor > 1 else "falls"
    rows: list[Sequence[Any]] = [
        (
            "elasticity of tokens to price, first to last",
            f"{v.elasticity[0]:.2f} to {v.elasticity[-1]:.2f}",
            "compute-weighted; adoption at its pace",
        ),
        ("pass-through of efficiency to price", f"{v.pass_through[-1]:.2f}", "last quarter; 1: all of it"),
        ("tokens wanted when efficiency doubles", f"x {v.tokens_factor[-1]:.2f}", "last quarter, supply unlimited"),
        ("compute wanted when efficiency doubles", f"x {factor:.2f}", f"last quarter: compute {word}"),
        (
            "the same once all is passed on and adopted",
            f"x {v.settled_compute_factor:.2f}",
            "all who sell halve prices, all adopt for whom it pays",
        ),
        (
            "compute of the planned fleet, the same",
            f"x {v.planned_compute_factor:.2f}",
            "whole horizon, limits of supply in force",
        ),
        (
            "capital spent, the same",
            "–" if v.planned_capex_factor is None else f"x {v.planned_capex_factor:.2f}",
            "whole horizon",
        ),
        (
            "loop gain, first to last",
            f"{abs(v.loop_gain[0]):.3f} to {v.loop_gain[-1]:.3f}",
            "1: the flywheel runs away",
        ),
    ]
    if result.draws is not None:
        draws = result.draws
        for event, when in (("jevons", "in the plan"), ("jevons_settled", "with time")):
            p = uncertainty.probability_text(draws, event)
            rows.append((f"P(Jevons) {when}", p, f"that compute wanted rises; {_counted(draws)}"))
    return ("The Jevons verdict", ("", "value", "note"), rows)


def _intervals(draws: Draws) -> Table:
    columns = ("outcome", "unit", "10 %", "median", "90 %", "mean")
    return ("Uncertainty over the stated ranges", columns, list(uncertainty.interval_rows(draws)))


def _sensitivity(result: PlanFigures, draws: Draws) -> Table:
    """Rank the inputs of each headline; the method is in the title, as the size means nothing without it."""
    rows: list[Sequence[Any]] = []
    for outcome in uncertainty.HEADLINES:
        found = uncertainty.ranked(draws, outcome, 5)
        rows += [
            (OUTCOMES[outcome][1].split(":")[0], result.amount_label(name), f"{size:+.2f}") for name, size in found
        ]
        if not found:
            rows.append((OUTCOMES[outcome][1].split(":")[0], "none stands out of chance", ""))
    least = uncertainty.chance_size(draws)
    title = f"What moves the answer: Spearman's rank correlation over the draws, chance (below {least:.2f}) left out"
    return (title, ("outcome", "input", "rank correlation"), rows)
