"""What the many spellings of devices and models in measured tables mean."""

from __future__ import annotations

import functools
import re

from jevons.errors import InputError
from jevons.hardware import device_in
from jevons.models import ModelSpec, load, quantised, resolve
from jevons.operators.types import PRECISION_ALIASES, PRECISIONS

__all__ = ["device_id", "model_named", "plain", "precision_of", "quantised"]

# Names that share another's shape, or that tables shorten.
_SAME_SHAPE = (
    (r"^llama 4 maverick", "llama-4-maverick-17b-128e"), (r"^llama 4 scout", "llama-4-scout-17b-16e"),
    (r"^llama 7b$", "llama-2-7b"), (r"^llama 70b$", "llama-2-70b"), (r"^llama2 70b", "llama-2-70b"),
    (r"^glm 4\.[67]( fp8)?$", "glm-4.5"), (r"^minimax m2(\.\d)?\b", "minimax-m2.5"), (r"^kimi k2\.[5-9]", "kimi-k2.5"),
    (r"^kimi k2 thinking", "kimi-k2"), (r"^qwen3 coder next", "qwen3-next-80b-a3b"),
    (r"^deepseek r1 distill qwen 1\.5b", "qwen2.5-1.5b"), (r"^llama 3\.1 nemotron 70b", "llama-3.1-70b"),
    (r"^deepseek v3/r1$", "deepseek-v3"), (r"^r1$", "deepseek-r1"), (r"^deepseek math v2", "deepseek-v3.2"),
    (r"^glm 4\.5v", "glm-4.5-air"), (r"^qwen3 omni 30b a3b", "qwen3-30b-a3b"), (r"^acemath 7b", "qwen2.5-7b"),
    (r"^step 3\.5 flash", "step-3.7-flash"), (r"^nemotron nano 30b", "nemotron-3-nano-30b-a3b"),
    (r"^nemotron super 49b", "llama-3.3-nemotron-super-49b"),
    (r"^llama 3\.1 405b instruct fp8 kv", "llama-3.1-405b"),
    (r"^falcon 180b", "falcon-180b"), (r"^gpt ?j", "gpt-j-6b"), (r"^ministral 3 14b", "ministral-3-14b"),
    (r"nemotron nano 9b v2", "nemotron-nano-9b-v2"), (r"nemotron nano 12b v2", "nemotron-nano-12b-v2"),
    (r"^bloom 7b1", "bloom-7b1"), (r"^decilm 7b", "decilm-7b"),
)  # fmt: skip


def plain(text: str) -> str:
    """Return a name in lower case with single spaces for dashes, underscores and runs of blanks."""
    return re.sub(r"[\s_\-]+", " ", text.strip().lower()).strip()


@functools.cache
def device_id(name: str) -> str:
    """Return the id of the accelerator that a table's device column names.

    Raises
    ------
    InputError
        If it is empty, names several kinds, or none that is known.
    """
    if not name.strip():
        message = "the row names no device"
        raise InputError(message)
    return device_in(name)


@functools.cache
def model_named(name: str) -> tuple[ModelSpec, str | None]:
    """Return the architecture that a table's model column names, and the precision that the name hints at.

    Raises
    ------
    InputError
        If it is empty or unknown.
    """
    base = name.strip().lstrip("- ").split("/")[-1] if "V3/R1" not in name else name
    text = re.sub(r"( 99(\.9)?)$", "", plain(base))
    hint = None
    hints = (("nvfp4|fp4$", "fp4"), ("fp8", "fp8"), ("awq|gptq|int4|w4a16", "int4"), ("w8a8|w8a16", "int8"))
    for pattern, precision in hints:
        if re.search(pattern, text):
            hint = precision
            break
    for pattern, same in _SAME_SHAPE:
        if re.search(pattern, text):
            return load(same), hint
    if not text:
        message = "the row names no model"
        raise InputError(message)
    named = resolve(
        re.sub(r"(quantized\.)?(fp8|nvfp4|fp4|awq|gptq int4|w8a8|w8a16|w4a16)( dynamic)?", "", text)
        .strip()
        .replace(" ", "-")
    )
    return load(named.spec_name), hint


def precision_of(label: str) -> str | None:
    """Return the precision that a table's precision column names, or None where it names none."""
    label = re.sub(r"\s*\(\w+ kv\)", "", label.lower())
    text = label.strip().split(";")[0].split(",")[0].split("/")[-1 if "int4" in label else 0].strip()
    text = re.sub(r"\s*(weights|gptq|gemm.*|awq)$", "", text).strip()
    text = {"uint4": "int4", "nvfp4": "fp4", "w8a8": "int8", "w4a16": "int4", "bfloat16": "bf16", "float16": "bf16",
            "fp16": "bf16", "int4_wo": "int4", "fp8_block": "fp8"}.get(text, text)  # fmt: skip
    if text.startswith("float16"):
        return "bf16"
    return text if text in PRECISIONS or text in PRECISION_ALIASES else None
