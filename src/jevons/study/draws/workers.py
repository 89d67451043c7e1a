"""Runs draws of a scenario on whatever executes them."""

from __future__ import annotations

from collections.abc import Iterator

from jevons.arrays import Array
from jevons.errors import InfeasibleError, SolverError
from jevons.parallel import Executor
from jevons.study.chain.fixed_point import ChainResult, run_chain
from jevons.study.chain.operating_points import Engineering
from jevons.study.chain.value_bridge import value_channels
from jevons.study.chain.verdict import demand_response
from jevons.study.draws.outcomes import outcomes_of, paths_of, response_paths, use_paths
from jevons.study.draws.sampling import BAN
from jevons.study.draws.store import UNSOLVED, Record
from jevons.study.scenario.scenario import Scenario

ROUNDS, TOLERANCE = 6, 0.02
"""Most rounds between market and planner in a draw, and the residual at which they stop before."""

DRAW_S = 0.5
"""About how long a draw takes [s]."""

Shared = tuple[Scenario, Engineering, ChainResult | None, bool]
Row = tuple[tuple[str, ...], Array]


def _one(shared: Shared, row: Row) -> Record:
    names, values = row
    scenario, engineering, base, channels = shared
    drawn = dict(zip(names, values.tolist(), strict=True))
    banned = frozenset(name for name in scenario.hardware.devices if drawn.pop(BAN.format(name), 0.0) > 0.5)
    try:
        result = run_chain(
            scenario.with_numbers(drawn),
            engineering,
            start=base,
            most_rounds=ROUNDS,
            tolerance=TOLERANCE,
            banned=banned,
            decided=None if base is None else base.decided,
        )
        response = demand_response(result, engineering)
        paths = paths_of(result, response.loop_gain(result.scenario))
        paths |= response_paths(result.scenario, response) | use_paths(result)
        record = {**outcomes_of(result, response), "paths": paths}
        if channels and base is not None:
            record["channels"] = value_channels(base, result)
        return record
    except InfeasibleError:
        return None
    except SolverError as error:
        return {UNSOLVED: str(error)}


def run_rows(
    rows: list[Row],
    scenario: Scenario,
    engineering: Engineering,
    base: ChainResult | None,
    executor: Executor,
    *,
    channels: bool = False,
) -> Iterator[tuple[int, Record]]:
    """Yield place and record of each drawn row as it is done, with *channels* of its value against the central one."""
    yield from executor.run(_one, (scenario, engineering, base, channels), rows, each_s=DRAW_S)
