"""Runs a check of facts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from jevons.facts import Facts
from jevons.parallel import Executor
from jevons.rounding import shown_in
from jevons.study.currency import named_in
from jevons.study.draws.outcomes import OUTCOMES
from jevons.study.draws.study import montecarlo_study
from jevons.study.scenario.scenario import Scenario
from jevons.study.upkeep.check import conflicts, judged_facts, judged_inputs, stale
from jevons.study.upkeep.result import CheckResult


def _shown_unit(scenario: Scenario, outcome: str) -> str:
    """Return the unit in which an outcome is shown, in the scenario's currency and its kind of share."""
    unit: str = named_in(scenario.currency, shown_in(OUTCOMES[outcome][0])[1], scenario.firm.share)
    return unit


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
        swing_unit="" if scenario is None else _shown_unit(scenario, outcome),
    )  # fmt: skip
