"""How far a few runs move the factors of a fit: as far as these runs foretell each other.

The factors' own uncertainty is the prior. Each quantity's noise is the scatter of its errors about their middle: runs
which miss alike teach much, runs which contradict each other little. Where the other runs do not foretell a run left
out better than what ships does, the update is a weak one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jevons.arrays import Array

_ROUNDS = 8
_USUAL_NOISE, _USUAL_WEIGHT = 0.15, 2.0  # of a deployment's runs, and as of how many figures it counts
_LEAST_NOISE, _MOST_NOISE = 0.06, 1.0
_OF_MEDIAN = 1.4826
_WEAK = 0.3  # of an update by one run, or by runs that do not foretell each other
_LEAST_RUNS = 2
_MOST_FOLDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Errors of a few runs.

    Parameters
    ----------
    error : ndarray, shape (n,)
        log(predicted / measured), before.
    slope : ndarray, shape (n, k)
        Their derivatives by the factors, a deployment's own paces among them.
    sigma : ndarray, shape (k,)
        Prior spread of the factors.
    run : ndarray of int, shape (n,)
        Which run a figure is of.
    kind : ndarray of str, shape (n,)
        Which quantity it is.
    """

    error: Array
    slope: Array
    sigma: Array
    run: np.ndarray
    kind: np.ndarray

    def of(self, chosen: np.ndarray) -> Evidence:
        """Return the part of some figures."""
        return Evidence(
            error=self.error[chosen], slope=self.slope[chosen], sigma=self.sigma, run=self.run[chosen],
            kind=self.kind[chosen],
        )  # fmt: skip


def update(evidence: Evidence) -> Array:
    """Return by how much the factors move, shape (k,)."""
    runs = np.unique(evidence.run)
    if len(runs) == 0:
        return np.zeros(len(evidence.sigma))
    if len(runs) < _LEAST_RUNS:
        return _WEAK * _posterior(evidence)
    noise, foretold = _noise(evidence), 0.0
    for part in np.array_split(runs, min(len(runs), _MOST_FOLDS)):
        out = np.isin(evidence.run, part)
        moved = _posterior(evidence.of(~out))
        foretold += _loss(evidence.error[out] + evidence.slope[out] @ moved, noise[out])
    better = foretold < _loss(evidence.error, noise)
    return (1.0 if better else _WEAK) * _posterior(evidence)


def _loss(error: Array, noise: Array) -> float:
    return float(np.log1p((error / noise) ** 2).sum())


def _noise(evidence: Evidence) -> Array:
    """Return the noise of each figure: its quantity's scatter about its middle, near the usual where few are given."""
    noise = np.empty(len(evidence.error))
    for kind in np.unique(evidence.kind):
        own = evidence.kind == kind
        error = evidence.error[own]
        scatter = _OF_MEDIAN * float(np.median(np.abs(error - np.median(error))))
        variance = (len(error) * scatter**2 + _USUAL_WEIGHT * _USUAL_NOISE**2) / (len(error) + _USUAL_WEIGHT)
        noise[own] = np.clip(np.sqrt(variance), _LEAST_NOISE, _MOST_NOISE)
    return noise


def _middle(evidence: Evidence) -> Array:
    middle = np.empty(len(evidence.error))
    for kind in np.unique(evidence.kind):
        own = evidence.kind == kind
        middle[own] = np.median(evidence.error[own])
    return middle


def _posterior(evidence: Evidence) -> Array:
    """Return the most likely move of the factors, outliers weighed down."""
    sigma = evidence.sigma
    noise, error = _noise(evidence), evidence.error
    moved = np.zeros(len(sigma))
    left = error - _middle(evidence)
    for _ in range(_ROUNDS):
        weight = 1.0 / (1.0 + (left / noise) ** 2) / noise**2
        scaled = evidence.slope * sigma**2
        covariance = scaled @ evidence.slope.T + np.diag(1.0 / weight)
        moved = -scaled.T @ np.linalg.solve(covariance, error)
        left = error + evidence.slope @ moved
    return moved
