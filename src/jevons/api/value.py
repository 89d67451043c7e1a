"""`jevons.value`: a plan against the dated share price."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from jevons import options as o
from jevons.api.plan import opened
from jevons.errors import InputError

if TYPE_CHECKING:
    from jevons.study.plan.value import ValueResult

FIRST = o.Option(help="First date of the re-rating", parse=o.date, metavar="YYYY-MM-DD", flag="from")
PRICES = o.Option(
    help="CSV of prices for the re-rating: date, price; where known earnings (yearly EBITA of all but the cloud), "
    "cloud_revenue, cloud_growth, yield",
    parse=o.path, metavar="FILE",
)  # fmt: skip
MULTIPLE = o.Option(help="Multiple of earnings to test as a fair price, such as 15", above=0, high=10_000)
EARNINGS = o.Option(
    help="Yearly earnings per share to which the multiple applies, in the scenario's currency", above=0, high=1e9
)
LAST = o.Option(help="Last date of the re-rating", parse=o.date, metavar="YYYY-MM-DD", flag="to")

_ENDS = (dt.date(2024, 12, 31), dt.date(2025, 3, 31))
"""Ends of the re-rating where none are given."""


@o.declared
def value(
    scenario: Annotated[Any, o.SCENARIO],
    *,
    first: Annotated[dt.date | str, FIRST] = "2024-12-31",
    last: Annotated[dt.date | str, LAST] = "2025-03-31",
    prices: Annotated[Path | str | None, PRICES] = None,
    multiple: Annotated[float | None, MULTIPLE] = None,
    earnings: Annotated[float | None, EARNINGS] = None,
    as_of: Annotated[dt.date | str | None, o.AS_OF] = None,
    currency: Annotated[str | None, o.SCENARIO_CURRENCY] = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> ValueResult:
    """Value the plan against the share price of its date: what that price assumes, and what explains a re-rating.

    Returns
    -------
    ValueResult
        With the answer, statements by quarter, the iso-price surface, futures, and the re-rating taken apart.

    Raises
    ------
    InputError
        If the scenario cannot be read, no price is known for a date, or the dates are not in order.
    InfeasibleError
        If no plan meets the limits.

    Examples
    --------
    >>> import jevons
    >>> jevons.value("scenarios/alibaba-380bn.yaml").tables["required"]  # doctest: +SKIP
    """
    from jevons.facts import default_facts
    from jevons.study.plan.prices import check_dates, read_prices
    from jevons.study.plan.run import plan as run
    from jevons.study.plan.valuation import check_ends, rerating_facts
    from jevons.study.plan.value import value_plan

    loaded, file = opened(scenario, o.day(as_of), currency)
    days = [o.date(day, name) for day, name in ((first, "from"), (last, "to"))]
    if earnings is not None and multiple is None:
        message = f"--earnings {earnings:g}: has no effect without a multiple; give --multiple too"
        raise InputError(message)
    listed = o.file(prices)
    quotes = None if listed is None else read_prices(listed)
    ends = cast("tuple[dt.date, dt.date]", tuple(days))
    facts = default_facts()
    if quotes is not None:
        check_dates(quotes, *ends)
    elif all(name in facts for name in rerating_facts(loaded)):
        check_ends(facts, loaded.firm.facts, *ends)
    elif ends != _ENDS:
        message = (
            f"--from {ends[0]} --to {ends[1]}: no prices of {loaded.firm.name or loaded.name} are on file; "
            "give --prices FILE.csv with date and price"
        )
        raise InputError(message)
    result = run(loaded, draws=0, progress=progress, file=file)
    return value_plan(result, *ends, quotes=quotes, multiple=multiple, earnings_cur=earnings)
