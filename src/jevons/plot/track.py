"""Forecast, actual figures and new forecast by quarter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from jevons.arrays import Array
from jevons.plot.palette import HUES, INK
from jevons.plot.style import quarter_ticks, subplots
from jevons.rounding import shown_in
from jevons.study import Scenario
from jevons.study.currency import of_scenario
from jevons.study.draws.run import Draws
from jevons.study.track.actuals import SERIES, Actual
from jevons.study.track.result import TrackResult
from jevons.study.track.update import path_of, quantiles


def track(result: TrackResult) -> Any:
    """Forecast with 80 % of the draws, actual figures as points, and the forecast given them, by series."""
    titles = {a.series: SERIES[a.series][1][0].upper() + SERIES[a.series][1][1:] for a in result.actuals}
    weights = {"forecast": None, "given the actuals": result.update.weights}
    return forecast(result.scenario, result.draws, titles, actuals=result.actuals, weights=weights)


def forecast(
    scenario: Scenario,
    draws: Draws,
    titles: Mapping[str, str],
    *,
    actuals: Iterable[Actual] = (),
    weights: Mapping[str, Array | None] | None = None,
    side_by_side: bool = False,
) -> Any:
    """Return a picture of series by quarter: median and 80 % of the draws, actual figures as points.

    Parameters
    ----------
    scenario : Scenario
        What the draws are of.
    draws : Draws
        Paths by quarter.
    titles : mapping of str to str
        Title of each series, see `jevons.study.track.actuals.SERIES`; a panel each.
    actuals : iterable of Actual
        What came; those of other series are left out.
    weights : mapping of str to (draws,) or None
        Weightings of the draws by their label, each drawn; None weighs all alike. Unweighted without it.
    side_by_side : bool
        Whether panels stand beside each other, small, in place of one below the other.
    """
    if side_by_side:
        figure, axes = subplots(len(titles), width=3.4 * len(titles), height=2.7, squeeze=False)
    else:
        height = max(_SLIDE_HEIGHT, _LEAST_PANEL * len(titles))
        figure, axes = subplots(1, width=10.0, height=height, rows=len(titles), squeeze=False)
    quarters = tuple(scenario.labels())
    places = np.arange(len(quarters))
    came = tuple(actuals)
    for axis, (name, title) in zip(axes.ravel(), titles.items(), strict=True):
        path = path_of(draws, name)
        size, unit = _unit(SERIES[name][0], float(np.abs(path).max()))
        unit, path = of_scenario(scenario, unit), path / size
        for (label, each), colour in zip((weights or {"median of draws": None}).items(), HUES, strict=False):
            low, middle, high = np.array([quantiles(column, each) for column in path.T]).T
            axis.fill_between(places, low, high, color=colour, alpha=0.18, linewidth=0)
            axis.plot(places, middle, color=colour, linewidth=2, label=label)
        own = [actual for actual in came if actual.series == name]
        if own:
            at = [quarters.index(actual.quarter) for actual in own]
            axis.plot(at, [actual.value / size for actual in own], "o", color=INK, markersize=5, label="actual")
        axis.set_title(title)
        axis.set_ylabel(f"[{unit}]")
        axis.set_ylim(bottom=0 if path.min() >= 0 and side_by_side else None)
        quarter_ticks(axis, quarters)
    fullest = max(axes.ravel(), key=lambda one: len(one.lines))
    if side_by_side:
        fullest.legend(fontsize=8, loc="best")
    else:
        lines, labels = fullest.get_legend_handles_labels()
        figure.legend(lines, labels, loc="outside upper center", ncols=len(labels), fontsize=9)
    return figure


def _unit(unit: str, most: float) -> tuple[float, str]:
    """Return scale and unit of a series, a thousandth of the usual one for a small firm's; a share is in per cent."""
    size, name = shown_in(unit)
    if unit == "1" and most <= 1:
        return 0.01, "%"
    smaller = {"bn": "mn", "MW": "kW"}
    word, _, rest = name.partition(" ")
    if most < 0.1 * size and word in smaller:
        return size / 1e3, f"{smaller[word]} {rest}".strip()
    return size, name


_SLIDE_HEIGHT, _LEAST_PANEL = 6.4, 2.1
"""Inches of a picture that fills a slide, and of the lowest panel that can be read."""
FIGURES = {"track": track}
