"""Tracks a scenario against what came."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from jevons.errors import InputError
from jevons.facts import Facts, default_facts
from jevons.parallel import Executor
from jevons.study.draws.study import montecarlo_study
from jevons.study.scenario.scenario import Scenario
from jevons.study.track.actuals import SERIES, actuals_of_facts, actuals_of_file
from jevons.study.track.result import TrackResult
from jevons.study.track.update import reweighted


def track(
    scenario: Scenario,
    actuals: Path | str,
    *,
    draws: int = 64,
    seed: int | None = None,
    until: dt.date | None = None,
    facts: Facts | None = None,
    processes: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> TrackResult:
    """Return the scenario's forecast against actuals: of a CSV file, or ``facts``.

    Raises
    ------
    InputError
        If no actual falls into the scenario's quarters, or the file is wrong.
    """
    facts = facts or default_facts()
    every = (
        actuals_of_facts(scenario, facts, until)
        if str(actuals) == "facts"
        else actuals_of_file(Path(actuals), scenario)
    )
    labels = list(scenario.labels())
    inside = [a for a in every if a.quarter in labels]
    outside = [
        f"{a.series} of {a.quarter} lies outside the scenario's quarters." for a in every if a.quarter not in labels
    ]
    if not inside:
        message = f"--actuals {actuals}: nothing lies within {labels[0]} to {labels[-1]}, the quarters of the scenario"
        raise InputError(message)
    study = montecarlo_study(
        scenario, draws, seed=seed, executor=Executor(processes=processes), progress=progress
    )  # fmt: skip
    unknown = [a.series for a in inside if a.series not in SERIES]
    if unknown:
        message = f"--actuals {actuals}: {unknown[0]} is no series of the draws"
        raise InputError(message)
    return TrackResult(
        scenario=scenario, draws=study.draws, actuals=tuple(inside), left_out=tuple(outside),
        update=reweighted(study.draws, labels, inside),
    )  # fmt: skip
