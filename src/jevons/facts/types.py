"""Facts, their dated values and their sources."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from jevons.errors import FactError, did_you_mean
from jevons.named import Described, Named


def _restore(one: Any, state: list[Any]) -> None:
    """Fill a copy from its fields in order: thousands are read at the start, and a dataclass's own way takes thrice."""
    for name, value in zip(one.__slots__, state, strict=True):
        object.__setattr__(one, name, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Named):
    """A text, table or page that a value was read in."""

    key: str
    title: str
    publisher: str = ""
    published: str = ""
    accessed: str = ""
    url: str = ""
    licence: str = ""

    __setstate__ = _restore

    def __str__(self) -> str:
        """Return publisher, title and date in one line."""
        head = f"{self.publisher}: {self.title}" if self.publisher and self.publisher not in self.title else self.title
        return head + (f" ({self.published})" if self.published else "")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FactValue(Described):
    """One dated value of a fact.

    Parameters
    ----------
    id : str
        The fact's id.
    value : float or str
        In *unit*; text facts hold a string.
    unit : str
        The unit that the id's suffix states (SI base units or plain currency); ``text`` for strings.
    start, published : date
        When the value takes effect (or the period it measures ends), and when it became public.
    grade : str
        One of `jevons.provenance.GRADES`.
    low, high : float or None
        Stated range, in *unit*; always present for judgements.
    """

    _kind: ClassVar[str] = "fact_value"

    id: str
    value: float | str
    unit: str
    start: dt.date
    published: dt.date
    grade: str
    source: Source | None = None
    locator: str = ""
    low: float | None = None
    high: float | None = None
    expires: dt.date | None = None
    reason: str = ""
    note: str = ""
    formula: str = ""
    parents: tuple[str, ...] = ()
    chosen: bool = False

    __setstate__ = _restore

    def __str__(self) -> str:
        """Return id, value with its unit, date, grade and evidence."""
        shown = self.value if isinstance(self.value, str) else f"{self.value:,.6g}"
        unit = "" if self.unit in {"1", "text"} else f" {self.unit}"
        span = "" if self.low is None or self.high is None else f" ({self.low:,.4g} to {self.high:,.4g})"
        evidence = self.source or self.reason or self.formula
        return f"{self.id} = {shown}{unit}{span} from {self.start}, {self.grade}: {evidence}"

    def __repr__(self) -> str:
        """Return the same in angle brackets."""
        return f"<{self}>"

    def __float__(self) -> float:
        """Return the value as a number; raises `FactError` for a text fact."""
        return self.number

    @property
    def number(self) -> float:
        """The value as a number; raises `FactError` for a text fact."""
        if isinstance(self.value, str):
            message = f"fact `{self.id}` is text (`{self.value}`), not a number"
            raise FactError(message)
        return self.value


def _distance(fact_id: str, words: list[str]) -> tuple[int, bool]:
    """Return how far an id is from words: 0 where each is a part between dots, to 3 where some stands elsewhere.

    Of equal ones those that begin with a word come first.
    """
    ways = (fact_id.split("."), re.split(r"[._]", fact_id), fact_id)
    level = next((i for i, parts in enumerate(ways) if all(word in parts for word in words)), len(ways))
    return level, ways[0][0] not in words


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Fact(Described):
    """A quantity with its values, oldest first; of two values of one date the chosen one comes last."""

    _kind: ClassVar[str] = "fact"

    id: str
    unit: str
    about: str
    values: tuple[FactValue, ...]
    file: str = ""

    __setstate__ = _restore

    def __repr__(self) -> str:
        """Return id, meaning and the latest value in a line."""
        count = len(self.values)
        return f"<fact {self.id}: {self.about}; {count} value{'' if count == 1 else 's'}, the latest {self.values[-1]}>"


@dataclass(frozen=True, slots=True)
class Facts:
    """All facts that were loaded, by id."""

    by_id: Mapping[str, Fact]
    sources: Mapping[str, Source] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.by_id)

    def __iter__(self) -> Iterator[Fact]:
        return iter(self.by_id.values())

    def __contains__(self, fact_id: object) -> bool:
        return fact_id in self.by_id

    def fact(self, fact_id: str) -> Fact:
        """Return the fact of that id.

        Raises
        ------
        FactError
            If there is none; the message offers near ids.
        """
        try:
            return self.by_id[fact_id]
        except (KeyError, TypeError):
            near = did_you_mean(str(fact_id), self.by_id) or " `jevons facts search WORD` finds facts by a word."
            message = f"unknown fact `{fact_id}`.{near}"
            raise FactError(message) from None

    def series(self, fact_id: str, on: dt.date | None = None) -> tuple[FactValue, ...]:
        """Return the values that were public on that date, one per start date, oldest first.

        Of several values of one start date the one marked ``chosen`` counts; where the chosen one was not yet public,
        the latest published of the others does.
        """
        best: dict[dt.date, FactValue] = {}
        for value in self.fact(fact_id).values:
            if on is not None and max(value.published, value.start) > on:
                continue
            known = best.get(value.start)
            if known is None or (value.chosen, value.published) >= (known.chosen, known.published):
                best[value.start] = value
        return tuple(best[start] for start in sorted(best))

    def get(self, fact_id: str, on: dt.date | None = None) -> FactValue:
        """Return the value in force on that date, the latest of all where no date is given.

        Raises
        ------
        FactError
            If the id is unknown, nothing was public by then, or the value had expired.
        """
        visible = self.series(fact_id, on)
        if not visible:
            first = min(max(value.published, value.start) for value in self.fact(fact_id).values)
            message = f"fact `{fact_id}` has no value on {on}: its first became public on {first}. Use a later `as_of`."
            raise FactError(message)
        value = visible[-1]
        if on is not None and value.expires is not None and on > value.expires:
            message = f"fact `{fact_id}` expired on {value.expires}, before {on}. Add a newer value."
            raise FactError(message)
        return value

    def search(self, text: str) -> list[Fact]:
        """Return facts whose id, description or source title has every word of *text*, those of such an id first."""
        words = text.lower().split()
        matching = []
        for fact in self:
            titles = " ".join(str(value.source) for value in fact.values if value.source)
            haystack = f"{fact.id} {fact.about} {titles}".lower()
            if all(word in haystack for word in words):
                matching.append(fact)
        return sorted(matching, key=lambda fact: _distance(fact.id.lower(), words))
