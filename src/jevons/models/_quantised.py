"""Precision of shipped weights, from `quantization_config` and from the name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jevons.models._config import Config
from jevons.models.types import WeightPrecision


def read_precision(config: Config, name: str) -> tuple[WeightPrecision, str]:
    """Return the weights' precision by class, and the cache's; faults are left in *config*."""
    text = config.raw
    section = config.section("quantization_config")
    quant = section.raw
    method = str(quant.get("quant_method", "")).lower()
    algorithm = str(quant.get("quant_algo", "")).lower()
    base = "fp16" if str(text.get("torch_dtype") or text.get("dtype")) == "float16" else "bf16"
    kv = "fp8" if "fp8" in str(quant.get("kv_cache_scheme", quant.get("kv_cache_quant_algo", ""))).lower() else "bf16"
    label = f"{method} {algorithm} {name.lower()}"
    if "nvfp4" in label or "modelopt_fp4" in label:
        return WeightPrecision(
            attention="fp8" if "fp8" in algorithm else base, dense="nvfp4", experts="nvfp4", embeddings=base
        ), kv
    if "mxfp4" in label:
        return WeightPrecision(attention=base, dense=base, experts="mxfp4", embeddings=base), kv
    if method == "fp8" or "fp8" in algorithm:
        kind = "fp8_block" if quant.get("weight_block_size") else "fp8"
        experts = "mxfp4" if text.get("expert_dtype") == "fp4" else kind
        return WeightPrecision(attention=kind, dense=kind, experts=experts, embeddings=base), kv
    if method in {"awq", "gptq"}:
        bits = f"int{quant.get('bits', 4)}"
        bits = bits if bits in {"int4", "int8"} else "int4"
        return WeightPrecision(attention=bits, dense=bits, experts=bits, embeddings=base), kv
    if not method and "fp8" in name.lower():
        return WeightPrecision(attention="fp8", dense="fp8", experts="fp8", embeddings=base), kv
    if method == "compressed-tensors":
        return _compressed(section, base), kv
    return WeightPrecision(attention=base, dense=base, experts=base, embeddings=base), kv


def _compressed(quant_config: Config, base: str) -> WeightPrecision:
    groups = quant_config.raw.get("config_groups")
    bits = 16
    weights: Mapping[str, Any] = {}
    if isinstance(groups, Mapping) and groups:
        first = quant_config.section("config_groups").section(str(next(iter(groups))))
        weights = first.section("weights").raw
        bits = first.section("weights").integer("num_bits", default=16, least=1, most=64)
    kind = str(weights.get("type", ""))
    chosen = {4: "nvfp4" if kind == "float" else "int4", 8: "fp8" if kind == "float" else "int8"}.get(bits, base)
    ignored = " ".join(quant_config.words("ignore"))
    attention = base if "self_attn" in ignored or "attention" in ignored else chosen
    dense = base if "shared_experts" in ignored or "mlp\\.(gate|up" in ignored else chosen
    return WeightPrecision(attention=attention, dense=dense, experts=chosen, embeddings=base)
