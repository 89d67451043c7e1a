"""Which limits bind: in a plan, and where there is none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jevons.arrays import Array
from jevons.errors import InfeasibleError, SolverError
from jevons.expansion._program import Answer, Program, build, net_value, read
from jevons.expansion._stages import Start
from jevons.expansion.formulas import DAYS_PER_QUARTER
from jevons.expansion.types import ExpansionProblem

RESERVE = "training reserve"
"""Limit that takes hours from everything else; it keeps nobody from ordering, so callers still bound the orders."""

_NEGLIGIBLE = 1e-8
_UNMET = 1e-6


def marginal_cost(problem: ExpansionProblem, answer: Answer) -> Array:
    """Return what one more call a day costs, (s, t) [currency]: energy and rent on the cheapest device.

    In each slot the cheapest device and site count; undeferrable calls follow the slots' shares, the rest take the
    cheapest slot. Where no device can serve a segment, the value of its first block stands in.
    """
    weight = problem.money.discount * DAYS_PER_QUARTER * problem.terms.lengths(len(problem.quarters))
    rent = answer.capacity_gain / weight[None, None, :, None]
    hour = (
        problem.machines.energy_cur_per_device_h[..., None]
        + rent / problem.demand.utilisation_cap_frac[:, None, None, None, None]
    )
    able = np.isfinite(problem.machines.device_s_per_call)
    seconds = np.where(able, problem.machines.device_s_per_call, 0.0)[:, :, None, :, None]
    cost = np.where(able[:, :, None, :, None], hour * seconds / 3600.0, np.inf).min(axis=(1, 2))
    bound = (1.0 - problem.demand.deferrable_frac)[:, None] * problem.demand.slot_share_frac
    servable = np.isfinite(cost).all(axis=2)
    cost = np.where(servable[..., None], cost, 0.0)
    mixed = np.einsum("stk,sk->st", cost, bound) + problem.demand.deferrable_frac[:, None] * cost.min(axis=2)
    return np.where(servable, mixed, problem.demand.block_value_cur_per_call[:, :, 0])


def site_capacity_gain(answer: Answer) -> Array:
    """Return the gain per watt that a site may reach or add, (r, t)."""
    return answer.limit_gain + answer.build_gain


def binding_limits(
    problem: ExpansionProblem, answer: Answer, left_cur: Array, site_w: Array, draw_w: Array
) -> tuple[tuple[str, ...], ...]:
    """Return the limits that bind in each quarter, strongest first.

    A limit's strength is what the objective gains per unit times the largest value that the limit takes in any quarter,
    so a supply that was cut off counts by what it once was, and a device never on sale does not count where others are.
    A site counts in the quarters in which it stands at its limit and is full, by what its power is worth from then on.
    The training reserve counts by what the hours held for it would gain elsewhere.
    ``demand`` comes first where every call that is worth its energy is served, and stands alone where nothing else
    binds: further callers are not worth the capital.
    """
    on_sale = problem.supply.supply_devices.max(axis=1)
    reach = np.where(np.isfinite(on_sale), on_sale, 0.0) if on_sale.max() > 0 else np.ones(on_sale.size)
    spent_out = left_cur <= _NEGLIGIBLE * max(float(problem.money.budget_cur.sum()), 1.0)
    strengths: list[tuple[str, Array]] = [
        ("budget", np.where(spent_out, answer.budget_gain, 0.0) * max(float(problem.money.budget_cur.max()), 1.0))
    ]
    strengths += [(f"chip supply: {name}", answer.supply_gain[v] * reach[v]) for v, name in enumerate(problem.devices)]
    for r, site in enumerate(problem.sites):
        most = problem.power.site_limit_w[r] * (1 - _NEGLIGIBLE)
        full = np.where((site_w[r] >= most) & (draw_w[r] >= most), problem.power.site_limit_w[r].max(), 0.0)
        strengths.append((f"site power: {site}", np.cumsum(answer.power_gain[r][::-1])[::-1] * full))
        rate = problem.power.site_build_w_per_quarter[r]
        strengths.append((f"build rate: {site}", answer.build_gain[r] * (max(rate, 1.0) if np.isfinite(rate) else 0.0)))
    held_h = answer.training[..., None] * (problem.demand.slot_h_per_d * problem.machines.availability_frac)
    strengths.append((RESERVE, (held_h * answer.capacity_gain).sum(axis=(0, 1, 3))))
    least = _NEGLIGIBLE * max(
        abs(answer.objective), float((problem.money.discount * problem.money.budget_cur).sum()), 1.0
    )
    sated = _all_served(problem, answer)
    quarters = []
    for t in range(len(problem.quarters)):
        strong = sorted(((-float(s[t]), i, name) for i, (name, s) in enumerate(strengths) if s[t] > least))
        names = [name for _, _, name in strong]
        if sated[t] or not set(names) - {RESERVE}:
            names.insert(0, "demand")
        quarters.append(tuple(names))
    return tuple(quarters)


def _all_served(problem: ExpansionProblem, answer: Answer) -> NDArray[np.bool_]:
    """Return the quarters in which no call is left that would pay its energy on some device."""
    able = np.isfinite(problem.machines.device_s_per_call)
    seconds = np.where(able, problem.machines.device_s_per_call, 0.0)[:, :, None, :]
    energy = seconds * problem.machines.energy_cur_per_device_h[None] / 3600.0
    energy = np.where(able[:, :, None, :], energy, np.inf).min(axis=(1, 2))
    wanted = net_value(problem) > energy[:, :, None]
    calls = problem.demand.block_calls_per_d
    scale = np.maximum(calls.sum(axis=(0, 2)), 1e-300)
    unmet = np.where(wanted, calls - answer.served, 0.0) / np.maximum(calls.sum(axis=2), 1e-300)[:, :, None]
    sated = (unmet.sum(axis=2) < _UNMET).all(axis=0) & (scale > 0)
    value, more = problem.demand.further_value_cur_per_call, problem.demand.further_calls_per_d
    if value is not None and more is not None:  # hours that would find a use below the posted price are not idle
        left = np.where(value > energy[:, :, None], more - answer.further, 0.0).sum(axis=2)
        sated &= (left / np.maximum(calls.sum(axis=2), 1e-300) < _UNMET).all(axis=0)
    return np.asarray(sated)


def check_commitments(problem: ExpansionProblem) -> None:
    """Raise `InfeasibleError` where the money released by a quarter does not pay for the devices committed to."""
    if problem.supply.committed_devices is None:
        return
    owed = np.cumsum((problem.supply.committed_devices * problem.machines.capex_cur_per_device).sum(axis=0))
    released = np.cumsum(problem.money.budget_cur)
    short = np.nonzero(owed > released * (1 + 1e-9) + 1e-6)[0]
    if short.size:
        t = int(short[0])
        message = (
            f"commitments: devices that must be ordered by {problem.quarters[t]} cost {owed[t]:,.4g}, and "
            f"{released[t]:,.4g} of budget are released by then; lower the commitments or release money earlier."
        )
        raise InfeasibleError(message, ["budget", "commitments"])


def explain_infeasible(problem: ExpansionProblem, start: Start, status: str) -> InfeasibleError | SolverError:
    """Return the error that says what cannot be met, by how much, and which limits stand in the way.

    The program is solved again with shortfalls allowed in the training reserve and in site power, and their sum, each
    relative to its size, as the only cost; the limits whose relaxation would lower it are the ones that bind.
    """
    program = build(problem, start)
    lp, units, problem = program.lp, program.units, program.problem
    lp.drop_gains()
    quarters = len(problem.quarters)
    cost = units.money
    peak_flop = max(float(problem.training.training_flop_per_s.max()), units.flop * _UNMET)
    short_flop = lp.columns((quarters,), gain=-cost / peak_flop, unit=units.flop)
    lp.enter(program.rows.reserve, short_flop, 1.0)
    short_w = lp.columns((len(problem.sites), quarters), gain=-cost / units.watts, unit=units.watts)
    lp.enter(program.rows.power, short_w, -1.0)
    solution = lp.solve()
    if solution.status != "optimal":
        return SolverError(f"HiGHS: {status}, and {solution.status} with all shortfalls allowed")
    flop, watts = solution.columns[short_flop], solution.columns[short_w]
    faults = []
    if flop.max() > _UNMET * peak_flop:
        faults.append(_reserve_message(problem, flop))
    if watts.max() > _UNMET * units.watts:
        r, t = (int(i) for i in np.unravel_index(int(watts.argmax()), watts.shape))
        faults.append(
            f"site power: the devices that stand at {problem.sites[r]} in {problem.quarters[t]} draw "
            f"{watts[r, t] / 1e6:.4g} MW more than the site can have by then; raise its power or move devices elsewhere"
        )
    if not faults:
        return _unbounded(problem, status)
    return InfeasibleError("; ".join(faults) + ".", _names(program, read(program, solution)))


def _reserve_message(problem: ExpansionProblem, short: Array) -> str:
    t = int(short.argmax())
    need = float(problem.training.training_flop_per_s[t])
    best = int(problem.machines.device_flop_per_s.argmax())
    count = (
        short[t] / problem.machines.device_flop_per_s[best]
        if problem.machines.device_flop_per_s[best] > 0
        else float("inf")
    )
    return (
        f"training reserve: {problem.quarters[t]} asks for {need:.4g} flop/s and at most {need - short[t]:.4g} can be "
        f"installed (short by {100 * short[t] / need:.3g} % of it, {count:,.0f} {problem.devices[best]}); raise "
        "budget, chip supply or site power, or lower the reserve"
    )


def _names(program: Program, answer: Answer) -> list[str]:
    """Return the limits with a gain in the relaxed program, with the quarters they bind in."""
    problem, quarters = program.problem, program.problem.quarters[: program.steps.decided]
    least = _NEGLIGIBLE * program.units.money
    rows: list[tuple[str, Array]] = [("budget", answer.budget_gain * program.units.money)]
    supply = answer.supply_gain * program.units.devices
    rows += [(f"chip supply: {name}", supply[v]) for v, name in enumerate(problem.devices)]
    for r, site in enumerate(problem.sites):
        rows.append((f"site power: {site}", answer.limit_gain[r] * program.units.watts))
        rows.append((f"build rate: {site}", answer.build_gain[r] * program.units.watts))
    named = []
    for name, gain in rows:
        at = np.nonzero(gain > least)[0]
        if at.size:
            last = f" to {quarters[at[-1]]}" if at.size > 1 else ""
            named.append(f"{name} {quarters[at[0]]}{last}")
    return named or ["lead time"]


def _unbounded(problem: ExpansionProblem, status: str) -> InfeasibleError | SolverError:
    """Name the devices that cost nothing, have no supply limit and are worth something at the end."""
    gain = problem.machines.terminal_cur_per_device - problem.money.discount * problem.machines.capex_cur_per_device
    free = (problem.machines.capex_cur_per_device <= 0) & np.isinf(problem.supply.supply_devices) & (gain > 0)
    names = [f"chip supply: {name}" for v, name in enumerate(problem.devices) if free[v].any()]
    if not names and problem.power.site_terminal_cur_per_w is not None:
        free = (problem.power.site_capex_cur_per_w <= 0) & np.isinf(problem.power.site_limit_w)
        free &= problem.power.site_terminal_cur_per_w > 0
        names = [f"site power: {name}" for r, name in enumerate(problem.sites) if free[r].any()]
    if not names:
        return SolverError(f"HiGHS: {status}, though every reserve can be met")
    message = "the plan is unbounded: something free and unlimited has a terminal value; give it a price or a limit."
    return InfeasibleError(message, names)
