"""Amounts of a scenario that contradict each other, whether a file or a program states them."""

from __future__ import annotations

from collections.abc import Iterator

from jevons.errors import Fault
from jevons.schema import Located
from jevons.study.scenario.base import BATCH, OFF_PEAK, STANDARD
from jevons.study.scenario.market import MarketSpec
from jevons.study.scenario.sections import CostSpec, ExpansionSpec, FinanceSpec, ServedModel, ServingSpec


def contradictions(
    serving: ServingSpec, cost: CostSpec, expansion: ExpansionSpec, finance: FinanceSpec, market: MarketSpec
) -> Iterator[Fault]:
    """Yield faults between amounts that are not, or no longer, as a file has them."""
    nowhere = Located(root={}, name="")
    for name, served in serving.models.items():
        yield from check_tiers(nowhere, name, served)
    yield from check_budget(nowhere, expansion)
    yield from check_tree(nowhere, expansion)
    yield from check_lines(nowhere, expansion)
    yield from check_opening(nowhere, market)
    yield from check_value(nowhere, finance, cost)


def check_tiers(document: Located, name: str, served: ServedModel) -> Iterator[Fault]:
    """Refuse names that stand for something else, and shares that could exceed the whole."""
    here = ("serving", "models", name, "tiers")
    for tier in served.tiers:
        if tier in {STANDARD, BATCH, OFF_PEAK} or not tier.strip():
            message = f"`{tier}`: stands for a price of its own (`price`, `batch_discount`, `off_peak_discount`)"
            yield document.fault((*here, tier), f"{message}; give the tier another name, such as `long`")
    shares = [tier.share.value if tier.share.high is None else tier.share.high for tier in served.tiers.values()]
    if sum(shares) > 1 + 1e-9:
        shown = " + ".join(f"{share:g}" for share in shares)
        message = f"shares reach {shown} = {sum(shares):g}: must sum to at most 1 (the rest is bought at the standard"
        yield document.fault(here, f"{message} price); lower one of them")


def check_budget(document: Located, expansion: ExpansionSpec) -> Iterator[Fault]:
    """Refuse a first release that could exceed the whole budget; no budget at all is the planner's to refuse."""
    first, total = expansion.budget_first, expansion.budget
    most, least = first.value if first.high is None else first.high, total.value if total.low is None else total.low
    if most > least and total.value > 0 and expansion.budget_quarters > 1:
        message = f"reaches {most:g}: must not exceed expansion.budget, which begins at {least:g}; lower it"
        yield document.fault(("expansion", "budget_first"), message)


def check_tree(document: Located, expansion: ExpansionSpec) -> Iterator[Fault]:
    """Refuse outcomes of an event whose probabilities do not sum to one."""
    for event in ("demand", "supply"):
        outcomes = getattr(expansion.tree, event)
        total = sum(outcome.probability.value for outcome in outcomes.values())
        if outcomes and abs(total - 1.0) > 1e-9:
            off = f"raise them by {1 - total:.4g}" if total < 1 else f"lower them by {total - 1:.4g}"
            message = f"probabilities of {', '.join(outcomes)} sum to {total:.4g}: must sum to 1; {off} in all"
            yield document.fault(("expansion", "tree", event), message)


def check_lines(document: Located, expansion: ExpansionSpec) -> Iterator[Fault]:
    """Refuse lines beside infrastructure that could take more than it leaves."""
    shares = [line.share.value if line.share.high is None else line.share.high for line in expansion.lines.values()]
    if sum(shares) > 1 + 1e-9:
        message = f"shares reach {_summed(shares)}: must sum to at most 1, what infrastructure leaves of the"
        yield document.fault(("expansion", "lines"), f"{message} budget; lower one of them")


def _summed(parts: list[float]) -> str:
    """Return parts and their sum as text; one part is its own sum."""
    shown = " + ".join(f"{part:g}" for part in parts)
    return f"{shown} = {sum(parts):g}" if len(parts) > 1 else shown


def check_opening(document: Located, market: MarketSpec) -> Iterator[Fault]:
    """Refuse shares of rented compute that do not add up."""
    shares = {
        name: segment.opening
        for name, segment in market.segments.items()
        if segment.rents and (segment.opening.origin != "default" or segment.opening.value > 0)
    }
    missing = [n for n, s in market.segments.items() if s.rents and n not in shares]
    total = sum(share.value for share in shares.values())
    if shares and (missing or abs(total - 1) > 1e-6):
        shown = _summed([share.value for share in shares.values()])
        whose = f" ({', '.join(missing)} has none)" if missing else ""
        message = f"shares of rented compute come to {shown}{whose}: must add up to 1 over all who rent"
        remedy = "change the others too (a file that names any segment has only those that it names)"
        yield document.fault(("market", "segments", next(iter(shares)), "opening"), f"{message}; {remedy}")
    if shares and market.ai_revenue_share.value <= 0:
        message = "splits the revenue that market.ai_revenue_share states; give that, or leave `opening` out"
        yield document.fault(("market", "segments", next(iter(shares)), "opening"), message)


def check_value(document: Located, finance: FinanceSpec, cost: CostSpec) -> Iterator[Fault]:
    """Refuse terms under which a business has no value, or an infinite one."""
    if finance.terminal_margin.value * (1 - finance.tax.value) <= 0:
        message = f"{finance.terminal_margin.value:g}: must leave a profit after tax, or no growth has a value"
        yield document.fault(("finance", "terminal_margin"), message)
    growth, wacc = finance.terminal_growth, cost.wacc
    most, least = growth.value if growth.high is None else growth.high, wacc.value if wacc.low is None else wacc.low
    if most >= least:
        message = f"reaches {most:g}: must stay below cost.wacc, which begins at {least:g}; value would be infinite"
        yield document.fault(("finance", "terminal_growth"), message)
