"""Multi-head latent attention: the expanded form for prompts, the absorbed form for generation, and whole blocks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jevons.hardware.types import Accelerator
from jevons.operators.factors import Factors, default_factors
from jevons.operators.families import Family, Kernel, Rates, evaluate, matrix_rates, residency_gain
from jevons.operators.kernels.attention import attention_rates, prefill_terms
from jevons.operators.kernels.gemm import GEMM
from jevons.operators.padding import BATCHES, Ladder, padded
from jevons.operators.types import MEMORY, ArrayLike, FloatArray, OpTime, Shape, Terms, checked, precision_of

_TILE_HEADS = 64.0  # query heads per tile of absorbed kernels


def mla_prefill_terms(s: Shape, r: Rates, v: Mapping[str, float]) -> Terms:
    """Return the terms of expanded latent attention (every head has its own keys), plus projections where given."""
    core = prefill_terms(s, r, v)
    return core._replace(serial_s=v["projection"] * s["projections_s"])


def mla_prefill_features(s: Shape) -> tuple[FloatArray, ...]:
    """Return log2 of sequences, new tokens and heads."""
    return (
        np.asarray(np.log2(s["b"]) / 4.0 - 1.0),
        np.asarray(np.log2(s["s"]) / 5.0 - 1.8),
        np.asarray(np.log2(s["h"]) / 3.5 - 1.0),
    )


MLA_PREFILL = Family(
    name="mla_prefill",
    factors=("compute_frac", "memory_frac", "launch_s", "tail", "exponential", "overlap", "rows", "projection"),
    terms=mla_prefill_terms,
    features=mla_prefill_features,
    degree=4,
    traffic_bound=MEMORY,
)


def mla_decode_terms(s: Shape, r: Rates, v: Mapping[str, float]) -> Terms:
    """Return the terms of absorbed latent attention: all heads share one cached latent per token.

    Notes
    -----
    As `decode_terms` with one KV head, whose latent is read once for keys and values: tasks are tiles of 64 heads, or
    one per head in kernels that do not pack them (``unpacked``); ``query`` weighs reading queries and writing outputs.
    """
    b, t, h, q = s["b"], s["t"], s["h"], s["q"]
    width, value_width = s["width"], s["rank"]
    rows = h * q
    tasks = b * (np.ceil(rows / _TILE_HEADS) * (1.0 - np.minimum(v["unpacked"], 1.0)) + v["unpacked"] * rows)
    waves = tasks / r.cores
    cached = b * t * width * r.weight_bytes
    compute = waves * v["task_s"]
    compute = compute + 2.0 * b * np.maximum(v["rows"], rows) * (t + v["pad"]) * (width + value_width) / (
        r.peak_flop_per_s * v["compute_frac"]
    )
    compute = compute + tasks * t * width * (r.weight_bytes / (r.bytes_per_s * v["reread"]))
    stream = r.bytes_per_s * v["memory_frac"] * np.minimum(1.0, waves * v["splits"])
    stream = stream * residency_gain(cached, r, v["copies"], v["residency"])
    memory = (cached + 2.0 * b * rows * (width + value_width) * v["query"]) / stream
    launch = v["launch_s"] + v["combine_s"] * np.log2(1.0 + t / 512.0)
    return Terms(launch, compute, memory, v["projection"] * s["projections_s"], v["overlap"])


def mla_decode_features(s: Shape) -> tuple[FloatArray, ...]:
    """Return log2 of sequences, keys and heads x new tokens."""
    return (
        np.asarray(np.log2(s["b"]) / 5.0 - 1.0),
        np.asarray(np.log2(s["t"]) / 8.5 - 1.0),
        np.asarray(np.log2(s["h"] * s["q"]) / 3.5 - 1.0),
    )


MLA_DECODE = Family(
    name="mla_decode",
    factors=(
        "compute_frac", "memory_frac", "launch_s", "rows", "unpacked", "task_s", "splits", "overlap", "copies",
        "residency", "pad", "combine_s", "reread", "projection", "query",
    ),
    terms=mla_decode_terms,
    features=mla_decode_features,
    degree=4,
    traffic_bound=MEMORY,
)  # fmt: skip


def projections_s(
    device: Accelerator,
    tokens: FloatArray,
    heads: FloatArray,
    precision: str,
    widths: Mapping[str, int],
    factors: Factors,
    *,
    absorbed: bool,
    expanded_tokens: FloatArray | None = None,
) -> FloatArray:
    """Return the time of an MLA block's projections on *tokens* tokens [s], *heads* being those of one device.

    Notes
    -----
    Down-projections of query and latent (not split over devices), up-projection of the query, output projection, and
    either the absorbed per-head products or the expansion of the latent to keys and values.
    """
    name, kind = precision_of(device, precision)
    bf16 = precision_of(device, "bf16")[1]
    hidden, q_rank, rank, rope = (widths[key] for key in ("hidden", "q_rank", "rank", "rope"))
    nope, value = widths["nope"], widths["value"]
    one = np.ones_like(tokens)

    def product(n: FloatArray, k: FloatArray, count: FloatArray, m: FloatArray, label: str) -> FloatArray:
        stored = kind if label == name else bf16
        rates = matrix_rates(device, stored)
        kernel = factors.kernel(GEMM, device, label)
        shape = {"m": m, "n": n, "k": k, "count": count, "out_bytes": np.asarray(2.0)}
        return evaluate(GEMM, Kernel(values=kernel.values), shape, rates).time_s

    total = product(one * (q_rank + rank + rope), one * hidden, one, tokens, name)
    total = total + product(heads * (nope + rope), one * q_rank, one, tokens, name)
    total = total + product(one * hidden, heads * value, one, tokens, name)
    if absorbed:
        total = total + product(one * rank, one * nope, heads, tokens, "bf16")
        return total + product(one * value, one * rank, heads, tokens, "bf16")
    grown = tokens if expanded_tokens is None else expanded_tokens
    return total + product(heads * (nope + value), one * rank, one, grown, name)


DEEPSEEK_WIDTHS: Mapping[str, int] = {
    "hidden": 7168, "q_rank": 1536, "rank": 512, "rope": 64, "nope": 128, "value": 128,
}  # fmt: skip


def mla_prefill(
    device: Accelerator,
    batch: ArrayLike,
    new_tokens: ArrayLike,
    cached_tokens: ArrayLike,
    heads: ArrayLike,
    *,
    kv_lora_rank: int = 512,
    rope_dim: int = 64,
    nope_dim: int = 128,
    v_head_dim: int = 128,
    kv_precision: str = "bf16",
    precision: str = "bf16",
    repeated: bool = False,
    factors: Factors | None = None,
) -> OpTime:
    """Return the time of a prompt's latent attention in expanded form, without its projections.

    Parameters
    ----------
    device : Accelerator
        Where it runs.
    batch, new_tokens, cached_tokens, heads : array_like
        As for `attention_prefill`; heads of one device.
    kv_lora_rank, rope_dim, nope_dim, v_head_dim : int
        Widths of the latent, the rotary part, the rest of a key, and a value.
    kv_precision, precision, repeated, factors
        As for `attention_prefill`.

    Returns
    -------
    OpTime
        Time [s] and bound. Expanding cached latents to keys and values is a `gemm` of its own.

    Raises
    ------
    InputError
        For shapes below their least value or a precision the device lacks.
    """
    del kv_lora_rank  # the expanded form multiplies keys and values, not the latent
    factors = factors or default_factors()
    shape = checked(b=batch, s=new_tokens, h=heads, d=nope_dim + rope_dim, dv=v_head_dim)
    shape |= checked(0.0, past=cached_tokens, w=0) | {"kv": shape["h"], "projections_s": np.zeros(())}
    dtype, rates = attention_rates(device, precision, kv_precision, repeated)
    kernel = factors.kernel(MLA_PREFILL, device, dtype, "core")
    return padded(MLA_PREFILL, kernel, shape, rates, factors.scale.get("mla_prefill", 1.0), Ladder("s"), BATCHES)


def mla_decode(
    device: Accelerator,
    batch: ArrayLike,
    kv_tokens: ArrayLike,
    heads: ArrayLike,
    *,
    kv_lora_rank: int = 512,
    rope_dim: int = 64,
    nope_dim: int = 128,
    v_head_dim: int = 128,
    kv_precision: str = "bf16",
    query_tokens: ArrayLike = 1,
    repeated: bool = False,
    factors: Factors | None = None,
) -> OpTime:
    """Return the time of generation's latent attention in absorbed form, without its projections.

    Parameters
    ----------
    device : Accelerator
        Where it runs.
    batch, kv_tokens, query_tokens : array_like
        As for `attention_decode`.
    heads : array_like
        Query heads of one device.
    kv_lora_rank, rope_dim : int
        Widths of the latent and of the rotary part; together the cached elements per token.
    nope_dim, v_head_dim : int
        Accepted for symmetry with `mla_prefill`; the absorbed form does not depend on them.
    kv_precision, repeated, factors
        As for `attention_decode`.

    Returns
    -------
    OpTime
        Time [s] and bound.

    Raises
    ------
    InputError
        For shapes below their least value or an unknown cache precision.
    """
    del nope_dim, v_head_dim
    factors = factors or default_factors()
    shape = checked(b=batch, t=kv_tokens, h=heads, q=query_tokens, width=kv_lora_rank + rope_dim, rank=kv_lora_rank)
    shape["projections_s"] = np.zeros(())
    dtype, rates = attention_rates(device, "bf16", kv_precision, repeated)
    kernel = factors.kernel(MLA_DECODE, device, dtype, "core")
    return padded(MLA_DECODE, kernel, shape, rates, factors.scale.get("mla_decode", 1.0), Ladder("t"), BATCHES)
