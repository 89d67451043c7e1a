"""What the loops take and fill: requests, times of steps, rules of the scheduler, and what clients see."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jevons.serving.kernel_parts import part
from jevons.serving.types import FloatArray

IntArray = NDArray[np.int64]
State = Any
"""A record of numpy: the scalars that a loop changes, by name."""

DONE, STUCK = 0, 1
GAP_BINS = 256

inline = part(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True, _nrt=False)
"""Of functions that loops alone call; without it, each call counts references to a dozen arrays."""


class Requests(NamedTuple):
    """Requests in order of arrival, each of shape (requests,).

    Their times of arrival [s], tokens of the prompt, those of them that the cache does not know, tokens of the answer,
    and the time that the front end spends on each [s].
    """

    arrival_s: FloatArray
    isl: FloatArray
    new_tokens: FloatArray
    osl: FloatArray
    admit_s: FloatArray


class StepTimes(NamedTuple):
    """Times of steps on grids, which are linear between the points.

    A decode step takes *base_s* and, for each token of its requests' mean context, *slope_s*, both of shape (batches,).
    A step with prompts takes *prompt_s*, shape (tokens, beside), by its prompt tokens and by what is *beside* them:
    requests that decode, or, where prompts have workers of their own, how busy the other attention ranks are (0, 1).
    """

    batches: FloatArray
    base_s: FloatArray
    slope_s: FloatArray
    tokens: FloatArray
    beside: FloatArray
    prompt_s: FloatArray


class Batching(NamedTuple):
    """How one engine composes its steps, as `serve` tells."""

    users: int
    step_tokens: float
    max_batch: int
    kv_tokens: float
    reserve_frac: float
    mixes: bool
    poll_steps: int
    wait_steps: int
    wait_tokens: float
    token_s: float
    lags: bool


class PoolRules(NamedTuple):
    """Workers that process prompts and workers that decode, and their limits, as `serve_apart` tells."""

    users: int
    prefill_workers: int
    ranks: int
    rank_tokens: float
    rank_batch: int
    rank_seats: int
    cuts: bool
    routed: IntArray
    dealt: IntArray
    decode_workers: int
    max_batch: int
    hand_over_s: float


class Seen(NamedTuple):
    """When each request's first and last token came [s], and a histogram of the gaps between tokens."""

    first_s: FloatArray
    last_s: FloatArray
    gaps: FloatArray


class Ends(NamedTuple):
    """Which requests end at a decode step: the first of each step's, and the one that follows each request."""

    heads: IntArray
    following: IntArray


def seen_by(requests: int) -> Seen:
    """Return empty arrays for what the clients of so many requests see."""
    return Seen(np.zeros(requests), np.zeros(requests), np.zeros(GAP_BINS))


def ends_of(osl: FloatArray) -> Ends:
    """Return a ring of decode steps, longer than the longest answer, at which no request ends yet."""
    return Ends(np.full(int(osl.max()) + 2, -1, np.int64), np.full(len(osl), -1, np.int64))


def state_of(kind: np.dtype[Any]) -> State:
    """Return a record of zeros."""
    return np.zeros(1, kind).view(np.recarray)[0]


@inline
def add_end(ends: Ends, request: int, step: int) -> None:
    """Note that a request ends at a decode step, counted around the ring."""
    place = step % ends.heads.shape[0]
    ends.following[request] = ends.heads[place]
    ends.heads[place] = request


@inline
def take_ends(ends: Ends, step: int) -> int:
    """Return the first request that ends at a decode step (-1 for none), and forget them."""
    place = step % ends.heads.shape[0]
    first: int = ends.heads[place]
    ends.heads[place] = -1
    return first


@inline
def steps_to_end(ends: Ends, step: int) -> int:
    """Return how many decode steps after this one the next request ends; there must be one."""
    steps = 1
    while ends.heads[(step + steps) % ends.heads.shape[0]] < 0:
        steps += 1
    return steps
