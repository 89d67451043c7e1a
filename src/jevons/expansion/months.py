"""Plans in months: a problem of quarters refined to months, and its plan summed up in quarters again."""

from __future__ import annotations

from typing import Any

import numpy as np

from jevons.arrays import Array
from jevons.expansion._lp import Basis
from jevons.expansion._windows import TIME_AXIS, Foresight
from jevons.expansion.run import solve
from jevons.expansion.types import ExpansionPlan, ExpansionProblem, Fleet, Service, Spending, Worth

MONTHS = 3
"""Months of a quarter."""


def in_months(problem: ExpansionProblem) -> ExpansionProblem:
    """Return *problem* with months for steps.

    Demand, prices, speeds and limits are level within a quarter; budget, supply, arrivals and commitments come in
    thirds; discounting runs on at the pace between quarters. Leads and lives stay what they are in quarters.
    """
    parts: dict[str, Any] = {
        "quarters": tuple(f"{quarter} month {m + 1}" for quarter in problem.quarters for m in range(MONTHS)),
        "step_quarters": problem.terms.step_quarters / MONTHS,
    }
    for name, axis in TIME_AXIS.items():
        if problem.field(name) is None:
            continue
        parts[name] = np.repeat(problem.field(name), MONTHS, axis=axis)
    once = ("terminal_cur_per_device", "site_terminal_cur_per_w", "cluster_cur_per_quarter")
    for name in (*once, "arriving_devices", "arriving_terminal_cur_per_device", "committed_devices"):
        array = problem.field(name)
        parts[name] = None if array is None else np.repeat(array, MONTHS, axis=-1)
    for name in ("budget_cur", "supply_devices", "arriving_devices", "committed_devices"):
        parts[name] = None if parts[name] is None else parts[name] / MONTHS
    fall = np.ones(len(problem.quarters))
    if fall.size > 1:
        fall[:-1] = problem.money.discount[1:] / problem.money.discount[:-1]
        fall[-1] = fall[-2]
    offset = np.tile((np.arange(MONTHS) - (MONTHS - 1) / 2) / MONTHS, fall.size)
    parts["discount"] = parts["discount"] * np.repeat(fall, MONTHS) ** offset
    return problem.replace(**parts)


def solve_in_months(
    problem: ExpansionProblem,
    *,
    foresight: Foresight = "perfect",
    window_quarters: int = 8,
    begin: Basis | None = None,
) -> ExpansionPlan:
    """Return the plan decided month by month, summed up in quarters; the months are in its `months`.

    Stocks and rates of a quarter are the means of its months (site power and money left: at its end), orders, spending
    and retirements their sums. See `jevons.expansion.solve` for the arguments and errors.
    """
    fine = solve(in_months(problem), foresight=foresight, window_quarters=window_quarters * MONTHS, begin=begin)
    retired, arriving = (_summed(_summed(a, 3), 2) for a in (fine.fleet.retired_bought, fine.fleet.retired_arriving))
    names = (tuple(dict.fromkeys(n for names in group for n in names)) for group in _grouped(fine.worth.binding))
    installed = _mean(fine.fleet.installed, 2)
    return ExpansionPlan(
        problem=problem,
        objective_cur=fine.objective_cur,
        status=fine.status,
        months=fine,
        basis=fine.basis,
        fleet=Fleet(
            ordered=_summed(fine.fleet.ordered, 2),
            installed=installed,
            vintage=_mean(_summed(fine.fleet.vintage, 1), 2),
            retired_initial=_summed(fine.fleet.retired_initial, 2),
            retired_bought=retired,
            retired_arriving=arriving,
            site_w=fine.fleet.site_w[:, MONTHS - 1 :: MONTHS],
            training_devices=_mean(fine.fleet.training_devices, 2),
            it_w=_mean(fine.fleet.it_w, 0),
            cluster=None if fine.fleet.cluster is None else _mean(fine.fleet.cluster, 2),
        ),
        service=Service(
            served_calls_per_d=_mean(fine.service.served_calls_per_d, 1),
            busy_device_h_per_d=_mean(fine.service.busy_device_h_per_d, 3),
            utilisation_frac=_mean(fine.service.utilisation_frac, 0),
        ),
        spending=Spending(
            device_capex_cur=_summed(fine.spending.device_capex_cur, 0),
            site_capex_cur=_summed(fine.spending.site_capex_cur, 0),
            budget_left_cur=fine.spending.budget_left_cur[MONTHS - 1 :: MONTHS],
        ),
        worth=Worth(
            rent_cur_per_device_h=_mean(fine.worth.rent_cur_per_device_h, 1),
            marginal_cur_per_call=_mean(fine.worth.marginal_cur_per_call, 1),
            training_cur_per_flop_h=_mean(fine.worth.training_cur_per_flop_h, 0),
            budget_dual=_mean(fine.worth.budget_dual, 0),
            supply_dual_cur=_mean(fine.worth.supply_dual_cur, 1),
            power_dual_cur_per_w=_summed(fine.worth.power_dual_cur_per_w, 1),
            binding=tuple(names),
        ),
    )


def _split(array: Array, axis: int) -> Array:
    shape = array.shape
    return array.reshape(*shape[:axis], shape[axis] // MONTHS, MONTHS, *shape[axis + 1 :])


def _mean(array: Array, axis: int) -> Array:
    return np.asarray(_split(array, axis).mean(axis=axis + 1))


def _summed(array: Array, axis: int) -> Array:
    return np.asarray(_split(array, axis).sum(axis=axis + 1))


def _grouped(names: tuple[tuple[str, ...], ...]) -> list[tuple[tuple[str, ...], ...]]:
    return [names[i : i + MONTHS] for i in range(0, len(names), MONTHS)]
