"""Tables of collectives and of the exchange of tokens between experts."""

from __future__ import annotations

from collections.abc import Callable

from jevons.hardware.types import Accelerator
from jevons.operators.families import Rates
from jevons.operators.kernels.collectives import COLLECTIVE, EXCHANGE, OPERATIONS
from jevons.validation.operators.rows import US, Reader, Row, engine_of, number


def link_rates_of(device: Accelerator) -> Rates:
    """Return the rates of a device's links, in its scale-up domain and beyond."""
    return Rates(bytes_per_s=device.scaleup.bytes_per_s, far_bytes_per_s=device.scaleout.bytes_per_s, repeated=True)


_ELEMENT_BYTES = {"half": 2.0, "bfloat16": 2.0, "float16": 2.0, "int8": 1.0, "fp8": 1.0, "float": 4.0}
_OPERATION_NAMES = {"alltoall": "all_to_all", "send_recv": "point_to_point", "sendrecv": "point_to_point"}


def nccl(read: Reader) -> None:
    """Read collectives of the vendor's library."""
    _collectives(read, "nccl_dtype", lambda _: ("nccl", ""))


def custom_allreduce(read: Reader) -> None:
    """Read all-reduces of an engine's own kernels."""

    def kernel(row: Row) -> tuple[str, str]:
        eager = "eager" in (row.get("kernel_source") or "").lower()
        return engine_of(row.get("framework") or ""), "custom_eager" if eager else "custom"

    _collectives(read, "allreduce_dtype", kernel)


def _collectives(read: Reader, dtype_column: str, kernel: Callable[[Row], tuple[str, str]]) -> None:
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
        read.add(
            COLLECTIVE, device, (engine, operation, variant or "nccl"), link_rates_of(device), shape, "latency_ms", rows
        )


def vidur_network(read: Reader) -> None:
    """Read profiles of all-reduce and of sends between neighbours, by topology."""
    metric = "all_reduce_ms_median" if "all_reduce_ms_median" in read.rows[0] else "send_recv_ms_median"
    operation = _OPERATION_NAMES.get(metric.removesuffix("_ms_median"), metric.removesuffix("_ms_median"))
    for (topology, workers, per_node), rows, device in read.groups(
        metric, "topology", "num_workers", "devices_per_node"
    ):
        domains = max(number(workers) / max(number(per_node), 1.0), 1.0)
        shape = {
            "size": read.column(rows, "size"), "p": number(workers), "domains": domains,
            "operation": float(OPERATIONS.index(operation)),
        }  # fmt: skip
        variant = f"{topology}/{workers}/{per_node}"
        if operation == "point_to_point" and domains == 1.0 and topology.endswith("dgx"):
            variant = "nccl"  # all pairs are joined by the switch, as in any scale-up domain
        read.add(COLLECTIVE, device, ("vidur", operation, variant), link_rates_of(device), shape, metric, rows)


def moe_exchange(read: Reader) -> None:
    """Read exchanges of tokens between experts, by library and phase."""
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
        kernel = (engine_of(framework), f"{kind}/{phase}", variant)
        read.add(EXCHANGE, device, kernel, link_rates_of(device), shape, "latency_us", rows, US)


def deepep_normal(read: Reader) -> None:
    """Read DeepEP's exchanges of high throughput."""
    _deepep(read, "normal", "{phase}_transmit_us")


def deepep_low_latency(read: Reader) -> None:
    """Read DeepEP's exchanges of low latency."""
    _deepep(read, "low_latency", "{phase}_avg_t_us")


def _deepep(read: Reader, kind: str, metric: str) -> None:
    """Read DeepEP's exchanges of a kind: dispatch in 8 bits, combine in 16."""
    low = kind == "low_latency"
    for phase, element in (("dispatch", 1.0), ("combine", 2.0)):
        name = metric.format(phase=phase)
        for _, rows, device in read.groups(name, "framework", several=True):
            nodes = read.column(rows, "node_num")
            shape = {
                "tokens": read.column(rows, "num_token"), "hidden": read.column(rows, "hidden_size"),
                "top": read.column(rows, "num_topk"), "p": 8.0 * nodes, "domains": nodes,
                "sms": 20.0 if low else read.column(rows, f"{phase}_sms"), "per_expert": float(low),
                "element_bytes": element,
            }  # fmt: skip
            kernel = ("sglang", f"{kind}/{phase}", "")
            read.add(EXCHANGE, device, kernel, link_rates_of(device), shape, name, rows, US)


def nccl_tests(read: Reader) -> None:
    """Read runs of nccl-tests, within a node and between nodes; sizes are those that it prints."""
    for (op,), rows, device in read.groups("time_us", "op_name"):
        operation = _OPERATION_NAMES.get(op, op)
        if operation not in OPERATIONS:
            read.leave(rows, "time_us", f"unknown collective `{op}`")
            continue
        shape = {
            "size": read.column(rows, "size_bytes"), "p": read.column(rows, "num_gpus"),
            "domains": read.column(rows, "nodes"), "operation": float(OPERATIONS.index(operation)),
        }  # fmt: skip
        read.add(COLLECTIVE, device, ("nccl", operation, "nccl"), link_rates_of(device), shape, "time_us", rows, US)
