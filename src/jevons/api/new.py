"""`jevons.new`: a scenario file for a new firm, from the ten figures that matter and its region."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from jevons import options as o

if TYPE_CHECKING:
    from jevons.study.scenario.new import NewResult


def _regions() -> tuple[str, ...]:
    from jevons.study.scenario.region import region_names

    return region_names()


def _currencies() -> tuple[str, ...]:
    from jevons.units import CURRENCIES

    return CURRENCIES


FILE = o.Option(help="Scenario file to write", metavar="FILE.yaml")
FIRM = o.Option(help="Name of the firm", metavar="NAME")
REGION = o.Option(help="Region whose chips, sites, demand and taxes are taken: us, china, eu or gulf", choices=_regions)
CURRENCY = o.Option(
    help="Currency of the scenario; by default that of the budget, revenue and net cash, else that of the region",
    choices=_currencies,
)
BUDGET = o.Option(help="Capital expenditure over the plan, such as '2 bn USD'", metavar="MONEY")
QUARTERS = o.Option(help="Quarters of the plan", low=2, high=40)
INSTALLED = o.Option(help="Accelerators in service, DEVICE=NUMBER, such as h100_sxm=20000; several may be given",
                     metavar="DEVICE=NUMBER")  # fmt: skip
REVENUE = o.Option(help="Cloud revenue, AI included, in the quarter before the plan, such as '200 mn USD'",
                   metavar="MONEY")  # fmt: skip
NET_CASH = o.Option(help="Cash less debt, such as '-1 bn USD'", metavar="MONEY")
SHARES = o.Option(help="Shares outstanding, such as '300 mn'", metavar="NUMBER")
SHARE_PRICE = o.Option(help="Price of a share, such as '30 USD'", metavar="MONEY")
FORCE = o.Option(help="Replace a scenario file that exists")


@o.declared
def new(
    file: Annotated[Path | str, FILE],
    *,
    firm: Annotated[str | None, FIRM] = None,
    region: Annotated[str, REGION] = "us",
    currency: Annotated[str | None, CURRENCY] = None,
    as_of: Annotated[dt.date | str | None, o.AS_OF] = None,
    budget: Annotated[str | None, BUDGET] = None,
    quarters: Annotated[int, QUARTERS] = 12,
    installed: Annotated[list[str] | None, INSTALLED] = None,
    revenue: Annotated[str | None, REVENUE] = None,
    net_cash: Annotated[str | None, NET_CASH] = None,
    shares: Annotated[str | None, SHARES] = None,
    share_price: Annotated[str | None, SHARE_PRICE] = None,
    overwrite: Annotated[bool, FORCE] = False,
) -> NewResult:
    """Write a scenario for a new firm: ten figures of its own, the rest from its region.

    Returns
    -------
    NewResult
        With the scenario that was written, and what the file states of its own.

    Raises
    ------
    InputError
        If a figure is missing (all that are missing are named at once) or is none, or the file is there.

    Examples
    --------
    >>> import jevons, tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "neo.yaml"
    >>> made = jevons.new(
    ...     path, firm="Neo", budget="2 bn USD", revenue="200 mn USD", net_cash="-1 bn USD", shares="300 mn",
    ...     share_price="30 USD", installed=["h100_sxm=20000"], as_of="2025-02-24",
    ... )
    >>> made.scenario.expansion.budget.value
    2000000000.0
    """
    from jevons.study.scenario.new import write_new

    figures: dict[str, Any] = {
        "firm": firm, "budget": budget, "revenue": revenue, "net_cash": net_cash, "shares": shares,
        "share_price": share_price,
    }  # fmt: skip
    return write_new(
        Path(file), figures, region=region, currency=currency, as_of=o.day(as_of), quarters=quarters,
        installed=installed or [], overwrite=overwrite,
    )  # fmt: skip
