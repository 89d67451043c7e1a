"""Which workers of separate pools the requests of a load go to."""

from __future__ import annotations

import math

import numpy as np

from jevons.serving.closed_loop._kernels import IntArray

_LEAST_ROUTED = 400  # requests


def starts(frontends: int, workers: tuple[int, int], requests: int) -> int:
    """Return over how many draws of the front ends' first workers a run is averaged: its few requests tell little."""
    return 1 if frontends == 1 or max(workers) == 1 else max(1, math.ceil(_LEAST_ROUTED / requests))


def routed(frontends: int, workers: tuple[int, int], requests: int, start: int) -> IntArray:
    """Return the prefill and the decode worker of each request, shape (2, requests).

    A front end sends requests to the workers in turn. Several front ends get requests in turn, begin with a worker each
    by chance, and do not know what the others send: more may come to a worker than it has seats for while another is
    idle.

    Parameters
    ----------
    frontends : int
        Front ends behind one address, >= 1.
    workers : tuple of int
        Prefill and decode workers, >= 1 each.
    requests : int
        How many there are.
    start : int
        Tells draws of the front ends' first workers apart, >= 0.
    """
    each = np.array(workers)[:, None]
    turn, front = np.divmod(np.arange(requests), frontends)
    rng = np.random.default_rng((20240229, start))
    first = rng.integers(0, each, (2, frontends)) if frontends > 1 else np.zeros((2, 1), np.int64)
    of_request: IntArray = (turn + first[:, front]) % each
    return of_request
