"""What an option is, and how a value is checked against it."""

from __future__ import annotations

import math
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jevons.errors import InputError, did_you_mean

_MOST_NAMED = 16
"""Words that the message of an unknown one lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """What an option is.

    Parameters
    ----------
    help : str
        What the option is, in a few words without unit and default; those are added.
    unit : str
        Unit of a bare number, such as ``s``.
    low, high : float or None
        Least and greatest value.
    above : float or None
        Value that it must exceed.
    parse : callable or None
        Makes the value of what a person wrote, given value and name; None where the type alone says it.
    choices : callable or None
        Returns the words that are allowed, for the message and for completion.
    metavar : str
        Word for the value in help, such as ``TIME``.
    flag : str
        Name at the command line, without the dashes; that of the argument where empty.
    share : bool
        Whether it is a share, which may be written in percent; one that is at most 1 is.
    if_endless : str
        What an answer to an infinite value adds: how to say what people mean by it.
    expand : callable or None
        Returns other arguments that the value stands for, given it, what else was given by name, and the names of all
        arguments; each with the words for its origin. One that was given otherwise too is refused.
    """

    help: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    above: float | None = None
    parse: Callable[[Any, str], Any] | None = None
    choices: Callable[[], Sequence[str]] | None = None
    metavar: str = ""
    flag: str = ""
    share: bool = False
    if_endless: str = ""
    expand: Callable[[Any, Mapping[str, Any], frozenset[str]], Mapping[str, tuple[Any, str]]] | None = None

    @property
    def in_percent(self) -> bool:
        """Whether a number may be written in percent."""
        return self.share or (self.high is not None and self.high <= 1)

    def text(self) -> str:
        """Return the help with the unit."""
        return f"{self.help} [{self.unit}]" if self.unit else self.help

    def value(self, given: Any, name: str) -> Any:
        """Return what a caller gave as the value that the function works with.

        Raises
        ------
        InputError
            If it is of another type, out of bounds, or no allowed word.
        """
        if given is None:
            return None
        value = given if self.parse is None else self.parse(given, name)
        if self.choices is not None and isinstance(value, str):
            known = list(self.choices())
            if value not in known:
                more = f" and {len(known) - _MOST_NAMED} more" if len(known) > _MOST_NAMED else ""
                listed = f"{', '.join(known[:_MOST_NAMED])}{more}"
                message = f"--{name} {value}: unknown.{did_you_mean(value, known)} Known: {listed}."
                raise InputError(message)
        for number in value if isinstance(value, list | tuple) else (value,):
            if isinstance(number, float | int) and not isinstance(number, bool):
                self._check(number, given, name)
        return value

    def _check(self, number: float, given: Any, name: str) -> None:
        unit = f" {self.unit}" if self.unit else ""
        problem = ""
        if isinstance(number, float) and not math.isfinite(number):
            problem = f"must be a finite number{self.if_endless}"
        elif self.above is not None and not number > self.above:
            problem = f"must be above {self.above:g}{unit}"
        elif self.low is not None and number < self.low:
            problem = f"must be at least {self.low:g}{unit}"
        elif self.high is not None and number > self.high:
            problem = f"must be at most {self.high:,.10g}{unit}"
        if problem:
            message = f"--{name} {given}: {problem}"
            raise InputError(message)


@dataclass(frozen=True, slots=True)
class Default:
    """Default of an option in a group of options; None where a group states none."""

    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One parameter of a declared function."""

    name: str
    type: Any
    option: Option
    default: Any
    positional: bool
    several: bool = False

    @property
    def number(self) -> type | None:
        """The kind of number that text may spell: int or float; None where the argument is none, or is parsed."""
        kinds = [kind for kind in typing.get_args(self.type) if kind is not type(None)] or [self.type]
        plain = self.option.parse is None and len(kinds) == 1 and kinds[0] in {int, float}
        return kinds[0] if plain else None

    @property
    def flag(self) -> str:
        """Name at the command line, without the dashes."""
        return self.option.flag or self.name.rstrip("_").replace("_", "-")
