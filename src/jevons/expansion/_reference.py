"""The expansion program written in linopy, one line per rule: the twin that `_program` is tested against.

Slow to import and build; natural units, so for problems of moderate numbers.
"""

from __future__ import annotations

from typing import Any

import linopy
import numpy as np
import xarray as xr

from jevons.expansion._program import later_gain, net_value
from jevons.expansion._stages import opening, stages
from jevons.expansion.types import ExpansionProblem


def model(problem: ExpansionProblem) -> Any:
    """Return the linopy model of *problem* with its whole horizon in view; without early retirement."""
    steps = stages(problem)
    p = steps.problem
    labels = {
        "s": p.segments, "v": p.devices, "r": p.sites, "t": p.quarters, "k": p.slots,
        "b": tuple(range(p.demand.block_calls_per_d.shape[2])), "o": p.quarters,
        "f": () if p.demand.further_calls_per_d is None else tuple(range(p.demand.further_calls_per_d.shape[2])),
    }  # fmt: skip

    def over(array: Any, axes: str) -> xr.DataArray:
        return xr.DataArray(np.asarray(array, float), dims=list(axes), coords={a: list(labels[a]) for a in axes})

    m = linopy.Model()

    def variable(name: str, axes: str, upper: xr.DataArray | float = np.inf) -> Any:
        grid = over(np.zeros([len(labels[a]) for a in axes]), axes)
        coords = [grid.get_index(a) for a in axes]
        return m.add_variables(lower=0, upper=upper, coords=coords, name=name)

    able = np.isfinite(p.machines.device_s_per_call)
    calls_per_h = over(3600.0 / p.machines.device_s_per_call, "svt")
    most_h = np.broadcast_to(
        np.where(able, np.inf, 0.0)[:, :, None, :, None], (*able.shape[:2], len(p.sites), able.shape[2], len(p.slots))
    )
    build_w = np.tile(p.power.site_build_w_per_quarter[:, None] * p.terms.step_quarters, len(p.quarters))
    build_w[:, steps.decided :] = 0.0
    orders = variable("orders", "vro")
    added = variable("additions", "ro", upper=over(build_w, "ro"))
    served = variable("served", "stb", upper=over(p.demand.block_calls_per_d, "stb"))
    more = None
    if p.demand.further_calls_per_d is not None:
        more = variable("further", "stf", upper=over(p.demand.further_calls_per_d, "stf"))
    busy = variable("busy", "svrtk", upper=over(most_h, "svrtk"))
    training = variable("training", "vrt")
    carried = variable("carried", "o")

    service = over(steps.serves, "vot")
    upto = over(np.triu(np.ones((len(p.quarters),) * 2)), "ot")
    new = (orders * service).sum("o")
    stock = over(opening(p).installed(steps), "vrt")
    hours = over(p.demand.slot_h_per_d * p.machines.availability_frac, "k")
    bound = over((1 - p.demand.deferrable_frac)[:, None] * p.demand.slot_share_frac, "sk")
    calls = served.sum("b") if more is None else served.sum("b") + more.sum("f")
    computed = (busy * calls_per_h).sum(["v", "r"])
    m.add_constraints(computed.sum("k") - calls == 0, name="calls")
    m.add_constraints(computed - calls * bound >= 0, name="slots")
    cap = over(p.demand.utilisation_cap_frac, "s")
    m.add_constraints((busy / cap).sum("s") + training * hours - new * hours <= stock * hours, name="capacity")
    flop = over(p.machines.device_flop_per_s, "v")
    trained = (training * flop).sum(["v", "r"])
    later = None
    if steps.decided < len(p.quarters) and p.training.training_flop_per_s[-1] > 0:
        last = over(np.arange(len(p.quarters)) == steps.decided, "t")
        later = m.add_variables(lower=0, name="later")
        trained = trained + later * last
    m.add_constraints(trained >= over(p.training.training_flop_per_s, "t"), name="reserve")
    m.add_constraints(orders.sum("r") <= over(p.supply.supply_devices, "vo"), name="supply")
    watts = over(p.machines.device_w, "v")
    site_w = over(p.opening.initial_site_w, "r")
    grown = (added * upto).sum("o")
    drawn = (orders * over(steps.serves > 0, "vot")).sum("o") * watts
    start = opening(p)
    standing = np.einsum("v,vr,vt->rt", p.machines.device_w, start.count, start.stands(steps) > 0)
    m.add_constraints(drawn.sum("v") - grown <= site_w - over(standing, "rt"), name="power")
    m.add_constraints(grown <= over(p.power.site_limit_w, "rt") - site_w, name="limit")
    spent = (orders * over(p.machines.capex_cur_per_device, "vo")).sum(["v", "r"])
    spent = spent + (added * over(p.power.site_capex_cur_per_w, "ro")).sum("r")
    same, before = over(np.eye(len(p.quarters)), "ot"), over(np.eye(len(p.quarters), k=1), "ot")
    used = (spent * same).sum("o") + (carried * (same - before)).sum("o")
    m.add_constraints(used == over(p.money.budget_cur, "t"), name="budget")

    weight = over(steps.weight_d, "t")
    energy = over(p.machines.energy_cur_per_device_h, "vrt")
    discount = over(p.money.discount, "o")
    fixed = (service * over(steps.running_cur, "vt")).sum("t")
    worth = (
        over(p.machines.terminal_cur_per_device, "vo") - discount * over(p.machines.capex_cur_per_device, "vo") - fixed
    )
    left = (
        np.zeros_like(p.power.site_capex_cur_per_w)
        if p.power.site_terminal_cur_per_w is None
        else p.power.site_terminal_cur_per_w
    )
    site_worth = over(left, "ro") - discount * over(p.power.site_capex_cur_per_w, "ro")
    m.add_objective(
        (served * over(net_value(p), "stb") * weight).sum()
        - (busy * energy * weight).sum()
        - (training * energy * weight * (24.0 * p.machines.availability_frac)).sum()
        + (orders * worth).sum()
        + (added * site_worth).sum()
        + (0 if more is None else (more * over(p.demand.further_value_cur_per_call, "stf") * weight).sum())
        + (0 if later is None else later * later_gain(steps)),
        sense="max",
    )
    return m
