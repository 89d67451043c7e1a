"""Reads fact files: YAML in, checked `Facts` out, every fault with file, line and remedy."""

from __future__ import annotations

import calendar
import contextlib
import datetime as dt
import functools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from jevons.errors import Fault, InputError, did_you_mean
from jevons.facts._kept import kept
from jevons.facts.per_facts import IN_FORCE, OwnFigures
from jevons.facts.types import Fact, Facts, FactValue, Source
from jevons.options.declare import answered
from jevons.provenance import GRADES
from jevons.schema import Located, read_yaml
from jevons.units import UnitError, convert, parse_date, unit_of_name

_DATA = Path(__file__).parent / "data"
_SOURCE_KEYS = {"publisher", "title", "published", "accessed", "url", "ref", "licence", "note"}
_FACT_KEYS = {"unit", "about", "values"}
_VALUE_KEYS = {
    "from", "value", "grade", "source", "locator", "published", "low", "high", "expires", "reason", "note", "formula",
    "parents", "chosen",
}  # fmt: skip


def as_date(raw: Any) -> dt.date:
    """Return the last day of the day, month (``2024-11``) or year (``2024``) that *raw* names.

    Raises
    ------
    ValueError
        If it names none of these.
    """
    if isinstance(raw, dt.datetime):
        return raw.date()
    if isinstance(raw, dt.date):
        return raw
    parts = [int(part) for part in str(raw).split("-")]
    if not 1 <= parts[0] <= 9999:
        message = f"year {parts[0]} is none of 1 to 9999"
        raise ValueError(message)
    if len(parts) == 3 and max(parts) > 9999:
        message = "a month or a day is too large"
        raise ValueError(message)
    if len(parts) == 1:
        return dt.date(parts[0], 12, 31)
    if len(parts) == 2:
        return dt.date(parts[0], parts[1], calendar.monthrange(parts[0], parts[1])[1])
    year, month, day = parts
    return dt.date(year, month, day)


def load_facts(paths: Iterable[Path | str]) -> Facts:
    """Return the facts of all YAML files at *paths* (files, or folders searched through).

    Raises
    ------
    InputError
        With every fault found: unknown keys, units or sources, values without evidence, facts given twice.
    """
    files: list[Path] = []
    for path in map(Path, paths):
        files.extend(sorted(path.rglob("*.yaml")) if path.is_dir() else [path])
    documents = [read_yaml(file) for file in files]
    faults: list[Fault] = []
    sources: dict[str, Source] = {}
    for document in documents:
        _read_sources(document, sources, faults)
    by_id: dict[str, Fact] = {}
    for document in documents:
        for fact_id, body in _mapping(document, "facts", faults).items():
            fact = _read_fact(document, str(fact_id), body, sources, faults)
            if fact is None:
                continue
            if fact_id in by_id:
                earlier = by_id[fact_id].file
                message = f"fact is given twice (also in {earlier}); keep its values side by side under one id"
                faults.append(document.fault(("facts", fact_id), message))
            by_id[str(fact_id)] = fact
    for fact in by_id.values():
        faults.extend(
            Fault(message=f"`{fact.id}` is derived from unknown fact `{parent}`", path=fact.id, file=fact.file)
            for value in fact.values
            for parent in value.parents
            if parent not in by_id
        )
    if faults:
        raise InputError(faults)
    return Facts(by_id, sources)


def default_facts() -> Facts:
    """Return the facts that ship with the package, with one's own figures within `changed`."""
    own = IN_FORCE.get()
    return _shipped() if own is None else own.facts


@functools.cache
def _shipped() -> Facts:
    return kept(_DATA, lambda: load_facts([_DATA]))


@contextlib.contextmanager
def changed(values: Mapping[str, float]) -> Iterator[Facts]:
    """Let figures of one's own stand for facts, on all dates, until the block ends.

    Parameters
    ----------
    values : mapping of str to float
        By id of the fact, in the unit that its name states.

    Yields
    ------
    Facts
        The changed facts; each figure of one's own has the grade ``judgement`` and says that it was set.

    Raises
    ------
    FactError
        If a fact is unknown.
    InputError
        If a fact is text, or a figure is no finite number of its sign.

    Examples
    --------
    >>> import jevons
    >>> with jevons.facts.changed({"h20.price_cny": 90000}):
    ...     jevons.facts.get("h20.price_cny").value
    90000.0
    """
    before = default_facts()
    own = {fact_id: _with_value(before.fact(fact_id), value) for fact_id, value in values.items()}
    token = IN_FORCE.set(OwnFigures(Facts({**before.by_id, **own}, before.sources)))
    try:
        yield default_facts()
    finally:
        IN_FORCE.reset(token)


def _with_value(fact: Fact, value: float) -> Fact:
    """Return a fact whose values are all one that was set."""
    if fact.unit == "text":
        message = f"fact {fact.id}: is text; only a number can be set"
        raise InputError(message)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        message = f"fact {fact.id} = {str(value)[:40]}: must be a finite number [{fact.unit}]"
        raise InputError(message)
    least = min((dated.number for dated in fact.values), default=0.0)
    if value < 0 <= least or (value == 0 and least > 0):
        message = f"fact {fact.id} = {value:g}: must be above zero [{fact.unit}]"
        raise InputError(message)
    reason = "set by whoever asked"
    own = [
        replace(
            dated, value=float(value), low=float(value), high=float(value), grade="judgement", reason=reason,
            source=None,
            locator="", note="", formula="", parents=(), expires=None,
        )
        for dated in fact.values
    ]  # fmt: skip
    return replace(fact, values=tuple(own))


@answered
def get(fact_id: str, on: dt.date | str | None = None) -> FactValue:
    """Return a shipped fact's value in force on a date, the latest of all where no date is given.

    Parameters
    ----------
    fact_id : str
        Id, such as ``h20.price_cny``; `jevons.facts.search` finds it. Its suffix is the unit of the value.
    on : date or str, optional
        Date of the information, such as ``2025-02-24``: nothing published later is visible.

    Returns
    -------
    FactValue
        With ``.value`` or ``.number``, ``.unit``, ``.low`` and ``.high``, ``.start``, ``.grade`` and ``.source``.

    Raises
    ------
    FactError
        If the id is unknown, nothing was public by then, or the value had expired.

    Examples
    --------
    >>> import jevons
    >>> jevons.facts.get("h20.hbm_bytes").number / 2**30
    96.0
    """
    return default_facts().get(fact_id, _day(on))


@answered
def series(fact_id: str, on: dt.date | str | None = None) -> tuple[FactValue, ...]:
    """Return a shipped fact's values that were public on a date, one for each start date, oldest first.

    Parameters
    ----------
    fact_id : str
        Id, such as ``h20.price_cny``.
    on : date or str, optional
        Date of the information, such as ``2025-02-24``: nothing published later is visible.

    Returns
    -------
    tuple of FactValue
        Of two values of one start date the chosen one.

    Raises
    ------
    FactError
        If the id is unknown.

    Examples
    --------
    >>> import jevons
    >>> [value.number for value in jevons.facts.series("h20.price_cny", "2025-02-24")]
    [175000.0, 150000.0]
    """
    return default_facts().series(fact_id, _day(on))


def _day(on: dt.date | str | None) -> dt.date | None:
    return parse_date(on, "on") if isinstance(on, str) else on


def _mapping(document: Located, key: str, faults: list[Fault]) -> Mapping[Any, Any]:
    root = document.root
    if not isinstance(root, Mapping):
        faults.append(document.fault((), "must hold `sources:` and `facts:`"))
        return {}
    for name in root:
        if name not in {"sources", "facts"}:
            message = f"unknown section `{name}`; a fact file holds `sources:` and `facts:`"
            fault = document.fault((name,), message)
            if fault not in faults:
                faults.append(fault)
    section = root.get(key) or {}
    if not isinstance(section, Mapping):
        faults.append(document.fault((key,), "must be a mapping"))
        return {}
    return section


def _read_sources(document: Located, sources: dict[str, Source], faults: list[Fault]) -> None:
    for key, body in _mapping(document, "sources", faults).items():
        place = ("sources", key)
        if not isinstance(body, Mapping) or "title" not in body:
            faults.append(document.fault(place, "a source needs at least `title:`"))
            continue
        for name in body:
            if name not in _SOURCE_KEYS:
                message = f"unknown field.{did_you_mean(str(name), _SOURCE_KEYS)}"
                faults.append(document.fault((*place, name), message))
        if key in sources:
            faults.append(document.fault(place, "source is given twice; keep one entry and refer to it"))
        text = {name: str(body.get(name) or "") for name in _SOURCE_KEYS}
        url = text["url"] or text["ref"]
        sources[str(key)] = Source(
            key=str(key),
            title=text["title"],
            publisher=text["publisher"],
            published=text["published"],
            accessed=text["accessed"],
            url=url,
            licence=text["licence"],
        )


def _read_fact(
    document: Located, fact_id: str, body: Any, sources: Mapping[str, Source], faults: list[Fault]
) -> Fact | None:
    place = ("facts", fact_id)
    before = len(faults)
    if not isinstance(body, Mapping) or not isinstance(body.get("values"), list) or not body["values"]:
        faults.append(document.fault(place, "a fact needs `unit:`, `about:` and a list of `values:`"))
        return None
    faults.extend(
        document.fault((*place, name), f"unknown field.{did_you_mean(str(name), _FACT_KEYS)}")
        for name in body
        if name not in _FACT_KEYS
    )
    written = str(body.get("unit", ""))
    unit = "text" if written == "text" else unit_of_name(fact_id)
    if written != "text":
        try:
            convert(1.0, written or "?", unit)
        except UnitError as error:
            faults.append(document.fault((*place, "unit"), f"{error} (the id's suffix says {unit})"))
            return None
    values = [
        _read_value(document, (*place, "values", index), fact_id, raw, (written, unit), sources, faults)
        for index, raw in enumerate(body["values"])
    ]
    if len(faults) > before:
        return None
    dated = sorted((value for value in values if value), key=lambda v: (v.start, v.chosen, v.published))
    _check_conflicts(document, place, dated, faults)
    return Fact(
        id=fact_id,
        unit=unit,
        about=str(body.get("about", "")),
        values=tuple(dated),
        file=document.name,
    )


def _read_value(
    document: Located,
    place: tuple[Any, ...],
    fact_id: str,
    raw: Any,
    units: tuple[str, str],
    sources: Mapping[str, Source],
    faults: list[Fault],
) -> FactValue | None:
    def complain(message: str, *keys: str) -> None:
        faults.append(document.fault((*place, *keys), message))

    if not isinstance(raw, Mapping):
        complain("a value needs `from:`, `value:`, `grade:` and its evidence")
        return None
    before = len(faults)
    for name in raw:
        if name not in _VALUE_KEYS:
            complain(f"unknown field.{did_you_mean(str(name), _VALUE_KEYS)}", name)
    dates: dict[str, dt.date | None] = {}
    for name in ("from", "published", "expires"):
        try:
            dates[name] = as_date(raw[name]) if name in raw else None
        except ValueError:
            complain(f"`{raw[name]}` is not a date; write YYYY-MM-DD", name)
    if "from" not in raw:
        complain("needs `from:`, the date the value refers to")
    numbers = {name: _number(raw[name], units, complain, name) for name in ("value", "low", "high") if name in raw}
    if "value" not in raw:
        complain("needs `value:`")
    _check_evidence(raw, sources, complain)
    if len(faults) > before:
        return None
    start = dates["from"] or dt.date.min
    low, high = (number if isinstance(number := numbers.get(name), float) else None for name in ("low", "high"))
    return FactValue(
        id=fact_id,
        value=numbers["value"],
        unit=units[1],
        start=start,
        published=dates["published"] or start,
        grade=raw["grade"],
        source=sources.get(str(raw.get("source", ""))),
        locator=str(raw.get("locator", "")),
        low=low,
        high=high,
        expires=dates["expires"],
        reason=str(raw.get("reason", "")),
        note=str(raw.get("note", "")),
        formula=str(raw.get("formula", "")),
        parents=tuple(str(parent) for parent in raw.get("parents", ())),
        chosen=bool(raw.get("chosen", False)),
    )


def _number(raw: Any, units: tuple[str, str], complain: Any, key: str) -> float | str:
    written, unit = units
    if written == "text":
        return str(raw)
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        complain(f"`{raw}` is not a number", key)
        return 0.0
    return convert(float(raw), written, unit)


def _check_evidence(raw: Mapping[Any, Any], sources: Mapping[str, Source], complain: Any) -> None:
    grade = raw.get("grade")
    if grade not in GRADES:
        complain(f"grade `{grade}` is none of {', '.join(GRADES)}", *(["grade"] if "grade" in raw else []))
    if "source" in raw and str(raw["source"]) not in sources:
        complain(f"unknown source `{raw['source']}`.{did_you_mean(str(raw['source']), sources)}", "source")
    if not isinstance(raw.get("parents", []), list):
        complain(f"`{raw['parents']}` is not a list of fact ids", "parents")
    if grade == "derived":
        if "formula" not in raw or "parents" not in raw:
            complain("a derived value needs `formula:` and `parents:`")
    elif grade == "judgement":
        if not {"reason", "low", "high"} <= set(raw):
            complain("a judgement needs `reason:`, `low:` and `high:`")
    elif "source" not in raw:
        complain("needs `source:`; a figure without a source is a defect")
    numeric = [raw.get(name) for name in ("low", "value", "high")]
    low, value, high = (float(number) if isinstance(number, int | float) else None for number in numeric)
    if low is not None and value is not None and high is not None and not low <= value <= high:
        complain(f"value {value:g} lies outside its range {low:g} to {high:g}", "value")


def _check_conflicts(document: Located, place: tuple[Any, ...], values: list[FactValue], faults: list[Fault]) -> None:
    by_date: dict[dt.date, list[FactValue]] = {}
    for value in values:
        by_date.setdefault(value.start, []).append(value)
    for start, group in by_date.items():
        if len({value.value for value in group}) < 2:
            continue
        chosen = [value for value in group if value.chosen]
        if len(chosen) != 1 or not chosen[0].reason:
            shown = ", ".join(str(value.value) for value in group)
            message = f"values of {start} disagree ({shown}); mark exactly one `chosen: true` with a `reason:`"
            faults.append(document.fault(place, message))
