"""Finds stale, conflicting and judged facts, and ranks judgements by how far they move a result."""

from __future__ import annotations

import datetime as dt
import fnmatch
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jevons.facts import Facts, FactValue
from jevons.schema import read_yaml
from jevons.study.draws.run import Draws
from jevons.study.draws.sampling import rank_correlations
from jevons.study.draws.summary import chance_size
from jevons.study.scenario.scenario import Scenario

_AGES = (
    (r"_quarter_|revenue_growth|ebita_margin_frac$", 200), (r"_half_year_", 300), (r"_year_", 500),
    (r"^rent\.|price|^api\.", 365), (r"^tokens\.|^users\.|^share\.|run_rate|backlog", 365),
    (r"net_cash|shares$|debt|ads_price|pe_", 200),
)  # fmt: skip
"""Days after which a fact of that kind should have a newer value: quarterly figures, yearly ones, prices, counts."""
_HISTORY_DAYS = 1500
"""Beyond this age a fact is history, and nobody waits for a newer value."""
_CONFLICT = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """A fact whose newest value is older than facts of its kind should be, or has expired."""

    value: FactValue
    age_days: int
    most_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Values of one fact and date that differ, and which counts."""

    id: str
    start: dt.date
    low: FactValue
    high: FactValue
    counts: FactValue

    @property
    def spread_frac(self) -> float:
        """Distance of the two over the lower one."""
        low, high = abs(self.low.number), abs(self.high.number)
        return abs(self.high.number - self.low.number) / max(min(low, high), 1e-300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A figure that rests on judgement; of a scenario's also how it moves an outcome over the draws.

    Parameters
    ----------
    correlation : float or None
        Rank correlation with the outcome.
    variance_frac : float or None
        Share of the outcome's variance (by rank) that knowing the figure would remove: its value of information.
    swing : float or None
        Mean outcome where the figure lies in its highest fifth less that in its lowest.
    """

    path: str
    value: float
    low: float
    high: float
    unit: str
    reason: str
    correlation: float | None = None
    variance_frac: float | None = None
    swing: float | None = None


@functools.cache
def _settling() -> tuple[tuple[str, str], ...]:
    entries = read_yaml(Path(__file__).with_name("settle.yaml")).root
    return tuple((entry["path"], entry["source"]) for entry in entries)


def settled_by(path: str) -> str:
    """Return what kind of source would settle a figure."""
    return next(source for pattern, source in _settling() if fnmatch.fnmatchcase(path, pattern))


def stale(facts: Facts, on: dt.date) -> Iterator[Stale]:
    """Yield facts that are stale on a date, the oldest against their kind first."""
    listed = []
    for fact in facts:
        values = facts.series(fact.id, on)
        if not values or isinstance(values[-1].value, str) or values[-1].grade in {"judgement", "derived"}:
            continue
        last = values[-1]
        if last.expires is not None and on > last.expires:
            listed.append(
                Stale(value=last, age_days=(on - last.start).days, most_days=(last.expires - last.start).days)
            )
            continue
        most = next((days for pattern, days in _AGES if re.search(pattern, fact.id)), None)
        age = (on - last.start).days
        if most is not None and most < age < _HISTORY_DAYS:
            listed.append(Stale(value=last, age_days=age, most_days=most))
    yield from sorted(listed, key=lambda s: (-s.age_days / max(s.most_days, 1), s.value.id))


def conflicts(facts: Facts, on: dt.date) -> Iterator[Conflict]:
    """Yield facts with values of one date that differ by more than five in a hundred, the widest first."""
    pairs = []
    for fact in facts:
        by_date: dict[dt.date, list[FactValue]] = {}
        for value in fact.values:
            if value.published <= on and not isinstance(value.value, str):
                by_date.setdefault(value.start, []).append(value)
        for start, values in by_date.items():
            if len(values) > 1:
                low, high = min(values, key=lambda v: v.number), max(values, key=lambda v: v.number)
                counts = max(values, key=lambda v: (v.chosen, v.published))
                one = Conflict(id=fact.id, start=start, low=low, high=high, counts=counts)
                if one.spread_frac > _CONFLICT:
                    pairs.append(one)
    yield from sorted(pairs, key=lambda c: (-c.spread_frac, c.id))


def judged_facts(facts: Facts, on: dt.date) -> Iterator[Judgement]:
    """Yield facts of grade judgement, the widest range first."""
    listed = []
    for fact in facts:
        values = facts.series(fact.id, on)
        if values and values[-1].grade == "judgement" and not isinstance(values[-1].value, str):
            v = values[-1]
            low, high = (v.number if end is None else end for end in (v.low, v.high))
            listed.append(Judgement(path=fact.id, value=v.number, low=low, high=high, unit=v.unit, reason=v.reason))
    yield from sorted(listed, key=lambda j: (-_width(j), j.path))


def _width(judgement: Judgement) -> float:
    scale = max(abs(judgement.value), 1e-300)
    return (judgement.high - judgement.low) / scale


def judged_inputs(scenario: Scenario, draws: Draws, outcome: str) -> Iterator[Judgement]:
    """Yield a scenario's uncertain judgements by how far they move an outcome, those within chance left out."""
    amounts = scenario.amounts()
    least = chance_size(draws)
    for path, size in rank_correlations(list(draws.names), draws.values, draws.outcomes[outcome]):
        amount = amounts.get(path)
        if amount is None or amount.grade != "judgement" or abs(size) <= least:
            continue
        column = draws.values[:, draws.names.index(path)]
        first, last = np.quantile(column, (0.2, 0.8))
        values = draws.outcomes[outcome]
        swing = float(values[column >= last].mean() - values[column <= first].mean())
        low, high = (amount.value if end is None else end for end in (amount.low, amount.high))
        yield Judgement(
            path=path, value=amount.value, low=low, high=high, unit=amount.unit, reason=amount.source or amount.origin,
            correlation=size, variance_frac=size**2, swing=swing,
        )  # fmt: skip
