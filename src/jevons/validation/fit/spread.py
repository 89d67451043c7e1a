"""80 % intervals of serving predictions, from errors of fits that left rows out."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from jevons.serving.spread import NEARNESS, QUANTITIES, nearness_of
from jevons.serving.types import FloatArray
from jevons.validation.fit.serving import LOOSE, Item, Problem
from jevons.validation.serving.predict import quantity_of

_LEAST_ROWS = 20
_LEAST_GROUPS = 4
_EVERY = "all"
_BEYOND = 1.25
"""By how much an interval is wider (in the logarithm) where neither device nor model has rows, over either alone."""

Left = Mapping[str, Sequence[int]]


def spread_document(
    problem: Problem, schemes: Iterable[tuple[Left, FloatArray]], calibrated: FloatArray
) -> dict[str, Any]:
    """Return the document of `jevons.serving.spread`.

    Parameters
    ----------
    problem : Problem
        All items of the fit.
    schemes : iterable of (mapping of str to sequence of int, ndarray)
        Ways of leaving items out: the items of each part, and the errors log(predicted / measured) of all rows under
        factors fitted without their part.
    calibrated : ndarray
        Errors after an update by a few runs of the same deployment (`few_shot_errors`).
    """
    residuals: dict[tuple[str, str, str], list[tuple[str, float]]] = defaultdict(list)
    for index, item in enumerate(problem.items):
        for quantity, error in _item_errors(problem, index, calibrated):
            for family in (item.prepared.case.family, _EVERY):
                residuals[quantity, family, "calibrated"].append((_named(item), -error))
    for parts, errors in schemes:
        for items in parts.values():
            out = set(items)
            seen = pairs_of(item for index, item in enumerate(problem.items) if index not in out)
            for index in items:
                item = problem.items[index]
                nearness = nearness_of(item.engine, item.device, item.model, seen)
                for quantity, error in _item_errors(problem, index, errors):
                    for family in (item.prepared.case.family, _EVERY):
                        residuals[quantity, family, nearness].append((item.group, -error))
    quantities: dict[str, dict[str, dict[str, tuple[float, float, int]]]] = {}
    for quantity in QUANTITIES:
        families = {family for q, family, _ in residuals if q == quantity}
        quantities[quantity] = {
            family: _classes({n: residuals.get((quantity, family, n), []) for n in NEARNESS}, whole=family == _EVERY)
            for family in sorted(families)
        }
    return {
        "about": "Quantiles (10 %, 90 %) of measured over predicted on rows left out, and how many; "
        "written by scripts/fit_serving.py",
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "seen": pairs_of(problem.items),
        "quantities": quantities,
    }


def interval_coverage(problem: Problem, parts: Left, errors: FloatArray) -> list[dict[str, Any]]:
    """Return, by family and quantity, the share of figures left out that lie in intervals made without their part.

    Parameters
    ----------
    problem, parts, errors
        As in `spread_document`, for one way of leaving items out.

    Returns
    -------
    list of dict
        ``family``, ``quantity``, ``figures``, ``inside_frac`` and the median ``width`` (high over low).
    """
    rows: list[tuple[str, str, str, str, str, float]] = []
    for part, items in parts.items():
        out = set(items)
        seen = pairs_of(item for index, item in enumerate(problem.items) if index not in out)
        for index in items:
            item = problem.items[index]
            nearness = nearness_of(item.engine, item.device, item.model, seen)
            for quantity, error in _item_errors(problem, index, errors):
                rows.append((part, item.prepared.case.family, quantity, nearness, _named(item), -error))
    inside: dict[tuple[str, str], list[tuple[bool, float]]] = defaultdict(list)
    for part in parts:
        others = [row for row in rows if row[0] != part]
        made: dict[tuple[str, str], dict[str, tuple[float, float, int]]] = {}
        for quantity in QUANTITIES:
            for family in {row[1] for row in rows} | {_EVERY}:
                chosen = [row for row in others if row[2] == quantity and family in {row[1], _EVERY}]
                by_nearness = {n: [(row[4], row[5]) for row in chosen if row[3] == n] for n in NEARNESS}
                made[quantity, family] = _classes(by_nearness, whole=family == _EVERY)
        for _, family, quantity, nearness, _, value in (row for row in rows if row[0] == part):
            low, high, _ = made[quantity, family].get(nearness) or made[quantity, _EVERY][nearness]
            inside[family, quantity].append((low <= np.exp(value) <= high, high / low))
    return [
        {
            "family": family, "quantity": quantity, "figures": len(found),
            "inside_frac": float(np.mean([one for one, _ in found])),
            "width": float(np.median([width for _, width in found])),
        }
        for (family, quantity), found in sorted(inside.items())
    ]  # fmt: skip


def pairs_of(items: Iterable[Item]) -> dict[str, list[list[str]]]:
    """Return the pairs of device and model that items have, by engine."""
    pairs: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for item in items:
        pairs[item.engine].add((item.device, item.model))
    return {engine: [list(pair) for pair in sorted(found)] for engine, found in sorted(pairs.items())}


def _item_errors(problem: Problem, index: int, errors: FloatArray) -> list[tuple[str, float]]:
    """Return the errors of an item's figures, and that of the E2E latency that follows from them."""
    found, measured_s, predicted_s = [], {}, {}
    for row in problem.rows_of[index]:
        quantity = quantity_of(problem.metrics[row])
        if quantity is None or np.isnan(errors[row]):
            continue
        found.append((quantity, float(errors[row])))
        measured_s[quantity] = float(np.exp(problem.target[row]))
        predicted_s[quantity] = measured_s[quantity] * float(np.exp(errors[row]))
    if {"ttft", "tpot"} <= set(measured_s):
        steps = max(problem.items[index].prepared.case.osl.mean - 1.0, 0.0)
        e2e = [each["ttft"] + steps * each["tpot"] for each in (predicted_s, measured_s)]
        found.append(("e2e", float(np.log(e2e[0] / e2e[1]))))
    return found


def _classes(residuals: Mapping[str, list[tuple[str, float]]], *, whole: bool) -> dict[str, tuple[float, float, int]]:
    """Return the interval of each nearness that has rows enough, none narrower than those of nearer rows."""
    made: dict[str, tuple[float, float, int]] = {}
    least, most = 0.0, 0.0
    for nearness in NEARNESS:
        found = residuals[nearness]
        if len(found) < _LEAST_ROWS or len({group for group, _ in found}) < _LEAST_GROUPS:
            if not whole:
                continue
            scale = _BEYOND if nearness == "new both" else 1.0
            made[nearness] = (float(np.exp(least * scale)), float(np.exp(most * scale)), len(found))
            continue
        low, high = _quantiles(found)
        low, high = min(low, 0.0), max(high, 0.0)
        if nearness != "new model":  # a new device and a new model are two ways of being further
            low, high = min(low, least), max(high, most)
        least, most = min(low, least), max(high, most)
        made[nearness] = (float(np.exp(low)), float(np.exp(high)), len(found))
    return {name: (round(low, 4), round(high, 4), rows) for name, (low, high, rows) in made.items()}


def _named(item: Item) -> str:
    """Return the name of an item's group, its family in front."""
    return f"{item.prepared.case.family}|{item.group}"


def _weight(name: str) -> float:
    return LOOSE.get(name.split("|", maxsplit=1)[0], 1.0)


def _quantiles(found: Sequence[tuple[str, float]]) -> tuple[float, float]:
    """Return the 10 % and 90 % quantiles, groups counted by the square root of their rows.

    Rows of tables that leave much of a run unsaid count for less: part of their error is what they do not say.
    """
    sizes: dict[str, int] = defaultdict(int)
    for group, _ in found:
        sizes[group] += 1
    values = np.array([value for _, value in found])
    weights = np.array([_weight(group) * sizes[group] ** -0.5 for group, _ in found])
    order = np.argsort(values)
    share = (np.cumsum(weights[order]) - weights[order] / 2.0) / weights.sum()
    low, high = np.interp([0.1, 0.9], share, values[order])
    return float(low), float(high)
