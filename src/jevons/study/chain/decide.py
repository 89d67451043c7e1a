"""The chain of a planner who orders before the future shows."""

from __future__ import annotations

from typing import Any

from jevons.expansion import Basis, ExpansionProblem, Risk, solve_tree
from jevons.study.chain.contracts import check_contracts
from jevons.study.chain.fixed_point import ChainResult, run_chain
from jevons.study.chain.futures import Decided, decided_by, tree_of
from jevons.study.chain.operating_points import Engineering
from jevons.study.chain.planner_inputs import check_power
from jevons.study.chain.setting import setting
from jevons.study.scenario.scenario import Scenario


def decided_chain(
    scenario: Scenario, engineering: Engineering, *, start: ChainResult | None = None, **how: Any
) -> ChainResult:
    """Return the chain's central answer around orders that were made under the tree of futures.

    Parameters
    ----------
    scenario, engineering : Scenario, Engineering
        The figures.
    start : ChainResult, optional
        An answer for similar figures to begin from.
    **how
        To `run_chain`.

    Raises
    ------
    InputError
        If more devices are said to stand than the sites can feed, or contracts take more than could ever stand.

    Notes
    -----
    Demand and prices of the tree are those of a first answer whose planner sees the central path; its orders then stand
    in a second one.
    """
    check_power(scenario, engineering)
    check_contracts(scenario, setting(scenario, engineering))
    first = run_chain(scenario, engineering, start=start, **how)
    begin = None if start is None or start.decided is None else start.decided.plan.basis
    decided = decide(scenario, engineering, first.plan.problem, begin)
    if decided is None:
        return first
    return run_chain(scenario, engineering, start=first, decided=decided, **how)


def decide(
    scenario: Scenario, engineering: Engineering, problem: ExpansionProblem, begin: Basis | None = None
) -> Decided | None:
    """Return the orders made under the tree of *problem*'s futures; None for a planner of the central path."""
    terms = scenario.expansion
    if terms.decides == "central" or terms.foresight != "perfect" or terms.step != "quarter":
        return None
    if terms.training.cluster.value > 0 or problem.power.site_block_w is not None:
        return None  # whole things are decided along the central path
    tree = tree_of(scenario, engineering, problem)
    if tree is None:
        return None
    risk = Risk(weight_frac=terms.risk_weight.value, tail_frac=terms.risk_tail.value)
    return decided_by(scenario, solve_tree(tree, risk=risk, begin=begin))
