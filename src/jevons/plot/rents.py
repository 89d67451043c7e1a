"""Figure of the rental market: rents of each kind of accelerator over full cost, and the stock of brokers."""

from __future__ import annotations

from typing import Any

import numpy as np

from jevons.plot.palette import GRID, HUES, INK, MUTED, colours
from jevons.plot.style import end_labels, quarter_ticks, subplots
from jevons.study import PlanResult
from jevons.study.chain.rents import Rents


def rents(result: PlanResult) -> Any:
    """Rents over full cost by kind, and devices of brokers by what they do with them."""
    paths = result.chain.rents
    assert paths is not None  # noqa: S101 - the caller asks for this figure only where segments rent
    some = paths.brokers.held.max() > 0
    figure, axes = subplots(2 if some else 1, width=10.0, height=3.9, squeeze=False)
    left = axes[0, 0]
    positions = np.arange(len(result.quarters))
    devices = list(result.scenario.hardware.devices)
    hue = colours(devices)
    over = np.where(result.rent_over_cost > 0, result.rent_over_cost, np.nan)
    entries = []
    for row, device in enumerate(devices):
        seen = np.flatnonzero(np.isfinite(over[row]))
        if seen.size:
            left.plot(positions, over[row], color=hue[device], linewidth=2, marker="o", markersize=3)
            entries.append((float(over[row, seen[-1]]), result.device_label(device), hue[device]))
    left.axhline(1, color=MUTED, linewidth=0.8)
    left.set_ylim(0, max(1.1, float(np.nanmax(over, initial=1.0)) * 1.1))
    left.set_xlim(-0.3, positions[-1] * 1.75)
    end_labels(left, entries, positions[-1])
    left.set_ylabel("Rent over full cost")
    left.set_title("Rents by kind")
    quarter_ticks(left, result.quarters, years_only=True)
    if some:
        _brokers(axes[0, 1], positions, paths)
        quarter_ticks(axes[0, 1], result.quarters)
    return figure


def _brokers(axis: Any, positions: Any, rents: Rents) -> None:
    """Draw brokers' devices of all kinds: let, held back, and looking for renters."""
    stocks = (rents.brokers.let, rents.brokers.withheld, rents.brokers.held)
    let, withheld, stocked = (stock.sum(axis=0) / 1e3 for stock in stocks)
    parts = (("let", let, INK), ("held back", withheld, HUES[5]), ("look for renters", stocked - let - withheld, GRID))
    base = np.zeros(positions.size)
    for label, height, colour in parts:
        if height.max() > 0:
            axis.bar(positions, height, bottom=base, color=colour, label=label, width=0.78)
            base = base + height
    axis.set_ylim(0, base.max() * 1.2)
    axis.set_ylabel("Devices of brokers [thousand]")
    axis.set_title("What brokers do with theirs")
    axis.legend(ncols=3, fontsize=8, loc="upper left")
