"""Rents of accelerators by chip: renters' demand against what training and calls leave of the fleet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jevons.expansion import ExpansionPlan
from jevons.market import MarketInputs, MarketPath, RentCurve, clearing_rents
from jevons.study.scenario import Scenario

Array = NDArray[np.float64]

_LEAST_FRAC = 0.01
"""Share of a chip's hours that is on offer even where calls take all; with less, it is not in the market."""


@dataclass(frozen=True, slots=True)
class Rents:
    """Where the rental markets clear.

    Parameters
    ----------
    cny_per_h : (v, t)
        Rent of a device-hour; 0 where no device of the kind is in the market.
    let_frac : (v, t)
        Let share of the hours on offer.
    price_cny_per_h : (t,)
        Rent of a reference device-hour, over all that is let.
    """

    cny_per_h: Array
    let_frac: Array
    price_cny_per_h: Array


def clear_rents(
    scenario: Scenario,
    hour_cny: Array,
    running_cny: Array,
    strength: Array,
    plan: ExpansionPlan,
    market: MarketPath,
    inputs: MarketInputs,
) -> Rents | None:
    """Return rents by chip and quarter that clear what renters want against what stands; None without renters.

    Parameters
    ----------
    scenario : Scenario
        Terms of the rental market.
    hour_cny, running_cny : (v, t)
        Full and running cost of a device-hour.
    strength : (v,)
        Reference device-hours that a device-hour stands for.
    plan : ExpansionPlan
        The fleet, and what training and calls take of it.
    market, inputs : MarketPath, MarketInputs
        What renters want at the price they were shown.

    Notes
    -----
    Renters' work is tied to kinds of chips in proportion to what stands of each outside of the training reserve;
    towards another kind they move with `rental_substitution`. Calls come before renters: they are what makes one kind
    scarcer than another. Full cost is per let hour at the tight share. A kind held for training is not in the market.
    """
    rental = ~inputs.counts_tokens
    if not rental.any():
        return None
    terms = scenario.market
    curve = RentCurve(terms.rental_tight.value, terms.rental_steepness.value)
    day_h = 24.0 * scenario.serving.availability.value
    stand = (plan.installed - plan.training_devices).sum(axis=1) * day_h
    calls = plan.busy_device_h_per_d[~rental].sum(axis=(0, 2, 4)) / scenario.serving.utilisation_cap.value
    there = stand > np.maximum(_LEAST_FRAC * plan.installed.sum(axis=1), 1.0) * day_h
    offered = np.where(there, np.maximum(stand - calls, _LEAST_FRAC * stand), 1.0)
    shown = market.call_price_cny[rental][0]
    wanted = market.calls_per_d[rental].sum(axis=0)
    work = np.where(there, stand * strength[:, None], 0.0)
    share = work / np.maximum(work.sum(axis=0), 1e-30)
    rent, let = clearing_rents(
        wanted * share / strength[:, None],
        shown * strength[:, None],
        offered,
        hour_cny / curve.tight_frac,
        running_cny,
        terms.rental_substitution.value,
        curve,
    )
    rent, let = np.where(there, rent, 0.0), np.where(there, let, 0.0)
    hours = let * offered * there
    price = (hours * rent).sum(axis=0) / np.maximum((hours * strength[:, None]).sum(axis=0), 1e-30)
    return Rents(rent, let, np.where(hours.sum(axis=0) > 0, price, shown))
