"""Reports whose scripts, manifests, tables and trainings go in as they were kept, beside what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import jevons
from jevons.errors import InfeasibleError

AWQ = (
    "sudo docker run --shm-size=32g --rm -it --gpus '\"device=0,1,2,3\"' -p 9000:8000 vllm/vllm-openai:v0.5.3.post1 "
    "--model hugging-quants/Meta-Llama-3.1-70B-Instruct-AWQ-INT4 --tensor-parallel-size 4 --dtype half"
)
EAGLE = (
    "python3 -m sglang.launch_server --model meta-llama/Llama-2-7b-chat-hf --speculative-algo EAGLE "
    "--speculative-draft lmzheng/sglang-EAGLE-llama2-chat-7B --speculative-num-steps 5 --speculative-eagle-topk 8 "
    "--speculative-num-draft-tokens 64 --mem-fraction 0.7"
)
LONE: dict[str, Any] = {"concurrency": 1, "requests": 3}
MEASURED: tuple[tuple[str, dict[str, Any], float, float], ...] = (
    ("vllm#6955, 4 RTX 3090 Ti, one user", {"serve": AWQ, "gpu": "rtx_3090_ti", "isl": 100, "osl": 300, **LONE}, 46.0,
     0.3),
    ("vllm#6955, five users", {"serve": AWQ, "gpu": "rtx_3090_ti", "isl": 100, "osl": 300, "concurrency": 5,
                               "requests": 20}, 152.0, 0.25),
    ("EAGLE#173, without drafts", {"serve": EAGLE.partition(" --spec")[0], "gpu": "h100_sxm", "isl": 50, "osl": 512,
                                   **LONE}, 156.0, 0.2),
    ("EAGLE#173, drafts", {"serve": EAGLE, "gpu": "h100_sxm", "isl": 50, "osl": 512, **LONE}, 297.0, 0.25),
    ("vllm#16035", {"model": "llama-3-8b", "engine": "vllm@0.8.3", "gpu": "h100_sxm", "isl": 60, "osl": 200, **LONE},
     128.64, 0.15),
    ("TensorRT-LLM#2648, larger batches", {"model": "llama-3-8b", "engine": "trtllm", "gpu": "a100_80gb", "isl": 128,
                                           "osl": 128, "arrivals": "at_once", "requests": 2000}, 5500.0, 0.25),
    ("LLM-inference-speed-benchmarks#12", {"model": "llama-3.1-8b", "precision": "q4_k_m", "engine": "generic",
                                           "gpu": "rtx_3080", "isl": 50, "osl": 256, **LONE}, 111.95, 0.25),
    ("LLM-inference-speed-benchmarks#10", {"model": "llama-3-8b", "precision": "q6_k", "engine": "generic",
                                           "gpu": "rtx_4090", "isl": 50, "osl": 256, **LONE}, 93.0, 0.25),
)  # fmt: skip


@pytest.mark.filterwarnings("ignore::jevons.errors.InputWarning")
@pytest.mark.parametrize(
    ("run", "measured", "off"), [case[1:] for case in MEASURED], ids=[case[0] for case in MEASURED]
)
def test_output_tokens_a_second(run: dict[str, Any], measured: float, off: float) -> None:
    assert jevons.simulate(**run).to_json()["output_tok_per_s"] == pytest.approx(measured, rel=off)


def test_fifty_chats_at_once_on_an_a40() -> None:
    """databasemart's table of an A40: Llama-3.1-8B, 100 in and up to 600 out, 36.0 ms a token (median)."""
    run = jevons.simulate(
        "llama-3.1-8b", engine="vllm@0.8", gpu="a40", arrivals="at_once", requests=50, isl=100, osl=600
    )
    assert run.to_json()["tpot_s"]["p50"] == pytest.approx(0.03596, rel=0.2)


def test_sixteen_users_of_a_table_with_chinese_titles(tmp_path: Path) -> None:
    """vllm-ascend#4395: Qwen3-32B on two 910B, 1.3 s to the first token and 14 tokens a second each."""
    path = tmp_path / "table.md"
    path.write_text(
        "| 框架 | 并发数量 | 输入长度 | 输出长度 | 首Token平均时延 (s) | 每个输出Token的时间 (ms) |\n"
        "| -- | -- | -- | -- | -- | -- |\n"
        "| vllm | 16 | 2048 | 512 | 1.3 | 71.4 |\n"
    )
    result = jevons.validate(path, model="qwen3-32b", gpu="ascend_910b", tp=2)
    assert result.overall.coverage_frac == 1.0
    assert {row["metric"] for row in result.to_json()["rows"]} == {"ttft_ms", "tpot_ms"}


@pytest.mark.parametrize(
    ("model", "run", "step_s", "off"),
    [
        ("mixtral-8x7b", {"gpus": 16, "tp": 2, "pp": 1, "ep": 8, "batch": 128, "seq_len": 2048}, 5.45, 0.15),
        ("llama-3-8b", {"gpus": 8, "tp": 1, "pp": 1, "cp": 2, "batch": 128, "seq_len": 8192, "precision": "fp8"},
         128 * 8192 / 8 / 12036, 0.2),
        ("llama-3-70b", {"gpus": 64, "tp": 4, "pp": 4, "cp": 2, "batch": 128, "seq_len": 8192, "precision": "fp8"},
         128 * 8192 / 64 / 1533, 0.2),
        ("llama-2-13b", {"gpu": "a100_80gb_sxm", "gpus": 8, "tp": 4, "pp": 1, "batch": 32, "seq_len": 4096,
                         "recompute": "selective"}, 32 * 4096 / 8 / 1900, 0.2),
    ],
    ids=["Megatron-LM#756", "NeMo 24.07, 8B", "NeMo 24.07, 70B", "NeMo#8059"],
)  # fmt: skip
def test_a_step_of_training_takes_as_long(model: str, run: dict[str, Any], step_s: float, off: float) -> None:
    given = {"gpu": "h100_sxm", "micro_batch": 1, "zero": 1, "framework": "megatron", "recompute": "none", **run}
    assert jevons.train(model, **given).to_json()["step_time_s"] == pytest.approx(step_s, rel=off)


def test_all_of_a_72b_does_not_fit_16_a100_under_zero_3() -> None:
    """LlamaFactory#5590: two servers of eight, 2,048 tokens, one sequence a device: out of memory."""
    with pytest.raises(InfeasibleError, match="GB per device"):
        jevons.train(
            "qwen2-72b", gpu="a100_80gb", gpus=16, zero=3, seq_len=2048, micro_batch=1, accumulation=16,
            recompute="full", framework="deepspeed",
        )  # fmt: skip


def test_all_of_a_70b_fits_eight_a100_with_paged_states_of_8_bits() -> None:
    """torchtune#987: Llama-2-70B on eight A100 of 80 GB."""
    run = {"fsdp": "full_shard", "optimizer": "paged_adamw_8bit", "master_weights": "none", "gradient_dtype": "bf16"}
    kept = {"gpu": "a100_80gb", "gpus": 8, "seq_len": 4096, "micro_batch": 1, "batch": 8, "recompute": "full"}
    assert jevons.train("llama-2-70b", **run, **kept).fits
