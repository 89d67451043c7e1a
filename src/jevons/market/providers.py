"""Providers in one market: a nested logit of bundles and open weights, their prices, and shares that move slowly.

Utility is linear in the logarithm of price. A constant weight on money, the textbook's form, would make every provider
a monopolist once prices have fallen tenfold; with the logarithm, sensitivity and markup do not depend on the level.

Axes: ``k`` markets, ``n`` providers, ``m`` served models, ``s`` segments, ``t`` quarters.

References
----------
McFadden (1978), Modelling the choice of residential location: the nested logit. Berry (1994), Estimating
discrete-choice models of product differentiation, RAND Journal of Economics 25(2): appeal from observed shares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jevons.arrays import Array
from jevons.errors import Fault, InputError
from jevons.market.formulas import next_price

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rivalry:
    """Who competes, at which prices, and how buyers choose. The firm itself is provider 0.

    Parameters
    ----------
    names : tuple of str
        Providers.
    open_weights : (n,) bool
        Hosts of open weights: a nest of their own, whose price cannot stay above `entry` times cost as others enter.
    start_price : (m, n)
        List price of a model's token mix at the start [currency/token]; 0 where a provider sells none of
        that kind.
    cost_factor : (n,)
        Full unit cost over the firm's, > 0.
    start_share_frac : (s, n)
        Shares of each segment at the start; rows sum to 1.
    competes : (s,) bool
        Segments in which buyers choose; elsewhere (own businesses, rented hours) shares stay as they are.
    bundle_frac : (n, t)
        Worth to a buyer of what comes with tokens (platform, data services, support), as a share of their price, >= 0.
    price_weight : float
        Utility of a price lower by one in the logarithm, > 0.
    nesting : float
        Dissimilarity in (0, 1]: 1 for a plain logit, near 0 where providers of one nest are interchangeable.
    least_elasticity : float
        Elasticity of its own volume that every provider at least reckons with, below -1: at -1.25 it prices at most
        five times cost, as buyers can still go to a smaller model or do without.
    entry : float
        Price over cost at which hosts of open weights enter, >= 1.
    share_inertia, match_frac : float
        Share of the gap to the logit's share that is left after a quarter; share of the deepest cut of a rival (in
        logarithms) that a provider follows; 0..1.
    match_lag_quarters : int
        Quarters until it does, >= 1.
    inertia : (n,), optional
        Share of the gap to its price that each provider leaves after a quarter, 0..1; that of all where not given.
    step_frac : (n,), optional
        Least change at which each posts a new list price, as a share of the posted one, >= 0; that of all where not
        given.
    open_models : (m,) bool, optional
        Models whose weights are open: nobody can ask more for them than the cheapest host and the worth of its bundle.
    own_growth : (n, t), optional
        Weight of a rival in what rivals serve together, over what segments and prices give it: launches, free products,
        bundles; ones by default.
    firm_odds : (t,), optional
        Factor on the odds of the firm's share for the same reasons; ones by default.
    """

    names: tuple[str, ...]
    open_weights: Flags
    start_price: Array
    cost_factor: Array
    start_share_frac: Array
    competes: Flags
    bundle_frac: Array
    price_weight: float
    nesting: float
    least_elasticity: float
    entry: float = 1.1
    share_inertia: float = 0.5
    match_frac: float | Array = 1.0
    match_lag_quarters: int = 1
    inertia: Array | None = None
    step_frac: Array | None = None
    open_models: Flags | None = None
    own_growth: Array | None = None
    firm_odds: Array | None = None

    def __post_init__(self) -> None:
        """Refuse shapes and values outside their range."""
        faults = []
        for field, axis in (("open_weights", 0), ("start_price", 1), ("cost_factor", 0), ("bundle_frac", 0)):
            if getattr(self, field).shape[axis] != len(self.names):
                shape = getattr(self, field).shape
                faults.append(
                    Fault(message=f"{shape}: must have an entry for each of {len(self.names)} names", path=field)
                )
        for field in ("price_weight", "cost_factor"):
            least = float(np.min(getattr(self, field)))
            if not least > 0:
                faults.append(Fault(message=f"{least:g}: must be above 0", path=field))
        if not 0 < self.nesting <= 1:
            faults.append(Fault(message=f"{self.nesting:g}: must be in (0, 1]", path="nesting"))
        if not self.least_elasticity < -1:
            faults.append(Fault(message=f"{self.least_elasticity:g}: must be below -1", path="least_elasticity"))
        if not self.entry >= 1:
            faults.append(Fault(message=f"{self.entry:g}: must be at least 1 (price over cost)", path="entry"))
        for field in ("share_inertia", "match_frac", "inertia"):
            given = np.atleast_1d(0.0 if getattr(self, field) is None else getattr(self, field))
            faults += [
                Fault(message=f"{number:g}: must be in 0..1", path=field)
                for number in given.tolist()
                if not 0 <= number <= 1
            ]
        if self.match_lag_quarters < 1:
            faults.append(Fault(message=f"{self.match_lag_quarters}: must be at least 1", path="match_lag_quarters"))
        total = self.start_share_frac.sum(axis=1)
        if np.any(self.start_share_frac < 0) or not np.allclose(total, 1.0):
            worst = float(total[np.argmax(np.abs(total - 1))])
            faults.append(
                Fault(message=f"a row sums to {worst:g}: shares must be at least 0 and sum to 1", path="start_share")
            )
        if faults:
            raise InputError(faults)


def shares(
    appeal: Array, log_price: Array, open_weights: Flags, *, price_weight: float, nesting: float
) -> tuple[Array, Array]:
    """Return each provider's share of a market and within its nest, (k, n) each.

    Parameters
    ----------
    appeal : (k, n)
        Utility besides price; minus infinity for a provider that is not in the market.
    log_price : (k, n)
        Logarithm of price, finite.
    open_weights : (n,) bool
        The second of two nests.
    price_weight, nesting : float
        See `Rivalry`.

    Notes
    -----
    ``s_i = exp(v_i / l) / D_g * D_g^l / sum_h D_h^l`` with ``D_g = sum_g exp(v / l)``, ``v = appeal - beta ln p`` and
    ``l`` the nesting. Shares sum to 1: how much is bought in all is the segment's demand, not the logit's.
    """
    value = (appeal - price_weight * log_price) / nesting
    inner = np.exp(value - value.max(axis=1, keepdims=True))
    opened = np.where(open_weights, inner, 0.0).sum(axis=1, keepdims=True)
    bundled = inner.sum(axis=1, keepdims=True) - opened
    nest = np.where(open_weights, opened, bundled)
    within = inner / np.maximum(nest, 1e-300)
    return within * nest**nesting / (opened**nesting + bundled**nesting), within


def appeal_from_shares(
    share_frac: Array, log_price: Array, open_weights: Flags, *, price_weight: float, nesting: float
) -> Array:
    """Return the appeal that makes `shares` give observed shares at observed prices, (k, n); minus infinity for 0.

    Notes
    -----
    ``appeal = ln s - (1 - l) ln s_within + beta ln p`` (Berry 1994), free up to a constant per market.
    """
    opened = np.where(open_weights, share_frac, 0.0).sum(axis=1, keepdims=True)
    nest = np.where(open_weights, opened, share_frac.sum(axis=1, keepdims=True) - opened)
    inside = share_frac > 0
    share = np.where(inside, share_frac, 1.0)
    within = share / np.where(inside, nest, 1.0)
    appeal = np.log(share) - (1 - nesting) * np.log(within) + price_weight * log_price
    return np.where(inside, appeal, -np.inf)


def best_prices(
    cost: Array,
    share_frac: Array,
    within_frac: Array,
    open_weights: Flags,
    *,
    price_weight: float,
    nesting: float,
    least_elasticity: float,
    entry: float,
) -> Array:
    """Return the price at which each provider earns most at given shares, (k, n).

    Parameters
    ----------
    cost : (k, n)
        Marginal cost, > 0.
    share_frac, within_frac : (k, n)
        Share of the market and of the nest.
    open_weights, price_weight, nesting, least_elasticity, entry
        See `Rivalry`.

    Notes
    -----
    ``p = c e / (e - 1)`` with the elasticity of own volume ``e = beta (1/l - (1 - l)/l s_within - s)``. Where shares
    are those at these prices, it is the Bertrand equilibrium. Hosts of open weights sell at *entry* times cost at most.
    """
    own = price_weight * (1 / nesting - (1 - nesting) / nesting * within_frac - share_frac)
    volume = np.maximum(own, -least_elasticity)
    price = cost * volume / (volume - 1)
    return np.asarray(np.where(open_weights, np.minimum(price, entry * cost), price))


def deepest_cuts(rivalry: Rivalry, price: Array) -> Array:
    """Return the deepest cut since the start among each provider's rivals, in logarithms, (m, n); negative for a cut.

    Parameters
    ----------
    rivalry : Rivalry
        Prices at the start.
    price : (m, n)
        Prices as known.
    """
    sold = rivalry.start_price > 0
    start = np.where(sold, rivalry.start_price, 1.0)
    cut = np.where(sold, np.log(np.where(sold, price, 1.0) / start), 0.0)
    order = np.sort(cut, axis=1)
    first, second = order[:, :1], order[:, 1:2] if cut.shape[1] > 1 else np.zeros_like(order[:, :1])
    return np.where(cut == first, second, first)


_MOST_SHARE = 0.8
"""Share from which on a surge's weight grows no further."""


def own_growth(surge: Array, quarters: int) -> Array:
    """Return the weight of each provider by quarter, (n, t), from its surge in the first half-year (n,).

    Notes
    -----
    ``exp(surge sqrt(t / 2))`` with t in quarters: the spread of a random walk, whose one draw is the surge.
    """
    return np.asarray(np.exp(surge[:, None] * np.sqrt(np.arange(quarters) / 2)))


def rival_weights(surge: Array, volume: Array, quarters: int) -> Array:
    """Return the weight of each rival in what rivals serve together by quarter, (n, t), ones at the start.

    Parameters
    ----------
    surge : (n,)
        Growth over that of all in the first half-year, in logarithms.
    volume : (n,)
        Tokens a day at the start, > 0.
    quarters : int
        Quarters of the path, >= 1.

    Notes
    -----
    A share s moves by 1 − s of its weight's logarithm, so a weight moves by surge / (1 − s) and the growth is the surge
    to first order. It falls behind as the share nears one.
    """
    share = np.minimum(volume / volume.sum(), _MOST_SHARE)
    return own_growth(surge / (1.0 - share), quarters)


def with_odds(share_frac: Array, odds: float) -> Array:
    """Return shares (s, n) with the odds of the first provider's times a factor; the others lose in proportion.

    Examples
    --------
    >>> with_odds(np.array([[0.5, 0.3, 0.2]]), 3.0)
    array([[0.75, 0.15, 0.1 ]])
    """
    first = share_frac[:, :1]
    moved = first * odds / (1.0 - first + first * odds)
    left = np.where(first < 1.0, (1.0 - moved) / np.where(first < 1.0, 1.0 - first, 1.0), 0.0)
    return np.concatenate([moved, share_frac[:, 1:] * left], axis=1)


def provider_tokens_per_d(share_frac: Array, market_tokens_per_d: Array, rivalry: Rivalry) -> Array:
    """Return tokens a day of each provider, (n, t), from shares (s, n, t) and segments' tokens (s, t).

    A surge is growth apart from the country's. So it moves tokens between rivals, and the country's stay what segments
    want: were surges added up, their spread alone would lift the sum, as means of lognormals lie above medians.
    """
    tokens = np.asarray(np.einsum("snt,st->nt", share_frac, market_tokens_per_d))
    if rivalry.own_growth is None:
        return tokens
    moved = tokens[1:] * rivalry.own_growth[1:]
    scale = tokens[1:].sum(axis=0) / np.maximum(moved.sum(axis=0), 1e-30)
    return np.concatenate([tokens[:1], moved * scale])


def hosted_cap(rivalry: Rivalry, price: Array, bundle_frac: Array) -> Array:
    """Return what each provider's price of each model is drawn to, (m, n): infinite where weights are not open.

    Parameters
    ----------
    rivalry : Rivalry
        Who hosts, and which models' weights are open.
    price : (m, n)
        Prices; 0 where not sold.
    bundle_frac : (n,)
        Worth of what comes with tokens in the quarter.
    """
    if rivalry.open_models is None or not rivalry.open_weights.any():
        return np.full(price.shape, np.inf)
    hosts = np.where(rivalry.open_weights & (price > 0), price, np.inf).min(axis=1)
    most = hosts[:, None] * (1.0 + np.where(rivalry.open_weights, 0.0, bundle_frac))
    capped = rivalry.open_models[:, None] & ~rivalry.open_weights
    return np.asarray(np.where(capped, most, np.inf))


def held_by_hosts(rivalry: Rivalry, wanted: Array, cost: Array, bundle_frac: Array) -> Array:
    """Return wanted prices once hosts of open weights have drawn them down, (m, n).

    Parameters
    ----------
    rivalry : Rivalry
        Who hosts, and who follows how far.
    wanted, cost : (m, n)
        Prices wanted without hosts, 0 where not sold; full unit cost.
    bundle_frac : (n,)
        Worth of what comes with tokens in the quarter.

    Notes
    -----
    What is above the cheapest host and the worth of the own bundle closes the part `match_frac` of that gap in a
    quarter, in logarithms: slow followers keep more of their buyers' habit for longer. Nobody is drawn below its own
    cost.
    """
    cap = np.maximum(hosted_cap(rivalry, wanted, bundle_frac), cost)
    above = wanted > cap
    gap = np.log(np.where(above, wanted / cap, 1.0))
    return np.asarray(wanted * np.exp(-rivalry.match_frac * gap))


def next_prices(
    rivalry: Rivalry, before: Array, anchor: Array, matched: Array, cost: Array, best: Array, inertia: float | Array
) -> Array:
    """Return the prices that providers want one quarter later, (m, n).

    Parameters
    ----------
    rivalry : Rivalry
        Who matches how far.
    before : (m, n)
        Last quarter's prices.
    anchor : (m, n)
        Prices that a matched cut is taken from: those at the start, unless one was announced since.
    matched : (m, n)
        Prices of `match_lag_quarters` ago, whose cuts are known.
    cost, best : (m, n)
        Marginal cost, and the price that earns most.
    inertia : float or (n,)
        Share of the gap to that price that is left.

    Notes
    -----
    A provider moves part of the way, and follows the deepest relative cut of a rival, though not below its own cost to
    match. Competition never lifts a list price; scarcity is another's business.
    """
    follow = np.maximum(anchor * np.exp(rivalry.match_frac * deepest_cuts(rivalry, matched)), cost)
    moved = next_price(before, best, inertia)
    return np.asarray(np.where(rivalry.start_price > 0, np.minimum(before, np.minimum(moved, follow)), 0.0))
