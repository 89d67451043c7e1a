"""Whether money that flows into funds of a share's kind helps to forecast the share, out of sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from jevons.arrays import Array
from jevons.errors import InputError
from jevons.finance.narrative import LEAST_TRAINING


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowScore:
    """Forecasts of the next logarithmic price change from the last flow, each from earlier periods only.

    Parameters
    ----------
    actual, forecast : (n,)
        Change that came, and the forecast.
    rmse_flows, rmse_walk, rmse_drift : float
        Root mean squared errors, of a random walk and of one with drift beside it.
    """

    actual: Array
    forecast: Array
    rmse_flows: float
    rmse_walk: float
    rmse_drift: float

    @property
    def keep(self) -> bool:
        """Whether flows beat the random walk and the walk with drift."""
        return self.rmse_flows < min(self.rmse_walk, self.rmse_drift)


def score_flows(prices: ArrayLike, flows: ArrayLike, *, least_training: int = LEAST_TRAINING) -> FlowScore:
    """Return how the last period's flow forecasts prices one period ahead, against random walks.

    Parameters
    ----------
    prices : (n,)
        At equal distances in time, > 0; at least ``least_training + 2``.
    flows : (n,)
        Net inflow in the period that ends at each price, in any unit.

    Raises
    ------
    InputError
        If shapes differ, there are too few prices, or a figure is none.

    Notes
    -----
    Each forecast is ``mean + slope (flow - mean flow)``, both fitted by least squares to the changes before it.
    """
    level, money = np.asarray(prices, float), np.asarray(flows, float)
    if level.shape != money.shape or level.ndim != 1 or level.size < least_training + 2:
        message = f"prices: needs at least {least_training + 2}, with a flow each; has {level.size} and {money.size}"
        raise InputError(message)
    if not (np.isfinite(level) & (level > 0) & np.isfinite(money)).all():
        message = "prices and flows must be finite numbers, prices above 0"
        raise InputError(message)
    changes, before = np.diff(np.log(level)), money[:-1]
    rows = range(least_training, changes.size)
    forecast = np.array([_forecast(changes[:row], before[:row], float(before[row])) for row in rows])
    actual = changes[least_training:]
    drift = np.array([changes[:row].mean() for row in rows])

    def rmse(told: Array) -> float:
        return float(np.sqrt(np.mean((actual - told) ** 2)))

    return FlowScore(
        actual=actual, forecast=forecast, rmse_flows=rmse(forecast), rmse_walk=rmse(np.zeros_like(actual)),
        rmse_drift=rmse(drift),
    )  # fmt: skip


def _forecast(changes: Array, flows: Array, last: float) -> float:
    spread = flows - flows.mean()
    weight = float(spread @ spread)
    slope = float(spread @ changes) / weight if weight > 0 else 0.0
    return float(changes.mean()) + slope * (last - float(flows.mean()))
