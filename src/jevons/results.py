"""What the results of all functions share: named tables with typed columns, frames, files, pictures, short text.

A result keeps raw numbers; faces format them. Pictures and pages stand below the stages, which do not import them, so a
result asks the package (`jevons.face`) for those of its kind.
"""

from __future__ import annotations

import functools
import html
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import jevons
from jevons.checks import check_record
from jevons.errors import InputError, did_you_mean
from jevons.files import frame_csv, writing
from jevons.rounding import number as shown_number
from jevons.schema import json_text
from jevons.text import printable
from jevons.words import Sentence, answer_of

if TYPE_CHECKING:
    import polars as pl
    import xarray as xr

number = shown_number
"""Returns a number for people."""

Cell = str | float | int | bool | None

ENDINGS = (".json", ".csv", ".parquet", ".xlsx", ".html", ".zip")
"""Endings that every result can be saved under; results with dimensions also take ``.nc``."""

_MOST_REPR_LINES = 15
_SLIDE_INCHES = (13.33, 7.5)
"""Size of a picture on a slide of 16 to 9."""


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
        Format of a number where *digits* does not fit it, such as ``,.6g``.
    detail : bool
        Whether a terminal shows it only when asked for details.
    """

    name: str
    label: str
    unit: str = ""
    scale: float = field(default=1.0, kw_only=True)
    digits: int = field(default=3, kw_only=True)
    form: str = field(default="", kw_only=True)
    detail: bool = field(default=False, kw_only=True)

    @property
    def head(self) -> str:
        """Label with the unit in brackets."""
        return f"{self.label} [{self.unit}]" if self.unit else self.label

    def shown(self, cell: Cell) -> str:
        """Return a cell as people read it."""
        if isinstance(cell, float | int) and not isinstance(cell, bool) and self.scale != 1.0:
            cell = cell * self.scale
        if self.form and isinstance(cell, float) and math.isfinite(cell):
            return format(cell, self.form)
        return number(cell, self.digits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A named table of raw numbers.

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
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    detail: bool = False
    most: int = 0
    legend: bool = False

    def __post_init__(self) -> None:
        """Refuse rows of another width, which is a defect of whoever made the table."""
        if any(len(row) != len(self.columns) for row in self.rows):
            message = f"table {self.name}: a row has not {len(self.columns)} cells"
            raise ValueError(message)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def brief(self) -> Table:
        """Return the rows and columns that a terminal shows where no details are asked for."""
        places = [place for place, column in enumerate(self.columns) if not column.detail]
        rows = self.rows[: self.most or None]
        return replace(
            self, columns=tuple(self.columns[place] for place in places),
            rows=tuple(tuple(row[place] for place in places) for row in rows),
        )  # fmt: skip

    def whole(self, other: Table) -> bool:
        """Return whether it has all rows and columns of *other*."""
        return len(self) == len(other) and len(self.columns) == len(other.columns)

    def column(self, name: str) -> list[Cell]:
        """Return the cells of a column.

        Raises
        ------
        InputError
            If there is no such column.
        """
        names = [column.name for column in self.columns]
        if name not in names:
            message = f"table {self.name}: has no column `{name}`.{did_you_mean(name, names)}"
            raise InputError(message)
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


def table(
    name: str, title: str, columns: Sequence[Column], rows: Iterable[Iterable[Cell]], *, detail: bool = False,
    most: int = 0, legend: bool = False,
) -> Table:  # fmt: skip
    """Return a table from any iterables."""
    return Table(
        name=name, title=title, columns=tuple(columns), rows=tuple(tuple(row) for row in rows), detail=detail,
        most=most, legend=legend,
    )  # fmt: skip


class Tables(Mapping[str, Table]):
    """The tables of a result by name; its text lists them."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self._tables = {one.name: one for one in tables}

    def __getitem__(self, name: str | int) -> Table:
        """Return a table by name, or by its place."""
        if isinstance(name, int):
            name = list(self._tables)[name]
        if name not in self._tables:
            message = f"no table `{name}`.{did_you_mean(name, self._tables)} There are {', '.join(self._tables)}."
            raise InputError(message)
        return self._tables[name]

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
        return "\n".join(f"{one.name} ({len(one)} x {len(one.columns)}): {one.title}" for one in self.values())


@dataclass(frozen=True, slots=True)
class Plots:
    """Pictures of a result by name, such as ``result.plot.pareto()``; each returns a matplotlib figure."""

    result: Result

    def _figures(self) -> Mapping[str, Callable[[Any], Any]]:
        return jevons.face(self.result.kind, "plot") or {}

    def __dir__(self) -> list[str]:
        """Return the names of the pictures."""
        return sorted(self._figures())

    def __getattr__(self, name: str) -> Callable[[], Any]:
        """Return the function that draws the picture of that name."""
        if name.startswith("_"):
            raise AttributeError(name)
        figures = self._figures()
        if name not in figures:
            known = f"there are {', '.join(figures)}" if figures else f"a {self.result.kind} result has no pictures"
            message = f"no picture `{name}`; {known}"
            raise AttributeError(message)
        return lambda: figures[name](self.result)

    def __call__(self) -> Any:
        """Draw the picture that ``--plot`` draws, or the first.

        Raises
        ------
        InputError
            If the result has none.
        """
        figures = self._figures()
        name = self.result.picture or next(iter(figures), "")
        if name not in figures:
            message = f"a {self.result.kind} result has no pictures; use .to_frame() and .tables"
            raise InputError(message)
        return figures[name](self.result)

    def __repr__(self) -> str:
        """Return the names of the pictures."""
        return f"pictures: {', '.join(self._figures()) or 'none'}"


_OTHER_WORDS = {
    "to_pandas": "to_frame().to_pandas()", "to_polars": "to_frame()", "df": "to_frame()", "frame": "to_frame()",
    "to_dict": "to_json()", "json": "to_json()", "summary": "answer", "to_csv": 'save("result.csv")',
    "to_excel": 'save("result.xlsx")', "show": "tables", "report": "tables", "throughput": "output_tok_per_s",
}  # fmt: skip
"""What other libraries call what results have."""
_UNSET = frozenset({"ledger", "scenario", "seed"})
"""Fields that only some kinds of result have."""


class Result:
    """Base of what every function of `jevons` returns.

    A subclass sets `kind` and gives `answer`, `_tables` and `to_json`; as a dataclass it takes ``repr=False``.
    """

    kind: ClassVar[str] = "result"
    """Word that names the sort of result, such as ``size``; pictures and pages are registered under it."""
    picture: ClassVar[str] = ""
    """Name of the picture that ``--plot`` draws."""
    main_table: ClassVar[str] = ""
    """Table that `to_frame`, ``.csv`` and ``.parquet`` hold where none is named; the first where empty."""

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """The sentences of the answer, for faces that speak other languages; empty where it is made otherwise."""
        return ()

    @property
    def answer(self) -> str:
        """The answer in a sentence or two that a colleague could forward."""
        if not self.answer_parts:
            raise NotImplementedError
        return answer_of(*self.answer_parts)

    def answer_record(self) -> dict[str, Any]:
        """Return the answer, and the sentences that it is made of, as plain values."""
        return {"answer": self.answer, "answer_parts": [one.record() for one in self.answer_parts]}

    def _tables(self) -> Iterable[Table]:
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON object as plain values."""
        raise NotImplementedError

    if not TYPE_CHECKING:  # checkers know the fields of each kind of result

        def __getattr__(self, name: str) -> Any:
            """Return an entry of the JSON object: ``result.ttft_s`` is ``result.to_json()["ttft_s"]``."""
            if name.startswith("_") or name in _UNSET:
                raise AttributeError(name)
            if hasattr(type(self), name):  # a property that failed says so itself
                return object.__getattribute__(self, name)
            record = self.to_json()
            if name not in record:
                known = [each for each in (*record, *dir(type(self))) if not each.startswith("_")]
                near = f" Use `.{_OTHER_WORDS[name]}`." if name in _OTHER_WORDS else did_you_mean(name, known)
                message = f"a {self.kind} result has no attribute `{name}`.{near} dir() lists them."
                raise AttributeError(message)
            return record[name]

        def __dir__(self) -> list[str]:
            """Return the attributes, entries of the JSON object among them."""
            return sorted({*super().__dir__(), *self.to_json()})

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about the quality of the answer that people read below the tables."""
        return ()

    def check(self) -> None:
        """Check what holds of every result of this kind, before anybody sees it.

        Raises
        ------
        InvariantError
            If something does not, which is a defect of the program.
        """
        check_record(self.kind, self.to_json())

    @property
    def tables(self) -> Tables:
        """The tables by name, each with typed columns, units and raw numbers."""
        return Tables(self._tables())

    @property
    def plot(self) -> Plots:
        """Pictures by name."""
        return Plots(self)

    def to_frame(self, table: str | None = None) -> pl.DataFrame:
        """Return a table as a polars frame, the main one where none is named.

        Raises
        ------
        InputError
            If there is no table of that name.
        """
        tables = self.tables
        return tables[(self.main_table or next(iter(tables))) if table is None else table].to_frame()

    def to_xarray(self) -> xr.Dataset:
        """Return the labelled dataset of a result that has dimensions.

        Raises
        ------
        InputError
            If the result has none; `to_frame` gives its tables.
        """
        message = f"a {self.kind} result has no dimensions to label; use .to_frame(), tables: {', '.join(self.tables)}"
        raise InputError(message)

    def explain(self, path: str | None = None) -> str:
        """Return the tree of formulas, inputs and facts behind a figure, or the paths that can be explained.

        Raises
        ------
        InputError
            If the path is unknown.
        """
        ledger = getattr(self, "ledger", None)
        known = [] if ledger is None else list(ledger.nodes)
        if path is None:
            return "\n".join(known)
        if ledger is None or path not in ledger.nodes:
            none = f" A {self.kind} result keeps no formulas; see .tables."
            listed = f" {len(known)} can be explained; .explain() lists them." if known else none
            message = f"no figure `{path}` to explain.{did_you_mean(path, known)}{listed}"
            raise InputError(message)
        text: str = ledger.explain(path)
        return text

    def save(self, path: Path | str, table: str | None = None, *, force: bool = False, language: str = "en") -> None:
        """Write the result to a file, whole or not at all; the ending says what.

        Parameters
        ----------
        path : path or str
            ``.json`` (everything), ``.csv`` and ``.parquet`` (one table), ``.xlsx`` (a sheet for each table), ``.zip``
            (every table as CSV, as Parquet where the name ends in ``.parquet.zip``, or every picture at the size of a
            slide where it ends in ``.svg.zip`` or ``.png.zip``), ``.html`` (a page), ``.nc`` (the labelled dataset of a
            result that has one).
        table : str, optional
            Which table a ``.csv`` or ``.parquet`` holds; the main one by default.
        force : bool
            Whether a file whose content is not of the ending's kind is replaced.
        language : str
            Language of a page: ``en`` or ``zh``.

        Raises
        ------
        InputError
            If the ending is another, the table is unknown, or the file cannot be written.
        """
        path = Path(path)
        ending = path.suffix.lower()
        if ending == ".json":
            _write_text(path, json_text(self.to_json()), force=force)
        elif ending == ".csv":
            _write_text(path, frame_csv(self.to_frame(table)), force=force)
        elif ending == ".parquet":
            _write_with(path, self.to_frame(table).write_parquet, force=force)
        elif ending == ".xlsx":
            own = jevons.face(self.kind, "workbook")
            _write_with(path, self._workbook if own is None else functools.partial(own, self), force=force)
        elif ending == ".zip":
            _write_with(path, functools.partial(self._archive, path.name.lower()), force=force)
        elif ending == ".html":
            _write_text(path, self.to_html(language=language), force=force)
        elif ending == ".nc":
            content = self.to_xarray().to_netcdf(engine="h5netcdf")
            with writing(path, "wb", force=force) as stream:
                stream.write(bytes(content))
        else:
            message = f"{path}: the ending must be one of {', '.join(ENDINGS)}, or .nc for a result with dimensions"
            raise InputError(message)

    def to_html(self, *, language: str = "en") -> str:
        """Return a self-contained page: answer, charts and tables, with the reader's choice of language.

        Raises
        ------
        InputError
            If the language is neither ``en`` nor ``zh``.
        """
        return str(jevons.face(self.kind, "page")(self, language=language))

    def _workbook(self, stream: Any) -> None:
        """Write the answer, then a sheet for each table: its title, heads, names for programs, raw numbers."""
        import xlsxwriter

        with xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_formulas": False}) as book:
            bold = book.add_format({"bold": True})
            about = book.add_worksheet("about")
            for line, text in enumerate((f"jevons {self.kind}", self.answer, *self.notes)):
                about.write_string(line, 0, text, bold if line == 0 else None)
            names = {"about"}
            for one in self.tables.values():
                name = one.name[:31]
                while name in names:
                    name = f"{name[:28]}_{len(names)}"
                names.add(name)
                sheet = book.add_worksheet(name)
                sheet.write_string(0, 0, one.title, bold)
                for place, column in enumerate(one.columns):
                    sheet.write_string(1, place, column.head, bold)
                    sheet.write_string(2, place, column.name)
                    for line, row in enumerate(one.rows, 3):
                        _write_cell(sheet, line, place, row[place])
                sheet.freeze_panes(3, 1)
                sheet.autofit()

    def _archive(self, name: str, stream: Any) -> None:
        """Write every table, or every picture, as a file of its own into one archive."""
        import io
        import zipfile

        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            picture = next((kind for kind in ("svg", "png") if name.endswith(f".{kind}.zip")), "")
            if picture:
                for title in dir(self.plot):
                    figure = getattr(self.plot, title)()
                    figure.set_size_inches(*_SLIDE_INCHES)
                    content = io.BytesIO()
                    figure.savefig(content, format=picture, dpi=150)
                    archive.writestr(f"{title}.{picture}", content.getvalue())
                return
            for one in self.tables.values():
                if name.endswith(".parquet.zip"):
                    content = io.BytesIO()
                    one.to_frame().write_parquet(content)
                    archive.writestr(f"{one.name}.parquet", content.getvalue())
                else:
                    archive.writestr(f"{one.name}.csv", frame_csv(one.to_frame()))

    def __repr__(self) -> str:
        """Return the answer and the first table, at most 15 lines."""
        lines = [f"jevons {self.kind}: {self.answer}"]
        tables = self.tables
        if tables:
            lines += text_table(next(iter(tables.values())), most=_MOST_REPR_LINES - 5)
        lines.append(f"tables: {', '.join(tables)}")
        return printable("\n".join(lines[:_MOST_REPR_LINES]))

    def _repr_html_(self) -> str:
        """Return the page in a frame for a notebook, and answer and tables as text where frames are cut out."""
        shown = "".join(one._repr_html_() for one in self.tables.values() if not one.detail)
        text = f"<details><summary>{html.escape(self.answer)}</summary>{shown}</details>"
        return f"{jevons.face(self.kind, 'notebook')(self)}{text}"


def _write_text(path: Path, text: str, *, force: bool) -> None:
    with writing(path, force=force) as stream:
        stream.write(text)


def _write_with(path: Path, write: Callable[[Any], Any], *, force: bool) -> None:
    with writing(path, "wb", force=force) as stream:
        write(stream)


def _write_cell(sheet: Any, line: int, place: int, cell: Cell) -> None:
    if cell is None:
        return
    if isinstance(cell, bool):
        sheet.write_boolean(line, place, cell)
    elif isinstance(cell, str):
        sheet.write_string(line, place, cell)
    elif math.isfinite(cell):
        sheet.write_number(line, place, float(cell))


def text_table(one: Table, *, most: int = 10, width: int = 100) -> list[str]:
    """Return the first rows of a table as lines of plain text; columns that do not fit are left out."""
    rows = [[column.head for column in one.columns], *one.shown()[:most]]
    widths = [max(len(row[place]) for row in rows) for place in range(len(one.columns))]
    kept = 0
    while kept < len(widths) and sum(widths[: kept + 1]) + 2 * kept <= width:
        kept += 1
    kept = max(kept, 1)
    lines = [
        "  ".join(
            row[p][:width].ljust(min(widths[p], width)) if one.text(p) else row[p].rjust(widths[p]) for p in range(kept)
        ).rstrip()
        for row in rows
    ]
    if len(one) > most:
        lines.append(f"… {len(one) - most} more rows")
    return [one.title, *lines]
