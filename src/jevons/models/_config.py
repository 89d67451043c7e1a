"""Typed access to the keys of a config.json; faults are collected and raised together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jevons.errors import Fault, InputError

_MOST = 100_000_000


class Config:
    """The keys of one decoder; the first name that is present counts."""

    def __init__(self, raw: Mapping[str, Any], file: str) -> None:
        self.raw = raw
        self.file = file
        self.faults: list[Fault] = []

    def integer(self, *names: str, default: int | None = None, least: int = 0, most: int = _MOST) -> int:
        """Return a whole number; a fault (and 1) where it is missing without a default, or out of range."""
        for name in names:
            value = self.raw.get(name)
            if value is None:
                continue
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            if isinstance(value, bool) or not isinstance(value, int):
                self.fault(name, f"{value!r}: must be a whole number")
                return max(least, 1)
            if not least <= value <= most:
                self.fault(name, f"{value}: must lie between {least} and {most}")
                return max(least, 1)
            return value
        if default is None:
            self.fault(
                names[0], f"is missing; a decoder needs it (also read as {', '.join(names[1:]) or 'nothing else'})"
            )
            return max(least, 1)
        return default

    def flag(self, *names: str, default: bool = False) -> bool:
        """Return a truth value."""
        for name in names:
            if name in self.raw and self.raw[name] is not None:
                return bool(self.raw[name])
        return default

    def listed(self, *names: str) -> list[Any]:
        """Return a list, empty where none is given."""
        for name in names:
            if isinstance(self.raw.get(name), list):
                return list(self.raw[name])
        return []

    def section(self, name: str) -> Config:
        """Return a nested object; its faults are collected here."""
        value = self.raw.get(name)
        nested = Config(value if isinstance(value, Mapping) else {}, self.file)
        nested.faults = self.faults
        return nested

    def fault(self, key: str, message: str) -> None:
        """Collect a fault, once."""
        fault = Fault(message=message, path=key, file=self.file)
        if fault not in self.faults:
            self.faults.append(fault)

    def finish(self) -> None:
        """Raise what was collected."""
        if self.faults:
            raise InputError(self.faults)
