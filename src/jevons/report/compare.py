"""A comparison as a self-contained page."""

from __future__ import annotations

import html
from pathlib import Path

from jevons.plot import figure_svg
from jevons.plot.compare import FIGURES
from jevons.study.compare.result import CompareResult

_STYLE = Path(__file__).with_name("style.css")


def compare_html(result: CompareResult) -> str:
    """Return the page: answer, pictures, tables, notes."""
    pictures = "".join(f"<figure>{figure_svg(draw(result))}</figure>" for draw in FIGURES.values())
    tables = "".join(one._repr_html_() for one in result.tables.values())
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in result.notes)
    style = _STYLE.read_text(encoding="utf-8")
    head = f'<meta charset="utf-8"><title>jevons compare</title><style>{style}</style>'
    return (
        f"<!doctype html><html lang=en><head>{head}</head><body><main><h1>{html.escape(result.names[0])}</h1>"
        f"<p>{html.escape(result.answer)}</p>{pictures}{tables}{notes}</main></body></html>\n"
    )
