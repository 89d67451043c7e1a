"""Rows of single published pages: what their words say of copies, checkpoints, requests and lengths."""

import pytest

from jevons.errors import InputError
from jevons.validation.serving.cases import read_case
from jevons.validation.serving.predict import answer, metric_value, prepare

ROW = {
    "family": "published_misc", "engine": "vllm", "engine_version": "0.16.0", "model": "Qwen/Qwen2.5-72B-Instruct",
    "precision": "bf16", "gpu": "H100 SXM", "n_gpus": "4", "tp": "", "pp": "", "ep": "", "dp": "", "isl": "1024",
    "osl": "512", "concurrency_or_rate": "concurrency 64", "metric": "output_tok_s", "value": "1", "notes": "",
}  # fmt: skip


def rate_of(metric="output_tok_s", **changes):
    case = read_case({**ROW, **changes})
    return metric_value(metric, case, answer(prepare(case)))


def test_devices_that_must_share_a_model_are_one_copy_of_it_where_the_row_states_no_layout():
    assert rate_of() == pytest.approx(rate_of(tp="4"))
    assert rate_of("output_tok_s_per_gpu") == pytest.approx(rate_of() / 4)


def test_metas_own_checkpoint_of_405b_keeps_attention_in_16_bits():
    sizes = {}
    for maker in ("meta-llama", "nvidia"):
        model = f"{maker}/Llama-3.1-405B-Instruct-FP8"
        case = read_case({**ROW, "model": model, "precision": "fp8", "n_gpus": "8", "tp": "8"})
        sizes[maker] = prepare(case).surfaces[0].kv_tokens
    assert sizes["meta-llama"] < 0.7 * sizes["nvidia"]


@pytest.mark.parametrize(
    ("load", "model", "expected"),
    [
        ("concurrency 1", "nvidia/Llama-3_3-Nemotron-Super-49B-v1_5", 50),
        ("concurrency 64", "nvidia/Llama-3_3-Nemotron-Super-49B-v1_5", 60),
        ("concurrency 64", "Qwen/Qwen2.5-72B-Instruct", 400),
    ],
)
def test_a_page_that_sent_fewer_requests_at_one_load_or_to_one_model_is_read_so(load, model, expected):
    notes = "random dataset; 50 prompts at c=1 else 400 (Super 49B ~60), so c above the prompt count is not reached"
    case = read_case({**ROW, "notes": notes, "model": model, "concurrency_or_rate": load})
    assert case.requested.requests == expected


def test_conversations_without_a_printed_mean_have_the_usual_one():
    case = read_case({**ROW, "isl": "ShareGPT 200 prompts", "osl": "ShareGPT", "concurrency_or_rate": "inf"})
    assert (case.requested.isl.mean, case.requested.osl.mean, case.requested.requests) == (219, 198, 200)
    assert case.requested.osl.sigma > 1.0


def test_statistics_of_a_batch_s_latency_are_those_of_its_requests():
    static = {"concurrency_or_rate": "static batch 8", "tp": "4"}
    mean_ms, median_ms = (rate_of(f"batch_latency_ms_{name}", **static) for name in ("mean", "p50"))
    assert mean_ms == pytest.approx(rate_of("batch_latency_ms", **static)) == pytest.approx(median_ms, rel=1e-3)


def test_a_saturated_prefill_is_an_offline_run_of_prompts_alone():
    case = read_case({**ROW, "tp": "4", "osl": "prefill only", "concurrency_or_rate": "saturated; 16384 tokens"})
    assert (case.scenario, case.requested.osl.mean) == ("offline", 1.0)


def test_tokens_of_an_unstated_kind_are_refused_with_the_reason():
    with pytest.raises(InputError, match="whether prompt tokens are counted"):
        rate_of("throughput_tok_s_unspecified", tp="4")
