"""How many tokens and experts the busiest rank of an expert-parallel group gets."""

from __future__ import annotations

import functools

import numpy as np

from jevons.operators.types import ArrayLike, FloatArray

_DRAWS = 24
_SEED = 20250224


def active_experts(tokens: ArrayLike, experts: ArrayLike, experts_per_token: ArrayLike) -> FloatArray:
    """Return the expected number of experts that receive a token under uniform routing.

    Notes
    -----
    ``n (1 - (1 - k/n)^tokens)`` for n experts, k per token.

    Examples
    --------
    >>> round(float(active_experts(1, 256, 8)), 9)
    8.0
    """
    n = np.asarray(experts, dtype=np.float64)
    share = np.minimum(np.asarray(experts_per_token, dtype=np.float64) / n, 1.0 - 1e-12)
    result: FloatArray = n * -np.expm1(np.asarray(tokens, dtype=np.float64) * np.log1p(-share))
    return result


def balanced_load(
    tokens: FloatArray, experts: FloatArray, experts_per_token: FloatArray, expert_parallel: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return rows and active experts of one rank where a router spreads tokens as evenly as it can."""
    local = np.maximum(experts / expert_parallel, 1.0)
    rows = np.maximum(tokens * experts_per_token / expert_parallel, 1.0)
    return rows, np.minimum(local, np.ceil(tokens * experts_per_token / expert_parallel))


@functools.lru_cache(maxsize=65536)
def power_law_load(
    tokens: int, experts: int, experts_per_token: int, expert_parallel: int, exponent: float
) -> tuple[float, float]:
    """Return expected rows and active experts of the busiest rank where expert loads follow a power law.

    Parameters
    ----------
    tokens, experts, experts_per_token, expert_parallel : int
        Tokens of the group, experts of the layer, experts per token, ranks.
    exponent : float
        Loads are drawn with density ``x^-exponent`` on [1, 0.8 tokens], or on [0.01, 2] where there are no more
        assignments than experts, then scaled to the assignments and rounded. This is how the public MoE benchmarks
        named ``power_law_<exponent>`` skew their routing.

    Returns
    -------
    tuple of float
        Geometric mean of the rows, mean of the experts with at least one row, over seeded draws.
    """
    rng = np.random.default_rng(_SEED)
    total = tokens * experts_per_token
    low, high = (1.0, max(0.8 * tokens, 1.001)) if total > experts else (0.01, 2.0)
    power = 1.0 - exponent
    draws = rng.random((_DRAWS, experts))
    load = ((high**power - low**power) * draws + low**power) ** (1.0 / power)
    for _ in range(2):  # no expert gets a token twice
        load = np.minimum(load / load.sum(1, keepdims=True) * total, tokens)
    counts = np.minimum(np.round(load), tokens)
    order = np.argsort(-counts - 0.5 * rng.random(counts.shape), axis=1)  # equal loads in no particular order
    for row, ranking in zip(counts, order, strict=True):
        missing = int(total - row.sum())
        targets = ranking if missing > 0 else ranking[row[ranking] > 0]
        np.add.at(row, targets[np.arange(abs(missing)) % len(targets)], float(np.sign(missing)))
    local = max(experts // expert_parallel, 1)
    ranks = counts[:, : local * expert_parallel].reshape(_DRAWS, -1, local)
    busiest = ranks[np.arange(_DRAWS), ranks.sum(2).argmax(1)]
    rows = float(np.exp(np.log(np.maximum(busiest.sum(1), 0.5)).mean()))
    return rows, max(float((busiest > 0).sum(1).mean()), 0.5)
