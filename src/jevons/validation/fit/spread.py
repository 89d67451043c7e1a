"""80 % intervals of serving predictions, from errors of fits that left rows out."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jevons.serving.spread import NEARNESS, QUANTITIES, STRANGE, nearness_of
from jevons.serving.types import FloatArray
from jevons.validation.fit.serving import LOOSE, Item, Problem
from jevons.validation.serving.predict import quantity_of

_LEAST_ROWS = 20
_LEAST_GROUPS = 4
_EVERY = "all"
_BEYOND = 1.25
"""By how much an interval is wider (in the logarithm) where neither device nor model has rows, over either alone.

And again where no device of its kind has."""
_INSIDE, _LEAST_GROWTH, _MOST_GROWTH, _NO_WIDTH = 0.8, 0.25, 3.0, 1e-3
_FEW_GROUPS, _INSIDE_OF_FEW = 10, 0.85

Left = Mapping[str, Sequence[int]]
Classes = dict[str, tuple[float, float, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figure:
    """The error of one figure: log(measured / predicted), and how near the rows were that its prediction rests on."""

    index: int
    family: str
    quantity: str
    nearness: str
    group: str
    value: float

    @property
    def name(self) -> tuple[str, str]:
        """Rows of one group of one table are not independent."""
        return self.family, self.group


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
    left = [(parts, _left_out(problem, parts, errors)) for parts, errors in schemes]
    rows = [row for _, figures in left for row in figures]
    needed = [need for parts, figures in left for need in _needed(rows, parts, figures)]
    rows += _figures(problem, dict.fromkeys(range(len(problem.items)), "calibrated"), calibrated)
    quantities: dict[str, dict[str, Classes]] = {}
    for quantity in QUANTITIES:
        every = _classes_of(rows, quantity, _EVERY)
        quantities[quantity] = {
            family: _calibrated(_classes_of(rows, quantity, family), every, _scale(needed, quantity, family))
            for family in sorted({f for row in rows if row.quantity == quantity for f in (row.family, _EVERY)})
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
    rows = _left_out(problem, parts, errors)
    needed, sets = _needed(rows, parts, rows), _by_set(rows)
    inside: dict[tuple[str, str], list[tuple[bool, float]]] = defaultdict(list)
    for items in parts.values():
        out = set(items)
        known = [need for need in needed if need.figure.index not in out]
        classes: dict[tuple[str, str], Classes] = {}
        scaled: dict[tuple[str, str], Classes] = {}
        for row in (row for row in rows if row.index in out):
            for family in (row.family, _EVERY):
                if (row.quantity, family) not in classes:
                    classes[row.quantity, family] = _classes_without(sets, out, row.quantity, family)
            own, every = classes[row.quantity, row.family], classes[row.quantity, _EVERY]
            if (row.quantity, row.family) not in scaled:
                of_all = _calibrated(every, every, _scale(known, row.quantity, _EVERY))
                of_own = _calibrated(own, every, _scale(known, row.quantity, row.family))
                scaled[row.quantity, row.family] = of_all | of_own
            low, high, _ = scaled[row.quantity, row.family][row.nearness]
            inside[row.family, row.quantity].append((low <= np.exp(row.value) <= high, high / low))
    return [
        {
            "family": family, "quantity": quantity, "figures": len(counts),
            "inside_frac": float(np.mean([count for count, _ in counts])),
            "width": float(np.median([width for _, width in counts])),
        }
        for (family, quantity), counts in sorted(inside.items())
    ]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Needed:
    """By how much the interval made without a figure must grow, in the logarithm, to reach it."""

    figure: _Figure
    own: float
    every: float


def _needed(rows: Sequence[_Figure], parts: Left, figures: Sequence[_Figure]) -> list[_Needed]:
    """Return what each figure of a way of leaving out needs of the intervals made of *rows* without its part."""
    needs, sets = [], _by_set(rows)
    for items in parts.values():
        out = set(items)
        classes: dict[tuple[str, str], Classes] = {}
        for row in (row for row in figures if row.index in out):
            for family in (row.family, _EVERY):
                if (row.quantity, family) not in classes:
                    classes[row.quantity, family] = _classes_without(sets, out, row.quantity, family)
            every = classes[row.quantity, _EVERY][row.nearness]
            own = classes[row.quantity, row.family].get(row.nearness, every)
            needs.append(_Needed(figure=row, own=_growth(row.value, own), every=_growth(row.value, every)))
    return needs


def _by_set(rows: Iterable[_Figure]) -> dict[tuple[str, str], list[_Figure]]:
    sets: dict[tuple[str, str], list[_Figure]] = defaultdict(list)
    for row in rows:
        sets[row.quantity, row.family].append(row)
        sets[row.quantity, _EVERY].append(row)
    return sets


def _classes_without(
    sets: Mapping[tuple[str, str], Sequence[_Figure]], out: set[int], quantity: str, family: str
) -> Classes:
    others = (row for row in sets[quantity, family] if row.index not in out)
    return _classes_of(others, quantity, family)


def _growth(value: float, interval: tuple[float, float, int]) -> float:
    end = float(np.log(interval[1] if value > 0.0 else interval[0]))
    return value / end if abs(end) > _NO_WIDTH else float(abs(value) > _NO_WIDTH) * _MOST_GROWTH


def _scale(needed: Sequence[_Needed], quantity: str, family: str) -> float | None:
    """Return the growth that takes in 80 % of the figures left out; None where too few figures tell.

    Of few groups the next one is often beyond all: some more are taken in. Tables with fewer groups still have no
    intervals of their own: those of all tables are narrowed to what theirs need.
    """
    whole = family == _EVERY
    chosen = [need for need in needed if need.figure.quantity == quantity and (whole or need.figure.family == family)]
    groups = len({need.figure.name for need in chosen})
    if len(chosen) < _LEAST_ROWS:
        return None
    wanted = _INSIDE_OF_FEW if groups < _FEW_GROUPS else _INSIDE
    growth = np.array([need.every if whole else need.own for need in chosen])
    weights = np.array([LOOSE.get(need.figure.family, 1.0) if whole else 1.0 for need in chosen])
    order = np.argsort(growth)
    share = (np.cumsum(weights[order]) - weights[order] / 2.0) / weights.sum()
    return float(np.clip(np.interp(wanted, share, growth[order]), _LEAST_GROWTH, _MOST_GROWTH))


def _calibrated(own: Classes, every: Classes, scale: float | None) -> Classes:
    """Return a family's intervals, widened or narrowed: its own, or those of all where it has none of a nearness.

    Those after a calibration stay as they are.
    """
    if scale is None:
        return own
    chosen = {name: own.get(name) or every[name] for name in NEARNESS if name in own or name in every}
    return {
        name: (low, high, rows) if name == "calibrated" else (round(low**scale, 4), round(high**scale, 4), rows)
        for name, (low, high, rows) in chosen.items()
        if name != "calibrated" or name in own
    }


def _weight(figure: _Figure, sizes: Mapping[tuple[str, str], int]) -> float:
    return LOOSE.get(figure.family, 1.0) / float(np.sqrt(sizes[figure.name]))


def _left_out(problem: Problem, parts: Left, errors: FloatArray) -> list[_Figure]:
    """Return the errors of all figures, each under factors fitted without its part."""
    rows = []
    for items in parts.values():
        out = set(items)
        seen = pairs_of(item for index, item in enumerate(problem.items) if index not in out)
        left = ((index, problem.items[index]) for index in items)
        near = {index: nearness_of(item.engine, item.device, item.model, seen) for index, item in left}
        rows += _figures(problem, near, errors)
    return rows


def _figures(problem: Problem, nearness: Mapping[int, str], errors: FloatArray) -> list[_Figure]:
    """Return the errors of items' figures, by the item's place and how near its rows were."""
    rows = []
    for index, near in nearness.items():
        item = problem.items[index]
        family, group = item.prepared.case.family, item.group
        for quantity, error in _item_errors(problem, index, errors):
            rows.append(
                _Figure(index=index, family=family, quantity=quantity, nearness=near, group=group, value=-error)
            )
    return rows


def pairs_of(items: Iterable[Item]) -> dict[str, list[list[str]]]:
    """Return the pairs of device and model that items have, by engine."""
    pairs: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for item in items:
        pairs[item.engine].add((item.device, item.model))
    return {engine: [list(pair) for pair in sorted(members)] for engine, members in sorted(pairs.items())}


def _item_errors(problem: Problem, index: int, errors: FloatArray) -> list[tuple[str, float]]:
    """Return the errors of an item's figures, and that of the E2E latency that follows from them."""
    log_errors, measured_s, predicted_s = [], {}, {}
    for row in problem.rows_of[index]:
        quantity = quantity_of(problem.metrics[row])
        if quantity is None or np.isnan(errors[row]):
            continue
        log_errors.append((quantity, float(errors[row])))
        measured_s[quantity] = float(np.exp(problem.target[row]))
        predicted_s[quantity] = measured_s[quantity] * float(np.exp(errors[row]))
    if {"ttft", "tpot"} <= set(measured_s):
        steps = max(problem.items[index].prepared.case.requested.osl.mean - 1.0, 0.0)
        e2e = [each["ttft"] + steps * each["tpot"] for each in (predicted_s, measured_s)]
        log_errors.append(("e2e", float(np.log(e2e[0] / e2e[1]))))
    return log_errors


def _classes_of(rows: Iterable[_Figure], quantity: str, family: str) -> Classes:
    """Return a quantity's interval for each nearness that has rows enough, in a family of tables or in all.

    None is narrower than that of nearer rows.
    """
    whole = family == _EVERY
    chosen = [row for row in rows if row.quantity == quantity and (whole or row.family == family)]
    classes: Classes = {}
    least, most = 0.0, 0.0
    for nearness in NEARNESS:
        matching = [row for row in chosen if row.nearness == nearness]
        if len(matching) < _LEAST_ROWS or len({row.name for row in matching}) < _LEAST_GROUPS:
            if not whole:
                continue
            scale = _BEYOND if nearness in {"new both", STRANGE} else 1.0
            classes[nearness] = (float(np.exp(least * scale)), float(np.exp(most * scale)), len(matching))
            continue
        low, high = _quantiles(matching)
        low, high = min(low, 0.0), max(high, 0.0)
        if nearness != "new model":  # a new device and a new model are two ways of being further
            low, high = min(low, least), max(high, most)
        least, most = min(low, least), max(high, most)
        classes[nearness] = (float(np.exp(low)), float(np.exp(high)), len(matching))
    return {name: (round(low, 4), round(high, 4), rows) for name, (low, high, rows) in classes.items()}


def _quantiles(figures: Sequence[_Figure]) -> tuple[float, float]:
    """Return the 10 % and 90 % quantiles, groups counted by the square root of their rows.

    Rows of tables that leave much of a run unsaid count for less: part of their error is what they do not say. Both
    ends are those of a new group: as few groups as there are tell little of the next one (Student's t).
    """
    sizes = Counter(row.name for row in figures)
    values = np.array([row.value for row in figures])
    weights = np.array([_weight(row, sizes) for row in figures])
    order = np.argsort(values)
    share = (np.cumsum(weights[order]) - weights[order] / 2.0) / weights.sum()
    low, high = np.interp([0.1, 0.9], share, values[order])
    next_group = of_next_group(len(sizes))
    return float(low) * next_group, float(high) * next_group


def of_next_group(groups: int) -> float:
    """Return by how much a quantile over some groups lies further out (in the logarithm) for one not among them."""
    from scipy.stats import norm, t

    return float(t.ppf(0.9, max(groups - 1, 1)) / norm.ppf(0.9) * np.sqrt(1.0 + 1.0 / groups))
