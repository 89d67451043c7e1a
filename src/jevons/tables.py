"""Tables of raw numbers with typed columns, units and titles, and how people read them."""

from __future__ import annotations

import html
import math
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from jevons.errors import NoSuchNameError, did_you_mean
from jevons.named import Named, Record, unknown_attribute
from jevons.rounding import number as shown_number
from jevons.text import printable

if TYPE_CHECKING:
    import polars as pl

number = shown_number
"""Returns a number for people."""

Cell = str | float | int | bool | None

_MOST_REPR_ROWS = 10
_LONGEST_BRIEF = 48


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    name : str
        Name for programs, with the unit as its suffix where it has one, such as ``ttft_p50_s``.
    label : str
        Head for people, without the unit.
    unit : str
        Unit that people read; empty for text and pure numbers.
    scale : float
        What a cell is multiplied with to be in *unit*: cells are in the unit of *name*.
    digits : int
        Significant digits below 1000.
    form : str
        Format of a number where *digits* does not fit it, such as ``,.6g``; ``p`` for a probability, which is shown as
        below 1 or above 99 percent where it is, never as impossible or certain.
    detail : bool
        Whether a terminal shows it only when asked for details.
    quoted : bool
        Whether cells are words of a user's text, which stay as they are in every language.
    """

    name: str
    label: str
    unit: str = ""
    scale: float = field(default=1.0, kw_only=True)
    digits: int = field(default=3, kw_only=True)
    form: str = field(default="", kw_only=True)
    detail: bool = field(default=False, kw_only=True)
    quoted: bool = field(default=False, kw_only=True)

    @property
    def head(self) -> str:
        """Label with the unit in brackets."""
        return f"{self.label} [{self.unit}]" if self.unit else self.label

    def shown(self, cell: Cell) -> str:
        """Return a cell as people read it."""
        if isinstance(cell, float | int) and not isinstance(cell, bool) and self.scale != 1.0:
            cell = cell * self.scale
        if self.form == "p" and isinstance(cell, float):
            return "<1" if cell < 1.0 else ">99" if cell > 99.0 else number(cell, 2)
        if self.form and isinstance(cell, float) and math.isfinite(cell):
            shown = format(cell, self.form)
            nothing = shown.startswith("-") and not shown.strip("-0.")
            return ("+" if "+" in self.form else "") + shown[1:] if nothing else shown
        return number(cell, self.digits)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Table(Named):
    """A named table of raw numbers: iterating over it yields its rows as records.

    Parameters
    ----------
    name : str
        Name for programs, such as ``latency``; `Result.tables` finds it by this.
    title : str
        What it shows, for people.
    columns : tuple of Column
        Heads.
    rows : tuple of tuple
        Cells in the columns' own units; text, numbers, truth values, or None where there is no figure.
    detail : bool
        Whether it answers a second question, and prints only when asked for.
    most : int
        Rows that a terminal shows where no details are asked for; 0 for all.
    legend : bool
        Whether a terminal shows its rows as lines without heads, such as what short names stand for.
    asked : bool
        Whether its rows were asked for one by one, so that a terminal shows all of them.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    detail: bool = False
    most: int = 0
    legend: bool = False
    asked: bool = False

    def __post_init__(self) -> None:
        """Refuse rows of another width, which is a defect of whoever made the table."""
        if any(len(row) != len(self.columns) for row in self.rows):
            message = f"table {self.name}: a row has not {len(self.columns)} cells"
            raise ValueError(message)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def __iter__(self) -> Iterator[Record]:
        """Yield the rows, each a mapping of column name to cell."""
        return map(Record, self.records())

    def __getitem__(self, key: int | str | slice) -> Any:
        """Return the row at a place, rows of several places, or the cells of the column of a name."""
        if isinstance(key, str):
            return self.column(key)
        return at_place(list(self), key, f"table {self.name}")

    def __contains__(self, name: object) -> bool:
        """Return whether there is a column of that name."""
        return any(column.name == name for column in self.columns)

    def __repr__(self) -> str:
        """Return name, size, title and the first rows as text."""
        lines = text_table(self, most=_MOST_REPR_ROWS)
        return printable("\n".join([f"{self.name} ({len(self)} x {len(self.columns)}): {lines[0]}", *lines[1:]]))

    def brief(self) -> Table:
        """Return the rows and columns that a terminal shows where no details are asked for.

        Of a list that is longer than what is shown of it, long texts are cut too; those of a legend are what it is for.
        """
        places = [place for place, column in enumerate(self.columns) if not column.detail]
        listed = 0 < self.most < len(self.rows) and not self.legend

        def cut(cell: Cell) -> Cell:
            too_long = listed and isinstance(cell, str) and len(cell) > _LONGEST_BRIEF
            return f"{str(cell)[: _LONGEST_BRIEF - 1].rstrip()}…" if too_long else cell

        rows = self.rows[: self.most or None]
        return replace(
            self, columns=tuple(self.columns[place] for place in places),
            rows=tuple(tuple(cut(row[place]) for place in places) for row in rows),
        )  # fmt: skip

    def first(self, rows: int) -> Table:
        """Return the table with its first rows alone."""
        return replace(self, rows=self.rows[:rows])

    def whole(self, other: Table) -> bool:
        """Return whether it has all rows and columns of *other*."""
        return len(self) == len(other) and len(self.columns) == len(other.columns)

    def column(self, name: str | int) -> list[Cell]:
        """Return the cells of a column, found by its name or place.

        Raises
        ------
        NoSuchNameError
            If there is no such column.
        """
        names = [column.name for column in self.columns]
        if isinstance(name, int):
            name = str(at_place(names, name, f"columns of table {self.name}"))
        if name not in names:
            near = did_you_mean(str(name), names) or f" It has {', '.join(names)}."
            message = f"table {self.name}: has no column `{name}`.{near}"
            raise NoSuchNameError(message)
        place = names.index(name)
        return [row[place] for row in self.rows]

    def text(self, place: int) -> bool:
        """Return whether the column at *place* holds text, and so reads from the left."""
        cells = [row[place] for row in self.rows if row[place] is not None]
        return all(isinstance(cell, str) for cell in cells) if cells else not self.columns[place].unit

    def records(self) -> list[dict[str, Cell]]:
        """Return one mapping of column name to cell a row."""
        return [{c.name: cell for c, cell in zip(self.columns, row, strict=True)} for row in self.rows]

    def to_frame(self) -> pl.DataFrame:
        """Return the table as a polars frame; columns are named as programs name them."""
        import polars as pl

        names = [column.name for column in self.columns]
        return pl.DataFrame(self.rows, schema=names, orient="row", infer_schema_length=None)

    def shown(self) -> list[list[str]]:
        """Return the cells as people read them."""
        return [[column.shown(cell) for column, cell in zip(self.columns, row, strict=True)] for row in self.rows]

    def _repr_html_(self) -> str:
        """Return the table for a notebook."""

        def cells(tag: str, texts: Iterable[str]) -> str:
            marks = ("" if self.text(place) else ' style="text-align:right"' for place in range(len(self.columns)))
            return "".join(f"<{tag}{m}>{html.escape(t)}</{tag}>" for m, t in zip(marks, texts, strict=True))

        head = cells("th", (column.head for column in self.columns))
        body = "".join(f"<tr>{cells('td', row)}</tr>" for row in self.shown())
        caption = f"<caption>{html.escape(self.title)}</caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def at_place(items: Sequence[Any], place: Any, what: str) -> Any:
    """Return the item at a place, or the items of a slice.

    Raises
    ------
    NoSuchNameError
        If the place is none of the items'.
    """
    if isinstance(place, slice):
        return items[place]
    if isinstance(place, bool) or not hasattr(type(place), "__index__"):
        message = f"{what}: `{place}` is no place; give a whole number"
        raise NoSuchNameError(message)
    index = operator.index(place)
    if not -len(items) <= index < len(items):
        message = f"{what}: no place {index}; there are {len(items)}, from 0"
        raise NoSuchNameError(message)
    return items[index]


def table(
    name: str, title: str, columns: Sequence[Column], rows: Iterable[Iterable[Cell]], *, detail: bool = False,
    most: int = 0, legend: bool = False, asked: bool = False,
) -> Table:  # fmt: skip
    """Return a table from any iterables."""
    return Table(
        name=name, title=title, columns=tuple(columns), rows=tuple(tuple(row) for row in rows), detail=detail,
        most=most, legend=legend, asked=asked,
    )  # fmt: skip


class Tables(Mapping[str, Table]):
    """The tables of a result by name; its text lists them."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self._tables = {entry.name: entry for entry in tables}

    def __getitem__(self, name: str | int) -> Table:
        """Return a table by name, or by its place."""
        if isinstance(name, int):
            name = str(at_place(list(self._tables), name, "tables"))
        if name not in self._tables:
            message = f"no table `{name}`.{did_you_mean(str(name), self._tables)} There are {', '.join(self._tables)}."
            raise NoSuchNameError(message)
        return self._tables[name]

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Table:
            """Return a table as an attribute: ``result.tables.latency``."""
            if name.startswith("_"):
                raise AttributeError(name)
            if name not in self._tables:
                message = "a list of tables"
                raise unknown_attribute(message, name, (*self._tables, *dir(Mapping)))
            return self._tables[name]

        def __dir__(self) -> list[str]:
            """Return the names of the tables beside those of every mapping."""
            return sorted({*super().__dir__(), *self._tables})

    def __contains__(self, name: object) -> bool:
        """Return whether there is a table of that name."""
        return name in self._tables

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self._tables)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._tables)

    def __repr__(self) -> str:
        """Return names, sizes and titles."""
        return "\n".join(
            f"{entry.name} ({len(entry)} x {len(entry.columns)}): {entry.title}" for entry in self.values()
        )


def text_table(shown: Table, *, most: int = 10, width: int = 100) -> list[str]:
    """Return the first rows of a table as lines of plain text; columns that do not fit are left out."""
    rows = [[column.head for column in shown.columns], *shown.shown()[:most]]
    widths = [max(len(row[place]) for row in rows) for place in range(len(shown.columns))]
    shown_columns = 0
    while shown_columns < len(widths) and sum(widths[: shown_columns + 1]) + 2 * shown_columns <= width:
        shown_columns += 1
    shown_columns = max(shown_columns, 1)
    lines = [
        "  ".join(
            row[p][:width].ljust(min(widths[p], width)) if shown.text(p) else row[p].rjust(widths[p])
            for p in range(shown_columns)
        ).rstrip()
        for row in rows
    ]
    if len(shown) > most:
        lines.append(f"… {len(shown) - most} more rows")
    return [shown.title, *lines]
