"""What an accelerator whose price is not on file may cost, by the prices of those that have one."""

from __future__ import annotations

import datetime as dt

import numpy as np

from jevons.errors import FactError
from jevons.facts import FactValue
from jevons.hardware import Accelerator, accelerator, accelerator_ids
from jevons.sizing.hour_price import SITE, purchase_price
from jevons.words import Sentence

_FEWEST = 8
"""Devices with a price that an estimate needs."""
_ESTIMATED = "estimated from memory and bandwidth"


def price_or_estimate(device: Accelerator, on: dt.date | None, site: str = SITE) -> FactValue:
    """Return the purchase price of an accelerator at a site [CNY], estimated where none is known on a date.

    Raises
    ------
    FactError
        If too few prices are known on the date to estimate one from.
    """
    try:
        return purchase_price(device, on, site)
    except FactError:
        return estimated_price(device, on)


def is_estimate(paid: FactValue) -> bool:
    """Return whether a purchase price is an estimate of `estimated_price`."""
    return paid.reason.startswith(_ESTIMATED)


def price_estimated(device: Accelerator, paid: FactValue, cny_rate: float, currency: str) -> Sentence:
    """Return what to say of an estimated purchase price, in a currency worth *cny_rate* yuan."""
    ends = (paid.number, paid.low or paid.number, paid.high or paid.number)
    price, low, high = (f"{float(f'{value / cny_rate:.2g}'):,.0f}" for value in ends)
    values = {"gpu": device.id, "reason": paid.reason, "price": price, "low": low, "high": high, "currency": currency}
    return Sentence("ways.price_estimated", values)


def estimated_price(device: Accelerator, on: dt.date | None) -> FactValue:
    """Return what an accelerator may cost by the devices whose prices are known on a date [CNY].

    Raises
    ------
    FactError
        If they are too few.

    Notes
    -----
    ``log price = a + b log(memory bytes x bandwidth)``, least squares over those devices. The ends are the 10th and
    90th percentile of the errors with which it predicts each of them without its own price: markets for games, for
    China and for one's own chips differ by more than the formula knows.
    """
    size, price = _priced(on)
    if len(price) < _FEWEST:
        when = "" if on is None else f" on {on}"
        message = (
            f"no purchase price of {device.id} is known{when}, and those of {len(price)} others are too few to "
            "estimate it from; give --purchase-price, such as '8000 USD'"
        )
        raise FactError(message)
    design = np.column_stack([np.ones_like(size), size])
    projection = design @ np.linalg.pinv(design)
    error = (price - projection @ price) / (1.0 - np.diag(projection))
    at, slope = np.linalg.pinv(design) @ price
    middle = at + slope * _size(device)
    low, high = np.quantile(error, (0.1, 0.9))
    day = on or dt.datetime.now(tz=dt.UTC).date()
    return FactValue(
        id=f"{device.id}.price_cny", value=float(np.exp(middle)), unit="CNY", start=day, published=day,
        grade="judgement", low=float(np.exp(middle + low)), high=float(np.exp(middle + high)),
        reason=f"{_ESTIMATED} by the prices of {len(price)} other devices",
    )  # fmt: skip


def _size(device: Accelerator) -> float:
    return float(np.log(device.hbm_bytes) + np.log(device.hbm_bytes_per_s))


def _priced(on: dt.date | None) -> tuple[np.ndarray, np.ndarray]:
    """Return logarithms of memory times bandwidth, and of the price, of the devices with a price on a date."""
    pairs = []
    for name in accelerator_ids():
        try:
            other = accelerator(name, on=on)
            pairs.append((_size(other), np.log(purchase_price(other, on).number)))
        except FactError:
            continue
    priced = np.array(pairs, dtype=float).reshape(-1, 2)
    return priced[:, 0], priced[:, 1]
