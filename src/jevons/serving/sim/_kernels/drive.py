"""Loads of each kind driven through replicas."""

from __future__ import annotations

import numpy as np

from jevons.serving.compiled import compiled
from jevons.serving.sim._kernels.engine import advance, enqueue
from jevons.serving.sim._kernels.leap import step_ticks, steps_in_cache
from jevons.serving.sim._kernels.state import (
    BATCH,
    BLOCKS,
    CONTEXT,
    ENDED,
    FINISH,
    FOREVER,
    HEAPED,
    OUTSTANDING,
    PARTIAL,
    QUEUE,
    RUNNING,
    SLOT_BITS,
    STEP,
    TIME,
    USED,
    WAITING,
    IntArray,
    Slots,
    Table,
    Work,
    allocating,
    clear,
    inline,
    rare,
    reset,
    slots_of,
)

REFUSED = -2
"""When a request ends that came when too many waited, in a load of parts."""


@rare
def bring(state: IntArray, slots: Slots, work: Work, table: Table, limits: IntArray, until: int) -> None:
    """Run steps until one starts at or after *until*: called, not compiled in place, where a driver has many calls."""
    advance(state, slots, work, table, limits, until, False)


@inline
def is_full(state: IntArray, limits: IntArray) -> bool:
    """Return whether so many requests wait that a further one is refused."""
    return bool(limits[QUEUE] > 0 and state[WAITING] >= limits[QUEUE])


@allocating
def wake_of(state: IntArray, slots: Slots, table: Table, limits: IntArray) -> int:
    """Return a time before which a replica finishes no request that it has not finished yet.

    Decode steps never get shorter as contexts grow, but they do where a preemption makes the batch smaller.
    """
    if state[RUNNING] == 0 and state[WAITING] == 0:
        return FOREVER
    if state[WAITING] > 0 or state[PARTIAL] >= 0 or state[HEAPED] == 0:
        return int(state[TIME])
    steps = int((slots.heap[0] >> SLOT_BITS) - state[STEP])
    steps = steps_in_cache(slots, limits, state[BATCH], state[STEP], limits[BLOCKS] - state[USED], steps)
    return int(state[TIME] + steps * step_ticks(table, limits, state[BATCH], state[CONTEXT]))


@rare
def serve_alone(
    arrival: IntArray, state: IntArray, slots: Slots, work: Work, table: Table, limits: IntArray, ids: IntArray,
    chosen: IntArray,
) -> None:  # fmt: skip
    """Serve the requests *ids*, as they come, on the only replica, up to the last one's arrival.

    Taking slots out of a list of several counts references, which takes a third as long as all the rest.
    """
    for request in ids:
        now = arrival[request]
        if state[TIME] < now:
            bring(state, slots, work, table, limits, now)
        if not is_full(state, limits):
            enqueue(state, slots, work, request, now)
            chosen[request] = 0


@compiled(error_model="numpy")
def run_part(
    arrival: IntArray, work: Work, table: Table, limits: IntArray, ids: IntArray, state: IntArray, slots: Slots,
    ends: tuple[bool, bool],
) -> None:  # fmt: skip
    """Serve the requests *ids* as `run_open` does, up to the last one's arrival; *ends*: the first part, the last.

    Those that remain stay in *slots*; those that are refused are marked.
    """
    if ends[0]:
        clear(slots, limits)
        reset(state, limits)
    for index in range(len(ids) + ends[1]):
        until = arrival[ids[index]] if index < len(ids) else FOREVER
        advance(state, slots, work, table, limits, until, False)
        if index < len(ids):
            if is_full(state, limits):
                work.rows[FINISH, ids[index]] = REFUSED
            else:
                enqueue(state, slots, work, ids[index], until)


@compiled(error_model="numpy")
def run_closed(
    arrival: IntArray,
    work: Work,
    table: Table,
    limits: IntArray,
    ids: IntArray,
    state: IntArray,
    gaps: IntArray,
    users: int,
    think: int,
) -> None:
    """Serve the requests *ids* of users who each send the next *think* after an answer; write their arrivals."""
    slots = slots_of(limits, gaps)
    reset(state, limits)
    sent = min(users, len(ids))
    for index in range(sent):
        arrival[ids[index]] = 0
    queued = 0
    while (queued < sent or state[OUTSTANDING] > 0) and state[TIME] < FOREVER:
        until = arrival[ids[queued]] if queued < sent else FOREVER
        advance(state, slots, work, table, limits, until, True)
        for _ in range(state[ENDED]):
            if sent < len(ids):
                arrival[ids[sent]] = state[TIME] + think
                sent += 1
        state[ENDED] = 0
        idle = state[OUTSTANDING] == 0
        while queued < sent and (arrival[ids[queued]] <= state[TIME] or idle):
            enqueue(state, slots, work, ids[queued], arrival[ids[queued]])
            idle = False
            queued += 1


@compiled(error_model="numpy")
def run_open(
    arrival: IntArray,
    work: Work,
    table: Table,
    limits: IntArray,
    ids: IntArray,
    states: IntArray,
    gaps: IntArray,
    chosen: IntArray,
) -> None:
    """Serve the requests *ids* as they come, each sent to the first replica with fewest unanswered ones.

    Of several replicas, each is brought to an arrival only where one of its requests may have ended by then.
    """
    replicas = len(states)
    all_slots = [slots_of(limits, gaps) for _ in range(replicas)]
    wake = np.full(replicas, FOREVER)
    for replica in range(replicas):
        reset(states[replica], limits)
    if replicas == 1:
        serve_alone(arrival, states[0], all_slots[0], work, table, limits, ids, chosen)
    for request in ids[: 0 if replicas == 1 else len(ids)]:
        now = arrival[request]
        best, least = -1, FOREVER
        for replica in range(replicas):
            state = states[replica]
            if wake[replica] <= now and state[TIME] < now:
                bring(state, all_slots[replica], work, table, limits, now)
                wake[replica] = wake_of(state, all_slots[replica], table, limits)
            # The requests that the step in progress ends are not answered yet.
            load = state[OUTSTANDING] + (state[ENDED] if state[TIME] > now else 0)
            if load < least:
                best, least = replica, load
        state, slots = states[best], all_slots[best]
        if state[TIME] < now:
            bring(state, slots, work, table, limits, now)
        if is_full(state, limits):
            continue
        enqueue(state, slots, work, request, now)
        wake[best] = wake_of(state, slots, table, limits)
        chosen[request] = best
    last = np.int64(FOREVER)  # The constant itself would be a type of its own, and all of a step compiled again.
    for replica in range(replicas):
        bring(states[replica], all_slots[replica], work, table, limits, last)
