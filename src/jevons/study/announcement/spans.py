"""Dates and periods in a sentence."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from jevons.study.announcement.figure import Figure
from jevons.study.announcement.found import found
from jevons.study.announcement.numerals import value_of
from jevons.study.announcement.patterns import (
    ANNUAL,
    DATES,
    DECADE,
    MONTHS,
    PERIODS,
    QUARTER,
    QUARTER_ENDS,
    SPAN,
)


def dates(sentence: str) -> Any:
    """Yield days and months."""
    for match in DATES.finditer(sentence):
        g = match.groupdict()
        year = next((int(g[k]) for k in ("y1", "y2", "y3", "y4", "y5", "y6") if g[k]), 0)
        month = next((int(g[k]) for k in ("m1", "m2", "m5") if g[k]), 0)
        month = month or next((MONTHS[g[k][:3]] for k in ("mon3", "mon4", "mon6") if g[k]), 0)
        day = next((int(g[k]) for k in ("d1", "d2", "d3", "d4") if g[k]), 0)
        if not 1 <= month <= 12 or day > 31:
            continue
        try:
            dt.date(year or 2024, month, day or 1)
        except ValueError:
            continue
        label = f"{year or '----'}-{month:02d}" + (f"-{day:02d}" if day else "")
        yield found(match, kind="date", low=year, high=year, unit="date", label=label)


def periods(sentence: str) -> Any:
    """Yield years, quarters and halves with their year."""
    quarter_words = {"first": 1, "second": 2, "third": 3, "fourth": 4, "一": 1, "二": 2, "三": 3, "四": 4}
    for match in PERIODS.finditer(sentence):
        g = match.groupdict()
        label, years = "", 1.0
        fiscal = next((g[name] for name in ("fqy1", "fqy2", "fqy3", "fqy4", "fqy5", "fqy6") if g[name]), "")
        if fiscal:
            quarter = next(g[name] for name in ("fq1", "fq2", "fqw", "fq4", "fq5", "fqw2") if g[name])
            year = fiscal if len(fiscal) == 4 else f"20{fiscal}"
            label, years = f"FY{year}-Q{quarter_words.get(quarter, quarter)}", 0.25
        elif g["fyr1"]:
            first, last = int(g["fyr1"]), int(g["fyr2"])
            if not 0 < last - first < 100:
                continue
            label, years = f"FY{first}-{last}", last - first + 1.0
        elif g["cy"]:
            label = f"20{g['cy'][-2:]}"
        elif g["fy"] or g["fy2"]:
            year = g["fy"] or g["fy2"]
            label = f"FY{year if len(year) == 4 else '20' + year}"
        elif g["mq"]:
            ends = {"march": 1, "june": 2, "september": 3, "december": 4}
            label, years = f"{g['yq5']}-Q{ends[g['mq']]}", 0.25
        elif g["q6"] or g["q7"]:
            label, years = f"20{g['yq6'] or g['yq7']}-Q{g['q6'] or g['q7']}", 0.25
        elif g["yq"] or g["yq3"] or g["yq4"]:
            quarter = g["q1"] or g["q2"] or g["q3"] or g["qw"]
            label = f"{g['yq'] or g['yq3'] or g['yq4']}-Q{quarter_words.get(quarter, quarter)}"
            years = 0.25
        elif g["s1"] or g["y1"] or g["y3"] or g["y5"]:
            first = int(f"20{g['s1']}" if g["s1"] else g["y1"] or g["y3"] or g["y5"])
            last = int(f"20{g['s2']}" if g["s2"] else g["y2"] or g["y4"] or g["y6"])
            if not 0 < last - first < 100:
                continue
            label, years = f"{first}-{last}", last - first + 1.0
        elif g["by"] or g["by2"]:
            label, years = f"to {g['by'] or g['by2']}", 0.0
        elif g["half"]:
            label, years = f"{g['half']}-H{1 if g['h'] == '上半年' else 2}", 0.5
        elif g["year"] or g["short"]:
            label = g["year"] or f"20{g['short']}"
        yield match, Figure(
            kind="period", low=years, high=years, unit="y", start=match.start(), end=match.end(), text="", label=label,
            what=g["end"] or "",
        )  # fmt: skip


def quarters(sentence: str) -> Any:
    """Yield quarters without a year as periods labelled ``?Q1`` by number or ``?M06`` by last month."""
    ordinals = {"first": 1, "second": 2, "third": 3, "fourth": 4, "一": 1, "二": 2, "三": 3, "四": 4}
    for match in QUARTER.finditer(sentence):
        number = match["zh"] or match["word"] or match["q"] or (match["head"] and "1")
        month = QUARTER_ENDS[match["month"]] if match["month"] else MONTHS[match["short"][:3]] if match["short"] else 0
        label = f"?M{month:02d}" if month else f"?Q{ordinals.get(number) or number}"
        yield found(match, kind="period", low=0.25, high=0.25, unit="y", label=label)


_EXTREME = re.compile(r"(?:来|以来)?的?(?:新高|新低|最高|最低|高位|低位|高点|低点)|[- ](?:high|low)(?![a-z])")
"""What follows how long something has not been so: a 17-year high."""


def spans(sentence: str) -> Any:
    """Yield lengths of time."""
    for match in SPAN.finditer(sentence):
        size = value_of(match["n"])[0]
        unit = match["unit"].removeprefix("个").replace("财年", "年")
        if "季" in unit and re.search(r"(?:连续|连)\s?$", sentence[: match.start()]):
            continue  # how often, not when
        if re.search(
            r"(?:[a-z]est|first|best|record|最[高低快慢大小]|首次|新高|新低)[^,，.;；]{0,24}(?:in|for|来|于)\s?$",
            sentence[: match.start("n")],
        ):
            continue  # since when it was not so
        if _EXTREME.match(sentence, match.end()):
            continue  # likewise
        years = size / (
            4 if "qtr" in unit or "quarter" in unit or "季" in unit else 12 if "month" in unit or "月" in unit else 1
        )
        if not 0 < years <= 60 or (unit == "年" and size > 60):
            continue
        before = sentence[max(0, match.start() - 10) : match.start()]
        past = bool(re.search(r"(?:past|last|previous|trailing|preceding|过去|此前|前|近)\s?$", before))
        label = (
            "past"
            if past
            else "next"
            if match["next"] or re.search(r"(?:next|coming|连续|连投|持续)\s?\S?$", before)
            else ""
        )
        yield found(match, kind="period", low=years, high=years, unit="y", label=label)
    for match in DECADE.finditer(sentence):
        label = "past" if match["when"] in {"past", "last", "previous"} else "next"
        yield found(match, kind="period", low=10, high=10, unit="y", label=label)
    for match in ANNUAL.finditer(sentence):
        yield found(match, kind="period", low=1, high=1, unit="y", label="each")
