"""What changes a fleet: failures, scaling, samples, offline work, and loads told to the router."""

from __future__ import annotations

from jevons.serving.sim._kernels.fleet_state import (
    ARRIVAL,
    ATTEMPTS,
    BACK_AT,
    BACKLOG,
    BELOW,
    BIN,
    BUSY_SAMPLED,
    BUSY_SEEN,
    BY_BUSY,
    CHOSEN,
    COLD,
    COME_BACK,
    COUNT,
    DOWN,
    DOWN_AFTER,
    DRAINING,
    DUE,
    ENOUGH,
    EPOCH,
    EVALUATE,
    EVERY,
    FAIL,
    FAILED,
    FATE,
    FIRST,
    FLUSHING,
    GROUP,
    HAND_OUT,
    HELD,
    HELD_FIRST,
    KIND,
    LANDING,
    LAST_EVENT,
    LATER,
    LEAST,
    LINK,
    LOAD,
    LOOK,
    LOST,
    MOST,
    NEXT_FAIL,
    NEXT_POLL,
    OFF,
    ONLINE,
    OPEN_UP,
    PAID,
    POLL,
    READY,
    REPAIR,
    RESUME,
    RETRIES,
    RETRY_TICKS,
    SAMPLE_BUSY,
    SAMPLE_COUNT,
    SAMPLE_PAID,
    SAMPLE_TICKS,
    SAMPLE_UP,
    SAMPLED,
    SEEN,
    SERVING,
    SINCE,
    STARTING,
    STATUS,
    TAKE_SAMPLE,
    TARGET,
    TARGET_REPLICA,
    THOUSAND,
    TIMER,
    UP,
    UP_SINCE,
    WAKE,
    Fleet,
    Gear,
    bank,
    busy_until,
    close_drained,
    put_later,
    settle,
    slots_at,
    take_later,
    unanswered,
    work_at,
)
from jevons.serving.sim._kernels.state import (
    BEFORE,
    CACHE_AT,
    CLASSES,
    FIRST_TOKEN,
    FOLLOWING,
    FOREVER,
    HORIZON,
    MADE,
    PARTIAL,
    REQUEST,
    START,
    STEP,
    TAIL,
    TIME,
    clear,
    inline,
    rare,
    reset,
)


@rare
def regroup(fleet: Fleet) -> None:
    """List the open replicas of each group of requests; the requests that none could take are tried again."""
    for group in range(len(fleet.serves)):
        size, turn = 0, -1
        for replica in range(len(fleet.rows)):
            if fleet.rows[replica, STATUS] == UP and fleet.serves[group, fleet.rows[replica, KIND]]:
                fleet.members[group, size] = replica
                if turn < 0 and replica > fleet.turns[group, 2]:
                    turn = size
                size += 1
        fleet.turns[group, 0], fleet.turns[group, 1] = size, max(turn, 0)
    fleet.own[FLUSHING] = fleet.own[HELD]


@rare
def renew(fleet: Fleet, gear: Gear, replica: int, now: int) -> None:
    """Empty a replica: its engine, its caches and the router's notes of it; what it did so far is kept apart."""
    state, limits = fleet.states[0, replica], fleet.bounds[fleet.rows[replica, KIND]]
    bank(fleet, replica)
    reset(state, limits)
    state[TIME] = now
    clear(slots_at(gear, replica), limits)
    fleet.rows[replica, LANDING], fleet.rows[replica, FIRST] = 0, -1
    fleet.hot[LOAD, replica] = fleet.hot[COUNT, replica] = fleet.hot[SEEN, replica] = 0
    fleet.hot[WAKE, replica] = FOREVER
    fleet.rows[replica, EPOCH] += 1
    for adapter in range(fleet.adapters.shape[1]):
        fleet.adapters[replica, adapter, READY] = -1


@rare
def put_back(fleet: Fleet, gear: Gear, request: int, death: int) -> None:
    """Send again, later, what a failed replica had; offline work goes back to its pile."""
    work = work_at(gear)
    mark = fleet.asks[request]
    work.rows[CACHE_AT, request] = 0
    if fleet.settings[RESUME] == 0:
        work.rows[MADE, request] = 0
        work.rows[FIRST_TOKEN, request] = -1
    mark[ATTEMPTS] += 1
    mark[TARGET_REPLICA] = -1
    if request >= fleet.settings[ONLINE]:
        mark[DUE] = death
    elif mark[ATTEMPTS] > fleet.settings[RETRIES]:
        mark[FATE] = LOST
        return
    else:
        mark[DUE] = death + fleet.settings[RETRY_TICKS]
    put_later(fleet.own, fleet.piles[0], fleet.asks, request)


@inline
def fail(fleet: Fleet, gear: Gear, replica: int, now: int) -> None:
    """Let a replica that was brought to this moment fail, and lose its cache and all it works on.

    The step in progress is finished first.
    """
    work = work_at(gear)
    fleet.own[NEXT_FAIL] += 1
    row, state, kind = fleet.rows[replica], fleet.states[0, replica], fleet.rows[replica, KIND]
    limits, slots = fleet.bounds[kind], slots_at(gear, replica)
    if row[STATUS] not in (UP, DRAINING):
        return
    death = max(now, state[TIME])
    slot = state[TAIL]
    while slot >= 0:
        request = slots.rows[REQUEST, slot]
        if slot != state[PARTIAL]:
            work.rows[MADE, request] += state[STEP] - slots.rows[START, slot]
        put_back(fleet, gear, request, death)
        slot = slots.rows[BEFORE, slot]
    for rank in range(limits[CLASSES]):
        request = slots.ends[0, rank]
        while request >= 0:
            after = work.rows[FOLLOWING, request]
            put_back(fleet, gear, request, death)
            request = after
    renew(fleet, gear, replica, death)
    fleet.own[FAILED] += 1
    row[SERVING] += death - row[UP_SINCE]
    if row[STATUS] == DRAINING:
        row[STATUS], row[TIMER] = OFF, FOREVER
        row[PAID] += death - row[SINCE]
    else:
        row[STATUS] = DOWN
        row[TIMER] = death + fleet.settings[REPAIR] if fleet.settings[REPAIR] < FOREVER else FOREVER
    regroup(fleet)


@inline
def open_up(fleet: Fleet, gear: Gear, replica: int, now: int) -> None:
    """Let a replica that was started or repaired take requests."""
    row = fleet.rows[replica]
    renew(fleet, gear, replica, now)
    row[STATUS], row[TIMER], row[UP_SINCE] = UP, FOREVER, now
    regroup(fleet)


@rare
def set_horizons(fleet: Fleet, replica: int) -> None:
    """Let no replica (or not this one) run blindly beyond its next failure."""
    for other in range(len(fleet.rows)):
        if replica in (-1, other):
            fleet.states[0, other, HORIZON] = FOREVER
            for place in range(fleet.own[NEXT_FAIL], len(fleet.failures)):
                if fleet.failures[place, 1] == other:
                    fleet.states[0, other, HORIZON] = fleet.failures[place, 0]
                    break


@rare
def wanted(fleet: Fleet, kind: int, now: int) -> int:
    """Return how many replicas of a kind its target asks for, within its limits."""
    scale = fleet.kinds[kind]
    waiting = 0
    request = fleet.own[HELD_FIRST]
    while request >= 0:
        waiting += fleet.serves[fleet.asks[request, GROUP], kind]
        request = fleet.asks[request, LINK]
    total = 0
    for replica in range(len(fleet.rows)):
        row = fleet.rows[replica]
        if row[KIND] == kind:
            if scale[BY_BUSY]:
                busy = busy_until(fleet, replica, now)
                total += busy - row[BUSY_SEEN]
                row[BUSY_SEEN] = busy
            elif row[STATUS] in (UP, DRAINING):
                total += fleet.hot[COUNT, replica]
    if scale[BY_BUSY]:
        per_replica = scale[EVERY] // THOUSAND**2 * scale[TARGET]
        total = total // THOUSAND**2 * THOUSAND
    else:
        per_replica = scale[TARGET]
        total = (total + waiting) * THOUSAND
    ask = (total + per_replica - 1) // per_replica
    return min(max(ask, scale[LEAST], 1 if waiting > 0 else 0), scale[MOST])


@rare
def evaluate(fleet: Fleet, kind: int, now: int) -> None:
    """Start replicas of a kind, or let some drain."""
    scale, rows = fleet.kinds[kind], fleet.rows
    scale[LOOK] += scale[EVERY]
    ask = wanted(fleet, kind, now)
    committed, changed = 0, False
    for replica in range(len(rows)):
        if fleet.rows[replica, KIND] == kind and rows[replica, STATUS] in (UP, STARTING):
            committed += 1
    if ask >= committed:
        fleet.kinds[kind, ENOUGH] = now
    for status in (DRAINING, OFF):
        for replica in range(len(rows)):
            if committed < ask and fleet.rows[replica, KIND] == kind and rows[replica, STATUS] == status:
                if status == DRAINING:
                    rows[replica, STATUS], rows[replica, TIMER] = UP, FOREVER
                else:
                    begun = max(now, fleet.states[0, replica, TIME])
                    rows[replica, STATUS], rows[replica, TIMER] = STARTING, begun + scale[COLD]
                    rows[replica, SINCE] = begun
                committed += 1
                changed = True
    if now - fleet.kinds[kind, ENOUGH] >= scale[DOWN_AFTER]:
        while committed > ask:
            least, chosen = FOREVER, -1
            for replica in range(len(rows) - 1, -1, -1):
                if fleet.rows[replica, KIND] == kind and rows[replica, STATUS] in (UP, STARTING):
                    count = fleet.hot[COUNT, replica] if rows[replica, STATUS] == UP else -1
                    if count < least:
                        least, chosen = count, replica
            row = rows[chosen]
            if row[STATUS] == STARTING:
                row[STATUS], row[TIMER] = OFF, FOREVER
                row[PAID] += max(now - row[SINCE], 0)
            else:
                row[STATUS], row[TIMER] = DRAINING, now
                close_drained(fleet, chosen, now)
            committed -= 1
            changed = True
    if changed:
        regroup(fleet)


@rare
def sample(fleet: Fleet, now: int) -> None:
    """Note how many replicas of each kind are up and paid, their load, and how long they were busy."""
    place = fleet.own[SAMPLED]
    for replica in range(len(fleet.rows)):
        row, kind = fleet.rows[replica], fleet.rows[replica, KIND]
        sampled = fleet.samples[place, kind]
        sampled[SAMPLE_UP] += row[STATUS] in (UP, DRAINING)
        sampled[SAMPLE_PAID] += row[STATUS] != OFF
        if row[STATUS] in (UP, DRAINING):
            sampled[SAMPLE_COUNT] += fleet.hot[COUNT, replica]
        busy = busy_until(fleet, replica, now) // SAMPLE_TICKS
        sampled[SAMPLE_BUSY] += busy - row[BUSY_SAMPLED]
        row[BUSY_SAMPLED] = busy
    fleet.own[SAMPLED] += 1


@inline
def hand_out(fleet: Fleet, gear: Gear, now: int) -> None:
    """Give offline work to the open replicas that have little to do."""
    own, pile = fleet.own, fleet.piles[1]
    for replica in range(len(fleet.rows)):
        if fleet.rows[replica, STATUS] == UP and fleet.serves[len(fleet.serves) - 1, fleet.rows[replica, KIND]]:
            while own[BACKLOG] > 0 and unanswered(fleet, replica, now) < fleet.settings[BELOW]:
                request = pile[own[BACK_AT] % len(pile)]
                own[BACK_AT] += 1
                own[BACKLOG] -= 1
                fleet.asks[request, CHOSEN] = replica
                if fleet.asks[request, ARRIVAL] < 0:
                    fleet.asks[request, ARRIVAL] = now
                settle(fleet, gear, replica, now, request)
    own[NEXT_POLL] += fleet.settings[POLL]
    if own[NEXT_POLL] > fleet.asks[fleet.settings[ONLINE] - 1, ARRIVAL]:
        own[NEXT_POLL] = FOREVER


@inline
def next_sample(fleet: Fleet) -> int:
    """Return when the next sample is due."""
    done = fleet.own[SAMPLED]
    return (done + 1) * fleet.settings[BIN] if done < len(fleet.samples) else FOREVER


@rare
def next_change(fleet: Fleet) -> int:
    """Return when anything but a new request is due."""
    earliest = min(fleet.own[NEXT_POLL], next_sample(fleet))
    for replica in range(len(fleet.rows)):
        if fleet.rows[replica, STATUS] in (STARTING, DOWN):
            earliest = min(earliest, fleet.rows[replica, TIMER])
    for kind in range(len(fleet.kinds)):
        earliest = min(earliest, fleet.kinds[kind, LOOK])
    if fleet.own[NEXT_FAIL] < len(fleet.failures):
        earliest = min(earliest, fleet.failures[fleet.own[NEXT_FAIL], 0])
    if fleet.own[LATER] > 0:
        earliest = min(earliest, fleet.asks[fleet.piles[0][0], DUE])
    return earliest


@rare
def task_at(fleet: Fleet, now: int) -> tuple[int, int]:
    """Return the first of what is due, and the replica or kind that it is about."""
    rows = fleet.rows
    for replica in range(len(rows)):
        if rows[replica, STATUS] in (STARTING, DOWN) and rows[replica, TIMER] == now:
            return OPEN_UP, replica
    place = fleet.own[NEXT_FAIL]
    if place < len(fleet.failures) and fleet.failures[place, 0] == now:
        return FAIL, fleet.failures[place, 1]
    for kind in range(len(fleet.kinds)):
        if fleet.kinds[kind, LOOK] == now:
            return EVALUATE, kind
    if next_sample(fleet) == now:
        return TAKE_SAMPLE, 0
    return (HAND_OUT, 0) if fleet.own[NEXT_POLL] == now else (COME_BACK, 0)


@rare
def come_back(fleet: Fleet) -> int:
    """Return the request that is due first, or -1 where it is offline work, which goes to the end of its pile."""
    own, pile = fleet.own, fleet.piles[1]
    request = take_later(own, fleet.piles[0], fleet.asks)
    if request < fleet.settings[ONLINE]:
        return request
    pile[(own[BACK_AT] + own[BACKLOG]) % len(pile)] = request
    own[BACKLOG] += 1
    return -1


@rare
def change(fleet: Fleet, gear: Gear, now: int, task: int, subject: int) -> int:
    """Do what is due, for which replicas were brought to this moment; return a request that is back, or -1."""
    fleet.own[LAST_EVENT] = now
    if task == OPEN_UP:
        open_up(fleet, gear, subject, now)
        set_horizons(fleet, subject)
    elif task == FAIL:
        fail(fleet, gear, subject, now)
        set_horizons(fleet, subject)
    elif task == EVALUATE:
        evaluate(fleet, subject, now)
    elif task == TAKE_SAMPLE:
        sample(fleet, now)
    elif task == HAND_OUT:
        hand_out(fleet, gear, now)
    else:
        return come_back(fleet)
    return -1
