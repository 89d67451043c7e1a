"""The budget path and what it releases."""

from __future__ import annotations

import numpy as np

from jevons.arrays import Array
from jevons.errors import InputError
from jevons.expansion import ExpansionPlan
from jevons.study.scenario.scenario import Scenario


def budget_path(scenario: Scenario) -> Array:
    """Return the AI budget by quarter (t,) [currency]: a straight line from the first quarter's release to the total.

    A first release above twice the mean falls to zero before the last quarter; the whole total is released either way.

    Raises
    ------
    InputError
        If the first release exceeds the total.
    """
    return released(scenario) * scenario.expansion.ai_share.value


def released_rest(scenario: Scenario) -> Array:
    """Return the money released by quarter (t,) [currency] for lines of the plan beside AI infrastructure."""
    return released(scenario) * (1.0 - scenario.expansion.ai_share.value)


def paid_ahead(scenario: Scenario, plan: ExpansionPlan) -> Array:
    """Return what is paid ahead in each quarter (t,) of released money that waits for chips, less what is used."""
    return np.diff(scenario.expansion.paid_ahead.value * plan.spending.budget_left_cur, prepend=0.0)


def released(scenario: Scenario) -> Array:
    """Return the money spent by quarter of the plan (t,), all lines: as announced, times how plans turn out.

    Errors as of `released_cur`.
    """
    spec = scenario.expansion
    path = released_cur(spec.budget.value, spec.budget_first.value, spec.budget_quarters)[: scenario.quarters]
    return np.pad(path * spec.execution.value, (0, scenario.quarters - path.size))


def released_cur(total_cur: float, first_cur: float, quarters: int) -> Array:
    """Return money released by quarter on a straight line that begins at *first_cur*, stays >= 0, sums to the total.

    Raises
    ------
    InputError
        If *first_cur* exceeds *total_cur*.
    """
    if quarters == 1:
        return np.array([total_cur])
    if first_cur > total_cur:
        message = f"expansion.budget_first = {first_cur:g}: must not exceed expansion.budget = {total_cur:g}"
        raise InputError(message)
    last = 2 * total_cur / quarters - first_cur
    if last >= 0:
        return np.linspace(first_cur, last, quarters)
    # the line falls to zero after `count` quarters, which must not take it below zero before
    for count in range(quarters, 1, -1):
        slope = 2 * (count * first_cur - total_cur) / (count * (count - 1))
        if first_cur - slope * (count - 1) >= 0:
            return np.asarray(np.where(np.arange(quarters) < count, first_cur - slope * np.arange(quarters), 0.0))
    return np.concatenate([[total_cur], np.zeros(quarters - 1)])
