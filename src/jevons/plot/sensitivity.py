"""Inputs at either end of their range as a tornado."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jevons.plot.palette import HUES, INK
from jevons.plot.style import subplots
from jevons.rounding import shown_in
from jevons.study.draws.outcomes import OUTCOMES
from jevons.study.draws.sensitivity import SensitivityResult

_BARS = 12


def tornado(result: SensitivityResult) -> Any:
    """Draw the outcome at either end of the inputs that move it most, about its central value."""
    unit, meaning = OUTCOMES[result.outcome]
    size, shown = shown_in(unit)
    moved = [swing for swing in result.swings if swing.swing > 0][:_BARS]
    figure, axis = subplots(width=8.0, height=1.2 + 0.3 * max(len(moved), 3))
    centre = result.central / size
    for place, swing in enumerate(reversed(moved)):
        for end, hue in ((swing.at_low, HUES[1]), (swing.at_high, HUES[0])):
            if end is not None:
                axis.barh(place, end / size - centre, left=centre, color=hue, height=0.7)
    axis.axvline(centre, color=INK, linewidth=0.8)
    axis.set_yticks(range(len(moved)), [swing.path for swing in reversed(moved)])
    axis.set_xlabel(f"{meaning[0].upper()}{meaning[1:]}" + (f" [{shown}]" if shown else ""))
    for label, hue in (("low end", HUES[1]), ("high end", HUES[0])):
        axis.barh(0, 0, left=centre, color=hue, label=label)
    axis.legend(loc="lower right")
    return figure


FIGURES: dict[str, Callable[[SensitivityResult], Any]] = {"tornado": tornado}
"""Figures of a sensitivity by name, for ``result.plot``."""
