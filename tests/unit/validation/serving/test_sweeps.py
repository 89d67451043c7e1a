"""Sweeps whose runs send the same prompts to one server."""

import pytest

from jevons.validation.serving.sweeps import case_in_sweep, repeating_runs

ROW = {
    "family": "engine_bench", "source_title": "a page", "source_ref": "github.com/a/b results/run_16qps.json @4990a807",
    "engine": "vLLM", "engine_version": "0.8.5", "model": "Qwen/Qwen3-14B", "precision": "bf16", "gpu": "RTX 4090",
    "n_gpus": "4", "tp": "4", "isl": "ShareGPT", "osl": "ShareGPT", "metric": "ttft_ms_mean", "value": "100",
}  # fmt: skip
SENT = "requests=200; total_in=41650; total_out=41467"


def run(name, *, at="173101", tokens=41650, load="16.0 req/s Poisson", **columns):
    notes = SENT.replace("41650", str(tokens))
    changes = {"run_id": name, "date_or_version": f"20250610-{at}", "notes": notes, "concurrency_or_rate": load}
    return {**ROW, "source_ref": ROW["source_ref"].replace("16qps", name.replace(" ", "-")), **changes, **columns}


def test_a_run_that_repeats_the_prompts_of_an_earlier_one_is_told_by_its_time_and_tokens():
    first, later = run("first", load="32.0 req/s Poisson"), run("later", at="173206")
    assert repeating_runs([later, first, {**later, "metric": "tpot_ms_mean"}]) == {"later"}
    again = run("sent again", at="180000", load="32.0 req/s Poisson"), run("and later", at="180100")
    assert repeating_runs([first, later, *again]) == {"later", "and later"}
    others = (
        run("other day", date_or_version="20250611-173206"), run("fewer tokens", at="173300", tokens=41169),
        run("another server", at="173400", tp="8"), run("no time", date_or_version="0.8.5"),
    )  # fmt: skip
    assert repeating_runs([first, *others]) == set()


def test_loads_of_a_random_data_set_with_as_many_prompts_each_send_the_same():
    notes = "random dataset; 50 prompts at c=1 else 400 (Super 49B ~50), so more users are not reached"
    of_nano, of_super = (
        [
            {**ROW, "model": model, "gpu": "B200", "isl": "2048", "osl": "512", "notes": notes,
             "concurrency_or_rate": f"concurrency {users}", "run_id": f"{model} {users}"}
            for users in (8, 1, 16)
        ]
        for model in ("Nemotron Nano 30B", "Nemotron Super 49B")
    )  # fmt: skip
    assert repeating_runs([*of_nano, *of_super]) == {
        "Nemotron Nano 30B 16", "Nemotron Super 49B 8", "Nemotron Super 49B 16",
    }  # fmt: skip


def test_sglangs_client_draws_the_same_prompts_again_whatever_the_answers_length():
    bench = (
        "bench: python3 -m sglang.bench_serving --random-input-len {} --random-output-len {} --num-prompts {}; serve: a"
    )
    first, more, again, longer, fewer = (
        {**ROW, "engine": "SGLang", "isl": str(isl), "osl": str(osl), "notes": bench.format(isl, osl, prompts),
         "concurrency_or_rate": f"concurrency {users}; rate inf", "run_id": f"{isl}/{osl} x{prompts}"}
        for isl, osl, prompts, users in (
            (1000, 1000, 10, 1), (1000, 1000, 80, 16), (1000, 8000, 80, 16), (8000, 1000, 80, 16), (1000, 8000, 10, 1)
        )
    )  # fmt: skip
    assert repeating_runs([first, more, again, longer, fewer]) == {"1000/8000 x80", "1000/8000 x10"}
    elsewhere = {**again, "notes": again["notes"].replace("serve: a", "serve: python -m sglang.launch_server --tp 4")}
    assert repeating_runs([first, more, elsewhere]) == set()


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, True), ({"engine_version": "0.7.3"}, False), ({"engine": "SGLang", "engine_version": "0.4.6"}, True),
        ({"model": "Nemotron Super 49B"}, True),
        ({"model": "Nemotron Nano 30B"}, False),  # states of a fixed size hold no prefixes
        ({"notes": f"serve: vllm serve Qwen/Qwen3-14B --no-enable-prefix-caching; {SENT}"}, False),
    ],
)  # fmt: skip
def test_a_server_keeps_prompts_where_its_release_and_its_command_say(changes, kept):
    row = {**run("later"), **changes}
    case = case_in_sweep(row, {row["run_id"]})
    assert (case.requested.warm, case.requested.repeats is not None) == (kept, kept)
    if kept:
        assert case.requested.repeats.distinct == case.requested.requests == 200
