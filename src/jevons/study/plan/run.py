"""Runs a scenario from facts to value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jevons.errors import InfeasibleError
from jevons.facts import Facts, default_facts
from jevons.parallel import Executor
from jevons.study.chain.decide import decided_chain
from jevons.study.chain.operating_points import engineer
from jevons.study.chain.orders_value import orders_value_cur
from jevons.study.chain.verdict import verdict
from jevons.study.currency import name_in_ledger
from jevons.study.draws.run import monte_carlo
from jevons.study.plan.budget_lines import plan_lines
from jevons.study.plan.ledger import plan_ledger
from jevons.study.plan.result import PlanResult
from jevons.study.scenario.scenario import Scenario

Progress = Callable[[str, int, int], None]


def plan(
    scenario: Scenario,
    *,
    seed: int | None = None,
    draws: int | None = None,
    facts: Facts | None = None,
    processes: int | None = None,
    progress: Progress | None = None,
    on_draw: Callable[[Mapping[str, Any]], None] | None = None,
    file: str = "",
) -> PlanResult:
    """Return what to build, serve and charge over a scenario's quarters, what it earns, and the Jevons verdict.

    Parameters
    ----------
    scenario : Scenario
        From `load`.
    seed : int, optional
        Root of the random streams; the scenario's by default.
    draws : int, optional
        Monte Carlo draws, 0 for none; the scenario's by default.
    facts : Facts, optional
        The shipped facts by default; values after the scenario's `as_of` are invisible.
    processes : int, optional
        Worker processes for the draws; the results do not depend on it.
    progress : callable, optional
        Called with the name of the step, how much is done, and how much there is.
    on_draw : callable, optional
        Called with the outcomes and paths of each draw that has a feasible plan, as soon as it is computed.
    file : str
        Name of the scenario file, for the record.

    Returns
    -------
    PlanResult
        Tables, JSON, a labelled dataset, figures and explanations.

    Raises
    ------
    InputError
        If the scenario contradicts itself or the facts.
    InfeasibleError
        If no plan meets the limits; it names the binding ones.
    """
    facts = facts or default_facts()
    if seed is not None:
        scenario = scenario.model_copy(update={"seed": seed})
    draws = scenario.study.draws if draws is None else draws
    tell = progress or (lambda _name, _done, _total: None)
    _check_worth_planning(scenario)
    tell("serving each model on each device", 0, 1)
    engineering = engineer(scenario, facts, scenario.as_of)
    tell("market and planner", 0, 1)
    chain = decided_chain(scenario, engineering)
    tell("doubled efficiency", 0, 1)
    judged = verdict(chain, engineering)
    outcomes = None
    if draws > 0:
        outcomes = monte_carlo(
            scenario,
            engineering,
            chain,
            draws,
            seed=scenario.seed,
            executor=Executor(processes=processes),
            progress=lambda done, total: tell("draws", done, total),
            on_draw=on_draw,
        )
    added = orders_value_cur(chain)
    ledger = plan_ledger(scenario, facts, engineering, chain, judged, added)
    name_in_ledger(scenario.currency, ledger)
    return PlanResult(
        scenario=scenario,
        engineering=engineering,
        chain=chain,
        verdict=judged,
        draws=outcomes,
        ledger=ledger,
        facts=facts,
        orders_value_cur=added,
        file=file,
        lines=plan_lines(chain),
    )


def _check_worth_planning(scenario: Scenario) -> None:
    """Refuse a plan that could build nothing: no money, or no chips."""
    if scenario.expansion.budget.value * scenario.expansion.ai_share.value <= 0:
        message = "expansion.budget: there is no money to build with. Set a budget above 0."
        raise InfeasibleError(message, ["budget"])
    if all(device.supply.value <= 0 for device in scenario.hardware.devices.values()):
        message = "hardware.devices: no accelerator can be ordered. Give at least one device a `supply` above 0."
        raise InfeasibleError(message, ["chip supply"])
