"""A workbook with live formulas, evaluated as they are written, so that a reader sees figures before recalculating.

Formulas use references, named inputs, ``+ - * / ^``, comparisons, and IF, MIN, MAX and SUM: what every spreadsheet has.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

Number = float | int
Value = Number | str | None

_TOKEN = re.compile(
    r"(?:'(?P<quoted>[^']+)'!|(?P<sheet>[A-Za-z_]\w*)!)?\$?(?P<c1>[A-Z]{1,3})\$?(?P<r1>\d+)"
    r"(?::\$?(?P<c2>[A-Z]{1,3})\$?(?P<r2>\d+))?"
    r"(?![A-Za-z_(])|(?P<name>[A-Za-z_][A-Za-z_0-9]*)(?P<call>\()?|(?P<op>\^|<>|>=|<=|=)"
)


@dataclass(frozen=True, slots=True)
class Formula:
    """A cell that is computed; *text* without the leading equals sign."""

    text: str


@dataclass(slots=True, kw_only=True)
class Grid:
    """The cells of a sheet by row and column from zero, and how they look."""

    name: str
    cells: dict[tuple[int, int], Value | Formula] = field(default_factory=dict)
    looks: dict[tuple[int, int], str] = field(default_factory=dict)
    widths: dict[int, float] = field(default_factory=dict)
    frozen: tuple[int, int] = (0, 0)

    def put(self, row: int, column: int, value: Value | Formula, look: str = "") -> str:
        """Set a cell and return its address on this sheet, such as ``B3``."""
        self.cells[row, column] = value
        if look:
            self.looks[row, column] = look
        return address(row, column)

    def line(self, row: int, values: Iterable[Value | Formula], *, first: int = 0, look: str = "") -> None:
        """Set the cells of a row from *first* on."""
        for column, value in enumerate(values, first):
            self.put(row, column, value, look)


def letters(column: int) -> str:
    """Return the letters of a column from zero.

    Examples
    --------
    >>> letters(0), letters(25), letters(26)
    ('A', 'Z', 'AA')
    """
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def address(row: int, column: int) -> str:
    """Return the address of a cell from zero.

    Examples
    --------
    >>> address(2, 1)
    'B3'
    """
    return f"{letters(column)}{row + 1}"


class Book:
    """Sheets in order, and inputs by name; formulas are evaluated on demand."""

    def __init__(self) -> None:
        self.grids: dict[str, Grid] = {}
        self.names: dict[str, tuple[str, int, int]] = {}
        self._values: dict[tuple[str, int, int], Value] = {}

    def sheet(self, name: str) -> Grid:
        """Return a sheet of that name, a new one where there is none."""
        return self.grids.setdefault(name, Grid(name=name))

    def name(self, name: str, sheet: str, row: int, column: int) -> None:
        """Give a cell a name."""
        self.names[name] = (sheet, row, column)

    def set(self, name: str, value: Number) -> None:
        """Change a named input; everything is computed anew."""
        sheet, row, column = self.names[name]
        self.grids[sheet].cells[row, column] = value
        self._values.clear()

    def value(self, sheet: str, row: int, column: int) -> Value:
        """Return what a cell holds, computed where it is a formula; 0 for an empty one."""
        key = (sheet, row, column)
        if key not in self._values:
            content = self.grids[sheet].cells.get((row, column), 0)
            self._values[key] = self._computed(content.text, sheet) if isinstance(content, Formula) else content
        return self._values[key]

    def named(self, name: str) -> float:
        """Return the number of a named cell."""
        return _number(self.value(*self.names[name]))

    def _computed(self, text: str, sheet: str) -> float:
        code = _translated(text)
        scope = {
            "cell": lambda s, r, c: _number(self.value(s or sheet, r, c)),
            "area": lambda s, r1, c1, r2, c2: [
                _number(self.value(s or sheet, r, c)) for r in range(r1, r2 + 1) for c in range(c1, c2 + 1)
            ],
            "named": self.named, "IF": lambda test, yes, no: yes if test else no, "MAX": _most, "MIN": _least,
            "SUM": _sum, "__builtins__": {},
        }  # fmt: skip
        return float(eval(code, scope))  # noqa: S307 - the book's own formulas, without builtins

    def write(self, stream: Any) -> None:
        """Write the workbook: text as text, numbers as numbers, formulas with their values."""
        import xlsxwriter

        with xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_formulas": False}) as book:
            looks = {
                "": None, "bold": book.add_format({"bold": True}),
                "title": book.add_format({"bold": True, "font_size": 14}),
                "input": book.add_format({"bg_color": "#FFF2CC", "border": 1, "border_color": "#BFBFBF"}),
                "money": book.add_format({"num_format": "#,##0"}), "share": book.add_format({"num_format": "0.0000"}),
                "key": book.add_format({"bold": True, "num_format": "#,##0.0", "top": 1}),
                "text": book.add_format({"text_wrap": True, "valign": "top"}),
            }  # fmt: skip
            for grid in self.grids.values():
                sheet = book.add_worksheet(grid.name)
                for (row, column), content in grid.cells.items():
                    look = looks[grid.looks.get((row, column), "")]
                    self._cell(sheet, (row, column), content, look, grid.name)
                if grid.frozen != (0, 0):
                    sheet.freeze_panes(*grid.frozen)
                sheet.autofit()
                for column, width in grid.widths.items():
                    sheet.set_column(column, column, width)
            for name, (at, row, column) in self.names.items():
                book.define_name(name, f"='{at}'!${letters(column)}${row + 1}")

    def _cell(self, sheet: Any, place: tuple[int, int], content: Value | Formula, look: Any, name: str) -> None:
        row, column = place
        if content is None:
            return
        if isinstance(content, Formula):
            sheet.write_formula(row, column, f"={content.text}", look, self.value(name, row, column))
        elif isinstance(content, str):
            sheet.write_string(row, column, content, look)
        elif isinstance(content, bool):
            sheet.write_boolean(row, column, content, look)
        elif abs(content) < float("inf"):
            sheet.write_number(row, column, content, look)


@functools.cache
def _translated(text: str) -> str:
    """Return a formula as Python: references and names as calls, operators in Python's spelling."""

    def one(match: re.Match[str]) -> str:
        if match["op"]:
            return {"^": "**", "<>": "!=", "=": "=="}.get(match["op"], match["op"])
        if match["name"]:
            return match[0] if match["call"] else f'named("{match["name"]}")'
        place = match["quoted"] or match["sheet"] or ""
        first = f"{int(match['r1']) - 1}, {_column(match['c1'])}"
        if match["c2"]:
            return f'area("{place}", {first}, {int(match["r2"]) - 1}, {_column(match["c2"])})'
        return f'cell("{place}", {first})'

    return _TOKEN.sub(one, text)


def _column(text: str) -> int:
    column = 0
    for letter in text:
        column = 26 * column + ord(letter) - 64
    return column - 1


def _number(value: Value) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _flat(values: Sequence[Any]) -> list[float]:
    return [x for value in values for x in (value if isinstance(value, list) else [value])]


def _most(*values: Any) -> float:
    return max(_flat(values))


def _least(*values: Any) -> float:
    return min(_flat(values))


def _sum(*values: Any) -> float:
    return sum(_flat(values))
