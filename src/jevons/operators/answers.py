"""From a question about one operator to its kernel's answer, with the work that it stands for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from jevons.errors import FactError, InputError
from jevons.facts import default_facts
from jevons.hardware import Accelerator, Cluster, accelerator
from jevons.hardware.file import is_file
from jevons.operators import kernels
from jevons.operators.engines import GENERIC, engine_id, shipped_text
from jevons.operators.factors import Factors
from jevons.operators.kernels.attention import attended_pairs
from jevons.operators.kernels.collectives import OPERATIONS, link_bytes
from jevons.operators.result import OpResult, Resource
from jevons.operators.types import OpTime, Precision, kv_bytes_of, precision_of
from jevons.units import format_si

T = TypeVar("T")

_BYTES16 = 2.0


@dataclass(frozen=True, slots=True)
class Asked:
    """Device and engine of a question; *known* says whether the device's figures are facts."""

    device: Accelerator
    factors: Factors
    known: bool


def asked(gpu: str | Accelerator, engine: str, hardware: Path | str | None = None) -> Asked:
    """Return device and kernels; a file of one's own takes the place of the device.

    Raises
    ------
    InputError
        If device or engine is unknown.
    """
    factors = Factors(shipped_text(_named("engine", engine, lambda: engine_id(engine)), "kernels_like") or GENERIC)
    if hardware is not None:
        gpu = str(hardware)
    if isinstance(gpu, str):
        return Asked(accelerator(gpu), factors, known=not is_file(gpu))
    return Asked(gpu, factors, known=False)


def multiplied(device: Accelerator, name: str) -> tuple[str, Precision]:
    """Return the canonical name and the storage of ``--precision``.

    Raises
    ------
    InputError
        If it is unknown, or the device does not multiply in it.
    """
    return _named("precision", name, lambda: precision_of(device, name))


def _named(option: str, value: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except InputError as error:
        message = f"--{option} {value}: {error}"
        raise InputError(message) from None


def gemm(on: Asked, *, m: int, n: int, k: int, precision: str, count: int) -> OpResult:
    """Return the answer for a product."""
    name, kind = multiplied(on.device, precision)
    time = kernels.gemm(on.device, m, n, k, name, count=count, factors=on.factors)
    moved = count * (float(n) * k * kind.weight_bytes + float(m) * k * kind.activation_bytes + _BYTES16 * m * n)
    several = f"{count} x " if count > 1 else ""
    return _result(
        on, "gemm", f"{several}{m:,} x {n:,} x {k:,} in {name}", time, flop=2.0 * count * m * n * k, peak=kind.peak,
        moved=moved, inputs={"m": m, "n": n, "k": k, "precision": name, "count": count},
    )  # fmt: skip


def attention(
    on: Asked,
    *,
    batch: int,
    tokens: int,
    heads: int,
    kv_heads: int,
    head_dim: int,
    phase: str,
    cached: int,
    window: int,
    query_tokens: int,
    precision: str,
    kv_precision: str,
) -> OpResult:
    """Return the answer for attention with grouped heads."""
    if kv_heads > heads:
        message = f"--kv-heads {kv_heads}: must be at most --heads {heads}"
        raise InputError(message)
    name, kind = multiplied(on.device, precision)
    kv_name, kv_bytes = _named("kv-precision", kv_precision, lambda: kv_bytes_of(kv_precision))
    inputs = {
        "phase": phase, "batch": batch, "tokens": tokens, "heads": heads, "kv_heads": kv_heads, "head_dim": head_dim,
        "window": window, "kv_precision": kv_name,
    }  # fmt: skip
    heads_text = f"{heads} heads, {kv_heads} KV heads of {head_dim}"
    if phase == "prefill":
        time = kernels.attention_prefill(
            on.device, batch, tokens, cached, heads, kv_heads, head_dim, window=window, kv_precision=kv_name,
            precision=name, factors=on.factors,
        )  # fmt: skip
        pairs = _pairs(tokens, cached, window)
        flop = 4.0 * head_dim * batch * heads * pairs
        keys = float(tokens + cached)
        inputs |= {"cached": cached, "precision": name}
        queries = float(tokens)
    else:
        time = kernels.attention_decode(
            on.device, batch, tokens, heads, kv_heads, head_dim, window=window, kv_precision=kv_name,
            query_tokens=query_tokens, factors=on.factors,
        )  # fmt: skip
        keys = float(min(tokens, window) if window else tokens)
        flop = 4.0 * head_dim * batch * heads * query_tokens * keys
        inputs |= {"query_tokens": query_tokens}
        queries = float(query_tokens)
    moved = 2.0 * batch * head_dim * (kv_heads * keys * kv_bytes + _BYTES16 * heads * queries)
    shape = f"{phase} of {batch:,} x {tokens:,} tokens, {heads_text}"
    return _result(on, "attention", shape, time, flop=flop, peak=kind.peak, moved=moved, inputs=inputs)


def _pairs(tokens: int, cached: int, window: int) -> float:
    """Return query-key pairs of one head."""
    sizes = (np.asarray(float(size)) for size in (tokens, cached, window))
    return float(attended_pairs(*sizes))


def mla(
    on: Asked,
    *,
    batch: int,
    tokens: int,
    heads: int,
    phase: str,
    cached: int,
    query_tokens: int,
    latent: int,
    rotary: int,
    head_dim: int,
    precision: str,
    kv_precision: str,
) -> OpResult:
    """Return the answer for latent attention."""
    name, kind = multiplied(on.device, precision)
    kv_name, kv_bytes = _named("kv-precision", kv_precision, lambda: kv_bytes_of(kv_precision))
    inputs = {
        "phase": phase, "batch": batch, "tokens": tokens, "heads": heads, "latent": latent, "rotary": rotary,
        "head_dim": head_dim, "kv_precision": kv_name,
    }  # fmt: skip
    if phase == "prefill":
        time = kernels.mla_prefill(
            on.device, batch, tokens, cached, heads, rope_dim=rotary, nope_dim=head_dim, v_head_dim=head_dim,
            kv_precision=kv_name, precision=name, factors=on.factors,
        )  # fmt: skip
        width = head_dim + rotary + head_dim
        pairs = _pairs(tokens, cached, 0)
        flop = 2.0 * width * batch * heads * pairs
        moved = float(batch) * heads * width * ((tokens + cached) * kv_bytes + _BYTES16 * tokens)
        inputs |= {"cached": cached, "precision": name}
    else:
        time = kernels.mla_decode(
            on.device, batch, tokens, heads, kv_lora_rank=latent, rope_dim=rotary, kv_precision=kv_name,
            query_tokens=query_tokens, factors=on.factors,
        )  # fmt: skip
        width = latent + rotary
        flop = 2.0 * batch * heads * query_tokens * tokens * (width + latent)
        moved = batch * (float(tokens) * width * kv_bytes + _BYTES16 * heads * query_tokens * (width + latent))
        inputs |= {"query_tokens": query_tokens}
    shape = f"{phase} of {batch:,} x {tokens:,} tokens, {heads} heads"
    return _result(on, "mla", shape, time, flop=flop, peak=kind.peak, moved=moved, inputs=inputs)


def moe(
    on: Asked,
    *,
    tokens: int,
    hidden: int,
    expert_width: int,
    experts: int,
    experts_per_token: int,
    ep: int,
    tp: int,
    imbalance: float,
    precision: str,
) -> OpResult:
    """Return the answer for one rank's experts."""
    name, kind = multiplied(on.device, precision)
    time = kernels.moe_gemm(
        on.device, tokens, hidden, expert_width, experts, experts_per_token, expert_parallel=ep, tensor_parallel=tp,
        precision=name, imbalance=imbalance, factors=on.factors,
    )  # fmt: skip
    local = max(experts / ep, 1.0)
    rows = float(tokens) * experts_per_token * local / experts * imbalance
    active = min(float(kernels.active_experts(tokens, experts, experts_per_token)) * local / experts, local)
    one = 3.0 * hidden * expert_width / tp
    inputs = {
        "tokens": tokens, "hidden": hidden, "expert_width": expert_width, "experts": experts,
        "experts_per_token": experts_per_token, "ep": ep, "tp": tp, "imbalance": imbalance, "precision": name,
        "active_experts": active,
    }  # fmt: skip
    shape = (
        f"of {tokens:,} tokens, {experts_per_token} of {experts} experts of {hidden:,} x {expert_width:,} in {name}, "
        f"ep {ep}, tp {tp}"
    )
    return _result(
        on, "moe", shape, time, flop=2.0 * rows * one, peak=kind.peak,
        moved=active * one * kind.weight_bytes + 2.0 * rows * hidden * kind.activation_bytes, inputs=inputs,
    )  # fmt: skip


_COLLECTIVES: dict[str, Callable[..., OpTime]] = {
    "all_gather": kernels.all_gather, "reduce_scatter": kernels.reduce_scatter, "all_to_all": kernels.all_to_all,
}  # fmt: skip


def collective(on: Asked, operation: str, message_bytes: float, gpus: int, *, library: str) -> OpResult:
    """Return the answer for a collective over neighbouring devices; its bytes are those of the slowest link."""
    group = Cluster(on.device, gpus)
    if operation == "all_reduce":
        time = kernels.all_reduce(group, message_bytes, gpus, kernel=library, factors=on.factors)
    else:
        time = _COLLECTIVES[operation](group, message_bytes, gpus, factors=on.factors)
    domains = np.ceil(gpus / on.device.scaleup_domain)
    numbers = (np.asarray(float(x)) for x in (OPERATIONS.index(operation), message_bytes, gpus, domains))
    near, far = link_bytes(*numbers)
    inputs = {"message_bytes": message_bytes, "library": library}
    sent = float(far if domains > 1 else near)
    return _sent(on, operation, time, sent, message_bytes, gpus=gpus, across=bool(domains > 1), inputs=inputs)


def point_to_point(on: Asked, message_bytes: float, *, across: bool) -> OpResult:
    """Return the answer for one message."""
    time = kernels.point_to_point(Cluster(on.device, 2), message_bytes, across=across, factors=on.factors)
    inputs = {"message_bytes": message_bytes, "across": across}
    return _sent(
        on, "point_to_point", time, message_bytes, message_bytes, gpus=2, across=across, inputs=inputs
    )  # fmt: skip


def _sent(
    on: Asked,
    operation: str,
    time: OpTime,
    sent: float,
    message_bytes: float,
    *,
    gpus: int,
    across: bool,
    inputs: dict[str, Any],
) -> OpResult:
    link = on.device.scaleout if across else on.device.scaleup
    path = f"{on.device.id}.{'scaleout' if across else 'scaleup'}_bytes_per_s"
    traffic = _resource(on, "network" if across else "link", sent, link.bytes_per_s, path)
    shape = f"of {format_si(message_bytes, 'B')} over {'the network' if across else link.kind}"
    return OpResult(
        operator=operation, shape=shape, gpu=on.device.id, gpus=gpus, engine=on.factors.engine, inputs=inputs,
        time=time, compute=None, traffic=traffic,
    )  # fmt: skip


def _result(
    on: Asked, operator: str, shape: str, time: OpTime, *, flop: float, peak: str, moved: float, inputs: dict[str, Any]
) -> OpResult:
    device = on.device
    compute = _resource(on, "compute", flop, device.peak_flop_per_s[peak], f"{device.id}.peak_{peak}_flop_per_s")
    traffic = _resource(on, "memory", moved, device.hbm_bytes_per_s, f"{device.id}.hbm_bytes_per_s")
    return OpResult(
        operator=operator, shape=shape, gpu=device.id, gpus=1, engine=on.factors.engine, inputs=inputs, time=time,
        compute=compute, traffic=traffic,
    )  # fmt: skip


def _resource(on: Asked, name: str, work: float, per_s: float, path: str) -> Resource:
    """Return a rate with the evidence of its fact, where the device is a shipped one."""
    facts = default_facts()
    if not on.known or path not in facts:
        return Resource(name=name, work=work, per_s=per_s, source="the device given" if not on.known else "")
    try:
        value = facts.get(path)
    except FactError:
        return Resource(name=name, work=work, per_s=per_s)
    source = str(value.source) if value.source is not None else path
    return Resource(name=name, work=work, per_s=per_s, path=path, grade=value.grade, source=f"{path}: {source}")
