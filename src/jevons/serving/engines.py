"""Engine presets from facts."""

from __future__ import annotations

import dataclasses
import datetime as dt

from jevons.errors import InputError, did_you_mean
from jevons.facts import Facts, default_facts
from jevons.serving.scales import read_scales
from jevons.serving.types import EngineFactors

_WHOLE = {"step_tokens", "max_batch"}
_SWITCHES = {"mixes_prompts", "composes_ahead"}


def engine_names(facts: Facts | None = None) -> list[str]:
    """Return the names of the engines that facts describe."""
    facts = facts or default_facts()
    return sorted(
        fact.id.split(".")[1]
        for fact in facts
        if fact.id.startswith("engine.") and fact.id.endswith(".step_overhead_s")
    )


def engine(name: str = "generic", facts: Facts | None = None, on: dt.date | None = None) -> EngineFactors:
    """Return the factors of the engine of that name.

    Parameters
    ----------
    name : str
        One of `engine_names`.
    facts : Facts, optional
        The shipped facts by default.
    on : date, optional
        Only values public by then; the latest by default.

    Raises
    ------
    InputError
        If no such engine is known.
    """
    facts = facts or default_facts()
    key = name.strip().lower().replace("-", "").replace("_", "")
    key = {"tensorrtllm": "trtllm", "trt": "trtllm"}.get(key, key)
    known = engine_names(facts)
    if key not in known:
        message = f"unknown engine `{name}`.{did_you_mean(key, known)} Known: {', '.join(known)}."
        raise InputError(message)
    values: dict[str, float] = {
        field.name: facts.get(f"engine.{key}.{field.name}", on).number
        for field in dataclasses.fields(EngineFactors)
        if field.name not in {"name", "scales"}
    }
    whole = {quantity: int(values.pop(quantity)) for quantity in _WHOLE}
    switches = {quantity: bool(values.pop(quantity)) for quantity in _SWITCHES}
    scales = None if on is None and facts is default_facts() else read_scales(facts, on)
    return EngineFactors(name=key, scales=scales, **values, **whole, **switches)  # type: ignore[arg-type]
