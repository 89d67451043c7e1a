"""Reads a Hugging Face config.json into a `ModelSpec`; every fault is named with its key and remedy."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jevons.errors import Fault, InputError, did_you_mean
from jevons.files import read_json
from jevons.models._config import Config
from jevons.models._families import FAMILIES, build
from jevons.models._quantised import read_precision
from jevons.models._vision import vision_parameters
from jevons.models.spec import ModelSpec
from jevons.schema import shortened

MAX_CONFIG_BYTES = 10_000_000

_NESTED = ("text_config", "language_config", "llm_config")


def read_config(path: Path | str, *, name: str | None = None) -> ModelSpec:
    """Return the architecture in a config.json (or in the folder that holds one).

    Parameters
    ----------
    path : path or str
        The file or its folder.
    name : str, optional
        Name to give the model; the file's or folder's by default.

    Raises
    ------
    InputError
        If the file is missing, not JSON, of an unknown architecture, or holds impossible sizes; all faults together.
    """
    path = Path(path)
    if path.is_dir():
        path = path / "config.json"
    raw = read_json(path, most_bytes=MAX_CONFIG_BYTES)
    label = name or (path.parent.name if path.name == "config.json" and path.parent.name else path.stem)
    return spec_of(raw, label, str(path))


def spec_of(raw: Any, name: str, file: str = "") -> ModelSpec:
    """Return the architecture that a parsed config.json describes; see `read_config`."""
    if not isinstance(raw, Mapping):
        raise InputError(Fault(message="must be a JSON object", file=file))
    text = dict(raw)
    for key in _NESTED:
        if isinstance(raw.get(key), Mapping):
            text = {**raw[key]}
            break
    if raw.get("quantization_config"):
        text["quantization_config"] = raw["quantization_config"]
    kinds = [str(text.get("model_type", "")), str(raw.get("model_type", ""))]
    family = next((kind for kind in kinds if kind in FAMILIES), None)
    if family is None:
        shown = raw.get("architectures") or raw.get("model_type") or "none named"
        hint = did_you_mean((kinds[0] or kinds[1])[:80], FAMILIES)
        message = (
            f"unknown architecture {shortened(repr(shown))} (model_type {shortened(repr(kinds[0]))}).{hint} "
            "If it is a plain decoder, set "
            "`model_type` to the family it follows, such as `llama` or `mixtral`."
        )
        raise InputError(Fault(message=message, path="model_type", file=file))
    config = Config(text, file)
    named = Config(raw, file).words("architectures")
    if raw.get("architectures") is not None and not named:
        config.fault("architectures", f"{shortened(repr(raw['architectures']))}: must be a list of class names")
    spec = build(family, config, name, next(iter(named), family))
    precision, kv = read_precision(config, name)
    config.finish()
    return dataclasses.replace(
        spec,
        weight_precision=precision,
        kv_precision=kv,
        vision_parameters=vision_parameters(raw, spec.hidden),
    )
