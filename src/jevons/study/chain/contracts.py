"""Customers' contracts for device-hours: what they take, pay and have paid ahead."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jevons.arrays import Array
from jevons.errors import Fault, InputError
from jevons.expansion import DAYS_PER_QUARTER
from jevons.market import MarketPath
from jevons.study.chain.setting import Setting, quarter_index
from jevons.study.scenario.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Contracts:
    """What contracts state, by contract and quarter.

    Parameters
    ----------
    names : tuple of str
        Labels.
    segment : (n,) of int
        Rows of the segments whose hours they take.
    rate_cur_per_h : (n,)
        Price of a reference device-hour.
    hours_per_d : (n, t)
        Device-hours a day that the customer may take.
    least_frac : (n,)
        Share of them that is paid in any case.
    paid_ahead_cur : (n, t)
        Received in advance in a quarter; what was received before the plan is in `owed_before_cur`.
    owed_before_cur : (n,)
        Prepayments that the firm holds at the start.
    """

    names: tuple[str, ...]
    segment: NDArray[np.int64]
    rate_cur_per_h: Array
    hours_per_d: Array
    least_frac: Array
    paid_ahead_cur: Array
    owed_before_cur: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractAccount:
    """What contracts bring in a plan, by contract and quarter (n, t), currency.

    Parameters
    ----------
    names : tuple of str
        Labels.
    committed_cur : (n, t)
        Backlog that falls into the quarter.
    due_cur : (n, t)
        Of it, what is taken or must be paid.
    revenue_cur : (n, t)
        Of that, what the fleet delivers: ``min(due, delivered hours x rate)``.
    received_cur : (n, t)
        Prepayments received.
    used_cur : (n, t)
        Revenue that prepayments pay.
    owed_cur : (n, t)
        Prepayments held at the end of the quarter: before + received - used.
    backlog_cur : (n, t)
        Revenue still to come at the end of the quarter, what was not taken or delivered left out.
    """

    names: tuple[str, ...]
    committed_cur: Array
    due_cur: Array
    revenue_cur: Array
    received_cur: Array
    used_cur: Array
    owed_cur: Array
    backlog_cur: Array


def contracts_of(scenario: Scenario) -> Contracts | None:
    """Return a scenario's contracts, None where there are none."""
    terms = scenario.market
    if not terms.contracts:
        return None
    rows = list(terms.segments)
    usual = terms.rental_price.value * terms.cloud_premium.value
    specs = list(terms.contracts.values())
    shape = (len(specs), scenario.quarters)
    hours, ahead, before = np.zeros(shape), np.zeros(shape), np.zeros(len(specs))
    rate = np.array([spec.rate.value or usual for spec in specs])
    for n, spec in enumerate(specs):
        first = quarter_index(scenario, spec.start) if spec.start else 0
        steps = np.minimum((np.arange(max(round(spec.term.value), 1)) + 1) / max(spec.ramp.value, 1.0), 1.0)
        due = spec.backlog.value * steps / steps.sum()
        last = min(first + due.size, scenario.quarters)
        if first < scenario.quarters:
            hours[n, first:last] = due[: last - first] / (rate[n] * DAYS_PER_QUARTER)
        prepaid = spec.prepaid.value * spec.backlog.value
        if first <= 0:
            before[n] = prepaid
        elif first < scenario.quarters:
            ahead[n, first] = prepaid
    return Contracts(
        names=tuple(spec.label or name for name, spec in terms.contracts.items()),
        segment=np.array([rows.index(spec.segment) for spec in specs], np.int64),
        rate_cur_per_h=rate, hours_per_d=hours,
        least_frac=np.array([spec.take_or_pay.value for spec in specs]), paid_ahead_cur=ahead, owed_before_cur=before,
    )  # fmt: skip


def check_contracts(scenario: Scenario, here: Setting) -> None:
    """Refuse contracts for more than all devices that could ever stand.

    Raises
    ------
    InputError
        Naming the quarter, what is signed and what could stand, at most, for contracts of all customers together.
    """
    terms = contracts_of(scenario)
    if terms is None:
        return
    devices = scenario.hardware.devices.values()
    opening = np.array([device.installed.value + device.arriving.value for device in devices])
    standing = here.strength @ (opening[:, None] + np.cumsum(here.supply, axis=1))
    signed_for = terms.hours_per_d.sum(axis=0) / 24.0
    if not (signed_for > standing).any():
        return
    worst = int(np.argmax(signed_for / np.maximum(standing, 1e-9)))
    name = list(scenario.market.contracts)[int(np.argmax(terms.hours_per_d[:, worst]))]
    message = (
        f"contracts of all customers take {signed_for[worst]:,.0f} {scenario.market.rental_device} in "
        f"{scenario.labels()[worst]}, where at most {standing[worst]:,.0f} can stand even if every chip on sale is "
        "bought; lower `backlog`, lengthen `term` or `ramp`, or raise `hardware.devices.NAME.supply`"
    )
    raise InputError([Fault(message=message, path=f"market.contracts.{name}")])


def taken_hours(terms: Contracts, market: MarketPath) -> Array:
    """Return the device-hours a day that customers take or pay, (n, t).

    Notes
    -----
    All while the market asks no less than the contract; else the share that is paid in any case.
    """
    asked = market.call_price_cur[terms.segment]
    cheap = asked < terms.rate_cur_per_h[:, None] * (1 - 1e-9)
    return np.asarray(terms.hours_per_d * np.where(cheap, terms.least_frac[:, None], 1.0))


def _by_segment(terms: Contracts, hours: Array, segments: int) -> Array:
    """Return hours of contracts summed over their segments, (s, t)."""
    total = np.zeros((segments, hours.shape[1]))
    np.add.at(total, terms.segment, hours)
    return total


def signed(scenario: Scenario, market: MarketPath, share_frac: Array) -> MarketPath:
    """Return the market with what contracts bind customers to take, at least, in their segments' demand."""
    terms = contracts_of(scenario)
    if terms is None:
        return market
    bound = _by_segment(terms, taken_hours(terms, market), market.calls_per_d.shape[0])
    return dataclasses.replace(
        market,
        calls_per_d=np.maximum(market.calls_per_d, bound),
        market_calls_per_d=np.maximum(market.market_calls_per_d, bound / np.maximum(share_frac, 1e-12)[:, None]),
    )


def contract_values(scenario: Scenario, market: MarketPath, value_cur: Array, calls_per_d: Array) -> Array:
    """Return the worth of demand blocks (s, t, b) with contracted hours at the contracts' price, where that is more."""
    terms = contracts_of(scenario)
    if terms is None:
        return value_cur
    taken = taken_hours(terms, market)
    bound = _by_segment(terms, taken, value_cur.shape[0])
    paid = _by_segment(terms, taken * terms.rate_cur_per_h[:, None], value_cur.shape[0])
    rate = paid / np.maximum(bound, 1e-30)
    before = np.cumsum(calls_per_d, axis=2) - calls_per_d
    return np.where(before < bound[:, :, None] * (1 - 1e-9), np.maximum(value_cur, rate[:, :, None]), value_cur)


def delivered_hours(terms: Contracts, market: MarketPath, served_per_d: Array) -> Array:
    """Return the device-hours a day that the fleet gives to contracts (n, t), which come before other renters."""
    taken = taken_hours(terms, market)
    bound = _by_segment(terms, taken, served_per_d.shape[0])
    served_frac = np.minimum(served_per_d / np.maximum(bound, 1e-30), 1.0)
    return np.asarray(taken * served_frac[terms.segment])


def blended_price_cur(scenario: Scenario, market: MarketPath, served_per_d: Array, price_cur: Array) -> Array:
    """Return the mean price of a served call (s, t): contracted hours at their rate, the rest at the market's."""
    terms = contracts_of(scenario)
    if terms is None:
        return price_cur
    hours = delivered_hours(terms, market, served_per_d)
    under = _by_segment(terms, hours, price_cur.shape[0])
    paid = _by_segment(terms, hours * terms.rate_cur_per_h[:, None], price_cur.shape[0])
    open_h = np.maximum(served_per_d - under, 0.0)
    whole = under + open_h
    return np.where(under > 0, (paid + open_h * price_cur) / np.maximum(whole, 1e-30), price_cur)


def contract_account(scenario: Scenario, market: MarketPath, served_per_d: Array) -> ContractAccount | None:
    """Return what contracts bring, None where there are none.

    Parameters
    ----------
    market : MarketPath
        As `signed` returns it.
    served_per_d : (s, t)
        Calls and device-hours served a day.
    """
    terms = contracts_of(scenario)
    if terms is None:
        return None
    per_hour = terms.rate_cur_per_h[:, None] * DAYS_PER_QUARTER
    committed = terms.hours_per_d * per_hour
    revenue = delivered_hours(terms, market, served_per_d) * per_hour
    backlog = np.array([spec.backlog.value for spec in scenario.market.contracts.values()])
    ahead = np.array([spec.prepaid.value for spec in scenario.market.contracts.values()])
    used, owed = np.zeros_like(revenue), np.zeros_like(revenue)
    owed_cur = terms.owed_before_cur.copy()
    for t in range(revenue.shape[1]):
        owed_cur = owed_cur + terms.paid_ahead_cur[:, t]
        used[:, t] = np.minimum(ahead * revenue[:, t], owed_cur)
        owed_cur = owed_cur - used[:, t]
        owed[:, t] = owed_cur
    return ContractAccount(
        names=terms.names, committed_cur=committed, due_cur=taken_hours(terms, market) * per_hour, revenue_cur=revenue,
        received_cur=terms.paid_ahead_cur, used_cur=used, owed_cur=owed,
        backlog_cur=backlog[:, None] - np.cumsum(committed, axis=1),
    )  # fmt: skip
