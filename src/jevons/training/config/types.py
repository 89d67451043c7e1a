"""What a trainer's file or launch line says, before it is known what that means."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Stated(NamedTuple):
    """A value and the key or flag that gave it, as it is written."""

    value: Any
    key: str


@dataclass(slots=True, kw_only=True)
class TrainingText:
    """What a trainer's file or launch line says.

    Parameters
    ----------
    program : str
        One of `jevons.training.config.keys.PROGRAMS`.
    settings : mapping of str to Stated
        By the names of `jevons.training.config.keys`.
    unmodelled, unknown : list of str
        Keys that change something that no prediction sees; keys that are not known.
    notes : list of str
        What was taken for what, and what could not be read.
    open : set of str
        Settings whose value is a variable that has none here.
    """

    program: str
    settings: dict[str, Stated] = field(default_factory=dict)
    unmodelled: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    open: set[str] = field(default_factory=set)

    def value(self, name: str, default: Any = None) -> Any:
        """Return the value of a setting."""
        stated = self.settings.get(name)
        return default if stated is None else stated.value

    def key(self, name: str) -> str:
        """Return the key that gave a setting."""
        return self.settings[name].key

    def take(self, name: str, value: Any, key: str) -> None:
        """Take a setting, unless what was read before says it."""
        self.settings.setdefault(name, Stated(value, key))
