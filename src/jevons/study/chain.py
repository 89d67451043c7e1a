"""One pass of the whole chain for one set of figures: cost, market and planner to a damped fixed point, then accounts.

The market needs what a token costs, which depends on the devices that the planner uses; the planner needs demand, which
depends on posted prices and on last quarter's scarcity, which the planner's duals give. The two are iterated with
damping until the price index and scarcity stop moving; what is left is reported as the residual.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jevons.expansion import ExpansionPlan, ExpansionProblem, solve, solve_in_months
from jevons.market import MarketInputs, MarketPath, market_path
from jevons.study.accounts import Accounts, accounts
from jevons.study.boxes import box_device, ways
from jevons.study.engineering import Engineering
from jevons.study.problem import Setting, expansion_problem, market_inputs, normalised, setting, starting_weights
from jevons.study.rents import Rents, clear_rents
from jevons.study.scenario import Scenario

Array = NDArray[np.float64]

DAMPING = 0.6
"""Share of the way to the new answer that an iteration takes."""

_SLOWING = 0.5
"""Power of the round by which that share falls: where supply is rationed, prices jump between demand blocks."""


@dataclass(frozen=True, slots=True)
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
    accounts : Accounts
        Statements and value.
    weights : (m, v, t)
        Device shares by model.
    scarcity : (s, t)
        Clearing over posted price.
    rents : Rents or None
        Rents by chip; None without segments that rent.
    rent_index : (t,)
        Rent of the reference device-hour over the one given, as the market saw it in the last round.
    brokers_frac : (t,)
        Share of rented device-hours that brokers let in the firm's place, as the market saw it in the last round.
    ways : (s, 3, t) or None
        Share of each segment's tokens by way: own, rent, api; None where nobody has the choice.
    residual : float
        Largest relative change of call prices in the last iteration, rents in it, or the largest gap between the share
        of renters that brokers serve and the one the planner was shown.
    rounds : int
        Iterations made.
    """

    scenario: Scenario
    setting: Setting
    inputs: MarketInputs
    market: MarketPath
    plan: ExpansionPlan
    accounts: Accounts
    weights: Array
    scarcity: Array
    rents: Rents | None
    rent_index: Array
    brokers_frac: Array
    ways: Array | None
    residual: float
    rounds: int


def run_chain(
    scenario: Scenario,
    engineering: Engineering,
    *,
    start: ChainResult | None = None,
    most_rounds: int = 20,
    tolerance: float = 0.01,
    banned: frozenset[str] | None = None,
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
        Devices whose export ban comes.
    """
    here = setting(scenario, engineering, banned=banned)
    if start is None:
        weights = starting_weights(scenario, here)
        scarcity = np.ones((len(scenario.market.segments), scenario.quarters))
        rent_index, cloud_frac = np.ones(scenario.quarters), np.ones_like(scarcity)
        brokers_frac = np.zeros(scenario.quarters)
    else:
        weights, scarcity, rent_index = start.weights, start.scarcity, start.rent_index
        cloud_frac = np.ones_like(scarcity) if start.ways is None else 1.0 - start.ways[:, 0]
        brokers_frac = start.brokers_frac
    reference = box_device(scenario)
    able = np.asarray(np.isfinite(here.device_s_per_tok).all(axis=2))
    before: Array | None = None
    residual = float("inf")
    rounds = 0
    while True:
        rounds += 1
        inputs = market_inputs(scenario, here, weights, scarcity, rent_index, cloud_frac, brokers_frac)
        market = market_path(inputs)
        plan = plan_of(scenario, expansion_problem(scenario, here, engineering, market, inputs))
        rents = clear_rents(scenario, here.hour_cny, here.running_cny, here.strength, plan, market, inputs)
        chosen = ways(scenario, here.device_s_per_tok[:, reference], market, inputs, rent_index)
        paid = market.call_price_cny * scarcity
        if before is not None:
            residual = float(np.max(np.abs(paid / before - 1.0)))
            if rents is not None:
                residual = max(residual, float(np.max(np.abs(rents.brokers_frac - brokers_frac))))
        if residual < tolerance or rounds >= most_rounds:
            break
        before = paid
        step = DAMPING / max(rounds - 1, 1) ** _SLOWING if rounds > 1 else 1.0
        if rents is not None:
            rent_index = rent_index * (rents.price_cny_per_h / scenario.market.rental_price.value / rent_index) ** step
            brokers_frac = rents.brokers_frac
        cloud_frac = cloud_frac if chosen is None else 1.0 - chosen[:, 0]
        ratio = np.where(inputs.counts_tokens[:, None], clearing_ratio(plan, market), 1.0)
        scarcity = scarcity + step * (ratio - scarcity)
        weights = weights + step * (normalised(used_hours(plan, inputs, weights.shape[0]), able) - weights)
    return ChainResult(
        scenario,
        here,
        inputs,
        market,
        plan,
        accounts(scenario, market, plan, scarcity, inputs),
        weights,
        scarcity,
        rents,
        rent_index,
        brokers_frac,
        chosen,
        residual,
        rounds,
    )


def plan_of(scenario: Scenario, problem: ExpansionProblem) -> ExpansionPlan:
    """Return the planner's answer, with the scenario's foresight and step of time."""
    solver = solve_in_months if scenario.expansion.step == "month" else solve
    return solver(problem, foresight=scenario.expansion.foresight)


def clearing_ratio(plan: ExpansionPlan, market: MarketPath) -> Array:
    """Return the clearing price of a call over its posted price, (s, t), >= 1: above 1 where demand is rationed."""
    problem = plan.problem
    demanded = problem.block_calls_per_d.sum(axis=2)
    served = plan.served_calls_per_d.sum(axis=2)
    rationed = served < demanded * (1 - 1e-6)
    ceiling = problem.block_value_cny_per_call[:, :, 0] / market.call_price_cny
    ratio = np.clip(plan.marginal_cny_per_call / market.call_price_cny, 1.0, ceiling)
    return np.where(rationed, ratio, 1.0)


def used_hours(plan: ExpansionPlan, inputs: MarketInputs, models: int) -> Array:
    """Return device-hours a day by model, device and quarter, (m, v, t)."""
    by_segment = plan.busy_device_h_per_d.sum(axis=(2, 4))
    held = np.zeros((models, *by_segment.shape[1:]))
    np.add.at(held, inputs.model, by_segment)
    return held
