"""Numbers as people write them in options: ``10_000_000``, ``1e7``, ``10M``, ``50%``, ``80 GB``."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from jevons.errors import InputError
from jevons.options.option import Option
from jevons.units import SCALE_LETTERS, SCALES, UnitError, convert

_NUMBER = re.compile(
    r"([+-]?(?:[1-9]\d{0,2}(?:,\d{3})+(?!\d)|\d+(?:_\d+)*)?(?:\.\d*)?(?:e[+-]?\d{1,4})?)\s*(.*)", re.IGNORECASE
)
_COMMA = re.compile(r"[+-]?\d+,\d+(\D.*)?")
_SCALES = {"": 1, **SCALE_LETTERS, **SCALES}
_RATES = {"rps": "req/s", "qps": "req/s", "rpm": "req/min", "qpm": "req/min"}
"""What load tests call rates."""
_LARGEST = 10**18
WHOLE = "a whole number, such as 1000, 1_000, 1e3 or 1k"


def number_of_text(text: str, option: Option, name: str, *, whole: bool) -> float:
    """Return the number that a person wrote, in the option's unit.

    A scale may follow (``k``, ``M``, ``B``, ``T``, ``million``), the option's unit or one that measures the same, and
    ``%`` where the option is a share.

    Raises
    ------
    InputError
        If it is none; the message says what is accepted.

    Examples
    --------
    >>> number_of_text("10M", Option(help="Requests"), "requests", whole=True)
    10000000
    >>> number_of_text("1000万", Option(help="Requests"), "requests", whole=True)
    10000000
    >>> number_of_text("50 %", Option(help="Share", high=1), "keep", whole=False)
    0.5
    """
    plain = text.strip()
    match = _NUMBER.fullmatch(plain)
    value = None if match is None else _amount(match[1].replace(",", ""), match[2], option)
    if value is None and not whole:
        value = _special(plain)
    if value is not None and whole and abs(value) > _LARGEST:
        message = f"--{name} {text}: must be at most {option.high or _LARGEST:,.10g}"
        raise InputError(message)
    if value is None or (whole and value != value.to_integral_value()):
        raise InputError(_refusal(text, option, name, whole=whole))
    return int(value) if whole else float(value)


def _amount(number: str, rest: str, option: Option) -> Decimal | None:
    """Return a number times what its scale or unit says; None where one of them is none."""
    if not any(sign.isdigit() for sign in number.lower().partition("e")[0]):
        return None
    value = Decimal(number.replace("_", ""))
    if rest in _SCALES:
        return value * _SCALES[rest]
    if rest == "%":
        return value / 100 if option.in_percent else None
    if not option.unit:
        return None
    if option.unit == "req/s":
        rest = f"req{rest}" if rest.startswith("/") else _RATES.get(rest.lower(), rest)
    try:
        factor = convert(1.0, rest, option.unit)
    except UnitError:
        return None
    return value * Decimal(repr(factor))


def _special(text: str) -> Decimal | None:
    """Return what is no finite number, for the bounds to tell; None for other text."""
    try:
        value = float(text)
    except ValueError:
        return None
    return None if math.isfinite(value) else Decimal(repr(value))


def _refusal(text: str, option: Option, name: str, *, whole: bool) -> str:
    if _COMMA.fullmatch(text.strip()):
        return (
            f"--{name} {text}: a comma parts thousands; write a decimal point, such as {text.strip().replace(',', '.')}"
        )
    if whole:
        return f"--{name} {text}: write {WHOLE}"
    example = "0.5 or 50%" if option.in_percent else "0.5, 1e3 or 2k"
    unit = f" in {option.unit}" if option.unit else ""
    return f"--{name} {text}: write a number{unit}, such as {example}"
