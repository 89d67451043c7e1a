"""The type of an argument, as its function declares it."""

from __future__ import annotations

import datetime as dt
import math
import numbers
import os
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jevons.errors import InputError
from jevons.named import as_argument
from jevons.options.option import Declared

_NONE_OF_IT = object()


def typed(given: Any, parameter: Declared) -> Any:
    """Return an argument in the type that its function declares: numpy's numbers as Python's, a path as text.

    Raises
    ------
    InputError
        If it is of another type.
    """
    kinds = typing.get_args(parameter.type) if _is_union(parameter.type) else (parameter.type,)
    if given is None:
        if parameter.default is None or type(None) in kinds or Any in kinds:
            return None
        raise _another_type(given, kinds, parameter.flag)
    if str in kinds and type(given).__name__ not in map(_name_of, kinds):
        given = as_argument(given) or given
    for kind in kinds:
        value = _as_kind(given, kind)
        if value is not _NONE_OF_IT:
            return value
    strange = [kind for kind in kinds if typing.get_origin(kind) is None and kind not in _KINDS]
    if strange and not isinstance(given, numbers.Number | bytes | list | tuple | dict | set | type):
        return given  # a class of the package, which its function knows
    raise _another_type(given, kinds, parameter.flag)


def _name_of(kind: Any) -> str:
    return getattr(kind, "__name__", str(kind))


def _is_union(kind: Any) -> bool:
    return typing.get_origin(kind) in {typing.Union, types.UnionType}


def _as_kind(given: Any, kind: Any) -> Any:
    """Return a value as one kind has it, or `_NONE_OF_IT` where it is none of it."""
    truth = isinstance(given, bool) or type(given).__name__ == "bool"
    whole = isinstance(given, numbers.Integral) or (isinstance(given, float) and given.is_integer())
    if kind is Any:
        return given
    if kind is bool and truth:
        return bool(given)
    if kind is int and whole and not truth:
        return int(given)
    if kind is int and isinstance(given, float) and not math.isfinite(given):
        return given  # told as what it is by the bounds
    if kind is float and isinstance(given, numbers.Real) and not truth:
        return int(given) if isinstance(given, numbers.Integral) else float(given)
    if kind is str and isinstance(given, str | os.PathLike):
        return os.fspath(given)
    if kind is Path and isinstance(given, str | os.PathLike):
        return given
    if kind is dt.date and isinstance(given, dt.date):
        return given
    origin = typing.get_origin(kind)
    if isinstance(origin, type) and isinstance(given, origin) and not isinstance(given, str | bytes):
        inner = [part for part in typing.get_args(kind) if isinstance(part, type)]
        inner += [int] if float in inner else []
        items = typing.cast("Sequence[Any]", given) if origin is Sequence and inner else ()
        return given if all(isinstance(item, tuple(inner)) for item in items) else _NONE_OF_IT
    return _NONE_OF_IT


_KINDS: dict[Any, str] = {
    int: "a whole number", float: "a number", str: "text", bool: "true or false", Path: "a path", dt.date: "a date",
    type(None): "none",
}  # fmt: skip


_COLLECTIONS: dict[Any, str] = {Sequence: "a list of texts", Mapping: "a dictionary from path to values"}


def _another_type(given: Any, kinds: Sequence[Any], name: str) -> InputError:
    words = [_KINDS.get(kind) or _COLLECTIONS.get(typing.get_origin(kind), "") for kind in kinds]
    known = " or ".join(dict.fromkeys(word for word in words if word and word != "none"))
    shown = repr(given)
    return InputError(
        f"--{name} {shown if len(shown) <= 60 else shown[:57] + '…'}: must be {known or 'of another type'}"
    )
