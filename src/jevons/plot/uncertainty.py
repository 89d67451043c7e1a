"""Figures of supply, ranges and value: supply stack, fans against baselines, iso-price surface, tornado."""

from __future__ import annotations

from textwrap import fill
from typing import Any

import numpy as np

from jevons.plot.palette import GRID, HUES, INK, MUTED, colours
from jevons.plot.style import PALE, empty_note, quarter_ticks, subplots
from jevons.study import PlanResult
from jevons.study.plan.curves import fans, iso_grid, supply_stack, tornado


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
                step.running_cur,
                width=width,
                align="edge",
                color=hue[step.device],
                edgecolor="white",
                linewidth=0.5,
            )
            axis.bar(
                left,
                step.rent_cur,
                bottom=step.running_cur,
                width=width,
                align="edge",
                color="white",
                edgecolor=hue[step.device],
                hatch="////",
                linewidth=0.8,
            )
            if width > 0.05 * total:
                axis.annotate(
                    result.device_short(step.device),
                    (left + width / 2, step.running_cur + step.rent_cur),
                    xytext=(0, 4),
                    textcoords="offset points",
                    ha="center",
                    fontsize=7.5,
                    rotation=0 if width > 0.14 * total else 90,
                )
            left += width
        axis.set_title(f"Supply stack of {result.quarters[quarter]}")
        axis.set_xlabel("Dense peak in service, cheapest to run first [EFLOP/s]")
        axis.grid(visible=False, axis="x")
        axis.margins(y=0.35)
    axes[0].set_ylabel(f"Cost of an hour of 1 PFLOP/s [{result.scenario.currency}]")
    axes[0].annotate("solid: running cost\nhatched: scarcity rent", (0.02, 0.97), xycoords="axes fraction", va="top")
    return figure


def fan(result: PlanResult) -> Any:
    """Paths over the draws, the plan at its central figures, and simple rules."""
    figure, axes = subplots(2, width=10.0, height=6.4, rows=2)
    assert result.draws is not None  # noqa: S101 - the caller asks for this figure only where there are draws
    for axis, item, colour in zip(axes.ravel(), fans(result.draws, result, result.facts), HUES, strict=False):
        positions = np.arange(item.middle.size)
        axis.fill_between(positions, item.low, item.high, color=colour, alpha=0.22, linewidth=0, label="10 to 90 %")
        axis.plot(positions, item.middle, color=colour, linewidth=2, label="median of draws")
        axis.plot(positions, item.central, color=INK, linewidth=1.2, linestyle=":", label="plan, central figures")
        axis.plot(positions, item.baseline, color=INK, linewidth=1.2, linestyle="--", label=item.rule)
        top = max(float(item.high.max()), float(item.central.max())) * 1.3
        axis.set_ylim(0, max(top, min(float(np.max(item.baseline)) * 1.1, top * 1.3)))
        axis.legend(fontsize=7.5, loc="best")
        axis.set_title(item.unit.split(" [")[0])
        axis.set_ylabel(item.unit)
        quarter_ticks(axis, result.quarters)
    return figure


def iso_price(result: PlanResult) -> Any:
    """Growth that the price assumes over margin and capital per revenue, at three costs of capital."""
    figure, axes = subplots(3, width=10.0, height=4.2, sharey=True)
    grid = iso_grid(result)
    x, y = 100 * grid.margins, grid.capitals
    shown: Any = None
    for axis, wacc, growth, anyway, even in zip(
        axes, grid.waccs, grid.growth_frac, grid.worth_anyway, grid.even_capital, strict=True
    ):
        answer = np.where(anyway, 1.0, np.where(np.isnan(growth), -1.0, 0.0))
        axis.contourf(x, y, answer, levels=[-1.5, -0.5, 0.5, 1.5], colors=["#F3DDD3", "#FFFFFF", "#E1F0E9"])
        shown = axis.pcolormesh(x, y, 100 * growth, cmap="Blues", vmin=0, vmax=100, shading="nearest", rasterized=True)
        axis.plot(x, even, color=HUES[5], linewidth=1.6, linestyle="--")
        axis.plot(100 * grid.own[0], grid.own[1], marker="o", color=INK, markersize=6)
        axis.set_xlim(x[0], x[-1])
        axis.set_ylim(y[0], y[-1])
        axis.set_title(f"WACC {100 * wacc:.0f} %")
        axis.set_xlabel("EBITA margin at maturity [%]")
        axis.grid(visible=False)
    axes[0].set_ylabel(f"Capital per unit of added yearly revenue [{result.scenario.currency}]")
    axes[0].annotate("no growth\nbelow 100 %\ndoes", (0.03, 0.96), xycoords="axes fraction", va="top", color=HUES[5])
    axes[-1].annotate("worth it\nwithout\ngrowth", (0.97, 0.05), xycoords="axes fraction", ha="right", color=HUES[2])
    figure.colorbar(shown, ax=list(axes), shrink=0.85, pad=0.01, label="Growth a year that the price assumes [%]")
    return figure


def tornado_chart(result: PlanResult) -> Any:
    """Means of two headlines where an input lies in its lowest and in its highest fifth."""
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Patch

    figure, axes = subplots(2, width=10.0, height=4.6)
    assert result.draws is not None  # noqa: S101 - the caller asks for this figure only where there are draws
    pairs = (
        ("value_per_share", "Value per share", f"Mean value per share [{result.scenario.currency}]", 1.0),
        ("tokens_per_d", "Tokens served, last quarter", "Mean tokens a day [trillion]", 1e12),
    )
    for axis, (outcome, title, label, scale) in zip(axes, pairs, strict=True):
        rows = tornado(result.draws, outcome, 9)[::-1]
        centre = float(np.mean(result.draws.outcomes[outcome])) / scale
        alphas = [1.0 if swing.told_from_chance else PALE for swing in rows]
        ends = ([swing.low for swing in rows], HUES[1]), ([swing.high for swing in rows], HUES[0])
        for means, colour in ends:
            shades = [to_rgba(colour, alpha) for alpha in alphas]
            axis.barh(range(len(rows)), [m / scale - centre for m in means], left=centre, color=shades, height=0.62)
        axis.set_yticks(range(len(rows)))
        axis.set_yticklabels([fill(result.amount_label(swing.path), 32) for swing in rows], fontsize=8)
        axis.axvline(centre, color=MUTED, linewidth=0.8)
        axis.grid(visible=False, axis="y")
        axis.set_title(title)
        axis.set_xlabel(label)
        axis.grid(color=GRID, axis="x")
        axis.set_ylim(-0.6, max(len(rows), 6) - 0.4)
        empty_note(axis, rows)
    keys = [Patch(color=HUES[1], label="input in its lowest fifth"), Patch(color=HUES[0], label="in its highest fifth")]
    figure.legend(handles=keys, loc="outside lower center", ncols=2, fontsize=8.5)
    return figure
