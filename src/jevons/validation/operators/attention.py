"""Tables of attention: prompts, generation, both in one call, latent and sparse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jevons.errors import InputError
from jevons.hardware.types import Accelerator
from jevons.operators.families import Rates
from jevons.operators.kernels.attention import DECODE, PREFILL, attention_rates
from jevons.operators.kernels.mla import MLA_DECODE, MLA_PREFILL
from jevons.validation.operators.rows import ALONE, Block, Reader, class_of, dtype_of, engine_of


def _rates(
    read: Reader, rows: Sequence[int], device: Accelerator, product: str, cache: str
) -> tuple[str, Rates] | None:
    """Return the kernel's dtype and the device's rates; None, and the rows left out, where a precision is unknown."""
    try:
        return attention_rates(device, dtype_of(product), dtype_of(cache), True)
    except InputError as error:
        read.leave(rows, "latency_ms", str(error))
        return None


def _context_attention(read: Reader) -> None:
    columns = ("framework", "kernel_source", "attn_dtype", "kv_cache_dtype")
    for (framework, source, attn, kv), rows, device in read.groups("latency_ms", *columns):
        known = _rates(read, rows, device, attn, kv)
        if known is None:
            continue
        dtype, rates = known
        width = read.column(rows, "head_dim")
        shape = {
            "b": read.column(rows, "batch_size"), "s": read.column(rows, "isl"), "past": read.column(rows, "step"),
            "h": read.column(rows, "num_heads"), "kv": read.column(rows, "num_key_value_heads"), "d": width,
            "dv": width, "w": read.column(rows, "window_size"),
        }  # fmt: skip
        read.add(
            PREFILL,
            device,
            (engine_of(framework), dtype, class_of(source, framework)),
            rates,
            shape,
            "latency_ms",
            rows,
        )


def _generation_attention(read: Reader) -> None:
    columns = ("framework", "kernel_source", "kv_cache_dtype")
    for (framework, source, kv), rows, device in read.groups("latency_ms", *columns):
        known = _rates(read, rows, device, "bf16", kv)
        if known is None:
            continue
        dtype, rates = known
        width = read.column(rows, "head_dim")
        shape = {
            "b": read.column(rows, "batch_size"), "t": read.column(rows, "step") + 1.0,
            "h": read.column(rows, "num_heads"), "kv": read.column(rows, "num_key_value_heads"), "d": width,
            "dv": width, "w": read.column(rows, "window_size"), "q": read.column(rows, "isl"),
        }  # fmt: skip
        read.add(
            DECODE, device, (engine_of(framework), dtype, class_of(source, framework)), rates, shape, "latency_ms", rows
        )


_SAME_WIDTHS = {"", "deepseek-ai/DeepSeek-V3", "deepseek-ai/DeepSeek-R1", "deepseek-ai/DeepSeek-V3.1"}


def mla(read: Reader) -> None:
    """Read latent attention: its core, or the whole block with projections."""
    columns = ("framework", "kernel_source", "op_name", "kv_cache_dtype", "gemm_type", "model")
    for (framework, source, op, kv, projected, model), rows, device in read.groups("latency_ms", *columns):
        if projected and model not in _SAME_WIDTHS:
            read.leave(rows, "latency_ms", f"widths of `{model}` are not known here")
            continue
        known = _rates(read, rows, device, "bf16", kv)
        if known is None:
            continue
        dtype, rates = known
        heads, batch = read.column(rows, "num_heads"), read.column(rows, "batch_size")
        label = dtype_of(projected) if projected else ""
        variant = f"block/{label}" if label else "alone" if engine_of(framework) in ALONE else "core"
        if label and source.upper() in {"FLASHMLA", "TRITON_MLA", "FLASH_ATTN_MLA"}:
            variant += f"/{source.lower()}"
        kernel = (engine_of(framework), dtype, variant)
        shape: dict[str, Any]
        if "context" in op:
            shape = {
                "b": batch, "s": read.column(rows, "isl"), "past": read.column(rows, "step"), "h": heads, "kv": heads,
                "d": 192.0, "dv": 128.0, "w": 0.0, "projections_s": 0.0,
            }  # fmt: skip
            read.add(MLA_PREFILL, device, kernel, rates, shape, "latency_ms", rows, projections=label)
        else:
            shape = {
                "b": batch, "t": read.column(rows, "step") + 1.0, "h": heads, "q": read.column(rows, "isl"),
                "width": 576.0, "rank": 512.0, "projections_s": 0.0,
            }  # fmt: skip
            read.add(MLA_DECODE, device, kernel, rates, shape, "latency_ms", rows, projections=label)


def attention(read: Reader) -> None:
    """Context and generation attention share columns; the operator's name tells them apart."""
    context = [row for row in read.rows if "context" in (row.get("op_name") or "")]
    if len(context) == len(read.rows):
        _context_attention(read)
    elif not context:
        _generation_attention(read)
    else:
        read.leave(range(len(read.rows)), "latency_ms", "context and generation rows in one file; split them")


def mixed_attention(read: Reader) -> None:
    """Read one prompt's chunk beside sequences that generate, in one call.

    Notes
    -----
    One kernel for prompts takes both: a sequence that generates fills a query tile with one row for each of its heads,
    and re-reads the keys that heads share.
    """
    columns = ("framework", "kernel_source", "kv_cache_dtype")
    for (framework, source, kv_dtype), rows, device in read.groups("latency_ms", *columns):
        known = _rates(read, rows, device, "bf16", kv_dtype)
        if known is None:
            continue
        dtype, rates = known
        width = read.column(rows, "head_dim")
        heads = {"h": read.column(rows, "num_heads"), "kv": read.column(rows, "num_key_value_heads"), "d": width}
        heads |= {"dv": width, "w": np.zeros(len(rows))}
        prompt = heads | {"b": 1.0, "s": read.column(rows, "prefill_tokens"), "past": read.column(rows, "prefill_past")}
        sequences, cached = read.column(rows, "decode_sequences"), read.column(rows, "decode_past")
        generated = heads | {"b": np.maximum(sequences, 1.0), "s": np.ones(len(rows)), "past": cached}
        kernel = (engine_of(framework), dtype, class_of(source, framework))
        other = Block(
            family=PREFILL, device=device.id, engine=kernel[0], dtype=dtype, variant=kernel[2], rates=rates,
            shape=generated, metric="latency_ms", rows=rows, measured_s=np.zeros(len(rows)),
        )  # fmt: skip
        read.add(PREFILL, device, kernel, rates, prompt, "latency_ms", rows, beside=other)


def sparse_attention(read: Reader) -> None:
    """Read DeepSeek's sparse attention: the scores of its indexer, and latent attention to the tokens chosen."""
    columns = ("framework", "op_name", "dsa_dtype", "kv_cache_dtype")
    for (framework, op, dtype, kv_dtype), rows, device in read.groups("latency_ms", *columns):
        batch, new = read.column(rows, "batch_size"), read.column(rows, "new_tokens")
        keys, heads, width = (read.column(rows, name) for name in ("kv_len", "num_heads", "width"))
        index = "index" in op
        known = _rates(read, rows, device, dtype if index else "bf16", kv_dtype)
        if known is None:
            continue
        label, rates = known
        if index:
            shape = {"b": batch, "t": keys, "h": heads, "kv": 1.0, "d": width, "dv": 1.0, "w": 0.0, "q": new}
            read.add(DECODE, device, (engine_of(framework), label, "index"), rates, shape, "latency_ms", rows)
            continue
        shape = {
            "b": batch * new, "t": np.minimum(read.column(rows, "selected"), keys), "h": heads, "q": 1.0,
            "width": width, "rank": 512.0, "projections_s": 0.0,
        }  # fmt: skip
        read.add(MLA_DECODE, device, (engine_of(framework), label, "sparse"), rates, shape, "latency_ms", rows)
