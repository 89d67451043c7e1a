"""What a price assumes: growth on an iso-price surface, and scenario weights nearest to a prior."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import logsumexp

from jevons.arrays import Array
from jevons.errors import Fault, InfeasibleError, InputError
from jevons.finance.formulas import growth_value, incremental_roic
from jevons.finance.types import IsoPrice, ScenarioWeights

_GRID = 201
_HALVINGS = 50


def reverse_dcf(
    value_cur: float,
    *,
    revenue_cur: float,
    margin_frac: ArrayLike,
    capital_per_revenue: ArrayLike,
    wacc_frac: ArrayLike,
    tax_frac: float,
    terminal_growth_frac: float,
    constant_y: int = 5,
    fade_y: int = 5,
    least_growth_frac: float = 0.0,
    most_growth_frac: float = 1.0,
) -> IsoPrice:
    """Return the growth that makes a business worth a price, for each margin, capital per revenue and cost of capital.

    Parameters
    ----------
    value_cur : float
        What the business must be worth: an enterprise value, or a rise of one plus what the business was worth before.
    revenue_cur : float
        Revenue of the last year, > 0.
    margin_frac, capital_per_revenue, wacc_frac : array_like
        Axes of the surface; they broadcast.
    tax_frac, terminal_growth_frac : float
        Tax on EBITA; growth for ever.
    constant_y, fade_y : int
        Years at the growth that is sought, and years in which it falls to growth for ever; see `growth_value`.
    least_growth_frac, most_growth_frac : float
        Range of the search.

    Returns
    -------
    IsoPrice
        In the broadcast shape, free of NaN. The smallest growth at which value rises through the price.

    Raises
    ------
    InputError
        If revenue, margin or capital per revenue is not positive or a cost of capital does not exceed growth for ever.

    Notes
    -----
    Value is not monotone in growth: where the incremental return is below the cost of capital, growth lowers it, and
    there may be no growth at all that justifies a price.
    """
    m, k, w = np.broadcast_arrays(*(np.asarray(a, float) for a in (margin_frac, capital_per_revenue, wacc_frac)))
    faults = [
        Fault(message="must be positive", path=name)
        for name, array in (("margin_frac", m), ("capital_per_revenue", k), ("revenue_cur", np.asarray(revenue_cur)))
        if not (np.isfinite(array) & (array > 0)).all()
    ]
    if not (w > terminal_growth_frac).all():
        faults.append(Fault(message=f"must exceed growth for ever, {terminal_growth_frac:g}", path="wacc_frac"))
    if not np.isfinite(value_cur):
        faults.append(Fault(message="must be a finite number", path="value_cur"))
    if not least_growth_frac < most_growth_frac:
        faults.append(
            Fault(message=f"{least_growth_frac:g} must be below {most_growth_frac:g}", path="least_growth_frac")
        )
    if faults:
        raise InputError(faults)

    def above_price(growth: Array) -> Array:
        worth = growth_value(
            growth, revenue_cur=revenue_cur, margin_frac=m, capital_per_revenue=k, wacc_frac=w, tax_frac=tax_frac,
            terminal_growth_frac=terminal_growth_frac, constant_y=constant_y, fade_y=fade_y,
        )  # fmt: skip
        return worth - value_cur

    enough = above_price(np.full(m.shape, least_growth_frac)) >= 0
    rises_at, crosses = _first_rise(above_price, least_growth_frac, most_growth_frac, m.shape)
    solved = crosses & ~enough
    growth = np.where(solved, rises_at, np.where(enough, least_growth_frac, most_growth_frac))
    reason = np.where(
        solved,
        "",
        np.where(
            enough,
            f"none: worth it at {least_growth_frac:.0%} growth",
            f"no growth below {most_growth_frac:.0%} justifies it",
        ),
    )
    roic = incremental_roic(m, tax_frac, k)
    return IsoPrice(
        growth_frac=growth,
        solved=solved,
        reason=reason,
        roic_frac=roic,
        growth_destroys_value=roic < w,
        value_cur=float(value_cur),
    )


def _first_rise(
    function: Callable[[Array], Array], low: float, high: float, shape: tuple[int, ...]
) -> tuple[Array, NDArray[np.bool_]]:
    """Return the least argument at which *function* rises through zero, and whether it does, both of *shape*.

    It is looked for on a grid of `_GRID` points from *low* to *high*, and then halved.
    """
    grid = np.linspace(low, high, _GRID)
    values = np.stack([function(np.full(shape, point)) for point in grid])
    rises = (values[:-1] < 0) & (values[1:] >= 0)
    first = rises.argmax(axis=0)
    below, above = grid[first], grid[first + 1]
    for _ in range(_HALVINGS):
        middle = (below + above) / 2
        still_below = function(middle) < 0
        below, above = np.where(still_below, middle, below), np.where(still_below, above, middle)
    return above, np.asarray(rises.any(axis=0))


def scenario_weights(
    values_cur: Sequence[float] | Array, prior: Sequence[float] | Array, price_cur: float
) -> ScenarioWeights:
    """Return the scenario weights nearest to *prior* in relative entropy whose mean value is a price.

    Parameters
    ----------
    values_cur : (n,)
        Value in each scenario.
    prior : (n,)
        Weights >= 0 that sum to 1; a scenario of weight 0 keeps it.
    price_cur : float
        The price, strictly between the least and the greatest value.

    Raises
    ------
    InputError
        If the shapes differ, a number is not finite or the prior is not a distribution.
    InfeasibleError
        If the price lies outside the range of the values: no weights can explain it.

    Notes
    -----
    Minimising ``sum w log(w / prior)`` under ``sum w = 1`` and ``sum w value = price`` gives exponential tilting,
    ``w ~ prior exp(tilt value)``; the mean rises with the tilt, so one root is sought. (Csiszár 1975, *I-divergence
    geometry of probability distributions and minimization problems*.)
    """
    values, start = np.asarray(values_cur, float), np.asarray(prior, float)
    if values.ndim != 1 or values.shape != start.shape or not np.isfinite([*values, *start, price_cur]).all():
        message = "values and prior must be two finite sequences of one length, and the price a finite number"
        raise InputError(message)
    if (start < 0).any() or abs(start.sum() - 1.0) > 1e-9:
        message = f"the prior must be >= 0 and sum to 1; it sums to {start.sum():g}"
        raise InputError(message)
    possible = start > 0
    low, high = float(values[possible].min()), float(values[possible].max())
    if low == high == price_cur:
        return ScenarioWeights(weights=start, tilt_per_cur=0.0, relative_entropy_nats=0.0, gain=np.zeros_like(start))
    if not low < price_cur < high:
        message = (
            f"no weights explain a price of {price_cur:.4g}: the scenarios are worth {low:.4g} to {high:.4g}; "
            "it needs a scenario beyond them"
        )
        raise InfeasibleError(message, ["scenario range"])
    unit = (values[possible] - price_cur) / (high - low)
    log_prior = np.log(start[possible])

    def mean(tilt: float) -> float:
        logs = log_prior + tilt * unit
        return float(np.exp(logs - logsumexp(logs)) @ unit)

    reach = 1.0
    while mean(reach) < 0 or mean(-reach) > 0:
        reach *= 2.0
    tilt = float(brentq(mean, -reach, reach, xtol=1e-13, rtol=1e-14))
    logs = log_prior + tilt * unit
    weights = np.zeros_like(start)
    weights[possible] = np.exp(logs - logsumexp(logs))
    entropy = float(weights[possible] @ (np.log(np.maximum(weights[possible], 1e-300)) - log_prior))
    return ScenarioWeights(
        weights=weights, tilt_per_cur=tilt / (high - low), relative_entropy_nats=max(entropy, 0.0), gain=weights - start
    )
