"""What an accelerator-hour costs: as an option says, or from the facts of the device and of a site."""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jevons.errors import FactError, InputError
from jevons.units import CURRENCIES

if TYPE_CHECKING:
    from jevons.cost import DeviceHour
    from jevons.hardware import Accelerator

SITE = "site.china_north"

_PRICE = re.compile(r"^\s*(\d+(?:\.\d*)?|\.\d+)\s*([A-Za-z]{3})\s*(?:/\s*h(?:our)?)?\s*$")


@dataclass(frozen=True, slots=True)
class HourPrice:
    """Price of an accelerator-hour."""

    amount: float
    currency: str
    origin: str


def given_price(text: str | None) -> HourPrice | None:
    """Return the price that ``--gpu-hour`` states, such as ``2 USD``."""
    if text is None:
        return None
    match = _PRICE.match(text)
    if match is None:
        message = f"--gpu-hour {text}: write an amount above 0 and a currency, such as '2 USD'"
        raise InputError(message)
    amount, currency = float(match.group(1)), match.group(2).upper()
    if currency not in CURRENCIES or not 0 < amount < 1e9 or not math.isfinite(amount):
        message = f"--gpu-hour {text}: the amount must be above 0 and the currency one of {', '.join(CURRENCIES)}"
        raise InputError(message)
    return HourPrice(amount, currency, "given")


def hour_price(text: str | None, device: Accelerator, on: dt.date | None) -> HourPrice | None:
    """Return the given price of an accelerator-hour, else the cost of owning one; None where no price is known."""
    given = given_price(text)
    if given is not None:
        return given
    try:
        _, hour = device_cost(device, SITE, on)
    except FactError:
        return None
    return HourPrice(hour.total_cny, "CNY", f"own cost at {SITE}")


def device_cost(device: Accelerator, site: str, on: dt.date | None) -> tuple[float, DeviceHour]:
    """Return the purchase price [CNY] and the cost of an hour of an accelerator that is owned, by part.

    Raises
    ------
    InputError
        If the site is unknown.
    FactError
        If no purchase price was known on the date.
    """
    from jevons.cost import FinanceTerms, device_hour
    from jevons.errors import did_you_mean
    from jevons.facts import default_facts
    from jevons.hardware import site_from_facts

    sites = sorted(fact.id.removesuffix(".pue") for fact in default_facts() if fact.id.endswith(".pue"))
    if site not in sites:
        message = f"--site {site}: unknown.{did_you_mean(site, sites)} Known: {', '.join(sites)}."
        raise InputError(message)
    price = _purchase_price_cny(device.id, on)
    # The terms of the main scenario; `jevons plan` takes its own from the file.
    terms = FinanceTerms(0.10, 4.0, 15.0, 0.15, 0.05)
    return price, device_hour(device, price, site_from_facts(site, on=on), terms)


def _purchase_price_cny(device: str, on: dt.date | None) -> float:
    """Return the price in China where one is known, else the price elsewhere at the rate of the day."""
    from jevons.facts import default_facts, get

    facts = default_facts()
    for fact_id, foreign in ((f"{device}.price_cny", False), (f"{device}.price_usd", True)):
        if fact_id in facts and facts.series(fact_id, on):
            return facts.get(fact_id, on).number * (get("fx.cny_per_usd", on).number if foreign else 1.0)
    when = "" if on is None else f" on {on}"
    message = f"no purchase price of {device} is known{when}; give --gpu-hour, such as '2 USD'"
    raise FactError(message)
