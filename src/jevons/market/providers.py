"""Providers in one market: a nested logit of bundles and open weights, their prices, and shares that move slowly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jevons.errors import Fault, InputError, SolverError
from jevons.market.formulas import next_price

Array = NDArray[np.float64]

_ROUNDS = 5000
_TOLERANCE = 1e-10


@dataclass(frozen=True, slots=True)
class Rivalry:
    """Who competes, and how buyers choose.

    Parameters
    ----------
    names : tuple of str
        Providers.
    nest : (n,) int
        Nest of each, such as 0 for bundles of model, platform and service and 1 for hosts of open weights.
    appeal : (n,)
        Utility besides price, buying nothing being 0.
    bundle_cny_per_mtok : (n,)
        Worth to a buyer of what comes with a million tokens: platform, data services, support.
    price_weight : float
        Utility of one CNY per million tokens saved (alpha), > 0.
    nesting : float
        Dissimilarity in (0, 1]: 1 for a plain logit, near 0 where providers of one nest are interchangeable.
    fringe : (n,) bool
        Providers that cannot hold a price above `entry` times cost, as others enter.
    entry : float
        Price over cost at which hosts of open weights enter, >= 1.
    """

    names: tuple[str, ...]
    nest: NDArray[np.int64]
    appeal: Array
    bundle_cny_per_mtok: Array
    price_weight: float
    nesting: float
    fringe: NDArray[np.bool_]
    entry: float = 1.1

    def __post_init__(self) -> None:
        """Refuse shapes and values outside their range."""
        faults = [
            Fault(
                f"{np.shape(getattr(self, field))}: must have one entry for each of {len(self.names)} names", path=field
            )
            for field in ("nest", "appeal", "bundle_cny_per_mtok", "fringe")
            if np.shape(getattr(self, field)) != (len(self.names),)
        ]
        if not self.price_weight > 0:
            faults.append(Fault(f"{self.price_weight:g}: must be above 0", path="price_weight"))
        if not 0 < self.nesting <= 1:
            faults.append(Fault(f"{self.nesting:g}: must be in (0, 1]", path="nesting"))
        if not self.entry >= 1:
            faults.append(Fault(f"{self.entry:g}: must be at least 1 (price over cost)", path="entry"))
        if faults:
            raise InputError(faults)


def shares(rivalry: Rivalry, price_cny_per_mtok: ArrayLike) -> tuple[Array, Array]:
    """Return each provider's share of the whole market and within its nest, (n,) each.

    Parameters
    ----------
    rivalry : Rivalry
        Buyers and providers.
    price_cny_per_mtok : (n,)
        Prices.

    Notes
    -----
    ``s_i = exp(v_i / l) / D_g * D_g^l / (1 + sum_h D_h^l)`` with ``D_g = sum_g exp(v / l)``,
    ``v = appeal + alpha (bundle - price)`` and ``l`` the nesting (McFadden 1978). Shares sum to less than 1: the rest
    buys nothing.
    """
    price = np.asarray(price_cny_per_mtok, float)
    value = (rivalry.appeal + rivalry.price_weight * (rivalry.bundle_cny_per_mtok - price)) / rivalry.nesting
    nests = np.unique(rivalry.nest)
    member = rivalry.nest[None, :] == nests[:, None]
    top = np.array([value[row].max() for row in member])
    inner = np.where(member, np.exp(value[None, :] - top[:, None]), 0.0)
    total = inner.sum(axis=1)
    within = (inner / total[:, None]).sum(axis=0)
    log_nest = rivalry.nesting * (top + np.log(total))
    largest = max(float(log_nest.max()), 0.0)
    weight = np.exp(log_nest - largest)
    group = weight / (np.exp(-largest) + weight.sum())
    return np.asarray(within * (member * group[:, None]).sum(axis=0)), within


def appeal_from_shares(
    share_frac: ArrayLike,
    price_cny_per_mtok: ArrayLike,
    nest: ArrayLike,
    bundle_cny_per_mtok: ArrayLike,
    *,
    price_weight: float,
    nesting: float,
) -> Array:
    """Return the appeal that makes `shares` give observed shares at observed prices, (n,).

    Notes
    -----
    ``appeal = ln s - ln s_0 - (1 - l) ln s_within + alpha (price - bundle)`` (Berry 1994).

    Raises
    ------
    InputError
        If a share is not positive or they leave nothing for those who do not buy.
    """
    share, group = np.asarray(share_frac, float), np.asarray(nest)
    outside = 1.0 - float(share.sum())
    if np.any(share <= 0) or outside <= 0:
        message = f"shares {share.tolist()} sum to {share.sum():g}: each must be above 0 and their sum below 1"
        raise InputError(message)
    within = share / np.array([share[group == g].sum() for g in group])
    net = np.asarray(price_cny_per_mtok, float) - np.asarray(bundle_cny_per_mtok, float)
    return np.asarray(np.log(share / outside) - (1 - nesting) * np.log(within) + price_weight * net)


def bertrand_prices(rivalry: Rivalry, cost_cny_per_mtok: ArrayLike) -> Array:
    """Return prices at which no provider gains by changing its own, (n,).

    The margin is ``1 / (alpha (1/l - (1 - l)/l s_within - s))``; the fringe sells at `entry` times cost.

    Raises
    ------
    SolverError
        If the prices do not settle.
    """
    cost = np.asarray(cost_cny_per_mtok, float)
    level = rivalry.nesting
    price = cost + level / rivalry.price_weight
    for _ in range(_ROUNDS):
        whole, within = shares(rivalry, price)
        margin = 1.0 / (rivalry.price_weight * np.maximum(1 / level - (1 - level) / level * within - whole, 1e-9))
        target = np.where(rivalry.fringe, np.minimum(rivalry.entry * cost, cost + margin), cost + margin)
        if np.allclose(target, price, rtol=_TOLERANCE, atol=0.0):
            return np.asarray(target)
        price = price + 0.3 * (target - price)
    message = f"provider prices do not settle in {_ROUNDS} rounds; last {np.round(price, 4).tolist()} CNY/Mtok"
    raise SolverError(message)


@dataclass(frozen=True, slots=True)
class ProviderPath:
    """Prices and shares of each provider by quarter, (n, t) each; shares are of what is bought."""

    price_cny_per_mtok: Array
    share_frac: Array


def provider_path(
    rivalry: Rivalry,
    start_price_cny_per_mtok: ArrayLike,
    cost_cny_per_mtok: Array,
    *,
    price_inertia: float,
    share_inertia: float,
    match_frac: float = 1.0,
    match_lag_quarters: int = 1,
) -> ProviderPath:
    """Return prices and shares as costs fall.

    Parameters
    ----------
    rivalry : Rivalry
        Buyers and providers.
    start_price_cny_per_mtok : (n,)
        List prices at the start.
    cost_cny_per_mtok : (n, t)
        Marginal cost.
    price_inertia, share_inertia : float
        Share of the gap that is left after a quarter, 0..1.
    match_frac : float
        Share of the deepest relative cut of a rival (in logarithms) that a provider follows, 0..1.
    match_lag_quarters : int
        Quarters until it does, >= 1.

    Notes
    -----
    List prices never rise. A follower does not go below its own cost to match.

    Raises
    ------
    InputError
        If an inertia or the match leaves 0..1, or the lag is below 1.
    """
    for name, value in (("price_inertia", price_inertia), ("share_inertia", share_inertia), ("match_frac", match_frac)):
        if not 0 <= value <= 1:
            message = f"{name} = {value:g}: must be in 0..1"
            raise InputError(message)
    if match_lag_quarters < 1:
        message = f"match_lag_quarters = {match_lag_quarters}: must be at least 1"
        raise InputError(message)
    start = np.asarray(start_price_cny_per_mtok, float)
    price, held = np.empty_like(cost_cny_per_mtok), np.empty_like(cost_cny_per_mtok)
    for t in range(cost_cny_per_mtok.shape[1]):
        if t == 0:
            price[:, 0], held[:, 0] = start, _bought(rivalry, start)
            continue
        moved = next_price(price[:, t - 1], bertrand_prices(rivalry, cost_cny_per_mtok[:, t]), price_inertia)
        cut = np.log(price[:, max(t - match_lag_quarters, 0)] / start)
        deepest = np.array([np.delete(cut, i).min(initial=0.0) for i in range(start.size)])
        matched = np.maximum(start * np.exp(match_frac * deepest), cost_cny_per_mtok[:, t])
        price[:, t] = np.minimum(price[:, t - 1], np.minimum(moved, matched))
        held[:, t] = _bought(rivalry, price[:, t]) * (1 - share_inertia) + held[:, t - 1] * share_inertia
    return ProviderPath(price, held)


def _bought(rivalry: Rivalry, price: Array) -> Array:
    whole, _ = shares(rivalry, price)
    return np.asarray(whole / whole.sum())
