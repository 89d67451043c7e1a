"""What a history of volumes, prices and users says about elasticity, and what it cannot say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from jevons.arrays import Array
from jevons.errors import Fault, InputError

_LEAST_PRICE_SPREAD = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthAccount:
    """Growth of volume from the first observation to the last, as factors that multiply to the whole.

    Parameters
    ----------
    volume_factor, users_factor : float
        Growth of tokens and of users.
    price_factor : float
        Growth that a change of price explains; exactly 1 at a constant price.
    intensity_factor : float
        The rest: tasks per user and tokens per task (reasoning, agents, other products).
    elasticity : float or None
        Of tokens per user to price; None where the price hardly moves apart from its trend.
    elasticity_error : float or None
        Its standard error; None without an estimate or without spare observations.
    reason : str
        Why there is no estimate, or empty.
    """

    volume_factor: float
    users_factor: float
    price_factor: float
    intensity_factor: float
    elasticity: float | None
    elasticity_error: float | None
    reason: str


def account_for_growth(year: ArrayLike, tokens_per_d: ArrayLike, users: ArrayLike, price: ArrayLike) -> GrowthAccount:
    """Return what users, price and use per user add to the growth of volume.

    Parameters
    ----------
    year : (n,)
        Dates in years, rising.
    tokens_per_d, users, price : (n,)
        All > 0; price is that of one product of constant kind.

    Returns
    -------
    GrowthAccount
        Growth not due to users or to the price of this product is use per user, never elasticity.

    Raises
    ------
    InputError
        If lengths differ, dates do not rise, or a value is not positive.

    Notes
    -----
    Least squares of ``ln(tokens / users) = a + g year + e ln price``. Where price, with its trend taken out, varies by
    less than 2 % (standard deviation of the logarithm), `e` cannot be told from the trend `g` and is not reported.
    Comparing the volume with a price cut by others years before, as is often done, mistakes `g` for `e`.
    """
    t, volume, people, paid = (np.asarray(a, float) for a in (year, tokens_per_d, users, price))
    _check(t, volume, people, paid)
    per_user = np.log(volume / people)
    log_price = np.log(paid)
    trend = np.stack([np.ones_like(t), t - t[0]], axis=1)
    own = log_price - trend @ np.linalg.lstsq(trend, log_price, rcond=None)[0]
    elasticity = error = None
    reason = ""
    if t.size < 3 or float(own.std()) < _LEAST_PRICE_SPREAD:
        spread = 100 * float(own.std())
        reason = (
            f"price moves by {round(spread, 3):g} % apart from its trend in {t.size} observations: "
            "elasticity is not in them"
        )
    else:
        rest = per_user - trend @ np.linalg.lstsq(trend, per_user, rcond=None)[0]
        elasticity = float(own @ rest / (own @ own))
        spare = t.size - 3
        if spare > 0:
            left = rest - elasticity * own
            error = float(np.sqrt(left @ left / spare / (own @ own)))
    whole, reach = float(volume[-1] / volume[0]), float(people[-1] / people[0])
    by_price = 1.0 if elasticity is None else float((paid[-1] / paid[0]) ** elasticity)
    return GrowthAccount(
        volume_factor=whole,
        users_factor=reach,
        price_factor=by_price,
        intensity_factor=whole / reach / by_price,
        elasticity=elasticity,
        elasticity_error=error,
        reason=reason,
    )


def _check(year: Array, volume: Array, users: Array, price: Array) -> None:
    faults = []
    if not year.shape == volume.shape == users.shape == price.shape or year.ndim != 1 or year.size < 2:
        message = f"shapes {year.shape}, {volume.shape}, {users.shape}, {price.shape}: must agree, two or more dates"
        raise InputError(message)
    if np.any(np.diff(year) <= 0):
        faults.append(Fault(message="dates must rise", path="year"))
    for name, values in (("tokens_per_d", volume), ("users", users), ("price", price)):
        if not np.all(values > 0):
            faults.append(Fault(message=f"{values.min():g}: must be above 0", path=name))
    if faults:
        raise InputError(faults)
