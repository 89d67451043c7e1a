"""The expansion problem as a linear program, and its answer back in the shapes of the problem."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jevons.arrays import Array
from jevons.expansion._lp import Basis, Index, LinearProgram, Solution, power_of_two
from jevons.expansion._stages import Decisions, Stages, Start, is_anniversary, stages
from jevons.expansion.formulas import marginal_revenue
from jevons.expansion.types import ExpansionProblem

_TRANCHES = 8
"""Parts of a step's supply that look equally dear; a small change moves orders by one of them at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """Powers of two in which the program is solved, so that its numbers lie near one."""

    devices: float
    watts: float
    money: float
    calls: Array
    flop: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Numbers of the program's columns, the tail's step included; -1 where a column does not exist.

    Parameters
    ----------
    orders : (v, r, t)
        Devices ordered.
    tranches : (v, t, n)
        The same by part of the step's supply, the cheapest-looking first.
    additions : (r, t)
        Site power added.
    served, further : (s, t, b), (s, t, f)
        Calls served of a block, and of those below the posted price.
    busy : (s, v, r, t, k)
        Device-hours a day of a segment.
    training, cluster : (v, r, t)
        Devices held for training, and the choice to hold a whole cluster.
    left : (c, r, t)
        Devices of a group of the start that leave early.
    left_bought : (v, r, o, t)
        Devices ordered in step o that leave early.
    """

    orders: Index
    tranches: Index
    additions: Index
    served: Index
    further: Index
    busy: Index
    training: Index
    cluster: Index
    left: Index
    left_bought: Index


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Numbers of the program's rows, the tail's step included.

    Parameters
    ----------
    capacity : (v, r, t, k)
        Device-hours a day of a slot.
    supply : (v, t)
        Devices that can be ordered.
    power, limit : (r, t)
        Draw within the site's power, and the power within its limit.
    budget, reserve : (t,)
        Money spent within what is released, and compute held for training.
    """

    capacity: Index
    supply: Index
    power: Index
    limit: Index
    budget: Index
    reserve: Index


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A built program, what it was built from, and where its variables and limits stand in it."""

    lp: LinearProgram
    problem: ExpansionProblem
    steps: Stages
    start: Start
    units: Units
    columns: Columns
    rows: Rows


def net_value(problem: ExpansionProblem) -> Array:
    """Return what serving a call of each block brings, (s, t, b) [currency]: its value, or its marginal revenue."""
    if problem.terms.market_power:
        return marginal_revenue(problem.demand.block_value_cur_per_call, problem.demand.block_calls_per_d)
    return problem.demand.block_value_cur_per_call


def build(problem: ExpansionProblem, start: Start, *, fixed: Decisions | None = None) -> Program:
    """Return the program; with *fixed* decisions only dispatch and training are left to choose."""
    steps = stages(problem)
    problem = steps.problem
    installed = start.installed(steps)
    units = _units(problem, installed)
    lp = LinearProgram(units.money)
    S, V, T = problem.machines.device_s_per_call.shape
    R, K, B = len(problem.sites), len(problem.slots), problem.demand.block_calls_per_d.shape[2]
    weight = steps.weight_d

    orders, additions = _investment_columns(lp, steps, units, fixed)
    call_gain = weight[:, None] * net_value(problem)
    served = lp.columns((S, T, B), upper=problem.demand.block_calls_per_d, gain=call_gain, unit=units.calls[:, :, None])
    further = _further_columns(lp, problem, weight, units)
    seconds = np.broadcast_to(problem.machines.device_s_per_call[:, :, None, :, None], (S, V, R, T, K))
    able = np.isfinite(seconds)
    hour_cost = np.broadcast_to((weight * problem.machines.energy_cur_per_device_h)[None, ..., None], (S, V, R, T, K))
    busy = np.full((S, V, R, T, K), -1, dtype=np.int64)
    calls_unit = np.broadcast_to(units.calls[:, None, None, :, None], (S, V, R, T, K))
    busy[able] = lp.columns((int(able.sum()),), gain=-hour_cost[able], unit=calls_unit[able] * seconds[able] / 3600.0)
    trains = (problem.training.training_flop_per_s > 0) | (problem.training.cluster_devices > 0)
    training = lp.columns(
        (V, R, T),
        upper=np.where(trains, np.inf, 0.0),
        gain=-weight * 24.0 * problem.machines.availability_frac * problem.machines.energy_cur_per_device_h,
        unit=units.devices,
    )

    _call_rows(lp, problem, units, np.concatenate([served, further], axis=2), busy, able)
    capacity = lp.rows(
        (V, R, T, K),
        upper=problem.demand.slot_h_per_d * problem.machines.availability_frac * installed[..., None],
        unit=units.devices * problem.demand.slot_h_per_d,
    )
    hours = problem.demand.slot_h_per_d * problem.machines.availability_frac
    lp.enter(capacity[None], busy, 1.0 / problem.demand.utilisation_cap_frac[:, None, None, None, None], where=able)
    lp.enter(capacity, training[..., None], hours)
    serves = steps.serves[:, None, :, :, None]
    lp.enter(capacity[:, :, None], orders[:, :, :, None, None], -hours * serves)
    reserve = lp.rows((T,), lower=problem.training.training_flop_per_s, unit=units.flop)
    lp.enter(reserve, training, problem.machines.device_flop_per_s[:, None, None])
    _later_training(lp, steps, units, reserve)
    loose = fixed is not None
    least = -np.inf if loose or problem.supply.committed_devices is None else problem.supply.committed_devices
    supply = lp.rows((V, T), lower=least, upper=np.inf if loose else problem.supply.supply_devices, unit=units.devices)
    lp.enter(supply[:, None, :], orders, 1.0)
    tranches = _tranche_columns(lp, steps, units, orders, loose=loose)
    power, limit = _power_rows(lp, steps, start, units, orders, additions, loose=loose)
    budget = _budget_rows(lp, problem, units, orders, additions, loose=loose)
    cluster = _cluster_columns(lp, steps, units, training)
    if problem.power.site_block_w is not None and not loose:
        _block_rows(lp, problem, units, additions)
    left, bought = np.full((start.device.size, R, T), -1, np.int64), np.full((V, R, T, T), -1, np.int64)
    if problem.terms.retire_early:
        left = _leaving_columns(lp, steps, start, units, capacity, power, fixed)
        bought = _leaving_bought_columns(lp, steps, units, orders, capacity, power, fixed)
    columns = Columns(
        orders=orders,
        tranches=tranches,
        additions=additions,
        served=served,
        further=further,
        busy=busy,
        training=training,
        cluster=cluster,
        left=left,
        left_bought=bought,
    )
    rows = Rows(capacity=capacity, supply=supply, power=power, limit=limit, budget=budget, reserve=reserve)
    return Program(lp=lp, problem=problem, steps=steps, start=start, units=units, columns=columns, rows=rows)


def _further_columns(lp: LinearProgram, problem: ExpansionProblem, weight_d: Array, units: Units) -> Index:
    """Add calls below the posted price (s, t, f); none where the problem gives none."""
    demand = problem.demand
    if demand.further_value_cur_per_call is None or demand.further_calls_per_d is None:
        return np.empty((*demand.block_calls_per_d.shape[:2], 0), np.int64)
    calls = np.asarray(demand.further_calls_per_d)
    gain = weight_d[:, None] * demand.further_value_cur_per_call
    return lp.columns(calls.shape, upper=calls, gain=gain, unit=units.calls[:, :, None])


def _units(problem: ExpansionProblem, installed: Array) -> Units:
    supply = problem.supply.supply_devices[np.isfinite(problem.supply.supply_devices)]
    needed = problem.training.training_flop_per_s.max() / max(problem.machines.device_flop_per_s.max(), 1e-300)
    most = max(float(installed.max(initial=0.0)), float(supply.max(initial=0.0)), float(needed))
    dearest = float(problem.machines.capex_cur_per_device.max())
    if most <= 0:
        most = float(problem.money.budget_cur.sum()) / dearest if dearest > 0 else 1.0
    devices = power_of_two(most)
    calls = problem.demand.block_calls_per_d.sum(axis=2)
    return Units(
        devices=devices,
        watts=power_of_two(devices * float(problem.machines.device_w.max())),
        money=power_of_two(devices * dearest),
        calls=np.vectorize(power_of_two, otypes=[float])(calls),
        flop=power_of_two(devices * float(problem.machines.device_flop_per_s.max())),
    )


def _investment_columns(lp: LinearProgram, steps: Stages, units: Units, fixed: Decisions | None) -> tuple[Index, Index]:
    """Add orders (v, r, t) and site additions (r, t); none after the horizon."""
    problem = steps.problem
    V, R, T = len(problem.devices), len(problem.sites), len(problem.quarters)
    running = np.einsum("vot,vt->vo", steps.serves, steps.running_cur)
    order_gain = (
        problem.machines.terminal_cur_per_device
        - problem.money.discount * problem.machines.capex_cur_per_device
        - running
    )
    left = np.zeros((R, T)) if problem.power.site_terminal_cur_per_w is None else problem.power.site_terminal_cur_per_w
    low_orders, low_added = np.zeros((V, R, T)), np.zeros((R, T))
    high_orders = np.full((V, R, T), np.inf)
    high_added = np.broadcast_to(problem.power.site_build_w_per_quarter[:, None] * steps.length_quarters, (R, T)).copy()
    high_orders[..., steps.decided :], high_added[:, steps.decided :] = 0.0, 0.0
    if fixed is not None:
        for low, high, given in ((low_orders, high_orders, fixed.orders), (low_added, high_added, fixed.additions)):
            low[..., : steps.decided] = high[..., : steps.decided] = given
    orders = lp.columns((V, R, T), lower=low_orders, upper=high_orders, gain=order_gain[:, None, :], unit=units.devices)
    added_gain = left - problem.money.discount * problem.power.site_capex_cur_per_w
    additions = lp.columns((R, T), lower=low_added, upper=high_added, gain=added_gain, unit=units.watts)
    return orders, additions


def _tranche_columns(lp: LinearProgram, steps: Stages, units: Units, orders: Index, *, loose: bool) -> Index:
    """Divide orders over parts of the step's supply that look dearer one after another: (v, t, n), -1 where none is.

    The last part has no limit of its own, so that what binds is the supply.
    """
    problem = steps.problem
    supply, spread = problem.supply.supply_devices, problem.terms.order_spread_frac
    columns = np.full((*supply.shape, _TRANCHES), -1, np.int64)
    if loose or spread <= 0:
        return columns
    kind, step = np.nonzero(np.isfinite(supply[:, : steps.decided]) & (supply[:, : steps.decided] > 0))
    upper = np.repeat(supply[kind, step, None] / _TRANCHES, _TRANCHES, axis=1)
    upper[:, -1] = np.inf
    lean = -_dearer_cur(problem)[kind, step]
    columns[kind, step] = lp.columns(upper.shape, upper=upper, lean=lean, unit=units.devices)
    divided = lp.rows((kind.size,), lower=0.0, upper=0.0, unit=units.devices)
    lp.enter(divided[:, None], columns[kind, step], 1.0)
    lp.enter(divided[:, None], orders[kind, :, step], -1.0)
    return columns


def _dearer_cur(problem: ExpansionProblem) -> Array:
    """Return by how much a device of each part of the supply looks dearer than it is, (v, t, n) [present value]."""
    paid = problem.money.discount * problem.machines.capex_cur_per_device
    dearer_frac = problem.terms.order_spread_frac * (2.0 * (np.arange(_TRANCHES) + 0.5) / _TRANCHES - 1.0)
    return np.asarray(paid[:, :, None] * dearer_frac)


def later_gain(steps: Stages) -> float:
    """Return the present value of a flop/s bought after the horizon: less the lowest price of the last quarter."""
    problem, last = steps.problem, steps.decided - 1
    able = problem.machines.device_flop_per_s > 0
    on_sale = able & (problem.supply.supply_devices[:, last] > 0)
    counted = on_sale if on_sale.any() else able
    price = problem.machines.capex_cur_per_device[counted, last] / problem.machines.device_flop_per_s[counted]
    return -float(problem.money.discount[-1] * price.min(initial=np.inf)) if counted.any() else 0.0


def _later_training(lp: LinearProgram, steps: Stages, units: Units, reserve: Index) -> None:
    """Let devices bought after the horizon train in its tail, so that the reserve then needs no hoard before."""
    problem = steps.problem
    if steps.decided < len(problem.quarters) and problem.training.training_flop_per_s[-1] > 0:
        lp.enter(reserve[-1:], lp.columns((1,), gain=later_gain(steps), unit=units.flop), 1.0)


def _leaving_columns(
    lp: LinearProgram,
    steps: Stages,
    start: Start,
    units: Units,
    capacity: Index,
    power: Index,
    fixed: Decisions | None,
) -> Index:
    """Let groups of the start leave at the beginning of a step: (c, r, t), -1 where none stands then."""
    problem, groups = steps.problem, start.device.size
    R, T = len(problem.sites), len(problem.quarters)
    share = start.stands(steps)
    kinds = start.device
    may_leave = (share > 0) & (start.count.sum(axis=1) > 0)[:, None]
    may_leave &= ~start.yearly[:, None] | is_anniversary(steps.edges_quarters[:-1] - start.begins_quarters[:, None])
    may = np.broadcast_to(may_leave[:, None], (groups, R, T))
    saved = np.cumsum((share * steps.running_cur[kinds])[:, ::-1], axis=1)[:, ::-1]
    gain = np.broadcast_to((saved - start.terminal_cur[:, None])[:, None, :], (groups, R, T))
    columns = np.full((groups, R, T), -1, np.int64)
    low, high = np.zeros((groups, R, T)), np.full((groups, R, T), np.inf)
    if fixed is not None:
        low[..., : steps.decided] = high[..., : steps.decided] = fixed.left
    columns[may] = lp.columns((int(may.sum()),), lower=low[may], upper=high[may], gain=gain[may], unit=units.devices)
    # what has left by a step frees the capacity and power that its group would have had in it
    group, site, step, then = (a.ravel() for a in np.indices((groups, R, T, T)))
    here = (columns[group, site, step] >= 0) & (then >= step) & (share[group, then] > 0)
    group, site, step, then = group[here], site[here], step[here], then[here]
    _free(lp, problem, columns[group, site, step], (kinds[group], site, then), share[group, then], capacity, power)
    present = lp.rows((groups, R), upper=start.count, unit=units.devices)
    lp.enter(present[:, :, None], columns, 1.0, where=may)
    return columns


def _leaving_bought_columns(
    lp: LinearProgram,
    steps: Stages,
    units: Units,
    orders: Index,
    capacity: Index,
    power: Index,
    fixed: Decisions | None,
) -> Index:
    """Let bought devices leave at anniversaries of their service: (v, r, o, t), -1 where they cannot."""
    problem = steps.problem
    V, R, T = len(problem.devices), len(problem.sites), len(problem.quarters)
    edges = steps.edges_quarters[:-1]
    age = edges[None, None, :] - edges[None, :, None] - problem.machines.lead_quarters[:, None, None]
    may_leave = is_anniversary(age) & (steps.serves > 0) & (problem.supply.supply_devices > 0)[:, :, None]
    may = np.broadcast_to(may_leave[:, None], (V, R, T, T))
    saved = np.cumsum((steps.serves * steps.running_cur[:, None, :])[..., ::-1], axis=2)[..., ::-1]
    gain = np.broadcast_to((saved - problem.machines.terminal_cur_per_device[:, :, None])[:, None], (V, R, T, T))
    low, high = np.zeros((V, R, T, T)), np.full((V, R, T, T), np.inf)
    if fixed is not None:
        inside = (slice(None), slice(None), slice(steps.decided), slice(steps.decided))
        low[inside] = high[inside] = fixed.left_bought
    columns = np.full((V, R, T, T), -1, np.int64)
    columns[may] = lp.columns((int(may.sum()),), lower=low[may], upper=high[may], gain=gain[may], unit=units.devices)
    kind, site, order, step = np.nonzero(may)
    entry, then = np.nonzero(steps.serves[kind, order] * (np.arange(T) >= step[:, None]))
    kind, site, order, step = kind[entry], site[entry], order[entry], step[entry]
    leaves = columns[kind, site, order, step]
    _free(lp, problem, leaves, (kind, site, then), steps.serves[kind, order, then], capacity, power)
    present = lp.rows((V, R, T), upper=0.0, unit=units.devices)
    lp.enter(present, orders, -1.0, where=may.any(axis=3))
    lp.enter(present[..., None], columns, 1.0, where=may)
    return columns


def _free(
    lp: LinearProgram,
    problem: ExpansionProblem,
    columns: Index,
    place: tuple[Index, Index, Index],
    share: Array,
    capacity: Index,
    power: Index,
) -> None:
    """Take devices that have left out of capacity and power at (kind, site, step)."""
    hours = problem.demand.slot_h_per_d * problem.machines.availability_frac
    lp.enter(capacity[place], columns[:, None], hours * share[:, None])
    lp.enter(power[place[1:]], columns, -problem.machines.device_w[place[0]])


def _call_rows(
    lp: LinearProgram, problem: ExpansionProblem, units: Units, served: Index, busy: Index, able: NDArray[np.bool_]
) -> None:
    """Let calls computed equal calls served over the day, and cover in each slot what cannot wait."""
    S, T, K = len(problem.segments), len(problem.quarters), len(problem.slots)
    calls_per_h = 3600.0 / problem.machines.device_s_per_call[:, :, None, :, None]
    calls = lp.rows((S, T), lower=0.0, upper=0.0, unit=units.calls)
    lp.enter(calls[:, None, None, :, None], busy, calls_per_h, where=able)
    lp.enter(calls[:, :, None], served, -1.0)
    if K == 1:
        return
    bound = (1.0 - problem.demand.deferrable_frac)[:, None] * problem.demand.slot_share_frac
    slots = lp.rows((S, T, K), lower=0.0, unit=units.calls[:, :, None])
    lp.enter(slots[:, None, None], busy, calls_per_h, where=able)
    lp.enter(slots[:, :, None, :], served[..., None], -bound[:, None, None, :])


def _power_rows(
    lp: LinearProgram, steps: Stages, start: Start, units: Units, orders: Index, additions: Index, *, loose: bool
) -> tuple[Index, Index]:
    """Hold the draw of installed devices to what a site feeds, and its growth to its limit."""
    problem = steps.problem
    R, T = len(problem.sites), len(problem.quarters)
    stands = start.stands(steps) > 0
    draw = np.einsum("c,cr,ct->rt", problem.machines.device_w[start.device], start.count, stands)
    power = lp.rows((R, T), upper=np.inf if loose else start.site_w[:, None] - draw, unit=units.watts)
    watts = problem.machines.device_w[:, None, None, None]
    lp.enter(power[None, :, None, :], orders[..., None], watts, where=(steps.serves > 0)[:, None])
    upto = np.arange(T)[:, None] <= np.arange(T)
    lp.enter(power[:, None, :], additions[..., None], -1.0, where=upto)
    limit = lp.rows(
        (R, T), upper=np.inf if loose else problem.power.site_limit_w - start.site_w[:, None], unit=units.watts
    )
    lp.enter(limit[:, None, :], additions[..., None], 1.0, where=upto)
    return power, limit


def _budget_rows(
    lp: LinearProgram, problem: ExpansionProblem, units: Units, orders: Index, additions: Index, *, loose: bool
) -> Index:
    """Spend money released and carried over on devices and sites, or carry it on."""
    T = len(problem.quarters)
    carried = lp.columns((T,), unit=units.money)
    released = -np.inf if loose else problem.money.budget_cur
    budget = lp.rows((T,), lower=released, upper=np.inf if loose else problem.money.budget_cur, unit=units.money)
    lp.enter(budget, orders, problem.machines.capex_cur_per_device[:, None, :])
    lp.enter(budget, additions, problem.power.site_capex_cur_per_w)
    lp.enter(budget, carried, 1.0)
    lp.enter(budget[1:], carried[:-1], -1.0)
    return budget


def _cluster_columns(lp: LinearProgram, steps: Stages, units: Units, training: Index) -> Index:
    """Add the choice to hold one training cluster of whole size: one kind of device on one site (v, r, t)."""
    problem = steps.problem
    if problem.training.cluster_devices <= 0 or problem.training.cluster_cur_per_quarter is None:
        return np.full(training.shape, -1, dtype=np.int64)
    gain = (problem.money.discount * problem.training.cluster_cur_per_quarter * steps.length_quarters)[None, None, :]
    chosen = lp.columns(training.shape, upper=1.0, gain=gain, whole=True)
    large = lp.rows(training.shape, lower=0.0, unit=units.devices)
    lp.enter(large, training, 1.0)
    lp.enter(large, chosen, -problem.training.cluster_devices)
    cluster = lp.rows((training.shape[2],), upper=1.0)
    lp.enter(cluster, chosen, 1.0)
    return chosen


def _block_rows(lp: LinearProgram, problem: ExpansionProblem, units: Units, additions: Index) -> None:
    """Let sites grow in whole blocks of power where a block is given."""
    blocks = np.asarray(problem.power.site_block_w, float)
    for site in np.nonzero(blocks > 0)[0]:
        count = lp.columns(additions[site].shape, whole=True)
        rows = lp.rows(additions[site].shape, lower=0.0, upper=0.0, unit=units.watts)
        lp.enter(rows, additions[site], 1.0)
        lp.enter(rows, count, -blocks[site])


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Values and gains of a solved program in the shapes of the problem, without its tail; see `ExpansionPlan`.

    All gains are present values: ``capacity_gain`` per device-hour a day; ``power_gain``, ``limit_gain`` and
    ``build_gain`` per watt; ``reserve_cost`` per flop/s that the training reserve asks for.
    """

    status: str
    objective: float
    steps: Stages
    decisions: Decisions
    served: Array
    further: Array
    busy: Array
    training: Array
    capacity_gain: Array
    supply_gain: Array
    power_gain: Array
    limit_gain: Array
    build_gain: Array
    budget_gain: Array
    reserve_cost: Array
    cluster: Array
    basis: Basis | None


def read(program: Program, solution: Solution) -> Answer:
    """Return *solution* by name."""
    values, gain, count = solution.columns, np.maximum(solution.row_gain, 0.0), program.steps.decided

    def chosen(columns: Index) -> Array:
        return np.where(columns >= 0, values[columns], 0.0)

    # one more device is worth its gain at the price, not at what the last part of the supply looks like
    supply_gain = gain[program.rows.supply[:, :count]]
    parted = (program.columns.tranches[:, :count, -1] >= 0) & (supply_gain > 0)
    supply_gain = supply_gain + np.where(parted, _dearer_cur(program.problem)[:, :count, -1], 0.0)
    decisions = Decisions(
        orders=values[program.columns.orders[..., :count]],
        additions=values[program.columns.additions[:, :count]],
        left=chosen(program.columns.left[..., :count]),
        left_bought=chosen(program.columns.left_bought[..., :count, :count]),
    )
    return Answer(
        status=solution.status,
        objective=solution.objective,
        steps=program.steps,
        decisions=decisions,
        served=values[program.columns.served[:, :count]],
        further=values[program.columns.further[:, :count]],
        busy=chosen(program.columns.busy[:, :, :, :count]),
        training=values[program.columns.training[..., :count]],
        capacity_gain=gain[program.rows.capacity[:, :, :count]],
        supply_gain=supply_gain,
        power_gain=gain[program.rows.power[:, :count]] + _later(gain[program.rows.power], count),
        limit_gain=gain[program.rows.limit[:, :count]] + _later(gain[program.rows.limit], count),
        build_gain=np.maximum(solution.column_gain[program.columns.additions[:, :count]], 0.0),
        budget_gain=gain[program.rows.budget[:count]],
        reserve_cost=np.maximum(-solution.row_gain[program.rows.reserve[:count]], 0.0),
        cluster=chosen(program.columns.cluster[..., :count]),
        basis=solution.basis,
    )


def _later(gain: Array, count: int) -> Array:
    """Return what a site's power gains after the horizon, credited to its last step."""
    late = np.zeros((gain.shape[0], count))
    late[:, -1] = gain[:, count:].sum(axis=1)
    return late
