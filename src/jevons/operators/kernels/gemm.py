"""Matrix products and memory-bound chains."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from jevons.hardware.types import Accelerator
from jevons.operators.factors import Factors, default_factors
from jevons.operators.families import Family, Kernel, Rates, evaluate, matrix_rates, residency_gain
from jevons.operators.padding import Ladder, padded
from jevons.operators.types import MEMORY, ArrayLike, FloatArray, OpTime, Shape, Terms, checked, precision_of

# Output tiles that libraries choose from; the fastest for the shape is taken, as their heuristics do.
_TILES = ((16, 64), (16, 128), (32, 64), (32, 128), (64, 64), (64, 128), (128, 128), (128, 256), (256, 128))
_BEST_TILE = 1.0 / 128 + 1.0 / 256
_NARROW_FRAC = 0.75


def unpacked(r: Rates) -> bool:
    """Return whether weights are stored narrower than they are multiplied, more than by the scales of blocks."""
    return r.weight_bytes < _NARROW_FRAC * r.activation_bytes


def gemm_terms(s: Shape, r: Rates, v: Mapping[str, float]) -> Terms:
    """Return the terms of ``C[m, n] = A[m, k] B[k, n]``.

    Notes
    -----
    Compute: for the best of a few tiles, the time of one wave of tiles on all cores times the waves. Below one wave
    split-k lowers the time as ``waves^split``; above it, a share ``wave`` of the last, partly filled wave is lost. A
    tile's efficiency falls with its surface over its volume (``tile``), and ``depth`` iterations start and drain the
    inner loop. Weights that are stored narrower than they are multiplied cost ``unpack_s`` each, in every tile that
    they belong to: arithmetic of the core, whatever its matrix units do. Memory: weights, activations and outputs once
    each. Activations of 8 bits and less are quantised before the product: ``quant`` passes over A.
    """
    m, n, k, count = s["m"], s["n"], s["k"], s["count"]
    rate = r.peak_flop_per_s * v["compute_frac"]
    unpack_s = v["unpack_s"] if unpacked(r) else 0.0
    best: FloatArray | None = None
    for tile_m, tile_n in _TILES:
        if tile_m < r.tile_rows:
            continue
        waves = np.ceil(m / tile_m) * np.ceil(n / tile_n) * (count / r.cores)
        share = 1.0 + v["tile"] * 64.0 * (1.0 / tile_m + 1.0 / tile_n - _BEST_TILE)
        filled = np.where(waves < 1.0, np.exp(v["split"] * np.log(waves)), waves + v["wave"] * (np.ceil(waves) - waves))
        time = filled * (2.0 * tile_m * tile_n * r.cores * share / rate + tile_n * unpack_s)
        best = time if best is None else np.minimum(best, time)
    assert best is not None  # noqa: S101 - there is always a tile
    best = best * (k + v["depth"])
    work = count * (r.weight_bytes * n * k + r.activation_bytes * m * k + s["out_bytes"] * m * n)
    stream = r.bytes_per_s * v["memory_frac"] * residency_gain(work, r, v["copies"], v["residency"])
    quantise = v["quant"] * count * m * k * 3.0 / r.bytes_per_s if r.activation_bytes < 2.0 else 0.0
    return Terms(v["launch_s"], best, work / stream, quantise, v["overlap"])


def gemm_features(s: Shape) -> tuple[FloatArray, ...]:
    """Return log2 of m, n and k, each scaled to about [-1, 1] over 1..32768 and 128..65536."""
    m, n, k = (np.log2(s[name]) for name in "mnk")
    return (np.asarray(m / 7.5 - 1.0), np.asarray((n - 11.5) / 4.5), np.asarray((k - 11.5) / 4.5))


GEMM = Family(
    name="gemm",
    factors=(
        "compute_frac", "memory_frac", "launch_s", "split", "wave", "tile", "overlap", "copies", "residency", "depth",
        "quant", "unpack_s", "host_s",
    ),
    terms=gemm_terms,
    features=gemm_features,
    degree=4,
    traffic_bound=MEMORY,
)  # fmt: skip


def gemm(
    device: Accelerator,
    m: ArrayLike,
    n: ArrayLike,
    k: ArrayLike,
    precision: str = "bf16",
    *,
    weight_precision: str | None = None,
    out_bytes: float = 2.0,
    count: ArrayLike = 1,
    fused_quantisation: bool = False,
    repeated: bool = False,
    factors: Factors | None = None,
) -> OpTime:
    """Return the time of ``C[m, n] = A[m, k] B[k, n]``, B being the weights.

    Parameters
    ----------
    device : Accelerator
        Where it runs.
    m, n, k : array_like
        Rows (tokens), output width, inner width; >= 1, broadcast against each other.
    precision : str
        One of `PRECISIONS` or an alias: bf16, fp16, fp8 (per tensor), fp8_block, fp4 (nvfp4), int8; weight-only int4,
        int8_wo, mxfp4; w4a8 (mxfp4 weights, 8-bit activations).
    weight_precision : str, optional
        Storage of B where it differs from the precision of the product.
    out_bytes : float
        Bytes per output element.
    count : array_like
        Products of that shape in one launch (batched), >= 1.
    fused_quantisation : bool
        Activations of fp8 per tensor come quantised out of the kernel before, as engines do with static scales; lone
        products quantise them in kernels of their own.
    repeated : bool
        Predict what a loop that repeats one call measures: operands may stay in the last-level cache, and an eager
        engine's host time is part of it.
    factors : Factors, optional
        Kernels' efficiency; the shipped ones for a generic engine by default.

    Returns
    -------
    OpTime
        Time [s] and bound (compute, memory or launch), of the arguments' broadcast shape.

    Raises
    ------
    InputError
        For a shape below 1 or not finite, or a precision the device lacks.

    Notes
    -----
    See `gemm_terms` for the formula. Leaves out: clock throttling beyond what the residual surface holds, and
    alignment penalties of n and k that are not multiples of 128 bytes.

    Examples
    --------
    >>> from jevons.hardware import accelerator
    >>> t = gemm(accelerator("h200"), [1, 4096], 8192, 8192)
    >>> t.bound_names().tolist()
    ['memory', 'compute']
    """
    factors = factors or default_factors()
    shape = checked(m=m, n=n, k=k, count=count)
    shape["out_bytes"] = np.asarray(float(out_bytes))
    name, kind = precision_of(device, precision)
    stored = precision_of(device, weight_precision)[1] if weight_precision else kind
    rates = matrix_rates(device, kind, stored_bytes=stored.weight_bytes, repeated=repeated)
    kernel = factors.kernel(GEMM, device, name)
    if fused_quantisation and name == "fp8":
        kernel = _fused(kernel, factors.kernel(GEMM, device, "bf16"))
    return padded(
        GEMM, kernel, shape, rates, factors.scale.get("gemm", 1.0), Ladder("m"), beside=(("n", 2.0), ("k", 4.0))
    )


@functools.lru_cache(maxsize=256)
def _fused(kernel: Kernel, plain: Kernel) -> Kernel:
    """Return a kernel whose activations come quantised, started as a plain product is."""
    launch_s = min(kernel.values["launch_s"], plain.values["launch_s"])
    return replace(kernel, values={**kernel.values, "launch_s": launch_s, "quant": 0.0})


def chain_terms(s: Shape, r: Rates, v: Mapping[str, float]) -> Terms:
    """Return the terms of a chain of kernels that only move memory."""
    work = s["read_bytes"] + s["write_bytes"]
    stream = work / (r.bytes_per_s * v["memory_frac"] * residency_gain(work, r, v["copies"], v["residency"]))
    return Terms(v["launch_s"] * s["launches"], np.zeros_like(stream), stream, 0.0, 4.0)


def chain_features(s: Shape) -> tuple[FloatArray, ...]:
    """Return log2 of the bytes moved, scaled to about [-1, 1] over 4 KiB to 4 GiB."""
    return (np.asarray(np.log2(np.maximum(s["read_bytes"] + s["write_bytes"], 1.0)) / 10.0 - 2.2),)


ELEMENTWISE = Family(
    name="elementwise",
    factors=("memory_frac", "launch_s", "copies", "residency"),
    terms=chain_terms,
    features=chain_features,
    degree=3,
    traffic_bound=MEMORY,
)


def elementwise(
    device: Accelerator,
    read_bytes: ArrayLike,
    write_bytes: ArrayLike,
    *,
    launches: ArrayLike = 1,
    repeated: bool = False,
    kind: str = "add",
    factors: Factors | None = None,
) -> OpTime:
    """Return the time of norms, rotary embeddings, activations, residual additions, sampling: memory-bound chains.

    Parameters
    ----------
    device : Accelerator
        Where it runs.
    read_bytes, write_bytes : array_like
        Bytes read and written by the whole chain, >= 0.
    launches : array_like
        Kernels in the chain, >= 1; each costs a launch.
    repeated : bool
        As for `gemm`.
    kind : str
        Whose efficiency: ``add`` (plain streaming, as fused kernels do now), or ``norm``, ``rope``, ``activation``,
        ``embedding`` as engines of 2023 ran them.
    factors : Factors, optional
        As for `gemm`.

    Raises
    ------
    InputError
        For bytes that are negative or not finite, or fewer than one launch.
    """
    factors = factors or default_factors()
    shape = checked(0.0, read_bytes=read_bytes, write_bytes=write_bytes) | checked(launches=launches)
    rates = Rates(bytes_per_s=device.hbm_bytes_per_s, cache_bytes=device.l2_bytes, repeated=repeated)
    kernel = factors.kernel(ELEMENTWISE, device, "bf16", kind)
    return evaluate(ELEMENTWISE, kernel, shape, rates, factors.scale.get("elementwise", 1.0))
