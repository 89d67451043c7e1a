"""Scripts, manifests and Python files that start servers are read, with the files that they write and their pools."""

from __future__ import annotations

import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import jevons
from jevons.errors import InputError, InputWarning
from jevons.files.written import without_files
from jevons.files.yaml_text import documents_of
from jevons.serving.launch import deployment_of, read_launch
from jevons.serving.launch.python_file import python_commands

HERE = """CONFIG=/tmp/extra.yml
cat << EOF > ${CONFIG}
enable_attention_dp: true
kv_cache_config:
  dtype: fp8
EOF
trtllm-serve deepseek-ai/DeepSeek-R1-0528 --tp_size 8 --ep_size 8 --extra_llm_api_options ${CONFIG}
"""
SAID = (
    'echo -e "enable_attention_dp: true\\nkv_cache_config:\\n  dtype: fp8" > extra.yml\n'
    "trtllm-serve deepseek-ai/DeepSeek-R1-0528 --tp_size 8 --ep_size 8 --extra_llm_api_options ./extra.yml"
)
CONFIG_MAP = """kind: ConfigMap
data:
  config.yaml: |
    model: Qwen/Qwen3-32B
    tensor-parallel-size: 4
---
kind: Deployment
spec: {replicas: 2, template: {spec: {containers: [
  {image: "vllm/vllm-openai:v0.11.0", args: ["--config", "/etc/vllm/config.yaml"]}]}}}
"""
UNIT = r"""[Unit]
Description=a server of vLLM
[Service]
Environment="MODEL=Qwen/Qwen3-32B"
ExecStartPre=/usr/bin/vllm serve other/model
ExecStart=/opt/bin/vllm serve ${MODEL} \
  --tensor-parallel-size 4
Restart=always
"""
SKY = """envs: {MODEL: Qwen/Qwen3-32B}
resources: {accelerators: "H100:4"}
service: {replica_policy: {min_replicas: 2, max_replicas: 4}}
run: |
  vllm serve $MODEL --tensor-parallel-size $SKYPILOT_NUM_GPUS_PER_NODE
"""
RAY = """applications:
- args:
    llm_configs:
    - model_loading_config: {model_id: mine, model_source: Qwen/Qwen3-32B}
      deployment_config: {autoscaling_config: {min_replicas: 2, max_replicas: 4}}
      engine_kwargs: {tensor_parallel_size: 4, max_model_len: 8192}
"""
MODAL = """import modal
MODEL, N_GPU, FAST = "Qwen/Qwen3-32B", 4, True
NAME = "Qwen/Qwen3-32B"
GPUS = 4
def serve():
    cmd = ["vllm", "serve", "--uvicorn-log-level=info", NAME, "--max-model-len", str(2 * 4096)]
    cmd += ["--tensor-parallel-size", str(GPUS)]
    subprocess.Popen(" ".join(cmd), shell=True)
"""
OFFLINE = 'from vllm import LLM\nllm = LLM("Qwen/Qwen3-32B", tensor_parallel_size=4, enforce_eager=True)\n'


@pytest.mark.parametrize("text", [HERE, SAID], ids=["here document", "echo"])
def test_a_script_is_read_with_the_file_of_settings_that_it_writes(text: str) -> None:
    line = read_launch(text)
    means = {name: given.value for name, given in deployment_of(line).items()}
    assert (means["dp"], means["dp_attention"], means["kv_precision"]) == (8, True, "fp8")
    assert "cannot be read" not in line.warning


@pytest.mark.parametrize(
    ("text", "replicas"),
    [(CONFIG_MAP, 2), (UNIT, None), (SKY, 2), (RAY, 2), (MODAL, None), (OFFLINE, None)],
    ids=["ConfigMap", "systemd", "SkyPilot", "Ray Serve", "Modal", "offline"],
)
def test_what_starts_a_server_is_read_from_the_file_that_people_keep(
    tmp_path: Path, text: str, replicas: int | None
) -> None:
    file = tmp_path / "server.txt"
    file.write_text(text)
    line = read_launch(file)
    assert (line.value("model"), line.value("tp"), line.value("replicas")) == ("Qwen/Qwen3-32B", 4, replicas)


@pytest.mark.parametrize(
    ("head", "tensor"),
    [
        ("#SBATCH -N 2\n#SBATCH --gres=gpu:h100:4\n", "SLURM_GPUS_ON_NODE"),
        ("#SBATCH --nodes=2\n#SBATCH --gpus-per-task=4\n#SBATCH --ntasks-per-node=1\n", "SLURM_GPUS_PER_TASK"),
        ("#SBATCH --nodes=2\n#SBATCH --gpus-per-task=2\n#SBATCH --ntasks-per-node=2\n", "SLURM_GPUS_ON_NODE"),
        ("#SBATCH --nodes=2\n#SBATCH -G 8\n", "SLURM_GPUS_ON_NODE"),
    ],
)
def test_a_job_of_slurm_has_the_variables_that_its_head_states(head: str, tensor: str) -> None:
    job = f"#!/bin/bash\n{head}vllm serve Qwen/Qwen3-32B -tp ${tensor} --pipeline-parallel-size $SLURM_JOB_NUM_NODES\n"
    assert {name: read_launch(job).value(name) for name in ("tp", "pp")} == {"tp": 4, "pp": 2}


@pytest.mark.parametrize("image", ["quay.io/wxpe/tgis-vllm:2", "quay.io/modh/vllm@sha256:0a1b", "rhaiis/vllm-cuda:3.2"])
def test_arguments_alone_are_for_the_server_of_an_image_of_others(image: str) -> None:
    container = f"{{args: [--model=Qwen/Qwen3-8B, --tensor-parallel-size=2], image: '{image}'}}"
    line = read_launch(f"kind: ServingRuntime\nspec:\n  containers:\n  - {container}\n")
    assert (line.engine, line.value("model"), line.value("tp")) == ("vllm", "Qwen/Qwen3-8B", 2)


def test_a_volume_is_no_image() -> None:
    line = read_launch("docker run -v /data/vllm:/models vllm/vllm-openai:v0.9.2 --model Qwen/Qwen3-8B")
    assert (line.release, line.value("model")) == ("0.9.2", "Qwen/Qwen3-8B")


def test_python_follows_branches_lists_and_settings_in_objects() -> None:
    text = (
        "from tensorrt_llm import LLM, KvCacheConfig\n"
        "cache = KvCacheConfig(free_gpu_memory_fraction=0.7, dtype='fp8')\n"
        "if __name__ == '__main__':\n    LLM(model='Qwen/Qwen3-8B', tensor_parallel_size=2, kv_cache_config=cache)\n"
    )
    means = {name: given.value for name, given in deployment_of(read_launch(text)).items()}
    assert (means["engine"], means["tp"], means["gpu_memory_utilization"]) == ("trtllm", 2, 0.7)
    assert means["kv_precision"] == "fp8"
    branched = (
        "def words(args):\n    cmd = ['vllm', 'serve', 'Qwen/Qwen3-8B']\n"
        "    if args.fast:\n        cmd += ['--enforce-eager']\n    cmd.extend(['-tp', '2'])\n    return cmd\n"
    )
    line = read_launch(branched)
    assert line.value("eager") is None
    assert line.value("tp") == 2
    assert "${if args.fast} has no value here, and is left out" in line.warning
    engine = read_launch("import sglang as sgl\nllm = sgl.Engine(model_path='Qwen/Qwen3-8B', tp_size=2)\n")
    assert (engine.engine, engine.value("tp")) == ("sglang", 2)
    assert python_commands("vllm serve Qwen/Qwen3-8B") is None


def test_a_server_in_the_background_takes_no_words_of_the_next_line() -> None:
    line = read_launch("vllm serve Qwen/Qwen3-8B -tp 1 &\nvllm serve Qwen/Qwen3-8B -tp 2 --enforce-eager &\nwait\n")
    assert (line.value("tp"), line.value("eager")) == (1, None)
    assert "starts servers that differ" in line.warning


@pytest.mark.parametrize(
    ("script", "stated"),
    [("for TP in 1 2 4; do vllm serve Qwen/Qwen3-32B -tp $TP; done", r"\$TP"), ("N=$@\nvllm serve m -tp $N", r"\$@")],
)
def test_a_variable_as_a_value_is_named_with_its_flag(script: str, stated: str) -> None:
    with pytest.raises(InputError, match=rf"-tp {stated}: the variable has no value here"):
        read_launch(script)


def test_documents_that_are_run_are_not_taken_for_files() -> None:
    text = "ssh host <<EOF\nvllm serve Qwen/Qwen3-8B -tp 2\nEOF\n"
    assert without_files(text) == (text, {})
    assert read_launch(text).value("tp") == 2


_SGLANG = "python3 -m sglang.launch_server --model-path Qwen/Qwen3-8B --tp {} --disaggregation-mode {}"
_DYNAMO = """kind: DynamoGraphDeployment
spec: {{services: {{
  Decode: {{replicas: 1, extraPodSpec: {{mainContainer: {{command: [python3, "-m", dynamo.vllm],
    args: [--model, Qwen/Qwen3-8B, --tensor-parallel-size, "2"]}}}}}},
  Prefill: {{replicas: 3, extraPodSpec: {{mainContainer: {{command: [python3, "-m", dynamo.vllm],
    args: [--model, Qwen/Qwen3-8B, {}--is-prefill-worker]}}}}}}}}}}
"""
_KV = 'vllm serve Qwen/Qwen3-8B -tp {} --kv-transfer-config \'{{"kv_connector":"P2pNccl","kv_role":"{}"}}\' &\n'


_BOTH = """kind: Deployment
metadata: {{name: qwen-{}}}
spec: {{replicas: {}, template: {{spec: {{containers: [{{name: vllm, image: 'vllm/vllm-openai:latest',
  args: [--model, Qwen/Qwen3-8B, -tp, "{}", --kv-transfer-config, '{{"kv_role":"kv_both"}}']}}]}}}}}}
---
"""


@pytest.mark.parametrize(
    "text",
    [
        _BOTH.format("prefill", 3, 1) + _BOTH.format("decode", 1, 2),
        "\n".join([_SGLANG.format(1, "prefill")] * 3 + [_SGLANG.format(2, "decode")]),
        _DYNAMO.format(""),
        _KV.format(1, "kv_producer") * 3 + _KV.format(2, "kv_consumer"),
    ],
    ids=["by name", "sglang", "dynamo", "vllm"],
)
def test_a_pool_for_prompts_is_one_of_its_own_and_no_further_replicas(text: str) -> None:
    told: dict[str, Any] = {"gpu": "h100_sxm", "rate": 2, "requests": 20, "isl": 1000, "osl": 50}
    with warnings.catch_warnings():
        warnings.simplefilter("error", InputWarning)
        pools = jevons.simulate(serve=text, **told)
    same = jevons.simulate("qwen3-8b", engine=pools.engine, tp=2, replicas=1, prefill_replicas=3, prefill_tp=1, **told)
    assert pools.to_json()["accelerators"] == same.to_json()["accelerators"] == 5
    assert pools.to_json()["ttft_s"] == same.to_json()["ttft_s"]
    one = jevons.simulate(serve=text, prefill_replicas=1, **told)
    assert one.to_json()["accelerators"] == 1 + 2


def test_ranks_of_a_pool_for_prompts_that_cannot_be_taken_are_said() -> None:
    line = read_launch("\n".join([_SGLANG.format(1, "prefill") + " --dp 2", _SGLANG.format(2, "decode")]))
    assert "its prefill pool has ranks of its own, and is taken as TP 1 alone" in line.warning


def test_aliases_that_multiply_or_hold_themselves_are_no_settings_and_are_answered_at_once() -> None:
    names = "abcdefghijkl"
    multiplied = "".join(f"{one}: &{one} [{', '.join([f'*{before}'] * 9)}]\n" for before, one in pairwise(names))
    for text in (f"a: &a [x]\n{multiplied}services: *l\n", "services: &s [*s]\nargs: *s\n"):
        assert not documents_of(text)
        with pytest.raises(InputError, match="starts no server that is known"):
            read_launch(text)
    shared = "args: &words [--model, Qwen/Qwen3-8B]\nimage: vllm/vllm-openai:v0.10.1\nlabels: {same: *words}\n"
    assert read_launch(shared).value("model") == "Qwen/Qwen3-8B"
