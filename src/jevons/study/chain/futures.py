"""What the planner does not know when it orders: export bans, demand and chip supply, as a tree of futures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jevons.arrays import Array
from jevons.expansion import Branch, ExpansionProblem, Tree, TreePlan, independent
from jevons.study.chain.operating_points import Engineering
from jevons.study.chain.setting import quarter_index, setting
from jevons.study.scenario.scenario import Scenario
from jevons.study.scenario.sections import FutureSpec

_MAIN_BAN_FRAC = 0.1
"""Share of what all bans put at stake from which on one is a branch of its own."""

_KEPT = 1 - 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Orders made before it shows what comes.

    Parameters
    ----------
    orders : mapping of frozenset of str to (v, t)
        By the devices whose ban comes, those of the first quarters: the same until bans show, then by ban, until demand
        and supply show.
    known_from : int
        Quarter in which bans, or else demand and supply, show: orders before it are the same whatever comes.
    plan : TreePlan
        The decisions over the whole tree.
    """

    orders: dict[frozenset[str], Array]
    known_from: int
    plan: TreePlan

    def held(self, problem: ExpansionProblem, banned: frozenset[str]) -> ExpansionProblem:
        """Return *problem* with the orders that stand, as far as its supply, money and power go."""
        among = frozenset().union(*self.orders)
        orders = self.orders[banned & among]
        steps = min(orders.shape[1], len(problem.quarters))
        supply = problem.supply.supply_devices.copy()
        placed = np.minimum(orders[:, :steps], supply[:, :steps])
        placed = placed * _money_frac(problem, placed) * _power_frac(problem, placed)
        bound = problem.supply.committed_devices
        committed = np.zeros_like(supply) if bound is None else bound.copy()
        placed = np.maximum(placed, committed[:, :steps])
        supply[:, :steps] = placed
        committed[:, :steps] = placed
        return problem.replace(supply_devices=supply, committed_devices=committed)


def _money_frac(problem: ExpansionProblem, orders: Array) -> float:
    """Return the share of *orders* that the money released pays for in every quarter."""
    steps = orders.shape[1]
    spent = np.cumsum((orders * problem.machines.capex_cur_per_device[:, :steps]).sum(axis=0))
    released = np.cumsum(problem.money.budget_cur[:steps])
    room = np.divide(released, spent, out=np.ones(steps), where=spent > released)
    return float(room.min(initial=1.0)) * _KEPT


def _power_frac(problem: ExpansionProblem, orders: Array) -> float:
    """Return the share of *orders* that the sites can feed once it is in service."""
    steps = orders.shape[1]
    power, machines = problem.power, problem.machines
    reach = problem.opening.initial_site_w[:, None] + power.site_build_w_per_quarter[:, None] * np.arange(1, steps + 1)
    site_w = np.minimum(reach, power.site_limit_w[:, :steps]).sum(axis=0)
    standing = float((machines.device_w[:, None] * problem.opening.initial_devices).sum())
    arriving = problem.opening.arriving_devices
    if arriving is not None:
        standing += float((machines.device_w[:, None, None] * arriving).sum())
    need = np.cumsum((machines.device_w[:, None] * orders).sum(axis=0))
    room = np.divide(np.maximum(site_w - standing, 0.0), need, out=np.ones(steps), where=need > 0)
    return float(np.minimum(room, 1.0).min(initial=1.0)) * _KEPT


def bans_that_count(scenario: Scenario) -> dict[str, tuple[int, float]]:
    """Return quarter and probability of the bans within the plan that put much at stake, by device."""
    bans, stake = {}, {}
    for name, device in scenario.hardware.devices.items():
        at = quarter_index(scenario, device.ban_from) if device.ban_from else -1
        chance = device.ban_probability.value
        if 0 < at < scenario.quarters and 0 < chance < 1 and device.supply.value > 0:
            bans[name] = (at, chance)
            stake[name] = device.supply.value * device.price.value * chance * (1 - chance)
    whole = sum(stake.values())
    return {name: bans[name] for name in bans if stake[name] >= _MAIN_BAN_FRAC * whole}


def tree_of(scenario: Scenario, engineering: Engineering, problem: ExpansionProblem) -> Tree | None:
    """Return the futures of *problem*, the central one; None where there is nothing that the planner does not know.

    Notes
    -----
    Bans, demand and supply are independent. A ban that puts little at stake counts at its expected supply.
    """
    bans, spec = bans_that_count(scenario), scenario.expansion.tree
    steps = len(problem.quarters)
    shows = min(spec.shows, steps)
    axes = [[("", 1 - chance), (f"{name} barred", chance)] for name, (_, chance) in bans.items()]
    for event, outcomes in (("demand", spec.demand), ("supply", spec.supply)):
        axes.append([(f"{event} {name}", o.probability.value) for name, o in outcomes.items()] or [("", 1.0)])
    combined, groups = independent(axes, [*(at for at, _ in bans.values()), shows, shows], steps)
    if len(combined) == 1:
        return None
    minor = frozenset(scenario.hardware.devices) - frozenset(bans)
    branches = []
    for chosen, name, chance in combined:
        barred = frozenset(n for n, i in zip(bans, chosen, strict=False) if i)
        supply = _supply(scenario, engineering, barred, minor)
        calls = np.ones(steps)
        calls[shows:] = _factor(spec.demand, chosen[-2])
        supply[:, shows:] *= _factor(spec.supply, chosen[-1])
        bound = problem.supply.committed_devices
        further = problem.demand.further_calls_per_d
        here = problem.replace(
            supply_devices=supply,
            committed_devices=None if bound is None else np.minimum(bound, supply),
            block_calls_per_d=problem.demand.block_calls_per_d * calls[:, None],
            further_calls_per_d=None if further is None else further * calls[:, None],
        )
        branches.append(Branch(name=name or "none barred", probability_frac=chance, problem=here))
    return Tree(branches=tuple(branches), groups=groups)


def _factor(outcomes: dict[str, FutureSpec], chosen: int) -> float:
    return list(outcomes.values())[chosen].factor.value if outcomes else 1.0


def _supply(scenario: Scenario, engineering: Engineering, barred: frozenset[str], minor: frozenset[str]) -> Array:
    """Return the supply where *barred* are, and the *minor* ones as likely as they are."""
    supply = setting(scenario, engineering, banned=barred).supply
    for row, (name, device) in enumerate(scenario.hardware.devices.items()):
        chance = device.ban_probability.value
        if name in minor and device.ban_from and chance > 0:
            supply[row, max(quarter_index(scenario, device.ban_from), 0) :] *= 1.0 - chance
    return supply


def decided_by(scenario: Scenario, plan: TreePlan) -> Decided:
    """Return the orders of a tree's plan that are made before demand and supply show."""
    bans, spec = bans_that_count(scenario), scenario.expansion.tree
    last = spec.shows if spec.demand or spec.supply else plan.tree.known_from
    orders: dict[frozenset[str], Array] = {}
    for branch, decided in zip(plan.tree.branches, plan.plans, strict=True):
        barred = frozenset(name for name in bans if f"{name} barred" in branch.name.split(", "))
        orders.setdefault(barred, decided.fleet.ordered.sum(axis=1)[:, :last])
    return Decided(orders=orders, known_from=plan.tree.known_from, plan=plan)
