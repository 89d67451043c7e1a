"""Pictures that commands write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jevons.cli.output import forced, note

PICTURES = (".svg", ".png", ".pdf")


def save_figure(path: Path, figure: Any) -> None:
    """Write a figure, whole or not at all, and say so on standard error."""
    from jevons.plot.style import write_figure

    write_figure(path, figure, force=forced())
    note(f"wrote {path}")


def draw(path: Path | None, result: Any, name: str) -> None:
    """Write a figure of a result, whole or not at all."""
    if path is not None:
        save_figure(path, getattr(result.plot, name)())
