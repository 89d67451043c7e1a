"""Rents of accelerators by what an hour of each does: one price of work for each use, one rent for each chip.

Axes: ``u`` uses of renters (memory-bound answers, compute-bound training), ``v`` chips, ``t`` quarters.

References
----------
Rosen (1974), Hedonic prices and implicit markets, Journal of Political Economy 82(1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from jevons.arrays import Array
from jevons.market.rental import RentCurve
from jevons.units import HOURS_PER_YEAR

TERMS_Y: dict[str, float] = {"spot": 0.0, "month": 1 / 12, "year": 1.0, "three years": 3.0}
"""Lengths of contracts [y]."""

_MOST_ROUNDS, _CLOSE = 40, 1e-6
_HALVINGS = 30
_FULL = 1.0 - 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class UseMarket:
    """What all chips together offer to renters' uses in one quarter.

    Parameters
    ----------
    wanted : (u,)
        Work that renters would take at the prices shown, in hours of the reference chip, >= 0.
    shown_cur_per_h : (u,)
        Those prices, > 0.
    offered_h : (v,)
        Device-hours on offer, >= 0.
    performance : (u, v)
        Work of a chip in an hour over that of the reference chip, >= 0.
    frontier_cur_per_h : (u,)
        Price of work at which the best chip on sale earns its full cost at the tight share, > 0.
    running_cur_per_h : (v,)
        What letting a device costs, >= 0.
    """

    wanted: Array
    shown_cur_per_h: Array
    offered_h: Array
    performance: Array
    frontier_cur_per_h: Array
    running_cur_per_h: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class UsePrices:
    """Where the uses clear.

    Parameters
    ----------
    price_cur_per_h : (u,)
        Price of the work of a reference hour.
    let_frac : (u,)
        Share of the capacity assigned to a use that is let.
    share_frac : (u, v)
        Share of each chip's offer in each use.
    """

    price_cur_per_h: Array
    let_frac: Array
    share_frac: Array

    def rent_cur_per_h(self, performance: Array) -> Array:
        """Return each chip's rent, (v,): what its best use pays for an hour."""
        return np.asarray((self.price_cur_per_h[:, None] * performance).max(axis=0))

    def chip_let_frac(self) -> Array:
        """Return the let share of each chip's offer, (v,)."""
        return np.asarray((self.share_frac * self.let_frac[:, None]).sum(axis=0))


def frontier_cur_per_h(performance: Array, full_cost_cur_per_h: Array, on_sale: NDArray[np.bool_]) -> Array:
    """Return the full cost of a reference hour's work on the best chip that can be bought, (u, t).

    Parameters
    ----------
    performance : (u, v)
        See `UseMarket`.
    full_cost_cur_per_h : (v, t)
        Of a let hour, at the price of the quarter.
    on_sale : (v, t) bool
        Whether a chip can be bought in the quarter.

    Notes
    -----
    Where nothing is on sale the last frontier stands, and at the start the best of all chips does.
    """
    with np.errstate(divide="ignore"):
        cost = np.where(performance > 0, 1.0 / performance, np.inf)[:, :, None] * full_cost_cur_per_h
    best = np.where(on_sale, cost, np.inf).min(axis=1)
    best[:, 0] = np.where(np.isfinite(best[:, 0]), best[:, 0], cost[:, :, 0].min(axis=1))
    for t in range(1, best.shape[1]):
        best[:, t] = np.where(np.isfinite(best[:, t]), best[:, t], best[:, t - 1])
    return np.asarray(best)


def clear_uses(
    market: UseMarket, curve: RentCurve, *, elasticity: float, following: float, before_cur_per_h: Array | None = None
) -> UsePrices:
    """Return the prices of work at which renters take what owners offer, in one quarter.

    Parameters
    ----------
    market : UseMarket
        Demand by use, and chips.
    curve : RentCurve
        How the price of a use's work follows its let share: the same for every use and chip.
    elasticity : float
        Of a use's work to its price, < 0.
    following : float
        How sharply owners follow the better paid use, > 0: shares go with what a use pays to this power.
    before_cur_per_h : (u,), optional
        Prices a quarter before: while stock stands idle beyond the tight share nobody can raise them.

    Notes
    -----
    The price of a use follows `jevons.market.rental.rent_cur_per_h` in the let share of the capacity that chips bring
    to it, with the frontier for full cost: a glut takes it to running cost, a shortage above the frontier. Chips divide
    between uses by what they pay, and the two are iterated to 1e-6.
    """
    work_h = market.performance * market.offered_h
    there = work_h.sum(axis=1) > 0
    every = bool(there.all())
    floor = _floor(market)
    price = np.where(there, market.frontier_cur_per_h, 0.0)
    if before_cur_per_h is not None:
        price = np.where(there & (before_cur_per_h > 0), before_cur_per_h, price)
    let = np.zeros(price.size)
    share = _shares(price, market.performance, following)
    uses = np.flatnonzero(there).tolist()
    terms = [
        _UseTerms(
            wanted=float(market.wanted[u]), shown=float(market.shown_cur_per_h[u]),
            full=float(market.frontier_cur_per_h[u]), running=float(floor[u]),
            most=math.inf if before_cur_per_h is None or before_cur_per_h[u] <= 0 else float(before_cur_per_h[u]),
        )
        for u in uses
    ]  # fmt: skip
    for _ in range(_MOST_ROUNDS):
        answer = price.copy()
        capacity = np.add.reduce(share * work_h, axis=1).tolist()
        for u, use in zip(uses, terms, strict=True):
            answer[u], let[u] = _clear_one(use, capacity[u], curve, elasticity)
        moved = answer / price if every else answer[there] / price[there]
        gap = max(map(abs, np.log(moved).tolist()), default=0.0)
        price = np.sqrt(np.maximum(price * answer, 1e-30))
        if not every:
            price = np.where(there, price, 0.0)
        share = _shares(price, market.performance, following)
        if gap < _CLOSE:
            break
    return UsePrices(price_cur_per_h=price, let_frac=let, share_frac=share)


def _floor(market: UseMarket) -> Array:
    """Return the running cost of a reference hour's work in each use, on the cheapest chip on offer, (u,)."""
    use = (market.performance > 0) & (market.offered_h > 0)
    each = np.where(use, market.running_cur_per_h / np.where(use, market.performance, 1.0), np.inf)
    return np.asarray(np.minimum(each.min(axis=1), 0.9 * market.frontier_cur_per_h))


def _shares(price: Array, performance: Array, following: float) -> Array:
    # row by row, as the uses are few: numpy's own reductions take most of their time to begin
    pays = price[:, None] * performance
    power = (pays / np.maximum(reduce(np.maximum, pays), 1e-30)) ** following
    return np.asarray(power / np.maximum(reduce(np.add, power), 1e-30))


@dataclass(frozen=True, slots=True, kw_only=True)
class _UseTerms:
    """One use in a quarter: work wanted at the rent shown, full and running cost, and its most while stock is idle."""

    wanted: float
    shown: float
    full: float
    running: float
    most: float


def _clear_one(use: _UseTerms, capacity: float, curve: RentCurve, elasticity: float) -> tuple[float, float]:
    """Return price and let share of one use."""
    wanted, shown, full, running, most = use.wanted, use.shown, use.full, use.running, use.most
    tight, sag, steepness = curve.tight_frac, curve.sag, curve.steepness
    if wanted <= 0 or capacity <= 0:
        return running, 0.0
    low, high, halvings = 0.0, _FULL, 0
    while True:
        share = (low + high) / 2
        if share <= tight:
            price = running + (full - running) * (share / tight) ** sag
        else:
            price = full * (1.0 + steepness * (share - tight) / (1.0 - share))
        if halvings == _HALVINGS:
            break
        if wanted * (price / shown) ** elasticity > share * capacity:
            low = share
        else:
            high = share
        halvings += 1
    if price <= most or share > tight:
        return price, share
    # idle stock beyond the tight share: the old price stands until renters have taken that
    at_tight = shown * (tight * capacity / wanted) ** (1.0 / elasticity)
    price = min(max(most, at_tight), price)
    return price, min(wanted * (price / shown) ** elasticity / capacity, tight)


def contract_rents(spot_cur_per_h: Array, calm_cur_per_h: Array, *, reversion_frac: float, decay_frac: float) -> Array:
    """Return what contracts of each length cost, (terms, ...) in the order of `TERMS_Y`.

    Parameters
    ----------
    spot_cur_per_h : array
        Rent of today's hour.
    calm_cur_per_h : array
        Rent at the tight share, towards which it moves.
    reversion_frac : float
        Share of the gap (in logarithms) that closes in a year, in [0, 1).
    decay_frac : float
        Fall of the calm rent a year, in [0, 1).

    Notes
    -----
    The mean over the term of the path that both sides expect: a shortage makes long contracts cheaper than spot, a glut
    dearer but for the decay of the chip.
    """
    pace, decay = -math.log1p(-reversion_frac), -math.log1p(-decay_frac)
    gap = np.log(np.maximum(spot_cur_per_h, 1e-12) / np.maximum(calm_cur_per_h, 1e-12))
    rents = []
    for years in TERMS_Y.values():
        left = 1.0 if pace * years < 1e-9 else (1.0 - math.exp(-pace * years)) / (pace * years)
        rents.append(spot_cur_per_h * np.exp(-gap * (1.0 - left) - decay * years / 2))
    return np.array(rents)


def resale_cur(
    rent_cur_per_h: Array,
    let_frac: Array,
    running_cur_per_h: Array,
    left_y: Array,
    *,
    wacc_frac: float,
    decay_frac: float,
    new_cur: Array,
) -> Array:
    """Return what a used device is worth: its net rents for the years left, at most the price of a new one.

    Parameters
    ----------
    rent_cur_per_h, let_frac, running_cur_per_h : array
        Of the quarter.
    left_y : array
        Years of service left, >= 0.
    wacc_frac, decay_frac : float
        Cost of capital, and fall of rents, a year.
    new_cur : array
        Price of a new device of the kind; infinite where none is on sale.
    """
    net = np.maximum(rent_cur_per_h - running_cur_per_h, 0.0) * let_frac * HOURS_PER_YEAR
    rate = math.log1p(wacc_frac) - math.log1p(-decay_frac)
    years = np.maximum(left_y, 0.0)
    return np.minimum(net * (1.0 - np.exp(-rate * years)) / rate, new_cur)
