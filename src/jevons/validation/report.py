"""Errors of predictions, by group and overall."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A measured figure, and the prediction or the reason why there is none.

    Parameters
    ----------
    file : str
        Name of the file.
    row : int
        Data row, from 0.
    metric, group : str
        What is measured, and the rows it belongs with (source, model, device).
    family : str
        Kind of table.
    measured : float or None
        As printed; None where the cell is no number.
    predicted : float or None
        In the same unit.
    reason : str
        Why there is no prediction; empty where there is one.
    """

    file: str
    row: int
    metric: str
    group: str
    family: str
    measured: float | None
    predicted: float | None = None
    reason: str = ""

    @property
    def error(self) -> float | None:
        """Signed relative error, predicted over measured minus one."""
        if self.predicted is None or not self.measured:
            return None
        return self.predicted / self.measured - 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How far a set of rows is predicted.

    Parameters
    ----------
    rows, answered : int
        Measured figures, and those with a prediction.
    coverage_frac : float
        Their ratio.
    median_ape, p90_ape, bias : float or None
        Median and 90th percentile of the absolute relative error, and the median signed one.
    """

    rows: int
    answered: int
    coverage_frac: float
    median_ape: float | None
    p90_ape: float | None
    bias: float | None


def score(entries: Iterable[Entry]) -> Score:
    """Return the score of a set of entries."""
    listed = list(entries)
    errors = np.array([error for entry in listed if (error := entry.error) is not None])
    covered = len(errors) / len(listed) if listed else 0.0
    if not len(errors):
        return Score(rows=len(listed), answered=0, coverage_frac=covered, median_ape=None, p90_ape=None, bias=None)
    size = np.abs(errors)
    return Score(
        rows=len(listed),
        answered=len(errors),
        coverage_frac=covered,
        median_ape=float(np.median(size)),
        p90_ape=float(np.quantile(size, 0.9)),
        bias=float(np.median(errors)),
    )


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """Predictions of measured rows beside the measurements.

    Parameters
    ----------
    entries : tuple of Entry
        One for each measured figure, in file order.
    """

    entries: tuple[Entry, ...]

    def by(self, key: Callable[[Entry], str]) -> dict[str, Score]:
        """Return the score of each set of entries that share a key, largest set first."""
        sets: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            sets[key(entry)].append(entry)
        return {name: score(found) for name, found in sorted(sets.items(), key=lambda item: -len(item[1]))}

    @property
    def overall(self) -> Score:
        """Score of all rows."""
        return score(self.entries)

    @property
    def reasons(self) -> dict[str, int]:
        """How many rows have no prediction, by reason, most frequent first."""
        return dict(Counter(entry.reason for entry in self.entries if entry.error is None).most_common())

    def table(self) -> list[dict[str, Any]]:
        """Return one record per family and metric, per group, and for all rows."""
        lines = [{"set": "all rows", **_score_record(self.overall)}]
        for kind, key in (("family", _family), ("metric", _family_metric), ("group", _group)):
            lines += [{"set": f"{kind} {name}", **_score_record(found)} for name, found in self.by(key).items()]
        return lines

    def to_json(self) -> dict[str, Any]:
        """Return ``overall``, ``families``, ``groups``, ``reasons`` and ``rows`` for a JSON file."""
        return {
            "overall": _score_record(self.overall),
            "families": [{"family": name, **_score_record(s)} for name, s in self.by(_family).items()],
            "metrics": [{"metric": name, **_score_record(s)} for name, s in self.by(_family_metric).items()],
            "groups": [{"group": name, **_score_record(s)} for name, s in self.by(_group).items()],
            "reasons": self.reasons,
            "rows": [_row_record(entry) for entry in self.entries],
        }


def _family(entry: Entry) -> str:
    return entry.family


def _family_metric(entry: Entry) -> str:
    return f"{entry.family} {entry.metric}"


def _group(entry: Entry) -> str:
    return entry.group


def _score_record(found: Score) -> dict[str, Any]:
    return {name: getattr(found, name) for name in Score.__slots__}


def _row_record(entry: Entry) -> Mapping[str, Any]:
    common = {"file": entry.file, "row": entry.row, "metric": entry.metric, "measured": entry.measured}
    if entry.error is None:
        return {**common, "reason": entry.reason}
    return {**common, "predicted": entry.predicted, "ape": abs(entry.error)}
