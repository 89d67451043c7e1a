"""Shadow prices of a plan: the value of one more device-hour, device, watt or currency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jevons.arrays import Array
from jevons.expansion import ExpansionPlan, ExpansionProblem
from jevons.market import PRICE_LEVELS
from jevons.results import Table
from jevons.study.plan.tables.lines import by_period, line
from jevons.study.plan.tables.market import where_offered

if TYPE_CHECKING:
    from jevons.study.plan.figures import PlanFigures

_NOTHING = 1e-9
_HELD = 0.5
"""Devices below which a kind does not count as held for training, and hours a day below which it serves no calls."""


def scarcity_rent(result: PlanFigures) -> Array:
    """Return the scarcity rent of a device-hour by kind, the mean over the day, (v, t) [currency/h]."""
    plan = result.chain.plan
    hours = plan.problem.demand.slot_h_per_d
    return np.asarray(plan.worth.rent_cur_per_device_h @ (hours / hours.sum()))


def let_cur_per_device_h(problem: ExpansionProblem, rented: NDArray[np.bool_]) -> Array:
    """Return what an hour earns where the firm lets it at the price shown, less energy, (v, t) [currency/h].

    Parameters
    ----------
    problem : ExpansionProblem
        The planner's problem.
    rented : (s,)
        Segments that rent hours. The best paid counts; only the utilisation cap of an hour is let.
    """
    demand, machines = problem.demand, problem.machines
    price = demand.block_value_cur_per_call[rented, :, 0] / PRICE_LEVELS[-1]  # the first block is valued at that level
    seconds = machines.device_s_per_call[rented]
    able = np.isfinite(seconds)
    earns = np.where(able, price[:, None] / np.where(able, seconds, 1.0), 0.0) * 3600.0
    best = (earns * demand.utilisation_cap_frac[rented, None, None]).max(axis=0, initial=0.0)
    return np.asarray(np.maximum(best - machines.energy_cur_per_device_h.min(axis=1), 0.0))


def calls_cur_per_device_h(plan: ExpansionPlan, calls: NDArray[np.bool_]) -> Array:
    """Return what an hour saves on other accelerators in the calls that it serves, (v, t) [currency/h]; 0 without any.

    Parameters
    ----------
    plan : ExpansionPlan
        Its scarcity rents price the hours that other kinds would take for the same calls; where none serves them, what
        a call would pay counts.
    calls : (s,)
        Segments that call models. The best of them counts.
    """
    demand, machines = plan.problem.demand, plan.problem.machines
    mean = plan.worth.rent_cur_per_device_h @ (demand.slot_h_per_d / demand.slot_h_per_d.sum())
    energy = machines.energy_cur_per_device_h.min(axis=1)
    seconds, cap = machines.device_s_per_call[calls], demand.utilisation_cap_frac[calls, None, None]
    able = np.isfinite(seconds)
    cost = np.where(able, (mean / cap + energy) * np.where(able, seconds, 0.0) / 3600.0, np.inf)
    highest = demand.block_value_cur_per_call[calls, :, 0]
    saved = np.zeros(mean.shape)
    for v in range(mean.shape[0]):
        others = np.minimum(np.delete(cost, v, axis=1).min(axis=1, initial=np.inf), highest)
        used = able[:, v] & (plan.service.busy_device_h_per_d[calls, v].sum(axis=(1, 3)) > _HELD)
        worth = others * 3600.0 / np.where(used, seconds[:, v], 1.0) - energy[v]
        saved[v] = np.where(used, worth * cap[:, 0], 0.0).max(axis=0, initial=0.0)
    return saved


def training_cur_per_device_h(plan: ExpansionPlan) -> Array:
    """Return what an hour is worth to the training reserve, (v, t) [currency/h]; 0 where none is held for it.

    It replaces hours of the machines that train dearest.
    """
    machines = plan.problem.machines
    worth = machines.device_flop_per_s[:, None] * plan.worth.training_cur_per_flop_h
    worth = worth - machines.energy_cur_per_device_h.min(axis=1)
    return np.asarray(np.where(plan.fleet.training_devices.sum(axis=1) > _HELD, np.maximum(worth, 0.0), 0.0))


def shadow_table(result: PlanFigures) -> Table:
    """Return shadow prices by quarter; limits that never bind are left out.

    Below each hour stand the rent, what the firm earns where it lets the hour at the price shown (`cloud_premium` times
    the share of the hour that can be let), and what it saves on other accelerators in calls and in own training. An
    hour is worth the best of these, but for hours let at the margin, which go below the price shown. The plan cannot
    hire machines. So where a kind is no longer sold, what it saves may lie far above its rent.
    """
    plan, chain = result.chain.plan, result.chain
    rented = ~chain.inputs.use.counts_tokens
    let, called = let_cur_per_device_h(plan.problem, rented), calls_cur_per_device_h(plan, ~rented)
    trains = training_cur_per_device_h(plan)
    named: list[tuple[str, str, Any, float]] = []
    for v, device in enumerate(plan.problem.devices):
        short = result.device_short(device)
        named.append((f"Hour of {short}", "¤/h", scarcity_rent(result)[v], 1.0))
        if np.abs(scarcity_rent(result)[v]).max(initial=0.0) <= _NOTHING:
            continue
        if chain.rents is not None:
            rent = chain.rents.rent_cur_per_h[v]
            named.append((f"Market rent of {short}", "¤/h", where_offered(rent, rent > 0), 1.0))
            named.append((f"Hour of {short}, let by the firm", "¤/h", let[v], 1.0))
        named.append((f"Hour of {short}, for calls", "¤/h", called[v], 1.0))
        named.append((f"Hour of {short}, for own training", "¤/h", trains[v], 1.0))
    for v, device in enumerate(plan.problem.devices):
        named.append((f"Supply of {result.device_short(device)}", "k ¤", plan.worth.supply_dual_cur[v], 1e3))
    for r, site in enumerate(plan.problem.sites):
        place = result.site_label(site).split(" and ")[0]
        named.append((f"Watt of power, {place}", "¤/W", plan.worth.power_dual_cur_per_w[r], 1.0))
    named.append(("¤ of budget", "¤", plan.worth.budget_dual, 1.0))
    lines = [
        line(name, unit, values, over=over)
        for name, unit, values, over in named
        if max((abs(value) for value in values if value is not None), default=0.0) > _NOTHING
    ]
    title = "Shadow prices: value of one more unit of each limit"
    return by_period("shadow_prices", title, result.quarters, lines, of="limit")


def shadow_json(result: PlanFigures) -> dict[str, Any]:
    """Return shadow prices as plain values; see the reference of the plan's JSON for units."""
    plan = result.chain.plan
    problem, rent = plan.problem, plan.worth.rent_cur_per_device_h
    rented = ~result.chain.inputs.use.counts_tokens
    uses = {
        "rent_let": let_cur_per_device_h(problem, rented),
        "rent_in_calls": calls_cur_per_device_h(plan, ~rented),
        "rent_in_training": training_cur_per_device_h(plan),
    }
    return {
        "rent_per_device_h": {
            device: {slot: rent[v, :, k] for k, slot in enumerate(problem.slots)}
            for v, device in enumerate(problem.devices)
        },
        **{name: dict(zip(problem.devices, worth, strict=True)) for name, worth in uses.items()},
        "supply_per_device": {device: plan.worth.supply_dual_cur[v] for v, device in enumerate(problem.devices)},
        "power_per_w": {site: plan.worth.power_dual_cur_per_w[r] for r, site in enumerate(problem.sites)},
        "budget_per_unit": plan.worth.budget_dual,
        "marginal_per_call": {s: plan.worth.marginal_cur_per_call[i] for i, s in enumerate(problem.segments)},
    }
