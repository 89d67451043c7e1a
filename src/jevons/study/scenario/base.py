"""What every section of a scenario file shares: strict fields, and amounts filled from facts under a prefix."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator

from jevons.errors import NoSuchNameError, did_you_mean
from jevons.facts import Facts, get
from jevons.limits import ACCELERATORS, CALL_TOKENS, FACTOR
from jevons.named import unknown_attribute
from jevons.schema import shortened
from jevons.study.scenario.amounts import Amount, Quantity
from jevons.units import CURRENCIES

Fraction = Annotated[Amount, Quantity(unit="1", ge=0, le=1)]
Accelerators = Annotated[Amount, Quantity(unit="1", ge=0, le=ACCELERATORS, why="is it a count of accelerators?")]
Factor = Annotated[Amount, Quantity(unit="1", gt=0, le=FACTOR, why="is it a factor?")]
CallTokens = Annotated[Amount, Quantity(unit="1", ge=0, le=CALL_TOKENS, why="is it tokens of one call?")]


def assumed(fact_id: str, unit: str = "1") -> Any:
    """Return a field's default: the value of a fact, where only some uses of the section read the field."""
    return Field(default_factory=lambda: Amount(value=get(fact_id).number, unit=unit, origin=fact_id))


def _quarter(raw: Any) -> str:
    if not isinstance(raw, str) or not re.fullmatch(r"[12]\d{3}-Q[1-4]", raw):
        message = f"`{shortened(str(raw))}` is not a quarter; write it like 2025-Q3"
        raise ValueError(message)
    return raw


Quarter = Annotated[str, BeforeValidator(_quarter)]
QuarterOrNone = Annotated[str, BeforeValidator(lambda raw: raw if raw == "" else _quarter(raw))]


def quarter_of(day: dt.date) -> str:
    """Return the quarter that a day falls in, such as 2025-Q3."""
    return f"{day.year}-Q{(day.month + 2) // 3}"


def _quarter_of_date(raw: Any) -> str:
    """Return a quarter as it is given, or the one that a date falls in."""
    date = raw
    if isinstance(raw, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", raw):
        try:
            date = dt.date.fromisoformat(raw)
        except ValueError:
            message = f"`{raw}` is not a date of the calendar; write it like 2025-07-01, or a quarter like 2025-Q3"
            raise ValueError(message) from None
    if isinstance(date, dt.date) and not isinstance(date, dt.datetime):
        return quarter_of(date)
    try:
        return _quarter(raw)
    except ValueError:
        message = f"`{shortened(str(raw))}` is neither a quarter nor a date; write it like 2025-Q3 or 2025-07-01"
        raise ValueError(message) from None


QuarterOfDate = Annotated[str, BeforeValidator(_quarter_of_date)]
RENTAL = "rental"
"""Name of the pseudo-model of segments that rent device-hours."""
USES = {
    "calls": "Calls of models",
    "self_served": "Self-served inference",
    "training": "Training by renters",
    "reserve": "Rented and in reserve",
    "internal": "Own businesses",
}
"""What a segment does with compute, and its name in tables."""
RENTED_USES = ("self_served", "training", "reserve")
"""Uses that rent device-hours and find their own work for them."""
STANDARD, BATCH, OFF_PEAK = "standard", "batch", "off-peak"
"""Tiers that a price has without being named: at list, and at the two discounts."""


_SHOWN_FIELDS = 13
"""Fields that the text of a section shows."""


def _brief(value: Any) -> str:
    """Return a field on one line: an amount with its unit, a part by its kind, several by their names."""
    if isinstance(value, Amount):
        return f"{value.value:g}" + ("" if value.unit == "1" else f" {value.unit}")
    if isinstance(value, BaseModel):
        return f"<{type(value).__name__}>"
    if isinstance(value, Mapping):
        return ", ".join(map(str, value)) or "none"
    return str(value)[:100]


def _offered(kind: type) -> list[str]:
    """Return the methods that sections have of their own."""
    return [
        name
        for base in kind.__mro__
        if base.__module__.startswith("jevons.")
        for name in vars(base)
        if name[0].islower()
    ]


class Section(BaseModel):
    """A part of the file; unknown keys are errors, missing ones may come from facts under a prefix."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    FACT_NAMES: ClassVar[Mapping[str, str]] = {}
    """Fields that the facts under the section's prefix fill, and the end of each fact's id; ``_cny`` stands for any
    currency."""
    FACT_DEFAULTS: ClassVar[Mapping[str, str]] = {}
    """Fields that a fact fills where they are not given; its value alone, which no draw varies."""

    if not TYPE_CHECKING:  # checkers know the fields

        def __getattr__(self, name: str) -> Any:
            """Refuse a name that the section lacks; `AttributeError` says which it has, here or one section down."""
            if name.startswith("_") or hasattr(type(self), name):
                return super().__getattr__(name)
            fields = type(self).model_fields
            inner = [
                f"{section}.{name}"
                for section in fields
                if name in getattr(type(getattr(self, section)), "model_fields", ())
            ]
            if inner:
                message = f"{type(self).__name__} has no attribute `{name}`. Use `.{'` or `.'.join(inner)}`."
                raise AttributeError(message)
            raise unknown_attribute(type(self).__name__, name, (*fields, *_offered(type(self))))

    def __getitem__(self, path: str) -> Any:
        """Return what stands at a path, such as ``scenario["expansion.budget"]``.

        Raises
        ------
        NoSuchNameError
            If nothing does.
        """
        part: Any = self
        for name in str(path).split("."):
            known = type(part).model_fields if isinstance(part, BaseModel) else part
            if isinstance(part, BaseModel) and name in known:
                part = getattr(part, name)
            elif isinstance(part, Mapping) and name in part:
                part = part[name]
            else:
                names = list(known) if isinstance(known, Mapping) else []
                message = f"{path}: has no `{name}`.{did_you_mean(name, names) or f' There are {names}.'}"
                raise NoSuchNameError(message)
        return part

    def __repr__(self) -> str:
        """Return the first fields on one line."""
        fields = "; ".join(f"{name}: {_brief(getattr(self, name))}" for name in type(self).model_fields)
        return f"<{type(self).__name__} {fields if len(fields) <= 120 else fields[:119] + '…'}>"

    def __str__(self) -> str:
        """Return the fields, one a line, at most 15 lines; parts by their names."""
        names = list(type(self).model_fields)
        lines = [f"  {name}: {_brief(getattr(self, name))}" for name in names[:_SHOWN_FIELDS]]
        more = [f"  … {len(names) - _SHOWN_FIELDS} more fields"] if len(names) > _SHOWN_FIELDS else []
        return "\n".join([type(self).__name__, *lines, *more])

    @model_validator(mode="before")
    @classmethod
    def _fill_from_facts(cls, raw: Any, info: ValidationInfo) -> Any:
        """Take fields that are not given from facts: ``<prefix>.<name>`` where there is a prefix, else the default."""
        facts: Facts | None = (info.context or {}).get("facts")
        if not isinstance(raw, Mapping) or facts is None:
            return raw
        defaults = {n: f for n, f in cls.FACT_DEFAULTS.items() if n not in raw and f in facts}
        raw = {**raw, **{name: {"fact": fact_id, "fixed": True} for name, fact_id in defaults.items()}}
        if "facts" not in raw:
            return raw
        prefix = f"{raw['facts']}."
        if cls.FACT_NAMES and not any(fact.id.startswith(prefix) for fact in facts):
            known = {fact.id.rsplit(".", 1)[0] for fact in facts}
            message = f"facts: no fact begins with `{raw['facts']}`.{did_you_mean(str(raw['facts']), sorted(known))}"
            raise ValueError(message)
        filled = dict(raw)
        for field_name, fact_name in cls.FACT_NAMES.items():
            endings = (fact_name.replace("_cny", f"_{code.lower()}") for code in CURRENCIES)
            fact_id = next((f"{prefix}{ending}" for ending in endings if f"{prefix}{ending}" in facts), None)
            if field_name not in filled and fact_id is not None:
                filled[field_name] = {"fact": fact_id}
        return filled
