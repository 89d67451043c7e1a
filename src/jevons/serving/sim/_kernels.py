"""Continuous batching that leaps: between two events every decode step's time is linear in its index.

Whole numbers throughout, so results are exact and equal to those of `jevons.serving.sim._reference`; nothing depends on
the order of summation. All functions but those that allocate slots run without reference counts (``_nrt=False``):
counting references to a dozen arrays at each call made them six times slower.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

# Scalars of one replica's state.
TIME, BATCH, CONTEXT, STEP, USED, RUNNING, HEAD, LAST = 0, 1, 2, 3, 4, 5, 6, 7
TAIL, STACKED, PARTIAL, DONE_TOKENS, HEAPED, FREE_SLOTS, OUTSTANDING, ENDED = 8, 9, 10, 11, 12, 13, 14, 15
BUSY, EVENTS, PREEMPTIONS, PREFILLED, DECODED, CONTEXT_STEPS, PEAK = 16, 17, 18, 19, 20, 21, 22
IDLE, HIT_TOKENS = 23, 24
STATE_SIZE = 25

FOREVER = 1 << 62
_SLOT_BITS = 22
_SLOT_MASK = (1 << _SLOT_BITS) - 1


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

    The hashes of a request's prompt blocks stand from its *hash_start* up to the next one's.
    """

    isl: IntArray
    osl: IntArray
    made: IntArray
    admitted: IntArray
    first: IntArray
    finish: IntArray
    preempted: IntArray
    following: IntArray
    hashes: IntArray
    hash_start: IntArray


class Slots(NamedTuple):
    """Requests in work on one replica, by slot, linked in order of admission and heaped by last step.

    The prefix cache by hash: holders (-1 for absent ones), and links of those without, from the least recently used.
    """

    request: IntArray
    want: IntArray
    start: IntArray
    before: IntArray
    after: IntArray
    free: IntArray
    heap: IntArray
    stack: IntArray
    joining: IntArray
    phases: IntArray
    shared: IntArray
    holders: IntArray
    older: IntArray
    newer: IntArray


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def series(base: int, slope: int, context: int, batch: int, steps: int) -> int:
    """Return the ticks of that many decode steps from a sum of contexts on."""
    return steps * base + slope * (steps * context + batch * (steps * (steps + 1) // 2))


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def least_steps(base: int, slope: int, context: int, batch: int, most: int, ticks: int) -> int:
    """Return the fewest steps, 1 to *most*, that take at least *ticks*, given that *most* do."""
    half = 0.5 * slope * batch
    linear = base + slope * (context + 0.5 * batch)
    root = linear * linear + 4.0 * half * ticks
    guess: float = 2.0 * ticks / (linear + np.sqrt(root)) if root > 0.0 and linear > 0.0 else 1.0
    steps = min(max(int(np.ceil(guess)), 1), most)
    while steps < most and series(base, slope, context, batch, steps) < ticks:
        steps += 1
    while steps > 1 and series(base, slope, context, batch, steps - 1) >= ticks:
        steps -= 1
    return steps


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def leap(table: Table, batch: int, context: int, most: int, ticks: int) -> tuple[int, int]:
    """Return steps and their ticks: *most* decode steps, or the fewest that take at least *ticks*."""
    knots = table.knots
    last = len(knots) - 2
    piece, steps, spent = 0, 0, 0
    while steps < most and spent < ticks:
        while piece < last and knots[piece + 1] * batch < context + batch:
            piece += 1
        count = most - steps
        if piece < last:
            count = min(count, (knots[piece + 1] * batch - context) // batch)
        base, slope = table.base[batch, piece], table.slope[batch, piece]
        took = series(base, slope, context, batch, count)
        if spent + took >= ticks:
            count = least_steps(base, slope, context, batch, count, ticks - spent)
            took = series(base, slope, context, batch, count)
        steps += count
        spent += took
        context += count * batch
    return steps, spent


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def added_ticks(table: Table, batch: int, tokens: int) -> int:
    """Return what prompt tokens add to a decode step of a batch, attention apart."""
    row = 0
    while table.rows[row] < batch:
        row += 1
    ticks = int(table.alone[tokens + batch] + table.mixed[row, tokens])
    if table.rows[row] == batch:
        return ticks
    less = int(table.mixed[row - 1, tokens] - table.mixed[row, tokens])
    near, far = int(table.rows[row - 1]), int(table.rows[row])
    return ticks + less * (far - batch) // (far - near)


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def heap_push(heap: IntArray, size: int, key: int) -> None:
    """Put a key into a heap of that size."""
    place = size
    while place > 0:
        up = (place - 1) >> 1
        if heap[up] <= key:
            break
        heap[place] = heap[up]
        place = up
    heap[place] = key


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def heap_remove(heap: IntArray, size: int, place: int) -> None:
    """Take the key at a place out of a heap of that size."""
    size -= 1
    key = heap[size]
    if place == size:
        return
    if place > 0 and heap[(place - 1) >> 1] > key:
        while place > 0 and heap[(place - 1) >> 1] > key:
            heap[place] = heap[(place - 1) >> 1]
            place = (place - 1) >> 1
        heap[place] = key
        return
    while True:
        down = 2 * place + 1
        if down >= size:
            break
        if down + 1 < size and heap[down + 1] < heap[down]:
            down += 1
        if heap[down] >= key:
            break
        heap[place] = heap[down]
        place = down
    heap[place] = key


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def unlink(state: IntArray, slots: Slots, slot: int) -> None:
    """Take a slot out of the order of admission and give it back."""
    before, after = slots.before[slot], slots.after[slot]
    if before >= 0:
        slots.after[before] = after
    if after >= 0:
        slots.before[after] = before
    else:
        state[TAIL] = before
    slots.free[state[FREE_SLOTS]] = slot
    state[FREE_SLOTS] += 1
    state[RUNNING] -= 1


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def hashed_blocks(work: Work, request: int, block_tokens: int) -> int:
    """Return how many whole blocks of a prompt have hashes."""
    return min(int(work.hash_start[request + 1] - work.hash_start[request]), int(work.isl[request] // block_tokens))


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def hold(state: IntArray, slots: Slots, key: int) -> None:
    """Take hold of a block of the prefix cache."""
    if slots.holders[key] == 0:
        slots.newer[slots.older[key]] = slots.newer[key]
        slots.older[slots.newer[key]] = slots.older[key]
        state[IDLE] -= 1
        state[USED] += 1
    slots.holders[key] += 1


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def share(state: IntArray, slots: Slots, work: Work, slot: int, block_tokens: int) -> None:
    """Put a computed prompt's blocks into the prefix cache, dropping copies of those that another put there first."""
    request = slots.request[slot]
    start, full = work.hash_start[request], hashed_blocks(work, request, block_tokens)
    for index in range(start + slots.shared[slot], start + full):
        key = work.hashes[index]
        if slots.holders[key] < 0:
            slots.holders[key] = 1
        else:
            hold(state, slots, key)
            state[USED] -= 1
    slots.shared[slot] = full


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def release(state: IntArray, slots: Slots, work: Work, slot: int, held: int, block_tokens: int) -> None:
    """Give back the blocks of so many tokens; those of the prefix cache stay until others need them, the last first."""
    shared = slots.shared[slot]
    state[USED] -= (held + block_tokens - 1) // block_tokens - shared
    start, head = work.hash_start[slots.request[slot]], len(slots.holders) - 1
    for index in range(start + shared - 1, start - 1, -1):
        key = work.hashes[index]
        slots.holders[key] -= 1
        if slots.holders[key] == 0:
            last = slots.older[head]
            slots.newer[last], slots.older[key] = key, last
            slots.newer[key], slots.older[head] = head, key
            state[IDLE] += 1
            state[USED] -= 1
    slots.shared[slot] = 0


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def evict(state: IntArray, slots: Slots, blocks: int) -> None:
    """Drop unused blocks of the prefix cache, the least recently used first, until all fit."""
    head = len(slots.holders) - 1
    while state[USED] + state[IDLE] > blocks:
        key = slots.newer[head]
        slots.newer[head] = slots.newer[key]
        slots.older[slots.newer[key]] = head
        slots.holders[key] = -1
        state[IDLE] -= 1


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def preempt(state: IntArray, slots: Slots, work: Work, block_tokens: int) -> None:
    """Take the cache from the request admitted last and put it first in the queue."""
    slot = state[TAIL]
    request = slots.request[slot]
    if slot == state[PARTIAL]:
        held = slots.want[slot]
        state[PARTIAL] = -1
    else:
        decoded = state[STEP] - slots.start[slot]
        held = slots.want[slot] + decoded
        work.made[request] += decoded
        state[BATCH] -= 1
        state[CONTEXT] -= held
        slots.phases[(slots.want[slot] - slots.start[slot]) % block_tokens] -= 1
        for place in range(state[HEAPED]):
            if slots.heap[place] & _SLOT_MASK == slot:
                heap_remove(slots.heap, state[HEAPED], place)
                break
        state[HEAPED] -= 1
    release(state, slots, work, slot, held, block_tokens)
    unlink(state, slots, slot)
    slots.stack[state[STACKED]] = request
    state[STACKED] += 1
    state[PREEMPTIONS] += 1
    work.preempted[request] += 1


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def steps_in_cache(slots: Slots, batch: int, step: int, free: int, most: int, block_tokens: int) -> int:
    """Return how many steps, at most *most*, the free blocks last."""
    if batch * (most // block_tokens + 1) <= free:
        return most
    steps = free // batch * block_tokens
    left = free % batch
    phase = -(step + steps) % block_tokens
    for _ in range(block_tokens):
        left -= slots.phases[phase]
        if left < 0 or steps >= most:
            break
        steps += 1
        phase = phase - 1 if phase > 0 else block_tokens - 1
    return min(steps, most)


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def blocks_taken(slots: Slots, batch: int, step: int, steps: int, block_tokens: int) -> int:
    """Return the blocks that so many steps take."""
    taken = batch * (steps // block_tokens)
    phase = -step % block_tokens
    for _ in range(steps % block_tokens):
        taken += slots.phases[phase]
        phase = phase - 1 if phase > 0 else block_tokens - 1
    return taken


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def finish_decodes(state: IntArray, slots: Slots, work: Work, block_tokens: int) -> None:
    """Let go the requests whose last token the step just made was."""
    while state[HEAPED] > 0 and slots.heap[0] >> _SLOT_BITS == state[STEP]:
        slot = slots.heap[0] & _SLOT_MASK
        heap_remove(slots.heap, state[HEAPED], 0)
        state[HEAPED] -= 1
        held = slots.want[slot] + state[STEP] - slots.start[slot]
        slots.phases[(slots.want[slot] - slots.start[slot]) % block_tokens] -= 1
        release(state, slots, work, slot, held, block_tokens)
        state[BATCH] -= 1
        state[CONTEXT] -= held
        work.finish[slots.request[slot]] = state[TIME]
        unlink(state, slots, slot)
        state[ENDED] += 1


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def join_decodes(state: IntArray, slots: Slots, work: Work, joining: int, block_tokens: int) -> None:
    """Count the token that each finished prompt gives, and let it decode where more are due."""
    for index in range(joining):
        slot = slots.joining[index]
        request, want = slots.request[slot], slots.want[slot]
        if work.first[request] < 0:
            work.first[request] = state[TIME]
        work.made[request] += 1
        share(state, slots, work, slot, block_tokens)
        due = work.osl[request] - work.made[request]
        if due == 0:
            work.finish[request] = state[TIME]
            release(state, slots, work, slot, want, block_tokens)
            unlink(state, slots, slot)
            state[ENDED] += 1
            continue
        slots.start[slot] = state[STEP]
        slots.phases[(want - state[STEP]) % block_tokens] += 1
        heap_push(slots.heap, state[HEAPED], (state[STEP] + due) << _SLOT_BITS | slot)
        state[HEAPED] += 1
        state[BATCH] += 1
        state[CONTEXT] += want


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def admit(state: IntArray, slots: Slots, work: Work, spare: int, block_tokens: int) -> int:
    """Move the first waiting request into a slot where *spare* blocks hold its prompt; return the slot or -1."""
    if state[STACKED] > 0:
        request = slots.stack[state[STACKED] - 1]
    elif state[HEAD] >= 0:
        request = state[HEAD]
    else:
        return -1
    want = work.isl[request] + work.made[request]
    start = work.hash_start[request]
    hits, idle = 0, 0
    most = min(hashed_blocks(work, request, block_tokens), (want - 1) // block_tokens)
    while hits < most and slots.holders[work.hashes[start + hits]] >= 0:
        idle += slots.holders[work.hashes[start + hits]] == 0
        hits += 1
    blocks = (want + block_tokens - 1) // block_tokens - hits
    if blocks + idle > spare:
        return -1
    for index in range(start, start + hits):
        hold(state, slots, work.hashes[index])
    state[HIT_TOKENS] += hits * block_tokens
    if state[STACKED] > 0:
        state[STACKED] -= 1
    else:
        state[HEAD] = work.following[request]
        if state[HEAD] < 0:
            state[LAST] = -1
        work.admitted[request] = state[TIME]
    state[FREE_SLOTS] -= 1
    slot = int(slots.free[state[FREE_SLOTS]])
    slots.request[slot], slots.want[slot], slots.shared[slot] = request, want, hits
    slots.before[slot], slots.after[slot] = state[TAIL], -1
    if state[TAIL] >= 0:
        slots.after[state[TAIL]] = slot
    state[TAIL] = slot
    state[USED] += blocks
    state[RUNNING] += 1
    return slot


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def plan_chunks(
    state: IntArray, slots: Slots, work: Work, table: Table, limits: IntArray, need: int, held_back: bool
) -> tuple[int, int, int]:
    """Hand the step's tokens to prompts; return tokens, ticks of their attention, and prompts that end in it."""
    max_batch, budget, block_tokens, blocks = limits[0], limits[1], limits[2], limits[3]
    room = budget - state[BATCH]
    tokens, ticks, joining = 0, 0, 0
    slot = state[PARTIAL]
    while room > 0:
        if slot < 0:
            if held_back or state[RUNNING] >= max_batch:
                break
            slot = admit(state, slots, work, blocks - state[USED] - need, block_tokens)
            if slot < 0:
                break
            evict(state, slots, blocks)
            state[DONE_TOKENS] = slots.shared[slot] * block_tokens
        done = state[DONE_TOKENS]
        chunk = min(slots.want[slot] - done, room)
        ticks += table.own[chunk] + done * table.cached[chunk]
        tokens += chunk
        room -= chunk
        if done + chunk < slots.want[slot]:
            state[DONE_TOKENS] = done + chunk
            state[PARTIAL] = slot
            break
        state[PARTIAL] = -1
        slots.joining[joining] = slot
        joining += 1
        slot = -1
    return tokens, ticks, joining


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def advance(
    state: IntArray, slots: Slots, work: Work, table: Table, limits: IntArray, until: int, stop_at_end: bool
) -> None:
    """Run steps until one starts at or after *until*, all work is done, or (if asked) a request ends."""
    max_batch, block_tokens, blocks = limits[0], limits[2], limits[3]
    state[ENDED] = 0
    while state[TIME] < until and not (stop_at_end and state[ENDED] > 0):
        if state[RUNNING] == 0 and state[STACKED] == 0 and state[HEAD] < 0:
            return
        state[ENDED] = 0
        need, held_back = slots.phases[-state[STEP] % block_tokens], False
        while need > blocks - state[USED]:
            preempt(state, slots, work, block_tokens)
            need, held_back = slots.phases[-state[STEP] % block_tokens], True
        tokens, ticks, joining = plan_chunks(state, slots, work, table, limits, need, held_back)
        batch, steps = state[BATCH], 1
        if tokens > 0:
            ticks += added_ticks(table, batch, tokens)
            if batch > 0:
                ticks += leap(table, batch, state[CONTEXT], 1, FOREVER)[1]
            state[PREFILLED] += tokens
        else:
            most = (slots.heap[0] >> _SLOT_BITS) - state[STEP]
            waiting = state[STACKED] > 0 or state[HEAD] >= 0 or state[PARTIAL] >= 0
            free = blocks - state[USED]
            most = 1 if held_back else steps_in_cache(slots, batch, state[STEP], free, most, block_tokens)
            blind = waiting or state[RUNNING] >= max_batch
            steps, ticks = leap(table, batch, state[CONTEXT], most, FOREVER if blind else until - state[TIME])
        state[TIME] += ticks
        state[BUSY] += ticks
        state[EVENTS] += 1
        if batch > 0:
            state[USED] += blocks_taken(slots, batch, state[STEP], steps, block_tokens)
            state[CONTEXT_STEPS] += steps * state[CONTEXT] + batch * (steps * (steps + 1) // 2)
            state[CONTEXT] += steps * batch
            state[STEP] += steps
            evict(state, slots, blocks)
            state[DECODED] += steps * batch
        state[PEAK] = max(state[PEAK], state[USED])
        if batch > 0:
            finish_decodes(state, slots, work, block_tokens)
        join_decodes(state, slots, work, joining, block_tokens)
        state[OUTSTANDING] -= state[ENDED]


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def enqueue(state: IntArray, work: Work, request: int, arrival: int) -> None:
    """Put a request last in a replica's queue at its arrival."""
    if state[RUNNING] == 0 and state[STACKED] == 0 and state[HEAD] < 0:
        state[TIME] = max(state[TIME], arrival)
    if state[LAST] >= 0:
        work.following[state[LAST]] = request
    else:
        state[HEAD] = request
    work.following[request] = -1
    state[LAST] = request
    state[OUTSTANDING] += 1


@njit(cache=True, error_model="numpy", forceinline=True)
def slots_of(max_batch: int, block_tokens: int, hashes: int) -> Slots:
    """Return empty slots and an empty prefix cache; the last of its links is the ring's head."""
    size = max_batch + 1
    free = np.arange(size)[::-1].copy()
    zeros = np.zeros((9, size), np.int64)
    ring = np.full(hashes + 1, hashes)
    return Slots(
        zeros[0], zeros[1], zeros[2], zeros[3], zeros[4], free, zeros[5], zeros[6], zeros[7],
        np.zeros(block_tokens, np.int64), zeros[8], np.full(hashes + 1, -1), ring, ring.copy(),
    )  # fmt: skip


@njit(cache=True, error_model="numpy", forceinline=True)
def reset(state: IntArray, max_batch: int) -> None:
    """Make a replica idle at time zero."""
    state[:] = 0
    state[HEAD] = state[LAST] = state[TAIL] = state[PARTIAL] = -1
    state[FREE_SLOTS] = max_batch + 1


@njit(cache=True, error_model="numpy", forceinline=True)
def run_open(arrival: IntArray, work: Work, table: Table, limits: IntArray, ids: IntArray, state: IntArray) -> None:
    """Serve the requests *ids*, which come when they come, on one replica."""
    slots = slots_of(limits[0], limits[2], limits[4])
    reset(state, limits[0])
    for request in ids:
        advance(state, slots, work, table, limits, arrival[request], False)
        enqueue(state, work, request, arrival[request])
    advance(state, slots, work, table, limits, FOREVER, False)


@njit(cache=True, error_model="numpy", forceinline=True)
def run_closed(
    arrival: IntArray,
    work: Work,
    table: Table,
    limits: IntArray,
    ids: IntArray,
    state: IntArray,
    users: int,
    think: int,
) -> None:
    """Serve the requests *ids* of users who each send the next one *think* after an answer; write their arrivals."""
    slots = slots_of(limits[0], limits[2], limits[4])
    reset(state, limits[0])
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
            enqueue(state, work, ids[queued], arrival[ids[queued]])
            idle = False
            queued += 1


@njit(cache=True, error_model="numpy", forceinline=True)
def wake_of(state: IntArray, slots: Slots, table: Table, limits: IntArray) -> int:
    """Return a time before which a replica finishes no request that it has not finished yet.

    Decode steps never get shorter as contexts grow, but they do where a preemption makes the batch smaller.
    """
    if state[RUNNING] == 0 and state[STACKED] == 0 and state[HEAD] < 0:
        return FOREVER
    if state[STACKED] > 0 or state[HEAD] >= 0 or state[PARTIAL] >= 0 or state[HEAPED] == 0:
        return int(state[TIME])
    steps = int((slots.heap[0] >> _SLOT_BITS) - state[STEP])
    steps = steps_in_cache(slots, state[BATCH], state[STEP], limits[3] - state[USED], steps, limits[2])
    return int(state[TIME] + steps * leap(table, state[BATCH], state[CONTEXT], 1, FOREVER)[1])


@njit(cache=True, error_model="numpy", forceinline=True)
def run_balanced(
    arrival: IntArray, work: Work, table: Table, limits: IntArray, ids: IntArray, states: IntArray, chosen: IntArray
) -> None:
    """Serve the requests *ids* on several replicas, each sent to the first of those with fewest unanswered ones.

    Replicas are brought to an arrival only where one of their requests may have ended by then.
    """
    replicas = len(states)
    all_slots = [slots_of(limits[0], limits[2], limits[4]) for _ in range(replicas)]
    wake = np.full(replicas, FOREVER)
    for replica in range(replicas):
        reset(states[replica], limits[0])
    for request in ids:
        now = arrival[request]
        best, least = -1, FOREVER
        for replica in range(replicas):
            state = states[replica]
            if wake[replica] <= now and state[TIME] < now:
                advance(state, all_slots[replica], work, table, limits, now, False)
                wake[replica] = wake_of(state, all_slots[replica], table, limits)
            # The requests that the step in progress ends are not answered yet.
            load = state[OUTSTANDING] + (state[ENDED] if state[TIME] > now else 0)
            if load < least:
                best, least = replica, load
        state, slots = states[best], all_slots[best]
        if state[TIME] < now:
            advance(state, slots, work, table, limits, now, False)
        enqueue(state, work, request, now)
        wake[best] = wake_of(state, slots, table, limits)
        chosen[request] = best
    for replica in range(replicas):
        advance(states[replica], all_slots[replica], work, table, limits, FOREVER, False)
