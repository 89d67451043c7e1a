"""Prices, budgets and counts of tokens as people write them: ``2 USD``, ``300k CNY``, ``57M``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from jevons.errors import InputError
from jevons.hardware import OwnPrice, accelerator
from jevons.sizing.hour_price import HourPrice
from jevons.units import CURRENCIES, HOURS_PER_MONTH, HOURS_PER_YEAR, UnitError, parse_quantity

_EACH = r"(?:/|per\s|an?\s|每)?\s*(?:gpu|card|device|accelerator|npu|chip|卡)\b"
_TIME = r"(hr?s?|hours?|days?|weeks?|months?|mo|years?|yr|小时|时|天|日|周|月|年)(?![a-z])"
_PER = (
    rf"(?:(?:/|per\s|an?\s|每)\s*(?:(?:gpu|card|device|accelerator|npu|chip|卡)\s*(?:/|per\s|an?\s|[-·每])?\s*)?{_TIME}"
    rf"(?:\s*{_EACH})?)"
)
_PRICE = re.compile(
    r"^\s*(\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d+(?:\.\d*)?|\.\d+)\s*([kK](?=\s))?\s*([A-Za-z]{3})\s*"
    rf"({_PER})?\s*$", re.IGNORECASE,
)  # fmt: skip
_SIGN = re.compile(
    rf"^\s*(US\$|\$|€|£)\s*([\d.,_]+(?:\s*(?!an?\s|per\s)[A-Za-z]{{1,8}})?)\s*({_PER})?\s*$", re.IGNORECASE
)
_YUAN = re.compile(r"(?<=[\d\s.])(?:人民币|RMB|元|块)(?![a-z])", re.IGNORECASE)
_CODE_FIRST = re.compile(rf"^\s*({'|'.join(CURRENCIES)}|RMB)\s*(?=[\d.])([\d.,_]+[kKmM]?)(?!\w)\s*(.*)$", re.IGNORECASE)
_HOURS = {"hour": 1.0, "day": 24.0, "week": 168.0, "month": HOURS_PER_MONTH, "year": HOURS_PER_YEAR}
"""Hours of a period for which a contract states its price."""
_PERIODS = {
    "h": "hour", "hr": "hour", "小时": "hour", "时": "hour", "天": "day", "日": "day", "周": "week", "mo": "month",
    "月": "month", "yr": "year", "年": "year",
}  # fmt: skip
"""Periods by other words for them."""
_SIGNS = {"US$": "USD", "$": "USD", "€": "EUR", "£": "GBP"}
"""Signs of one currency each; ¥ is that of two."""


def _coded(text: str) -> str:
    """Return an amount of money whose currency is written by its code after it: ``$2`` and ``USD 2`` are ``2 USD``."""
    first = _CODE_FIRST.match(text)
    text = _YUAN.sub(" CNY ", f"{first[2]} {first[1]} {first[3]}" if first else text)
    match = _SIGN.match(text)
    return text if match is None else f"{match[2].strip()} {_SIGNS[match[1].upper()]} {match[3] or ''}".strip()


def given_price(text: str | None, option: str = "--gpu-hour") -> HourPrice | None:
    """Return the price of an hour that ``--gpu-hour`` states, such as ``2 USD``, ``$2/hr`` or ``15元/卡时``."""
    if text is None:
        return None
    match = _PRICE.match(_coded(text))
    if match is None:
        message = f"{option} {text}: write an amount above 0 and a currency, such as '2 USD'"
        raise InputError(message + _other_sign(text))
    period = (match[5] or "hour").lower()
    period = _PERIODS.get(period.rstrip("s"), period.rstrip("s"))
    if match[4] and option not in {"--gpu-hour", "--rent"}:
        time = "an hour" if period == "hour" else f"a {period}"
        message = f"{option} {text}: is a price of {time}; give that of the device, such as '8000 USD'"
        raise InputError(message)
    amount = float(match[1].replace(",", "")) * (1000.0 if match[2] else 1.0) / _HOURS[period]
    currency = match[3].upper()
    if currency not in CURRENCIES or not 0 < amount < 1e9 or not math.isfinite(amount):
        message = f"{option} {text}: the amount must be above 0 and the currency one of {', '.join(CURRENCIES)}"
        raise InputError(message)
    return HourPrice(amount, currency)


def spelled(text: str) -> str:
    """Return a number whose scale is spelled as units have it: 57M is 57 million, 2B 2 billion."""
    words = {"M": "million", "B": "billion", "G": "billion", "K": "k"}
    return re.sub(r"(?<=[\d.\s])([MBGK])\s*$", lambda m: f" {words[m.group(1)]}", text.strip())


def count_of(text: str) -> float:
    """Return the tokens that ``--tokens-per-day`` states, such as ``57M`` or ``1.2 bn``."""
    try:
        count = parse_quantity(spelled(text), "1")
    except UnitError:
        count = 0.0
    if not 1e-3 <= count < 1e18:
        message = f"--tokens-per-day {text}: write a number from 0.001 on, such as 57M or 1.2bn"
        raise InputError(message)
    return count


def hour_prices(texts: tuple[str, ...], option: str = "--gpu-hour") -> Mapping[str, HourPrice] | HourPrice | None:
    """Return the prices that ``--gpu-hour`` states: one for all devices, or by device."""
    named: dict[str, HourPrice] = {}
    for text in texts:
        name, mark, rest = text.partition("=")
        price = given_price(rest if mark else text, option)
        if price is None:
            continue
        if not mark:
            if len(texts) > 1:
                message = f"{option} {text}: with several prices, say of which device, such as 'h20={text.strip()}'"
                raise InputError(message)
            return price
        if name.strip() in named:
            message = f"{option} {text}: {name.strip()} has two prices; give one"
            raise InputError(message)
        named[name.strip()] = price
    return named or None


def price_of_one(text: str | None, device: str, option: str = "--purchase-price") -> OwnPrice | None:
    """Return the purchase price that an option states of a device, such as ``8000 USD`` or ``l4=2500 USD``."""
    prices = hour_prices(() if text is None else (text,), option)
    if isinstance(prices, Mapping):
        (name, price), *_ = prices.items()
        if accelerator(name).id != accelerator(device).id:
            message = f"{option} {text}: is of {name}, and {device} is asked for; write its price alone"
            raise InputError(message)
        prices = price
    return None if prices is None else OwnPrice(prices.amount, prices.currency)


def amount_of(text: str) -> tuple[float, str]:
    """Return amount and currency of ``--budget``, such as ``300k CNY``."""
    coded = _coded(text).strip()
    for currency in CURRENCIES:
        if coded.upper().endswith(currency):
            try:
                amount = parse_quantity(f"{spelled(coded[: -len(currency)])} {currency}", currency)
            except UnitError:
                break
            if amount > 0:
                return amount, currency
    message = f"--budget {text}: write an amount above 0 and a currency, such as '300k CNY' (a month)"
    raise InputError(message + _other_sign(text))


def _other_sign(text: str) -> str:
    return "; ¥ is the sign of two currencies, write CNY or JPY" if re.search(r"[¥￥]", text) else ""
