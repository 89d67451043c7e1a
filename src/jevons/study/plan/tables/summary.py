"""The tables of a plan by name: the summary first, then everything behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from jevons.expansion import ExpansionPlan
from jevons.results import Cell, Column, Table, table
from jevons.rounding import shown_in
from jevons.study.draws import summary as uncertainty
from jevons.study.draws.outcomes import OUTCOMES
from jevons.study.draws.run import Draws
from jevons.study.plan.budget_lines import PlanLines
from jevons.study.plan.tables.calls import calls_table
from jevons.study.plan.tables.lines import Line, by_period, line
from jevons.study.plan.tables.market import rent_table, rival_tables, shortage_table, ways_frac, ways_table
from jevons.study.plan.tables.operating_points import point_tables
from jevons.study.plan.tables.overview import overview_table, served_share
from jevons.study.plan.tables.schedule import schedule_table
from jevons.study.plan.tables.shadow_prices import shadow_table
from jevons.study.plan.tables.tornado import tornado_table
from jevons.study.plan.tables.uses import use_tables
from jevons.study.plan.tables.verdict import response_tables, value_table, verdict_table

if TYPE_CHECKING:
    from jevons.study.plan.figures import PlanFigures

_BN = 1e9
_OF_CALLS = ("tokens_per_d", "price_index")


def plan_tables(result: PlanFigures) -> Iterator[Table]:
    """Yield the tables of a plan, the summary first; all others print only when asked for.

    A table without a row is left out: a firm that sells no calls has no prices of calls.
    """
    return (each for each in _all_tables(result) if each.rows)


def _all_tables(result: PlanFigures) -> Iterator[Table]:
    chain = result.chain
    yield overview_table(result)
    yield from use_tables(result)
    yield from point_tables(result)
    yield _fleet(result)
    if result.tokens_per_d.any():
        yield _tokens(result)
    yield from rival_tables(result)
    yield schedule_table(result)
    yield _calls(result)
    yield calls_table(result)
    if chain.rents is not None:
        yield rent_table(result)
        yield shortage_table(result)
    if ways_frac(result) is not None:
        yield ways_table(result)
    yield _capital(result)
    if chain.plan.months is not None:
        yield _months(result, chain.plan.months)
    yield _binding(result)
    yield shadow_table(result)
    yield _accounts(result)
    yield value_table(result)
    if result.value_swings:
        yield tornado_table(result)
    if result.lines is not None:
        yield _budget_lines(result.lines)
    yield verdict_table(result)
    yield from response_tables(result)
    if result.draws is not None:
        yield _intervals(result, result.draws)
        yield _sensitivity(result, result.draws)


def _fleet(result: PlanFigures) -> Table:
    plan = result.chain.plan

    def thousand(name: str, values: Any) -> Line:
        return line(name, "thousand", values, over=1e3)

    lines = []
    for v, device in enumerate(plan.problem.devices):
        in_service = plan.fleet.installed[v].sum(axis=0)
        if in_service.max() > 0.5:
            lines.append(thousand(result.device_label(device), in_service))
    lines.append(thousand("All accelerators", plan.fleet.installed.sum(axis=(0, 1))))
    lines.append(thousand("Reserved for training", plan.fleet.training_devices.sum(axis=(0, 1))))
    busy = plan.service.busy_device_h_per_d.sum(axis=(1, 2, 4)) / 24.0
    rented = result.chain.inputs.model >= len(result.models)
    lines.append(thousand("Serving calls, daily mean", busy[~rented].sum(axis=0)))
    if rented.any():
        lines.append(thousand("Rented out, daily mean", busy[rented].sum(axis=0)))
    lines.append(thousand("Ordered in the quarter", plan.fleet.ordered.sum(axis=(0, 1))))
    if plan.retired_early.max() > 0.5:
        lines.append(thousand("Retired early", plan.retired_early))
    lines.append(line("IT power of all accelerators", "MW", plan.fleet.it_w, over=1e6))
    lines.append(line("Site power built", "MW", plan.fleet.site_w.sum(axis=0), over=1e6))
    lines.append(line("Utilisation", "%", plan.service.utilisation_frac, over=0.01))
    return by_period("fleet", "Accelerators in service, power and utilisation", result.quarters, lines)


def _tokens(result: PlanFigures) -> Table:
    tokens = result.tokens_per_d
    lines = [
        line(result.segment_label(segment), "billion", tokens[s], over=_BN)
        for s, segment in enumerate(result.segments)
        if tokens[s].max() > 0
    ]
    lines.append(line("All segments", "billion", tokens.sum(axis=0), over=_BN))
    lines.append(line("Demand served", "%", served_share(result), over=0.01))
    return by_period("tokens", "Tokens served per day", result.quarters, lines, of="segment")


def _calls(result: PlanFigures) -> Table:
    paid = result.chain.market.call_price_cur * result.chain.exchange.scarcity
    lines = [
        line(result.segment_label(segment), "¤ cents", paid[s], over=0.01)
        for s, segment in enumerate(result.segments)
        if result.chain.inputs.model[s] < len(result.models)
    ]
    return by_period("call_prices", "Price per call, scarcity included", result.quarters, lines, of="segment")


def _capital(result: PlanFigures) -> Table:
    plan = result.chain.plan
    spent, budget = plan.spending.device_capex_cur + plan.spending.site_capex_cur, plan.problem.money.budget_cur
    to_date = np.cumsum(spent) / np.maximum(np.cumsum(budget), 1e-30)
    lines = [
        line("Accelerators and network", "bn ¤", plan.spending.device_capex_cur, over=_BN),
        line("Sites", "bn ¤", plan.spending.site_capex_cur, over=_BN),
        line("AI budget released", "bn ¤", budget, over=_BN),
        line("Share of the released budget spent to date", "%", to_date, over=0.01),
    ]
    return by_period("capital", "Capital expenditure and budget", result.quarters, lines)


def _months(result: PlanFigures, fine: ExpansionPlan) -> Table:
    months = 3
    lines = []
    for v, device in enumerate(fine.problem.devices):
        ordered = fine.fleet.ordered[v].sum(axis=0).reshape(-1, months)
        if ordered.max() > 0.5:
            for m in range(months):
                name = f"{result.device_label(device)}, month {m + 1}"
                lines.append(line(name, "thousand", ordered[:, m], over=1e3))
    return by_period("months", "Orders by month of the quarter", result.quarters, lines, of="accelerator and month")


def _binding(result: PlanFigures) -> Table:
    """Return the rank of each limit in each quarter; 1 is the strongest."""
    by_quarter = result.chain.plan.worth.binding
    limits = dict.fromkeys(name for names in by_quarter for name in names)
    lines = [
        Line(
            name=result.limit_label(limit), unit="rank",
            values=[names.index(limit) + 1 if limit in names else None for names in by_quarter],
        )
        for limit in limits
    ]  # fmt: skip
    title = "Binding limits by quarter: rank of each limit, 1 is the strongest"
    return by_period("binding", title, result.quarters, lines, of="limit")


def _years(result: PlanFigures) -> list[tuple[str, list[int]]]:
    """Return the calendar years, each with its quarters; a year of which the plan has a part names that part."""
    years: dict[str, list[int]] = {}
    for index, quarter in enumerate(result.quarters):
        years.setdefault(quarter[:4], []).append(index)

    def head(year: str, indices: list[int]) -> str:
        first, last = (result.quarters[indices[end]][5:] for end in (0, -1))
        return year if len(indices) == 4 else f"{year} {first}" + (f"-{last}" if first != last else "")

    return [(head(year, indices), indices) for year, indices in years.items()]


def _accounts(result: PlanFigures) -> Table:
    accounts = result.chain.accounts.statements
    cloud = (
        accounts.revenue.external_revenue_cur + accounts.revenue.internal_revenue_cur + accounts.base.base_revenue_cur
    )
    named = (
        ("AI revenue, external", accounts.revenue.external_revenue_cur),
        ("AI revenue, internal", accounts.revenue.internal_revenue_cur),
        ("Other cloud revenue", accounts.base.base_revenue_cur),
        ("Cloud revenue", cloud),
        ("Depreciation", -accounts.depreciation_cur),
        ("Energy", -accounts.costs.energy_cur),
        ("Operations", -accounts.costs.fixed_cur),
        *([("Leases of sites", -accounts.costs.lease_cur)] if accounts.costs.lease_cur.any() else []),
        ("Overhead", -accounts.costs.overhead_cur),
        ("EBITA, AI", accounts.earnings.ai_ebita_cur),
        ("EBITA, other cloud", accounts.base.base_ebita_cur),
        ("Capital expenditure, AI", -accounts.capex_cur),
        ("Free cash flow, AI", accounts.cash.ai_fcf_cur),
    )
    years = _years(result)
    lines = [line(name, "bn ¤", [path[i].sum() for _, i in years], over=_BN) for name, path in named]
    return by_period("accounts", "Accounts by calendar year", [year for year, _ in years], lines, of="line")


def _budget_lines(lines: PlanLines) -> Table:
    columns = (
        Column("name", "budget line"),
        Column("planned_spent", "planned: money", "bn ¤", scale=1 / _BN),
        Column("planned_value", "planned: value", "bn ¤", scale=1 / _BN),
        Column("best_spent", "best split: money", "bn ¤", scale=1 / _BN),
        Column("best_value", "best split: value", "bn ¤", scale=1 / _BN),
    )
    paths = (lines.spent_cur, lines.value_cur, lines.best_spent_cur, lines.best_value_cur)
    totals = [float(path.sum()) for path in paths]
    rows: list[Iterable[Cell]] = [(label, *(float(path[i]) for path in paths)) for i, label in enumerate(lines.labels)]
    rows.append(("All lines", *totals))
    spent, _, best_spent, _ = totals
    rows.append(("Unspent", lines.budget_cur - spent, None, lines.budget_cur - best_spent, None))
    return table("budget_lines", "Budget by line (present value)", columns, rows, detail=True)


def _told(result: PlanFigures, outcome: str) -> bool:
    """Return whether an outcome says something: tokens and their prices do where the firm sells calls."""
    return outcome not in _OF_CALLS or bool(result.tokens_per_d.any())


def _intervals(result: PlanFigures, draws: Draws) -> Table:
    columns = (
        Column("name", "outcome"), Column("unit", "unit"), Column("p10", "10 %"), Column("p50", "median"),
        Column("p90", "90 %"), Column("mean", "mean"),
    )  # fmt: skip
    rows = []
    for record in filter(lambda one: _told(result, one["outcome"]), uncertainty.interval_records(draws)):
        size, unit = shown_in(record["unit"])
        rows.append((record["meaning"], unit, *(float(record[q]) / size for q in ("p10", "p50", "p90", "mean"))))
    return table("uncertainty", "Uncertainty over the stated ranges of the inputs", columns, rows, detail=True)


def _sensitivity(result: PlanFigures, draws: Draws) -> Table:
    """Rank the inputs of each headline; the method is in the title, as the size means nothing without it."""
    rows: list[Iterable[Cell]] = []
    for outcome in filter(lambda one: _told(result, one), uncertainty.HEADLINES):
        strongest = uncertainty.ranked(draws, outcome, 5)
        meaning = OUTCOMES[outcome][1].split(":")[0]
        rows += [(meaning, result.amount_label(path), float(size)) for path, size in strongest]
        if not strongest:
            rows.append((meaning, "no input is distinguishable from chance", None))
    least = uncertainty.chance_size(draws)
    title = f"Inputs that move the outcomes most: Spearman's rank correlation over the draws, from {least:.2f} (chance)"
    columns = (Column("name", "outcome"), Column("input", "input"), Column("rank_correlation", "rank correlation"))
    return table("sensitivity", title, columns, rows, detail=True)
