"""Figures of a training run."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from jevons.plot.palette import HUES, INK
from jevons.plot.style import subplots

if TYPE_CHECKING:
    from jevons.sizing.train_result import TrainResult


def training_figure(trained: TrainResult) -> Any:
    """Return the parts of the best step as a bar each, and the days over the size of the cluster where known."""
    wide = bool(trained.curve)
    figure, axes = subplots(2 if wide else 1, width=9.0 if wide else 6.0, height=3.8)
    first = axes[0] if wide else axes
    parts = [
        (name.replace("_", " "), s) for name, s in trained.best.parts.items() if s > 0.002 * trained.best.step_time_s
    ]
    names, times = zip(*reversed(parts), strict=True)
    first.barh(names, times, color=HUES[0])
    for place, value in enumerate(times):
        share = f" {100 * value / trained.best.step_time_s:.1f} %"
        first.annotate(share, (value, place), va="center", fontsize=8.5, color=INK)
    first.margins(x=0.15)
    first.grid(visible=False, axis="y")
    first.set_xlabel("time per step [s]")
    first.set_title(f"{trained.job.model.name}: {trained.best.step_time_s:.2f} s a step")
    if wide:
        points = [p for p in trained.curve if p.step is not None]
        sizes, days = [p.devices for p in points], [p.days for p in points]
        axes[1].loglog(sizes, days, marker="o", color=HUES[0])
        axes[1].loglog(sizes, [days[0] * sizes[0] / n for n in sizes], linestyle=":", color=INK)
        axes[1].annotate("ideal", (sizes[-1], days[0] * sizes[0] / sizes[-1]), color=INK, fontsize=8.5)
        for before, point in pairwise(points):
            if point.reason and point.reason != before.reason:
                axes[1].annotate(
                    f"limit: {point.reason}", (point.devices, point.days), xytext=(6, 6), textcoords="offset points",
                    fontsize=8.5, color=INK,
                )  # fmt: skip
        axes[1].set_xlabel("accelerators (log scale)")
        axes[1].set_ylabel("days of the run (log scale)")
        axes[1].set_title("same batch on other clusters")
    return figure


FIGURES: dict[str, Callable[[Any], Any]] = {"step": training_figure}
