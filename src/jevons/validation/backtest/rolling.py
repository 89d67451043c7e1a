"""Forecasts from many dates for many firms, with one set of priors for all: revenue, capital expenditure, tokens.

Each series is a level in the logarithm with a drift that fades and shocks that add up. The drift is the prior's, moved
by the growth that was public on the date. Nothing is fitted to a firm. Values count from the day they became public.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from scipy.special import ndtr, ndtri

from jevons.errors import InputError
from jevons.facts import Facts
from jevons.validation.backtest.forecast import quarter_end

ORIGINS = tuple(
    dt.date.fromisoformat(text)
    for text in (
        "2024-05-31",
        "2024-08-31",
        "2024-11-30",
        "2025-02-24",
        "2025-05-31",
        "2025-08-31",
        "2025-11-30",
        "2026-02-28",
    )
)
"""Dates of forecasts: after results of each quarter."""

HORIZON_Y = 1.5
"""Outcomes further ahead than this of a date are left to later dates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthPrior:
    """What is held of a kind of series, the same for every firm and date.

    Parameters
    ----------
    growth : float
        Of the logarithm, a year.
    growth_sd : float
        Spread of that over firms and dates.
    fade : float
        Rate a year at which the drift fades: its effect over h years is ``(1 - exp(-fade h)) / fade``.
    shock_sd : float
        Of the logarithm over a year, adding up as a random walk does.
    noise_sd : float
        Of one reported value about the path: seasons, timing of orders, how a count is made.
    """

    growth: float
    growth_sd: float
    fade: float
    shock_sd: float
    noise_sd: float


KINDS = ("revenue", "capex", "tokens")
"""Kinds of series, each with one prior."""


def growth_priors(facts: Facts, as_of: dt.date | None = None) -> dict[str, GrowthPrior]:
    """Return the prior of each kind of series: facts ``rolling.<kind>.<field>`` on a date, the newest by default.

    Those of `ORIGINS`' first date are the judgements of the first scoring. What is frozen now comes from the newest,
    which were widened once after it.
    """
    names = [field.name for field in fields(GrowthPrior)]
    return {
        kind: GrowthPrior(**{name: facts.get(f"rolling.{kind}.{name}", as_of).number for name in names})
        for kind in KINDS
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One quantity of one firm.

    Parameters
    ----------
    firm, kind : str
        Whose, and of which prior.
    facts : tuple of (str, int)
        Ids, and the quarters that a value covers: a year's value is four quarters', its level a quarter of it.
    scored : str
        Id of the fact whose later values are outcomes.
    """

    firm: str
    kind: str
    facts: tuple[tuple[str, int], ...]
    scored: str


def _series(firm: str, kind: str, scored: str, *more: tuple[str, int]) -> Series:
    return Series(firm=firm, kind=kind, facts=((scored, 4 if "_year_" in scored else 1), *more), scored=scored)


SERIES = (
    _series("Alibaba", "revenue", "alibaba.cloud.revenue_quarter_cny"),
    _series("Microsoft", "revenue", "peer.microsoft.revenue_quarter_usd"),
    _series("Microsoft", "revenue", "peer.microsoft.cloud_revenue_quarter_usd"),
    _series("Alphabet", "revenue", "peer.alphabet.cloud_revenue_quarter_usd"),
    _series("Alphabet", "revenue", "peer.alphabet.revenue_quarter_usd"),
    _series("Meta", "revenue", "peer.meta.revenue_quarter_usd"),
    _series("CoreWeave", "revenue", "peer.coreweave.revenue_quarter_usd"),
    _series("Alibaba", "capex", "alibaba.group.capex_quarter_cny", ("alibaba.group.capex_year_cny", 4)),
    _series(
        "Tencent", "capex", "peer.tencent.capex_quarter_cny", ("peer.tencent.capex_half_year_cny", 2),
        ("peer.tencent.capex_year_cny", 4),
    ),
    _series("Microsoft", "capex", "peer.microsoft.capex_quarter_usd", ("peer.microsoft.capex_year_usd", 4)),
    _series("Alphabet", "capex", "peer.alphabet.capex_quarter_usd", ("peer.alphabet.capex_year_usd", 4)),
    _series("Meta", "capex", "peer.meta.capex_year_usd"),
    _series("CoreWeave", "capex", "peer.coreweave.capex_quarter_usd"),
    _series("China", "tokens", "tokens.china.daily_tok_per_d"),
    _series("Doubao", "tokens", "tokens.doubao.daily_tok_per_d"),
    _series("Google", "tokens", "tokens.google.monthly_tok_per_month"),
)  # fmt: skip
"""Six firms as far as facts go, and three counts of tokens; each is its own good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A known value: date of the middle of what it covers, and its logarithm by quarter."""

    date: dt.date
    log: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RollingScore:
    """One outcome against the forecast of one date.

    Parameters
    ----------
    series : Series
        What is forecast.
    origin, date : date
        Of the forecast, and of the outcome.
    value : float
        What happened, in the fact's unit.
    low, middle, high : float
        Quantiles 10, 50 and 90 %.
    crps : float
        Of the logarithm.
    rules : mapping of str to float
        The same of each simple rule that can be applied: the absolute error.
    """

    series: Series
    origin: dt.date
    date: dt.date
    value: float
    low: float
    middle: float
    high: float
    crps: float
    rules: Mapping[str, float]

    @property
    def covered(self) -> bool:
        """Whether the outcome lies within the 80 % interval."""
        return self.low <= self.value <= self.high


def known_levels(facts: Facts, series: Series, origin: dt.date) -> list[Level]:
    """Return what was public of a series on a date, oldest first."""
    levels = [
        Level(
            date=value.start - dt.timedelta(days=round(45.66 * (quarters - 1))), log=math.log(value.number / quarters)
        )
        for name, quarters in series.facts
        for value in facts.series(name, origin)
        if value.number > 0
    ]
    return sorted(levels, key=lambda level: level.date)


def forecast_log(levels: Sequence[Level], prior: GrowthPrior, date: dt.date) -> tuple[float, float]:
    """Return mean and standard deviation of the logarithm of a series on a date, from what is known of it.

    Raises
    ------
    InputError
        If nothing is known.

    Notes
    -----
    Growth on file, from the value nearest to a year before the last, is a measurement of the drift with the error of
    its two values and of the shocks between; prior and measurement are weighed by precision.
    """
    if not levels:
        message = "nothing of the series was public on the date: there is no level to forecast from"
        raise InputError(message)
    last = levels[-1]
    growth, variance = prior.growth, prior.growth_sd**2
    before = [level for level in levels[:-1] if (last.date - level.date).days >= 36]
    if before:
        first = min(before, key=lambda level: abs((last.date - level.date).days - 365))
        years = (last.date - first.date).days / 365.25
        error = (2 * prior.noise_sd**2 + prior.shock_sd**2 * years) / years**2
        seen = (last.log - first.log) / years
        weight = variance / (variance + error)
        growth, variance = growth + weight * (seen - growth), variance * (1 - weight)
    ahead = max((date - last.date).days / 365.25, 0.0)
    reach = (1 - math.exp(-prior.fade * ahead)) / prior.fade
    spread = 2 * prior.noise_sd**2 + prior.shock_sd**2 * ahead + variance * reach**2
    return last.log + growth * reach, math.sqrt(spread)


def rule_errors(levels: Sequence[Level], date: dt.date, log: float) -> dict[str, float]:
    """Return the absolute error of each simple rule in the logarithm: the last value, and the last growth, persist."""
    last = levels[-1]
    errors = {"last value persists": abs(last.log - log)}
    before = [level for level in levels[:-1] if (last.date - level.date).days >= 36]
    if before:
        pace = (last.log - before[-1].log) / (last.date - before[-1].date).days
        errors["last growth persists"] = abs(last.log + pace * max((date - last.date).days, 0) - log)
    return errors


def crps_of_normal(mean: float, sd: float, value: float) -> float:
    """Return the continuous ranked probability score of a normal distribution (Gneiting and Raftery 2007)."""
    z = (value - mean) / sd
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return float(sd * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / math.sqrt(math.pi)))


def rolling_scores(
    facts: Facts, origins: Iterable[dt.date] = ORIGINS, priors: Mapping[str, GrowthPrior] | None = None
) -> list[RollingScore]:
    """Return every outcome against the forecasts of earlier dates; *priors* are the newest by default."""
    priors = priors or growth_priors(facts)
    return [score for origin in origins for series in SERIES for score in _scores(facts, series, origin, priors)]


def _scores(facts: Facts, series: Series, origin: dt.date, priors: Mapping[str, GrowthPrior]) -> Iterator[RollingScore]:
    levels = known_levels(facts, series, origin)
    if not levels:
        return
    quarters = dict(series.facts)[series.scored]
    for value in facts.series(series.scored):
        middle = value.start - dt.timedelta(days=round(45.66 * (quarters - 1)))
        ahead = (value.start - origin).days / 365.25
        if max(value.published, value.start) <= origin or middle <= levels[-1].date or ahead > HORIZON_Y:
            continue
        mean, sd = forecast_log(levels, priors[series.kind], middle)
        log = math.log(value.number / quarters)
        low, median, high = (quarters * math.exp(mean + sd * float(ndtri(q))) for q in (0.1, 0.5, 0.9))
        yield RollingScore(
            series=series, origin=origin, date=value.start, value=value.number, low=low, middle=median, high=high,
            crps=crps_of_normal(mean, sd, log), rules=rule_errors(levels, middle, log),
        )  # fmt: skip


def summary(scores: Sequence[RollingScore]) -> list[tuple[str, int, float, float, dict[str, tuple[float, float, int]]]]:
    """Return kind, outcomes, coverage, mean CRPS; by rule its error, our CRPS on the same outcomes, and how many."""
    rows = []
    for kind in KINDS:
        mine = [score for score in scores if score.series.kind == kind]
        if not mine:
            continue
        rules: dict[str, tuple[float, float, int]] = {}
        for rule in ("last value persists", "last growth persists"):
            both = [score for score in mine if rule in score.rules]
            if both:
                theirs = float(np.mean([score.rules[rule] for score in both]))
                rules[rule] = (theirs, float(np.mean([score.crps for score in both])), len(both))
        covered = float(np.mean([score.covered for score in mine]))
        rows.append((kind, len(mine), covered, float(np.mean([score.crps for score in mine])), rules))
    return rows


def frozen_quantiles(
    facts: Facts, as_of: dt.date, quarters: Sequence[str], levels: Sequence[float]
) -> dict[str, dict[str, list[float]]]:
    """Return quantiles by fact and quarter of every series, from what was public on a date, in the fact's unit.

    A flow is that of the quarter, a year's that of the four quarters to its end; a level is that at the quarter's end.
    """
    priors = growth_priors(facts)
    frozen: dict[str, dict[str, list[float]]] = {}
    for series in SERIES:
        known = known_levels(facts, series, as_of)
        if not known:
            continue
        covers = dict(series.facts)[series.scored]
        for label in quarters:
            end = quarter_end(label)
            middle = end - dt.timedelta(days=round(45.66 * (covers - 1)))
            if middle <= known[-1].date:
                continue
            mean, sd = forecast_log(known, priors[series.kind], middle)
            row = [float(f"{covers * math.exp(mean + sd * float(ndtri(level))):.4g}") for level in levels]
            frozen.setdefault(series.scored, {})[label] = row
    return frozen
