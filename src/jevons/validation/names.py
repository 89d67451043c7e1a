"""What the many spellings of devices and models in measured tables mean."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from pathlib import Path

from jevons.errors import InputError
from jevons.hardware import accelerator
from jevons.models import ModelSpec, WeightPrecision, load, resolve
from jevons.operators.types import PRECISION_ALIASES, PRECISIONS

_CONFIGS = Path(__file__).parent / "configs"

# First match wins; spaces, underscores and dashes are one.
_DEVICES = (
    (r"\bgb300\b", "gb300"), (r"\bgb200\b", "gb200"), (r"\bb300\b", "b300_sxm"), (r"\bb200\b", "b200_sxm"),
    (r"\bgh200\b", "gh200"), (r"\bh200 nvl\b", "h200_sxm"), (r"\bh200\b", "h200_sxm"), (r"\bh100 pcie\b", "h100_pcie"),
    (r"\bh100 nvl\b", "h100_nvl"), (r"\bh100\b", "h100_sxm"), (r"\bh800\b", "h800_sxm"), (r"\bh20\b", "h20"),
    (r"\ba100 pcie\b", "a100_pcie"), (r"\ba100 (sxm )?40", "a100_sxm_40gb"), (r"\ba100\b", "a100_sxm"),
    (r"\ba800\b", "a800_sxm"), (r"\brtx pro 6000\b", "rtx_pro_6000"), (r"\b4090\b", "rtx_4090"),
    (r"\b3090\b", "rtx_3090"), (r"\bl40s\b", "l40s"), (r"\bl20\b", "l20"), (r"\bl4\b", "l4"), (r"\ba40\b", "a40"),
    (r"\ba30\b", "a30"), (r"\ba10\b", "a10"), (r"\bv100\b", "v100_sxm"), (r"\bmi355x\b", "mi355x"),
    (r"\bmi350x\b", "mi350x"), (r"\bmi325x\b", "mi325x"), (r"\bmi300x\b", "mi300x"), (r"\bmi250x?\b", "mi250x"),
    (r"\bgaudi 3\b", "gaudi3"), (r"\bgaudi 2\b", "gaudi2"), (r"\b910c\b", "ascend_910c"), (r"\b910b\b", "ascend_910b"),
    (r"\bironwood\b|\btpu ?v7", "tpu_v7"), (r"\btpu ?v6e", "tpu_v6e"), (r"\btpu ?v5p", "tpu_v5p"),
    (r"\btpu ?v5e", "tpu_v5e"), (r"\btrainium ?2\b|\btrn2\b", "trainium2"),
)  # fmt: skip

# Names that share another's shape, or that tables shorten.
_SAME_SHAPE = (
    (r"^llama 4 maverick", "llama-4-maverick-17b-128e"), (r"^llama 4 scout", "llama-4-scout-17b-16e"),
    (r"^llama 7b$", "llama-2-7b"), (r"^llama 70b$", "llama-2-70b"), (r"^llama2 70b", "llama-2-70b"),
    (r"^glm 4\.[67]( fp8)?$", "glm-4.5"), (r"^minimax m2(\.\d)?\b", "minimax-m2.5"), (r"^kimi k2\.[5-9]", "kimi-k2.5"),
    (r"^kimi k2 thinking", "kimi-k2"), (r"^qwen3 coder next", "qwen3-next-80b-a3b"),
    (r"^deepseek r1 distill qwen 1\.5b", "qwen2.5-1.5b"), (r"^llama 3\.1 nemotron 70b", "llama-3.1-70b"),
    (r"^deepseek v3/r1$", "deepseek-v3"), (r"^r1$", "deepseek-r1"),
)  # fmt: skip
_OWN_CONFIGS = (
    (r"^falcon 180b", "falcon-180b"), (r"^gpt ?j", "gpt-j-6b"), (r"^ministral 3 14b", "ministral-3-14b"),
)  # fmt: skip

# Checkpoints whose experts alone are quantised.
_EXPERTS_ONLY = ("kimi-k2", "gpt-oss")


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
    text = plain(name)
    if len(set(re.findall(r"\bmi3\d\dx\b", text))) > 1:
        message = f"`{name}` mixes devices; one row, one kind"
        raise InputError(message)
    for pattern, device in _DEVICES:
        if re.search(pattern, text):
            return device
    accelerator(name)
    return name.strip().lower()


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
    for pattern, precision in (("nvfp4|fp4$", "fp4"), ("fp8", "fp8"), ("awq|gptq|int4", "int4"), ("w8a8", "int8")):
        if re.search(pattern, text):
            hint = precision
            break
    for pattern, config in _OWN_CONFIGS:
        if re.search(pattern, text):
            return load(str(_CONFIGS / f"{config}.json"), name=config), hint
    for pattern, same in _SAME_SHAPE:
        if re.search(pattern, text):
            return load(same), hint
    if not text:
        message = "the row names no model"
        raise InputError(message)
    found = resolve(
        re.sub(r"(quantized\.)?(fp8|nvfp4|fp4|awq|gptq int4|w8a8)( dynamic)?", "", text).strip().replace(" ", "-")
    )
    return load(found.spec_name), hint


def precision_of(label: str) -> str | None:
    """Return the precision that a table's precision column names, or None where it names none."""
    text = label.strip().lower().split(";")[0].split(",")[0].split("/")[-1 if "int4" in label.lower() else 0].strip()
    text = re.sub(r"\s*(weights|gptq|gemm.*|awq)$", "", text).strip()
    text = {"uint4": "int4", "nvfp4": "fp4", "w8a8": "int8", "w4a16": "int4", "bfloat16": "bf16", "float16": "bf16",
            "fp16": "bf16", "int4_wo": "int4", "fp8_block": "fp8"}.get(text, text)  # fmt: skip
    if text.startswith("float16"):
        return "bf16"
    return text if text in PRECISIONS or text in PRECISION_ALIASES else None


def quantised(spec: ModelSpec, precision: str | None) -> ModelSpec:
    """Return the model with the weights that checkpoints of that precision usually have.

    4-bit checkpoints of mixture models keep attention in 16 bits; models that ship with quantised experts only keep
    everything else in 16 bits whatever the label.
    """
    shipped = spec.weight_precision
    if precision is None:
        return spec
    if spec.name.startswith(_EXPERTS_ONLY) and not shipped.dense.startswith("fp8"):
        experts = shipped.experts if precision != "fp4" or shipped.experts == "mxfp4" else "nvfp4"
        return replace(spec, weight_precision=replace(shipped, experts=experts))
    if precision == "fp8":
        if shipped.dense == "fp8_block":
            return spec
        scaled = "fp8_block" if spec.is_moe else "fp8"
        return replace(
            spec, weight_precision=WeightPrecision(attention=scaled, dense=scaled, experts=scaled, embeddings="bf16")
        )
    if precision in {"fp4", "mxfp4"}:
        name = "nvfp4" if precision == "fp4" else "mxfp4"
        attention = "bf16" if spec.is_moe else name
        return replace(
            spec, weight_precision=WeightPrecision(attention=attention, dense=name, experts=name, embeddings="bf16")
        )
    if precision == "int4" and spec.is_moe:
        return replace(
            spec, weight_precision=WeightPrecision(attention="bf16", dense="bf16", experts="int4", embeddings="bf16")
        )
    return replace(spec, weight_precision=WeightPrecision.uniform(precision))
