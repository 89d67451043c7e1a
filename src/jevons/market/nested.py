"""Users who run open weights: on machines of their own, on rented ones, or through an API; a nested logit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jevons.arrays import Array
from jevons.errors import Fault, InputError
from jevons.market.choice import WAYS, Offer, yearly_cost_cur

_ROUNDS, _CLOSE = 200, 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class NestedChoice:
    """One kind of user's choice between owning, renting and calling.

    Parameters
    ----------
    sizes_tok_per_d, weights : (n,)
        Tokens a day of users at the start, and the share of all tokens that users of each size have.
    growth : (t,)
        Factor on those tokens by quarter.
    offer : Offer
        Terms of the three ways at the start.
    machine_index : (t,)
        Yearly cost of an owned machine over the start.
    start_frac : (3,)
        Shares of tokens by way at the start, in the order of `WAYS`, each above 0; they sum to 1.
    elasticity : float
        Of the odds of running the model oneself to its cost over that of calling, <= 0.
    nest_elasticity : float
        Of the odds of owning to its cost over that of renting, at most `elasticity`: machines are the closer
        substitutes.
    """

    sizes_tok_per_d: Array
    weights: Array
    growth: Array
    offer: Offer
    machine_index: Array
    start_frac: Array
    elasticity: float
    nest_elasticity: float

    def __post_init__(self) -> None:
        """Refuse shares that are no shares, and a nest that is looser than what is around it."""
        faults = []
        if self.start_frac.shape != (len(WAYS),) or (self.start_frac <= 0).any():
            faults.append(Fault(message=f"{self.start_frac.tolist()}: must be three shares above 0", path="start_frac"))
        elif abs(float(self.start_frac.sum()) - 1.0) > 1e-9:
            faults.append(Fault(message=f"sum to {self.start_frac.sum():g}: must be 1", path="start_frac"))
        if not self.nest_elasticity <= self.elasticity <= 0:
            message = f"{self.nest_elasticity:g}: must be at most the elasticity around the nest, {self.elasticity:g}"
            faults.append(Fault(message=message, path="nest_elasticity"))
        if faults:
            raise InputError(faults)

    def appeal(self) -> Array:
        """Return what ways have beside their cost, (2,): owning over renting, and running the model over calling it.

        Privacy, control and habit that costs leave out; they give the shares of the start (Berry).
        """
        cost = self._log_cost(0, 1.0, 1.0, 1.0)
        told = self._odds(self.start_frac)
        appeal = told.copy()
        for _ in range(_ROUNDS):
            gap = told - self._odds(self._of(cost, appeal))
            appeal = appeal + gap
            if float(np.abs(gap).max()) < _CLOSE:
                break
        return appeal

    @staticmethod
    def _odds(share: Array) -> Array:
        return np.asarray(np.log([share[0] / share[1], (share[0] + share[1]) / share[2]]))

    def share_frac(self, t: int, appeal: Array, *, rent_index: float, call_index: float, work: float) -> Array:
        """Return the shares of tokens by way, (3,), in quarter *t*.

        Parameters
        ----------
        t : int
            Quarter.
        appeal : (2,)
            See `appeal`.
        rent_index, call_index : float
            Rent of a device-hour, and price of a token called, over the start.
        work : float
            Tokens of a machine over the start.
        """
        return self._of(self._log_cost(t, rent_index, call_index, work), appeal)

    def _log_cost(self, t: int, rent_index: float, call_index: float, work: float) -> Array:
        offer = self.offer
        there = Offer(
            machine_cur_per_y=offer.machine_cur_per_y * float(self.machine_index[t]),
            rent_cur_per_machine_h=offer.rent_cur_per_machine_h * rent_index,
            machine_tok_per_d=offer.machine_tok_per_d * work,
            api_cur_per_mtok=offer.api_cur_per_mtok * call_index,
            privacy_cur_per_mtok=offer.privacy_cur_per_mtok,
            rent_privacy_frac=offer.rent_privacy_frac,
        )
        return np.asarray(np.log(np.maximum(yearly_cost_cur(self.sizes_tok_per_d * self.growth[t], there), 1e-12)))

    def _of(self, log_cost: Array, appeal: Array) -> Array:
        upper, lower = self.elasticity, self.nest_elasticity
        machines = lower * log_cost[:2]
        machines[0] += appeal[0]
        most = machines.max(axis=0)
        weight = np.exp(machines - most)
        inside = weight / weight.sum(axis=0)
        # cost of machines as the nest sees it: that of the better one, less for having both
        within = most + np.log(weight.sum(axis=0))
        run = appeal[1] + (within * (upper / lower) if lower < 0 else 0.0)
        runs = 1.0 / (1.0 + np.exp(np.clip(upper * log_cost[2] - run, -500, 500)))
        return np.asarray(np.concatenate([inside * runs, (1.0 - runs)[None]]) @ self.weights)
