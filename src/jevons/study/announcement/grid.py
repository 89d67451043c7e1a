"""Tables in a text: which period each column is of, and in which unit its cells are."""

# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from jevons.study.announcement.figure import Figure, moved
from jevons.study.announcement.numerals import DIGITS, magnitude_of, value_of
from jevons.study.announcement.patterns import BEFORE
from jevons.study.announcement.text import Sentence

_CHANGE = re.compile(r"change|growth|yoy|y/y|qoq|同比|环比|增幅|增长|变动|变化|±|%")
_UNIT = re.compile(
    r"(?P<pre>rmb|us\$|usd|\$|€|eur|£|¥|₹|₩|cny|人民币|hk\$|港元|美元)?\s?(?:in )?(?P<en>millions?|billions?|thousands?|(?<=[$€£¥₹₩ ])(?:m|mn|bn|cr|crores?)(?![a-z]))(?![a-z])"
    r"|(?P<zh>百万|亿|万|千)(?P<post>元|美元|港元)"
)
_CELL = re.compile(rf"\s*(?P<open>[(（-])?\s?(?P<number>{DIGITS})\s?[)）]?\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The head of a table: the period of each column at its place in the text, the columns of changes, and the unit."""

    periods: tuple[Figure | None, ...]
    changes: frozenset[int]
    unit: str
    scale: float


_BARE = rf"[(（-]?\s?(?:{DIGITS}|[-–—]|n/?a)\s?[)）]?%?"
_ROW = re.compile(rf"(?P<label>\s*[^\d\s(][^\d]*?)(?P<cells>(?:\s+{_BARE}){{2,}})\s*\.?")
"""A line of a table whose columns only spaces part: a label, and two bare numbers at least."""


def cells(text: str) -> list[tuple[int, int]]:
    """Return the places of the cells of a line of a table, the label first; none where it is no such line."""
    mark = "|" if text.count("|") >= 2 else "\t" if text.count("\t") >= 1 else ""
    if not mark:
        row = _ROW.fullmatch(text)
        if row is None:
            return []
        places = [m.span() for m in re.finditer(_BARE, row["cells"])]
        return [row.span("label"), *((row.start("cells") + a, row.start("cells") + b) for a, b in places)]
    places, start = [], 0
    for part in text.split(mark):
        places.append((start, start + len(part)))
        start += len(part) + 1
    return places[1 if text.lstrip().startswith("|") else 0 :]


def head_of(sentence: Sentence, figures: Sequence[Figure], before: Grid | None) -> Grid | None:
    """Return the head that a line of a table is, else the one *before* it; none outside a table."""
    spans = [f for f in figures if f.kind == "period"]
    places = cells(sentence.plain) or _columns(sentence.plain, spans)
    if not places:
        return None
    if any(f.kind in {"money", "percent"} and re.search(r"\d", f.text) for f in figures) or not spans:
        return before
    found = (next((f for f in spans if a <= f.start < b), None) for a, b in places)
    periods = tuple(None if period is None else moved(period, sentence.start) for period in found)
    changes = frozenset(
        i for i, (a, b) in enumerate(places) if _CHANGE.search(sentence.plain[a:b]) and periods[i] is None
    )
    unit = _UNIT.search(sentence.plain)
    if unit is None:
        return Grid(periods=periods, changes=changes, unit="", scale=1.0)
    scale = magnitude_of(unit["zh"] or unit["en"].removesuffix("s"))
    money = BEFORE.get(unit["pre"] or "") or {"元": "CNY", "美元": "USD", "港元": "HKD"}.get(
        unit["post"] or unit["pre"] or "", ""
    )
    return Grid(periods=periods, changes=changes, unit=money, scale=scale)


def _columns(plain: str, spans: Sequence[Figure]) -> list[tuple[int, int]]:
    """Return the cells of a head whose periods only spaces part, which end the line; none of other lines."""
    if len(spans) < 2 or plain[spans[-1].end :].strip(" .:"):
        return []
    if any(plain[a.end : b.start].strip() for a, b in itertools.pairwise(spans)):
        return []
    return [(0, spans[0].start), *((f.start, f.end) for f in spans)]


def in_unit(sentence: Sentence, figures: Sequence[Figure], head: Grid | None, currency: str) -> list[Figure]:
    """Return the figures of a line with its bare cells as money in the unit of the head."""
    if head is None or head.scale == 1.0 or not (head.unit or currency):
        return list(figures)
    read = list(figures)
    for place, (start, end) in enumerate(cells(sentence.plain)):
        match = _CELL.fullmatch(sentence.plain[start:end])
        if match is None or place >= len(head.periods) or head.periods[place] is None:
            continue
        size = value_of(match["number"])[0] * head.scale * (-1 if match["open"] else 1)
        first, last = start + match.start("number"), start + match.end("number")
        read = [f for f in read if not (f.start < last and first < f.end)]
        read.append(
            Figure(
                kind="money", low=size, high=size, unit=head.unit or currency, start=first, end=last,
                text=sentence.text[first:last],
            )
        )  # fmt: skip
    return sorted(read, key=lambda f: f.start)


def placed(
    sentence: Sentence, figures: Sequence[Figure], head: Grid | None
) -> tuple[dict[int, Figure], frozenset[int]]:
    """Return the period of each figure of a line by its column, and the places of changes."""
    if head is None:
        return {}, frozenset()
    first = next((p for p in head.periods if p is not None), None)
    spans: dict[int, Figure] = {}
    changes = set()
    for place, (start, end) in enumerate(cells(sentence.plain)):
        period = head.periods[place] if place < len(head.periods) else None
        for figure in figures:
            if start <= figure.start < end and figure.kind != "period":
                if place in head.changes and first is not None:
                    spans[figure.start] = moved(first, -sentence.start)
                    changes.add(figure.start)
                elif period is not None:
                    spans[figure.start] = moved(period, -sentence.start)
    return spans, frozenset(changes)
