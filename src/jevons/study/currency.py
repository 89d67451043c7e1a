"""Names the scenario's currency in what people and programs read; the chain itself counts in it and writes ``¤``."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from jevons.provenance import Ledger
from jevons.results import Column, Table
from jevons.units import MONEY

T = TypeVar("T")


def named_in(code: str, item: Any) -> Any:
    """Return *item* with the currency *code* in place of ``¤``: in text, and in text of lists, mappings and tables."""
    if isinstance(item, str):
        return item.replace(MONEY, code)
    if isinstance(item, Mapping):
        return {key: named_in(code, value) for key, value in item.items()}
    if isinstance(item, list | tuple):
        return type(item)(named_in(code, value) for value in item)
    if isinstance(item, Column):
        return dataclasses.replace(item, label=named_in(code, item.label), unit=named_in(code, item.unit))
    if isinstance(item, Table):
        changed = {name: named_in(code, getattr(item, name)) for name in ("title", "columns", "rows")}
        return dataclasses.replace(item, **changed)
    if isinstance(item, Iterator):
        return (named_in(code, value) for value in item)
    return item


def in_currency(method: Callable[..., T]) -> Callable[..., T]:
    """Return a method of a result that names the currency of the result's scenario in what it returns."""

    @functools.wraps(method)
    def named(self: Any, *args: Any, **keywords: Any) -> T:
        answer: T = named_in(self.scenario.currency, method(self, *args, **keywords))
        return answer

    return named


def name_in_ledger(code: str, ledger: Ledger) -> None:
    """Name the currency in the units of a ledger's figures."""
    for path, node in ledger.nodes.items():
        if MONEY in node.unit or MONEY in node.method:
            changed = {"unit": named_in(code, node.unit), "method": named_in(code, node.method)}
            ledger.nodes[path] = dataclasses.replace(node, **changed)
