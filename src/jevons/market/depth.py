"""Tokens per call that answer to price: reasoning and agent steps are bought while their value exceeds their cost."""

from __future__ import annotations

import numpy as np

from jevons.arrays import Array
from jevons.market.types import MarketInputs


def chosen_depth(inputs: MarketInputs, price_index: Array) -> tuple[Array, Array, Array]:
    """Return tokens per call over those at the start price, the value they add, and their elasticity, each (s,).

    Parameters
    ----------
    inputs : MarketInputs
        Share that chooses, exponent of value in tokens, and bounds.
    price_index : (s,)
        Price of a token over the one at the start, > 0.

    Notes
    -----
    A call of n tokens is worth ``v n^a``. Where ``a v n^(a-1)`` meets the price p, n moves with ``p^(-1/(1-a))``. Only
    a share of use is at that optimum; prompts and pipelines of the rest are fixed. What users wait for, and context,
    bound n on both sides. Users' bounds differ, so n bends towards the bound *m* as ``n m / sqrt(n^2 + m^2 - 1)``
    and has no corner there. At the start price all factors are 1, so growth at a constant price is never depth.
    """
    level = np.ones(price_index.shape)
    if inputs.use.depth_frac is None or inputs.use.depth_exponent is None or not inputs.use.depth_frac.any():
        return level, level, np.zeros(price_index.shape)
    exponent = inputs.use.depth_exponent
    most = np.full(level.shape, np.inf) if inputs.use.depth_most is None else np.maximum(inputs.use.depth_most, 1.0)
    free = np.maximum(price_index, 1e-12) ** (-1.0 / (1.0 - exponent))
    away = np.maximum(free, 1.0 / free)  # dearer tokens bound n from below in the same way
    room = np.minimum(most, 1e6)
    bent = away * room / np.sqrt(away**2 + room**2 - 1.0)
    chosen = np.where(free >= 1.0, bent, 1.0 / bent)
    rest = 1.0 - inputs.use.depth_frac
    depth = rest + inputs.use.depth_frac * chosen
    gain = rest + inputs.use.depth_frac * chosen**exponent
    slope = (room**2 - 1.0) / (away**2 + room**2 - 1.0) / (1.0 - exponent)
    elasticity = -inputs.use.depth_frac * chosen * slope / depth
    return depth, gain, elasticity
