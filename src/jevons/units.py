"""Units at the boundary: ``"4.8 TB/s"`` and ``"31.7 bn CNY"`` become floats in the unit that a name's suffix states.

Inside the package everything is a plain float in SI base units (bytes, seconds, watts, joules, FLOP) or plain currency,
and the name carries the unit (`hbm_bytes_per_s`, `capex_cny`). Two exceptions are kept because tariffs are printed so:
``_kwh`` and ``_mtok`` (a million tokens). No quantity object travels further than the file that held it.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import overload

from jevons.errors import InputError

SECONDS_PER_YEAR = 365.25 * 24 * 3600.0
HOURS_PER_YEAR = 365.25 * 24
HOURS_PER_MONTH = HOURS_PER_YEAR / 12
DAYS_PER_MONTH = 365.25 / 12
DAYS_PER_QUARTER = 365.25 / 4

_PREFIX = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}

LARGE = ((10**12, "tn", "trillion"), (10**9, "bn", "billion"), (10**6, "mn", "million"), (10**3, "k", "thousand"))
"""Sizes by which large numbers are counted in English, each with its short word and its long one."""
MYRIADS = ((10**12, "万亿"), (10**8, "亿"), (10**4, "万"))
"""Sizes by which large numbers are counted in Chinese."""
INDIAN = ((10**7, "crore"), (10**5, "lakh"))
"""Sizes by which large amounts are counted in India."""
SCALES: dict[str, int] = {word: size for size, *words in (*LARGE, *MYRIADS, *INDIAN) for word in words}
"""Words by which people scale a number, wherever one is read."""
SCALE_LETTERS = {"k": 10**3, "K": 10**3, "M": 10**6, "B": 10**9, "G": 10**9, "T": 10**12}
"""Letters that scale a plain count; in a unit ``M`` begins another, such as MB, and ``B`` is a byte."""
COMMAND_LETTERS = {
    **{letter.lower(): int(_PREFIX[letter]) for letter in ("k", "M", "G")},
    **{letter[0].upper(): size for letter, size in _BINARY.items() if letter in {"Ki", "Mi", "Gi"}},
}
"""Letters that scale a count on the command line of an inference engine: small ones by tens, capitals by twos."""
_SCALE = {**SCALES, "m": 10**6}

CURRENCIES = ("CNY", "USD", "HKD", "EUR", "GBP", "JPY", "INR", "KRW", "SAR", "AED")
SIGNS = {"US$": "USD", "HK$": "HKD", "$": "USD", "€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW"}
"""Signs that stand before an amount, each of one currency; ``¥`` is of two."""
MONEY = "¤"
"""Stands for the currency of a scenario, in which the whole chain counts."""

# symbol -> (factor to the base unit, base dimension)
_UNITS: dict[str, tuple[float, str]] = {
    "s": (1.0, "s"), "ms": (1e-3, "s"), "us": (1e-6, "s"), "µs": (1e-6, "s"), "ns": (1e-9, "s"),
    "min": (60.0, "s"), "h": (3600.0, "s"), "hour": (3600.0, "s"), "hours": (3600.0, "s"),
    "d": (86400.0, "s"), "day": (86400.0, "s"), "days": (86400.0, "s"),
    "week": (604800.0, "s"), "month": (SECONDS_PER_YEAR / 12, "s"), "months": (SECONDS_PER_YEAR / 12, "s"),
    "quarter": (SECONDS_PER_YEAR / 4, "s"), "quarters": (SECONDS_PER_YEAR / 4, "s"),
    "y": (SECONDS_PER_YEAR, "s"), "year": (SECONDS_PER_YEAR, "s"), "years": (SECONDS_PER_YEAR, "s"),
    "bytes": (1.0, "byte"), "byte": (1.0, "byte"), "B": (1.0, "byte"), "bit": (0.125, "byte"),
    "flop": (1.0, "flop"), "FLOP": (1.0, "flop"), "op": (1.0, "flop"),
    "W": (1.0, "W"), "J": (1.0, "W*s"), "Wh": (3600.0, "W*s"), "Hz": (1.0, "1/s"),
    "tok": (1.0, "tok"), "token": (1.0, "tok"), "tokens": (1.0, "tok"),
    "req": (1.0, "req"), "request": (1.0, "req"), "requests": (1.0, "req"), "call": (1.0, "req"), "calls": (1.0, "req"),
    "%": (0.01, ""), "percent": (0.01, ""), "1": (1.0, ""), "frac": (1.0, ""), "ratio": (1.0, ""), "x": (1.0, ""),
    "count": (1.0, ""), "cards": (1.0, ""), "card": (1.0, ""), "devices": (1.0, ""), "users": (1.0, ""),
    "firms": (1.0, ""), "shares": (1.0, ""), "share": (1.0, ""), "ADS": (1.0, ""), "gCO2": (1e-3, "kgCO2"),
    "kgCO2": (1.0, "kgCO2"),
}  # fmt: skip
_UNITS.update({currency: (1.0, currency) for currency in (*CURRENCIES, MONEY)})
for _symbol in ("B", "flop", "FLOP", "op", "W", "J", "Wh", "Hz", "tok", "bit"):
    for _prefix, _factor in _PREFIX.items():
        _base, _dimension = _UNITS[_symbol]
        _UNITS[_prefix + _symbol] = (_base * _factor, _dimension)
for _prefix, _factor in _BINARY.items():
    _UNITS[_prefix + "B"] = (float(_factor), "byte")

_DERIVED_DIMENSIONS = {"W*s": Counter({"W": 1, "s": 1}), "1/s": Counter({"s": -1}), "": Counter()}


class UnitError(ValueError):
    """A unit is unknown, or does not measure what the field measures."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as a factor to base units and the powers of its dimensions."""

    factor: float
    powers: tuple[tuple[str, int], ...]


def parse_unit(text: str) -> Unit:
    """Return the unit that *text* names, such as ``TB/s``, ``bn CNY`` or ``CNY/kWh``.

    Parameters
    ----------
    text : str
        Factors joined by ``*`` or spaces, divided by ``/``; a scale word (``mn``, ``bn``, ``tn``) may come first.

    Returns
    -------
    Unit
        Factor to SI base units (or plain currency) and dimensions.

    Raises
    ------
    UnitError
        If a symbol is unknown.
    """
    factor = 1.0
    powers: Counter[str] = Counter()
    sign = 1
    for part in re.split(r"(/)", text.strip()):
        if part == "/":
            sign = -1
            continue
        for symbol in re.split(r"[*\s]+", part.strip()):
            if not symbol:
                continue
            if symbol in _SCALE:
                factor *= _SCALE[symbol] ** sign
                continue
            if symbol not in _UNITS:
                message = f"unknown unit `{symbol}` in `{text}`"
                raise UnitError(message)
            scale, dimension = _UNITS[symbol]
            factor *= scale**sign
            for name, power in _DERIVED_DIMENSIONS.get(dimension, Counter({dimension: 1})).items():
                powers[name] += sign * power
    return Unit(factor, tuple(sorted((name, power) for name, power in powers.items() if power)))


def convert(value: float, unit: str, to: str) -> float:
    """Return *value* given in *unit* as a number of *to*.

    Examples
    --------
    >>> convert(4.8, "TB/s", "bytes/s")
    4800000000000.0
    >>> round(convert(31.7, "bn CNY", "CNY") / 1e9, 6)
    31.7
    """
    have, want = parse_unit(unit), parse_unit(to)
    if have.powers != want.powers:
        message = f"unit `{unit}` does not measure the same thing as `{to}`"
        if not want.powers:
            message = f"unit `{unit}`: must be a number without a unit; a share may be written with %"
        raise UnitError(message)
    return value * have.factor / want.factor


_NUMBER = re.compile(r"^\s*([+-]?(?:\d[\d_]*(?:,\d{3})*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*$")


_SIGNED = re.compile(
    rf"^\s*([+-]?)\s*({'|'.join(re.escape(sign) for sign in (*SIGNS, *CURRENCIES))})\s*([+-]?[\d.,_]+)\s*(.*)$"
)


def with_code(text: str) -> str:
    """Return an amount with the code of its currency behind it where its sign or code stands before; else as it is.

    Examples
    --------
    >>> with_code("₹9,000 crore"), with_code("-US$1.5 bn"), with_code("AED 14 bn"), with_code("380 bn CNY")
    ('9,000 INR crore', '-1.5 USD bn', '14 AED bn', '380 bn CNY')
    """
    match = _SIGNED.match(text)
    return f"{match[1]}{match[3]} {SIGNS.get(match[2], match[2])} {match[4]}".rstrip() if match else text


def parse_quantity(text: str, to: str) -> float:
    """Return the number of *to* that *text* (a number and its unit) states.

    Raises
    ------
    UnitError
        If there is no number, no unit where *to* has a dimension, or the unit measures something else.

    Examples
    --------
    >>> parse_quantity("380 bn CNY", "CNY"), parse_quantity("3800 亿 CNY", "CNY")
    (380000000000.0, 380000000000.0)
    >>> parse_quantity("₹9,000 crore", "INR"), parse_quantity("$3/Mtok", "USD/Mtok")
    (90000000000.0, 3.0)
    >>> parse_quantity("20 %", "1")
    0.2
    """
    match = _NUMBER.match(with_code(text))
    if match is None:
        message = f"`{text}` is not a number with a unit; write it like `12.5 {to}`"
        raise UnitError(message)
    value = float(match.group(1).replace(",", "").replace("_", ""))
    if not math.isfinite(value):
        message = f"`{text}` is not a finite number"
        raise UnitError(message)
    unit = match.group(2)
    if not unit:
        if parse_unit(to).powers:
            message = f"`{text}` has no unit; write it like `{text.strip()} {to}`"
            raise UnitError(message)
        unit = "1"
    return convert(value, unit, to)


# Name suffixes of STYLE section 5, read from the right: numerator, then `_per_` and a denominator.
_SUFFIX = {
    "s": "s", "h": "h", "y": "y", "bytes": "bytes", "flop": "flop", "j": "J", "kwh": "kWh", "w": "W", "kw": "kW",
    "mw": "MW", "tok": "tok", "mtok": "Mtok", "req": "req", "frac": "1",
    "hz": "Hz", "d": "day", "share": "share", "ads": "ADS", "kgco2": "kgCO2", "month": "month", "quarter": "quarter",
    **{currency.lower(): currency for currency in CURRENCIES},
}  # fmt: skip


def unit_of_name(name: str) -> str:
    """Return the unit that the suffix of *name* states; ``1`` where it states none (a count or a ratio).

    Examples
    --------
    >>> unit_of_name("h200_sxm.hbm_bytes_per_s"), unit_of_name("tariff_cny_per_kwh"), unit_of_name("layers")
    ('bytes/s', 'CNY/kWh', '1')
    """
    words = name.rsplit(".", 1)[-1].split("_")
    if len(words) >= 3 and words[-2] == "per" and words[-1] in _SUFFIX:
        denominator = _SUFFIX[words[-1]]
        numerator = _SUFFIX.get(words[-3], "1")
        return f"{numerator}/{denominator}"
    if len(words) >= 2 and words[-1] in _SUFFIX:
        return _SUFFIX[words[-1]]
    return "1"


_STEPS = tuple(
    (10.0 ** (18 - 3 * i), prefix) for i, prefix in enumerate(("E", "P", "T", "G", "M", "k", "", "m", "µ", "n"))
)


def format_si(value: float, unit: str = "", digits: int = 3) -> str:
    """Return *value* with a metric prefix and *digits* significant digits, for tables people read.

    Examples
    --------
    >>> format_si(4.8e12, "B/s"), format_si(0.0125, "s"), format_si(0, "W")
    ('4.80 TB/s', '12.5 ms', '0 W')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:.0f} {unit}".rstrip()
    rounded = float(f"{value:.{digits - 1}e}")
    scale, prefix = next((step for step in _STEPS if abs(rounded) >= step[0]), _STEPS[-1])
    return f"{_significant(rounded / scale, digits)} {prefix}{unit}".rstrip()


def format_money(value: float, currency: str) -> str:
    """Return an amount of money as people write it: ``31.7 bn CNY``, ``-1.2 mn USD``, ``0.060 USD``.

    Examples
    --------
    >>> format_money(31.7e9, "CNY"), format_money(-1.25e6, "USD"), format_money(0.0604, "USD")
    ('31.7 bn CNY', '-1.25 mn USD', '0.0604 USD')
    """
    for scale, word, _ in LARGE[:-1]:
        if abs(value) >= 0.9995 * scale:
            return f"{_significant(value / scale)} {word} {currency}"
    if abs(value) >= 1000:
        return f"{value:,.0f} {currency}"
    return f"{_significant(value)} {currency}"


def money_step(value: float) -> float:
    """Return what `format_money` divides an amount by: a thousand million where it says bn, and so on."""
    return next((scale for scale, _, _ in LARGE[:-1] if abs(value) >= 0.9995 * scale), 1.0)


def format_count(value: float) -> str:
    """Return a number of things as people say it: ``1.20 million``, ``724 thousand``, ``85``.

    Examples
    --------
    >>> format_count(1.2014e6), format_count(85.0)
    ('1.20 million', '85.0')
    """
    for scale, _, word in LARGE:
        if abs(value) >= 0.9995 * scale:
            return f"{_significant(value / scale)} {word}"
    return _significant(value)


def _significant(value: float, digits: int = 3) -> str:
    value = float(f"{value:.{digits - 1}e}")
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value)) + 1e-12))
    return f"{value:,.{decimals}f}"


@overload
def parse_date(text: str, option: str = "--as-of") -> dt.date: ...
@overload
def parse_date(text: None, option: str = "--as-of") -> None: ...
@overload
def parse_date(text: str | None, option: str = "--as-of") -> dt.date | None: ...
def parse_date(text: str | None, option: str = "--as-of") -> dt.date | None:
    """Return the date that *text*, given as *option*, names; None for None."""
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        message = f"{option} {text}: not a date; write it like 2025-02-24"
        raise InputError(message) from None
