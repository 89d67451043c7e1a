"""The accelerator that a file names beside the server it starts: labels of nodes, resources of a task or of a job."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jevons.errors import InputError
from jevons.files.yaml_text import documents_of
from jevons.hardware import device_id

_LABELS = frozenset({
    "nvidia.com/gpu.product", "gpu.nvidia.com/class", "gpu.nvidia.com/model", "cloud.google.com/gke-accelerator",
    "cloud.google.com/gke-tpu-accelerator", "amd.com/gpu.product-name", "accelerator_type", "accelerator-type",
    "acceleratortypes",
})  # fmt: skip
"""Labels of Kubernetes' nodes that say which accelerator they hold, and the keys of Ray Serve and of llm-d's charts."""
_SLURM = re.compile(
    r"(?m)^\s*#SBATCH\s+(?:--gres[= ]gpu|-G[= ]?|--gpus(?:-per-(?:node|task))?[= ])(?::)?([A-Za-z][\w-]*)"
)
_PYTHON = re.compile(r"\b(?:gpu|accelerator_type)\s*=\s*f?[\"']([A-Za-z][\w. -]*)")
_KEYED = re.compile(r"(?m)^[ \t{-]*[\"']?[\w./-]+[\"']?[ \t]*:(?:[ \t]|$)")
_SHARED = re.compile(r"-SHARED$")
"""What the device plugin adds to a product that several containers take turns on."""
_DEEPEST = 30


def device_named(text: str) -> tuple[str, str]:
    """Return the id of the accelerator that a text names for its server, and why none is taken where it names some.

    Examples
    --------
    >>> device_named("#SBATCH --gres=gpu:h100:8")
    ('h100_sxm', '')
    """
    names = {*_SLURM.findall(text), *filter(_known, _PYTHON.findall(text))}  # of others, `gpu` is any variable's name
    if _KEYED.search(text):
        names |= set(_labelled(documents_of(text), 0))
    devices = {_known(_SHARED.sub("", name)): name for name in sorted(names)}
    if len(devices) == 1 and "" not in devices:
        return next(iter(devices)), ""
    listed = ", ".join(sorted(names))
    known = "several accelerators" if len(devices) > 1 else "an accelerator that is not on file"
    return "", f"names {known}, {listed}; give --gpu" if names else ""


def _labelled(value: Any, depth: int) -> Iterator[str]:
    """Yield the accelerators that the labels and the resources of a document name."""
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            if str(key).lower() in _LABELS:
                yield from _texts(inner)
            elif key == "accelerators":  # SkyPilot: A100-80GB:8, {A100-80GB: 8}, or a list of those that will do
                yield from (name.partition(":")[0] for name in _texts(inner))
        if str(value.get("key", "")).lower() in _LABELS and str(value.get("operator", "In")) == "In":
            yield from _texts(value.get("values"))
        for inner in value.values():
            yield from _labelled(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _labelled(inner, depth + 1)


def _texts(value: Any) -> list[str]:
    """Return the names that a value holds: itself, the items of a list, or the keys of a mapping."""
    listed = list(value) if isinstance(value, dict | list) else [value]
    return [item for item in listed if isinstance(item, str)]


def _known(name: str) -> str:
    try:
        return device_id(name)
    except InputError:
        return ""
