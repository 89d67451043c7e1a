"""Time of kernels in a running engine over that of lone kernels, by generation of the device."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace

from jevons.facts import default_facts
from jevons.hardware import Accelerator

_GENERATIONS = (
    ("hopper", ("h100", "h200", "h800", "h20", "gh200")),
    ("blackwell", ("b200", "b300", "gb200", "gb300")),
    ("blackwell_rtx", ("rtx_pro_6000",)),
    ("ada", ("l40s", "l20", "l4", "rtx_4090")),
    ("ampere", ("a100", "a800", "a40", "a30", "a10", "rtx_3090")),
    ("cdna", ("mi300x", "mi325x", "mi350x", "mi355x", "mi250x")),
)

# The measured collectives of this device come from a machine whose cards reach each other through the host at 5 GB/s
# (four cards) and 2 GB/s (eight), six times below what serving tables on the same card imply. Its boards are taken to
# use their slots as well as the other PCIe boards that were measured.
_BOARDS = {"l40s": "rtx_pro_6000", "l20": "rtx_pro_6000", "l4": "rtx_pro_6000"}


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


@functools.cache
def part_scales(generation: str) -> Mapping[str, float]:
    """Return the shipped scales of a generation's parts: facts ``kernels.<generation>.<part>_scale``."""
    facts = default_facts()
    prefix, suffix = f"kernels.{generation}.", "_scale"
    return {
        fact.id.removeprefix(prefix).removesuffix(suffix).replace("_in_", "."): facts.get(fact.id).number
        for fact in facts
        if fact.id.startswith(prefix) and fact.id.endswith(suffix)
    }
