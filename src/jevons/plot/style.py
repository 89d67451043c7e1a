"""How figures look, and how they become SVG text."""

from __future__ import annotations

import io
from typing import Any

from jevons.plot.palette import GRID, INK, MUTED

RC = {
    "font.family": "sans-serif",
    "font.size": 9.5,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titleweight": "bold",
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "legend.frameon": False,
    "svg.hashsalt": "jevons",
    "figure.dpi": 100,
}


def subplots(
    columns: int = 1, *, width: float = 9.0, height: float = 3.6, rows: int = 1, **options: Any
) -> tuple[Any, Any]:
    """Return a styled figure and its axes, drawn without a screen."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(RC):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(rows, columns, **options)
    return figure, axes


def figure_svg(figure: Any) -> str:
    """Return a figure as an SVG element, the same bytes for the same figure."""
    import matplotlib as mpl

    stream = io.StringIO()
    with mpl.rc_context(RC):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]


def end_labels(axis: Any, entries: list[tuple[float, str, str]], x: float, *, gap_frac: float = 0.055) -> None:
    """Write labels (height, text, colour) at the right end of lines, moved apart where they would overlap."""
    low, high = axis.get_ylim()
    log = axis.get_yscale() == "log"
    if log:
        import math

        low, high = math.log10(low), math.log10(high)
        entries = [(math.log10(max(y, 1e-300)), text, colour) for y, text, colour in entries]
    gap = gap_frac * (high - low)
    placed: list[float] = []
    for y, text, colour in sorted(entries):
        height = max(y, placed[-1] + gap) if placed else y
        placed.append(height)
        at = 10**height if log else height
        axis.annotate(
            text, (x, at), xytext=(6, 0), textcoords="offset points", color=colour, va="center", fontsize=8.5,
            annotation_clip=False,
        )  # fmt: skip


def quarter_ticks(axis: Any, labels: tuple[str, ...]) -> None:
    """Label the horizontal axis with quarters, the year under each first one."""
    axis.set_xticks(range(len(labels)))
    axis.set_xticklabels([f"{q[5:]}\n{q[:4]}" if i == 0 or q.endswith("Q1") else q[5:] for i, q in enumerate(labels)])
    axis.grid(visible=False, axis="x")
