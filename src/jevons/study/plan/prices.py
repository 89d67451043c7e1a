"""Prices of any share by date from a user's file, with what the market could read on each date."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jevons.errors import Fault, InputError, did_you_mean
from jevons.files.read import file_fault, read_csv
from jevons.finance import PriceView, Rerating
from jevons.study.plan.valuation import rerated
from jevons.study.scenario.scenario import Scenario
from jevons.units import format_money

COLUMNS: Mapping[str, str] = {
    "date": "day of the close, YYYY-MM-DD",
    "price": "price of a share in the scenario's currency",
    "earnings": "yearly EBITA of the businesses other than the cloud, as reported by then",
    "cloud_revenue": "yearly revenue of the cloud, as reported by then",
    "cloud_growth": "growth of that revenue a year, a fraction",
    "yield": "yield of a long government bond, a fraction",
    "basket": "level of a basket of like shares, such as a fund of Chinese internet firms",
    "flow": "net inflow of funds that hold the basket since the line before, in any unit",
}
"""Columns of a file of prices; the first two are needed, the others stay at the scenario's values where not given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a line of a file of prices says."""

    line: int
    figures: Mapping[str, float]


def read_prices(path: Path | str) -> dict[dt.date, Quote]:
    """Return the lines of a file of prices by date, in order of date.

    Raises
    ------
    InputError
        With file and line, if a column is unknown or missing, a date is none or given twice, or a figure is none.
    """
    header, rows = read_csv(path, exact=True)
    for name in header:
        if name not in COLUMNS:
            message = f"column `{name}`: unknown.{did_you_mean(name, COLUMNS)} Known: {', '.join(COLUMNS)}"
            raise file_fault(path, message, 1)
    for name in ("date", "price"):
        if name not in header:
            message = f"has no column `{name}` ({COLUMNS[name]})"
            raise file_fault(path, message, 1)
    quotes: dict[dt.date, Quote] = {}
    faults: list[Fault] = []
    for line, row in rows:
        try:
            day, quote = _quote(line, row)
            if day in quotes:
                message = f"date {day}: is there already, on line {quotes[day].line}; keep one of the two"
                raise ValueError(message)
        except ValueError as error:
            faults.append(Fault(message=str(error), file=str(path), line=line))
            continue
        quotes[day] = quote
    if faults:
        raise InputError(faults)
    if len(quotes) < 2:
        message = "needs at least two dates"
        raise file_fault(path, message)
    return dict(sorted(quotes.items()))


def _quote(line: int, row: Mapping[str, str]) -> tuple[dt.date, Quote]:
    """Return the date of a line and what it says; raise a ValueError that says what is wrong."""
    try:
        day = dt.date.fromisoformat(row["date"].strip())
    except ValueError:
        message = f"date {row['date']!r}: is no date; write it like 2025-03-31"
        raise ValueError(message) from None
    figures = {name: _figure(name, text) for name, text in row.items() if name != "date" and text.strip()}
    if "price" not in figures:
        message = f"date {day}: has no price; fill the gap or leave the line out"
        raise ValueError(message)
    for name in ("earnings", "cloud_revenue"):
        if 0 < abs(figures.get(name, 0.0)) <= figures["price"]:
            message = (
                f"{name} {figures[name]:g}: is no more than the price of one share; the column is the "
                f"{COLUMNS[name]}, in the scenario's currency and not per share"
            )
            raise ValueError(message)
    return day, Quote(line=line, figures=figures)


def _figure(name: str, text: str) -> float:
    try:
        number = float(text.replace(",", ""))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        coded = re.sub(r"[\d.,\s]", "", text)
        hint = f" without `{coded}`, in the scenario's currency" if coded.isalpha() or not coded.isascii() else ""
        hint = "" if coded.lower() in {"nan", "inf"} else hint
        message = f"{name} {text!r}: must be a finite number{hint}"
        raise ValueError(message)
    if name in {"price", "cloud_revenue", "basket"} and number <= 0:
        message = f"{name} {text}: must be above 0"
        raise ValueError(message)
    if name in {"yield", "cloud_growth"} and not -0.5 < number < 3:
        message = f"{name} {text}: must be a fraction, such as 0.043 for 4.3 %"
        raise ValueError(message)
    return number


def check_dates(quotes: Mapping[dt.date, Quote], first: dt.date, last: dt.date) -> None:
    """Refuse ends of a re-rating that the file of prices lacks, or that are not in order.

    Raises
    ------
    InputError
        Naming the option, the nearest date, and what to do.
    """
    if not first < last:
        message = f"--from {first} --to {last}: the first date must come before the last"
        raise InputError(message)
    for name, day in (("from", first), ("to", last)):
        if day not in quotes:
            near = min(quotes, key=lambda known: abs((known - day).days))
            message = (
                f"--{name} {day}: the file of prices, {min(quotes)} to {max(quotes)}, has no such date; "
                f"give --{name} {near}, the nearest, or add the line"
            )
            raise InputError(message)


def explain_prices(scenario: Scenario, quotes: Mapping[dt.date, Quote], first: dt.date, last: dt.date) -> Rerating:
    """Return how far the change of enterprise value between two dates of a file of prices is explained.

    Prices are in the scenario's currency, and so is the result.

    Raises
    ------
    InputError
        If a date is not in the file, or the two are not in order; if a price leaves nothing for the business.
    """
    check_dates(quotes, first, last)
    _check_worth(scenario, quotes, first, last)
    spec = scenario.finance
    ends, views = [], []
    base = quotes[first].figures.get("yield")
    for day in (first, last):
        told = quotes[day].figures
        equity = told["price"] * spec.shares.value
        ends.append(equity - spec.net_cash.value - spec.stakes.value)
        moved = told["yield"] - base if base is not None and "yield" in told else 0.0
        views.append(
            PriceView(
                earnings_cur=told.get("earnings", spec.rest_ebita.value),
                cloud_revenue_cur=told.get("cloud_revenue", 4 * spec.base_revenue.value),
                growth_frac=told.get("cloud_growth", spec.base_growth.value),
                wacc_frac=scenario.cost.wacc.value + moved,
                rate=1.0,
            )
        )
    return rerated(scenario, ends, views)


def _check_worth(scenario: Scenario, quotes: Mapping[dt.date, Quote], first: dt.date, last: dt.date) -> None:
    """Refuse prices at which all shares are worth less than cash and stakes, as those in another currency are."""
    spec = scenario.finance
    cash_and_stakes = spec.net_cash.value + spec.stakes.value
    least = cash_and_stakes / spec.shares.value
    faults = [
        f"price {quotes[day].figures['price']:g} of {day}: all shares would be worth less than net cash and stakes, "
        f"{format_money(cash_and_stakes, scenario.currency)} or {least:,.4g} {scenario.currency} a share, "
        f"with nothing left to explain; prices are per {scenario.firm.share} in {scenario.currency}: convert those of "
        "another currency or share"
        for day in (first, last)
        if quotes[day].figures["price"] <= least
    ]
    if faults:
        raise InputError([Fault(message=fault, path="prices") for fault in faults])
