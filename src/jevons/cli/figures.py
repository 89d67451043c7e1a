"""Pictures that commands write."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from jevons.cli.output import note, write


def save_figure(path: Path, figure: Any) -> None:
    """Write a figure, whole or not at all."""
    import matplotlib as mpl

    from jevons.plot.style import RC, figure_svg

    if path.suffix == ".svg":
        write(path, figure_svg(figure))
        return
    temporary = path.with_name(f".{path.stem}.part{path.suffix}")
    with mpl.rc_context(RC):
        figure.savefig(temporary, dpi=150, metadata={"CreationDate": None} if path.suffix == ".pdf" else None)
    temporary.replace(path)
    note(f"wrote {path}")


PICTURES = (".svg", ".png", ".pdf")


def draw(path: Path | None, result: Any, name: str) -> None:
    """Write a figure of a result, whole or not at all."""
    if path is None:
        return
    import matplotlib as mpl

    from jevons.plot.style import RC

    figure = getattr(result.plot, name)()
    temporary = path.with_name(f".{path.stem}.part{path.suffix}")
    dated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    with mpl.rc_context(RC):
        figure.savefig(temporary, dpi=150, metadata=dated.get(path.suffix))
    temporary.replace(path)
    sys.stderr.write(f"wrote {path}\n")
