"""Lines of Text Generation Inference, LMDeploy and llama.cpp, as the generic engine takes them."""

from __future__ import annotations

from typing import Any

import pytest

from jevons.errors import InputError
from jevons.serving.launch import deployment_of, read_launch

LLAMA = "llama-server -m Llama-3.3-70B-Instruct-Q4_K_M.gguf"
MANIFEST = """kind: Deployment
spec:
  replicas: 2
  template: {spec: {containers: [{image: "gcr.io/huggingface-text-generation-inference-cu124.3-0:latest",
    env: [{name: MODEL_ID, value: Qwen/Qwen2.5-7B-Instruct}, {name: NUM_SHARD, value: "2"}]}]}}
"""


def meant(text: str) -> dict[str, Any]:
    """Return the arguments that a line gives, without those that say nothing."""
    given = deployment_of(read_launch(text))
    return {name: one.value for name, one in given.items() if str(one.value) not in {"1", "False", "generic"}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "text-generation-launcher --model-id Qwen/Qwen2.5-7B-Instruct --quantize bitsandbytes --cuda-graphs 0",
            {"model": "Qwen/Qwen2.5-7B-Instruct", "precision": "int8_wo", "eager": True},
        ),
        (
            "docker run -e MODEL_ID=Qwen/Qwen2.5-7B-Instruct -e NUM_SHARD=2 ghcr.io/hf/text-generation-inference:3.0",
            {"model": "Qwen/Qwen2.5-7B-Instruct", "tp": 2},
        ),
        (MANIFEST, {"model": "Qwen/Qwen2.5-7B-Instruct", "tp": 2, "replicas": 2}),
        (
            "lmdeploy serve api_server Qwen/Qwen2.5-7B-Instruct --quant-policy 8 --session-len 16384 --eager-mode",
            {"model": "Qwen/Qwen2.5-7B-Instruct", "kv_precision": "int8", "max_model_len": 16_384, "eager": True},
        ),
        (
            f"{LLAMA} -c 8192 -np 2 -ngl 99 -ts 1,1 -ctk q8_0",
            {"model": "Llama-3.3-70B-Instruct", "precision": "q4_k_m", "kv_tokens": 8192, "max_num_seqs": 2, "pp": 2,
             "max_model_len": 4096, "kv_precision": "int8", "gpu_memory_utilization": 1.0},
        ),
        (
            "docker run -v /m:/m ghcr.io/ggml-org/llama.cpp:server-cuda -hf unsloth/Qwen3-30B-A3B-GGUF:Q4_K_M -np 4",
            {"model": "Qwen3-30B-A3B", "precision": "q4_k_m", "max_num_seqs": 4, "gpu_memory_utilization": 1.0},
        ),
        (
            "llama-server -m gpt-oss-20b-mxfp4.gguf -c 0 -np 1",
            {"model": "gpt-oss-20b", "gpu_memory_utilization": 1.0},
        ),
    ],
)  # fmt: skip
def test_what_a_line_says(text: str, said: dict[str, Any]) -> None:
    assert meant(text) == said


@pytest.mark.parametrize("flags", ["-ngl 30", "--n-cpu-moe 10", "--cpu-moe", "-ot exps=CPU"])
def test_weights_in_host_memory_are_refused(flags: str) -> None:
    """The answer would be that of a server with all of them on its accelerators."""
    with pytest.raises(InputError, match="keeps weights in host memory"):
        read_launch(f"llama-server {flags} -m Llama-3.3-70B-Instruct-Q4_K_M.gguf")


@pytest.mark.parametrize("flags", ["-ngl 81", "-ngl 99", "-ngl all"])
def test_all_layers_on_accelerators_are_as_none_said(flags: str) -> None:
    assert meant(f"{LLAMA} {flags}") == meant(LLAMA)


def test_slots_that_a_line_leaves_open_are_said() -> None:
    assert "give --max-num-seqs" in read_launch(LLAMA).warning
    assert "give --max-num-seqs" not in read_launch(f"{LLAMA} -np 2").warning
