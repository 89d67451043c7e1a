"""Closed loops: prompts that a client repeats, its warm-up, a stall of the first wave, and pools that stream late."""

from dataclasses import replace

import numpy as np
import pytest

from jevons.hardware import accelerator
from jevons.models import load as model
from jevons.serving import engine
from jevons.serving.closed_loop.apart import sending_s
from jevons.serving.closed_loop.points import outcome, surface
from jevons.serving.closed_loop.types import Lengths, Load, Pools
from jevons.serving.formulas import accepted_tokens
from jevons.serving.types import Deployment, Layout

LOAD = Load(isl=Lengths(mean=4000.0, spread=0.002), osl=Lengths(mean=100.0, spread=0.08), requests=320, users=32)


def deployed(name: str = "vllm") -> Deployment:
    return Deployment(
        model=model("llama-3.1-8b"), accelerator=accelerator("h200_sxm"), layout=Layout(), precision="fp8",
        kv_precision="bf16", engine=engine(name),
    )  # fmt: skip


def test_prompts_sent_again_are_not_computed_again():
    each_own = outcome(surface(deployed(), LOAD))
    repeated = outcome(surface(deployed(), replace(LOAD, distinct_prompts=100)))
    assert repeated.output_tok_per_s > 1.3 * each_own.output_tok_per_s
    assert repeated.tpot_s["mean"] < each_own.tpot_s["mean"]
    as_many = outcome(surface(deployed(), replace(LOAD, distinct_prompts=LOAD.requests)))
    assert as_many == each_own


def test_prompts_of_an_earlier_run_are_known_where_the_cache_holds_a_whole_run():
    load = replace(LOAD, requests=160)
    first, again = (surface(deployed(), replace(load, sent_before=before)) for before in (False, True))
    assert outcome(again).ttft_s["mean"] < 0.5 * outcome(first).ttft_s["mean"]
    a_run = load.requests * (4000.0 + 100.0)
    less = [outcome(replace(at, kv_tokens=a_run - 1.0)) for at in (first, again)]
    assert less[0] == less[1]


def test_a_warmed_up_client_leaves_the_first_wave_out():
    whole = outcome(surface(deployed(), LOAD))
    warm = outcome(surface(deployed(), replace(LOAD, warmed_up=True)))
    assert warm.ttft_s["mean"] < whole.ttft_s["mean"]
    assert warm.output_tok_per_s == whole.output_tok_per_s


def test_a_stall_delays_the_first_wave_alone():
    plain = outcome(surface(deployed(), LOAD))
    late = outcome(surface(deployed(), replace(LOAD, first_stall_s=70.0)))
    share = LOAD.users / LOAD.requests
    assert late.ttft_s["mean"] - plain.ttft_s["mean"] == pytest.approx(70.0 * share)
    assert late.ttft_s["p50"] == pytest.approx(plain.ttft_s["p50"], rel=0.2)
    assert late.tpot_s == pytest.approx(plain.tpot_s)
    assert late.duration_s - plain.duration_s == pytest.approx(70.0)


def test_a_little_more_than_one_prompt_is_not_charged_as_two():
    at = surface(deployed("sglang"), replace(LOAD, isl=Lengths(mean=4000.0, spread=0.1)))
    times = dict(zip(at.tokens.tolist(), at.prompts.prompts.reshape(len(at.tokens), -1)[:, 0].tolist(), strict=True))
    for tokens, prompts in times.items():
        assert prompts == max(round(tokens / 4000.0), 1)


@pytest.mark.slow
def test_pools_stream_the_first_token_from_the_decode_worker():
    pools = Pools(prefill=deployed(), prefill_workers=1, decode_workers=1)
    load = Load(isl=Lengths(mean=4000.0), osl=Lengths(mean=200.0), requests=8, users=1)
    apart = outcome(surface(deployed(), load, pools))
    together = outcome(surface(deployed(), load))
    assert apart.ttft_s["mean"] > together.ttft_s["mean"]
    assert apart.e2e_s["mean"] == pytest.approx(apart.ttft_s["mean"] + 199 * apart.tpot_s["mean"], rel=1e-6)


def test_requests_of_a_burst_reach_the_engine_together():
    burst = Load(isl=Lengths(mean=100.0), osl=Lengths(mean=20.0), requests=64)
    quick, slow = (outcome(surface(deployed(), replace(burst, admit_more_s=more_s))) for more_s in (0.0, 0.05))
    assert slow.ttft_s["mean"] - quick.ttft_s["mean"] == pytest.approx(64 * 0.05)
    assert slow.tpot_s == pytest.approx(quick.tpot_s)


def test_lengths_above_the_longest_are_left_out_and_the_mean_stays():
    draws = Lengths(mean=200.0, sigma=1.5, most=1024.0).draw(2000, np.random.default_rng(1))
    assert draws.mean() == pytest.approx(200.0, rel=0.01)
    assert draws.max() <= 1024
    assert np.median(draws) < 130


def test_a_front_end_that_does_not_hold_bursts_lets_the_first_request_through_at_once():
    burst = Load(isl=Lengths(mean=100.0), osl=Lengths(mean=20.0), requests=64, admit_more_s=0.05)
    holding = deployed()
    letting = replace(holding, engine=holding.engine.replace(holds_bursts=False))
    held, let = (outcome(surface(one, burst)) for one in (holding, letting))
    assert let.ttft_s["mean"] == pytest.approx(0.5 * held.ttft_s["mean"], rel=0.2)


def test_the_first_token_of_pools_waits_for_the_hand_over():
    load = Load(isl=Lengths(mean=4000.0), osl=Lengths(mean=200.0), requests=8, users=1)
    quick = deployed()
    slow = replace(quick, engine=quick.engine.replace(hand_over_s=0.3))
    first = [
        outcome(surface(one, load, Pools(prefill=one, prefill_workers=1, decode_workers=1))).ttft_s["mean"]
        for one in (quick, slow)
    ]
    assert first[1] - first[0] == pytest.approx(0.3)


@pytest.mark.parametrize(("device", "each_s"), [("mi355x", 32 * 0.33e-6), ("h200_sxm", 0.0)])
def test_a_prefill_worker_whose_cache_has_pages_of_one_token_stops_to_send_them(device, each_s):
    served = replace(deployed("sglang"), accelerator=accelerator(device))
    load = Load(isl=Lengths(mean=4000.0), osl=Lengths(mean=20.0), requests=4, users=1)
    at = surface(served, load, Pools(prefill=served, prefill_workers=1, decode_workers=1))
    first_s = outcome(at).ttft_s["mean"]
    alone = replace(served, engine=replace(served.engine, name="vllm"))
    assert sending_s(served) == pytest.approx(each_s)
    assert sending_s(alone) == 0.0
    prompt_s = first_s - outcome(replace(at, pools=replace(at.pools, prefill=alone))).ttft_s["mean"]
    assert prompt_s == pytest.approx(4000.0 * each_s, abs=1e-9)


def test_prompts_that_come_to_ranks_by_chance_take_longer_than_prompts_dealt_in_turn():
    layout = Layout(dp=8, ep=8, dp_attention=True)
    load = Load(isl=Lengths(mean=4000.0), osl=Lengths(mean=50.0), requests=128, users=32)
    dealt = replace(
        deployed("sglang"), model=model("qwen3-235b-a22b"), layout=layout,
        engine=engine("sglang").replace(prompts_by_chance=False),
    )  # fmt: skip
    chance = replace(dealt, engine=dealt.engine.replace(prompts_by_chance=True))
    first = [
        outcome(surface(one, load, Pools(prefill=one, prefill_workers=1, decode_workers=1))).ttft_s["mean"]
        for one in (dealt, chance)
    ]
    assert first[1] > 1.1 * first[0]


def test_long_prompts_are_spread_over_the_ranks_that_no_one_takes_more_than_its_share_of_a_step():
    ranks = replace(
        deployed("sglang"), model=model("deepseek-r1"), layout=Layout(dp=8, ep=8, dp_attention=True),
        engine=engine("sglang").replace(step_tokens=4096),
    )  # fmt: skip
    at = surface(ranks, Load(isl=Lengths(mean=32768.0), osl=Lengths(mean=100.0), requests=64))
    assert at.prompts.prompt_tokens.max() <= 4096.0


def test_a_client_whose_gaps_do_not_add_up_ends_earlier():
    open_loop = Load(isl=Lengths(mean=200.0), osl=Lengths(mean=200.0), requests=200, rate_per_s=2.0)
    whole, shorter = (outcome(surface(deployed(), replace(open_loop, span_frac=share))) for share in (1.0, 0.9))
    assert whole.duration_s - shorter.duration_s == pytest.approx(0.1 * 199 / 2.0, rel=0.05)


def test_gaps_are_those_between_what_the_server_sends_at_a_time():
    each, ten = (outcome(surface(deployed(), replace(LOAD, stream_tokens=tokens))) for tokens in (1, 10))
    assert replace(ten, itl_s=each.itl_s) == each
    assert ten.itl_s["mean"] == pytest.approx(10.0 * each.itl_s["mean"])
    # Steps with a prompt are one in several: they fall into most sums of ten gaps, and rule few.
    assert 10.0 * each.itl_s["p50"] < ten.itl_s["p50"] < ten.itl_s["p99"] < 10.0 * each.itl_s["p99"]


def test_gaps_of_drafts_are_those_between_steps():
    drafts = replace(deployed(), draft_tokens=2)
    gained = accepted_tokens(2, drafts.engine.batching.draft_acceptance_frac)
    lone = Load(isl=Lengths(mean=100.0), osl=Lengths(mean=200.0), requests=2, users=1)
    seen, grouped = (outcome(surface(drafts, replace(lone, stream_tokens=tokens))) for tokens in (1, 4))
    assert seen.itl_s["mean"] == pytest.approx(gained * seen.tpot_s["mean"], rel=0.01)
    assert grouped.itl_s["mean"] == pytest.approx(np.ceil(4.0 / gained) * seen.itl_s["mean"])
