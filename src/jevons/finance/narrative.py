"""A story about a share that spreads and is forgotten, and whether it helps to forecast the price out of sample.

A surprise seeds interest; interest spreads by contagion and fades by recovery (susceptible, interested, recovered); the
price moves with the change of interest in the direction of the surprise. The layer is scored against a random walk on
quarters it has not seen, and used only where it wins.

References
----------
Shiller (2017), Narrative Economics. Kermack and McKendrick (1927), A contribution to the mathematical theory of
epidemics.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from jevons.arrays import Array
from jevons.errors import InputError

CONTAGION = (0.5, 1.0, 2.0, 3.0)
RECOVERY = (0.2, 0.5, 0.9)
SEED_PER_SIGMA = 0.05
LEAST_TRAINING = 6
_FORGOTTEN = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class NarrativeScore:
    """One-quarter-ahead forecasts of the logarithmic price change, each from earlier quarters only.

    Parameters
    ----------
    actual, narrative : (n,)
        Change that came, and forecast of the layer.
    rmse_narrative, rmse_walk, rmse_drift : float
        Root mean squared errors: of the layer, of no change, and of the mean change so far.
    """

    actual: Array
    narrative: Array
    rmse_narrative: float
    rmse_walk: float
    rmse_drift: float

    @property
    def keep(self) -> bool:
        """Whether the layer beats the random walk and the walk with drift."""
        return self.rmse_narrative < min(self.rmse_walk, self.rmse_drift)


def interest(surprises: ArrayLike, contagion: float, recovery: float) -> tuple[Array, Array]:
    """Return interested share after each period (n + 1,), the last one foreseen, and the story's direction (n + 1,).

    Parameters
    ----------
    surprises : (n,)
        Price changes over their usual deviation; those beyond one deviation seed a story in their direction.
    contagion, recovery : float
        Per period; >= 0, recovery at most 1.

    Raises
    ------
    InputError
        If a rate is out of range.
    """
    if not (contagion >= 0 and 0 <= recovery <= 1):
        message = f"contagion = {contagion:g} and recovery = {recovery:g}: must be >= 0, and in 0..1"
        raise InputError(message)
    sizes = np.asarray(surprises, float)
    shares, signs = np.zeros(sizes.size + 1), np.zeros(sizes.size + 1)
    infected, recovered, sign = 0.0, 0.0, 0.0
    for period in range(sizes.size + 1):
        if period > 0 and abs(sizes[period - 1]) > 1.0:
            # Another direction, or a surprise after the last story is forgotten, is a new story to everyone.
            if np.sign(sizes[period - 1]) != sign or infected < _FORGOTTEN:
                infected, recovered, sign = 0.0, 0.0, float(np.sign(sizes[period - 1]))
            infected = min(infected + SEED_PER_SIGMA * abs(sizes[period - 1]), 1.0 - recovered)
        new = min(contagion * infected * (1.0 - infected - recovered), 1.0 - infected - recovered)
        lost = recovery * infected
        infected, recovered = infected + new - lost, recovered + lost
        shares[period], signs[period] = infected, sign
    return shares, signs


def _pull(changes: Array, sigma: float, contagion: float, recovery: float) -> Array:
    """Return what the layer says drives each change and the next, (n + 1,): signed growth of interest."""
    shares, signs = interest(changes / sigma, contagion, recovery)
    return np.asarray(signs * np.diff(np.concatenate([[0.0], shares])))


def forecast_change(changes: ArrayLike) -> float:
    """Return the layer's forecast of the next change, its three parameters fitted to *changes* (n,), n >= 3."""
    past = np.asarray(changes, float)
    sigma = float(past.std()) or 1.0
    best, best_rate = np.inf, 0.0
    for contagion, recovery in itertools.product(CONTAGION, RECOVERY):
        pull = _pull(past, sigma, contagion, recovery)
        weight = float(pull[:-1] @ pull[:-1])
        scale = max(float(pull[:-1] @ past) / weight, 0.0) if weight > 0 else 0.0
        error = float(((past - scale * pull[:-1]) ** 2).sum())
        if error < best:
            best, best_rate = error, scale * float(pull[-1])
    return best_rate


def score_narrative(prices: ArrayLike, *, least_training: int = LEAST_TRAINING) -> NarrativeScore:
    """Return how the layer forecasts prices one period ahead against a random walk, without and with drift.

    Parameters
    ----------
    prices : (n,)
        At equal distances in time, > 0; at least ``least_training + 2``.

    Raises
    ------
    InputError
        If there are too few prices or one is not positive.
    """
    level = np.asarray(prices, float)
    if level.ndim != 1 or level.size < least_training + 2 or not (np.isfinite(level) & (level > 0)).all():
        message = f"prices: needs at least {least_training + 2} positive numbers at equal distances, has {level.size}"
        raise InputError(message)
    changes = np.diff(np.log(level))
    rows = range(least_training, changes.size)
    actual = changes[least_training:]
    story = np.array([forecast_change(changes[:row]) for row in rows])
    drift = np.array([changes[:row].mean() for row in rows])

    def rmse(forecast: Array) -> float:
        return float(np.sqrt(np.mean((actual - forecast) ** 2)))

    return NarrativeScore(
        actual=actual,
        narrative=story,
        rmse_narrative=rmse(story),
        rmse_walk=rmse(np.zeros_like(actual)),
        rmse_drift=rmse(drift),
    )
