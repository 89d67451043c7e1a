"""The slow, obvious twin of `jevons.serving.sim._kernels`: step by step, block by block."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np

from jevons.serving.sim.replica.drafts import Pace, in_units, pace_of
from jevons.serving.sim.types import TICKS_PER_S, IntArray, Requests, SimLimits, StepTable


@dataclass(eq=False, kw_only=True)
class Job:
    """One request; *made* counts the prompt's token and the steps since, of *steps* in all.

    Its cache is *want* tokens of prompt and answer so far and *grown* decode steps. It is *ready* where that cache
    waits on the host or elsewhere.
    """

    index: int
    arrival: int
    isl: int
    osl: int
    hashes: list[int] = field(default_factory=list)
    steps: int = 0
    rank: int = 0
    ready: str = ""
    grown: int = 0
    shared: int = 0
    slot: int = -1
    steps_done: int = 0
    cached: int = 0
    want: int = 0
    decoding: bool = False
    admitted: int = -1
    first: int = -1
    finish: int = -1
    preempted: int = 0
    engine: int = -1

    def emitted(self) -> int:
        """Output tokens of the steps done."""
        return self.steps_done * self.osl // self.steps


@dataclass(eq=False, kw_only=True)
class Replica:
    """One engine, at a step's start."""

    table: StepTable
    limits: SimLimits
    time: int = 0
    waiting: list[Job] = field(default_factory=list)
    running: list[Job] = field(default_factory=list)
    served: list[Job] = field(default_factory=list)
    holders: dict[int, int] = field(default_factory=dict)
    idle: dict[int, None] = field(default_factory=dict)
    freed: list[int] = field(default_factory=list)
    host: dict[int, None] = field(default_factory=dict)
    hosted: int = 0
    moving: int = 0
    moved_blocks: int = 0
    swaps: int = 0
    host_hit_tokens: int = 0
    hit_tokens: int = 0
    gaps: Counter[int] = field(default_factory=Counter)
    preemptions: int = 0
    prefilled: int = 0
    decoded: int = 0
    context_steps: int = 0
    busy: int = 0
    peak: int = 0

    def __post_init__(self) -> None:
        """Count contexts in parts of a token where steps yield several."""
        self.pace: Pace = pace_of(self.limits)
        self.steps = in_units(self.table, self.pace.unit)

    def blocks(self, tokens: int, steps: int = 0) -> int:
        """Cache blocks of so many tokens and decode steps after them, which fill the last block further."""
        block, period = self.limits.block_tokens, self.pace.period
        whole = -(-tokens // block)
        room = (whole * block - tokens) * period // block
        return whole - (-max(steps - room, 0) // period)

    def used(self) -> int:
        """Blocks in use: whole prompts are reserved on admission."""
        return sum(self.blocks(job.want, job.grown) - job.shared for job in self.running) + len(self.holders)

    def hits(self, job: Job, want: int) -> list[int]:
        """Leading blocks of a prompt that the prefix cache has; at least one token is left to compute."""
        blocks = []
        for key in job.hashes[: min(job.isl, want - 1) // self.limits.block_tokens]:
            if key not in self.holders and key not in self.idle and key not in self.host:
                break
            blocks.append(key)
        return blocks

    def hold(self, key: int) -> None:
        """Take hold of a block of the prefix cache."""
        self.idle.pop(key, None)
        self.host.pop(key, None)
        self.holders[key] = self.holders.get(key, 0) + 1

    def share(self, job: Job) -> None:
        """Put a computed prompt's blocks into the prefix cache."""
        for key in job.hashes[job.shared : job.isl // self.limits.block_tokens]:
            self.hold(key)
            job.shared += 1

    def release(self, job: Job) -> None:
        """Give back a request's blocks and slot; those of the prefix cache stay until others need them."""
        for key in reversed(job.hashes[: job.shared]):
            self.holders[key] -= 1
            if self.holders[key] == 0:
                del self.holders[key]
                self.idle[key] = None
        job.shared = 0
        self.freed.append(job.slot)

    def evict(self) -> None:
        """Move unused blocks of the prefix cache to the host, the least recently used first, until all fit."""
        while self.used() + len(self.idle) > self.limits.kv_blocks:
            key = next(iter(self.idle))
            del self.idle[key]
            self.host[key] = None
            self.make_host_room()

    def make_host_room(self) -> None:
        """Drop blocks of the prefix cache on the host, the least recently used first, until all fit."""
        while self.hosted + len(self.host) > self.limits.host_blocks:
            del self.host[next(iter(self.host))]

    def move(self, blocks: int) -> None:
        """Let the next step wait for blocks to or from the host."""
        self.moved_blocks += blocks
        self.moving += blocks * round(self.limits.move_s * TICKS_PER_S)

    def need(self) -> int:
        """Blocks that the next token of every decode takes."""
        return sum(
            self.blocks(job.want, job.grown + 1) - self.blocks(job.want, job.grown)
            for job in self.running
            if job.decoding
        )

    def context(self, job: Job) -> int:
        """Context of a decode, in parts of a token."""
        return job.want * self.pace.unit + job.grown * self.pace.growth

    def decode_ticks(self, jobs: list[Job]) -> int:
        """Ticks of one decode step."""
        if not jobs:
            return 0
        batch, context = len(jobs), sum(self.context(job) + self.pace.growth for job in jobs)
        pieces = range(1, len(self.steps.knots) - 1)
        piece = sum(1 for j in pieces if int(self.steps.knots[j]) * batch < context)
        return int(self.steps.base[batch, piece]) + int(self.steps.slope[batch, piece]) * context

    def added_ticks(self, batch: int, tokens: int) -> int:
        """Ticks that prompt tokens add to a decode step."""
        alone = int(self.steps.alone[tokens + batch])
        rows = [int(row) for row in self.steps.mixed_batches]
        above = next(i for i, row in enumerate(rows) if row >= batch)
        high = int(self.steps.mixed[above, tokens])
        if rows[above] == batch:
            return alone + high
        low = int(self.steps.mixed[above - 1, tokens])
        return alone + high + (low - high) * (rows[above] - batch) // (rows[above] - rows[above - 1])

    def preempt(self, job: Job) -> None:
        """Take the cache from a request and put it first among those that wait."""
        blocks = self.blocks(job.isl + job.emitted() - 1)
        if job.decoding and self.limits.swap and self.hosted + blocks <= self.limits.host_blocks:
            job.ready = "host"
            self.hosted += blocks
            self.swaps += 1
            self.move(blocks)
            self.make_host_room()
        self.running.remove(job)
        self.release(job)
        job.cached, job.grown, job.decoding = 0, 0, False
        job.preempted += 1
        self.preemptions += 1
        self.waiting.insert(0, job)

    def make_room(self) -> bool:
        """Preempt the last admitted of the worst rank until the next tokens fit; return whether any was."""
        some = False
        while self.need() > self.limits.kv_blocks - self.used():
            worst = max(job.rank for job in self.running)
            self.preempt([job for job in self.running if job.rank == worst][-1])
            some = True
        return some

    def first_waiting(self) -> Job | None:
        """Return the first waiting one of the best rank."""
        return min(self.waiting, key=lambda job: job.rank, default=None)

    def fits(self, job: Job) -> bool:
        """Return whether a slot and blocks are free for a request, beside the next token of every decode."""
        spare = self.limits.kv_blocks - self.used() - self.need()
        want = job.isl + job.emitted()
        hits = [] if job.ready else self.hits(job, want)
        unheld = sum(key not in self.holders for key in hits)
        blocks = self.blocks(want - 1, 1) if job.ready else self.blocks(want)
        return len(self.running) < self.limits.max_batch and blocks - len(hits) + unheld <= spare

    def make_way(self) -> None:
        """Preempt running requests of worse ranks for the first that waits."""
        while (job := self.first_waiting()) is not None:
            batch = sum(other.decoding for other in self.running)
            if self.fits(job) and batch < self.limits.step_tokens:
                return
            worse = [other for other in self.running if other.rank > job.rank]
            if not worse:
                return
            worst = max(other.rank for other in worse)
            self.preempt([other for other in worse if other.rank == worst][-1])

    def admit(self, job: Job) -> None:
        """Give a waiting request its slot and blocks; one whose cache waits elsewhere decodes at once."""
        self.waiting.remove(job)
        job.slot = self.freed.pop() if self.freed else len(self.running)
        if job.admitted < 0:
            job.admitted = self.time
        job.want = job.isl + job.emitted()
        if job.ready:
            job.want -= 1
            if job.ready == "host":
                self.hosted -= self.blocks(job.want)
                self.move(self.blocks(job.want))
            job.ready, job.decoding = "", True
        else:
            hits = self.hits(job, job.want)
            fetched = sum(key in self.host for key in hits)
            self.move(fetched)
            for key in hits:
                self.hold(key)
            job.shared, job.cached = len(hits), len(hits) * self.limits.block_tokens
            self.hit_tokens += job.cached
            self.host_hit_tokens += fetched * self.limits.block_tokens
        self.running.append(job)
        self.evict()

    def plan_chunks(self, held_back: bool) -> list[tuple[Job, int]]:
        """Hand the step's tokens to prompts."""
        room = self.limits.step_tokens - sum(job.decoding for job in self.running)
        chunks: list[tuple[Job, int]] = []
        for job in self.running:
            if not job.decoding and room > 0:
                chunks.append((job, min(job.want - job.cached, room)))
                room -= chunks[-1][1]
        while room > 0 and not held_back:
            first = self.first_waiting()
            if first is None or not self.fits(first):
                break
            self.admit(first)
            if first.decoding:
                room -= 1
            else:
                chunks.append((first, min(first.want - first.cached, room)))
                room -= chunks[-1][1]
        return chunks

    def step(self) -> None:
        """Run one step."""
        held_back = self.make_room()
        if not held_back:
            self.make_way()
        chunks = self.plan_chunks(held_back)
        decodes = [job for job in self.running if job.decoding]
        ticks = self.decode_ticks(decodes) + self.moving
        self.moving = 0
        tokens = sum(chunk for _, chunk in chunks)
        if tokens:
            ticks += self.added_ticks(len(decodes), tokens)
        for job, chunk in chunks:
            ticks += int(self.steps.own[chunk]) + job.cached * int(self.steps.cached[chunk])
        self.time += ticks
        self.busy += ticks
        self.prefilled += tokens
        self.decoded += len(decodes)
        self.gaps[ticks] += len(decodes)
        for job in decodes:
            job.grown += 1
            job.steps_done += 1
        self.context_steps += sum(self.context(job) for job in decodes)
        self.peak = max(self.peak, self.used())
        self.evict()
        for job in sorted(decodes, key=lambda job: job.slot):
            self.end(job)
        for job, chunk in chunks:
            job.cached += chunk
            if job.cached == job.want:
                job.steps_done += 1
                job.decoding = True
                self.share(job)
                if job.first < 0:
                    job.first = self.time
                self.end(job)

    def end(self, job: Job) -> None:
        """Let a request go if its last token is made."""
        if job.steps_done == job.steps:
            job.finish = self.time
            self.running.remove(job)
            self.release(job)
            self.served.append(job)

    def load_at(self, now: int) -> int:
        """Return how many requests sent here are not answered by then."""
        late = sum(job.finish > now for job in self.served)
        return len(self.waiting) + len(self.running) + late

    def accept(self, job: Job, now: int) -> None:
        """Queue a request, unless too many wait."""
        if self.limits.queue and len(self.waiting) >= self.limits.queue:
            return
        if not self.waiting and not self.running:
            self.time = max(self.time, now)
        self.waiting.append(job)

    def run_until(self, until: int) -> None:
        """Run steps until one starts at or after that."""
        while self.time < until and (self.waiting or self.running):
            self.step()


def simulate_steps(
    requests: Requests,
    steps: IntArray,
    arrival: IntArray,
    table: StepTable,
    limits: SimLimits,
    *,
    replicas: int = 1,
    routing: str = "round_robin",
    think: int = 0,
) -> tuple[list[Job], list[Replica]]:
    """Serve a load step by step; arguments as the kernels', arrivals and think time in ticks, steps of each request."""
    jobs = jobs_of(requests, steps, arrival)
    engines = [Replica(table=table, limits=limits) for _ in range(replicas)]
    if requests.users:
        for place, engine in enumerate(engines):
            users = requests.users // replicas + (place < requests.users % replicas)
            _closed(engine, jobs[place::replicas], users, think)
        return jobs, engines
    serve_open(jobs, engines, routing)
    return jobs, engines


def serve_open(jobs: list[Job], engines: list[Replica], routing: str) -> None:
    """Serve jobs in order of arrival; note in each which engine it went to."""
    for turn, job in enumerate(jobs):
        for engine in engines:
            engine.run_until(job.arrival)
        chosen = engines[turn % len(engines)]
        if routing == "least_loaded":
            chosen = min(engines, key=lambda engine: engine.load_at(job.arrival))
        chosen.accept(job, job.arrival)
        job.engine = engines.index(chosen)
    for engine in engines:
        engine.run_until(1 << 62)


def simulate_split_steps(
    requests: Requests,
    steps: IntArray,
    arrival: IntArray,
    pools: tuple[tuple[StepTable, SimLimits, int], tuple[StepTable, SimLimits, int]],
    moved: IntArray,
    links: int,
    routing: str,
) -> tuple[list[Job], list[Job], list[list[Replica]]]:
    """Serve a load by a pool for prompts and one for decoding; return the jobs of each, and the engines."""
    engines = [[Replica(table=table, limits=limits) for _ in range(replicas)] for table, limits, replicas in pools]
    ones = np.ones_like(requests.osl)
    first = jobs_of(replace(requests, osl=ones), ones, arrival)
    serve_open(first, engines[0], routing)
    second = jobs_of(replace(requests, hashes=None), steps, arrival)
    for place in range(len(engines[0])):
        free, sent = [0] * links, 0
        for job in sorted(first, key=lambda job: job.finish):
            if job.engine == place and job.finish >= 0 and requests.osl[job.index] > 1:
                free[sent % links] = max(free[sent % links], job.finish) + int(moved[job.index])
                second[job.index].arrival = second[job.index].first = free[sent % links]
                sent += 1
    going = [job for job in second if job.first >= 0]
    for job in going:
        job.steps_done, job.ready = 1, "elsewhere"
    serve_open(sorted(going, key=lambda job: job.arrival), engines[1], routing)
    return first, second, engines


def jobs_of(requests: Requests, steps: IntArray, arrival: IntArray) -> list[Job]:
    """Return the requests as jobs."""
    jobs = [
        Job(
            index=i,
            arrival=int(arrival[i]),
            isl=int(requests.isl[i]),
            osl=int(requests.osl[i]),
            hashes=hashes_of(requests, i),
            steps=int(steps[i]),
        )
        for i in range(requests.count)
    ]
    if requests.priority is not None:
        order = sorted({int(p) for p in requests.priority})
        for job in jobs:
            job.rank = order.index(int(requests.priority[job.index]))
    return jobs


def hashes_of(requests: Requests, index: int) -> list[int]:
    """Return the hashes of a request's prompt blocks."""
    if requests.hash_start is None or requests.hashes is None:
        return []
    return [int(key) for key in requests.hashes[requests.hash_start[index] : requests.hash_start[index + 1]]]


def _closed(engine: Replica, jobs: list[Job], users: int, think: int) -> None:
    """Serve users who each wait for an answer and think before they ask again."""
    coming = jobs[:users]
    later = jobs[users:]
    for job in coming:
        job.arrival = 0
    while coming or engine.running or engine.waiting:
        if not engine.running and not engine.waiting:
            engine.accept(coming[0], coming.pop(0).arrival)
        while coming and coming[0].arrival <= engine.time:
            engine.accept(coming[0], coming.pop(0).arrival)
        before = len(engine.served)
        engine.step()
        for _ in engine.served[before:]:
            if later:
                later[0].arrival = engine.time + think
                coming.append(later.pop(0))
