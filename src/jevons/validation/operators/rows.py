"""Reads tables of measured operators: header to family, columns to shapes, names to devices and kernels."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from jevons.errors import FactError, Fault, InputError
from jevons.files import read_csv
from jevons.hardware.types import Accelerator
from jevons.operators.families import Family, Rates, matrix_rates
from jevons.operators.kernels.attention import DECODE, PREFILL, attention_rates
from jevons.operators.kernels.collectives import COLLECTIVE, EXCHANGE, OPERATIONS
from jevons.operators.kernels.gemm import ELEMENTWISE, GEMM
from jevons.operators.kernels.mla import MLA_DECODE, MLA_PREFILL
from jevons.operators.kernels.moe import MOE
from jevons.operators.kernels.routing import balanced_load, power_law_load
from jevons.operators.types import PRECISION_ALIASES, FloatArray, precision_of

Row = Mapping[str, str]

# Names as measuring hosts report them, the most specific first.
_DEVICES: tuple[tuple[str, str], ...] = (
    (r"h200", "h200_sxm"), (r"h100.*pcie", "h100_pcie"), (r"h100", "h100_sxm"), (r"h800", "h800_sxm"),
    (r"\bh20\b", "h20"), (r"a100.*pcie", "a100_pcie"), (r"a100", "a100_sxm"), (r"a800", "a800_sxm"), (r"a40", "a40"),
    (r"l40s", "l40s"), (r"rtx[ _]pro[ _]6000", "rtx_pro_6000"), (r"gb200", "gb200"), (r"gb300", "gb300"),
    (r"b200", "b200_sxm"), (r"b300", "b300_sxm"), (r"sm90", "h800_sxm"),
)  # fmt: skip
_MS, _US = 1e-3, 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Rows that one kernel of one device answers, as arrays.

    Parameters
    ----------
    family : Family
        Physics and surface.
    device, engine, dtype, variant : str
        The kernel asked for.
    rates : Rates
        The device's rates for it.
    shape : mapping of str to ndarray
        Arguments of the family's terms.
    metric, rows : str, sequence of int
        Column predicted, and 0-based rows.
    measured_s : ndarray
        Measured time [s]; what is printed is ``measured_s / unit_s``, or ``work / measured_s`` for rates.
    unit_s : float
        Seconds per unit of the column.
    work : ndarray or None
        For columns that print a rate: the work, in the column's unit times seconds.
    projections : tuple or None
        For whole MLA blocks: precision of the projections.
    """

    family: Family
    device: str
    engine: str
    dtype: str
    variant: str
    rates: Rates
    shape: Mapping[str, FloatArray]
    metric: str
    rows: Sequence[int]
    measured_s: FloatArray
    unit_s: float = _MS
    work: FloatArray | None = None
    projections: str = ""


@dataclass(slots=True)
class Table:
    """A file of measured operators: blocks to predict, and rows that cannot be, with the reason."""

    kind: str
    blocks: list[Block] = field(default_factory=list)
    left: list[tuple[int, str, str]] = field(default_factory=list)


def device_of(text: str) -> str:
    """Return the id of the device that a measuring host's name or a file name states; empty if none is known."""
    lower = text.lower().replace("-", " ")
    return next((device for pattern, device in _DEVICES if re.search(pattern, lower)), "")


def dtype_of(text: str) -> str:
    """Return the canonical precision of a table's dtype."""
    return PRECISION_ALIASES.get(text.lower(), text.lower())


def kind_of(header: Sequence[str]) -> str:
    """Return the kind of table that a header belongs to; empty if it is none of operators."""
    names = set(header)
    for kind, (needs, _) in READERS.items():
        if needs <= names:
            return kind
    return ""


def read_rows(path: Path | str) -> tuple[list[str], list[Row]]:
    """Return a CSV file's header and rows.

    Raises
    ------
    InputError
        If it is missing or not a CSV file with a header.
    """
    header, rows = read_csv(path)
    return header, [row for _, row in rows]


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
    READERS[kind][1](_Reader(table, rows, Path(path).name, device))
    return table


class _Reader:
    """Rows of one file, and the blocks made of them."""

    def __init__(self, table: Table, rows: Sequence[Row], name: str, device: Callable[[str], Accelerator]) -> None:
        self.table, self.rows, self.name, self.device = table, rows, name, device

    def groups(
        self, metric: str, *columns: str, several: bool = False
    ) -> Iterator[tuple[tuple[str, ...], list[int], Accelerator]]:
        """Yield rows that agree in *columns*, with their device; rows without value or device are left out.

        In tables of *several* metrics an empty cell is no figure; elsewhere it is a row that cannot be judged.
        """
        groups: dict[tuple[str, ...], list[int]] = {}
        for index, row in enumerate(self.rows):
            if not 0.0 < _number(row.get(metric)) <= _GREATEST:
                if not several or (row.get(metric) or "").strip():
                    self.table.left.append((index, metric, f"no usable value of {metric}"))
                continue
            name = row.get("device") or row.get("gpu") or self.name
            key = device_of(name)
            if not key:
                self.table.left.append((index, metric, f"unknown device `{name}`"))
                continue
            groups.setdefault((key, *(row.get(column) or "" for column in columns)), []).append(index)
        for key_columns, indices in groups.items():
            try:
                accelerator = self.device(key_columns[0])
            except (InputError, FactError) as error:
                self.leave(indices, metric, str(error))
                continue
            yield key_columns[1:], indices, accelerator

    def leave(self, indices: Sequence[int], metric: str, reason: str) -> None:
        """Count rows as not predicted."""
        self.table.left.extend((index, metric, reason) for index in indices)

    def column(self, indices: Sequence[int], name: str) -> FloatArray:
        """Return a column's numbers; empty cells read 0, and nan stands for what no machine has."""
        values = np.array([_number(self.rows[index].get(name)) for index in indices])
        return np.where(values > _GREATEST, np.nan, np.where(values > 0.0, values, 0.0))

    def add(
        self,
        family: Family,
        device: Accelerator,
        kernel: tuple[str, str, str],
        rates: Rates,
        shape: Mapping[str, Any],
        metric: str,
        indices: Sequence[int],
        unit_s: float = _MS,
        **more: Any,
    ) -> None:
        """Add a block of rows measured as *metric*; rows of an impossible shape are left out."""
        arrays = {name: np.broadcast_to(np.asarray(value, float), (len(indices),)) for name, value in shape.items()}
        good = np.ones(len(indices), bool)
        for name, array in arrays.items():
            good &= np.isfinite(array) & ((array > 0.0) | (name in _MAY_BE_ZERO))
        if "p" in arrays:
            good &= arrays["p"] >= np.maximum(arrays["domains"], 1.0)
        bad = [index for index, fine in zip(indices, good, strict=True) if not fine]
        self.leave(bad, metric, "a shape column is empty, zero or out of range")
        usable = [index for index, fine in zip(indices, good, strict=True) if fine]
        if not usable:
            return
        arrays = {name: array[good] for name, array in arrays.items()}
        measured = more.pop("measured_s", None)
        measured = self.column(indices, metric) * unit_s if measured is None else measured
        work = more.pop("work", None)
        engine, dtype, variant = kernel
        self.table.blocks.append(
            Block(
                family=family,
                device=device.id,
                engine=engine,
                dtype=dtype,
                variant=variant,
                rates=rates,
                shape=arrays,
                metric=metric,
                rows=usable,
                measured_s=measured[good],
                unit_s=unit_s,
                work=None if work is None else work[good],
                **more,
            )
        )


_GREATEST = 1e13
"""Beyond this a size, a count or a time is a mistake."""
_MOST_EXPERTS = 100_000

_MAY_BE_ZERO = {"past", "w", "projections_s", "operation", "per_expert", "uneven", "read_bytes", "write_bytes"}


def _number(text: str | None) -> float:
    try:
        return float(text) if text else float("nan")
    except ValueError:
        return float("nan")


def _engine(framework: str) -> str:
    return framework.lower()


def product_rates(device: Accelerator, precision: str) -> Rates:
    """Return a device's rates for products in a precision, as a loop that repeats one call sees them."""
    _, kind = precision_of(device, precision)
    return matrix_rates(device, kind, repeated=True)


def _gemm(read: _Reader) -> None:
    for (framework, source, dtype), rows, device in read.groups(
        "latency_ms", "framework", "kernel_source", "gemm_dtype"
    ):
        label = dtype_of(dtype)
        try:
            rates = product_rates(device, label)
        except InputError as error:
            read.leave(rows, "latency_ms", str(error))
            continue
        variant = "small" if source.startswith("FlashInfer") and label == "fp8_block" else ""
        shape = {name: read.column(rows, name) for name in "mnk"} | {"count": 1.0, "out_bytes": 2.0}
        read.add(GEMM, device, (_engine(framework), label, variant), rates, shape, "latency_ms", rows)


def _context_attention(read: _Reader) -> None:
    columns = ("framework", "kernel_source", "attn_dtype", "kv_cache_dtype")
    for (framework, source, attn, kv), rows, device in read.groups("latency_ms", *columns):
        try:
            dtype, rates = attention_rates(device, dtype_of(attn), dtype_of(kv), True)
        except InputError as error:
            read.leave(rows, "latency_ms", str(error))
            continue
        width = read.column(rows, "head_dim")
        shape = {
            "b": read.column(rows, "batch_size"), "s": read.column(rows, "isl"), "past": read.column(rows, "step"),
            "h": read.column(rows, "num_heads"), "kv": read.column(rows, "num_key_value_heads"), "d": width,
            "dv": width, "w": read.column(rows, "window_size"),
        }  # fmt: skip
        read.add(PREFILL, device, (_engine(framework), dtype, _class(source)), rates, shape, "latency_ms", rows)


def _generation_attention(read: _Reader) -> None:
    columns = ("framework", "kernel_source", "kv_cache_dtype")
    for (framework, source, kv), rows, device in read.groups("latency_ms", *columns):
        dtype, rates = attention_rates(device, "bf16", dtype_of(kv), True)
        width = read.column(rows, "head_dim")
        shape = {
            "b": read.column(rows, "batch_size"), "t": read.column(rows, "step") + 1.0,
            "h": read.column(rows, "num_heads"), "kv": read.column(rows, "num_key_value_heads"), "d": width,
            "dv": width, "w": read.column(rows, "window_size"), "q": read.column(rows, "isl"),
        }  # fmt: skip
        read.add(DECODE, device, (_engine(framework), dtype, _class(source)), rates, shape, "latency_ms", rows)


def _class(source: str) -> str:
    """Return the kind of kernel that a source names: triton, fa4, flashinfer's decode kernel, or the engine's own."""
    lower = source.lower()
    return next((name for name in ("triton", "fa4", "fidecode", "marlin", "cutlass") if name in lower), "")


_SAME_WIDTHS = {"", "deepseek-ai/DeepSeek-V3", "deepseek-ai/DeepSeek-R1", "deepseek-ai/DeepSeek-V3.1"}


def _mla(read: _Reader) -> None:
    columns = ("framework", "kernel_source", "op_name", "kv_cache_dtype", "gemm_type", "model")
    for (framework, source, op, kv, projected, model), rows, device in read.groups("latency_ms", *columns):
        if projected and model not in _SAME_WIDTHS:
            read.leave(rows, "latency_ms", f"widths of `{model}` are not known here")
            continue
        dtype, rates = attention_rates(device, "bf16", dtype_of(kv), True)
        heads, batch = read.column(rows, "num_heads"), read.column(rows, "batch_size")
        label = dtype_of(projected) if projected else ""
        variant = f"block/{label}" if label else "core"
        if label and source.upper() in {"FLASHMLA", "TRITON_MLA", "FLASH_ATTN_MLA"}:
            variant += f"/{source.lower()}"
        kernel = (_engine(framework), dtype, variant)
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


def _moe(read: _Reader) -> None:
    columns = ("framework", "kernel_source", "moe_dtype")
    for (framework, source, dtype), rows, device in read.groups("latency_ms", *columns):
        label = dtype_of(dtype)
        try:
            rates = product_rates(device, label)
        except InputError as error:
            read.leave(rows, "latency_ms", str(error))
            continue
        tokens, top = read.column(rows, "num_tokens"), read.column(rows, "topk")
        experts, ranks = read.column(rows, "num_experts"), read.column(rows, "moe_ep_size")
        exponent = np.array([_exponent(read.rows[index].get("distribution") or "") for index in rows])
        ways = np.maximum(read.column(rows, "moe_tp_size"), 1.0)
        possible = (tokens >= 1) & (top >= 1) & (experts >= top) & (experts <= _MOST_EXPERTS) & (ranks >= 1)
        possible &= (ranks <= experts) & (exponent >= 0.0) & (exponent <= 10.0)
        ranks, experts = np.where(possible, ranks, np.nan), np.where(possible, experts, np.nan)
        busy, active = balanced_load(tokens, experts, top, ranks)
        for i in np.flatnonzero(possible & (exponent > 0.0)):
            busy[i], active[i] = power_law_load(
                int(tokens[i]), int(experts[i]), int(top[i]), int(ranks[i]), float(exponent[i])
            )
        shape = {
            "tokens": tokens, "hidden": read.column(rows, "hidden_size"),
            "inner": read.column(rows, "inter_size") / ways, "top": top, "rows": busy,
            "active": active, "local": np.maximum(experts / ranks, 1.0), "uneven": exponent > 0.0,
            "matrices": 2.0 if "nongated" in source else 3.0,
        }  # fmt: skip
        variant = "nongated" if "nongated" in source else "situ" if "situ" in source else _class(source)
        read.add(MOE, device, (_engine(framework), label, variant), rates, shape, "latency_ms", rows)


def _exponent(distribution: str) -> float:
    """Return the power of a ``power_law_<a>`` routing; 0 for balanced. An exponent of 1 is approached, not taken."""
    if not distribution.startswith("power_law_"):
        return 0.0
    value = _number(distribution.removeprefix("power_law_"))
    return 1.0001 if value == 1.0 else value


def _links(device: Accelerator) -> Rates:
    out = device.scaleout
    return Rates(
        bytes_per_s=device.scaleup.bytes_per_s, far_bytes_per_s=out.bytes_per_s, latency_s=device.scaleup.latency_s,
        far_latency_s=out.latency_s, repeated=True,
    )  # fmt: skip


_ELEMENT_BYTES = {"half": 2.0, "bfloat16": 2.0, "float16": 2.0, "int8": 1.0, "fp8": 1.0, "float": 4.0}
_OPERATION_NAMES = {"alltoall": "all_to_all", "send_recv": "point_to_point"}


def _nccl(read: _Reader) -> None:
    _collectives(read, "nccl_dtype", lambda _: ("nccl", ""))


def _custom_allreduce(read: _Reader) -> None:
    def kernel(row: Row) -> tuple[str, str]:
        eager = "eager" in (row.get("kernel_source") or "").lower()
        return _engine(row.get("framework") or ""), "custom_eager" if eager else "custom"

    _collectives(read, "allreduce_dtype", kernel)


def _collectives(read: _Reader, dtype_column: str, kernel: Callable[[Row], tuple[str, str]]) -> None:
    columns = ("framework", "kernel_source", "op_name", dtype_column)
    for (_, _, op, dtype), rows, device in read.groups("latency_ms", *columns):
        operation = _OPERATION_NAMES.get(op, op)
        if operation not in OPERATIONS or dtype not in _ELEMENT_BYTES:
            read.leave(rows, "latency_ms", f"unknown collective `{op}` of `{dtype}`")
            continue
        engine, variant = kernel(read.rows[rows[0]])
        shape = {
            "size": read.column(rows, "message_size") * _ELEMENT_BYTES[dtype], "p": read.column(rows, "num_gpus"),
            "domains": 1.0, "operation": float(OPERATIONS.index(operation)),
        }  # fmt: skip
        read.add(COLLECTIVE, device, (engine, operation, variant or "nccl"), _links(device), shape, "latency_ms", rows)


def _vidur_network(read: _Reader) -> None:
    metric = "all_reduce_ms_median" if "all_reduce_ms_median" in read.rows[0] else "send_recv_ms_median"
    operation = _OPERATION_NAMES.get(metric.removesuffix("_ms_median"), metric.removesuffix("_ms_median"))
    for (topology, workers, per_node), rows, device in read.groups(
        metric, "topology", "num_workers", "devices_per_node"
    ):
        domains = max(_number(workers) / max(_number(per_node), 1.0), 1.0)
        shape = {
            "size": read.column(rows, "size"), "p": _number(workers), "domains": domains,
            "operation": float(OPERATIONS.index(operation)),
        }  # fmt: skip
        variant = f"{topology}/{workers}/{per_node}"
        if operation == "point_to_point" and domains == 1.0 and topology.endswith("dgx"):
            variant = "nccl"  # all pairs are joined by the switch, as in any scale-up domain
        read.add(COLLECTIVE, device, ("vidur", operation, variant), _links(device), shape, metric, rows)


def _moe_exchange(read: _Reader) -> None:
    columns = ("framework", "comm_backend", "phase", "comm_dtype")
    for (framework, backend, phase, dtype), rows, device in read.groups("latency_us", *columns):
        kind = "low_latency" if backend.endswith("_ll") else "normal"
        narrow = {"fp8": 1.0, "nvfp4": 0.5625, "bfloat16": 2.0, "default": 1.0 if kind == "low_latency" else 2.0}
        nodes, ranks = read.column(rows, "node_num"), read.column(rows, "ep_size")
        shape = {
            "tokens": read.column(rows, "num_tokens"), "hidden": read.column(rows, "hidden_size"),
            "top": read.column(rows, "topk"), "p": ranks, "domains": nodes, "sms": 20.0,
            "per_expert": float(kind == "low_latency"),
            "element_bytes": narrow.get(dtype, 2.0) if phase == "dispatch" else 2.0,
        }  # fmt: skip
        variant = dtype if dtype != "default" else ""
        kernel = (_engine(framework), f"{kind}/{phase}", variant)
        read.add(EXCHANGE, device, kernel, _links(device), shape, "latency_us", rows, _US)


def _deepep_normal(read: _Reader) -> None:
    for phase, element in (("dispatch", 1.0), ("combine", 2.0)):
        metric = f"{phase}_transmit_us"
        for _, rows, device in read.groups(metric, "framework", several=True):
            nodes = read.column(rows, "node_num")
            shape = {
                "tokens": read.column(rows, "num_token"), "hidden": read.column(rows, "hidden_size"),
                "top": read.column(rows, "num_topk"), "p": 8.0 * nodes, "domains": nodes,
                "sms": read.column(rows, f"{phase}_sms"), "per_expert": 0.0, "element_bytes": element,
            }  # fmt: skip
            read.add(EXCHANGE, device, ("sglang", f"normal/{phase}", ""), _links(device), shape, metric, rows, _US)


def _deepep_low_latency(read: _Reader) -> None:
    for phase, element in (("dispatch", 1.0), ("combine", 2.0)):
        metric = f"{phase}_avg_t_us"
        for _, rows, device in read.groups(metric, "framework", several=True):
            nodes = read.column(rows, "node_num")
            shape = {
                "tokens": read.column(rows, "num_token"), "hidden": read.column(rows, "hidden_size"),
                "top": read.column(rows, "num_topk"), "p": 8.0 * nodes, "domains": nodes, "sms": 20.0,
                "per_expert": 1.0, "element_bytes": element,
            }  # fmt: skip
            kernel = ("sglang", f"low_latency/{phase}", "")
            read.add(EXCHANGE, device, kernel, _links(device), shape, metric, rows, _US)


def _vidur_mlp(read: _Reader) -> None:
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


def _published_kernels(read: _Reader) -> None:
    for metric, scale in (("tflops", 1e12), ("gb_s", 1e9), ("latency_us", 1.0)):
        for (op,), rows, device in read.groups(metric, "op", several=True):
            if op.startswith("fp8_g"):
                _published_products(read, metric, scale, rows, device)
            elif op.startswith(("deepep_normal", "deepep_low_latency")):
                _published_exchange(read, op, metric, scale, rows, device)
            else:
                read.leave(rows, metric, f"`{op}` states no shape: a best case, not a measurement")


def _published_products(read: _Reader, metric: str, scale: float, rows: list[int], device: Accelerator) -> None:
    m, n, k = (read.column(rows, name) for name in "mnk")
    groups = np.maximum(read.column(rows, "groups"), 1.0)
    work = groups * (2.0 * m * n * k if metric == "tflops" else n * k + m * k + 2.0 * m * n) / scale
    shape = {"m": m, "n": n, "k": k, "count": groups, "out_bytes": 2.0}
    kernel = ("sglang", "fp8_block", "")
    rates = product_rates(device, "fp8_block")
    measured = work / np.maximum(read.column(rows, metric), 1e-9)
    read.add(GEMM, device, kernel, rates, shape, metric, rows, work=work, measured_s=measured)


def _published_exchange(
    read: _Reader, op: str, metric: str, scale: float, rows: list[int], device: Accelerator
) -> None:
    _, kind, phase = re.split(r"deepep_(normal|low_latency)_", op)
    ranks = read.column(rows, "ep")
    nodes = np.maximum(ranks / 8.0, 1.0)
    tokens = np.full(len(rows), 4096.0 if kind == "normal" else 128.0)
    element = 1.0 if phase == "dispatch" else 2.0
    shape = {
        "tokens": tokens, "hidden": 7168.0, "top": 8.0, "p": ranks, "domains": nodes, "sms": 20.0,
        "per_expert": float(kind == "low_latency"), "element_bytes": element,
    }  # fmt: skip
    kernel = ("sglang", f"{kind}/{phase}", "")
    if metric == "latency_us":
        read.add(EXCHANGE, device, kernel, _links(device), shape, metric, rows, _US)
        return
    # The pages count bytes over the bottleneck: each token once per rank (one node) or once per node, at most 4 nodes
    # (the router's groups); low latency once per expert.
    copies = np.where(nodes > 1.0, np.minimum(nodes, 4.0), 8.0 * (1.0 - (7.0 / 8.0) ** 8))
    copies = copies if kind == "normal" else np.full(len(rows), 8.0)
    work = tokens * 7168.0 * element * copies / scale
    measured = work / np.maximum(read.column(rows, metric), 1e-9)
    read.add(EXCHANGE, device, kernel, _links(device), shape, metric, rows, work=work, measured_s=measured)


def _attention(read: _Reader) -> None:
    """Context and generation attention share columns; the operator's name tells them apart."""
    context = [row for row in read.rows if "context" in (row.get("op_name") or "")]
    if len(context) == len(read.rows):
        _context_attention(read)
    elif not context:
        _generation_attention(read)
    else:
        read.leave(range(len(read.rows)), "latency_ms", "context and generation rows in one file; split them")


READERS: Mapping[str, tuple[set[str], Callable[[_Reader], None]]] = {
    "gemm": ({"gemm_dtype", "m", "n", "k", "latency_ms"}, _gemm),
    "moe": ({"moe_dtype", "num_tokens", "topk", "moe_ep_size", "latency_ms"}, _moe),
    "mla": ({"mla_dtype", "num_heads", "batch_size", "latency_ms"}, _mla),
    "custom_allreduce": ({"allreduce_dtype", "num_gpus", "message_size", "latency_ms"}, _custom_allreduce),
    "nccl": ({"nccl_dtype", "num_gpus", "message_size", "latency_ms"}, _nccl),
    "moe_a2a": ({"comm_backend", "phase", "num_tokens", "latency_us"}, _moe_exchange),
    "deepep_normal": ({"dispatch_transmit_us", "combine_transmit_us", "num_token"}, _deepep_normal),
    "deepep_ll": ({"dispatch_avg_t_us", "combine_avg_t_us", "num_token"}, _deepep_low_latency),
    "vidur_mlp": ({"mlp_up_proj_ms_median", "num_tokens", "n_embd"}, _vidur_mlp),
    "vidur_network": ({"topology", "num_workers", "size", "collective"}, _vidur_network),
    "published_kernels": ({"op", "tflops", "gb_s", "latency_us"}, _published_kernels),
    "attention": ({"attn_dtype", "num_key_value_heads", "head_dim", "latency_ms"}, _attention),
}
