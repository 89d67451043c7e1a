"""`jevons.plan`: a scenario through the whole chain, from facts to value."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from jevons import options as o
from jevons.errors import InputError, InputNote

if TYPE_CHECKING:
    from jevons.facts import Facts
    from jevons.study import PlanResult, Scenario


def _changes(given: Any, name: str) -> Any:
    from jevons.study.scenario.changes import read_changes

    return read_changes(given, name)


SET = o.Option(
    help="Change of the scenario by path, PATH=VALUE, such as cost.wacc=0.12, expansion.budget='500 bn CNY' or "
    "hardware.devices.*.supply=x1.5; several may be given",
    parse=_changes, metavar="PATH=VALUE", flag="set",
)  # fmt: skip


@o.declared
def plan(
    scenario: Annotated[Any, o.SCENARIO],
    *,
    set: Annotated[Mapping[str, Any] | list[str] | None, SET] = None,
    seed: Annotated[int | None, o.SEED] = None,
    draws: Annotated[int | None, o.DRAWS] = None,
    as_of: Annotated[dt.date | str | None, o.AS_OF] = None,
    currency: Annotated[str | None, o.SCENARIO_CURRENCY] = None,
    facts: Facts | None = None,
    processes: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    on_draw: Callable[[Mapping[str, Any]], None] | None = None,
) -> PlanResult:
    """Plan what to build, serve and charge, and what it earns, over the quarters of a scenario.

    A value that `set` changes is certain; ``x1.5`` multiplies value and range. Where `seed` and `draws` are not given,
    they are the scenario's own.

    Returns
    -------
    PlanResult
        With the answer, named tables, labelled arrays such as ``plan.cost.per_mtok``, and explanations.

    Raises
    ------
    InputError
        If the scenario cannot be read, or contradicts itself or the facts.
    InfeasibleError
        If no plan meets the limits; it names the binding ones.

    Notes
    -----
    `set` takes a mapping by path, such as ``{"cost.wacc": 0.12}``. `processes` is the number of worker processes of the
    draws; results do not depend on it. `progress` is called with the step, how much is done, and how much there is;
    `on_draw` with the outcomes and paths of each draw that has a feasible plan, as soon as it is computed.

    Examples
    --------
    >>> import jevons
    >>> plan = jevons.plan("scenarios/alibaba-380bn.yaml", draws=0)  # doctest: +SKIP
    >>> plan.fleet.devices.sel(device="h20", quarter="2027-Q4")  # doctest: +SKIP
    """
    from jevons.study.plan.run import plan as run
    from jevons.study.scenario.changes import changed

    if draws == 1:
        message = "--draws 1: one draw has no interval; give 0 for none, or 2 and more"
        raise InputError(message)
    loaded, file = opened(scenario, o.day(as_of), currency)
    if set:
        loaded = changed(loaded, set, file=scenario if isinstance(scenario, str | Path) else None)  # type: ignore[arg-type]
    if seed is not None and not (loaded.study.draws if draws is None else draws):
        warnings.warn(f"--seed {seed}: has no effect without --draws; add them", InputNote, stacklevel=3)
    return run(
        loaded, seed=seed, draws=draws, facts=facts, processes=processes, progress=progress, on_draw=on_draw, file=file
    )


def opened(scenario: Scenario | Path | str, as_of: dt.date | None, currency: str | None = None) -> tuple[Scenario, str]:
    """Return a scenario, read where a path is given, in a currency, its own by default, and the name of its file.

    Raises
    ------
    InputError
        If it is neither, cannot be read, or a date or currency is given with a scenario that has another.
    """
    from jevons.study.scenario.load import load
    from jevons.study.scenario.scenario import Scenario

    if isinstance(scenario, Scenario):
        if as_of is not None and as_of != scenario.as_of:
            message = f"--as-of {as_of}: the scenario was loaded as of {scenario.as_of}; give the date to `jevons.load`"
            raise InputError(message)
        if currency is not None and currency != scenario.currency:
            message = (
                f"--currency {currency}: the scenario was loaded in {scenario.currency}; give "
                f"settings={{'currency': '{currency}'}} to `jevons.load`"
            )
            raise InputError(message)
        return scenario, ""
    if not isinstance(scenario, str | Path):
        message = f"--scenario {type(scenario).__name__}: give a scenario from `jevons.load`, or the path of its file"
        raise InputError(message)
    file = Path(o.path(scenario, "scenario"))
    return load(file, as_of=as_of, settings=None if currency is None else {"currency": currency}), file.name
