"""Renters who serve a model themselves or call it: they move to what has become cheaper, and tokens are kept."""

from __future__ import annotations

import numpy as np

from jevons.arrays import Array
from jevons.market.types import Switch

_MOST_FRAC = 0.9
"""Largest share of the calls of a segment that may leave it in this way."""


class Switching:
    """Shares of tokens on rented machines up to the quarter reached.

    Parameters
    ----------
    switch : Switch
        Who may move, and how readily.
    """

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._share = switch.start_frac.copy()

    def step(self, t: int, price_index: Array, calls_per_d: Array, tokens_per_call: Array, work: Array) -> Array:
        """Return the factors on calls and hours of each segment, (s,), in quarter *t*.

        Parameters
        ----------
        t : int
            Quarter.
        price_index : (s,)
            Price of a token, or of a renter's work, over the start.
        calls_per_d, tokens_per_call : (s,)
            Calls (hours of renters) before anybody moves, and tokens of a call.
        work : (s,)
            Work of a rented hour over that at which demand is stated.

        Notes
        -----
        ``odds = odds0 (cost of renting / price of calling)^e``, both over the start, so that privacy, control and
        habit that hold the opening share stay. What leaves one way comes in at the other, token by token.
        """
        told = self._switch
        rent, call = told.renting, told.calling
        if t > 0:
            odds = told.start_frac / (1 - told.start_frac) * (price_index[rent] / price_index[call]) ** told.elasticity
            self._share = odds / (1 + odds) * (1 - told.inertia) + self._share * told.inertia
        factors = np.ones(calls_per_d.size)
        served = calls_per_d[rent] * told.tokens_per_hour * work[rent]
        called = np.maximum(calls_per_d[call] * tokens_per_call[call], 1e-30)
        rises = np.minimum(self._share / told.start_frac - 1.0, _MOST_FRAC * called / np.maximum(served, 1e-30))
        factors[rent] += rises
        np.add.at(factors, call, -rises * served / called)
        return factors
