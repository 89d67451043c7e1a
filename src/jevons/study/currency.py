"""Names the scenario's currency in what people and programs read; the chain itself counts in it and writes ``¤``."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from jevons.provenance import Ledger
from jevons.results import Column, Table
from jevons.units import MONEY
from jevons.words import Sentence

T = TypeVar("T")


SHARE = "share"
"""What a firm's kind of share is called in units until the scenario's own name stands for it."""


def named_in(code: str, item: Any, share: str = SHARE) -> Any:
    """Return *item* with the currency *code* in place of ``¤``: in text, and in text of lists, mappings and tables.

    Units of a share name its kind, *share*: ``CNY/ADS``.
    """
    if isinstance(item, str):
        named = item.replace(MONEY, code)
        return named if share == SHARE else named.replace(f"{code}/{SHARE}", f"{code}/{share}")
    if isinstance(item, Mapping):
        return {key: named_in(code, value, share) for key, value in item.items()}
    if isinstance(item, list | tuple):
        return type(item)(named_in(code, value, share) for value in item)
    if isinstance(item, Sentence):
        return Sentence(item.id, named_in(code, item.values, share))
    if isinstance(item, Column):
        return dataclasses.replace(item, label=named_in(code, item.label, share), unit=named_in(code, item.unit, share))
    if isinstance(item, Table):
        changed = {name: named_in(code, getattr(item, name), share) for name in ("title", "columns", "rows")}
        return dataclasses.replace(item, **changed)
    if isinstance(item, Iterator):
        return (named_in(code, value, share) for value in item)
    return item


_SMALL_BUDGET = 1e8
"""Budget of a plan below which amounts are shown in the next smaller unit."""
_SMALLER = {
    f"bn {MONEY}": f"mn {MONEY}", "thousand": "accelerators", "MW": "kW", "tn tok/day": "bn tok/day",
}  # fmt: skip
"""Units of tables, and those a thousand times smaller for a small firm."""


def for_small_firm(item: Any) -> Any:
    """Return a table, or an iterator of tables, in units a thousand times smaller; other items as they are."""
    if isinstance(item, Iterator):
        return (for_small_firm(entry) for entry in item)
    if not isinstance(item, Table):
        return item
    columns = tuple(
        dataclasses.replace(column, unit=_SMALLER[column.unit], scale=column.scale * 1e3)
        if column.unit in _SMALLER
        else column
        for column in item.columns
    )
    return dataclasses.replace(item, columns=columns, rows=tuple(_smaller_row(item.columns, row) for row in item.rows))


def _smaller_row(columns: tuple[Column, ...], row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a row whose own cell names its unit in the next smaller one, its numbers a thousand times larger.

    A unit is a cell of its own, or stands in brackets at the end of one.
    """
    if not any(isinstance(cell, str) and _smaller_unit(cell) != cell for cell in row):
        return row

    def own(column: Column, cell: Any) -> Any:
        if isinstance(cell, str):
            return _smaller_unit(cell)
        counted = isinstance(cell, int | float) and not isinstance(cell, bool) and not column.unit
        return cell * 1e3 if counted else cell

    return tuple(own(column, cell) for column, cell in zip(columns, row, strict=True))


def _smaller_unit(cell: str) -> str:
    """Return a unit, or a label that ends with one in brackets, with the next smaller unit; other text as it is."""
    label, bracket, unit = cell.rpartition("[")
    if bracket and unit.endswith("]"):
        own = unit.removesuffix("]")
        return f"{label}[{_SMALLER.get(own, own)}]"
    return _SMALLER.get(cell, cell)


def _sized(scenario: Any, item: Any) -> Any:
    """Return tables in units that fit the plan's budget."""
    budget = getattr(getattr(scenario, "expansion", None), "budget", None)
    return item if budget is None or budget.value >= _SMALL_BUDGET else for_small_firm(item)


def of_scenario(scenario: Any, item: Any) -> Any:
    """Return what is shown of a scenario in its currency and its kind of share, of a small firm in smaller units."""
    return named_in(scenario.currency, _sized(scenario, item), scenario.firm.share)


def in_currency(method: Callable[..., T]) -> Callable[..., T]:
    """Return a method of a result that names the currency of the result's scenario in what it returns."""

    @functools.wraps(method)
    def named(self: Any, *args: Any, **keywords: Any) -> T:
        answer: T = of_scenario(self.scenario, method(self, *args, **keywords))
        return answer

    return named


def name_in_ledger(code: str, ledger: Ledger) -> None:
    """Name the currency in the units of a ledger's figures."""
    for path, node in ledger.nodes.items():
        if MONEY in node.unit or MONEY in node.method:
            changed = {"unit": named_in(code, node.unit), "method": named_in(code, node.method)}
            ledger.nodes[path] = dataclasses.replace(node, **changed)
