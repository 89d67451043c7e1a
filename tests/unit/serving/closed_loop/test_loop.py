"""The loop that leaps against a twin that walks, on random loads."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from draws import draws
from jevons.serving.closed_loop import _kernels as _loop

BATCHES = np.array([1.0, 4.0, 16.0, 64.0])
BASE_S = np.array([0.010, 0.012, 0.018, 0.040])
SLOPE_S = np.array([1e-6, 3e-6, 9e-6, 4e-5])
TOKENS = np.array([16.0, 128.0, 1024.0, 8192.0])
MIXED_BATCHES = np.array([0.0, 8.0, 64.0])
MIXED_S = np.array([[0.02, 0.03, 0.05], [0.025, 0.034, 0.056], [0.08, 0.09, 0.12], [0.6, 0.63, 0.7]])


@dataclass
class Engine:
    """Limits of the engine, and how it schedules."""

    step_tokens: float = 512.0
    max_batch: int = 8
    kv_tokens: float = 4000.0
    reserve_frac: float = 0.5
    mixes: bool = True
    poll_steps: int = 0
    wait_steps: int = 0
    wait_tokens: float = 0.0
    token_s: float = 0.0
    lags: bool = False


def between(grid: np.ndarray, value: float) -> tuple[int, float]:
    low = int(np.clip(np.searchsorted(grid, value, side="right") - 1, 0, len(grid) - 2))
    return low, (value - grid[low]) / (grid[low + 1] - grid[low])


def decode_s(running: int, context: float) -> float:
    low, share = between(BATCHES, running)
    at = lambda values: values[low] + share * (values[low + 1] - values[low])  # noqa: E731
    return float(at(BASE_S) + at(SLOPE_S) * context)


def prompt_s(tokens: float, running: float) -> float:
    i, u = between(TOKENS, max(tokens, TOKENS[0]))
    j, v = between(MIXED_BATCHES, running)
    rows = MIXED_S[:, j] + v * (MIXED_S[:, j + 1] - MIXED_S[:, j])
    return float(rows[i] + u * (rows[i + 1] - rows[i]))


def walk(
    arrival_s: np.ndarray,
    users: int,
    isl: np.ndarray,
    new: np.ndarray,
    osl: np.ndarray,
    admit_s: np.ndarray,
    engine: Engine,
) -> tuple[list[float], list[float]]:
    """Return when each request got its first and its last token, one step at a time."""
    n = len(isl)
    first, last, ready = [0.0] * n, [0.0] * n, []
    free = told = 0.0

    def enter(index: int, when: float) -> None:
        nonlocal free
        free = max(free, when) + admit_s[index]
        ready.append(free)

    for index in range(min(users, n) if users else n):
        enter(index, arrival_s[index])
    now = seen = done_of_next = held = 0.0
    tick, since, waiting = 0, None, 0
    decoding: list[int] = []
    made: dict[int, int] = {}
    while len(made) < n or decoding:
        need = lambda i: isl[i] + engine.reserve_frac * osl[i]  # noqa: E731
        can = waiting < len(ready) and ready[waiting] <= seen and len(decoding) < engine.max_batch
        if not can:
            since = None
        elif decoding and done_of_next == 0:
            since = tick if since is None else since
            come = [i for i in range(waiting, len(ready)) if ready[i] <= seen]
            unpolled = engine.poll_steps > 1 and tick % engine.poll_steps > 0
            few = tick - since < engine.wait_steps and sum(new[i] for i in come) < engine.wait_tokens
            can = not (unpolled or few)
        if can and held + need(waiting) > engine.kv_tokens and (decoding or done_of_next > 0):
            can = done_of_next > 0
        before = now
        if can:
            since = None
            room = max(engine.step_tokens - (len(decoding) if engine.mixes else 0), 1.0)
            taken, finished = 0.0, []
            while waiting < len(ready) and ready[waiting] <= seen and room > 0:
                if len(decoding) + len(finished) >= engine.max_batch:
                    break
                if done_of_next == 0:
                    if held + need(waiting) > engine.kv_tokens and (decoding or finished):
                        break
                    held += need(waiting)
                take = min(new[waiting] - done_of_next, room)
                taken, room, done_of_next = taken + take, room - take, done_of_next + take
                if done_of_next < new[waiting]:
                    break
                finished.append(waiting)
                waiting, done_of_next = waiting + 1, 0.0
            now += prompt_s(taken, len(decoding) if engine.mixes else 0.0)
            if engine.mixes:
                tick += 1
                for i in decoding:
                    made[i] += 1
            told = max(told, now) + engine.token_s * ((len(decoding) if engine.mixes else 0) + len(finished))
            for i in finished:
                first[i], made[i] = told, 1
            decoding += finished
        elif decoding:
            context = sum(isl[i] + made[i] for i in decoding) / len(decoding)
            now += decode_s(len(decoding), context)
            told = max(told, now) + engine.token_s * len(decoding)
            tick += 1
            for i in decoding:
                made[i] += 1
        else:
            now = seen = max(now, ready[waiting])
            continue
        seen = before if engine.lags else now
        for i in [i for i in decoding if made[i] >= osl[i]]:
            decoding.remove(i)
            last[i] = told
            held -= need(i)
            if users and len(ready) < n:
                enter(len(ready), told)
    return first, last


def leap(
    arrival_s: np.ndarray,
    users: int,
    isl: np.ndarray,
    new: np.ndarray,
    osl: np.ndarray,
    admit_s: np.ndarray,
    engine: Engine,
) -> _loop.Seen:
    seen = _loop.seen_by(len(isl))
    requests = _loop.Requests(arrival_s.copy(), isl, new, osl, admit_s)
    times = _loop.StepTimes(BATCHES, BASE_S, SLOPE_S, TOKENS, MIXED_BATCHES, MIXED_S)
    status, _ = _loop.serve(requests, times, _loop.Batching(users, **asdict(engine)), seen)
    assert status == _loop.DONE
    return seen


@settings(max_examples=draws(150), deadline=None)
@given(
    seed=st.integers(0, 2**31),
    count=st.integers(1, 25),
    users=st.sampled_from([0, 0, 1, 3, 8]),
    longest=st.sampled_from([1, 2, 5, 60]),
    engine=st.builds(
        Engine,
        step_tokens=st.sampled_from([64.0, 512.0, 4096.0]),
        max_batch=st.sampled_from([1, 3, 8]),
        kv_tokens=st.sampled_from([1500.0, 4000.0, 1e6]),
        mixes=st.booleans(),
        poll_steps=st.sampled_from([0, 4]),
        wait_steps=st.sampled_from([0, 6]),
        wait_tokens=st.sampled_from([0.0, 700.0]),
        token_s=st.sampled_from([0.0, 1e-3, 5e-3]),
        lags=st.booleans(),
    ),
)
def test_leaping_agrees_with_walking(seed: int, count: int, users: int, longest: int, engine: Engine) -> None:
    rng = np.random.default_rng(seed)
    arrival_s = np.cumsum(rng.exponential(rng.choice([0.003, 0.05, 0.5]), count))
    isl = rng.integers(1, 1000, count).astype(float)
    new = np.where(rng.random(count) < 0.3, np.minimum(isl, 16.0), isl)
    osl = rng.integers(1, longest + 1, count).astype(float)
    admit_s = rng.uniform(0.0, 0.01, count)
    first, last, gaps = leap(arrival_s, users, isl, new, osl, admit_s, engine)
    expected_first, expected_last = walk(arrival_s, users, isl, new, osl, admit_s, engine)
    assert first == pytest.approx(expected_first, rel=1e-9)
    assert last == pytest.approx(expected_last, rel=1e-9)
    assert (last >= first).all()
    if engine.mixes:
        assert gaps.sum() == pytest.approx((osl - 1.0).sum())


def test_an_engine_that_composes_steps_ahead_lets_a_request_in_one_step_later() -> None:
    arrival_s, isl, osl = np.array([0.0, 0.1]), np.array([100.0, 100.0]), np.array([50.0, 5.0])
    at_once = leap(arrival_s, 0, isl, isl, osl, np.zeros(2), Engine())[0]
    later = leap(arrival_s, 0, isl, isl, osl, np.zeros(2), Engine(lags=True))[0]
    assert later[0] == at_once[0]
    assert later[1] - at_once[1] == pytest.approx(decode_s(1, 110.0), rel=0.01)


def test_a_front_end_that_streams_slower_than_the_engine_decodes_sets_the_rate() -> None:
    count, users = 80, 8
    isl, osl = np.full(count, 100.0), np.full(count, 50.0)
    arrival_s = np.zeros(count)
    token_s = 4e-3  # 250 tokens/s, where the engine makes some 500
    _, last, _ = leap(arrival_s, users, isl, isl, osl, np.zeros(count), Engine(kv_tokens=1e6, token_s=token_s))
    assert last.max() >= osl.sum() * token_s
    assert last.max() < 1.2 * osl.sum() * token_s
    _, unlimited, _ = leap(arrival_s, users, isl, isl, osl, np.zeros(count), Engine(kv_tokens=1e6))
    assert unlimited.max() < 0.7 * last.max()
