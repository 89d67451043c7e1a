"""Launch lines, loads and trainings of public reports, with what was measured; facts and figures alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import jevons
from jevons.errors import InfeasibleError, InputError, InputNote

AZURE = Path(__file__).parents[1] / "data" / "traces" / "azure_conversation_sample.csv"


def ran(**given: Any) -> dict[str, Any]:
    """Return the JSON of a simulation."""
    return jevons.simulate(**given).to_json()


@pytest.mark.parametrize(
    ("model", "isl", "tpot_ms", "off"),
    [
        ("Qwen/Qwen3-1.7B", 128, 4.6, 0.1), ("Qwen/Qwen3-1.7B", 2048, 5.0, 0.1),
        ("google/gemma-3-4b-it", 128, 8.4, 0.15), ("google/gemma-3-4b-it", 4096, 10.1, 0.25),
    ],
    ids=["tt-inference-server#340", "tt-inference-server#340, 2,048", "tt-inference-server#521",
         "tt-inference-server#521, 4,096"],
)  # fmt: skip
def test_small_models_alone_on_an_a100(model: str, isl: int, tpot_ms: float, off: float) -> None:
    record = ran(serve=f"vllm serve {model}", gpu="a100_80gb", concurrency=1, isl=isl, osl=128, requests=4)
    assert 1e3 * record["tpot_s"]["mean"] == pytest.approx(tpot_ms, rel=off)


@pytest.mark.parametrize(
    ("model", "osl", "measured", "off"),
    [("Qwen/Qwen3-4B-Instruct-2507-FP8", 800, 138.0, 0.1), ("Qwen/Qwen3-8B", 300, 58.7, 0.25)],
    ids=["club-3090#697", "llmfit#1046"],
)
def test_one_user_of_an_rtx_4090(model: str, osl: int, measured: float, off: float) -> None:
    record = ran(serve=f"vllm serve {model}", gpu="rtx_4090", concurrency=1, isl=100, osl=osl, requests=3)
    assert record["output_tok_per_s"] == pytest.approx(measured, rel=off)


def test_a_thousand_summaries_at_once_on_an_a40() -> None:
    """vllm#5316 (0.4.3): 471 output tokens/s, TTFT 47.5 s, TPOT 191 ms."""
    line = (
        "python -m vllm.entrypoints.openai.api_server --model microsoft/Phi-3-mini-4k-instruct --dtype bfloat16 "
        "--trust-remote-code --max-model-len 4096"
    )
    record = ran(serve=line, gpu="a40", engine_version="0.4.3", rate=60, isl=686, osl=56, requests=1000)
    assert record["output_tok_per_s"] == pytest.approx(471.0, rel=0.15)
    assert record["ttft_s"]["mean"] == pytest.approx(47.5, rel=0.15)
    assert record["tpot_s"]["mean"] == pytest.approx(0.1907, rel=0.2)


def test_a_hybrid_of_experts_on_one_b200() -> None:
    """vllm#30802: Nemotron-3-Nano, 64 users of 1,000 in and out, 256 requests: 7,714 output tokens/s."""
    record = ran(
        serve="vllm serve nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-FP8 --trust-remote-code", gpu="b200", concurrency=64,
        isl=1000, osl=1000, requests=256,
    )  # fmt: skip
    assert record["output_tok_per_s"] == pytest.approx(7714.0, rel=0.25)


def test_chatglm3_from_its_config_under_tensorrt_llm_on_an_rtx_3090(tmp_path: Path) -> None:
    """TensorRT-LLM#1761: 63.4 tokens/s of generation at 1,024 in and 512 out."""
    config = {
        "model_type": "chatglm", "architectures": ["ChatGLMModel"], "add_bias_linear": False, "add_qkv_bias": True,
        "ffn_hidden_size": 13696, "hidden_size": 4096, "kv_channels": 128, "multi_query_attention": True,
        "multi_query_group_num": 2, "num_attention_heads": 32, "num_layers": 28, "padded_vocab_size": 65024,
        "seq_length": 8192, "torch_dtype": "float16", "tie_word_embeddings": False,
    }  # fmt: skip
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    record = ran(model=str(path), engine="trtllm", gpu="rtx_3090", concurrency=1, isl=1024, osl=512, requests=3)
    assert 1e3 * record["tpot_s"]["mean"] == pytest.approx(15.8, rel=0.15)


def test_an_early_release_is_said_to_be_taken_as_a_newer_one() -> None:
    """sglang#3812: TP 16 over two servers of H800 took three times as long in February 2025 as in runs of 0.5."""
    line = "python -m sglang.launch_server --model-path deepseek-ai/DeepSeek-V3 --nnodes 2 --node-rank 0 --tp 16"
    load = {"gpu": "h800", "rate": 4, "isl": 93, "osl": 50, "requests": 40}
    with pytest.warns(InputNote, match=r"sglang 0\.4\.3 is older than all releases that were measured"):
        jevons.simulate(serve=line, engine_version="0.4.3", **load)
    with pytest.warns(InputNote, match=r"sglang 0\.4 is older"):
        jevons.size("llama-3.1-8b", engine="sglang@0.4", rate=4, static=True)


def test_prefix_caching_in_a_line_is_no_bar_to_a_load_without_hashes() -> None:
    """vllm#23885: a line as many write it, for requests that share nothing."""
    line = "vllm serve Qwen/Qwen3-8B --enable-prefix-caching"
    load = {"gpu": "a100_80gb", "concurrency": 1, "isl": 30, "osl": 50, "requests": 3}
    asked, plain = (ran(serve=words, **load) for words in (line, line.partition(" --")[0]))
    assert asked["output_tok_per_s"] == plain["output_tok_per_s"]
    with pytest.warns(InputNote, match="has no hash_ids"):
        ran(serve=line, gpu="a100_80gb", trace=AZURE, rate=1, requests=20)
    with pytest.raises(InputError, match="needs the block hashes of a trace"):
        jevons.simulate("qwen3-8b", prefix_cache=True, **load)


@pytest.mark.parametrize(
    ("named", "weights_gb"), [("Qwen3-32B-W8A8", 34.0), ("Qwen3-32B-W4A8", 19.0), ("Qwen3-32B", 34.0)]
)
def test_the_quantization_of_an_ascend_checkpoint_is_in_its_name(named: str, weights_gb: float) -> None:
    """vllm-ascend#5689, #12582: `--quantization ascend` for 8 and 4 bits alike."""
    line = f"vllm serve Qwen/{named} --max-model-len 4096 --quantization ascend"
    record = jevons.memory(serve=line, gpu="a100_80gb").to_json()
    assert record["weights_bytes"] / 1e9 == pytest.approx(weights_gb, rel=0.1)


OUT_OF_MEMORY: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("LlamaFactory#4311", "qwen2-72b",
     {"gpu": "a800", "gpus": 2, "method": "lora", "lora_rank": 8, "lora_target": "attention", "zero": 3,
      "seq_len": 1024, "batch": 2, "micro_batch": 1, "framework": "deepspeed"}),
    ("LlamaFactory#747", "llama-2-70b",
     {"gpu": "a100_40gb", "gpus": 24, "method": "lora", "lora_rank": 8, "lora_target": "attention", "zero": 3,
      "seq_len": 2048, "micro_batch": 16, "accumulation": 4, "framework": "deepspeed"}),
    ("LlamaFactory#5545", "llama-3.1-8b",
     {"gpu": "h100", "gpus": 1, "method": "qlora", "seq_len": 51_974, "micro_batch": 1, "accumulation": 8}),
    ("llama-cookbook#413", "llama-2-7b",
     {"gpu": "a100_80gb", "gpus": 1, "seq_len": 4096, "micro_batch": 4, "batch": 4, "framework": "fsdp"}),
)  # fmt: skip


@pytest.mark.parametrize(
    ("model", "run"), [case[1:] for case in OUT_OF_MEMORY], ids=[case[0] for case in OUT_OF_MEMORY]
)
def test_trainings_that_ran_out_of_memory(model: str, run: dict[str, Any]) -> None:
    with pytest.raises(InfeasibleError, match=r"needs .* GB per device"):
        jevons.train(model, **run)


def test_a_context_is_lengthened_in_training() -> None:
    """LlamaFactory#5024: 120,000 tokens of a model made for 32,768 on eight H100 do not fit; the trainer takes them."""
    run = {"gpu": "h100", "gpus": 8, "zero": 3, "seq_len": 120_000, "micro_batch": 1, "batch": 16}
    with (
        pytest.warns(InputNote, match="is made for at most 32,768 tokens"),
        pytest.raises(InfeasibleError, match="GB per device"),
    ):
        jevons.train("qwen2-7b", framework="deepspeed", **run)
