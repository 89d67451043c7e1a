"""Invariants that every result keeps before anybody sees it; a breach is a defect of the program, not an answer.

The command line shows a breach with its traceback and exits 1.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_SLACK = 1e-9


class InvariantError(AssertionError):
    """A result breaks what must hold for every input: please report it."""


def check(holds: bool, what: str) -> None:
    """Raise where an invariant does not hold.

    Raises
    ------
    InvariantError
        Saying what does not hold.
    """
    if not holds:
        message = f"{what}. This is a defect of jevons, not of your input: please report it with the command."
        raise InvariantError(message)


def check_finite(values: Mapping[str, float | None]) -> None:
    """Check that figures are finite and not negative; None stands for no figure."""
    for name, value in values.items():
        check(value is None or (math.isfinite(value) and value >= 0.0), f"{name} = {value} is negative or not finite")


def check_shares(values: Mapping[str, float | None]) -> None:
    """Check that shares lie from 0 to 1."""
    for name, value in values.items():
        check(value is None or -_SLACK <= value <= 1.0 + _SLACK, f"{name} = {value} is no share of 1")


def check_ordered(name: str, values: Sequence[float]) -> None:
    """Check that figures such as percentiles rise."""
    check(all(a <= b * (1 + _SLACK) + _SLACK for a, b in itertools.pairwise(values)), f"{name} {values} fall")


def check_sum(name: str, parts: Iterable[float], whole: float, tolerance: float = 1e-6) -> None:
    """Check that parts make up their whole."""
    total = float(sum(parts))
    check(abs(total - whole) <= tolerance * max(abs(whole), 1.0), f"{name}: parts make {total}, the whole is {whole}")


def check_spread(name: str, spread: Any) -> None:
    """Check percentiles of a latency: finite, not negative, rising, with the mean below the highest."""
    if spread is None:
        return
    check_finite({f"{name}.{key}": getattr(spread, key) for key in ("mean", "p50", "p90", "p95", "p99")})
    check_ordered(name, [spread.p50, spread.p90, spread.p95, spread.p99])
