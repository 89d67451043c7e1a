"""The budget lines of a plan: infrastructure as planned and valued, others by their returns, and the best split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jevons.arrays import Array
from jevons.errors import InfeasibleError
from jevons.expansion import ExpansionPlan, ExpansionProblem, best_split
from jevons.study.chain.accounts import budget_lines, lines_as_planned, whole_budget_cur
from jevons.study.chain.fixed_point import ChainResult, plan_of
from jevons.study.chain.rivals_response import accounts_of

INFRASTRUCTURE = "infrastructure"

_BUDGETS = (0.25, 0.5, 0.75, 1.25, 1.5)
"""Shares of the infrastructure budget at which the planner is asked again."""
_CHOICES = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLines:
    """Money and value by line, infrastructure first; all currency at present value.

    Parameters
    ----------
    names, labels : tuple of str
        Lines.
    spent_cur, value_cur : (n,)
        As the scenario plans.
    best_spent_cur, best_value_cur : (n,)
        Of the split of the same budget that is worth most.
    budget_cur : float
        Money there is.
    curve_spent_cur, curve_value_cur : (k,)
        What the AI cloud is worth at what is spent on it, from planners with smaller and larger budgets.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    spent_cur: Array
    value_cur: Array
    best_spent_cur: Array
    best_value_cur: Array
    budget_cur: float
    curve_spent_cur: Array
    curve_value_cur: Array


def plan_lines(chain: ChainResult) -> PlanLines | None:
    """Return money and value by line as planned and at best; None for a scenario without other lines.

    Notes
    -----
    Infrastructure is worth what the accounts say at what planners with other budgets spend, demand as posted,
    rivals buying what the firm leaves; between them the concave envelope counts, as a firm can mix two plans.
    """
    scenario = chain.scenario
    others = lines_as_planned(scenario)
    if others is None:
        return None
    spent, value = _curve(chain)
    planned = _spent_cur(chain.plan)
    hull = _envelope(spent, value)
    budget = whole_budget_cur(scenario)
    lines, wacc = budget_lines(scenario), scenario.cost.wacc.value
    first, last = hull[0][0], min(hull[0][-1], budget)
    at_kinks = hull[0][(hull[0] >= first) & (hull[0] <= last)]
    choices = np.unique(np.concatenate([np.linspace(first, last, _CHOICES), at_kinks]))
    splits = [best_split(lines, budget - x, wacc_frac=wacc) for x in choices.tolist()]
    worth = np.interp(choices, *hull)
    best = int(np.argmax([w + split.total_value_cur for w, split in zip(worth, splits, strict=True)]))
    specs = scenario.expansion.lines
    return PlanLines(
        names=(INFRASTRUCTURE, *specs),
        labels=("AI infrastructure", *(s.label or name for name, s in specs.items())),
        spent_cur=np.array([planned, *others.spent_cur]),
        value_cur=np.array([chain.accounts.plan_value_cur, *others.value_cur]),
        best_spent_cur=np.array([choices[best], *splits[best].spent_cur]),
        best_value_cur=np.array([worth[best], *splits[best].value_cur]),
        budget_cur=budget,
        curve_spent_cur=spent,
        curve_value_cur=value,
    )


def _spent_cur(plan: ExpansionPlan) -> float:
    return float((plan.spending.device_capex_cur + plan.spending.site_capex_cur) @ plan.problem.money.discount)


def _free(chain: ChainResult) -> ExpansionProblem:
    """Return the planner's problem before any order stands."""
    return chain.plan.problem.replace(
        supply_devices=chain.setting.supply, committed_devices=np.minimum(chain.setting.committed, chain.setting.supply)
    )


def _curve(chain: ChainResult) -> tuple[Array, Array]:
    """Return what is spent and what the AI cloud is worth over budgets, by rising spending."""
    points = [(_spent_cur(chain.plan), chain.accounts.plan_value_cur)]
    for factor in _BUDGETS:
        problem = _free(chain).replace(budget_cur=chain.plan.problem.money.budget_cur * factor)
        try:
            plan = plan_of(chain.scenario, problem)
        except InfeasibleError:
            continue  # too little for the training reserve: no such plan to choose
        points.append((_spent_cur(plan), accounts_of(chain, plan).plan_value_cur))
    points.sort()
    return np.array([x for x, _ in points]), np.array([y for _, y in points])


def _envelope(x: Array, y: Array) -> tuple[Array, Array]:
    """Return the corners of the concave envelope of points, by rising x."""
    corners: list[tuple[float, float]] = []
    for point in zip(x.tolist(), y.tolist(), strict=True):
        if corners and point[0] - corners[-1][0] <= 1e-6 * max(abs(point[0]), 1.0):
            corners[-1] = (corners[-1][0], max(corners[-1][1], point[1]))
            continue
        while len(corners) > 1:
            (a, fa), (b, fb) = corners[-2:]
            if (fb - fa) * (point[0] - b) > (point[1] - fb) * (b - a):
                break
            corners.pop()
        corners.append(point)
    return np.array([a for a, _ in corners]), np.array([b for _, b in corners])
