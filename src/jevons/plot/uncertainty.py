"""Figures of supply, ranges and value: supply stack, fans against baselines, iso-price surface, tornado."""

from __future__ import annotations

from typing import Any

import numpy as np

from jevons.plot.palette import GRID, HUES, INK, MUTED, colours
from jevons.plot.style import quarter_ticks, subplots
from jevons.study import PlanResult
from jevons.study.curves import fans, iso_grid, supply_stack, tornado


def supply(result: PlanResult) -> Any:
    """Supply stack of the first and last quarter: running cost by kind, scarcity rent on top."""
    figure, axes = subplots(2, width=10.0, height=4.0, sharey=True)
    hue = colours(result.chain.plan.problem.devices)
    for axis, quarter in zip(axes, (0, len(result.quarters) - 1), strict=True):
        left = 0.0
        steps = supply_stack(result, quarter)
        total = sum(step.flop_per_s for step in steps) / 1e18
        for step in steps:
            width = step.flop_per_s / 1e18
            axis.bar(
                left,
                step.running_cny,
                width=width,
                align="edge",
                color=hue[step.device],
                edgecolor="white",
                linewidth=0.5,
            )
            axis.bar(
                left,
                step.rent_cny,
                bottom=step.running_cny,
                width=width,
                align="edge",
                color="white",
                edgecolor=hue[step.device],
                hatch="////",
                linewidth=0.8,
            )
            if width > 0.05 * total:
                axis.annotate(
                    result.device_label(step.device),
                    (left + width / 2, step.running_cny + step.rent_cny),
                    xytext=(0, 4),
                    textcoords="offset points",
                    ha="center",
                    fontsize=7.5,
                    rotation=0 if width > 0.2 * total else 90,
                )
            left += width
        axis.set_title(f"{result.quarters[quarter]}: running cost (solid) and scarcity rent (hatched)")
        axis.set_xlabel("Dense peak in service, cheapest to run first [EFLOP/s]")
        axis.grid(visible=False, axis="x")
        axis.margins(y=0.35)
    axes[0].set_ylabel("Cost per hour of 1 PFLOP/s dense peak [CNY]")
    return figure  # fmt: skip


def fan(result: PlanResult) -> Any:
    """Paths over the draws against simple rules."""
    figure, axes = subplots(2, width=10.0, height=6.4, rows=2)
    assert result.draws is not None  # noqa: S101 - the caller asks for this figure only where there are draws
    for axis, item, colour in zip(axes.ravel(), fans(result.draws, result, result.facts), HUES, strict=False):
        positions = np.arange(item.middle.size)
        axis.fill_between(positions, item.low, item.high, color=colour, alpha=0.22, linewidth=0)
        axis.plot(positions, item.middle, color=colour, linewidth=2)
        axis.plot(positions, item.baseline, color=INK, linewidth=1.2, linestyle="--")
        top = max(float(item.high.max()), float(item.middle.max())) * 1.25
        shown = float(np.clip(item.baseline[-1], 0, top))
        axis.set_ylim(0, max(top, min(shown * 1.1, top * 1.3)))
        axis.annotate(f"dashed: {item.rule}", (0.02, 0.97), xycoords="axes fraction", va="top", fontsize=8, color=INK)
        axis.set_title(item.unit)
        quarter_ticks(axis, result.quarters)
    return figure  # fmt: skip


def iso_price(result: PlanResult) -> Any:
    """Growth that the price assumes over margin and capital per revenue, at three costs of capital."""
    figure, axes = subplots(3, width=10.0, height=3.9, sharey=True)
    grid = iso_grid(result)
    levels = [0.0, 0.05, 0.10, 0.15, 0.20, 0.30, 0.40, 0.60, 0.999]
    for axis, wacc, growth, destroys in zip(axes, grid.waccs, grid.growth_frac, grid.destroys, strict=True):
        x, y = 100 * grid.margins, grid.capitals
        axis.contourf(
            x,
            y,
            growth,
            levels=[-0.01, 1e-6, 0.10, 0.20, 0.40, 0.999, 1.01],
            colors=["#E8F3EE", "#D5E7F3", "#A9CBE4", "#6EA6D0", "#3B7DB4", "#F3DDD3"],
        )
        lines = axis.contour(x, y, growth, levels=levels[1:-1], colors=INK, linewidths=0.7)
        axis.clabel(lines, fmt=lambda v: f"{100 * v:.0f} %", fontsize=7)
        axis.contour(x, y, destroys.astype(float), levels=[0.5], colors=HUES[5], linewidths=1.6, linestyles="--")
        axis.plot(100 * grid.own[0], grid.own[1], marker="o", color=INK, markersize=6)
        axis.set_title(f"WACC {100 * wacc:.0f} %")
        axis.set_xlabel("EBITA margin at maturity [%]")
        axis.grid(visible=False)
    axes[0].set_ylabel("Capital per CNY of added revenue")
    axes[0].annotate("no growth does", (7, 1.95), fontsize=8, color=HUES[5])
    axes[-1].annotate("worth it\nwithout growth", (21, 0.6), fontsize=8, color=HUES[2])
    return figure  # fmt: skip


def tornado_chart(result: PlanResult) -> Any:
    """Means of two headlines where an input lies in its lowest and in its highest fifth."""
    figure, axes = subplots(2, width=10.0, height=4.2)
    assert result.draws is not None  # noqa: S101 - the caller asks for this figure only where there are draws
    pairs = (
        ("value_per_ads_cny", "Value per ADS [CNY]", 1.0),
        ("tokens_per_d", "Tokens a day at the end [trillion]", 1e12),
    )
    for axis, (outcome, title, scale) in zip(axes, pairs, strict=True):
        rows = tornado(result.draws, outcome, 9)[::-1]
        centre = float(np.mean(result.draws.outcomes[outcome])) / scale
        for position, (_, low, high) in enumerate(rows):
            axis.barh(position, low / scale - centre, left=centre, color=HUES[1], height=0.62)
            axis.barh(position, high / scale - centre, left=centre, color=HUES[0], height=0.62)
        axis.set_yticks(range(len(rows)))
        axis.set_yticklabels([result.amount_label(name) for name, _, _ in rows], fontsize=8)
        axis.axvline(centre, color=MUTED, linewidth=0.8)
        axis.grid(visible=False, axis="y")
        axis.set_title(title)
        axis.set_xlabel("mean in lowest (orange), highest (blue) fifth", fontsize=8)
        axis.grid(color=GRID, axis="x")
    return figure
