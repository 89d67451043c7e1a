"""One pass of the whole chain for one set of figures: cost, market and planner to a damped fixed point, then accounts.

The market needs unit costs, which depend on the devices that the planner uses. The planner needs demand, which depends
on posted prices and on last quarter's scarcity, which the planner's duals give. The two are iterated with damping until
call prices change by less than a tolerance. The last change is reported as the residual.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jevons.arrays import Array
from jevons.expansion import Basis, ExpansionPlan, ExpansionProblem, solve, solve_in_months
from jevons.market import PRICE_LEVELS, MarketInputs, MarketPath, market_path
from jevons.study.chain.accounts import Accounts, accounts
from jevons.study.chain.contracts import signed
from jevons.study.chain.futures import Decided
from jevons.study.chain.market_inputs import market_inputs, normalised, starting_weights
from jevons.study.chain.operating_points import Engineering
from jevons.study.chain.own_rent_api import box_device, ways
from jevons.study.chain.planner_inputs import expansion_problem
from jevons.study.chain.rents import Rents, clear_rents
from jevons.study.chain.setting import Setting, central_bans, setting
from jevons.study.scenario.scenario import Scenario

DAMPING = 0.8
"""Share of the way to the new answer that the second iteration takes; the first goes all of it."""

_FASTER, _SLOWER = 1.2, 0.5
"""Factors on that share where the sign of an update persists, and where it flips. Prices of rationed supply jump
between demand blocks, while rents drift one way, so each element has a step size of its own."""


class _Damped:
    """An array that moves towards answers with adaptive step sizes.

    Each element has its own step size, or with *axis* each slice along it. Steps are taken in the array itself, or with
    *ratio* in its logarithm.
    """

    def __init__(self, value: Array, *, axis: int | None = None, ratio: bool = False) -> None:
        self.value = value
        self._axis, self._ratio = axis, ratio
        self._gap: Array | None = None
        self._step: Array | float = 1.0

    def move(self, answer: Array) -> None:
        """Take the next step towards *answer*."""
        gap = np.log(answer / self.value) if self._ratio else answer - self.value
        if self._gap is None:
            self._gap = gap
        else:
            along = gap * self._gap
            along = along if self._axis is None else along.sum(axis=self._axis, keepdims=True)
            first = isinstance(self._step, float)
            step = DAMPING if first else np.clip(self._step * np.where(along > 0, _FASTER, _SLOWER), 0.02, 1.0)
            self._step, self._gap = np.broadcast_to(np.asarray(step), along.shape), gap
        self.value = self.value * np.exp(self._step * gap) if self._ratio else self.value + self._step * gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What market and planner told each other in the last round.

    Parameters
    ----------
    weights : (m, v, t)
        Device shares by model.
    scarcity : (s, t)
        Clearing over posted price.
    rent_index : (t,)
        Rent of the reference device-hour over the one given.
    brokers_frac : (t,)
        Share of rented device-hours that brokers let in the firm's place.
    hour_worth : (v, t)
        Reference device-hours that an hour of a device is worth to a renter, by rents.
    ways : (s, 3, t) or None
        Share of each segment's tokens by way: own, rent, api; None where nobody has the choice.
    """

    weights: Array
    scarcity: Array
    rent_index: Array
    brokers_frac: Array
    hour_worth: Array
    ways: Array | None


@dataclass(frozen=True, slots=True)
class Convergence:
    """How near the last round came to a fixed point.

    Parameters
    ----------
    residual : float
        Largest relative change of call prices in the last round, rents in it, or the largest gap between the share
        of renters that brokers serve and the one the planner was shown.
    gap_frac : float
        Distance of the planner's call prices and of clearing rents from those that the market was given, weighted by
        revenue; damping cannot mask it.
    rounds : int
        Rounds made.
    """

    residual: float
    gap_frac: float
    rounds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainResult:
    """What one pass gives.

    Parameters
    ----------
    scenario, setting, inputs : Scenario, Setting, MarketInputs
        The figures it ran on.
    market : MarketPath
        Prices and demand.
    plan : ExpansionPlan
        Builds and dispatch.
    rents : Rents or None
        Rents by chip; None without segments that rent.
    accounts : Accounts
        Statements and value.
    exchange : Exchange
        Device shares, scarcity, rents and ways of the last round.
    convergence : Convergence
        What the last round still moved.
    decided : Decided, optional
        Orders that were made before branches of the future showed; None for a planner of one future.
    """

    scenario: Scenario
    setting: Setting
    inputs: MarketInputs
    market: MarketPath
    plan: ExpansionPlan
    rents: Rents | None
    accounts: Accounts
    exchange: Exchange
    convergence: Convergence
    decided: Decided | None = None


@dataclass(slots=True, kw_only=True)
class _Shown:
    """What market and planner are shown of each other's answers; fields as in `Exchange`, ``cloud_frac`` (s, t) beside.

    Every field but the brokers' share moves towards answers by damped steps.
    """

    weights: _Damped
    scarcity: _Damped
    rent_index: _Damped
    cloud_frac: _Damped
    hour_worth: _Damped
    brokers_frac: Array

    @staticmethod
    def first(scenario: Scenario, here: Setting, start: ChainResult | None) -> _Shown:
        """Return what the first round is shown: what the last one of *start* was, else no scarcity and bare rents."""
        calm = np.ones((len(scenario.market.segments), scenario.quarters))
        told = (
            Exchange(
                weights=starting_weights(scenario, here),
                scarcity=calm,
                rent_index=np.ones(scenario.quarters),
                brokers_frac=np.zeros(scenario.quarters),
                hour_worth=np.repeat(here.strength[:, None], scenario.quarters, axis=1),
                ways=None,
            )
            if start is None
            else start.exchange
        )
        return _Shown(
            weights=_Damped(told.weights, axis=1),
            scarcity=_Damped(told.scarcity),
            rent_index=_Damped(told.rent_index, ratio=True),
            cloud_frac=_Damped(calm if told.ways is None else 1.0 - told.ways[:, 0]),
            hour_worth=_Damped(told.hour_worth, ratio=True),
            brokers_frac=told.brokers_frac,
        )

    def follow(
        self, scenario: Scenario, inputs: MarketInputs, market: MarketPath, plan: ExpansionPlan, rents: Rents | None,
        chosen: Array | None, able: NDArray[np.bool_],
    ) -> None:  # fmt: skip
        """Take the next step towards the answers of a round."""
        if rents is not None:
            self.rent_index.move(rents.price_cur_per_h / scenario.market.rental_price.value)
            self.brokers_frac = rents.brokers_frac
            there = rents.rent_cur_per_h > 0
            worth = np.where(there, rents.rent_cur_per_h, 1.0) / rents.price_cur_per_h
            self.hour_worth.move(np.where(there, worth, self.hour_worth.value))
        if chosen is not None:
            self.cloud_frac.move(1.0 - chosen[:, 0])
        self.scarcity.move(np.where(inputs.use.counts_tokens[:, None], clearing_ratio(plan, market), 1.0))
        self.weights.move(normalised(used_hours(plan, inputs, self.weights.value.shape[0]), able))


def run_chain(
    scenario: Scenario,
    engineering: Engineering,
    *,
    start: ChainResult | None = None,
    most_rounds: int = 40,
    tolerance: float = 0.01,
    banned: frozenset[str] | None = None,
    decided: Decided | None = None,
) -> ChainResult:
    """Return the chain's answer for one set of figures.

    Parameters
    ----------
    scenario : Scenario
        With central or drawn values.
    engineering : Engineering
        Device-seconds per token.
    start : ChainResult, optional
        An answer for similar figures to begin from.
    most_rounds : int
        Most iterations between market and planner.
    tolerance : float
        Residual at which they stop.
    banned : frozenset of str, optional
        Devices whose export ban comes; by default those whose ban is more likely than not.
    decided : Decided, optional
        Orders that were made before it showed whether it comes, which stand here.
    """
    banned = central_bans(scenario) if banned is None else banned
    here = setting(scenario, engineering, banned=banned)
    shown = _Shown.first(scenario, here, start)
    reference = box_device(scenario)
    able = np.asarray(np.isfinite(here.device_s_per_tok).all(axis=2))
    basis = None if start is None else start.plan.basis
    before: Array | None = None
    residual = float("inf")
    rounds = 0
    while True:
        rounds += 1
        inputs = market_inputs(
            scenario, here, shown.weights.value, shown.scarcity.value, shown.rent_index.value, shown.cloud_frac.value,
            shown.brokers_frac,
        )  # fmt: skip
        market = signed(scenario, market_path(inputs), inputs.share_frac)
        let = here.with_hour_worth(shown.hour_worth.value)
        problem = expansion_problem(scenario, let, engineering, market, inputs)
        plan = plan_of(scenario, problem if decided is None else decided.held(problem, banned), basis)
        basis = plan.basis
        rents = clear_rents(scenario, here, plan, market, inputs)
        chosen = ways(scenario, here.device_s_per_tok[:, reference], market, inputs, shown.rent_index.value)
        paid = market.call_price_cur * shown.scarcity.value
        if before is not None:
            residual = float(np.max(np.abs(paid / before - 1.0)))
            if rents is not None:
                residual = max(residual, float(np.max(np.abs(rents.brokers_frac - shown.brokers_frac))))
        if residual < tolerance or rounds >= most_rounds:
            break
        before = paid
        shown.follow(scenario, inputs, market, plan, rents, chosen, able)
    scarcity, rent_index = shown.scarcity.value, shown.rent_index.value
    gap = _gap(plan, market, inputs, rents, scarcity, rent_index * scenario.market.rental_price.value)
    return ChainResult(
        scenario=scenario,
        setting=here,
        inputs=inputs,
        market=market,
        plan=plan,
        rents=rents,
        accounts=accounts(scenario, market, plan, scarcity, inputs, rents),
        exchange=Exchange(
            weights=shown.weights.value,
            scarcity=scarcity,
            rent_index=rent_index,
            brokers_frac=shown.brokers_frac,
            hour_worth=shown.hour_worth.value,
            ways=chosen,
        ),
        convergence=Convergence(residual, gap, rounds),
        decided=decided,
    )


def _gap(
    plan: ExpansionPlan, market: MarketPath, inputs: MarketInputs, rents: Rents | None, scarcity: Array, rent: Array
) -> float:
    calls = inputs.use.counts_tokens[:, None]
    off = np.abs(np.where(calls, clearing_ratio(plan, market) / scarcity, 1.0) - 1.0)
    if rents is not None:
        off = np.where(calls, off, np.abs(rents.price_cur_per_h / rent - 1.0))
    paid = market.call_price_cur * scarcity * plan.service.served_calls_per_d.sum(axis=2)
    return float((off * paid).sum() / max(float(paid.sum()), 1e-300))


def plan_of(scenario: Scenario, problem: ExpansionProblem, begin: Basis | None = None) -> ExpansionPlan:
    """Return the planner's answer, with the scenario's foresight and step of time, found from *begin*."""
    solver = solve_in_months if scenario.expansion.step == "month" else solve
    return solver(problem, foresight=scenario.expansion.foresight, begin=begin)


def clearing_ratio(plan: ExpansionPlan, market: MarketPath) -> Array:
    """Return the clearing price of a call over its posted price, (s, t), >= 1: above 1 where demand is rationed."""
    problem = plan.problem
    demanded = problem.demand.block_calls_per_d.sum(axis=2)
    served = plan.service.served_calls_per_d.sum(axis=2)
    rationed = served < demanded * (1 - 1e-6)
    highest = problem.demand.block_value_cur_per_call[:, :, 0] / market.call_price_cur
    ceiling = np.minimum(highest, PRICE_LEVELS[-1])
    ratio = np.clip(plan.worth.marginal_cur_per_call / market.call_price_cur, 1.0, ceiling)
    return np.where(rationed, ratio, 1.0)


def used_hours(plan: ExpansionPlan, inputs: MarketInputs, models: int) -> Array:
    """Return device-hours a day by model, device and quarter, (m, v, t)."""
    by_segment = plan.service.busy_device_h_per_d.sum(axis=(2, 4))
    hours = np.zeros((models, *by_segment.shape[1:]))
    np.add.at(hours, inputs.model, by_segment)
    return hours
