"""Faults of uses of compute: a use without a throughput, shares that do not add up, an elasticity without a range."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jevons.errors import Fault, did_you_mean
from jevons.schema import Located
from jevons.study.scenario.base import RENTAL, RENTED_USES
from jevons.study.scenario.contradictions import check_opening
from jevons.study.scenario.market import SegmentSpec

if TYPE_CHECKING:
    from jevons.study.scenario.scenario import Scenario

_ONLY_SELF_SERVED = ("skill", "busy", "calls_instead", "rented_share", "switch", "owned_share", "own_switch")


def check_uses(document: Located, scenario: Scenario) -> Iterator[Fault]:
    """Yield what is wrong with the uses of a scenario's segments."""
    for name, segment in scenario.market.segments.items():
        yield from _check_use(document, scenario, name, segment)
        yield from _check_elasticity(document, scenario, name, segment)
    yield from _check_opening(document, scenario)
    yield from _check_contracts(document, scenario)


def _check_contracts(document: Located, scenario: Scenario) -> Iterator[Fault]:
    """Refuse contracts for what the firm does not let, or that end before the plan begins."""
    segments = scenario.market.segments
    renting = [name for name, segment in segments.items() if segment.rents]
    for name, contract in scenario.market.contracts.items():
        here = ("market", "contracts", name)
        if contract.segment not in renting:
            near = did_you_mean(contract.segment, renting)
            known = f"there are {', '.join(renting)}" if renting else "the scenario has none"
            message = f"`{contract.segment}`: is no segment that rents device-hours; {known}{near}"
            yield document.fault((*here, "segment"), message)
        if contract.start and contract.start < scenario.start:
            message = (
                f"{contract.start}: lies before the plan's first quarter, {scenario.start}; leave it out, and give in "
                "`backlog` and `term` what is left"
            )
            yield document.fault((*here, "start"), message)


def _check_use(document: Located, scenario: Scenario, name: str, segment: SegmentSpec) -> Iterator[Fault]:
    """Refuse a use without a throughput: nothing says how many device-hours its work takes."""
    here = ("market", "segments", name)
    if segment.use == "self_served":
        if segment.model == RENTAL:
            message = f"self_served: has no throughput: `model: {RENTAL}` runs nothing; name the served model it runs"
            yield document.fault((*here, "use"), message)
        elif scenario.market.rental_device not in scenario.hardware.devices:
            message = (
                f"self_served: has no throughput: market.rental_device `{scenario.market.rental_device}` is not in "
                "hardware.devices; name one that is"
            )
            yield document.fault((*here, "use"), message)
    elif segment.use in RENTED_USES and segment.model != RENTAL:
        message = f"{segment.use}: rents device-hours and calls no model; write `model: {RENTAL}`"
        yield document.fault((*here, "use"), message)
    elif segment.use == "calls" and segment.model == RENTAL:
        message = f"calls: has no throughput: `model: {RENTAL}` is no model; name a served one"
        yield document.fault((*here, "use"), message)
    if segment.rents and segment.internal:
        message = "true: own businesses do not rent from the firm; leave `use` out, or `internal`"
        yield document.fault((*here, "internal"), message)
    if instead := segment.calls_instead:
        other = scenario.market.segments.get(instead)
        if other is None or other.rents or other.model != segment.model:
            callers = [n for n, s in scenario.market.segments.items() if not s.rents and s.model == segment.model]
            message = f"`{instead}` does not call `{segment.model}`; name a segment that does"
            message += f" ({', '.join(callers)})" if callers else ", or leave it out"
            yield document.fault((*here, "calls_instead"), message)
    yield from _check_owning(document, scenario, name, segment)
    for field in _ONLY_SELF_SERVED:
        if field in segment.model_fields_set and segment.kind != "self_served":
            given = getattr(segment, field)
            shown = given if isinstance(given, str) else f"{given.value:g}"
            message = f"{shown}: has no effect on {segment.kind}; it is of `use: self_served`"
            yield document.fault((*here, field), message)


def _check_owning(document: Located, scenario: Scenario, name: str, segment: SegmentSpec) -> Iterator[Fault]:
    """Refuse machines of their own for users whose choice has no terms, or more than all of their tokens."""
    owned = segment.owned_share.value
    if segment.kind != "self_served" or owned <= 0:
        return
    here = ("market", "segments", name)
    whole = owned + segment.rented_share.value
    if not segment.calls_instead:
        message = f"{owned:g}: they choose between owning, renting and calling; name in `calls_instead` who calls"
        yield document.fault((*here, "owned_share"), message)
    elif whole > 0.99:
        message = (
            f"{owned:g}: with rented_share {segment.rented_share.value:g} makes {whole:g}; the rest is called, so they "
            "must leave at least 0.01"
        )
        yield document.fault((*here, "owned_share"), message)
    if scenario.market.box is None:
        message = f"{owned:g}: what a machine costs is not given; add market.box, or leave `owned_share` out"
        yield document.fault((*here, "owned_share"), message)
    if segment.buyer_tokens.value <= 0:
        message = f"{owned:g}: whole machines are bought, so size counts; give the users' `buyer_tokens` a day"
        yield document.fault((*here, "owned_share"), message)
    if segment.own_switch.value > segment.switch.value:
        message = (
            f"{segment.own_switch.value:g}: must be at most `switch`, {segment.switch.value:g}: owned and rented "
            "machines are the closer substitutes"
        )
        yield document.fault((*here, "own_switch"), message)


def _check_elasticity(document: Located, scenario: Scenario, name: str, segment: SegmentSpec) -> Iterator[Fault]:
    """Refuse an elasticity without a range where draws are asked for: the verdict's probability rests on it."""
    if scenario.study.draws < 2:
        return
    for field in ("elasticity", "depth_exponent", "switch", "own_switch"):
        amount = getattr(segment, field)
        if field in segment.model_fields_set and not amount.uncertain and amount.value:
            message = (
                f"{amount.value:g}: has no range, which the probability of the verdict needs; write "
                "{low: , mode: , high: , source: }, or set study.draws to 0"
            )
            yield document.fault(("market", "segments", name, field), message)


def _check_opening(document: Located, scenario: Scenario) -> Iterator[Fault]:
    """Refuse shares of rented compute that do not add up."""
    shares = {n: s.opening for n, s in scenario.market.segments.items() if "opening" in s.model_fields_set}
    for name in shares:
        segment = scenario.market.segments[name]
        if not segment.rents:
            message = (
                f"{segment.opening.value:g}: is a share of rented compute, which {segment.kind} do not rent; omit it"
            )
            yield document.fault(("market", "segments", name, "opening"), message)
            return
    yield from check_opening(document, scenario.market)
