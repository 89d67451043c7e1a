"""Prints a result: the answer in a sentence, the tables that a screen holds, and where there is more."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jevons.cli.output import Sheet, asked_line, forced, note, say, show
from jevons.files import frame_csv

if TYPE_CHECKING:
    from jevons.results import Result, Table

SCREEN_LINES, SCREEN_COLUMNS = 20, 80
"""The most that is printed below the answer where no details are asked for."""
_FIRST_ROWS, _FEWEST_ROWS = 5, 3
"""Rows of the first table, and of the others, that are worth its lines."""


def print_result(
    result: Result,
    *,
    form: str = "table",
    detail: bool = False,
    out: Path | None = None,
    language: str = "en",
    warnings: tuple[str, ...] = (),
    explained: Mapping[str, str] | None = None,
) -> None:
    """Write a result to *out*, and print it in a form, or what was *explained* of it.

    JSON has *warnings* and *explained* figures by these names, where there are any.
    """
    from jevons.schema import json_text

    if out is not None:
        result.asked_by(asked_line(sys.argv[1:]))
        result.save(out, force=forced(), language=language)
        note(f"wrote {out}")
    if form == "json":
        more: dict[str, Any] = {"warnings": list(warnings)} if warnings else {}
        more |= {"explained": dict(explained)} if explained else {}
        say(json_text(result.to_json() | more))
        return
    if explained:
        show(*explained.values())
        return
    every = list(result.tables.values())
    tables = [table for table in every if detail or not table.detail]
    if form == "csv":
        say("\n".join(frame_csv(table.to_frame()) for table in tables))
    elif form == "md":
        say("\n".join((result.answer, "", *(line for table in tables for line in markdown(table)))) + "\n")
    else:
        show(*shown_parts(result, every, detail=detail))


def shown_parts(result: Result, every: Sequence[Table], *, detail: bool) -> Iterator[Any]:
    """Yield the answer, tables and notes; without *detail* what a screen holds, and where there is more."""
    yield f"{result.answer}\n"
    notes, tables = result.notes, [table for table in every if detail or not table.detail]
    shown = list(tables) if detail else on_a_screen(tables, notes)
    more = [table.name for table in every if table.detail and not detail]
    by_name = {table.name: table for table in shown}
    for table in tables:
        few = by_name.get(table.name)
        if few is not None:
            yield from legend(few) if few.legend else (sheet(few),)
            yield ""
        if few is None or not few.whole(table):
            more.append(f"{table.name} ({len(table)} rows)" if few is None or len(few) < len(table) else table.name)
    yield from notes
    if more:
        yield named_more(more)


def named_more(names: Sequence[str]) -> str:
    """Return which tables have more, on a line: of many the first, and how many there are."""
    text = f"More with --detail: {', '.join(names)}."
    count = len(names)
    while len(text) > SCREEN_COLUMNS and count > 1:
        count -= 1
        left = len(names) - count
        text = f"More with --detail: {', '.join(names[:count])} and {left} more {'table' if left == 1 else 'tables'}."
    return text


def on_a_screen(tables: Sequence[Table], notes: Sequence[str]) -> list[Table]:
    """Return the tables that people see first: with the notes at most `SCREEN_LINES` lines of `SCREEN_COLUMNS`.

    Of tables that do not fit with some of their rows, or with all that were asked for, the last are left out. The
    others get rows in turn until the screen is full; a legend has those of the table before it, whose names it spells
    out.
    """
    room = SCREEN_LINES - sum(math.ceil(len(text) / SCREEN_COLUMNS) for text in notes) - 1
    whole = [table.brief() for table in tables if len(table)]
    rows = [min(len(table), _FEWEST_ROWS) for table in whole]
    if not any(table.legend for table in whole):
        rows[:1] = [min(len(table), _FIRST_ROWS) for table in whole[:1]]
    rows = [len(table) if table.asked else least for table, least in zip(whole, rows, strict=True)]

    def cut() -> list[Table]:
        fitting: list[Table] = []
        for brief, most in zip(whole, rows, strict=False):
            fitting.append(brief.first(len(fitting[-1]) if brief.legend and fitting else most))
        return fitting

    def fits() -> bool:
        return sum(map(lines_of, cut())) <= room

    while len(rows) > 1 and not fits():
        rows.pop()
    growing = [place for place in range(len(rows)) if not whole[place].legend]
    while growing:
        for place in list(growing):
            rows[place] += 1
            if rows[place] > len(whole[place]) or not fits():
                rows[place] -= 1
                growing.remove(place)
    return cut()


def lines_of(shown: Table) -> int:
    """Return how many lines of `SCREEN_COLUMNS` a table takes, the empty one below it included."""
    from rich.console import Console

    screen = Console(width=SCREEN_COLUMNS, height=SCREEN_LINES, color_system=None, highlight=False)
    with screen.capture() as captured:
        for part in legend(shown) if shown.legend else (sheet(shown),):
            screen.print(part, markup=False) if isinstance(part, str) else screen.print(part)
    return captured.get().count("\n") + 1


def legend(shown: Table) -> Iterator[str]:
    """Yield the rows of a legend as lines, their first cells as wide as the widest."""
    wide = max((len(row[0]) for row in shown.shown()), default=0)
    yield "\n".join("  ".join((row[0].ljust(wide), *row[1:])) for row in shown.shown())


def sheet(shown: Table) -> Sheet:
    """Return a table for the terminal; as many of its first columns of text as it takes name a row."""
    lead = 1
    while lead < len(shown.columns) and shown.text(lead) and len({row[:lead] for row in shown.rows}) < len(shown):
        lead += 1
    text = frozenset(place for place in range(len(shown.columns)) if shown.text(place))
    cells = tuple(tuple(row) for row in shown.shown())
    return Sheet(
        title=shown.title,
        columns=tuple(column.head for column in shown.columns),
        rows=cells,
        text_columns=lead,
        text=text,
    )


def markdown(shown: Table) -> Iterator[str]:
    """Yield a table as lines of Markdown."""
    yield f"**{shown.title}**"
    yield ""
    yield "| " + " | ".join(column.head for column in shown.columns) + " |"
    yield "|" + "|".join("---" if shown.text(place) else "---:" for place in range(len(shown.columns))) + "|"
    for row in shown.shown():
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
    yield ""
