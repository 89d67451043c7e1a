"""The loop of separate pools against a twin that walks, on random loads, and what its routing does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jevons.serving.closed_loop import _kernels as _loop
from jevons.serving.closed_loop.routing import routed

BATCHES = np.array([1.0, 4.0, 16.0, 64.0])
BASE_S = np.array([0.010, 0.012, 0.018, 0.040])
TOKENS = np.array([16.0, 128.0, 1024.0, 8192.0])
RANK_S = np.array([[0.02, 0.03], [0.025, 0.04], [0.08, 0.14], [0.6, 1.1]])  # other ranks idle, and as busy


@dataclass
class Setup:
    """Workers of both kinds and their limits."""

    rank_tokens: float = 1000.0
    rank_batch: int = 4
    rank_seats: int = 0
    cuts: bool = False
    prefill_workers: int = 1
    ranks: int = 1
    by_chance: bool = False
    decode_workers: int = 1
    seats: int = 8
    hand_over_s: float = 0.01
    frontends: int = 1


def dealt_to(setup: Setup, count: int) -> np.ndarray:
    chance = setup.by_chance and setup.ranks > 1
    return np.random.default_rng(3).integers(0, setup.ranks, count if chance else 0)


def routed_by(setup: Setup, count: int) -> np.ndarray:
    return routed(setup.frontends, (setup.prefill_workers, setup.decode_workers), count, start=0)


def leap(users: int, isl: np.ndarray, osl: np.ndarray, admit_s: np.ndarray, setup: Setup) -> tuple[np.ndarray, ...]:
    count = len(isl)
    seen = _loop.seen_by(count)
    requests = _loop.Requests(np.zeros(count), isl, isl, osl, admit_s)
    times = _loop.StepTimes(BATCHES, BASE_S, np.zeros(len(BATCHES)), TOKENS, np.array([0.0, 1.0]), RANK_S)
    rules = _loop.PoolRules(
        users=users,
        prefill_workers=setup.prefill_workers,
        ranks=setup.ranks,
        rank_tokens=setup.rank_tokens,
        rank_batch=setup.rank_batch,
        rank_seats=setup.rank_seats,
        cuts=setup.cuts,
        routed=routed_by(setup, count),
        dealt=dealt_to(setup, count),
        decode_workers=setup.decode_workers,
        max_batch=setup.seats,
        hand_over_s=setup.hand_over_s,
    )
    status, _ = _loop.serve_apart(requests, times, rules, seen)
    assert status == _loop.DONE
    return seen.first_s, seen.last_s


def prompts_s(filled: list[float]) -> float:
    """Time of a step by the tokens of each rank."""
    busiest = max(filled)
    lone, full = (float(np.interp(max(busiest, TOKENS[0]), TOKENS, RANK_S[:, column])) for column in (0, 1))
    others = 0.0 if len(filled) == 1 else (sum(filled) / busiest - 1.0) / (len(filled) - 1.0)
    return lone + others * (full - lone)


class Walk:
    """Prompts worker by worker, decode steps one by one."""

    def __init__(self, users: int, isl: np.ndarray, osl: np.ndarray, admit_s: np.ndarray, setup: Setup) -> None:
        self.isl, self.osl, self.admit_s, self.setup = isl, osl, admit_s, setup
        self.dealt = dealt_to(setup, len(isl))
        self.routed = routed_by(setup, len(isl))
        self.left = list(isl)
        self.queues: list[list[int]] = [[] for _ in range(setup.prefill_workers)]
        self.free = [0.0] * setup.prefill_workers
        self.held: dict[int, float] = {}
        self.ready: dict[int, float] = {}
        self.joins: dict[int, float] = {}
        self.router = 0.0
        self.sent = 0
        for _ in range(min(users, len(isl)) if users else len(isl)):
            self.send(0.0)

    def send(self, when: float) -> None:
        if self.sent < len(self.isl):
            self.router = max(self.router, when) + self.admit_s[self.sent]
            self.ready[self.sent] = self.router
            self.queues[self.routed[0, self.sent]].append(self.sent)
            self.sent += 1

    def next_start(self) -> tuple[float, int]:
        starts = [
            (max(self.free[worker], self.ready[i], self.seat_s(i)), worker)
            for worker, queue in enumerate(self.queues)
            for i in {self.place(i): i for i in reversed(queue)}.values()
        ]
        return min(starts, default=(np.inf, 0))

    def place(self, i: int) -> tuple[int, int]:
        """Worker of a prompt, and the rank that it waits for."""
        return self.routed[0, i], int(self.dealt[i]) if len(self.dealt) else -1

    def seat_s(self, i: int) -> float:
        """Time from which a prompt has a seat."""
        setup, here = self.setup, [at for j, at in self.held.items() if self.place(j) == self.place(i) and j != i]
        seats = setup.rank_seats * (1 if len(self.dealt) else setup.ranks)
        return 0.0 if i in self.held or not seats or len(here) < seats else sorted(here)[-seats]

    def prefill(self, start: float, worker: int) -> None:
        """Serve one step of a worker."""
        setup, queue = self.setup, self.queues[worker]
        filled, prompts, ended, turn = [0.0] * setup.ranks, [0] * setup.ranks, [], 0
        stopped: set[int] = set()
        for i in [i for i in queue if self.ready[i] <= start]:
            rank = int(self.dealt[i]) if len(self.dealt) else turn % setup.ranks
            if rank in stopped:
                continue
            room = setup.rank_tokens - filled[rank]
            fits = room >= (1.0 if setup.cuts else self.left[i])
            if (prompts[rank] and (prompts[rank] >= setup.rank_batch or not fits)) or self.seat_s(i) > start:
                stopped |= {rank} if len(self.dealt) else set(range(setup.ranks))
                continue
            took = min(self.left[i], max(room, 1.0)) if setup.cuts else self.left[i]
            self.held[i] = np.inf
            filled[rank], prompts[rank], self.left[i], turn = (
                filled[rank] + took,
                prompts[rank] + 1,
                self.left[i] - took,
                turn + 1,
            )
            if self.left[i] > 0.0:
                stopped |= {rank} if len(self.dealt) else set(range(setup.ranks))
            else:
                ended.append(i)
        self.free[worker] = start + prompts_s(filled)
        for i in sorted(ended, key=lambda i: int(self.dealt[i]) if len(self.dealt) else 0):
            queue.remove(i)
            self.joins[i] = self.held[i] = self.free[worker] + setup.hand_over_s

    def run(self) -> tuple[list[float], list[float]]:
        count, setup, now = len(self.isl), self.setup, 0.0
        first, last = [0.0] * count, [0.0] * count
        made: dict[int, int] = {}
        done = 0
        while done < count:
            step_s = float(np.interp(max(len(made) / setup.decode_workers, 1.0), BATCHES, BASE_S))
            if made and len(made) < setup.decode_workers:  # below the first point the grid extrapolates
                step_s = float(BASE_S[0] + (len(made) / setup.decode_workers - 1.0) * (BASE_S[1] - BASE_S[0]) / 3.0)
            to = self.routed[1]
            free_seat = lambda i, to=to: sum(to[j] == to[i] for j in made) < setup.seats  # noqa: E731
            waiting = [at for i, at in self.joins.items() if free_seat(i)]
            event = now + step_s if made else max(now, min(waiting, default=np.inf))
            start, worker = self.next_start()
            if start <= event:
                self.prefill(start, worker)
                continue
            now = event
            for i in list(made):
                made[i] += 1
            for i in [i for i in made if made[i] >= self.osl[i]]:
                del made[i]
                last[i] = now
                done += 1
                self.send(now)
            joined = []
            for i in list(self.joins):
                if self.joins[i] <= now and free_seat(i):
                    del self.joins[i]
                    made[i] = 1
                    joined.append(i)
            if joined:
                share = len(made) / setup.decode_workers
                slope = (BASE_S[1] - BASE_S[0]) / 3.0
                step_s = (
                    float(np.interp(share, BATCHES, BASE_S))
                    if share >= 1.0
                    else float(BASE_S[0] + (share - 1.0) * slope)
                )
                for i in joined:
                    first[i] = now + step_s
        return first, last


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    count=st.integers(1, 25),
    users=st.sampled_from([0, 1, 3, 8]),
    longest=st.sampled_from([2, 5, 60]),
    setup=st.builds(
        Setup,
        rank_tokens=st.sampled_from([64.0, 1000.0, 5000.0]),
        rank_batch=st.sampled_from([1, 2, 99]),
        rank_seats=st.sampled_from([0, 1, 3]),
        cuts=st.booleans(),
        prefill_workers=st.sampled_from([1, 2, 3]),
        ranks=st.sampled_from([1, 2, 4]),
        by_chance=st.booleans(),
        decode_workers=st.sampled_from([1, 2, 3]),
        seats=st.sampled_from([1, 3, 64]),
        frontends=st.sampled_from([1, 4]),
    ),
)
def test_leaping_agrees_with_walking(seed: int, count: int, users: int, longest: int, setup: Setup) -> None:
    rng = np.random.default_rng(seed)
    isl = rng.integers(1, 1000, count).astype(float)
    osl = rng.integers(2, longest + 1, count).astype(float)
    admit_s = rng.uniform(0.0, 0.01, count)
    first, last = leap(users, isl, osl, admit_s, setup)
    expected_first, expected_last = Walk(users, isl, osl, admit_s, setup).run()
    assert first == pytest.approx(expected_first, rel=1e-9)
    assert last == pytest.approx(expected_last, rel=1e-9)


def test_two_prefill_workers_share_a_burst() -> None:
    isl, osl = np.full(40, 500.0), np.full(40, 2.0)
    one, two = (
        leap(0, isl, osl, np.zeros(40), Setup(rank_batch=1, prefill_workers=workers, seats=99))[0].mean()
        for workers in (1, 2)
    )
    assert two == pytest.approx(one / 2.0, rel=0.1)


def test_prompts_keep_their_seats_until_their_cache_is_sent() -> None:
    isl, osl = np.full(40, 500.0), np.full(40, 2.0)
    one, four = (
        leap(0, isl, osl, np.zeros(40), Setup(rank_batch=1, rank_seats=seats, hand_over_s=0.5, seats=99))[0].max()
        for seats in (1, 4)
    )
    step_s = prompts_s([500.0])
    assert one == pytest.approx(40.0 * (step_s + 0.5), rel=0.02)
    assert four == pytest.approx(10.0 * max(4.0 * step_s, step_s + 0.5), rel=0.06)


def test_users_beyond_the_seats_of_decode_workers_wait_by_littles_law() -> None:
    count, users, workers = 60, 6, 3
    isl, osl = np.full(count, 50.0), np.full(count, 200.0)
    first, last = leap(users, isl, osl, np.zeros(count), Setup(decode_workers=workers, seats=1))
    waits = first[users:] - np.sort(last)[: count - users]  # a request is sent when one ends
    decoding = (last - first).mean()
    assert waits.mean() == pytest.approx(decoding * (users - workers) / workers, rel=0.1)


def test_a_step_of_whole_prompts_leaves_room_that_a_part_of_one_would_fill() -> None:
    isl, osl = np.full(30, 700.0), np.full(30, 2.0)
    whole, cut = (
        leap(0, isl, osl, np.zeros(30), Setup(rank_batch=99, cuts=cuts, seats=99))[1].max() for cuts in (False, True)
    )
    assert cut < 0.95 * whole


def test_ranks_that_are_idle_take_no_time() -> None:
    assert prompts_s([500.0, 0.0]) < prompts_s([500.0, 500.0])
    lone = leap(1, np.array([500.0]), np.array([2.0]), np.zeros(1), Setup(ranks=2))[0]
    assert lone[0] == pytest.approx(prompts_s([500.0, 0.0]) + 0.01 + BASE_S[0])


def test_front_ends_that_do_not_know_of_each_other_leave_seats_idle() -> None:
    count, users = 90, 3
    isl, osl = np.full(count, 50.0), np.full(count, 200.0)
    setups = [Setup(decode_workers=users, seats=1, frontends=frontends) for frontends in (1, 10)]
    (one, ended), (ten, later) = (leap(users, isl, osl, np.zeros(count), setup) for setup in setups)
    decoding = (ended - one).mean()
    waits = [first[users:] - np.sort(last)[: count - users] for first, last in ((one, ended), (ten, later))]
    assert waits[0].mean() < 0.1 * decoding < 0.2 * decoding < waits[1].mean()
