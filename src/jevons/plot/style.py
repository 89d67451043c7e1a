"""How figures look, and how they become SVG text."""

from __future__ import annotations

import functools
import io
import warnings
from pathlib import Path
from typing import Any

from jevons.files import writing
from jevons.plot.palette import GRID, INK, MUTED

_MOST_QUARTERS = 16
"""Beyond so many, the names of quarters run together."""

PALE = 0.3
"""Opacity of bars that cannot be told from chance."""

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

    with mpl.rc_context(RC):
        figure = _figure_class()(figsize=(width, height), layout="constrained")
        axes = figure.subplots(rows, columns, **options)
    return figure, axes


_CJK_FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei", "Droid Sans Fallback", "PingFang SC", "Hiragino Sans GB", "Heiti SC", "Microsoft YaHei",
    "SimHei", "Arial Unicode MS",
)  # fmt: skip
"""Fonts with Chinese, Japanese and Korean characters, the best first."""


@functools.cache
def cjk_font() -> str | None:
    """Return an installed font with Chinese characters, None where there is none."""
    from matplotlib import font_manager

    installed = {entry.name for entry in font_manager.fontManager.ttflist}
    return next((name for name in _CJK_FONTS if name in installed), None)


def has_cjk(text: str) -> bool:
    """Return whether a text has characters that the usual font lacks: Chinese, Japanese, Korean and what follows."""
    return any(character >= "\u2e80" for character in text)


@functools.cache
def _figure_class() -> Any:
    """Return the class of our figures, whose texts are drawn as they are written."""
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    class PlainFigure(Figure):
        """A figure in which ``$`` is a dollar, and characters without a glyph are boxes without a warning."""

        def draw(self, renderer: Any) -> None:
            """Draw all parts."""
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message=r"Glyph \d+ .*missing from")
                numbers = {id(label) for axes in self.axes for label in _numbers(axes)}
                for text in self.findobj(Text):
                    if id(text) not in numbers:
                        text.set_parse_math(False)
                    font = cjk_font() if has_cjk(text.get_text()) else None
                    if font is not None:
                        text.set_fontfamily(["DejaVu Sans", font])
                super().draw(renderer)

    return PlainFigure


def _numbers(axes: Any) -> list[Any]:
    """Return the texts of ticks that are numbers: powers of ten among them are written as formulas."""
    from matplotlib.ticker import LogFormatter, ScalarFormatter

    return [
        text
        for axis in (axes.xaxis, axes.yaxis)
        for minor, formatter in ((False, axis.get_major_formatter()), (True, axis.get_minor_formatter()))
        if isinstance(formatter, LogFormatter | ScalarFormatter)
        for text in (*axis.get_ticklabels(minor=minor), axis.get_offset_text())
    ]


def _style_of(figure: Any) -> dict[str, Any]:
    """Return the style; where no font here has a figure's characters, SVG keeps them as text for the reader's fonts."""
    from matplotlib.text import Text

    lacking = cjk_font() is None and any(has_cjk(text.get_text()) for text in figure.findobj(Text))
    return RC | ({"svg.fonttype": "none"} if lacking else {})


def figure_svg(figure: Any) -> str:
    """Return a figure as an SVG element, the same bytes for the same figure."""
    import matplotlib as mpl

    stream = io.StringIO()
    with mpl.rc_context(_style_of(figure)):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]


def write_figure(path: Path, figure: Any, *, force: bool = False) -> None:
    """Write a figure as ``.svg``, ``.png`` or ``.pdf``, whole or not at all, the same bytes for the same figure."""
    import matplotlib as mpl

    if path.suffix == ".svg":
        with writing(path, force=force) as stream:
            stream.write(figure_svg(figure))
        return
    metadata = {"CreationDate": None} if path.suffix == ".pdf" else None
    with mpl.rc_context(RC), writing(path, "wb", force=force) as stream:
        figure.savefig(stream, format=path.suffix[1:], dpi=150, metadata=metadata)


def end_labels(axis: Any, entries: list[tuple[float, str, str]], x: float, *, gap_frac: float = 0.055) -> None:
    """Write labels (height, text, colour) at the right end of lines, moved apart where they would overlap."""
    low, high = axis.get_ylim()
    log = axis.get_yscale() == "log"
    if log:
        import math

        low, high = math.log10(low), math.log10(high)
        entries = [(math.log10(max(y, 1e-300)), text, colour) for y, text, colour in entries]
    ordered = sorted(entries)
    heights = _apart([y for y, _, _ in ordered], gap_frac * (high - low), high)
    for height, (_, text, colour) in zip(heights, ordered, strict=True):
        at = 10**height if log else height
        axis.annotate(
            text, (x, at), xytext=(6, 0), textcoords="offset points", color=colour, va="center", fontsize=8.5,
            annotation_clip=False,
        )  # fmt: skip


def _apart(heights: list[float], gap: float, top: float) -> list[float]:
    """Return rising heights moved up until each lies a gap above the one below, then down where that passes the top."""
    placed: list[float] = []
    for height in heights:
        placed.append(max(height, placed[-1] + gap) if placed else height)
    limit = top
    for index in range(len(placed) - 1, -1, -1):
        placed[index] = min(placed[index], limit)
        limit = placed[index] - gap
    return placed


def empty_note(axis: Any, drawn: Any) -> None:
    """Say in an axis without inputs that none stands out."""
    if not drawn:
        axis.annotate(
            "no input stands out of chance\nat this number of draws", (0.5, 0.5), xycoords="axes fraction", ha="center",
            va="center", color=MUTED, fontsize=9,
        )  # fmt: skip


def quarter_ticks(axis: Any, labels: tuple[str, ...], *, years_only: bool = False) -> None:
    """Label the horizontal axis with quarters, years under them; years alone where there is little room."""
    axis.set_xticks(range(len(labels)))
    years_only = years_only or len(labels) > _MOST_QUARTERS
    starts = [i == 0 or q.endswith("Q1") for i, q in enumerate(labels)]
    named = [
        f"{q[5:]}\n{q[:4]}" if start else "" if years_only else q[5:] for q, start in zip(labels, starts, strict=True)
    ]
    axis.set_xticklabels(named)
    axis.grid(visible=False, axis="x")


def log_ticks(axis: Any) -> None:
    """Write the ticks of a log axis as plain numbers with thousands apart; between powers of ten those of 2 and 5.

    Parameters
    ----------
    axis : Axis
        One axis of a panel, such as ``panel.yaxis``.
    """

    def plain(value: float, _place: int) -> str:
        return f"{value:,.0f}" if value >= 1.0 and value == round(value) else f"{value:g}"

    axis.set_major_formatter(plain)
    axis.set_minor_formatter(lambda value, place: plain(value, place) if f"{value:.0e}"[0] in "25" else "")
