"""When requests come: even, by chance, bunched, in bursts, or after the hours of a day."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jevons.errors import InputError
from jevons.limits import BURSTS
from jevons.serving.sim.types import LONGEST_S, FloatArray

RATED = ("poisson", "gamma", "constant", "bursts", "day")
"""Kinds that follow a rate."""

STAGED = ("poisson", "gamma", "constant")
"""Kinds whose rate may change in stages."""

_ADJECTIVES = {"poisson": "Poisson", "bursts": "bursty", "day": "daily"}

DAY_S = 86_400.0
_DAY_STEPS = 288


@dataclass(frozen=True, slots=True)
class Bursts:
    """Arrivals by chance at two rates in turn.

    Parameters
    ----------
    on_s, off_s : float
        Mean length of a burst and of the calm between two [s], both exponential, > 0.
    ratio : float
        Rate in a burst over that in the calm, >= 1; infinite for silence in between.
    """

    on_s: float = 30.0
    off_s: float = 90.0
    ratio: float = 5.0


@dataclass(frozen=True, slots=True)
class Day:
    """Arrivals by chance at a rate that rises and falls as a cosine over the hours of a day.

    Parameters
    ----------
    trough_frac : float
        Lowest rate over the highest, in [0, 1].
    peak_h, start_h : float
        Hour of the highest rate, and that at which the load begins, in [0, 24).
    """

    trough_frac: float
    peak_h: float = 15.0
    start_h: float = 0.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a load at a rate of its own.

    Parameters
    ----------
    rate_per_s : float
        Arrivals per second, > 0.
    lasts_s : float
        How long [s], > 0.
    """

    rate_per_s: float
    lasts_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """How arrivals are spread.

    Parameters
    ----------
    kind : str
        One of `RATED`.
    rate_per_s : float
        Mean arrivals per second, > 0.
    cv : float
        Standard deviation of the gaps over their mean, of ``gamma``, > 0.
    bursts, day : Bursts, Day, optional
        Of those kinds.
    stages : tuple of Stage
        Rates in turn, in place of one, of ``constant``, ``poisson`` and ``gamma``; the last goes on as needed.
    """

    kind: str
    rate_per_s: float
    cv: float = 1.0
    bursts: Bursts | None = None
    day: Day | None = None
    stages: tuple[Stage, ...] = ()


def arrivals_in_words(kind: str, rates_per_s: Sequence[float]) -> str:
    """Return how a load arrives, such as "Poisson arrivals at 6 per second", with its rates in turn."""
    rates = ", ".join(f"{rate:g}" for rate in rates_per_s)
    return f"{_ADJECTIVES.get(kind, kind)} arrivals at {rates} per second"


def stage_requests(stages: Sequence[Stage]) -> int:
    """Return how many requests come in stages."""
    return max(round(sum(stage.rate_per_s * stage.lasts_s for stage in stages)), 1)


def arrival_times(pattern: Pattern, count: int, rng: np.random.Generator) -> FloatArray:
    """Return the first *count* arrivals [s], ascending.

    Notes
    -----
    Rates that vary are those of a Poisson process whose clock runs faster where the rate is higher: arrivals of rate
    one are mapped through the inverse of the rate's integral.

    Raises
    ------
    InputError
        If a figure is out of range, or the load would last longer than `LONGEST_S`.
    """
    _check(pattern)
    if pattern.stages:
        return _staged(pattern, count, rng)
    check_span(count, pattern.rate_per_s)
    mean_s = 1.0 / pattern.rate_per_s
    if pattern.kind == "constant":
        arrival_s = np.cumsum(np.full(count, mean_s))
    elif pattern.kind == "gamma":
        shape = 1.0 / pattern.cv**2
        arrival_s = np.cumsum(rng.gamma(shape, mean_s / shape, count))
    elif pattern.kind == "poisson":
        arrival_s = np.cumsum(rng.exponential(mean_s, count))
    else:
        work = np.cumsum(rng.exponential(mean_s, count))
        clock = _day_clock if pattern.kind == "day" else _burst_clock
        at_s, done = clock(pattern, float(work[-1]), rng)
        place = np.searchsorted(done, work)  # the first end by which as much has come: the piece before it is no calm
        share = (work - done[place - 1]) / (done[place] - done[place - 1])
        arrival_s = at_s[place - 1] + share * (at_s[place] - at_s[place - 1])
    if arrival_s[-1] > LONGEST_S:
        raise _too_long(count, pattern.rate_per_s, float(arrival_s[-1]))
    return arrival_s


def _staged(pattern: Pattern, count: int, rng: np.random.Generator) -> FloatArray:
    """Return arrivals of a process of rate one whose clock runs at each stage's rate."""
    if pattern.kind not in STAGED:
        message = f"stages: arrivals `{pattern.kind}` have no stages; use {', '.join(STAGED)}"
        raise InputError(message)
    work = arrival_times(Pattern(kind=pattern.kind, rate_per_s=1.0, cv=pattern.cv), count, rng)
    rates = np.array([stage.rate_per_s for stage in pattern.stages])
    ends_s = np.cumsum([stage.lasts_s for stage in pattern.stages])
    done = np.append(0.0, np.cumsum(rates * np.diff(np.append(0.0, ends_s))))
    begins_s = np.append(0.0, ends_s[:-1])
    place = np.clip(np.searchsorted(done, work) - 1, 0, len(rates) - 1)
    arrival_s: FloatArray = begins_s[place] + (work - done[place]) / rates[place]
    if arrival_s[-1] > LONGEST_S:
        raise _too_long(count, float(rates.mean()), float(arrival_s[-1]))
    return arrival_s


def check_span(count: int, rate_per_s: float) -> None:
    """Raise where a load would last longer than `LONGEST_S`."""
    if rate_per_s > 0 and count / rate_per_s > LONGEST_S:
        raise _too_long(count, rate_per_s, count / rate_per_s)


def _too_long(count: int, rate_per_s: float, lasts_s: float) -> InputError:
    message = (
        f"{count:,} requests at {rate_per_s:g} per second last {lasts_s:.3g} s; {LONGEST_S:,.0f} s is the most. Use "
        "fewer requests or a higher rate."
    )
    return InputError(message)


def _check(pattern: Pattern) -> None:
    bursts, day = pattern.bursts or Bursts(), pattern.day or Day(1.0)
    for name, value, fine, range_ in (
        ("rate", pattern.rate_per_s, 0 < pattern.rate_per_s < math.inf, "above 0"),
        ("cv", pattern.cv, 0 < pattern.cv <= 1000, "above 0 and at most 1,000"),
        ("bursts.on_s", bursts.on_s, 0 < bursts.on_s < math.inf, "above 0"),
        ("bursts.off_s", bursts.off_s, 0 < bursts.off_s < math.inf, "above 0"),
        ("bursts.ratio", bursts.ratio, bursts.ratio >= 1, "at least 1"),
        ("day.trough_frac", day.trough_frac, 0 <= day.trough_frac <= 1, "in [0, 1]"),
        ("day.peak_h", day.peak_h, 0 <= day.peak_h < 24, "in [0, 24)"),
        ("day.start_h", day.start_h, 0 <= day.start_h < 24, "in [0, 24)"),
    ):
        if not fine:
            message = f"{name} = {value}: must be {range_}"
            raise InputError(message)
    for place, stage in enumerate(pattern.stages):
        for name, value in (("rate", stage.rate_per_s), ("seconds", stage.lasts_s)):
            if not 0 < value < math.inf:
                message = f"stages[{place}].{name} = {value}: must be above 0"
                raise InputError(message)


def _day_clock(pattern: Pattern, until_s: float, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return times, and how long a process of the mean rate takes for what has come by then."""
    del rng  # a day is no chance
    day = pattern.day or Day(1.0)
    swing = (1.0 - day.trough_frac) / (1.0 + day.trough_frac)
    turn = 2.0 * math.pi / DAY_S
    late_s = 3600.0 * (day.start_h - day.peak_h)
    days = math.ceil(until_s / DAY_S) + 1
    at_s = np.linspace(0.0, days * DAY_S, days * _DAY_STEPS + 1)
    done = at_s + swing / turn * (np.sin(turn * (at_s + late_s)) - math.sin(turn * late_s))
    return at_s, done


def _burst_clock(pattern: Pattern, until_s: float, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return the ends of bursts and calms, and likewise what has come by then; the load begins in either by chance."""
    bursts = pattern.bursts or Bursts()
    calm = 0.0 if math.isinf(bursts.ratio) else 1.0 / bursts.ratio
    share = bursts.on_s / (bursts.on_s + bursts.off_s)
    speed = 1.0 / (share + (1.0 - share) * calm)
    pairs = math.ceil(2.0 * until_s / (bursts.on_s + bursts.off_s)) + 64
    if pairs > BURSTS:
        message = f"bursts of {bursts.on_s:g} s over {until_s:,.0f} s: at most {BURSTS:,}. Use longer bursts."
        raise InputError(message)
    begins_on = rng.random() < share
    ends, done = [np.zeros(1)], [np.zeros(1)]
    while done[-1][-1] <= until_s:
        lengths = np.stack([rng.exponential(bursts.on_s, pairs), rng.exponential(bursts.off_s, pairs)], axis=1)
        rates = np.tile([speed, speed * calm], (pairs, 1))
        if not begins_on:
            lengths, rates = lengths[:, ::-1], rates[:, ::-1]
        ends.append(ends[-1][-1] + np.cumsum(lengths.ravel()))
        done.append(done[-1][-1] + np.cumsum((lengths * rates).ravel()))
    return np.concatenate(ends), np.concatenate(done)
