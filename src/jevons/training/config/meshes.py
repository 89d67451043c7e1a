"""What MaxText and nanotron say in their own way: axes of a mesh, batches of a device, modes of their layers."""

from __future__ import annotations

import math

from jevons.errors import InputError
from jevons.training.config.types import TrainingText

_AXES = ("copies", "shard", "tp", "pp", "cp", "ep")
_RECOMPUTED = {"none": "none", "minimal": "selective", "minimal_flash": "selective", "save_dot_except_mlp": "selective"}
"""What MaxText's policies keep of a layer, by what is worked out again; all others work out most of it."""


def settle_maxtext(told: TrainingText) -> None:
    """Turn axes within and between slices into degrees, and a device's sequences into those of a replica."""
    stated = [name for kind in ("ici", "dcn") for axis in _AXES if (name := f"{kind}_{axis}") in told.settings]
    for axis in _AXES:
        names = [name for name in stated if name.endswith(f"_{axis}")]
        if names:
            told.take(axis, math.prod(told.value(name) for name in names), told.key(names[0]))
    if {"ici_shard", "ici_copies"} & set(stated):  # the axis that takes all devices left is not stated
        told.take("gpus", math.prod(told.value(name) for name in stated), told.key(stated[0]))
    if "device_batch" in told.settings:
        each, key = told.settings["device_batch"]
        size = each * told.value("tp", 1) * told.value("pp", 1) * told.value("cp", 1)
        if size % 1:
            message = f"--config: {key} = {each:g}: gives a replica {size:g} sequences, and must give a whole number"
            raise InputError(message)
        told.take("micro_batch", int(size), key)
    if "recompute" in told.settings:
        policy, key = told.settings.pop("recompute")
        told.take("recompute", _RECOMPUTED.get(str(policy).lower(), "full"), key)
    if "fp8" in told.settings and "fp8" not in str(told.value("fp8")).lower():
        told.unmodelled.append(told.settings.pop("fp8").key)


def settle_nanotron(told: TrainingText) -> None:
    """Turn its degrees into a number of accelerators, and its modes into Megatron's."""
    if "dp" in told.settings:
        degrees = (told.value(name, 1) for name in ("dp", "tp", "pp", "cp", "ep"))
        told.take("gpus", math.prod(degrees), told.key("dp"))
    if "zero" in told.settings:
        stage, key = told.settings.pop("zero")
        told.take("distributed_optimizer", stage > 0, key)
    if "tp_mode" in told.settings:
        told.take("sequence_parallel", "reduce_scatter" in str(told.value("tp_mode")).lower(), told.key("tp_mode"))
