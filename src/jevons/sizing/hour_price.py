"""What an accelerator-hour costs: as given, or from the facts of the device and of a site."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from jevons.costing import DeviceHour, FinanceTerms, device_hour
from jevons.errors import FactError, InputError, did_you_mean
from jevons.facts import FactValue, default_facts, get
from jevons.facts import cny_per as facts_cny_per
from jevons.hardware import Accelerator, OwnPrice, site_from_facts, site_ids, site_region

SITE = "site.china_north"
"""Site of an accelerator of one's own where none is named."""


@dataclass(frozen=True, slots=True)
class HourPrice:
    """Price of an accelerator-hour: amount, currency code, and where it is from."""

    amount: float
    currency: str
    origin: str = "given"


def cny_per(currency: str, on: dt.date | None = None) -> float:
    """Return the yuan that a unit of a currency is worth, at the latest rate on file by a date.

    Raises
    ------
    FactError
        If no rate was known on the date.
    """
    return facts_cny_per(default_facts(), currency, on)


def converted(price: HourPrice | None, currency: str, on: dt.date | None = None) -> HourPrice | None:
    """Return a price in another currency, its origin saying what it was; as it is where that is its own.

    Raises
    ------
    FactError
        If no rate was known on the date.
    """
    if price is None or price.currency == currency:
        return price
    rate = cny_per(price.currency, on) / cny_per(currency, on)
    was = f"{price.amount:.4g} {price.currency}"
    return HourPrice(price.amount * rate, currency, f"{price.origin}, {was}")


def currency_of(asked: str | None, *prices: HourPrice | OwnPrice | None) -> str:
    """Return the currency of an answer: as asked for, else that of the prices given if they share one, else USD."""
    stated = {price.currency for price in prices if price is not None}
    return asked or (stated.pop() if len(stated) == 1 else "USD")


def owned_hour_price(
    device: Accelerator, on: dt.date | None = None, load_frac: float | None = None, site: str = SITE
) -> HourPrice | None:
    """Return the cost of an hour of an accelerator that is owned; None where no purchase price is known."""
    try:
        _, hour = device_cost(device, site, on, load_frac)
    except FactError:
        return None
    return HourPrice(hour.total_cur, "CNY", f"own cost at {site}")


def finance_terms(on: dt.date | None = None) -> FinanceTerms:
    """Return the shipped terms of finance, each a fact; `jevons plan` takes its own from the scenario."""
    names = ("wacc_frac", "economic_life_y", "site_life_y", "network_frac", "operations_frac")
    return FinanceTerms(**{name: get(f"assumption.{name}", on).number for name in names})


def device_cost(
    device: Accelerator,
    site: str,
    on: dt.date | None = None,
    load_frac: float | None = None,
    price_cny: float | None = None,
) -> tuple[float, DeviceHour]:
    """Return the purchase price [CNY] and the cost of an hour of an accelerator that is owned, by part.

    *load_frac* is its mean power over that at full load, which sets the electricity; the shipped assumption by default.
    *price_cny* is the purchase price; that on file by default.

    Raises
    ------
    FactError
        If no purchase price was known on the date.
    """
    price = purchase_price(device, on, site).number if price_cny is None else price_cny
    return price, device_hour(
        device,
        price,
        site_from_facts(site, on=on),
        finance_terms(on),
        load_frac=get("assumption.load_frac", on).number if load_frac is None else load_frac,
    )


def check_site(site: str) -> None:
    """Check that a site is on file.

    Raises
    ------
    InputError
        If it is not; near names are offered.
    """
    if site not in site_ids():
        message = f"--site {site}: unknown.{did_you_mean(site, site_ids())} Known: {', '.join(site_ids())}."
        raise InputError(message)


def in_china(site: str) -> bool:
    """Return whether a site's machines are bought and rented in the market of China."""
    return site_region(site) == "china"


def listed_prices(device: Accelerator, site: str = SITE) -> tuple[str, ...]:
    """Return the facts that price a device, that of the market of the site first."""
    china, abroad = f"{device.id}.price_cny", f"{device.id}.price_usd"
    ids = (china, abroad) if in_china(site) else (abroad, china)
    return tuple(fact_id for fact_id in ids if fact_id in default_facts())


def purchase_price(device: Accelerator, on: dt.date | None, site: str = SITE) -> FactValue:
    """Return the price in the market of a site where one is known, else in the other, at the rate of the day [CNY].

    The two markets are China and the rest of the world.

    Raises
    ------
    FactError
        If no purchase price was known on the date.
    """
    facts = default_facts()
    if device.own_price is not None:
        return _own_price(device, device.own_price, on)
    for fact_id in listed_prices(device, site):
        if facts.series(fact_id, on):
            listed = facts.get(fact_id, on)
            rate = get("fx.cny_per_usd", on).number if fact_id.endswith("_usd") else 1.0
            low, high = (None if bound is None else bound * rate for bound in (listed.low, listed.high))
            return replace(listed, value=listed.number * rate, low=low, high=high)
    when = "" if on is None else f" on {on}"
    where = f" `price:` in {device.file} or" if device.file else ""
    message = f"no purchase price of {device.id} is known{when}; give{where} --gpu-hour, such as '2 USD'"
    raise FactError(message)


def _own_price(device: Accelerator, own: OwnPrice, on: dt.date | None) -> FactValue:
    """Return the price that the user's file states, at the rate of the day [CNY]."""
    rate = cny_per(own.currency, on)
    day = on or get("fx.cny_per_usd").start
    return FactValue(
        id=f"{device.id}.price_cny", value=own.amount * rate, unit="CNY", start=day, published=day, grade="judgement",
        reason=f"stated in {device.file}" if device.file else "given",
    )  # fmt: skip
