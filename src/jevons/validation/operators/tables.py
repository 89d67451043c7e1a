"""Reads tables of measured operators: the header says which kind of table it is, and its reader makes blocks of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from jevons.errors import Fault, InputError
from jevons.hardware.types import Accelerator
from jevons.validation.operators import attention, layers, links, products, published
from jevons.validation.operators.rows import Reader, Table, read_rows


def kind_of(header: Sequence[str]) -> str:
    """Return the kind of table that a header belongs to; empty if it is none of operators."""
    names = set(header)
    for kind, (needs, _) in READERS.items():
        if needs <= names:
            return kind
    return ""


def read_table(path: Path | str, device: Callable[[str], Accelerator]) -> Table:
    """Return a file's rows as blocks; *device* maps a device id to the accelerator.

    Raises
    ------
    InputError
        If the header is none that operators are measured in.
    """
    header, rows = read_rows(path)
    kind = kind_of(header)
    if not kind:
        message = f"header is none of the operator tables ({', '.join(READERS)})"
        raise InputError(Fault(message=message, file=str(path)))
    table = Table(kind)
    if not rows:
        return table
    READERS[kind][1](Reader(table, rows, Path(path).name, device))
    return table


READERS: Mapping[str, tuple[set[str], Callable[[Reader], None]]] = {
    "gemm": ({"gemm_dtype", "m", "n", "k", "latency_ms"}, products.gemm),
    "grouped_gemm": ({"grouped_dtype", "groups", "rows_per_group", "n", "k", "latency_ms"}, products.grouped_gemm),
    "sparse_attention": ({"dsa_dtype", "kv_len", "new_tokens", "latency_ms"}, attention.sparse_attention),
    "mixed_attention": (
        {"prefill_tokens", "prefill_past", "decode_sequences", "latency_ms"},
        attention.mixed_attention,
    ),
    "delta_rule": ({"conv_kernel", "key_heads", "value_heads", "latency_ms"}, layers.delta_rule),
    "nccl_tests": ({"busbw_gb_s", "nodes", "size_bytes", "time_us"}, links.nccl_tests),
    "moe": ({"moe_dtype", "num_tokens", "topk", "moe_ep_size", "latency_ms"}, products.moe),
    "mla": ({"mla_dtype", "num_heads", "batch_size", "latency_ms"}, attention.mla),
    "custom_allreduce": ({"allreduce_dtype", "num_gpus", "message_size", "latency_ms"}, links.custom_allreduce),
    "nccl": ({"nccl_dtype", "num_gpus", "message_size", "latency_ms"}, links.nccl),
    "moe_a2a": ({"comm_backend", "phase", "num_tokens", "latency_us"}, links.moe_exchange),
    "deepep_normal": ({"dispatch_transmit_us", "combine_transmit_us", "num_token"}, links.deepep_normal),
    "deepep_ll": ({"dispatch_avg_t_us", "combine_avg_t_us", "num_token"}, links.deepep_low_latency),
    "vidur_mlp": ({"mlp_up_proj_ms_median", "num_tokens", "n_embd"}, products.vidur_mlp),
    "vidur_network": ({"topology", "num_workers", "size", "collective"}, links.vidur_network),
    "published_kernels": ({"op", "tflops", "gb_s", "latency_us"}, published.published_kernels),
    "layers": ({"op_name", "num_tokens", "model", "tp", "latency_ms"}, layers.layers),
    "attention": ({"attn_dtype", "num_key_value_heads", "head_dim", "latency_ms"}, attention.attention),
}
