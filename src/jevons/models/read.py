"""Reads a Hugging Face config.json into a `ModelSpec`; every fault is named with its key and remedy."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jevons.errors import Fault, InputError, did_you_mean
from jevons.files import is_folder, read_json
from jevons.limits import CONFIG_BYTES
from jevons.models._config import Config, Watched
from jevons.models._doubts import doubts, headless, no_decoder
from jevons.models._families import DEFAULTS, FAMILIES, build, family_of, may_be_decoder
from jevons.models._quantised import read_precision
from jevons.models._vision import free_images, vision_parameters
from jevons.models.spec import ModelSpec
from jevons.schema import shortened
from jevons.text import printable

_NESTED = ("thinker_config", "text_config", "language_config", "llm_config")
_SHARED = ("quantization_config", "torch_dtype", "dtype", "tie_word_embeddings")


def read_config(path: Path | str, *, name: str | None = None) -> ModelSpec:
    """Return the architecture in a config.json (or in the folder that holds one).

    Parameters
    ----------
    path : path or str
        The file or its folder; an ``hf_quant_config.json`` beside it is read too.
    name : str, optional
        Name to give the model; the file's or folder's by default.

    Raises
    ------
    InputError
        If the file is missing, not JSON, of an unknown architecture, or holds impossible sizes; all faults together.
    """
    path = Path(path)
    if is_folder(path):
        path = path / "config.json"
    raw = read_json(path, most_bytes=CONFIG_BYTES)
    beside = path.parent / "hf_quant_config.json"
    if isinstance(raw, Mapping) and path.name == "config.json" and beside.is_file():
        raw = _with_quantisation(raw, read_json(beside, most_bytes=CONFIG_BYTES), str(beside))
    label = name or (path.parent.name if path.name == "config.json" and path.parent.name else path.stem)
    return spec_of(raw, printable(" ".join(label.split())) or "model", str(path))


def spec_of(raw: Any, name: str, file: str = "") -> ModelSpec:
    """Return the architecture that a parsed config.json describes; see `read_config`."""
    if not isinstance(raw, Mapping):
        raise InputError(Fault(message="must be a JSON object", file=file))
    other = no_decoder(raw)
    if other:
        raise InputError(Fault(message=other, path="architectures" if raw.get("architectures") else "", file=file))
    text = Watched(_decoder(raw))
    kinds = [str(text.get("model_type", "")), str(raw.get("model_type", ""))]
    config = Config(text, file)
    named = [*Config(raw, file).words("architectures"), *Config(text, file).words("architectures")]
    if raw.get("architectures") is not None and not named:
        config.fault("architectures", f"{shortened(repr(raw['architectures']))}: must be a list of class names")
    family = family_of(kinds, named)
    warnings = []
    text.seen.clear()
    if family is None:
        if not may_be_decoder(named, config):
            raise InputError(_unknown(raw, kinds, file))
        told = shortened(kinds[0] or kinds[1] or "none", 60)
        warnings.append(
            f"model_type `{told}` is not known: read as a plain decoder by its common keys; compare the parameters"
            f" with the publisher's.{did_you_mean((kinds[0] or kinds[1])[:80], FAMILIES)}"
        )
    spec = build(family, config, name, next(iter(named), family or kinds[0]))
    if headless(named):
        spec = dataclasses.replace(spec, tied_embeddings=True)
    unread = text.unread_sizes() if family is None else []
    if unread:
        warnings[-1] += f" Sizes of the file that no rule reads: {', '.join(key[:40] for key in unread[:8])}"
    warnings += doubts(raw, text, spec)
    precision, kv, unclear = read_precision(config, name)
    config.finish()
    return dataclasses.replace(
        spec,
        weight_precision=precision,
        kv_precision=kv,
        vision_parameters=vision_parameters(raw, spec.hidden),
        free_images=free_images(raw),
        warnings=(*warnings, *spec.warnings, *unclear),
    )


def _with_quantisation(raw: Mapping[str, Any], beside: Any, file: str) -> Mapping[str, Any]:
    """Return a config with what ModelOpt wrote in a file of its own, unless the config says it itself."""
    if not isinstance(beside, Mapping) or not isinstance(beside.get("quantization", {}), Mapping):
        raise InputError(Fault(message="must be a JSON object with `quantization`", file=file))
    if any(
        isinstance(section, Mapping) and section.get("quantization_config") for section in (raw, *map(raw.get, _NESTED))
    ):
        return raw
    return {**raw, "quantization_config": {"quant_method": "modelopt", **beside.get("quantization", {})}}


def _decoder(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of the text decoder, with what the file says once for all its parts."""
    text: dict[str, Any] = dict(raw)
    for key in _NESTED:
        inner = text.get(key)
        if isinstance(inner, Mapping):
            text = {**inner}
            for deeper in _NESTED:
                if isinstance(inner.get(deeper), Mapping):
                    text = {**inner[deeper]}
            text = {**DEFAULTS.get(str(text.get("model_type", "")), {}), **text}
    for shared in _SHARED:
        outer = raw.get(shared)
        if outer and (shared == "quantization_config" or text.get(shared) is None):
            text[shared] = outer
    if raw.get("compression_config") and not text.get("quantization_config"):
        text["quantization_config"] = raw["compression_config"]
    return text


def _unknown(raw: Mapping[str, Any], kinds: list[str], file: str) -> Fault:
    shown = raw.get("architectures") or raw.get("model_type") or "none named"
    hint = did_you_mean((kinds[0] or kinds[1])[:80], FAMILIES)
    message = (
        f"unknown architecture {shortened(repr(shown))} (model_type {shortened(repr(kinds[0]))}).{hint} "
        "If it is a plain decoder, set "
        "`model_type` to the family it follows, such as `llama` or `mixtral`."
    )
    return Fault(message=message, path="model_type", file=file)
