"""What brokers of rented accelerators expect of rents, and what they hold back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from jevons.arrays import Array
from jevons.errors import Fault, InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerTerms:
    """How brokers decide, alike for every chip.

    Parameters
    ----------
    carry_frac : float
        What holding a device idle for a quarter costs them, as a share of rent, > 0.
    extrapolation : float
        Rise of rent that they expect over the last quarter's change, >= 0.
    hoard_frac : float
        Largest share of their stock that they can hold back in a quarter, in [0, 1).
    start_rise_frac : float
        Rise that they expect until two quarters' rents show a change, > -1.
    """

    carry_frac: float
    extrapolation: float
    hoard_frac: float
    start_rise_frac: float = 0.0

    def __post_init__(self) -> None:
        """Refuse terms outside their ranges."""
        faults = []
        if not self.carry_frac > 0:
            faults.append(Fault(message=f"{self.carry_frac:g}: must be above 0", path="carry_frac"))
        if not self.extrapolation >= 0:
            faults.append(Fault(message=f"{self.extrapolation:g}: must be at least 0", path="extrapolation"))
        if not 0 <= self.hoard_frac < 1:
            faults.append(Fault(message=f"{self.hoard_frac:g}: must be at least 0 and below 1", path="hoard_frac"))
        if not self.start_rise_frac > -1:
            faults.append(Fault(message=f"{self.start_rise_frac:g}: must be above -1", path="start_rise_frac"))
        if faults:
            raise InputError(faults)


def expected_rise_frac(rent_cur_per_h: Array, terms: BrokerTerms) -> Array:
    """Return the rise of each chip's rent that brokers expect by next quarter, (v,).

    Parameters
    ----------
    rent_cur_per_h : (v, t)
        Rents of the quarters before this one, from the first on; 0 where a chip was not in the market.
    terms : BrokerTerms
        How they extrapolate.

    Notes
    -----
    Adaptive: a multiple of the last change that they have seen, ``h[t-1] / h[t-2] - 1``. A chip without one of the two
    rents is expected to stand still.
    """
    if rent_cur_per_h.shape[1] < 2:
        return np.full(rent_cur_per_h.shape[0], terms.start_rise_frac)
    before, last = rent_cur_per_h[:, -2], rent_cur_per_h[:, -1]
    seen = (before > 0) & (last > 0)
    return terms.extrapolation * np.where(seen, last / np.where(seen, before, 1.0) - 1.0, 0.0)


def withheld_frac(expected_rise_frac: ArrayLike, carry_frac: float, hoard_frac: float = 1.0) -> Array:
    """Return the share of their stock that brokers hold back, in the shape of the expected rise.

    Parameters
    ----------
    expected_rise_frac : array
        Rise of rent that they expect by next quarter.
    carry_frac : float
        What holding a device idle for a quarter costs them, as a share of rent, > 0.
    hoard_frac : float
        Largest share that they can hold back, 0..1.

    Notes
    -----
    None up to an expected rise as large as the cost of holding, all that they can at twice that cost, and in proportion
    between. In a glut they let everything, as their leases are sunk.
    """
    gain = (np.asarray(expected_rise_frac, float) - carry_frac) / max(carry_frac, 1e-12)
    return np.asarray(hoard_frac * np.clip(gain, 0.0, 1.0))
