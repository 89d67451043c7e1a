"""What was made in a window of time."""

from __future__ import annotations

import numpy as np

from jevons.serving.sim.types import FloatArray, IntArray


def made_in(first: FloatArray, finish: FloatArray, osl: IntArray, window_s: tuple[float, float]) -> FloatArray:
    """Return the share of each request's output tokens that came in a window.

    The first came at *first*, the others evenly until *finish*; those at the window's beginning are of the one before.
    """
    start, stop = window_s
    begun = (first > start) & (first <= stop)
    rest_s = finish - first
    inside = np.clip(np.minimum(finish, stop) - np.maximum(first, start), 0.0, None)
    rest = np.where(rest_s > 0.0, inside / np.where(rest_s > 0.0, rest_s, 1.0), begun)
    share: FloatArray = (begun + (osl - 1) * rest) / np.maximum(osl, 1)
    return share
