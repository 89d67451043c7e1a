"""Rents of accelerators by chip: renters' demand against what training and calls leave of the fleet, and brokers'."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jevons.arrays import Array
from jevons.expansion import ExpansionPlan
from jevons.market import (
    BrokerTerms,
    MarketInputs,
    MarketPath,
    RentCurve,
    clearing_rents,
    expected_rise_frac,
    withheld_frac,
)
from jevons.study.scenario.scenario import Scenario

_LEAST_FRAC = 0.01
"""Share of a chip's hours that is on offer even where calls take all; with less, it is not in the market."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rents:
    """Where the rental markets clear.

    Parameters
    ----------
    cny_per_h : (v, t)
        Rent of a device-hour; 0 where no device of the kind is in the market.
    let_frac : (v, t)
        Let share of the hours on offer, the firm's and brokers'.
    price_cur_per_h : (t,)
        Rent of a reference device-hour, over all that is let.
    brokers_held, brokers_let, brokers_withheld : (v, t)
        Devices of brokers: all, those let, and those held back; what is left of them looks for renters.
    brokers_frac : (t,)
        Share of all let reference device-hours that brokers let.
    """

    cny_per_h: Array
    let_frac: Array
    price_cur_per_h: Array
    brokers_held: Array
    brokers_let: Array
    brokers_withheld: Array
    brokers_frac: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stock:
    """What could be let, and to whom.

    Parameters
    ----------
    stand, firm : (v, t)
        Device-hours a day of the firm outside of training, and those of them that it offers; 0 for a kind that it does
        not let.
    brokers : (v, t)
        Device-hours a day that brokers hold.
    wanted : (t,)
        Reference device-hours a day that renters want of both.
    shown_cur_per_h : (t,)
        Rent of one at which they do.
    """

    stand: Array
    firm: Array
    brokers: Array
    wanted: Array
    shown_cur_per_h: Array


def clear_rents(
    scenario: Scenario,
    hour_cur: Array,
    running_cur: Array,
    strength: Array,
    plan: ExpansionPlan,
    market: MarketPath,
    inputs: MarketInputs,
) -> Rents | None:
    """Return rents by chip and quarter that clear what renters want against what stands; None without renters.

    Parameters
    ----------
    scenario : Scenario
        Terms of the rental market, and what brokers hold.
    hour_cur, running_cur : (v, t)
        Full and running cost of a device-hour.
    strength : (v,)
        Reference device-hours that a device-hour stands for.
    plan : ExpansionPlan
        The fleet, and what training and calls take of it.
    market, inputs : MarketPath, MarketInputs
        What renters want at the price they were shown.

    Notes
    -----
    Renters' work is tied to kinds of chips in proportion to what stands of each outside of the training reserve, less
    what brokers hold back; towards another kind they move with `rental_substitution`. Calls come before renters: they
    are what makes one kind scarcer than another. Full cost is per let hour at the tight share. A kind held for training
    is not in the market. Renters do not mind whose device it is: the let share is the same for the firm and for
    brokers. Quarters are cleared in order, as brokers expect what rents so far suggest.
    """
    if inputs.counts_tokens.all():
        return None
    terms, spec = scenario.market, scenario.market.brokers
    curve = RentCurve(terms.rental_tight.value, terms.rental_steepness.value)
    brokers = BrokerTerms(
        carry_frac=spec.carry.value,
        extrapolation=spec.extrapolation.value,
        hoard_frac=spec.hoard.value,
        start_rise_frac=spec.start_rise.value,
    )
    day_h = 24.0 * scenario.serving.availability.value
    broker_stock = broker_devices(scenario)
    stock = _stock(scenario, day_h, broker_stock, plan, market, inputs)
    withheld = np.zeros_like(broker_stock)

    def cleared(t: slice) -> tuple[Array, Array]:
        return _cleared(
            stock, t, stock.brokers[:, t] - withheld[:, t] * day_h, strength, hour_cur[:, t] / curve.tight_frac,
            running_cur[:, t], terms.rental_substitution.value, curve,
        )  # fmt: skip

    # all at once as if nothing were held back, then again from each quarter in which something is
    rent, let = cleared(slice(None))
    for t in range(broker_stock.shape[1]):
        rise = expected_rise_frac(rent[:, :t], brokers)
        back = broker_stock[:, t] * withheld_frac(rise, brokers.carry_frac, brokers.hoard_frac)
        if back.any():
            withheld[:, t] = back
            here = slice(t, t + 1)
            rent[:, here], let[:, here] = cleared(here)
    broker_h = let * (stock.brokers - withheld * day_h)
    hours = let * stock.firm + broker_h
    work = np.maximum((hours * strength[:, None]).sum(axis=0), 1e-30)
    price = (hours * rent).sum(axis=0) / work
    return Rents(
        cny_per_h=rent,
        let_frac=let,
        price_cur_per_h=np.where(hours.sum(axis=0) > 0, price, stock.shown_cur_per_h),
        brokers_held=broker_stock,
        brokers_let=broker_h / day_h,
        brokers_withheld=withheld,
        brokers_frac=(broker_h * strength[:, None]).sum(axis=0) / work,
    )


def broker_devices(scenario: Scenario) -> Array:
    """Return the devices that brokers hold by quarter, (v, t)."""
    years = np.arange(scenario.quarters) / 4
    devices = scenario.hardware.devices.values()
    return np.array([d.brokers.value * (1 + d.brokers_growth.value) ** years for d in devices])


def _stock(
    scenario: Scenario, day_h: float, broker_stock: Array, plan: ExpansionPlan, market: MarketPath, inputs: MarketInputs
) -> _Stock:
    rental = ~inputs.counts_tokens
    stand = (plan.installed - plan.training_devices).sum(axis=1) * day_h
    calls = plan.busy_device_h_per_d[~rental].sum(axis=(0, 2, 4)) / scenario.serving.utilisation_cap.value
    there = stand > np.maximum(_LEAST_FRAC * plan.installed.sum(axis=1), 1.0) * day_h
    firm = np.where(there, np.maximum(stand - calls, _LEAST_FRAC * stand), 0.0)
    wanted = (market.market_calls_per_d * inputs.share_frac[:, None])[rental].sum(axis=0)
    return _Stock(
        stand=np.where(there, stand, 0.0),
        firm=firm,
        brokers=broker_stock * day_h,
        wanted=wanted,
        shown_cur_per_h=market.price_cur_per_tok[-1, 2],
    )


def _cleared(
    stock: _Stock,
    quarters: slice,
    open_h: Array,
    strength: Array,
    full_cur_per_h: Array,
    running_cur_per_h: Array,
    elasticity: float,
    curve: RentCurve,
) -> tuple[Array, Array]:
    """Return rents and let shares of quarters, (v, t), with brokers offering *open_h*; 0 where nothing is offered."""
    offered = stock.firm[:, quarters] + open_h
    there = offered > 0
    work = (stock.stand[:, quarters] + open_h) * strength[:, None]
    share = work / np.maximum(work.sum(axis=0), 1e-30)
    rent, let = clearing_rents(
        stock.wanted[quarters] * share / strength[:, None],
        stock.shown_cur_per_h[quarters] * strength[:, None],
        np.where(there, offered, 1.0),
        full_cur_per_h,
        running_cur_per_h,
        elasticity,
        curve,
    )
    return np.where(there, rent, 0.0), np.where(there, let, 0.0)
