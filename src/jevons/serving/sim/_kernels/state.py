"""What the kernels work on: requests, slots, step times, and one replica's scalars."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

inline = njit(error_model="numpy", forceinline=True, _nrt=False)
"""Counting references to a dozen arrays at each call made the kernels six times slower: these go without."""

rare = njit(error_model="numpy", _nrt=False)
"""For those that few steps need: called, which takes a microsecond, so that the steps compile faster."""

allocating = njit(error_model="numpy", forceinline=True)
"""For those that make arrays."""

# Scalars of one replica's state.
TIME, BATCH, CONTEXT, STEP, USED, RUNNING, WAITING = 0, 1, 2, 3, 4, 5, 6
TAIL, PARTIAL, DONE_TOKENS, HEAPED, FREE_SLOTS, OUTSTANDING, ENDED = 7, 8, 9, 10, 11, 12, 13
BUSY, EVENTS, PREEMPTIONS, PREFILLED, DECODED, CONTEXT_STEPS, PEAK = 14, 15, 16, 17, 18, 19, 20
IDLE, HIT_TOKENS, HORIZON = 21, 22, 23
HOSTED, HOST_IDLE, SWAPS, MOVED, HOST_HIT_TOKENS, MOVING = 24, 25, 26, 27, 28, 29
STATE_SIZE = 30

# Limits of one replica.
MAX_BATCH, BUDGET, BLOCK, BLOCKS, KEYS, CLASSES = 0, 1, 2, 3, 4, 5
PERIOD, UNIT, GROWTH, HOST_BLOCKS, SWAP, MOVE_TICKS, QUEUE = 6, 7, 8, 9, 10, 11, 12
LIMITS_SIZE = 13

FOREVER = 1 << 62
SLOT_BITS = 22
SLOT_MASK = (1 << SLOT_BITS) - 1
ABSENT, ON_HOST = -1, -2
GAP_SHIFT = 47
"""Bits of a double that a bin of gaps leaves out: 32 bins to a doubling, each 2 % wide."""
GAP_BINS = 2080
GAP_FIRST = 1023 << (52 - GAP_SHIFT)
_GAP_SHIFT = np.int64(GAP_SHIFT)


class Table(NamedTuple):
    """Arrays of a `StepTable`."""

    knots: IntArray
    base: IntArray
    slope: IntArray
    alone: IntArray
    rows: IntArray
    mixed: IntArray
    own: IntArray
    cached: IntArray


class Work(NamedTuple):
    """Requests and what becomes of them; *following* links the waiting ones.

    *made* counts the prompt's token and decode steps, of *steps* in all; where nothing is speculated these are the
    output tokens. *ready* ones have a cache somewhere else. The hashes of a request's prompt blocks stand from its
    *hash_start* up to the next one's.
    """

    isl: IntArray
    osl: IntArray
    steps: IntArray
    made: IntArray
    admitted: IntArray
    first: IntArray
    finish: IntArray
    preempted: IntArray
    following: IntArray
    rank: IntArray
    ready: IntArray
    hashes: IntArray
    hash_start: IntArray


class Slots(NamedTuple):
    """Requests in work on one replica, by slot, linked in order of admission and heaped by last step.

    The prefix cache by hash: holders (or where else a block is), and links of those without, from the least recently
    used. *heads* and *lasts* are the ends of the queue of each class; *gaps* counts tokens by the time of their step.
    """

    request: IntArray
    want: IntArray
    fill: IntArray
    start: IntArray
    before: IntArray
    after: IntArray
    free: IntArray
    heap: IntArray
    joining: IntArray
    phases: IntArray
    shared: IntArray
    heads: IntArray
    lasts: IntArray
    gaps: IntArray
    holders: IntArray
    older: IntArray
    newer: IntArray


@allocating
def slots_of(limits: IntArray, gaps: IntArray) -> Slots:
    """Return empty slots and an empty prefix cache; the last two of its links are the heads of device and host."""
    size, keys = limits[MAX_BATCH] + 1, limits[KEYS]
    zeros = np.zeros((8, size), np.int64)
    free = np.arange(size)[::-1].copy()
    older, newer = np.arange(keys + 2), np.arange(keys + 2)
    return Slots(
        zeros[0], zeros[1], zeros[2], zeros[3], zeros[4], zeros[5], free, zeros[6], zeros[7],
        np.zeros(limits[PERIOD], np.int64), np.zeros(size, np.int64), np.full(limits[CLASSES], -1),
        np.full(limits[CLASSES], -1), gaps, np.full(keys, ABSENT), older, newer,
    )  # fmt: skip


@allocating
def reset(state: IntArray, limits: IntArray) -> None:
    """Make a replica idle at time zero."""
    state[:] = 0
    state[TAIL] = state[PARTIAL] = -1
    state[FREE_SLOTS] = limits[MAX_BATCH] + 1
    state[HORIZON] = FOREVER


@inline
def gap_bin(ticks: int) -> int:
    """Return the bin of a step time, by the leading bits of its double."""
    place = int(np.float64(ticks).view(np.int64) >> _GAP_SHIFT) - GAP_FIRST
    return min(max(place, 0), GAP_BINS - 1)


@inline
def gap_edge(place: int) -> int:
    """Return the least ticks of a bin, or of all beyond the last."""
    if place >= GAP_BINS:
        return FOREVER
    return int(np.ceil(np.int64((place + GAP_FIRST) << _GAP_SHIFT).view(np.float64)))
