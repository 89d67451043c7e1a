"""Exchange rates on file: how much a unit of one currency is in yuan, through dollars where no direct rate is."""

from __future__ import annotations

import datetime as dt

from jevons.facts.types import Facts


def cny_per(facts: Facts, currency: str, on: dt.date | None = None) -> float:
    """Return the yuan that a unit of a currency is worth, at the latest rates on file by a date.

    Raises
    ------
    FactError
        If no rate was known on the date.
    """
    if currency == "CNY":
        return 1.0
    direct, through = f"fx.cny_per_{currency.lower()}", f"fx.usd_per_{currency.lower()}"
    if direct not in facts and through in facts:
        return facts.get(through, on).number * facts.get("fx.cny_per_usd", on).number
    return facts.get(direct, on).number
