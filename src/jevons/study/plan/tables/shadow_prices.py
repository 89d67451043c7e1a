"""Shadow prices of a plan: the value of one more device-hour, device, watt or currency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jevons.arrays import Array
from jevons.results import Table
from jevons.study.plan.tables.lines import by_period, line

if TYPE_CHECKING:
    from jevons.study.plan.figures import PlanFigures


def scarcity_rent(result: PlanFigures) -> Array:
    """Return the scarcity rent of a device-hour by kind, the mean over the day, (v, t) [currency/h]."""
    plan = result.chain.plan
    hours = plan.problem.demand.slot_h_per_d
    return np.asarray(plan.worth.rent_cur_per_device_h @ (hours / hours.sum()))


def shadow_table(result: PlanFigures) -> Table:
    """Return shadow prices by quarter, with the market's rent below each hour; limits that never bind are left out.

    An hour is worth more than its rent where it serves calls that no other device serves as well, and none can be had.
    """
    plan = result.chain.plan
    named: list[tuple[str, str, Array, float]] = []
    for v, device in enumerate(plan.problem.devices):
        named.append((f"Hour of {result.device_short(device)}", "¤/h", scarcity_rent(result)[v], 1.0))
        if result.chain.rents is not None and np.abs(scarcity_rent(result)[v]).max(initial=0.0) > 1e-9:
            named.append((f"Market rent of {result.device_short(device)}", "¤/h", result.chain.rents.cny_per_h[v], 1.0))
    for v, device in enumerate(plan.problem.devices):
        named.append((f"Supply of {result.device_short(device)}", "k ¤", plan.worth.supply_dual_cur[v], 1e3))
    for r, site in enumerate(plan.problem.sites):
        place = result.site_label(site).split(" and ")[0]
        named.append((f"Watt of power, {place}", "¤/W", plan.worth.power_dual_cur_per_w[r], 1.0))
    named.append(("¤ of budget", "¤", plan.worth.budget_dual, 1.0))
    lines = [
        line(name, unit, values, over=over)
        for name, unit, values, over in named
        if np.abs(values).max(initial=0.0) > 1e-9
    ]
    title = "Shadow prices: value of one more unit of each limit"
    return by_period("shadow_prices", title, result.quarters, lines, of="limit")


def shadow_json(result: PlanFigures) -> dict[str, Any]:
    """Return shadow prices as plain values; see the reference of the plan's JSON for units."""
    plan = result.chain.plan
    problem, rent = plan.problem, plan.worth.rent_cur_per_device_h
    return {
        "rent_per_device_h": {
            device: {slot: rent[v, :, k] for k, slot in enumerate(problem.slots)}
            for v, device in enumerate(problem.devices)
        },
        "supply_per_device": {device: plan.worth.supply_dual_cur[v] for v, device in enumerate(problem.devices)},
        "power_per_w": {site: plan.worth.power_dual_cur_per_w[r] for r, site in enumerate(problem.sites)},
        "budget_per_unit": plan.worth.budget_dual,
        "marginal_per_call": {s: plan.worth.marginal_cur_per_call[i] for i, s in enumerate(problem.segments)},
    }
