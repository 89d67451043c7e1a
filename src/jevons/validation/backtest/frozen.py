"""Forecasts that were published on a day and stay as they are, scored against the facts that came later.

A frozen file holds quantiles by quarter and method, nothing that a later model could move. Outcomes are facts, each
with its date of publication.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jevons.arrays import Array
from jevons.errors import Fault, InputError
from jevons.facts import Facts
from jevons.validation.backtest.forecast import PRODUCTS, TARGETS, price_products, quarter_end

LEVELS_TARGETS = {"china_tok_per_d", "doubao_tok_per_d", "qwen_price_index", "deepseek_price_index", "ads_price_usd"}
"""Quantities of a day rather than of a quarter: they are read between the ends of quarters."""

LOG_TARGETS = {*LEVELS_TARGETS, "capex"}
"""Scored in the logarithm: their errors are factors."""

_SERIES = {
    "cloud_revenue": ("alibaba.cloud.revenue_quarter_cny",),
    "capex": ("alibaba.group.capex_quarter_cny",),
    "china_tok_per_d": ("tokens.china.daily_tok_per_d",),
    "doubao_tok_per_d": ("tokens.doubao.daily_tok_per_d",),
    "ads_price_usd": ("alibaba.group.ads_price_adjusted_usd", "alibaba.group.ads_price_usd"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenForecast:
    """Quantiles as they were published.

    Parameters
    ----------
    as_of : date
        Day up to which the forecast saw what was public.
    levels : (k,)
        Levels of the quantiles, rising, symmetric about a half.
    quarters : tuple of str
        Labels, in order.
    quantiles : mapping of str to mapping of str to (k, q)
        By method and target, in the target's unit.
    """

    as_of: dt.date
    levels: Array
    quarters: tuple[str, ...]
    quantiles: Mapping[str, Mapping[str, Array]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FactOutcome:
    """What happened, as a fact says.

    Parameters
    ----------
    target : str
        See `jevons.validation.backtest.forecast.TARGETS`.
    quarters : tuple of str
        Quarters that the value covers, for flows: one, or several whose sum it is; none for a level.
    date : date
        Last day covered, or the day.
    value : float
        In the target's unit.
    published : date
        When it became public.
    fact : str
        Where it stands.
    """

    target: str
    quarters: tuple[str, ...]
    date: dt.date
    value: float
    published: dt.date
    fact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenScore:
    """An outcome against a frozen forecast.

    Parameters
    ----------
    method : str
        Whose forecast.
    outcome : FactOutcome
        What happened.
    low, middle, high : float
        Outermost quantiles and the median.
    interval_score : float
        Weighted interval score over the published quantiles, in the logarithm for `LOG_TARGETS`.
    """

    method: str
    outcome: FactOutcome
    low: float
    middle: float
    high: float
    interval_score: float

    @property
    def covered(self) -> bool:
        """Whether the outcome lies within the outermost quantiles."""
        return self.low <= self.outcome.value <= self.high


def read_frozen(path: Path) -> FrozenForecast:
    """Return the forecast of a frozen file.

    Raises
    ------
    InputError
        If the file is no frozen forecast, or its quantiles do not rise.
    """
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
        levels = np.asarray(given["levels"], float)
        tables = {
            method: {
                target: {str(q): [float(v) for v in row] for q, row in rows.items()} for target, rows in content.items()
            }
            for method, content in given["methods"].items()
        }
        as_of = dt.date.fromisoformat(given["as_of"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"{path}: no frozen forecast ({error}); it holds as_of, levels and methods.NAME.QUANTITY.QUARTER"
        raise InputError(message) from None
    faults: list[Fault] = []
    quarters = sorted({q for table in tables.values() for rows in table.values() for q in rows})
    forecasts: dict[str, dict[str, Array]] = {}
    for method, by_quarter in tables.items():
        for target, rows in by_quarter.items():
            place = f"methods.{method}.{target}"
            if target not in TARGETS:
                faults.append(Fault(message=f"unknown quantity; known are {', '.join(TARGETS)}", path=place))
            elif sorted(rows) != quarters:
                faults.append(Fault(message=f"quarters {', '.join(rows)}: must be {', '.join(quarters)}", path=place))
            elif any(len(row) != levels.size or np.any(np.diff(row) < 0) for row in rows.values()):
                faults.append(Fault(message=f"each quarter needs {levels.size} rising quantiles", path=place))
            else:
                forecasts.setdefault(method, {})[target] = np.array([rows[q] for q in quarters]).T
    if faults:
        raise InputError(faults)
    return FrozenForecast(as_of=as_of, levels=levels, quarters=tuple(quarters), quantiles=forecasts)


def write_frozen(forecast: FrozenForecast, about: str) -> str:
    """Return the text of a frozen file: one line for each quarter of a quantity."""
    methods: dict[str, Any] = {
        method: {
            target: {
                q: [float(f"{v:.5g}") for v in column] for q, column in zip(forecast.quarters, table.T, strict=True)
            }
            for target, table in tables.items()
        }
        for method, tables in forecast.quantiles.items()
    }
    given = {"as_of": str(forecast.as_of), "about": about, "levels": forecast.levels.tolist(), "methods": methods}
    text = json.dumps(given, indent=1)
    return re.sub(r"\[\s+([^\]]*?)\s+\]", lambda m: "[" + re.sub(r"\s+", " ", m.group(1)) + "]", text) + "\n"


def quarter_label(date: dt.date) -> str:
    """Return the quarter of a date, such as ``2025-Q1``."""
    return f"{date.year}-Q{(date.month - 1) // 3 + 1}"


def fact_outcomes(facts: Facts, as_of: dt.date, quarters: Sequence[str]) -> list[FactOutcome]:
    """Return the facts published after a date that quarters of a forecast meet.

    Notes
    -----
    Growth follows from the cloud's revenue and that of the year before where no fact states it, margins from adjusted
    EBITA over revenue of the quarter. Of two values of one date the reader's choice counts.
    """
    outcomes = [
        outcome
        for target, names in _SERIES.items()
        for name in names
        for outcome in _plain(facts, target, name, as_of, quarters)
    ]
    outcomes += _growths(facts, as_of, quarters)
    outcomes += _margins(facts, as_of, quarters)
    outcomes += _indices(facts, as_of, quarters)
    return sorted(outcomes, key=lambda o: (list(TARGETS).index(o.target), o.date))


def _plain(facts: Facts, target: str, name: str, as_of: dt.date, quarters: Sequence[str]) -> Iterator[FactOutcome]:
    last = quarter_end(quarters[-1])
    for value in facts.series(name):
        # the quarter of the date may have ended before or after it: what counts is when the value became public
        inside = quarter_end(quarters[0]) - dt.timedelta(days=92) < value.start <= last
        if not inside or value.published <= as_of:
            continue
        label = () if target in LEVELS_TARGETS else (quarter_label(value.start),)
        yield FactOutcome(
            target=target, quarters=label, date=value.start, value=value.number, published=value.published, fact=name
        )


def _growths(facts: Facts, as_of: dt.date, quarters: Sequence[str]) -> Iterator[FactOutcome]:
    name = "alibaba.cloud.revenue_growth_frac"
    stated = {value.start: value for value in facts.series(name)}
    revenue = {value.start: value for value in facts.series(_SERIES["cloud_revenue"][0])}
    for start, value in revenue.items():
        label = quarter_label(start)
        before = revenue.get(quarter_end(f"{start.year - 1}{label[4:]}"))
        if label not in quarters or value.published <= as_of:
            continue
        if start in stated:
            number, published, fact = stated[start].number, stated[start].published, name
        elif before is not None:
            number, published, fact = value.number / before.number - 1.0, value.published, value.id
        else:
            continue
        yield FactOutcome(
            target="cloud_growth_frac", quarters=(label,), date=start, value=number, published=published, fact=fact
        )


def _margins(facts: Facts, as_of: dt.date, quarters: Sequence[str]) -> Iterator[FactOutcome]:
    """Yield margins of quarters, and of those quarters of a fiscal year together whose profit only the year shows."""
    name, year = "alibaba.cloud.ebita_quarter_cny", "alibaba.cloud.ebita_year_cny"
    revenue = {quarter_label(value.start): value.number for value in facts.series(_SERIES["cloud_revenue"][0])}
    profit = {quarter_label(value.start): value for value in facts.series(name)}
    for label, value in profit.items():
        if label in quarters and value.published > as_of and label in revenue:
            yield FactOutcome(
                target="cloud_margin_frac", quarters=(label,), date=value.start,
                value=value.number / revenue[label], published=value.published, fact=name,
            )  # fmt: skip
    for value in facts.series(year):
        last = value.start.year * 4 + (value.start.month - 1) // 3
        whole = tuple(f"{number // 4}-Q{number % 4 + 1}" for number in range(last - 3, last + 1))
        left = tuple(label for label in whole if label not in profit)
        if set(whole) <= set(quarters) & set(revenue) and value.published > as_of and left:
            rest = value.number - sum(profit[label].number for label in whole if label in profit)
            yield FactOutcome(
                target="cloud_margin_frac", quarters=left, date=value.start,
                value=rest / sum(revenue[label] for label in left), published=value.published, fact=year,
            )  # fmt: skip


def _indices(facts: Facts, as_of: dt.date, quarters: Sequence[str]) -> Iterator[FactOutcome]:
    """Yield each vendor's list-price index at the ends of quarters up to the last price on file of its products."""
    for vendor, start in price_products(facts, as_of).items():
        dated = [value for fact in start for value in facts.series(fact) if value.start > as_of]
        if not dated:
            continue
        last = max(dated, key=lambda value: value.start)
        for label in quarters:
            date = quarter_end(label)
            if date <= last.start:
                logs = [np.log(facts.get(fact, date).number / price) for fact, price in start.items()]
                yield FactOutcome(
                    target=f"{vendor}_price_index", quarters=(), date=date, value=float(np.exp(np.mean(logs))),
                    published=last.published, fact=f"{PRODUCTS[vendor][0]}, ...",
                )  # fmt: skip


def score_frozen(forecast: FrozenForecast, outcomes: Iterable[FactOutcome]) -> list[FrozenScore]:
    """Return each outcome against each method that forecast it."""
    scores = []
    for outcome in outcomes:
        for method, tables in forecast.quantiles.items():
            if outcome.target not in tables:
                continue
            quantiles = _quantiles_of(forecast, tables[outcome.target], outcome)
            if quantiles is None:
                continue
            scores.append(
                FrozenScore(
                    method=method, outcome=outcome, low=float(quantiles[0]), high=float(quantiles[-1]),
                    middle=float(np.interp(0.5, forecast.levels, quantiles)),
                    interval_score=interval_score(
                        forecast.levels, quantiles, outcome.value, log=outcome.target in LOG_TARGETS
                    ),
                )
            )  # fmt: skip
    return scores


def _quantiles_of(forecast: FrozenForecast, table: Array, outcome: FactOutcome) -> Array | None:
    """Return the quantiles (k,) of what an outcome measures; None where the forecast does not reach it.

    Of several quarters together the quantiles are summed, and averaged for shares, which is exact where the quarters
    move as one; a level between two ends of quarters lies between their quantiles in the logarithm.
    """
    if outcome.quarters:
        if not set(outcome.quarters) <= set(forecast.quarters):
            return None
        those = table[:, [forecast.quarters.index(q) for q in outcome.quarters]]
        return np.asarray(those.mean(axis=1) if outcome.target.endswith("_frac") else those.sum(axis=1))
    days = np.array([(quarter_end(q) - forecast.as_of).days for q in forecast.quarters], float)
    when = float((outcome.date - forecast.as_of).days)
    if not 0 <= when <= days[-1]:
        return None
    return np.asarray(np.exp([np.interp(when, days, row) for row in np.log(table)]))


def interval_score(levels: Array, quantiles: Array, value: float, *, log: bool) -> float:
    """Return twice the mean pinball loss over quantiles: near the CRPS, equal to the absolute error of a median alone.

    References
    ----------
    Bracher et al. (2021), Evaluating epidemic forecasts in an interval format, PLOS Computational Biology 17(2).
    """
    x, q = (np.log(value), np.log(quantiles)) if log else (value, quantiles)
    return float(2 * np.mean((np.asarray(x <= q, float) - levels) * (q - x)))
