"""Compares two scenarios on paired draws."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jevons.arrays import Array
from jevons.errors import FactError, InfeasibleError, InputError
from jevons.facts import Facts, cny_per, default_facts
from jevons.parallel import Executor
from jevons.study.chain.decide import decided_chain
from jevons.study.chain.fixed_point import ChainResult
from jevons.study.chain.operating_points import Engineering, engineer
from jevons.study.chain.value_bridge import value_channels
from jevons.study.chain.verdict import demand_response
from jevons.study.compare.clearing import Clearing, clearings
from jevons.study.compare.cycle import Cycle, cycle_of
from jevons.study.compare.differ import Change, Swap, differences, same_shape, swaps
from jevons.study.draws.outcomes import OUTCOMES, PATHS, outcomes_of, paths_of
from jevons.study.draws.run import Draws, monte_carlo
from jevons.study.scenario.scenario import Scenario

Progress = Callable[[str, int, int], None]
DEFAULT_DRAWS = 24
_ENGINEERED = (
    "hardware.", "serving.models", "serving.engine", "market.segments", "market.rental_device", "as_of",
    "expansion.training.device",
)  # fmt: skip
"""Beginnings of paths on which the modelled device-seconds depend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of two scenarios: its central answer, and its draws.

    Parameters
    ----------
    scenario : Scenario
        As it was run.
    central : mapping of str to float
        Outcomes at the central figures.
    paths : mapping of str to list of float
        Paths by quarter at the central figures.
    draws : Draws or None
        Outcomes of the draws.
    clearings : tuple of Clearing
        Return on capital, and the margin and capital per revenue at which it equals the cost of capital.
    cycle : Cycle
        Write-downs, idle machines, rents and brokers' losses at the central figures.
    """

    scenario: Scenario
    central: dict[str, float]
    paths: dict[str, list[float]]
    draws: Draws | None
    cycle: Cycle
    clearings: tuple[Clearing, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What one changed input, or group of them, does by itself to each outcome; the reason where it has no plan."""

    name: str
    outcomes: dict[str, float]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two sides, what differs, what that does, and the draws paired.

    Parameters
    ----------
    channels : mapping of str to float
        What B's AI cloud is worth more than A's at the central figures, by channel of
        `jevons.study.chain.value_bridge.CHANNELS`; empty where the two differ in segments, devices, quarters or
        currency.
    paired : mapping of str to (n, 2)
        Outcomes of draws that both have, A and B in columns; empty without draws.
    """

    a: Side
    b: Side
    changes: list[Change]
    effects: list[Effect]
    channels: dict[str, float]
    paired: dict[str, Array]


def compared(
    a: Scenario,
    b: Scenario,
    *,
    draws: int | None = None,
    seed: int | None = None,
    facts: Facts | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Return the comparison of two scenarios.

    Both are drawn with the same seed and named streams, so that an amount that both have alike takes the same value in
    the same draw of either.

    Raises
    ------
    InputError
        If nothing differs.
    InfeasibleError
        If either has no feasible plan.
    """
    facts = facts or default_facts()
    tell = progress or (lambda _name, _done, _total: None)
    root = a.seed if seed is None else seed
    count = DEFAULT_DRAWS if draws is None else draws
    changes = differences(a, b)
    if not changes:
        message = "the two scenarios have the same inputs; change one with --set PATH=VALUE, or give another scenario"
        raise InputError(message)
    tell("A: serving and central plan", 0, 1)
    model = _Model(facts)
    engineering, base = model.central(a)
    tell("B: central plan", 0, 1)
    other_engineering, other = _named("B", lambda: model.central(b))
    effects: list[Effect] = []
    if a.currency == b.currency:
        effects = _effects(model, swaps(a, b, changes), a, base, other, tell)
    alike = a.currency == b.currency and same_shape(a, b)
    factor = rate(facts, b.currency, a.currency, a.as_of)
    sides = []
    for name, scenario, points, chain in (("A", a, engineering, base), ("B", b, other_engineering, other)):
        drawn = None
        if count > 0:
            drawn = monte_carlo(
                scenario, points, chain, count, seed=root, executor=executor,
                progress=lambda done, total, side=name: tell(f"draws of {side}", done, total),  # type: ignore[misc]
            )  # fmt: skip
        outcomes, paths = _figures(chain, points)
        side = Side(
            scenario=scenario,
            central=outcomes,
            paths=paths,
            draws=drawn,
            cycle=cycle_of(chain),
            clearings=clearings(chain),
        )
        sides.append(side if name == "A" else _restated(side, factor))
    return Comparison(
        a=sides[0], b=sides[1], changes=changes, effects=effects,
        channels=value_channels(base, other) if alike else {},
        paired=pair(sides[0].draws, sides[1].draws, changes),
    )  # fmt: skip


def rate(facts: Facts, source: str, target: str, on: dt.date) -> float:
    """Return how much one unit of a currency is in another, at the rates on file on a date.

    Raises
    ------
    FactError
        If a rate is not on file.
    """
    return 1.0 if source == target else cny_per(facts, source, on) / cny_per(facts, target, on)


def _restated(side: Side, factor: float) -> Side:
    """Return a side with its money in another currency."""
    if factor == 1.0:
        return side
    money = {name for names in (OUTCOMES, PATHS) for name, (unit, _) in names.items() if "¤" in unit}

    def scaled(values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: (np.asarray(v) * factor if isinstance(v, np.ndarray | list) else v * factor) if name in money else v
            for name, v in values.items()
        }

    draws = side.draws
    if draws is not None:
        draws = replace(draws, outcomes=scaled(draws.outcomes), paths=scaled(draws.paths))
    paths = {name: [x * factor for x in path] if name in money else path for name, path in side.paths.items()}
    return replace(side, central=scaled(side.central), paths=paths, draws=draws, cycle=side.cycle.scaled(factor))


class _Model:
    """Central answers of scenarios, with device-seconds modelled once for those that share them."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.modelled: list[tuple[Scenario, Engineering]] = []

    def engineering(self, scenario: Scenario) -> Engineering:
        """Return the device-seconds of a scenario."""
        for earlier, points in self.modelled:
            if not any(c.path.startswith(_ENGINEERED) for c in differences(earlier, scenario)):
                return points
        points = engineer(scenario, self.facts, scenario.as_of)
        self.modelled.append((scenario, points))
        return points

    def central(self, scenario: Scenario) -> tuple[Engineering, ChainResult]:
        """Return device-seconds and answer of a scenario, begun as `jevons.plan` begins it, so that both agree."""
        points = self.engineering(scenario)
        return points, decided_chain(scenario, points)


def _named(side: str, run: Callable[[], Any]) -> Any:
    """Return what *run* gives; an infeasible scenario is named."""
    try:
        return run()
    except InfeasibleError as error:
        message = f"{side} has no feasible plan: {error}"
        raise InfeasibleError(message, error.limits) from None


def _figures(chain: ChainResult, points: Engineering) -> tuple[dict[str, float], dict[str, list[float]]]:
    response = demand_response(chain, points)
    return outcomes_of(chain, response), paths_of(chain, response.loop_gain(chain.scenario))


def _effects(
    model: _Model, parts: list[Swap], a: Scenario, base: ChainResult, other: ChainResult, tell: Progress
) -> list[Effect]:
    """Return what each part does by itself; a single one does all."""
    first, _ = _figures(base, model.engineering(a))
    effects: list[Effect] = []
    for place, part in enumerate(parts):
        tell("one change at a time", place, len(parts))
        try:
            points = model.engineering(part.scenario)
            chain = other if len(parts) == 1 else decided_chain(part.scenario, points)
        except (InfeasibleError, InputError, FactError) as error:
            effects.append(Effect(name=part.name, outcomes={}, reason=str(error).split("\n")[0]))
            continue
        except (KeyError, ValueError, IndexError):
            reason = "the two scenarios name their parts otherwise, so that it cannot be swapped alone"
            effects.append(Effect(name=part.name, outcomes={}, reason=reason))
            continue
        outcomes, _ = _figures(chain, points)
        effects.append(Effect(name=part.name, outcomes={n: outcomes[n] - first[n] for n in OUTCOMES}))
    return effects


def pair(a: Draws | None, b: Draws | None, changes: list[Change]) -> dict[str, Array]:
    """Return the outcomes of draws that both sides have, A and B in columns.

    Draws are matched by the values that the unchanged inputs took: a draw without a feasible plan on one side leaves
    out its twin.
    """
    if a is None or b is None:
        return {}
    altered = {change.path for change in changes}
    common = [name for name in a.names if name in b.names and name not in altered]
    left = _keys(a, common)
    right = {key: row for row, key in enumerate(_keys(b, common))}
    rows = [(row, right[key]) for row, key in enumerate(left) if key in right]
    if not rows:
        length = min(a.values.shape[0], b.values.shape[0])
        rows = [(row, row) for row in range(length)]
    first, second = (np.array(column, dtype=int) for column in zip(*rows, strict=True))
    return {name: np.stack([a.outcomes[name][first], b.outcomes[name][second]], axis=1) for name in a.outcomes}


def _keys(draws: Draws, common: list[str]) -> list[bytes]:
    columns = [draws.names.index(name) for name in common]
    return [row.tobytes() for row in np.round(draws.values[:, columns], 12)]
