"""The summary table of a plan, and its answer in two sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from jevons.results import Cell, Column, Table, table
from jevons.rounding import share_price_text
from jevons.study.draws import summary as uncertainty
from jevons.study.draws.outcomes import OUTCOMES
from jevons.study.plan.tables.lines import column_name
from jevons.units import format_count, format_money
from jevons.words import Sentence

if TYPE_CHECKING:
    from jevons.study.plan.figures import PlanFigures

_BN = 1e9

_NAMED_AT_MOST = 3
"""Inputs that the answer names; the table `value_tornado` has all."""


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
    columns += [Column("p50", "median"), Column("p10", "10 %"), Column("p90", "90 %")]
    title = f"Summary; median and 80 % range of {result.draws.values.shape[0]} draws, beside the central plan"
    return table("summary", title, columns, rows)


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
        drawn = (None, None, None) if outcome is None else _range(result, outcome, size)
        return (name, unit, None if start is None else float(start) / size, float(end) / size, *drawn)

    def path(name: str, unit: str, values: Any, size: float, outcome: str | None = None) -> tuple[Cell, ...]:
        return row(name, unit, values[0], values[-1], size, outcome)

    yield path("Accelerators in service", "thousand", plan.fleet.installed.sum(axis=(0, 1)), 1e3, "devices")
    yield path("IT power", "MW", plan.fleet.it_w, 1e6, "it_w")
    if tokens.any():
        yield path("Tokens served per day", "billion", tokens, _BN, "tokens_per_d")
        yield path("Demand served", "%", served_share(result), 0.01)
    yield path("AI revenue in the quarter", "bn ¤", books.ai_revenue_cur, _BN)
    yield path("AI EBITA in the quarter", "bn ¤", books.earnings.ai_ebita_cur, _BN)
    yield row("AI capital expenditure, whole plan", "bn ¤", None, books.capex_cur.sum(), _BN, "capex")
    yield row("Value added by new orders", "bn ¤", None, result.orders_value_cur, _BN, "orders_value")
    yield row("Value per share", "¤/share", None, accounts.value_per_share_cur, 1.0, "value_per_share")
    yield row("Price per share", "¤/share", None, accounts.price_per_share_cur)
    yield row("Compute demand, efficiency doubled", "x", None, v.compute_factor[-1], 1.0, "compute_factor")
    yield row("Compute demand, long run", "x", None, v.settled_compute_factor, 1.0, "settled_compute_factor")


def _range(result: PlanFigures, outcome: str, size: float) -> tuple[Cell, Cell, Cell]:
    """Return median, 10 and 90 % quantile of the draws."""
    if result.draws is None:
        return None, None, None
    middle, low, high = result.draws.quantiles(outcome, (0.5, 0.1, 0.9))
    return float(middle) / size, float(low) / size, float(high) / size


def headlines(result: PlanFigures) -> dict[str, dict[str, Any]]:
    """Return fleet, spending, tokens and value as the median of the draws with an 80 % interval, by name.

    Without draws they are those of the central plan, without an interval.
    """
    plan, accounts = result.chain.plan, result.chain.accounts
    central = {
        "devices": float(plan.fleet.installed[:, :, -1].sum()),
        "capex": float(accounts.statements.capex_cur.sum()),
        "tokens_per_d": float(result.tokens_per_d[:, -1].sum()),
        "value_per_share": accounts.value_per_share_cur,
        "orders_value": result.orders_value_cur,
    }
    records: dict[str, dict[str, Any]] = {}
    for name, value in central.items():
        middle, low, high = (value, None, None)
        if result.draws is not None:
            middle, low, high = result.draws.quantiles(name, (0.5, 0.1, 0.9))
        unit = OUTCOMES[name][0].replace("¤", result.scenario.currency)
        records[name] = {"value": middle, "low": low, "high": high, "unit": unit, "central": value}
    return records


def central_outside(result: PlanFigures) -> list[str]:
    """Return the headlines whose central figure lies outside the 80 % interval of the draws, by name."""
    return [
        name for name, one in headlines(result).items()
        if one["low"] is not None and not one["low"] <= one["central"] <= one["high"]
    ]  # fmt: skip


def _spread(result: PlanFigures, outcome: str, shown: Callable[[float], str]) -> str:
    """Return an outcome's median with its 80 % interval in words, or the central plan's figure without draws."""
    one = headlines(result)[outcome]
    if one["low"] is None:
        return shown(one["value"])
    low, high = shown(one["low"]), shown(one["high"])
    unit = high[high.index(" ") :] if " " in high else ""
    low = low.removesuffix(unit) if unit else low
    return f"{shown(one['value'])} ({low} to {high})"


def plan_sentences(result: PlanFigures) -> tuple[Sentence, ...]:
    """Return what is built, served, spent and worth; whether cheaper compute means more of it; what value rests on."""
    accounts, draws = result.chain.accounts, result.draws
    currency = result.scenario.currency
    per_share = headlines(result)["value_per_share"]["value"]
    equity = format_money(per_share * result.scenario.finance.shares.value, currency)
    free_cash = format_money(float(accounts.statements.cash.ai_fcf_cur.sum()), currency)
    values = {
        "scenario": result.scenario.name,
        "futures": None if draws is None else str(draws.values.shape[0]),
        "spent": _spread(result, "capex", lambda amount: format_money(amount, currency)),
        "built": _spread(result, "devices", _whole_count),
        "tokens": _spread(result, "tokens_per_d", format_count) if result.tokens_per_d[:, -1].sum() > 0 else None,
        "last": str(result.quarters[-1]),
        "free_cash": free_cash if draws is None else None,
        "share": a_share(result.scenario.firm.share),
        "worth": _spread(result, "value_per_share", _worth_text),
        "currency": currency,
        "gap": max(per_share, 0.0) / accounts.price_per_share_cur - 1,
        "equity": equity if per_share < 0 else None,
        "date": str(result.scenario.as_of),
    }
    rests = _rests_on(result)
    return (Sentence("plan.builds", values), verdict_sentence(result), *([] if rests is None else [rests]))


def a_share(kind: str) -> str:
    """Return a kind of share with its article, such as "an ADS"."""
    return f"an {kind}" if kind[:1] in "AEIOaeio" else f"a {kind}"


def _worth_text(equity_cur: float) -> str:
    """Return what a share is worth as text: its owner owes nothing where debt outweighs the firm."""
    return share_price_text(max(equity_cur, 0.0))


def _whole_count(devices: float) -> str:
    """Return a number of devices, which a plan may divide and a reader does not."""
    return format_count(devices) if devices >= 100 else f"{devices:.0f}"


def verdict_sentence(result: PlanFigures) -> Sentence:
    """Return what a doubling of efficiency does to the compute of the whole fleet, rented and training in it."""
    draws = result.draws
    v = result.verdict
    factor, settled = float(v.compute_factor[-1]), float(v.settled_compute_factor)
    chances: dict[str, str | None] = {"jevons": None, "elastic": None}
    if draws is not None:
        (factor,), (settled,) = (draws.quantiles(name, (0.5,)) for name in ("compute_factor", "settled_compute_factor"))
        chances = {event: uncertainty.probability_text(draws, event) for event in chances}
    verdict = "more" if factor > 1 else "later" if settled > 1 else "less"
    values = {"factor": factor, "settled": settled, "last": str(result.quarters[-1]), **chances}
    return Sentence(f"plan.verdict_{verdict}", values)


def _rests_on(result: PlanFigures) -> Sentence | None:
    """Return a sentence on the inputs that alone move a share's value by much, the three strongest, or nothing."""
    named = [one for one in result.value_swings if one.named and max(one.at_low_cur, one.at_high_cur) > 0]
    if not named:
        return None
    strongest, judged = named[:_NAMED_AT_MOST], all(swing.grade == "judgement" for swing in named[:_NAMED_AT_MOST])
    parts = []
    for swing in strongest:
        low, high = sorted((swing.at_low_cur, swing.at_high_cur))
        ends = {"low": _worth_text(low), "high": _worth_text(high)}
        template = "plan.moves_judged" if swing.grade == "judgement" and not judged else "plan.moves"
        parts.append(Sentence(template, {"name": result.amount_label(swing.path), **ends}))
    values = {
        "share": a_share(result.scenario.firm.share), "inputs": parts, "currency": result.scenario.currency,
        "others": len(named) - len(strongest) or None,
    }  # fmt: skip
    return Sentence("plan.rests_on_judgements" if judged else "plan.rests_on", values)
