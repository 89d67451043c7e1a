"""Numbers as tables show them."""

from __future__ import annotations


def scaled(value: float) -> str:
    """Return a number with three figures, two below 0.1, for a table."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    if abs(value) >= 0.1 or value == 0:
        return f"{value:.2f}"
    return f"{value:#.2g}"
