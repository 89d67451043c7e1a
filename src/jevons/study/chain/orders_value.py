"""What a plan's orders are worth: the AI cloud with them, less the same cloud that orders nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jevons.expansion import ExpansionProblem, standing_devices
from jevons.formula import Formula, Symbol
from jevons.study.chain.rivals_response import accounts_of

if TYPE_CHECKING:
    from jevons.study.chain.fixed_point import ChainResult

ORDERS_VALUE = Formula(
    "plan - without",
    "¤",
    {
        "plan": Symbol("value of the AI cloud", "¤"),
        "without": Symbol("the same with nothing on sale, rivals buying what it leaves", "¤"),
    },
)


def orders_value_cur(result: ChainResult) -> float:
    """Return the value that a plan's orders add to the AI cloud [currency].

    Parameters
    ----------
    result : ChainResult
        The plan, with its market.

    Raises
    ------
    InfeasibleError
        If what stands cannot be kept within its sites' power.

    Notes
    -----
    Without orders the firm serves with what stands and is on its way, until it dies, and trains with no more than that.
    Rivals buy the chips that it leaves, within their budgets, and prices clear what is missing then
    (`jevons.study.chain.rivals_response`). What the standing fleet cost is in neither value.
    """
    from jevons.study.chain.fixed_point import plan_of

    scenario, plan = result.scenario, result.plan
    idle = plan_of(scenario, without_orders(plan.problem), plan.basis)
    return result.accounts.plan_value_cur - accounts_of(result, idle).plan_value_cur


def without_orders(problem: ExpansionProblem) -> ExpansionProblem:
    """Return the problem with nothing on sale, and a training reserve that what stands can hold."""
    flop = np.einsum("v,vrt->t", problem.machines.device_flop_per_s, standing_devices(problem))
    return problem.replace(
        supply_devices=np.zeros_like(problem.supply.supply_devices),
        committed_devices=None,
        cluster_devices=0.0,
        cluster_cur_per_quarter=None,
        training_flop_per_s=np.minimum(problem.training.training_flop_per_s, flop * (1 - 1e-9)),
    )
