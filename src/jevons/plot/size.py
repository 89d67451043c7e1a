"""Figures of a sizing: fleets by cost and response; buying, renting and an API over the load."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jevons.plot.palette import INK, MUTED, colours
from jevons.plot.style import subplots
from jevons.study.size_result import SizeResult

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
            )  # fmt: skip
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
    heights, places = [f.e2e_s for f in fleets], [across(f) for f in fleets]
    axis.set_ylim(0, 1.15 * max(heights))
    if priced and max(places) > 5 * min(places):
        axis.set_xscale("log")
        axis.set_xlabel(f"Cost [{currency} per million tokens, logarithmic]")
        axis.set_xlim(0.7 * min(places), 4 * max(places))
    else:
        axis.margins(x=0.25)
    axis.set_title(f"{result.model.name}, {result.demand.words}: fleets within the limits, front outlined", loc="left")
    return figure


FIGURES: dict[str, Callable[[Any], Any]] = {"pareto": pareto}
