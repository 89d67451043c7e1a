"""The slow, obvious twin of `jevons.serving.sim._kernels`: step by step, block by block."""

from __future__ import annotations

from dataclasses import dataclass, field

from jevons.serving.sim.types import IntArray, Requests, SimLimits, StepTable


@dataclass(eq=False)
class Job:
    """One request."""

    index: int
    arrival: int
    isl: int
    osl: int
    hashes: list[int] = field(default_factory=list)
    shared: int = 0
    slot: int = -1
    made: int = 0
    cached: int = 0
    want: int = 0
    decoding: bool = False
    admitted: int = -1
    first: int = -1
    finish: int = -1
    preempted: int = 0


@dataclass(eq=False)
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
    hit_tokens: int = 0
    preemptions: int = 0
    prefilled: int = 0
    decoded: int = 0
    context_steps: int = 0
    busy: int = 0
    peak: int = 0

    def blocks(self, tokens: int) -> int:
        """Cache blocks of so many tokens."""
        return -(-tokens // self.limits.block_tokens)

    def used(self) -> int:
        """Blocks in use: whole prompts are reserved on admission."""
        held = (self.blocks(job.cached if job.decoding else job.want) - job.shared for job in self.running)
        return sum(held) + len(self.holders)

    def hits(self, job: Job, want: int) -> list[int]:
        """Leading blocks of a prompt that the prefix cache has; at least one token is left to compute."""
        found = []
        for key in job.hashes[: min(job.isl, want - 1) // self.limits.block_tokens]:
            if key not in self.holders and key not in self.idle:
                break
            found.append(key)
        return found

    def hold(self, key: int) -> None:
        """Take hold of a block of the prefix cache."""
        self.idle.pop(key, None)
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
        """Drop unused blocks of the prefix cache, the least recently used first, until all fit."""
        while self.used() + len(self.idle) > self.limits.kv_blocks:
            del self.idle[next(iter(self.idle))]

    def need(self) -> int:
        """Blocks that the next token of every decode takes."""
        return sum(self.blocks(job.cached + 1) - self.blocks(job.cached) for job in self.running if job.decoding)

    def decode_ticks(self, jobs: list[Job]) -> int:
        """Ticks of one decode step."""
        if not jobs:
            return 0
        batch, context = len(jobs), sum(job.cached + 1 for job in jobs)
        pieces = range(1, len(self.table.knots) - 1)
        piece = sum(1 for j in pieces if int(self.table.knots[j]) * batch < context)
        return int(self.table.base[batch, piece]) + int(self.table.slope[batch, piece]) * context

    def added_ticks(self, batch: int, tokens: int) -> int:
        """Ticks that prompt tokens add to a decode step."""
        alone = int(self.table.alone[tokens + batch])
        rows = [int(row) for row in self.table.mixed_batches]
        above = next(i for i, row in enumerate(rows) if row >= batch)
        high = int(self.table.mixed[above, tokens])
        if rows[above] == batch:
            return alone + high
        low = int(self.table.mixed[above - 1, tokens])
        return alone + high + (low - high) * (rows[above] - batch) // (rows[above] - rows[above - 1])

    def make_room(self) -> bool:
        """Preempt the last admitted until the next tokens fit; return whether any was."""
        some = False
        while self.need() > self.limits.kv_blocks - self.used():
            job = self.running.pop()
            self.release(job)
            job.cached, job.decoding = 0, False
            job.preempted += 1
            self.preemptions += 1
            self.waiting.insert(0, job)
            some = True
        return some

    def step(self) -> None:
        """Run one step."""
        held_back = self.make_room()
        decodes = [job for job in self.running if job.decoding]
        room = self.limits.step_tokens - len(decodes)
        need = self.need()
        chunks: list[tuple[Job, int]] = []
        for job in self.running:
            if not job.decoding and room > 0:
                chunks.append((job, min(job.want - job.cached, room)))
                room -= chunks[-1][1]
        while room > 0 and not held_back and self.waiting and len(self.running) < self.limits.max_batch:
            job = self.waiting[0]
            want = job.isl + job.made
            hits = self.hits(job, want)
            unheld = sum(key in self.idle for key in hits)
            if self.blocks(want) - len(hits) + unheld > self.limits.kv_blocks - self.used() - need:
                break
            self.waiting.pop(0)
            for key in hits:
                self.hold(key)
            job.want, job.shared, job.cached = want, len(hits), len(hits) * self.limits.block_tokens
            job.slot = self.freed.pop() if self.freed else len(self.running)
            self.hit_tokens += job.cached
            if job.admitted < 0:
                job.admitted = self.time
            self.running.append(job)
            self.evict()
            chunks.append((job, min(want - job.cached, room)))
            room -= chunks[-1][1]
        ticks = self.decode_ticks(decodes)
        tokens = sum(chunk for _, chunk in chunks)
        if tokens:
            ticks += self.added_ticks(len(decodes), tokens)
        for job, chunk in chunks:
            ticks += int(self.table.own[chunk]) + job.cached * int(self.table.cached[chunk])
        self.time += ticks
        self.busy += ticks
        self.prefilled += tokens
        self.decoded += len(decodes)
        for job in decodes:
            job.cached += 1
            job.made += 1
        self.context_steps += sum(job.cached for job in decodes)
        self.peak = max(self.peak, self.used())
        self.evict()
        for job in sorted(decodes, key=lambda job: job.slot):
            self.end(job)
        for job, chunk in chunks:
            job.cached += chunk
            if job.cached == job.want:
                job.made += 1
                job.decoding = True
                self.share(job)
                if job.first < 0:
                    job.first = self.time
                self.end(job)

    def end(self, job: Job) -> None:
        """Let a request go if its last token is made."""
        if job.made == job.osl:
            job.finish = self.time
            self.running.remove(job)
            self.release(job)
            self.served.append(job)

    def load_at(self, now: int) -> int:
        """Return how many requests sent here are not answered by then."""
        late = sum(job.finish > now for job in self.served)
        return len(self.waiting) + len(self.running) + late

    def accept(self, job: Job) -> None:
        """Queue a request at its arrival."""
        if not self.waiting and not self.running:
            self.time = max(self.time, job.arrival)
        self.waiting.append(job)

    def run_until(self, until: int) -> None:
        """Run steps until one starts at or after that."""
        while self.time < until and (self.waiting or self.running):
            self.step()


def simulate_steps(
    requests: Requests,
    arrival: IntArray,
    table: StepTable,
    limits: SimLimits,
    *,
    replicas: int = 1,
    routing: str = "round_robin",
    think: int = 0,
) -> tuple[list[Job], list[Replica]]:
    """Serve a load step by step; arguments as the kernels', arrivals and think time in ticks."""
    jobs = [
        Job(i, int(arrival[i]), int(requests.isl[i]), int(requests.osl[i]), _hashes(requests, i))
        for i in range(requests.count)
    ]
    engines = [Replica(table, limits) for _ in range(replicas)]
    if requests.users:
        for place, engine in enumerate(engines):
            users = requests.users // replicas + (place < requests.users % replicas)
            _closed(engine, jobs[place::replicas], users, think)
        return jobs, engines
    for job in jobs:
        for engine in engines:
            engine.run_until(job.arrival)
        chosen = engines[job.index % replicas]
        if routing == "least_loaded":
            chosen = min(engines, key=lambda engine: engine.load_at(job.arrival))
        chosen.accept(job)
    for engine in engines:
        engine.run_until(1 << 62)
    return jobs, engines


def _hashes(requests: Requests, index: int) -> list[int]:
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
            engine.accept(coming.pop(0))
        while coming and coming[0].arrival <= engine.time:
            engine.accept(coming.pop(0))
        before = len(engine.served)
        engine.step()
        for _ in engine.served[before:]:
            if later:
                later[0].arrival = engine.time + think
                coming.append(later.pop(0))
