"""Figures of a plan: fleet, tokens and price, demand, budget, cash, value, sensitivity, and the Jevons verdict."""

from __future__ import annotations

import functools
from collections.abc import Callable
from textwrap import fill
from typing import Any

import numpy as np

from jevons.plot.palette import GRID, HUES, INK, MUTED, colours
from jevons.plot.rents import rents
from jevons.plot.style import PALE, empty_note, end_labels, quarter_ticks, subplots
from jevons.plot.uncertainty import fan, iso_price, supply, tornado_chart
from jevons.study import PlanResult
from jevons.study.draws.summary import chance_size

_BN = 1e9


def fleet(result: PlanResult) -> Any:
    """Accelerators in service by kind and by the year of their order."""
    plan = result.chain.plan
    problem = plan.problem
    figure, (left, right) = subplots(2, width=10.0, height=4.0)
    positions = np.arange(len(problem.quarters))
    hue = colours(problem.devices)
    kinds = [
        (result.device_label(d), plan.fleet.installed[i].sum(axis=0), hue[d]) for i, d in enumerate(problem.devices)
    ]
    base = _stack(left, positions, kinds)
    training = plan.fleet.training_devices.sum(axis=(0, 1)) / 1e3
    left.plot(positions, training, color=INK, marker="o", markersize=3.5, linewidth=1.2, label="held for training")
    left.set_title("Fleet by kind")
    _interval(left, result, "devices", positions[-1] + 0.56, 1e3)
    left.set_ylabel("Accelerators in service [thousand]")
    bought = plan.fleet.vintage.sum(axis=0)
    years = list(dict.fromkeys(quarter[:4] for quarter in problem.quarters))
    stock = plan.fleet.installed.sum(axis=(0, 1)) - bought.sum(axis=0)
    vintages = [(f"before {years[0]}", stock, MUTED)]
    for index, year in enumerate(years):
        rows = [i for i, quarter in enumerate(problem.quarters) if quarter.startswith(year)]
        vintages.append((f"ordered in {year}", bought[rows].sum(axis=0), HUES[index % len(HUES)]))
    _stack(right, positions, vintages)
    right.set_title("Fleet by vintage")
    for axis, columns in ((left, 2), (right, 2)):
        axis.set_ylim(0, max(base.max() * 1.42, left.dataLim.y1 * 1.3))
        axis.legend(ncols=columns, fontsize=8, loc="upper left")
        quarter_ticks(axis, problem.quarters)
    return figure


def _interval(axis: Any, result: PlanResult, outcome: str, at: float, scale: float) -> None:
    """Draw the 10 to 90 % of the draws as a bar with a point at the median, where there are draws."""
    if result.draws is None:
        return
    low, middle, high = (q / scale for q in result.draws.quantiles(outcome))
    axis.errorbar(
        [at], [middle], yerr=[[middle - low], [high - middle]], color=INK, marker="D", markersize=3.5, capsize=3,
        linewidth=1.2, label="draws: median, 10 to 90 %",
    )  # fmt: skip


def _stack(axis: Any, positions: Any, parts: list[tuple[str, Any, str]]) -> Any:
    """Draw stacked bars of thousands; return their height."""
    base = np.zeros(positions.size)
    for label, heights, colour in parts:
        if heights.max() > 0.5:
            axis.bar(positions, heights / 1e3, bottom=base, color=colour, label=label, width=0.78)
            base = base + heights / 1e3
    return base


def power(result: PlanResult) -> Any:
    """Show the power that the sites can feed, and what the accelerators draw."""
    plan = result.chain.plan
    figure, axis = subplots(1, width=10.0, height=3.2)
    positions = np.arange(len(plan.problem.quarters))
    base = np.zeros(positions.size)
    for row, site in enumerate(plan.problem.sites):
        axis.bar(
            positions,
            plan.fleet.site_w[row] / 1e6,
            bottom=base,
            color=HUES[(row + 4) % len(HUES)],
            width=0.78,
            label=result.site_label(site),
        )
        base = base + plan.fleet.site_w[row] / 1e6
    axis.plot(
        positions,
        plan.fleet.it_w / 1e6,
        color=INK,
        marker="o",
        markersize=3.5,
        linewidth=1.5,
        label="accelerators, at full load",
    )
    _interval(axis, result, "it_w", positions[-1] + 0.56, 1e6)
    axis.set_ylim(0, max(base.max(), axis.dataLim.y1) * 1.2)
    axis.set_ylabel("IT power [MW]")
    axis.set_title("Power that the sites can feed")
    axis.legend(ncols=4, fontsize=8.5, loc="upper left")
    quarter_ticks(axis, plan.problem.quarters)
    return figure


def tokens_and_price(result: PlanResult) -> Any:
    """Tokens served a day by segment, and the price index of each model."""
    figure, (left, right) = subplots(2, width=10.0, width_ratios=[1.35, 1])
    quarters = result.quarters
    positions = np.arange(len(quarters))
    parts = _segments(result)
    left.stackplot(positions, *[tokens for _, tokens, _ in parts], colors=[colour for _, _, colour in parts], alpha=0.9)
    total = np.sum([tokens for _, tokens, _ in parts], axis=0)
    left.set_ylim(0, total.max() * 1.08)
    level, entries = 0.0, []
    for label, tokens, colour in parts:
        entries.append((level + tokens[-1] / 2, label, colour))
        level += tokens[-1]
    end_labels(left, entries, positions[-1])
    left.set_xlim(0, positions[-1] * 1.62)
    left.set_ylabel("Tokens served a day [trillion]")
    left.set_title("Tokens by segment")
    quarter_ticks(left, quarters, years_only=True)
    ends: list[tuple[float, str, str]] = []
    for row, (model, colour) in enumerate(colours(result.models).items()):
        index = result.chain.market.price_index[row]
        right.step(positions, index, where="mid", color=colour, linewidth=2)
        ends.append((float(index[-1]), model, colour))
    right.set_ylim(0, max(1.05, right.dataLim.y1 * 1.05))
    right.set_ylabel("Price over the list price at the start")
    right.set_title("Posted price by model")
    quarter_ticks(right, quarters, years_only=True)
    end_labels(right, ends, positions[-1])
    right.set_xlim(-0.3, positions[-1] * 1.45)
    return figure


def price_schedule(result: PlanResult) -> Any:
    """Show the posted standard price of each model, input and output, in the steps in which it moves."""
    from matplotlib.ticker import LogLocator

    figure, axes = subplots(2, width=10.0, height=3.8)
    positions = np.arange(len(result.quarters) + 1)
    hue = colours(result.models)
    price = result.chain.market.price_cur_per_tok * 1e6
    for axis, kind, title in ((axes[0], 0, "Input tokens"), (axes[1], 2, "Output tokens")):
        ends = []
        for row, model in enumerate(result.models):
            posted = np.append(price[row, kind], price[row, kind, -1])
            axis.step(positions, posted, where="post", color=hue[model], linewidth=2)
            ends.append((float(posted[-1]), model, hue[model]))
        if price[: len(result.models), kind].min() > 0:
            axis.set_yscale("log")
            axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axis.yaxis.set_major_formatter("{x:g}")
            axis.yaxis.set_minor_formatter("")
        axis.set_ylabel(
            f"Price [{result.scenario.currency} per million tokens{', log' if axis.get_yscale() == 'log' else ''}]"
        )
        axis.set_title(title)
        quarter_ticks(axis, result.quarters)
        end_labels(axis, ends, positions[-1])
        axis.set_xlim(-0.3, positions[-1] * 1.35)
    return figure


def _segments(result: PlanResult) -> list[tuple[str, Any, str]]:
    """Return name, tokens a day [trillion] and hue by segment, largest first; the smallest are one."""
    hue, tokens = colours(result.segments), result.tokens_per_d / 1e12
    order = sorted(range(len(result.segments)), key=lambda row: -tokens[row, -1])
    large = [row for row in order if tokens[row, -1] >= 0.03 * tokens[:, -1].sum()][: len(HUES)]
    small = [row for row in order if row not in large and tokens[row].max() > 0]
    parts = [(result.segment_label(result.segments[row]), tokens[row], hue[result.segments[row]]) for row in large]
    if small:
        label = result.segment_label(result.segments[small[0]]) if len(small) == 1 else f"{len(small)} smaller segments"
        parts.append((label, tokens[small].sum(axis=0), MUTED))
    return parts


def demand_curve(result: PlanResult) -> Any:
    """Demand curves of the first, middle and last quarter with the path of posted price and demand on them."""
    figure, axis = subplots(1, width=10.0, height=4.2)
    curve = result.demand_curves()
    trillion = 1e12
    for index, (label, calls, price) in enumerate(curve.curves):
        axis.plot(calls / trillion, price, color=HUES[index], linewidth=2)
        axis.annotate(
            f"demand in {label}", (calls[0] / trillion, price[0]), xytext=(6, 0), textcoords="offset points",
            color=HUES[index], fontsize=8.5, va="center",
        )  # fmt: skip
    path = curve.path_calls / trillion
    axis.plot(path, curve.path_price, color=INK, linewidth=1.2, marker="o", markersize=3.5)
    for end, offset, side in ((0, (-7, -11), "right"), (-1, (7, 5), "left")):
        axis.annotate(
            result.quarters[end], (path[end], curve.path_price[end]), xytext=offset, textcoords="offset points",
            fontsize=8.5, ha=side,
        )  # fmt: skip
    axis.set_xscale("log")
    axis.set_yscale("log")
    for scaled in (axis.xaxis, axis.yaxis):
        scaled.set_major_formatter("{x:g}")
    axis.set_xlabel("Tokens wanted from the provider a day [trillion, log]")
    axis.set_ylabel(f"Mean price [{result.scenario.currency} per million tokens, log]")
    axis.set_title("Demand curves of three quarters, and the path of price and demand")
    axis.margins(x=0.1, y=0.08)
    return figure


def budget(result: PlanResult) -> Any:
    """Capital spent against the budget, and what binds."""
    plan = result.chain.plan
    figure, axis = subplots(1, width=10.0, height=3.4)
    positions = np.arange(len(plan.problem.quarters))
    devices, sites = plan.spending.device_capex_cur / _BN, plan.spending.site_capex_cur / _BN
    axis.bar(positions, devices, color=HUES[0], width=0.7, label="accelerators and network")
    axis.bar(positions, sites, bottom=devices, color=HUES[1], width=0.7, label="sites")
    axis.step(
        np.append(positions, positions[-1] + 1) - 0.5,
        np.append(plan.problem.money.budget_cur, plan.problem.money.budget_cur[-1]) / _BN,
        where="post", color=INK, linewidth=1.5, label="AI budget released",
    )  # fmt: skip
    top = max(float((devices + sites).max()), float(plan.problem.money.budget_cur.max() / _BN)) * 1.4
    axis.set_ylim(0, top)
    for position, names in zip(positions, plan.worth.binding, strict=True):
        text = fill(result.limit_label(names[0]), 12) if names else ""
        axis.annotate(
            text, (position, (devices + sites)[position] + top * 0.015), ha="center", fontsize=7, color=MUTED,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.9, "pad": 0.6},
        )  # fmt: skip
    axis.set_ylabel(f"Capital expenditure [bn {result.scenario.currency} a quarter]")
    axis.set_title("Spending against the budget, with the limit that binds first")
    axis.legend(ncols=3, fontsize=8.5, loc="upper left")
    quarter_ticks(axis, plan.problem.quarters)
    return figure


def cash(result: PlanResult) -> Any:
    """AI revenue, costs and capital expenditure by quarter, and cumulative cash."""
    accounts = result.chain.accounts.statements
    figure, (left, right) = subplots(2, width=10.0, width_ratios=[1.5, 1])
    positions = np.arange(len(result.quarters))
    stack = (
        ("depreciation", accounts.depreciation_cur, HUES[0]),
        ("energy", accounts.costs.energy_cur, HUES[1]),
        ("operations", accounts.costs.fixed_cur, HUES[2]),
        ("overhead", accounts.costs.overhead_cur, HUES[3]),
    )
    base = np.zeros(positions.size)
    for label, amount, colour in stack:
        left.bar(positions, amount / _BN, bottom=base, color=colour, width=0.7, label=label)
        base = base + amount / _BN
    left.plot(
        positions, accounts.ai_revenue_cur / _BN, color=INK, linewidth=2, marker="o", markersize=3.5, label="AI revenue"
    )
    left.set_ylim(0, max(float(base.max()), float(accounts.ai_revenue_cur.max() / _BN)) * 1.3)
    left.set_ylabel(f"AI revenue and costs [bn {result.scenario.currency} a quarter]")
    left.set_title("What the fleet earns and costs")
    left.legend(ncols=3, fontsize=8, loc="upper left")
    quarter_ticks(left, result.quarters)
    cumulative = np.cumsum(accounts.cash.ai_fcf_cur) / _BN
    right.bar(positions, accounts.cash.ai_fcf_cur / _BN, color=GRID, edgecolor=MUTED, linewidth=0.6, width=0.7)
    right.plot(positions, cumulative, color=HUES[5], linewidth=2)
    right.axhline(0, color=MUTED, linewidth=0.8)
    end_labels(right, [(float(cumulative[-1]), "to date", HUES[5])], positions[-1])
    right.set_xlim(-0.6, positions[-1] * 1.26)
    right.set_ylabel(f"Free cash flow of the AI cloud [bn {result.scenario.currency}]")
    right.set_title("Cash: a quarter (bars), to date (line)")
    quarter_ticks(right, result.quarters, years_only=True)
    return figure


def value_bridge(result: PlanResult) -> Any:
    """From the parts to the value of equity, against the market's."""
    accounts = result.chain.accounts
    figure, axis = subplots(1, width=10.0, height=3.8)
    level = 0.0
    labels = []
    for position, (label, amount) in enumerate(accounts.valuation.bridge):
        height = amount / _BN
        axis.bar(position, height, bottom=level, color=HUES[2] if height >= 0 else HUES[5], width=0.62)
        axis.annotate(
            f"{height:+,.0f}", (position, max(level, level + height)), xytext=(0, 3), textcoords="offset points",
            ha="center", fontsize=8.5,
        )  # fmt: skip
        level += height
        labels.append(label)
    market = accounts.market_value_cur / _BN
    for height, label, colour in ((level, "value of equity", HUES[0]), (market, "market value", MUTED)):
        axis.bar(len(labels), height, color=colour, width=0.62)
        axis.annotate(f"{height:,.0f}", (len(labels), height / 2), ha="center", color="white", fontsize=8.5)
        labels.append(label)
    if result.draws is not None:
        low, high = (q * result.scenario.finance.shares.value / _BN for q in result.draws.quantiles(
            "value_per_share", (0.1, 0.9)
        ))  # fmt: skip
        middle = (low + high) / 2
        axis.errorbar(len(labels) - 2, middle, yerr=middle - low, color=INK, capsize=4, linewidth=1.2)
    axis.axhline(0, color=MUTED, linewidth=0.8)
    axis.set_xticks(range(len(labels)))
    axis.set_xticklabels([fill(label, 12) for label in labels], fontsize=8)
    axis.grid(visible=False, axis="x")
    axis.margins(y=0.12)
    axis.set_ylabel(f"Value [bn {result.scenario.currency}]")
    axis.set_title(f"Value against the market on {result.scenario.as_of}")
    return figure


def sensitivity(result: PlanResult) -> Any:
    """Rank the inputs that move the value of the plan and the Jevons verdict most."""
    from matplotlib.colors import to_rgba

    figure, axes = subplots(2, width=10.0, height=4.8)
    pairs = (
        ("orders_value", "Value that the orders add"),
        ("compute_factor", "Compute, efficiency doubled"),
    )
    for axis, (outcome, title) in zip(axes, pairs, strict=True):
        ranked = result.draws.sensitivity(outcome, 10)[::-1] if result.draws is not None else []
        least = chance_size(result.draws) if result.draws is not None else 0.0
        names, sizes = [fill(result.amount_label(name), 32) for name, _ in ranked], [size for _, size in ranked]
        shades = [to_rgba(HUES[0] if s >= 0 else HUES[5], 1.0 if abs(s) > least else PALE) for s in sizes]
        axis.barh(range(len(sizes)), sizes, color=shades, height=0.66)
        axis.set_ylim(-0.6, max(len(sizes), 6) - 0.4)
        axis.set_yticks(range(len(names)))
        axis.set_yticklabels(names, fontsize=8)
        axis.axvline(0, color=MUTED, linewidth=0.8)
        axis.set_xlim(-1, 1)
        axis.set_xticks([-1, -0.5, 0, 0.5, 1])
        axis.grid(visible=False, axis="y")
        axis.set_xlabel("Spearman's rank correlation")
        axis.set_title(title)
        empty_note(axis, ranked)
    return figure


def jevons(result: PlanResult) -> Any:
    """Compute wanted after a doubling of efficiency over the draws; the loop gain and its parts over time."""
    figure, (left, middle, right) = subplots(3, width=10.0, height=3.4, width_ratios=[1.25, 1, 0.85])
    verdict = result.verdict
    centre = float(verdict.compute_factor[-1])
    if result.draws is not None:
        _histogram(left, result.draws.outcomes["compute_factor"], result.draws.outcomes["settled_compute_factor"])
    left.axvline(1, color=INK, linewidth=1.4)
    left.axvline(centre, color=INK, linewidth=1.2, linestyle=":")
    left.annotate(
        f"plan: x {centre:.2f}", (centre, 0.98), xycoords=("data", "axes fraction"), xytext=(-4, 0),
        textcoords="offset points", fontsize=8, ha="right", va="top",
    )  # fmt: skip
    left.set_xlabel("Compute wanted, doubled efficiency over base")
    left.set_ylabel("Draws")
    left.set_title("Compute falls (left of 1) or rises")
    positions = np.arange(len(result.quarters))
    parts = (("elasticity, size", -verdict.elasticity, HUES[0]), ("pass-through", verdict.pass_through, HUES[1]))
    for _, series, colour in parts:
        middle.plot(positions, series, color=colour, linewidth=2)
    if result.draws is not None:
        low, high = (-q for q in result.draws.quantiles("elasticity", (0.9, 0.1)))
        middle.errorbar(
            positions[-1] + 0.4, (low + high) / 2, yerr=(high - low) / 2, color=HUES[0], capsize=3, linewidth=1.2
        )
    middle.set_ylim(0, max(1.1, middle.dataLim.y1 * 1.1))
    end_labels(middle, [(float(s[-1]), label, colour) for label, s, colour in parts], positions[-1] + 0.5)
    middle.set_xlim(-0.3, positions[-1] * 1.75)
    middle.set_ylabel("Ratio of relative changes")
    middle.set_title("Parts of the loop")
    right.plot(positions, verdict.loop_gain, color=HUES[2], linewidth=2)
    if result.draws is not None:
        low, high = np.quantile(result.draws.paths["loop_gain"], (0.1, 0.9), axis=0)
        right.fill_between(positions, low, high, color=HUES[2], alpha=0.22, linewidth=0)
    right.axhline(1, color=MUTED, linewidth=0.8)
    right.annotate("from 1 it runs away", (0, 1), xytext=(0, 3), textcoords="offset points", fontsize=8, color=MUTED)
    end_labels(right, [(float(verdict.loop_gain[-1]), f"{verdict.loop_gain[-1]:.3f}", HUES[2])], positions[-1])
    right.set_ylim(0, max(1.15, float(verdict.loop_gain.max()) * 1.1))
    right.set_xlim(-0.3, positions[-1] * 1.3)
    right.set_ylabel("Gain of one turn")
    right.set_title("The flywheel's loop gain")
    for axis in (middle, right):
        quarter_ticks(axis, result.quarters, years_only=True)
    return figure


def _histogram(axis: Any, factors: Any, settled: Any) -> None:
    """Draw the draws of the compute factor, those of the long run as an outline; one edge of the bars lies on 1."""
    from matplotlib.ticker import MaxNLocator

    both = np.concatenate([factors, settled])
    width = max(float(np.ptp(both)) / 20, 0.01)
    below = int(np.ceil(max(1.0 - float(both.min()), 0.0) / width)) + 1
    above = int(np.ceil(max(float(both.max()) - 1.0, 0.0) / width)) + 2
    edges = 1.0 + width * np.arange(-below, above + 1)
    counts, _ = np.histogram(factors, edges)
    bars = [HUES[2] if low >= 1 - 1e-9 else HUES[5] for low in edges[:-1]]
    axis.bar(edges[:-1], counts, width=width, align="edge", color=bars, edgecolor="white", linewidth=0.6)
    axis.stairs(np.histogram(settled, edges)[0], edges, color=INK, linewidth=1.1)
    axis.annotate("outline: long run", (0.98, 0.9), xycoords="axes fraction", ha="right", va="top", fontsize=8)
    axis.yaxis.set_major_locator(MaxNLocator(integer=True))
    axis.margins(y=0.12)


FIGURES: dict[str, Callable[[PlanResult], Any]] = {
    "fleet": fleet,
    "power": power,
    "tokens_and_price": tokens_and_price,
    "price_schedule": price_schedule,
    "demand_curve": demand_curve,
    "rents": rents,
    "budget": budget,
    "cash": cash,
    "value_bridge": value_bridge,
    "sensitivity": sensitivity,
    "jevons": jevons,
    "supply": supply,
    "fan": fan,
    "iso_price": iso_price,
    "tornado": tornado_chart,
}
"""Figures of a plan by name."""


def plan_figure(result: PlanResult, name: str) -> Any:
    """Return the figure of that name as a matplotlib figure.

    Raises
    ------
    KeyError
        If there is none.
    """
    import matplotlib as mpl

    from jevons.plot.style import RC

    with mpl.rc_context(RC):
        return FIGURES[name](result)


def _picture(name: str, result: PlanResult) -> Any:
    return plan_figure(result, name)


PICTURES: dict[str, Callable[[PlanResult], Any]] = {name: functools.partial(_picture, name) for name in FIGURES}
"""Figures of a plan by name in the house's style, for ``plan.plot``."""
