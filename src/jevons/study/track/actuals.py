"""Actual figures by quarter: of a CSV file, or of the facts that a scenario's opening figures came from."""

from __future__ import annotations

import calendar
import datetime as dt
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jevons.errors import Fault, InputError, did_you_mean
from jevons.facts import Facts, FactValue
from jevons.files import read_csv
from jevons.limits import AMOUNT
from jevons.study.draws.outcomes import PATH_NAMES, PATHS
from jevons.study.scenario.scenario import Scenario
from jevons.units import CURRENCIES, UnitError, parse_quantity

GROUP_CAPEX = "group_capex"
SERIES: dict[str, tuple[str, str]] = {
    **{name: entry for name, entry in PATHS.items() if name not in {"released_rest", "loop_gain"}},
    GROUP_CAPEX: ("¤", "capital expenditure of the quarter, AI and the budget's other lines"),
}
"""Unit and meaning of the series that can be tracked."""
SERIES_NAMES = {**PATH_NAMES, GROUP_CAPEX: "group capital spent"}
"""Their names in tables."""
COUNTS = ("tokens_per_d", "market_tokens_per_d")
"""Series that grow within a quarter and are counted on a day; the path has their level at the quarter's start."""
_SPELLINGS = {
    "cloud revenue": "cloud_revenue", "revenue": "cloud_revenue", "cloud_margin_frac": "cloud_ebita_frac",
    "cloud ebita margin": "cloud_ebita_frac", "ebita margin": "cloud_ebita_frac", "margin": "cloud_ebita_frac",
    "capital expenditure": GROUP_CAPEX, "ai capex": "capex", "ai revenue": "ai_revenue",
    "tokens per day": "tokens_per_d", "tokens a day": "tokens_per_d", "daily tokens": "tokens_per_d",
    "tokens": "tokens_per_d", "national tokens": "market_tokens_per_d", "power": "it_w", "it power": "it_w",
}  # fmt: skip
_DEEPEST_LOSS = 10.0
_COLUMNS = ("quarter", "quantity", "value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Actual:
    """What came in a quarter: value in the scenario's currency or SI, and where it is from.

    `elapsed` is the share of the quarter gone on the day that a count is of: 1 for one of the quarter's last day.
    """

    series: str
    quarter: str
    value: float
    source: str
    elapsed: float = 0.0


def actuals_of_file(path: Path, scenario: Scenario) -> list[Actual]:
    """Return the actuals in a CSV file with columns ``quarter``, ``quantity``, ``value`` and perhaps ``unit``.

    A quarter is written 2025-Q2, or as a date of its last day or month. Quarters may be missing.

    Raises
    ------
    InputError
        Naming line, value and remedy, for all lines at once.
    """
    header, rows = read_csv(path)
    missing = [name for name in _COLUMNS if name not in header]
    if missing:
        message = (
            f"{path}:1: no column {', '.join(missing)}; actuals need {', '.join(_COLUMNS)}, and may have unit, source"
        )
        raise InputError(message)
    faults: list[Fault] = []
    by_place: dict[tuple[str, str], tuple[int, Actual]] = {}
    for line, row in rows:
        try:
            actual = _actual(row, scenario)
        except ValueError as error:
            faults.append(Fault(message=str(error), file=str(path), line=line))
            continue
        key = (actual.series, actual.quarter)
        if key in by_place:
            first = by_place[key][0]
            message = f"{actual.series} of {actual.quarter} is there twice (also line {first}); keep one"
            faults.append(Fault(message=message, file=str(path), line=line))
        by_place[key] = (line, actual)
    if faults:
        raise InputError(faults)
    if not by_place:
        message = f"{path}: has no rows; give a quarter, a quantity and a value in each"
        raise InputError(message)
    return sorted((actual for _, actual in by_place.values()), key=lambda a: (a.series, a.quarter))


_LEAST_BARE = 1e3
"""Money without a unit below which the unit was forgotten, not one."""


def _actual(row: dict[str, str], scenario: Scenario) -> Actual:
    given = row["quantity"].strip()
    series = _SPELLINGS.get(given.lower(), given)
    if series not in SERIES:
        message = f"quantity `{given}`: unknown.{did_you_mean(given, SERIES)} Known: {', '.join(SERIES)}."
        raise ValueError(message)
    unit = SERIES[series][0].replace("¤", scenario.currency)
    text = row["value"].strip()
    stated = f"{text} {row.get('unit', '').strip()}".strip()
    if not text:
        message = f"value of {given} in {row['quarter']} is empty; leave the line out where nothing came"
        raise ValueError(message)
    try:
        value = float(text) if not row.get("unit", "").strip() and _is_number(text) else parse_quantity(stated, unit)
    except UnitError as error:
        other = any(stated.upper().endswith(f" {code}") for code in CURRENCIES)
        hint = f"; convert it to {unit}, the scenario's currency" if other and unit == scenario.currency else ""
        message = f"value `{stated}`: {error}{hint}"
        raise ValueError(message) from None
    if not math.isfinite(value):
        message = f"value `{stated}`: must be a finite number"
        raise ValueError(message)
    if unit == scenario.currency and stated == text and _is_number(text) and abs(value) < _LEAST_BARE:
        message = f"value `{stated}` has no unit and would count as {stated} {unit}; write it like `{stated} bn {unit}`"
        raise ValueError(message)
    if series.endswith("_frac") and not -_DEEPEST_LOSS <= value <= 1.0:
        message = f"value `{stated}`: must be a share of revenue, at most 1, such as 0.09 for 9 %"
        raise ValueError(message)
    if not series.endswith("_frac") and not 0.0 <= value <= AMOUNT:
        message = f"value `{stated}`: must be from 0 to {AMOUNT:g} {unit}"
        raise ValueError(message)
    return Actual(
        series=series, quarter=_quarter(row["quarter"].strip()), value=value, source=row.get("source", "") or "file"
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _quarter(text: str) -> str:
    match = re.fullmatch(r"(\d{4})-?Q([1-4])", text, re.IGNORECASE)
    if match:
        return f"{match[1]}-Q{match[2]}"
    match = re.fullmatch(r"(\d{4})-(\d{2})(?:-(\d{2}))?", text)
    if match and 1 <= int(match[2]) <= 12 and int(match[2]) % 3 == 0:
        last = calendar.monthrange(int(match[1]), int(match[2]))[1]
        if match[3] is None or int(match[3]) == last:
            return f"{match[1]}-Q{int(match[2]) // 3}"
    message = f"quarter `{text}`: write it like 2025-Q2, or as its last day, such as 2025-06-30"
    raise ValueError(message)


def quarters_of(fact_id: str, day: dt.date) -> tuple[str, ...]:
    """Return the quarters that a value of a fact sums over: by its name those of a year or half of one.

    Examples
    --------
    >>> quarters_of("peer.neo.capex_quarter_usd", dt.date(2025, 9, 30))
    ('2025-Q3',)
    >>> quarters_of("peer.neo.capex_half_year_usd", dt.date(2025, 6, 30))
    ('2025-Q1', '2025-Q2')
    >>> quarters_of("peer.neo.capex_guidance_2026_usd", dt.date(2025, 11, 30))[-1]
    '2026-Q4'
    >>> quarters_of("peer.neo.revenue_guidance_2026_q2_usd", dt.date(2026, 5, 31))
    ('2026-Q2',)
    """
    named = re.search(r"_(?:guidance|plan)_(\d{4})_(q[1-4]_)?", fact_id)
    if named and named[2]:
        return (f"{named[1]}-{named[2][:2].upper()}",)
    if named:
        return tuple(f"{named[1]}-Q{quarter}" for quarter in (1, 2, 3, 4))
    last, count = 4 * day.year + (day.month + 2) // 3 - 1, 1
    if "_half_year_" in fact_id or "_year_" in fact_id:
        count = 2 if "_half_year_" in fact_id else 4
    return tuple(f"{index // 4}-Q{index % 4 + 1}" for index in range(last - count + 1, last + 1))


def per_quarter(fact_id: str) -> float:
    """Return what a value of a fact is divided by to give a quarter: four where it is a rate a year."""
    return 4.0 if fact_id.endswith("_per_y") else 1.0


def published_of(
    scenario: Scenario, facts: Facts, until: dt.date | None = None
) -> Iterator[tuple[str, str, FactValue, tuple[str, ...]]]:
    """Yield series, fact, value and its quarters for what is published of the firm after the scenario's date."""
    for series, ids in scenario.firm.published.items():
        for fact_id in ids:
            for value in facts.series(fact_id, until):
                quarters = quarters_of(fact_id, value.start)
                if value.published > scenario.as_of and set(quarters) <= set(scenario.labels()):
                    yield series, fact_id, value, quarters


def actuals_of_facts(scenario: Scenario, facts: Facts, until: dt.date | None) -> list[Actual]:
    """Return the later values of facts that publish the firm's series, or that its opening figures came from.

    Raises
    ------
    InputError
        If there are none.
    """
    published = list(_later(scenario, facts, until))
    if not published:
        message = (
            "--actuals facts: no fact in firm.published, and none behind the scenario's opening figures, has a later "
            "value; give a CSV file with quarter, quantity and value"
        )
        raise InputError(message)
    return sorted(published, key=lambda a: (a.series, a.quarter))


def elapsed_of(day: dt.date) -> float:
    """Return the share of its quarter that is gone by the end of a day.

    Examples
    --------
    >>> elapsed_of(dt.date(2025, 12, 31)), round(elapsed_of(dt.date(2025, 5, 31)), 2)
    (1.0, 0.67)
    """
    first = dt.date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    after = dt.date(first.year + (first.month + 2) // 12, (first.month + 2) % 12 + 1, 1)
    return ((day - first).days + 1) / (after - first).days


def quarter_of(day: dt.date) -> str:
    """Return the quarter of a day.

    Examples
    --------
    >>> quarter_of(dt.date(2025, 9, 30))
    '2025-Q3'
    """
    return f"{day.year}-Q{(day.month + 2) // 3}"


def _later(scenario: Scenario, facts: Facts, until: dt.date | None) -> Iterator[Actual]:
    amounts = scenario.amounts()
    origins: list[tuple[str, str]] = []
    revenue = amounts["finance.base_revenue"].origin if "finance.base_revenue" in amounts else ""
    capex = amounts["expansion.budget_first"].origin if "expansion.budget_first" in amounts else ""
    head = revenue.rsplit(".", 1)[0]
    origins += [("cloud_revenue", revenue), (GROUP_CAPEX, capex), ("cloud_ebita_frac", f"{head}.ebita_margin_frac")]
    labels = set(scenario.labels())
    for series, fact_id, value, quarters in published_of(scenario, facts, until):
        if len(quarters) == 1:
            yield Actual(
                series=series, quarter=quarters[0], value=value.number / per_quarter(fact_id), source=fact_id,
                elapsed=elapsed_of(value.start) if series in COUNTS else 0.0,
            )  # fmt: skip
    for series, fact_id in origins:
        if fact_id not in facts:
            continue
        for value in facts.series(fact_id, until):
            quarter = quarter_of(value.start)
            if value.published > scenario.as_of and quarter in labels and not isinstance(value.value, str):
                yield Actual(series=series, quarter=quarter, value=value.number, source=fact_id)
    yield from _margins(scenario, facts, until, head, labels)


def _margins(scenario: Scenario, facts: Facts, until: dt.date | None, head: str, labels: set[str]) -> Iterator[Actual]:
    """Yield EBITA over revenue of quarters for which both are on file and no margin is."""
    ids = [
        next((f.id for f in facts if f.id.startswith(f"{head}.{stem}_quarter_")), "") for stem in ("ebita", "revenue")
    ]
    margin_id = f"{head}.ebita_margin_frac"
    known = {v.start for v in facts.series(margin_id, until)} if margin_id in facts else set()
    if not all(ids):
        return
    revenue = {v.start: v for v in facts.series(ids[1], until)}
    for value in facts.series(ids[0], until):
        quarter = quarter_of(value.start)
        if (
            value.published > scenario.as_of
            and value.start in revenue
            and value.start not in known
            and quarter in labels
        ):
            ratio = value.number / revenue[value.start].number
            yield Actual(series="cloud_ebita_frac", quarter=quarter, value=ratio, source=f"{ids[0]} / {ids[1]}")
