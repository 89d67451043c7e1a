"""Own, rent or call: which way of getting tokens is cheapest for a buyer, privacy counted in money."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jevons.arrays import Array
from jevons.errors import Fault, InputError
from jevons.units import HOURS_PER_YEAR

WAYS = ("own", "rent", "api")
"""The ways to choose from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Terms of the three ways for one buyer.

    Parameters
    ----------
    machine_cur_per_y : float
        Capital charge, power and care of one owned machine.
    rent_cur_per_machine_h : float
        Rent of a machine-hour.
    machine_tok_per_d : float
        Tokens that one machine gives in a day, > 0.
    api_cur_per_mtok : float
        Price of a million tokens.
    privacy_cur_per_mtok : float
        Worth of keeping data in the house, lost whole to an API.
    rent_privacy_frac : float
        Share of that worth that a rented machine keeps, 0..1.
    """

    machine_cur_per_y: float
    rent_cur_per_machine_h: float
    machine_tok_per_d: float
    api_cur_per_mtok: float
    privacy_cur_per_mtok: float = 0.0
    rent_privacy_frac: float = 0.5

    def __post_init__(self) -> None:
        """Refuse terms outside their range."""
        faults = [
            Fault(message=f"{getattr(self, name):g}: must be {'above' if strict else 'at least'} 0", path=name)
            for name, strict in (
                ("machine_cur_per_y", False), ("rent_cur_per_machine_h", False), ("machine_tok_per_d", True),
                ("api_cur_per_mtok", False), ("privacy_cur_per_mtok", False),
            )
            if not (getattr(self, name) > 0 or (not strict and getattr(self, name) == 0))
        ]  # fmt: skip
        if not 0 <= self.rent_privacy_frac <= 1:
            faults.append(Fault(message=f"{self.rent_privacy_frac:g}: must be in 0..1", path="rent_privacy_frac"))
        if faults:
            raise InputError(faults)


def yearly_cost_cur(tokens_per_d: Array, offer: Offer) -> Array:
    """Return what each way costs a year, loss of privacy included, (3, n) in the order of `WAYS`.

    Machines are whole and stand all year, owned or rented; an API is paid by the token.
    """
    tokens = np.asarray(tokens_per_d, float)
    machines = np.maximum(np.ceil(tokens / offer.machine_tok_per_d), 1.0)
    mtok_per_y = tokens * HOURS_PER_YEAR / 24 / 1e6
    privacy = mtok_per_y * offer.privacy_cur_per_mtok
    return np.stack(
        [
            machines * offer.machine_cur_per_y,
            machines * offer.rent_cur_per_machine_h * HOURS_PER_YEAR + privacy * (1 - offer.rent_privacy_frac),
            mtok_per_y * offer.api_cur_per_mtok + privacy,
        ]
    )


def choice_share_frac(tokens_per_d: Array, offer: Offer, *, spread_frac: float = 0.3) -> Array:
    """Return the share of buyers of each size that takes each way, (3, n).

    Parameters
    ----------
    tokens_per_d : (n,)
        Tokens a day.
    offer : Offer
        Terms.
    spread_frac : float
        Spread of what else counts, as a share of cost, > 0: a logit in the logarithm of yearly cost.
    """
    if not spread_frac > 0:
        message = f"spread_frac = {spread_frac:g}: must be above 0"
        raise InputError(message)
    score = -np.log(np.maximum(yearly_cost_cur(tokens_per_d, offer), 1e-12)) / spread_frac
    score -= score.max(axis=0)
    weight = np.exp(score)
    return np.asarray(weight / weight.sum(axis=0))


def break_even_tok_per_d(offer: Offer) -> float | None:
    """Return tokens a day from which one owned machine is cheaper than the API; None beyond what it can give."""
    saved = (offer.api_cur_per_mtok + offer.privacy_cur_per_mtok) * HOURS_PER_YEAR / 24 / 1e6
    if saved <= 0:
        return None
    tokens = offer.machine_cur_per_y / saved
    return tokens if tokens <= offer.machine_tok_per_d else None
