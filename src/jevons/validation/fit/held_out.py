"""Errors of serving factors on rows that their fit did not see: how rows are held out, and tables of the errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from jevons.validation.fit.serving import Item, Problem, folds
from jevons.validation.report import Entry, score

FOLDS = 5
BY_RELEASE = "held out by release"


def splits(items: Sequence[Item]) -> dict[str, dict[str, list[int]]]:
    """Return the ways of holding rows out."""
    keys: dict[str, tuple[Callable[[Item], str], int]] = {
        "held out by group": (lambda item: item.group, FOLDS),
        "held out by device": (lambda item: item.device, 0),
        "held out by model": (lambda item: item.model, 0),
        BY_RELEASE: (_release, 0),
    }
    return {name: folds(items, key, count) for name, (key, count) in keys.items()}


def _release(item: Item) -> str:
    """Return engine and minor release of an item; builds of the day, and versions that name none, are the newest."""
    case = item.prepared.case
    return f"{case.engine} {'.'.join(map(str, case.release[:2])) if case.release else 'newest'}"


def label(problem: Problem, row: int) -> str:
    """Return the family and metric of a figure, disaggregated rows apart."""
    case = problem.items[problem.owner[row]].prepared.case
    kind = " (prefill apart)" if case.instances.prefill else ""
    return f"{case.family} {problem.metrics[row]}{kind}"


def error_table(problem: Problem, errors: np.ndarray) -> list[dict[str, Any]]:
    """Return rows, median and 90th percentile error and bias by family and metric."""
    sets: dict[str, list[Entry]] = {}
    for row, error in enumerate(errors):
        predicted = None if np.isnan(error) else float(np.exp(error))
        sets.setdefault(label(problem, row), []).append(
            Entry(file="", row=row, metric="", group="", family="", measured=1.0, predicted=predicted)
        )
    records = []
    for name, entries in sorted(sets.items()):
        errors_of_set = score(entries)
        shown = {"median_ape": errors_of_set.median_ape, "p90_ape": errors_of_set.p90_ape, "bias": errors_of_set.bias}
        records.append({"set": name, "figures": errors_of_set.rows, "answered": errors_of_set.answered, **shown})
    return records


def table_text(title: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a table as text."""
    text = [f"--- {title}"]
    for row in rows:
        if row["median_ape"] is not None:
            shown = f"median {row['median_ape']:.3f}  p90 {row['p90_ape']:.3f}  bias {row['bias']:+.3f}"
            text.append(f"  {row['set']:50s} {row['figures']:5d}  {shown}")
    return "\n".join(text)


def figures(problem: Problem, errors: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """Return measured and held-out predictions, for plots and for the worst groups."""
    records = []
    for row, index in enumerate(problem.owner):
        item = problem.items[index]
        measured = float(np.exp(problem.target[row]))
        record: dict[str, Any] = {
            "set": label(problem, row), "group": item.group, "device": item.device, "model": item.model,
            "engine": item.engine, "measured": float(f"{measured:.5g}"),
        }  # fmt: skip
        for name, logs in errors.items():
            record[name] = None if np.isnan(logs[row]) else float(f"{measured * np.exp(logs[row]):.5g}")
        records.append(record)
    return records
