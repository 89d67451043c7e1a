"""Studies of a scenario: the central answer first, then draws, a grid, or each uncertain amount at its ends."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from jevons.errors import InputError, did_you_mean
from jevons.facts import default_facts
from jevons.parallel import Executor
from jevons.study.chain.decide import decided_chain
from jevons.study.chain.fixed_point import ChainResult
from jevons.study.chain.operating_points import Engineering, engineer
from jevons.study.chain.planner_inputs import check_power
from jevons.study.draws.grid import Axes, check_axes
from jevons.study.draws.result import StudyResult
from jevons.study.draws.run import Draws, evaluate, monte_carlo, sweep
from jevons.study.draws.sensitivity import SensitivityResult, swings
from jevons.study.scenario.scenario import Scenario

Progress = Callable[[str, int, int], None]


def montecarlo_study(scenario: Scenario, draws: int, *, seed: int | None = None, **how: Any) -> StudyResult:
    """Return the study of *draws* correlated draws; *how* is that of `_run`."""
    root = scenario.seed if seed is None else seed
    drawn = _run(scenario, lambda e, base, **rest: monte_carlo(scenario, e, base, draws, seed=root, **rest), **how)
    return StudyResult(scenario=scenario, draws=drawn, random=True, seed=root)


def sweep_study(scenario: Scenario, axes: Axes, **how: Any) -> StudyResult:
    """Return the study of a grid; *how* is that of `_run`."""
    check_axes(scenario, axes)

    def run(engineering: Engineering, base: ChainResult, **rest: Any) -> Draws:
        _check_powers(scenario, engineering, axes)
        return sweep(scenario, engineering, base, axes, **rest)

    return StudyResult(scenario=scenario, draws=_run(scenario, run, **how), random=False)


def _check_powers(scenario: Scenario, engineering: Engineering, axes: Axes) -> None:
    """Refuse a grid any point of which has more devices standing than its sites feed.

    A draw from ranges leaves out what its sites cannot feed; a point of a grid is meant as it stands.

    Raises
    ------
    InputError
        As `jevons.study.chain.planner_inputs.check_power` says.
    """
    sized = {path: grid for path, grid in axes.items() if path.endswith((".installed", ".power"))}
    for point in itertools.product(*sized.values()):
        check_power(scenario.with_numbers(dict(zip(sized, point, strict=True))), engineering)


def sensitivity_study(scenario: Scenario, outcome: str, prefix: str = "", **how: Any) -> SensitivityResult:
    """Return how an outcome moves with each uncertain amount whose path begins with *prefix*, the others held.

    Raises
    ------
    InputError
        If no uncertain amount has such a path.
    InfeasibleError
        If the central answer has no feasible plan.
    """
    amounts = {path: a for path, a in scenario.amounts().items() if a.uncertain and path.startswith(prefix)}
    if not amounts:
        every = [path for path, a in scenario.amounts().items() if a.uncertain]
        message = f"--inputs {prefix}: no uncertain amount has a path that begins so.{did_you_mean(prefix, every)}"
        raise InputError(message)
    names = tuple(amounts)
    rows = [np.array([a.value for a in amounts.values()])]
    for column, amount in enumerate(amounts.values()):
        for end in (amount.low, amount.high):
            row = rows[0].copy()
            row[column] = end
            rows.append(row)
    values = np.stack(rows)
    about = {"kind": "sensitivity", "names": list(names)}
    evaluated = _run(
        scenario, lambda e, base, **rest: evaluate(scenario, e, base, names, values, about=about, **rest), **how
    )
    return SensitivityResult(
        scenario=scenario, outcome=outcome, draws=evaluated, swings=swings(evaluated, amounts, outcome)
    )  # fmt: skip


def _run(
    scenario: Scenario,
    run: Callable[..., Draws],
    *,
    executor: Executor | None = None,
    store: Path | str | None = None,
    progress: Progress | None = None,
) -> Draws:
    """Return what *run* makes of the modelled device-seconds and the central answer, with progress and a store."""
    tell = progress or (lambda _step, _done, _total: None)
    tell("serving each model on each device", 0, 1)
    engineering: Engineering = engineer(scenario, default_facts(), scenario.as_of)
    tell("market and planner", 0, 1)
    base: ChainResult = decided_chain(scenario, engineering)
    return run(
        engineering, base, executor=executor, store=store, progress=lambda done, total: tell("draws", done, total)
    )
