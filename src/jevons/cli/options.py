"""Options of the hand-written commands; `jevons.options` declares those of all others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="Date, YYYY-MM-DD: nothing published later is visible.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write to this file too: .json (all) or .csv (the records).")]
