"""Tables with a column for each quarter or year: a line names its quantity, its unit, and carries raw numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from jevons.results import Cell, Column, Table, table


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a table by quarter.

    Parameters
    ----------
    name : str
        Quantity and condition, for people.
    unit : str
        Unit of the numbers, such as ``bn currency``.
    values : sequence of number or None
        One number a quarter; None where there is none.
    keys : tuple of str
        Cells of further columns of words, such as the provider.
    """

    name: str
    unit: str
    values: Sequence[float | None]
    keys: tuple[str, ...] = ()


def line(name: str, unit: str, values: Any, *, over: float = 1.0, keys: tuple[str, ...] = ()) -> Line:
    """Return a line of an array, every number divided by *over*, the size of *unit* in the array's own."""
    numbers = [None if value is None else float(value) / over + 0.0 for value in values]
    return Line(name=name, unit=unit, values=numbers, keys=keys)


def column_name(period: str) -> str:
    """Return the name of the column of a quarter or year: ``2025q1`` for 2025-Q1."""
    return period.replace("-", "").replace(" ", "").lower()


def by_period(
    name: str,
    title: str,
    periods: Sequence[str],
    lines: Iterable[Line],
    *,
    of: str = "quantity",
    keys: tuple[str, ...] = (),
    detail: bool = True,
) -> Table:
    """Return a table with a column for each quarter or year, after the columns ``name``, *keys* and ``unit``.

    Parameters
    ----------
    name, title : str
        Name for programs; what the table shows.
    periods : sequence of str
        Quarters, such as ``2025-Q1``, or years.
    lines : iterable of Line
        Rows.
    of : str
        Head of the column of names, such as ``segment``.
    keys : tuple of str
        Heads of further columns of words.
    detail : bool
        Whether it prints only when asked for.
    """
    columns = [Column("name", of), *(Column(key, key) for key in keys), Column("unit", "unit")]
    columns += [Column(column_name(period), period) for period in periods]
    rows: list[list[Cell]] = [[item.name, *item.keys, item.unit, *item.values] for item in lines]
    return table(name, title, columns, rows, detail=detail)
