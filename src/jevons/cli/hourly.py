"""The price of an accelerator-hour as an option states it."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from jevons.errors import InputError
from jevons.units import CURRENCIES

if TYPE_CHECKING:
    from jevons.study.pricing import HourPrice

_PRICE = re.compile(r"^\s*(\d+(?:\.\d*)?|\.\d+)\s*([A-Za-z]{3})\s*(?:/\s*h(?:our)?)?\s*$")


def given_price(text: str | None, option: str = "--gpu-hour") -> HourPrice | None:
    """Return the price that ``--gpu-hour`` states, such as ``2 USD``."""
    from jevons.study.pricing import HourPrice

    if text is None:
        return None
    match = _PRICE.match(text)
    if match is None:
        message = f"{option} {text}: write an amount above 0 and a currency, such as '2 USD'"
        raise InputError(message)
    amount, currency = float(match.group(1)), match.group(2).upper()
    if currency not in CURRENCIES or not 0 < amount < 1e9 or not math.isfinite(amount):
        message = f"{option} {text}: the amount must be above 0 and the currency one of {', '.join(CURRENCIES)}"
        raise InputError(message)
    return HourPrice(amount, currency)
