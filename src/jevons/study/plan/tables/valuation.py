"""The tables of `jevons value`: summary, statements, returns, iso-price surface, futures, re-rating."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from jevons.results import Cell, Column, Table, table
from jevons.study.plan.tables.statements import required_table, returns_table, statement_tables
from jevons.study.plan.tables.verdict import growth_word, value_table

if TYPE_CHECKING:
    from jevons.study.plan.figures import PlanFigures
    from jevons.study.plan.group_cash import GroupCash

_BN = 1e9
_GROWTH = {"any": "none needed", "none": "above 100 % a year"}
"""What stands for a growth that no figure states."""


def value_tables(plan: PlanFigures, record: dict[str, Any], cash: GroupCash) -> Iterator[Table]:
    """Yield the tables of a valuation, the summary first; all others print only when asked for."""
    yield _summary(plan, record)
    yield value_table(plan)
    yield from statement_tables(plan.chain.accounts.statements, cash, plan.chain.accounts.contracts)
    yield returns_table(record["returns"], record["wacc_frac"])
    yield required_table(record["required"])
    yield _surface(record)
    yield _deliver(record)
    yield _stories(record["stories"])
    if record["rerating"] is not None:
        yield _rerating(record["rerating"])
        if "from_cloud_alone" in record["rerating"]:
            yield _alone(record["rerating"])
    if record["basket"] is not None:
        yield _basket(record["basket"], record["rerating"])
    if record["narrative"] is not None or record["flows"] is not None:
        yield _layers(record["narrative"], record["flows"])


def _summary(plan: PlanFigures, record: dict[str, Any]) -> Table:
    rerating = record["rerating"]
    growth = record["implied_cloud_growth_frac"]
    rows: list[Iterable[Cell]] = [
        ("Equity value", float(record["equity"]) / _BN, "bn ¤"),
        ("Market capitalisation", float(record["market"]) / _BN, "bn ¤"),
        ("Value per share", float(record["per_share"]), "¤/share"),
        ("Price per share", float(record["price_per_share"]), "¤/share"),
        ("Value of the AI cloud", float(record["plan_value"]) / _BN, "bn ¤"),
        ("Value added by new orders", float(record["orders_value"]) / _BN, "bn ¤"),
        ("Cloud value implied by the share price", float(record["cloud_left_by_price"]) / _BN, "bn ¤"),
        (
            "Cloud growth implied by the share price",
            None if growth is None else 100 * float(growth),
            _GROWTH.get(growth_word(plan.implied[0]), "% a year"),
        ),
        ("WACC", 100 * float(record["wacc_frac"]), "%"),
    ]
    if rerating is not None:
        rows += [
            (
                f"Enterprise value, {rerating['from']}",
                float(rerating["value_before"]) / _BN,
                f"bn {rerating['currency']}",
            ),
            (f"Enterprise value, {rerating['to']}", float(rerating["value_after"]) / _BN, f"bn {rerating['currency']}"),
            ("Share of the re-rating that is explained", round(100 * float(rerating["explained_frac"]), 2), "%"),
        ]
    if record["multiple"] is not None:
        told = record["multiple"]
        rows += [
            (f"Price at {told['multiple']:g} times earnings", float(told["price_per_share"]), "¤/share"),
            ("Multiple of earnings now", float(told["multiple_now"]), "x"),
        ]
    columns = (Column("name", "quantity"), Column("value", "value"), Column("unit", "unit"))
    return table("summary", f"Value and share price on {plan.scenario.as_of}", columns, rows)


def _surface(record: dict[str, Any]) -> Table:
    columns = (
        Column("margin_frac", "EBITA margin", "%", scale=100),
        Column("capital_per_revenue", "capital per revenue"),
        Column("wacc_frac", "WACC", "%", scale=100),
        Column("growth_frac", "implied growth a year", "%", scale=100),
        Column("roic_frac", "return on added capital", "%", scale=100),
        Column("note", "note"),
    )
    rows = [
        (
            float(r["margin_frac"]), float(r["capital_per_revenue"]), float(r["wacc_frac"]), _number(r["growth_frac"]),
            _number(r["roic_frac"]),
            _growth_note(r),
        )
        for r in record["iso_price_by_wacc"]
    ]  # fmt: skip
    left = record["cloud_left_by_price"] / _BN
    title = (
        f"Iso-price surface: cloud growth over five years that gives the cloud the {left:,.0f} bn ¤ that the "
        "share price implies"
    )
    return table("iso_price", title, columns, rows, detail=True)


def _deliver(record: dict[str, Any]) -> Table:
    columns = (
        Column("growth_frac", "growth a year", "%", scale=100),
        Column("revenue", "revenue", "bn ¤", scale=1 / _BN),
        Column("ebita", "EBITA", "bn ¤", scale=1 / _BN),
        Column("capital_added", "capital added", "bn ¤", scale=1 / _BN),
        Column("capital_over_plan", "capital added over the plan's budget"),
    )
    rows = [[float(r[column.name]) for column in columns] for r in record["deliver"]]
    now = record["deliver"][0]["revenue_now"] / _BN
    title = f"The cloud after five years of growth (revenue now {now:,.0f} bn ¤)"
    return table("deliver", title, columns, rows, detail=True)


def _stories(stories: dict[str, Any]) -> Table:
    columns = (
        Column("name", "future"),
        Column("value_per_share", "mean value per share", "¤/share"),
        Column("prior", "prior weight", "%", scale=100),
        Column("weight", "weight given the price", "%", scale=100),
        Column("change", "change of weight", "points", scale=100),
    )
    if stories["weights"] is None:
        title = f"Futures within the scenario's ranges: {stories['reason']}"
        return table("stories", title, columns, (), detail=True)
    rows = [
        (name, float(value), float(prior), float(weight), float(weight - prior))
        for name, value, prior, weight in zip(
            stories["names"], stories["value_per_share"], stories["prior"], stories["weights"], strict=True
        )
    ]
    title = (
        "Futures within the scenario's ranges, and the nearest weights whose mean is the share price "
        f"({stories['relative_entropy_nats']:.3f} nats from the prior)"
    )
    return table("stories", title, columns, rows, detail=True)


def _rerating(rerating: dict[str, Any]) -> Table:
    change = rerating["value_after"] - rerating["value_before"]
    parts = {**rerating["parts"], "Change of enterprise value": change}
    columns = (
        Column("name", "part"),
        Column("amount", "amount", f"bn {rerating['currency']}", scale=1 / _BN),
        Column("share", "share of the change", "%", scale=100),
    )
    rows = [(name, float(amount), float(amount / change) if change else None) for name, amount in parts.items()]
    title = (
        f"Re-rating {rerating['from']} to {rerating['to']}: enterprise value {rerating['value_before'] / _BN:,.1f} to "
        f"{rerating['value_after'] / _BN:,.1f} bn {rerating['currency']} (in hindsight: facts of both dates)"
    )
    return table("rerating", title, columns, rows, detail=True)


def _alone(rerating: dict[str, Any]) -> Table:
    columns = (
        Column("margin_frac", "EBITA margin", "%", scale=100),
        Column("capital_per_revenue", "capital per revenue"),
        Column("roic_frac", "incremental return", "%", scale=100),
        Column("growth_frac", "growth a year", "%", scale=100),
        Column("note", "note"),
    )
    rows = [
        (
            float(r["margin_frac"]), float(r["capital_per_revenue"]), float(r["roic_frac"]), _number(r["growth_frac"]),
            _growth_note(r),
        )
        for r in rerating["from_cloud_alone"]
    ]  # fmt: skip
    title = "Cloud growth over five years that alone would justify the re-rating (WACC 10 %, terminal growth 3 %)"
    return table("cloud_alone", title, columns, rows, detail=True)


def _basket(basket: dict[str, Any], rerating: dict[str, Any]) -> Table:
    """Return the share beside a basket of like shares: how much of its move is theirs."""
    columns = (Column("name", "quantity"), Column("change", "change", "%", scale=100), Column("note", "note"))
    part = basket["basket_part_frac"]
    note = "" if part is None else f"{100 * part:.0f} % of the share's move, in logarithms"
    rows = [
        ("Share", float(basket["share_change_frac"]), ""),
        ("Basket of like shares", float(basket["basket_change_frac"]), note),
        ("Share over the basket", float(basket["beside_frac"]), "what is the firm's own"),
    ]
    title = f"The share beside a basket ({basket['name']}), {rerating['from']} to {rerating['to']}"
    return table("basket", title, columns, rows, detail=True)


def _layers(story: dict[str, Any] | None, flows: dict[str, Any] | None) -> Table:
    """Return the scores of stories and of fund flows out of sample; neither is in the value."""
    columns = (Column("name", "forecast"), Column("rmse", "RMSE"), Column("note", "note"))
    rows: list[Iterable[Cell]] = []
    for label, score in (("Stories that spread", story), ("Flows into funds", flows)):
        if score is not None:
            verdict = "kept: beats both walks" if score["kept"] else "dropped: does not beat both walks"
            rows.append((label, float(score["rmse"]), verdict))
    known = next(score for score in (story, flows) if score is not None)
    rows += [
        ("Random walk", float(known["rmse_random_walk"]), ""),
        ("Random walk with drift", float(known["rmse_walk_with_drift"]), ""),
    ]
    title = f"Stories and flows out of sample, beside value: {known['forecasts']} closes, one period ahead"
    return table("narrative", title, columns, rows, detail=True)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _growth_note(record: dict[str, Any]) -> str:
    """Return why no growth is given, and whether growth would lower value."""
    said = {"any": "no growth needed", "none": "no growth below 100 % is enough"}
    notes = [said.get(growth_word(record), ""), "growth lowers value" if record["destroys"] else ""]
    return "; ".join(note for note in notes if note)
