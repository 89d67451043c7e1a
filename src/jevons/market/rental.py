"""Rents of accelerators by chip: one convex equation for glut and shortage, cleared against demand and brokers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from jevons.arrays import Array
from jevons.errors import Fault, InputError

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

    tight_frac: float
    steepness: float
    sag: float

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
