"""Errors of the public league's stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jevons.plot.palette import GRID, HUES, MUTED
from jevons.plot.style import subplots


def league_figure(points: Sequence[tuple[str, Mapping[str, float]]]) -> Any:
    """Return signed errors of stages, one panel per latency.

    Parameters
    ----------
    points : sequence of (str, mapping)
        Device of a stage, and its signed relative errors by latency.
    """
    names = list(points[0][1])
    devices = list(dict.fromkeys(device for device, _ in points))
    figure, axes = subplots(len(names), width=9.0, height=3.0, squeeze=False)
    for axis, name in zip(np.ravel(axes), names, strict=True):
        axis.axvspan(-10, 10, color=GRID, linewidth=0)
        axis.axvline(0, color=MUTED, linewidth=0.9)
        for place, device in enumerate(devices):
            errors = [100 * of[name] for own, of in points if own == device]
            axis.scatter(errors, [place] * len(errors), s=18, color=HUES[place], alpha=0.7, linewidths=0)
        axis.set(yticks=range(len(devices)), yticklabels=devices, ylim=(len(devices) - 0.5, -0.5))
        axis.set_xlabel("predicted over measured - 1 [%]; band ±10 %", fontsize=8.5)
        axis.set_title(f"mean {name}", loc="left", fontsize=9.5)
    return figure
