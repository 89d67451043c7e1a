"""Why two answers of the chain are worth what they are: the difference of value by channel.

Revenue of each use is a product of users, calls of each, tokens of a call, price, and what of it comes to the firm and
is served. Logarithmic means split its change between these factors. Value follows revenue and what machines cost, and
its change is taken along the straight line between the two answers. Nothing is left over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from jevons.arrays import Array, log_mean
from jevons.finance import earned_cur, line_value
from jevons.study.chain.accounts import account_terms, ai_terms, shortage_of
from jevons.study.chain.demand import revenue_price_cur
from jevons.study.chain.fixed_point import ChainResult
from jevons.study.chain.use_account import DAYS

_STEPS = 8
"""Steps along the line between two answers; in each, channels are taken in their order and in the reverse."""

CHANNELS = {
    "price": "Calls: price of a token",
    "users": "Calls: users",
    "calls": "Calls: calls per user",
    "tokens_per_call": "Calls: tokens per call",
    "self_served": "Self-served inference: more work",
    "self_served_hours": "Self-served inference: hours for the same work",
    "training": "Training by renters: more work",
    "training_hours": "Training by renters: hours for the same work",
    "reserve": "Reserve of renters",
    "rent": "Rent of an hour",
    "internal": "Own businesses",
    "ways": "Shares of providers, and moves between calling, renting and owning",
    "served": "Demand that is not served",
    "machines": "Machines: capital, energy, leases and operation",
    "idle": "Machines that stand idle",
    "terms": "Cost of capital, tax, and what follows the plan",
}
"""Name of each channel, in the order of tables."""

_MACHINES = ("device_capex", "site_capex", "prepayment", "running", "depreciation", "impairment", "closing")
_SHORTAGE = "shortage"
"""Share of revenue that a shortage adds, which rents and prices bring."""


@dataclass(frozen=True, slots=True)
class _Books:
    """Revenue by channel, what machines cost, and the share that a shortage adds, all (t,); value follows of them."""

    revenue: Array
    machines: Mapping[str, Array]


def value_channels(first: ChainResult, second: ChainResult) -> dict[str, float]:
    """Return what *second*'s AI cloud is worth more than *first*'s, by channel of `CHANNELS`; the parts add up to it.

    Parameters
    ----------
    first, second : ChainResult
        Answers for scenarios with the same segments, devices and quarters.

    Notes
    -----
    A part counts what its revenue or cost is worth with all that follows: overhead, tax, and growth after the plan,
    which begins at the last quarter's pace. Idle machines are the mean cost of machines times the change of the share
    that stands idle; what is left of machines is for work that is sold.
    """
    a, b = _books(first), _books(second)
    pieces = {name: _Books(moved, {}) for name, moved in _revenue_channels(first, second).items()}
    short = b.machines[_SHORTAGE] - a.machines[_SHORTAGE]
    pieces["rent"] = _Books(pieces["rent"].revenue, {_SHORTAGE: short})
    pieces["machines"] = _Books(
        np.zeros_like(a.revenue), {name: b.machines[name] - a.machines[name] for name in _MACHINES}
    )
    parts = _along(lambda books: _value(first, books), a, pieces)
    cost = (_value(first, a) - _value(first, _Books(a.revenue, _none(a)))) / 2
    cost += (_value(first, b) - _value(first, _Books(b.revenue, _none(b)))) / 2
    parts["idle"] = cost * (_idle_frac(second) - _idle_frac(first))
    parts["machines"] -= parts["idle"]
    whole = second.accounts.plan_value_cur - first.accounts.plan_value_cur
    return {name: parts.get(name, 0.0) for name in CHANNELS} | {"terms": whole - sum(parts.values())}


def _books(result: ChainResult) -> _Books:
    books = result.accounts.statements
    return _Books(
        books.ai_revenue_cur,
        {
            "device_capex": books.cash.device_capex_cur,
            "site_capex": books.cash.site_capex_cur,
            "prepayment": books.cash.prepayment_cur - books.cash.customer_prepayment_cur,
            "running": books.running_cur,
            "depreciation": books.depreciation_cur,
            "impairment": books.write_offs.impairment_cur,
            "closing": books.own_capital_cur,
            _SHORTAGE: result.accounts.shortage_frac,
        },
    )


def _none(books: _Books) -> dict[str, Array]:
    return {name: np.zeros_like(flow) if name in _MACHINES else flow for name, flow in books.machines.items()}


def _value(result: ChainResult, books: _Books) -> float:
    """Return what the AI cloud is worth with *books*, at the terms of *result*."""
    m = books.machines
    terms = account_terms(result.scenario, result.plan)
    ebita, _ = earned_cur(books.revenue, m["running"] + m["depreciation"], terms)
    tax = terms.tax_frac * (ebita - m["impairment"])
    cash = ebita - tax + m["depreciation"] - m["device_capex"] - m["site_capex"] - m["prepayment"]
    short = shortage_of(books.revenue, m["running"] + m["depreciation"], m[_SHORTAGE], terms)
    return line_value(books.revenue, ebita, cash, ai_terms(result.scenario, float(m["closing"][-1])), short).total_cur


def _along(value: Callable[[_Books], float], start: _Books, pieces: Mapping[str, _Books]) -> dict[str, float]:
    """Return what each piece adds to *value* on the straight line from *start* to where all are added."""
    parts = dict.fromkeys(pieces, 0.0)
    for step in range(_STEPS):
        here = start
        for piece in pieces.values():
            here = _plus(here, piece, step / _STEPS)
        for order in (list(pieces), list(pieces)[::-1]):
            at, before = here, value(here)
            for name in order:
                at = _plus(at, pieces[name], 1 / _STEPS)
                after = value(at)
                parts[name] += (after - before) / 2
                before = after
    return parts


def _plus(books: _Books, piece: _Books, share: float) -> _Books:
    machines = {name: flow + share * piece.machines.get(name, 0.0) for name, flow in books.machines.items()}
    return _Books(books.revenue + share * piece.revenue, machines)


def _revenue_channels(first: ChainResult, second: ChainResult) -> dict[str, Array]:
    """Return what each channel adds to revenue by quarter, (t,)."""
    before, after = _factors(first), _factors(second)
    start, end = (np.prod(list(factors.values()), axis=0) for factors in (before, after))
    both = (start > 0) & (end > 0)
    mean = np.where(both, log_mean(start, end), 0.0)
    kinds = np.array([segment.kind for segment in first.scenario.market.segments.values()])
    adds = {
        name: np.where(both, mean * np.log(np.maximum(after[name], 1e-300) / np.maximum(before[name], 1e-300)), 0.0)
        for name in before
    }
    adds["served"] += np.where(both, 0.0, end - start)  # what one of them does not sell at all

    def of(kind: str, *names: str) -> Array:
        return np.asarray(sum(adds[name][kinds == kind].sum(axis=0) for name in names))

    work = ("users", "calls", "tokens_per_call")
    rented = np.isin(kinds, ("self_served", "training", "reserve"))
    inside = kinds == "internal"
    return {
        "price": of("calls", "price"),
        **{name: of("calls", name) for name in work},
        "self_served": of("self_served", *work),
        "self_served_hours": of("self_served", "hours"),
        "training": of("training", *work),
        "training_hours": of("training", "hours"),
        "reserve": of("reserve", *work, "hours"),
        "rent": np.asarray(adds["price"][rented].sum(axis=0)),
        "internal": np.asarray(sum(add[inside].sum(axis=0) for add in adds.values())),
        "ways": np.asarray(adds["ways"][~inside].sum(axis=0)),
        "served": np.asarray(adds["served"][~inside].sum(axis=0)),
    }


def _factors(result: ChainResult) -> dict[str, Array]:
    """Return the factors of which each segment's revenue of a quarter is the product, (s, t) each."""
    market, inputs = result.market, result.inputs
    calls = inputs.use.counts_tokens[:, None]
    cloud = np.ones_like(market.depth) if inputs.renting.cloud_frac is None else inputs.renting.cloud_frac
    work = np.ones_like(market.depth) if inputs.renting.work is None else inputs.renting.work
    served = result.plan.service.served_calls_per_d.sum(axis=2)
    price = revenue_price_cur(result.scenario, inputs, market, result.exchange.scarcity, served)
    hours = np.where(calls, 1.0, 1.0 / work)
    ways = market.switched * cloud * _over(market.calls_per_d, market.market_calls_per_d)
    others = market.adopters * cloud * market.switched * hours * np.where(calls, 1.0, market.depth)
    return {
        "users": market.adopters,
        "calls": _over(market.market_calls_per_d, others),
        "tokens_per_call": market.depth,
        "hours": hours,
        "price": np.where(calls, _over(price, market.depth), price) * DAYS,
        "ways": ways,
        "served": _over(served, market.calls_per_d),
    }


def _over(part: Array, whole: Array) -> Array:
    return np.asarray(np.where(whole > 0, part / np.maximum(whole, 1e-300), 0.0))


def _idle_frac(result: ChainResult) -> float:
    """Return the share of device-hours over the plan that nothing is computed on."""
    plan = result.plan
    whole = float(plan.fleet.installed.sum()) * 24.0
    used = float(plan.service.busy_device_h_per_d.sum()) + float(plan.fleet.training_devices.sum()) * 24.0
    return 1.0 - used / whole if whole > 0 else 0.0
