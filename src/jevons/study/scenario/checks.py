"""Faults of a scenario that only show across its sections."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from jevons.errors import Fault, InputError, did_you_mean
from jevons.facts import Facts
from jevons.limits import YEARS_APART, YEARS_PAST_FACTS
from jevons.schema import Located
from jevons.study.scenario.amounts import Amount, Quantity
from jevons.study.scenario.base import RENTAL, quarter_of
from jevons.study.scenario.contradictions import check_budget, check_lines, check_tiers, check_tree, check_value
from jevons.study.scenario.market import PriceSpec, SegmentSpec
from jevons.study.scenario.use_checks import check_uses

if TYPE_CHECKING:
    from jevons.study.scenario.scenario import Scenario
    from jevons.study.scenario.sections import ServedModel

TRACKED = (
    "cloud_revenue", "cloud_ebita_frac", "group_capex", "capex", "ai_revenue", "it_w", "tokens_per_d",
    "market_tokens_per_d", "price_index",
)  # fmt: skip
"""Series of a plan that a firm publishes."""
_MOST_CALLS_LOG10 = 16
"""A million calls a day for each person on earth."""
_STEEPEST = -20.0
_LISTED = " `jevons devices` lists those on file."


def cross_check(document: Located, scenario: Scenario, facts: Facts) -> Iterator[Fault]:
    """Yield faults that only show across sections."""
    yield from _check_devices(document, scenario, facts)
    yield from _check_engine(document, scenario, facts)
    yield from _check_models(document, scenario)
    for name, served in scenario.serving.models.items():
        yield from check_tiers(document, name, served)
        yield from _check_announced(document, name, served, scenario.labels())
    yield from _check_segments(document, scenario)
    yield from check_uses(document, scenario)
    yield from _check_rivals(document, scenario)
    yield from _check_brokers(document, scenario)
    if scenario.market.box is not None and scenario.market.rental_device not in scenario.hardware.devices:
        message = f"its accelerator, market.rental_device `{scenario.market.rental_device}`, is not in hardware.devices"
        yield document.fault(("market", "box"), f"{message}; name one that is, or leave the box out")
    yield from _check_demand(document, scenario)
    yield from check_budget(document, scenario.expansion)
    yield from check_tree(document, scenario.expansion)
    yield from check_lines(document, scenario.expansion)
    yield from _check_start(document, scenario)
    yield from _check_date(document, scenario, facts)
    yield from _check_published(document, scenario, facts)
    yield from _check_loans(document, scenario)
    if scenario.study.draws == 1:
        yield document.fault(("study", "draws"), "1: one draw has no interval; write 0 for none, or 2 and more")
    yield from check_value(document, scenario.finance, scenario.cost)
    yield from _check_correlations(document, scenario)


def _check_segments(document: Located, scenario: Scenario) -> Iterator[Fault]:
    """Refuse segments of a model that is not served, of calls without tokens, and of calls without a price."""
    models = {*scenario.serving.models, RENTAL}
    for name, segment in scenario.market.segments.items():
        if segment.model not in models:
            message = f"`{segment.model}` is not in serving.models.{did_you_mean(segment.model, models)}"
            yield document.fault(("market", "segments", name, "model"), message)
        if segment.model != RENTAL and segment.output_tokens.value + segment.input_tokens.value <= 0:
            yield document.fault(("market", "segments", name), "needs `input_tokens` or `output_tokens`")
        elif segment.model in scenario.serving.models and not segment.rents:
            yield from _check_call_prices(document, name, segment, scenario.serving.models[segment.model])


def _check_loans(document: Located, scenario: Scenario) -> Iterator[Fault]:
    """Refuse loans that are paid back before the plan begins."""
    for name, loan in scenario.finance.debt.items():
        if loan.matures < scenario.start:
            message = f"{loan.matures}: lies before the plan's first quarter, {scenario.start}; leave the loan out"
            yield document.fault(("finance", "debt", name, "matures"), message)


def _check_call_prices(document: Located, name: str, segment: SegmentSpec, served: ServedModel) -> Iterator[Fault]:
    """Refuse calls that cost nothing, at the start or from an announced price on."""
    here = ("market", "segments", name)
    remedy = "give the token kinds it uses a price above 0"
    if _call_price(served.price, segment) <= 0:
        message = f"has no price: its calls cost nothing at the list price of `{segment.model}`; {remedy}"
        yield document.fault(here, message)
    for price in served.announced:
        if _call_price(price, segment) <= 0:
            message = f"has no price from {price.start} on: its calls cost nothing at the announced price of"
            yield document.fault(here, f"{message} `{segment.model}`; {remedy}")


def _check_announced(document: Located, name: str, served: ServedModel, quarters: tuple[str, ...]) -> Iterator[Fault]:
    """Refuse announced prices outside of the plan or out of order."""
    before = ""
    written = document.root["serving"]["models"][name].get("announced", [])
    for index, price in enumerate(served.announced):
        here = ("serving", "models", name, "announced", index, "from")
        given = str(written[index]["from"])
        shown = given if given == price.start else f"{given} ({price.start})"
        if price.start <= quarters[0]:
            message = f"{shown}: must come after the plan's first quarter, {quarters[0]}, whose price is `price`"
            yield document.fault(here, f"{message}; move it there")
        elif price.start > quarters[-1]:
            message = f"{shown}: lies after the plan's last quarter, {quarters[-1]}"
            yield document.fault(here, f"{message}; leave it out, or raise `quarters`")
        if price.start == before:
            yield document.fault(here, f"{shown}: has an announced price already; keep one of the two")
        elif price.start < before:
            yield document.fault(here, f"{shown}: comes after {before} in the list; put prices in order of date")
        before = price.start


def bound_problem(scenario: Scenario, path: str, value: float) -> str:
    """Return the bound of the amount at *path* that a value would break, in words, or an empty string."""
    section: Any = scenario
    *parents, last = path.split(".")
    for name in parents:
        if isinstance(section, dict):
            section = section[name]
        else:
            section = section[int(name)] if isinstance(section, list | tuple) else getattr(section, name)
    marks = type(section).model_fields[last].metadata
    return next(
        (
            problem
            for mark in marks
            if isinstance(mark, Quantity)
            and (problem := mark.problem(value, mark.unit_in({"currency": scenario.currency})))
        ),
        "",
    )


def _most(amount: Amount) -> float:
    return amount.value if amount.high is None else amount.high


def _check_demand(document: Located, scenario: Scenario) -> Iterator[Fault]:
    """Refuse segments whose demand no accelerator fleet and no linear program could hold."""
    years = scenario.quarters / 4
    scale = _most(scenario.market.elasticity_scale)
    for name, segment in scenario.market.segments.items():
        here = ("market", "segments", name)
        # in logarithms, as the product may exceed what a float holds
        size = math.log10(_most(segment.adopters)) + math.log10(max(_most(segment.calls), 1e-18))
        size += years * math.log10(max(_most(segment.calls_growth), 1.0))
        if size > _MOST_CALLS_LOG10:
            message = (
                f"asks for up to 1e{size:.0f} calls a day (`adopters` x `calls` x `calls_growth` over the plan): must "
                f"stay below 1e{_MOST_CALLS_LOG10}; lower one of them"
            )
            yield document.fault(here, message)
        steepest = scale * (segment.elasticity.value if segment.elasticity.low is None else segment.elasticity.low)
        if steepest < _STEEPEST:
            message = (
                f"reaches {steepest:g} with market.elasticity_scale up to {scale:g}: must be at least {_STEEPEST:g}"
            )
            yield document.fault((*here, "elasticity"), message)


def _check_published(document: Located, scenario: Scenario, facts: Facts) -> Iterator[Fault]:
    """Refuse published series that are none, and facts that are not on file."""
    for series, ids in scenario.firm.published.items():
        here = ("firm", "published", series)
        if series not in TRACKED:
            message = f"no such series.{did_you_mean(series, TRACKED)} Known: {', '.join(TRACKED)}"
            yield document.fault(here, message)
        for fact_id in ids:
            if fact_id not in facts:
                yield document.fault(here, _not_on_file(fact_id, facts))
    if scenario.firm.basket and scenario.firm.basket not in facts:
        yield document.fault(("firm", "basket"), _not_on_file(scenario.firm.basket, facts))


def _not_on_file(fact_id: str, facts: Facts) -> str:
    return f"`{fact_id}` is not on file.{did_you_mean(fact_id, [fact.id for fact in facts])}"


def _check_start(document: Located, scenario: Scenario) -> Iterator[Fault]:
    """Refuse a plan so far from the date of its information that no price or growth of that date means anything."""
    years = int(scenario.start[:4]) - scenario.as_of.year
    if abs(years) > YEARS_APART:
        apart = f"lies {abs(years)} years from as_of, {scenario.as_of}"
        message = f"{scenario.start}: {apart}; must be within {YEARS_APART}"
        yield document.fault(("start",), message)


def _check_date(document: Located, scenario: Scenario, facts: Facts) -> Iterator[Fault]:
    """Refuse a date of information so far past the newest fact that what is on file is not what was known then."""
    newest = max(value.published for fact in facts for value in fact.values)
    if scenario.as_of.year > newest.year + YEARS_PAST_FACTS:
        message = (
            f"{scenario.as_of}: the newest fact on file is of {newest}; must be {newest.year + YEARS_PAST_FACTS} or"
        )
        yield document.fault(("as_of",), f"{message} before, or facts of your own must say what is known by then")


def _call_price(price: PriceSpec, segment: SegmentSpec) -> float:
    """Return the list price of a call [currency]."""
    cached = segment.cached.value
    fresh = segment.input_tokens.value * (1 - cached) * price.input.value
    input_price = segment.input_tokens.value * cached * price.cached.value
    return (fresh + input_price + segment.output_tokens.value * price.output.value) / 1e6


def _check_rivals(document: Located, scenario: Scenario) -> Iterator[Fault]:
    """Refuse rivals' prices in the place of models that are not served."""
    for name, rival in scenario.market.providers.rivals.items():
        for model in rival.prices:
            here = ("market", "providers", "rivals", name, "prices", model)
            if model not in scenario.serving.models:
                known = scenario.serving.models
                yield document.fault(here, f"`{model}` is not in serving.models.{did_you_mean(model, known)}")


def _check_brokers(document: Located, scenario: Scenario) -> Iterator[Fault]:
    """Refuse what is said of brokers where it could have no effect: without renters, or without stock."""
    devices = scenario.hardware.devices
    rents = any(segment.rents for segment in scenario.market.segments.values())
    for name, device in devices.items():
        here, stock = ("hardware", "devices", name), device.brokers
        some = max(stock.value, stock.high or 0.0) > 0
        if some and not rents:
            message = f"{stock.value:g}: nobody rents; add a segment with `model: {RENTAL}`, or leave `brokers` out"
            yield document.fault((*here, "brokers"), message)
        if not some and "brokers_growth" in device.model_fields_set:
            message = f"{device.brokers_growth.value:g}: needs `brokers`, the stock that grows"
            yield document.fault((*here, "brokers_growth"), message)
    given = "brokers" in scenario.market.model_fields_set
    if given and not any("brokers" in device.model_fields_set for device in devices.values()):
        message = "no device has any; give their stock as `hardware.devices.NAME.brokers`, or leave the section out"
        yield document.fault(("market", "brokers"), message)


def _check_devices(document: Located, scenario: Scenario, facts: Facts) -> Iterator[Fault]:
    from jevons.hardware import accelerator_ids

    known = accelerator_ids(facts)
    for name, device in scenario.hardware.devices.items():
        here = ("hardware", "devices", name)
        if name not in known:
            yield document.fault(here, f"unknown accelerator.{did_you_mean(name, known) or _LISTED}")
        if device.ban_probability.value > 0 and not device.ban_from:
            yield document.fault(here, "`ban_probability` needs `ban_from`, the first quarter without supply")
        open_still = device.ban_from and 0 < device.ban_probability.value < 1
        if open_still and device.ban_from < quarter_of(scenario.as_of):
            message = (
                f"{device.ban_from}: lies before as_of, {scenario.as_of}, when it was known whether the ban had come;"
            )
            remedy = "give a later quarter, `ban_probability: 1` if it is in force, or 0 if it never came"
            yield document.fault((*here, "ban_from"), f"{message} {remedy}")
        life = 4.0 * scenario.cost.service_life.value
        if device.installed.value > 0 and device.installed_age.value >= life:
            message = f"{device.installed_age.value:g} quarters: none of these devices stands, as they serve {life:g}"
            yield document.fault((*here, "installed_age"), f"{message}; leave them out, or correct the age")
        yield from _check_commitment(document, scenario, name)
    for place, reference in (
        (("market", "rental_device"), scenario.market.rental_device),
        (("expansion", "training", "device"), scenario.expansion.training.device),
    ):
        if reference not in known:
            yield document.fault(
                place, f"unknown accelerator `{reference}`.{did_you_mean(reference, known) or _LISTED}"
            )


def _check_engine(document: Located, scenario: Scenario, facts: Facts) -> Iterator[Fault]:
    from jevons.operators.engines import engine_and_release

    try:
        engine_and_release(scenario.serving.engine, facts)
    except InputError as error:
        yield document.fault(("serving", "engine"), str(error))


def _check_commitment(document: Located, scenario: Scenario, name: str) -> Iterator[Fault]:
    """Refuse orders committed to beyond what can be supplied."""
    device = scenario.hardware.devices[name]
    if device.committed.value <= 0:
        return
    here = ("hardware", "devices", name, "committed")
    for t, label in enumerate(scenario.labels()):
        if device.committed_until and label > device.committed_until:
            return
        on_sale = not device.supply_from or label >= device.supply_from
        supply = device.supply.value * (1 + device.supply_growth.value) ** (t / 4) if on_sale else 0.0
        if device.committed.value > supply * (1 + 1e-9):
            message = (
                f"= {device.committed.value:,.6g} a quarter: the supply in {label} is {supply:,.6g}; lower it, end it "
                "earlier with `committed_until`, or raise `supply`"
            )
            yield document.fault(here, message)
            return


def _check_models(document: Located, scenario: Scenario) -> Iterator[Fault]:
    from jevons import models
    from jevons.operators.types import PRECISIONS

    for name, served in scenario.serving.models.items():
        here = ("serving", "models", name)
        if name == RENTAL:
            yield document.fault(here, f"`{RENTAL}` stands for rented device-hours; give the model another name")
        if served.precision not in PRECISIONS:
            message = f"unknown precision `{served.precision}`.{did_you_mean(served.precision, PRECISIONS)}"
            yield document.fault((*here, "precision"), f"{message} Known: {', '.join(PRECISIONS)}.")
        try:
            models.load(served.architecture or name)
        except InputError as error:
            key = (*here, "architecture") if served.architecture else here
            yield from (document.fault(key, str(fault)) for fault in error.faults)


def _check_correlations(document: Located, scenario: Scenario) -> Iterator[Fault]:
    import numpy as np

    uncertain = [path for path, amount in scenario.amounts().items() if amount.uncertain]
    pairs: dict[frozenset[str], float] = {}
    known = True
    for index, correlation in enumerate(scenario.study.correlations):
        here = ("study", "correlations", index)
        for path in correlation.between:
            if path not in uncertain:
                known = False
                yield document.fault(here, f"`{path}` is no uncertain amount.{did_you_mean(path, uncertain)}")
        pair = frozenset(correlation.between)
        if len(pair) < 2:
            yield document.fault(here, f"`{correlation.between[0]}` cannot be correlated with itself; name two amounts")
        elif pair in pairs:
            yield document.fault(here, "this pair has a correlation already; keep one of them")
        if correlation.rank.uncertain:
            yield document.fault((*here, "rank"), "must be one number, not a distribution")
        pairs[pair] = correlation.rank.value
    names = sorted({path for pair in pairs for path in pair})
    matrix = np.eye(len(names))
    for pair, rank in pairs.items():
        rows = [names.index(path) for path in pair]
        matrix[rows, rows[::-1]] = 2 * np.sin(np.pi * rank / 6)
    if known and len(names) > 2 and np.linalg.eigvalsh(matrix)[0] <= 0:
        shown = ", ".join(f"{' ~ '.join(sorted(pair))}: {rank:g}" for pair, rank in pairs.items())
        message = f"no joint distribution has these rank correlations ({shown}); weaken one of them"
        yield document.fault(("study", "correlations"), message)
