"""Continuous batching that leaps: between two events every decode step's time is linear in its index.

Whole numbers throughout, so results are exact and equal to those of `jevons.serving.sim.replica._reference`; nothing
depends on the order of summation.
"""

from __future__ import annotations

from jevons.serving.sim._kernels.cache import evict, fill_of, hashed_blocks, hold, make_host_room, release, share
from jevons.serving.sim._kernels.leap import added_ticks, blocks_taken, count_gaps, leap, step_ticks, steps_in_cache
from jevons.serving.sim._kernels.state import (
    ABSENT,
    ADMITTED,
    AFTER,
    BATCH,
    BEFORE,
    BLOCK,
    BLOCKS,
    BUDGET,
    BUSY,
    CACHE_AT,
    CLASS_OF,
    CLASSES,
    CONTEXT,
    CONTEXT_STEPS,
    DECODED,
    DONE_TOKENS,
    ENDED,
    EVENTS,
    FILL,
    FINISH,
    FIRST_TOKEN,
    FOLLOWING,
    FREE,
    FREE_SLOTS,
    GROWTH,
    HEAPED,
    HIT_TOKENS,
    HORIZON,
    HOST_BLOCKS,
    HOST_HIT_TOKENS,
    HOSTED,
    IDLE,
    ISL,
    JOINING,
    MADE,
    MAX_BATCH,
    MOVE_TICKS,
    MOVED,
    MOVING,
    ON_HOST,
    OSL,
    OUTSTANDING,
    PARTIAL,
    PEAK,
    PERIOD,
    PREEMPTED,
    PREEMPTIONS,
    PREFILLED,
    REQUEST,
    RUNNING,
    SHARED,
    SLOT_BITS,
    SLOT_MASK,
    START,
    STEP,
    STEPS,
    SWAP,
    SWAPS,
    TAIL,
    TIME,
    UNIT,
    USED,
    WAITING,
    WANT,
    IntArray,
    Slots,
    Table,
    Work,
    inline,
    rare,
)

NOWHERE, ELSEWHERE, IN_HOST = 0, 1, 2


@inline
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


@inline
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


@inline
def unlink(state: IntArray, slots: Slots, slot: int) -> None:
    """Take a slot out of the order of admission and give it back."""
    before, after = slots.rows[BEFORE, slot], slots.rows[AFTER, slot]
    if before >= 0:
        slots.rows[AFTER, before] = after
    if after >= 0:
        slots.rows[BEFORE, after] = before
    else:
        state[TAIL] = before
    slots.rows[FREE, state[FREE_SLOTS]] = slot
    state[FREE_SLOTS] += 1
    state[RUNNING] -= 1


@inline
def enqueue(state: IntArray, slots: Slots, work: Work, request: int, arrival: int) -> None:
    """Put a request last in its class's queue at its arrival."""
    if state[RUNNING] == 0 and state[WAITING] == 0:
        state[TIME] = max(state[TIME], arrival)
    rank = work.rows[CLASS_OF, request]
    if slots.ends[0, rank] >= 0:
        work.rows[FOLLOWING, slots.ends[1, rank]] = request
    else:
        slots.ends[0, rank] = request
    work.rows[FOLLOWING, request] = -1
    slots.ends[1, rank] = request
    state[WAITING] += 1
    state[OUTSTANDING] += 1


@inline
def put_first(state: IntArray, slots: Slots, work: Work, request: int) -> None:
    """Put a request that lost its cache first in its class's queue."""
    rank = work.rows[CLASS_OF, request]
    if slots.ends[0, rank] < 0:
        slots.ends[1, rank] = request
    work.rows[FOLLOWING, request] = slots.ends[0, rank]
    slots.ends[0, rank] = request
    state[WAITING] += 1


@inline
def first_waiting(state: IntArray, slots: Slots, limits: IntArray) -> int:
    """Return the first waiting request of the best class that has one, or -1."""
    if state[WAITING] == 0:
        return -1
    rank = 0
    while rank < limits[CLASSES] - 1 and slots.ends[0, rank] < 0:
        rank += 1
    return slots.ends[0, rank]


@inline
def emitted(work: Work, request: int) -> int:
    """Return the output tokens of the steps made."""
    tokens = work.rows[MADE, request]
    return tokens * work.rows[OSL, request] // work.rows[STEPS, request] if tokens > 0 else 0


@inline
def blocks_held(state: IntArray, slots: Slots, slot: int, period: int) -> int:
    """Return the blocks of a decoding request."""
    return (slots.rows[FILL, slot] + state[STEP] - slots.rows[START, slot] + period - 1) // period


@inline
def leave_batch(state: IntArray, slots: Slots, slot: int, limits: IntArray) -> None:
    """Take a request out of the decode batch."""
    state[BATCH] -= 1
    state[CONTEXT] -= slots.rows[WANT, slot] * limits[UNIT] + (state[STEP] - slots.rows[START, slot]) * limits[GROWTH]
    slots.phases[(slots.rows[FILL, slot] - slots.rows[START, slot]) % limits[PERIOD]] -= 1


@inline
def join_batch(state: IntArray, slots: Slots, slot: int, limits: IntArray, due: int) -> None:
    """Let a request decode, for so many steps."""
    slots.rows[START, slot] = state[STEP]
    slots.rows[FILL, slot] = fill_of(limits, slots.rows[WANT, slot])
    slots.phases[(slots.rows[FILL, slot] - state[STEP]) % limits[PERIOD]] += 1
    heap_push(slots.heap, state[HEAPED], (state[STEP] + due) << SLOT_BITS | slot)
    state[HEAPED] += 1
    state[BATCH] += 1
    state[CONTEXT] += slots.rows[WANT, slot] * limits[UNIT]


@rare
def preempt(state: IntArray, slots: Slots, work: Work, limits: IntArray, slot: int) -> None:
    """Take the cache from a request and put it first in its queue; to be computed anew, or moved to the host."""
    request = slots.rows[REQUEST, slot]
    if slot == state[PARTIAL]:
        blocks = (slots.rows[WANT, slot] + limits[BLOCK] - 1) // limits[BLOCK]
        state[PARTIAL] = -1
    else:
        blocks = blocks_held(state, slots, slot, limits[PERIOD])
        work.rows[MADE, request] += state[STEP] - slots.rows[START, slot]
        leave_batch(state, slots, slot, limits)
        for place in range(state[HEAPED]):
            if slots.heap[place] & SLOT_MASK == slot:
                heap_remove(slots.heap, state[HEAPED], place)
                break
        state[HEAPED] -= 1
        if limits[SWAP] > 0:
            away = (work.rows[ISL, request] + emitted(work, request) - 1 + limits[BLOCK] - 1) // limits[BLOCK]
            if state[HOSTED] + away <= limits[HOST_BLOCKS]:
                work.rows[CACHE_AT, request] = IN_HOST
                state[HOSTED] += away
                state[SWAPS] += 1
                state[MOVED] += away
                state[MOVING] += away * limits[MOVE_TICKS]
                make_host_room(state, slots, limits)
    release(state, slots, work, slot, blocks, limits)
    unlink(state, slots, slot)
    put_first(state, slots, work, request)
    state[PREEMPTIONS] += 1
    work.rows[PREEMPTED, request] += 1


@inline
def finish_decodes(state: IntArray, slots: Slots, work: Work, limits: IntArray) -> None:
    """Let go the requests whose last token the step just made was."""
    while state[HEAPED] > 0 and slots.heap[0] >> SLOT_BITS == state[STEP]:
        slot = slots.heap[0] & SLOT_MASK
        heap_remove(slots.heap, state[HEAPED], 0)
        state[HEAPED] -= 1
        leave_batch(state, slots, slot, limits)
        release(state, slots, work, slot, blocks_held(state, slots, slot, limits[PERIOD]), limits)
        work.rows[FINISH, slots.rows[REQUEST, slot]] = state[TIME]
        unlink(state, slots, slot)
        state[ENDED] += 1


@inline
def join_decodes(state: IntArray, slots: Slots, work: Work, joining: int, limits: IntArray) -> None:
    """Count the token that each finished prompt gives, and let it decode where more are due."""
    block_tokens = limits[BLOCK]
    for index in range(joining):
        slot = slots.rows[JOINING, index]
        request = slots.rows[REQUEST, slot]
        if work.rows[FIRST_TOKEN, request] < 0:
            work.rows[FIRST_TOKEN, request] = state[TIME]
        work.rows[MADE, request] += 1
        share(state, slots, work, slot, block_tokens)
        due = work.rows[STEPS, request] - work.rows[MADE, request]
        if due == 0:
            work.rows[FINISH, request] = state[TIME]
            release(state, slots, work, slot, (slots.rows[WANT, slot] + block_tokens - 1) // block_tokens, limits)
            unlink(state, slots, slot)
            state[ENDED] += 1
            continue
        join_batch(state, slots, slot, limits, due)


@inline
def claim(slots: Slots, work: Work, limits: IntArray, request: int) -> tuple[int, int, int, int]:
    """Return what a request would hold: tokens, blocks of its own, leading blocks in the prefix cache, unheld ones."""
    block_tokens = limits[BLOCK]
    want = work.rows[ISL, request] + emitted(work, request)
    if work.rows[CACHE_AT, request] != NOWHERE:
        fill = fill_of(limits, want - 1)
        return want - 1, fill // limits[PERIOD] + 1, 0, 0
    start = work.hash_start[request]
    hits, idle = 0, 0
    most = min(hashed_blocks(work, request, block_tokens), (want - 1) // block_tokens)
    while hits < most and slots.holders[work.hashes[start + hits]] != ABSENT:
        idle += slots.holders[work.hashes[start + hits]] <= 0
        hits += 1
    return want, (want + block_tokens - 1) // block_tokens - hits, hits, idle


@rare
def make_way(state: IntArray, slots: Slots, work: Work, limits: IntArray) -> None:
    """Preempt running requests of worse classes until the first of the best one fits, its first token included."""
    while True:
        request = first_waiting(state, slots, limits)
        if request < 0:
            return
        _, blocks, _, idle = claim(slots, work, limits, request)
        spare = limits[BLOCKS] - state[USED] - slots.phases[-state[STEP] % limits[PERIOD]]
        if state[RUNNING] < limits[MAX_BATCH] and state[BATCH] < limits[BUDGET] and blocks + idle <= spare:
            return
        slot, victim = state[TAIL], -1
        worst = work.rows[CLASS_OF, request]
        while slot >= 0:
            if work.rows[CLASS_OF, slots.rows[REQUEST, slot]] > worst:
                victim, worst = slot, work.rows[CLASS_OF, slots.rows[REQUEST, slot]]
            slot = slots.rows[BEFORE, slot]
        if victim < 0:
            return
        preempt(state, slots, work, limits, victim)


@inline
def admit(state: IntArray, slots: Slots, work: Work, limits: IntArray) -> int:
    """Move the first waiting request into a slot where blocks are free for its prompt; return the slot or -1."""
    request = first_waiting(state, slots, limits)
    if request < 0:
        return -1
    want, blocks, hits, idle = claim(slots, work, limits, request)
    if blocks + idle > limits[BLOCKS] - state[USED] - slots.phases[-state[STEP] % limits[PERIOD]]:
        return -1
    start = work.hash_start[request]
    for index in range(start, start + hits):
        if slots.holders[work.hashes[index]] == ON_HOST:
            state[HOST_HIT_TOKENS] += limits[BLOCK]
            state[MOVED] += 1
            state[MOVING] += limits[MOVE_TICKS]
        hold(state, slots, work.hashes[index])
    state[HIT_TOKENS] += hits * limits[BLOCK]
    slots.ends[0, work.rows[CLASS_OF, request]] = work.rows[FOLLOWING, request]
    state[WAITING] -= 1
    if work.rows[ADMITTED, request] < 0:
        work.rows[ADMITTED, request] = state[TIME]
    state[FREE_SLOTS] -= 1
    slot = int(slots.rows[FREE, state[FREE_SLOTS]])
    slots.rows[REQUEST, slot], slots.rows[WANT, slot], slots.rows[SHARED, slot] = request, want, hits
    slots.rows[BEFORE, slot], slots.rows[AFTER, slot] = state[TAIL], -1
    if state[TAIL] >= 0:
        slots.rows[AFTER, state[TAIL]] = slot
    state[TAIL] = slot
    state[RUNNING] += 1
    if work.rows[CACHE_AT, request] != NOWHERE:
        blocks = (want + limits[BLOCK] - 1) // limits[BLOCK]
        if work.rows[CACHE_AT, request] == IN_HOST:
            state[HOSTED] -= blocks
            state[MOVED] += blocks
            state[MOVING] += blocks * limits[MOVE_TICKS]
    state[USED] += blocks
    return slot


@inline
def plan_chunks(
    state: IntArray, slots: Slots, work: Work, table: Table, limits: IntArray, held_back: bool
) -> tuple[int, int, int]:
    """Hand the step's tokens to prompts; return tokens, ticks of their attention, and prompts that end in it.

    A request whose cache is elsewhere decodes at once.
    """
    room = limits[BUDGET] - state[BATCH]
    tokens, ticks, joining = 0, 0, 0
    slot = state[PARTIAL]
    while room > 0:
        if slot < 0:
            if held_back or state[RUNNING] >= limits[MAX_BATCH]:
                break
            slot = admit(state, slots, work, limits)
            if slot < 0:
                break
            if state[USED] + state[IDLE] > limits[BLOCKS]:
                evict(state, slots, limits)
            request = slots.rows[REQUEST, slot]
            if work.rows[CACHE_AT, request] != NOWHERE:
                work.rows[CACHE_AT, request] = NOWHERE
                join_batch(state, slots, slot, limits, work.rows[STEPS, request] - work.rows[MADE, request])
                room -= 1
                slot = -1
                continue
            state[DONE_TOKENS] = slots.rows[SHARED, slot] * limits[BLOCK]
        done = state[DONE_TOKENS]
        chunk = min(slots.rows[WANT, slot] - done, room)
        ticks += table.by_tokens[1, chunk] + done * table.by_tokens[2, chunk]
        tokens += chunk
        room -= chunk
        if done + chunk < slots.rows[WANT, slot]:
            state[DONE_TOKENS] = done + chunk
            state[PARTIAL] = slot
            break
        state[PARTIAL] = -1
        slots.rows[JOINING, joining] = slot
        joining += 1
        slot = -1
    return tokens, ticks, joining


@rare
def make_room(state: IntArray, slots: Slots, work: Work, limits: IntArray) -> None:
    """Preempt the last admitted of the worst class until the next tokens fit."""
    while slots.phases[-state[STEP] % limits[PERIOD]] > limits[BLOCKS] - state[USED]:
        victim = state[TAIL]
        if limits[CLASSES] > 1:
            slot = victim
            while slot >= 0:
                if work.rows[CLASS_OF, slots.rows[REQUEST, slot]] > work.rows[CLASS_OF, slots.rows[REQUEST, victim]]:
                    victim = slot
                slot = slots.rows[BEFORE, slot]
        preempt(state, slots, work, limits, victim)


@inline
def count_steps(state: IntArray, slots: Slots, limits: IntArray, batch: int, steps: int) -> None:
    """Let the batch decode so many steps."""
    state[USED] += blocks_taken(slots, limits, batch, state[STEP], steps)
    growth = batch * limits[GROWTH]
    state[CONTEXT_STEPS] += steps * state[CONTEXT] + growth * (steps * (steps + 1) // 2)
    state[CONTEXT] += steps * growth
    state[STEP] += steps
    state[DECODED] += steps * batch


@inline
def advance(
    state: IntArray, slots: Slots, work: Work, table: Table, limits: IntArray, until: int, stop_at_end: bool
) -> None:
    """Run steps until one starts at or after *until*, all work is done, or (if asked) a request ends."""
    state[ENDED] = 0
    while state[TIME] < until and not (stop_at_end and state[ENDED] > 0):
        if state[RUNNING] == 0 and state[WAITING] == 0:
            return
        state[ENDED] = 0
        held_back = slots.phases[-state[STEP] % limits[PERIOD]] > limits[BLOCKS] - state[USED]
        if held_back:
            make_room(state, slots, work, limits)
        if limits[CLASSES] > 1 and not held_back:
            make_way(state, slots, work, limits)
        before = state[BATCH]
        tokens, ticks, joining = plan_chunks(state, slots, work, table, limits, held_back)
        moving = state[MOVING]
        state[MOVING] = 0
        batch, steps = state[BATCH], 1
        if tokens > 0 or moving > 0:
            if tokens > 0:
                ticks += added_ticks(table, batch, tokens)
            ticks += moving
            if batch > 0:
                ticks += step_ticks(table, limits, batch, state[CONTEXT])
            state[PREFILLED] += tokens
        elif batch > 0:
            most = (slots.heap[0] >> SLOT_BITS) - state[STEP]
            free = limits[BLOCKS] - state[USED]
            # Where a swapped request came back, the next waiting one may be worth a preemption at the next step.
            once = held_back or (limits[CLASSES] > 1 and batch > before)
            most = 1 if once else steps_in_cache(slots, limits, batch, state[STEP], free, most)
            full = state[WAITING] > 0 or state[PARTIAL] >= 0 or state[RUNNING] >= limits[MAX_BATCH]
            blind = full and limits[CLASSES] == 1
            bound = (state[HORIZON] if blind else until) - state[TIME]
            steps, ticks = leap(table, limits, batch, state[CONTEXT], most, bound)
        state[TIME] += ticks
        state[BUSY] += ticks
        state[EVENTS] += 1
        if batch > 0:
            count_gaps(slots, table, limits, batch, state[CONTEXT], steps, ticks)
            count_steps(state, slots, limits, batch, steps)
            if state[USED] + state[IDLE] > limits[BLOCKS]:
                evict(state, slots, limits)
        state[PEAK] = max(state[PEAK], state[USED])
        if batch > 0:
            finish_decodes(state, slots, work, limits)
        join_decodes(state, slots, work, joining, limits)
        state[OUTSTANDING] -= state[ENDED]
