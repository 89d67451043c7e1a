"""One rule for counterfactuals: prices clear, and rivals buy the chips that the firm leaves, within their budgets.

What a firm does not order is not lost to its market. Chips that are short go to others, as far as these can pay for
them; they then serve whom the firm turns away, and prices stay. What no rival can pay for is missing, and prices rise
until demand is met by what there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jevons.arrays import Array
from jevons.expansion import ExpansionPlan
from jevons.study.chain.accounts import Accounts, accounts

if TYPE_CHECKING:
    from jevons.study.chain.fixed_point import ChainResult
    from jevons.study.scenario.scenario import Scenario

RULE = "prices clear; rivals buy the chips that the firm leaves, within their budgets"
HELD = "prices held, as no rival's budget is given"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What becomes of prices when the firm follows another plan.

    Parameters
    ----------
    taken_frac : (t,)
        Share of what the firm leaves that rivals have bought by each quarter.
    scarcity : (s, t)
        Clearing over posted price.
    """

    taken_frac: Array
    scarcity: Array


def rule(scenario: Scenario) -> str:
    """Return the rule by which values of this scenario are compared, in words."""
    return RULE if _budget_cur_per_quarter(scenario) > 0 else HELD


def _budget_cur_per_quarter(scenario: Scenario) -> float:
    """Return what rivals could spend a quarter on chips that they did not plan to buy."""
    providers = scenario.market.providers
    return sum(rival.capex.value for rival in providers.rivals.values()) / 4 * providers.response.value


def response(result: ChainResult, other: ExpansionPlan) -> Response:
    """Return what rivals and prices do where the firm follows *other* instead of its plan, demand as posted."""
    from jevons.study.chain.fixed_point import clearing_ratio

    plan, scarcity = result.plan, result.exchange.scarcity
    left = np.maximum(np.cumsum(plan.spending.device_capex_cur - other.spending.device_capex_cur), 0.0)
    quarterly = _budget_cur_per_quarter(result.scenario)
    able = quarterly * np.arange(1, left.size + 1)
    taken = np.divide(able, left, out=np.ones(left.size), where=left > able) if quarterly > 0 else np.ones(left.size)
    alone = np.maximum(clearing_ratio(other, result.market), scarcity)
    return Response(taken_frac=taken, scarcity=scarcity + (1.0 - taken) * (alone - scarcity))


def accounts_of(result: ChainResult, other: ExpansionPlan) -> Accounts:
    """Return the accounts of *other* under the rule, beside those of the firm's plan in *result*."""
    return accounts(
        result.scenario, result.market, other, response(result, other).scarcity, result.inputs, result.rents
    )
