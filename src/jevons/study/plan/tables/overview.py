"""The summary table of a plan, and its answer in two sentences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from jevons.results import Cell, Column, Table, table
from jevons.study.draws import summary as uncertainty
from jevons.study.plan.tables.lines import column_name
from jevons.units import format_count, format_money

if TYPE_CHECKING:
    from jevons.study.plan.figures import PlanFigures

_BN = 1e9


def overview_table(result: PlanFigures) -> Table:
    """Return a dozen lines: first and last quarter or whole plan, with the 10 to 90 % range of the draws."""
    first, last = result.quarters[0], result.quarters[-1]
    columns = [
        Column("name", "quantity"), Column("unit", "unit"), Column(column_name(first), first),
        Column(column_name(last) if last != first else "last", f"{last} or plan"),
    ]  # fmt: skip
    rows = list(_overview_rows(result))
    if result.draws is None:
        return table("summary", "Summary", columns, (row[:4] for row in rows))
    columns += [Column("p10", "10 % of draws"), Column("p90", "90 % of draws")]
    return table("summary", "Summary; ranges are the 10 and 90 % quantiles of the draws", columns, rows)


def served_share(result: PlanFigures) -> Any:
    """Return tokens served over tokens demanded by quarter."""
    demanded = result.chain.market.tokens_per_d.sum(axis=0)
    return result.tokens_per_d.sum(axis=0) / np.maximum(demanded, 1e-30)


def _overview_rows(result: PlanFigures) -> Iterable[tuple[Cell, ...]]:
    plan, accounts, v = result.chain.plan, result.chain.accounts, result.verdict
    tokens, books = result.tokens_per_d.sum(axis=0), accounts.statements

    def row(
        name: str, unit: str, start: Any, end: Any, size: float = 1.0, outcome: str | None = None
    ) -> tuple[Cell, ...]:
        """Return a row; *size* is that of the unit in SI, *outcome* names the draws of its last number."""
        low, high = (None, None) if outcome is None else _range(result, outcome, size)
        return (name, unit, None if start is None else float(start) / size, float(end) / size, low, high)

    def path(name: str, unit: str, values: Any, size: float, outcome: str | None = None) -> tuple[Cell, ...]:
        return row(name, unit, values[0], values[-1], size, outcome)

    yield path("Accelerators in service", "thousand", plan.installed.sum(axis=(0, 1)), 1e3, "devices")
    yield path("IT power", "MW", plan.it_w, 1e6, "it_w")
    if tokens.any():
        yield path("Tokens served per day", "billion", tokens, _BN, "tokens_per_d")
        yield path("Demand served", "%", served_share(result), 0.01)
    yield path("AI revenue in the quarter", "bn ¤", books.ai_revenue_cur, _BN)
    yield path("AI EBITA in the quarter", "bn ¤", books.ai_ebita_cur, _BN)
    yield row("AI capital expenditure, whole plan", "bn ¤", None, books.capex_cur.sum(), _BN, "capex")
    yield row("Value added by new orders", "bn ¤", None, result.orders_value_cur, _BN, "orders_value")
    yield row("Value per share", "¤", None, accounts.value_per_share_cur, 1.0, "value_per_share")
    yield row("Price per share", "¤", None, accounts.price_per_share_cur)
    yield row("Compute demand, efficiency doubled", "x", None, v.compute_factor[-1], 1.0, "compute_factor")
    yield row("Compute demand, long run", "x", None, v.settled_compute_factor, 1.0, "settled_compute_factor")


def _range(result: PlanFigures, outcome: str, size: float) -> tuple[Cell, Cell]:
    if result.draws is None:
        return None, None
    low, high = result.draws.quantiles(outcome, (0.1, 0.9))
    return float(low) / size, float(high) / size


def plan_answer(result: PlanFigures) -> str:
    """Return two sentences: what is built, served, spent and worth; and whether cheaper compute means more of it."""
    plan, accounts = result.chain.plan, result.chain.accounts
    last = result.quarters[-1]
    spent = format_money(float(accounts.statements.capex_cur.sum()), result.scenario.currency)
    free_cash = format_money(float(accounts.statements.ai_fcf_cur.sum()), result.scenario.currency)
    gap = accounts.value_per_share_cur / accounts.price_per_share_cur - 1
    worth = share_price_text(accounts.value_per_share_cur)
    built = format_count(float(plan.installed[:, :, -1].sum()))
    tokens = float(result.tokens_per_d[:, -1].sum())
    served = f" and {format_count(tokens)} tokens a day" if tokens > 0 else ""
    return (
        f"{result.scenario.name}: {spent} of AI capital expenditure gives {built} accelerators{served} in "
        f"{last}, free cash flow of AI over the plan is {free_cash}, and a share is worth "
        f"{worth} ¤, {100 * gap:+.0f} % against its price on {result.scenario.as_of}. "
        f"{verdict_sentence(result)}{_rests_on(result)}"
    )


def share_price_text(price: float) -> str:
    """Return a price of a share: whole units from a hundred on, hundredths below."""
    return f"{price:,.0f}" if abs(price) >= 100 else f"{price:,.2f}"


def verdict_sentence(result: PlanFigures) -> str:
    """Return what a doubling of efficiency does to the compute of the whole fleet, rented and training in it."""
    draws, last = result.draws, result.quarters[-1]
    v = result.verdict
    factor, settled = float(v.compute_factor[-1]), float(v.settled_compute_factor)
    chance = ""
    if draws is not None:
        jevons, elastic = (uncertainty.probability_text(draws, event) for event in ("jevons", "elastic"))
        chance = f", P(Jevons) {jevons}, P(elasticity above one) {elastic}"
    if factor > 1:
        verdict = "cheaper compute means more of it"
    elif settled > 1:
        verdict = "cheaper compute means more of it in the long run only"
    else:
        verdict = "cheaper compute does not mean more of it"
    return (
        f"Doubled efficiency multiplies the compute that all uses want, rented and training in it, by {factor:.2f} in "
        f"{last} and by {settled:.2f} in the long run{chance}: {verdict}."
    )


def _rests_on(result: PlanFigures) -> str:
    """Return a sentence on the inputs that alone move a share's value by a tenth, or nothing."""
    named = [one for one in result.value_swings if one.named]
    if not named:
        return ""
    parts = [
        f"{result.amount_label(one.path)} ({one.at_low_cur:,.0f} to {one.at_high_cur:,.0f} ¤"
        f"{', a judgement' if one.grade == 'judgement' else ''})"
        for one in named
    ]
    return f" Value rests on single inputs: over its range, {'; '.join(parts)}."
