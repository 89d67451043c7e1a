"""The table of best cases that a vendor's pages print: rates and times of kernels, as fast as they were seen."""

from __future__ import annotations

import re

import numpy as np

from jevons.hardware.types import Accelerator
from jevons.operators.kernels.collectives import EXCHANGE
from jevons.operators.kernels.gemm import GEMM
from jevons.validation.operators.links import link_rates_of
from jevons.validation.operators.products import product_rates
from jevons.validation.operators.rows import US, Reader


def published_kernels(read: Reader) -> None:
    """Read rates and times as printed; rows that state no shape are left out."""
    for metric, scale in (("tflops", 1e12), ("gb_s", 1e9), ("latency_us", 1.0)):
        for (op,), rows, device in read.groups(metric, "op", several=True):
            if op.startswith("fp8_g"):
                _published_products(read, metric, scale, rows, device)
            elif op.startswith(("deepep_normal", "deepep_low_latency")):
                _published_exchange(read, op, metric, scale, rows, device)
            else:
                read.leave(rows, metric, f"`{op}` states no shape: a best case, not a measurement")


def _published_products(read: Reader, metric: str, scale: float, rows: list[int], device: Accelerator) -> None:
    m, n, k = (read.column(rows, name) for name in "mnk")
    groups = np.maximum(read.column(rows, "groups"), 1.0)
    work = groups * (2.0 * m * n * k if metric == "tflops" else n * k + m * k + 2.0 * m * n) / scale
    shape = {"m": m, "n": n, "k": k, "count": groups, "out_bytes": 2.0}
    kernel = ("sglang", "fp8_block", "")
    rates = product_rates(device, "fp8_block")
    measured = work / np.maximum(read.column(rows, metric), 1e-9)
    read.add(GEMM, device, kernel, rates, shape, metric, rows, work=work, measured_s=measured)


def _published_exchange(read: Reader, op: str, metric: str, scale: float, rows: list[int], device: Accelerator) -> None:
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
        read.add(EXCHANGE, device, kernel, link_rates_of(device), shape, metric, rows, US)
        return
    # The pages count bytes over the bottleneck: each token once per rank (one node) or once per node, at most 4 nodes
    # (the router's groups); low latency once per expert.
    copies = np.where(nodes > 1.0, np.minimum(nodes, 4.0), 8.0 * (1.0 - (7.0 / 8.0) ** 8))
    copies = copies if kind == "normal" else np.full(len(rows), 8.0)
    work = tokens * 7168.0 * element * copies / scale
    measured = work / np.maximum(read.column(rows, metric), 1e-9)
    read.add(EXCHANGE, device, kernel, link_rates_of(device), shape, metric, rows, work=work, measured_s=measured)
