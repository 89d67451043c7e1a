import dataclasses

import numpy as np
import pytest

from jevons import models, serving
from jevons.errors import InfeasibleError, InputError
from jevons.hardware import accelerator
from jevons.serving import sim

TABLE = sim.constant_table(8, 512, decode_s=0.01, prompt_token_s=0.0001)
LIMITS = sim.SimLimits(max_batch=8, step_tokens=512, block_tokens=16, kv_blocks=1000)
POOL = sim.Pool(table=TABLE, limits=LIMITS)


def load(rate: float, count: int = 1000, osl: int = 11) -> sim.Requests:
    return sim.generate(sim.Load(requests=count, isl=100, osl=osl, rate_req_per_s=rate, arrivals="constant"))


def test_a_lone_request_takes_its_prompt_its_way_and_its_steps() -> None:
    found = sim.simulate_split(load(1.0), POOL, POOL, np.full(1000, 0.003), edge_frac=0.0).simulated
    assert found.latency.ttft_s.p99 == pytest.approx(100 * 0.0001 + 0.003)
    assert found.latency.e2e_s.p99 == pytest.approx(100 * 0.0001 + 0.003 + 10 * 0.01)
    assert found.latency.tpot_s.p50 == pytest.approx(0.01)
    assert found.work.prefill_tokens == 100_000
    assert found.work.decode_tokens == 10_000
    assert found.overload.overload_frac is None


def test_one_link_sends_caches_one_after_the_other() -> None:
    at_once = dataclasses.replace(load(1.0, 4), arrival_s=np.zeros(4))
    for links, arrived in ((1, [1.0, 2.0, 3.0, 4.0]), (2, [1.0, 1.0, 2.0, 2.0]), (4, [1.0] * 4)):
        pool = dataclasses.replace(POOL, links=links)
        trail = sim.simulate_split(at_once, pool, POOL, np.ones(4)).simulated.trail
        assert trail.first / 1e12 == pytest.approx(np.array(arrived) + 400 * 0.0001)


def test_a_load_that_comes_at_once_is_not_called_unstable() -> None:
    at_once = dataclasses.replace(load(1.0), arrival_s=np.zeros(1000))
    slow = sim.Pool(table=sim.constant_table(8, 512, decode_s=0.2, prompt_token_s=0.0001), limits=LIMITS)
    split = sim.simulate_split(at_once, POOL, slow, np.zeros(1000))
    assert split.decode.overload_frac is split.simulated.overload.overload_frac is None
    assert split.simulated.counts.counted == 1000


def test_answers_of_one_token_stay_where_their_prompt_was() -> None:
    split = sim.simulate_split(load(1.0, osl=1), POOL, POOL, np.full(1000, 0.5))
    assert split.hand_over_s is None
    assert split.simulated.latency.tpot_s is None
    assert split.simulated.latency.e2e_s.p99 == pytest.approx(0.01)
    assert split.decode.utilisation_frac == 0.0


def test_the_pool_that_does_not_keep_up_makes_the_whole_unstable() -> None:
    slow = sim.Pool(table=sim.constant_table(8, 512, decode_s=0.2, prompt_token_s=0.0001), limits=LIMITS)
    busy = sim.simulate_split(load(5.0), POOL, slow, np.zeros(1000))
    assert busy.prefill.overload_frac is None
    assert busy.decode.overload_frac == pytest.approx(5.0 / 4.0 - 1.0, abs=0.02)  # 8 at once, 10 steps of 0.2 s each
    assert busy.simulated.overload.overload_frac == busy.decode.overload_frac
    assert busy.simulated.overload.capacity_req_per_s == pytest.approx(4.0, rel=0.02)
    enough = sim.simulate_split(load(5.0), POOL, dataclasses.replace(slow, replicas=2), np.zeros(1000))
    assert enough.simulated.overload.overload_frac is None


def test_what_a_pool_cannot_hold_is_left_out() -> None:
    small = dataclasses.replace(POOL, limits=dataclasses.replace(LIMITS, kv_blocks=7))
    mixed = dataclasses.replace(load(1.0, 4), isl=np.array([100, 120, 40, 200]))
    found = sim.simulate_split(mixed, POOL, small, np.zeros(4)).simulated
    assert found.counts.rejected == 2
    assert found.counts.served == 2
    with pytest.raises(InfeasibleError, match="no request fits"):
        sim.simulate_split(dataclasses.replace(load(1.0, 4), isl=np.full(4, 300)), POOL, small, np.zeros(4))


@pytest.mark.parametrize(
    ("changed", "moved_s", "match"),
    [
        ({"users": 3}, np.zeros(10), "closed loop"), ({}, np.zeros(9), "moved_s"), ({}, np.full(10, -1.0), "moved_s"),
        ({}, np.full(10, np.nan), "moved_s"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_refused(changed: dict, moved_s: np.ndarray, match: str) -> None:
    with pytest.raises(InputError, match=match):
        sim.simulate_split(dataclasses.replace(load(1.0, 10), **changed), POOL, POOL, moved_s)
    with pytest.raises(InputError, match="links"):
        sim.simulate_split(load(1.0, 10), dataclasses.replace(POOL, links=0), POOL, np.zeros(10))
    drafting = dataclasses.replace(POOL, limits=dataclasses.replace(LIMITS, draft_tokens=2))
    with pytest.raises(InputError, match="draft_tokens"):
        sim.simulate_split(load(1.0, 10), drafting, POOL, np.zeros(10))


def test_a_cache_takes_its_bytes_over_the_slower_link() -> None:
    model = models.load("llama-3.1-8b")
    prompts, decode = (
        serving.Deployment(
            model=model,
            accelerator=accelerator(name),
            layout=serving.Layout(tp=tp),
            precision="bf16",
            kv_precision="bf16",
            engine=serving.engine("vllm"),
        )
        for name, tp in (("h100_sxm", 1), ("h20", 2))
    )
    isl = np.array([1000, 4000])
    links = [one.accelerator.scaleout for one in (prompts, decode)]
    expected = isl * 131_072 / min(link.bytes_per_s for link in links) + max(link.latency_s for link in links)
    assert sim.hand_over_s(prompts, decode, isl) == pytest.approx(expected)
    many = np.arange(1, 9001)
    assert sim.hand_over_s(prompts, decode, many)[[999, 3999]] == pytest.approx(expected, rel=1e-9)
