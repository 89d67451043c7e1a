"""Files that start a fleet of a size result on an engine or an orchestrator."""

from __future__ import annotations

from typing import Any

from jevons.errors import InputError


def deployment(result: Any, entry: int, target: str) -> dict[str, Any]:
    """Return the files for one fleet of a size result, load tests among them: the best is entry 0.

    Raises
    ------
    InputError
        If there is no such fleet or target, or the target cannot run the fleet.
    """
    from jevons.sizing.handover import deployments

    fleets = result.entries
    if not 0 <= entry < len(fleets):
        message = f"entry {entry}: the result has fleets 0 to {len(fleets) - 1}"
        raise InputError(message)
    files = deployments(fleets[entry], target, service=result.service, demand=result.demand, asked=result.answer)
    return {"target": target, "entry": entry, "files": [{"name": name, "text": text} for name, text in files.items()]}
