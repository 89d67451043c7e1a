"""Tables of the market: the whole country's tokens, providers' shares and prices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jevons.market import WAYS
from jevons.rounding import scaled

if TYPE_CHECKING:
    from jevons.study.plan.figures import PlanFigures

Table = tuple[str, Sequence[str], list[Sequence[Any]]]


def rival_tables(result: PlanFigures) -> list[Table]:
    """Return the whole market's tokens, providers' shares of them, and their prices; none without rivals."""
    return [_national(result), _shares(result), _prices(result)] if result.chain.inputs.rivals is not None else []


def provider_tok_per_d(result: PlanFigures) -> Any:
    """Return tokens wanted a day by provider and quarter, (n, t), the firm first."""
    market = result.chain.market
    return np.einsum("st,snt->nt", market.market_tokens_per_d, market.provider_share_frac)


def _national(result: PlanFigures) -> Table:
    tokens = result.chain.market.market_tokens_per_d
    rows: list[Sequence[Any]] = [
        (result.segment_label(segment), *(scaled(n / 1e12) for n in tokens[row]))
        for row, segment in enumerate(result.segments)
        if tokens[row].max() > 0
    ]
    rows.append(("all", *(scaled(n / 1e12) for n in tokens.sum(axis=0))))
    return ("Tokens wanted a day, all providers [trillion]", ("segment", *result.quarters), rows)


def _shares(result: PlanFigures) -> Table:
    rivals = result.chain.inputs.rivals
    tokens = provider_tok_per_d(result)
    total = np.maximum(tokens.sum(axis=0), 1e-30)
    rows: list[Sequence[Any]] = [
        (name, *(scaled(100 * share) for share in tokens[row] / total))
        for row, name in enumerate(rivals.names if rivals else ())
    ]
    return ("Providers' shares of those tokens [%]", ("provider", *result.quarters), rows)


def _prices(result: PlanFigures) -> Table:
    rivals, price = result.chain.inputs.rivals, result.chain.market.provider_price_cny_per_tok
    rows: list[Sequence[Any]] = [
        (model, name, *(scaled(p * 1e6) for p in price[m, n]))
        for m, model in enumerate(result.models)
        for n, name in enumerate(rivals.names if rivals else ())
        if price[m, n, 0] > 0
    ]
    title = "List prices of all providers, in the place of each model, at its token mix [CNY per million tokens]"
    return (title, ("model", "provider", *result.quarters), rows)


def rent_table(result: PlanFigures) -> Table:
    """Return rents by chip, the share of what is on offer that is let, and what brokers do with theirs."""
    rents = result.chain.rents
    if rents is None:
        return ("Rents of accelerators [CNY per device-hour]", ("", *result.quarters), [])
    rows: list[Sequence[Any]] = []
    for v, device in enumerate(result.scenario.hardware.devices):
        if rents.cny_per_h[v].max() > 0:
            name = result.device_label(device)
            rows.append((name, "rent", *(scaled(x) if x > 0 else "" for x in rents.cny_per_h[v])))
            over = result.rent_over_cost[v]
            rows.append((name, "of full cost [%]", *(f"{100 * x:.0f}" if x > 0 else "" for x in over)))
            let = rents.let_frac[v]
            rows.append((name, "let of the offer [%]", *(f"{100 * x:.0f}" if x > 0 else "" for x in let)))
        if rents.brokers_held[v].max() > 0:
            name = result.device_label(device)
            for what, devices in (
                ("have", rents.brokers_held), ("let", rents.brokers_let), ("hold back", rents.brokers_withheld),
            ):  # fmt: skip
                if devices[v].max() > 0:
                    rows.append((name, f"brokers {what} [k]", *(scaled(x / 1e3) for x in devices[v])))
    title = "Rents that clear, by accelerator [CNY per device-hour], and brokers' stock [thousand, k]"
    return (title, ("", "", *result.quarters), rows)


def ways_table(result: PlanFigures) -> Table:
    """Return how the tokens of segments that may own machines are got."""
    chosen = result.chain.exchange.ways
    rows: list[Sequence[Any]] = []
    for row, segment in enumerate(result.segments):
        if chosen is not None and result.scenario.market.segments[segment].buyer_tokens.value > 0:
            for w, way in enumerate(("own machines", "rented machines", "API")):
                rows.append((result.segment_label(segment), way, *(scaled(100 * x) for x in chosen[row, w])))
    return ("Own, rent or call: shares of a segment's tokens [%]", ("segment", "way", *result.quarters), rows)


def market_json(result: PlanFigures) -> dict[str, Any]:
    """Return the whole market as plain values: tokens, providers, rents and ways of getting tokens."""
    chain = result.chain
    rivals, rents, market = chain.inputs.rivals, chain.rents, chain.market
    held: dict[str, Any] = {
        "national_tok_per_d": {s: market.market_tokens_per_d[i] for i, s in enumerate(result.segments)},
        "providers": {},
        "rent_cny_per_h": {},
        "let_frac": {},
        "brokers": {},
        "ways_frac": {},
    }
    if rivals is not None:
        tokens = provider_tok_per_d(result)
        price = market.provider_price_cny_per_tok * 1e6
        for n, name in enumerate(rivals.names):
            sold = {model: price[m, n] for m, model in enumerate(result.models) if price[m, n, 0] > 0}
            held["providers"][name] = {"tok_per_d": tokens[n], "price_per_mtok": sold}
    if rents is not None:
        for v, device in enumerate(result.scenario.hardware.devices):
            held["rent_cny_per_h"][device] = [float(x) if x > 0 else None for x in rents.cny_per_h[v]]
            held["let_frac"][device] = rents.let_frac[v]
            if rents.brokers_held[v].max() > 0:
                stock = {
                    "held": rents.brokers_held[v],
                    "let": rents.brokers_let[v],
                    "withheld": rents.brokers_withheld[v],
                }
                held["brokers"][device] = stock
    if chain.exchange.ways is not None:
        for s, segment in enumerate(result.segments):
            if result.scenario.market.segments[segment].buyer_tokens.value > 0:
                held["ways_frac"][segment] = {way: chain.exchange.ways[s, w] for w, way in enumerate(WAYS)}
    return held
