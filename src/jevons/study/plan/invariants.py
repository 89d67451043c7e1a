"""What holds of every plan: tokens and value add up, nothing is served beyond demand, budget and power are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from jevons.checks import check, check_shares, check_sum

_SLACK = 1e-6


def check_plan(record: Mapping[str, Any]) -> None:
    """Check the documented object of a plan.

    Raises
    ------
    InvariantError
        Where something does not hold.
    """
    tokens, fleet, cash = record["tokens_per_day"], record["fleet"], record["cash"]
    total, wanted = np.asarray(tokens["total"], float), np.asarray(tokens["wanted"], float)
    for place, quarter in enumerate(record["quarters"]):
        parts = (float(values[place]) for values in tokens["by_segment"].values())
        check_sum(f"tokens of {quarter} by segment", parts, float(total[place]))
        check(total[place] <= wanted[place] * (1 + _SLACK) + _SLACK, f"more tokens are served in {quarter} than wanted")
        check_shares({f"utilisation in {quarter}": float(fleet["utilisation_frac"][place])})
        power = sum(float(values[place]) for values in fleet["site_w"].values())
        check(float(fleet["it_w"][place]) <= power * (1 + _SLACK), f"{quarter} draws more power than its sites have")
    for kind, entries in (("devices", fleet["devices"]), ("orders", fleet["ordered"])):
        for name, values in entries.items():
            least, most = float(np.min(values)), float(np.max(np.abs(values)))
            check(least >= -_SLACK * max(most, 1.0), f"{kind} of {name} fall below zero, to {least:g}")
    spent, released = np.cumsum(cash["capex"]), np.cumsum(cash["budget"])
    check(bool((spent <= released * (1 + _SLACK) + 1.0).all()), "more is spent than the budget releases")
    check_value(record["value"])


def check_value(value: Mapping[str, Any]) -> None:
    """Check that the parts of the bridge make up the value of equity."""
    check_sum("bridge of the value", value["bridge"].values(), value["equity"])
