"""Numbers as tables show them."""

from __future__ import annotations

_SCALES = {
    "CNY": (1e9, "bn CNY"),
    "¤": (1e9, "bn ¤"),
    "tok/day": (1e12, "tn tok/day"),
    "W": (1e6, "MW"),
    "devices": (1e3, "thousand"),
}


def shown_in(unit: str) -> tuple[float, str]:
    """Return the factor and the name of the unit in which tables of outcomes show *unit*; no name for a ratio."""
    return _SCALES.get(unit, (1.0, "" if unit == "1" else unit))


def scaled(value: float) -> str:
    """Return a number with three figures, two below 0.1, for a table."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    if abs(value) >= 0.1 or value == 0:
        return f"{value:.2f}"
    return f"{value:#.2g}"
