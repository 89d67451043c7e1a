"""Decide under a tree of futures: orders are made before it shows which branch comes, and corrected after."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jevons.arrays import Array
from jevons.errors import Fault, InfeasibleError, InputError
from jevons.expansion._checks import check_problem
from jevons.expansion._joined import JoinedSolution, Risk, solve_joined
from jevons.expansion._limits import check_commitments
from jevons.expansion._lp import Basis
from jevons.expansion._program import build, read
from jevons.expansion._stages import Decisions, opening
from jevons.expansion._windows import TIME_AXIS
from jevons.expansion.run import optimum, plan_from
from jevons.expansion.types import ExpansionPlan, ExpansionProblem

_SUM = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One future.

    Parameters
    ----------
    name : str
        What comes.
    probability_frac : float
        That it does.
    problem : ExpansionProblem
        The planner's problem if it does.
    """

    name: str
    probability_frac: float
    problem: ExpansionProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """Futures, and when the planner can tell them apart.

    Parameters
    ----------
    branches : tuple of Branch
        All futures; probabilities sum to 1.
    groups : (n, t)
        In each step, futures with the same number cannot be told apart by then; they never come together again.
    """

    branches: tuple[Branch, ...]
    groups: NDArray[np.int64]

    @property
    def probability_frac(self) -> Array:
        """Of each branch, (n,)."""
        return np.array([branch.probability_frac for branch in self.branches])

    @property
    def known_from(self) -> int:
        """First step in which some branches can be told apart; decisions before it are the same in all."""
        apart = (self.groups != self.groups[0]).any(axis=0)
        return int(np.argmax(apart)) if apart.any() else self.groups.shape[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class TreePlan:
    """What to order now, and what in each branch.

    Parameters
    ----------
    tree : Tree
        The futures.
    plans : tuple of ExpansionPlan
        Of each branch: the same where branches cannot be told apart. Gains are those in the branch.
    value_cur : (n,)
        Present value of the objective in each branch.
    risk : Risk
        Weight of the worst branches.
    basis : Basis, optional
        Where to begin a similar tree.
    size : tuple of int
        Columns and rows of the program.
    """

    tree: Tree
    plans: tuple[ExpansionPlan, ...]
    value_cur: Array
    risk: Risk
    basis: Basis | None = None
    size: tuple[int, int] = (0, 0)

    @property
    def expected_cur(self) -> float:
        """Expectation of the objective."""
        return float(self.value_cur @ self.tree.probability_frac)

    @property
    def worst_cur(self) -> float:
        """Mean of the objective over the worst outcomes, `Risk.tail_frac` of all (CVaR)."""
        return worst_mean(self.value_cur, self.tree.probability_frac, self.risk.tail_frac)

    @property
    def now(self) -> Array:
        """Orders that are the same in all branches, (v, r, t) up to the first step that tells any apart."""
        return self.plans[0].fleet.ordered[..., : self.tree.known_from]


def worst_mean(value_cur: Array, probability_frac: Array, tail_frac: float) -> float:
    """Return the mean of the lowest values that together have probability *tail_frac*."""
    order = np.argsort(value_cur, kind="stable")
    taken = np.diff(np.minimum(np.cumsum(probability_frac[order]), tail_frac), prepend=0.0)
    return float(taken @ value_cur[order] / max(float(taken.sum()), 1e-300))


def independent(
    axes: Sequence[Sequence[tuple[str, float]]], shows_in: Sequence[int], steps: int
) -> tuple[list[tuple[tuple[int, ...], str, float]], NDArray[np.int64]]:
    """Return the combinations of independent events, and when each can be told from the others.

    Parameters
    ----------
    axes : sequence of sequences of (name, probability)
        Outcomes of each event.
    shows_in : sequence of int
        Step in which each event's outcome shows.
    steps : int
        Steps of the problem.

    Returns
    -------
    (outcome of each event, name, probability) of each combination, and groups (n, steps)
    """
    combined = []
    for chosen in itertools.product(*(range(len(axis)) for axis in axes)):
        names = [axis[i][0] for axis, i in zip(axes, chosen, strict=True)]
        chance = float(np.prod([axis[i][1] for axis, i in zip(axes, chosen, strict=True)]))
        combined.append((chosen, ", ".join(name for name in names if name), chance))
    groups = np.zeros((len(combined), steps), np.int64)
    for t in range(steps):
        seen: dict[tuple[int, ...], int] = {}
        for row, (chosen, _, _) in enumerate(combined):
            known = tuple(i if t >= at else -1 for i, at in zip(chosen, shows_in, strict=True))
            groups[row, t] = seen.setdefault(known, len(seen))
    return combined, groups


def solve_tree(
    tree: Tree,
    *,
    risk: Risk | None = None,
    begin: Basis | None = None,
    fixed: ExpansionPlan | None = None,
) -> TreePlan:
    """Return the decisions that are worth most over the tree.

    Parameters
    ----------
    tree : Tree
        Futures with their probabilities.
    risk : Risk, optional
        Weight of the worst outcomes; the expectation alone by default.
    begin : Basis, optional
        Of a similar tree.
    fixed : ExpansionPlan, optional
        Plan whose decisions stand until branches can be told apart; only what follows is then chosen.

    Raises
    ------
    InputError
        If probabilities do not sum to one, branches differ in shape or meet again, or the risk is out of range.
    InfeasibleError
        If some branch has no plan.

    Notes
    -----
    The extensive form: each branch has the columns of its own problem, and columns of steps in which it cannot be told
    from another are that other's. Risk aversion maximises ``(1 - w) E[V] + w CVaR(V)`` (Rockafellar and Uryasev 2000,
    Optimization of conditional value-at-risk), which is linear.
    """
    risk = risk or Risk()
    check_tree(tree, risk)
    starts = [opening(branch.problem) for branch in tree.branches]
    programs = [build(branch.problem, start) for branch, start in zip(tree.branches, starts, strict=True)]
    decided = None if fixed is None else _decisions_of(fixed)
    solution: JoinedSolution = solve_joined(
        programs, tree.probability_frac, tree.groups, risk, fixed=decided, hold_steps=tree.known_from, begin=begin
    )
    if solution.status != "optimal":
        for branch, start in zip(tree.branches, starts, strict=True):
            optimum(branch.problem, start)  # says what cannot be met, if it is that branch
        message = f"the tree has no plan ({solution.status}): what is decided before branches show breaks a later limit"
        raise InfeasibleError(message)
    plans = tuple(
        plan_from(branch.problem, start, read(program, part))
        for branch, start, program, part in zip(tree.branches, starts, programs, solution.solutions, strict=True)
    )
    return TreePlan(
        tree=tree,
        plans=plans,
        value_cur=np.array([part.objective for part in solution.solutions]),
        risk=risk,
        basis=solution.basis,
        size=solution.size,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeValue:
    """What knowing the future, and planning for more than one, are worth.

    Parameters
    ----------
    wait_and_see_cur : float
        Expected objective of a planner who knows the branch from the start.
    here_and_now_cur : float
        That of one who decides under the tree.
    expected_future_cur : float
        That of one who orders for the mean future until branches show.
    """

    wait_and_see_cur: float
    here_and_now_cur: float
    expected_future_cur: float

    @property
    def information_cur(self) -> float:
        """Expected value of perfect information, >= 0."""
        return self.wait_and_see_cur - self.here_and_now_cur

    @property
    def stochastic_cur(self) -> float:
        """Value of the stochastic solution, >= 0: gain from planning for the tree rather than for its mean."""
        return self.here_and_now_cur - self.expected_future_cur


def tree_value(tree: Tree, plan: TreePlan | None = None) -> TreeValue:
    """Return what the tree's decisions bring beside those of a planner who knows, and of one who plans for the mean.

    All of a step's supply looks equally dear here, so that each decides what brings most.

    Raises
    ------
    InputError, InfeasibleError
        As `solve_tree`.
    """
    spread = any(branch.problem.terms.order_spread_frac > 0 for branch in tree.branches)
    if spread:
        tree = at_one_price(tree)
    here = plan if plan is not None and plan.risk.weight_frac == 0 and not spread else solve_tree(tree)
    known = [optimum(branch.problem, opening(branch.problem)).objective for branch in tree.branches]
    middle = mean_problem(tree)
    start = opening(middle)
    mean = plan_from(middle, start, optimum(middle, start))
    blind = solve_tree(tree, fixed=mean)
    return TreeValue(
        wait_and_see_cur=float(np.array(known) @ tree.probability_frac),
        here_and_now_cur=here.expected_cur,
        expected_future_cur=blind.expected_cur,
    )


def at_one_price(tree: Tree) -> Tree:
    """Return *tree* with all of a step's supply equally dear to the planner."""
    branches = (replace(branch, problem=branch.problem.replace(order_spread_frac=0.0)) for branch in tree.branches)
    return Tree(branches=tuple(branches), groups=tree.groups)


def mean_problem(tree: Tree) -> ExpansionProblem:
    """Return the problem whose data are the means of the branches'."""
    weight = tree.probability_frac
    first = tree.branches[0].problem
    parts = {}
    for name in TIME_AXIS:
        arrays = [branch.problem.field(name) for branch in tree.branches]
        if arrays[0] is None or all(np.array_equal(arrays[0], other) for other in arrays[1:]):
            continue
        parts[name] = sum(w * array for w, array in zip(weight, arrays, strict=True))
    bound = [branch.problem.supply.committed_devices for branch in tree.branches]
    if bound[0] is not None:
        parts["committed_devices"] = np.min(np.stack([b for b in bound if b is not None]), axis=0)
    return first.replace(**parts)


def check_tree(tree: Tree, risk: Risk) -> None:
    """Raise `InputError` with every fault of the tree, and those of its problems."""
    faults = []
    if not tree.branches:
        raise InputError([Fault(message="needs at least one branch", path="branches")])
    for branch in tree.branches:
        if not 0 <= branch.probability_frac <= 1:
            message = f"{branch.probability_frac:g}: must be a probability, 0 to 1"
            faults.append(Fault(message=message, path=f"branches.{branch.name}.probability_frac"))
    total = float(tree.probability_frac.sum())
    if abs(total - 1.0) > _SUM:
        off = f"raise them by {1 - total:.4g}" if total < 1 else f"lower them by {total - 1:.4g}"
        message = f"probabilities sum to {total:.6g}: must sum to 1; {off} in all"
        faults.append(Fault(message=message, path="branches"))
    labels = {(p.quarters, p.segments, p.devices, p.sites, p.slots) for p in (b.problem for b in tree.branches)}
    if len(labels) > 1:
        faults.append(
            Fault(message="branches differ in their quarters, segments, devices, sites or slots", path="branches")
        )
    steps = len(tree.branches[0].problem.quarters)
    if tree.groups.shape != (len(tree.branches), steps):
        message = f"shape {tree.groups.shape}: must be {(len(tree.branches), steps)}, branches by steps"
        faults.append(Fault(message=message, path="groups"))
    elif _meet_again(tree.groups):
        faults.append(Fault(message="branches that were told apart cannot be confused later", path="groups"))
    if not 0 <= risk.weight_frac <= 1:
        faults.append(Fault(message=f"{risk.weight_frac:g}: must be in 0..1", path="risk.weight_frac"))
    if not 0 < risk.tail_frac <= 1:
        faults.append(Fault(message=f"{risk.tail_frac:g}: must be above 0 and at most 1", path="risk.tail_frac"))
    if faults:
        raise InputError(faults)
    for branch in tree.branches:
        check_problem(branch.problem)
        check_commitments(branch.problem)


def _meet_again(groups: NDArray[np.int64]) -> bool:
    same = groups[:, None, :] == groups[None, :, :]
    return bool((same[..., 1:] & ~same[..., :-1]).any())


def _decisions_of(plan: ExpansionPlan) -> Decisions:
    arriving = plan.fleet.retired_arriving
    kinds, steps = np.nonzero(
        np.zeros(arriving.shape[:1] + arriving.shape[2:3])
        if plan.problem.opening.arriving_devices is None
        else plan.problem.opening.arriving_devices.sum(axis=1) > 0
    )
    late = [arriving[kind, :, step] for kind, step in zip(kinds.tolist(), steps.tolist(), strict=True)]
    before = np.asarray(plan.fleet.site_w[:, :1] - plan.problem.opening.initial_site_w[:, None])
    return Decisions(
        orders=plan.fleet.ordered,
        additions=np.concatenate([before, np.diff(plan.fleet.site_w, axis=1)], axis=1),
        left=np.concatenate(
            [plan.fleet.retired_initial, np.array(late).reshape(len(late), *plan.fleet.retired_initial.shape[1:])]
        ),
        left_bought=plan.fleet.retired_bought,
    )
