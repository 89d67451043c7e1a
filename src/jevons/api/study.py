"""`jevons.study.monte_carlo` and `jevons.study.sweep`: the whole chain over draws or a grid of its inputs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from jevons import options as o
from jevons.api.plan import opened

if TYPE_CHECKING:
    from jevons.study.draws.result import StudyResult
    from jevons.study.draws.run import Draws
    from jevons.study.scenario.scenario import Scenario

STUDY_DRAWS = o.Option(help="Draws of all uncertain amounts", low=2, high=1_000_000)
PROCESSES = o.Option(help="Worker processes; one per core where not given", low=1, high=1024)
STORE = o.Option(help="Folder that keeps finished draws; none where not given", parse=o.path, metavar="FOLDER")

Progress = Callable[[int, int], None]


@o.declared
def monte_carlo(
    scenario: Annotated[Any, o.SCENARIO],
    *,
    draws: Annotated[int, STUDY_DRAWS] = 1000,
    seed: Annotated[int | None, o.SEED] = None,
    as_of: Annotated[dt.date | str | None, o.AS_OF] = None,
    processes: Annotated[int | None, PROCESSES] = None,
    store: Annotated[Path | str | None, STORE] = None,
    progress: Progress | None = None,
) -> StudyResult:
    """Run a scenario as correlated draws: intervals, P(Jevons), P(value created), and which inputs move them.

    Returns
    -------
    StudyResult
        With the answer, tables of outcomes, probabilities and sensitivities, and every draw.

    Raises
    ------
    InputError
        If the scenario cannot be read, or its correlations contradict each other.
    InfeasibleError
        If no draw has a feasible plan.

    Examples
    --------
    >>> import jevons
    >>> study = jevons.study.monte_carlo("scenarios/alibaba-380bn.yaml", draws=100)  # doctest: +SKIP
    """
    from jevons.study.draws.run import monte_carlo as run

    loaded, _ = opened(scenario, o.day(as_of))
    root = loaded.seed if seed is None else seed
    options: dict[str, Any] = {"processes": processes, "store": o.file(store), "progress": progress}
    return _result(loaded, True, lambda points, base: run(loaded, points, base, draws, seed=root, **options))


@o.declared
def sweep(
    scenario: Annotated[Any, o.SCENARIO],
    axes: Mapping[str, Sequence[float]],
    *,
    as_of: Annotated[dt.date | str | None, o.AS_OF] = None,
    processes: Annotated[int | None, PROCESSES] = None,
    store: Annotated[Path | str | None, STORE] = None,
    progress: Progress | None = None,
) -> StudyResult:
    """Run a scenario over a grid of chosen amounts, all others at their central values.

    `axes` holds values in SI units by path, such as ``{"finance.terminal_margin": [0.1, 0.2]}``.

    Returns
    -------
    StudyResult
        With a row for each feasible point in the table ``draws``.

    Raises
    ------
    InputError
        If the scenario cannot be read, or a path is no amount of it.
    InfeasibleError
        If no point has a feasible plan.
    """
    from jevons.study.draws.run import sweep as run

    loaded, _ = opened(scenario, o.day(as_of))
    options: dict[str, Any] = {"processes": processes, "store": o.file(store), "progress": progress}
    return _result(loaded, False, lambda points, base: run(loaded, points, base, axes, **options))


def _result(loaded: Scenario, random: bool, run: Callable[[Any, Any], Draws]) -> StudyResult:
    """Prepare the central answer, then run the draws."""
    from jevons.facts import default_facts
    from jevons.study.chain.fixed_point import run_chain
    from jevons.study.chain.operating_points import engineer
    from jevons.study.draws.result import StudyResult

    engineering = engineer(loaded, default_facts(), loaded.as_of)
    draws = run(engineering, run_chain(loaded, engineering))
    return StudyResult(scenario=loaded, draws=draws, random=random)
