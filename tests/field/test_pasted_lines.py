"""Reports whose lines, scripts and tables go in as they were pasted, beside what was measured; facts and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import jevons
from jevons.errors import InfeasibleError

AMD = (
    "docker run --device=/dev/kfd --device=/dev/dri --ipc=host -p 8000:8000 -e VLLM_ROCM_USE_AITER=1 -v /x:/root "
    "vllm/vllm-openai-rocm:latest mistralai/{} --tokenizer_mode mistral --config_format mistral --load_format mistral"
)
SPARK = """docker run -d --name vllm-bench --gpus all --network host --ipc=host \\
  --ulimit memlock=-1 --ulimit stack=67108864 \\
  -e HF_TOKEN=$HF_TOKEN \\
  nvcr.io/nvidia/vllm:26.02-py3 \\
  vllm serve nvidia/Llama-3.3-70B-Instruct-NVFP4 \\
    --port 8012 --max-model-len 16384
"""
SPREAD = {"isl": 230, "osl": 203, "isl_cv": 1.2, "osl_cv": 1.0, "requests": 1000, "arrivals": "at_once"}
MEASURED: tuple[tuple[str, dict[str, Any], str, float, float], ...] = (
    ("recipes#476", {"serve": AMD.format("Ministral-3-3B-Instruct-2512"), "gpu": "mi300x", "concurrency": 32,
                     "isl": 1024, "osl": 1024, "requests": 100}, "wall_s", 26.65, 0.15),
    ("recipes#443", {"serve": AMD.format("Ministral-3-8B-Reasoning-2512"), "gpu": "mi300x", "concurrency": 32,
                     "isl": 1024, "osl": 1024, "requests": 100}, "wall_s", 48.75, 0.25),
    ("dgx-spark-playbooks#79", {"serve": SPARK, "gpu": "gb10", "concurrency": 1, "isl": 300, "osl": 300, "requests": 3},
     "output_tok_per_s", 4.1, 0.2),
    ("achatbot#183", {"serve": "python -m sglang.launch_server --model-path openai/gpt-oss-20b --tp 1", "gpu": "h100",
                      "engine_version": "0.5.0", "concurrency": 32, "isl": 512, "osl": 1024, "requests": 160},
     "output_tok_per_s", 2765.4, 0.25),
    ("vllm#18566", {"serve": "vllm serve meta-llama/Llama-3.1-8B-Instruct --disable-log-requests", "gpu": "h100_sxm",
                    "engine_version": "0.9", **SPREAD}, "output_tok_per_s", 6582.87, 0.25),
    ("vllm#16937", {"model": "llama-3.1-8b", "gpu": "h100", "engine": "vllm@0.8.4", "concurrency": 1, "isl": 100,
                    "osl": 256, "requests": 4}, "output_tok_per_s", 133.0, 0.15),
    ("holohub#170", {"model": "llama-2-13b", "gpu": "rtx_a6000", "engine": "trtllm", "precision": "int4",
                     "concurrency": 1, "isl": 20, "osl": 128, "requests": 3}, "output_tok_per_s", 77.5, 0.15),
    ("sglang#31044", {"serve": "sglang serve --model-path MiniMaxAI/MiniMax-M2.7 --tp 2 --ep 2 --trust-remote-code "
                               "--kv-cache-dtype fp8_e4m3 --mem-fraction-static 0.85", "gpu": "mi300x",
                      "engine_version": "0.5.13", "concurrency": 1, "isl": 1000, "osl": 1000, "requests": 4},
     "output_tok_per_s", 65.0, 0.2),
)  # fmt: skip


@pytest.mark.parametrize(
    ("run", "figure", "measured", "off"), [case[1:] for case in MEASURED], ids=[case[0] for case in MEASURED]
)
def test_a_load_runs_as_fast_as_measured(run: dict[str, Any], figure: str, measured: float, off: float) -> None:
    assert jevons.simulate(**run).to_json()[figure] == pytest.approx(measured, rel=off)


def test_a_table_in_markdown_goes_beside_its_prediction(tmp_path: Path) -> None:
    """tt-inference-server#143: Qwen2.5-72B in 16 bits on two H100."""
    path = tmp_path / "table.md"
    path.write_text(
        "| ISL  | OSL  | Concurrency | N Req | TTFT (ms) | TPOT (ms) | E2EL (ms) | Req Tput (RPS) |\n"
        "|------|------|-------------|-------|-----------|-----------|-----------|----------------|\n"
        "|  128 |  128 |           1 |     8 |      41.1 |      30.9 |    3964.6 |          0.252 |\n"
        "|  128 | 1024 |           1 |     4 |      35.0 |      30.9 |   31664.4 |          0.032 |\n"
        "| 2048 |  128 |           1 |     8 |     149.5 |      31.0 |    4088.9 |          0.245 |\n"
        "| 8192 |  128 |           1 |     8 |    1063.8 |      31.3 |    5039.0 |          0.198 |\n"
    )
    overall = jevons.validate(path, model="qwen2.5-72b", gpu="h100_sxm", tp=2, engine="vllm").overall
    assert overall.coverage_frac == 1.0
    assert (overall.median_ape or 1.0) < 0.1


def test_a_70b_in_4_bits_trains_on_two_cards_of_24_gb_with_its_weights_in_the_host() -> None:
    """axolotl#1428: Llama-2-70B, QLoRA under FSDP with offload, sequences of 512."""
    run = {"gpu": "rtx_4090", "gpus": 2, "method": "qlora", "seq_len": 512, "micro_batch": 1, "fsdp": "full_shard"}
    assert jevons.train("llama-2-70b", lora_rank=8, batch=2, offload="parameters", **run).fits


def test_a_72b_with_adapters_of_rank_128_does_not_fit_two_cards_of_24_gb() -> None:
    """LlamaFactory#2939: FSDP and QLoRA, out of memory."""
    run = {"gpu": "rtx_4090", "gpus": 2, "method": "qlora", "seq_len": 512, "micro_batch": 1, "fsdp": "full_shard"}
    with pytest.raises(InfeasibleError, match="GB per device"):
        jevons.train("qwen1.5-72b", lora_rank=128, batch=4, **run)


def test_what_trtllm_bench_printed_of_a_405b_on_eight_h200(tmp_path: Path) -> None:
    """TensorRT-LLM#4043: 128 in, 2,048 out, 3,000 requests at once: 6,051 output tokens/s."""
    path = tmp_path / "bench.txt"
    path.write_text(
        "= PERFORMANCE OVERVIEW\nTotal Output Throughput (tokens/sec):   6051.0\nTotal Latency (ms):   1015366.0\n"
        "Model:   nvidia/Llama-3.1-405B-Instruct-FP8\nTP Size:   8\nKV Cache Dtype:   FP8\nNumber of Sequences:  3000\n"
        "        Input              Output           Seq. Length\n-----------------\n"
        "AVG:   128.0000          2048.0000         2176.0000\n"
    )
    overall = jevons.validate(path, gpu="h200").overall
    assert overall.coverage_frac == 1.0
    assert (overall.median_ape or 1.0) < 0.15
