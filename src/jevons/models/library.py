"""Shipped architectures by name, and the many spellings of their names."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

from jevons.errors import InputError, did_you_mean
from jevons.models.read import read_config
from jevons.models.spec import ModelSpec

_CONFIGS = Path(__file__).parent / "configs"

_SUFFIXES = (
    (r"[-_](nvfp4|fp4)(-.*)?$", "nvfp4"),
    (r"[-_]mxfp4(-.*)?$", "mxfp4"),
    (r"[-_]fp8(-dynamic|-static-pertensor|-block|-kv)?$", "fp8"),
    (r"[-_](awq|gptq)(-int4)?$", "int4"),
    (r"[-_](quantized\.)?(w4a16|int4|4bit)$", "int4"),
    (r"[-_](quantized\.)?(w8a8|w8a16|int8|8bit)$", "int8"),
    (r"[-_](bf16|fp16)$", "bf16"),
)
_DROPPED = re.compile(
    r"[-_](instruct|chat|hf|it|base|thinking|0324|0528|2407|2409|2411|2501|2503|2506|2507|0905|v0\.[0-9]|preview)(?=$|[-_])"
)


@dataclass(frozen=True, slots=True)
class Resolved:
    """A shipped architecture's name, and the weights' precision that the spelling hints at."""

    spec_name: str
    precision_hint: str | None


def names() -> list[str]:
    """Return the names of the shipped architectures."""
    return sorted(path.stem for path in _CONFIGS.glob("*.json"))


def resolve(name: str) -> Resolved:
    """Return the shipped architecture that *name* spells, such as ``meta-llama/Meta-Llama-3.1-8B-Instruct-FP8``.

    Raises
    ------
    InputError
        If none is shipped; near names are offered.
    """
    plain = name.strip().split("/")[-1].lower().replace(" ", "-").replace("_", "-")
    hint = None
    for pattern, precision in _SUFFIXES:
        shorter = re.sub(pattern, "", plain)
        if shorter != plain:
            plain, hint = shorter, hint or precision
    known = names()
    for candidate in _spellings(plain):
        if candidate in known:
            return Resolved(candidate, hint)
    message = (
        f"unknown model `{name}`.{did_you_mean(plain, known)} `jevons models list` shows all; or give a config.json."
    )
    raise InputError(message)


def model(name_or_path: str, *, name: str | None = None) -> ModelSpec:
    """Return the architecture of a shipped name or of a config.json; parameters and errors as `load` has them.

    Examples
    --------
    >>> import jevons
    >>> jevons.model("qwen3-32b")
    <qwen3-32b: 32.8 bn parameters, 32 bn active, KV 262,144 bytes/token, context 40,960 tokens>
    """
    return load(str(name_or_path), name=name)


def _spellings(plain: str) -> list[str]:
    forms = [plain, _DROPPED.sub("", plain)]
    forms += [form.removeprefix("meta-") for form in forms]
    forms += [re.sub(r"llama([0-9])", r"llama-\1", form) for form in forms]
    forms += [re.sub(r"(\d)p(\d)", r"\1.\2", form) for form in forms]
    return forms


@functools.lru_cache(maxsize=256)
def load(name_or_path: str, *, name: str | None = None) -> ModelSpec:
    """Return the architecture of a shipped name or of a config.json.

    Parameters
    ----------
    name_or_path : str
        Shipped name in any common spelling, or the path of a config.json or of its folder.
    name : str, optional
        Name to give the model.

    Raises
    ------
    InputError
        If it is neither a shipped name nor a readable config.json.
    """
    path = Path(name_or_path)
    if path.suffix == ".json" or path.is_dir():
        return read_config(path, name=name)
    found = resolve(str(name_or_path))
    return read_config(_CONFIGS / f"{found.spec_name}.json", name=name or found.spec_name)
