"""What seeing ahead is worth to the planner, and what knowing the export regime is."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from jevons.arrays import Array
from jevons.expansion import (
    ExpansionProblem,
    InformationValue,
    RegimeValue,
    TreeValue,
    export_regimes,
    tree_value,
    value_of_information,
)
from jevons.parallel import LOCAL, Executor
from jevons.study.chain.fixed_point import ChainResult
from jevons.study.chain.operating_points import Engineering
from jevons.study.chain.planner_inputs import expansion_problem
from jevons.study.chain.setting import quarter_index, setting
from jevons.study.scenario.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowing:
    """Worth of information at the demand and prices of one answer of the chain.

    Parameters
    ----------
    sight : InformationValue
        Objective with perfect, rolling and myopic foresight.
    regimes : RegimeValue or None
        Orders for each combination of export bans under every other; None where no ban can come within the plan.
    known_from : str
        Quarter in which bans show; empty for none.
    tree : TreeValue or None
        What the orders made under all futures (bans, demand, supply) bring beside those of a planner who knows which
        comes, and of one who plans for the mean; None for a planner of one future.
    """

    sight: InformationValue
    regimes: RegimeValue | None
    known_from: str
    tree: TreeValue | None = None


def knowing(
    chain: ChainResult, engineering: Engineering, *, window_quarters: int = 4, executor: Executor = LOCAL
) -> Knowing:
    """Return what foresight and knowledge of the export regime are worth.

    Parameters
    ----------
    chain : ChainResult
        Answer whose demand, prices and problem are taken as they are.
    engineering : Engineering
        Device-seconds per token.
    window_quarters : int
        Quarters that the rolling planner sees.
    executor : Executor
        Where sight and export regimes are solved, which need nothing of each other.

    Notes
    -----
    Bans are independent, with the scenario's probabilities. Those of the earliest quarter count; a ban that would come
    later stays as the scenario's central case has it.
    """
    scenario = chain.scenario
    # as it was before any order stood
    there = chain.setting.with_hour_worth(chain.exchange.hour_worth)
    problem = expansion_problem(scenario, there, engineering, chain.market, chain.inputs)
    first, chances = _bans(scenario)
    if not chances:
        sight = value_of_information(problem, window_quarters=window_quarters)
        return Knowing(sight=sight, regimes=None, known_from="", tree=_tree(chain))
    later = frozenset(
        name
        for name, device in scenario.hardware.devices.items()
        if name not in chances and device.ban_probability.value > 0.5
    )
    cases = {}
    for size in range(len(chances) + 1):
        for banned in itertools.combinations(chances, size):
            chance = 1.0
            for name, p in chances.items():
                chance *= p if name in banned else 1.0 - p
            supply = setting(scenario, engineering, banned=frozenset(banned) | later).supply
            cases[f"{', '.join(banned)} barred" if banned else "none barred"] = (chance, supply)
    shared = (problem, window_quarters, cases, first)
    sight, regimes = executor.ordered(_part, shared, ["sight", "regimes"])
    return Knowing(sight=sight, regimes=regimes, known_from=scenario.labels()[first], tree=_tree(chain))


def _tree(chain: ChainResult) -> TreeValue | None:
    """Return what knowing the future, and planning for several, are worth; None where one future was planned for."""
    decided = chain.decided
    return None if decided is None else tree_value(decided.plan.tree, decided.plan)


def _part(shared: tuple[ExpansionProblem, int, dict[str, tuple[float, Array]], int], name: str) -> Any:
    problem, window_quarters, cases, first = shared
    if name == "sight":
        return value_of_information(problem, window_quarters=window_quarters)
    return export_regimes(problem, cases, first)


def _bans(scenario: Scenario) -> tuple[int, dict[str, float]]:
    """Return the earliest quarter within the plan in which exports may be barred, and the chance by device."""
    bans = {
        name: (quarter_index(scenario, device.ban_from), device.ban_probability.value)
        for name, device in scenario.hardware.devices.items()
        if device.ban_from and device.supply.value > 0 and 0 < device.ban_probability.value < 1
    }
    inside = [at for at, _ in bans.values() if 0 < at < scenario.quarters]
    if not inside:
        return 0, {}
    return min(inside), {name: p for name, (at, p) in bans.items() if at == min(inside)}
