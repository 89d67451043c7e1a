"""Quarters that a text names without their year: the last that had ended when it was written."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import replace

from jevons.study.announcement.figures import Figure


def with_years(figures: Sequence[Figure], day: dt.date | None, fiscal_end_month: int) -> list[Figure]:
    """Return the figures with each quarter in the calendar; one whose year nothing tells is left out.

    A year named before it in the sentence is its year; else it is the last such quarter that had ended by *day*.
    """
    dated = []
    for figure in figures:
        if not (figure.kind == "period" and figure.label.startswith("?")):
            dated.append(figure)
            continue
        number = int(figure.label[2:])
        by_month = figure.label[1] == "M"
        month = number if by_month else (fiscal_end_month + 3 * number - 1) % 12 + 1
        before = [
            f
            for f in figures
            if f.kind == "period" and f.end <= figure.start and re.fullmatch(r"(?:FY)?\d{4}", f.label)
        ]
        year = None
        if before:
            year = int(before[-1].label[-4:])
            year -= not by_month and month > fiscal_end_month and before[-1].label.startswith("FY")
        elif day is not None:
            year = day.year if month < day.month else day.year - 1
        if year is not None:
            dated.append(replace(figure, label=f"{year}-Q{(month + 2) // 3}"))
    return dated
