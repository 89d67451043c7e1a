"""Operators: the time of one matrix product, attention, layer of experts or collective, and what bounds it.

These functions answer one question in plain numbers; `jevons.operators.kernels` has the same on arrays and devices.
"""

import sys
from typing import Any

import jevons
from jevons.operators.ask import (
    all_gather,
    all_reduce,
    all_to_all,
    attention,
    gemm,
    mla,
    moe,
    point_to_point,
    reduce_scatter,
)

allreduce = all_reduce
alltoall = all_to_all

__all__ = [
    "all_gather",
    "all_reduce",
    "all_to_all",
    "allreduce",
    "alltoall",
    "attention",
    "gemm",
    "mla",
    "moe",
    "point_to_point",
    "reduce_scatter",
]

sys.modules[__name__].__class__ = jevons.Part


def __getattr__(name: str) -> Any:
    """Answer a name that is not here with one that is."""
    raise jevons.unknown(__name__, name, __all__)


def __dir__() -> Any:
    """Return the public names."""
    return __all__
