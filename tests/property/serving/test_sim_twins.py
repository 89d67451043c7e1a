"""The leaping simulator against its step-by-step twin, and what must hold for every load."""

import dataclasses

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from draws import draws
from jevons.serving import sim
from jevons.serving.sim._kernels.state import gap_bin
from jevons.serving.sim.replica._reference import Job, Replica, simulate_split_steps, simulate_steps
from jevons.serving.sim.replica.drafts import longest_tokens, steps_needed
from jevons.serving.sim.types import TICKS_PER_S

TOTALS = (
    ("prefill_tokens", "prefilled"), ("decode_tokens", "decoded"), ("hit_tokens", "hit_tokens"), ("busy", "busy"),
    ("peak_blocks", "peak"), ("preemptions", "preemptions"), ("swaps", "swaps"), ("moved_blocks", "moved_blocks"),
    ("host_hit_tokens", "host_hit_tokens"),
)  # fmt: skip


def random_table(rng: np.random.Generator, max_batch: int, step_tokens: int) -> sim.StepTable:
    """Return a table with random pieces, decode steps not getting shorter as contexts grow."""
    pieces = int(rng.integers(1, 4))
    knots = np.append(0, np.cumsum(rng.integers(1, 12, pieces)))
    base = rng.integers(1, 10**9, (max_batch + 1, pieces))
    slope = rng.integers(0, 10**7, (max_batch + 1, pieces))
    for j in range(1, pieces):
        level = base[:, j - 1] + (slope[:, j - 1] - slope[:, j]) * knots[j] * np.arange(max_batch + 1)
        base[:, j] = np.maximum(base[:, j], level)
    rows = np.unique(np.append([0, max_batch], rng.integers(0, max_batch + 1, 2)))
    alone = rng.integers(0, 10**9, step_tokens + 1)
    mixed = rng.integers(-1, 10**9, (len(rows), step_tokens + 1))
    own, cached = rng.integers(1, 10**7, step_tokens + 1), rng.integers(0, 10**6, step_tokens + 1)
    return sim.StepTable(
        knots=knots, base=base, slope=slope, alone=alone, mixed_batches=rows, mixed=mixed, own=own, cached=cached
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[sim.Requests, sim.StepTable, sim.SimLimits, dict]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    count = draw(st.integers(1, 30))
    max_batch, step_tokens, block = draw(st.integers(1, 6)), draw(st.integers(1, 20)), draw(st.integers(1, 5))
    isl, osl = rng.integers(1, 14, count), rng.integers(1, 14, count)
    gap_s = draw(st.sampled_from([0.0, 0.001, 0.01, 0.1]))
    arrival_s = np.cumsum(rng.exponential(gap_s, count))
    if draw(st.booleans()):
        arrival_s = np.round(arrival_s, 2)
    options = {"replicas": draw(st.integers(1, 3)), "routing": draw(st.sampled_from(sim.ROUTINGS))}
    users = draw(st.sampled_from([0, 0, 3, 7]))
    load = sim.Requests(arrival_s=arrival_s, isl=isl, osl=osl, users=users, think_s=draw(st.sampled_from([0.0, 0.003])))
    if draw(st.booleans()):
        # Prompts branch off a few common stems; a block's hash stands for all before it too.
        stems = rng.integers(0, 3, count)
        forks = rng.integers(0, 14, count)
        names: dict[tuple, int] = {}
        rows = [
            [
                names.setdefault((stems[i], k, i if k >= forks[i] else -1), len(names))
                for k in range(-(-isl[i] // block))
            ]
            for i in range(count)
        ]
        start = np.append(0, np.cumsum([len(row) for row in rows]))
        load = dataclasses.replace(
            load, hashes=np.array([key for row in rows for key in row]), hash_start=start, hash_tokens=block
        )
    if draw(st.booleans()):
        load = dataclasses.replace(load, priority=rng.integers(0, draw(st.integers(1, 4)), count))
    limits = sim.SimLimits(
        max_batch=max_batch, step_tokens=step_tokens, block_tokens=block, kv_blocks=0,
        queue=0 if users else draw(st.sampled_from([0, 0, 1, 3])),
        host_blocks=(host := draw(st.sampled_from([0, 0, 3, 12, 100]))), swap=host > 0 and draw(st.booleans()),
        move_s=draw(st.sampled_from([0.0, 1e-4, 0.01])),
        draft_tokens=draw(st.integers(0, block - 1)), draft_acceptance_frac=draw(st.sampled_from([0.0, 0.5, 0.9])),
    )  # fmt: skip
    longest = int(longest_tokens(load, steps_needed(load, limits, 0), limits).max())
    limits = dataclasses.replace(limits, kv_blocks=-(-max(longest, 1) // block) + draw(st.integers(0, 20)))
    return load, random_table(rng, max_batch, step_tokens), limits, options


def walk(
    load: sim.Requests, table: sim.StepTable, limits: sim.SimLimits, **options: object
) -> tuple[list[Job], list[Replica]]:
    arrival = np.round(load.arrival_s * TICKS_PER_S).astype(np.int64)
    steps = steps_needed(load, limits, 0)
    return simulate_steps(load, steps, arrival, table, limits, think=round(load.think_s * TICKS_PER_S), **options)


@settings(max_examples=draws(400), deadline=None)
@given(cases())
def test_leaping_equals_walking_to_the_picosecond(case: tuple) -> None:
    """Invariant 13: The leaping simulator equals its step-by-step twin to the picosecond."""
    load, table, limits, options = case
    trail = sim.simulate(load, table, limits, **options).trail
    jobs, engines = walk(load, table, limits, **options)
    for name in ("arrival", "admitted", "first", "finish", "preempted"):
        assert getattr(trail, name).tolist() == [getattr(job, name) for job in jobs], name
    for name, twin in TOTALS:
        assert trail.totals[name].tolist() == [getattr(engine, twin) for engine in engines], name
    assert trail.totals["context_steps"].tolist() == [e.context_steps // e.pace.unit for e in engines]
    gaps = np.zeros(len(trail.gaps), dtype=np.int64)
    for engine in engines:
        for ticks, tokens in engine.gaps.items():
            gaps[gap_bin.py_func(ticks)] += tokens
    assert trail.gaps.tolist() == gaps.tolist()


@settings(max_examples=draws(100), deadline=None)
@given(cases())
def test_every_token_block_and_request_is_accounted_for(case: tuple) -> None:
    """Invariant 14: Every token, cache block and request is accounted for."""
    load, table, limits, options = case
    found = sim.simulate(load, table, limits, **options)
    trail = found.trail
    done = trail.finish >= 0
    assert found.counts.served == done.sum()
    assert found.counts.served + found.counts.refused == load.count
    assert limits.queue or found.counts.served == load.count
    assert not trail.totals["blocks"].any()
    assert not trail.totals["host_blocks"].any()
    assert found.occupancy.kv_peak_frac <= 1.0
    assert (trail.arrival <= trail.admitted)[done].all()
    assert (trail.admitted < trail.first)[done].all()
    assert (trail.first <= trail.finish)[done].all()
    assert found.work.swaps <= found.work.preemptions == trail.preempted.sum()
    assert found.work.host_hit_tokens <= found.work.hit_tokens
    assert trail.gaps.sum() == found.work.decode_tokens
    # Each admission makes one token from the prompt, unless the cache was kept; all others come from decode steps.
    isl, osl, steps = load.isl[done], load.osl[done], steps_needed(load, limits, 0)[done]
    assert (-(-(osl - 1) // (limits.draft_tokens + 1)) < steps).all()
    assert (steps <= osl).all()
    assert found.work.decode_tokens + done.sum() + found.work.preemptions - found.work.swaps >= steps.sum()
    if found.work.preemptions == found.work.swaps:
        assert found.work.decode_tokens == (steps - 1).sum()
        assert found.work.prefill_tokens + found.work.hit_tokens == isl.sum()


@settings(max_examples=draws(150), deadline=None)
@given(cases(), st.integers(1, 3), st.integers(1, 2), st.sampled_from([0.0, 1e-4, 0.02]), st.integers(0, 2**32))
def test_pools_for_prompts_and_decoding_equal_their_twin(
    case: tuple, replicas: int, links: int, most_s: float, seed: int
) -> None:
    """Invariant 15: Prefill and decode pools equal their step-by-step twin."""
    load, table, limits, options = case
    rng = np.random.default_rng(seed)
    load = dataclasses.replace(load, users=0)
    moved_s = np.round(most_s * rng.random(load.count), 6)
    prompts = dataclasses.replace(
        limits, draft_tokens=0, max_batch=int(rng.integers(1, limits.max_batch + 1)),
        step_tokens=int(rng.integers(1, limits.step_tokens + 1)),
    )  # fmt: skip
    pools = (
        sim.Pool(table=table, limits=prompts, replicas=options["replicas"], links=links),
        sim.Pool(table=table, limits=limits, replicas=replicas),
    )
    split = sim.simulate_split(load, *pools, moved_s, routing=options["routing"])
    arrival, moved = (np.round(times * TICKS_PER_S).astype(np.int64) for times in (load.arrival_s, moved_s))
    first, second, engines = simulate_split_steps(
        load, steps_needed(load, limits, 0), arrival, [(p.table, p.limits, p.replicas) for p in pools], moved, links,
        options["routing"],
    )  # fmt: skip
    trail = split.simulated.trail
    assert trail.admitted.tolist() == [job.admitted for job in first]
    ends = [job.finish if load.osl[job.index] == 1 else second[job.index].finish for job in first]
    starts = [job.finish if load.osl[job.index] == 1 else second[job.index].first for job in first]
    assert trail.finish.tolist() == ends
    assert trail.first.tolist() == starts
    assert trail.preempted.tolist() == [a.preempted + b.preempted for a, b in zip(first, second, strict=True)]
    for name, twin in TOTALS:
        assert trail.totals[name].tolist() == [getattr(engine, twin) for pool in engines for engine in pool], name
    assert not trail.totals["blocks"].any()
    assert not trail.totals["host_blocks"].any()
    assert split.simulated.counts.served + split.simulated.counts.refused == load.count


@settings(max_examples=draws(40), deadline=None)
@given(cases(), st.integers(0, 2**32))
def test_order_of_equal_requests_changes_no_latency(case: tuple, seed: int) -> None:
    """Invariant 16: The order of equal requests changes no latency."""
    load, table, limits, options = case
    at_once = dataclasses.replace(load, arrival_s=np.zeros(load.count), users=0, hashes=None)
    kinds = np.random.default_rng(seed).permutation(load.count) % 2
    equal = dataclasses.replace(at_once, isl=np.full(load.count, 5), osl=np.full(load.count, 4))
    swapped = dataclasses.replace(equal, isl=equal.isl[kinds * 0], osl=equal.osl[np.argsort(kinds)])
    limits = dataclasses.replace(limits, kv_blocks=max(limits.kv_blocks, 9))
    first = sim.simulate(equal, table, limits, **options)
    second = sim.simulate(swapped, table, limits, **options)
    assert np.sort(first.trail.finish).tolist() == np.sort(second.trail.finish).tolist()
    assert first.latency.e2e_s == second.latency.e2e_s
