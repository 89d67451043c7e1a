"""Lists that belong together one by one: periods, or firms, and as many figures of one kind."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from jevons.study.announcement.figure import Figure
from jevons.study.announcement.mentions import JOINED, Mention
from jevons.study.announcement.patterns import RESPECTIVE

_NEXT = re.compile(
    r"\s?(?:[/、,，]|and|和|及|与|以及|, and)\s?(?:in |fy|the |about |约|近)?\s?"
    r"|(?:扩大|增|升|降|减|收窄|缩|提高|涨|跌)?[到至]"
)
"""What stands between two of a list."""
_MEASURED = frozenset({"money", "percent", "multiple", "count", "devices", "power"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """What each figure of a list belongs to, by the places of the figures.

    Parameters
    ----------
    periods : mapping of int to Figure
        Its period.
    firms : mapping of int to str
        Its firm.
    first : mapping of int to Figure
        The first figure of its list, whose quantity and direction hold for all.
    """

    periods: dict[int, Figure]
    firms: dict[int, str]
    first: dict[int, Figure]


def pairs(plain: str, figures: Sequence[Figure], named: Sequence[Mention]) -> Pairs:
    """Return which figures of a sentence's lists belong to which of its periods and firms.

    ``2026/2027年归母净利润分别为28/36亿元`` and ``A and B spent $3bn and $4bn, respectively``: two lists of a length.
    """
    spans = list(_runs(plain, [f for f in figures if f.kind == "period" and f.label != "each"]))
    spans += [years for f in figures if f.kind == "period" and (years := _years(f))]
    spans += list(_to_part(plain, figures))
    firms = list(_together(plain, named))
    result = Pairs(periods={}, firms={}, first={})
    for kind in sorted(_MEASURED):
        for run in _runs(plain, [f for f in figures if f.kind == kind]):
            result.first.update((f.start, run[0]) for f in run)
            for span in spans:
                ordered = span[-1].end <= run[0].start or len(run) > 2
                apart = span[0].start != span[-1].start
                if len(span) == len(run) and ((ordered and (apart or len(run) > 2)) or _one_by_one(plain, run)):
                    result.periods.update((f.start, period) for f, period in zip(run, span, strict=True))
            for together in firms:
                if len(together) == len(run) and RESPECTIVE.search(plain):
                    result.firms.update((f.start, firm) for f, firm in zip(run, together, strict=True))
    return result


def _one_by_one(plain: str, run: Sequence[Figure]) -> bool:
    """Return whether the values of a list belong to as many things, by a word or by the strokes between them."""
    return bool(RESPECTIVE.search(plain)) or plain[run[0].end] == "/"


def _runs(plain: str, figures: Sequence[Figure]) -> Iterator[list[Figure]]:
    """Yield figures that follow each other with nothing but a list's mark between them, two at least."""
    run: list[Figure] = []
    for first, second in itertools.pairwise(figures):
        run = run or [first]
        if _NEXT.fullmatch(plain, first.end, second.start) and first.unit == second.unit:
            run.append(second)
            continue
        if len(run) > 1:
            yield run
        run = []
    if len(run) > 1:
        yield run


def _years(span: Figure) -> list[Figure]:
    """Return the years of a period of several, each by itself: 2026 to 2028, or the first to the third to come."""
    match = re.fullmatch(r"(FY)?(20\d\d)-(20\d\d)", span.label)
    if match:
        return [
            replace(span, label=f"{match[1] or ''}{year}", low=1.0, high=1.0)
            for year in range(int(match[2]), int(match[3]) + 1)
        ]
    if span.label == "next" and span.low in {2.0, 3.0, 4.0, 5.0}:
        return [
            replace(span, label=f"year {year} of {span.low:g}", low=1.0, high=1.0)
            for year in range(1, int(span.low) + 1)
        ]
    return []


_TO = re.compile(r"\s?(?:至|到|to|through|[-–—~])\s?")


def _to_part(plain: str, figures: Sequence[Figure]) -> Iterator[list[Figure]]:
    """Yield the years from one to a later one of which only a part is told: ``2023至2025年前三季``."""
    periods = [f for f in figures if f.kind == "period"]
    for first, last in itertools.pairwise(periods):
        part = re.match(r"(20\d\d)-", last.label)
        if part and re.fullmatch(r"20\d\d", first.label) and _TO.fullmatch(plain, first.end, last.start):
            years = range(int(first.label), int(part[1]))
            yield [*(replace(first, label=str(year)) for year in years), last]


def _together(plain: str, named: Sequence[Mention]) -> Iterator[list[str]]:
    """Yield the firms that are named one after another."""
    run: list[Mention] = []
    for first, second in itertools.pairwise(named):
        run = run or [first]
        if JOINED.fullmatch(plain, first.end, second.start):
            run.append(second)
            continue
        if len(run) > 1:
            yield [mention.firm for mention in run]
        run = []
    if len(run) > 1:
        yield [mention.firm for mention in run]
