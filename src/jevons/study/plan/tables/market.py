"""Tables of the market: the whole country's tokens, providers' shares and prices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from jevons.arrays import Array
from jevons.market import TERMS_Y, WAYS, provider_tokens_per_d
from jevons.results import Cell, Column, Table, table
from jevons.study.chain.rents import rent_before
from jevons.study.plan.tables.lines import by_period, line

if TYPE_CHECKING:
    from jevons.study.chain.rents import Brokers
    from jevons.study.plan.figures import PlanFigures

_YEAR, _THREE = (list(TERMS_Y).index(term) for term in ("year", "three years"))


def rival_tables(result: PlanFigures) -> list[Table]:
    """Return the whole market's tokens, providers' shares of them, and their prices; none without rivals."""
    return [_national(result), _shares(result), _prices(result)] if result.chain.inputs.rivals is not None else []


def provider_tok_per_d(result: PlanFigures) -> Any:
    """Return tokens wanted a day by provider and quarter, (n, t), the firm first."""
    market = result.chain.market
    rivals = result.chain.inputs.rivals
    assert rivals is not None  # noqa: S101 - asked for only where there are rivals
    return provider_tokens_per_d(market.provider_share_frac, market.market_tokens_per_d, rivals)


def _national(result: PlanFigures) -> Table:
    tokens = result.chain.market.market_tokens_per_d
    lines = [
        line(result.segment_label(segment), "trillion", tokens[row], over=1e12)
        for row, segment in enumerate(result.segments)
        if tokens[row].max() > 0
    ]
    lines.append(line("All segments", "trillion", tokens.sum(axis=0), over=1e12))
    title = "Token demand per day, all providers"
    return by_period("market_tokens", title, result.quarters, lines, of="segment")


def _shares(result: PlanFigures) -> Table:
    rivals = result.chain.inputs.rivals
    tokens = provider_tok_per_d(result)
    total = np.maximum(tokens.sum(axis=0), 1e-30)
    lines = [line(name, "%", tokens[row] / total, over=0.01) for row, name in enumerate(rivals.names if rivals else ())]
    return by_period("market_shares", "Market shares in tokens", result.quarters, lines, of="provider")


def _prices(result: PlanFigures) -> Table:
    rivals, price = result.chain.inputs.rivals, result.chain.market.provider_price_cur_per_tok
    lines = [
        line(model, "¤/Mtok", price[m, n], over=1e-6, keys=(name,))
        for m, model in enumerate(result.models)
        for n, name in enumerate(rivals.names if rivals else ())
        if price[m, n, 0] > 0
    ]
    title = "List prices by provider, of the model that competes with each of ours, at its token mix"
    return by_period("market_prices", title, result.quarters, lines, of="model", keys=("provider",))


def rent_table(result: PlanFigures) -> Table:
    """Return rents by accelerator, the share of the offer that is let, and the stock of brokers."""
    return by_period(
        "rents", "Rents of accelerators and stock of brokers", result.quarters, _rent_lines(result), of="accelerator",
        keys=("quantity",),
    )  # fmt: skip


def _rent_lines(result: PlanFigures) -> Iterator[Any]:
    rents = result.chain.rents
    if rents is None:
        return
    for v, device in enumerate(result.scenario.hardware.devices):
        name = result.device_label(device)
        offered = rents.rent_cur_per_h[v] > 0
        if offered.any():
            for quantity, unit, values, over in (
                ("rent", "¤/h", rents.rent_cur_per_h[v], 1.0),
                ("rent, a year's contract", "¤/h", rents.contract_cur_per_h[_YEAR, v], 1.0),
                ("rent, three years' contract", "¤/h", rents.contract_cur_per_h[_THREE, v], 1.0),
                ("rent over full cost", "%", result.rent_over_cost[v], 0.01),
                ("share of the offer let", "%", rents.let_frac[v], 0.01),
                ("resale value, opening stock", "thousand ¤", rents.resale_cur[v], 1e3),
            ):
                yield line(name, unit, where_offered(values, offered), over=over, keys=(quantity,))
        if rents.brokers.held[v].max() > 0:
            yield from _broker_lines(name, rents.brokers, v)


def where_offered(values: Array, offered: Array) -> list[float | None]:
    """Return a figure of rented hours by quarter, None where none of the kind are on offer."""
    return [float(x) if there else None for x, there in zip(values, offered, strict=True)]


def _broker_lines(name: str, brokers: Brokers, v: int) -> Iterator[Any]:
    lost = brokers.owners_loss_cur[v] + brokers.lenders_loss_cur[v]
    for quantity, unit, values, over in (
        ("stock of brokers", "thousand", brokers.held[v], 1e3),
        ("let by brokers", "thousand", brokers.let[v], 1e3),
        ("withheld by brokers", "thousand", brokers.withheld[v], 1e3),
        ("bought by brokers", "thousand", brokers.bought[v], 1e3),
        ("sold under pressure, or taken by lenders", "thousand", brokers.given_up[v], 1e3),
        ("debt of brokers", "bn ¤", brokers.debt_cur[v], 1e9),
        ("lost by brokers and lenders", "bn ¤", lost, 1e9),
    ):
        if values.max() > 1e-9 * over:
            yield line(name, unit, values, over=over, keys=(quantity,))


def shortage_table(result: PlanFigures) -> Table:
    """Return each rise of a rent with the shortage behind it, and the limit that holds the plan back most then."""
    rents, binding = result.chain.rents, result.chain.plan.worth.binding
    rows: list[tuple[Cell, ...]] = []
    if rents is not None:
        last = rent_before(rents.rent_cur_per_h)
        for v, device in enumerate(result.scenario.hardware.devices):
            for t in np.flatnonzero(rents.shortage[v] != ""):
                before = float(last[v, t]) or None
                after = float(rents.rent_cur_per_h[v, t])
                limit = result.limit_label(binding[t][0]) if binding[t] else None
                short = str(rents.shortage[v, t])
                rows.append((result.device_label(device), result.quarters[t], before, after, short, limit))
    columns = (
        Column("name", "accelerator"), Column("quarter", "quarter"), Column("from", "rent before", "¤/h"),
        Column("to", "rent", "¤/h"), Column("shortage", "what is short"),
        Column("limit", "strongest limit of the plan"),
    )  # fmt: skip
    return table("shortages", "Rents that rise, and the shortage behind each", columns, rows, detail=True)


def ways_frac(result: PlanFigures) -> Array | None:
    """Return shares of tokens by segment, way (own, rent, api) and quarter; None where nobody has the choice."""
    chain = result.chain
    renters = chain.market.renter_ways
    if chain.exchange.ways is None:
        return renters if renters.any() else None
    return np.where(renters.sum(axis=1, keepdims=True) > 0, renters, chain.exchange.ways)


def ways_table(result: PlanFigures) -> Table:
    """Return how segments that may own machines get their tokens."""
    chosen = ways_frac(result)
    lines = [
        line(result.segment_label(segment), "%", chosen[row, w], over=0.01, keys=(way,))
        for row, segment in enumerate(result.segments)
        if chosen is not None and result.scenario.market.segments[segment].buyer_tokens.value > 0
        for w, way in enumerate(("own machines", "rented machines", "API"))
    ]
    title = "Shares of a segment's tokens from own machines, rented machines and the API"
    return by_period("own_rent_api", title, result.quarters, lines, of="segment", keys=("way",))


def market_json(result: PlanFigures) -> dict[str, Any]:
    """Return the whole market as plain values: tokens, providers, rents and ways of getting tokens."""
    chain = result.chain
    rivals, rents, market = chain.inputs.rivals, chain.rents, chain.market
    record: dict[str, Any] = {
        "national_tok_per_d": {s: market.market_tokens_per_d[i] for i, s in enumerate(result.segments)},
        "providers": {},
        "rent_per_h": {},
        "let_frac": {},
        "contract_per_h": {},
        "resale": {},
        "shortage": {},
        "brokers": {},
        "ways_frac": {},
    }
    if rivals is not None:
        tokens = provider_tok_per_d(result)
        price = market.provider_price_cur_per_tok * 1e6
        for n, name in enumerate(rivals.names):
            sold = {model: price[m, n] for m, model in enumerate(result.models) if price[m, n, 0] > 0}
            record["providers"][name] = {"tok_per_d": tokens[n], "price_per_mtok": sold}
    if rents is not None:
        for v, device in enumerate(result.scenario.hardware.devices):
            offered = rents.rent_cur_per_h[v] > 0
            record["rent_per_h"][device] = where_offered(rents.rent_cur_per_h[v], offered)
            record["let_frac"][device] = where_offered(rents.let_frac[v], offered)
            record["contract_per_h"][device] = {
                term: where_offered(rents.contract_cur_per_h[i, v], offered)
                for i, term in enumerate(TERMS_Y)
                if offered.any()
            }
            record["resale"][device] = where_offered(rents.resale_cur[v], offered)
            record["shortage"][device] = [str(name) for name in rents.shortage[v]]
            if rents.brokers.held[v].max() > 0:
                stock = {
                    "held": rents.brokers.held[v],
                    "let": rents.brokers.let[v],
                    "withheld": rents.brokers.withheld[v],
                    "bought": rents.brokers.bought[v],
                    "given_up": rents.brokers.given_up[v],
                    "debt": rents.brokers.debt_cur[v],
                    "equity": rents.brokers.equity_cur[v],
                    "owners_loss": rents.brokers.owners_loss_cur[v],
                    "lenders_loss": rents.brokers.lenders_loss_cur[v],
                }
                record["brokers"][device] = stock
    chosen = ways_frac(result)
    if chosen is not None:
        for s, segment in enumerate(result.segments):
            if result.scenario.market.segments[segment].buyer_tokens.value > 0:
                record["ways_frac"][segment] = {way: chosen[s, w] for w, way in enumerate(WAYS)}
    return record
