"""Attention of prompts and of generation, with grouped heads and sliding windows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jevons.errors import InputError
from jevons.hardware.types import Accelerator
from jevons.operators.factors import Factors, default_factors
from jevons.operators.families import Family, Rates, matrix_rates, residency_gain
from jevons.operators.padding import BATCHES, Ladder, padded
from jevons.operators.types import (
    MEMORY,
    ArrayLike,
    FloatArray,
    OpTime,
    Shape,
    Terms,
    checked,
    kv_bytes_of,
    precision_of,
)

_PACKED_HEADS = 32.0  # query heads per KV head that decode kernels put into one tile


def attended_pairs(new_tokens: FloatArray, cached_tokens: FloatArray, window: FloatArray) -> FloatArray:
    """Return query-key pairs of one head: a new token sees the cache, earlier ones and itself, at most *window* keys.

    Notes
    -----
    ``s c + s (s + 1) / 2`` for s new and c cached tokens; with a window w the ramp stops at w.
    """
    full = new_tokens * cached_tokens + new_tokens * (new_tokens + 1.0) / 2.0
    ramp = np.clip(window - cached_tokens, 0.0, new_tokens)
    limited = ramp * cached_tokens + ramp * (ramp + 1.0) / 2.0
    limited = limited + (new_tokens - ramp) * np.minimum(window, cached_tokens + new_tokens)
    return np.where(window > 0, np.minimum(full, limited), full)


def prefill_terms(s: Shape, r: Rates, v: Mapping[str, float]) -> Terms:
    """Return the terms of causal attention of new tokens over a cache.

    Notes
    -----
    Compute: the attended pairs, rounded up to query tiles of ``rows`` tokens, at a rate that the exponentials slow by
    ``1 + exponential * 128 / d`` (they do not get faster with narrower products); plus a share ``tail`` of the longest
    tile, which the last core finishes alone. Memory: Q and the output once, K and V read and written.
    """
    b, new, past, h, kv, d, dv, w = (s[name] for name in ("b", "s", "past", "h", "kv", "d", "dv", "w"))
    rows = v["rows"]
    pairs = (attended_pairs(new, past, w) + new * (rows / 2.0)) * (np.ceil(new / rows) * rows / new)
    slow = 1.0 + v["exponential"] * (128.0 / d) * (r.peak_flop_per_s / r.peak16_flop_per_s)
    core_rate = r.peak_flop_per_s * v["compute_frac"] / r.cores / slow
    span = np.where(w > 0, np.minimum(past + new, w + rows), past + new)
    compute = (2.0 * (d + dv) / core_rate) * (b * h * pairs / r.cores + v["tail"] * rows * span)
    keys = past + new
    work = b * (d + dv) * (kv * keys * (r.weight_bytes + 2.0) + 2.0 * h * new)
    return Terms(v["launch_s"], compute, work / (r.bytes_per_s * v["memory_frac"]), 0.0, v["overlap"])


def prefill_features(s: Shape) -> tuple[FloatArray, ...]:
    """Return log2 of sequences x heads, new tokens, heads per KV head, head width, and tokens over window."""
    new, w = s["s"], s["w"]
    seen = np.where(w > 0, np.minimum(w, new), new)
    return (
        np.asarray(np.log2(s["b"] * s["h"]) / 6.5 - 1.0),
        np.asarray(np.log2(new) / 5.0 - 1.8),
        np.asarray(np.log2(s["h"] / s["kv"]) / 3.3 - 1.0),
        np.asarray(np.log2(s["d"]) / 1.5 - 5.0),
        np.asarray(np.log2(new / seen) / 3.5 - 1.0),
    )


PREFILL = Family(
    name="attention_prefill",
    factors=("compute_frac", "memory_frac", "launch_s", "tail", "exponential", "overlap", "rows"),
    terms=prefill_terms,
    features=prefill_features,
    degree=4,
    traffic_bound=MEMORY,
)


def decode_terms(s: Shape, r: Rates, v: Mapping[str, float]) -> Terms:
    """Return the terms of attention of one (or a few) new tokens per sequence over a long cache.

    Notes
    -----
    Memory: the cache once, at full bandwidth where sequences x KV heads, split up to ``splits`` ways along the keys
    (with values of their own for windows and for single heads), fill the cores. Compute: tasks of a KV head's query
    group; kernels that do not pack the group into one tile run ``1 + unpacked (g - 1)`` tasks per KV head (with shares
    of their own for windows and for groups above 32), each with a fixed cost ``task_s`` and a re-read of the keys at
    cache speed (``reread`` times memory's). Keys are padded by ``pad``. Combining the splits takes ``combine_s`` per
    doubling of the keys.
    """
    b, t, h, kv, d, dv, w, q = (s[name] for name in ("b", "t", "h", "kv", "d", "dv", "w", "q"))
    t = np.where(w > 0, np.minimum(t, w), t)
    group = h / kv * q
    loose = np.where(w > 0, v["unpacked_window"], v["unpacked"])
    loose = np.where(h / kv > _PACKED_HEADS, np.maximum(v["unpacked_wide"], loose), loose)
    splits = np.where(w > 0, v["splits_window"], np.where(group > 1.0, v["splits"], v["splits_single"]))
    tasks = b * kv * (1.0 + loose * (group - 1.0))
    waves = tasks / r.cores
    cached = b * kv * t * (d + dv) * r.weight_bytes
    rows = np.maximum(v["rows"], group * (1.0 - np.minimum(loose, 1.0)))
    compute = waves * v["task_s"] * np.sqrt(d / 128.0)
    compute = compute + 2.0 * tasks * rows * (t + v["pad"]) * (d + dv) / (r.peak_flop_per_s * v["compute_frac"])
    compute = compute + tasks * t * (d + dv) * (r.weight_bytes / (r.bytes_per_s * v["reread"]))
    stream = r.bytes_per_s * v["memory_frac"] * np.minimum(1.0, waves * splits)
    stream = stream * residency_gain(cached, r, v["copies"], v["residency"])
    memory = (cached + 2.0 * b * h * q * (d + dv)) / stream
    return Terms(v["launch_s"] + v["combine_s"] * np.log2(1.0 + t / 512.0), compute, memory, 0.0, v["overlap"])


def decode_features(s: Shape) -> tuple[FloatArray, ...]:
    """Return log2 of sequences x KV heads, keys seen, query group, head width, and keys over window."""
    t, w = s["t"], s["w"]
    seen = np.where(w > 0, np.minimum(t, w), t)
    return (
        np.asarray(np.log2(s["b"] * s["kv"]) / 6.0 - 1.0),
        np.asarray(np.log2(seen) / 8.5 - 1.0),
        np.asarray(np.log2(s["h"] / s["kv"] * s["q"]) / 3.3 - 1.0),
        np.asarray(np.log2(s["d"]) / 1.5 - 5.0),
        np.asarray(np.log2(t / seen) / 5.0 - 1.0),
    )


DECODE = Family(
    name="attention_decode",
    factors=(
        "compute_frac", "memory_frac", "launch_s", "rows", "unpacked", "unpacked_window", "unpacked_wide", "task_s",
        "splits", "splits_window", "splits_single", "overlap", "copies", "residency", "pad", "combine_s", "reread",
    ),
    terms=decode_terms,
    features=decode_features,
    degree=4,
    traffic_bound=MEMORY,
)  # fmt: skip


def attention_rates(device: Accelerator, precision: str, kv_precision: str, repeated: bool) -> tuple[str, Rates]:
    """Return the kernel's dtype label (``bf16/fp8``: product / cache) and the device's rates for it."""
    name, kind = precision_of(device, precision)
    kv_name, kv_bytes = kv_bytes_of(kv_precision)
    rates = matrix_rates(device, kind, stored_bytes=kv_bytes, repeated=repeated)
    return f"{'bf16' if name == 'fp16' else name}/{'bf16' if kv_name == 'fp16' else kv_name}", rates


def _check_heads(heads: FloatArray, kv_heads: FloatArray) -> None:
    fewer = np.broadcast_arrays(heads, kv_heads)
    if (fewer[0] < fewer[1]).any():
        worst = int(np.argmax(fewer[1] - fewer[0]))
        message = f"kv_heads = {fewer[1].flat[worst]:g}: must not exceed heads = {fewer[0].flat[worst]:g}"
        raise InputError(message)


def attention_prefill(
    device: Accelerator,
    batch: ArrayLike,
    new_tokens: ArrayLike,
    cached_tokens: ArrayLike,
    heads: ArrayLike,
    kv_heads: ArrayLike,
    head_dim: ArrayLike,
    *,
    v_head_dim: ArrayLike | None = None,
    window: ArrayLike = 0,
    kv_precision: str = "bf16",
    precision: str = "bf16",
    repeated: bool = False,
    factors: Factors | None = None,
) -> OpTime:
    """Return the time of causal attention of new tokens over those already in the cache.

    Parameters
    ----------
    device : Accelerator
        Where it runs.
    batch, new_tokens : array_like
        Sequences, and new tokens of each, >= 1.
    cached_tokens : array_like
        Tokens of each sequence already in the cache, >= 0.
    heads, kv_heads, head_dim : array_like
        Query heads and KV heads on this device, width of a head.
    v_head_dim : array_like, optional
        Width of a value head where it differs.
    window : array_like
        Sliding window in tokens; 0 for none.
    kv_precision, precision : str
        Storage of the cache, and precision of the products (bf16, fp16, fp8).
    repeated, factors
        As for `gemm`.

    Returns
    -------
    OpTime
        Time [s] and bound.

    Raises
    ------
    InputError
        For shapes below their least value, more KV heads than heads, or a precision the device lacks.

    Notes
    -----
    See `prefill_terms`. Leaves out the projections (see `gemm`) and the rotary embedding (see `elementwise`).
    """
    factors = factors or default_factors()
    shape = checked(
        b=batch, s=new_tokens, h=heads, kv=kv_heads, d=head_dim, dv=head_dim if v_head_dim is None else v_head_dim
    ) | checked(0.0, past=cached_tokens, w=window)
    _check_heads(shape["h"], shape["kv"])
    dtype, rates = attention_rates(device, precision, kv_precision, repeated)
    kernel = factors.kernel(PREFILL, device, dtype)
    return padded(PREFILL, kernel, shape, rates, factors.scale.get("attention_prefill", 1.0), Ladder("s"), BATCHES)


def attention_decode(
    device: Accelerator,
    batch: ArrayLike,
    kv_tokens: ArrayLike,
    heads: ArrayLike,
    kv_heads: ArrayLike,
    head_dim: ArrayLike,
    *,
    v_head_dim: ArrayLike | None = None,
    window: ArrayLike = 0,
    kv_precision: str = "bf16",
    query_tokens: ArrayLike = 1,
    repeated: bool = False,
    factors: Factors | None = None,
) -> OpTime:
    """Return the time of attention of *query_tokens* new tokens per sequence over *kv_tokens* cached ones.

    Parameters
    ----------
    device : Accelerator
        Where it runs.
    batch, kv_tokens : array_like
        Sequences, and keys of each, >= 1. For lengths that differ within a batch, the truth lies between the time at
        the mean and at the longest.
    heads, kv_heads, head_dim, v_head_dim, window, kv_precision
        As for `attention_prefill`.
    query_tokens : array_like
        New tokens per sequence (more than one for speculative steps), >= 1.
    repeated, factors
        As for `gemm`.

    Returns
    -------
    OpTime
        Time [s] and bound.

    Raises
    ------
    InputError
        For shapes below their least value, more KV heads than heads, or an unknown cache precision.

    Notes
    -----
    See `decode_terms`.
    """
    factors = factors or default_factors()
    shape = checked(
        b=batch,
        t=kv_tokens,
        h=heads,
        kv=kv_heads,
        d=head_dim,
        dv=head_dim if v_head_dim is None else v_head_dim,
        q=query_tokens,
    ) | checked(0.0, w=window)
    _check_heads(shape["h"], shape["kv"])
    dtype, rates = attention_rates(device, "bf16", kv_precision, repeated)
    kernel = factors.kernel(DECODE, device, dtype)
    return padded(DECODE, kernel, shape, rates, factors.scale.get("attention_decode", 1.0), Ladder("t"), BATCHES)
