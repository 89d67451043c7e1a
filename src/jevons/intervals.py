"""80 % intervals of predictions, from errors on measurements that no fit had seen."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

_Z = NormalDist().inv_cdf(0.9)

SURE = 0.9
"""Probability of fitting below which an answer says that memory is tight."""


def normal_chance(at: float, low: float, high: float) -> float:
    """Return the probability that a normal figure is at most *at*, given its 10 % and 90 % quantiles."""
    return NormalDist((low + high) / 2.0, max((high - low) / (2.0 * _Z), 1e-6)).cdf(at)


@functools.cache
def shipped_ends(path: Path) -> Mapping[str, Any]:
    """Return a document of ends that ships with the package, read once; a script of the fit wrote it."""
    with path.open(encoding="utf-8") as stream:
        document: Mapping[str, Any] = json.load(stream)
    return document


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """80 % interval of a prediction, and what it rests on.

    Parameters
    ----------
    low, high : float
        Ends of the interval, in the measure of its kind.
    nearness : str
        How near the rows are that the prediction rests on, as its stage names it.
    rows : int
        Measured figures that the ends come from.
    """

    low: float
    high: float
    nearness: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratios(Interval):
    """80 % interval of a prediction as ratios to it, low <= 1 <= high."""

    def interval(self, value: float) -> tuple[float, float]:
        """Return the ends of the interval around a figure that grows with what is predicted."""
        return value * self.low, value * self.high

    def chance_below(self, value: float, limit: float) -> float:
        """Return the probability that a measurement of what is predicted as *value* is at most *limit*.

        The logarithm of measured over predicted is taken as normal on either side of its median, with the interval's
        ends as 10 % and 90 % quantiles.
        """
        if value <= 0.0 or not math.isfinite(value):
            return 1.0 if value <= limit else 0.0
        if limit <= 0.0:
            return 0.0
        return normal_chance(math.log(limit / value), math.log(self.low), math.log(self.high))
