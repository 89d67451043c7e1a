"""The firm's posted prices, quarter by quarter: what competition calls for, in steps, and what was announced."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jevons.arrays import Array
from jevons.market.competition import Competition
from jevons.market.formulas import next_price, posted_price
from jevons.market.types import MarketInputs


class PostedPrices:
    """Posted prices up to the quarter reached.

    Parameters
    ----------
    inputs : MarketInputs
        List prices at the start, unit costs, rivals, announcements.

    Attributes
    ----------
    index : (m,)
        Price of each model's token mix over that at the start.
    rivals : Competition or None
        Prices and shares of all providers, the firm's in it.
    """

    def __init__(self, inputs: MarketInputs) -> None:
        models, _, quarters = inputs.supply.unit_cost_cur_per_tok.shape
        self._inputs, self._weights = inputs, token_weights(inputs)
        self._start = np.maximum((self._weights * inputs.pricing.list_price_cur_per_tok).sum(axis=1), 1e-15)
        self._listed, self._listed_index = inputs.pricing.list_price_cur_per_tok.copy(), np.ones(models)
        self._wanted = np.ones(models)
        rented = np.unique(inputs.model[~inputs.use.counts_tokens])
        self._rented = rented if rented.size else np.array([models - 1])
        self.index = np.ones(models)
        self.rivals: Competition | None = None
        if inputs.rivals is not None:
            self.rivals = Competition(
                inputs.rivals, inputs.model, quarters, inputs.pricing.price_inertia, inputs.pricing.price_step_frac
            )

    @property
    def price_cur_per_tok(self) -> Array:
        """Price by kind of token, (m, 3): input, cached and output move together between announcements."""
        return self._listed * (self.index / self._listed_index)[:, None]

    def step(self, t: int, learning: float, volume: Array) -> None:
        """Move to quarter *t*.

        Parameters
        ----------
        t : int
            Quarter.
        learning : float
            Efficiency from learning, by which unit cost is lower.
        volume : (s,)
            Size of segments in the quarter before, as weights.
        """
        inputs = self._inputs
        if t > 0:
            cost = (self._weights * inputs.supply.unit_cost_cur_per_tok[:, :, t]).sum(axis=1) / learning
            rows, listed = self._announced(t)
            mix = np.zeros(self._start.size)
            mix[rows] = (self._weights[rows] * listed).sum(axis=1)
            if self.rivals is None:
                self._follow(cost, mix)
            else:
                self.rivals.step(t, cost, volume, mix)
                self.index = self.rivals.own_index()
            self._listed[rows], self._listed_index[rows] = listed, self.index[rows]
        if inputs.renting.rent_index is not None:
            self.index[self._rented] = inputs.renting.rent_index[t]

    def _follow(self, cost: Array, announced: Array) -> None:
        """Let prices follow *cost* (m,) times the markup, and post what is *announced* (m,), where it is above 0."""
        # competition cuts list prices and never lifts them; scarcity does that
        target = np.minimum(self._inputs.pricing.markup * cost / self._start, 1.0)
        wanted = np.minimum(next_price(self._wanted, target, self._inputs.pricing.price_inertia), self._wanted)
        posted = posted_price(self.index, wanted, self._inputs.pricing.price_step_frac)
        told = announced > 0
        self._wanted = np.where(told, announced / self._start, wanted)
        self.index = np.where(told, self._wanted, posted)

    def _announced(self, t: int) -> tuple[NDArray[np.int64], Array]:
        """Return the models whose announced prices begin in quarter *t*, (a,), and those prices, (a, 3)."""
        told = self._inputs.pricing.announced
        if told is None:
            return np.zeros(0, np.int64), np.zeros((0, 3))
        now = told.quarter == t
        return told.model[now], told.price_cur_per_tok[now]


def token_weights(inputs: MarketInputs) -> Array:
    """Return the token mix of each model's price, that of its callers at the start: (m, 3), rows sum to 1."""
    models = inputs.pricing.list_price_cur_per_tok.shape[0]
    weights = np.zeros((models, 3))
    volume = inputs.adoption.adopters * inputs.adoption.adopted_frac * inputs.use.calls_per_d
    np.add.at(weights, inputs.model, inputs.use.tokens_per_call * volume[:, None])
    unused = weights.sum(axis=1) <= 0
    weights[unused] = (1.0, 0.0, 1.0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
