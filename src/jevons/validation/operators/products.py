"""Tables of products: dense, grouped and experts', and chains that only move memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from jevons.errors import InputError
from jevons.hardware.types import Accelerator
from jevons.limits import ROW_EXPERTS
from jevons.operators.families import Rates, matrix_rates
from jevons.operators.kernels.gemm import ELEMENTWISE, GEMM
from jevons.operators.kernels.moe import MOE
from jevons.operators.kernels.routing import active_experts, balanced_load, power_law_load
from jevons.operators.types import precision_of
from jevons.validation.operators.rows import ALONE, Reader, class_of, dtype_of, engine_of, number


def product_rates(device: Accelerator, precision: str) -> Rates:
    """Return a device's rates for products in a precision, as a loop that repeats one call sees them."""
    _, kind = precision_of(device, precision)
    return matrix_rates(device, kind, repeated=True)


# Tables of tuned kernels name a product by its storage: mxfp4 there multiplies in 4 bits, not weights alone.
_TUNED_DTYPES = {"mxfp4": "fp4", "mxfp8": "fp8_block"}


def _precision(framework: str, dtype: str) -> str:
    """Return the canonical precision of a product."""
    label = dtype.lower()
    return _TUNED_DTYPES.get(label, dtype_of(label)) if framework == "aiter" else dtype_of(label)


def _measured(
    read: Reader, dtype_column: str
) -> Iterator[tuple[tuple[str, str, str], str, Rates, list[int], Accelerator]]:
    """Yield framework, kernel and type as printed, precision, rates, rows and device; leave the others."""
    for key, rows, device in read.groups("latency_ms", "framework", "kernel_source", dtype_column):
        framework, source, dtype = key
        label = _precision(framework, dtype)
        try:
            rates = product_rates(device, label)
        except InputError as error:
            read.leave(rows, "latency_ms", str(error))
            continue
        yield (framework, source, dtype), label, rates, rows, device


def gemm(read: Reader) -> None:
    """Read products of two matrices, one or a batch of them in a call."""
    for (framework, source, dtype), label, rates, rows, device in _measured(read, "gemm_dtype"):
        engine = engine_of(framework)
        variant = "small" if source.startswith("FlashInfer") and label == "fp8_block" else ""
        variant = "alone" if engine in ALONE else "mx" if dtype.lower() == "mxfp8" else variant
        shape = {name: read.column(rows, name) for name in "mnk"} | {"out_bytes": 2.0}
        shape["count"] = np.maximum(read.column(rows, "batch"), 1.0)
        read.add(GEMM, device, (engine, label, variant), rates, shape, "latency_ms", rows)


def grouped_gemm(read: Reader) -> None:
    """Read grouped products of experts: equal rows for each group, the kernel alone."""
    for (framework, source, _), label, rates, rows, device in _measured(read, "grouped_dtype"):
        shape = {"n": read.column(rows, "n"), "k": read.column(rows, "k"), "out_bytes": 2.0}
        shape |= {"m": read.column(rows, "rows_per_group"), "count": read.column(rows, "groups")}
        variant = "grouped/masked" if "masked" in source else "grouped"
        read.add(GEMM, device, (engine_of(framework), label, variant), rates, shape, "latency_ms", rows)


def moe(read: Reader) -> None:
    """Read layers of experts: one rank's share, with its sorting and summing."""
    for (framework, source, _), label, rates, rows, device in _measured(read, "moe_dtype"):
        tokens, top = read.column(rows, "num_tokens"), read.column(rows, "topk")
        experts, ranks = read.column(rows, "num_experts"), read.column(rows, "moe_ep_size")
        exponent = np.array([_exponent(read.rows[index].get("distribution") or "") for index in rows])
        ways = np.maximum(read.column(rows, "moe_tp_size"), 1.0)
        possible = (tokens >= 1) & (top >= 1) & (experts >= top) & (experts <= ROW_EXPERTS) & (ranks >= 1)
        possible &= (ranks <= experts) & (exponent >= 0.0) & (exponent <= 10.0)
        ranks, experts = np.where(possible, ranks, np.nan), np.where(possible, experts, np.nan)
        busy, active = balanced_load(tokens, experts, top, ranks)
        uneven = exponent > 0.0
        if framework == "aiter":  # its tuner draws experts at random
            active, uneven = np.minimum(active_experts(tokens, experts, top), experts), np.ones(len(rows), bool)
        forced = np.array([_forced(read.rows[index].get("distribution") or "") for index in rows])
        active = np.where(forced > 0.0, np.minimum(forced, experts), active)
        for i in np.flatnonzero(possible & (exponent > 0.0)):
            busy[i], active[i] = power_law_load(
                int(tokens[i]), int(experts[i]), int(top[i]), int(ranks[i]), float(exponent[i])
            )
        shape = {
            "tokens": tokens, "hidden": read.column(rows, "hidden_size"),
            "inner": read.column(rows, "inter_size") / ways, "top": top, "rows": busy,
            "active": active, "local": np.maximum(experts / ranks, 1.0), "uneven": uneven,
            "matrices": 2.0 if "nongated" in source else 3.0,
        }  # fmt: skip
        variant = "nongated" if "nongated" in source else "situ" if "situ" in source else class_of(source)
        read.add(MOE, device, (engine_of(framework), label, variant), rates, shape, "latency_ms", rows)


def _forced(distribution: str) -> float:
    """Return the experts of a ``forced_<n>_experts`` routing, in which n experts share all rows; 0 for others."""
    named = distribution.removeprefix("forced_").removesuffix("_experts")
    return max(number(named), 0.0) if distribution.startswith("forced_") and named.isdigit() else 0.0


def _exponent(distribution: str) -> float:
    """Return the power of a ``power_law_<a>`` routing; 0 for balanced. An exponent of 1 is approached, not taken."""
    if not distribution.startswith("power_law_"):
        return 0.0
    value = number(distribution.removeprefix("power_law_"))
    return 1.0001 if value == 1.0 else value


def vidur_mlp(read: Reader) -> None:
    """Read profiles of a layer's products and of what lies between them, one column each."""
    for metric in [name for name in read.rows[0] if name.endswith("_ms_median")]:
        name = metric.removesuffix("_ms_median")
        for _, rows, device in read.groups(metric, "use_gated_mlp" if "mlp" in name else "n_kv_head", several=True):
            m, d = read.column(rows, "num_tokens"), read.column(rows, "n_embd")
            workers, wide = read.column(rows, "num_tensor_parallel_workers"), read.column(rows, "n_expanded_embd")
            tp = np.where(workers > 0.0, workers, np.nan)
            heads, kv_heads = read.column(rows, "n_head"), read.column(rows, "n_kv_head")
            gates = 2.0 if read.rows[rows[0]].get("use_gated_mlp") == "True" else 1.0
            head = d / np.maximum(heads, 1.0)
            products = {
                "attn_pre_proj": ((heads + 2.0 * kv_heads) * head / tp, d), "attn_post_proj": (d, d / tp),
                "mlp_up_proj": (gates * wide / tp, d), "mlp_down_proj": (d, wide / tp),
            }  # fmt: skip
            if name in products:
                n, k = products[name]
                shape = {"m": m, "n": n, "k": k, "count": 1.0, "out_bytes": 2.0}
                read.add(GEMM, device, ("vidur", "bf16", ""), product_rates(device, "bf16"), shape, metric, rows)
                continue
            rotated = (heads + kv_heads) * head / tp
            chains = {
                "input_layernorm": ("norm", m * d, m * d), "post_attention_layernorm": ("norm", m * d, m * d),
                "attn_rope": ("rope", m * rotated, m * rotated), "add": ("add", 2.0 * m * d, m * d),
                "mlp_act": ("activation", m * gates * wide / tp, m * wide / tp), "emb": ("embedding", m * d, m * d),
            }  # fmt: skip
            if name not in chains:
                read.leave(rows, metric, f"unknown operator `{name}`")
                continue
            kind, loaded, stored = chains[name]
            rates = Rates(bytes_per_s=device.hbm_bytes_per_s, cache_bytes=device.l2_bytes, repeated=True)
            shape = {"read_bytes": 2.0 * loaded, "write_bytes": 2.0 * stored, "launches": 1.0}
            read.add(ELEMENTWISE, device, ("vidur", "bf16", kind), rates, shape, metric, rows)
