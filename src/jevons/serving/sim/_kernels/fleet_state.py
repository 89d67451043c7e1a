"""What a fleet is to the kernels: its layout, and replicas brought to a moment."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jevons.serving.sim._kernels.drive import bring, wake_of
from jevons.serving.sim._kernels.engine import enqueue
from jevons.serving.sim._kernels.state import (
    BUSY,
    ENDED,
    FINISH,
    FOREVER,
    HORIZON,
    OUTSTANDING,
    PEAK,
    TIME,
    IntArray,
    Slots,
    Table,
    Work,
    inline,
    rare,
)

ROUND_ROBIN, LEAST_LOADED, LEAST_TOKENS, TWO_CHOICES, PREFIX, SESSION, ADAPTER = 0, 1, 2, 3, 4, 5, 6
OFF, STARTING, UP, DRAINING, DOWN = 0, 1, 2, 3, 4
OPEN_UP, FAIL, EVALUATE, TAKE_SAMPLE, HAND_OUT, COME_BACK = 0, 1, 2, 3, 4, 5
ANSWERED, RATE_LIMIT, QUEUE_LIMIT, LOST, NO_REPLICA, LEFT = 1, 2, 3, 4, 5, 6

# Settings of a fleet.
ROUTING, STALE, OWN, SLACK, QUEUED, TRACKED, RETRIES, RETRY_TICKS = 0, 1, 2, 3, 4, 5, 6, 7
RESUME, REPAIR, POLL, BELOW, ONLINE, BIN, SEED, SETTINGS_SIZE = 8, 9, 10, 11, 12, 13, 14, 15
# Fields of a kind: its replicas, adapters, scaling, when that is looked at next, and when as many were last needed.
BEGIN, END, ADAPTERS, SWITCH, LEAST, MOST, TARGET, BY_BUSY, EVERY, COLD, DOWN_AFTER, LOOK, ENOUGH, KIND_SIZE = range(14)
# Rate limits: ticks between requests, ticks that a burst may be ahead, the class (-1 for all), when the next is due.
GAP, AHEAD, RANK, DUE_AT, RATE_SIZE = 0, 1, 2, 3, 4
# Fields of a replica; those that routing reads of all of them stand apart.
KIND, UNIT, STATUS, TIMER, LANDING, EPOCH, SINCE, UP_SINCE, PAID, SERVING, FIRST = range(11)
BUSY_SEEN, BUSY_SAMPLED, ROW_SIZE = 11, 12, 13
SAMPLE_TICKS = 1_000_000  # busy time of a kind is sampled in this many ticks, so that its sum fits 64 bits
LOAD, COUNT, SEEN, WAKE, HOT_SIZE = 0, 1, 2, 3, 4
# Of an adapter on a replica: when it is ready (-1 where it is not held), and when it was asked for.
READY, USED_AT = 0, 1
# Fields of a request; retried ones and those waiting for an adapter are due at a moment, at a replica or anywhere (-1).
ARRIVAL, GROUP, MODEL, SESSION_OF, WEIGHT, LINK, DUE, TARGET_REPLICA, SENT_EPOCH, ATTEMPTS, FATE, CHOSEN = range(12)
ASK_SIZE = 12
# The router's own figures.
LATER, HELD, HELD_FIRST, HELD_LAST, FLUSHING, NEXT_FAIL, REFRESHED, SAMPLED, NEXT_POLL, BACKLOG, BACK_AT = range(11)
CLOCK, LAST_EVENT, FAILED, OWN_SIZE = range(11, 15)
# Columns of a sample.
SAMPLE_UP, SAMPLE_PAID, SAMPLE_COUNT, SAMPLE_BUSY, SAMPLE_SIZE = 0, 1, 2, 3, 4

THOUSAND = 1000


class Fleet(NamedTuple):
    """A fleet and what its router keeps, few arrays since each costs compile time.

    By row: *asks* of a request, *bounds* (limits) and *kinds* of a kind, *serves* (by kind) of a group of requests,
    *failures* (moment, replica), *rows* and *states* of a replica (second plane: before it last began anew), *hot* of
    its loads, *piles* of requests due later and of offline work, *members* (open replicas) and *turns* (their number,
    whose turn it is, who was last) of a group, *adapters* by replica, *home* of a prefix or session, *samples*.
    """

    settings: IntArray
    own: IntArray
    asks: IntArray
    bounds: IntArray
    kinds: IntArray
    serves: IntArray
    failures: IntArray
    states: IntArray
    rows: IntArray
    hot: IntArray
    piles: IntArray
    members: IntArray
    turns: IntArray
    adapters: IntArray
    home: IntArray
    samples: IntArray


@inline
def draw(seed: int, request: int, attempt: int, place: int) -> int:
    """Return 62 bits of chance that depend on nothing but the arguments (the finaliser of splitmix64)."""
    mixed = np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(request) * np.uint64(0xD1342543DE82EF95)
    mixed += np.uint64(4 * attempt + place + 1) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return int(np.int64((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(2)))


class Gear(NamedTuple):
    """The engines of a fleet and their requests: the arrays of `Work`, `Slots` and `Table`, equal shapes stacked.

    Those of `Slots` have one for each replica, but for *gaps*; those of `Table` one for each kind.
    """

    work: IntArray
    hashes: IntArray
    hash_start: IntArray
    slotwise: IntArray
    heap: IntArray
    phases: IntArray
    ends: IntArray
    gaps: IntArray
    holders: IntArray
    links: IntArray
    knots: IntArray
    pieces: IntArray
    by_tokens: IntArray
    rows: IntArray
    mixed: IntArray


@inline
def work_at(gear: Gear) -> Work:
    """Return the requests."""
    return Work(gear.work, gear.hashes, gear.hash_start)


@inline
def table_at(gear: Gear, kind: int) -> Table:
    """Return the step times of a kind."""
    return Table(gear.knots[kind], gear.pieces[kind], gear.by_tokens[kind], gear.rows[kind], gear.mixed[kind])


@inline
def slots_at(gear: Gear, replica: int) -> Slots:
    """Return the slots of a replica; all count the times between tokens together."""
    return Slots(
        gear.slotwise[replica], gear.heap[replica], gear.phases[replica], gear.ends[replica], gear.gaps,
        gear.holders[replica], gear.links[replica],
    )  # fmt: skip


@inline
def due_before(asks: IntArray, one: int, other: int) -> bool:
    """Return whether a request is due before another; at one moment the lower number is."""
    return asks[one, DUE] < asks[other, DUE] or (asks[one, DUE] == asks[other, DUE] and one < other)


@rare
def put_later(own: IntArray, later: IntArray, asks: IntArray, request: int) -> None:
    """Put a request among those that are due later, a heap."""
    place = own[LATER]
    while place > 0 and due_before(asks, request, later[(place - 1) >> 1]):
        later[place] = later[(place - 1) >> 1]
        place = (place - 1) >> 1
    later[place] = request
    own[LATER] += 1


@rare
def take_later(own: IntArray, later: IntArray, asks: IntArray) -> int:
    """Take out the request that is due first."""
    first = later[0]
    own[LATER] -= 1
    size = own[LATER]
    moved, place = later[size], 0
    while True:
        down = 2 * place + 1
        if down >= size:
            break
        if down + 1 < size and due_before(asks, later[down + 1], later[down]):
            down += 1
        if not due_before(asks, later[down], moved):
            break
        later[place] = later[down]
        place = down
    later[place] = moved
    return first


@inline
def busy_until(fleet: Fleet, replica: int, now: int) -> int:
    """Return the ticks that a replica was busy by now; it may be ahead, and was busy all the way then."""
    state = fleet.states[0, replica]
    return fleet.states[1, replica, BUSY] + state[BUSY] - max(state[TIME] - now, 0)


@inline
def unanswered(fleet: Fleet, replica: int, now: int) -> int:
    """Return how much a replica that was brought to a moment has not answered, what is on its way included."""
    state = fleet.states[0, replica]
    ended = state[ENDED] if state[TIME] > now else 0
    return state[OUTSTANDING] + ended + fleet.rows[replica, LANDING]


@inline
def close_drained(fleet: Fleet, replica: int, now: int) -> None:
    """Turn off a replica that drains, if it is done, as of when it was."""
    row = fleet.rows[replica]
    if row[STATUS] == DRAINING and unanswered(fleet, replica, now) == 0:
        end = max(fleet.states[0, replica, TIME], row[TIMER])
        row[STATUS], row[TIMER] = OFF, FOREVER
        row[SERVING] += end - row[UP_SINCE]
        row[PAID] += end - row[SINCE]


@inline
def view(fleet: Fleet, gear: Gear, slots: Slots, table: Table, limits: IntArray, replica: int, now: int) -> None:
    """Read a replica's load: what was sent there and is not answered; what the step in progress ends is not yet."""
    work = work_at(gear)
    state = fleet.states[0, replica]
    ended = state[ENDED] if state[TIME] > now else 0
    if fleet.settings[TRACKED]:
        load, count, before, request = 0, 0, -1, fleet.rows[replica, FIRST]
        while request >= 0:
            after = fleet.asks[request, LINK]
            if 0 <= work.rows[FINISH, request] <= now:
                if before >= 0:
                    fleet.asks[before, LINK] = after
                else:
                    fleet.rows[replica, FIRST] = after
            else:
                load += fleet.asks[request, WEIGHT]
                count += 1
                before = request
            request = after
        fleet.hot[LOAD, replica], fleet.hot[COUNT, replica] = load, count
    else:
        fleet.hot[LOAD, replica] = state[OUTSTANDING] + ended + fleet.rows[replica, LANDING]
        fleet.hot[COUNT, replica] = fleet.hot[LOAD, replica]
    fleet.hot[WAKE, replica] = state[TIME] if ended > 0 else wake_of(state, slots, table, limits)


@rare
def settle(fleet: Fleet, gear: Gear, replica: int, now: int, request: int) -> None:
    """Bring a replica to a moment, give it a request (-1 for none), and read its load."""
    work = work_at(gear)
    state, kind = fleet.states[0, replica], fleet.rows[replica, KIND]
    slots, table, limits = slots_at(gear, replica), table_at(gear, kind), fleet.bounds[kind]
    if state[TIME] < now:
        bring(state, slots, work, table, limits, now)
    if request >= 0:
        enqueue(state, slots, work, request, now)
    view(fleet, gear, slots, table, limits, replica, now)


@rare
def settle_some(fleet: Fleet, gear: Gear, first: int, last: int, now: int) -> int:
    """Bring replicas, those from a first up to another, to a moment; return how much they have not answered.

    Offline work counts. Of the replicas that drain, those that are done close.
    """
    left = 0
    for replica in range(first, last):
        settle(fleet, gear, replica, now, np.int64(-1))
        close_drained(fleet, replica, now)
        left += unanswered(fleet, replica, now)
    return left


@inline
def bank(fleet: Fleet, replica: int) -> None:
    """Add what a replica's engine counted to the replica's totals."""
    total, state = fleet.states[1, replica], fleet.states[0, replica]
    for field in range(len(state)):
        if field == PEAK:
            total[PEAK] = max(total[PEAK], state[PEAK])
        elif field != HORIZON:
            total[field] += state[field]
