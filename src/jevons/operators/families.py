"""How a family of kernels turns a shape into a time: physics with named factors, then a small smooth residual surface.

Every family states its terms (launch, compute, memory or link, and what runs one after the other) as a function of the
shape, the device's datasheet rates and a handful of named factors. `evaluate` joins the terms, and multiplies by
``exp(surface)`` where the kernel has measurements of its own.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from jevons.hardware.types import Accelerator
from jevons.operators.types import (
    COMPUTE,
    LAUNCH,
    UNKNOWN,
    BoundArray,
    Errors,
    FloatArray,
    OpTime,
    Precision,
    Shape,
    Terms,
)

_CHUNK = 16384  # elements per pass, so that temporaries stay in the processor's cache
_FEW = 256
_CORES_UNPUBLISHED = 128.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Datasheet rates that a family's terms divide by.

    Parameters
    ----------
    peak_flop_per_s, peak16_flop_per_s : float
        Peak in the kernel's precision, and in 16 bits.
    bytes_per_s : float
        Peak of the memory, or of the link in one direction.
    cores, cache_bytes : float
        Units over which tiles are scheduled; last-level cache.
    weight_bytes, activation_bytes : float
        Storage per element; the cache's bytes per element for attention.
    tile_rows : float
        Least rows of a product that are multiplied at once.
    far_bytes_per_s : float
        For collectives: the fabric beyond the domain.
    """

    bytes_per_s: float
    peak_flop_per_s: float = 1.0
    peak16_flop_per_s: float = 1.0
    cores: float = _CORES_UNPUBLISHED
    cache_bytes: float = 0.0
    weight_bytes: float = 2.0
    activation_bytes: float = 2.0
    tile_rows: float = 64.0
    far_bytes_per_s: float = 1.0
    repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A family of kernels.

    Parameters
    ----------
    name : str
        Prefix of its facts, ``operators.<name>.<factor>``.
    factors : tuple of str
        Names of the factors that `terms` reads.
    terms : callable
        ``(shape, rates, values) -> Terms``.
    features : callable
        ``shape -> tuple of ndarray``: logarithmic coordinates in which residuals are smooth, scaled to about [-1, 1].
    degree : int
        Highest total degree of the residual surface; products join at most two features.
    traffic_bound : int8
        Which bound the traffic term stands for (memory or link).
    """

    name: str
    factors: tuple[str, ...]
    terms: Callable[[Shape, Rates, Mapping[str, float]], Terms]
    features: Callable[[Shape], tuple[FloatArray, ...]]
    degree: int
    traffic_bound: np.int8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kernel:
    """The factors of one kernel on one device; equal to itself alone.

    Parameters
    ----------
    values : mapping
        Factor name to value.
    surface : ndarray or None
        Coefficients of the residual surface; None for physics alone.
    low, high : ndarray or None
        Range of each feature in the rows fitted; the surface is held constant beyond it.
    least, most : float
        Range of the surface over the rows fitted; it is held to that where none was measured, such as small messages
        between many nodes, on which a polynomial says nothing.
    error : Errors
        Error that eight of ten held-out rows stayed below.
    outside : Errors
        The same outside the range of the rows fitted.
    origin : str
        Device and engines whose rows it was fitted to.
    distance : str
        How far these are from what was asked: ``own``, ``device``, ``kin`` or ``far``.
    """

    values: Mapping[str, float]
    surface: FloatArray | None = None
    low: FloatArray | None = None
    high: FloatArray | None = None
    least: float = -math.inf
    most: float = math.inf
    error: Errors = UNKNOWN
    outside: Errors = UNKNOWN
    origin: str = ""
    distance: str = "far"


def cores_of(cores: int) -> float:
    """Return the core count, or a typical one where none is published."""
    return float(cores) if cores > 0 else _CORES_UNPUBLISHED


def matrix_rates(
    device: Accelerator, kind: Precision, *, stored_bytes: float | None = None, repeated: bool = False
) -> Rates:
    """Return a device's rates for matrix products in a precision, with the storage of the weights or the cache.

    Parameters
    ----------
    device : Accelerator
        Where the product runs.
    kind : Precision
        What is multiplied, and how the operands are stored.
    stored_bytes : float, optional
        Bytes per element of the weights (of the cache for attention) where they differ from *kind*'s.
    repeated : bool
        Whether a measuring loop repeats the call, so that operands may stay in the last-level cache.
    """
    return Rates(
        bytes_per_s=device.hbm_bytes_per_s,
        peak_flop_per_s=device.peak_flop_per_s[kind.peak],
        peak16_flop_per_s=device.peak_flop_per_s["bf16"],
        cores=cores_of(device.cores),
        cache_bytes=device.l2_bytes,
        weight_bytes=kind.weight_bytes if stored_bytes is None else stored_bytes,
        activation_bytes=kind.activation_bytes,
        tile_rows=kind.tile_rows,
        repeated=repeated,
    )


def smooth_max(a: FloatArray, b: FloatArray, power: float) -> FloatArray:
    """Return ``(a^p + b^p)^(1/p)``: the larger of two times, with partial overlap near the crossing."""
    top = np.maximum(a, b)
    ratio = np.minimum(a, b) / np.maximum(top, 1e-30)
    return top * (1.0 + ratio**power) ** (1.0 / power)


def residency_gain(work_bytes: FloatArray, rates: Rates, copies: float, gain: float) -> FloatArray | float:
    """Return how much faster operands stream that stay in the last-level cache between repeated calls.

    Notes
    -----
    Only a measuring loop sees this; in deployment other layers' weights pass through the cache between two calls.
    ``1 + gain / (1 + (copies * work / cache)^4)``, with *copies* operand sets that the loop cycles through.
    """
    if not rates.repeated or rates.cache_bytes <= 0.0:
        return 1.0
    ratio = work_bytes * copies / rates.cache_bytes
    square = ratio * ratio
    return 1.0 + gain / (1.0 + square * square)


@functools.cache
def surface_terms(features: int, degree: int) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Return the products of the surface: each a tuple of (feature, Chebyshev degree), at most three features each."""
    terms: list[tuple[tuple[int, int], ...]] = [()]
    for i in range(features):
        terms.extend(((i, k),) for k in range(1, degree + 1))
    for i in range(features):
        for j in range(i):
            terms.extend(((i, a), (j, b)) for a in range(1, degree) for b in range(1, degree - a + 1))
            terms.extend(((i, 1), (j, 1), (k, 1)) for k in range(j))
    return tuple(terms)


def chebyshev(columns: tuple[FloatArray, ...], degree: int) -> list[list[FloatArray]]:
    """Return Chebyshev polynomials of each column, indexed by feature and degree."""
    table = []
    for z in columns:
        row = [np.ones_like(z), z]
        for _ in range(2, degree + 1):
            row.append(2.0 * z * row[-1] - row[-2])
        table.append(row)
    return table


@functools.cache
def _surface_index(features: int, degree: int) -> npt.NDArray[np.intp]:
    """Return for each product its three rows in a stack of all features' polynomials; row 0 holds ones."""
    rows = [
        [feature * (degree + 1) + power for feature, power in term] + [0] * (3 - len(term))
        for term in surface_terms(features, degree)
    ]
    return np.array(rows, dtype=np.intp).T


def joint_shape(values: Iterable[FloatArray]) -> tuple[int, ...]:
    """Return the shape of arrays that are broadcast together."""
    shapes = {value.shape for value in values} - {()}
    if len(shapes) < 2:  # quicker than numpy's own, which is asked some ten thousand times a search
        return shapes.pop() if shapes else ()
    return np.broadcast_shapes(*shapes)


def _spread(values: npt.NDArray[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    return values if values.shape == shape else np.broadcast_to(values, shape)


def surface(columns: tuple[FloatArray, ...], degree: int, coefficients: FloatArray) -> FloatArray:
    """Return the residual surface: the logarithm of measured over physical time."""
    shape = joint_shape(columns)
    if math.prod(shape) <= _FEW:  # few points: gathering all products at once is quicker than a loop over them
        powers = np.ones((len(columns), degree + 1, *shape))
        for row, z in zip(powers, columns, strict=True):
            row[1] = z
        for k in range(2, degree + 1):
            powers[:, k] = 2.0 * powers[:, 1] * powers[:, k - 1] - powers[:, k - 2]
        stack = powers.reshape(len(columns) * (degree + 1), -1)
        first, second, third = _surface_index(len(columns), degree)
        products = stack.take(first, axis=0)
        products *= stack.take(second, axis=0)
        products *= stack.take(third, axis=0)
        return np.asarray(np.dot(coefficients.reshape(1, -1), products).reshape(shape))
    table = chebyshev(columns, degree)
    total = np.zeros(shape)
    for weight, term in zip(coefficients, surface_terms(len(columns), degree), strict=True):
        if weight != 0.0:
            product: FloatArray | float = float(weight)
            for feature, power in term:
                product = product * table[feature][power]
            total += product
    return total


def join(terms: Terms, host_s: float = 0.0) -> FloatArray:
    """Return the time of joined terms; an eager host that needs *host_s* per call hides shorter kernels."""
    time = terms.launch_s + smooth_max(terms.compute_s, terms.traffic_s, terms.power) + terms.serial_s
    return smooth_max(time, np.full_like(time, host_s), 8.0) if host_s > 0.0 else time


def evaluate(family: Family, kernel: Kernel, shape: Shape, rates: Rates, scale: float = 1.0) -> OpTime:
    """Return the time of a family's kernel for arrays of shapes; large arrays are taken in pieces."""
    shape_out = joint_shape(shape.values())
    size = math.prod(shape_out)
    terms: Terms | None = None
    if size <= _CHUNK:
        time, bound, outside, start, residual, terms = _evaluate(family, kernel, shape, rates)
    else:
        flat = {name: np.broadcast_to(value, shape_out).reshape(-1) for name, value in shape.items()}
        time, bound, outside = np.empty(size), np.empty(size, np.int8), np.empty(size, np.bool_)
        start, residual = np.empty(size), 1.0
        for first in range(0, size, _CHUNK):
            part = slice(first, first + _CHUNK)
            piece = {name: value[part] for name, value in flat.items()}
            time[part], bound[part], outside[part], start[part], _, _ = _evaluate(family, kernel, piece, rates)
    if scale != 1.0:
        time, start, residual = time * scale, start * scale, residual * scale
    return OpTime(
        time_s=time.reshape(shape_out),
        bound=bound.reshape(shape_out),
        error=kernel.error,
        outside=kernel.outside,
        extrapolated=outside.reshape(shape_out),
        start_s=start.reshape(shape_out),
        terms=terms,
        residual=residual,
        origin=kernel.origin,
    )


class _Evaluated(NamedTuple):
    time_s: FloatArray
    bound: BoundArray
    outside: npt.NDArray[np.bool_]
    start_s: FloatArray
    residual: FloatArray | float
    terms: Terms


def _evaluate(family: Family, kernel: Kernel, shape: Shape, rates: Rates) -> _Evaluated:
    terms = family.terms(shape, rates, kernel.values)
    time = join(terms, kernel.values.get("host_s", 0.0) if rates.repeated else 0.0)
    bound = np.where(terms.traffic_s > terms.compute_s, family.traffic_bound, COMPUTE)
    longer_s = np.maximum(terms.compute_s, terms.traffic_s)
    bound = np.where(longer_s + terms.serial_s < 0.5 * time, LAUNCH, bound)
    time = np.atleast_1d(time)
    start = np.atleast_1d(np.asarray(terms.launch_s, dtype=np.float64))
    outside = np.zeros(time.shape, np.bool_)
    residual: FloatArray | float = 1.0
    if kernel.low is not None and kernel.high is not None:
        ranges = list(zip(family.features(shape), kernel.low.tolist(), kernel.high.tolist(), strict=True))
        for z, low, high in ranges:
            outside |= (z < low - 0.02) | (z > high + 0.02)
        if kernel.surface is not None:
            inside = tuple(np.minimum(np.maximum(z, low), high) for z, low, high in ranges)
            level = surface(inside, family.degree, kernel.surface)
            residual = np.exp(np.minimum(np.maximum(level, kernel.least), kernel.most))
            time, start = time * residual, start * residual
    return _Evaluated(
        time, _spread(bound, time.shape), _spread(outside, time.shape), _spread(start, time.shape), residual, terms
    )
