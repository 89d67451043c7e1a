"""A larger operator is never quicker: what is padded to it takes no longer, whatever a fitted surface says between."""

from __future__ import annotations

import functools
import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jevons.operators.families import Family, Kernel, Rates, evaluate
from jevons.operators.types import FloatArray, OpTime, Shape

_STEPS, _OCTAVES = 4, 17
"""Of the ladder along which times rise: steps to a doubling, and doublings from one on."""

_BESIDE = 20
"""Doublings from one on up to which the other dimensions are tried as well: one end for all sizes, so that what holds a
larger shape holds each smaller one."""

_MOST_KEPT = 20_000
"""Ladders that are kept of one kernel."""


IndexArray = npt.NDArray[np.intp]
Beside = tuple[tuple[str, float], ...]
"""Dimensions that are padded too, each with the factor between the larger sizes that are tried."""


def padded(
    family: Family, kernel: Kernel, shape: Shape, rates: Rates, scale: float, along: str, beside: Beside = ()
) -> OpTime:
    """Return the time of a family's kernel, no longer than that of shapes that are larger *along* and *beside*.

    Notes
    -----
    A kernel may be run on a shape padded to a larger one. Where the residual surface falls as a dimension grows, the
    times before the fall are too long. The least time of all shapes at least as large rises with each dimension: on a
    ladder of sizes, between whose neighbouring steps a time is held.
    """
    answer = evaluate(family, kernel, shape, rates, scale)
    time_s = answer.time_s
    others = {name: value for name, value in shape.items() if name != along}
    kinds, which = _kinds(tuple(others.values()), time_s.shape)
    ladders = _ladders(_Padding(family, kernel, rates, scale, along, beside, tuple(others)), kinds)
    step = np.minimum(np.log2(shape[along]) * _STEPS, _STEPS * _OCTAVES + 0.5)
    below, above = np.floor(step).astype(np.intp), np.ceil(step).astype(np.intp)
    held = np.clip(time_s, ladders[which, below], ladders[which, above])
    factor = held / time_s
    return replace(answer, time_s=held, start_s=answer.start_s * factor, residual=answer.residual * factor)


def _kinds(values: tuple[FloatArray, ...], shape: tuple[int, ...]) -> tuple[list[tuple[float, ...]], IndexArray]:
    """Return the sets of values that occur together, and which of them each element has."""
    if all(value.size == 1 for value in values):
        return [tuple(value.item() for value in values)], np.zeros((), np.intp)
    within = np.broadcast_shapes(*(value.shape for value in values))
    columns = zip(*(np.broadcast_to(value, within).ravel().tolist() for value in values), strict=True)
    numbers: dict[tuple[float, ...], int] = {}
    which = [numbers.setdefault(kind, len(numbers)) for kind in columns]
    return list(numbers), np.broadcast_to(np.array(which, dtype=np.intp).reshape(within), shape)


class _Padding(NamedTuple):
    family: Family
    kernel: Kernel
    rates: Rates
    scale: float
    along: str
    beside: Beside
    others: tuple[str, ...]


def _ladders(of: _Padding, kinds: list[tuple[float, ...]]) -> FloatArray:
    """Return the ladder of each kind of shape, each worked out once."""
    known = _known(of)
    new = [kind for kind in kinds if kind not in known]
    if new:
        if len(known) > _MOST_KEPT:
            known.clear()
            new = kinds
        known.update(zip(new, _least(of, np.array(new)), strict=True))
    return np.array([known[kind] for kind in kinds])


@functools.lru_cache(maxsize=512)
def _known(_of: _Padding) -> dict[tuple[float, ...], FloatArray]:
    return {}


def _least(of: _Padding, kinds: FloatArray) -> FloatArray:
    """Return for each step of a ladder of sizes the least time of all shapes at least as large; infinity beyond it."""
    sizes = 2.0 ** (np.arange(_STEPS * _OCTAVES + 1) / _STEPS)
    axes = 1 + len(of.beside)
    shape: dict[str, FloatArray] = {
        name: column.reshape(-1, *(1,) * axes) for name, column in zip(of.others, kinds.T, strict=True)
    } | {of.along: sizes.reshape(-1, *(1,) * len(of.beside))}  # fmt: skip
    for place, (name, by) in enumerate(of.beside):
        column = kinds[:, of.others.index(name)]
        larger = _larger(column, by)
        shape[name] = larger.reshape(len(column), *(1,) * (1 + place), -1, *(1,) * (axes - 2 - place))
    time_s = evaluate(of.family, of.kernel, shape, of.rates, of.scale).time_s
    time_s = time_s.reshape(len(kinds), len(sizes), -1).min(axis=2)
    rising = np.minimum.accumulate(time_s[:, ::-1], axis=1)[:, ::-1]
    return np.append(rising, np.full((len(kinds), 1), math.inf), axis=1)


def _larger(sizes: FloatArray, by: float) -> FloatArray:
    """Return each size and the powers of a factor above it, up to one end for all; lower ones are the size."""
    first = np.floor(np.log(sizes) / math.log(by) + 1e-9) + 1.0
    last = round(_BESIDE / math.log2(by))
    powers = by ** np.arange(max(int(first.min()), 0), last + 1.0)
    return np.concatenate([sizes[:, None], np.maximum(powers, sizes[:, None])], axis=1)
