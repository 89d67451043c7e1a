"""Scripts within jobs: tasks of SkyPilot, and containers of Kubernetes and Compose, with the variables set for them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

GPUS, NODES = "SKYPILOT_NUM_GPUS_PER_NODE", "SKYPILOT_NUM_NODES"
_DEEPEST = 30
_NAME = re.compile(r"[A-Za-z_]\w*")


def scripts_of(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield the scripts that documents run, each behind the variables that its job sets."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for inner in value:
            yield from scripts_of(inner, depth + 1)
    if not isinstance(value, dict):
        return
    stated = _variables(value.get("envs") or value.get("env") or value.get("environment"))
    if isinstance(value.get("run"), str):
        yield _exported({**_of_task(value), **stated}) + value["run"]
        return
    words = [word for key in ("entrypoint", "command", "args") for word in _words(value.get(key))]
    if words:
        script = next((word for word in words if "\n" in word or " -" in word), "")
        yield _exported(stated) + (script or shlex.join(words))
    for inner in value.values():
        yield from scripts_of(inner, depth + 1)


def _words(part: Any) -> list[str]:
    return [str(word) for word in part] if isinstance(part, list) else [part] if isinstance(part, str) else []


def _exported(variables: Mapping[str, str]) -> str:
    return "".join(f"{name}={shlex.quote(text)}\n" for name, text in variables.items() if _NAME.fullmatch(name))


def _variables(given: Any) -> dict[str, str]:
    """Return variables of a mapping, or of a list of names and values."""
    if isinstance(given, dict):
        return {str(name): str(text) for name, text in given.items()}
    named = [entry for entry in given if isinstance(entry, dict)] if isinstance(given, list) else []
    return {str(entry["name"]): str(entry.get("value", "")) for entry in named if "name" in entry}


def _of_task(task: Mapping[str, Any]) -> dict[str, str]:
    """Return the counts that SkyPilot sets for a task, as far as it names one kind of accelerator."""
    resources = task.get("resources")
    named = resources.get("accelerators") if isinstance(resources, dict) else None
    counts = {str(count) for count in named.values()} if isinstance(named, dict) else set()
    if isinstance(named, str):
        counts = {named.partition(":")[2] or "1"}
    return {NODES: str(task.get("num_nodes", 1)), **({GPUS: counts.pop()} if len(counts) == 1 else {})}
