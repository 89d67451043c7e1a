"""Plans for sliders: the amounts of a scenario, and one warm draw of the chain with some of them changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jevons.errors import InputError

SLIDERS = (
    "expansion.budget", "market.value_scale", "market.elasticity_scale", "cost.wacc", "finance.rest_growth",
    "hardware.devices.h20.supply", "serving.software_gain", "market.markup", "expansion.ai_share", "cost.economic_life",
)  # fmt: skip
"""Amounts that sliders offer: those that rank first among the inputs of value, tokens and the verdict."""
_MOST = 400
_FAN_EVERY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What warm draws of a scenario start from."""

    engineering: Any
    chain: Any


def base_of(scenario: Any) -> Base:
    """Return the solved central plan of a scenario."""
    from jevons.facts import default_facts
    from jevons.study.chain.decide import decided_chain
    from jevons.study.chain.operating_points import engineer

    engineering = engineer(scenario, default_facts(), scenario.as_of)
    return Base(engineering=engineering, chain=decided_chain(scenario, engineering))


def drawn(scenario: Any, changes: Mapping[str, Any], base: Base) -> dict[str, Any]:
    """Return outcomes and paths of one pass of the chain with changed amounts, begun at the central plan.

    Raises
    ------
    InputError
        If a path names no amount, or a value is out of bounds.
    InfeasibleError
        If no plan meets the limits.
    """
    from jevons.schema import plain
    from jevons.study.chain.decide import decided_chain
    from jevons.study.chain.verdict import demand_response
    from jevons.study.draws.outcomes import OUTCOMES, PATHS, outcomes_of, paths_of
    from jevons.study.draws.workers import ROUNDS, TOLERANCE

    changed = scenario.with_values(changes) if changes else scenario
    result = decided_chain(changed, base.engineering, start=base.chain, most_rounds=ROUNDS, tolerance=TOLERANCE)
    response = demand_response(result, base.engineering)
    outcomes = outcomes_of(result, response)
    paths = paths_of(result, response.loop_gain(result.scenario))
    currency = str(scenario.currency)
    record = {
        "answer": f"{len(changes)} changed: {outcomes['tokens_per_d'] / 1e12:,.1f} trillion tokens a day, "
        f"{outcomes['devices'] / 1e6:,.2f} million accelerators.",
        "currency": currency,
        "set": dict(changes),
        "quarters": list(changed.labels()),
        "outcomes": {name: {"value": outcomes[name], "unit": unit.replace("¤", currency), "meaning": meaning}
                     for name, (unit, meaning) in OUTCOMES.items() if name in outcomes},
        "paths": {name: {"value": paths[name], "unit": unit.replace("¤", currency), "meaning": meaning}
                  for name, (unit, meaning) in PATHS.items() if name in paths},
    }  # fmt: skip
    shown: dict[str, Any] = plain(record)
    return shown


@dataclass(slots=True, kw_only=True)
class Fan:
    """Draws of a plan as they come: each with its outcomes, every fifth with what all of them say so far.

    Parameters
    ----------
    tell : callable
        Takes each message.
    currency : str
        Of the scenario, named in units.
    """

    tell: Callable[[dict[str, Any]], None]
    currency: str
    records: list[Mapping[str, Any]] = field(default_factory=list)

    def __call__(self, record: Mapping[str, Any]) -> None:
        """Tell of one more draw."""
        from jevons.schema import plain
        from jevons.study.currency import named_in
        from jevons.study.draws.outcomes import OUTCOMES
        from jevons.study.draws.run import gathered
        from jevons.study.draws.summary import interval_records, path_records, probabilities

        self.records.append(record)
        message: dict[str, Any] = {"draws": len(self.records), "outcomes": {name: record[name] for name in OUTCOMES}}
        if len(self.records) % _FAN_EVERY == 0:
            draws = gathered(self.records)
            message |= {
                "paths": path_records(draws),
                "uncertainty": {one["outcome"]: one for one in interval_records(draws)},
                "probability": probabilities(draws),
            }
        self.tell(plain(named_in(self.currency, message)))


def amounts(scenario: Any) -> dict[str, Any]:
    """Return the uncertain amounts of a scenario with their ranges, those for sliders first."""
    rows = []
    for path, amount in scenario.amounts().items():
        if amount.uncertain or (path in SLIDERS and amount.value):
            most = amount.high if amount.uncertain else amount.value * 2
            if amount.unit == "1" and amount.value <= 1 and not amount.uncertain:
                most = min(most, 1.0)
            rows.append({
                "path": path, "value": amount.value, "low": amount.low if amount.uncertain else amount.value / 2,
                "high": most, "unit": amount.unit,
                "grade": amount.grade, "source": amount.source, "origin": amount.origin,
                "slider": path in SLIDERS, "likelihood": _likelihood(amount),
            })  # fmt: skip
    order = {path: place for place, path in enumerate(SLIDERS)}
    rows.sort(key=lambda row: order.get(str(row["path"]), len(order)))
    return {"name": scenario.name, "as_of": str(scenario.as_of), "currency": scenario.currency, "amounts": rows[:_MOST]}


def _likelihood(amount: Any) -> list[int]:
    """Return how many of 240 equally likely values lie in each twelfth of an amount's range; none where it is certain.

    Twelfths are of the logarithm where the range is wider than a factor of ten, as its slider is.
    """
    if not amount.uncertain:
        return []
    values = amount.quantile((np.arange(240) + 0.5) / 240)
    low, high = amount.low, amount.high
    if low > 0 and high > 10 * low:
        values, low, high = np.log(values), np.log(low), np.log(high)
    counts: list[int] = np.histogram(values, bins=12, range=(low, high))[0].tolist()
    return counts


def scenario_of(names: Mapping[str, Any], name: str) -> Any:
    """Return a shipped scenario.

    Raises
    ------
    InputError
        If none has that name.
    """
    if name not in names:
        message = f"scenario {name[:60]}: no such scenario. Known: {', '.join(names)}."
        raise InputError(message)
    from jevons.study.scenario.load import load

    return load(names[name])
