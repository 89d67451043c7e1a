"""Budget lines of a plan, each with its own delay and diminishing return, and the split of a budget that is worth most.

The plan of 2025-02-24 names three: infrastructure; models and native applications; upgrading the existing business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jevons.arrays import Array
from jevons.errors import Fault, InfeasibleError, InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLine:
    """What money on one line brings.

    Parameters
    ----------
    name : str
        Line.
    first_return_frac : float
        After-tax cash a year per unit of currency of the first money spent, >= 0.
    scale_cur : float
        Spending at which the return of further money has halved, > 0.
    lag_y : float
        Years from spending to the first cash, >= 0.
    life_y : float
        Years over which the cash flows, > 0; it falls on a straight line to zero.
    least_cur, most_cur : float
        Commitments that must be met, and the most that the line can take.
    """

    name: str
    first_return_frac: float
    scale_cur: float
    lag_y: float
    life_y: float
    least_cur: float = 0.0
    most_cur: float = np.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """A split of a budget.

    Parameters
    ----------
    names : tuple of str
        Lines.
    spent_cur, value_cur : (n,)
        Money on each, and its net present value.
    marginal : (n,)
        Present value that one more unit of money on the line returns, its cost not taken off; equal on all lines
        inside limits.
    unspent_cur : float
        Money that no line returns at its cost.
    """

    names: tuple[str, ...]
    spent_cur: Array
    value_cur: Array
    marginal: Array
    unspent_cur: float

    @property
    def total_value_cur(self) -> float:
        """Value of all lines together."""
        return float(self.value_cur.sum())


def line_factor(line: BudgetLine, wacc_frac: float) -> float:
    """Return the present value of a stream that starts at 1 a year and falls to zero over the line's life.

    Notes
    -----
    ``exp(-r lag) (1/r - (1 - exp(-r L)) / (r^2 L))`` with ``r = ln(1 + wacc)``; ``L / 2`` where r is 0.
    """
    rate, life = float(np.log1p(wacc_frac)), line.life_y
    if rate * life < 1e-4:
        return life / 2 * float(np.exp(-rate * (line.lag_y + life / 3)))
    stream = 1 / rate - (1 - np.exp(-rate * life)) / (rate**2 * life)
    return float(np.exp(-rate * line.lag_y) * stream)


def split_value(lines: Sequence[BudgetLine], spent_cur: Array, *, wacc_frac: float) -> Allocation:
    """Return what a given split is worth, by line.

    Parameters
    ----------
    lines : sequence of BudgetLine
        Lines.
    spent_cur : (n,)
        Money on each, at present value, >= 0.
    wacc_frac : float
        Cost of capital a year, >= 0.

    Notes
    -----
    Cash a year from spending x is ``first_return scale ln(1 + x / scale)``, so that a further currency returns
    ``first_return / (1 + x / scale)``: half at the scale.
    """
    _check(lines, wacc_frac)
    spent = np.asarray(spent_cur, float)
    if spent.shape != (len(lines),) or np.any(spent < 0):
        message = f"spent_cur = {spent.tolist()}: must be >= 0 for each of {len(lines)} lines"
        raise InputError(message)
    first, scale = _first_and_scale(lines, wacc_frac)
    value = first * scale * np.log1p(spent / scale) - spent
    return Allocation(
        names=tuple(line.name for line in lines),
        spent_cur=spent,
        value_cur=value,
        marginal=first / (1 + spent / scale),
        unspent_cur=0.0,
    )


def best_split(lines: Sequence[BudgetLine], budget_cur: float, *, wacc_frac: float) -> Allocation:
    """Return the split of a budget that is worth most; money that earns less than its cost stays unspent.

    Parameters
    ----------
    lines : sequence of BudgetLine
        Lines.
    budget_cur : float
        Money at present value, >= 0.
    wacc_frac : float
        Cost of capital a year, >= 0.

    Raises
    ------
    InputError
        With every fault of the lines.
    InfeasibleError
        If the commitments exceed the budget.

    Notes
    -----
    The returns are concave, so the lines share one marginal return (water filling), found by bisection.
    """
    _check(lines, wacc_frac)
    least = np.array([line.least_cur for line in lines])
    most = np.array([line.most_cur for line in lines])
    if least.sum() > budget_cur * (1 + 1e-12):
        message = f"commitments of {least.sum():g} exceed the budget of {budget_cur:g}; raise it or lower "
        raise InfeasibleError(message + "`least_cur`.", [f"{line.name}: {line.least_cur:g}" for line in lines])
    first, scale = _first_and_scale(lines, wacc_frac)

    def spent_at(marginal: float) -> Array:
        return np.clip(scale * (first / marginal - 1), least, most)

    wanted = spent_at(1.0)
    if wanted.sum() > budget_cur:
        low, high = 1.0, max(float(first.max()), 1.0)
        for _ in range(200):
            middle = np.sqrt(low * high)
            low, high = (middle, high) if spent_at(middle).sum() > budget_cur else (low, middle)
        wanted = spent_at(high)
    allocation = split_value(lines, wanted, wacc_frac=wacc_frac)
    unspent = max(budget_cur - float(wanted.sum()), 0.0)
    return Allocation(
        names=allocation.names,
        spent_cur=allocation.spent_cur,
        value_cur=allocation.value_cur,
        marginal=allocation.marginal,
        unspent_cur=unspent,
    )


def _first_and_scale(lines: Sequence[BudgetLine], wacc_frac: float) -> tuple[Array, Array]:
    first = np.array([line.first_return_frac * line_factor(line, wacc_frac) for line in lines])
    return first, np.array([line.scale_cur for line in lines])


def _check(lines: Sequence[BudgetLine], wacc_frac: float) -> None:
    faults = [] if lines else [Fault(message="needs at least one line", path="lines")]
    if not wacc_frac >= 0:
        faults.append(Fault(message=f"{wacc_frac:g}: must be at least 0", path="wacc_frac"))
    for line in lines:
        for field, strict in (
            ("first_return_frac", False),
            ("scale_cur", True),
            ("lag_y", False),
            ("life_y", True),
            ("least_cur", False),
        ):
            number = getattr(line, field)
            if not np.isfinite(number) or number < 0 or (strict and number == 0):
                bound = "above 0" if strict else "at least 0"
                faults.append(Fault(message=f"{number:g}: must be {bound} and finite", path=f"{line.name}.{field}"))
        if not line.most_cur >= line.least_cur:
            message = f"{line.most_cur:g}: must be at least least_cur, {line.least_cur:g}"
            faults.append(Fault(message=message, path=f"{line.name}.most_cur"))
    if faults:
        raise InputError(faults)
