"""Options that name accelerators: a name may say how many there are, as ``8xH100`` and ``p5.48xlarge`` do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from jevons import options as o
from jevons.errors import InputError

_ID = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*|.*\.ya?ml")


def _stated(value: Any, explicit: Mapping[str, Any], options: frozenset[str]) -> dict[str, tuple[Any, str]]:
    """Return the accelerator and the number that a name states.

    Raises
    ------
    InputError
        If the name states a number and the function has no `gpus`.
    """
    if not isinstance(value, str) or _ID.fullmatch(value) or any(mark in value for mark in ",:;"):
        return {}
    from jevons.hardware.machines import machine
    from jevons.hardware.names import counted

    carried = machine(value)
    if carried is not None:
        device, devices = carried
        said = {"gpu": (device, value)}
        return said if "gpus" not in options or explicit.get("gpus") is not None else said | {"gpus": (devices, value)}
    count, kind = counted(value)
    if not count:
        return {}
    if "gpus" not in options:
        message = f"--gpu {value}: states a number, and the answer is of one accelerator; give --gpu {kind}"
        raise InputError(message)
    return {"gpu": (kind, value), "gpus": (int(count), value)}


def _candidate(value: Any, explicit: Mapping[str, Any], options: frozenset[str]) -> dict[str, tuple[Any, str]]:
    """Return what `_stated` does; machines of a cloud come in any number, so theirs is no limit of a fleet."""
    from jevons.hardware.machines import machine

    stated = _stated(value, explicit, options)
    return {"gpu": stated["gpu"]} if stated and machine(value) is not None else stated


GPU = replace(o.GPU, expand=_stated)
GPU_KINDS = replace(o.GPU_KINDS, expand=_stated)
CANDIDATES = replace(o.CANDIDATES, expand=_candidate)
