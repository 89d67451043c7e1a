"""Demand as descending price blocks, the form that the planner's linear program takes."""

from __future__ import annotations

import numpy as np

from jevons.arrays import Array
from jevons.errors import InputError

PRICE_LEVELS = (1.0, 1.1, 1.25, 1.5, 2.0, 3.0)
"""Prices at which one provider's demand curve is cut into blocks, over its posted price."""

LOWER_LEVELS = (1.0, 0.95, 0.9, 0.8, 0.65, 0.5, 0.35)
"""The same below the posted price, where a provider lets what it would leave idle."""


def demand_blocks(
    call_price_cur: Array,
    calls_per_d: Array,
    elasticity: float,
    *,
    levels: tuple[float, ...] = PRICE_LEVELS,
    loyal_share_frac: float = 0.0,
) -> tuple[Array, Array]:
    """Return value and size of the blocks of one provider's demand curve around its posted price.

    Parameters
    ----------
    call_price_cur : (s, t)
        Posted price of a call [currency].
    calls_per_d : (s, t)
        Calls a day at that price.
    elasticity : float
        Of the provider's volume to its own price with rivals' prices fixed, < 0: what a provider that runs short can
        add before its callers go elsewhere.
    levels : tuple of float
        Rising multiples of the posted price, the first 1.
    loyal_share_frac : float
        Share of calls that would stay at any price up to the last level.

    Returns
    -------
    value_cur : (s, t, b)
        What a call of each block would pay, falling along b: the geometric middle of the block's two price levels; the
        first block, which would pay more than the highest level, is valued at that level.
    calls_per_d : (s, t, b)
        Calls a day in each block; they sum to the demand at the posted price.

    Raises
    ------
    InputError
        If the elasticity is not negative or the levels do not rise from 1.
    """
    if elasticity >= 0:
        message = f"provider elasticity = {elasticity:g}: must be negative"
        raise InputError(message)
    steps = np.asarray(levels, float)
    if steps[0] != 1.0 or np.any(np.diff(steps) <= 0):
        message = f"price levels {levels} must rise from 1"
        raise InputError(message)
    demanded_frac = loyal_share_frac + (1 - loyal_share_frac) * steps**elasticity
    upper = np.concatenate([demanded_frac[1:], [0.0]])
    sizes = (demanded_frac - upper)[::-1]
    middles = np.sqrt(steps[:-1] * steps[1:])
    values = np.concatenate([[steps[-1]], middles[::-1]])
    return call_price_cur[:, :, None] * values, calls_per_d[:, :, None] * sizes


def further_blocks(
    call_price_cur: Array,
    calls_per_d: Array,
    elasticity: float,
    *,
    levels: tuple[float, ...] = LOWER_LEVELS,
) -> tuple[Array, Array]:
    """Return value and size of the blocks by which the curve of `demand_blocks` goes on below the posted price.

    Parameters
    ----------
    call_price_cur, calls_per_d : (s, t)
        Posted price of a call [CNY], and calls a day at it.
    elasticity : float
        Of the provider's volume to its own price, < 0.
    levels : tuple of float
        Falling multiples of the posted price, the first 1.

    Returns
    -------
    value_cur, calls_per_d : (s, t, f)
        What a call of each block would pay, the geometric middle of its two price levels, and calls a day in it.
    """
    steps = np.asarray(levels, float)
    sizes = np.diff(steps**elasticity)
    return call_price_cur[:, :, None] * np.sqrt(steps[:-1] * steps[1:]), calls_per_d[:, :, None] * sizes
