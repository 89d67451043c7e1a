"""Tables for people, JSON for programs, files written whole or not at all."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jevons.errors import InputError
from jevons.schema import json_text, plain, replacing

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def console() -> Console:
    """Return a console on standard output, wide enough for tables where it is not a terminal."""
    from rich.console import Console

    if sys.stdout.isatty():
        return Console(highlight=False)
    return Console(highlight=False, width=150)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, text_columns: int = 1) -> Table:
    """Return a table whose first *text_columns* are text and whose others are numbers, aligned right."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    made = Table(title=escape(title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        made.add_column(
            escape(column), justify="left" if index < text_columns else "right", no_wrap=index >= text_columns
        )
    for row in rows:
        made.add_row(*(escape(cell) if isinstance(cell, str) else number(cell) for cell in row))
    return made


def number(value: Any, digits: int = 3) -> str:
    """Return a number for a table: thousands separated, *digits* significant digits below 1000; `–` for None."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, float):
        return str(value)
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value)) + 1e-12))
    return f"{value:.{min(decimals, 8)}f}"


def write(path: Path, text: str) -> None:
    """Write *text* to *path*, whole or not at all, and say so on standard error."""
    with replacing(path) as stream:
        stream.write(text)
    sys.stderr.write(f"wrote {path}\n")


def emit(value: Mapping[str, Any], tables: Iterable[Any], *, as_json: bool, out: Path | None) -> None:
    """Print *value* as JSON or the *tables*; write *value* to *out* (.json) or the first table's rows (.csv)."""
    if out is not None:
        if out.suffix == ".json":
            write(out, json_text(value))
        elif out.suffix == ".csv":
            write(out, csv_text(value))
        else:
            message = f"--out {out}: the ending must be .json or .csv"
            raise InputError(message)
    if as_json:
        sys.stdout.write(json_text(value))
    elif out is None:
        screen = console()
        for item in tables:
            screen.print(item)


def csv_text(value: Mapping[str, Any]) -> str:
    """Return the first list of records in *value* as CSV; a single record where there is none."""
    import csv
    import io

    records: list[Mapping[str, Any]] = next(
        (item for item in value.values() if isinstance(item, list) and item and isinstance(item[0], Mapping)), [value]
    )
    columns = list(dict.fromkeys(key for record in records for key in record))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    for record in records:
        cells = {key: plain(item) for key, item in record.items()}
        writer.writerow(
            {key: json.dumps(c, ensure_ascii=False) if isinstance(c, list | dict) else c for key, c in cells.items()}
        )
    return stream.getvalue()
