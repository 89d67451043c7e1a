"""Shadow prices of a plan: what one more device-hour, device, watt or CNY would be worth to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jevons.arrays import Array
from jevons.rounding import scaled

if TYPE_CHECKING:
    from jevons.study.plan.figures import PlanFigures

Table = tuple[str, Sequence[str], list[Sequence[Any]]]

SHADOW_TITLE = "What one more is worth at the margin (duals of the program)"
"""Title of the table."""


def scarcity_rent(result: PlanFigures) -> Array:
    """Return the scarcity rent of a device-hour by kind, the mean over the day, (v, t) [CNY/h]."""
    plan = result.chain.plan
    hours = plan.problem.demand.slot_h_per_d
    return np.asarray(plan.rent_cny_per_device_h @ (hours / hours.sum()))


def shadow_table(result: PlanFigures) -> Table:
    """Return shadow prices by quarter; limits that never bind are left out."""
    plan = result.chain.plan
    rows: list[Sequence[Any]] = []

    def add(label: str, unit: str, values: Array, scale: float = 1.0) -> None:
        if np.abs(values).max(initial=0.0) > 1e-9:
            rows.append((label, unit, *(scaled(float(value) / scale) for value in values)))

    for v, device in enumerate(plan.problem.devices):
        add(f"hour of {result.device_short(device)}", "CNY/h", scarcity_rent(result)[v])
    for v, device in enumerate(plan.problem.devices):
        add(f"{result.device_short(device)} on sale", "k CNY", plan.supply_dual_cny[v], 1e3)
    for r, site in enumerate(plan.problem.sites):
        add(f"watt at {result.site_label(site).split(' and ')[0]}", "CNY/W", plan.power_dual_cny_per_w[r])
    add("CNY of budget", "CNY", plan.budget_dual)
    return (SHADOW_TITLE, ("limit", "unit", *result.quarters), rows)


def shadow_json(result: PlanFigures) -> dict[str, Any]:
    """Return shadow prices as plain values; see the reference of the plan's JSON for units."""
    plan = result.chain.plan
    problem, rent = plan.problem, plan.rent_cny_per_device_h
    return {
        "rent_cny_per_device_h": {
            device: {slot: rent[v, :, k] for k, slot in enumerate(problem.slots)}
            for v, device in enumerate(problem.devices)
        },
        "supply_cny_per_device": {device: plan.supply_dual_cny[v] for v, device in enumerate(problem.devices)},
        "power_cny_per_w": {site: plan.power_dual_cny_per_w[r] for r, site in enumerate(problem.sites)},
        "budget_cny_per_cny": plan.budget_dual,
        "marginal_cny_per_call": {s: plan.marginal_cny_per_call[i] for i, s in enumerate(problem.segments)},
    }
