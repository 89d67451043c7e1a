"""Figures of a sizing: fleets by cost and response; buying, renting and an API over the load."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jevons.plot.palette import INK, MUTED, colours
from jevons.plot.style import end_labels, log_ticks, subplots
from jevons.sizing.comparison import Comparison
from jevons.sizing.result import SizeResult
from jevons.sizing.small_shop import PresetResult
from jevons.units import format_count

_LABELLED = 8


def pareto(result: SizeResult) -> Any:
    """Draw fleets by cost and time of a whole answer, those on the front named."""
    figure, axis = subplots(1, width=9.0, height=4.6)
    fleets = result.entries if result.demand.given else result.pareto
    priced = all(f.per_hour is not None for f in fleets)
    hue = colours(result.prices)
    front = {id(f) for f in result.pareto}

    def across(fleet: Any) -> float:
        record = fleet.record(result.service)
        return float(record["cost_per_mtok"] if priced else record["output_tok_per_s_per_gpu"])

    for device in result.prices:
        own = [f for f in fleets if f.deployment.accelerator.id == device]
        for on_front, size_pt in ((True, 52), (False, 22)):
            points = [f for f in own if (id(f) in front) is on_front]
            axis.scatter(
                [across(f) for f in points], [f.e2e_s for f in points], s=size_pt, color=hue[device],
                edgecolor=INK if on_front else "none", linewidth=0.8, alpha=1.0 if on_front else 0.5, zorder=3,
                label="" if on_front else device,
            )  # fmt: skip
    for fleet in fleets:
        if fleet.observed is not None and (half := fleet.observed.latency["e2e_s"]["mean"].half):
            axis.errorbar(across(fleet), fleet.e2e_s, yerr=half, color=INK, linewidth=0.9, capsize=2, zorder=4)
    ordered = sorted((f for f in fleets if id(f) in front), key=across)
    axis.step([across(f) for f in ordered], [f.e2e_s for f in ordered], where="post", color=MUTED, linewidth=0.9)
    for fleet in ordered[:: max(1, -(-len(ordered) // _LABELLED))]:
        label = f"{fleet.accelerators} {fleet.deployment.accelerator.id}: {fleet.words()}"
        axis.annotate(label, (across(fleet), fleet.e2e_s), xytext=(7, 5), textcoords="offset points", fontsize=7.5)
    currency = next((p.currency for p in result.prices.values() if p is not None), "")
    axis.set_xlabel(
        f"Cost [{currency} per million tokens]" if priced else "Throughput [output tokens/s per accelerator]"
    )
    axis.set_ylabel("Whole answer, mean [s]")
    if len(result.prices) > 1:
        axis.legend(loc="lower right", fontsize=8)
    heights, places = [f.e2e_s for f in fleets], [across(f) for f in fleets]
    axis.set_ylim(0, 1.15 * max(heights))
    if priced and max(places) > 5 * min(places):
        axis.set_xscale("log")
        axis.set_xlabel(f"Cost [{currency} per million tokens, logarithmic]")
        axis.set_xlim(0.7 * min(places), 4 * max(places))
        log_ticks(axis.xaxis)
    else:
        axis.margins(x=0.25)
    axis.set_title(f"{result.model.name}, {result.demand.words}: fleets within the limits, front outlined", loc="left")
    return figure


def break_even(result: Comparison) -> Any:
    """Draw the cost of a month over the load, by way, and what a month is made of at the load asked for."""
    figure, (left, right) = subplots(2, width=11.0, height=4.4)
    loads = np.geomspace(result.output_tok_per_d / 30, result.output_tok_per_d * 100, 240)
    left.plot(loads / 1e6, [result.api_month_cny(x) / 1e3 for x in loads], color=INK, linewidth=2.0)
    ends = [(result.api_month_cny(float(loads[-1])) / 1e3, f"API {result.api.prefix}", INK)]
    hue = colours([m.device.id for m in result.machines])
    for machine in result.machines:
        for way, style, parts in (("buy", "-", result.owned_parts_cny), ("rent", "--", result.rented_parts_cny)):
            costs = [sum(parts(machine, result.machines_for(machine, x)).values()) / 1e3 for x in loads]
            left.plot(loads / 1e6, costs, style, color=hue[machine.device.id], linewidth=1.4)
            ends.append((costs[-1], f"{way} {machine.device.id}", hue[machine.device.id]))
    left.set_xscale("log")
    left.set_yscale("log")
    left.axvline(result.output_tok_per_d / 1e6, color=MUTED, linewidth=0.8, linestyle=":")
    end_labels(left, ends, float(loads[-1]) / 1e6)
    left.set_xlabel("Load [million output tokens a day, logarithmic]")
    left.set_ylabel("Cost [thousand CNY a month, logarithmic]")
    left.set_title(f"{result.model} by load", loc="left")
    names = ("machines", "rent", "tokens", "power", "site", "maintenance", "staff")
    shade = colours(names)
    ways = result.ways()[::-1]
    base = np.zeros(len(ways))
    for name in names:
        values = np.array([way.parts_cny.get(name, 0.0) / 1e3 for way in ways])
        if values.max() > 0:
            right.barh(range(len(ways)), values, left=base, color=shade[name], label=name, height=0.7)
            base += values
    labels = [way.name if way.machine is None else f"{way.name} {way.machine.device.id}" for way in ways]
    right.set_yticks(range(len(ways)), labels)
    right.set_xlabel("Cost [thousand CNY a month]")
    right.set_title(f"A month at {format_count(result.output_tok_per_d)} output tokens a day", loc="left")
    right.grid(visible=False, axis="y")
    right.legend(fontsize=8, loc="upper right")
    return figure


def shop(result: PresetResult) -> Any:
    """Draw what a shop pays in a month, by way, with the range of its use."""
    rows = result.rows()[::-1]
    figure, axis = subplots(1, width=9.0, height=0.8 + 0.34 * len(rows))
    hue = colours(("API", "machines"))
    for place, row in enumerate(rows):
        api = row["low_cny"] is not None
        if api:
            axis.plot([row["low_cny"], row["high_cny"]], [place, place], color=hue["API"], linewidth=3, alpha=0.35)
        axis.plot(row["per_shop_month_cny"], place, "o", color=hue["API" if api else "machines"], markersize=7)
    axis.set_yticks(range(len(rows)), [row["way"] for row in rows])
    axis.set_xscale("log")
    axis.set_xlabel("CNY a shop and month [logarithmic]; bands: range of its use")
    axis.set_title(f"{result.shop.preset}: APIs at list price, machines shared by {result.shops:,} shops", loc="left")
    axis.grid(visible=False, axis="y")
    return figure


FIGURES: dict[str, Callable[[Any], Any]] = {"pareto": pareto, "break_even": break_even, "shop": shop}
