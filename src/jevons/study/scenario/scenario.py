"""The scenario file: one section per stage, every figure an `Amount` with its origin."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, PrivateAttr

from jevons.errors import Fault, InputError, did_you_mean
from jevons.options import answered
from jevons.study.scenario.amounts import Amount, Quantity
from jevons.study.scenario.base import RENTAL, Quarter, Section
from jevons.study.scenario.contradictions import contradictions
from jevons.study.scenario.market import MarketSpec, PriceSpec
from jevons.study.scenario.sections import (
    CostSpec,
    ExpansionSpec,
    FinanceSpec,
    FirmSpec,
    HardwareSpec,
    ServedModel,
    ServingSpec,
    StudySpec,
)
from jevons.units import MONEY

__all__ = ["RENTAL", "MarketSpec", "PriceSpec", "Scenario", "Section", "ServedModel"]


class Scenario(Section):
    """A scenario: one section per stage."""

    name: str
    """Title of the study."""
    as_of: dt.date
    """Information date: nothing published later is used."""
    currency: Literal["CNY", "USD", "HKD", "EUR", "GBP", "JPY", "INR", "KRW", "SAR", "AED"] = "CNY"
    """Currency of all results; amounts in others are converted at the rate of `as_of`."""
    region: str = ""
    """Region whose figures stand where the file gives none, such as `us`; empty for none."""
    firm: FirmSpec = FirmSpec()
    """Whose plan it is."""
    seed: int = Field(7, ge=0, strict=True)
    """Root of all random streams."""
    start: Quarter
    """First quarter of the plan, such as 2025-Q1."""
    quarters: int = Field(12, ge=2, le=40, strict=True)
    """Number of quarters."""
    hardware: HardwareSpec
    serving: ServingSpec
    cost: CostSpec
    market: MarketSpec
    expansion: ExpansionSpec
    finance: FinanceSpec
    study: StudySpec = StudySpec(draws=64)
    _source_file: Path | None = PrivateAttr(None)

    @property
    def source_file(self) -> Path | None:
        """File that the scenario was read from, which no result of it may overwrite; None where there is none."""
        return self._source_file

    def read_from(self, path: Path | str) -> Scenario:
        """Return the same scenario as read from a file."""
        scenario = self.model_copy()
        scenario._source_file = Path(path).absolute()  # noqa: SLF001 - its own
        return scenario

    def labels(self) -> tuple[str, ...]:
        """Return the names of the quarters."""
        year, quarter = int(self.start[:4]), int(self.start[-1]) - 1
        return tuple(f"{year + (quarter + i) // 4}-Q{(quarter + i) % 4 + 1}" for i in range(self.quarters))

    def amounts(self) -> dict[str, Amount]:
        """Return every amount by its path."""
        return {path: _with_currency(amount, self.currency) for path, amount in _walk(self, "")}

    def settings(self) -> dict[str, tuple[str | int | bool, str]]:
        """Return everything else by its path: the value, and ``given`` or ``default``."""
        return dict(_walk_settings(self, ""))

    def __repr__(self) -> str:
        """Return the fields, one a line, at most 15 lines."""
        return str(self)

    @answered
    def with_values(self, values: Mapping[str, float | str | Mapping[str, Any]]) -> Scenario:
        """Return the scenario with other amounts at the given paths, parsed and checked as a file's are.

        Parameters
        ----------
        values : mapping of str to float, str or mapping
            By path, such as ``cost.wacc``: a number in the field's unit, text such as ``"200 bn CNY"``, or a mapping as
            in a file (a fact, or low, mode, high and source). A number or text replaces the central value; the range
            stays where it holds that value, else the amount is certain.

        Raises
        ------
        InputError
            With every fault: a path that names no amount (near names are offered), a value that is none, that breaks
            the field's bounds, or that contradicts the rest of the scenario.

        Examples
        --------
        >>> import jevons
        >>> scenario = jevons.load("scenarios/alibaba-380bn.yaml")
        >>> scenario.with_values({"expansion.budget": "200 bn CNY"}).expansion.budget.value
        200000000000.0
        """
        from jevons.facts import default_facts

        if not isinstance(values, Mapping):
            message = (
                f"values {values!r}: give a dictionary from path to value, such as {{'expansion.budget': '200 bn CNY'}}"
            )
            raise InputError(message)
        facts = default_facts()
        amounts, quantities = self.amounts(), quantities_of(self)
        faults, parsed = [], {}
        for path, raw in values.items():
            if path not in amounts:
                faults.append(Fault(message=_no_amount(path, amounts, self.settings()), path=path))
                continue
            try:
                stated = quantities[path].read(raw, {"facts": facts, "as_of": self.as_of, "currency": self.currency})
            except ValueError as error:
                faults.append(Fault(message=str(error), path=path))
                continue
            parsed[path] = stated if isinstance(raw, Mapping) else amounts[path].at(stated.value)
        if faults:
            raise InputError(faults)
        changed = self._replaced(parsed)
        faults = list(contradictions(changed.serving, changed.cost, changed.expansion, changed.finance, changed.market))
        if faults:
            raise InputError(faults)
        return changed

    def with_amounts(self, amounts: Mapping[str, Amount]) -> Scenario:
        """Return the scenario with other amounts at the given paths, each with its own range.

        Raises
        ------
        InputError
            If they contradict the rest of the scenario.
        """
        altered = self._replaced(amounts)
        faults = list(contradictions(altered.serving, altered.cost, altered.expansion, altered.finance, altered.market))
        if faults:
            raise InputError(faults)
        return altered

    def with_numbers(self, values: Mapping[str, float]) -> Scenario:
        """Return the scenario with the central values at *values*' paths replaced, nothing checked: for drawn numbers.

        Ranges and origins stay. A path that names no amount changes nothing.
        """
        return self._replaced(values)

    def _replaced(self, values: Mapping[str, float | Amount]) -> Scenario:
        above = {path[:end] for path in values for end, letter in enumerate(path) if letter == "."}
        return _replace(self, values, {"", *above, *values}, "")  # type: ignore[no-any-return]


def quantities_of(scenario: Scenario) -> dict[str, Quantity]:
    """Return what the field of every amount states of it, by path."""
    return dict(_quantities(scenario, ""))


def _with_currency(amount: Amount, code: str) -> Amount:
    """Return an amount that is there by default with the currency of the scenario in its unit."""
    return dataclasses.replace(amount, unit=amount.unit.replace(MONEY, code)) if MONEY in amount.unit else amount


def _no_amount(path: str, amounts: Mapping[str, Amount], settings: Mapping[str, Any]) -> str:
    """Return what is wrong with a path that names no amount."""
    if path in settings:
        return "is a setting and no amount; change it in the scenario's file"
    return f"no such amount.{did_you_mean(path, amounts)}"


def _quantities(section: Any, path: str) -> Iterator[tuple[str, Quantity]]:
    """Yield the path of every amount with what its field states of it."""
    if isinstance(section, BaseModel):
        for name, field in type(section).model_fields.items():
            inner, value = f"{path}.{name}" if path else name, getattr(section, name)
            if isinstance(value, Amount):
                yield from ((inner, entry) for entry in field.metadata if isinstance(entry, Quantity))
            else:
                yield from _quantities(value, inner)
    elif isinstance(section, dict):
        for name, item in section.items():
            yield from _quantities(item, f"{path}.{name}")
    elif isinstance(section, list):
        for index, item in enumerate(section):
            yield from _quantities(item, f"{path}.{index}")


def _walk(section: Any, path: str) -> Iterator[tuple[str, Amount]]:
    if isinstance(section, Amount):
        yield path, section
    elif isinstance(section, BaseModel):
        for name in type(section).model_fields:
            yield from _walk(getattr(section, name), f"{path}.{name}" if path else name)
    elif isinstance(section, dict):
        for name, item in section.items():
            yield from _walk(item, f"{path}.{name}")
    elif isinstance(section, list):
        for index, item in enumerate(section):
            yield from _walk(item, f"{path}.{index}")


def _walk_settings(section: Any, path: str) -> Iterator[tuple[str, tuple[str | int | bool, str]]]:
    if isinstance(section, BaseModel):
        for name, field in type(section).model_fields.items():
            written = field.alias or name
            inner, value = f"{path}.{written}" if path else written, getattr(section, name)
            if isinstance(value, str | int | bool | dt.date) and name not in {"facts", "label"}:
                shown = str(value) if isinstance(value, dt.date) else value
                yield inner, (shown, "given" if name in section.model_fields_set else "default")
            else:
                yield from _walk_settings(value, inner)
    elif isinstance(section, dict):
        for name, item in section.items():
            yield from _walk_settings(item, f"{path}.{name}")
    elif isinstance(section, list):
        for index, item in enumerate(section):
            yield from _walk_settings(item, f"{path}.{index}")


def _replace(section: Any, values: Mapping[str, float | Amount], on_the_way: set[str], path: str) -> Any:
    """Return a section with values replaced; *on_the_way* holds their paths and all that lead there."""
    if path not in on_the_way:
        return section
    if isinstance(section, Amount):
        new = values.get(path, section)
        return new if isinstance(new, Amount) else dataclasses.replace(section, value=new)
    if isinstance(section, BaseModel):
        names = type(section).model_fields
        update = {n: _replace(getattr(section, n), values, on_the_way, f"{path}.{n}" if path else n) for n in names}
        return section.model_copy(update=update)
    if isinstance(section, dict):
        return {name: _replace(item, values, on_the_way, f"{path}.{name}") for name, item in section.items()}
    if isinstance(section, list):
        return [_replace(item, values, on_the_way, f"{path}.{index}") for index, item in enumerate(section)]
    return section
