"""Forecast, actual figures and new forecast by quarter."""

from __future__ import annotations

from typing import Any

import numpy as np

from jevons.plot.palette import HUES, INK
from jevons.plot.style import quarter_ticks, subplots
from jevons.rounding import shown_in
from jevons.study.track.actuals import SERIES
from jevons.study.track.result import TrackResult
from jevons.study.track.update import path_of, quantiles


def track(result: TrackResult) -> Any:
    """Forecast with 80 % of the draws, actual figures as points, and the forecast given them, by series."""
    names = list(dict.fromkeys(a.series for a in result.actuals))
    figure, axes = subplots(1, width=9.0, height=3.4 * len(names), rows=len(names), squeeze=False)
    quarters = tuple(result.scenario.labels())
    places = np.arange(len(quarters))
    for axis, name in zip(axes.ravel(), names, strict=True):
        size, unit = shown_in(SERIES[name][0].replace("¤", result.scenario.currency))
        path = path_of(result.draws, name) / size
        for weights, colour, label in (
            (None, HUES[0], "forecast"),
            (result.update.weights, HUES[1], "given the actuals"),
        ):
            low, middle, high = np.array([quantiles(column, weights) for column in path.T]).T
            axis.fill_between(places, low, high, color=colour, alpha=0.18, linewidth=0)
            axis.plot(places, middle, color=colour, linewidth=2, label=label)
        own = [a for a in result.actuals if a.series == name]
        at = [quarters.index(a.quarter) for a in own]
        axis.plot(at, [a.value / size for a in own], "o", color=INK, markersize=5, label="actual")
        axis.set_title(SERIES[name][1][0].upper() + SERIES[name][1][1:])
        axis.set_ylabel(f"[{unit}]" if unit else "share")
        axis.legend(fontsize=8, loc="upper left")
        quarter_ticks(axis, quarters)
    return figure


FIGURES = {"track": track}
