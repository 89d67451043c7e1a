"""Numbers as tables show them."""

from __future__ import annotations

import math
from typing import Any

from jevons.units import CURRENCIES, MONEY

_SCALES = {
    **{currency: (1e9, f"bn {currency}") for currency in (*CURRENCIES, MONEY)},
    "tok/day": (1e12, "tn tok/day"),
    "W": (1e6, "MW"),
    "devices": (1e3, "thousand"),
}


def shown_in(unit: str) -> tuple[float, str]:
    """Return the factor and the name of the unit in which tables of outcomes show *unit*; no name for a ratio."""
    return _SCALES.get(unit, (1.0, "" if unit == "1" else unit))


def money_unit(most: float) -> tuple[float, str]:
    """Return the factor and the name of the unit in which amounts up to *most* have a figure before the point."""
    units = ((1e9, f"bn {MONEY}"), (1e6, f"mn {MONEY}"), (1e3, f"thousand {MONEY}"))
    return next(((size, name) for size, name in units if abs(most) >= size), units[-1])


def share_price_text(price: float) -> str:
    """Return a price of a share: whole units from a hundred on, hundredths below."""
    return f"{price:,.0f}" if abs(price) >= 100 else f"{price:,.2f}"


def scaled(value: float) -> str:
    """Return a number with three figures, two below 0.1, for a table."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    if abs(value) >= 0.1 or value == 0:
        return f"{value:.2f}"
    return f"{value:#.2g}"


def number(value: Any, digits: int = 3) -> str:
    """Return a number for people: thousands separated, *digits* significant digits below 1000; `–` for None."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, float):
        return str(value)
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value)) + 1e-12))
    return f"{value:.{min(decimals, 8)}f}"
