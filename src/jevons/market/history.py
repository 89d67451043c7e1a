"""Reads a history of volumes, prices and users, and says what it tells about elasticity."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jevons.errors import Fault, InputError
from jevons.facts.read import as_date
from jevons.files import read_csv
from jevons.limits import HISTORY_BYTES
from jevons.market import GrowthAccount, account_for_growth

_NEEDED = ("date", "tokens_per_day", "price")


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Observations of one product.

    Parameters
    ----------
    dates : tuple of date
        Rising.
    tokens_per_d, price : tuple of float
        Volume [tok/day], and the price of one product of constant kind in any one unit.
    users : tuple of float or None
        Users; None where the file does not count them.
    """

    dates: tuple[dt.date, ...]
    tokens_per_d: tuple[float, ...]
    price: tuple[float, ...]
    users: tuple[float, ...] | None


def read_history(path: Path) -> History:
    """Return the history in a CSV file with columns ``date``, ``tokens_per_day``, ``price`` and perhaps ``users``.

    Raises
    ------
    InputError
        Naming file, line, value and remedy, for all lines at once.
    """
    header, rows = read_csv(path, most_bytes=HISTORY_BYTES, exact=True)
    names = [name for name in header if name]
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        message = f"{path}:1: no column {', '.join(missing)}; a history needs {', '.join(_NEEDED)}, and may have users"
        raise InputError(message)
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        message = f"{path}:1: column {', '.join(twice)} is there twice; keep one"
        raise InputError(message)
    numbers = [name for name in (*_NEEDED[1:], "users") if name in names]
    dates: list[dt.date] = []
    columns: dict[str, list[float]] = {name: [] for name in numbers}
    faults: list[Fault] = []
    today = dt.datetime.now(dt.UTC).date()
    for line, row in rows:
        place = f"{path}:{line}"
        try:
            date = as_date(row["date"].strip())
        except ValueError:
            faults.append(Fault(message=f"`{row['date']}` is not a date; write YYYY-MM-DD or YYYY-MM", path=place))
            continue
        if date > today:
            faults.append(Fault(message=f"`{row['date']}` lies in the future; a history ends today", path=place))
        if dates and date <= dates[-1]:
            faults.append(
                Fault(message=f"{date} does not come after {dates[-1]}; sort the rows by date, one each", path=place)
            )
        dates.append(date)
        for name in numbers:
            value = _number(row[name])
            if not 0 < value < math.inf:
                faults.append(Fault(message=f"{name} `{row[name]}` is not a number above 0", path=place))
            columns[name].append(value)
    if faults:
        raise InputError(faults)
    if len(dates) < 2:
        message = f"{path}: {len(dates)} rows; growth needs two dates or more"
        raise InputError(message)
    users = tuple(columns["users"]) if "users" in columns else None
    return History(
        dates=tuple(dates), tokens_per_d=tuple(columns["tokens_per_day"]), price=tuple(columns["price"]), users=users
    )


def growth_account(history: History) -> GrowthAccount:
    """Return what users, price and use per user add to a history's growth; users as one where they are not counted."""
    years = [date.toordinal() / 365.25 for date in history.dates]
    users = history.users or (1.0,) * len(years)
    try:
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            return account_for_growth(years, history.tokens_per_d, users, history.price)
    except (ArithmeticError, ValueError):
        message = "the volumes, prices or users change by more than can be accounted for; check their units"
        raise InputError(message) from None


def _number(text: str | None) -> float:
    try:
        return float(text or "")
    except ValueError:
        return math.nan
