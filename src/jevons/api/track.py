"""`jevons.track`: actual figures against a scenario's forecast."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from jevons import options as o
from jevons.api.plan import opened

if TYPE_CHECKING:
    from jevons.study.track.result import TrackResult

ACTUALS = o.Option(
    help="CSV file with columns quarter, quantity, value and perhaps unit; or facts, for later values of the facts "
    "behind the scenario's opening figures",
    metavar="CSV",
)  # fmt: skip
DRAWS = o.Option(help="Draws that are re-weighted", low=2, high=100_000)
UNTIL = o.Option(help="With --actuals facts: last day of publication that counts", parse=o.date, metavar="YYYY-MM-DD")


@o.declared
def track(
    scenario: Annotated[Any, o.SCENARIO],
    *,
    actuals: Annotated[Path | str, ACTUALS] = "facts",
    draws: Annotated[int, DRAWS] = 64,
    seed: Annotated[int | None, o.SEED] = None,
    until: Annotated[dt.date | str | None, UNTIL] = None,
    as_of: Annotated[dt.date | str | None, o.AS_OF] = None,
    currency: Annotated[str | None, o.SCENARIO_CURRENCY] = None,
    processes: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> TrackResult:
    """Track a scenario: for each quarter the forecast, the actual value, and the updated forecast.

    Draws are re-weighted by their likelihood given the actual figures; the effective sample size says how many still
    count. These series can be tracked: `cloud_revenue`, `cloud_ebita_frac`, `group_capex`, `capex`, `ai_revenue`,
    `tokens_per_d`, `market_tokens_per_d`, `price_index`.

    Returns
    -------
    TrackResult
        With `.quarters()`, `.outcomes()`, `.forecast()` and the inputs that move.

    Raises
    ------
    InputError
        If the file has unknown quantities, values that are none, or a quarter twice.
    InfeasibleError
        If no draw has a feasible plan.

    Examples
    --------
    >>> import jevons
    >>> jevons.track("scenarios/alibaba-380bn.yaml", actuals="facts").quarters()  # doctest: +SKIP
    """
    from jevons.study.track.run import track as run

    loaded, _ = opened(scenario, o.day(as_of), currency)
    return run(loaded, actuals, draws=draws, seed=seed, until=o.day(until), processes=processes, progress=progress)
