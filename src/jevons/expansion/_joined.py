"""Programs of the branches of a tree joined into one: what cannot be told apart is decided once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jevons.arrays import Array
from jevons.expansion._lp import Basis, Index, LinearProgram, Parts, Solution
from jevons.expansion._program import Program
from jevons.expansion._stages import Decisions

_COLUMNS: dict[str, int] = {
    "orders": 2, "tranches": 1, "additions": 1, "served": 1, "further": 1, "busy": 3, "training": 2, "left": 2,
    "left_bought": 3,
}  # fmt: skip
"""Axis of time of each kind of column; a bought device leaves in the step of the last axis."""
_DECIDED = ("orders", "additions", "left", "left_bought")
_DATA = {
    "tranches": ("supply_devices",),
    "served": ("block_calls_per_d", "block_value_cur_per_call"),
    "further": ("block_calls_per_d", "block_value_cur_per_call"),
    "busy": ("device_s_per_call",),
    "training": ("training_flop_per_s",),
}  # fmt: skip
_DATA_AXIS = {
    "supply_devices": 1, "block_calls_per_d": 1, "block_value_cur_per_call": 1, "device_s_per_call": 2,
    "training_flop_per_s": 0,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """How a planner weighs the worst branches.

    Parameters
    ----------
    weight_frac : float
        Weight of the mean of the worst outcomes, in 0..1; the rest is that of the expectation. 0 is risk-neutral.
    tail_frac : float
        Probability of the outcomes that count as worst, above 0 and at most 1.
    """

    weight_frac: float = 0.0
    tail_frac: float = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedSolution:
    """What the joined program found, for each branch as if it had been alone.

    Parameters
    ----------
    status : str
        The solver's word.
    solutions : tuple of Solution
        Columns of each branch; gains are those per unit of the branch's own probability.
    objective : float
        Value of the maximum, risk counted.
    basis : Basis or None
        Where to begin a similar tree.
    size : tuple of int
        Columns and rows that were solved.
    """

    status: str
    solutions: tuple[Solution, ...]
    objective: float
    basis: Basis | None
    size: tuple[int, int]


def solve_joined(
    programs: Sequence[Program],
    probability_frac: Array,
    groups: NDArray[np.int64],
    risk: Risk,
    *,
    fixed: Decisions | None = None,
    hold_steps: int = 0,
    begin: Basis | None = None,
) -> JoinedSolution:
    """Return the best decisions for all branches together.

    Parameters
    ----------
    programs : sequence of Program
        One for each branch, of the same shape.
    probability_frac : (n,)
        Of each branch.
    groups : (n, t)
        Branches with the same number in a step cannot be told apart in it.
    risk : Risk
        Weight of the worst branches.
    fixed : Decisions, optional
        Decisions that stand in the first *hold_steps* steps.
    hold_steps : int
        How many steps those are.
    begin : Basis, optional
        Of a similar tree.
    """
    parts = [program.lp.parts() for program in programs]
    lp = LinearProgram(max(program.lp.objective_unit for program in programs))
    maps = _maps(programs, groups)
    bounds = [(part.lower.copy(), part.upper.copy()) for part in parts]
    if fixed is not None:
        for program, (lower, upper) in zip(programs, bounds, strict=True):
            _hold(program, fixed, hold_steps, lower, upper)
    _columns(lp, parts, maps, bounds, probability_frac, risk)
    rows = _rows(lp, parts, maps)
    gain = [part.gain for part in parts]
    shortfall = _worst(lp, maps, gain, probability_frac, risk)
    solution = lp.solve(begin)
    size = (lp.column_count, lp.row_count)
    if solution.status != "optimal":
        nothing = tuple(solution for _ in programs)
        return JoinedSolution(
            status=solution.status, solutions=nothing, objective=float("nan"), basis=None, size=size
        )  # fmt: skip
    weight = (1.0 - risk.weight_frac) * probability_frac
    if shortfall is not None:
        weight = weight + np.maximum(-solution.row_gain[shortfall], 0.0)
    return JoinedSolution(
        status=solution.status,
        solutions=_by_branch(solution, gain, maps, rows, weight),
        objective=solution.objective,
        basis=solution.basis,
        size=size,
    )


def _maps(programs: Sequence[Program], groups: NDArray[np.int64]) -> list[Index]:
    """Return the joined number of each column of each branch: those of columns that branches share are the same."""
    maps: list[Index] = []
    count = 0
    for branch in range(len(programs)):
        numbers = _shared(programs, maps, groups, branch)
        new = numbers < 0
        numbers[new] = count + np.arange(int(new.sum()))
        count += int(new.sum())
        maps.append(numbers)
    return maps


def _columns(
    lp: LinearProgram, parts: Sequence[Parts], maps: list[Index], bounds: Sequence[tuple[Array, Array]],
    probability_frac: Array, risk: Risk,
) -> None:  # fmt: skip
    """Add the joined columns: within the bounds of all branches, with their gains by probability."""
    whole = max(int(numbers.max()) for numbers in maps) + 1
    lower, upper = np.full(whole, -np.inf), np.full(whole, np.inf)
    gains, leans, units = np.zeros(whole), np.zeros(whole), np.ones(whole)
    for part, numbers, (low, high) in reversed(list(zip(parts, maps, bounds, strict=True))):
        lower[numbers] = np.maximum(lower[numbers], low)
        upper[numbers] = np.minimum(upper[numbers], high)
        units[numbers] = part.unit  # the first branch that has a column gives its unit
    for part, numbers, chance in zip(parts, maps, probability_frac, strict=True):
        np.add.at(gains, numbers, (1.0 - risk.weight_frac) * chance * part.gain)
        np.add.at(leans, numbers, chance * part.lean)
    lp.columns((whole,), lower=lower, upper=upper, gain=gains, lean=leans, unit=units)


def _by_branch(
    solution: Solution, gain: list[Array], maps: list[Index], rows: list[Index], weight: Array
) -> tuple[Solution, ...]:
    """Return the solution of each branch; a gain of what branches share is per unit of the *weight* of them all."""
    by_row, by_column = np.zeros(solution.row_gain.size), np.zeros(solution.column_gain.size)
    for branch, (numbers, places) in enumerate(zip(maps, rows, strict=True)):
        by_row[np.unique(places)] += weight[branch]
        by_column[np.unique(numbers)] += weight[branch]
    return tuple(
        Solution(
            status=solution.status,
            objective=float(gain[branch] @ solution.columns[numbers]),
            columns=solution.columns[numbers],
            row_gain=solution.row_gain[places] / np.maximum(by_row[places], 1e-12),
            column_gain=solution.column_gain[numbers] / np.maximum(by_column[numbers], 1e-12),
        )
        for branch, (numbers, places) in enumerate(zip(maps, rows, strict=True))
    )


def _shared(programs: Sequence[Program], maps: list[Index], groups: NDArray[np.int64], branch: int) -> Index:
    """Return the joined number of each column of a branch that an earlier one has too; -1 of those it does not."""
    program = programs[branch]
    numbers = np.full(program.lp.column_count, -1, np.int64)
    steps = groups.shape[1]
    for earlier in range(branch):
        same = groups[earlier] == groups[branch]
        if not same.any():
            continue
        other = programs[earlier]
        for name, axis in _COLUMNS.items():
            mine, theirs = getattr(program.columns, name), getattr(other.columns, name)
            agree = same.copy()
            for field in _DATA.get(name, ()):
                a, b = program.problem.field(field), other.problem.field(field)
                axis_of = _DATA_AXIS[field]
                agree &= np.array([np.array_equal(a.take(t, axis_of), b.take(t, axis_of)) for t in range(steps)])
            at = np.flatnonzero(agree)
            here, there = mine.take(at, axis).ravel(), theirs.take(at, axis).ravel()
            both = (here >= 0) & (there >= 0)
            free = both & (numbers[np.maximum(here, 0)] < 0)
            numbers[here[free]] = maps[earlier][there[free]]
    return numbers


def _hold(program: Program, fixed: Decisions, steps: int, lower: Array, upper: Array) -> None:
    given = {
        "orders": fixed.orders, "additions": fixed.additions, "left": fixed.left, "left_bought": fixed.left_bought,
    }  # fmt: skip
    for name in _DECIDED:
        columns = getattr(program.columns, name)[..., :steps]
        values = given[name][..., :steps]
        if name == "left_bought":
            columns, values = columns[:, :, :steps], values[:, :, :steps]
        there = columns >= 0
        lower[columns[there]] = upper[columns[there]] = values[there]


def _rows(lp: LinearProgram, parts: Sequence[Parts], maps: list[Index]) -> list[Index]:
    """Add the rows of all branches, those that say the same once, and return their joined numbers."""
    lower = np.concatenate([part.row_lower for part in parts])
    upper = np.concatenate([part.row_upper for part in parts])
    unit = np.concatenate([part.row_unit for part in parts])
    counts = [part.row_lower.size for part in parts]
    offsets = np.cumsum([0, *counts[:-1]])
    row = np.concatenate([part.row + o for part, o in zip(parts, offsets, strict=True)])
    column = np.concatenate([m[part.column] for part, m in zip(parts, maps, strict=True)])
    number = np.concatenate([part.number for part in parts])
    order = np.lexsort((column, row))
    row, column, number = row[order], column[order], number[order]
    total = int(sum(counts))
    marks = np.stack([_mark(column, 1), _mark(column, 2)])
    sums = np.stack([np.bincount(row, weights=number * mark, minlength=total) for mark in marks])
    finite = [np.where(np.isfinite(a), a, np.sign(a) * 1e300) for a in (lower, upper)]
    key = np.stack([*sums, *finite], axis=1)
    _, first, joined = np.unique(key, axis=0, return_index=True, return_inverse=True)
    joined = joined.ravel()
    # rows in the order in which they first appear, so that the program does not depend on hashes
    rank = np.argsort(np.argsort(first, kind="stable"), kind="stable")
    places, keep = rank[joined], np.sort(first)
    lp.rows((keep.size,), lower=lower[keep], upper=upper[keep], unit=unit[keep])
    is_used = np.zeros(total, bool)
    is_used[keep] = True
    inside = is_used[row]
    lp.enter(places[row[inside]], column[inside], number[inside])
    return [places[o : o + c] for o, c in zip(offsets, counts, strict=True)]


def _mark(column: Index, salt: int) -> Array:
    """Return a number for each column by which rows are told apart."""
    mixed = (column.astype(np.uint64) + np.uint64(salt * 7919)) * np.uint64(0x9E3779B97F4A7C15)
    return np.asarray((mixed >> np.uint64(11)).astype(float) / 2.0**53 + 0.5)


def _worst(
    lp: LinearProgram, maps: list[Index], gain: list[Array], probability_frac: Array, risk: Risk
) -> Index | None:
    """Count the mean of the worst outcomes: ``eta - E[shortfall below eta] / tail``; None where nobody minds it."""
    if risk.weight_frac <= 0:
        return None
    unit = lp.objective_unit
    eta = lp.columns((1,), lower=-np.inf, gain=risk.weight_frac, unit=unit)
    short = lp.columns((len(maps),), gain=-risk.weight_frac * probability_frac / risk.tail_frac, unit=unit)
    rows = lp.rows((len(maps),), lower=0.0, unit=unit)  # outcome + shortfall - eta >= 0
    lp.enter(rows, short, 1.0)
    lp.enter(rows, np.broadcast_to(eta, rows.shape), -1.0)
    for branch, numbers in enumerate(maps):
        lp.enter(np.full(numbers.size, rows[branch]), numbers, gain[branch])
    return rows
