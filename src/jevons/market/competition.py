"""Runs providers' prices and shares forward quarter by quarter, beside the market's demand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jevons.arrays import Array
from jevons.market.formulas import posted_price
from jevons.market.providers import (
    Rivalry,
    appeal_from_shares,
    best_prices,
    deepest_cuts,
    held_by_hosts,
    next_prices,
    shares,
    with_odds,
)


class Competition:
    """Prices and shares of all providers up to the quarter reached.

    Parameters
    ----------
    rivalry : Rivalry
        Who competes.
    model : (s,) int
        Model that each segment calls.
    quarters : int
        Length of the path.
    price_inertia : float
        Share of the gap to the price that earns most which is left after a quarter, where `rivalry` has none.
    price_step_frac : float
        Least change of a price at which a provider posts a new one, where `rivalry` has none.

    Attributes
    ----------
    price : (m, n, t)
        Posted prices of a model's token mix [currency/token]; 0 where a provider does not sell it.
    share_frac : (s, n, t)
        Shares of each segment's calls; all the firm's where buyers have no choice among these providers.
    competes : (s,) bool
        Where they have.
    """

    def __init__(
        self,
        rivalry: Rivalry,
        model: NDArray[np.int64],
        quarters: int,
        price_inertia: float,
        price_step_frac: float = 0.0,
    ) -> None:
        self._rivalry, self._model = rivalry, model
        self._inertia = price_inertia if rivalry.inertia is None else rivalry.inertia
        self._step_frac = price_step_frac if rivalry.step_frac is None else rivalry.step_frac
        self.competes = rivalry.competes
        self._logit = {"price_weight": rivalry.price_weight, "nesting": rivalry.nesting}
        segments, providers = rivalry.start_share_frac.shape
        self.price = np.zeros((*rivalry.start_price.shape, quarters))
        self.share_frac = np.zeros((segments, providers, quarters))
        self.price[:, :, 0], self.share_frac[:, :, 0] = rivalry.start_price, rivalry.start_share_frac
        self._by_price = rivalry.start_share_frac
        self._wanted, self._anchor = rivalry.start_price.copy(), rivalry.start_price.copy()
        self._sold = rivalry.start_price > 0
        self._log_start = np.log(np.where(self._sold, rivalry.start_price, 1.0))
        self._log_bundle = np.log1p(rivalry.bundle_frac)
        self._log_paid = self._log_start
        first = self._log_start[model] - self._log_bundle[:, 0]
        self._appeal = appeal_from_shares(rivalry.start_share_frac, first, rivalry.open_weights, **self._logit)
        start_price = (rivalry.start_share_frac * rivalry.start_price[model]).sum(axis=1)
        own = rivalry.start_price[model, 0]
        self.level = np.where(rivalry.competes, start_price / np.where(own > 0, own, 1.0), 1.0)

    def step(self, t: int, own_cost: Array, volume: Array, announced: Array) -> None:
        """Move to quarter *t*, from 1 on.

        Parameters
        ----------
        t : int
            Quarter.
        own_cost : (m,)
            The firm's full unit cost of each model's token mix [currency/token].
        volume : (s,)
            Size of segments in the quarter before, as weights: prices are one per model, not one per segment.
        announced : (m,)
            What the firm has announced for the quarter [currency/token of a model's token mix]; 0 for nothing.

        Notes
        -----
        A provider's wanted price moves every quarter; buyers and rivals see the posted one, which follows it in steps.
        An announced price is posted as it is, and the wanted one goes on from there: only cuts of rivals that come
        later are matched. Shares follow posted prices. Callers whom the firm cannot serve within a quarter go elsewhere
        along `demand_blocks`, and come back when it can.
        """
        rivalry = self._rivalry
        log_price = self._log_paid[self._model] - self._log_bundle[:, t - 1]
        _, within = shares(self._appeal, log_price, rivalry.open_weights, **self._logit)
        share, inside = self._by_model(self.share_frac[:, :, t - 1], volume), self._by_model(within, volume)
        cost = np.maximum(own_cost[:, None] * rivalry.cost_factor, 1e-15)
        best = best_prices(
            cost, share, inside, rivalry.open_weights,
            least_elasticity=rivalry.least_elasticity, entry=rivalry.entry, **self._logit,
        )  # fmt: skip
        matched = self.price[:, :, max(t - rivalry.match_lag_quarters, 0)]
        self._wanted = next_prices(rivalry, self._wanted, self._anchor, matched, cost, best, self._inertia)
        self._wanted = held_by_hosts(rivalry, self._wanted, cost, rivalry.bundle_frac[:, t])
        self.price[:, :, t] = posted_price(self.price[:, :, t - 1], self._wanted, self._step_frac)
        rows = announced > 0
        self.price[rows, 0, t] = self._wanted[rows, 0] = announced[rows]
        known = rivalry.match_frac * deepest_cuts(rivalry, matched)
        self._anchor[rows, 0] = announced[rows] * np.exp(-known[rows, 0])
        self._log_paid = np.log(np.where(self._sold, self.price[:, :, t], 1.0))
        net = self._log_paid[self._model] - self._log_bundle[:, t]
        wanted, _ = shares(self._appeal, net, rivalry.open_weights, **self._logit)
        wanted = np.where(rivalry.competes[:, None], wanted, rivalry.start_share_frac)
        inertia = rivalry.share_inertia
        self._by_price = wanted * (1 - inertia) + self._by_price * inertia
        self.share_frac[:, :, t] = self._by_price
        if rivalry.firm_odds is not None:
            moved = with_odds(self._by_price, float(rivalry.firm_odds[t]))
            self.share_frac[:, :, t] = np.where(rivalry.competes[:, None], moved, self._by_price)

    def own_index(self) -> Array:
        """Return the firm's price of each model over its start, (m,)."""
        return np.asarray(np.exp(self._log_paid[:, 0] - self._log_start[:, 0]))

    def market_index(self, t: int) -> Array:
        """Return each segment's price over its start at constant providers, (s,), weighted by the quarter's shares."""
        change = (self._log_paid - self._log_start)[self._model]
        return np.asarray(np.exp((self.share_frac[:, :, t] * change).sum(axis=1)))

    def _by_model(self, by_segment: Array, volume: Array) -> Array:
        """Average (s, n) over the segments that call a model, those without a choice left out: (m, n)."""
        weight = np.where(self._rivalry.competes, np.maximum(volume, 1e-30), 0.0)
        total, norm = np.zeros(self._sold.shape), np.zeros(self._sold.shape[0])
        np.add.at(total, self._model, by_segment * weight[:, None])
        np.add.at(norm, self._model, weight)
        return total / np.maximum(norm, 1e-300)[:, None]
