"""80 % intervals of tables that no fit saw: how much wider than others' they must be, and where devices are strange."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from jevons.serving.spread import NEARNESS, NEW_SOURCE, QUANTITIES, STRANGE, nearness_of
from jevons.validation.fit.spread import of_next_group
from jevons.validation.names import model_named
from jevons.validation.report import Entry
from jevons.validation.serving.case import Row
from jevons.validation.serving.cases import read_case
from jevons.validation.serving.predict import quantity_of

_EVERY = "all"
_INSIDE, _LEAST, _MOST = 0.8, 1.0, 5.0
_SOME_GROUPS = 4
_NAMES = list(NEARNESS)
_NORMAL = NormalDist()
_Z = _NORMAL.inv_cdf((1.0 + _INSIDE) / 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedFigure:
    """One figure of a judged table: ``log(measured / predicted)``, and how near the rows of the fit were."""

    family: str
    quantity: str
    nearness: str
    group: str
    value: float


def judged_figures(rows: Sequence[Row], entries: Iterable[Entry], seen: Mapping[str, Any]) -> list[JudgedFigure]:
    """Return the answered figures of a table that have an interval.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of the table; an entry's ``row`` is a place in them.
    entries : iterable of Entry
        Predictions of the table, of factors that were fitted without it.
    seen : mapping
        Pairs of device and model by engine that the factors were fitted to.
    """
    found = []
    for entry in entries:
        quantity = quantity_of(entry.metric)
        if quantity is None or not entry.predicted or not entry.measured:
            continue
        case = read_case(rows[entry.row])
        near = nearness_of(case.engine, case.device, model_named(case.model)[0].name, seen)
        value = math.log(entry.measured / entry.predicted)
        found.append(
            JudgedFigure(family=entry.family, quantity=quantity, nearness=near, group=entry.group, value=value)
        )
    return found


def with_judged(document: Mapping[str, Any], figures: Sequence[JudgedFigure]) -> dict[str, Any]:
    """Return the document of `jevons.serving.spread` with the judged tables' own intervals.

    Devices of a kind that no engine has rows of take the errors of all judged tables. Each table's other intervals are
    those of all tables, widened until 80 % of its figures lie inside, and more where it has few groups; they are never
    narrowed. What one group of a source needs tells more of the next than what all other sources do. A source of which
    no row is on file has intervals that hold 80 % of one drawn among all tables.
    """
    quantities = {}
    for quantity, families in document["quantities"].items():
        own = [figure for figure in figures if figure.quantity == quantity]
        known = {**families, **_families(families[_EVERY], own)}
        quantities[quantity] = {**known, NEW_SOURCE: _new_source(known)}
    return {**document, "quantities": quantities}


def judged_coverage(document: Mapping[str, Any], figures: Sequence[JudgedFigure]) -> dict[str, tuple[int, float]]:
    """Return, by table, its figures and the share that lies in intervals made without their group."""
    inside: dict[str, list[bool]] = defaultdict(list)
    for quantity in QUANTITIES:
        own = [figure for figure in figures if figure.quantity == quantity]
        every = document["quantities"][quantity][_EVERY]
        for group in sorted({figure.group for figure in own}):
            classes = _families(every, [figure for figure in own if figure.group != group])
            for figure in (figure for figure in own if figure.group == group):
                of_table = classes.get(figure.family, classes[_EVERY])
                low, high, _ = of_table.get(figure.nearness) or classes[_EVERY][figure.nearness]
                inside[figure.family].append(low <= math.exp(figure.value) <= high)
    return {family: (len(counts), float(np.mean(counts))) for family, counts in sorted(inside.items())}


def _families(every: Mapping[str, Any], figures: Sequence[JudgedFigure]) -> dict[str, dict[str, Any]]:
    """Return the intervals of one quantity: of all tables, for strange devices, and of each judged table."""
    strange = [figure for figure in figures if figure.nearness == STRANGE]
    nearest = next(every[name] for name in reversed(_NAMES) if name in every and name != STRANGE)
    of_all = {STRANGE: nearest, **every}
    if strange:
        of_all[STRANGE] = _grown(nearest, _growth(strange, {STRANGE: nearest}), len(strange))
    families: dict[str, dict[str, Any]] = {_EVERY: of_all}
    for family in sorted({figure.family for figure in figures}):
        own = [figure for figure in figures if figure.family == family and figure.nearness != STRANGE]
        if not own:
            continue
        groups = len({figure.group for figure in own})
        next_group = of_next_group(groups) if groups >= _SOME_GROUPS else 1.0
        growth = min(_growth(own, of_all) * next_group, _MOST)
        counts = Counter(figure.nearness for figure in own)
        classes = {name: _grown(of_all[name], growth, counts[name]) for name in _NAMES[1:-1] if name in of_all}
        furthest, known = classes[_NAMES[-2]], of_all[STRANGE]
        families[family] = {
            **classes, STRANGE: [min(furthest[0], known[0]), max(furthest[1], known[1]), known[2]],
        }  # fmt: skip
    return families


def _new_source(families: Mapping[str, Any]) -> dict[str, Any]:
    """Return the intervals of a table that is not among these: those of all tables, widened as tables differ.

    Errors of a table are taken as normal, as wide as its own intervals. Any of the tables may be the next one.
    """
    every = families[_EVERY]
    widths = [_width(of, every) for name, of in families.items() if name not in {_EVERY, NEW_SOURCE}]
    tables = np.array([width for width in widths if width])
    if not len(tables):
        return {}
    low, high = 0.0, _MOST
    for _ in range(40):
        middle = (low + high) / 2.0
        inside = np.mean([2.0 * _NORMAL.cdf(_Z * middle / width) - 1.0 for width in tables])
        low, high = (middle, high) if inside < _INSIDE else (low, middle)
    return {name: _grown(every[name], max(high, _LEAST), 0) for name in _NAMES[1:-1] if name in every}


def _width(classes: Mapping[str, Any], every: Mapping[str, Any]) -> float:
    """Return how wide a table's intervals are over those of all tables, in the logarithm; 0 where it has none."""
    shared = [name for name in _NAMES[1:-1] if name in classes and name in every]
    ratios = [_span(classes[name]) / max(_span(every[name]), 1e-3) for name in shared]
    return float(np.mean(ratios)) if ratios else 0.0


def _span(interval: Sequence[float]) -> float:
    return math.log(interval[1] / interval[0])


def _growth(figures: Sequence[JudgedFigure], classes: Mapping[str, Any]) -> float:
    """Return by how much intervals must grow, in the logarithm, to hold 80 %; groups by the root of their size."""
    if not figures:
        return _LEAST
    sizes = Counter((figure.family, figure.group) for figure in figures)
    weights = np.array([1.0 / math.sqrt(sizes[figure.family, figure.group]) for figure in figures])
    needs = np.array([_need(figure.value, classes[figure.nearness]) for figure in figures])
    order = np.argsort(needs)
    share = (np.cumsum(weights[order]) - weights[order] / 2.0) / weights.sum()
    return float(np.clip(np.interp(_INSIDE, share, needs[order]), _LEAST, _MOST))


def _need(value: float, interval: Sequence[float]) -> float:
    end = abs(math.log(interval[1] if value > 0.0 else interval[0]))
    return min(abs(value) / max(end, 1e-3), _MOST)


def _grown(interval: Sequence[float], growth: float, rows: int) -> list[float]:
    return [round(interval[0] ** growth, 4), round(interval[1] ** growth, 4), rows]
