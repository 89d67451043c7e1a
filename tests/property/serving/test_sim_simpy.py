"""The simulator against an engine of continuous batching written in SimPy: the same times, event by event."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest

from jevons.serving import sim

simpy = pytest.importorskip("simpy")

DECODE_S, CONTEXT_S, PROMPT_S = 0.008, 2e-7, 3e-5


class Engine:
    """One replica: a process that steps while there is work, and sleeps until somebody comes."""

    def __init__(self, env: Any, load: sim.Requests, max_batch: int, budget: int) -> None:
        self.env, self.load, self.max_batch, self.budget = env, load, max_batch, budget
        self.waiting: deque[int] = deque()
        self.work: dict[int, list[int]] = {}  # request: prompt tokens done, output tokens made
        self.first, self.finish = {}, {}
        self.arrived = env.event()
        env.process(self.run())
        env.process(self.source())

    def source(self) -> Generator[Any, Any, None]:
        for request, at in enumerate(self.load.arrival_s):
            yield self.env.timeout(max(float(at) - self.env.now, 0.0))
            self.waiting.append(request)
            if not self.arrived.triggered:
                self.arrived.succeed()

    def run(self) -> Generator[Any, Any, None]:
        while len(self.finish) < self.load.count:
            if not self.waiting and not self.work:
                self.arrived = self.env.event()
                yield self.arrived
            yield self.env.process(self.step())

    def step(self) -> Generator[Any, Any, None]:
        decoding = [r for r, (_, made) in self.work.items() if made > 0]
        room, chunks = self.budget - len(decoding), {}
        for request, (done, made) in self.work.items():
            if made == 0 and room > 0:
                chunks[request] = min(int(self.load.isl[request]) - done, room)
                room -= chunks[request]
        while self.waiting and room > 0 and len(self.work) < self.max_batch:
            request = self.waiting.popleft()
            self.work[request] = [0, 0]
            chunks[request] = min(int(self.load.isl[request]), room)
            room -= chunks[request]
        contexts = sum(int(self.load.isl[r]) + self.work[r][1] for r in decoding)
        spent = PROMPT_S * sum(chunks.values()) + (DECODE_S + CONTEXT_S * contexts if decoding else 0.0)
        yield self.env.timeout(spent)
        for request in decoding:
            self.work[request][1] += 1
        for request, tokens in chunks.items():
            self.work[request][0] += tokens
            if self.work[request][0] == self.load.isl[request]:
                self.work[request][1] = 1
                self.first[request] = self.env.now
        for request in [*decoding, *chunks]:
            if self.work[request][1] == self.load.osl[request]:
                del self.work[request]
                self.finish[request] = self.env.now


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("rate", "max_batch", "budget"), [(4.0, 16, 2048), (25.0, 6, 300), (60.0, 64, 512)])
def test_first_and_last_tokens_come_when_simpy_says(seed: int, rate: float, max_batch: int, budget: int) -> None:
    """Invariant 17: First and last tokens come when an independent SimPy engine says."""
    given = sim.Load(requests=250, isl=200, osl=30, isl_cv=1.0, osl_cv=1.0, rate_req_per_s=rate)
    load = sim.generate(given, seed)
    env = simpy.Environment()
    engine = Engine(env, load, max_batch, budget)
    env.run()
    table = sim.constant_table(max_batch, budget, decode_s=DECODE_S, per_context_s=CONTEXT_S, prompt_token_s=PROMPT_S)
    trail = sim.simulate(
        load, table, sim.SimLimits(max_batch=max_batch, step_tokens=budget, block_tokens=16, kv_blocks=100_000)
    ).trail
    for mine, times in ((engine.first, trail.first), (engine.finish, trail.finish)):
        theirs = np.array([mine[request] for request in range(load.count)])
        assert times / 1e12 == pytest.approx(theirs, abs=1e-7)
