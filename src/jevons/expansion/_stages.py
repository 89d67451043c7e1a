"""The steps of the program in time: those of the horizon, and one for what follows it; and what stands in each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jevons.arrays import Array
from jevons.expansion._windows import TIME_AXIS
from jevons.expansion.formulas import DAYS_PER_QUARTER, share_in_service
from jevons.expansion.types import ExpansionProblem

AFTER = "after"
"""Label of the step that stands for the quarters after the horizon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """A problem with the quarters after its horizon as one more step.

    Parameters
    ----------
    problem : ExpansionProblem
        With that step, if `tail_quarters` asks for one: like the last, but nothing can be ordered in it.
    decided : int
        Steps of the horizon, in which something can be ordered.
    length_quarters : (t,)
        Of each step.
    serves : (v, o, t)
        Share of step t that a device ordered in step o is in service.
    """

    problem: ExpansionProblem
    decided: int
    length_quarters: Array
    serves: Array

    @property
    def edges_quarters(self) -> Array:
        """Ends of the steps and the start, (t + 1,), from the start of the horizon."""
        return np.concatenate([[0.0], np.cumsum(self.length_quarters)])

    @property
    def weight_d(self) -> Array:
        """Present value of one unit of money a day through each step, (t,) [days]."""
        return np.asarray(self.problem.money.discount * DAYS_PER_QUARTER * self.length_quarters)

    @property
    def running_cur(self) -> Array:
        """Present value of the fixed cost of a device through each step, (v, t)."""
        return np.asarray(
            self.problem.money.discount * self.problem.machines.fixed_cur_per_device_quarter * self.length_quarters
        )


def stages(problem: ExpansionProblem) -> Stages:
    """Return the steps of *problem*."""
    steps = len(problem.quarters)
    length = problem.terms.lengths(steps)
    whole = problem
    if problem.terms.tail_quarters > 0:
        length = np.append(length, float(problem.terms.tail_quarters))
        whole = _with_tail(problem)
    edges = np.concatenate([[0.0], np.cumsum(length)])
    # what is ordered through a step of several quarters is ordered in its middle on average
    ordered = edges[:-1] + np.where(np.arange(length.size) < steps, np.maximum(length - 1.0, 0.0) / 2, 0.0)
    begins = np.asarray(ordered[None] + problem.machines.lead_quarters[:, None], float)
    serves = share_in_service(begins, np.asarray(begins + problem.machines.life_quarters[:, None], float), edges)
    return Stages(problem=whole, decided=steps, length_quarters=length, serves=serves)


def _with_tail(problem: ExpansionProblem) -> ExpansionProblem:
    """Return the problem with one more step like the last, discounted on, without orders, money or terminal values."""
    parts: dict[str, Any] = {}
    for name, axis in TIME_AXIS.items():
        array = problem.field(name)
        if array is not None:
            parts[name] = np.concatenate([array, np.take(array, [-1], axis=axis)], axis=axis)
    _move_on(problem, parts)
    _close(problem, parts)
    return problem.replace(quarters=(*problem.quarters, AFTER), tail_quarters=0, lengths_quarters=None, **parts)


def _move_on(problem: ExpansionProblem, parts: dict[str, Any]) -> None:
    """Take calls and device-seconds per call of the last step of *parts* one quarter further along their last change.

    They change at most by half or double.
    """
    length = problem.terms.lengths(len(problem.quarters))
    back = max(round(1.0 / float(length[-1])), 1)
    if len(problem.quarters) <= back:
        return
    middles = np.cumsum(length) - length / 2
    ahead = max(float(length[-1]) / 2 + 0.5, 1.0) / float(middles[-1] - middles[-1 - back])
    grown = _trend(problem.demand.block_calls_per_d.sum(axis=2), back, ahead)[:, None]
    for name in ("block_calls_per_d", "further_calls_per_d"):
        if parts.get(name) is not None:
            parts[name][:, -1] *= grown
    parts["device_s_per_call"][..., -1] *= _trend(problem.machines.device_s_per_call, back, ahead)


def _close(problem: ExpansionProblem, parts: dict[str, Any]) -> None:
    """Leave orders, money and terminal values out of the last step of *parts*, and discount it as the whole tail."""
    for name in ("budget_cur", "supply_devices"):
        parts[name][..., -1] = 0.0
    if problem.supply.committed_devices is not None:
        parts["committed_devices"] = np.pad(problem.supply.committed_devices, ((0, 0), (0, 1)))
    discount, length = problem.money.discount, problem.terms.lengths(len(problem.quarters))
    fall = float(discount[-1] / discount[-2]) if discount.size > 1 else 1.0
    apart = float(length[-2:].mean())
    distance = float(length[-1]) / 2 + np.arange(problem.terms.tail_quarters) + 0.5
    parts["discount"][-1] = discount[-1] * float(np.mean(fall ** (distance / apart)))
    for name in ("terminal_cur_per_device", "site_terminal_cur_per_w", "cluster_cur_per_quarter"):
        array = problem.field(name)
        if array is not None:
            last = array[..., -1:] if name == "cluster_cur_per_quarter" else np.zeros((*array.shape[:-1], 1))
            parts[name] = np.concatenate([array, last], axis=-1)


def is_anniversary(age_quarters: Array) -> NDArray[np.bool_]:
    """Return where an age is a whole number of years, at least one."""
    year = 4.0
    off = np.abs(np.remainder(age_quarters + year / 2, year) - year / 2)
    return np.asarray((age_quarters > year / 2) & (off < 1e-6))


def _trend(path: Array, back: int, power: float) -> Array:
    """Return the last over that *back* steps before, to a *power*, in 0.5..2; 1 where one is 0 or infinite."""
    before, last = path[..., -1 - back], path[..., -1]
    counts = (before > 0) & (last > 0) & np.isfinite(before) & np.isfinite(last)
    ratio = np.divide(last, before, out=np.ones_like(last), where=counts)
    return np.asarray(np.clip(ratio**power, 0.5, 2.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What stands, or is on its way, before the first decision: groups ``c`` of one kind and age.

    Parameters
    ----------
    device : (c,)
        Index of the kind.
    count : (c, r)
        Devices by site.
    begins_quarters, ends_quarters : (c,)
        When service begins and its natural life ends, from the start of the horizon.
    terminal_cur : (c,)
        Present value at the end of a device that is still held then.
    yearly : (c,) of bool
        Whether its devices may leave early only at anniversaries of their service: new ones, not the opening stock.
    site_w : (r,)
        IT power built.
    """

    device: NDArray[np.int64]
    count: Array
    begins_quarters: Array
    ends_quarters: Array
    terminal_cur: Array
    yearly: NDArray[np.bool_]
    site_w: Array

    def stands(self, steps: Stages) -> Array:
        """Return the share of each step that each group is in service, (c, t)."""
        return share_in_service(self.begins_quarters, self.ends_quarters, steps.edges_quarters)

    def installed(self, steps: Stages) -> Array:
        """Return the devices in service if none leaves early, (v, r, t)."""
        kinds = len(steps.problem.devices)
        member = (self.device[:, None] == np.arange(kinds)).astype(float)
        return np.asarray(np.einsum("cv,cr,ct->vrt", member, self.count, self.stands(steps)))


def arrivals(problem: ExpansionProblem) -> list[tuple[int, int]]:
    """Return kind and step of each group of devices that were paid for before the start and are still to arrive."""
    if problem.opening.arriving_devices is None:
        return []
    return [(kind, step) for kind, step in np.argwhere(problem.opening.arriving_devices.sum(axis=1) > 0).tolist()]


def opening(problem: ExpansionProblem) -> Start:
    """Return the start that the problem itself states: one group of each kind, then those still to arrive."""
    kinds = len(problem.devices)
    worth = problem.opening.initial_terminal_cur_per_device
    stood = np.zeros(kinds) if worth is None else worth
    coming = arrivals(problem)
    kind, step = (np.array([group[i] for group in coming], np.int64) for i in (0, 1))
    length = problem.terms.lengths(len(problem.quarters))
    begins = (np.cumsum(length) - length)[step]
    late = problem.opening.arriving_terminal_cur_per_device
    count = np.zeros((0, len(problem.sites))) if problem.opening.arriving_devices is None else (
        problem.opening.arriving_devices[kind, :, step]
    )  # fmt: skip
    return Start(
        device=np.concatenate([np.arange(kinds), kind]),
        count=np.concatenate([problem.opening.initial_devices, count]),
        begins_quarters=np.concatenate([np.zeros(kinds), begins]),
        ends_quarters=np.concatenate(
            [
                np.maximum(problem.machines.life_quarters - problem.opening.initial_age_quarters, 0).astype(float),
                begins + problem.machines.life_quarters[kind],
            ]
        ),
        terminal_cur=np.concatenate([stood, np.zeros(kind.size) if late is None else late[kind, step]]),
        yearly=np.concatenate([np.zeros(kinds, bool), np.ones(kind.size, bool)]),
        site_w=problem.opening.initial_site_w,
    )


def standing_devices(problem: ExpansionProblem) -> Array:
    """Return what was paid for before the start and is in service if none leaves early, (v, r, t)."""
    return opening(problem).installed(stages(problem))[..., : len(problem.quarters)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What a planner decides in the steps of the horizon.

    Parameters
    ----------
    orders : (v, r, t)
        Devices.
    additions : (r, t)
        Site power [W].
    left : (c, r, t)
        Devices of each group of the start that leave at the beginning of a step, before their life ends.
    left_bought : (v, r, o, t)
        The same for those ordered in step o.
    """

    orders: Array
    additions: Array
    left: Array
    left_bought: Array

    @staticmethod
    def none(problem: ExpansionProblem, groups: int) -> Decisions:
        """Return no orders and no retirements."""
        kinds, sites, steps = len(problem.devices), len(problem.sites), len(problem.quarters)
        return Decisions(
            orders=np.zeros((kinds, sites, steps)),
            additions=np.zeros((sites, steps)),
            left=np.zeros((groups, sites, steps)),
            left_bought=np.zeros((kinds, sites, steps, steps)),
        )

    def installed(self, steps: Stages, start: Start) -> Array:
        """Return the devices in service, (v, r, t), in the steps of the horizon."""
        kinds, count = len(steps.problem.devices), steps.decided
        member = (start.device[:, None] == np.arange(kinds)).astype(float)
        remaining = start.count[:, :, None] - np.cumsum(self.left, axis=2)
        old = np.einsum("cv,crt,ct->vrt", member, remaining, start.stands(steps)[:, :count])
        return np.asarray(np.maximum(old + self.vintages(steps).sum(axis=2), 0.0))

    def vintages(self, steps: Stages) -> Array:
        """Return the devices in service by step of order, (v, r, o, t), in the steps of the horizon."""
        count = steps.decided
        remaining = self.orders[..., None] - np.cumsum(self.left_bought, axis=3)
        return np.asarray(remaining * steps.serves[:, None, :count, :count])
