"""Time of kernels in a running engine over that of lone kernels: for all, by device generation, and by engine."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator, Mapping
from dataclasses import replace

from jevons.errors import FactError
from jevons.facts import Facts, FactValue, default_facts
from jevons.facts.per_facts import per_facts
from jevons.hardware import Accelerator, kin
from jevons.operators.types import storage_of

Scales = Mapping[str, Mapping[str, float]]
ComparableScales = tuple[tuple[str, tuple[tuple[str, float], ...]], ...] | None

SCALED_PARTS = (
    "compute.bf16", "compute.fp8", "compute.fp8_block", "compute.fp4", "attention.prompt", "attention.decode",
    "compute.bf16.streamed", "compute.fp8.streamed", "compute.fp8_block.streamed", "compute.fp4.streamed",
    "attention.state", "moe.bf16", "moe.fp8", "moe.fp8_block", "moe.fp4", "moe.int4", "moe.mxfp4", "memory", "tp_comm",
    "ep_comm", "prompt", "compute.start", "moe.start", "host",
)  # fmt: skip
"""Parts of a step whose time in an engine may differ from that of lone kernels; ``host`` is the host's own time."""


@functools.cache
def scaled_as(part: str) -> str:
    """Return the part whose scale a part of a step takes: products with weights of few bits, that of their multiplier.

    Weights that are unpacked before they are multiplied load the same units, which sustain as little under power. Where
    reading them sets the time, lone kernels of their own are all that is known.

    Examples
    --------
    >>> scaled_as("compute.int4"), scaled_as("compute.int4.streamed"), scaled_as("moe.int4")
    ('compute.bf16', 'compute.int4.streamed', 'moe.int4')
    """
    kind, _, precision = part.partition(".")
    if kind != "compute" or part in SCALED_PARTS or "." in precision:
        return part
    like = f"compute.{storage_of(precision)[1].peak}"
    return like if like in SCALED_PARTS else part


@per_facts()
def generations() -> tuple[str, ...]:
    """Return the names that `generation_of` gives; facts ``<device>.generation``."""
    facts = default_facts()
    names = (str(facts.get(fact.id).value) for fact in facts if fact.id.endswith(".generation"))
    return (*dict.fromkeys(names), "other")


def generation_of(device: Accelerator | str) -> str:
    """Return the generation that shares kernels with a device; ``other`` where none was measured in an engine."""
    return device.generation if isinstance(device, Accelerator) else str(kin(device)["generation"])


def board(device: Accelerator) -> Accelerator:
    """Return the device as the collectives should see it."""
    if not device.board_like:
        return device
    stand_in = device.board_like
    return replace(device, id=stand_in, kernels_like=(stand_in,), links_like=())


def read_scales(facts: Facts, on: dt.date | None = None) -> Scales:
    """Return the scales public on a date by owner and part: facts ``kernels.<owner>.<part>_scale``."""
    scales: dict[str, dict[str, float]] = {}
    for owner, part, value in scale_facts(facts, on):
        scales.setdefault(owner, {})[part] = value.number
    return scales


def comparable(scales: Scales | None) -> ComparableScales:
    """Return scales in a form by which answers can be kept; None for the newest that ship."""
    if scales is None:
        return None
    return tuple((owner, tuple(sorted(parts.items()))) for owner, parts in sorted(scales.items()))


def scale_facts(facts: Facts, on: dt.date | None = None) -> Iterator[tuple[str, str, FactValue]]:
    """Yield owner, part and value of the scales public on a date."""
    for fact in facts:
        if fact.id.startswith("kernels.") and fact.id.endswith("_scale"):
            _, owner, part = fact.id.removesuffix("_scale").split(".")
            try:
                yield owner, part.replace("_in_", "."), facts.get(fact.id, on)
            except FactError:  # not yet published then
                continue


@per_facts()
def shipped_scales() -> Scales:
    """Return the newest scales that ship."""
    return read_scales(default_facts())


def part_scales(generation: str, engine: str, scales: Scales | None = None, device: str = "") -> Mapping[str, float]:
    """Return each part's time in a running engine over that of lone kernels: the product over its owners.

    Servers around a device have hosts of their own, so that ``host`` has a scale for each device too.
    """
    return _shipped(generation, engine, device) if scales is None else _product(generation, engine, scales, device)


@per_facts()
def _shipped(generation: str, engine: str, device: str) -> Mapping[str, float]:
    return _product(generation, engine, shipped_scales(), device)


def lender_of(generation: str, part: str) -> str:
    """Return the generation whose scale of a part is another's too, or nothing."""
    kernels, links = _lenders(generation)
    return links if part.endswith("_comm") else kernels


@per_facts()
def _lenders(generation: str) -> tuple[str, str]:
    """Return the generations whose scales of kernels and of links are another's too; facts ``generation.<name>.…``."""
    facts = default_facts()
    ids = (f"generation.{generation}.{part}_like" for part in ("kernels", "links"))
    kernels, links = (str(facts.get(fact_id).value) if fact_id in facts else "" for fact_id in ids)
    return kernels, links


def pair_of(engine: str, generation: str) -> str:
    """Return the owner of what an engine's kernels on one generation of devices have of their own."""
    return f"{engine}_on_{generation}"


def _product(generation: str, engine: str, scales: Scales, device: str) -> Mapping[str, float]:
    product: dict[str, float] = {}
    own = ("all", generation, engine, pair_of(engine, generation), device)
    for owner in dict.fromkeys((*own, *(lender for lender in _lenders(generation) if lender))):
        for part, value in scales.get(owner, {}).items():
            if owner in own or owner == lender_of(generation, part):
                product[part] = product.get(part, 1.0) * value
    return product
