"""Draws re-weighted by what came: weights, effective sample size, new forecasts, and which inputs move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jevons.arrays import Array
from jevons.facts import default_facts
from jevons.study.draws.run import Draws
from jevons.study.track.actuals import GROUP_CAPEX, Actual

LEAST_SHARE = 0.1
"""Least effective sample size, as a share of the draws, to which the weights are tempered."""


def _error(series: str) -> float:
    """Return the error of the model for a series: of a share in its own unit, of others in logarithms."""
    facts, own = default_facts(), f"track.error.{'capex' if series == GROUP_CAPEX else series}"
    return facts.get(own if own in facts else "track.error.other").number


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """Weights of the draws.

    Parameters
    ----------
    weights : (n,)
        Sum to one.
    ess : float
        Effective sample size, ``1 / sum w^2``.
    tempering : float
        Power to which the likelihood was raised so that the effective sample size keeps its least share; 1 for none.
    """

    weights: Array
    ess: float
    tempering: float


def path_of(draws: Draws, series: str) -> Array:
    """Return the draws of a series by quarter (n, t)."""
    if series == GROUP_CAPEX:
        return np.asarray(draws.paths["capex"] + draws.paths["released_rest"])
    return np.asarray(draws.paths[series])


def values_of(draws: Draws, labels: Sequence[str], actual: Actual) -> Array:
    """Return what each draw forecasts for an actual (n,): on the day of a count, else of its quarter."""
    path, place = path_of(draws, actual.series), labels.index(actual.quarter)
    if not actual.elapsed or place + 1 >= path.shape[1] or (path[:, place : place + 2] <= 0).any():
        return np.asarray(path[:, place])
    return np.asarray(path[:, place] * (path[:, place + 1] / path[:, place]) ** actual.elapsed)


def reweighted(draws: Draws, quarters: Sequence[str], actuals: Sequence[Actual]) -> Update:
    """Return the weights of draws given actuals.

    Notes
    -----
    Each series counts as one observation, however many quarters it has: a model that misses one quarter misses the next
    alike. Errors are normal, in logarithms but for shares; their size is the model's own error and stated.
    """
    count = draws.values.shape[0]
    log = np.zeros(count)
    for series in dict.fromkeys(a.series for a in actuals):
        own = [a for a in actuals if a.series == series]
        path = np.stack([values_of(draws, quarters, a) for a in own], axis=1)
        value = np.array([a.value for a in own])
        if series.endswith("_frac") and f"track.error.{series}" in default_facts():  # a share, in its own unit
            gap = (path - value) / _error(series)
        elif (path <= 0).any() or (value <= 0).any():
            gap = (path - value) / max(0.2 * float(np.abs(value).mean()), 0.02 * float(np.abs(path).mean()), 1e-30)
        else:
            gap = np.log(path / value) / _error(series)
        log -= 0.5 * (gap**2).mean(axis=1)
    log -= log.max()
    least = max(min(5.0, count), LEAST_SHARE * count)
    power = 1.0
    if _ess(_weights(log)) < least:
        low, high = 0.0, 1.0
        for _ in range(60):
            power = 0.5 * (low + high)
            low, high = (power, high) if _ess(_weights(power * log)) >= least else (low, power)
        power = low
    weights = _weights(power * log)
    return Update(weights=weights, ess=_ess(weights), tempering=power)


def _weights(log: Array) -> Array:
    raw = np.exp(log - log.max())
    return np.asarray(raw / raw.sum())


def _ess(weights: Array) -> float:
    return float(1.0 / (weights**2).sum())


def quantiles(values: Array, weights: Array | None, at: Sequence[float] = (0.1, 0.5, 0.9)) -> list[float]:
    """Return quantiles of values, weighted where weights are given."""
    if weights is None:
        return [float(q) for q in np.quantile(values, at)]
    order = np.argsort(values)
    total = np.cumsum(weights[order]) - 0.5 * weights[order]
    return [float(q) for q in np.interp(at, total, values[order])]


def moved_inputs(draws: Draws, weights: Array, most: int = 10) -> list[tuple[str, float, float, float]]:
    """Return the inputs whose mean moves most: path, mean before and after, and the move in standard deviations.

    Moves that the reduced sample gives by chance (below ``2 / sqrt(ess)`` of a deviation) are left out.
    """
    before, spread = draws.values.mean(axis=0), draws.values.std(axis=0)
    after = weights @ draws.values
    shift = np.divide(after - before, spread, out=np.zeros_like(before), where=spread > 0)
    least = 2.0 / np.sqrt(_ess(weights))
    order = np.argsort(-np.abs(shift))[:most]
    return [
        (draws.names[i], float(before[i]), float(after[i]), float(shift[i])) for i in order if abs(shift[i]) > least
    ]
