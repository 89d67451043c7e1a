"""What the results of all functions share: named tables with typed columns, frames, files, pictures, short text.

A result keeps raw numbers; faces format them. Pictures and pages stand below the stages, which do not import them, so a
result asks the package (`jevons.face`) for those of its kind.
"""

from __future__ import annotations

import functools
import html
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import jevons
from jevons.checks import check_record
from jevons.errors import InputError, NoSuchNameError, did_you_mean
from jevons.files import Inputs, frame_csv, keeping_inputs, writing
from jevons.named import recorded, unknown_attribute
from jevons.schema import json_text, plain
from jevons.tables import Cell, Column, Table, Tables, at_place, number, table, text_table
from jevons.text import printable
from jevons.words import Sentence, answer_of

if TYPE_CHECKING:
    import polars as pl
    import xarray as xr

__all__ = [
    "ENDINGS", "PICTURES", "Cell", "Column", "ListResult", "Plots", "Result", "Table", "Tables", "number", "table",
    "text_table",
]  # fmt: skip

ENDINGS = (".json", ".csv", ".parquet", ".xlsx", ".html", ".zip")
"""Endings that every result can be saved under; results with dimensions also take ``.nc``."""
PICTURES = (".svg", ".png", ".pdf")
"""Endings of a picture, for results that have one."""

_MOST_REPR_LINES = 15
_SLIDE_INCHES = (13.33, 7.5)
"""Size of a picture on a slide of 16 to 9."""


def _called(kind: str) -> str:
    """Return what messages call a result of a kind, with its article."""
    return f"{'an' if kind[0] in 'aeio' else 'a'} {kind} result"


@dataclass(frozen=True, slots=True)
class Plots:
    """Pictures of a result by name, such as ``result.plot.pareto()``; each returns a matplotlib figure."""

    result: Result

    def _figures(self) -> Mapping[str, Callable[[Any], Any]]:
        figures = jevons.face(self.result.kind, "plot") or {}
        return {name: draw for name, draw in figures.items() if self.result.draws_picture(name)}

    def __dir__(self) -> list[str]:
        """Return the names of the pictures."""
        return sorted(self._figures())

    def __getattr__(self, name: str) -> Callable[[], Any]:
        """Return the function that draws the picture of that name."""
        if name.startswith("_"):
            raise AttributeError(name)
        figures = self._figures()
        if name not in figures:
            known = f"there are {', '.join(figures)}" if figures else f"{_called(self.result.kind)} has no pictures"
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
            message = f"{_called(self.result.kind)} has no pictures; use .to_frame() and .tables"
            raise InputError(message)
        return figures[name](self.result)

    def __repr__(self) -> str:
        """Return the names of the pictures."""
        return f"pictures: {', '.join(self._figures()) or 'none'}"


_UNSET = frozenset({"ledger", "scenario", "seed"})
"""Fields that only some kinds of result have."""


class Result:
    """Base of what every function of `jevons` returns.

    A subclass sets `kind` and gives `answer`, `_tables` and `_document`; as a dataclass it takes ``repr=False``.
    """

    kind: ClassVar[str] = "result"
    """Word that names the sort of result, such as ``size``; pictures and pages are registered under it."""
    picture: ClassVar[str] = ""
    """Name of the picture that ``--plot`` draws."""
    subject: ClassVar[str] = ""
    """Field with the one thing that the result is about, whose attributes are the result's too."""
    main_table: ClassVar[str] = ""
    """Table that `to_frame`, ``.csv`` and ``.parquet`` hold where none is named; the first where empty."""
    file_table: ClassVar[str] = ""
    """Table that ``.csv`` and ``.parquet`` hold instead, such as every request; the main table where empty."""

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

    @property
    def change_parts(self) -> tuple[Sentence, ...]:
        """What would change the answer, told from the result's own figures; empty where none of them tells."""
        return ()

    def answer_record(self) -> dict[str, Any]:
        """Return the answer, and the sentences that it is made of, as plain values."""
        return {"answer": self.answer, "answer_parts": [sentence.record() for sentence in self.answer_parts]}

    def _tables(self) -> Iterable[Table]:
        raise NotImplementedError

    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object; arrays, dates and numbers that are not finite may stand in it."""
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON object, in the types that JSON has."""
        content: dict[str, Any] = plain(self._document())
        return content

    @functools.cached_property
    def _entries(self) -> Mapping[str, Any]:
        """The JSON object, whose dictionaries have their entries as attributes too."""
        return {name: recorded(value) for name, value in self._document().items()}

    def _subject(self) -> Any:
        """Return the one thing that the result is about, or None."""
        return getattr(self, self.subject) if self.subject else None

    def keep_inputs(self, inputs: Inputs) -> None:
        """Take note of the files that the result was made from: `save` writes over none of them without force."""
        self.__dict__["_inputs"] = {name: what or "the result was made from this file" for name, what in inputs.items()}

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy is made of."""
        return {name: value for name, value in self.__dict__.items() if name != "_entries"}

    if not TYPE_CHECKING:  # checkers know the fields of each kind of result

        def __getattr__(self, name: str) -> Any:
            """Return an entry of the JSON object, or an attribute of the one thing that the result is about."""
            if name.startswith("_") or name in _UNSET:
                raise AttributeError(name)
            if hasattr(type(self), name):  # a property that failed says so itself
                return object.__getattribute__(self, name)
            if name in self._entries:
                return self._entries[name]
            subject = self._subject()
            if hasattr(subject, name):
                return getattr(subject, name)
            parts = [
                f"{entry}.{part}" for entry, each in self._entries.items() if isinstance(each, dict) for part in each
            ]
            what = f"{'an' if self.kind[0] in 'aeiou' else 'a'} {self.kind} result"
            raise unknown_attribute(what, name, (*self._entries, *parts, *dir(type(self)), *dir(subject)))

        def __dir__(self) -> list[str]:
            """Return the attributes, entries of the JSON object among them."""
            return sorted({*super().__dir__(), *self._entries})

    def __bool__(self) -> bool:
        """Return true: there is an answer."""
        return True

    def keys(self) -> Iterable[str]:
        """Return the names of the entries: ``dict(result)`` is the JSON object."""
        return self._entries.keys()

    def __iter__(self) -> Iterator[Any]:
        """Yield the names of the entries of the JSON object."""
        return iter(self._entries)

    def __len__(self) -> int:
        """Return how many entries there are."""
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        """Return whether there is an entry of that name."""
        return name in self._entries

    def __getitem__(self, name: Any) -> Any:
        """Return an entry of the JSON object, or the table of a name.

        Raises
        ------
        NoSuchNameError
            If there is neither; a row at a place is one of a table's.
        """
        if isinstance(name, str):
            if name in self._entries:
                return self._entries[name]
            if name in self.tables:
                return self.tables[name]
            subject = self._subject()
            if not name.startswith("_") and hasattr(subject, name):
                return getattr(subject, name)
            names = [*self._entries, *self.tables]
            near = did_you_mean(name, names) or f" It has {', '.join(names)}."
            message = f"{_called(self.kind)} has no entry `{name}`.{near}"
        else:
            first = next(iter(self.tables), "")
            message = f"{_called(self.kind)} is no list; for a row of a table write .tables[{first!r}][{name!r}]"
        raise NoSuchNameError(message)

    @property
    def note_parts(self) -> tuple[Sentence, ...]:
        """Sentences about the quality of the answer that people read below the tables."""
        return ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Those sentences as text."""
        return tuple(note.text() for note in self.note_parts)

    def check(self) -> None:
        """Check what holds of every result of this kind, before anybody sees it.

        Raises
        ------
        InvariantError
            If something does not, which is a defect of the program.
        """
        check_record(self.kind, self._figures_to_check())

    def _figures_to_check(self) -> dict[str, Any]:
        """Return the documented object, or what of it holds figures where texts take long to make."""
        return self._document()

    @property
    def tables(self) -> Tables:
        """The tables by name, each with typed columns, units and raw numbers."""
        return Tables(self._tables())

    def draws_picture(self, name: str) -> bool:
        """Return whether a picture of this kind of result can be drawn of this one."""
        return bool(name)

    @property
    def plot(self) -> Plots:
        """Pictures by name."""
        return Plots(self)

    def to_frame(self, table: str | int | None = None) -> pl.DataFrame:
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
        message = f"{_called(self.kind)} has no dimensions to label; use .to_frame(), tables: {', '.join(self.tables)}"
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
            return "\n".join(known) or f"{_called(self.kind).capitalize()} keeps no formulas; see .tables."
        if ledger is None or path not in ledger.nodes:
            none = f" {_called(self.kind).capitalize()} keeps no formulas; see .tables."
            listed = f" {len(known)} can be explained; .explain() lists them." if known else none
            message = f"no figure `{path}` to explain.{did_you_mean(str(path), known)}{listed}"
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
            result that has one), ``.svg``, ``.png`` and ``.pdf`` (the main picture of a result that has pictures).
        table : str, optional
            Which table a ``.csv`` or ``.parquet`` holds; the main one by default.
        force : bool
            Whether a file whose content is not of the ending's kind is replaced.
        language : str
            Language of a page: ``en`` or ``zh``.

        Raises
        ------
        InputError
            If the ending is another, the table is unknown, the result was made from that file, or it cannot be
            written.
        """
        if not isinstance(path, str | os.PathLike):
            message = f"--path {path!r}: must be a path or text"
            raise InputError(message)
        with keeping_inputs(self.__dict__.get("_inputs")):
            self._save(Path(path), table, force=force, language=language)

    def _save(self, path: Path, table: str | None, *, force: bool, language: str) -> None:
        """Write the file; see `save`."""
        ending, table = path.suffix.lower(), table or self.file_table or None
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
            self._pictures_in(path.name)
            _write_with(path, functools.partial(self._archive, path.name.lower()), force=force)
        elif ending == ".html":
            _write_text(path, self.to_html(language=language), force=force)
        elif ending == ".nc":
            content = self.to_xarray().to_netcdf(engine="h5netcdf")
            with writing(path, "wb", force=force) as stream:
                stream.write(bytes(content))
        elif ending in PICTURES:
            jevons.face(self.kind, "picture")(path, self.plot(), force=force)
        else:
            others = f".nc for a result with dimensions, or {', '.join(PICTURES)} for one with pictures"
            message = f"{path}: the ending must be one of {', '.join(ENDINGS)}, {others}"
            raise InputError(message)

    def asked_by(self, line: str) -> None:
        """Keep the command line that asked for the result; its page shows it."""
        self.__dict__["_asked"] = line

    @property
    def command_line(self) -> str:
        """The command line that asked for the result; empty where a program did."""
        return str(self.__dict__.get("_asked", ""))

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
            for inner in self.tables.values():
                name = inner.name[:31]
                while name in names:
                    name = f"{name[:28]}_{len(names)}"
                names.add(name)
                sheet = book.add_worksheet(name)
                sheet.write_string(0, 0, inner.title, bold)
                for place, column in enumerate(inner.columns):
                    sheet.write_string(1, place, column.head, bold)
                    sheet.write_string(2, place, column.name)
                    for line, row in enumerate(inner.rows, 3):
                        _write_cell(sheet, line, place, row[place])
                sheet.freeze_panes(3, 1)
                sheet.autofit()

    def _pictures_in(self, name: str) -> str:
        """Return the kind of picture that an archive of a name holds, empty for tables.

        Raises
        ------
        InputError
            If the result has no pictures.
        """
        kind = next((picture for picture in ("svg", "png") if name.lower().endswith(f".{picture}.zip")), "")
        if kind and not dir(self.plot):
            message = f"{_called(self.kind)} has no pictures; .zip has every table as CSV"
            raise InputError(message)
        return kind

    def _archive(self, name: str, stream: Any) -> None:
        """Write every table, or every picture, as a file of its own into one archive."""
        import io
        import zipfile

        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            picture = self._pictures_in(name)
            if picture:
                for title in dir(self.plot):
                    figure = getattr(self.plot, title)()
                    figure.set_size_inches(*_SLIDE_INCHES)
                    content = io.BytesIO()
                    figure.savefig(content, format=picture, dpi=150)
                    archive.writestr(f"{title}.{picture}", content.getvalue())
                return
            for inner in self.tables.values():
                if name.endswith(".parquet.zip"):
                    content = io.BytesIO()
                    inner.to_frame().write_parquet(content)
                    archive.writestr(f"{inner.name}.parquet", content.getvalue())
                else:
                    archive.writestr(f"{inner.name}.csv", frame_csv(inner.to_frame()))

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
        shown = "".join(inner._repr_html_() for inner in self.tables.values() if not inner.detail)
        text = f"<details><summary>{html.escape(self.answer)}</summary>{shown}</details>"
        return f"{jevons.face(self.kind, 'notebook')(self)}{text}"


class ListResult(Result):
    """Base of results that list what is on file: a sequence of the things, found by place and by name."""

    def _listed(self) -> Mapping[str, Any]:
        """Return the things by name."""
        raise NotImplementedError

    def __bool__(self) -> bool:
        """Return whether anything is listed."""
        return len(self) > 0

    def keys(self) -> Iterable[str]:
        """Return the names of the things: ``dict(result)`` has each by its name."""
        return self._listed().keys()

    def __iter__(self) -> Iterator[Any]:
        """Yield the things."""
        return iter(self._listed().values())

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._listed())

    def __contains__(self, name: object) -> bool:
        """Return whether a thing is listed, by its name or itself."""
        listed = self._listed()
        return name in listed if isinstance(name, str) else name in listed.values()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Return a thing whose name can be written as an attribute, such as ``jevons.engines().vllm``."""
            if not name.startswith("_") and name in self._listed():
                return self._listed()[name]
            return super().__getattr__(name)

    def __getitem__(self, name: Any) -> Any:
        """Return a thing by its place or its name.

        Raises
        ------
        NoSuchNameError
            If none is listed there.
        """
        listed = self._listed()
        if not isinstance(name, str):
            return at_place(list(listed.values()), name, f"{self.kind} on file")
        if name in listed:
            return listed[name]
        if name in self._entries or name in self.tables:
            return super().__getitem__(name)
        message = f"{self.kind}: none is called `{name}`.{did_you_mean(name, listed)}"
        raise NoSuchNameError(message)


def _write_text(path: Path, text: str, *, force: bool) -> None:
    with writing(path, force=force) as stream:
        stream.write(text)


def _write_with(path: Path, write: Callable[[Any], Any], *, force: bool) -> None:
    """Write what a library makes: first in memory, for libraries answer a full disk in their own words."""
    import io

    content = io.BytesIO()
    write(content)
    with writing(path, "wb", force=force) as stream:
        stream.write(content.getbuffer())


def _write_cell(sheet: Any, line: int, place: int, cell: Cell) -> None:
    if cell is None:
        return
    if isinstance(cell, bool):
        sheet.write_boolean(line, place, cell)
    elif isinstance(cell, str):
        sheet.write_string(line, place, cell)
    elif math.isfinite(cell):
        sheet.write_number(line, place, float(cell))
