"""Figures of a plan: fleet, tokens and price, demand, budget, cash, value, sensitivity, and the Jevons verdict."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import fill
from typing import Any

import numpy as np

from jevons.plot.palette import GRID, HUES, INK, MUTED, colours
from jevons.plot.rents import rents
from jevons.plot.style import end_labels, quarter_ticks, subplots
from jevons.plot.uncertainty import fan, iso_price, supply, tornado_chart
from jevons.study import PlanResult

_BN = 1e9


def fleet(result: PlanResult) -> Any:
    """Accelerators in service by kind and by the year of their order."""
    plan = result.chain.plan
    problem = plan.problem
    figure, (left, right) = subplots(2, width=10.0, height=4.0)
    positions = np.arange(len(problem.quarters))
    hue = colours(problem.devices)
    kinds = [(result.device_label(d), plan.installed[i].sum(axis=0), hue[d]) for i, d in enumerate(problem.devices)]
    base = _stack(left, positions, kinds)
    training = plan.training_devices.sum(axis=(0, 1)) / 1e3
    left.plot(positions, training, color=INK, marker="o", markersize=3.5, linewidth=1.2, label="held for training")
    left.set_title("Fleet by kind")
    left.set_ylabel("Accelerators in service [thousand]")
    bought = plan.vintage.sum(axis=0)
    years = list(dict.fromkeys(quarter[:4] for quarter in problem.quarters))
    stock = plan.installed.sum(axis=(0, 1)) - bought.sum(axis=0)
    vintages = [(f"before {years[0]}", stock, MUTED)]
    for index, year in enumerate(years):
        rows = [i for i, quarter in enumerate(problem.quarters) if quarter.startswith(year)]
        vintages.append((f"ordered in {year}", bought[rows].sum(axis=0), HUES[index]))
    _stack(right, positions, vintages)
    right.set_title("Fleet by vintage")
    for axis, columns in ((left, 2), (right, 2)):
        axis.set_ylim(0, base.max() * 1.42)
        axis.legend(ncols=columns, fontsize=8, loc="upper left")
        quarter_ticks(axis, problem.quarters)
    return figure


def _stack(axis: Any, positions: Any, parts: list[tuple[str, Any, str]]) -> Any:
    """Draw stacked bars of thousands; return their height."""
    base = np.zeros(positions.size)
    for label, held, colour in parts:
        if held.max() > 0.5:
            axis.bar(positions, held / 1e3, bottom=base, color=colour, label=label, width=0.78)
            base = base + held / 1e3
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
            plan.site_w[row] / 1e6,
            bottom=base,
            color=HUES[row + 4],
            width=0.78,
            label=result.site_label(site),
        )
        base = base + plan.site_w[row] / 1e6
    axis.plot(
        positions,
        plan.it_w / 1e6,
        color=INK,
        marker="o",
        markersize=3.5,
        linewidth=1.5,
        label="accelerators, at full load",
    )
    axis.set_ylim(0, base.max() * 1.25)
    axis.set_ylabel("IT power [MW]")
    axis.set_title("Power that the sites can feed")
    axis.legend(ncols=3, fontsize=8.5, loc="upper left")
    quarter_ticks(axis, plan.problem.quarters)
    return figure


def tokens_and_price(result: PlanResult) -> Any:
    """Tokens served a day by segment, and the price index of each model."""
    figure, (left, right) = subplots(2, width=10.0, width_ratios=[1.35, 1])
    quarters = result.quarters
    positions = np.arange(len(quarters))
    hue = colours(result.segments)
    tokens = result.tokens_per_d / 1e12
    shown = [row for row in range(len(result.segments)) if tokens[row].max() > 0]
    order = sorted(shown, key=lambda row: -tokens[row, -1])
    left.stackplot(
        positions, *[tokens[row] for row in order], colors=[hue[result.segments[row]] for row in order], alpha=0.9
    )
    total = tokens.sum(axis=0)
    left.set_ylim(0, total.max() * 1.08)
    level, entries = 0.0, []
    for row in order:
        entries.append(
            (level + tokens[row, -1] / 2, result.segment_label(result.segments[row]), hue[result.segments[row]])
        )
        level += tokens[row, -1]
    end_labels(left, entries, positions[-1])
    left.set_xlim(0, positions[-1] * 1.62)
    left.set_ylabel("Tokens served a day [trillion]")
    left.set_title("Tokens by segment")
    quarter_ticks(left, quarters)
    ends: list[tuple[float, str, str]] = []
    for row, model in enumerate(result.models):
        index = result.chain.market.price_index[row]
        right.step(positions, index, where="mid", color=HUES[row], linewidth=2)
        ends.append((float(index[-1]), model, HUES[row]))
    right.set_ylim(0, 1.05)
    right.set_ylabel("Price per token over the list price at the start")
    right.set_title("Posted price")
    quarter_ticks(right, quarters)
    end_labels(right, ends, positions[-1])
    right.set_xlim(-0.3, positions[-1] * 1.45)
    return figure


def price_schedule(result: PlanResult) -> Any:
    """Show the posted standard price of each model, input and output, in the steps in which it moves."""
    from matplotlib.ticker import LogLocator

    figure, axes = subplots(2, width=10.0, height=3.8)
    positions = np.arange(len(result.quarters) + 1)
    hue = colours(result.models)
    price = result.chain.market.price_cny_per_tok * 1e6
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
        axis.set_ylabel(f"Price [CNY per million tokens{', log' if axis.get_yscale() == 'log' else ''}]")
        axis.set_title(title)
        quarter_ticks(axis, result.quarters)
        end_labels(axis, ends, positions[-1])
        axis.set_xlim(-0.3, positions[-1] * 1.35)
    return figure


def demand_curve(result: PlanResult) -> Any:
    """Demand curves of the first, middle and last quarter with the path of posted price and demand on them."""
    figure, axis = subplots(1, width=10.0, height=4.2)
    curve = result.demand_curves()
    entries = []
    for index, (label, calls, price) in enumerate(curve.curves):
        colour = HUES[index]
        axis.plot(calls, price, color=colour, linewidth=2)
        entries.append((float(price[-1]), f"demand {label}", colour))
    axis.plot(curve.path_calls, curve.path_price, color=INK, linewidth=1.2, marker="o", markersize=3.5)
    axis.annotate(
        result.quarters[0], (curve.path_calls[0], curve.path_price[0]), xytext=(-4, 8), textcoords="offset points",
        fontsize=8.5, ha="right",
    )  # fmt: skip
    axis.annotate(
        result.quarters[-1], (curve.path_calls[-1], curve.path_price[-1]), xytext=(6, -10), textcoords="offset points",
        fontsize=8.5,
    )  # fmt: skip
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlabel("Tokens wanted from the provider a day [log]")
    axis.set_ylabel("Mean price [CNY per million tokens, log]")
    axis.set_title("Demand moves out faster than the price moves along it")
    for (_, calls, price), (_, text, colour) in zip(curve.curves, entries, strict=True):
        axis.annotate(
            text, (calls[-1], price[-1]), xytext=(5, -2), textcoords="offset points", color=colour, fontsize=8.5
        )
    axis.margins(x=0.16)
    return figure


def budget(result: PlanResult) -> Any:
    """Capital spent against the budget, and what binds."""
    plan = result.chain.plan
    figure, axis = subplots(1, width=10.0, height=3.4)
    positions = np.arange(len(plan.problem.quarters))
    devices, sites = plan.device_capex_cny / _BN, plan.site_capex_cny / _BN
    axis.bar(positions, devices, color=HUES[0], width=0.7, label="accelerators and network")
    axis.bar(positions, sites, bottom=devices, color=HUES[1], width=0.7, label="sites")
    axis.step(
        np.append(positions, positions[-1] + 1) - 0.5,
        np.append(plan.problem.budget_cny, plan.problem.budget_cny[-1]) / _BN,
        where="post", color=INK, linewidth=1.5, label="AI budget released",
    )  # fmt: skip
    top = max(float((devices + sites).max()), float(plan.problem.budget_cny.max() / _BN)) * 1.35
    axis.set_ylim(0, top)
    for position, names in zip(positions, plan.binding, strict=True):
        text = names[0].split(":")[-1].strip() if names else ""
        axis.annotate(text, (position, (devices + sites)[position] + top * 0.015), ha="center", fontsize=7, color=MUTED)
    axis.set_ylabel("Capital expenditure [bn CNY a quarter]")
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
        ("depreciation", accounts.depreciation_cny, HUES[0]),
        ("energy", accounts.energy_cny, HUES[1]),
        ("operations", accounts.fixed_cny, HUES[2]),
        ("overhead", accounts.overhead_cny, HUES[3]),
    )
    base = np.zeros(positions.size)
    for label, amount, colour in stack:
        left.bar(positions, amount / _BN, bottom=base, color=colour, width=0.7, label=label)
        base = base + amount / _BN
    left.plot(
        positions, accounts.ai_revenue_cny / _BN, color=INK, linewidth=2, marker="o", markersize=3.5, label="AI revenue"
    )
    left.set_ylim(0, max(float(base.max()), float(accounts.ai_revenue_cny.max() / _BN)) * 1.3)
    left.set_ylabel("AI revenue and costs [bn CNY a quarter]")
    left.set_title("What the fleet earns and costs")
    left.legend(ncols=3, fontsize=8, loc="upper left")
    quarter_ticks(left, result.quarters)
    cumulative = np.cumsum(accounts.ai_fcf_cny) / _BN
    right.bar(positions, accounts.ai_fcf_cny / _BN, color=GRID, edgecolor=MUTED, linewidth=0.6, width=0.7)
    right.plot(positions, cumulative, color=HUES[5], linewidth=2)
    right.axhline(0, color=MUTED, linewidth=0.8)
    end_labels(right, [(float(cumulative[-1]), "cumulative", HUES[5])], positions[-1])
    right.set_xlim(-0.6, positions[-1] * 1.38)
    right.set_ylabel("Free cash flow of the AI plan [bn CNY]")
    right.set_title("Cash")
    quarter_ticks(right, result.quarters)
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
    market = accounts.market_value_cny / _BN
    for height, label, colour in ((level, "value of equity", HUES[0]), (market, "market value", MUTED)):
        axis.bar(len(labels), height, color=colour, width=0.62)
        axis.annotate(
            f"{height:,.0f}",
            (len(labels), height),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=8.5,
        )
        labels.append(label)
    axis.axhline(0, color=MUTED, linewidth=0.8)
    axis.set_xticks(range(len(labels)))
    axis.set_xticklabels([fill(label, 12) for label in labels], fontsize=8)
    axis.grid(visible=False, axis="x")
    axis.margins(y=0.12)
    axis.set_ylabel("Value [bn CNY]")
    axis.set_title(f"Value against the market on {result.scenario.as_of}")
    return figure


def sensitivity(result: PlanResult) -> Any:
    """Rank the inputs that move value per share and the Jevons verdict most."""
    figure, axes = subplots(2, width=10.0, height=4.2)
    pairs = (("value_per_ads_cny", "Value per ADS"), ("compute_factor", "Compute after a doubling of efficiency"))
    for axis, (outcome, title) in zip(axes, pairs, strict=True):
        ranked = result.draws.sensitivity(outcome, 10) if result.draws is not None else []
        names = [result.amount_label(name) for name, _ in ranked][::-1]
        sizes = [size for _, size in ranked][::-1]
        axis.barh(range(len(sizes)), sizes, color=[HUES[0] if s >= 0 else HUES[5] for s in sizes], height=0.66)
        axis.set_yticks(range(len(names)))
        axis.set_yticklabels(names, fontsize=8)
        axis.axvline(0, color=MUTED, linewidth=0.8)
        axis.set_xlim(-1, 1)
        axis.grid(visible=False, axis="y")
        axis.set_xlabel("Spearman's rank correlation")
        axis.set_title(title)
    return figure


def jevons(result: PlanResult) -> Any:
    """Distribution of the compute wanted after a doubling of efficiency, and the loop gain along the path."""
    figure, (left, right) = subplots(2, width=10.0, height=3.4, width_ratios=[1.2, 1])
    verdict = result.verdict
    if result.draws is not None:
        factors = result.draws.outcomes["compute_factor"]
        edges = np.linspace(min(0.45, float(factors.min())), max(1.3, float(factors.max())), 25)
        counts, _ = np.histogram(factors, edges)
        bars = [HUES[2] if middle > 1 else HUES[5] for middle in (edges[:-1] + edges[1:]) / 2]
        left.bar(edges[:-1], counts, width=np.diff(edges), align="edge", color=bars, edgecolor="white", linewidth=0.6)
    left.axvline(1, color=INK, linewidth=1.4)
    left.axvline(float(verdict.compute_factor[-1]), color=INK, linewidth=1.2, linestyle=":")
    left.set_xlabel("Compute wanted in the last quarter, doubled efficiency over base")
    left.set_ylabel("Draws")
    left.set_title("Compute falls (left of 1) or rises (right)")
    positions = np.arange(len(result.quarters))
    lines = (
        ("size of elasticity", -verdict.elasticity, HUES[0]),
        ("pass-through", verdict.pass_through, HUES[1]),
        ("loop gain", verdict.loop_gain, HUES[2]),
    )
    for _, series, colour in lines:
        right.plot(positions, series, color=colour, linewidth=2)
    right.axhline(1, color=MUTED, linewidth=0.8)
    right.set_ylim(0, max(1.1, float(max(series.max() for _, series, _ in lines)) * 1.1))
    end_labels(right, [(float(series[-1]), label, colour) for label, series, colour in lines], positions[-1])
    right.set_xlim(-0.3, positions[-1] * 1.5)
    right.set_ylabel("Ratio")
    right.set_title("Along the path")
    quarter_ticks(right, result.quarters)
    return figure


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
