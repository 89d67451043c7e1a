"""Rents of accelerators by chip: renters' uses against what training and calls leave, and brokers' stock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jevons.arrays import Array
from jevons.expansion import ExpansionPlan
from jevons.market import (
    BalanceSheets,
    BrokerTerms,
    LoanTerms,
    MarketInputs,
    MarketPath,
    QuarterFigures,
    RentCurve,
    UseMarket,
    UsePrices,
    clear_uses,
    contract_rents,
    expected_rise_frac,
    frontier_cur_per_h,
    resale_cur,
    withheld_frac,
)
from jevons.study.chain.setting import Setting
from jevons.study.scenario.scenario import Scenario

USES = ("answers", "training")
"""What renters do: memory-bound answers, and compute-bound training, tuning and reading of prompts."""

_LEAST_FRAC = 0.01
"""Share of a chip's hours that is on offer even where calls take all; with less, it is not in the market."""

_RISE, _OPENS = 1e-3, 0.02
"""Rise of a rent in a quarter, and how far it opens above its calm level, from which on the cause is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brokers:
    """Balance sheets of brokers by chip and quarter, (v, t) each.

    Parameters
    ----------
    held, let, withheld : (v, t)
        Devices of brokers and of their lenders: all, those let, and those held back; the rest looks for renters.
    given_up, bought : (v, t)
        Devices that lenders had taken by the quarter, and devices bought in it.
    debt_cur, equity_cur : (v, t)
        At the end of the quarter, equity at resale value.
    lenders_loss_cur, owners_loss_cur : (v, t)
        Lost up to then.
    """

    held: Array
    let: Array
    withheld: Array
    given_up: Array
    bought: Array
    debt_cur: Array
    equity_cur: Array
    lenders_loss_cur: Array
    owners_loss_cur: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Rents:
    """Where the rental markets clear.

    Parameters
    ----------
    rent_cur_per_h : (v, t)
        Rent of a device-hour; 0 where no device of the kind is in the market.
    calm_cur_per_h : (v, t)
        Rent of one at the tight share, on the frontier: what it would be without glut or shortage.
    contract_cur_per_h : (terms, v, t)
        Rents by length of contract, see `jevons.market.hedonic.TERMS_Y`.
    let_frac : (v, t)
        Let share of the hours on offer, the firm's and brokers'.
    use_price_cur_per_h : (u, t)
        Price of a reference hour's work in each use; see `USES`.
    shortage : (v, t) of str
        Named where a rent rises, or opens above the calm one: the use that is short, and whether its best chip is
        barred; else empty.
    resale_cur : (v, t)
        What a device of the opening stock is worth, at its age in the quarter.
    price_cur_per_h : (t,)
        Rent of a reference device-hour, over all that is let.
    brokers : Brokers
        Their devices and balance sheets.
    brokers_frac : (t,)
        Share of all let reference device-hours that brokers let.
    """

    rent_cur_per_h: Array
    calm_cur_per_h: Array
    contract_cur_per_h: Array
    let_frac: Array
    use_price_cur_per_h: Array
    shortage: NDArray[np.str_]
    resale_cur: Array
    price_cur_per_h: Array
    brokers: Brokers
    brokers_frac: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offer:
    """What could be let, and to whom.

    Parameters
    ----------
    firm : (v, t)
        Device-hours a day that the firm offers; 0 for a kind that it does not let.
    wanted : (t,)
        Reference device-hours a day that renters want of all.
    shown_cur_per_h : (t,)
        Rent of one at which they do.
    """

    firm: Array
    wanted: Array
    shown_cur_per_h: Array


def clear_rents(
    scenario: Scenario, setting: Setting, plan: ExpansionPlan, market: MarketPath, inputs: MarketInputs
) -> Rents | None:
    """Return rents by chip and quarter that clear what renters want against what stands; None without renters.

    Parameters
    ----------
    scenario : Scenario
        Terms of the rental market, and what brokers hold.
    setting : Setting
        Costs and work of a device-hour, prices and supply of devices.
    plan : ExpansionPlan
        The fleet, and what training and calls take of it.
    market, inputs : MarketPath, MarketInputs
        What renters want at the price they were shown.

    Notes
    -----
    Renters want work of two uses. A chip brings to each what its memory bandwidth and its matrix peak give, and is let
    to the use that pays best. The frontier, the cheapest work that a chip on sale can do at full cost, bounds the price
    of each use but in a shortage. It never rises here: where the best chip is barred, the shortage lifts rents.
    Calls come before renters. A kind held for training is not in the market; nor are machines that a firm keeps for its
    own use, see `brought_frac`. Renters do not mind whose device it is.
    Quarters are cleared in order, as brokers expect what rents so far suggest, and settle their books after each.
    """
    if inputs.use.counts_tokens.all():
        return None
    terms = scenario.market
    curve = RentCurve(terms.rental_tight.value, terms.rental_steepness.value, terms.rental_sag.value)
    full = setting.hour_cur / curve.tight_frac
    on_sale = setting.supply > 0
    frontier = frontier_cur_per_h(setting.performance, full, on_sale)
    anchor = np.minimum.accumulate(frontier, axis=1)
    calm = (anchor[:, None, :] * setting.performance[:, :, None]).max(axis=0)
    mix = use_mix(scenario, market, inputs)
    reference = np.maximum((mix * anchor).sum(axis=0), 1e-30)
    base = anchor / reference
    offer = _offer(scenario, plan, market, inputs, calm / reference)
    walk = _Walk(scenario, setting, offer, anchor, calm, mix * offer.wanted, base * offer.shown_cur_per_h, curve)
    for t in range(scenario.quarters):
        walk.quarter(t)
    rent, let = walk.rent, walk.let
    broker_h = let * (walk.brokers["held"] - walk.brokers["withheld"]) * walk.day_h
    hours = let * offer.firm + broker_h
    strength = setting.strength[:, None]
    work = np.maximum((hours * strength).sum(axis=0), 1e-30)
    price = (hours * rent).sum(axis=0) / work
    return Rents(
        rent_cur_per_h=rent,
        calm_cur_per_h=calm,
        contract_cur_per_h=contract_rents(
            rent, calm, reversion_frac=terms.rental_reversion.value, decay_frac=terms.rental_decay.value
        ),
        let_frac=let,
        use_price_cur_per_h=walk.use_price,
        shortage=_shortages(rent, calm, walk.use_price, setting.performance, frontier > anchor * (1 + 1e-9)),
        resale_cur=walk.resale,
        price_cur_per_h=np.where(hours.sum(axis=0) > 0, price, offer.shown_cur_per_h),
        brokers=Brokers(**walk.brokers, let=broker_h / walk.day_h),
        brokers_frac=(broker_h * strength).sum(axis=0) / work,
    )


class _Walk:
    """Clears one quarter after another, with brokers' books between them."""

    def __init__(
        self, scenario: Scenario, setting: Setting, offer: _Offer, anchor: Array, calm: Array, wanted: Array,
        shown: Array, curve: RentCurve,
    ) -> None:  # fmt: skip
        self._scenario, self._setting, self._offer = scenario, setting, offer
        self._anchor, self._calm, self._wanted, self._shown, self._curve = anchor, calm, wanted, shown, curve
        self.day_h = 24.0 * scenario.serving.availability.value
        shape = setting.hour_cur.shape
        names = [
            "held", "withheld", "given_up", "bought", "debt_cur", "equity_cur", "lenders_loss_cur", "owners_loss_cur"
        ]  # fmt: skip
        self.brokers = {name: np.zeros(shape) for name in names}
        self.rent, self.let, self.resale = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        self.use_price = np.zeros_like(anchor)
        self._path = broker_devices(scenario)
        spec = scenario.market.brokers
        self._expects = BrokerTerms(
            carry_frac=spec.carry.value,
            extrapolation=spec.extrapolation.value,
            hoard_frac=spec.hoard.value,
            start_rise_frac=spec.start_rise.value,
        )
        devices = scenario.hardware.devices.values()
        self._ages_y = np.array([device.installed_age.value for device in devices]) / 4
        self.sheets = _opening_sheets(scenario, setting, self._path[:, 0], self._ages_y)

    def quarter(self, t: int) -> None:
        """Clear a quarter and settle it."""
        setting, terms = self._setting, self._scenario.market
        rise = expected_rise_frac(self.rent[:, :t], self._expects)
        sheets = self.sheets
        withheld = sheets.held * withheld_frac(rise, self._expects.carry_frac, self._expects.hoard_frac)
        offered = self._offer.firm[:, t] + (sheets.offered - withheld) * self.day_h
        there = offered > 0
        market = UseMarket(
            wanted=self._wanted[:, t],
            shown_cur_per_h=self._shown[:, t],
            offered_h=offered,
            performance=setting.performance * there,
            frontier_cur_per_h=self._anchor[:, t],
            running_cur_per_h=setting.running_cur[:, t],
        )
        cleared = clear_uses(
            market, self._curve, elasticity=terms.rental_elasticity.value,
            following=-terms.rental_substitution.value, before_cur_per_h=self.use_price[:, t - 1] if t else None,
        )  # fmt: skip
        self._keep(t, cleared, there)
        figures = self._figures(t, withheld, rise)
        stock, given_up = sheets.offered, sheets.given_up.copy()
        step = min(t + 1, self._path.shape[1] - 1)
        sheets.settle(figures, self._path[:, step] - self._path[:, t])
        for name, values in (
            ("held", stock), ("withheld", withheld), ("given_up", given_up), ("bought", sheets.bought),
            ("debt_cur", sheets.debt_cur), ("equity_cur", sheets.equity_cur(figures.resale_cur)),
            ("lenders_loss_cur", sheets.lenders_loss_cur),
            ("owners_loss_cur", sheets.owners_loss_cur(figures.resale_cur)),
        ):  # fmt: skip
            self.brokers[name][:, t] = values

    def _keep(self, t: int, cleared: UsePrices, there: NDArray[np.bool_]) -> None:
        self.use_price[:, t] = cleared.price_cur_per_h
        self.rent[:, t] = np.where(there, cleared.rent_cur_per_h(self._setting.performance), 0.0)
        self.let[:, t] = np.where(there, cleared.chip_let_frac(), 0.0)

    def _figures(self, t: int, withheld: Array, rise: Array) -> QuarterFigures:
        setting, scenario = self._setting, self._scenario
        on_sale = setting.supply[:, t] > 0
        short = np.maximum(self.rent[:, t] / self._calm[:, t], 1.0)
        market_price = np.where(on_sale, setting.price_cur[:, t] * short, np.inf)
        self.resale[:, t] = resale_cur(
            self.rent[:, t], self.let[:, t], setting.running_cur[:, t],
            scenario.cost.service_life.value - self._ages_y - t / 4,
            wacc_frac=scenario.cost.wacc.value, decay_frac=scenario.market.rental_decay.value, new_cur=market_price,
        )  # fmt: skip
        return QuarterFigures(
            rent_cur_per_h=self.rent[:, t],
            running_cur_per_h=setting.running_cur[:, t],
            let_frac=self.let[:, t],
            withheld=withheld,
            rise_frac=rise,
            price_cur=market_price,
            resale_cur=self.resale[:, t],
            supply=setting.supply[:, t] * (self._path[:, 0] > 0),
        )


def _opening_sheets(scenario: Scenario, setting: Setting, stock: Array, ages_y: Array) -> BalanceSheets:
    """Return brokers' books at the start: devices bought at their age, with the loan's instalments paid since."""
    spec = scenario.market.brokers
    terms = LoanTerms(
        debt_frac=spec.debt.value,
        interest_frac=spec.interest.value,
        term_y=spec.term.value,
        carry_frac=4 * spec.carry.value * 0.25,
        entry_frac=spec.entry.value,
    )
    left_y = np.maximum(terms.term_y - ages_y, 0.0)
    cost = stock * setting.price_cur[:, 0]
    return BalanceSheets(
        terms=terms,
        held=stock.copy(),
        debt_cur=cost * terms.debt_frac * left_y / terms.term_y,
        term_left_q=np.maximum(4 * left_y, 1.0),
        paid_in_cur=cost * (1.0 - terms.debt_frac),
    )


def _shortages(
    rent: Array, calm: Array, use_price: Array, performance: Array, barred: NDArray[np.bool_]
) -> NDArray[np.str_]:
    """Return the named shortage behind each rise of a rent, and behind one that opens above its calm level, (v, t)."""
    named = np.full(rent.shape, "", dtype="<U40")
    for v in np.flatnonzero(rent[:, 0] > calm[:, 0] * (1 + _OPENS)):
        use = int((use_price[:, 0] * performance[:, v]).argmax())
        named[v, 0] = f"{USES[use]}: " + ("best chip barred" if barred[use, 0] else "chips short")
    before = rent_before(rent)
    for v, t in np.argwhere((rent > before * (1 + _RISE)) & (before > 0)):
        use = int((use_price[:, t] * performance[:, v]).argmax())
        named[v, t] = f"{USES[use]}: " + ("best chip barred" if barred[use, t] else "chips short")
    return named


def rent_before(rent: Array) -> Array:
    """Return the last rent at which each kind was on offer before each quarter, (v, t); 0 before its first offer."""
    before = np.zeros_like(rent)
    for t in range(1, rent.shape[1]):
        before[:, t] = np.where(rent[:, t - 1] > 0, rent[:, t - 1], before[:, t - 1])
    return before


def use_mix(scenario: Scenario, market: MarketPath, inputs: MarketInputs) -> Array:
    """Return each use's share of renters' work by quarter, (u, t), at the frontier's prices.

    Where segments say what renters do, training moves against their other hours as the segments do.
    """
    years = np.arange(scenario.quarters) / 4
    first = scenario.market.rental_training.value
    growth = (1.0 + scenario.market.rental_training_growth.value) ** years
    trains = np.array([segment.kind == "training" for segment in scenario.market.segments.values()])
    rented = ~inputs.use.counts_tokens
    if trains.any() and (rented & ~trains).any():
        wanted = market.market_calls_per_d * inputs.share_frac[:, None]
        ratio = wanted[trains].sum(axis=0) / np.maximum(wanted[rented & ~trains].sum(axis=0), 1e-30)
        calm = wanted if inputs.use.rush is None else wanted / inputs.use.rush  # the stated share is that before a rush
        others = max(float(calm[rented & ~trains, 0].sum()), 1e-30)
        growth = ratio / max(float(calm[trains, 0].sum()) / others, 1e-30)
    odds = first / max(1.0 - first, 1e-9) * growth
    training = odds / (1.0 + odds)
    return np.stack([1.0 - training, training])


def broker_devices(scenario: Scenario) -> Array:
    """Return the devices that brokers hold by quarter, (v, t)."""
    years = np.arange(scenario.quarters) / 4
    devices = scenario.hardware.devices.values()
    return np.array([d.brokers.value * (1 + d.brokers_growth.value) ** years for d in devices])


def brought_frac(free_h: Array, wanted_h: Array, least_let_frac: float) -> Array:
    """Return the share of a firm's free machines that it offers to renters by quarter, (t,).

    Parameters
    ----------
    free_h, wanted_h : (t,)
        Reference device-hours a day that its free machines could give, and that its renters want.
    least_let_frac : float
        Let share below which it brings no more, in (0, 1].

    Notes
    -----
    What has been brought stays in the market: demand that falls leaves a glut.

    Examples
    --------
    >>> brought_frac(np.array([100.0, 100.0, 100.0]), np.array([10.0, 40.0, 20.0]), 0.5).tolist()
    [0.2, 0.8, 0.8]
    """
    brought_h = np.maximum.accumulate(wanted_h / least_let_frac)
    return np.asarray(np.minimum(brought_h / np.maximum(free_h, 1e-30), 1.0))


def _offer(scenario: Scenario, plan: ExpansionPlan, market: MarketPath, inputs: MarketInputs, work: Array) -> _Offer:
    day_h = 24.0 * scenario.serving.availability.value
    rental = ~inputs.use.counts_tokens
    stand = (plan.fleet.installed - plan.fleet.training_devices).sum(axis=1) * day_h
    calls = plan.service.busy_device_h_per_d[~rental].sum(axis=(0, 2, 4)) / scenario.serving.utilisation_cap.value
    there = stand > np.maximum(_LEAST_FRAC * plan.fleet.installed.sum(axis=1), 1.0) * day_h
    free = np.where(there, np.maximum(stand - calls, _LEAST_FRAC * stand), 0.0)
    wanted = (market.market_calls_per_d * inputs.share_frac[:, None])[rental].sum(axis=0)
    brought = brought_frac((free * work).sum(axis=0), wanted, scenario.market.rental_least_let.value)
    return _Offer(firm=free * brought, wanted=wanted, shown_cur_per_h=market.price_cur_per_tok[-1, 2])
