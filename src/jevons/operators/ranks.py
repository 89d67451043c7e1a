"""A larger group is never quicker than a smaller one: what its times are held to as ranks and bytes rise.

Times of a fitted kernel are laid out on a ladder of sizes for each size of group. Inside a scale-up domain, where
groups were measured, a fall from one size of group to a larger one is shared between the two. Beyond it, where a
domain's links and the network were fitted to few groups, a group takes at least as long as each smaller one.
"""

from __future__ import annotations

import numpy as np

from jevons.operators.types import FloatArray

_MANTISSA = 8
"""Sizes of groups between one doubling and the next; all whole numbers up to twice that."""


def rung(count: FloatArray | float) -> FloatArray:
    """Return the least size of group on the ladder that is at least *count*: m x 2^k with m from 8 to 15."""
    count = np.ceil(np.asarray(count, dtype=np.float64))
    unit = 2.0 ** np.maximum(np.floor(np.log2(np.maximum(count, 1.0))) - np.log2(_MANTISSA), 0.0)
    return np.asarray(np.ceil(count / unit) * unit)


def filled(ranks: FloatArray, domain: int) -> FloatArray:
    """Return a group padded to the ladder and, where it does not fit one scale-up domain, to whole domains.

    The slowest domain of a group is a full one, so that a part of a domain more counts as a domain more.
    """
    return np.where(ranks <= domain, np.minimum(rung(ranks), domain), domain * rung(ranks / domain))


def rungs(most: float) -> list[float]:
    """Return the sizes of groups on the ladder from 2 up to *most*, which is the last whether on it or not."""
    sizes, count = [], 2.0
    while count < most:
        sizes.append(count)
        count = float(rung(count + 1.0))
    return [*sizes, float(most)] if most >= 2.0 else []


def risen(inside: FloatArray) -> FloatArray:
    """Return times that rise along the first axis: where they fall, the two share the fall in equal factors."""
    most = np.maximum.accumulate(inside, axis=0)
    least = np.minimum.accumulate(inside[::-1], axis=0)[::-1]
    return np.asarray(np.sqrt(most * least))


def along(ladder: FloatArray, steps: int, size: FloatArray) -> FloatArray:
    """Return the times of sizes from a ladder with *steps* to a doubling; beyond its end they grow as its last step."""
    position, logs = np.log2(size) * steps, np.log(ladder)
    beyond = np.maximum(position - (len(ladder) - 1.0), 0.0) * (logs[-1] - logs[-2])
    return np.asarray(np.exp(np.interp(position, np.arange(len(ladder)), logs) + beyond))
