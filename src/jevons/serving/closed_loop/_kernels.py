"""An engine that serves requests step by step, leaping over runs of equal steps (numba only)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jevons.serving.compiled import compiled
from jevons.serving.types import FloatArray

IntArray = NDArray[np.int64]

DONE, STUCK = 0, 1
GAP_BINS = 256
GAP_LOW_S, GAP_HIGH_S = 1e-4, 1e3


@compiled()
def _position(grid: FloatArray, value: float) -> tuple[int, float]:
    """Return the interval of an ascending grid that holds a value, and where in it; beyond the ends it extrapolates."""
    low, high = 0, grid.shape[0] - 1
    while high - low > 1:
        middle = (low + high) // 2
        if grid[middle] <= value:
            low = middle
        else:
            high = middle
    share: float = (value - grid[low]) / (grid[low + 1] - grid[low])
    return low, share


@compiled()
def _decode_s(batches: FloatArray, base_s: FloatArray, slope_s: FloatArray, batch: float, context: float) -> float:
    at, share = _position(batches, batch)
    base = base_s[at] + share * (base_s[at + 1] - base_s[at])
    slope = slope_s[at] + share * (slope_s[at + 1] - slope_s[at])
    time_s: float = base + slope * context
    return time_s


@compiled()
def _prompt_s(tokens: FloatArray, batches: FloatArray, mixed_s: FloatArray, new: float, batch: float) -> float:
    """Time of a step with prompt tokens, between the grid's points; never below the smallest grid step."""
    i, u = _position(tokens, max(new, tokens[0]))
    j, v = _position(batches, batch)
    low = mixed_s[i, j] + v * (mixed_s[i, j + 1] - mixed_s[i, j])
    high = mixed_s[i + 1, j] + v * (mixed_s[i + 1, j + 1] - mixed_s[i + 1, j])
    time_s: float = low + u * (high - low)
    return time_s


@compiled()
def _gap(gaps: FloatArray, gap_s: float, count: float) -> None:
    scale = (GAP_BINS - 1) / np.log(GAP_HIGH_S / GAP_LOW_S)
    place = int(np.log(max(gap_s, GAP_LOW_S) / GAP_LOW_S) * scale)
    gaps[min(place, GAP_BINS - 1)] += count


@compiled()
def _steps_until(gap_s: float, step_s: float, slope_s: float) -> int:
    """Return how many steps, each longer than the one before by the slope, it takes for a time to pass."""
    if gap_s <= 0.0:
        return 0
    steps = int(np.ceil(gap_s / step_s))
    if slope_s > 0.0:
        least = step_s - slope_s / 2.0
        steps = int(np.ceil((np.sqrt(least * least + 2.0 * slope_s * gap_s) - least) / slope_s))
    while steps > 1 and (steps - 1) * (step_s + slope_s * (steps - 2) / 2.0) >= gap_s:
        steps -= 1
    while steps * (step_s + slope_s * (steps - 1) / 2.0) < gap_s:
        steps += 1
    return steps


@compiled()
def serve(
    arrival_s: FloatArray,
    users: int,
    isl: FloatArray,
    new_tokens: FloatArray,
    osl: FloatArray,
    batches: FloatArray,
    base_s: FloatArray,
    slope_s: FloatArray,
    tokens: FloatArray,
    prompt_batches: FloatArray,
    mixed_s: FloatArray,
    step_tokens: float,
    max_batch: int,
    kv_tokens: float,
    reserve_frac: float,
    mixes: bool,
    poll_steps: int,
    wait_steps: int,
    wait_tokens: float,
    admit_s: FloatArray,
    token_s: float,
    lags: bool,
    first_s: FloatArray,
    last_s: FloatArray,
    gaps: FloatArray,
) -> tuple[int, float]:
    """Serve all requests in order of arrival; fill *first_s*, *last_s* and the histogram of gaps between tokens.

    With *users* above zero, only that many requests are out at once: the next one arrives when one ends, whatever
    *arrival_s* says, which is overwritten. While requests decode, arrivals are looked at every *poll_steps* steps only,
    and prompts wait until *wait_tokens* of them have come together, but no longer than *wait_steps* steps.
    The front end lets one request through at a time and spends *admit_s* on each. It spends *token_s* on each token
    that it sends: tokens that come faster wait for it, and so does the next request of a user whose answer waits.
    Steps compute *new_tokens* of each prompt; the cache knows the rest of its *isl*.
    An engine that *lags* composes a step as the one before begins: what has come by then can join.

    Returns a status, and the mean number of requests that decode (over decode steps). Sums run in the order of events.
    A twin that walks step by step (tests/unit/serving/test_loop.py) agrees to rounding.
    """
    n = arrival_s.shape[0]
    longest = int(osl.max()) + 2
    heads = np.full(longest, -1, np.int64)
    following = np.full(n, -1, np.int64)
    partial = 0.0
    now, seen, tick, running, context, cached = 0.0, 0.0, 0, 0, 0.0, 0.0
    sent = n if users <= 0 else min(users, n)
    ready_s = np.zeros(n)
    free_s, told_s = 0.0, 0.0
    for index in range(sent):
        free_s = max(free_s, arrival_s[index]) + admit_s[index]
        ready_s[index] = free_s
    waiting, done, since = 0, 0, -1
    decoded, decode_steps = 0.0, 0.0
    while done < n:
        can = waiting < sent and ready_s[waiting] <= seen and running < max_batch
        hold, watched = longest, waiting
        if not can:
            since = -1
        elif running > 0 and partial == 0.0:
            if since < 0:
                since = tick
            if poll_steps > 1 and tick % poll_steps != 0:
                can, hold = False, poll_steps - tick % poll_steps
            elif wait_steps > 0 and tick - since < wait_steps:
                ready_tokens, at = 0.0, waiting
                while at < sent and ready_s[at] <= seen and ready_tokens < wait_tokens:
                    ready_tokens += new_tokens[at]
                    at += 1
                if ready_tokens < wait_tokens:
                    can, hold, watched = False, wait_steps - (tick - since), at
        if can and cached + isl[waiting] + reserve_frac * osl[waiting] > kv_tokens and (running > 0 or partial > 0.0):
            can = partial > 0.0
        ended, last_step_s = -1, 0.0
        if can:
            since = -1
            room = step_tokens - (running if mixes else 0.0)
            room = max(room, 1.0)
            new, ready, began = 0.0, waiting, waiting
            at, so_far = waiting, partial
            while at < sent and ready_s[at] <= seen and room > 0.0 and running + (at - began) < max_batch:
                if so_far == 0.0:
                    need = isl[at] + reserve_frac * osl[at]
                    if cached + need > kv_tokens and (running > 0 or at > began):
                        break
                    cached += need
                take = min(new_tokens[at] - so_far, room)
                new += take
                room -= take
                so_far += take
                if so_far >= new_tokens[at] - 1e-9:
                    at += 1
                    ready = at
                    so_far = 0.0
                else:
                    break
            partial = so_far
            last_step_s = _prompt_s(tokens, prompt_batches, mixed_s, new, float(running) if mixes else 0.0)
            now += last_step_s
            told_s = max(told_s, now) + token_s * ((running if mixes else 0) + ready - waiting)
            if running > 0:
                # Where prompts do not mix, decoding waits: users see this step and the next decode step as one gap.
                _gap(gaps, last_step_s, running)
            if mixes:
                decode_steps += running > 0
                tick += 1
                context += running
                decoded += running
                ended = heads[tick % longest]
                heads[tick % longest] = -1
            for index in range(waiting, ready):
                first_s[index] = told_s
                running += 1
                context += isl[index] + 1.0
                if osl[index] <= 1.0:
                    following[index] = ended
                    ended = index
                else:
                    end = (tick + int(osl[index]) - 1) % longest
                    following[index] = heads[end]
                    heads[end] = index
            waiting = ready
        elif running > 0:
            steps = 1
            while heads[(tick + steps) % longest] < 0:
                steps += 1
            steps = min(steps, hold)
            step_s = _decode_s(batches, base_s, slope_s, float(running), context / running)
            at, share = _position(batches, float(running))
            slope = slope_s[at] + share * (slope_s[at + 1] - slope_s[at])
            coming = watched < sent and running < max_batch and ready_s[watched] > seen
            if coming and (wait_steps > 0 or cached + isl[waiting] + reserve_frac * osl[waiting] <= kv_tokens):
                until = _steps_until(ready_s[watched] - now, step_s, slope) + (1 if lags else 0)
                steps = min(steps, max(until, 1))
            spent = steps * step_s + slope * steps * (steps - 1) / 2.0
            _gap(gaps, spent / steps, running * steps)
            told_s = max(told_s, now + step_s) + token_s * running * steps
            now += spent
            told_s = max(told_s, now + token_s * running)
            last_step_s = step_s + slope * (steps - 1)
            tick += steps
            context += running * steps
            decoded += running * steps
            decode_steps += steps
            ended = heads[tick % longest]
            heads[tick % longest] = -1
        elif waiting < sent and ready_s[waiting] > seen:
            now = max(now, ready_s[waiting])
            seen = now
            continue
        else:
            return STUCK, 0.0
        seen = max(seen, now - last_step_s) if lags else now
        while ended >= 0:
            last_s[ended] = told_s
            running -= 1
            context -= isl[ended] + osl[ended]
            cached -= isl[ended] + reserve_frac * osl[ended]
            done += 1
            if users > 0 and sent < n:
                arrival_s[sent] = told_s
                free_s = max(free_s, told_s) + admit_s[sent]
                ready_s[sent] = free_s
                sent += 1
            ended = following[ended]
    return DONE, decoded / max(decode_steps, 1.0)


@compiled()
def _shared_s(tokens: FloatArray, rank_s: FloatArray, busiest: float, total: float, ranks: int) -> float:
    """Time of a step whose busiest attention rank has *busiest* prompt tokens, and all together *total*."""
    i, u = _position(tokens, max(busiest, tokens[0]))
    lone = rank_s[i, 0] + u * (rank_s[i + 1, 0] - rank_s[i, 0])
    full = rank_s[i, 1] + u * (rank_s[i + 1, 1] - rank_s[i, 1])
    beside = 0.0 if ranks == 1 else (total / busiest - 1.0) / (ranks - 1.0)
    time_s: float = lone + beside * (full - lone)
    return time_s


@compiled()
def serve_apart(
    arrival_s: FloatArray,
    users: int,
    isl: FloatArray,
    osl: FloatArray,
    batches: FloatArray,
    base_s: FloatArray,
    slope_s: FloatArray,
    tokens: FloatArray,
    rank_s: FloatArray,
    rank_tokens: float,
    rank_batch: int,
    rank_seats: int,
    cuts: bool,
    prefill_workers: int,
    routed: IntArray,
    ranks: int,
    dealt: IntArray,
    decode_workers: int,
    max_batch: int,
    hand_over_s: float,
    admit_s: FloatArray,
    first_s: FloatArray,
    last_s: FloatArray,
    gaps: FloatArray,
) -> tuple[int, float]:
    """Serve with prompts and decoding on instances of their own, as in `serve`.

    *routed*, shape (2, requests), tells the prefill and the decode worker of each request, busy or not. A prefill
    worker takes, for each of its *ranks*, prompts of up to *rank_tokens* tokens, *rank_batch* at most; one that *cuts*
    prompts fills its tokens with a part of the last one. A prompt keeps one of its rank's *rank_seats* (0: there are
    enough) until its cache is with the decode worker. *dealt* tells the rank that each prompt waits for; where it is
    empty, a step deals the worker's prompts to the ranks in turn. The step lasts as long as its busiest rank needs:
    *rank_s* has its time, by that rank's *tokens*, where the other ranks are idle (first column) and where they are as
    busy (second). Decode workers step together, each with its share of the running requests, but each has *max_batch*
    seats of its own. The first token reaches the client with the first step on the decode worker, which alone streams.

    A twin that walks step by step (tests/unit/serving/closed_loop/test_loop_apart.py) agrees to rounding.
    """
    n = arrival_s.shape[0]
    longest = int(osl.max()) + 2
    heads = np.full(longest, -1, np.int64)
    following = np.full(n, -1, np.int64)
    free = np.zeros(prefill_workers)
    lists = ranks if dealt.shape[0] > 0 else 1
    oldest = np.full((prefill_workers, lists), -1, np.int64)
    latest = np.full((prefill_workers, lists), -1, np.int64)
    behind = np.full(n, -1, np.int64)
    filled, prompts = np.zeros(ranks), np.zeros(ranks, np.int64)
    seated = np.zeros(decode_workers, np.int64)
    held = rank_seats * ranks // lists
    begun, sent_on = np.zeros((prefill_workers, lists), np.int64), np.zeros((prefill_workers, lists), np.int64)
    left_s = np.zeros((prefill_workers, lists, max(held, 1)))
    pending = np.empty(n, np.int64)
    newest = np.empty(n, np.int64)
    joins = np.zeros(n)
    left = isl.copy()
    pendings = 0
    sent, queued, done, running, tick = 0, 0, 0, 0, 0
    ready_s = np.zeros(n)
    free_s, now, context = 0.0, 0.0, 0.0
    decoded, decode_steps = 0.0, 0.0
    out = n if users <= 0 else min(users, n)
    while done < n:
        while sent < n and (users <= 0 or sent - done < out):
            if sent >= out:
                arrival_s[sent] = now
            free_s = max(free_s, arrival_s[sent]) + admit_s[sent]
            ready_s[sent] = free_s
            worker = routed[0, sent]
            at = dealt[sent] if lists > 1 else 0
            if latest[worker, at] < 0:
                oldest[worker, at] = sent
            else:
                behind[latest[worker, at]] = sent
            latest[worker, at] = sent
            sent += 1
            queued += 1
        start, worker = np.inf, 0
        if queued > 0:
            for server in range(prefill_workers):
                for at in range(lists):
                    if oldest[server, at] >= 0:
                        could = max(free[server], ready_s[oldest[server, at]])
                        if held > 0 and left[oldest[server, at]] == isl[oldest[server, at]]:
                            could = max(could, left_s[server, at, begun[server, at] % held])
                        if could < start:
                            start, worker = could, server
        soonest = np.inf
        for index in range(pendings):
            if seated[routed[1, pending[index]]] < max_batch:
                soonest = min(soonest, joins[pending[index]])
        event, steps, step_s, slope = np.inf, 0, 0.0, 0.0
        if running > 0:
            steps = 1
            while heads[(tick + steps) % longest] < 0:
                steps += 1
            share_of = float(running) / decode_workers
            at, share = _position(batches, share_of)
            slope = slope_s[at] + share * (slope_s[at + 1] - slope_s[at])
            step_s = base_s[at] + share * (base_s[at + 1] - base_s[at]) + slope * context / running
            if soonest < np.inf:
                steps = min(steps, max(1, int(np.ceil((soonest - now) / step_s))))
            event = now + steps * step_s + slope * steps * (steps - 1) / 2.0
        elif soonest < np.inf:
            event = max(now, soonest)
        if start <= event:
            if start == np.inf:
                return STUCK, 0.0
            filled[:] = 0.0
            prompts[:] = 0
            taken, turn = 0, 0
            for at in range(lists):
                request = oldest[worker, at]
                while request >= 0 and ready_s[request] <= start:
                    rank = at if lists > 1 else turn % ranks
                    room = rank_tokens - filled[rank]
                    fits = room >= (1.0 if cuts else left[request]) or filled[rank] == 0.0
                    seat = begun[worker, at] % max(held, 1)
                    starts = left[request] == isl[request]
                    seatless = held > 0 and starts and left_s[worker, at, seat] > start
                    if prompts[rank] >= rank_batch or not fits or seatless:
                        break
                    if held > 0 and starts:
                        left_s[worker, at, seat] = np.inf
                        begun[worker, at] += 1
                    took = min(left[request], max(room, 1.0)) if cuts else left[request]
                    filled[rank] += took
                    prompts[rank] += 1
                    left[request] -= took
                    if left[request] > 0.0:
                        break
                    pending[pendings + taken] = request
                    taken, turn = taken + 1, turn + 1
                    request = behind[request]
                oldest[worker, at] = request
                if request < 0:
                    latest[worker, at] = -1
            free[worker] = start + _shared_s(tokens, rank_s, filled.max(), filled.sum(), ranks)
            for index in range(pendings, pendings + taken):
                request = pending[index]
                joins[request] = free[worker] + hand_over_s
                if held > 0:
                    at = dealt[request] if lists > 1 else 0
                    left_s[worker, at, sent_on[worker, at] % held] = joins[request]
                    sent_on[worker, at] += 1
            pendings += taken
            queued -= taken
            continue
        if running > 0:
            _gap(gaps, (event - now) / steps, float(running * steps))
            tick += steps
            context += running * steps
            decoded += running * steps
            decode_steps += steps
        now = event
        slot = tick % longest
        here = heads[slot]
        heads[slot] = -1
        while here >= 0:
            last_s[here] = now
            running -= 1
            seated[routed[1, here]] -= 1
            context -= isl[here] + osl[here]
            done += 1
            here = following[here]
        remaining, joined = 0, 0
        for index in range(pendings):
            request = pending[index]
            if joins[request] <= now and seated[routed[1, request]] < max_batch:
                if osl[request] <= 1.0:
                    first_s[request] = joins[request]
                    last_s[request] = joins[request]
                    done += 1
                else:
                    end = (tick + int(osl[request]) - 1) % longest
                    following[request] = heads[end]
                    heads[end] = request
                    running += 1
                    seated[routed[1, request]] += 1
                    context += isl[request] + 1.0
                    newest[joined] = request
                    joined += 1
            else:
                pending[remaining] = request
                remaining += 1
        if joined > 0:
            step_s = _decode_s(batches, base_s, slope_s, float(running) / decode_workers, context / running)
            for index in range(joined):
                first_s[newest[index]] = now + step_s
        pendings = remaining
    return DONE, decoded / max(decode_steps, 1.0)
