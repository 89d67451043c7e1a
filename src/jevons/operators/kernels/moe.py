"""Expert feed-forward layers: grouped products over the experts that receive tokens."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jevons.errors import InputError
from jevons.hardware.types import Accelerator
from jevons.operators.factors import Factors, default_factors
from jevons.operators.families import Family, Rates, evaluate, matrix_rates, residency_gain
from jevons.operators.kernels.routing import active_experts
from jevons.operators.padding import Ladder, padded
from jevons.operators.types import MEMORY, ArrayLike, FloatArray, OpTime, Shape, Terms, checked, precision_of

_TILES = (16.0, 64.0, 128.0)
_RULED_TILES = (16.0, 64.0)
_TILE_COLUMNS = 128.0


def moe_terms(s: Shape, r: Rates, v: Mapping[str, float]) -> Terms:
    """Return the terms of one rank's share of a layer of experts.

    Notes
    -----
    Compute: per expert the rows are rounded up to tiles, both products fill the cores in waves, of whose last a share
    ``wave`` is lost (fewer tiles than cores take ``waves^split``); low tiles cost more (``tile``). Kernels lie between
    the fastest of three tile heights and a plain rule (16 rows while there are fewer tokens than experts, then 64):
    ``ruled`` says how far. Memory: the weights of the experts that got rows. One after the other with these: reading
    and writing rows of this rank (``rows_moved`` passes) and, in engines that carry every token's slots, of the whole
    group (``slots_moved``); sorting (``sort_s`` per 16 slots); ``expert_s`` per local expert.
    """
    tokens, d, inner, top = s["tokens"], s["hidden"], s["inner"], s["top"]
    rows, active, local, mats = s["rows"], s["active"], s["local"], s["matrices"]
    each = rows / active
    best: FloatArray | None = None
    times: list[FloatArray] = []
    for tile in _TILES:
        # Even loads need ceil(each / tile) tiles; uneven ones about half a tile more than their share.
        spread = np.maximum(each / tile + 0.5 * s["uneven"], 1.0)
        blocks = active * (s["uneven"] * spread + (1.0 - s["uneven"]) * np.ceil(each / tile))
        first = blocks * np.ceil(inner * (mats - 1.0) / _TILE_COLUMNS) / r.cores
        second = blocks * np.ceil(d / _TILE_COLUMNS) / r.cores
        first, second = _filled(first, v), _filled(second, v)
        share = 1.0 + v["tile"] * 16.0 * (1.0 / tile - 1.0 / 128)
        time = (first * d + second * inner) * (2.0 * tile * _TILE_COLUMNS * share)
        best = time if best is None else np.minimum(best, time)
        if tile in _RULED_TILES:
            times.append(time)
    assert best is not None  # noqa: S101 - there is always a tile
    ruled = np.where(tokens <= local, times[0], times[1])
    best = best * np.exp(v["ruled"] * np.log(ruled / best))
    compute = best * (r.cores / (r.peak_flop_per_s * v["compute_frac"]))
    weights = active * d * inner * mats * r.weight_bytes
    memory = weights / (r.bytes_per_s * v["memory_frac"] * residency_gain(weights, r, v["copies"], v["residency"]))
    slots = tokens * top
    moved = v["rows_moved"] * rows * (2.0 * d + mats * inner) + v["slots_moved"] * slots * (d + inner)
    launch = v["launch_s"] + v["expert_s"] * local + v["sort_s"] / 16.0 * slots
    return Terms(launch, compute, memory, moved * 2.0 / r.bytes_per_s, v["overlap"])


def _filled(waves: FloatArray, v: Mapping[str, float]) -> FloatArray:
    """Return waves of tiles with the loss of the last one; below one wave, what splitting the depth leaves of it."""
    return np.where(waves < 1.0, np.exp(v["split"] * np.log(waves)), waves + v["wave"] * (np.ceil(waves) - waves))


def moe_features(s: Shape) -> tuple[FloatArray, ...]:
    """Return log2 of tokens, hidden and inner width, local experts, experts per token, rows per active expert."""
    return (
        np.asarray(np.log2(s["tokens"]) / 8.0 - 1.0),
        np.asarray(np.log2(s["hidden"]) - 11.5),
        np.asarray(np.log2(s["inner"]) / 3.5 - 2.6),
        np.asarray(np.log2(s["local"]) / 4.5 - 1.0),
        np.asarray(np.log2(s["top"]) / 2.2 - 1.0),
        np.asarray(np.log2(np.maximum(s["rows"] / s["active"], 0.25)) / 7.0 - 1.0),
    )


MOE = Family(
    name="moe",
    factors=(
        "compute_frac", "memory_frac", "launch_s", "tile", "wave", "split", "ruled", "overlap",
        "expert_s", "rows_moved", "slots_moved",
        "copies", "residency", "sort_s",
    ),
    terms=moe_terms,
    features=moe_features,
    degree=3,
    traffic_bound=MEMORY,
)  # fmt: skip


def moe_gemm(
    device: Accelerator,
    tokens: ArrayLike,
    hidden: ArrayLike,
    inner: ArrayLike,
    experts: ArrayLike,
    experts_per_token: ArrayLike,
    *,
    expert_parallel: ArrayLike = 1,
    tensor_parallel: ArrayLike = 1,
    precision: str = "bf16",
    gated: bool = True,
    imbalance: ArrayLike = 1.0,
    active: ArrayLike | None = None,
    repeated: bool = False,
    factors: Factors | None = None,
) -> OpTime:
    """Return the time of one rank's share of a layer of routed experts, its sorting and summing included.

    Parameters
    ----------
    device : Accelerator
        Where it runs.
    tokens : array_like
        Tokens of the whole expert-parallel group, before each goes to its experts, >= 1.
    hidden, inner : array_like
        Model width and width of one expert.
    experts, experts_per_token : array_like
        Routed experts of the layer, and how many of them a token visits.
    expert_parallel, tensor_parallel : array_like
        Ranks over which experts, and each expert's width, are split, >= 1.
    precision : str
        As for `gemm`.
    gated : bool
        Three matrices (gate, up, down) rather than two.
    imbalance : array_like
        Rows of the rank considered over the mean of all ranks, >= 1: the slowest rank's for a synchronous step.
    active : array_like, optional
        Experts of this rank that receive a token; the expectation under uniform routing by default.
    repeated, factors
        As for `gemm`.

    Returns
    -------
    OpTime
        Time [s] and bound.

    Raises
    ------
    InputError
        For shapes below 1, more experts per token than experts, or a precision the device lacks.

    Notes
    -----
    See `moe_terms`. Leaves out the router, shared experts (a `gemm`) and the exchange (see `moe_dispatch`).
    """
    factors = factors or default_factors()
    given = checked(
        tokens=tokens, hidden=hidden, inner=inner, experts=experts, top=experts_per_token, ep=expert_parallel,
        tp=tensor_parallel, imbalance=imbalance,
    )  # fmt: skip
    if np.any(given["top"] > given["experts"]):
        message = (
            f"experts_per_token = {np.max(given['top']):g}: must not exceed experts = {np.min(given['experts']):g}"
        )
        raise InputError(message)
    name, kind = precision_of(device, precision)
    given["matrices"] = np.asarray(3.0 if gated else 2.0)
    rates = matrix_rates(device, kind, repeated=repeated)
    kernel = factors.kernel(MOE, device, name, "" if gated else "nongated")
    scale = factors.scale.get("moe", 1.0)
    if active is None:
        return padded(MOE, kernel, given, rates, scale, Ladder("tokens"), derived=_rank_shape)
    given |= checked(0.0, active=active)
    return evaluate(MOE, kernel, _rank_shape(given), rates, scale)


def _rank_shape(given: Shape) -> Shape:
    """Return one rank's share of a layer; experts that receive a token by uniform routing unless they are given."""
    tokens, experts, top = given["tokens"], given["experts"], given["top"]
    local = np.maximum(experts / given["ep"], 1.0)
    active = given["active"] if "active" in given else active_experts(tokens, experts, top) * local / experts
    return {
        "tokens": tokens, "hidden": given["hidden"], "inner": given["inner"] / given["tp"], "top": top,
        "rows": tokens * top * local / experts * given["imbalance"], "active": np.clip(active, 1e-3, local),
        "local": local, "matrices": given["matrices"], "uneven": np.ones(()),
    }  # fmt: skip
