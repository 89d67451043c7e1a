"""Measured requests beside their simulation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jevons.plot.palette import GRID, HUES, INK, MUTED
from jevons.plot.style import subplots

if TYPE_CHECKING:
    from jevons.validation.serving.requests import Replay


def replay_figure(replays: Sequence[Replay]) -> Any:
    """Return predicted over measured whole answers, and measured and predicted first tokens as distributions.

    One row of panels per group; the band is 10 % around equality.
    """
    figure, axes = subplots(2, width=9.0, height=3.3 * len(replays), rows=len(replays), squeeze=False)
    for (left, right), run in zip(axes, replays, strict=True):
        name = run.group.split(" :: ")[1]
        _answers(left, run, name)
        _first_tokens(right, run)
    return figure


def _answers(axis: Any, run: Replay, name: str) -> None:
    measured, predicted = run.measured["e2e_s"], run.predicted["e2e_s"]
    top = 1.05 * float(max(np.nanmax(measured), np.nanmax(predicted)))
    line = np.array([0.0, top])
    axis.fill_between(line, 0.9 * line, 1.1 * line, color=GRID, linewidth=0)
    axis.plot(line, line, color=MUTED, linewidth=0.9)
    axis.scatter(measured, predicted, s=9, color=HUES[0], alpha=0.55, linewidths=0)
    axis.set(xlim=(0, top), ylim=(0, top), xlabel="measured whole answer [s]", ylabel="predicted [s]")
    error = float(np.nanmedian(np.abs(predicted / measured - 1.0)))
    axis.set_title(f"{name}: answers, median error {100 * error:.1f} %", loc="left", fontsize=9.5)
    axis.annotate("band: ±10 %", (0.96, 0.06), xycoords="axes fraction", ha="right", fontsize=8.5, color=MUTED)


def _first_tokens(axis: Any, run: Replay) -> None:
    for times, colour, label, height in (
        (run.measured["ttft_s"], INK, "measured", 0.30), (run.predicted["ttft_s"], HUES[1], "predicted", 0.18),
    ):  # fmt: skip
        there = np.sort(times[np.isfinite(times)])
        axis.step(there, (np.arange(len(there)) + 1) / len(there), where="post", color=colour, linewidth=1.6)
        axis.annotate(label, (0.96, height), xycoords="axes fraction", ha="right", color=colour, fontsize=9)
    mean = [float(np.nanmean(times["ttft_s"])) for times in (run.measured, run.predicted)]
    axis.set(xlabel="time to first token [s]", ylabel="share of requests", ylim=(0, 1.02))
    axis.set_xlim(left=0)
    axis.set_title(f"first tokens: mean {mean[0]:.1f} s, predicted {mean[1]:.1f} s", loc="left", fontsize=9.5)
