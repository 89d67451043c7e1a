"""Tables of what lies between products: norms, rotary embeddings, activations, sampling, gated delta rules."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from jevons.errors import InputError
from jevons.hardware.types import Accelerator
from jevons.models import load as model
from jevons.operators.families import Rates
from jevons.operators.kernels.gemm import ELEMENTWISE, GEMM
from jevons.operators.types import FloatArray
from jevons.validation.operators.products import product_rates
from jevons.validation.operators.rows import Reader, engine_of, number

_VARIANTS: Mapping[str, str] = {
    "layernorm": "norm", "input_layernorm": "norm", "post_layernorm": "norm", "final_layernorm": "norm",
    "qk_norm": "qk_norm", "rotary_emb": "rope", "act_fn": "activation", "embedding": "embedding", "sampler": "sampler",
}  # fmt: skip
_NO_TIME_S = 1e-7
"""Below this a profile's operator was fused into its neighbour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Widths:
    """Widths of a model's layer: hidden, vocabulary, query heads, with KV heads, elements of a head, inner width."""

    hidden: float
    vocabulary: float
    heads: float
    kv_heads: float
    head: float
    inner: float


@functools.cache
def widths_of(name: str) -> Widths:
    """Return the widths of a model of the library.

    Raises
    ------
    InputError
        If the library has no such model.
    """
    spec = model(name)
    mixers = [group.attention for group in spec.layers if group.attention.heads]
    if not mixers:
        message = f"`{name}` has no attention with heads"
        raise InputError(message)
    block = spec.layers[0].feed_forward
    inner = block.hidden_inner or block.expert_inner * block.experts_per_token + block.shared_inner
    return Widths(
        hidden=spec.hidden, vocabulary=spec.vocab, heads=mixers[0].heads, kv_heads=mixers[0].kv_heads,
        head=mixers[0].head_dim, inner=inner,
    )  # fmt: skip


def _moved(op: str, tokens: FloatArray, size: Widths, ways: float) -> tuple[FloatArray, FloatArray]:
    """Return the 16-bit elements that an operator reads and writes."""
    rotated = tokens * (size.heads + size.kv_heads) * size.head / ways
    inner = tokens * size.inner / ways
    hidden = tokens * size.hidden
    return {
        "norm": (2.0 * hidden, 2.0 * hidden), "qk_norm": (rotated, rotated), "rope": (rotated, rotated),
        "activation": (2.0 * inner, inner), "embedding": (hidden, hidden),
        "sampler": (2.0 * tokens * size.vocabulary, tokens * size.vocabulary),
    }[_VARIANTS[op]]  # fmt: skip


def memory_rates(device: Accelerator) -> Rates:
    """Return a device's rates for chains that only move memory, as a loop that repeats one call sees them."""
    return Rates(bytes_per_s=device.hbm_bytes_per_s, cache_bytes=device.l2_bytes, repeated=True)


def layers(read: Reader) -> None:
    """Read operators of a model's layer by number of tokens; widths come from the model's configuration."""
    metric = "latency_ms"
    for (framework, op, name, tp), rows, device in read.groups(metric, "framework", "op_name", "model", "tp"):
        try:
            size = widths_of(name)
        except InputError as error:
            read.leave(rows, metric, str(error))
            continue
        fused = [row for row in rows if number(read.rows[row].get(metric)) * 1e-3 < _NO_TIME_S]
        read.leave(fused, metric, f"`{op}` was fused into another operator: it takes no time of its own")
        timed = [row for row in rows if row not in set(fused)]
        tokens, ways = read.column(timed, "num_tokens"), max(number(tp), 1.0)
        engine = engine_of(framework)
        if op == "q_proj":
            wide = (size.heads + 2.0 * size.kv_heads) * size.head / ways
            shape = {"m": tokens, "n": wide, "k": size.hidden, "count": 1.0, "out_bytes": 2.0}
            read.add(GEMM, device, (engine, "bf16", ""), product_rates(device, "bf16"), shape, metric, timed)
        elif op in _VARIANTS:
            loaded, stored = _moved(op, tokens, size, ways)
            shape = {"read_bytes": 2.0 * loaded, "write_bytes": 2.0 * stored, "launches": 1.0}
            kernel = (engine, "bf16", _VARIANTS[op])
            read.add(ELEMENTWISE, device, kernel, memory_rates(device), shape, metric, timed)
        else:
            read.leave(timed, metric, f"unknown operator `{op}`")


def delta_rule(read: Reader) -> None:
    """Read parts of a gated delta rule: convolution, and the chunked products of a prompt."""
    metric = "latency_ms"
    for (framework, part), rows, device in read.groups(metric, "framework", "part"):
        tokens, sequences = read.column(rows, "num_tokens"), read.column(rows, "batch_size")
        keys = 2.0 * read.column(rows, "key_heads") * read.column(rows, "key_dim")
        values = read.column(rows, "value_heads") * read.column(rows, "value_dim")
        state = sequences * values * read.column(rows, "key_dim") * 4.0
        kernel_state = sequences * (keys + values) * read.column(rows, "conv_kernel") * 2.0
        moved = tokens * (keys + values) * 2.0
        if part == "conv":
            shape = {"read_bytes": moved + kernel_state, "write_bytes": moved + kernel_state}
        else:
            shape = {"read_bytes": moved + state, "write_bytes": tokens * values * 2.0 + state}
        kernel = (engine_of(framework), "bf16", f"delta/{part}")
        read.add(ELEMENTWISE, device, kernel, memory_rates(device), shape | {"launches": 1.0}, metric, rows)
