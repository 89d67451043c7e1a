"""What changes a fleet: failures, scaling, samples, offline work, and loads told to the router."""

from __future__ import annotations

from jevons.serving.sim._kernels.engine import enqueue
from jevons.serving.sim._kernels.fleet_state import (
    ARRIVAL,
    ATTEMPTS,
    BACK_AT,
    BACKLOG,
    BEGIN,
    BELOW,
    BIN,
    BUSY_SAMPLED,
    BUSY_SEEN,
    BY_BUSY,
    CHANGED,
    CHOSEN,
    COLD,
    COUNT,
    DOWN,
    DOWN_AFTER,
    DRAINING,
    DUE,
    END,
    ENOUGH,
    EPOCH,
    EVERY,
    FAILED,
    FATE,
    FIRST,
    FLUSHING,
    GROUP,
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
    PAID,
    POLL,
    READY,
    REFRESHED,
    REPAIR,
    RESUME,
    RETRIES,
    RETRY_TICKS,
    SAMPLE_BUSY,
    SAMPLE_COUNT,
    SAMPLE_PAID,
    SAMPLE_UP,
    SAMPLED,
    SEEN,
    SERVING,
    SINCE,
    STALE,
    STARTING,
    STATUS,
    TARGET,
    TARGET_REPLICA,
    THOUSAND,
    TIMER,
    UP,
    UP_SINCE,
    WAKE,
    Fleet,
    bank,
    busy_until,
    clear,
    close_drained,
    put_later,
    seldom,
    settle_some,
    slots_at,
    table_at,
    take_later,
    unanswered,
    view,
)
from jevons.serving.sim._kernels.state import (
    CLASSES,
    FOREVER,
    HORIZON,
    PARTIAL,
    STEP,
    TAIL,
    TIME,
    Slots,
    Table,
    Work,
    inline,
    reset,
)


@seldom
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
    fleet.own[CHANGED] = 1


@inline
def regroup_if_changed(fleet: Fleet) -> None:
    """List the open replicas anew after a change."""
    if fleet.own[CHANGED]:
        regroup(fleet)


@inline
def renew(fleet: Fleet, all_slots: list[Slots], replica: int, now: int) -> None:
    """Empty a replica: its engine, its caches and the router's notes of it; what it did so far is kept apart."""
    state, limits = fleet.states[0, replica], fleet.bounds[fleet.rows[replica, KIND]]
    bank(fleet, replica)
    reset(state, limits)
    state[TIME] = now
    clear(slots_at(all_slots, replica), limits)
    fleet.rows[replica, LANDING], fleet.rows[replica, FIRST] = 0, -1
    fleet.hot[LOAD, replica] = fleet.hot[COUNT, replica] = fleet.hot[SEEN, replica] = 0
    fleet.hot[WAKE, replica] = FOREVER
    fleet.rows[replica, EPOCH] += 1
    for adapter in range(fleet.adapters.shape[1]):
        fleet.adapters[replica, adapter, READY] = -1


@seldom
def put_back(fleet: Fleet, work: Work, request: int, death: int) -> None:
    """Send again, later, what a failed replica had; offline work goes back to its pile."""
    mark = fleet.asks[request]
    work.ready[request] = 0
    if fleet.settings[RESUME] == 0:
        work.made[request] = 0
        work.first[request] = -1
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


@seldom
def fail(fleet: Fleet, work: Work, all_slots: Slots, tables: Table, replica: int, now: int) -> None:
    """Let a replica fail once the step in progress is over, and lose its cache and all it works on."""
    row, state, kind = fleet.rows[replica], fleet.states[0, replica], fleet.rows[replica, KIND]
    limits, slots = fleet.bounds[kind], slots_at(all_slots, replica)
    settle_some(fleet, work, all_slots, tables, replica, replica + 1, now)
    if row[STATUS] == OFF:
        return
    death = max(now, state[TIME])
    slot = state[TAIL]
    while slot >= 0:
        request = slots.request[slot]
        if slot != state[PARTIAL]:
            work.made[request] += state[STEP] - slots.start[slot]
        put_back(fleet, work, request, death)
        slot = slots.before[slot]
    for rank in range(limits[CLASSES]):
        request = slots.heads[rank]
        while request >= 0:
            after = work.following[request]
            put_back(fleet, work, request, death)
            request = after
    renew(fleet, all_slots, replica, death)
    fleet.own[FAILED] += 1
    row[SERVING] += death - row[UP_SINCE]
    if row[STATUS] == DRAINING:
        row[STATUS], row[TIMER] = OFF, FOREVER
        row[PAID] += death - row[SINCE]
    else:
        row[STATUS] = DOWN
        row[TIMER] = death + fleet.settings[REPAIR] if fleet.settings[REPAIR] < FOREVER else FOREVER
    regroup(fleet)


@seldom
def set_horizons(fleet: Fleet, replica: int) -> None:
    """Let no replica (or not this one) run blindly beyond its next failure."""
    for other in range(len(fleet.rows)):
        if replica in (-1, other):
            fleet.states[0, other, HORIZON] = FOREVER
            for place in range(fleet.own[NEXT_FAIL], len(fleet.failures)):
                if fleet.failures[place, 1] == other:
                    fleet.states[0, other, HORIZON] = fleet.failures[place, 0]
                    break


@seldom
def wanted(fleet: Fleet, kind: int, now: int) -> int:
    """Return how many replicas of a kind its target asks for, within its limits."""
    scale = fleet.kinds[kind]
    held = 0
    request = fleet.own[HELD_FIRST]
    while request >= 0:
        held += fleet.serves[fleet.asks[request, GROUP], kind]
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
        total = (total + held) * THOUSAND
    ask = (total + per_replica - 1) // per_replica
    return min(max(ask, scale[LEAST], 1 if held > 0 else 0), scale[MOST])


@seldom
def evaluate(fleet: Fleet, kind: int, now: int) -> None:
    """Start replicas of a kind, or let some drain."""
    scale, rows = fleet.kinds[kind], fleet.rows
    ask = wanted(fleet, kind, now)
    committed = 0
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
                fleet.own[CHANGED] = 1
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
            fleet.own[CHANGED] = 1
    regroup_if_changed(fleet)


@seldom
def sample(fleet: Fleet, now: int) -> None:
    """Note how many replicas of each kind are up and paid, their load, and how long they were busy."""
    place = fleet.own[SAMPLED]
    for replica in range(len(fleet.rows)):
        row, kind = fleet.rows[replica], fleet.rows[replica, KIND]
        found = fleet.samples[place, kind]
        found[SAMPLE_UP] += row[STATUS] in (UP, DRAINING)
        found[SAMPLE_PAID] += row[STATUS] != OFF
        if row[STATUS] in (UP, DRAINING):
            found[SAMPLE_COUNT] += fleet.hot[COUNT, replica]
        busy = busy_until(fleet, replica, now)
        found[SAMPLE_BUSY] += busy - row[BUSY_SAMPLED]
        row[BUSY_SAMPLED] = busy
    fleet.own[SAMPLED] += 1


@seldom
def hand_out(fleet: Fleet, work: Work, all_slots: Slots, tables: Table, now: int) -> None:
    """Give offline work to the open replicas that have little to do."""
    first, size = fleet.settings[ONLINE], len(fleet.piles[1])
    for replica in range(len(fleet.rows)):
        kind = fleet.rows[replica, KIND]
        if fleet.rows[replica, STATUS] == UP and fleet.serves[len(fleet.serves) - 1, kind]:
            state, slots = fleet.states[0, replica], slots_at(all_slots, replica)
            while fleet.own[BACKLOG] > 0 and unanswered(fleet, replica, now) < fleet.settings[BELOW]:
                request = fleet.piles[1][fleet.own[BACK_AT] % size]
                fleet.own[BACK_AT] += 1
                fleet.own[BACKLOG] -= 1
                enqueue(state, slots, work, request, now)
                fleet.asks[request, CHOSEN] = replica
                if fleet.asks[request, ARRIVAL] < 0:
                    fleet.asks[request, ARRIVAL] = now
            view(fleet, work, slots, table_at(tables, kind), fleet.bounds[kind], replica, now)
    fleet.own[NEXT_POLL] += fleet.settings[POLL]
    if fleet.own[NEXT_POLL] > fleet.asks[first - 1, ARRIVAL]:
        fleet.own[NEXT_POLL] = FOREVER


@seldom
def refresh(fleet: Fleet, work: Work, all_slots: Slots, tables: Table, now: int) -> None:
    """Let the router see the loads of the last moment at which they were told."""
    moment = now // fleet.settings[STALE] * fleet.settings[STALE]
    settle_some(fleet, work, all_slots, tables, 0, len(fleet.rows), moment)
    for replica in range(len(fleet.rows)):
        fleet.hot[SEEN, replica] = fleet.hot[LOAD, replica]
    fleet.own[REFRESHED] = moment


@inline
def next_sample(fleet: Fleet) -> int:
    """Return when the next sample is due."""
    done = fleet.own[SAMPLED]
    return (done + 1) * fleet.settings[BIN] if done < len(fleet.samples) else FOREVER


@seldom
def next_change(fleet: Fleet) -> int:
    """Return when anything but a new request is due."""
    found = min(fleet.own[NEXT_POLL], next_sample(fleet))
    for replica in range(len(fleet.rows)):
        if fleet.rows[replica, STATUS] in (STARTING, DOWN):
            found = min(found, fleet.rows[replica, TIMER])
    for kind in range(len(fleet.kinds)):
        found = min(found, fleet.kinds[kind, LOOK])
    if fleet.own[NEXT_FAIL] < len(fleet.failures):
        found = min(found, fleet.failures[fleet.own[NEXT_FAIL], 0])
    if fleet.own[LATER] > 0:
        found = min(found, fleet.asks[fleet.piles[0][0], DUE])
    return found


@seldom
def change(fleet: Fleet, work: Work, all_slots: Slots, tables: Table, now: int) -> int:
    """Do the first of what is due; return a request that is back, or -1."""
    own, rows = fleet.own, fleet.rows
    own[CHANGED] = 0
    own[LAST_EVENT] = now
    for replica in range(len(rows)):
        if rows[replica, STATUS] in (STARTING, DOWN) and rows[replica, TIMER] == now:
            renew(fleet, all_slots, replica, now)
            set_horizons(fleet, replica)
            rows[replica, STATUS], rows[replica, TIMER], rows[replica, UP_SINCE] = UP, FOREVER, now
            regroup(fleet)
            return -1
    if own[NEXT_FAIL] < len(fleet.failures) and fleet.failures[own[NEXT_FAIL], 0] == now:
        replica = fleet.failures[own[NEXT_FAIL], 1]
        own[NEXT_FAIL] += 1
        if rows[replica, STATUS] in (UP, DRAINING):
            fail(fleet, work, all_slots, tables, replica, now)
        set_horizons(fleet, replica)
        return -1
    for kind in range(len(fleet.kinds)):
        if fleet.kinds[kind, LOOK] == now:
            settle_some(fleet, work, all_slots, tables, fleet.kinds[kind, BEGIN], fleet.kinds[kind, END], now)
            evaluate(fleet, kind, now)
            fleet.kinds[kind, LOOK] += fleet.kinds[kind, EVERY]
            return -1
    if next_sample(fleet) == now:
        settle_some(fleet, work, all_slots, tables, 0, len(rows), now)
        sample(fleet, now)
        regroup_if_changed(fleet)
        return -1
    if own[NEXT_POLL] == now:
        settle_some(fleet, work, all_slots, tables, 0, len(rows), now)
        hand_out(fleet, work, all_slots, tables, now)
        return -1
    request = take_later(own, fleet.piles[0], fleet.asks)
    if request >= fleet.settings[ONLINE]:
        fleet.piles[1][(own[BACK_AT] + own[BACKLOG]) % len(fleet.piles[1])] = request
        own[BACKLOG] += 1
        return -1
    return request
