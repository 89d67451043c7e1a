"""The grid of a sweep: text becomes values by path; values that cannot be meant are refused before anything runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from jevons.errors import InputError, did_you_mean
from jevons.limits import SWEEP_POINTS
from jevons.study.scenario.checks import bound_problem
from jevons.study.scenario.scenario import Scenario

Axes = Mapping[str, Sequence[float]]


def read_axes(given: Any, name: str) -> dict[str, list[float]]:
    """Return values by path, given as such or as texts ``PATH=LOW:HIGH:STEPS`` or ``PATH=A,B,C``.

    Raises
    ------
    InputError
        If a text reads otherwise, or a path is given twice.

    Examples
    --------
    >>> read_axes(["cost.wacc=0.08:0.12:3"], "set")
    {'cost.wacc': [0.08, 0.1, 0.12]}
    """
    if isinstance(given, Mapping):
        axes = {str(path): [float(v) for v in values] for path, values in given.items()}
    else:
        texts = [given] if isinstance(given, str) else list(given)
        axes = dict(_axis(str(text), name) for text in texts)
        if len(axes) < len(texts):
            message = f"--{name}: a path is given twice; give each once"
            raise InputError(message)
    return axes


def _axis(text: str, name: str) -> tuple[str, list[float]]:
    path, equals, rest = text.partition("=")
    try:
        if not equals or not path:
            raise ValueError
        if ":" not in rest:
            return path, [float(item) for item in rest.split(",")]
        low, high, steps = rest.split(":")
        count = int(steps)
        if not 1 <= count <= SWEEP_POINTS:
            raise ValueError
        first, last = float(low), float(high)
        return path, [first + (last - first) * i / max(count - 1, 1) for i in range(count)]
    except ValueError:
        message = (
            f"--{name} {text}: write PATH=LOW:HIGH:STEPS, such as finance.terminal_margin=0.1:0.25:4, or PATH=A,B,C"
        )
        raise InputError(message) from None


def check_axes(scenario: Scenario, axes: Axes) -> None:
    """Refuse unknown paths, values out of a field's bounds or in the wrong unit, and growth above the cost of capital.

    Raises
    ------
    InputError
        Naming path, value and what would be right.
    """
    points = math.prod(len(grid) for grid in axes.values())
    if points > SWEEP_POINTS:
        message = f"--set: {points:,} points; a grid has at most {SWEEP_POINTS:,}. Use fewer steps or fewer amounts."
        raise InputError(message)
    known = scenario.amounts()
    for path, grid in axes.items():
        if path not in known:
            message = f"--set {path}: no amount of the scenario has this path.{did_you_mean(path, known)}"
            raise InputError(message)
        if not len(grid) or not all(math.isfinite(value) for value in grid):
            message = f"--set {path}: needs finite values, such as 0.2:0.6:5"
            raise InputError(message)
        _check_axis(scenario, path, grid)
    _check_discounting(scenario, axes)


def _check_axis(scenario: Scenario, path: str, grid: Sequence[float]) -> None:
    amount = scenario.amounts()[path]
    for value in grid:
        if problem := bound_problem(scenario, path, value):
            message = f"--set {path}: {value:g}: {problem}"
            raise InputError(message)
    if amount.value > 0 and max(grid) > 1000 * max(amount.value, amount.high or 0.0):
        unit = "" if amount.unit == "1" else f" {amount.unit}"
        message = (
            f"--set {path}: {max(grid):g} is far from the scenario's {amount.value:g}{unit}; values are in "
            f"{unit.strip() or 'fractions or plain numbers'}"
        )
        raise InputError(message)


def _check_discounting(scenario: Scenario, axes: Axes) -> None:
    growth = max(axes.get("finance.terminal_growth", [scenario.finance.terminal_growth.value]))
    wacc = min(axes.get("cost.wacc", [scenario.cost.wacc.value]))
    if growth >= wacc and {"finance.terminal_growth", "cost.wacc"} & set(axes):
        message = (
            f"--set: finance.terminal_growth reaches {growth:g} and cost.wacc begins at {wacc:g}: growth for ever must "
            "stay below the cost of capital, or value would be infinite"
        )
        raise InputError(message)
