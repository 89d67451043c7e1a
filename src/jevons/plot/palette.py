"""One palette for every figure: eight hues told apart by people with colour-blindness, and the same thing the same hue.

References
----------
Okabe and Ito (2008), Color Universal Design.
"""

from __future__ import annotations

from collections.abc import Iterable

HUES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C8C3A", "#5E4FA2")
INK = "#22303C"
MUTED = "#7A8793"
GRID = "#DCE3E8"


def colours(names: Iterable[str]) -> dict[str, str]:
    """Return a hue for each name in order; hues repeat after eight."""
    return {name: HUES[index % len(HUES)] for index, name in enumerate(names)}
