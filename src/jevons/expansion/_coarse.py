"""Problems whose later quarters are joined into longer steps, so that a tree of them stays small."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jevons.arrays import Array
from jevons.errors import InputError
from jevons.expansion._windows import TIME_AXIS
from jevons.expansion.types import ExpansionProblem

_SUMMED = frozenset({"budget_cur", "supply_devices"})
_OPTIONAL = ("site_terminal_cur_per_w", "cluster_cur_per_quarter")
_SUMMED_OPTIONAL = ("committed_devices", "arriving_devices")


def joined_quarters(problem: ExpansionProblem, counts: Sequence[int]) -> ExpansionProblem:
    """Return *problem* with its steps joined in groups of *counts*.

    Rates, prices and values of a group are the means of its steps; money, supply, arrivals and commitments their sums.
    What is ordered in a group is ordered in its middle on average.

    Raises
    ------
    InputError
        If the counts do not sum to the steps of the problem, or it is in groups already.
    """
    steps = len(problem.quarters)
    if sum(counts) != steps or min(counts, default=0) < 1 or problem.terms.lengths_quarters is not None:
        message = f"counts {tuple(counts)}: must be at least 1 each and sum to the {steps} steps of the problem"
        raise InputError(message)
    ends = np.cumsum(counts)
    firsts = ends - np.array(counts)

    def grouped(array: Array, axis: int, *, summed: bool) -> Array:
        totals = np.add.reduceat(array, firsts, axis=axis)
        if summed:
            return np.asarray(totals)
        shape = [1] * totals.ndim
        shape[axis] = len(counts)
        return np.asarray(totals / np.array(counts, float).reshape(shape))

    names = problem.quarters
    parts: dict[str, Any] = {
        "quarters": tuple(
            names[a] if b == a + 1 else f"{names[a]} to {names[b - 1]}" for a, b in zip(firsts, ends, strict=True)
        ),
        "lengths_quarters": tuple(float(c) * problem.terms.step_quarters for c in counts),
    }
    for name, axis in TIME_AXIS.items():
        if problem.field(name) is None:
            continue
        parts[name] = grouped(problem.field(name), axis, summed=name in _SUMMED)
    parts["terminal_cur_per_device"] = grouped(problem.machines.terminal_cur_per_device, 1, summed=False)
    if problem.opening.arriving_terminal_cur_per_device is not None:
        worth = problem.opening.arriving_terminal_cur_per_device
        parts["arriving_terminal_cur_per_device"] = grouped(worth, 1, summed=False)
    for name in (*_OPTIONAL, *_SUMMED_OPTIONAL):
        array = problem.field(name)
        if array is not None:
            parts[name] = grouped(np.asarray(array), array.ndim - 1, summed=name in _SUMMED_OPTIONAL)
    return problem.replace(**parts)
