"""How text becomes the value of an option, and parsed values with their types."""

from __future__ import annotations

import datetime as dt
import math
import re
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jevons.errors import InputError
from jevons.options.option import Declared
from jevons.units import UnitError, parse_date, parse_quantity

_TIME = re.compile(r"^\s*([0-9.eE+-][0-9_.eE+-]*|[1-9]\d{0,2}(?:,\d{3})+)\s*([a-zµμ]+)?\s*$")
_SECONDS: dict[str | None, float] = {
    **dict.fromkeys(("us", "µs", "μs", "microseconds"), 1e-6), **dict.fromkeys(("ms", "milliseconds"), 1e-3),
    None: 1.0, **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("min", "minute", "minutes"), 60.0), **dict.fromkeys(("h", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
}  # fmt: skip


def duration_s(given: Any, name: str) -> float:
    """Return a time in seconds: a number of seconds, or text with a unit, such as ``300ms`` or ``1.5 s``.

    Raises
    ------
    InputError
        If it is no time.

    Examples
    --------
    >>> duration_s("300ms", "ttft")
    0.3
    """
    match = _TIME.match(str(given))
    try:
        if isinstance(given, bool) or match is None:
            raise ValueError
        return float(match[1].replace(",", "")) * _SECONDS[match[2]]
    except (KeyError, ValueError):
        message = f"--{name} {given}: write a time with its unit, such as 300ms or 1.5s"
        raise InputError(message) from None


_DATA_UNIT = re.compile(r"([kmgtp])(i?)(b?)\s*$", re.IGNORECASE)


def _written(unit: re.Match[str]) -> str:
    """Return a unit of data as units are written: kB for KB, MB for mb, GiB for Gi; M alone may be either and stays."""
    letter, binary, byte = unit[1], unit[2].lower(), unit[3]
    if not binary and not byte:
        return unit[0]
    return (letter.upper() if binary or letter not in "kK" else "k") + f"{binary}B"


def data_bytes(given: Any, name: str) -> float:
    """Return an amount of data in bytes: a number of bytes, or text with a unit, such as ``64MiB`` or ``2 GB``.

    Raises
    ------
    InputError
        If it is no amount of data.

    Examples
    --------
    >>> data_bytes("64 MiB", "message")
    67108864.0
    """
    if isinstance(given, int | float) and not isinstance(given, bool):
        return float(given)
    text = _DATA_UNIT.sub(_written, str(given))
    try:
        return parse_quantity(text if re.search(r"[a-zA-Z]\s*$", text) else f"{text} bytes", "bytes")
    except UnitError:
        message = f"--{name} {given}: write an amount of data with its unit, such as 64MiB or 2GB"
        raise InputError(message) from None


def date(given: Any, name: str) -> dt.date:
    """Return a date, given as one or as text such as ``2025-02-24``."""
    return given if isinstance(given, dt.date) else parse_date(str(given), f"--{name}")


def whole(given: Any, name: str) -> int:
    """Return a whole number.

    Raises
    ------
    InputError
        If it is none.
    """
    if isinstance(given, bool) or int(given) != given:
        message = f"--{name} {given}: must be a whole number"
        raise InputError(message)
    return int(given)


def path(given: Any, name: str) -> Any:
    """Return a path; what is none, such as a calibration just fitted, stays as it is.

    Raises
    ------
    InputError
        If it is empty: that would name the folder one is in.
    """
    if isinstance(given, str) and not given.strip():
        message = f"--{name}: is empty; name a file"
        raise InputError(message)
    return Path(given) if isinstance(given, str) else given


def store_place(given: Any, name: str) -> Any:
    """Return the place of a store: a path, or an address such as ``s3://bucket/folder`` as it is.

    Raises
    ------
    InputError
        If it is empty or holds a NUL character.
    """
    if not isinstance(given, str):
        return given
    if not given.strip() or "\0" in given:
        message = f"--{name} {given!r}: must be a folder, or an address such as s3://BUCKET/FOLDER"
        raise InputError(message)
    return given if "://" in given else Path(given)


def device_file(given: Any, name: str) -> Path:
    """Return the path of a YAML file that describes a device.

    Raises
    ------
    InputError
        If it does not end in .yaml.
    """
    if not str(given).lower().endswith((".yaml", ".yml")):
        message = f"--{name} {given}: a device is described in a .yaml file"
        raise InputError(message)
    return Path(given)


_LONG_S = {"ttft": 60.0, "tpot": 1.0, "e2e": 3600.0}
"""Limits in seconds above which a bare number was likely meant in milliseconds."""


def bare_time(given: Any, parameter: Declared) -> tuple[str, bool]:
    """Return in which unit a time without one was taken, and whether that is unlikely; empty for other values."""
    text = str(given).strip()
    if parameter.option.parse is not duration_s or not text.replace(".", "", 1).isdigit() or not float(text):
        return "", False
    seconds = float(text)
    if seconds > _LONG_S.get(parameter.name, math.inf):
        return f"--{parameter.flag} {text} is taken as {seconds:g} seconds; for milliseconds write {text}ms", True
    shown = f"{seconds:g} s" if seconds >= 1 else f"{seconds:g} s ({1e3 * seconds:g} ms)"
    return f"--{parameter.flag} {text} is taken as {shown}", False


def kind_of(gpu: str, hardware: Path | str | None) -> str:
    """Return what names the accelerator: the file of one's own device where one is given, else its name."""
    return gpu if hardware is None else str(hardware)


def seconds(value: float | str | None) -> float | None:
    """Return a time that `declared` has parsed, with its type [s]."""
    return typing.cast("float | None", value)


def number_of(value: float | str) -> float:
    """Return an amount that `declared` has parsed, with its type."""
    return typing.cast("float", value)


def day(value: dt.date | str | None) -> dt.date | None:
    """Return a date that `declared` has parsed, with its type."""
    return typing.cast("dt.date | None", value)


def file(value: Path | str | None) -> Path | None:
    """Return a path that `declared` has parsed, with its type."""
    return typing.cast("Path | None", value)


def needed(model: str | None) -> str:
    """Return the model of a function that may take it from a launch line.

    Raises
    ------
    InputError
        If there is none.
    """
    if not model:
        message = "--model: is missing; name a shipped model (`jevons models list`), a config.json, or a --serve line"
        raise InputError(message)
    return model


def words(value: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the parts of text separated by commas, or of a sequence of texts, each once."""
    given = () if value is None else (value,) if isinstance(value, str) else tuple(value)
    parts = (part.strip() for text in given for part in text.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))
