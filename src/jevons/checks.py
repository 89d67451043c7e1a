"""Invariants that every result keeps before anybody sees it; a breach is a defect of the program, not an answer.

The command line shows a breach with its traceback and exits 1.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_SLACK = 1e-9
_ASCENDING = (("low", "value", "high"), ("low", "mode", "high"), ("p5", "p10", "p50", "p90", "p95", "p99"))
"""Names of figures beside each other that rise in this order."""
_AMOUNTS = ("_bytes", "_s", "_h", "_w", "_j", "_tok_per_s", "_req_per_s", "_tok_per_d", "_per_mtok", "_km2")
"""Ends of names of figures that are never below zero."""
_WITHOUT_FIGURES = frozenset({str, int, bool, type(None)})
_SHARES = frozenset({"utilisation_frac", "goodput_frac", "mfu_frac", "hfu_frac", "peak_frac", "kv_peak_frac", "p"})


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
    if all(a <= b for a, b in itertools.pairwise(values)):
        return
    slack = _SLACK * max(abs(value) for value in values)
    check(all(a <= b + slack for a, b in itertools.pairwise(values)), f"{name} {values} fall")


def check_sum(name: str, parts: Iterable[float], whole: float, tolerance: float = 1e-6) -> None:
    """Check that parts make up their whole."""
    total = float(sum(parts))
    check(abs(total - whole) <= tolerance * max(abs(whole), 1.0), f"{name}: parts make {total}, the whole is {whole}")


def check_record(name: str, record: Any) -> None:
    """Check the figures of a documented object: all finite, none below zero that cannot be, ranges in their order."""
    if isinstance(record, float):
        check(math.isfinite(record), f"{name} = {record} is not finite")
    elif isinstance(record, Mapping):
        for key, value in record.items():
            if isinstance(key, str) and key.endswith(_AMOUNTS) and least_of(value) < -_SLACK:
                check(False, f"{name}.{key} = {least_of(value)} is negative")
            if key in _SHARES and isinstance(value, float):
                check_shares({f"{name}.{key}": value})
            if not _plain(value):
                check_record(f"{name}.{key}", value)
        _check_ranges(name, record)
    elif hasattr(record, "dtype"):  # an array, without importing numpy for whoever has none
        finite = record.dtype.kind not in "fc" or all(map(math.isfinite, record.ravel().tolist()))
        check(finite, f"{name} is not finite")
    elif isinstance(record, list | tuple):
        for place, value in enumerate(record):
            if not _plain(value):
                check_record(f"{name}[{place}]", value)


def _plain(value: Any) -> bool:
    """Return whether a value has nothing to check: most have not, and naming their places takes long."""
    kind = type(value)
    return kind in _WITHOUT_FIGURES or (kind is float and math.isfinite(value))


def least_of(value: Any) -> float:
    """Return the least number of a figure or of figures by period, 0 where there is none."""
    if isinstance(value, bool) or value is None:
        return 0.0
    if isinstance(value, int | float):
        return float(value)
    if hasattr(value, "dtype") and value.dtype.kind in "if" and value.size:
        return float(value.min())
    return 0.0


def _check_ranges(name: str, record: Mapping[str, Any]) -> None:
    """Check that low ends, figures and high ends of the same quantity are in order, and percentiles rise."""

    def numbers(keys: Iterable[str]) -> list[float]:
        return [float(record[key]) for key in keys if isinstance(record.get(key), int | float)]

    for keys in _ASCENDING:
        if len(group := numbers(keys)) > 1:
            check_ordered(name, group)
    for key in record:
        if isinstance(key, str) and key.endswith("_low") and key != "at_low":  # that is an outcome at an input's end
            stem = key.removesuffix("_low")
            check_ordered(f"{name}.{stem}", numbers((key, stem, f"{stem}_high")))


def check_spread(name: str, spread: Any) -> None:
    """Check percentiles of a latency: finite, not negative, rising, with the mean below the highest."""
    if spread is None:
        return
    check_finite({f"{name}.{key}": getattr(spread, key) for key in ("mean", "p50", "p90", "p95", "p99")})
    check_ordered(name, [spread.p50, spread.p90, spread.p95, spread.p99])
