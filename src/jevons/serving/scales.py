"""Time of kernels in a running engine over that of lone kernels: for all, by device generation, and by engine."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping
from dataclasses import replace

from jevons.errors import FactError
from jevons.facts import Facts, default_facts
from jevons.hardware import Accelerator

Scales = Mapping[str, Mapping[str, float]]

SCALED_PARTS = (
    "compute.bf16", "compute.fp8", "compute.fp8_block", "compute.fp4", "attention.prompt", "attention.decode",
    "moe.bf16", "moe.fp8", "moe.fp8_block", "moe.fp4", "moe.int4", "moe.mxfp4", "memory", "tp_comm", "ep_comm",
    "prompt", "compute.start", "moe.start",
)  # fmt: skip
"""Parts of a step whose time in an engine may differ from that of lone kernels."""

_GENERATIONS = (
    ("hopper", ("h100", "h200", "h800", "h20", "gh200")),
    ("blackwell", ("b200", "b300", "gb200", "gb300")),
    ("blackwell_rtx", ("rtx_pro_6000",)),
    ("ada", ("l40s", "l20", "l4")),
    ("ada_geforce", ("rtx_4090",)),
    ("ampere", ("a100", "a800", "a40", "a30", "a10", "rtx_3090")),
    ("cdna", ("mi300x", "mi325x", "mi350x", "mi355x", "mi250x")),
)

# Scales correct the lone kernels that were measured. The RTX 4090 has those of the RTX PRO 6000 and the L40S's way
# through the host (see `operators.factors`): the scales of its kernels, and of its links, are theirs.
_LENDERS = {"ada_geforce": ("blackwell_rtx", "ada")}

# The measured collectives of this device come from a machine whose cards reach each other through the host at 5 GB/s
# (four cards) and 2 GB/s (eight), six times below what serving tables on the same card imply. Its boards are taken to
# use their slots as well as the other PCIe boards that were measured.
_BOARDS = {"l40s": "rtx_pro_6000", "l20": "rtx_pro_6000", "l4": "rtx_pro_6000"}


def generations() -> tuple[str, ...]:
    """Return the names that `generation_of` gives."""
    return (*(name for name, _ in _GENERATIONS), "other")


def generation_of(device_id: str) -> str:
    """Return the generation that shares kernels with a device; ``other`` where none was measured in an engine."""
    for name, prefixes in _GENERATIONS:
        if any(device_id == prefix or device_id.startswith(f"{prefix}_") for prefix in prefixes):
            return name
    return "other"


def board(device: Accelerator) -> Accelerator:
    """Return the device as the collectives should see it."""
    stand_in = _BOARDS.get(device.id)
    return replace(device, id=stand_in) if stand_in else device


def read_scales(facts: Facts, on: dt.date | None = None) -> Scales:
    """Return the scales public on a date by owner and part: facts ``kernels.<owner>.<part>_scale``."""
    made: dict[str, dict[str, float]] = {}
    for fact in facts:
        if fact.id.startswith("kernels.") and fact.id.endswith("_scale"):
            _, owner, part = fact.id.removesuffix("_scale").split(".")
            try:
                value = facts.get(fact.id, on).number
            except FactError:  # not yet published then
                continue
            made.setdefault(owner, {})[part.replace("_in_", ".")] = value
    return made


@functools.cache
def shipped_scales() -> Scales:
    """Return the newest scales that ship."""
    return read_scales(default_facts())


def part_scales(generation: str, engine: str, scales: Scales | None = None) -> Mapping[str, float]:
    """Return each part's time in a running engine over that of lone kernels: the product over its owners."""
    return _shipped(generation, engine) if scales is None else _product(generation, engine, scales)


@functools.cache
def _shipped(generation: str, engine: str) -> Mapping[str, float]:
    return _product(generation, engine, shipped_scales())


def lender_of(generation: str, part: str) -> str:
    """Return the generation whose scale of a part is another's too, or nothing."""
    kernels, links = _LENDERS.get(generation, ("", ""))
    return links if part.endswith("_comm") else kernels


def _product(generation: str, engine: str, scales: Scales) -> Mapping[str, float]:
    made: dict[str, float] = {}
    for owner in ("all", generation, *_LENDERS.get(generation, ()), engine):
        for part, value in scales.get(owner, {}).items():
            if owner in {"all", generation, engine} or owner == lender_of(generation, part):
                made[part] = made.get(part, 1.0) * value
    return made
