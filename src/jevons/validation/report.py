"""Errors of predictions beside measurements: by family, by group and overall."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from jevons.limits import MEASURED
from jevons.results import Cell, Column, Result, Table, table
from jevons.words import Sentence

_WORST_GROUPS = 12
_REASONS = 12


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
    low, high : float or None
        80 % interval of the prediction, where there is one.
    reason : str
        Why there is no prediction; empty where there is one.
    outcome : bool
        Whether the figures are outcomes: 1 for yes (it starts, it fits), 0 for no.
    """

    file: str
    row: int
    metric: str
    group: str
    family: str
    measured: float | None
    predicted: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""
    outcome: bool = False

    @property
    def answered(self) -> bool:
        """Whether there are a figure and a prediction to compare."""
        return self.error is not None or self.right is not None

    @property
    def right(self) -> bool | None:
        """Whether an outcome is predicted as it was; None for other figures and where one of the two is missing."""
        if not self.outcome or self.predicted is None or self.measured is None:
            return None
        return self.predicted == self.measured

    @property
    def unsafe(self) -> bool:
        """Whether a yes is predicted where it was no."""
        return self.right is False and self.predicted == 1.0

    @property
    def error(self) -> float | None:
        """Signed relative error, predicted over measured minus one; None for outcomes."""
        if self.outcome or self.predicted is None or not self.measured:
            return None
        return self.predicted / self.measured - 1.0

    @property
    def inside(self) -> bool | None:
        """Whether the measured figure lies in the interval; None where there is none."""
        if self.low is None or self.high is None or self.measured is None:
            return None
        return self.low <= self.measured <= self.high


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
    inside_frac : float or None
        Share of the measured figures inside their 80 % intervals; None where predictions have none.
    right_frac : float or None
        Share of outcomes predicted as they were; None where there are none.
    unsafe : int
        Outcomes predicted as yes that were no.
    """

    rows: int
    answered: int
    coverage_frac: float
    median_ape: float | None = None
    p90_ape: float | None = None
    bias: float | None = None
    inside_frac: float | None = None
    right_frac: float | None = None
    unsafe: int = 0


def measured_of(text: str) -> float | None:
    """Return a measured figure; None where the cell is no number above 0, up to `MEASURED`."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0.0 < value <= MEASURED else None


def no_figure(text: str | None) -> str:
    """Return the reason of a cell that `measured_of` takes for none."""
    return f"`{text}` is no number above 0, up to {MEASURED:.0e}"


def score(entries: Iterable[Entry]) -> Score:
    """Return the score of a set of entries."""
    listed = list(entries)
    errors = np.array([error for entry in listed if (error := entry.error) is not None])
    told = [right for entry in listed if (right := entry.right) is not None]
    answered = len(errors) + len(told)
    counts = Score(
        rows=len(listed),
        answered=answered,
        coverage_frac=answered / len(listed) if listed else 0.0,
        right_frac=sum(told) / len(told) if told else None,
        unsafe=sum(entry.unsafe for entry in listed),
    )
    if not len(errors):
        return counts
    size = np.abs(errors)
    inside = [entry.inside for entry in listed if entry.error is not None and entry.inside is not None]
    return replace(
        counts,
        median_ape=float(np.median(size)),
        p90_ape=float(np.quantile(size, 0.9)),
        bias=float(np.median(errors)),
        inside_frac=sum(inside) / len(inside) if inside else None,
    )


@dataclass(frozen=True, repr=False)
class ValidationReport(Result):
    """What `jevons.validate` returns: predictions of measured rows beside the measurements.

    Parameters
    ----------
    entries : tuple of Entry
        One for each measured figure, in file order.
    cells : mapping of str to tuple of mapping
        The rows of each file as they were read, for tables with the prediction added.
    """

    kind: ClassVar[str] = "validate"
    file_table: ClassVar[str] = "rows"

    entries: tuple[Entry, ...]
    cells: Mapping[str, tuple[Mapping[str, str], ...]]

    def by(self, key: Callable[[Entry], str]) -> dict[str, Score]:
        """Return the score of each set of entries that share a key, largest set first."""
        sets: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            sets[key(entry)].append(entry)
        return {name: score(members) for name, members in sorted(sets.items(), key=lambda item: -len(item[1]))}

    @property
    def overall(self) -> Score:
        """Score of all rows."""
        return score(self.entries)

    @property
    def reasons(self) -> dict[str, int]:
        """How many rows have no prediction, by reason, most frequent first."""
        return dict(Counter(entry.reason for entry in self.entries if not entry.answered).most_common())

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """Coverage, and median and 90th percentile of the error."""
        all_rows = self.overall
        told = all_rows.right_frac is not None
        values = {
            "answered": all_rows.answered, "rows": all_rows.rows,
            "right": 100 * all_rows.right_frac if all_rows.right_frac is not None else None,
            "told": sum(entry.right is not None for entry in self.entries) if told else None,
            "unsafe": all_rows.unsafe,
        }  # fmt: skip
        if all_rows.median_ape is None or all_rows.p90_ape is None or all_rows.bias is None:
            return (Sentence("validate.outcomes", values),)
        values |= {"median": 100 * all_rows.median_ape, "p90": 100 * all_rows.p90_ape, "bias": 100 * all_rows.bias}
        errors = Sentence("validate.errors", values)
        if all_rows.inside_frac is None:
            return (errors,)
        count = sum(entry.inside is not None for entry in self.entries)
        return (errors, Sentence("validate.inside", {"count": count, "inside": 100 * all_rows.inside_frac}))

    @property
    def change_parts(self) -> tuple[Sentence, ...]:
        """Which group is off most and what the others are without it; why rows have no prediction."""
        changes = []
        groups = {name: one.median_ape for name, one in self.by(_group).items() if one.median_ape is not None}
        if len(groups) > 1:
            name = max(groups, key=groups.__getitem__)
            own = [entry for entry in self.entries if _group(entry) == name]
            rest = score([entry for entry in self.entries if _group(entry) != name]).median_ape
            changes.append(Sentence("change.worst", {
                "group": name, "median": groups[name], "rows": f"{len(own)}", "rest": rest,
            }))  # fmt: skip
        if self.reasons:
            reason, count = next(iter(self.reasons.items()))
            values = {"count": f"{sum(self.reasons.values())}", "reason": reason, "most": f"{count}"}
            changes.append(Sentence("change.unanswered", values))
        return tuple(changes)

    def _tables(self) -> Iterator[Table]:
        few = len(self.entries) <= _FEW
        if few:
            yield self._figures()
        yield _score_table("overall", "All rows", {"all rows": self.overall}, detail=True)
        yield _score_table("families", "By table and metric", self.by(_family_metric), detail=few)
        groups = self.by(_group)
        judged = {name: scored for name, scored in groups.items() if scored.median_ape is not None}
        worst = sorted(judged.items(), key=lambda item: -(item[1].median_ape or 0.0))[:_WORST_GROUPS]
        if worst:
            yield _score_table("worst_groups", "Groups with the largest median error", dict(worst), detail=few)
        if self.reasons:
            heads = (Column(name="reason", label="reason"), Column(name="rows", label="rows"))
            yield table("reasons", "Rows without a prediction", heads, list(self.reasons.items())[:_REASONS])
        yield _score_table("groups", "By group: source, model, device", groups, detail=True)
        yield self._rows()

    def _figures(self) -> Table:
        """Return each measured figure beside its prediction, with the load where there are several."""
        loads = [self._load(entry) for entry in self.entries]
        several = len(set(loads)) > 1
        heads = [Column("load", "load")] if several else []
        heads += [
            Column("metric", "metric"), Column("measured", "measured"), Column("predicted", "predicted"),
            Column("low", "low"), Column("high", "high"), Column("error", "error", "%", scale=100.0),
        ]  # fmt: skip
        rows: list[tuple[Cell, ...]] = []
        for load, row in zip(loads, self.entries, strict=True):
            if row.answered:
                cells = (row.metric, row.measured, row.predicted, row.low, row.high, row.error)
                rows.append((load, *cells) if several else cells)
        title = "Measured figures beside predictions; low, high: 80 % interval"
        return table("figures", title, heads, rows, most=_SHOWN)

    def _load(self, entry: Entry) -> str:
        own = self.cells.get(entry.file, ())
        printed = own[entry.row] if entry.row < len(own) else {}
        return printed.get("concurrency_or_rate", "")

    def _rows(self) -> Table:
        heads = [Column(name=name, label=name) for name in _ROW]
        given = list(dict.fromkeys(name for rows in self.cells.values() for row in rows[:1] for name in row))
        given = [name for name in given if name not in _ROW]
        heads += [Column(name=name, label=name) for name in given]
        rows = []
        for entry in self.entries:
            own = self.cells.get(entry.file, ())
            printed = own[entry.row] if entry.row < len(own) else {}
            ape = _ape(entry)
            cells: list[Cell] = [
                entry.file, entry.row, entry.metric, entry.measured, entry.predicted, entry.low, entry.high, ape,
                entry.reason,
            ]  # fmt: skip
            rows.append((*cells, *(printed.get(name, "") for name in given)))
        return table("rows", "Measured figures with their predictions", heads, rows, detail=True)

    def _document(self) -> dict[str, Any]:
        """Return ``overall``, ``families``, ``metrics``, ``groups``, ``reasons`` and ``rows`` for a JSON file."""
        return {
            **self.answer_record(),
            "overall": _score_record(self.overall),
            "families": [{"family": name, **_score_record(s)} for name, s in self.by(_family).items()],
            "metrics": [{"metric": name, **_score_record(s)} for name, s in self.by(_family_metric).items()],
            "groups": [{"group": name, **_score_record(s)} for name, s in self.by(_group).items()],
            "reasons": self.reasons,
            "rows": [_row_record(entry) for entry in self.entries],
        }


_FEW, _SHOWN = 60, 18
"""Figures up to which each stands in a table of its own; rows of that table without details."""
_ROW = ("file", "row", "metric", "measured", "predicted", "low", "high", "ape", "reason")
_SCORE_COLUMNS = (
    Column(name="set", label="set"),
    Column(name="rows", label="rows"),
    Column(name="answered", label="predicted"),
    Column(name="coverage_frac", label="coverage", unit="%", scale=100.0),
    Column(name="median_ape", label="median error", unit="%", scale=100.0),
    Column(name="p90_ape", label="p90 error", unit="%", scale=100.0),
    Column(name="bias", label="bias", unit="%", scale=100.0),
    Column(name="inside_frac", label="inside 80 % interval", unit="%", scale=100.0),
    Column(name="right_frac", label="outcomes right", unit="%", scale=100.0),
    Column(name="unsafe", label="unsafe yes"),
)


def _score_table(name: str, title: str, scores: Mapping[str, Score], *, detail: bool = False) -> Table:
    left_out = set()
    if all(scored.inside_frac is None for scored in scores.values()):
        left_out.add("inside_frac")
    if all(scored.right_frac is None for scored in scores.values()):
        left_out |= {"right_frac", "unsafe"}
    columns = [column for column in _SCORE_COLUMNS if column.name not in left_out]
    fields = [field for field in _SCORE_FIELDS if field not in left_out]
    rows = [(label, *(getattr(scored, field) for field in fields)) for label, scored in scores.items()]
    return table(name, title, columns, rows, detail=detail)


_SCORE_FIELDS = (
    "rows",
    "answered",
    "coverage_frac",
    "median_ape",
    "p90_ape",
    "bias",
    "inside_frac",
    "right_frac",
    "unsafe",
)


def _family(entry: Entry) -> str:
    return entry.family


def _family_metric(entry: Entry) -> str:
    return f"{entry.family} {entry.metric}"


def _group(entry: Entry) -> str:
    return entry.group


def _score_record(one: Score) -> dict[str, Any]:
    return {name: getattr(one, name) for name in _SCORE_FIELDS}


def _ape(entry: Entry) -> float | None:
    """Return the absolute relative error of a figure, and 0 or 1 for an outcome that is right or wrong."""
    if entry.right is not None:
        return 0.0 if entry.right else 1.0
    return None if entry.error is None else abs(entry.error)


def _row_record(entry: Entry) -> Mapping[str, Any]:
    common = {"file": entry.file, "row": entry.row, "metric": entry.metric, "measured": entry.measured}
    if not entry.answered:
        return {**common, "reason": entry.reason}
    interval = {} if entry.low is None or entry.high is None else {"low": entry.low, "high": entry.high}
    return {**common, "predicted": entry.predicted, **interval, "ape": _ape(entry)}
