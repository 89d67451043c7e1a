"""Renters who serve a model themselves or call it: they move to what has become cheaper, and tokens are kept."""

from __future__ import annotations

import numpy as np

from jevons.arrays import Array
from jevons.facts import get
from jevons.market.types import Switch


class Switching:
    """Shares of tokens by way up to the quarter reached.

    Parameters
    ----------
    switch : Switch
        Who may move, and how readily.

    Attributes
    ----------
    renting : (k,) int
        Segments of those who may.
    shares : (k, 3)
        Their tokens by way, in the order of `jevons.market.choice.WAYS`.
    """

    def __init__(self, switch: Switch) -> None:
        self._most_frac = get("assumption.segment_leaving_frac").number
        self._switch = switch
        self.renting = switch.renting
        rented = switch.start_frac
        self.shares = np.stack([np.zeros_like(rented), rented, 1.0 - rented], axis=1)
        self._appeals: list[Array | None] = [None] * rented.size
        for k, choice in enumerate(switch.choices):
            if choice is not None:
                self.shares[k], self._appeals[k] = choice.start_frac, choice.appeal()
        self._start = self.shares.copy()

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
        habit that hold the opening share stay; with machines of their own as a third way, `NestedChoice` says. What
        leaves one way comes in at another, token by token; what goes to own machines leaves the market.
        """
        told = self._switch
        rent, call = told.renting, told.calling
        if t > 0:
            self.shares = self._wanted(t, price_index, work) * (1 - told.inertia) + self.shares * told.inertia
        factors = np.ones(calls_per_d.size)
        served = calls_per_d[rent] * told.tokens_per_hour * work[rent]
        called = np.maximum(calls_per_d[call] * tokens_per_call[call], 1e-30)
        moved = (self.shares - self._start) / self._start[:, 1:2]  # over the tokens on rented machines
        comes = np.maximum(moved[:, 2], -self._most_frac * called / np.maximum(served, 1e-30))
        # what cannot leave the calls stays off machines of either kind
        rented = self.shares[:, 1] / np.maximum(self.shares[:, 0] + self.shares[:, 1], 1e-30)
        factors[rent] += moved[:, 1] - rented * np.maximum(comes - moved[:, 2], 0.0)
        np.add.at(factors, call, comes * served / called)
        return factors

    def _wanted(self, t: int, price_index: Array, work: Array) -> Array:
        """Return the shares by way at today's costs, (k, 3)."""
        told = self._switch
        rent, call = told.renting, told.calling
        odds = told.start_frac / (1 - told.start_frac) * (price_index[rent] / price_index[call]) ** told.elasticity
        rented = odds / (1 + odds)
        wanted = np.stack([np.zeros_like(rented), rented, 1.0 - rented], axis=1)
        for k, (choice, appeal) in enumerate(zip(told.choices, self._appeals, strict=False)):
            if choice is not None and appeal is not None:
                gain = float(work[rent[k]])
                wanted[k] = choice.share_frac(
                    t, appeal, rent_index=float(price_index[rent[k]]) * gain,
                    call_index=float(price_index[call[k]]), work=gain,
                )  # fmt: skip
        return wanted
