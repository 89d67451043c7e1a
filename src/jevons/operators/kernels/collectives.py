"""Collectives by message size, algorithm, scale-up domain and fabric."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from jevons.errors import InputError, did_you_mean
from jevons.facts import default_facts
from jevons.hardware.types import Cluster
from jevons.operators.factors import Factors, default_factors
from jevons.operators.families import Family, Kernel, Rates, evaluate
from jevons.operators.padding import Ladder, Padding, least
from jevons.operators.ranks import along, filled, risen, rungs
from jevons.operators.types import LINK, ArrayLike, BoundArray, Errors, FloatArray, OpTime, Shape, Terms, checked

_PHYSICS_ERROR = Errors(0.5, 0.5)
_TOKENS = Ladder("tokens")

ALGORITHMS = ("auto", "one_shot", "two_shot", "ring", "tree", "in_switch")
OPERATIONS = ("all_reduce", "all_gather", "reduce_scatter", "all_to_all", "point_to_point")


def _bus_bytes(operation: FloatArray, size: FloatArray, p: FloatArray) -> FloatArray:
    """Return the bytes a device sends: 2 (p-1)/p of an all-reduce, all to one neighbour, (p-1)/p of the rest."""
    share = (p - 1.0) / p
    return size * np.where(operation == 0, 2.0 * share, np.where(operation == 4, 1.0, share))


def link_bytes(
    operation: FloatArray, size: FloatArray, p: FloatArray, domains: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the bytes that a device sends inside its scale-up domain, and over the network beyond it.

    Devices of a domain first reduce or share among themselves, so that each carries its part over the network; in an
    all-to-all there is nothing to reduce, and everything meant for other domains crosses. Of messages to a neighbour
    those at the end of a domain cross whole.
    """
    inside = np.maximum(p / domains, 1.0)
    spread = operation == OPERATIONS.index("all_to_all")
    outer = np.where(spread | (operation == OPERATIONS.index("point_to_point")), size, size / inside)
    near = np.where(spread, size * (inside - 1.0) / p, _bus_bytes(operation, size, inside))
    return near, _bus_bytes(operation, outer, domains)


def collective_terms(s: Shape, r: Rates, v: Mapping[str, float]) -> Terms:
    """Return the terms of a collective that picks the faster of a low-latency and a high-bandwidth protocol.

    Notes
    -----
    Low latency: ``start_s + hop_s (p - 1)`` and the bytes at ``eager_frac`` of the link; high bandwidth: ``setup_s``
    more, and ``link_frac / (p / 2)^crowding`` of it. Between domains of the fabric: the bytes of `link_bytes` at
    ``far_frac`` of the network, and ``far_hop_s`` for each doubling of the domains. The two ways are pipelined, and
    neither hides the other: they add as squares (ten nodes of eight H100 gather in 0.71 of their sum).
    """
    size, p, domains = s["size"], s["p"], s["domains"]
    inside = np.maximum(p / domains, 1.0)
    bus, outside = link_bytes(s["operation"], size, p, domains)
    eager = bus / (r.bytes_per_s * v["eager_frac"])
    bulk = v["setup_s"] + bus / (r.bytes_per_s * v["link_frac"]) * np.maximum(inside / 2.0, 1.0) ** v["crowding"]
    near = np.minimum(eager, bulk)
    far = outside / (r.far_bytes_per_s * v["far_frac"])
    start = v["start_s"] + v["hop_s"] * (inside - 1.0) + v["far_hop_s"] * np.log2(domains)
    return Terms(start, np.zeros_like(near), np.hypot(near, far), 0.0, 8.0)


def collective_features(s: Shape) -> tuple[FloatArray, ...]:
    """Return log2 of bytes, devices and domains."""
    return (
        np.asarray(np.log2(s["size"]) / 11.0 - 1.7),
        np.asarray(np.log2(s["p"]) - 2.0),
        np.asarray(np.log2(s["domains"]) - 1.0),
    )


COLLECTIVE = Family(
    name="collective",
    factors=("start_s", "hop_s", "eager_frac", "setup_s", "link_frac", "crowding", "far_frac", "far_hop_s", "host_s"),
    terms=collective_terms,
    features=collective_features,
    degree=4,
    traffic_bound=LINK,
)


def exchange_terms(s: Shape, r: Rates, v: Mapping[str, float]) -> Terms:
    """Return the terms of one direction of an expert exchange.

    Notes
    -----
    A token goes once to each rank that holds one of its experts (normal kind: ``p (1 - (1 - 1/p)^k)`` copies), or once
    to each expert (low latency). Inside the domain the copies move at ``link_frac`` of the link, or as fast as the
    ``sms`` cores given to it copy (``core_bytes_per_s`` each); one copy for each remote domain crosses the network.
    ``token_s`` is the cost per token of building the layout.
    """
    tokens, p, domains, top = s["tokens"], s["p"], s["domains"], s["top"]
    inside = p / domains
    ranks = np.where(s["per_expert"] > 0, top, -p * np.expm1(top * np.log1p(-np.minimum(1.0 / p, 1.0 - 1e-9))))
    remote = -domains * np.expm1(top * np.log1p(-np.minimum(1.0 / domains, 1.0 - 1e-9))) * (domains - 1.0) / domains
    remote = np.where(s["per_expert"] > 0, top * (domains - 1.0) / domains, remote)
    row = s["hidden"] * s["element_bytes"]
    copy = v["core_bytes_per_s"] * s["sms"]
    speed = 1.0 / (1.0 / (r.bytes_per_s * v["link_frac"]) + 1.0 / copy)
    near = tokens * row * ranks * (inside - 1.0) / inside / speed
    far = tokens * row * remote / (r.far_bytes_per_s * v["far_frac"])
    start = v["start_s"] + v["far_start_s"] * np.log2(domains) + v["token_s"] * tokens
    return Terms(start, near, far, 0.0, 3.0)


def exchange_features(s: Shape) -> tuple[FloatArray, ...]:
    """Return log2 of tokens, row bytes, domains and cores."""
    return (
        np.asarray(np.log2(s["tokens"]) / 8.5 - 1.0),
        np.asarray(np.log2(s["hidden"]) * 2.0 - 24.5),
        np.asarray(np.log2(s["domains"]) / 1.5 - 1.0),
        np.asarray(np.log2(s["sms"]) / 1.3 - 2.54),
        np.asarray(np.log2(s["top"]) * 2.0 - 5.6),
    )


EXCHANGE = Family(
    name="exchange",
    factors=("start_s", "far_start_s", "token_s", "link_frac", "core_bytes_per_s", "far_frac"),
    terms=exchange_terms,
    features=exchange_features,
    degree=3,
    traffic_bound=LINK,
)


def link_rates(cluster: Cluster, *, repeated: bool = False) -> Rates:
    """Return the rates of the links inside and beyond a cluster's scale-up domain."""
    device = cluster.accelerator
    far = cluster.link(device.scaleup_domain + 1)
    return Rates(bytes_per_s=device.scaleup.bytes_per_s, far_bytes_per_s=far.bytes_per_s, repeated=repeated)


def _collective(
    cluster: Cluster,
    operation: str,
    message_bytes: ArrayLike,
    devices: ArrayLike,
    library: str,
    factors: Factors | None,
) -> OpTime:
    factors = factors or default_factors()
    shape = checked(size=message_bytes, p=devices)
    kernel = factors.kernel(COLLECTIVE, cluster.accelerator, operation, library)
    device = cluster.accelerator
    domain = device.scaleup_domain
    scale = factors.scale.get("collective", 1.0)
    group = _Group(kernel, operation, link_rates(cluster), domain, scale, device.scaleup.through_host)
    groups = filled(shape["p"], domain)
    size, p = np.broadcast_arrays(shape["size"], groups, subok=False)
    result, slowdown = _within_links(group, size, p)
    time_s = result.time_s * slowdown
    rising_s = np.broadcast_to(time_s, size.shape).copy()
    for ranks in np.unique(groups[groups > 1]):
        own = p == ranks
        rising_s[own] = along(_rising(group, float(ranks)), _STEPS, size[own])
    residual = result.residual * slowdown * rising_s / time_s
    return replace(result, time_s=np.where(p <= 1, 0.0, rising_s), residual=residual, start_s=0.0)


_STEPS, _OCTAVES = 16, 44
"""Of the ladder of message sizes: steps to a doubling, and doublings from a byte to beyond any message measured."""


class _Group(NamedTuple):
    """What the times of an operation have in common, whatever the message and the group."""

    kernel: Kernel
    operation: str
    rates: Rates
    domain: int
    scale: float
    through_host: bool


_ON_THE_BUS = 4.0
"""Devices of a measured machine that reach each other over its host, and no longer over a switch of their own."""


def _within_links(group: _Group, size: FloatArray, p: FloatArray) -> tuple[OpTime, FloatArray]:
    """Return the fitted times, and the factor that holds what crosses the network to its datasheet."""
    operation = np.asarray(float(OPERATIONS.index(group.operation)))
    shape = {"size": size, "p": p, "domains": np.maximum(p / group.domain, 1.0), "operation": operation}
    result = _evaluated(group, shape)
    _, outside = link_bytes(operation, size, p, shape["domains"])
    return result, np.maximum(outside / (group.rates.far_bytes_per_s * result.time_s), 1.0)


def _evaluated(group: _Group, shape: Shape) -> OpTime:
    """Return the fitted times; what passes through a host's memory moves at the pace of four devices on its bus.

    Notes
    -----
    Pairs of a measured machine share a switch that no other device uses, and larger groups share its host's bus. Where
    no device reads another's memory, a pair has no such way of its own: each byte crosses the host, whatever the group.
    """
    p = shape["p"]
    inside = (p > 1.0) & (p <= group.domain)
    if not (group.through_host and inside.any()):
        return evaluate(COLLECTIVE, group.kernel, shape, group.rates, group.scale)
    share = np.where(inside, (p - 1.0) / p * _ON_THE_BUS / (_ON_THE_BUS - 1.0), 1.0)
    alike = {**shape, "size": shape["size"] * share, "p": np.where(inside, _ON_THE_BUS, p)}
    result = evaluate(COLLECTIVE, group.kernel, alike, group.rates, group.scale)
    hops_s = np.where(inside, group.kernel.values["hop_s"] * (p - _ON_THE_BUS) * group.scale, 0.0)
    return replace(result, time_s=result.time_s + hops_s)


@functools.lru_cache(maxsize=4096)
def _rising(group: _Group, p: float) -> FloatArray:
    """Return the times of a group for each step of message sizes: none below a smaller message's or group's.

    Notes
    -----
    A message may be sent padded to a larger one, so that it takes no longer than that: where a fitted surface falls
    with bytes, the times of smaller messages are too long.
    """
    if p <= group.domain:
        return np.asarray(_inside_domain(group)[rungs(group.domain).index(p)])
    domains = [d for d in (1.0, *rungs(p / group.domain)) if d * group.domain < p]
    smaller = domains[-1] * group.domain
    own = _padded_messages(group, p)
    return np.maximum(_rising(group, smaller), own) if smaller > 1 else own


@functools.lru_cache(maxsize=512)
def _inside_domain(group: _Group) -> FloatArray:
    """Return the times of each size of group inside a domain, by steps of message sizes."""
    return risen(np.stack([_padded_messages(group, p) for p in rungs(group.domain)]))


def _padded_messages(group: _Group, p: float) -> FloatArray:
    """Return for each step of message sizes the least time of a message at least as large."""
    size = 2.0 ** (np.arange(_OCTAVES * _STEPS + 1) / _STEPS)
    result, slowdown = _within_links(group, size, np.asarray(p))
    return np.minimum.accumulate((result.time_s * slowdown)[::-1])[::-1]


def all_reduce(
    cluster: Cluster,
    message_bytes: ArrayLike,
    devices: ArrayLike,
    *,
    algorithm: str = "auto",
    kernel: str = "custom",
    factors: Factors | None = None,
) -> OpTime:
    """Return the time of summing a message over a group so that every device holds the sum.

    Parameters
    ----------
    cluster : Cluster
        Devices, their scale-up domain and the fabric beyond.
    message_bytes : array_like
        Bytes on each device, >= 1.
    devices : array_like
        Group size, >= 1; one device takes no time.
    algorithm : str
        ``auto`` for what the libraries choose (fitted), or one of `ALGORITHMS` as plain physics.
    kernel : str
        ``custom`` for the engine's own kernel under graph capture, ``nccl`` for the vendor library.
    factors : Factors, optional
        As for `gemm`.

    Returns
    -------
    OpTime
        Time [s] and bound (link or launch).

    Raises
    ------
    InputError
        For an unknown algorithm, or sizes below 1.

    Notes
    -----
    One-shot: everyone reads everything, ``(p-1) m / b``; two-shot and ring: ``2 (p-1)/p m / b``; tree ``2 m / b`` in
    ``2 log2 p`` hops; in-switch reduction ``m / b``.
    """
    if algorithm not in ALGORITHMS:
        message = f"unknown all-reduce algorithm `{algorithm}`.{did_you_mean(algorithm, ALGORITHMS)}"
        raise InputError(message)
    if algorithm == "auto":
        return _collective(cluster, "all_reduce", message_bytes, devices, kernel, factors)
    shape = checked(size=message_bytes, p=devices)
    values = (factors or default_factors()).kernel(COLLECTIVE, cluster.accelerator, "all_reduce", kernel).values
    size, p = shape["size"], shape["p"]
    link = cluster.link(int(np.max(p)))
    speed = link.bytes_per_s * values["link_frac"]
    ring = 2.0 * (p - 1.0) / p
    hops = {
        "one_shot": (p - 1.0, 1.0 + 0.0 * p), "two_shot": (ring, 2.0 + 0.0 * p), "ring": (ring, 2.0 * (p - 1.0)),
        "tree": (2.0 + 0.0 * p, 2.0 * np.log2(np.maximum(p, 2.0))), "in_switch": (1.0 + 0.0 * p, 2.0 + 0.0 * p),
    }[algorithm]  # fmt: skip
    traffic = size * hops[0] / speed
    start = values["start_s"] + hops[1] * link.latency_s
    bound = np.where(traffic >= start, LINK, np.int8(3))
    return _by_physics(traffic, start, bound, np.where(p > 1, traffic + start, 0.0))


def _by_physics(traffic_s: FloatArray, start_s: FloatArray, bound: BoundArray, time_s: FloatArray) -> OpTime:
    """Return a time that no fitted surface corrects, with the wide error of such."""
    terms = Terms(start_s, np.zeros_like(traffic_s), traffic_s, 0.0, 1.0)
    origin = "the link's datasheet and the collectives' shared start and share of the link"
    return OpTime(time_s=time_s, bound=bound, error=_PHYSICS_ERROR, outside=_PHYSICS_ERROR, terms=terms, origin=origin)


def all_gather(
    cluster: Cluster, message_bytes: ArrayLike, devices: ArrayLike, *, factors: Factors | None = None
) -> OpTime:
    """Return the time after which every device holds *message_bytes* (in total) whose parts the devices held."""
    return _collective(cluster, "all_gather", message_bytes, devices, "nccl", factors)


def reduce_scatter(
    cluster: Cluster, message_bytes: ArrayLike, devices: ArrayLike, *, factors: Factors | None = None
) -> OpTime:
    """Return the time of summing *message_bytes* (on each device) over a group, each device keeping its part."""
    return _collective(cluster, "reduce_scatter", message_bytes, devices, "nccl", factors)


def all_to_all(
    cluster: Cluster, message_bytes: ArrayLike, devices: ArrayLike, *, factors: Factors | None = None
) -> OpTime:
    """Return the time of an exchange in which each device holds *message_bytes* for the group, in equal parts."""
    return _collective(cluster, "all_to_all", message_bytes, devices, "nccl", factors)


def point_to_point(
    cluster: Cluster, message_bytes: ArrayLike, *, across: bool = False, factors: Factors | None = None
) -> OpTime:
    """Return the time of sending *message_bytes* to a neighbour in the scale-up domain, or across the fabric."""
    factors = factors or default_factors()
    shape = checked(size=message_bytes)
    values = factors.kernel(COLLECTIVE, cluster.accelerator, "point_to_point", "nccl").values
    link = cluster.link(cluster.accelerator.scaleup_domain + 1 if across else 1)
    share = values["far_frac"] if across else min(values["link_frac"], default_facts().get("link.pair_frac").number)
    traffic = shape["size"] / (link.bytes_per_s * share)
    start = np.asarray(values["start_s"] + values["setup_s"] + (link.latency_s if across else 0.0))
    bound = np.where(traffic >= start, LINK, np.int8(3))
    return _by_physics(traffic, start, bound, traffic + start)


def _exchange(
    cluster: Cluster,
    phase: str,
    tokens: ArrayLike,
    hidden: ArrayLike,
    experts_per_token: ArrayLike,
    devices: ArrayLike,
    element_bytes: float,
    kind: str,
    sms: ArrayLike,
    factors: Factors | None,
) -> OpTime:
    factors = factors or default_factors()
    if kind not in {"normal", "low_latency"}:
        message = f"unknown exchange kind `{kind}`; the kinds are normal and low_latency"
        raise InputError(message)
    shape = checked(tokens=tokens, hidden=hidden, top=experts_per_token, p=devices, sms=sms)
    domain = cluster.accelerator.scaleup_domain
    shape["p"] = filled(shape["p"], domain)
    shape["domains"] = np.maximum(shape["p"] / domain, 1.0)
    shape["per_expert"] = np.asarray(1.0 if kind == "low_latency" else 0.0)
    shape["element_bytes"] = np.asarray(float(element_bytes))
    kernel = factors.kernel(EXCHANGE, cluster.accelerator, f"{kind}/{phase}")
    rates, scale = link_rates(cluster), factors.scale.get("exchange", 1.0)
    result = evaluate(EXCHANGE, kernel, shape, rates, scale)
    rising_s = np.zeros_like(result.time_s)
    names = ("hidden", "top", "sms", "per_expert", "element_bytes", "p")
    count = np.broadcast_to(shape["tokens"], rising_s.shape)
    columns = np.broadcast_arrays(*(shape[name] for name in names))
    for values in np.unique(np.stack([column.ravel() for column in columns]), axis=1).T:
        exchange, ranks = _Exchange(kernel, rates, domain, scale, *values[:-1].tolist()), float(values[-1])
        own = np.all([column == value for column, value in zip(columns, values, strict=True)], axis=0)
        own = np.broadcast_to(own, rising_s.shape)
        if ranks > 1:
            rising_s[own] = along(_rising_exchange(exchange, ranks), _TOKENS.steps, count[own])
    bound = np.where(result.bound == 0, LINK, result.bound)
    residual = result.residual * rising_s / result.time_s
    return replace(result, time_s=rising_s, bound=bound, residual=residual, start_s=0.0)


class _Exchange(NamedTuple):
    """What the times of an exchange have in common, whatever the tokens and the group."""

    kernel: Kernel
    rates: Rates
    domain: int
    scale: float
    hidden: float
    top: float
    sms: float
    per_expert: float
    element_bytes: float


@functools.lru_cache(maxsize=4096)
def _rising_exchange(of: _Exchange, p: float) -> FloatArray:
    """Return the times of an exchange for each step of tokens: none below that of fewer tokens or of fewer ranks."""
    inside = rungs(min(p, of.domain))
    groups = [*inside, *(of.domain * d for d in rungs(p / of.domain))]
    shape = {
        "top": of.top, "sms": of.sms, "per_expert": of.per_expert, "element_bytes": of.element_bytes,
        "hidden": of.hidden,
    }  # fmt: skip
    kinds = np.array([[*shape.values(), ranks, max(ranks / of.domain, 1.0)] for ranks in groups])
    names = (*shape, "p", "domains")
    padding = Padding(EXCHANGE, of.kernel, of.rates, of.scale, (_TOKENS,), (("hidden", 2.0),), names)
    return np.asarray(least(padding, kinds).max(axis=0))


def moe_dispatch(
    cluster: Cluster,
    tokens: ArrayLike,
    hidden: ArrayLike,
    experts_per_token: ArrayLike,
    devices: ArrayLike,
    *,
    element_bytes: float = 1.0,
    kind: str = "normal",
    sms: ArrayLike = 20,
    factors: Factors | None = None,
) -> OpTime:
    """Return the time of sending each rank's tokens to the ranks of their experts.

    Parameters
    ----------
    cluster : Cluster
        Devices, their scale-up domain and the fabric beyond.
    tokens : array_like
        Tokens on each rank, >= 1.
    hidden, experts_per_token : array_like
        Width of a token, experts it visits.
    devices : array_like
        Ranks of the expert-parallel group; one takes no time.
    element_bytes : float
        1 for an 8-bit dispatch, 2 for 16 bits.
    kind : str
        ``normal`` (one copy per rank, high throughput) or ``low_latency`` (one copy per expert, for decode).
    sms : array_like
        Cores that a normal exchange may use.
    factors : Factors, optional
        As for `gemm`.

    Raises
    ------
    InputError
        For an unknown kind, or sizes below 1.

    Notes
    -----
    See `exchange_terms`.
    """
    return _exchange(cluster, "dispatch", tokens, hidden, experts_per_token, devices, element_bytes, kind, sms, factors)


def moe_combine(
    cluster: Cluster,
    tokens: ArrayLike,
    hidden: ArrayLike,
    experts_per_token: ArrayLike,
    devices: ArrayLike,
    *,
    element_bytes: float = 2.0,
    kind: str = "normal",
    sms: ArrayLike = 20,
    factors: Factors | None = None,
) -> OpTime:
    """Return the time of sending the experts' outputs back to their tokens' ranks; see `moe_dispatch`."""
    return _exchange(cluster, "combine", tokens, hidden, experts_per_token, devices, element_bytes, kind, sms, factors)
