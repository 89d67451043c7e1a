"""The accelerator that a manifest, a job or a configuration names beside its server is the one that is asked about."""

from __future__ import annotations

import pytest

import jevons
from jevons.errors import InputWarning
from jevons.serving.launch import read_launch
from jevons.serving.launch.device import device_named

DEPLOYMENT = """kind: Deployment
spec:
  replicas: 3
  template:
    spec:
      containers:
        - image: vllm/vllm-openai:v0.11.0
          args: [--model, deepseek-ai/DeepSeek-R1-Distill-Llama-8B, --max-model-len, "12288"]
      nodeSelector:
        nvidia.com/gpu.product: {product}
"""
AFFINITY = """affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        - matchExpressions: [{key: cloud.google.com/gke-accelerator, operator: In, values: [nvidia-l4]}]
"""
RAY = """llm_configs:
  - model_loading_config: {model_id: my-qwen, model_source: Qwen/Qwen2.5-32B-Instruct}
    accelerator_type: A10G
    engine_kwargs: {tensor_parallel_size: 4}
"""
SKY = "resources:\n  accelerators: {}\nrun: |\n  vllm serve Qwen/Qwen2.5-7B-Instruct -tp $SKYPILOT_NUM_GPUS_PER_NODE\n"


@pytest.mark.parametrize(
    ("text", "device"),
    [
        (DEPLOYMENT.format(product="NVIDIA-A100-SXM4-80GB"), "a100_sxm"),
        (DEPLOYMENT.format(product="NVIDIA-L40S-SHARED"), "l40s"),
        (AFFINITY, "l4"),
        (AFFINITY.replace("In,", "NotIn,"), ""),
        (RAY, "a10g"),
        ("#!/bin/bash\n#SBATCH --gres=gpu:a100:4\nsrun vllm serve Qwen/Qwen3-8B -tp 4\n", "a100_sxm"),
        ("#SBATCH --gpus-per-node=h200:8\n", "h200_sxm"),
        ("#SBATCH --gres=gpu:8\n", ""),
        ('@app.function(gpu=f"L40S:{N}")\ndef serve(): ...', "l40s"),
        (SKY.format("A100-80GB:8"), "a100_sxm"),
        ("vllm serve Qwen/Qwen3-8B", ""),
        ('gpu="all"\ndocker run --gpus $gpu vllm/vllm-openai Qwen/Qwen3-8B', ""),
    ],
)
def test_the_accelerator_beside_a_server(text: str, device: str) -> None:
    assert device_named(text) == (device, "")


def test_a_manifests_accelerator_stands_for_gpu_and_gives_way_to_it() -> None:
    manifest = DEPLOYMENT.format(product="NVIDIA-A100-SXM4-80GB")
    assert jevons.memory(serve=manifest).deployment.accelerator.id == "a100_sxm"
    assert jevons.memory(serve=manifest, gpu="h200").deployment.accelerator.id == "h200_sxm"


@pytest.mark.parametrize(
    ("product", "said"), [("NVIDIA-A100-SXM4-80GB-MIG-3g.40gb", "an accelerator that is not on file"),
                          ("{a: 1}\n      accelerators: {L4:4, A10G:4}", "several accelerators, A10G, L4")]
)  # fmt: skip
def test_an_accelerator_that_cannot_be_taken_is_said(product: str, said: str) -> None:
    with pytest.warns(InputWarning, match=f"names {said}"):
        jevons.memory(serve=DEPLOYMENT.format(product=product))


@pytest.mark.parametrize("stated", ["{L4:4, A10G:4}", "{L4: 4}", "L4:4", "[L4:4, A10G:4]"])
def test_a_task_of_skypilot_has_as_many_accelerators_as_it_names(stated: str) -> None:
    assert read_launch(SKY.format(stated)).value("tp") == 4
