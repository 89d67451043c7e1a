"""The array type that every stage passes, float64 of any shape (docstrings name the axes), and a mean of two."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def log_mean(a: NDArray[np.float64] | float, b: NDArray[np.float64] | float) -> Array:
    """Return the logarithmic mean ``(b - a) / ln(b / a)`` of two positive numbers or arrays; near 0 where either is 0.

    Multiplied by the logarithm of the ratio of a factor, it is what the factor adds to the difference of two products
    (LMDI): the parts of all factors sum to it.
    """
    first, second = np.maximum(np.asarray(a, float), 1e-300), np.maximum(np.asarray(b, float), 1e-300)
    ratio = np.log(second / first)
    close = np.abs(ratio) < 1e-9
    return np.asarray(np.where(close, first, (second - first) / np.where(close, 1.0, ratio)))
