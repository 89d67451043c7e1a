"""Reads an announcement from text to verdicts."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

from jevons.errors import InputError
from jevons.facts import Facts, default_facts
from jevons.study.announcement.claims import claims_of
from jevons.study.announcement.draft import Field, draft_of
from jevons.study.announcement.figures import figures
from jevons.study.announcement.judge import judged
from jevons.study.announcement.mentions import main_firm
from jevons.study.announcement.names import stated_firms
from jevons.study.announcement.on_file import OnFile
from jevons.study.announcement.result import ReadResult
from jevons.study.announcement.text import Sentence, given_text, sentences


def read(
    source: Path | str,
    *,
    as_of: dt.date | None = None,
    date: dt.date | None = None,
    base: Path | str | None = None,
    facts: Facts | None = None,
) -> ReadResult:
    """Return what an announcement says, and how its claims stand against the facts.

    Parameters
    ----------
    source : path or str
        A file, or the text itself.
    as_of : date, optional
        Facts published later are not used; all are where not given.
    date : date, optional
        Day of the announcement; that which the text states where not given.
    base : path, optional
        Scenario that completes the draft.
    facts : Facts, optional
        The shipped facts by default.

    Raises
    ------
    InputError
        If there is no text to read.
    """
    text, _ = given_text(source)
    parts = sentences(text)
    if not parts:
        message = "the text has no sentence to read"
        raise InputError(message)
    day, dated = _date(parts, date)
    stated = stated_firms(parts)
    claims, silent = claims_of(parts, stated, day, None if day is not None else _year(parts))
    on_file = OnFile(facts or default_facts(), as_of, day)
    read_claims = tuple(judged(claim, on_file) for claim in claims)
    firm = main_firm(parts, stated)
    draft = draft_of(list(read_claims), parts, firm, day, dated)
    return ReadResult(
        claims=read_claims, draft=draft, firm=firm, silent=silent, sentences=len(parts), base=base,
    )  # fmt: skip


_BASE_YEAR = re.compile(
    r"(?:较|比|相比|自|从|对比|than|from|since|over|against|versus|vs\.?|compared (?:with|to))\s?(?:in\s|that of\s)?$"
)
"""What stands before a year that a later one is measured against: it is not the announcement's."""


_LATER = re.compile(
    r"(?:effective|starting|beginning|from|until|as of|as at|by|ended|ending|自|从|截至|截止|到|至)\s?(?:on\s)?$"
)
_LATER_ZH = re.compile(r"\s?(?:起|生效|前|止)")


def _not_today(plain: str, start: int, end: int) -> bool:
    """Return whether a date is that from which, or up to which, something holds: not the announcement's."""
    return bool(_LATER.search(plain[max(0, start - 16) : start]) or _LATER_ZH.match(plain, end))


def _year(parts: list[Sentence]) -> int | None:
    """Return the year that a text without a day speaks of: the first that nothing is measured against."""
    for sentence in parts:
        for figure in figures(sentence.plain, sentence.text, ""):
            label = re.match(r"(?:FY)?(20[12]\d)", figure.label) if figure.kind == "period" else None
            if label and not _BASE_YEAR.search(sentence.plain[: figure.start]):
                return int(label[1])
    return None


def _date(parts: list[Sentence], given: dt.date | None) -> tuple[dt.date | None, Field | None]:
    """Return the day of an announcement and where it stands; a day without a year takes the latest year of the text."""
    first = parts[0]
    if given is not None:
        return given, Field(value=str(given), text="given", start=0, end=0, line=first.line)
    years: list[int] = []
    partial: list[tuple[Sentence, int, int, int, int]] = []
    for sentence in parts:
        for figure in figures(sentence.plain, sentence.text, ""):
            if figure.kind == "date" and not _not_today(sentence.plain, figure.start, figure.end):
                match = re.fullmatch(r"(\d{4}|----)-(\d\d)-(\d\d)", figure.label)
                if match and match[1] != "----":
                    day = dt.date(int(match[1]), int(match[2]), int(match[3]))
                    start = sentence.start + figure.start
                    end = sentence.start + figure.end
                    return day, Field(value=str(day), text=sentence.text, start=start, end=end, line=sentence.line)
                if match:
                    partial.append((sentence, int(match[2]), int(match[3]), figure.start, figure.end))
            elif (
                figure.kind == "period"
                and (label := re.match(r"(?:FY)?(20[12]\d)", figure.label))
                and not _BASE_YEAR.search(sentence.plain[: figure.start])
            ):
                years.append(int(label[1]))
    if partial and years:
        sentence, month, day_of, start, end = partial[0]
        try:
            day = dt.date(max(years), month, day_of)
        except ValueError:
            return None, None
        place = (sentence.start + start, sentence.start + end)
        return day, Field(value=str(day), text=sentence.text, start=place[0], end=place[1], line=sentence.line)
    return None, None
