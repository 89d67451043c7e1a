"""`jevons.compare`: two scenarios, or one and changes of it, on paired draws."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from jevons import options as o
from jevons.api.plan import SET as PLAN_SET
from jevons.api.plan import opened
from jevons.errors import InputError

if TYPE_CHECKING:
    from jevons.study.compare.result import CompareResult
    from jevons.study.scenario.scenario import Scenario


FIRST = o.Option(help="Scenario A (YAML)", metavar="A")
SECOND = o.Option(help="Scenario B (YAML); A with the changes of --set where not given", metavar="B")
SET = replace(PLAN_SET, help=PLAN_SET.help.replace("of the scenario", "of B"))
CASE = o.Option(help="Named case, such as deepseek, price-war or boom-bust: changes of both sides", metavar="NAME")
DRAWS = o.Option(help="Paired draws, 0 for none", low=0, high=100_000)


@o.declared
def compare(
    a: Annotated[Any, FIRST],
    b: Annotated[Any, SECOND] = None,
    *,
    set: Annotated[Mapping[str, Any] | list[str] | None, SET] = None,
    case: Annotated[str | None, CASE] = None,
    draws: Annotated[int, DRAWS] = 24,
    seed: Annotated[int | None, o.SEED] = None,
    as_of: Annotated[dt.date | str | None, o.AS_OF] = None,
    currency: Annotated[str | None, o.SCENARIO_CURRENCY] = None,
    processes: Annotated[int | None, o.PROCESSES] = None,
    executor: Annotated[str, o.EXECUTOR] = "local",
    address: Annotated[str | None, o.ADDRESS] = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> CompareResult:
    """Compare two scenarios, or one with changes: differences of the headlines, and the inputs that explain them.

    Both sides use the same seed and random streams, so shared uncertainty does not widen the interval of a difference.
    Without `b`, B is A with the changes of `set`; with it, `set` changes B. A value that is set is certain; a mapping
    with low, mode and high has a range, and ``x1.5`` multiplies value and range.

    Returns
    -------
    CompareResult
        With `.difference()`, `.attribution()`, tables, and the picture ``paths``.

    Raises
    ------
    InputError
        If a scenario cannot be read, a path is unknown (near names are offered), or nothing differs.
    InfeasibleError
        If either side has no feasible plan.

    Examples
    --------
    >>> import jevons
    >>> both = jevons.compare("tests/unit/study/tiny.yaml", set={"cost.wacc": 0.12}, draws=0)
    >>> both.difference()["plan_value"]["delta"] < 0
    True
    """
    from jevons.parallel import Executor
    from jevons.study.compare.cases import case_named, sides
    from jevons.study.compare.result import CompareResult
    from jevons.study.compare.run import compared
    from jevons.study.scenario.changes import changed

    if draws == 1:
        message = "--draws 1: one draw has no interval; give 0 for none, or 2 and more"
        raise InputError(message)
    day = o.day(as_of)
    first, _ = opened(a, day, currency)
    chosen = None if case is None else case_named(case)
    if chosen is not None and b is not None:
        message = f"--case {case}: a case changes both sides of one scenario; give no second scenario with it"
        raise InputError(message)
    if b is None and not set and chosen is None:
        message = "--set: nothing to compare with; give a second scenario, changes with --set, or a --case"
        raise InputError(message)
    second, file = (first, a) if b is None else (_in_currency_of(first, b, day), b)
    if chosen is not None:
        first, second = sides(chosen, first)
        file = None
    if set:
        second = changed(second, set, file=_file(file))  # type: ignore[arg-type]
    where = Executor.chosen(executor, address, processes)
    comparison = compared(first, second, draws=draws, seed=seed, executor=where, progress=progress)
    return CompareResult(
        comparison=comparison, names=_names(first, second), case="" if chosen is None else chosen.title,
        question="" if chosen is None else chosen.question,
    )  # fmt: skip


def _in_currency_of(first: Scenario, b: Any, day: dt.date | None) -> Scenario:
    """Return the second scenario, a file in another currency read anew in that of the first."""
    from jevons.study.scenario.load import load

    second, _ = opened(b, day)
    if second.currency == first.currency:
        return second
    if not isinstance(b, str | Path):
        message = f"b: is in {second.currency}, the first in {first.currency}; write both in one currency"
        raise InputError(message)
    return load(b, as_of=day, settings={"currency": first.currency})


def _names(first: Scenario, second: Scenario) -> tuple[str, str]:
    return first.name, second.name


def _file(given: Any) -> Path | None:
    return Path(given) if isinstance(given, str | Path) else None
