"""Amounts in a scenario: a number with a unit, a reference to a fact, or a distribution; where each came from."""

from __future__ import annotations

import datetime as dt
import math
import numbers
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from jevons.errors import FactError, did_you_mean
from jevons.facts import Facts, cny_per
from jevons.limits import AMOUNT, SITE_W, UNIT_PRICE
from jevons.schema import shortened
from jevons.units import CURRENCIES, MONEY, UnitError, convert, parse_quantity, parse_unit, with_code

DEFAULT_CURRENCY = "CNY"
"""Currency of a scenario that names none."""

_KEYS = {"fact", "low", "mode", "high", "source", "fixed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """One figure of a scenario.

    Parameters
    ----------
    value : float
        Central value, in *unit*.
    unit : str
        SI base unit, plain currency, or a tariff unit.
    low, high : float or None
        Range of the distribution, triangular on the scale of `by_factors`; None where it is certain.
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

    def at(self, value: float) -> Amount:
        """Return the amount given anew: certain where *value* lies outside of its range."""
        inside = self.low is not None and self.high is not None and self.low <= value <= self.high
        low, high = (self.low, self.high) if inside else (None, None)
        return Amount(value=value, unit=self.unit, low=low, high=high)

    @property
    def by_factors(self) -> bool:
        """Whether the range reads as factors about the value (1000, 2000, 4000) rather than as steps (0.2, 0.4, 0.6).

        That is so where the value lies nearer to the middle of the range in the logarithm than on the line. Read as
        steps, every range of factors would lean upwards. A plan multiplies dozens of them, so draws would leave its
        central figures behind.
        """
        if self.low is None or self.high is None or self.low * self.high <= 0 or self.high <= self.low:
            return False
        near, far = sorted((abs(self.low), abs(self.high)))
        on_line = (abs(self.value) - near) / (far - near)
        in_log = math.log(abs(self.value) / near) / math.log(far / near)
        return abs(in_log - 0.5) < abs(on_line - 0.5)

    def quantile(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return quantiles of the distribution, an array of the shape of *probability* (in 0..1)."""
        if self.low is None or self.high is None or self.high <= self.low:
            return np.full_like(probability, self.value)
        if not self.by_factors:
            return triangular_quantile(probability, self.low, self.value, self.high)
        if self.low > 0:
            return np.exp(triangular_quantile(probability, *np.log([self.low, self.value, self.high])))
        return -np.exp(triangular_quantile(1 - probability, *np.log([-self.high, -self.value, -self.low])))


def triangular_quantile(probability: NDArray[np.float64], low: float, mode: float, high: float) -> NDArray[np.float64]:
    """Return quantiles of a triangular distribution, an array of the shape of *probability* (in 0..1); low < high."""
    left = low + np.sqrt(probability * (high - low) * (mode - low))
    right = high - np.sqrt((1 - probability) * (high - low) * (high - mode))
    return np.where(probability < (mode - low) / (high - low), left, right)


_PRICES = ("¤/Mtok", "¤/h", "¤/kWh", "¤/W", "¤/W/y")
_MOST: dict[str, float] = {**dict.fromkeys(_PRICES, UNIT_PRICE), "W": SITE_W, "W/quarter": SITE_W}
"""Greatest size of an amount by its field's unit; of other units `jevons.limits.AMOUNT`."""


@dataclass(frozen=True, slots=True, kw_only=True)
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
        context = info.context or {}
        unit = self.unit_in(context)
        return self._checked(raw, raw if isinstance(raw, Amount) else _parse(raw, unit, context), unit)

    def unit_in(self, context: Mapping[str, Any]) -> str:
        """Return the field's unit with the scenario's currency in place of ``¤``."""
        return self.unit.replace(MONEY, str(context.get("currency", DEFAULT_CURRENCY)))

    def read(self, raw: Any, context: Mapping[str, Any]) -> Amount:
        """Return the amount that *raw* states in a program, where a bare number is in the field's unit.

        Raises
        ------
        ValueError
            If it is no amount, or breaks a bound.
        """
        if isinstance(raw, numbers.Real) and not isinstance(raw, bool):
            if not math.isfinite(raw):
                message = f"{raw}: must be a finite number"
                raise ValueError(message)
            return self._checked(raw, Amount(value=float(raw), unit=self.unit_in(context)), self.unit_in(context))
        return self._checked(raw, _parse(raw, self.unit_in(context), context), self.unit_in(context))

    def check(self, amount: Amount) -> None:
        """Check value and range against the bounds.

        Raises
        ------
        ValueError
            If one is broken.
        """
        unit = "" if amount.unit == "1" else f" {amount.unit}"
        self._checked(f"{amount.value:g}{unit}", amount, amount.unit)

    def _checked(self, raw: Any, amount: Amount, unit: str) -> Amount:
        for name, number in (("value", amount.value), ("low", amount.low), ("high", amount.high)):
            if number is not None and (problem := self.problem(number, unit)):
                message = f"{_given(raw, name, number, unit)}: {problem}"
                raise ValueError(message)
        return amount

    def problem(self, number: float, shown: str) -> str:
        """Return the bound that *number* breaks, in words with the unit *shown*, or an empty string."""
        unit = "" if shown == "1" else f" {shown}"
        reason = f" ({self.why})" if self.why else ""
        if self.ge is not None and number < self.ge:
            return f"must be at least {self.ge:g}{unit}{reason}"
        if self.gt is not None and number <= self.gt:
            return f"must be above {self.gt:g}{unit}{reason}"
        if self.le is not None and number > self.le:
            return f"must be at most {self.le:g}{unit}{reason}"
        if abs(number) > (most := _MOST.get(self.unit, AMOUNT)):
            return f"must be at most {most:g}{unit} in size; is it in the right unit?"
        return ""


def _given(raw: Any, name: str, number: float, unit: str) -> str:
    """Return a figure as the file gives it, else as it was understood."""
    if not isinstance(raw, Mapping):
        return str(raw.value if isinstance(raw, Amount) else raw)
    key = name if name != "value" else "fact" if "fact" in raw else "mode"
    if key in raw and key != "fact":
        return f"{key} {raw[key]}"
    return f"{name} {number:g}{'' if unit == '1' else ' ' + unit} of fact `{raw['fact']}`"


def _plain(amount: Amount) -> dict[str, Any]:
    plain: dict[str, Any] = {"value": amount.value, "unit": amount.unit, "origin": amount.origin}
    if amount.uncertain:
        plain |= {"low": amount.low, "high": amount.high}
    return plain


def _parse(raw: Any, unit: str, context: Mapping[str, Any]) -> Amount:
    if isinstance(raw, Mapping):
        return _parse_mapping(raw, unit, context)
    return Amount(value=_number(raw, unit, context), unit=unit)


def _number(raw: Any, unit: str, context: Mapping[str, Any]) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str) or (isinstance(raw, str) and len(raw) > 100):
        message = f"`{shortened(str(raw))}` is not an amount; write {_example(unit)}, a fact or a distribution"
        raise ValueError(message)
    if isinstance(raw, str):
        raw = with_code(raw)
        if not re.match(r"\s*[+-]?\.?\d", raw):
            message = f"`{raw}` is not an amount; write {_example(unit)}, a fact or a distribution"
            if "¥" in raw:
                message = f"`{raw}`: ¥ is the sign of CNY and of JPY; write the code, such as `10 bn JPY`"
            raise ValueError(message)
        try:
            return parse_quantity(raw, unit)
        except UnitError as error:
            message = str(error)
        foreign, rate = _foreign(raw, unit, context)
        if not foreign:
            raise ValueError(message)
        try:
            return parse_quantity(raw, unit.replace(_currency_of(unit), foreign)) * rate
        except UnitError as error:
            raise ValueError(str(error)) from None
    if parse_unit(unit).powers:
        message = f"`{raw}` has no unit; write it like `{raw} {unit}`"
        raise ValueError(message)
    try:
        value = float(raw)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        message = f"`{shortened(str(raw))}` is not a finite number"
        raise ValueError(message)
    return value


def _example(unit: str) -> str:
    return "a number, such as `0.5`" if unit == "1" else f"a number with a unit, such as `10 {unit}`"


def _foreign(text: str, unit: str, context: Mapping[str, Any]) -> tuple[str, float]:
    """Return the currency in *text* that may stand in for the one in *unit*, and units of that per unit of it."""
    facts: Facts | None = context.get("facts")
    own = _currency_of(unit)
    for code in CURRENCIES:
        if facts is not None and own and code != own and code in text:
            try:
                return code, _in_cny(code, facts, context) / _in_cny(own, facts, context)
            except FactError as error:
                raise ValueError(str(error)) from None
    return "", 1.0


def _currency_of(unit: str) -> str:
    return next((code for code in CURRENCIES if code in unit), "")


def _in_cny(code: str, facts: Facts, context: Mapping[str, Any]) -> float:
    return cny_per(facts, code, context.get("as_of"))


def _conversion(have: str, want: str, context: Mapping[str, Any]) -> float:
    foreign, rate = _foreign(have, want, context)
    return convert(1.0, have.replace(foreign, _currency_of(want)) if foreign else have, want) * rate


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
    if not isinstance(raw["source"], str) or not raw["source"].strip():
        message = f"source {raw['source']!r}: must say in words where the range comes from"
        raise ValueError(message)
    return Amount(
        value=mode, unit=unit, low=low, high=high, origin="given", grade="judgement", source=str(raw["source"])
    )


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
        number = value.number
        factor = _conversion(value.unit, unit, context)
        central = number * factor
        bounds = [None if b is None else b * factor for b in (value.low, value.high)]
    except (FactError, UnitError) as error:
        raise ValueError(str(error)) from None
    low, high = (
        _number(raw[name], unit, context) if name in raw else bound
        for name, bound in zip(("low", "high"), bounds, strict=True)
    )
    if not isinstance(raw.get("fixed", False), bool):
        message = f"fixed {raw['fixed']}: must be true (the value alone counts) or left out"
        raise ValueError(message)
    if raw.get("fixed"):
        low = high = None
    if (low is None) != (high is None):
        message = f"fact `{raw['fact']}` has no range of its own; give both `low` and `high`"
        raise ValueError(message)
    if low is not None and high is not None and not low <= central <= high:
        message = f"fact `{raw['fact']}` = {central:g} lies outside low {low:g} to high {high:g}"
        raise ValueError(message)
    return Amount(
        value=central,
        unit=unit,
        low=low,
        high=high,
        origin=value.id,
        grade=value.grade,
        source=str(value.source or value.reason or value.formula),
    )
