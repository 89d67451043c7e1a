"""An engine that serves prompts and answers step by step, leaping over runs of equal steps (numba only)."""

from __future__ import annotations

import numpy as np

from jevons.serving.closed_loop._kernels.arguments import (
    DONE,
    STUCK,
    Batching,
    Ends,
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
from jevons.serving.closed_loop._kernels.steps import count_gap, decode_s, prompt_s, steps_s, steps_until
from jevons.serving.compiled import compiled
from jevons.serving.types import FloatArray

_ENGINE = np.dtype(
    [
        ("now_s", "f8"),
        ("seen_s", "f8"),  # what came later does not join the next step
        ("told_s", "f8"),  # when the front end has sent all tokens
        ("free_s", "f8"),  # when the front end lets the next request through
        ("last_step_s", "f8"),
        ("context", "f8"),  # tokens of the requests that decode
        ("cached", "f8"),  # tokens of cache that are taken or kept free
        ("partial", "f8"),  # tokens of the first waiting prompt that were computed
        ("decoded", "f8"),
        ("decode_steps", "f8"),
        ("tick", "i8"),  # steps with decoding so far
        ("since", "i8"),  # tick from which prompts wait for others, or -1
        ("running", "i8"),
        ("waiting", "i8"),  # the first request whose prompt is not computed
        ("sent", "i8"),
        ("done", "i8"),
        ("ended", "i8"),  # the first of the requests that the last step ended, or -1
    ]
)


def serve(requests: Requests, times: StepTimes, rules: Batching, seen: Seen) -> tuple[int, float]:
    """Serve all requests in order of arrival; fill what clients see.

    Parameters
    ----------
    requests : Requests
        Their times of arrival are overwritten where *users* set them.
    times : StepTimes
        Of the engine's steps.
    rules : Batching
        With *users* above zero, only that many requests are out at once: the next one arrives when one ends, whatever
        its stated arrival. A step takes prompts of *step_tokens* tokens, less those that decode where it *mixes* both;
        *max_batch* requests run at once. The cache holds *kv_tokens*: a prompt joins where its own tokens and a share
        *reserve_frac* of its answer's are free. While requests decode, arrivals are looked at every *poll_steps* steps
        only, and prompts wait until *wait_tokens* of them have come together, but no longer than *wait_steps* steps.
        The front end lets one request through at a time, and spends *token_s* on each token that it sends: tokens that
        come faster wait for it, and so does the next request of a user whose answer waits. An engine that *lags*
        composes a step as the one before begins: what has come by then can join.
    seen : Seen
        Filled.

    Returns
    -------
    status : int
        DONE, or STUCK where no step can follow.
    batch : float
        Mean number of requests that decode, over decode steps.

    Notes
    -----
    Sums run in the order of events. A twin that walks step by step (tests/unit/serving/closed_loop/test_loop.py) agrees
    to rounding.
    """
    ready_s = np.zeros(len(requests.isl))
    status, batch = _serve(requests, times, rules, seen, ends_of(requests.osl), ready_s, state_of(_ENGINE))
    return status, batch


@compiled()
def _serve(
    requests: Requests, times: StepTimes, rules: Batching, seen: Seen, ends: Ends, ready_s: FloatArray, engine: State
) -> tuple[int, float]:
    count = ready_s.shape[0]
    for request in range(count if rules.users <= 0 else min(rules.users, count)):
        _send(requests, ready_s, engine, requests.arrival_s[request])
    engine.since = -1
    while engine.done < count:
        engine.ended = -1
        joins, hold, watched = _held(requests, rules, ready_s, engine)
        if joins:
            _compute_prompts(requests, times, rules, seen, ends, ready_s, engine)
        elif engine.running > 0:
            _decode(requests, times, rules, seen, ends, ready_s, engine, hold, watched)
        elif engine.waiting < engine.sent and ready_s[engine.waiting] > engine.seen_s:
            engine.now_s = max(engine.now_s, ready_s[engine.waiting])
            engine.seen_s = engine.now_s
            continue
        else:
            return STUCK, 0.0
        composed_s = engine.now_s - engine.last_step_s if rules.lags else engine.now_s
        engine.seen_s = max(engine.seen_s, composed_s)
        _end(requests, rules, seen, ends, ready_s, engine)
    return DONE, engine.decoded / max(engine.decode_steps, 1.0)


@inline
def _send(requests: Requests, ready_s: FloatArray, engine: State, when_s: float) -> None:
    """Let the next request through the front end."""
    engine.free_s = max(engine.free_s, when_s) + requests.admit_s[engine.sent]
    ready_s[engine.sent] = engine.free_s
    engine.sent += 1


@inline
def _cache_of(requests: Requests, rules: Batching, request: int) -> float:
    """Return the tokens of cache that must be free for a request."""
    tokens: float = requests.isl[request] + rules.reserve_frac * requests.osl[request]
    return tokens


@inline
def _held(requests: Requests, rules: Batching, ready_s: FloatArray, engine: State) -> tuple[bool, int, int]:
    """Return whether prompts join the next step; if not, after how many steps to ask again, or whose arrival to await.

    The steps are none (0) where the scheduler keeps nobody waiting.
    """
    hold, watched = 0, engine.waiting
    joins = engine.waiting < engine.sent and ready_s[engine.waiting] <= engine.seen_s
    joins = joins and engine.running < rules.max_batch
    if not joins:
        engine.since = -1
    elif engine.running > 0 and engine.partial == 0.0:
        if engine.since < 0:
            engine.since = engine.tick
        waited = engine.tick - engine.since
        if rules.poll_steps > 1 and engine.tick % rules.poll_steps != 0:
            joins, hold = False, rules.poll_steps - engine.tick % rules.poll_steps
        elif rules.wait_steps > 0 and waited < rules.wait_steps:
            tokens, at = 0.0, engine.waiting
            while at < engine.sent and ready_s[at] <= engine.seen_s and tokens < rules.wait_tokens:
                tokens += requests.new_tokens[at]
                at += 1
            if tokens < rules.wait_tokens:
                joins, hold, watched = False, rules.wait_steps - waited, at
    if joins and (engine.running > 0 or engine.partial > 0.0):
        is_full = engine.cached + _cache_of(requests, rules, engine.waiting) > rules.kv_tokens
        joins = not is_full or engine.partial > 0.0
    return joins, hold, watched


@inline
def _take_prompts(requests: Requests, rules: Batching, ready_s: FloatArray, engine: State) -> tuple[float, int]:
    """Fill a step with prompts; return their tokens, and the first request whose prompt does not end in it."""
    room = max(rules.step_tokens - (engine.running if rules.mixes else 0.0), 1.0)
    taken, at = 0.0, engine.waiting
    while at < engine.sent and ready_s[at] <= engine.seen_s and room > 0.0:
        before = at - engine.waiting
        if engine.running + before >= rules.max_batch:
            break
        if engine.partial == 0.0:
            cache = _cache_of(requests, rules, at)
            if engine.cached + cache > rules.kv_tokens and (engine.running > 0 or before > 0):
                break
            engine.cached += cache
        take = min(requests.new_tokens[at] - engine.partial, room)
        taken += take
        room -= take
        engine.partial += take
        if engine.partial < requests.new_tokens[at] - 1e-9:
            break
        at += 1
        engine.partial = 0.0
    return taken, at


@inline
def _compute_prompts(
    requests: Requests, times: StepTimes, rules: Batching, seen: Seen, ends: Ends, ready_s: FloatArray, engine: State
) -> None:
    """Make a step with prompts."""
    engine.since = -1
    taken, ready = _take_prompts(requests, rules, ready_s, engine)
    beside = engine.running if rules.mixes else 0
    engine.last_step_s = prompt_s(times, taken, float(beside))
    engine.now_s += engine.last_step_s
    engine.told_s = max(engine.told_s, engine.now_s) + rules.token_s * (beside + ready - engine.waiting)
    if engine.running > 0:
        # Where prompts do not mix, decoding waits: users see this step and the next decode step as one gap.
        count_gap(seen.gaps, engine.last_step_s, float(engine.running))
    if rules.mixes:
        engine.decode_steps += engine.running > 0
        engine.tick += 1
        engine.context += engine.running
        engine.decoded += engine.running
        engine.ended = take_ends(ends, engine.tick)
    for request in range(engine.waiting, ready):
        seen.first_s[request] = engine.told_s
        engine.running += 1
        engine.context += requests.isl[request] + 1.0
        if requests.osl[request] <= 1.0:
            ends.following[request] = engine.ended
            engine.ended = request
        else:
            add_end(ends, request, engine.tick + int(requests.osl[request]) - 1)
    engine.waiting = ready


@inline
def _decode(
    requests: Requests, times: StepTimes, rules: Batching, seen: Seen, ends: Ends, ready_s: FloatArray, engine: State,
    hold: int, watched: int,
) -> None:  # fmt: skip
    """Make decode steps until a request ends, one may join, or the scheduler looks again."""
    steps = steps_to_end(ends, engine.tick)
    if hold > 0:
        steps = min(steps, hold)
    step_s, slope_s = decode_s(times, float(engine.running), engine.context / engine.running)
    if watched < engine.sent and engine.running < rules.max_batch and ready_s[watched] > engine.seen_s:
        cache = _cache_of(requests, rules, engine.waiting)
        if rules.wait_steps > 0 or engine.cached + cache <= rules.kv_tokens:
            until = steps_until(ready_s[watched] - engine.now_s, step_s, slope_s) + (1 if rules.lags else 0)
            steps = min(steps, max(until, 1))
    spent_s = steps_s(steps, step_s, slope_s)
    made = engine.running * steps
    count_gap(seen.gaps, spent_s / steps, float(made))
    engine.told_s = max(engine.told_s, engine.now_s + step_s) + rules.token_s * made
    engine.now_s += spent_s
    engine.told_s = max(engine.told_s, engine.now_s + rules.token_s * engine.running)
    engine.last_step_s = step_s + slope_s * (steps - 1)
    engine.tick += steps
    engine.context += made
    engine.decoded += made
    engine.decode_steps += steps
    engine.ended = take_ends(ends, engine.tick)


@inline
def _end(requests: Requests, rules: Batching, seen: Seen, ends: Ends, ready_s: FloatArray, engine: State) -> None:
    """Give free what the requests that the last step ended held; their users send the next ones."""
    while engine.ended >= 0:
        request = engine.ended
        seen.last_s[request] = engine.told_s
        engine.running -= 1
        engine.context -= requests.isl[request] + requests.osl[request]
        engine.cached -= _cache_of(requests, rules, request)
        engine.done += 1
        if rules.users > 0 and engine.sent < ready_s.shape[0]:
            requests.arrival_s[engine.sent] = engine.told_s
            _send(requests, ready_s, engine, engine.told_s)
        engine.ended = ends.following[request]
