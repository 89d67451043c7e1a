import dataclasses

import numpy as np
import pytest

from jevons.errors import InfeasibleError, InputError
from jevons.serving import sim

TABLE = sim.constant_table(4, 64, decode_s=0.01, prompt_token_s=0.001)
LIMITS = sim.SimLimits(max_batch=4, step_tokens=64, block_tokens=4, kv_blocks=100)


def requests(arrival_s: list[float], isl: list[int], osl: list[int], **more: object) -> sim.Requests:
    return sim.Requests(arrival_s=np.array(arrival_s), isl=np.array(isl), osl=np.array(osl), **more)


def test_one_request_takes_its_prompt_and_its_steps() -> None:
    # 10 prompt tokens at 1 ms give the first of 5 tokens, 4 steps of 10 ms the others; 20 ms pass outside the engine.
    found = sim.simulate(requests([1.0], [10], [5]), TABLE, LIMITS, entry_s=0.02)
    assert found.latency.ttft_s.mean == pytest.approx(0.030)
    assert found.latency.tpot_s.mean == pytest.approx(0.010)
    assert found.latency.e2e_s.mean == pytest.approx(0.070)
    assert (found.work.steps, found.work.prefill_tokens, found.work.decode_tokens) == (4, 10, 4)


def test_a_prompt_beyond_the_budget_goes_in_chunks_beside_decodes() -> None:
    # The decode of the first request leaves 63 tokens of each step's 64 to the 100 of the second.
    trail = sim.simulate(requests([0.0, 0.001], [10, 100], [9, 1]), TABLE, LIMITS).trail
    assert trail.first[0] == 10 * 10**9
    assert trail.finish[1] == (10 + 10 + 63 + 10 + 37) * 10**9


def test_the_last_admitted_gives_way_where_the_cache_is_full() -> None:
    # Six blocks of 4 tokens: both prompts of 8 fit, their answers of 9 (16 tokens cached, 4 blocks) do not.
    found = sim.simulate(requests([0.0, 0.0], [8, 8], [9, 9]), TABLE, dataclasses.replace(LIMITS, kv_blocks=6))
    assert found.trail.preempted.tolist() == [0, 1]
    assert found.work.preemptions == 1
    assert found.occupancy.kv_peak_frac == 1.0
    # Two blocks are held, one more each at the first step; at the fifth there is none left: 8 + 4 tokens, made anew.
    assert found.work.prefill_tokens == 16 + 8 + 1 + 4


def test_unstable_loads_are_called_so_with_the_excess() -> None:
    # One request takes 10 ms of prompt; four run at once but the prompts one after another: 100 a second at most.
    load = sim.generate(sim.Load(requests=20_000, isl=10, osl=1, rate_req_per_s=130.0), 1)
    found = sim.simulate(load, TABLE, LIMITS)
    assert found.overload.overload_frac == pytest.approx(0.30, abs=0.03)
    assert found.overload.capacity_req_per_s == pytest.approx(100.0, rel=0.01)
    calm = sim.generate(sim.Load(requests=20_000, isl=10, osl=1, rate_req_per_s=90.0), 1)
    assert sim.simulate(calm, TABLE, LIMITS).overload.overload_frac is None


def test_goodput_counts_only_requests_within_the_limits() -> None:
    load = sim.generate(sim.Load(requests=5000, isl=10, osl=5, rate_req_per_s=30.0), 1)
    free = sim.simulate(load, TABLE, LIMITS)
    held = sim.simulate(load, TABLE, LIMITS, ttft_s=free.latency.ttft_s.p50)
    assert free.throughput.goodput_req_per_s == free.throughput.req_per_s
    assert held.throughput.goodput_req_per_s == pytest.approx(free.throughput.req_per_s / 2, rel=0.05)


def test_least_loaded_routing_waits_less_than_round_robin() -> None:
    load = sim.generate(sim.Load(requests=20_000, isl=10, osl=10, rate_req_per_s=80.0, osl_cv=2.0), 1)
    waits = [sim.simulate(load, TABLE, LIMITS, replicas=4, routing=r).latency.ttft_s.mean for r in sim.ROUTINGS]
    assert waits[1] < 0.9 * waits[0]


def test_requests_that_cannot_fit_are_counted_apart() -> None:
    found = sim.simulate(requests([0.0, 0.0], [10, 1000], [5, 5]), TABLE, LIMITS)
    assert (found.counts.served, found.counts.rejected) == (1, 1)
    assert found.trail.finish[1] == -1
    with pytest.raises(InfeasibleError, match="1,005 tokens"):
        sim.simulate(requests([0.0], [1000], [5]), TABLE, LIMITS)


def test_wrong_arguments_are_refused() -> None:
    good = requests([0.0, 1.0], [10, 10], [5, 5])
    for load, options in (
        (good, {"replicas": 0}),
        (good, {"routing": "robin"}),
        (good, {"edge_frac": 0.5}),
        (requests([1.0, 0.0], [10, 10], [5, 5]), {}),
        (requests([0.0, np.nan], [10, 10], [5, 5]), {}),
        (requests([0.0, 1e9], [10, 10], [5, 5]), {}),
        (requests([0.0], [0], [5]), {}),
        (requests([], [], []), {}),
        (requests([0.0, 0.0], [1, 1], [1, 1], users=1), {"replicas": 2}),
    ):
        with pytest.raises(InputError):
            sim.simulate(load, TABLE, LIMITS, **options)
    with pytest.raises(InputError, match="max_batch"):
        sim.simulate(good, TABLE, dataclasses.replace(LIMITS, max_batch=5))


def test_cost_grows_with_events_not_with_tokens() -> None:
    table = sim.constant_table(256, 2048, decode_s=0.01, prompt_token_s=1e-5)
    limits = sim.SimLimits(max_batch=256, step_tokens=2048, block_tokens=16, kv_blocks=50_000)
    events = [
        sim.simulate(
            sim.generate(sim.Load(requests=5000, isl=500, osl=osl, rate_req_per_s=1200 / osl), 1), table, limits
        ).work.events
        for osl in (200, 2000)
    ]
    assert events[1] < 1.3 * events[0]


def test_a_shared_prefix_is_computed_once() -> None:
    # Ten prompt tokens in blocks of four: two whole blocks are kept, so the second request computes two tokens.
    load = requests(
        [0.0, 1.0], [10, 10], [5, 5], hashes=np.array([0, 1, 2, 0, 1, 3]), hash_start=np.array([0, 3, 6]), hash_tokens=4
    )
    found = sim.simulate(load, TABLE, LIMITS)
    assert (found.work.hit_tokens, found.work.prefill_tokens) == (8, 12)
    assert found.trail.first[1] - found.trail.arrival[1] == 2 * 10**9
    with pytest.raises(InputError, match="block_tokens = 5"):
        sim.simulate(load, TABLE, dataclasses.replace(LIMITS, block_tokens=5))


def test_the_prefix_least_recently_used_makes_room() -> None:
    # Prompts of 8 tokens and answers of 4 take three blocks each; the two of each prompt stay for others.
    keys = np.array([0, 1, 2, 3, 4, 5, 2, 3, 0, 1])
    load = requests(
        [0.0, 1.0, 2.0, 3.0, 4.0], [8] * 5, [4] * 5, hashes=keys, hash_start=np.arange(0, 11, 2), hash_tokens=4
    )
    found = [sim.simulate(load, TABLE, dataclasses.replace(LIMITS, kv_blocks=blocks)) for blocks in (5, 6)]
    # The fourth finds its first block (the last token of a prompt is always computed). Of the first prompt, the third
    # evicts both blocks where five are held, and only the last where six are: then the fifth finds the other.
    assert [f.work.hit_tokens for f in found] == [4, 8]


def test_a_load_that_ends_in_a_burst_is_not_called_unstable() -> None:
    table = sim.constant_table(4, 512, decode_s=0.01, prompt_token_s=1e-4)
    calm, burst = np.linspace(0.0, 60.0, 120), np.linspace(60.0, 110.0, 500)
    ones = np.ones(620, dtype=np.int64)
    load = sim.Requests(arrival_s=np.append(calm, burst), isl=50 * ones, osl=50 * ones)
    found = sim.simulate(load, table, sim.SimLimits(max_batch=4, step_tokens=512, block_tokens=16, kv_blocks=1000))
    assert found.timing.end_s > 118.0  # eight a second are finished, ten come in the burst and two before
    assert found.occupancy.utilisation_frac > 0.98
    assert found.overload.overload_frac is None


def test_a_load_that_is_over_before_its_second_half_is_finished_is_unstable_where_its_queue_outlasts_it() -> None:
    """Four run at once, for five seconds each: 0.8 a second are finished, and 50 come."""
    table = sim.constant_table(4, 512, decode_s=0.01, prompt_token_s=1e-6)
    limits = sim.SimLimits(max_batch=4, step_tokens=512, block_tokens=16, kv_blocks=1000)
    load = sim.generate(sim.Load(requests=80, isl=10, osl=500, rate_req_per_s=50.0), 1)
    found = sim.simulate(load, table, limits)
    assert found.timing.end_s == pytest.approx(100.0, rel=0.02)
    assert found.overload.capacity_req_per_s == pytest.approx(80.0 / found.timing.end_s, rel=1e-6)
    assert found.overload.overload_frac == pytest.approx(found.timing.end_s / load.arrival_s[-1] - 1.0, rel=1e-6)
    wide = dataclasses.replace(limits, max_batch=128, kv_blocks=10_000)
    roomy = sim.simulate(load, sim.constant_table(128, 512, decode_s=0.01, prompt_token_s=1e-6), wide)
    assert roomy.overload.overload_frac is None  # all run at once


def test_waves_of_a_closed_loop_do_not_count_twice_in_a_short_window() -> None:
    """Two waves of 16 users, whose answers end together: the window between them holds one wave, not one and a half."""
    table = sim.constant_table(16, 512, decode_s=0.01, prompt_token_s=1e-7)
    limits = sim.SimLimits(max_batch=16, step_tokens=512, block_tokens=16, kv_blocks=10_000)
    ones = np.ones(32, dtype=np.int64)
    load = sim.Requests(arrival_s=np.zeros(32), isl=10 * ones, osl=500 * ones, users=16)
    found = sim.simulate(load, table, limits)
    assert found.throughput.output_tok_per_s == pytest.approx(16 / 0.01, rel=0.02)
    assert found.throughput.req_per_s == pytest.approx(16 / 5.0, rel=0.02)
    assert found.whole.throughput.output_tok_per_s == pytest.approx(16 / 0.01, rel=0.02)
