"""Table of calls by segment: how many a year, of how many tokens, at which price, and what they bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jevons.arrays import Array
from jevons.results import Cell, Column, Table, table
from jevons.units import DAYS_PER_QUARTER

if TYPE_CHECKING:
    from jevons.study.plan.figures import PlanFigures

_YEAR = 4


def calls_table(result: PlanFigures) -> Table:
    """Return each segment's calls in the last four quarters: all providers' and the firm's, price and revenue."""
    columns = (
        Column("name", "segment"),
        Column("all_calls", "calls of all providers", "bn/y", scale=1e-9),
        Column("calls", "calls of the firm", "bn/y", scale=1e-9),
        Column("tokens", "tokens per call"), Column("price", "price per call", "¤ cents", scale=100),
        Column("all_revenue", "revenue of all providers", "bn ¤/y", scale=1e-9),
        Column("revenue", "revenue of the firm", "bn ¤/y", scale=1e-9),
    )  # fmt: skip
    title = "Calls by segment over the last four quarters, at the firm's price"
    rows: list[tuple[Cell, ...]] = [
        (result.segment_label(name), *values.values()) for name, values in calls_by_segment(result).items()
    ]
    return table("calls", title, columns, rows, detail=True)


def calls_by_segment(result: PlanFigures) -> dict[str, dict[str, float]]:
    """Return what the table holds, by segment: `all_calls`, `calls`, `tokens`, `price`, `all_revenue` and `revenue`."""
    market = result.chain.market
    served = market.calls_per_d * result.served_frac
    price = market.call_price_cur * result.chain.exchange.scarcity
    by_segment: dict[str, dict[str, float]] = {}
    for s, name in enumerate(result.segments):
        if not result.chain.inputs.use.counts_tokens[s] or not _year(served[s]) > 0:
            continue
        firm, everyone = _year(served[s]), _year(market.market_calls_per_d[s])
        paid = _year(served[s] * price[s]) / firm
        by_segment[name] = {
            "all_calls": everyone, "calls": firm, "tokens": _year(result.tokens_per_d[s]) / firm, "price": paid,
            "all_revenue": everyone * paid, "revenue": firm * paid,
        }  # fmt: skip
    return by_segment


def _year(per_day: Array) -> float:
    """Return the sum of a daily rate over the last four quarters, fewer where the plan is shorter, as a year."""
    return float(per_day[-_YEAR:].mean()) * DAYS_PER_QUARTER * _YEAR
