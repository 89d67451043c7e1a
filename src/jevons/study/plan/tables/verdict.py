"""Tables of what the plan is worth, and of what a doubling of efficiency does to compute: the Jevons verdict."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from jevons.results import Cell, Column, Table, table
from jevons.rounding import money_unit
from jevons.study.chain.value_bridge import CHANNELS
from jevons.study.draws import summary as uncertainty
from jevons.study.draws.run import Draws

if TYPE_CHECKING:
    from jevons.study.plan.figures import PlanFigures

_BN = 1e9
_COLUMNS = (Column("name", "quantity"), Column("value", "value"), Column("unit", "unit"), Column("note", "note"))


def value_table(result: PlanFigures) -> Table:
    """Return the bridge from the parts to equity, per share beside the price, and what the price implies."""
    accounts = result.chain.accounts
    rows: list[Iterable[Cell]] = [
        (name, float(amount) / _BN, "bn ¤", _value_note(result, name)) for name, amount in accounts.valuation.bridge
    ]
    after = 1 + max(
        (i for i, (name, _) in enumerate(accounts.valuation.bridge) if name.startswith("AI cloud")), default=-1
    )
    note = "part of the AI cloud, against ordering nothing, rivals buying what it leaves"
    rows.insert(after, ("Value added by new orders", result.orders_value_cur / _BN, "bn ¤", note))
    gap = accounts.value_per_share_cur / accounts.price_per_share_cur - 1
    drawn = "" if result.draws is None else f"; {uncertainty.interval_text(result.draws, 'value_per_share')} ¤"
    rows += [
        ("Equity value", float(accounts.valuation.equity_cur) / _BN, "bn ¤", ""),
        ("Market capitalisation", float(accounts.market_value_cur) / _BN, "bn ¤", f"on {result.scenario.as_of}"),
        (
            "Value per share",
            float(accounts.value_per_share_cur),
            "¤/share",
            f"{100 * gap:+.0f} % against the price{drawn}",
        ),
        ("Price per share", float(accounts.price_per_share_cur), "¤/share", ""),
        _implied(result),
    ]
    if (draws := result.draws) is not None:
        chance = uncertainty.probabilities(draws)["value_created"]
        note = f"± {100 * chance['standard_error']:.0f}; new orders are worth more than they cost; {_counted(draws)}"
        rows.append(("P(value created)", 100 * chance["p"], "%", note))
    return table("value", "Value", _COLUMNS, rows, detail=True)


def _value_note(result: PlanFigures, name: str) -> str:
    ai = result.chain.accounts.valuation.ai
    if name == "AI cloud: cash in the plan":
        return f"{result.quarters[0]} to {result.quarters[-1]}"
    if name == "AI cloud: fleet value at the horizon":
        return "earnings continue at calm rents, fleet replaced, no growth; a shortage's part fades"
    if name == "AI cloud: growth after the horizon":
        word = "destroys" if ai.growth_destroys_value else "creates"
        return f"{word} value: added capital returns {100 * ai.roic_frac:.1f} %, costs {100 * ai.wacc_frac:.1f} %"
    return ""


def _implied(result: PlanFigures) -> tuple[str, float | None, str, str]:
    own = result.implied[0]
    at = f"at EBITA margin {100 * own['margin_frac']:.0f} %, capital {own['capital_per_revenue']:.1f} per revenue"
    word = growth_word(own)
    said = {"any": "none needed: worth the price without growth", "none": "no growth below 100 % a year is enough"}
    growth = own["growth_frac"]
    return (
        "Cloud growth implied by the share price", None if growth is None else 100 * growth, "% a year",
        f"{said.get(word, 'for five years')}, {at}",
    )  # fmt: skip


def growth_word(record: dict[str, Any]) -> str:
    """Return the growth a year that a price assumes: *any* where it holds without, *none* where no growth gives it."""
    if record["growth_frac"] is not None:
        return f"{100 * record['growth_frac']:.0f} %"
    return "any" if "worth it" in record["reason"] else "none"


def _counted(draws: Draws) -> str:
    return f"{draws.values.shape[0]} draws ({draws.left_out})"


def verdict_table(result: PlanFigures) -> Table:
    """Return elasticity, pass-through, loop gain, and what a doubling of efficiency does to tokens and compute."""
    v, first, last = result.verdict, result.quarters[0], result.quarters[-1]
    factor = float(v.compute_factor[-1])
    capex = None if v.planned_capex_factor is None else float(v.planned_capex_factor)
    horizon = "efficiency doubled; whole horizon, supply limits in force"
    rows: list[Iterable[Cell]] = [
        (f"Price elasticity of work, {first}", float(v.elasticity[0]), "", "all uses, weighted by device-hours"),
        (f"Price elasticity of work, {last}", float(v.elasticity[-1]), "", "all uses, weighted by device-hours"),
        (f"Pass-through of efficiency to price, {last}", float(v.pass_through[-1]), "", "1: the whole saving"),
        (f"Work demand, {last}", float(v.tokens_factor[-1]), "x", "efficiency doubled; supply unlimited"),
        (
            f"Compute demand, {last}", factor, "x",
            f"efficiency doubled; supply unlimited: compute {'rises' if factor > 1 else 'falls'}",
        ),
        (
            "Compute demand in the long run", float(v.settled_compute_factor), "x",
            "efficiency doubled; full pass-through and adoption",
        ),
        ("Compute of the planned fleet", float(v.planned_compute_factor), "x", horizon),
        ("Capital expenditure of the plan", capex, "x", horizon),
        (f"Loop gain, {first}", abs(float(v.loop_gain[0])), "", "from 1 on growth feeds itself"),
        (f"Loop gain, {last}", float(v.loop_gain[-1]), "", "from 1 on growth feeds itself"),
        ("Loop gain of the plan", v.planned_loop_gain, "", "capital and budget in the loop"),
        (f"Work served by the plan, {last}", v.planned_tokens_factor, "x", horizon),
        (f"AI revenue, {last}", v.planned_revenue_factor, "x", horizon),
        ("Value of the AI cloud", v.planned_value_change_cur / _BN, "bn ¤", "change when efficiency doubles"),
    ]  # fmt: skip
    if result.draws is not None:
        chances = uncertainty.probabilities(result.draws)
        for event, name, what in (
            ("jevons", f"P(Jevons) within the plan, {last}", "compute demand rises"),
            ("elastic", f"P(elasticity above one), {last}", "work answers its price more than one for one"),
            ("jevons_settled", "P(Jevons) in the long run", "compute demand rises"),
        ):
            note = f"± {100 * chances[event]['standard_error']:.0f}; {what}; {_counted(result.draws)}"
            rows.append((name, 100 * chances[event]["p"], "%", note))
    return table("jevons", "The Jevons verdict on the whole fleet", _COLUMNS, rows, detail=True)


_LEAST = 5e-4
"""Share of the largest channel up to which another is not listed."""


def value_channel_table(name: str, title: str, channels: Mapping[str, float], *, detail: bool = True) -> Table:
    """Return what each channel adds to value, those that add next to nothing left out, and their sum."""
    most = max(map(abs, channels.values()), default=0.0)
    size, unit = money_unit(most)
    columns = (Column("name", "channel"), Column("added", "added", unit, scale=1 / size, form="+,.1f"))
    least = _LEAST * most
    rows = [(CHANNELS[key], added) for key, added in channels.items() if abs(added) > least]
    return table(name, title, columns, [*rows, ("Together", sum(channels.values()))], detail=detail)


_CAUSES = {
    "adoption": "Adoption, at constant prices",
    "calls": "Calls per user, at constant prices",
    "tokens_per_call": "Tokens per call, at constant prices",
    "price": "Cheaper work: users, calls and tokens per call",
    "ways": "Shares of providers and of own machines",
    "efficiency": "Efficiency: fewer device-hours for the same work",
    "compute": "Device-hours wanted",
}
_CHANNELS = {
    "users": "Users for whom it now pays",
    "calls": "Calls per user",
    "tokens_per_call": "Tokens per call",
    "ways": "Shares of providers and of own machines",
    "efficiency": "Efficiency: fewer device-hours for the same work",
}


def response_tables(result: PlanFigures) -> Iterable[Table]:
    """Yield the bridge of compute over the plan, the channels of a doubling, and the answer of each segment."""
    response, first, last = result.verdict.response, result.quarters[0], result.quarters[-1]
    columns = (Column("name", "cause"), Column("log", "logarithm", form="+.3f"), Column("factor", "factor", "x"))
    bridge = [
        (label, result.verdict.bridge[key], math.exp(result.verdict.bridge[key])) for key, label in _CAUSES.items()
    ]
    title = f"Bridge of compute: growth of device-hours wanted, {first} to {last}"
    yield table("bridge", title, columns, bridge, detail=True)
    channels = [(label, response.channels[key], math.exp(response.channels[key])) for key, label in _CHANNELS.items()]
    whole = float(response.compute_factor[-1])
    channels.append(("Device-hours wanted", math.log(whole), whole))
    yield table("channels", f"Channels of a doubling of efficiency, {last}", columns, channels, detail=True)
    yield value_channel_table(
        "value_channels", "Value of the AI cloud when efficiency doubles, by channel", result.verdict.value_channels
    )
    heads = (
        Column("name", "segment"), Column("use", "use"), Column("share_frac", "share of device-hours", "%", scale=100),
        Column("compute_factor", "compute, efficiency doubled", "x"),
        *([] if result.draws is None else [Column("p", "P(Jevons)", "%", scale=100)]),
    )  # fmt: skip
    rows: list[Iterable[Cell]] = []
    for s, name in enumerate(result.segments):
        if np.isfinite(factor := float(response.segment_compute_factor[s, -1])):
            row = [result.segment_label(name), result.scenario.market.segments[name].kind.replace("_", " ")]
            chance = [] if result.draws is None else [uncertainty.segment_probability(result.draws, name)]
            rows.append((*row, float(response.segment_share_frac[s, -1]), factor, *chance))
    title = f"Answer of each segment to a doubling of efficiency, {last}"
    yield table("answers", title, heads, rows, detail=True)
