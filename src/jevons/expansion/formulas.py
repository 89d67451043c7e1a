"""Stock by vintage, and demand blocks as a firm with market power sees them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jevons.arrays import Array
from jevons.units import HOURS_PER_YEAR

DAYS_PER_QUARTER = HOURS_PER_YEAR / 24 / 4
"""Mean length of a quarter [days]."""


def in_service(lead_quarters: NDArray[np.int64], life_quarters: NDArray[np.int64], quarters: int) -> NDArray[np.bool_]:
    """Return whether a device ordered in one quarter is in service in another.

    Parameters
    ----------
    lead_quarters, life_quarters : (v,)
        Quarters from order to service, and in service.
    quarters : int
        Length of the horizon.

    Returns
    -------
    (v, order quarter, quarter) of bool
        True from ``order + lead`` to ``order + lead + life - 1``.
    """
    first = np.arange(quarters)[None, :, None] + np.asarray(lead_quarters)[:, None, None]
    now = np.arange(quarters)[None, None, :]
    return np.asarray((now >= first) & (now < first + np.asarray(life_quarters)[:, None, None]))


def share_in_service(begins_quarters: Array, ends_quarters: Array, edges_quarters: Array) -> Array:
    """Return the share of each step of time in which something is in service.

    Parameters
    ----------
    begins_quarters, ends_quarters : (...)
        When service begins and ends.
    edges_quarters : (t + 1,)
        Start of the first step, and ends of all; rising.

    Returns
    -------
    (..., t)
        Overlap over length, in 0..1; within a billionth of either end, that end.
    """
    first = np.maximum(np.asarray(begins_quarters)[..., None], edges_quarters[:-1])
    last = np.minimum(np.asarray(ends_quarters)[..., None], edges_quarters[1:])
    share = np.clip((last - first) / np.diff(edges_quarters), 0.0, 1.0)
    return np.asarray(np.where(share < 1e-9, 0.0, np.where(share > 1 - 1e-9, 1.0, share)))


def marginal_revenue(value_cur_per_call: Array, calls_per_d: Array) -> Array:
    """Return the revenue that serving each demand block adds when all calls pay the price of the last.

    Parameters
    ----------
    value_cur_per_call : (..., b)
        Value of the blocks, not rising along b.
    calls_per_d : (..., b)
        Their sizes, >= 0.

    Returns
    -------
    (..., b)
        Money per call, not rising along b; negative where reaching a block costs more than it brings.

    Notes
    -----
    The blocks are read as samples of a smooth curve at their middles, so the price at the edge between two blocks is
    interpolated (and extrapolated past the last). For linear demand the result is exact: ``P = a - b Q`` gives
    ``a - 2 b Q`` at each middle. Where the curve's revenue is not concave, neighbouring blocks are pooled (the concave
    majorant), which a linear program needs; a firm could reach it only by mixing two prices.
    """
    values = np.asarray(value_cur_per_call, float)
    sizes = np.asarray(calls_per_d, float)
    blocks = values.shape[-1]
    if blocks == 1:
        return values.copy()
    half = sizes / 2
    gap = half[..., :-1] + half[..., 1:]
    slope = np.divide(np.diff(values, axis=-1), gap, out=np.zeros_like(gap), where=gap > 0)
    slope = np.concatenate([slope, slope[..., -1:]], axis=-1)
    edge = np.maximum(values + slope * half, 0.0)
    upto = np.cumsum(sizes, axis=-1)
    revenue = edge * upto
    added = np.diff(revenue, axis=-1, prepend=0.0)
    gained = np.divide(added, sizes, out=values.copy(), where=sizes > 0)
    flat = gained.reshape(-1, blocks)
    weight = sizes.reshape(-1, blocks)
    rising = np.nonzero((np.diff(flat, axis=1) > 0).any(axis=1))[0]
    for row in rising:
        flat[row] = _pooled(flat[row], weight[row])
    return np.asarray(flat.reshape(values.shape))


def _pooled(gained: Array, weight: Array) -> Array:
    """Return the non-rising sequence nearest to *gained* in weighted squares (pool adjacent violators)."""
    means: list[float] = []
    weights: list[float] = []
    counts: list[int] = []
    for mean, size in zip(gained.tolist(), weight.tolist(), strict=True):
        means.append(mean)
        weights.append(size)
        counts.append(1)
        while len(means) > 1 and means[-1] > means[-2]:
            total = weights[-2] + weights[-1]
            merged = (means[-2] * weights[-2] + means[-1] * weights[-1]) / total if total > 0 else means[-2]
            means[-2:] = [merged]
            weights[-2:] = [total]
            counts[-2:] = [counts[-2] + counts[-1]]
    return np.repeat(means, counts)
