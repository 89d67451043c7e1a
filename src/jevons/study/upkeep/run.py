"""Runs a check of facts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from jevons.facts import Facts
from jevons.parallel import Executor
from jevons.study.draws.study import montecarlo_study
from jevons.study.scenario.scenario import Scenario
from jevons.study.upkeep.check import conflicts, judged_facts, judged_inputs, stale
from jevons.study.upkeep.result import CheckResult


def check_facts(
    facts: Facts,
    on: dt.date | None,
    *,
    scenario: Scenario | None = None,
    outcome: str = "value_per_share",
    draws: int = 64,
    processes: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> CheckResult:
    """Return what is stale, conflicting and judged on a date, the newest publication's where none is given."""
    day = on or max(value.published for fact in facts for value in fact.values)
    judged = tuple(judged_facts(facts, day))
    if scenario is not None:
        study = montecarlo_study(scenario, draws, executor=Executor(processes=processes), progress=progress)
        judged = tuple(judged_inputs(scenario, study.draws, outcome))
    return CheckResult(
        on=day, count=len(facts), stale=tuple(stale(facts, day)), conflicts=tuple(conflicts(facts, day)),
        judgements=judged, outcome="" if scenario is None else outcome,
        scenario="" if scenario is None else scenario.name,
    )  # fmt: skip
