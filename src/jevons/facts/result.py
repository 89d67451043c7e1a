"""Lists of facts with their values in force, and one fact with every dated value, as results."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from jevons.errors import FactError, InputError, did_you_mean
from jevons.facts.read import default_facts
from jevons.facts.types import Fact, Facts, FactValue
from jevons.results import Cell, Column, ListResult, Result, Table, table
from jevons.words import Sentence

_VALUE = Column("value", "value", form=",.6g")
_EVIDENCE = 70
_FEW = 16
"""Rows of a list that a terminal shows where no details are asked for."""
_FIELDS = (
    "id", "from", "published", "value", "unit", "grade", "source", "url", "locator", "low", "high", "reason", "note",
    "formula", "parents", "expires", "chosen",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, repr=False)
class FactsResult(ListResult):
    """What `jevons.facts.list` and `jevons.facts.search` return: the facts by id and by place.

    Parameters
    ----------
    asked : str
        What the facts have in common, such as ``with `price```.
    facts : tuple of Fact
        Those that match.
    values : tuple of FactValue
        Those of them in force on the date; a fact without one is left out.
    """

    kind: ClassVar[str] = "facts"
    main_table: ClassVar[str] = "values"

    asked: str
    facts: tuple[Fact, ...]
    values: tuple[FactValue, ...]

    def _listed(self) -> dict[str, Fact]:
        return {fact.id: fact for fact in self.facts}

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """How many there are."""
        count = len(self.values)
        left = len(self.facts) - count
        values = {"count": f"{count:,}", "asked": self.asked or None, "left": f"{left}" if left else None}
        return (Sentence("facts.one" if count == 1 else "facts.count", values),)

    def _tables(self) -> Iterator[Table]:
        columns = (
            Column("fact", "fact"), _VALUE, Column("unit", "unit"), Column("from", "from"),
            Column("grade", "grade", detail=True), Column("source", "source", detail=True),
        )  # fmt: skip
        rows = [
            (v.id, v.value, "" if v.unit in {"1", "text"} else v.unit, str(v.start), v.grade, _headline(v))
            for v in self.values
        ]
        yield table("facts", "Values in force", columns, rows, most=_FEW)
        heads = tuple(Column(name, name) for name in _FIELDS)
        yield table("values", "Values in force with their evidence", heads, map(_cells, self.values), detail=True)

    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        return {"answer": self.answer, "facts": [value_record(v) for v in self.values]}


@dataclass(frozen=True, kw_only=True, repr=False)
class FactResult(Result):
    """What `jevons.facts.show` returns: a fact with every value that was public on a date.

    Parameters
    ----------
    fact : Fact
        The quantity.
    current : FactValue
        The value in force.
    values : tuple of FactValue
        Public values, oldest first.
    """

    kind: ClassVar[str] = "fact"
    subject: ClassVar[str] = "current"

    fact: Fact
    current: FactValue
    values: tuple[FactValue, ...]

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """The value in force with its date, grade, source and address."""
        now, source = self.current, self.current.source
        span = None if now.low is None or now.high is None else f"{now.low:,.4g}–{now.high:,.4g}"
        values = {
            "id": now.id, "value": now.value if isinstance(now.value, str) else f"{now.value:,.6g}",
            "unit": None if now.unit in {"1", "text"} else now.unit, "span": span, "from": str(now.start),
            "grade": now.grade, "evidence": str(now.source or now.reason or now.formula),
            "end": f", {source.url}" if source and source.url else ".",
        }  # fmt: skip
        return (Sentence("facts.value", values),)

    def _tables(self) -> Iterator[Table]:
        unit = "" if self.fact.unit in {"1", "text"} else self.fact.unit
        ranged = any(v.low is not None for v in self.values)
        span = [Column(name, name, unit, form=",.4g") for name in ("low", "high")] if ranged else []
        columns = (
            Column("from", "from"), Column("published", "published"), Column("value", "value", unit, form=",.6g"),
            *span, Column("in_force", "in force"), Column("grade", "grade"), Column("evidence", "evidence"),
        )  # fmt: skip
        rows: list[tuple[Cell, ...]] = []
        for v in self.values:
            parts = (str(v.source or ""), v.locator, v.formula, v.reason, v.note)
            evidence = "; ".join(part for part in parts if part)
            mark = "yes" if v == self.current else ""
            limits = (v.low, v.high) if ranged else ()
            rows.append((str(v.start), str(v.published), v.value, *limits, mark, v.grade, evidence))
        yield table("values", f"{self.fact.id}: {self.fact.about}", columns, rows)
        links = {v.source.url: str(v.source) for v in self.values if v.source and v.source.url}
        if links:
            heads = (Column("source", "source"), Column("url", "address"))
            yield table("sources", "Sources", heads, sorted((title, url) for url, title in links.items()), detail=True)

    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        return {
            "answer": self.answer, "id": self.fact.id, "about": self.fact.about, "unit": self.fact.unit,
            "current": value_record(self.current), "values": [value_record(v) for v in self.values],
        }  # fmt: skip


def described(fact: Fact) -> FactResult:
    """Return a fact as the result that describes it, every value in it."""
    return FactResult(fact=fact, current=fact.values[-1], values=fact.values)


def value_described(value: FactValue) -> FactResult:
    """Return one value of a fact as the result that describes it."""
    facts = default_facts()
    about = facts.fact(value.id).about if value.id in facts else ""
    fact = Fact(id=value.id, unit=value.unit, about=about, values=(value,))
    return FactResult(fact=fact, current=value, values=(value,))


def value_record(value: FactValue) -> dict[str, Any]:
    """Return a value with its evidence as JSON has it; what it does not state is left out."""
    record: dict[str, Any] = {
        "id": value.id, "from": value.start, "published": value.published, "value": value.value, "unit": value.unit,
        "grade": value.grade,
    }  # fmt: skip
    source = value.source
    if source is not None:
        record |= {"source": str(source), "url": source.url, "locator": value.locator}
    for name in ("low", "high", "reason", "note", "formula", "expires"):
        if getattr(value, name) not in {None, ""}:
            record[name] = getattr(value, name)
    if value.parents:
        record["parents"] = list(value.parents)
    if value.chosen:
        record["chosen"] = True
    return record


def _cells(value: FactValue) -> Iterator[Cell]:
    record = value_record(value)
    for name in _FIELDS:
        cell = record.get(name)
        if isinstance(cell, list):
            cell = ", ".join(cell)
        yield str(cell) if isinstance(cell, dt.date) else cell


def _headline(value: FactValue) -> str:
    text = str(value.source or value.reason or value.formula)
    return text if len(text) <= _EVIDENCE else f"{text[: _EVIDENCE - 1].rstrip()}…"


def facts_listed(facts: Facts, chosen: Sequence[Fact], asked: str, on: dt.date | None) -> FactsResult:
    """Return facts with their values in force on a date.

    Raises
    ------
    InputError
        If none of them had a public value then.
    """
    values = []
    for fact in chosen:
        try:
            values.append(facts.get(fact.id, on))
        except FactError:
            continue
    if not values:
        message = f"--as-of {on}: none of the {len(chosen)} facts that match was public then; use a later date"
        raise InputError(message)
    return FactsResult(asked=asked, facts=tuple(chosen), values=tuple(values))


def facts_beginning(facts: Facts, prefix: str, on: dt.date | None) -> FactsResult:
    """Return the facts whose id begins with *prefix*, by id.

    Raises
    ------
    InputError
        If there is none.
    """
    chosen = sorted((fact for fact in facts if fact.id.startswith(prefix)), key=lambda fact: fact.id)
    if not chosen:
        heads = {fact.id.split(".")[0] for fact in facts}
        message = f"no fact begins with `{prefix}`.{did_you_mean(prefix, heads)}"
        raise InputError(message)
    return facts_listed(facts, chosen, f"beginning with `{prefix}`" if prefix else "on file", on)


def facts_with(facts: Facts, words: str, on: dt.date | None) -> FactsResult:
    """Return the facts that have all *words* in id, description or source.

    Raises
    ------
    InputError
        If there is none.
    """
    chosen = facts.search(words)
    if not chosen:
        message = f"no fact has all of `{words}`; try fewer words, or `jevons facts list`"
        raise InputError(message)
    return facts_listed(facts, chosen, f"with `{words}`", on)


def fact_shown(facts: Facts, fact_id: str, on: dt.date | None) -> FactResult:
    """Return a fact with every value that was public on a date.

    Raises
    ------
    FactError
        If the id is unknown, or nothing was public by then.
    """
    fact = facts.fact(fact_id)
    values = tuple(v for v in fact.values if on is None or max(v.published, v.start) <= on)
    return FactResult(fact=fact, current=facts.get(fact_id, on), values=values)
