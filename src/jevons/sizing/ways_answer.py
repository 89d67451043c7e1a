"""Sentences of buying, renting and an API: the cheapest way, the load at which that changes, the age of the price."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from jevons.facts import FactValue
from jevons.hardware import site_from_facts
from jevons.sizing.hour_price import in_china
from jevons.units import DAYS_PER_MONTH, format_count, format_money
from jevons.words import Sentence, name_of

_OLD_MONTHS = 6


def ways_sentences(
    ways: Sequence[tuple[Sentence, float]],
    ends: tuple[float, float] | None,
    switch: tuple[float, Sentence] | None,
    *,
    model: str,
    output_tok_per_d: float,
    currency: str,
    api: str,
    since: dt.date,
    start: dt.date,
) -> tuple[Sentence, ...]:
    """Return the answer of a comparison.

    Parameters
    ----------
    ways : sequence of (Sentence, float)
        Ways in words and their cost of a month in *currency*, cheapest first.
    ends : (float, float) or None
        80 % interval of the cheapest way's month in *currency*; None for an API.
    switch : (float, Sentence) or None
        Load from which machines pay [output tokens/day], and which; None where they never do.
    model : str
        What is served.
    output_tok_per_d : float
        Load.
    currency : str
        Of the costs.
    api : str
        Name of the API.
    since, start : date
        Date of its price, and of the comparison.
    """
    (best, cost), (second, other) = ways[0], ways[1]
    values: dict[str, Any] = {
        "load": format_count(output_tok_per_d), "model": model, "best": best, "cost": format_money(cost, currency),
        "second": second, "other": format_money(other, currency),
    }  # fmt: skip
    if ends is not None:
        values |= {"cost_low": ends[0], "cost_high": ends[1]}
    if switch is None:
        turn = Sentence("ways.never", {"api": api})
    else:
        turn = Sentence("ways.pays", {"even": format_count(switch[0]), "way": switch[1]})
    months = (start - since).days / DAYS_PER_MONTH
    old = [Sentence("ways.old_price", {"api": api, "months": round(months)})] if months >= _OLD_MONTHS else []
    return (Sentence("ways.cheapest", values), turn, *old)


def site_notes(
    site: str,
    on: dt.date | None,
    paid: Sequence[tuple[str, FactValue]],
    *,
    staff_cny_per_y: float,
    cny_rate: float,
    currency: str,
) -> Iterator[Sentence]:
    """Yield what a site outside China takes, and which devices have a price in China alone.

    Parameters
    ----------
    site : str
        Fact prefix.
    on : date or None
        Nothing published later is visible.
    paid : sequence of (str, FactValue)
        Devices and their purchase prices.
    staff_cny_per_y : float
        Staff for machines of one's own.
    cny_rate, currency : float, str
        Yuan that a unit of the currency of the sentences is worth.
    """
    if in_china(site):
        return
    at = site_from_facts(site, on=on)
    figures = {"tariff": at.tariff_cur_per_kwh, "build": at.build_cur_per_w, "staff": staff_cny_per_y}
    money = {name: format_money(value / cny_rate, currency) for name, value in figures.items()}
    yield Sentence("ways.at_site", {"site": name_of(site), "pue": f"{at.pue:g}", **money})
    for device, price in paid:
        if price.id.endswith("_cny") and price.source is not None:
            yield Sentence("ways.price_of_china", {"gpu": device})
