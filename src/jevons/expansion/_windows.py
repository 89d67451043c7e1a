"""What a planner who does not see the whole horizon takes for its problem."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from jevons.arrays import Array
from jevons.expansion.types import ExpansionProblem

Foresight = Literal["perfect", "rolling", "myopic"]

TIME_AXIS = {
    "further_value_cur_per_call": 1, "further_calls_per_d": 1,
    "block_value_cur_per_call": 1, "block_calls_per_d": 1, "device_s_per_call": 2, "capex_cur_per_device": 1,
    "site_capex_cur_per_w": 1, "energy_cur_per_device_h": 2, "fixed_cur_per_device_quarter": 1, "budget_cur": 0,
    "supply_devices": 1, "site_limit_w": 1, "training_flop_per_s": 0, "discount": 0,
}  # fmt: skip
_EXPECTED_TO_STAY = (
    "further_value_cur_per_call", "further_calls_per_d",
    "block_value_cur_per_call", "block_calls_per_d", "device_s_per_call", "capex_cur_per_device",
    "site_capex_cur_per_w", "energy_cur_per_device_h", "fixed_cur_per_device_quarter", "supply_devices",
)  # fmt: skip


def window(problem: ExpansionProblem, first: int, end: int, cash_cur: float, *, static: bool) -> ExpansionProblem:
    """Return the problem of quarters *first* to *end* - 1 with carried money in its first budget.

    Terminal values are moved with the window's end: the share of its discounted price that a device of the same age is
    worth at the end of the horizon. With *static*, the quarters after the first look like it.
    """
    parts: dict[str, Any] = {}
    for name, axis in TIME_AXIS.items():
        if problem.field(name) is None:
            continue
        part = np.take(problem.field(name), range(first, end), axis=axis)
        if static and name in _EXPECTED_TO_STAY:
            part = np.repeat(np.take(part, [0], axis=axis), end - first, axis=axis)
        parts[name] = part
    parts["budget_cur"] = parts["budget_cur"].copy()
    parts["budget_cur"][0] += cash_cur
    discount = parts["discount"]
    parts["terminal_cur_per_device"] = _moved(
        problem.machines.terminal_cur_per_device, problem.money.discount * problem.machines.capex_cur_per_device,
        discount * parts["capex_cur_per_device"], first, end,
    )  # fmt: skip
    if problem.training.cluster_cur_per_quarter is not None:
        parts["cluster_cur_per_quarter"] = problem.training.cluster_cur_per_quarter[first:end]
    if problem.supply.committed_devices is not None:
        # contracts are known, but who expects supply to stay as it is cannot expect more of it
        parts["committed_devices"] = np.minimum(problem.supply.committed_devices[:, first:end], parts["supply_devices"])
    parts["arriving_devices"] = parts["arriving_terminal_cur_per_device"] = None
    if problem.power.site_terminal_cur_per_w is not None:
        parts["site_terminal_cur_per_w"] = _moved(
            problem.power.site_terminal_cur_per_w, problem.money.discount * problem.power.site_capex_cur_per_w,
            discount * parts["site_capex_cur_per_w"], first, end,
        )  # fmt: skip
    return problem.replace(quarters=problem.quarters[first:end], **parts)


def _moved(terminal: Array, price: Array, price_here: Array, first: int, end: int) -> Array:
    """Return terminal values at *end* from the shares of price that the same ages keep at the horizon's end."""
    late = slice(first + terminal.shape[1] - end, None)
    share = np.divide(terminal[:, late], price[:, late], out=np.zeros_like(price_here), where=price[:, late] > 0)
    return np.asarray(share * price_here)
