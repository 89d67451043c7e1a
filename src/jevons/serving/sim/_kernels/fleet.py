"""A fleet: routing, admission, adapters, failures, scaling and offline work over replicas of several kinds.

One loop over moments. At each, what changes the fleet comes before what arrives: loads are refreshed, replicas open,
fail, are scaled and sampled, offline work is handed out, requests come back, and then new ones come. Replicas are
brought to a moment only where somebody looks at them. Equal to `jevons.serving.sim.fleet.run._reference` to the tick.
"""

from __future__ import annotations

import numpy as np

from jevons.serving.compiled import compiled
from jevons.serving.sim._kernels.fleet_change import change, next_change, regroup, set_horizons, task_at
from jevons.serving.sim._kernels.fleet_state import (
    ADAPTER,
    ADAPTERS,
    AHEAD,
    ANSWERED,
    ARRIVAL,
    ATTEMPTS,
    BEGIN,
    CHOSEN,
    CLOCK,
    COME_BACK,
    COUNT,
    DOWN,
    DRAINING,
    DUE,
    DUE_AT,
    END,
    EPOCH,
    EVALUATE,
    FAIL,
    FATE,
    FIRST,
    FLUSHING,
    GAP,
    GROUP,
    HELD,
    HELD_FIRST,
    HELD_LAST,
    KIND,
    LANDING,
    LAST_EVENT,
    LATER,
    LEFT,
    LINK,
    LOAD,
    LOOK,
    LOST,
    MODEL,
    MOST,
    NO_REPLICA,
    OFF,
    ONLINE,
    OPEN_UP,
    OWN,
    PAID,
    POLL,
    PREFIX,
    QUEUE_LIMIT,
    QUEUED,
    RANK,
    RATE_LIMIT,
    READY,
    REFRESHED,
    RETRIES,
    ROUND_ROBIN,
    ROUTING,
    SEED,
    SEEN,
    SENT_EPOCH,
    SERVING,
    SESSION,
    SESSION_OF,
    SINCE,
    SLACK,
    STALE,
    STARTING,
    STATUS,
    SWITCH,
    TARGET_REPLICA,
    TIMER,
    TRACKED,
    TWO_CHOICES,
    UNIT,
    UP,
    UP_SINCE,
    USED_AT,
    WAKE,
    WEIGHT,
    Fleet,
    Gear,
    bank,
    close_drained,
    draw,
    put_later,
    settle,
    settle_some,
    slots_at,
    work_at,
)
from jevons.serving.sim._kernels.state import (
    BLOCK,
    CLASS_OF,
    CLASSES,
    FINISH,
    FOLLOWING,
    FOREVER,
    ISL,
    TIME,
    WAITING,
    IntArray,
    Slots,
    clear,
    inline,
    rare,
    reset,
)


@inline
def limited(rates: IntArray, rank: int, now: int) -> bool:
    """Return whether a rate limit refuses a request; count it if none does."""
    for place in range(len(rates)):
        rate = rates[place]
        if rate[RANK] in (-1, rank) and rate[DUE_AT] > now + rate[AHEAD]:
            return True
    for place in range(len(rates)):
        rate = rates[place]
        if rate[RANK] in (-1, rank):
            rate[DUE_AT] = max(rate[DUE_AT], now) + rate[GAP]
    return False


@inline
def home_of(fleet: Fleet, group: int, code: int) -> int:
    """Return the replica that a note of the router names, if it is open, serves the request, and has not begun anew."""
    if code < 0:
        return -1
    replica, epoch = code % len(fleet.rows), code // len(fleet.rows)
    row = fleet.rows[replica]
    if row[STATUS] != UP or row[EPOCH] != epoch or not fleet.serves[group, fleet.rows[replica, KIND]]:
        return -1
    return replica


@inline
def prefix_home(fleet: Fleet, gear: Gear, request: int) -> int:
    """Return the replica that the longest known prefix of a prompt went to, or -1."""
    work = work_at(gear)
    start = work.hash_start[request]
    whole = min(work.hash_start[request + 1] - start, work.rows[ISL, request] // fleet.bounds[0, BLOCK])
    for index in range(start + whole - 1, start - 1, -1):
        replica = home_of(fleet, fleet.asks[request, GROUP], fleet.home[work.hashes[index]])
        if replica >= 0:
            return replica
    return -1


@inline
def remember(fleet: Fleet, gear: Gear, request: int, replica: int) -> None:
    """Note where a session, or the prefix of a prompt, went."""
    work = work_at(gear)
    code = fleet.rows[replica, EPOCH] * len(fleet.rows) + replica
    if fleet.settings[ROUTING] == SESSION:
        fleet.home[fleet.asks[request, SESSION_OF]] = code
    elif fleet.settings[ROUTING] == PREFIX:
        start = work.hash_start[request]
        whole = min(work.hash_start[request + 1] - start, work.rows[ISL, request] // fleet.bounds[0, BLOCK])
        for index in range(start, start + whole):
            fleet.home[work.hashes[index]] = code


@rare
def route(fleet: Fleet, gear: Gear, request: int, now: int) -> int:
    """Return the replica that a request is sent to, or -1 where none is open."""
    group, way, fresh = fleet.asks[request, GROUP], fleet.settings[ROUTING], fleet.settings[STALE] == 0
    size, members = fleet.turns[group, 0], fleet.members[group]
    if size == 0:
        return -1
    if way == ROUND_ROBIN:
        turn = fleet.turns[group, 1]
        turn = turn if turn < size else 0
        fleet.turns[group, 1], fleet.turns[group, 2] = turn + 1, members[turn]
        return members[turn]
    if way == SESSION:
        replica = home_of(fleet, group, fleet.home[fleet.asks[request, SESSION_OF]])
        if replica >= 0:
            return replica
    one, other, looked = 0, 0, size
    if way == TWO_CHOICES:
        attempt = fleet.asks[request, ATTEMPTS]
        looked = min(size, 2)
        one = draw(fleet.settings[SEED], request, attempt, 0) % size
        if size > 1:
            other = draw(fleet.settings[SEED], request, attempt, 1) % (size - 1)
            other += other >= one
    loads = fleet.hot[LOAD] if fresh else fleet.hot[SEEN]
    best, least, near, nearest = -1, FOREVER, -1, FOREVER
    for place in range(looked):
        replica = members[place]
        if way == TWO_CHOICES:
            replica = members[one] if place == 0 else members[other]
        if fresh and fleet.hot[WAKE, replica] <= now:
            settle(fleet, gear, replica, now, np.int64(-1))
        load = loads[replica] * fleet.rows[replica, UNIT]
        if load < least:
            best, least = replica, load
        if way == ADAPTER and load < nearest and fleet.adapters[replica, fleet.asks[request, MODEL], READY] >= 0:
            near, nearest = replica, load
    if way == PREFIX:
        near = prefix_home(fleet, gear, request)
    if near >= 0 and loads[near] * fleet.rows[near, UNIT] <= least + fleet.settings[SLACK] * fleet.rows[near, UNIT]:
        return near
    return best


@inline
def switched_in(fleet: Fleet, request: int, replica: int, now: int) -> int:
    """Return when a replica has a request's adapter, for which it drops the one least recently asked for."""
    own_kind = fleet.kinds[fleet.rows[replica, KIND]]
    if own_kind[ADAPTERS] == 0:
        return now
    loaded, adapter = fleet.adapters[replica], fleet.asks[request, MODEL]
    if loaded[adapter, READY] < 0:
        resident, oldest = 0, -1
        for other in range(len(loaded)):
            if loaded[other, READY] >= 0:
                resident += 1
                if oldest < 0 or loaded[other, USED_AT] < loaded[oldest, USED_AT]:
                    oldest = other
        if resident >= own_kind[ADAPTERS]:
            loaded[oldest, READY] = -1
        loaded[adapter, READY] = now + own_kind[SWITCH]
    fleet.own[CLOCK] += 1
    loaded[adapter, USED_AT] = fleet.own[CLOCK]
    return max(loaded[adapter, READY], now)


@inline
def queued(fleet: Fleet, gear: Gear, slots: Slots, replica: int, limits: IntArray) -> int:
    """Return how many requests wait at a replica or are on their way there, offline work apart."""
    work = work_at(gear)
    waiting = fleet.states[0, replica, WAITING] + fleet.rows[replica, LANDING]
    if fleet.settings[POLL] > 0:
        request = slots.ends[0, limits[CLASSES] - 1]
        while request >= 0:
            waiting -= 1
            request = work.rows[FOLLOWING, request]
    return waiting


@inline
def hold(fleet: Fleet, request: int) -> None:
    """Keep a request that no open replica can take."""
    own = fleet.own
    fleet.asks[request, LINK] = -1
    if own[HELD] > 0:
        fleet.asks[own[HELD_LAST], LINK] = request
    else:
        own[HELD_FIRST] = request
    own[HELD_LAST] = request
    own[HELD] += 1


@inline
def release_held(fleet: Fleet) -> int:
    """Take out the request that is kept longest."""
    own = fleet.own
    request = own[HELD_FIRST]
    own[HELD_FIRST] = fleet.asks[request, LINK]
    own[HELD] -= 1
    own[FLUSHING] -= 1
    return request


@rare
def hopeless(fleet: Fleet) -> bool:
    """Return whether none of the requests that are kept will ever find a replica."""
    request = fleet.own[HELD_FIRST]
    while request >= 0:
        for replica in range(len(fleet.rows)):
            kind, status = fleet.rows[replica, KIND], fleet.rows[replica, STATUS]
            if not fleet.serves[fleet.asks[request, GROUP], kind]:
                continue
            if status in (STARTING, DOWN) and fleet.rows[replica, TIMER] < FOREVER:
                return False
            if status in (OFF, DRAINING) and fleet.kinds[kind, LOOK] < FOREVER and fleet.kinds[kind, MOST] > 0:
                return False
        request = fleet.asks[request, LINK]
    return True


@rare
def close_books(fleet: Fleet, gear: Gear) -> None:
    """Pay replicas until the end, and say what became of each request."""
    work = work_at(gear)
    end = max(fleet.own[LAST_EVENT], fleet.asks[fleet.settings[ONLINE] - 1, ARRIVAL])
    for replica in range(len(fleet.rows)):
        end = max(end, fleet.states[0, replica, TIME])
    fleet.own[LAST_EVENT] = end
    for replica in range(len(fleet.rows)):
        close_drained(fleet, replica, end)
        row = fleet.rows[replica]
        if row[STATUS] in (UP, DRAINING):
            row[SERVING] += end - row[UP_SINCE]
        if row[STATUS] != OFF:
            row[PAID] += end - row[SINCE]
        bank(fleet, replica)
    for request in range(len(fleet.asks)):
        if work.rows[FINISH, request] >= 0:
            fleet.asks[request, FATE] = ANSWERED
        elif fleet.asks[request, FATE] == 0:
            fleet.asks[request, FATE] = LEFT if request >= fleet.settings[ONLINE] else NO_REPLICA


@rare
def tell_loads(fleet: Fleet, gear: Gear, now: int) -> None:
    """Let the router see the loads of the last moment at which they were told."""
    stale = fleet.settings[STALE]
    if stale == 0 or now < fleet.own[REFRESHED] + stale:
        return
    fleet.own[REFRESHED] = now // stale * stale
    settle_some(fleet, gear, np.int64(0), len(fleet.rows), fleet.own[REFRESHED])
    for replica in range(len(fleet.rows)):
        fleet.hot[SEEN, replica] = fleet.hot[LOAD, replica]


@inline
def concerned(fleet: Fleet, task: int, subject: int) -> tuple[int, int]:
    """Return the first replica that a task looks at, and the one after the last."""
    if task in (OPEN_UP, COME_BACK):
        return 0, 0
    if task == FAIL:
        return subject, subject + 1
    return (fleet.kinds[subject, BEGIN], fleet.kinds[subject, END]) if task == EVALUATE else (0, len(fleet.rows))


@inline
def taken_by(fleet: Fleet, gear: Gear, request: int, now: int, new: bool) -> int:
    """Return the replica that takes a request, and note it there; -1 where it is held or refused."""
    ask, most = fleet.asks[request], fleet.settings[QUEUED]
    replica = route(fleet, gear, request, now)
    if replica < 0:
        if new and 0 <= most <= fleet.own[HELD]:
            ask[FATE] = QUEUE_LIMIT
        else:
            hold(fleet, request)
        return -1
    if new and most >= 0:
        settle(fleet, gear, replica, now, np.int64(-1))
        limits = fleet.bounds[fleet.rows[replica, KIND]]
        if queued(fleet, gear, slots_at(gear, replica), replica, limits) >= most:
            ask[FATE] = QUEUE_LIMIT
            return -1
    ask[CHOSEN] = replica
    if fleet.settings[TRACKED]:
        ask[LINK] = fleet.rows[replica, FIRST]
        fleet.rows[replica, FIRST] = request
    if fleet.settings[OWN]:
        fleet.hot[SEEN, replica] += ask[WEIGHT]
    if fleet.settings[ROUTING] in (PREFIX, SESSION):
        remember(fleet, gear, request, replica)
    return replica


@inline
def put_on_its_way(fleet: Fleet, request: int, replica: int, ready: int) -> None:
    """Note a request that reaches its replica later."""
    ask = fleet.asks[request]
    ask[DUE], ask[TARGET_REPLICA], ask[SENT_EPOCH] = ready, replica, fleet.rows[replica, EPOCH]
    fleet.rows[replica, LANDING] += 1
    fleet.hot[LOAD, replica] += ask[WEIGHT]
    fleet.hot[COUNT, replica] += 1
    put_later(fleet.own, fleet.piles[0], fleet.asks, request)


@compiled(error_model="numpy", _nrt=False, no_cfunc_wrapper=True)
def run_fleet(ids: IntArray, fleet: Fleet, gear: Gear, rates: IntArray) -> None:
    """Serve the requests *ids* as they come."""
    work = work_at(gear)
    replicas, own, asks = len(fleet.rows), fleet.own, fleet.asks
    for replica in range(replicas):
        limits = fleet.bounds[fleet.rows[replica, KIND]]
        reset(fleet.states[0, replica], limits)
        clear(slots_at(gear, replica), limits)
    set_horizons(fleet, np.int64(-1))
    regroup(fleet)
    index, due, now = 0, next_change(fleet), 0
    while True:
        coming = asks[ids[index], ARRIVAL] if index < len(ids) else FOREVER
        new = False
        if own[FLUSHING] > 0:
            request = release_held(fleet)
        elif coming < due:
            now = coming
            tell_loads(fleet, gear, now)
            request = ids[index]
            index += 1
            new = True
            if limited(rates, work.rows[CLASS_OF, request], now):
                asks[request, FATE] = RATE_LIMIT
                continue
        else:
            ended = index == len(ids)
            if due < FOREVER:
                tell_loads(fleet, gear, due)
            now = due
            task, subject = task_at(fleet, now)
            first, last = (0, replicas) if ended else concerned(fleet, task, subject)
            left = settle_some(fleet, gear, first, last, now)
            if ended and (due == FOREVER or (left == 0 and own[LATER] == 0 and hopeless(fleet))):
                break
            request = change(fleet, gear, now, task, subject)
            due = next_change(fleet)
            if request < 0:
                continue
        ask = asks[request]
        replica = ask[TARGET_REPLICA]
        if replica >= 0 and fleet.rows[replica, EPOCH] == ask[SENT_EPOCH]:
            fleet.rows[replica, LANDING] -= 1
        else:
            if replica >= 0:  # It was on its way to a replica that is gone.
                ask[ATTEMPTS] += 1
                ask[TARGET_REPLICA] = -1
                if ask[ATTEMPTS] > fleet.settings[RETRIES]:
                    ask[FATE] = LOST
                    continue
            replica = taken_by(fleet, gear, request, now, new)
            if replica < 0:
                continue
            ready = switched_in(fleet, request, replica, now)
            if ready > now:
                put_on_its_way(fleet, request, replica, ready)
                due = min(due, ready)
                continue
        ask[TARGET_REPLICA] = -1
        settle(fleet, gear, replica, now, request)
    close_books(fleet, gear)
