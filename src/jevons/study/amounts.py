"""Amounts in a scenario: a number with a unit, a reference to a fact, or a distribution; where each came from."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from jevons.errors import FactError, did_you_mean
from jevons.facts import Facts
from jevons.units import UnitError, convert, parse_quantity, parse_unit

_KEYS = {"fact", "low", "mode", "high", "source", "fixed"}


@dataclass(frozen=True, slots=True)
class Amount:
    """One figure of a scenario.

    Parameters
    ----------
    value : float
        Central value, in *unit*.
    unit : str
        SI base unit, plain currency, or a tariff unit.
    low, high : float or None
        Range of the distribution (triangular; in the logarithm where high > 10 low > 0); None where it is certain.
    origin : str
        ``given``, ``default``, or the fact's id.
    grade, source : str
        Evidence: of the fact, or ``judgement`` for a distribution written in the scenario.
    """

    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    origin: str = "given"
    grade: str = "judgement"
    source: str = ""

    @property
    def uncertain(self) -> bool:
        """Whether the amount has a range."""
        return self.low is not None and self.high is not None and self.high > self.low

    def quantile(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return quantiles of the distribution, an array of the shape of *probability* (in 0..1)."""
        if self.low is None or self.high is None or self.high <= self.low:
            return np.full_like(probability, self.value)
        low, mode, high = self.low, self.value, self.high
        in_log = low > 0 and high > 10 * low
        if in_log:
            low, mode, high = math.log(low), math.log(mode), math.log(high)
        split = (mode - low) / (high - low)
        left = low + np.sqrt(probability * (high - low) * (mode - low))
        right = high - np.sqrt((1 - probability) * (high - low) * (high - mode))
        drawn = np.where(probability < split, left, right)
        return np.exp(drawn) if in_log else drawn


@dataclass(frozen=True, slots=True)
class Quantity:
    """Marks a scenario field as an amount in a unit, with bounds on its value and range.

    Parameters
    ----------
    unit : str
        Unit that the parsed value has.
    ge, gt, le : float or None
        Bounds.
    why : str
        What a bound means, for the message.
    """

    unit: str
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    why: str = ""

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema that parses what a file may hold."""
        return core_schema.with_info_plain_validator_function(
            self.parse, serialization=core_schema.plain_serializer_function_ser_schema(_plain)
        )

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return what the reference says about the field."""
        return {"description": f"amount in {self.unit}", "x-unit": self.unit}

    def parse(self, raw: Any, info: ValidationInfo) -> Amount:
        """Return the amount that *raw* states, checked against the bounds."""
        amount = raw if isinstance(raw, Amount) else _parse(raw, self.unit, info.context or {})
        for number in (amount.value, amount.low, amount.high):
            if number is not None:
                _check_bounds(number, self.unit, self.ge, self.gt, self.le, self.why)
        return amount


def _plain(amount: Amount) -> dict[str, Any]:
    plain: dict[str, Any] = {"value": amount.value, "unit": amount.unit, "origin": amount.origin}
    if amount.uncertain:
        plain |= {"low": amount.low, "high": amount.high}
    return plain


def _check_bounds(number: float, unit: str, ge: float | None, gt: float | None, le: float | None, why: str) -> None:
    shown = "" if unit == "1" else f" {unit}"
    reason = f" ({why})" if why else ""
    if ge is not None and number < ge:
        message = f"= {number:g}{shown}: must be at least {ge:g}{shown}{reason}."
        raise ValueError(message)
    if gt is not None and number <= gt:
        message = f"= {number:g}{shown}: must be above {gt:g}{shown}{reason}."
        raise ValueError(message)
    if le is not None and number > le:
        message = f"= {number:g}{shown}: must be at most {le:g}{shown}{reason}."
        raise ValueError(message)


def _parse(raw: Any, unit: str, context: Mapping[str, Any]) -> Amount:
    if isinstance(raw, Mapping):
        return _parse_mapping(raw, unit, context)
    return Amount(_number(raw, unit, context), unit)


def _number(raw: Any, unit: str, context: Mapping[str, Any]) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        message = f"`{raw}` is not an amount; write a number with a unit, such as `10 {unit}`, or {{fact: id}}"
        raise ValueError(message)
    if isinstance(raw, str):
        try:
            return parse_quantity(raw, unit)
        except UnitError as error:
            message = str(error)
        for foreign, rate in _rates(unit, context):
            if foreign in raw:
                return parse_quantity(raw, unit.replace("CNY", foreign)) * rate
        raise ValueError(message)
    if parse_unit(unit).powers:
        message = f"`{raw}` has no unit; write it like `{raw} {unit}`"
        raise ValueError(message)
    if not math.isfinite(raw):
        message = f"`{raw}` is not a finite number"
        raise ValueError(message)
    return float(raw)


def _rates(unit: str, context: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Return (foreign currency, CNY per unit of it) that may stand in for CNY in *unit*, at the scenario's date."""
    facts: Facts | None = context.get("facts")
    if facts is None or "CNY" not in unit:
        return []
    on: dt.date | None = context.get("as_of")
    known = [code for code in ("usd", "hkd") if f"fx.cny_per_{code}" in facts]
    return [(code.upper(), facts.get(f"fx.cny_per_{code}", on).number) for code in known]


def _conversion(have: str, want: str, context: Mapping[str, Any]) -> float:
    for foreign, rate in _rates(want, context):
        if foreign in have:
            return convert(1.0, have.replace(foreign, "CNY"), want) * rate
    return convert(1.0, have, want)


def _parse_mapping(raw: Mapping[Any, Any], unit: str, context: Mapping[str, Any]) -> Amount:
    for key in raw:
        if key not in _KEYS:
            message = f"unknown field `{key}` in an amount.{did_you_mean(str(key), _KEYS)}"
            raise ValueError(message)
    if "fact" in raw:
        return _from_fact(raw, unit, context)
    missing = {"low", "mode", "high", "source"} - set(raw)
    if missing:
        message = f"a distribution needs `low`, `mode`, `high` and `source`; missing: {', '.join(sorted(missing))}"
        raise ValueError(message)
    low, mode, high = (_number(raw[name], unit, context) for name in ("low", "mode", "high"))
    if not low <= mode <= high:
        message = f"low {raw['low']}, mode {raw['mode']}, high {raw['high']} are not in rising order"
        raise ValueError(message)
    return Amount(mode, unit, low, high, "given", "judgement", str(raw["source"]))


def _from_fact(raw: Mapping[Any, Any], unit: str, context: Mapping[str, Any]) -> Amount:
    facts: Facts | None = context.get("facts")
    if facts is None:
        message = "a fact can be referred to only in a scenario file"
        raise ValueError(message)
    on: dt.date | None = context.get("as_of")
    if {"mode", "source"} & set(raw):
        message = "give either `fact` (with `low` and `high` if you know better) or `low`, `mode`, `high`, `source`"
        raise ValueError(message)
    try:
        value = facts.get(str(raw["fact"]), on)
        factor = _conversion(value.unit, unit, context)
        central = value.number * factor
        bounds = [None if b is None else b * factor for b in (value.low, value.high)]
    except (FactError, UnitError) as error:
        raise ValueError(str(error)) from None
    low, high = (
        _number(raw[name], unit, context) if name in raw else bound
        for name, bound in zip(("low", "high"), bounds, strict=True)
    )
    if raw.get("fixed"):
        low = high = None
    if low is not None and high is not None and not low <= central <= high:
        message = f"fact `{raw['fact']}` = {central:g} lies outside low {low:g} to high {high:g}"
        raise ValueError(message)
    return Amount(central, unit, low, high, value.id, value.grade, str(value.source or value.reason))
