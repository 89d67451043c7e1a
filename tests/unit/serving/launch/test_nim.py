"""Containers of NVIDIA NIM are read: model, engine, format and layout, as image, variables and profile state them."""

from __future__ import annotations

from typing import Any

import pytest

from jevons.errors import InputError
from jevons.serving.launch import model_of, read_launch

MANIFEST = """apiVersion: apps/v1
kind: Deployment
spec:
  replicas: 2
  template:
    spec:
      containers:
      - image: nvcr.io/nim/deepseek-ai/deepseek-r1:1.7.3
        env: [{name: NIM_TENSOR_PARALLEL_SIZE, value: "8"}, {name: NIM_PIPELINE_PARALLEL_SIZE, value: "2"}]
"""


@pytest.mark.parametrize(
    ("text", "engine", "model", "settings"),
    [
        (
            ("docker run --gpus all -e NIM_MODEL_PROFILE=tensorrt_llm-h100-fp8-tp4-pp1-throughput "
            "-e NIM_MAX_MODEL_LEN=16384 nvcr.io/nim/meta/llama-3.1-70b-instruct:latest"),
            "trtllm", "llama-3.1-70b-instruct-FP8", {"tp": 4, "pp": 1, "max_model_len": 16_384},
        ),
        (
            ("docker run --gpus=all -e NIM_MODEL_PATH=hf://meta-llama/Llama-3.1-8B-Instruct "
            "-e NIM_TENSOR_PARALLEL_SIZE=2 nvcr.io/nim/nvidia/llm-nim:2.0.1 --max-num-seqs 64"),
            "vllm", "meta-llama/Llama-3.1-8B-Instruct", {"tp": 2, "max_num_seqs": 64},
        ),
        (
            ("export IMG=nvcr.io/nim/meta/llama3-8b-instruct:1.0.0\n"
            "docker run -it --rm -e NIM_MODEL_PROFILE=vllm-fp16-tp1 $IMG"),
            "vllm", "llama3-8b-instruct", {"tp": 1},
        ),
        (MANIFEST, "trtllm", "deepseek-r1", {"tp": 8, "pp": 2, "replicas": 2}),
    ],
    ids=["profile", "vLLM's own", "variable", "manifest"],
)  # fmt: skip
def test_a_container_states_model_engine_and_layout(
    text: str, engine: str, model: str, settings: dict[str, Any]
) -> None:
    line = read_launch(text)
    assert (line.engine, model_of(line)) == (engine, model)
    assert {name: line.value(name) for name in settings} == settings
    assert ("NIM_MODEL_PROFILE" in line.warning) == ("MODEL_PROFILE" not in text)


def test_a_container_that_lists_its_profiles_serves_nothing() -> None:
    with pytest.raises(InputError, match="starts no server"):
        read_launch("docker run nvcr.io/nim/meta/llama3-8b-instruct:1.0.0 list-model-profiles")
