"""The expansion problem as a linear program, and its answer back in the shapes of the problem."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jevons.expansion._lp import Index, LinearProgram, Solution, power_of_two
from jevons.expansion.formulas import DAYS_PER_QUARTER, in_service, initial_stock, marginal_revenue
from jevons.expansion.types import ExpansionProblem

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Start:
    """What stands before the first decision.

    Parameters
    ----------
    installed : (v, r, t)
        Devices in service in each quarter if nothing more is ordered.
    site_w : (r,)
        IT power built.
    """

    installed: Array
    site_w: Array


def opening(problem: ExpansionProblem) -> Start:
    """Return the start that the problem itself states."""
    stock = initial_stock(
        problem.initial_devices, problem.initial_age_quarters, problem.life_quarters, len(problem.quarters)
    )
    return Start(stock, problem.initial_site_w)


@dataclass(frozen=True, slots=True)
class Units:
    """Powers of two in which the program is solved, so that its numbers lie near one."""

    devices: float
    watts: float
    money: float
    calls: Array
    flop: float


@dataclass(frozen=True, slots=True)
class Program:
    """Column and row numbers of a built program by name; -1 where a column does not exist."""

    lp: LinearProgram
    problem: ExpansionProblem
    start: Start
    units: Units
    service: NDArray[np.bool_]
    orders: Index
    additions: Index
    served: Index
    busy: Index
    training: Index
    capacity: Index
    supply: Index
    power: Index
    limit: Index
    budget: Index
    reserve: Index
    cluster: Index


def net_value(problem: ExpansionProblem) -> Array:
    """Return what serving a call of each block brings, (s, t, b) [CNY]: its value, or its marginal revenue."""
    if problem.market_power:
        return marginal_revenue(problem.block_value_cny_per_call, problem.block_calls_per_d)
    return problem.block_value_cny_per_call


def build(problem: ExpansionProblem, start: Start, *, fixed: tuple[Array, Array] | None = None) -> Program:
    """Return the program; with *fixed* orders and site additions only dispatch and training are left to choose."""
    units = _units(problem, start)
    lp = LinearProgram(units.money)
    service = in_service(problem.lead_quarters, problem.life_quarters, len(problem.quarters))
    S, V, T = problem.device_s_per_call.shape
    R, K, B = len(problem.sites), len(problem.slots), problem.block_calls_per_d.shape[2]
    weight = problem.discount * DAYS_PER_QUARTER

    orders, additions = _investment_columns(lp, problem, units, service, fixed)
    call_gain = weight[:, None] * net_value(problem)
    served = lp.columns((S, T, B), upper=problem.block_calls_per_d, gain=call_gain, unit=units.calls[:, :, None])
    seconds = np.broadcast_to(problem.device_s_per_call[:, :, None, :, None], (S, V, R, T, K))
    able = np.isfinite(seconds)
    hour_cost = np.broadcast_to((weight * problem.energy_cny_per_device_h)[None, ..., None], (S, V, R, T, K))
    busy = np.full((S, V, R, T, K), -1, dtype=np.int64)
    calls_unit = np.broadcast_to(units.calls[:, None, None, :, None], (S, V, R, T, K))
    busy[able] = lp.columns((int(able.sum()),), gain=-hour_cost[able], unit=calls_unit[able] * seconds[able] / 3600.0)
    trains = (problem.training_flop_per_s > 0) | (problem.cluster_devices > 0)
    training = lp.columns(
        (V, R, T),
        upper=np.where(trains, np.inf, 0.0),
        gain=-weight * 24.0 * problem.availability_frac * problem.energy_cny_per_device_h,
        unit=units.devices,
    )

    _call_rows(lp, problem, units, served, busy, able)
    capacity = lp.rows(
        (V, R, T, K),
        upper=problem.slot_h_per_d * problem.availability_frac * start.installed[..., None],
        unit=units.devices * problem.slot_h_per_d,
    )
    hours = problem.slot_h_per_d * problem.availability_frac
    lp.enter(capacity[None], busy, 1.0 / problem.utilisation_cap_frac[:, None, None, None, None], where=able)
    lp.enter(capacity, training[..., None], hours)
    lp.enter(capacity[:, :, None], orders[:, :, :, None, None], -hours, where=service[:, None, :, :, None])
    reserve = lp.rows((T,), lower=problem.training_flop_per_s, unit=units.flop)
    lp.enter(reserve, training, problem.device_flop_per_s[:, None, None])
    loose = fixed is not None
    supply = lp.rows((V, T), upper=np.inf if loose else problem.supply_devices, unit=units.devices)
    lp.enter(supply[:, None, :], orders, 1.0)
    power, limit = _power_rows(lp, problem, start, units, service, orders, additions, loose=loose)
    budget = _budget_rows(lp, problem, units, orders, additions, loose=loose)
    cluster = _cluster_columns(lp, problem, units, training)
    if problem.site_block_w is not None and not loose:
        _block_rows(lp, problem, units, additions)
    return Program(
        lp, problem, start, units, service, orders, additions, served, busy, training, capacity, supply, power, limit,
        budget, reserve, cluster,
    )  # fmt: skip


def _units(problem: ExpansionProblem, start: Start) -> Units:
    supply = problem.supply_devices[np.isfinite(problem.supply_devices)]
    needed = problem.training_flop_per_s.max() / max(problem.device_flop_per_s.max(), 1e-300)
    most = max(float(start.installed.max(initial=0.0)), float(supply.max(initial=0.0)), float(needed))
    dearest = float(problem.capex_cny_per_device.max())
    if most <= 0:
        most = float(problem.budget_cny.sum()) / dearest if dearest > 0 else 1.0
    devices = power_of_two(most)
    calls = problem.block_calls_per_d.sum(axis=2)
    return Units(
        devices,
        power_of_two(devices * float(problem.device_w.max())),
        power_of_two(devices * dearest),
        np.vectorize(power_of_two, otypes=[float])(calls),
        power_of_two(devices * float(problem.device_flop_per_s.max())),
    )


def _investment_columns(
    lp: LinearProgram,
    problem: ExpansionProblem,
    units: Units,
    service: NDArray[np.bool_],
    fixed: tuple[Array, Array] | None,
) -> tuple[Index, Index]:
    """Add orders (v, r, t) and site additions (r, t)."""
    V, R, T = len(problem.devices), len(problem.sites), len(problem.quarters)
    running = np.einsum("vot,t,vt->vo", service, problem.discount, problem.fixed_cny_per_device_quarter)
    order_gain = problem.terminal_cny_per_device - problem.discount * problem.capex_cny_per_device - running
    left = np.zeros((R, T)) if problem.site_terminal_cny_per_w is None else problem.site_terminal_cny_per_w
    build_w = np.broadcast_to(problem.site_build_w_per_quarter[:, None], (R, T))
    low_orders, high_orders = (0.0, np.inf) if fixed is None else (fixed[0], fixed[0])
    low_added, high_added = (0.0, build_w) if fixed is None else (fixed[1], fixed[1])
    orders = lp.columns((V, R, T), lower=low_orders, upper=high_orders, gain=order_gain[:, None, :], unit=units.devices)
    added_gain = left - problem.discount * problem.site_capex_cny_per_w
    additions = lp.columns((R, T), lower=low_added, upper=high_added, gain=added_gain, unit=units.watts)
    return orders, additions


def _call_rows(
    lp: LinearProgram, problem: ExpansionProblem, units: Units, served: Index, busy: Index, able: NDArray[np.bool_]
) -> None:
    """Let calls computed equal calls served over the day, and cover in each slot what cannot wait."""
    S, T, K = len(problem.segments), len(problem.quarters), len(problem.slots)
    calls_per_h = 3600.0 / problem.device_s_per_call[:, :, None, :, None]
    calls = lp.rows((S, T), lower=0.0, upper=0.0, unit=units.calls)
    lp.enter(calls[:, None, None, :, None], busy, calls_per_h, where=able)
    lp.enter(calls[:, :, None], served, -1.0)
    if K == 1:
        return
    bound = (1.0 - problem.deferrable_frac)[:, None] * problem.slot_share_frac
    slots = lp.rows((S, T, K), lower=0.0, unit=units.calls[:, :, None])
    lp.enter(slots[:, None, None], busy, calls_per_h, where=able)
    lp.enter(slots[:, :, None, :], served[..., None], -bound[:, None, None, :])


def _power_rows(
    lp: LinearProgram,
    problem: ExpansionProblem,
    start: Start,
    units: Units,
    service: NDArray[np.bool_],
    orders: Index,
    additions: Index,
    *,
    loose: bool,
) -> tuple[Index, Index]:
    """Hold the draw of installed devices to what a site feeds, and its growth to its limit."""
    R, T = len(problem.sites), len(problem.quarters)
    room = start.site_w[:, None] - np.einsum("v,vrt->rt", problem.device_w, start.installed)
    power = lp.rows((R, T), upper=np.inf if loose else room, unit=units.watts)
    watts = problem.device_w[:, None, None, None]
    lp.enter(power[None, :, None, :], orders[..., None], watts, where=service[:, None])
    upto = np.arange(T)[:, None] <= np.arange(T)
    lp.enter(power[:, None, :], additions[..., None], -1.0, where=upto)
    limit = lp.rows((R, T), upper=np.inf if loose else problem.site_limit_w - start.site_w[:, None], unit=units.watts)
    lp.enter(limit[:, None, :], additions[..., None], 1.0, where=upto)
    return power, limit


def _budget_rows(
    lp: LinearProgram, problem: ExpansionProblem, units: Units, orders: Index, additions: Index, *, loose: bool
) -> Index:
    """Spend money released and carried over on devices and sites, or carry it on."""
    T = len(problem.quarters)
    carried = lp.columns((T,), unit=units.money)
    released = -np.inf if loose else problem.budget_cny
    budget = lp.rows((T,), lower=released, upper=np.inf if loose else problem.budget_cny, unit=units.money)
    lp.enter(budget, orders, problem.capex_cny_per_device[:, None, :])
    lp.enter(budget, additions, problem.site_capex_cny_per_w)
    lp.enter(budget, carried, 1.0)
    lp.enter(budget[1:], carried[:-1], -1.0)
    return budget


def _cluster_columns(lp: LinearProgram, problem: ExpansionProblem, units: Units, training: Index) -> Index:
    """Add the choice to hold one training cluster of whole size: one kind of device on one site (v, r, t)."""
    if problem.cluster_devices <= 0 or problem.cluster_cny_per_quarter is None:
        return np.full(training.shape, -1, dtype=np.int64)
    gain = (problem.discount * problem.cluster_cny_per_quarter)[None, None, :]
    held = lp.columns(training.shape, upper=1.0, gain=gain, whole=True)
    large = lp.rows(training.shape, lower=0.0, unit=units.devices)
    lp.enter(large, training, 1.0)
    lp.enter(large, held, -problem.cluster_devices)
    one = lp.rows((training.shape[2],), upper=1.0)
    lp.enter(one, held, 1.0)
    return held


def _block_rows(lp: LinearProgram, problem: ExpansionProblem, units: Units, additions: Index) -> None:
    """Let sites grow in whole blocks of power where a block is given."""
    blocks = np.asarray(problem.site_block_w, float)
    for site in np.nonzero(blocks > 0)[0]:
        count = lp.columns(additions[site].shape, whole=True)
        rows = lp.rows(additions[site].shape, lower=0.0, upper=0.0, unit=units.watts)
        lp.enter(rows, additions[site], 1.0)
        lp.enter(rows, count, -blocks[site])


@dataclass(frozen=True, slots=True)
class Answer:
    """Values and gains of a solved program in the shapes of the problem; see `ExpansionPlan` for the axes.

    All gains are present values: ``capacity_gain`` per device-hour a day; ``power_gain``, ``limit_gain`` and
    ``build_gain`` per watt.
    """

    status: str
    objective: float
    orders: Array
    additions: Array
    served: Array
    busy: Array
    training: Array
    capacity_gain: Array
    supply_gain: Array
    power_gain: Array
    limit_gain: Array
    build_gain: Array
    budget_gain: Array
    cluster: Array


def read(program: Program, solution: Solution) -> Answer:
    """Return *solution* by name."""
    values, gain = solution.columns, np.maximum(solution.row_gain, 0.0)
    busy = np.where(program.busy >= 0, values[program.busy], 0.0)
    return Answer(
        solution.status,
        solution.objective,
        values[program.orders],
        values[program.additions],
        values[program.served],
        busy,
        values[program.training],
        gain[program.capacity],
        gain[program.supply],
        gain[program.power],
        gain[program.limit],
        np.maximum(solution.column_gain[program.additions], 0.0),
        gain[program.budget],
        np.where(program.cluster >= 0, values[program.cluster], 0.0),
    )
