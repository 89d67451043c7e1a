"""What checkpoints of a precision usually hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from jevons.models.spec import ModelSpec
from jevons.models.types import WeightPrecision

# Checkpoints whose experts alone are quantised.
_EXPERTS_ONLY = ("kimi-k2", "gpt-oss")


# Models whose NVFP4 checkpoints of the second version, which engines have served since late 2025, hold attention's
# output projection in 4 bits too (huggingface.co/nvidia/DeepSeek-R1-0528-FP4-v2).
_OUTPUTS_TOO = frozenset({"deepseek-v3", "deepseek-r1"})


# Mixtures whose 8-bit checkpoints have a scale for each channel rather than each block.
_BY_CHANNEL = ("llama-4",)


# Makers whose 4-bit checkpoints have a scale for 32 weights rather than 128.
_SMALL_GROUPS = frozenset({"cpatonn", "cyankiwi"})

_KEPT_ATTENTION: Mapping[str, str] = {"attention": "bf16", "outputs": "bf16"}
_NARROW_HEAD: Mapping[str, str] = {"attention": "fp8", "outputs": "fp8", "mixers": "fp8", "head": "nvfp4"}

# Makers' own checkpoints that store parts otherwise than is usual, by maker, precision and model.
_OWN: Mapping[tuple[str, str, str], Mapping[str, str]] = {
    ("meta-llama", "fp8", "llama-3.1-405b"): _KEPT_ATTENTION,
    ("sgl-project", "fp8", "deepseek-v4-flash"): {"experts": "fp8_block"},
    ("sgl-project", "fp8", "deepseek-v4-pro"): {"experts": "fp8_block"},
    ("nvidia", "nvfp4", "gemma-4-31b"): _KEPT_ATTENTION,
    ("nvidia", "nvfp4", "gemma-4-26b-a4b"): {"dense": "bf16"},
    ("nvidia", "nvfp4", "qwen3.5-27b"): _NARROW_HEAD,
    ("nvidia", "nvfp4", "qwen3.5-35b-a3b"): {**_NARROW_HEAD, "dense": "bf16"},
}


def quantised(spec: ModelSpec, precision: str | None, maker: str = "") -> ModelSpec:
    """Return the model with the weights that checkpoints of that precision usually have.

    4-bit checkpoints of mixture models keep attention in 16 bits (of DeepSeek-R1 all but its output projection), and
    NVFP4 ones of dense hybrids attention and mixers in 8; models that ship with quantised experts only keep everything
    else in 16 bits whatever the label.

    Parameters
    ----------
    spec : ModelSpec
        The model as it is shipped.
    precision : str or None
        Of the checkpoint; as shipped where None.
    maker : str
        Who published the checkpoint, in lower case: some quantise other parts, or in smaller groups.
    """
    usual = _usual(spec, precision)
    stored = usual.weight_precision
    own = _OWN.get((maker, precision or "", spec.name))
    if own is not None:
        return replace(usual, weight_precision=replace(stored, **own))
    if precision == "int4" and maker in _SMALL_GROUPS:
        parts = ("attention", "outputs", "dense", "experts")
        kinds = {kind: "int4_g32" for kind in parts if getattr(stored, kind) == "int4"}
        return replace(usual, weight_precision=replace(stored, **kinds))
    return usual


def _usual(spec: ModelSpec, precision: str | None) -> ModelSpec:
    shipped = spec.weight_precision
    if precision is None:
        return spec
    if precision == "nvfp4":
        precision = "fp4"
    if spec.name.startswith(_EXPERTS_ONLY) and not shipped.dense.startswith("fp8"):
        experts = shipped.experts if precision != "fp4" or shipped.experts == "mxfp4" else "nvfp4"
        return replace(spec, weight_precision=replace(shipped, experts=experts))
    if precision == "fp8":
        if shipped.dense == "fp8_block":
            return spec
        scaled = "fp8_block" if spec.is_moe and not spec.name.startswith(_BY_CHANNEL) else "fp8"
        return replace(
            spec, weight_precision=WeightPrecision(attention=scaled, dense=scaled, experts=scaled, embeddings="bf16")
        )
    if precision in {"fp4", "mxfp4"}:
        name = "nvfp4" if precision == "fp4" else "mxfp4"
        mixes = any(group.attention.mixer.parameters for group in spec.layers)
        attention = "bf16" if spec.is_moe else "fp8" if mixes and precision == "fp4" else name
        outputs = name if precision == "fp4" and spec.name in _OUTPUTS_TOO else attention
        stored = WeightPrecision(attention=attention, dense=name, experts=name, embeddings="bf16", outputs=outputs)
        return replace(spec, weight_precision=stored)
    if precision == "int4" and spec.is_moe:
        return replace(
            spec, weight_precision=WeightPrecision(attention="bf16", dense="bf16", experts="int4", embeddings="bf16")
        )
    return replace(spec, weight_precision=WeightPrecision.uniform(precision))
