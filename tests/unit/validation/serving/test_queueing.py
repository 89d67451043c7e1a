"""Rows where requests queue: the simulator in place of the loop."""

from dataclasses import replace

import pytest

from jevons.errors import InfeasibleError
from jevons.serving.calibration import shipped_calibration
from jevons.serving.closed_loop.types import Lengths
from jevons.serving.sim import Repeats
from jevons.serving.types import Layout
from jevons.validation.serving.case import Case
from jevons.validation.serving.mlperf import tasks
from jevons.validation.serving.predict import answer, calibrated, prepare
from jevons.validation.serving.queueing import queued_answer, queues

SHIPPED = shipped_calibration()
ENGINES = calibrated(SHIPPED)


def case(**changes):
    given = {
        "family": "engine_bench", "device": "h100_sxm", "model": "meta-llama/Llama-3.1-8B", "engine": "vllm",
        "version": "", "precision": None, "kv": None, "layout": Layout(), "scenario": "open",
        "isl": Lengths(mean=400.0), "osl": Lengths(mean=150.0), "gpus": 1, "requests": 300,
        "rate_per_s": 2.0, "lags": False,
    }  # fmt: skip
    return Case.of(**given | changes)


def both(made):
    prepared = prepare(made, ENGINES)
    return [by(prepared, ENGINES, SHIPPED.scales).outcome for by in (answer, queued_answer)]


@pytest.mark.slow
def test_without_a_queue_loop_and_simulator_agree():
    looped, simulated = both(case())
    assert simulated.tpot_s["mean"] == pytest.approx(looped.tpot_s["mean"], rel=0.05)
    assert simulated.e2e_s["p50"] == pytest.approx(looped.e2e_s["p50"], rel=0.05)
    assert simulated.requests_per_s == pytest.approx(looped.requests_per_s, rel=0.02)


def test_waits_grow_with_the_rate():
    waits = [both(case(rate_per_s=rate, max_batch=8))[1].ttft_s["p99"] for rate in (1.0, 4.0, 16.0)]
    assert waits == sorted(waits)
    assert waits[2] > 5 * waits[0]


def test_which_rows_are_simulated():
    assert queues(case())
    assert not queues(case(scenario="mlperf-server"))
    assert not queues(case(scenario="closed"))
    assert not queues(case(draft_tokens=2))


def test_prompts_that_repeat_are_found_in_the_cache_and_those_of_a_first_stage_but_once():
    repeats = Repeats(system_tokens=96, groups=3, prompts=5)
    cold, new, warm = (
        both(case(repeats=one, warm=is_warm))[1] for one, is_warm in ((repeats, False), (None, False), (repeats, True))
    )
    assert warm.ttft_s["mean"] < cold.ttft_s["mean"] < new.ttft_s["mean"]
    assert cold.ttft_s["p99"] > 1.2 * cold.ttft_s["p50"]
    assert warm.ttft_s["p99"] < 1.5 * warm.ttft_s["p50"]


def test_prompts_of_an_earlier_run_are_found_where_the_cache_holds_a_whole_run():
    lengths = {"isl": Lengths(mean=800.0, sigma=0.8), "rate_per_s": 8.0}
    again = Repeats(prompts=300)
    cold, warm = (both(case(**lengths, repeats=again, warm=sent))[1].ttft_s["p90"] for sent in (False, True))
    assert warm < 0.6 * cold
    much = {"requests": 3000, "repeats": Repeats(prompts=3000)}  # more tokens than the cache holds
    cold, warm = (both(case(**lengths, **much, warm=sent))[1].ttft_s["p90"] for sent in (False, True))
    assert warm == pytest.approx(cold)


def test_composing_a_step_ahead_costs_a_request_that_comes_a_step():
    lagging, prompt = (both(case(lags=lags, rate_per_s=8.0))[1] for lags in (True, False))
    step_s = prompt.tpot_s["p50"]
    assert lagging.ttft_s["p50"] - prompt.ttft_s["p50"] == pytest.approx(step_s, rel=0.3)


def test_tokens_as_the_client_counts_them_divide_the_time_per_token():
    counted, made = (both(case(counted_osl=tokens))[1] for tokens in (76.0, 0.0))
    assert counted.tpot_s["mean"] == pytest.approx(made.tpot_s["mean"] * 149 / 75, rel=1e-6)


def test_gaps_of_vllms_client_add_up_to_the_rate_since_0_9_2():
    lasts = [both(case(requests=200, release=release))[1].duration_s for release in ((0, 8, 5), (0, 9, 2))]
    assert lasts[0] == pytest.approx(0.943 * 199 / 2.0, abs=4.0)
    assert lasts[1] == pytest.approx(199 / 2.0, abs=4.0)


def test_large_systems_go_through_the_set_again():
    task = tasks()["gpt-oss-120b"]
    made = case(device="gb300", model="gpt-oss-120b", scenario="mlperf-offline", isl=task.isl, osl=task.osl,
                search=True, requests=task.requests)  # fmt: skip
    few, many = (queued_rate(replace(made, gpus=gpus)) / gpus for gpus in (1, 64))
    assert many == pytest.approx(few, rel=0.05)


def queued_rate(made):
    found = answer(prepare(made, ENGINES), ENGINES, SHIPPED.scales)
    return found.outcome.steady_output_tok_per_s * found.replicas


def test_a_run_that_was_measured_did_fit():
    tight = case(model="meta-llama/Meta-Llama-3-70B-Instruct", device="h100_sxm", gpus=2, layout=Layout(tp=2),
                 release=(0, 8, 5))  # fmt: skip
    assert prepare(tight, ENGINES).surfaces[0].deployment.memory_frac == pytest.approx(0.97)
    with pytest.raises(InfeasibleError):
        prepare(tight.replace(memory_frac=0.9), ENGINES)


def test_a_server_of_which_nothing_is_told_held_its_longest_sequence():
    made = case(model="Qwen/QwQ-32B", device="h100_pcie", gpus=1, layout=Layout(), release=(0, 8, 5), scenario="open",
                rate_per_s=1.0, requests=20)  # fmt: skip

    def cache(of):
        found = prepare(of, ENGINES).surfaces[0]
        return found.kv_tokens / found.deployment.longest

    assert cache(made) < 1.0 <= cache(made.replace(untold=True))  # the share of its command, or more than the default
    at_once = made.replace(untold=True, scenario="offline")
    assert cache(at_once) == cache(made)  # scripts are told the length of their requests
    larger = made.replace(model="Qwen/Qwen3-14B")
    assert cache(larger.replace(untold=True)) == cache(larger)  # that the default holds already
