"""Memory of servers and trainings in public logs and reports that were looked up after all else here.

None of them was fitted to. Each names its report; what people typed is rewritten to the options that say it.
"""

from __future__ import annotations

import pytest

import jevons

GIB = 2**30

EAGLE = (
    "vllm serve meta-llama/Llama-3.1-8B-Instruct --speculative-config "
    """'{"method":"eagle","model":"yuhuili/EAGLE-LLaMA3.1-Instruct-8B","num_speculative_tokens":3}'"""
)
R1 = (
    "python -m sglang.launch_server --model-path deepseek-ai/DeepSeek-R1 --tp 8 --mem-fraction-static 0.82 "
    "--chunked-prefill-size 32768"
)
EXPERTS = "vllm serve Qwen/Qwen3-235B-A22B-Instruct-2507-FP8 -tp 8 --enable-expert-parallel --max-model-len 32768"
# Report, launch line, device, release, logged tokens of the cache, and how far a prediction may be off.
CACHES: tuple[tuple[str, str, str, str | None, int, float], ...] = (
    ("a log of EAGLE on one H100", EAGLE, "h100_sxm", "0.9.1", 410_128, 0.03),
    ("aisimulate#263", R1, "h200_sxm", None, 509_000, 0.02),
    ("a log of experts apart on eight L40S", EXPERTS, "l40s", "0.10.2", 238_208, 0.03),
    ("a guide to four L40S", "vllm serve Qwen/Qwen3-Coder-30B-A3B-Instruct -tp 4 --max-model-len 32768",
     "l40s", None, 1_037_152, 0.06),
)  # fmt: skip


@pytest.mark.parametrize(("report", "line", "gpu", "release", "tokens", "off"), CACHES, ids=[one[0] for one in CACHES])
def test_caches_that_engines_logged(
    report: str, line: str, gpu: str, release: str | None, tokens: int, off: float
) -> None:
    own = jevons.memory(serve=line, gpu=gpu, **({"engine_version": release} if release else {}))
    assert own.kv_tokens == pytest.approx(tokens, rel=off), report


def test_states_take_nine_tenths_of_the_cache_under_sglang() -> None:
    """sglang#20580: a hybrid of 120B in 4 bits starts on a DGX Spark, which does not hold states of 512 requests."""
    line = (
        "python -m sglang.launch_server --model-path nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-NVFP4 "
        "--disable-radix-cache --disable-cuda-graph --max-total-tokens 8192 --context-length 4096"
    )
    assert jevons.memory(serve=line, gpu="dgx_spark", engine_version="0.5.9").fits
    assert not jevons.memory(serve=line, gpu="dgx_spark", engine_version="0.5.3").fits


@pytest.mark.parametrize(
    ("checkpoint", "gib"),
    [
        ("nvidia/Gemma-4-31B-IT-NVFP4", 31.04),
        ("nvidia/Qwen3.6-27B-NVFP4", 20.20),  # 20.57 with a head that drafts
        ("sgl-project/DeepSeek-V4-Flash-FP8", 266.1),
    ],
)
def test_what_a_makers_own_checkpoint_keeps_of_each_part(checkpoint: str, gib: float) -> None:
    """Logs of vLLM on a Jetson Thor and a DGX Spark; the sizes of the third follow from its config.json."""
    own = jevons.memory(serve=f"vllm serve {checkpoint} --max-model-len 8192", gpu="b300_sxm")
    assert own.to_json()["weights_bytes"] / GIB == pytest.approx(gib, rel=0.03)
