"""Studies: `jevons.study.montecarlo`, `sweep`, `sensitivity`, `foresight`, `growth`, `backtest` and `yardsticks`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from jevons import options as o
from jevons.api.plan import SET, opened

if TYPE_CHECKING:
    from jevons.market.growth_result import GrowthResult
    from jevons.parallel import Executor
    from jevons.study.draws.result import StudyResult
    from jevons.study.draws.sensitivity import SensitivityResult
    from jevons.study.plan.foresight_result import ForesightResult
    from jevons.study.scenario.resolved import ResolvedResult
    from jevons.validation.backtest.result import BacktestResult
    from jevons.validation.yardsticks.result import YardsticksResult


def _axes(given: Any, name: str) -> Any:
    from jevons.study.draws.grid import read_axes

    return read_axes(given, name)


def _executor(kind: str, address: str | None, processes: int | None) -> Executor:
    from jevons.parallel import Executor

    return Executor.chosen(kind, address, processes)


def _outcomes() -> Sequence[str]:
    from jevons.study.draws.outcomes import OUTCOMES

    return tuple(OUTCOMES)


STUDY_DRAWS = o.Option(help="Draws of all uncertain amounts", low=2, high=1_000_000)
AXES = o.Option(
    help="Values by path in SI units, PATH=LOW:HIGH:STEPS or PATH=A,B,C; several make a grid", parse=_axes, flag="set",
    metavar="PATH=VALUES",
)  # fmt: skip
OUTCOME = o.Option(help="Outcome whose movement is shown, such as value_per_share", choices=_outcomes, metavar="NAME")
INPUTS = o.Option(help="Prefix of the inputs' paths, such as finance; all uncertain amounts by default")
WINDOW = o.Option(help="Quarters that the rolling planner sees", low=1, high=40)
HISTORY = o.Option(
    help="CSV file with columns date, tokens_per_day and price of one product, perhaps users", parse=o.path,
    metavar="FILE",
)  # fmt: skip
OUTCOME_FILES = o.Option(
    help="CSV file of outcomes with columns entity, quantity, date_or_period, value and unit", parse=o.path,
    metavar="FILE",
)  # fmt: skip
FORECAST_DATE = o.Option(
    help="Date of the forecasts: nothing published later is visible", parse=o.date, metavar="YYYY-MM-DD"
)
FORECAST_DRAWS = o.Option(help="Draws behind the reduced form's forecasts", low=100, high=1_000_000)
FORECAST_SCENARIO = o.Option(
    help="Scenario of that date (YAML): the whole chain is forecast from it and scored too", metavar="SCENARIO"
)
CHAIN_DRAWS = o.Option(
    help="Draws of the chain, made twice: with and without all links", low=20, high=100_000
)  # fmt: skip

Progress = Callable[[str, int, int], None]


@o.declared
def montecarlo(
    scenario: Annotated[Any, o.SCENARIO],
    *,
    draws: Annotated[int, STUDY_DRAWS] = 1000,
    seed: Annotated[int | None, o.SEED] = None,
    as_of: Annotated[dt.date | str | None, o.AS_OF] = None,
    currency: Annotated[str | None, o.SCENARIO_CURRENCY] = None,
    processes: Annotated[int | None, o.PROCESSES] = None,
    executor: Annotated[str, o.EXECUTOR] = "local",
    address: Annotated[str | None, o.ADDRESS] = None,
    store: Annotated[Path | str | None, o.STORE] = None,
    progress: Progress | None = None,
) -> StudyResult:
    """Run a scenario as correlated draws: intervals, P(Jevons), P(value created), and the most influential inputs.

    The scenario's own seed is the default. A stopped run with a store resumes, with the same result as an
    uninterrupted one.

    Returns
    -------
    StudyResult
        With the answer, tables of outcomes, probabilities and sensitivities, and every draw.

    Raises
    ------
    InputError
        If the scenario cannot be read, its correlations contradict each other, or store or cluster cannot be used.
    InfeasibleError
        If no draw has a feasible plan.

    Examples
    --------
    >>> import jevons
    >>> study = jevons.study.montecarlo("tests/unit/study/tiny.yaml", draws=4, processes=1)
    >>> study.to_frame().height
    4
    """
    from jevons.study.draws.study import montecarlo_study

    loaded, _ = opened(scenario, o.day(as_of), currency)
    return montecarlo_study(
        loaded, draws, seed=seed, executor=_executor(executor, address, processes), store=store, progress=progress
    )  # fmt: skip


@o.declared
def sweep(
    scenario: Annotated[Any, o.SCENARIO],
    axes: Annotated[Mapping[str, Sequence[float]] | list[str], AXES],
    *,
    as_of: Annotated[dt.date | str | None, o.AS_OF] = None,
    currency: Annotated[str | None, o.SCENARIO_CURRENCY] = None,
    processes: Annotated[int | None, o.PROCESSES] = None,
    executor: Annotated[str, o.EXECUTOR] = "local",
    address: Annotated[str | None, o.ADDRESS] = None,
    store: Annotated[Path | str | None, o.STORE] = None,
    progress: Progress | None = None,
) -> StudyResult:
    """Run a scenario over a grid of chosen amounts, all others at their central values.

    Returns
    -------
    StudyResult
        With a row for each feasible point; ``.to_xarray()`` has the grid's axes as dimensions.

    Raises
    ------
    InputError
        If the scenario cannot be read, or a path is no amount of it, or a value is out of its bounds.
    InfeasibleError
        If no point has a feasible plan.

    Notes
    -----
    `axes` takes a mapping by path, such as ``{"finance.terminal_margin": [0.1, 0.2]}``, or texts as the command does.

    Examples
    --------
    >>> import jevons
    >>> grid = jevons.study.sweep("tests/unit/study/tiny.yaml", {"cost.wacc": [0.09, 0.11]}, processes=1)
    >>> cheap, dear = grid.to_xarray().value_per_share.sel({"cost.wacc": [0.09, 0.11]}).values
    >>> bool(cheap > dear)
    True
    """
    from jevons.study.draws.study import sweep_study

    loaded, _ = opened(scenario, o.day(as_of), currency)
    grid = cast("Mapping[str, Sequence[float]]", axes)
    return sweep_study(loaded, grid, executor=_executor(executor, address, processes), store=store, progress=progress)


@o.declared
def sensitivity(
    scenario: Annotated[Any, o.SCENARIO],
    *,
    outcome: Annotated[str, OUTCOME] = "value_per_share",
    inputs: Annotated[str, INPUTS] = "",
    as_of: Annotated[dt.date | str | None, o.AS_OF] = None,
    currency: Annotated[str | None, o.SCENARIO_CURRENCY] = None,
    processes: Annotated[int | None, o.PROCESSES] = None,
    executor: Annotated[str, o.EXECUTOR] = "local",
    address: Annotated[str | None, o.ADDRESS] = None,
    store: Annotated[Path | str | None, o.STORE] = None,
    progress: Progress | None = None,
) -> SensitivityResult:
    """Move each uncertain amount to either end of its range, all others fixed, and rank the effects on an outcome.

    Runs the chain twice for each amount. Interactions do not show here; the draws of `montecarlo` include them.

    Returns
    -------
    SensitivityResult
        A row for each input with the outcome at either end, greatest swing first.

    Raises
    ------
    InputError
        If the scenario cannot be read, or the outcome or the beginning of the paths is unknown.
    InfeasibleError
        If the central answer has no feasible plan.

    Examples
    --------
    >>> import jevons
    >>> moved = jevons.study.sensitivity("tests/unit/study/tiny.yaml", inputs="hardware", processes=1)
    >>> moved.swings[0].path.startswith("hardware.")
    True
    """
    from jevons.study.draws.study import sensitivity_study

    loaded, _ = opened(scenario, o.day(as_of), currency)
    return sensitivity_study(
        loaded, outcome, inputs, executor=_executor(executor, address, processes), store=store, progress=progress
    )  # fmt: skip


@o.declared
def foresight(
    scenario: Annotated[Any, o.SCENARIO],
    *,
    window: Annotated[int, WINDOW] = 4,
    as_of: Annotated[dt.date | str | None, o.AS_OF] = None,
    currency: Annotated[str | None, o.SCENARIO_CURRENCY] = None,
    executor: Annotated[str, o.EXECUTOR] = "local",
    address: Annotated[str | None, o.ADDRESS] = None,
    progress: Progress | None = None,
) -> ForesightResult:
    """Value foresight to the planner, and knowledge of the export regime.

    Returns
    -------
    ForesightResult
        Worth to callers less cost of planners of different sight, and of orders for each export regime [CNY].

    Raises
    ------
    InputError
        If the scenario cannot be read, or contradicts itself or the facts.
    InfeasibleError
        If no plan meets the limits.

    Examples
    --------
    >>> import jevons
    >>> worth = jevons.study.foresight("tests/unit/study/tiny.yaml").knowing.sight
    >>> worth.perfect_cur >= worth.rolling_cur
    True
    """
    from jevons.study.plan.foresight_result import foresight_of

    loaded, file = opened(scenario, o.day(as_of), currency)
    return foresight_of(
        loaded, window, _executor(executor, address, None if executor == "ray" else 1), progress=progress, file=file
    )


@o.declared
def resolved(
    scenario: Annotated[Any, o.SCENARIO],
    *,
    set: Annotated[Mapping[str, Any] | list[str] | None, SET] = None,
    as_of: Annotated[dt.date | str | None, o.AS_OF] = None,
    currency: Annotated[str | None, o.SCENARIO_CURRENCY] = None,
) -> ResolvedResult:
    """Show every value of a scenario as it was read, with its changes and its origin.

    Returns
    -------
    ResolvedResult
        A row for each setting and amount: value, unit, range, origin and source.

    Raises
    ------
    InputError
        If the scenario cannot be read, or contradicts itself or the facts.

    Examples
    --------
    >>> import jevons
    >>> values = jevons.study.resolved("tests/unit/study/tiny.yaml").to_json()["resolved"]
    >>> next(value["origin"] for value in values if value["path"] == "hardware.devices.h20.price")
    'h20.price_cny'
    """
    from jevons.study.scenario.changes import changed
    from jevons.study.scenario.resolved import ResolvedResult

    loaded = opened(scenario, o.day(as_of), currency)[0]
    if set:
        loaded = changed(loaded, set, file=scenario if isinstance(scenario, str | Path) else None)  # type: ignore[arg-type]
    return ResolvedResult(scenario=loaded)


@o.declared
def growth(file: Annotated[Path | str, HISTORY]) -> GrowthResult:
    """Split the growth of a volume into users, price and use per user, and say whether the data identify elasticity.

    Returns
    -------
    GrowthResult
        Factors over the whole time and a year, and the elasticity of use per user where the data hold it.

    Raises
    ------
    InputError
        If the file cannot be read; each line with its fault.

    Examples
    --------
    >>> import jevons
    >>> jevons.study.growth("scenarios/doubao-history.csv").account.elasticity is None
    True
    """
    from jevons.market.growth_result import growth_of

    return growth_of(Path(file))


@o.declared
def backtest(
    *files: Annotated[Path | str, OUTCOME_FILES],
    as_of: Annotated[dt.date | str, FORECAST_DATE] = "2025-02-24",
    draws: Annotated[int, FORECAST_DRAWS] = 4000,
    scenario: Annotated[Any, FORECAST_SCENARIO] = None,
    chain_draws: Annotated[int, CHAIN_DRAWS] = 400,
    processes: Annotated[int | None, o.PROCESSES] = None,
    executor: Annotated[str, o.EXECUTOR] = "local",
    address: Annotated[str | None, o.ADDRESS] = None,
    seed: Annotated[int, o.SEED] = 7,
    progress: Progress | None = None,
) -> BacktestResult:
    """Score forecasts frozen at a date against outcomes, beside baselines and variants of the model.

    Forecasts come from a reduced form of the chain; with a scenario from the whole chain, its reduced form beside it.

    Returns
    -------
    BacktestResult
        Forecasts by quarter, scores of every outcome by every method, and the tests that could refute the model.

    Raises
    ------
    InputError
        If a file is wrong, or the scenario cannot be read.
    FactError
        If a figure was not public on the date.

    Examples
    --------
    >>> import jevons
    >>> scored = jevons.study.backtest("tests/data/economics/dated_sample.csv", draws=100)
    >>> scored.to_frame()["target"].unique().to_list()
    ['doubao_tok_per_d']
    """
    from jevons.facts import default_facts
    from jevons.validation.backtest.result import BacktestResult
    from jevons.validation.backtest.score import backtest as run

    date = o.date(as_of, "as-of")
    loaded = None if scenario is None else opened(scenario, date)[0]
    scored = run(
        [Path(file) for file in files], default_facts(), as_of=date, draws=draws, seed=seed, scenario=loaded,
        chain_draws=chain_draws, executor=_executor(executor, address, processes), progress=progress,
    )  # fmt: skip
    return BacktestResult(backtest=scored)


@o.declared
def yardsticks(*, as_of: Annotated[dt.date | str | None, o.AS_OF] = None) -> YardsticksResult:
    """Score whether training efficiency and tool chains explain rents, prices and shares of held-out groups.

    Training efficiency is the work of a run times algorithmic gain, per yuan. A tool chain's completeness is the mean
    of ten marks. A yardstick is kept if it lowers the median error on held-out groups by at least 5 %, and random
    permutations of it seldom do as well.

    Returns
    -------
    YardsticksResult
        Scores, training runs, and tool chains by chip and by provider.

    Raises
    ------
    InputError
        If the date is before the tool chains were read.

    Examples
    --------
    >>> import jevons
    >>> found = jevons.study.yardsticks()
    >>> [score.outcome for score in found.kept]
    ['rent of an accelerator-hour']
    """
    from jevons.facts import default_facts
    from jevons.validation.yardsticks.run import run_yardsticks

    return run_yardsticks(default_facts(), o.day(as_of))
