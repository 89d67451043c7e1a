"""Worker processes that run draws."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

from jevons.arrays import Array
from jevons.errors import InfeasibleError, SolverError
from jevons.study.chain.fixed_point import ChainResult, run_chain
from jevons.study.chain.operating_points import Engineering
from jevons.study.chain.verdict import demand_response
from jevons.study.draws.outcomes import outcomes_of, paths_of, response_paths, use_paths
from jevons.study.draws.sampling import BAN
from jevons.study.draws.store import UNSOLVED, Record
from jevons.study.scenario.scenario import Scenario

ROUNDS, TOLERANCE = 6, 0.02
"""Most rounds between market and planner in a draw, and the residual at which they stop before."""


_state: tuple[Scenario, Engineering, ChainResult | None] | None = None


def _start_worker(scenario: Scenario, engineering: Engineering, base: ChainResult | None) -> None:
    global _state  # noqa: PLW0603 - what a worker process keeps between draws
    _state = (scenario, engineering, base)


def _start_child(scenario: Scenario, engineering: Engineering, base: ChainResult | None) -> None:
    """Start a worker process that ends with its parent, also where the parent is killed and can tell it nothing."""
    _start_worker(scenario, engineering, base)
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _one(row: tuple[tuple[str, ...], Array]) -> Record:
    names, values = row
    if _state is None:
        message = "worker was not started"
        raise RuntimeError(message)
    scenario, engineering, base = _state
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
        )
        response = demand_response(result, engineering)
        paths = paths_of(result, response.loop_gain(result.scenario))
        paths |= response_paths(result.scenario, response) | use_paths(result)
        return {**outcomes_of(result, response), "paths": paths}
    except InfeasibleError:
        return None
    except SolverError as error:
        return {UNSOLVED: str(error)}


def run_rows(
    rows: list[tuple[tuple[str, ...], Array]],
    scenario: Scenario,
    engineering: Engineering,
    base: ChainResult | None,
    workers: int,
) -> Iterator[Record]:
    """Yield the record of each drawn row, in their order, on any number of processes."""
    if workers <= 1:
        _start_worker(scenario, engineering, base)
        yield from map(_one, rows)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _start_child, (scenario, engineering, base)) as pool:
        with _main_unseen():  # workers start as work is handed out
            outcomes = pool.map(_one, rows)
        yield from outcomes


@contextmanager
def _main_unseen() -> Iterator[None]:
    """Keep new processes from running the caller's script again, which they do where it has no guard.

    What they need is importable by name; a script that calls this at its top level would start processes without end.
    """
    main = sys.modules["__main__"]
    spec, path = main.__spec__, main.__dict__.pop("__file__", None)
    main.__spec__ = None
    try:
        yield
    finally:
        main.__spec__ = spec
        if path is not None:
            main.__file__ = path
