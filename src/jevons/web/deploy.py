"""Files that start a fleet of a size result on an engine or an orchestrator."""

from __future__ import annotations

from typing import Any

from jevons.errors import InputError, did_you_mean

TARGETS = ("vllm", "sglang", "trtllm", "compose", "k8s", "dynamo", "llmd")


def deployment(result: Any, entry: int, target: str) -> dict[str, Any]:
    """Return the files for one fleet of a size result: the best is entry 0.

    Raises
    ------
    InputError
        If there is no such fleet or target.
    """
    if target not in TARGETS:
        message = f"target {target}: unknown.{did_you_mean(target, TARGETS)} Known: {', '.join(TARGETS)}."
        raise InputError(message)
    fleets = result.entries
    if not 0 <= entry < len(fleets):
        message = f"entry {entry}: the result has fleets 0 to {len(fleets) - 1}"
        raise InputError(message)
    message = f"target {target}: launch text is not available in this version"
    raise InputError(message)
