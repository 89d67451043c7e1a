"""What the kernels work on: requests, slots, step times, and one replica's scalars."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jevons.serving.kernel_parts import part

IntArray = NDArray[np.int64]

_INSIDE = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""Of functions that kernels alone call: a way in from Python takes as long to compile as the function. Without one, to
call it from Python ends the process; its *py_func* may be called where it calls no other."""

inline = part(forceinline=True, _nrt=False, **_INSIDE)
"""Counting references to a dozen arrays at each call made the kernels six times slower: these go without."""

rare = part(_nrt=False, **_INSIDE)
"""For those that few steps need: called, which takes a microsecond, so that the steps compile faster. Numba compiles
anew for arguments that are literal numbers, so these are called with none."""

allocating = part(forceinline=True, **_INSIDE)
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


# Rows of `Work`: what a request is and what becomes of it.
ISL, OSL, STEPS, MADE, ADMITTED, FIRST_TOKEN, FINISH, PREEMPTED = 0, 1, 2, 3, 4, 5, 6, 7
FOLLOWING, CLASS_OF, CACHE_AT = 8, 9, 10
WORK_ROWS = 11

# Rows of `Slots`: a request in work, its cache, and its links in order of admission; lists of slots.
REQUEST, WANT, FILL, START, BEFORE, AFTER, SHARED, FREE, JOINING = 0, 1, 2, 3, 4, 5, 6, 7, 8
SLOT_ROWS = 9


class Table(NamedTuple):
    """Arrays of a `StepTable`: *pieces* stacks base and slope, *by_tokens* alone, own and cached.

    Every argument costs compilation a share of a second in each kernel that it passes through; hence the stacks, here
    and below.
    """

    knots: IntArray
    pieces: IntArray
    by_tokens: IntArray
    rows: IntArray
    mixed: IntArray


class Work(NamedTuple):
    """Requests and what becomes of them, a row for each of their quantities.

    MADE counts the prompt's token and decode steps, of STEPS in all; where nothing is speculated these are the output
    tokens. FOLLOWING links the waiting ones of a class. CACHE_AT says where else than here a cache is. The hashes of a
    request's prompt blocks stand from its *hash_start* up to the next one's.
    """

    rows: IntArray
    hashes: IntArray
    hash_start: IntArray


class Slots(NamedTuple):
    """Requests in work on one replica: *rows* by slot, linked in order of admission, and a *heap* by last step.

    The prefix cache by hash: holders (or where else a block is), and *links*, older and newer, of those without, from
    the least recently used. *ends* are the first and last of the queue of each class; *gaps* counts tokens by the time
    of their step.
    """

    rows: IntArray
    heap: IntArray
    phases: IntArray
    ends: IntArray
    gaps: IntArray
    holders: IntArray
    links: IntArray


@rare
def clear(slots: Slots, limits: IntArray) -> None:
    """Empty slots and caches."""
    for slot in range(limits[MAX_BATCH] + 1):
        slots.rows[FREE, slot] = limits[MAX_BATCH] - slot
        slots.rows[SHARED, slot] = 0
    for phase in range(limits[PERIOD]):
        slots.phases[phase] = 0
    for rank in range(limits[CLASSES]):
        slots.ends[0, rank] = slots.ends[1, rank] = -1
    for key in range(limits[KEYS]):
        slots.holders[key] = ABSENT
    for key in range(limits[KEYS] + 2):
        slots.links[0, key] = slots.links[1, key] = key


@allocating
def slots_of(limits: IntArray, gaps: IntArray) -> Slots:
    """Return empty slots and an empty prefix cache; the last two of its links are the heads of device and host."""
    size, keys = limits[MAX_BATCH] + 1, limits[KEYS]
    rows, heap = np.zeros((SLOT_ROWS, size), np.int64), np.zeros(size, np.int64)
    ends = np.zeros((2, limits[CLASSES]), np.int64)
    holders, links = np.zeros(keys, np.int64), np.zeros((2, keys + 2), np.int64)
    slots = Slots(rows, heap, np.zeros(limits[PERIOD], np.int64), ends, gaps, holders, links)
    clear(slots, limits)
    return slots


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
