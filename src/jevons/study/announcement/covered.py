"""Values on file that a claim may be about, and the periods that they cover."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass

from jevons.facts import FactValue

_SPANS = {"alibaba.plan.capex_cny": 3.0, "peer.stargate.plan_usd": 4.0, "alibaba.group.considered_plan_cny": 3.0}
"""Years that a plan on file covers, where its id does not say."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fact's value that a claim may be about: the period it covers in words, and its length in years."""

    value: FactValue
    label: str
    years: float


def covers(fact_id: str, value: FactValue, fiscal_end_month: int) -> tuple[str, float]:
    """Return what a fact's value covers, in words, and the years that is."""
    name = fact_id.rsplit(".", 1)[-1]
    if fact_id in _SPANS:
        return f"the {_SPANS[fact_id]:g}-year plan of {value.start}", _SPANS[fact_id]
    target = re.search(r"_(fy)?(20\d\d)(?:_q([1-4]))?_", name)
    if target:
        label = f"{'FY' if target[1] else ''}{target[2]}" + (f"-Q{target[3]}" if target[3] else "")
        return label, 0.25 if target[3] else 1.0
    if "_half_year_" in name:
        return f"{value.start.year}-H{1 if value.start.month <= 6 else 2}", 0.5
    if "_year_" in name:
        if value.start.month == 12:
            return str(value.start.year), 1.0
        return f"FY{value.start.year}" if value.start.month == fiscal_end_month else f"year to {value.start}", 1.0
    if "_quarter_" in name:
        return f"{value.start.year}-Q{(value.start.month + 2) // 3}", 0.25
    return f"{value.start}", 0.0


def quartered(fact_id: str) -> str:
    """Return the id of a margin with the quarter that it covers in it; those of a year say so."""
    return fact_id if "_year_" in fact_id else fact_id.replace("_margin_", "_margin_quarter_")


def same_label(label: str, candidate: Candidate, firm: str) -> bool:
    """Return whether a candidate covers the period that a label names."""
    if label == candidate.label:
        return True
    day = candidate.value.start
    if re.fullmatch(r"\d{4}-Q[1-4]", label) and candidate.years == 0.0:
        year, quarter = int(label[:4]), int(label[-1])
        return day == dt.date(year, 3 * quarter, calendar.monthrange(year, 3 * quarter)[1])
    if re.fullmatch(r"\d{4}", label):
        return candidate.label.removeprefix("FY") == label or (candidate.years == 0.0 and str(day.year) == label)
    if label.startswith("FY"):
        return candidate.label.removeprefix("FY") == label[2:] and (candidate.label.startswith("FY") or firm == "")
    return False
