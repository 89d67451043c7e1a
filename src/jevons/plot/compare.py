"""Paths of two scenarios over each other, and what explains their difference."""

from __future__ import annotations

from typing import Any

import numpy as np

from jevons.plot.palette import HUES, INK
from jevons.plot.style import empty_note, quarter_ticks, subplots
from jevons.rounding import shown_in
from jevons.study.compare.result import CompareResult
from jevons.study.compare.run import Side
from jevons.study.currency import of_scenario
from jevons.study.draws.outcomes import OUTCOMES, PATHS

_SHOWN = ("tokens_per_d", "ai_revenue", "capex", "cloud_revenue")
_MAIN = ("value_per_share", "orders_value")


def paths(result: CompareResult) -> Any:
    """Tokens, AI revenue, capital expenditure and cloud revenue of both sides by quarter, with 80 % of the draws."""
    figure, axes = subplots(2, width=10.0, height=6.4, rows=2)
    names = [name for name in _SHOWN if name in PATHS]
    comparison = result.comparison
    quarters = tuple(dict.fromkeys([*comparison.a.scenario.labels(), *comparison.b.scenario.labels()]))
    for axis, name in zip(axes.ravel(), names, strict=False):
        unit, meaning = PATHS[name]
        size, shown = shown_in(unit)
        for side, letter, colour in ((comparison.a, "A", HUES[0]), (comparison.b, "B", HUES[1])):
            _side(axis, side, name, size, (letter, colour), quarters)
        axis.set_title(meaning[0].upper() + meaning[1:])
        axis.set_ylabel(f"[{of_scenario(result.scenario, shown)}]")
        axis.set_ylim(bottom=min(0.0, axis.get_ylim()[0]))
        axis.legend(fontsize=8, loc="upper left")
        quarter_ticks(axis, quarters)
    return figure


def _side(axis: Any, side: Side, name: str, size: float, look: tuple[str, str], quarters: tuple[str, ...]) -> None:
    letter, colour = look
    places = np.array([quarters.index(q) for q in side.scenario.labels()])
    if side.draws is not None and name in side.draws.paths:
        low, high = np.quantile(side.draws.paths[name], (0.1, 0.9), axis=0) / size
        axis.fill_between(places, low, high, color=colour, alpha=0.18, linewidth=0)
    axis.plot(places, np.asarray(side.paths[name]) / size, color=colour, linewidth=2, label=letter)


def attribution(result: CompareResult) -> Any:
    """Bars of what each changed input does to the value by itself, and the interaction."""
    figure, axis = subplots(1, width=9.0, height=4.2)
    parts = result.attribution()
    name = next((n for n in _MAIN if n in parts), next(iter(parts)))
    size, unit = shown_in(OUTCOMES[name][0])
    rows = [(label, value / size) for label, value in parts[name].items()]
    if not rows:
        empty_note(axis, "no change has an effect")
        return figure
    order = sorted(rows, key=lambda row: abs(row[1]))
    axis.barh([r[0] for r in order], [r[1] for r in order], color=[HUES[0] if r[1] >= 0 else HUES[1] for r in order])
    axis.axvline(0, color=INK, linewidth=0.8)
    axis.set_xlabel(f"Change of {OUTCOMES[name][1]} [{of_scenario(result.scenario, unit)}]")
    return figure


FIGURES = {"paths": paths, "attribution": attribution}
