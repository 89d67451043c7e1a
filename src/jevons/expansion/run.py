"""Solve an expansion problem with perfect, rolling or myopic foresight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from jevons.arrays import Array
from jevons.errors import Fault, InfeasibleError, InputError, did_you_mean
from jevons.expansion._checks import check_problem
from jevons.expansion._limits import (
    binding_limits,
    check_commitments,
    explain_infeasible,
    marginal_cost,
    site_capacity_gain,
)
from jevons.expansion._lp import Basis
from jevons.expansion._program import Answer, build, read
from jevons.expansion._stages import Decisions, Start, arrivals, opening, stages
from jevons.expansion._windows import Foresight, window
from jevons.expansion.formulas import DAYS_PER_QUARTER
from jevons.expansion.types import ExpansionPlan, ExpansionProblem, Fleet, Service, Spending, Worth


def solve(
    problem: ExpansionProblem,
    *,
    foresight: Foresight = "perfect",
    window_quarters: int = 8,
    begin: Basis | None = None,
) -> ExpansionPlan:
    """Return the plan that is worth most within the problem's limits.

    Parameters
    ----------
    problem : ExpansionProblem
        Demand, devices, sites, money and limits.
    foresight : {"perfect", "rolling", "myopic"}
        ``perfect`` sees the whole horizon. ``rolling`` decides each quarter from what the next `window_quarters` bring
        and keeps only that quarter's orders. ``myopic`` does the same but expects demand, its value, device speeds,
        prices and chip supply to stay as they are; its own budget, training reserve and site limits it knows.
    window_quarters : int
        Quarters in a window, >= 1; the whole horizon for ``perfect``.
    begin : Basis, optional
        Of the plan of a similar problem, `ExpansionPlan.basis`: with perfect foresight it is several times faster from
        there, and the objective is the same.

    Returns
    -------
    ExpansionPlan
        Its objective is that of the true problem whatever the foresight. Gains per unit of budget, supply and power are
        those seen by the planner when it decided; rents and marginal costs are those of the final dispatch.

    Raises
    ------
    InputError
        If shapes, signs or ranges are wrong; all faults at once.
    InfeasibleError
        If the training reserve or the power of the standing devices cannot be met, or the plan is unbounded.
    SolverError
        If HiGHS stops without a verdict.

    Notes
    -----
    Devices are continuous. They serve until their life ends, or with `retire_early` leave where energy apart what they
    earn, and the power they hold, is worth less than what they cost to keep. A watt of site power is there in the
    quarter in which it is paid; a device `lead` quarters later. Devices in training draw power day and night.
    """
    if foresight not in get_args(Foresight):
        message = f"foresight = `{foresight}`: must be one of {', '.join(get_args(Foresight))}"
        raise InputError(message + did_you_mean(foresight, get_args(Foresight)))
    if window_quarters < 1:
        message = f"window_quarters = {window_quarters}: must be at least 1"
        raise InputError(message)
    check_problem(problem)
    check_commitments(problem)
    start = opening(problem)
    if foresight == "perfect":
        answer = optimum(problem, start, begin=begin)
        return plan_from(problem, start, answer)
    decisions, seen = _step_by_step(problem, start, foresight, window_quarters)
    return _plan(problem, start, optimum(problem, start, fixed=decisions), seen)


@dataclass(frozen=True, slots=True)
class InformationValue:
    """What seeing ahead is worth, for one problem.

    Parameters
    ----------
    perfect_cur, rolling_cur, myopic_cur : float
        Present value of the objective that each planner reaches in the true problem.
    """

    perfect_cur: float
    rolling_cur: float
    myopic_cur: float

    @property
    def whole_cur(self) -> float:
        """Gain from seeing the whole horizon over expecting things to stay as they are."""
        return self.perfect_cur - self.myopic_cur

    @property
    def beyond_window_cur(self) -> float:
        """Gain from seeing past the rolling window."""
        return self.perfect_cur - self.rolling_cur


def value_of_information(problem: ExpansionProblem, *, window_quarters: int = 8) -> InformationValue:
    """Return what three planners of different foresight reach; see `solve` for their sight and the errors."""
    problem = problem.replace(order_spread_frac=0.0)  # each decides what brings most
    ways: tuple[Foresight, ...] = ("perfect", "rolling", "myopic")
    objectives = [solve(problem, foresight=way, window_quarters=window_quarters).objective_cur for way in ways]
    return InformationValue(*objectives)


@dataclass(frozen=True, slots=True)
class RegimeValue:
    """What knowing the export regime early is worth.

    Parameters
    ----------
    names : tuple of str
        Regimes.
    probability_frac : (n,)
        Of each; sums to 1.
    objective_cur : (n, n)
        Present value where the planner orders for the regime of the row until the regime of the column shows.
    """

    names: tuple[str, ...]
    probability_frac: Array
    objective_cur: Array

    @property
    def expected_cur(self) -> Array:
        """Expected value of ordering for each regime, (n,)."""
        return np.asarray(self.objective_cur @ self.probability_frac)

    @property
    def best(self) -> str:
        """Regime to order for before the truth shows."""
        return self.names[int(self.expected_cur.argmax())]

    @property
    def information_cur(self) -> float:
        """Expected gain from knowing the regime from the start, an upper bound on what advance notice is worth."""
        return float(np.diagonal(self.objective_cur) @ self.probability_frac - self.expected_cur.max())


def export_regimes(
    problem: ExpansionProblem, regimes: Mapping[str, tuple[float, Array]], known_from: int
) -> RegimeValue:
    """Return what ordering for each export regime brings under every other.

    Parameters
    ----------
    problem : ExpansionProblem
        Everything but the supply.
    regimes : mapping of name to (probability, supply (v, t))
        Supplies that agree before *known_from*.
    known_from : int
        Quarter in which the regime shows, 1 to T - 1; orders before it are made for one of them and stay.

    Raises
    ------
    InputError
        If probabilities do not sum to one, or supplies differ before the regime shows.
    InfeasibleError
        If some regime has no plan.
    """
    _check_regimes(problem, regimes, known_from)
    problem = problem.replace(order_spread_frac=0.0)  # each decides what brings most
    cases = {name: _supplied(problem, supply) for name, (_, supply) in regimes.items()}
    start = opening(problem)
    T = len(problem.quarters)
    worth = np.zeros((len(cases), len(cases)))
    for i, believed in enumerate(cases.values()):
        check_problem(believed)
        first = optimum(believed, start)
        early = Decisions.none(problem, start.device.size)
        origin = _origin_of(start)
        _take(early, first.decisions, origin, 0, known_from)
        cash = float(_budget_left(problem, early)[known_from - 1])
        here, later_origin = _later_start(problem, start, early, known_from, T)
        for j, true in enumerate(cases.values()):
            if i == j:
                worth[i, j] = first.objective
                continue
            rest = optimum(window(true, known_from, T, cash, static=False), here)
            whole = Decisions.none(problem, start.device.size)
            _take(whole, first.decisions, origin, 0, known_from)
            _take(whole, rest.decisions, later_origin, known_from, T - known_from)
            worth[i, j] = optimum(true, start, fixed=whole).objective
    return RegimeValue(tuple(cases), np.array([p for p, _ in regimes.values()]), worth)


def _supplied(problem: ExpansionProblem, supply: Array) -> ExpansionProblem:
    """Return the problem with another supply, which frees the firm of commitments beyond it."""
    bound = problem.supply.committed_devices
    bound = None if bound is None else np.minimum(bound, supply)
    return problem.replace(supply_devices=supply, committed_devices=bound)


def _check_regimes(problem: ExpansionProblem, regimes: Mapping[str, tuple[float, Array]], known_from: int) -> None:
    faults = []
    if not 1 <= known_from < len(problem.quarters):
        message = f"{known_from}: must be in 1..{len(problem.quarters) - 1}, a quarter within the horizon"
        faults.append(Fault(message=message, path="known_from"))
    total = sum(probability for probability, _ in regimes.values())
    if abs(total - 1.0) > 1e-9 or any(probability < 0 for probability, _ in regimes.values()):
        faults.append(Fault(message=f"probabilities sum to {total:g}: must be >= 0 and sum to 1", path="regimes"))
    first: Array | None = None
    for name, (_, supply) in regimes.items():
        early = np.asarray(supply)[:, : max(known_from, 0)]
        first = early if first is None else first
        if not np.array_equal(early, first):
            faults.append(
                Fault(message=f"supply differs before quarter {known_from}: must agree", path=f"regimes.{name}")
            )
    if faults:
        raise InputError(faults)


def optimum(
    problem: ExpansionProblem, start: Start, *, fixed: Decisions | None = None, begin: Basis | None = None
) -> Answer:
    """Return the best decisions of a planner who sees all of *problem*, around those that are *fixed*."""
    program = build(problem, start, fixed=fixed)
    solution = program.lp.solve(begin)
    if solution.status != "optimal":
        raise explain_infeasible(problem, start, solution.status)
    return read(program, solution)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """Gains and binding limits as the planner saw them when it decided each quarter."""

    budget: Array
    supply: Array
    power: Array
    binding: tuple[tuple[str, ...], ...]

    @staticmethod
    def of(problem: ExpansionProblem, start: Start, answer: Answer) -> _Seen:
        left = _budget_left(problem, answer.decisions)
        draw_w = np.einsum("v,vrt->rt", problem.machines.device_w, answer.decisions.installed(answer.steps, start))
        limits = binding_limits(problem, answer, left, _site_w(start, answer.decisions), draw_w)
        return _Seen(
            budget=answer.budget_gain, supply=answer.supply_gain, power=site_capacity_gain(answer), binding=limits
        )


def _capex(problem: ExpansionProblem, decisions: Decisions) -> tuple[Array, Array]:
    devices = np.einsum("vt,vrt->t", problem.machines.capex_cur_per_device, decisions.orders)
    return devices, np.einsum("rt,rt->t", problem.power.site_capex_cur_per_w, decisions.additions)


def _site_w(start: Start, decisions: Decisions) -> Array:
    return np.asarray(start.site_w[:, None] + np.cumsum(decisions.additions, axis=1))


def _budget_left(problem: ExpansionProblem, decisions: Decisions) -> Array:
    devices, sites = _capex(problem, decisions)
    left = np.cumsum(problem.money.budget_cur - devices - sites)
    return np.maximum(left, 0.0)


def _step_by_step(
    problem: ExpansionProblem, start: Start, foresight: Literal["rolling", "myopic"], window_quarters: int
) -> tuple[Decisions, _Seen]:
    """Return what is decided, one quarter after another, and what was seen."""
    V, R, T = len(problem.devices), len(problem.sites), len(problem.quarters)
    decisions = Decisions.none(problem, start.device.size)
    budget, supply, power = np.zeros(T), np.zeros((V, T)), np.zeros((R, T))
    binding: list[tuple[str, ...]] = []
    for t in range(T):
        end = min(t + window_quarters, T)
        cash = float(_budget_left(problem, decisions)[t - 1]) if t else 0.0
        part = window(problem, t, end, cash, static=foresight == "myopic")
        here, origin = _later_start(problem, start, decisions, t, end)
        try:
            answer = optimum(part, here)
        except InfeasibleError as error:
            message = f"{foresight} foresight has no plan from {problem.quarters[t]} on: {error}"
            raise InfeasibleError(message) from error
        _take(decisions, answer.decisions, origin, t, 1)
        now = _Seen.of(part, here, answer)
        budget[t], supply[:, t], power[:, t] = now.budget[0], now.supply[:, 0], now.power[:, 0]
        binding.append(now.binding[0])
    return decisions, _Seen(budget=budget, supply=supply, power=power, binding=tuple(binding))


Origin = list[tuple[int, int]]
"""Where the groups of a later start come from: (group of the first start, -1), or (kind, step of order)."""


def _origin_of(start: Start) -> Origin:
    return [(group, -1) for group in range(start.device.size)]


def _later_start(
    problem: ExpansionProblem, start: Start, decisions: Decisions, first: int, end: int
) -> tuple[Start, Origin]:
    """Return what stands or is on its way at step *first*, for a planner that sees to step *end*.

    A device is worth at that end the share of its price that one of its age keeps at the horizon's; the opening stock
    what it is worth at the horizon's end.
    """
    edges = stages(problem).edges_quarters
    origin = _origin_of(start)
    device = start.device.tolist()
    counts = list(start.count - decisions.left[:, :, :first].sum(axis=2))
    begins, ends = (start.begins_quarters - edges[first]).tolist(), (start.ends_quarters - edges[first]).tolist()
    worth = start.terminal_cur.tolist()
    paid = problem.money.discount * problem.machines.capex_cur_per_device
    for kind, order in np.argwhere(decisions.orders[:, :, :first].sum(axis=1) > 0).tolist():
        origin.append((kind, order))
        device.append(kind)
        left = decisions.left_bought[kind, :, order, :first].sum(axis=1)
        counts.append(decisions.orders[kind, :, order] - left)
        begin = float(edges[order] + problem.machines.lead_quarters[kind] - edges[first])
        begins.append(begin)
        ends.append(begin + float(problem.machines.life_quarters[kind]))
        same_age = order + len(problem.quarters) - end
        remaining_frac = problem.machines.terminal_cur_per_device[kind, same_age] / max(paid[kind, same_age], 1e-300)
        worth.append(float(remaining_frac * paid[kind, order]))
    return Start(
        device=np.array(device, np.int64),
        count=np.maximum(np.array(counts), 0.0),
        begins_quarters=np.array(begins),
        ends_quarters=np.array(ends),
        terminal_cur=np.array(worth),
        yearly=np.array([order >= 0 or bool(start.yearly[index]) for index, order in origin]),
        site_w=start.site_w + decisions.additions[:, :first].sum(axis=1),
    ), origin


def _take(decisions: Decisions, part: Decisions, origin: Origin, first: int, count: int) -> None:
    """Write the first *count* steps of *part*, whose groups come from *origin*, into *decisions* from step *first*."""
    here, there = slice(first, first + count), slice(count)
    decisions.orders[..., here] = part.orders[..., there]
    decisions.additions[:, here] = part.additions[:, there]
    decisions.left_bought[:, :, here, here] = part.left_bought[:, :, there, there]
    for group, (index, order) in enumerate(origin):
        if order < 0:
            decisions.left[index, :, here] = part.left[group, :, there]
        else:
            decisions.left_bought[index, :, order, here] = part.left[group, :, there]


def _retired_arriving(problem: ExpansionProblem, decisions: Decisions) -> Array:
    kinds, sites, steps = len(problem.devices), len(problem.sites), len(problem.quarters)
    retired = np.zeros((kinds, sites, steps, steps))
    for group, (kind, step) in enumerate(arrivals(problem)):
        retired[kind, :, step] = decisions.left[kinds + group]
    return retired


def plan_from(problem: ExpansionProblem, start: Start, answer: Answer) -> ExpansionPlan:
    """Return an answer of the program as a plan."""
    return _plan(problem, start, answer, _Seen.of(problem, start, answer))


def posted_hours(answer: Answer) -> Array:
    """Return the device-hours a day of calls at the posted price, (s, v, r, t, k): those below it are not served."""
    if not answer.further.size:
        return answer.busy
    served, further = answer.served.sum(axis=2), answer.further.sum(axis=2)
    share = np.divide(served, served + further, out=np.ones_like(served), where=further > 0)
    return np.asarray(answer.busy * share[:, None, None, :, None])


def _plan(problem: ExpansionProblem, start: Start, answer: Answer, seen: _Seen) -> ExpansionPlan:
    steps, decisions = answer.steps, answer.decisions
    installed = decisions.installed(steps, start)
    device_capex, site_capex = _capex(problem, decisions)
    busy = posted_hours(answer)
    serving = (installed - answer.training).sum(axis=(0, 1)) * 24.0 * problem.machines.availability_frac
    used = busy.sum(axis=(0, 1, 2, 4))
    negligible = 1e-9 * max(float(installed.max(initial=0.0)), 1e-300) * 24.0
    weight = problem.money.discount * DAYS_PER_QUARTER * problem.terms.lengths(len(problem.quarters))
    rent = answer.capacity_gain / weight[None, None, :, None]
    total = installed.sum(axis=1)
    share = np.where((total > 0)[:, None], installed / np.maximum(total, 1e-300)[:, None], 1.0 / len(problem.sites))
    return ExpansionPlan(
        problem=problem,
        objective_cur=answer.objective,
        status=answer.status,
        basis=answer.basis,
        fleet=Fleet(
            ordered=decisions.orders,
            installed=installed,
            vintage=decisions.vintages(steps).sum(axis=1),
            retired_initial=decisions.left[: len(problem.devices)],
            retired_bought=decisions.left_bought,
            retired_arriving=_retired_arriving(problem, decisions),
            site_w=_site_w(start, decisions),
            training_devices=answer.training,
            it_w=np.einsum("v,vrt->t", problem.machines.device_w, installed),
            cluster=answer.cluster if problem.training.cluster_devices > 0 else None,
        ),
        service=Service(
            served_calls_per_d=answer.served,
            busy_device_h_per_d=busy,
            utilisation_frac=np.where(serving > negligible, used / np.maximum(serving, negligible), 0.0),
        ),
        spending=Spending(
            device_capex_cur=device_capex, site_capex_cur=site_capex, budget_left_cur=_budget_left(problem, decisions)
        ),
        worth=Worth(
            rent_cur_per_device_h=np.einsum("vrtk,vrt->vtk", rent, share),
            marginal_cur_per_call=marginal_cost(problem, answer),
            training_cur_per_flop_h=answer.reserve_cost / (weight * 24.0 * problem.machines.availability_frac),
            budget_dual=seen.budget,
            supply_dual_cur=seen.supply,
            power_dual_cur_per_w=seen.power,
            binding=seen.binding,
        ),
    )
