"""The loops over requests that the points of load tests are taken from (numba only)."""

from jevons.serving.closed_loop._kernels.apart import serve_apart
from jevons.serving.closed_loop._kernels.arguments import (
    DONE,
    STUCK,
    Batching,
    IntArray,
    PoolRules,
    Requests,
    Seen,
    StepTimes,
    seen_by,
)
from jevons.serving.closed_loop._kernels.steps import GAP_HIGH_S, GAP_LOW_S
from jevons.serving.closed_loop._kernels.together import serve

__all__ = [
    "DONE",
    "GAP_HIGH_S",
    "GAP_LOW_S",
    "STUCK",
    "Batching",
    "IntArray",
    "PoolRules",
    "Requests",
    "Seen",
    "StepTimes",
    "seen_by",
    "serve",
    "serve_apart",
]
