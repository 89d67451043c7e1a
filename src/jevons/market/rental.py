"""Rents of accelerators by chip: one convex equation for glut and shortage, cleared against demand and brokers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from jevons.arrays import Array
from jevons.errors import Fault, InputError
from jevons.market.brokers import withheld_frac

_FULL = 1.0 - 1e-9
_HALVINGS = 40


@dataclass(frozen=True, slots=True)
class RentCurve:
    """How rent follows the let share of a chip's stock.

    Parameters
    ----------
    tight_frac : float
        Let share at which rent equals full cost, in (0, 1).
    steepness : float
        Rise of rent beyond it (kappa), > 0.
    sag : float
        Power with which rent sinks towards running cost below it, > 0.
    """

    tight_frac: float = 0.75
    steepness: float = 0.5
    sag: float = 0.5

    def __post_init__(self) -> None:
        """Refuse a curve that does not rise."""
        faults = []
        if not 0 < self.tight_frac < 1:
            faults.append(Fault(message=f"{self.tight_frac:g}: must lie between 0 and 1", path="tight_frac"))
        faults += [
            Fault(message=f"{getattr(self, name):g}: must be above 0", path=name)
            for name in ("steepness", "sag")
            if not getattr(self, name) > 0
        ]
        if faults:
            raise InputError(faults)


def rent_cur_per_h(
    let_frac: ArrayLike, full_cost_cur_per_h: ArrayLike, running_cost_cur_per_h: ArrayLike, curve: RentCurve
) -> Array:
    """Return the rent of a device-hour at a let share of the stock.

    Parameters
    ----------
    let_frac : array
        Share of rentable device-hours that is let, 0..1.
    full_cost_cur_per_h : array
        Capital, site and running cost of a device-hour at the tight share.
    running_cost_cur_per_h : array
        What letting an idle device costs: energy and care; a floor for rent.
    curve : RentCurve
        The same for every chip.

    Notes
    -----
    With ``u`` let, ``u*`` tight, ``h0`` full and ``c`` running cost:
    ``h = c + (h0 - c) (u / u*)^sag`` up to ``u*``, ``h = h0 (1 + kappa (u - u*) / (1 - u))`` beyond. Continuous and
    rising; capital is sunk, so a glut takes rent down to running cost, and a full stock takes it up without bound.
    """
    share = np.clip(np.asarray(let_frac, float), 0.0, _FULL)
    full, running = np.asarray(full_cost_cur_per_h, float), np.asarray(running_cost_cur_per_h, float)
    slack = running + (full - running) * np.minimum(share / curve.tight_frac, 1.0) ** curve.sag
    tight = full * (1.0 + curve.steepness * np.maximum(share - curve.tight_frac, 0.0) / (1.0 - share))
    return np.asarray(np.where(share <= curve.tight_frac, slack, tight))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipMarket:
    """The rental market of one chip in one quarter.

    Parameters
    ----------
    name : str
        Chip.
    stock : float
        Devices that could be let, > 0.
    wanted : float
        Devices that renters would take at full cost, >= 0.
    elasticity : float
        Of that number to rent, < 0.
    full_cost_cur_per_h, running_cost_cur_per_h : float
        Of a device-hour, full above running.
    broker_frac : float
        Share of the stock in the hands of brokers, 0..1.
    expected_rise_frac : float
        Rise of rent that brokers expect by next quarter.
    carry_frac : float
        What holding a device idle for a quarter costs them, as a share of rent.
    """

    name: str
    stock: float
    wanted: float
    elasticity: float
    full_cost_cur_per_h: float
    running_cost_cur_per_h: float
    broker_frac: float = 0.0
    expected_rise_frac: float = 0.0
    carry_frac: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearedRent:
    """Where a chip's rental market clears.

    Parameters
    ----------
    rent_cur_per_h : float
        Rent of a device-hour.
    over_cost : float
        Rent over full cost: above 1 scarce, below 1 in glut.
    let : float
        Devices let.
    let_frac : float
        Share let of the offered stock.
    withheld : float
        Devices that brokers hold back.
    """

    rent_cur_per_h: float
    over_cost: float
    let: float
    let_frac: float
    withheld: float


def clear_rent(market: ChipMarket, curve: RentCurve) -> ClearedRent:
    """Return the rent at which renters take what owners and brokers offer.

    Brokers hold stock back where they expect rent to rise by more than holding costs; see `withheld_frac`.

    Raises
    ------
    InputError
        With every fault of *market*.
    """
    _check(market)
    withheld = market.stock * market.broker_frac * float(withheld_frac(market.expected_rise_frac, market.carry_frac))
    offered = market.stock - withheld
    if offered <= 0:
        message = f"{market.name}: brokers hold back the whole stock of {market.stock:g}; lower broker_frac below 1"
        raise InputError(message)

    one = np.ones(1)
    price, share = clearing_rents(
        market.wanted * one, market.full_cost_cur_per_h * one, offered * one, market.full_cost_cur_per_h * one,
        market.running_cost_cur_per_h * one, market.elasticity, curve,
    )  # fmt: skip
    rent, let = float(price[0]), float(share[0])
    return ClearedRent(
        rent_cur_per_h=rent,
        over_cost=rent / market.full_cost_cur_per_h,
        let=let * offered,
        let_frac=let,
        withheld=withheld,
    )


def clearing_rents(
    wanted: Array,
    at_cur_per_h: Array,
    offered: Array,
    full_cost_cur_per_h: Array,
    running_cost_cur_per_h: Array,
    elasticity: float,
    curve: RentCurve,
) -> tuple[Array, Array]:
    """Return rents of a device-hour and let shares at which each market clears, in the shape of the arguments.

    Parameters
    ----------
    wanted : array
        Devices (or device-hours a day) that renters would take at *at_cur_per_h*, >= 0.
    at_cur_per_h : array
        Rent at which they would, > 0.
    offered : array
        What is offered, in the same unit, > 0.
    full_cost_cur_per_h, running_cost_cur_per_h : array
        See `rent_cur_per_h`.
    elasticity : float
        Of the wanted number to rent, < 0.
    curve : RentCurve
        The same for every chip.

    Notes
    -----
    ``wanted (h(u) / h_at)^e = u offered`` by bisection in `u`, to 1e-12.
    """
    low, high = np.zeros_like(offered), np.full_like(offered, _FULL)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        rent = rent_cur_per_h(middle, full_cost_cur_per_h, running_cost_cur_per_h, curve)
        short = wanted * (rent / at_cur_per_h) ** elasticity > middle * offered
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    share = np.where(wanted > 0, (low + high) / 2, 0.0)
    return rent_cur_per_h(share, full_cost_cur_per_h, running_cost_cur_per_h, curve), share


def _check(market: ChipMarket) -> None:
    faults = []
    if not market.stock > 0:
        faults.append(Fault(message=f"{market.stock:g}: must be above 0", path=f"{market.name}.stock"))
    if not market.wanted >= 0:
        faults.append(Fault(message=f"{market.wanted:g}: must be at least 0", path=f"{market.name}.wanted"))
    if not market.elasticity < 0:
        faults.append(Fault(message=f"{market.elasticity:g}: must be negative", path=f"{market.name}.elasticity"))
    if not 0 <= market.broker_frac <= 1:
        faults.append(Fault(message=f"{market.broker_frac:g}: must be in 0..1", path=f"{market.name}.broker_frac"))
    if not 0 < market.running_cost_cur_per_h < market.full_cost_cur_per_h:
        message = f"{market.running_cost_cur_per_h:g}: must lie between 0 and the full cost"
        message += f" of {market.full_cost_cur_per_h:g} an hour"
        faults.append(Fault(message=message, path=f"{market.name}.running_cost_cur_per_h"))
    if faults:
        raise InputError(faults)
