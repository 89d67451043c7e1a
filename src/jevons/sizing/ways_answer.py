"""Sentences of buying, renting and an API: the cheapest way, the load at which that changes, the age of the price."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from jevons.units import DAYS_PER_MONTH, format_count, format_money
from jevons.words import Sentence

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
