"""Books of devices and buildings: depreciation, impairment and book value by quarter, vintage by vintage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jevons.arrays import Array
from jevons.expansion import DAYS_PER_QUARTER, ExpansionPlan, stages
from jevons.finance.formulas import straight_line
from jevons.finance.types import AccountTerms

Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceBooks:
    """Depreciation and closing book by vintage (n, t), impairment (t,) and opening book of devices."""

    vintages: tuple[str, ...]
    depreciation_cur: Array
    closing_cur: Array
    impairment_cur: Array
    opening_cur: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePart:
    """Devices of one kind that are paid, serve and leave together: what their books are made of.

    Parameters
    ----------
    device : str
        Kind.
    cost_cur : float
        Price paid, or for those that stood before the start what they had cost.
    paid, start, retired : int
        Quarter of payment (-1 before the start), first quarter of service, first quarter out of service.
    most_cur : (t,) or None
        Value in use at each quarter's end; None where there is none to go by.
    """

    device: str
    cost_cur: float
    paid: int
    start: int
    retired: int
    most_cur: Array | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """Devices that are paid, serve and leave together, (n,) each; fields as in `DevicePart`, *kind* an index."""

    kind: Whole
    paid: Whole
    start: Whole
    retired: Whole
    cost_cur: Array
    most_cur: Array | None


def device_books(plan: ExpansionPlan, price_cur_per_call: Array, terms: AccountTerms) -> DeviceBooks:
    """Return the books of devices, by the calendar year in which they were paid.

    Devices that leave before their life ends are books of their own: what is left on them is written off as they leave.
    """
    p = plan.problem
    life = 4.0 * terms.device_life_y
    bought, stood = _bought(plan, price_cur_per_call, terms), _stood(plan, terms)
    new, old = (
        straight_line(
            parts.cost_cur, parts.paid, parts.start, parts.retired, life, len(p.quarters), most_cur=parts.most_cur
        )
        for parts in (bought, stood)
    )
    year_of = np.array([int(quarter[:4]) for quarter in p.quarters])
    years = list(dict.fromkeys(year_of.tolist()))
    paid_in = year_of[bought.paid]
    depreciation, closing = (
        np.stack([old[i].sum(axis=0), *(new[i][paid_in == year].sum(axis=0) for year in years)]) for i in (0, 2)
    )
    return DeviceBooks(
        vintages=(f"before {years[0]}", *map(str, years)),
        depreciation_cur=depreciation,
        closing_cur=closing,
        impairment_cur=new[1].sum(axis=0) + old[1].sum(axis=0),
        opening_cur=float((stood.cost_cur * np.clip(1.0 + stood.start / life, 0.0, 1.0)).sum()),
    )


def device_parts(plan: ExpansionPlan, price_cur_per_call: Array, terms: AccountTerms) -> list[DevicePart]:
    """Return the parts of which `device_books` is made, those without cost left out."""
    return [
        DevicePart(
            device=plan.problem.devices[parts.kind[i]], cost_cur=float(cost), paid=int(parts.paid[i]),
            start=int(parts.start[i]), retired=int(parts.retired[i]),
            most_cur=None if parts.most_cur is None or not np.isfinite(parts.most_cur[i]).all() else parts.most_cur[i],
        )
        for parts in (_bought(plan, price_cur_per_call, terms), _stood(plan, terms))
        for i, cost in enumerate(parts.cost_cur)
        if cost > 0
    ]  # fmt: skip


def _bought(plan: ExpansionPlan, price_cur_per_call: Array, terms: AccountTerms) -> _Parts:
    """Return the devices that the plan orders, by when they leave."""
    p = plan.problem
    left = plan.fleet.retired_bought.sum(axis=1)
    kind, paid = (axis.ravel() for axis in np.indices(left.shape[:2]))
    natural = paid + p.machines.lead_quarters[kind] + p.machines.life_quarters[kind]
    early = np.nonzero(left)
    count = np.maximum(plan.fleet.ordered.sum(axis=1) - left.sum(axis=2), 0.0).ravel()
    count = np.concatenate([count, left[early]])
    kind, paid = np.concatenate([kind, early[0]]), np.concatenate([paid, early[1]])
    most = None
    if terms.impair:
        worth = value_in_use(plan, price_cur_per_call, terms.overhead_frac)[kind, paid]
        most = worth * np.where(np.isfinite(worth), count[:, None], 1.0)
    return _Parts(
        kind=kind, paid=paid, start=paid + p.machines.lead_quarters[kind], retired=np.concatenate([natural, early[2]]),
        cost_cur=count * p.machines.capex_cur_per_device[kind, paid], most_cur=most,
    )  # fmt: skip


def _stood(plan: ExpansionPlan, terms: AccountTerms) -> _Parts:
    """Return the devices paid before the start, by when they arrive and leave.

    The opening stock came into service before the first quarter. Devices without a cost of their own have cost nothing.
    """
    p = plan.problem
    left = plan.fleet.retired_initial.sum(axis=1)
    early = np.nonzero(left)
    stock = np.maximum(p.opening.initial_devices.sum(axis=1) - left.sum(axis=1), 0.0)
    parts = [
        (
            np.arange(left.shape[0]),
            -p.opening.initial_age_quarters,
            p.machines.life_quarters - p.opening.initial_age_quarters,
            stock,
        ),
        (early[0], -p.opening.initial_age_quarters[early[0]], early[1], left[early]),
    ]
    if p.opening.arriving_devices is not None:
        gone = plan.fleet.retired_arriving.sum(axis=1)
        kind, begins = np.nonzero(p.opening.arriving_devices.sum(axis=1))
        stay = np.maximum(p.opening.arriving_devices.sum(axis=1) - gone.sum(axis=2), 0.0)
        early = np.nonzero(gone)
        parts += [
            (kind, begins, begins + p.machines.life_quarters[kind], stay[kind, begins]),
            (early[0], early[1], early[2], gone[early]),
        ]
    kinds, starts, ends, counts = (np.concatenate(column) for column in zip(*parts, strict=True))
    before = terms.initial_cost_cur_per_device
    cost = np.zeros(kinds.size) if before is None else before[kinds] * counts
    return _Parts(
        kind=kinds, paid=np.full(kinds.size, -1), start=starts, retired=ends, cost_cur=cost, most_cur=None
    )  # fmt: skip


def value_in_use(plan: ExpansionPlan, price_cur_per_call: Array, overhead_frac: float) -> Array:
    """Return what a device of each vintage will still bring at each quarter's end, (v, order quarter, t) [currency].

    A device earns the revenue of the calls computed on its kind, less overhead, energy and fixed cost, per device that
    serves; devices in training count as much as their serving kin, and quarters in which a whole kind trains as much as
    its others. In the quarters that the planner sees after the horizon it earns what it does in the last. Discounted to
    the quarter, with the problem's terminal value. Kinds that never serve have no price to go by and are not tested
    (infinite).
    """
    p = plan.problem
    steps = stages(p)
    calls_per_h = np.where(np.isfinite(p.machines.device_s_per_call), 3600.0 / p.machines.device_s_per_call, 0.0)
    hours = plan.service.busy_device_h_per_d.sum(axis=4)
    sales = np.einsum("svrt,svt,st->vt", hours, calls_per_h, price_cur_per_call) * (1.0 - overhead_frac)
    energy = np.einsum("svrt,vrt->vt", hours, p.machines.energy_cur_per_device_h)
    installed = plan.fleet.installed.sum(axis=1)
    serving = installed - plan.fleet.training_devices.sum(axis=1)
    least = 1e-9 * max(float(installed.max(initial=0.0)), 1e-300)
    serves = serving > least
    margin = np.where(serves, (sales - energy) * DAYS_PER_QUARTER / np.maximum(serving, least), 0.0)
    mean = margin.sum(axis=1, keepdims=True) / np.maximum(serves.sum(axis=1, keepdims=True), 1)
    earned = np.where(serves, margin, mean) - p.machines.fixed_cur_per_device_quarter
    count = steps.decided
    earned = np.concatenate([earned, np.repeat(earned[:, -1:], steps.length_quarters.size - count, axis=1)], axis=1)
    flows = earned[:, None, :] * steps.serves[:, :count] * (steps.problem.money.discount * steps.length_quarters)
    later = (np.cumsum(flows[..., ::-1], axis=2)[..., ::-1] - flows)[..., :count]
    worth = (later + p.machines.terminal_cur_per_device[:, :, None]) / p.money.discount
    return np.asarray(np.where(serves.any(axis=1)[:, None, None], worth, np.inf))


def building_books(plan: ExpansionPlan, terms: AccountTerms) -> tuple[Array, Array]:
    """Return depreciation and closing book (t,) of sites, depreciated from the quarter in which they are paid."""
    quarters = len(plan.problem.quarters)
    cost = np.concatenate([[terms.opening_building_book_cur], plan.spending.site_capex_cur])
    paid = np.concatenate([[-1], np.arange(quarters)])
    start = np.concatenate([[0], np.arange(quarters)])
    never = np.full(quarters + 1, np.iinfo(np.int64).max)
    depreciation, _, closing = straight_line(cost, paid, start, never, 4.0 * terms.building_life_y, quarters)
    return depreciation.sum(axis=0), closing.sum(axis=0)
