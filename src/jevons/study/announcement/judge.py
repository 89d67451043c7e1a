"""Judges claims against facts: confirmed, contradicted, unlike periods, not on file, or unread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from jevons.study.announcement import verdict_levels, verdict_prices, verdict_ratios
from jevons.study.announcement.claim import Claim
from jevons.study.announcement.on_file import OnFile, Verdict

_RULES: Mapping[str, Callable[[OnFile, Claim], Verdict]] = {
    "budget": verdict_levels.amount,
    "metric": verdict_levels.amount,
    "change": verdict_levels.change,
    "comparison": verdict_levels.comparison,
    "superlative": verdict_levels.superlative,
    "power": verdict_levels.power,
    "count": verdict_levels.count,
    "rates": verdict_levels.rates,
    "target": verdict_levels.target,
    "calls": verdict_prices.calls,
    "multiple": verdict_prices.multiple,
    "price": verdict_prices.price,
    "device_price": verdict_prices.device_price,
    "rent": verdict_prices.rent,
    "cluster": verdict_prices.cluster,
    "growth": verdict_ratios.growth,
    "difference": verdict_ratios.difference,
    "share": verdict_ratios.share,
    "stake": verdict_ratios.stake,
    "interest_rate": verdict_ratios.interest_rate,
    "margin": verdict_ratios.margin,
}


def judged(claim: Claim, on_file: OnFile) -> Claim:
    """Return the claim with verdict, reason, and the ids of the facts it was held against."""
    rule = _RULES.get(claim.kind)
    facts: tuple[str, ...] = ()
    if claim.denied:
        verdict, reason = "unread", "the text says that it is not so"
    elif rule is None:
        verdict, reason = "unread", "a figure without a word that says what it measures"
    else:
        verdict, reason, facts = rule(on_file, claim)
    if claim.status == "estimated" and verdict == "contradicted":
        verdict, reason = "not_on_file", f"an estimate of others; {reason}"
    return replace(claim, verdict=verdict, reason=reason, facts=tuple(dict.fromkeys(facts)))
