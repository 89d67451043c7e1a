"""Rents of accelerators on file: by provider, term and date."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass

from jevons.errors import InputError, did_you_mean
from jevons.facts import default_facts
from jevons.hardware import Accelerator
from jevons.sizing.hour_price import cny_per

TERMS = ("on_demand", "1y", "3y", "spot")
"""Terms of renting."""

_KIND = re.compile(r"(?:quoted_|index_)?(on_demand|1y|3y|spot)?_?(cny|usd)_per_h")


@dataclass(frozen=True, slots=True, kw_only=True)
class RentOffer:
    """One rent on file.

    Parameters
    ----------
    fact : str
        Its id.
    provider, term : str
        Who lets, ``china`` for the market there; one of `TERMS`, on demand where the fact names none.
    amount, currency : float, str
        Of an accelerator-hour.
    cny_per_h : float
        The same in yuan.
    since : date
        When it was in force.
    at_home : bool
        Whether it is of the renter's market.
    """

    fact: str
    provider: str
    term: str
    amount: float
    currency: str
    cny_per_h: float
    since: dt.date
    at_home: bool = True

    @property
    def rank(self) -> tuple[bool, dt.date, float, str]:
        """What offers are preferred by: those of the renter's market, then the latest, then the cheapest."""
        return self.at_home, self.since, -self.cny_per_h, self.fact


def rent_offers(device: Accelerator, on: dt.date | None, *, china: bool = True) -> list[RentOffer]:
    """Return the rents of a device that were public on a date, those first that are taken first.

    The renter's market is that of *china*, or the rest of the world.
    """
    facts, short = default_facts(), device.id.removesuffix("_sxm")
    offers = []
    for fact in facts:
        if not fact.id.startswith(f"rent.{short}."):
            continue
        *provider, kind = fact.id.removeprefix(f"rent.{short}.").split(".")
        whole = kind if provider else kind.partition("_")[2]
        match = _KIND.fullmatch(whole)
        if match is None:
            continue
        for value in facts.series(fact.id, on)[-1:]:
            currency = match[2].upper()
            name = provider[0] if provider else kind.partition("_")[0]
            offer = RentOffer(
                fact=fact.id, provider=name, term=match[1] or ("1y" if "1y" in kind else "on_demand"),
                amount=value.number, currency=currency, cny_per_h=value.number * cny_per(currency, on),
                since=value.start, at_home=(name == "china") == china,
            )  # fmt: skip
            offers.append(offer)
    return sorted(offers, key=lambda offer: offer.rank, reverse=True)


def chosen(
    offers: Iterable[RentOffer], device: str, provider: str | None, term: str | None
) -> RentOffer | None:  # fmt: skip
    """Return the offer that a provider and a term name, the first by default; None where nothing is on file.

    Raises
    ------
    InputError
        If offers are on file, and none of that provider or term; it names those that are.
    """
    known = list(offers)
    for option, wanted, name in (("provider", provider, "provider"), ("term", term, "term")):
        if wanted is None:
            continue
        matching = [rent for rent in known if getattr(rent, name) == wanted]
        if not matching:
            names = sorted({getattr(rent, name) for rent in known})
            near = did_you_mean(wanted, names)
            listed = f"On file: {', '.join(names)}." if names else f"No rent of {device} is on file; give --rent."
            message = f"--{option} {wanted}: no such rent of {device} is on file.{near} {listed}"
            raise InputError(message)
        known = matching
    return max(known, key=lambda offer: offer.rank, default=None)


def rent_since(origin: str, on: dt.date | None) -> str | None:
    """Return since when a rent on file is in force, by its fact; None of one that was given or derived."""
    values = default_facts().series(origin, on) if origin in default_facts() else ()
    return values[-1].start.isoformat() if values else None
