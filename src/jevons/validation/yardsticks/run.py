"""Reads the yardsticks and scores them."""

from __future__ import annotations

import datetime as dt

from jevons.errors import FactError, InputError
from jevons.facts import Facts
from jevons.training.paired import paired_runs
from jevons.validation.yardsticks import scores
from jevons.validation.yardsticks.measures import tool_chains, training_yardsticks
from jevons.validation.yardsticks.result import YardsticksResult

_PAIRED = "ascend_910b"


def run_yardsticks(facts: Facts, on: dt.date | None) -> YardsticksResult:
    """Return the yardsticks that were public on a date, and their scores.

    Raises
    ------
    InputError
        If the date is before the tool chains were read.
    """
    chips, providers = (tool_chains(facts, kind, on) for kind in ("chip", "provider"))
    if not chips or not providers:
        first = facts.get("tool_chain.chip.h100_sxm.score").start
        message = f"--as-of {on}: tool chains were read on {first}; leave the date out or give a later one"
        raise InputError(message)
    try:
        runs = training_yardsticks(facts, on)
    except FactError as error:
        raise InputError(str(error)) from None
    scored = [
        scores.rent_score(chips, on), scores.price_score(providers, facts, on),
        scores.share_score(providers, facts, on), scores.efficiency_score(runs, providers),
        scores.training_score(_PAIRED, facts, on),
    ]  # fmt: skip
    return YardsticksResult(
        on=on, runs=runs, chips=tuple(chips.values()), providers=tuple(providers.values()),
        scores=tuple(score for score in scored if score is not None), paired=paired_runs(_PAIRED, facts, on),
    )  # fmt: skip
