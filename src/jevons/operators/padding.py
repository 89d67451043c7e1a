"""A larger operator is never quicker: what is padded to it takes no longer, whatever a fitted surface says between."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jevons.operators.families import Family, Kernel, Rates, evaluate
from jevons.operators.types import FloatArray, OpTime, Shape


class Ladder(NamedTuple):
    """Sizes of a dimension from one on: *steps* to a doubling, *octaves* doublings."""

    name: str
    steps: int = 4
    octaves: int = 17

    def sizes(self) -> FloatArray:
        """Return the sizes on the ladder."""
        return np.asarray(2.0 ** (np.arange(self.steps * self.octaves + 1) / self.steps))


BATCHES = Ladder("b", 2, 12)
"""Batches; one that is served may be padded to a larger one."""

_BESIDE = 20
"""Doublings from one on up to which the other dimensions are tried as well: one end for all sizes, so that what holds a
larger shape holds each smaller one."""

_MOST_KEPT = 20_000
"""Ladders that are kept of one kernel."""

_AT_ONCE = 64
"""Kinds of shapes whose tables are worked out together."""


IndexArray = npt.NDArray[np.intp]
Beside = tuple[tuple[str, float], ...]
"""Dimensions that are padded too, each with the factor between the larger sizes that are tried."""


def padded(
    family: Family,
    kernel: Kernel,
    shape: Shape,
    rates: Rates,
    scale: float,
    along: Ladder,
    between: Ladder | None = None,
    beside: Beside = (),
    derived: Callable[[Shape], Shape] = dict,
) -> OpTime:
    """Return the time of a family's kernel, no longer than that of shapes that are larger *along* and *beside*.

    Notes
    -----
    A kernel may be run on a shape padded to a larger one. Where the residual surface falls as a dimension grows, the
    times before the fall are too long. The least time of all shapes at least as large rises with each dimension: on a
    ladder of sizes *along* one dimension, between whose neighbouring steps a time is held. The ends of that hold are
    interpolated on a second ladder, *between*. *derived* adds to a shape what the kernel's terms read and what rises
    with the ladders.
    """
    answer = evaluate(family, kernel, derived(shape), rates, scale)
    time_s = answer.time_s
    ladders = (along,) if between is None else (along, between)
    others = {name: value for name, value in shape.items() if name not in {on.name for on in ladders}}
    kinds, which = _kinds(tuple(others.values()), time_s.shape)
    tables = _tables(Padding(family, kernel, rates, scale, ladders, beside, tuple(others), derived), kinds)
    step = np.minimum(np.log2(shape[along.name]) * along.steps, along.steps * along.octaves + 0.5)
    ends = [cut(step).astype(np.intp) for cut in (np.floor, np.ceil)]
    if between is None:
        lower, upper = (_looked_up(tables, which, (end,)) for end in ends)
    else:
        second = shape[between.name]
        lower, upper = (_interpolated(tables, which, end, second, between) for end in ends)
        upper = np.where(second > 2.0**between.octaves, math.inf, upper)
    bounded_s = np.clip(time_s, lower, upper)
    factor = bounded_s / time_s
    return replace(answer, time_s=bounded_s, start_s=answer.start_s * factor, residual=answer.residual * factor)


def _kinds(values: tuple[FloatArray, ...], shape: tuple[int, ...]) -> tuple[list[tuple[float, ...]], IndexArray]:
    """Return the sets of values that occur together, and which of them each element has."""
    if all(value.size == 1 for value in values):
        return [tuple(value.item() for value in values)], np.zeros((), np.intp)
    within = np.broadcast_shapes(*(value.shape for value in values))
    columns = zip(*(np.broadcast_to(value, within).ravel().tolist() for value in values), strict=True)
    numbers: dict[tuple[float, ...], int] = {}
    which = [numbers.setdefault(kind, len(numbers)) for kind in columns]
    return list(numbers), np.broadcast_to(np.array(which, dtype=np.intp).reshape(within), shape)


def _looked_up(tables: list[FloatArray], which: IndexArray, at: tuple[IndexArray, ...]) -> FloatArray:
    """Return each element's entry of its own table."""
    if len(tables) == 1:
        return tables[0][at]
    columns = np.broadcast_arrays(which, *at)
    order = np.argsort(columns[0], axis=None, kind="stable")
    which, *at_sorted = (column.ravel()[order] for column in columns)
    ends = np.cumsum(np.bincount(which, minlength=len(tables)))[:-1]
    parts = zip(tables, *(np.split(column, ends) for column in at_sorted), strict=True)
    entries = np.empty(order.shape)
    entries[order] = np.concatenate([table[tuple(index)] for table, *index in parts])
    return entries.reshape(columns[0].shape)


def _interpolated(
    tables: list[FloatArray], which: IndexArray, first: IndexArray, size: FloatArray, on: Ladder
) -> FloatArray:
    """Return entries between the steps of a second ladder; beyond its end those of the end."""
    step = np.minimum(np.log2(size) * on.steps, on.steps * on.octaves)
    below, above = np.floor(step).astype(np.intp), np.ceil(step).astype(np.intp)
    low, high = (_looked_up(tables, which, (first, at)) for at in (below, above))
    return np.asarray(low ** (1.0 - (step - below)) * high ** (step - below))


class Padding(NamedTuple):
    """A kernel, the ladders along which its times rise, and the other dimensions.

    Those *beside* are padded too; *others* names all of them. What the kernel's terms read is *derived* from the whole.
    """

    family: Family
    kernel: Kernel
    rates: Rates
    scale: float
    along: tuple[Ladder, ...]
    beside: Beside
    others: tuple[str, ...]
    derived: Callable[[Shape], Shape] = dict


def _tables(of: Padding, kinds: list[tuple[float, ...]]) -> list[FloatArray]:
    """Return the table of each kind of shape, each worked out once; infinity beyond the first ladder."""
    known = _known(of)
    new = [kind for kind in kinds if kind not in known]
    ends = [(0, 0), (0, 1), *((0, 0) for _ in of.along[1:])]
    if len(known) + len(new) > _MOST_KEPT // math.prod(on.octaves for on in of.along[1:]):
        known.clear()
        new = kinds
    for first in range(0, len(new), _AT_ONCE):
        part = new[first : first + _AT_ONCE]
        known.update(zip(part, np.pad(least(of, np.array(part)), ends, constant_values=math.inf), strict=True))
    return [known[kind] for kind in kinds]


@functools.lru_cache(maxsize=512)
def _known(_of: Padding) -> dict[tuple[float, ...], FloatArray]:
    return {}


def least(of: Padding, kinds: FloatArray) -> FloatArray:
    """Return for each set of values of the other dimensions the least time of all shapes as large or larger.

    Parameters
    ----------
    of : Padding
        The kernel, the ladders and the dimensions beside them.
    kinds : ndarray
        Values of `Padding.others`, of shape (sets, dimensions).

    Returns
    -------
    ndarray
        Times [s], of shape (sets, steps of the first ladder, steps of the second ...).
    """
    axes = len(of.along) + len(of.beside)
    columns = {name: column.reshape(-1, *(1,) * axes) for name, column in zip(of.others, kinds.T, strict=True)}
    shape: dict[str, FloatArray] = dict(columns)
    for place, on in enumerate(of.along):
        shape[on.name] = on.sizes().reshape(-1, *(1,) * (axes - 1 - place))
    for place, (name, by) in enumerate(of.beside, start=len(of.along)):
        column = kinds[:, of.others.index(name)]
        shape[name] = _larger(column, by).reshape(len(column), *(1,) * place, -1, *(1,) * (axes - 1 - place))
    time_s = evaluate(of.family, of.kernel, of.derived(shape), of.rates, of.scale).time_s
    steps = (on.steps * on.octaves + 1 for on in of.along)
    time_s = time_s.reshape(len(kinds), *steps, -1).min(axis=-1)
    for axis in range(1, 1 + len(of.along)):
        time_s = np.flip(np.minimum.accumulate(np.flip(time_s, axis), axis=axis), axis)
    return time_s


def _larger(sizes: FloatArray, by: float) -> FloatArray:
    """Return each size and the powers of a factor above it, up to one end for all; lower ones are the size."""
    first = np.floor(np.log(sizes) / math.log(by) + 1e-9) + 1.0
    last = round(_BESIDE / math.log2(by))
    powers = by ** np.arange(max(int(first.min()), 0), last + 1.0)
    return np.concatenate([sizes[:, None], np.maximum(powers, sizes[:, None])], axis=1)
