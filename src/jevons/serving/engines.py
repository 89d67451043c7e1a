"""Engine presets from facts."""

from __future__ import annotations

import datetime as dt

from jevons.facts import Facts, default_facts
from jevons.facts.per_facts import per_facts
from jevons.hardware import Accelerator
from jevons.operators.engines import (
    Place,
    Release,
    engine_and_release,
    engine_fact,
    engine_names,
    engine_number,
    patch_of,
)
from jevons.serving.engine_factors import BatchingFactors, EngineFactors
from jevons.serving.memory_factors import memory_factors
from jevons.serving.scales import read_scales

__all__ = ["engine", "engine_names"]

_WHOLE = {"step_tokens", "max_batch"}
_SWITCHES = {
    "mixes_prompts", "composes_ahead", "holds_bursts", "prompts_by_chance", "cuts_prompts", "cuts_windows",
    "cuts_chunks_on_hopper", "pads_ranks", "captures_text_alone",
}  # fmt: skip


def engine(
    name: str = "generic", facts: Facts | None = None, on: dt.date | None = None, *, release: Release | None = None
) -> EngineFactors:
    """Return the factors of the engine of that name.

    Parameters
    ----------
    name : str
        One of `engine_names` or another spelling of it; ``vllm@0.13`` means that release.
    facts : Facts, optional
        The shipped facts by default.
    on : date, optional
        Only values public by then; the latest by default.
    release : tuple of int, optional
        Release, such as ``(0, 13)``; the newest by default.

    Raises
    ------
    InputError
        If no such engine is known, or the release is no version.

    Examples
    --------
    >>> engine("vllm").batching.composes_ahead, engine("vllm@0.13").batching.composes_ahead
    (True, False)
    """
    facts = facts or default_facts()
    key, stated = engine_and_release(name, facts)
    place = Place(release=stated or release)
    values: dict[str, float] = {}
    for factor, required in EngineFactors.factors().items():
        fact = engine_fact(key, factor, place, facts, on)
        if fact is not None:
            values[factor] = fact.number
        elif required:
            facts.get(f"engine.{key}.{factor}", on)  # says which fact is missing
    for quantity, seconds in older_overheads(key, place.release, facts, on).items():
        values[quantity] += seconds
    whole = {quantity: int(values.pop(quantity)) for quantity in _WHOLE}
    switches = {quantity: bool(values.pop(quantity)) for quantity in _SWITCHES if quantity in values}
    scales = None if on is None and facts is default_facts() else read_scales(facts, on)
    # a release of two numbers means the newest of its series
    memory = memory_factors(key, Place(release=patch_of(name.partition("@")[2]) or place.release), facts, on)
    return EngineFactors.of(name=key, scales=scales, memory=memory, **values, **whole, **switches)


def older_overheads(
    key: str, release: Release | None, facts: Facts | None = None, on: dt.date | None = None
) -> dict[str, float]:
    """Return the host time that an older release of an engine adds to factors of today's, by factor [s].

    Facts ``older_step_s`` and ``older_request_s``, and ``composing_step_s`` where it composes each step in turn.
    """
    place = Place(release=release)
    ahead = engine_fact(key, "composes_ahead", place, facts, on)
    stated = [
        ("step_overhead_s", engine_fact(key, "older_step_s", place, facts, on)),
        ("request_overhead_s", engine_fact(key, "older_request_s", place, facts, on)),
    ]
    if ahead is not None and not ahead.number:
        stated.append(("step_overhead_s", engine_fact(key, "composing_step_s", place, facts, on)))
    beyond: dict[str, float] = {}
    for factor, fact in stated:
        if fact is not None:
            beyond[factor] = beyond.get(factor, 0.0) + fact.number
    return beyond


def composing(factors: EngineFactors, *, ahead: bool) -> EngineFactors:
    """Return an engine whose server is told to compose a step while the one before runs, or when it has ended.

    Fact ``composing_step_s`` is what the host then saves, or spends, in each step.
    """
    if ahead == factors.batching.composes_ahead:
        return factors
    moved_s = engine_number(factors.name, "composing_step_s") or 0.0
    step_s = factors.host.step_overhead_s + (-moved_s if ahead else moved_s)
    return factors.replace(composes_ahead=ahead, step_overhead_s=max(step_s, 0.0))


def with_server_defaults(
    factors: EngineFactors, device: Accelerator, running: int = 0, step_tokens: int = 0
) -> EngineFactors:
    """Return an engine with its limits set, or those that its server takes on that device where they are 0.

    Facts ``server_max_batch`` and ``server_step_tokens``; limits that a calibration changed stay as they are. On a
    device where the engine captures no graphs (fact ``captures_graphs``), kernels are launched one by one.
    """
    own, place = factors.batching, Place.of(device)
    usual = _batching(factors.name)
    seats, tokens = (
        engine_number(factors.name, f"server_{limit}", place) if getattr(own, limit) == getattr(usual, limit) else None
        for limit in ("max_batch", "step_tokens")
    )
    share = engine_number(factors.name, "server_memory_frac", place)
    if share and factors.batching.memory_frac == engine_number(factors.name, "memory_frac", place):
        factors = factors.replace(memory_frac=share)
    if engine_number(factors.name, "captures_graphs", place) == 0:
        factors = factors.replace(eager=True)
    return factors.replace(
        max_batch=running or int(seats or own.max_batch), step_tokens=step_tokens or int(tokens or own.step_tokens)
    )


@per_facts(64)
def _batching(name: str) -> BatchingFactors:
    return engine(name).batching
