"""Frozen forecasts as fans, with baselines and what happened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jevons.plot.palette import HUES, INK, MUTED
from jevons.plot.style import log_ticks, subplots
from jevons.validation.backtest.forecast import TARGETS, quarter_end, target_unit
from jevons.validation.backtest.result import BacktestResult
from jevons.validation.backtest.score import Backtest, Outcome

_TOKENS = "tok/day"


def backtest_figure(result: Backtest) -> Any:
    """One panel per quantity: 10 to 90 % and median of the forecast, baselines dashed, outcomes as dots."""
    figure, axes = subplots(3, width=10.5, height=9.0, rows=3)
    forecast = result.published
    days = np.array([(end - result.known.as_of).days for end in result.known.ends], float)
    for axis, (target, (unit, label)) in zip(axes.ravel(), TARGETS.items(), strict=True):
        factor, shown = target_unit(target)
        low, middle, high = forecast.quantiles(target) / factor
        axis.fill_between(days, low, high, color=HUES[0], alpha=0.22, linewidth=0)
        axis.plot(days, middle, color=HUES[0], linewidth=2)
        bounds, rules = [float(low.min()), float(high.max())], []
        for name, paths in result.baselines.items():
            if target in paths:
                path = np.median(paths[target], axis=0) / factor
                axis.plot(days, path, color=MUTED, linewidth=1.2, linestyle="--")
                rules.append((name, path))
                bounds += [float(path.min()), min(float(path.max()), 3 * float(high.max()))]
        bounds += _dots(axis, result, target, factor)
        if unit == _TOKENS:
            axis.set_yscale("log")
            log_ticks(axis.yaxis)
            axis.set_ylim(min(bounds) / 1.3, max(bounds) * 1.3)
        else:
            room = 0.08 * (max(bounds) - min(bounds))
            axis.set_ylim(min(bounds) - room, max(bounds) + room)
        for name, path in rules:
            _name(axis, name, days, path)
        axis.set_title(_short(label), fontsize=9)
        axis.set_ylabel(f"[{shown}{', log' if unit == _TOKENS else ''}]" if shown else "date = 1")
        axis.set_xticks(days)
        axis.set_xticklabels([q[5:] if i and not q.endswith("Q1") else f"{q[5:]}\n{q[:4]}"
                              for i, q in enumerate(result.known.quarters)])  # fmt: skip
        axis.set_xlim(0, days[-1] * 1.02)
    return figure


def _dots(axis: Any, result: Backtest, target: str, factor: float) -> list[float]:
    """Draw outcomes, filled inside of the interval and hollow outside; return their heights.

    A sum of several quarters is drawn as a quarter's mean, on a line over these quarters.
    """
    heights = []
    for score in result.scores:
        if score.method == result.published.variant and score.outcome.target == target:
            ends, value = _days(result, score.outcome), score.outcome.per_quarter / factor
            at = (ends[0] + ends[-1]) / 2
            face = INK if score.covered else "white"
            if len(ends) > 1:
                axis.plot(ends, [value] * len(ends), color=INK, linewidth=1.2, zorder=4)
            axis.plot(at, value, marker="o", markersize=6, markeredgecolor=INK, markerfacecolor=face, zorder=5)
            heights.append(value)
    return heights


def _days(result: Backtest, outcome: Outcome) -> list[int]:
    """Return the days after the forecast on which what an outcome covers ends: each quarter's, or its own."""
    ends = [quarter_end(quarter) for quarter in outcome.quarters] or [outcome.date]
    return [(end - result.known.as_of).days for end in ends]


def _name(axis: Any, name: str, days: Any, path: Any) -> None:
    """Write a baseline's name over the last of its points that the panel shows."""
    low, high = axis.get_ylim()
    shown = np.flatnonzero((path >= low) & (path <= high))
    if shown.size:
        last = int(shown[-1])
        side = "right" if last else "left"
        axis.annotate(
            name, (days[last], float(path[last])), xytext=(-3 if last else 3, 4), textcoords="offset points", ha=side,
            fontsize=7, color=MUTED, zorder=6,
        )  # fmt: skip


def _short(label: str) -> str:
    """Return a label that fits over a panel."""
    words: Mapping[str, str] = {
        "Alibaba Cloud revenue of the quarter": "Cloud revenue of the quarter",
        "Alibaba Cloud revenue growth on the year": "Cloud growth on the year",
        "Alibaba Cloud adjusted EBITA margin": "Cloud EBITA margin",
        "Alibaba Group capital expenditure of the quarter": "Group capital expenditure",
        "Alibaba share price per ADS at the quarter's end": "Share price per ADS",
    }
    return words.get(label, label)


def forecasts(result: BacktestResult) -> Any:
    """Draw the forecasts of a backtest with baselines and outcomes."""
    return backtest_figure(result.backtest)


FIGURES: dict[str, Callable[[BacktestResult], Any]] = {"forecasts": forecasts}
"""Figures of a backtest by name, for ``result.plot``."""
