"""Memory of one accelerator: parts add up, tokens follow from bytes, what does not fit says so."""

import doctest
import json

import pytest
from typer.testing import CliRunner

import jevons
from jevons.api import memory as module
from jevons.cli.app import app
from jevons.errors import InputError, InputWarning
from jevons.serving import memory_use
from jevons.sizing.memory import MemoryResult


def test_examples_run():
    assert doctest.testmod(module).failed == 0


def test_parts_fill_the_device():
    use = jevons.memory("llama-3.1-8b", gpu="h100_sxm", max_model_len=8192)
    parts = [cell for cell in use.tables["memory"].column("bytes") if isinstance(cell, float)]
    assert sum(parts) == pytest.approx(use.deployment.accelerator.hbm_bytes)
    assert use.kv_bytes == memory_use(use.deployment).kv_bytes


def test_a_file_of_an_unknown_family_is_warned_of_whoever_names_it(tmp_path):
    """A launch line and a call from Python passed it in silence."""
    config = {
        "architectures": ["NewForCausalLM"], "model_type": "new_text", "hidden_size": 4096, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 11_008, "vocab_size": 32_256,
        "max_position_embeddings": 16_384, "new_lora_rank": 64,
    }  # fmt: skip
    file = tmp_path / "new.json"
    file.write_text(json.dumps(config))
    with pytest.warns(InputWarning, match="`new_text` is not known"):
        own = jevons.memory(str(file)).to_json()
    assert own["interval"]["nearness"] == "far"
    line = ["op", "memory", "--serve", f"vllm serve {file}"]
    told = CliRunner().invoke(app, line)
    assert told.stderr.count("warning: model_type `new_text` is not known") == 1
    with pytest.warns(InputWarning, match="`new_text` is not known"):
        jevons.model(str(file))


def test_graphs_that_do_not_fit_beside_the_share_are_an_answer():
    use = jevons.memory("qwen2.5-14b", gpu="rtx_4090", tp=2, gpu_memory_utilization=0.98, engine="vllm@0.11")
    assert not use.fits
    assert use.kv_bytes > 0.0


def test_tokens_follow_from_bytes():
    use = jevons.memory("llama-3.1-8b", max_model_len=8192)
    per_token = 2 * 32 * 8 * 128 * 2
    assert use.kv_tokens == int(use.kv_bytes / (16 * per_token)) * 16
    assert use.max_concurrency == pytest.approx(use.kv_tokens / 8192)
    half = jevons.memory("llama-3.1-8b", max_model_len=8192, kv_precision="fp8")
    assert half.kv_tokens == pytest.approx(2 * use.kv_tokens, abs=32)


def test_a_larger_share_of_memory_goes_to_the_cache():
    low, high = (jevons.memory("qwen3-32b", gpu_memory_utilization=share, tp=2) for share in (0.8, 0.9))
    assert high.kv_bytes - low.kv_bytes == pytest.approx(0.1 * low.deployment.accelerator.usable_bytes)


def test_what_does_not_fit_says_what_would():
    large = jevons.memory("deepseek-v3", gpu="h100_sxm", tp=8, max_model_len=4096)
    assert not large.fits
    assert large.kv_tokens == 0
    assert "Use tp >= 16" in large.answer
    long = jevons.memory("llama-3.1-70b", tp=2, max_model_len=131072)
    assert not long.fits
    assert "--max-model-len" in long.answer


@pytest.mark.parametrize(("engine", "starts"), [("vllm", False), ("sglang", True), ("trtllm", True)])
def test_an_engine_that_serves_shorter_requests_starts_and_says_what_it_refuses(engine, starts):
    use = jevons.memory("llama-3.1-70b", gpu="h100_sxm", tp=2, engine=engine, gpu_memory_utilization=0.9)
    assert use.max_concurrency < 1.0
    assert use.fits == starts
    assert use.longest_request == (use.kv_tokens if starts else 0)
    assert ("are refused" in use.answer) == starts
    whole = jevons.memory("llama-3.1-70b", gpu="h100_sxm", tp=4, engine=engine)
    assert whole.longest_request == whole.max_model_len


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"gpu_memory_utilization": 5}, "gpu_memory_utilization=5: must be at most 1"),
        ({"gpu_memory_utilization": 0}, "must be above 0"),
        ({"max_model_len": 0}, "must be at least 1"),
        ({"max_model_len": 10**7}, "must be at most the 40,960 tokens"),
        ({"tp": 3}, "does not divide"),
        ({"precision": "x"}, "unknown precision"),
        ({"engine": "x"}, "unknown engine"),
        ({"gpu": "x"}, "unknown accelerator"),
    ],
)
def test_wrong_arguments_are_named(more, said):
    with pytest.raises(InputError) as caught:
        jevons.memory("qwen3-32b", **more)
    assert said in str(caught.value)


def test_the_command_has_the_contract_keys():
    line = "op memory --model llama-3.1-8b --gpu h100_sxm --tp 1 --max-model-len 8192 --gpu-memory-utilization 0.9"
    shown = CliRunner().invoke(app, [*line.split(), "--json"])
    assert shown.exit_code == 0
    assert {
        "weights_bytes", "activations_bytes", "graphs_bytes", "other_bytes", "kv_bytes", "kv_tokens",
        "max_concurrency", "fits",
    } <= set(json.loads(shown.output))  # fmt: skip


def test_size_shows_the_memory_of_its_replicas_as_op_memory_does():
    result = jevons.size("llama-3.1-8b", gpu="h100_sxm", rate=5, ttft=1.0, isl=1000, osl=200, static=True)
    record = result.to_json()["best"]["memory"]
    alone = jevons.memory("llama-3.1-8b", precision=result.best.deployment.precision, **{
        name: size for name, size in result.to_json()["best"]["layout"].items() if name != "dp_attention"
    })  # fmt: skip
    assert record["kv_tokens"] == alone.kv_tokens
    assert record["max_concurrency"] == pytest.approx(alone.max_concurrency)
    certainty = {"fits", "tight", "p_fits", "kv_tokens_low", "kv_tokens_high", "kv_bytes_low", "interval"}
    assert {name: record[name] for name in certainty} == {name: alone.to_json()[name] for name in certainty}
    assert record["request_tokens"] == 1200
    assert record["request_concurrency"] == pytest.approx(record["kv_tokens"] / 1200, rel=0.02)
    assert result.tables["memory"].column("kv_tokens")[0] == record["kv_tokens"]


def _drafting(config: str) -> MemoryResult:
    line = f"vllm serve meta-llama/Llama-3.1-70B-Instruct -tp 4 --speculative-config '{config}'"
    return jevons.memory(gpu="h200_sxm", serve=line)


def test_what_drafts_takes_weights_and_cache_and_a_look_up_takes_neither():
    plain = jevons.memory("llama-3.1-70b", gpu="h200_sxm", tp=4)
    looked_up = _drafting('{"method": "ngram", "num_speculative_tokens": 4}')
    assert (looked_up.draft_bytes, looked_up.kv_tokens) == (0.0, plain.kv_tokens)
    head = _drafting('{"method": "eagle3", "model": "yuhuili/EAGLE3-LLaMA3.3", "num_speculative_tokens": 3}')
    small = _drafting('{"model": "meta-llama/Llama-3.2-1B-Instruct", "num_speculative_tokens": 3}')
    assert small.draft_bytes == pytest.approx(1.24e9 * 2 / 4, rel=0.05)
    assert 0.5e9 < head.draft_bytes < 1.5e9
    for drafting in (head, small):
        assert drafting.use.weights_bytes == pytest.approx(plain.use.weights_bytes + drafting.draft_bytes)
        assert drafting.kv_bytes < plain.kv_bytes
        assert drafting.kv_tokens < plain.kv_tokens * drafting.kv_bytes / plain.kv_bytes


def test_layers_for_further_tokens_are_those_of_the_model():
    drafting = jevons.memory("deepseek-v3", gpu="h200_sxm", tp=8, draft_tokens=1)
    layer = 256 * 3 * 7168 * 2048 / 8
    assert layer < drafting.draft_bytes < 1.25 * layer


def test_a_drafting_model_without_drafts_is_refused():
    with pytest.raises(InputError, match="has no effect without"):
        jevons.memory("llama-3.1-8b", draft_model="llama-3.2-1b")


def test_sglang_shares_weights_and_cache_alone_as_its_log_of_qwen3_235b_says():
    use = jevons.memory(
        "qwen3-235b-a22b", gpu="h100_sxm", tp=4, precision="fp8", engine="sglang", gpu_memory_utilization=0.93
    )
    assert use.kv_tokens == pytest.approx(367_404, rel=0.03)  # vLLM's issue 21348


def test_sglang_does_not_start_where_a_step_does_not_fit_beside_its_static_share():
    use = jevons.memory("llama-3.1-8b", engine="sglang", gpu_memory_utilization=0.97, max_num_batched_tokens=131_072)
    assert not use.fits
    assert "a share of 0.97 leaves" in use.shortage


def test_sglangs_own_share_follows_its_servers_rule():
    own, stated = (
        jevons.memory("llama-3-70b", precision="fp8", engine="sglang", gpu_memory_utilization=share)
        for share in (None, 0.93)
    )
    assert not own.fits
    assert stated.fits


def test_tensorrt_llm_shares_what_weights_leave():
    use = jevons.memory("llama-3-70b", precision="fp8", engine="trtllm")
    left = use.kv_bytes + use.unused_bytes
    assert use.fits
    assert use.kv_bytes == pytest.approx(0.9 * left)
