"""Prompts and decoding on workers of their own, from event to event (numba only)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jevons.serving.closed_loop._kernels.arguments import (
    DONE,
    STUCK,
    Ends,
    IntArray,
    PoolRules,
    Requests,
    Seen,
    State,
    StepTimes,
    add_end,
    ends_of,
    inline,
    state_of,
    steps_to_end,
    take_ends,
)
from jevons.serving.closed_loop._kernels.steps import count_gap, decode_s, prompt_s, steps_s
from jevons.serving.compiled import compiled
from jevons.serving.types import FloatArray

_POOLS = np.dtype(
    [
        ("now_s", "f8"),  # of the decode workers
        ("free_s", "f8"),  # when the front end lets the next request through
        ("context", "f8"),  # tokens of the requests that decode
        ("decoded", "f8"),
        ("decode_steps", "f8"),
        ("tick", "i8"),  # decode steps so far
        ("running", "i8"),
        ("sent", "i8"),
        ("queued", "i8"),
        ("pending", "i8"),  # prompts that are computed and do not decode yet
        ("done", "i8"),
    ]
)


class _Queues(NamedTuple):
    """Prompts on their way to the prefill workers, linked in order for each list that a worker keeps.

    By request: *ready_s*, *behind* and *left* (prompt tokens not computed). By worker and list: *oldest* and *latest*.
    By worker: *free_s*. By attention rank: *filled* (tokens) and *prompts* of the step that is being composed.
    """

    ready_s: FloatArray
    behind: IntArray
    left: FloatArray
    oldest: IntArray
    latest: IntArray
    free_s: FloatArray
    filled: FloatArray
    prompts: IntArray


class _Seats(NamedTuple):
    """Seats of the prefill workers' lists, taken in turn, shape (workers, lists, seats), from when each is free [s].

    *begun* and *sent_on*, shape (workers, lists), count the prompts that took one and those that gave it back.
    """

    left_s: FloatArray
    begun: IntArray
    sent_on: IntArray


class _Waiting(NamedTuple):
    """Computed prompts: the requests, those among them that have just joined, and from when each can decode [s].

    *seated* counts the requests of each decode worker.
    """

    pending: IntArray
    newest: IntArray
    joins_s: FloatArray
    seated: IntArray


def serve_apart(requests: Requests, times: StepTimes, rules: PoolRules, seen: Seen) -> tuple[int, float]:
    """Serve with prompts and decoding on instances of their own; fill what clients see.

    Parameters
    ----------
    requests : Requests
        Their times of arrival are overwritten where *users* set them.
    times : StepTimes
        A step of a prefill worker lasts as long as its busiest rank needs. All *decode_workers* step together, each
        with its share of the running requests.
    rules : PoolRules
        *users* as in `serve`. *routed*, shape (2, requests), tells the prefill and the decode worker of each request,
        busy or not. A prefill worker takes, for each of its *ranks*, prompts of up to *rank_tokens* tokens,
        *rank_batch* at most; one that *cuts* prompts fills its tokens with a part of the last one. A prompt keeps one
        of its rank's *rank_seats* (0: there are enough) until its cache is with the decode worker, *hand_over_s* after
        its step. *dealt* tells the rank that each prompt waits for; where it is empty, a step deals the worker's
        prompts to the ranks in turn. Each decode worker has *max_batch* seats of its own.
    seen : Seen
        Filled. The first token reaches the client with the first step on the decode worker, which alone streams.

    Returns
    -------
    status : int
        DONE, or STUCK where no event can follow.
    batch : float
        Mean number of requests that decode, over decode steps.

    Notes
    -----
    A twin that walks step by step (tests/unit/serving/closed_loop/test_loop_apart.py) agrees to rounding.
    """
    count, workers = len(requests.isl), rules.prefill_workers
    lists = (workers, rules.ranks if len(rules.dealt) else 1)
    queues = _Queues(
        ready_s=np.zeros(count),
        behind=np.full(count, -1, np.int64),
        left=requests.isl.copy(),
        oldest=np.full(lists, -1, np.int64),
        latest=np.full(lists, -1, np.int64),
        free_s=np.zeros(workers),
        filled=np.zeros(rules.ranks),
        prompts=np.zeros(rules.ranks, np.int64),
    )
    held = rules.rank_seats * rules.ranks // lists[1]
    seats = _Seats(np.zeros((*lists, held)), np.zeros(lists, np.int64), np.zeros(lists, np.int64))
    pending, newest = np.zeros(count, np.int64), np.zeros(count, np.int64)
    waiting = _Waiting(pending, newest, np.zeros(count), np.zeros(rules.decode_workers, np.int64))
    pools = state_of(_POOLS)
    status, batch = _serve(requests, times, rules, seen, ends_of(requests.osl), queues, seats, waiting, pools)
    return status, batch


@compiled()
def _serve(
    requests: Requests, times: StepTimes, rules: PoolRules, seen: Seen, ends: Ends, queues: _Queues, seats: _Seats,
    waiting: _Waiting, pools: State,
) -> tuple[int, float]:  # fmt: skip
    count = requests.isl.shape[0]
    out = count if rules.users <= 0 else min(rules.users, count)
    while pools.done < count:
        while pools.sent < count and (rules.users <= 0 or pools.sent - pools.done < out):
            if pools.sent >= out:
                requests.arrival_s[pools.sent] = pools.now_s
            _send(requests, rules, queues, pools)
        start_s, worker = _next_start(requests, queues, seats, pools)
        event_s, steps = _next_event(times, rules, ends, waiting, pools)
        if start_s <= event_s:
            if start_s == np.inf:
                return STUCK, 0.0
            taken = _take_prompts(requests, rules, queues, seats, waiting, pools, worker, start_s)
            _compute_prompts(times, rules, queues, seats, waiting, pools, worker, start_s, taken)
            continue
        if pools.running > 0:
            made = pools.running * steps
            count_gap(seen.gaps, (event_s - pools.now_s) / steps, float(made))
            pools.tick += steps
            pools.context += made
            pools.decoded += made
            pools.decode_steps += steps
        pools.now_s = event_s
        _end(requests, rules, seen, ends, waiting, pools)
        _join(requests, times, rules, seen, ends, waiting, pools)
    return DONE, pools.decoded / max(pools.decode_steps, 1.0)


@inline
def _list_of(rules: PoolRules, request: int) -> int:
    """Return the list of its worker that a prompt waits in."""
    at: int = rules.dealt[request] if rules.dealt.shape[0] > 0 else 0
    return at


@inline
def _send(requests: Requests, rules: PoolRules, queues: _Queues, pools: State) -> None:
    """Let the next request through the front end, to the end of its worker's list."""
    request = pools.sent
    pools.free_s = max(pools.free_s, requests.arrival_s[request]) + requests.admit_s[request]
    queues.ready_s[request] = pools.free_s
    worker, at = rules.routed[0, request], _list_of(rules, request)
    if queues.latest[worker, at] < 0:
        queues.oldest[worker, at] = request
    else:
        queues.behind[queues.latest[worker, at]] = request
    queues.latest[worker, at] = request
    pools.sent += 1
    pools.queued += 1


@inline
def _seat_s(requests: Requests, queues: _Queues, seats: _Seats, worker: int, at: int, request: int) -> float:
    """Return from when a list has a seat for a prompt; one that was begun has its own."""
    held = seats.left_s.shape[2]
    if held == 0 or queues.left[request] != requests.isl[request]:
        return 0.0
    time_s: float = seats.left_s[worker, at, seats.begun[worker, at] % held]
    return time_s


@inline
def _next_start(requests: Requests, queues: _Queues, seats: _Seats, pools: State) -> tuple[float, int]:
    """Return when the next prefill worker can begin a step, and which."""
    start_s, worker = np.inf, 0
    if pools.queued == 0:
        return start_s, worker
    for server in range(queues.oldest.shape[0]):
        for at in range(queues.oldest.shape[1]):
            request = queues.oldest[server, at]
            if request >= 0:
                could_s = max(queues.free_s[server], queues.ready_s[request])
                could_s = max(could_s, _seat_s(requests, queues, seats, server, at, request))
                if could_s < start_s:
                    start_s, worker = could_s, server
    return start_s, worker


@inline
def _next_event(times: StepTimes, rules: PoolRules, ends: Ends, waiting: _Waiting, pools: State) -> tuple[float, int]:
    """Return when a request next ends or joins the decode workers, and after how many of their steps."""
    soonest_s = np.inf
    for index in range(pools.pending):
        request = waiting.pending[index]
        if waiting.seated[rules.routed[1, request]] < rules.max_batch:
            soonest_s = min(soonest_s, waiting.joins_s[request])
    if pools.running == 0:
        return (max(pools.now_s, soonest_s) if soonest_s < np.inf else np.inf), 0
    steps = steps_to_end(ends, pools.tick)
    step_s, slope_s = decode_s(times, float(pools.running) / rules.decode_workers, pools.context / pools.running)
    if soonest_s < np.inf:
        steps = min(steps, max(1, int(np.ceil((soonest_s - pools.now_s) / step_s))))
    return pools.now_s + steps_s(steps, step_s, slope_s), steps


@inline
def _take_prompts(
    requests: Requests, rules: PoolRules, queues: _Queues, seats: _Seats, waiting: _Waiting, pools: State, worker: int,
    start_s: float,
) -> int:  # fmt: skip
    """Compose a step of a prefill worker, rank by rank; return how many prompts end in it (they are pending then)."""
    queues.filled[:] = 0.0
    queues.prompts[:] = 0
    held, ended = seats.left_s.shape[2], 0
    for at in range(queues.oldest.shape[1]):
        request = queues.oldest[worker, at]
        while request >= 0 and queues.ready_s[request] <= start_s:
            rank = at if rules.dealt.shape[0] > 0 else ended % rules.ranks
            room = rules.rank_tokens - queues.filled[rank]
            fits = room >= (1.0 if rules.cuts else queues.left[request]) or queues.filled[rank] == 0.0
            if queues.prompts[rank] >= rules.rank_batch or not fits:
                break
            if _seat_s(requests, queues, seats, worker, at, request) > start_s:
                break
            if held > 0 and queues.left[request] == requests.isl[request]:
                seats.left_s[worker, at, seats.begun[worker, at] % held] = np.inf
                seats.begun[worker, at] += 1
            took = min(queues.left[request], max(room, 1.0)) if rules.cuts else queues.left[request]
            queues.filled[rank] += took
            queues.prompts[rank] += 1
            queues.left[request] -= took
            if queues.left[request] > 0.0:
                break
            waiting.pending[pools.pending + ended] = request
            ended += 1
            request = queues.behind[request]
        queues.oldest[worker, at] = request
        if request < 0:
            queues.latest[worker, at] = -1
    return ended


@inline
def _compute_prompts(
    times: StepTimes, rules: PoolRules, queues: _Queues, seats: _Seats, waiting: _Waiting, pools: State, worker: int,
    start_s: float, ended: int,
) -> None:  # fmt: skip
    """Make the step that was composed; the prompts that end in it go to their decode workers."""
    held, busiest, tokens = seats.left_s.shape[2], 0.0, 0.0
    for rank in range(rules.ranks):
        busiest = max(busiest, queues.filled[rank])
        tokens += queues.filled[rank]
    beside = 0.0 if rules.ranks == 1 else (tokens / busiest - 1.0) / (rules.ranks - 1.0)
    queues.free_s[worker] = start_s + prompt_s(times, busiest, beside)
    for index in range(pools.pending, pools.pending + ended):
        request = waiting.pending[index]
        waiting.joins_s[request] = queues.free_s[worker] + rules.hand_over_s
        if held > 0:
            at = _list_of(rules, request)
            seats.left_s[worker, at, seats.sent_on[worker, at] % held] = waiting.joins_s[request]
            seats.sent_on[worker, at] += 1
    pools.pending += ended
    pools.queued -= ended


@inline
def _end(requests: Requests, rules: PoolRules, seen: Seen, ends: Ends, waiting: _Waiting, pools: State) -> None:
    """Take the requests that end now off the decode workers."""
    request = take_ends(ends, pools.tick)
    while request >= 0:
        seen.last_s[request] = pools.now_s
        pools.running -= 1
        waiting.seated[rules.routed[1, request]] -= 1
        pools.context -= requests.isl[request] + requests.osl[request]
        pools.done += 1
        request = ends.following[request]


@inline
def _join(
    requests: Requests, times: StepTimes, rules: PoolRules, seen: Seen, ends: Ends, waiting: _Waiting, pools: State
) -> None:
    """Let computed prompts begin to decode where their worker has a seat."""
    remaining, joined = 0, 0
    for index in range(pools.pending):
        request = waiting.pending[index]
        worker = rules.routed[1, request]
        if waiting.joins_s[request] > pools.now_s or waiting.seated[worker] >= rules.max_batch:
            waiting.pending[remaining] = request
            remaining += 1
        elif requests.osl[request] <= 1.0:
            seen.first_s[request] = seen.last_s[request] = waiting.joins_s[request]
            pools.done += 1
        else:
            add_end(ends, request, pools.tick + int(requests.osl[request]) - 1)
            pools.running += 1
            waiting.seated[worker] += 1
            pools.context += requests.isl[request] + 1.0
            waiting.newest[joined] = request
            joined += 1
    pools.pending = remaining
    if joined > 0:
        step_s, _ = decode_s(times, float(pools.running) / rules.decode_workers, pools.context / pools.running)
        for index in range(joined):
            seen.first_s[waiting.newest[index]] = pools.now_s + step_s
