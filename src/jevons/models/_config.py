"""Typed access to the keys of a config.json; faults are collected and raised together."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jevons.errors import Fault, InputError
from jevons.limits import CONFIG_NUMBER, LAYERS
from jevons.schema import shortened


def _shown(value: Any) -> str:
    """Return a value as a message shows it, shortened."""
    return shortened(repr(value))


class Watched(dict[str, Any]):
    """The keys of an unknown decoder, which notes those that were looked at."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        super().__init__(raw)
        self.seen: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value and note its key."""
        self.seen.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        """Return a value and note its key."""
        self.seen.add(key)
        return super().__getitem__(key)

    def unread_sizes(self) -> list[str]:
        """Return the keys of sizes and counts that nobody looked at."""
        return [
            key for key, value in self.items()
            if key not in self.seen and _SIZE.search(key) and not _NO_SIZE.search(key)
            and (isinstance(value, list) or (isinstance(value, int) and not isinstance(value, bool) and value > 1))
        ]  # fmt: skip


_SIZE = re.compile(
    r"size|dim|width|rank|heads|experts?(_|$)|layers?(_|$)|blocks?(_|$)|num_|_num|groups?(_|$)|inner|state|cycles|loops"
)
_NO_SIZE = re.compile(
    r"token|rope|pretraining|return|beam|topk_group|n_group|image|vision|audio|window|chunk|norm|initiali|dropout|"
    r"max_position|num_logits|num_labels"
)


class Config:
    """The keys of one decoder; the first name that is present counts."""

    def __init__(self, raw: Mapping[str, Any], file: str, prefix: str = "") -> None:
        self.prefix = prefix
        self.raw = raw
        self.file = file
        self.faults: list[Fault] = []

    def integer(self, *names: str, default: int | None = None, least: int = 0, most: int = CONFIG_NUMBER) -> int:
        """Return a whole number; a fault (and 1) where it is missing without a default, or out of range."""
        for name in names:
            value = self.raw.get(name)
            if value is None:
                continue
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            if isinstance(value, bool) or not isinstance(value, int):
                self.fault(name, f"{_shown(value)}: must be a whole number")
                return max(least, 1)
            if not least <= value <= most:
                self.fault(name, f"{_shown(value)}: must lie between {least:,} and {most:,}")
                return max(least, 1)
            return value
        if default is None:
            self.fault(
                names[0], f"is missing; a decoder needs it (also read as {', '.join(names[1:]) or 'nothing else'})"
            )
            return max(least, 1)
        return default

    def number(self, name: str, *, default: float, least: float = 0.0, most: float = 1e6) -> float:
        """Return a number with a fraction; a fault (and *default*) where it is none or out of range."""
        value = self.raw.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fault(name, f"{_shown(value)}: must be a number")
            return default
        if not least <= value <= most:
            self.fault(name, f"{_shown(value)}: must lie between {least:g} and {most:g}")
            return default
        return float(value)

    def window(self, name: str, default: int | None = None) -> int | None:
        """Return the tokens that a query looks back; None (also for 0) where it sees all."""
        if self.raw.get(name) is None:
            return default
        return self.integer(name, least=0) or None

    def flag(self, *names: str, default: bool = False) -> bool:
        """Return a truth value; 0 and 1 count as one."""
        for name in names:
            value = self.raw.get(name)
            if value is None:
                continue
            if value not in (False, True) or isinstance(value, float):
                self.fault(name, f"{_shown(value)}: must be true or false")
                return default
            return bool(value)
        return default

    def text(self, name: str, default: str = "") -> str:
        """Return a text."""
        value = self.raw.get(name)
        if value is None:
            return default
        if not isinstance(value, str):
            self.fault(name, f"{_shown(value)}: must be a text")
            return default
        return value

    def listed(self, *names: str) -> list[Any]:
        """Return a list, empty where none is given; its items are texts, numbers or objects."""
        for name in names:
            value = self.raw.get(name)
            if isinstance(value, list):
                if len(value) > LAYERS:
                    self.fault(name, f"has {len(value):,} items; a model has at most {LAYERS:,} layers")
                    return []
                return list(value)
        return []

    def words(self, *names: str) -> list[str]:
        """Return a list of texts, empty where none is given."""
        for name in names:
            if self.raw.get(name) is not None and not isinstance(self.raw[name], list):
                self.fault(name, f"{_shown(self.raw[name])}: must be a list of texts")
        return self._items(names, lambda item: isinstance(item, str), "texts")

    def numbers(self, *names: str) -> list[int]:
        """Return a list of whole numbers, empty where none is given; truth values count as 0 and 1."""
        return self._items(
            names, lambda item: isinstance(item, int) and 0 <= item <= CONFIG_NUMBER, "whole numbers from 0"
        )

    def _items(self, names: Sequence[str], allowed: Callable[[Any], bool], what: str) -> list[Any]:
        items = self.listed(*names)
        name = next((key for key in names if isinstance(self.raw.get(key), list)), names[0])
        for place, item in enumerate(items):
            if not allowed(item):
                self.fault(f"{name}.{place}", f"{_shown(item)}: the list must be of {what}")
                return []
        return items

    def section(self, name: str) -> Config:
        """Return a nested object; its faults are collected here."""
        value = self.raw.get(name)
        if value is not None and not isinstance(value, Mapping):
            self.fault(name, f"{_shown(value)}: must be an object with keys")
        nested = Config(value if isinstance(value, Mapping) else {}, self.file, prefix=f"{self.prefix}{name}.")
        nested.faults = self.faults
        return nested

    def nested(self, place: str, value: Mapping[str, Any]) -> Config:
        """Return an object that stands at *place*, such as an item of a list; its faults are collected here."""
        inner = Config(value, self.file, prefix=f"{self.prefix}{place}.")
        inner.faults = self.faults
        return inner

    def like(self, raw: Mapping[str, Any]) -> Config:
        """Return the same object with keys added that a family's code fixes; faults are collected here."""
        filled = Config(raw, self.file, prefix=self.prefix)
        filled.faults = self.faults
        return filled

    def of_layer(self, index: int) -> Config:
        """Return the keys of one layer: the decoder's, and what `per_layer_config` changes in that layer."""
        changes = self.raw.get("per_layer_config")
        if not isinstance(changes, Mapping):
            return self
        for key, change in changes.items():
            if str(key).isdecimal() and int(str(key)[:6]) == index and isinstance(change, Mapping):
                return self.like({**self.raw, **change})
        return self

    def fault(self, key: str, message: str) -> None:
        """Collect a fault, once."""
        fault = Fault(message=message, path=f"{self.prefix}{key}", file=self.file)
        if fault not in self.faults:
            self.faults.append(fault)

    def finish(self) -> None:
        """Raise what was collected."""
        if self.faults:
            raise InputError(self.faults)
