"""Launch lines of engines, as people type, paste and keep them, become the settings that they make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import jevons
from jevons.errors import InputError, InputWarning
from jevons.serving.launch import changed_factors, deployment_of, read_launch

DEPLOYED = """
apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
      - name: server
        image: vllm/vllm-openai:v0.9.2
        env: [{name: MODEL, value: meta-llama/Llama-3.3-70B-Instruct}]
        args: ["--model", "$(MODEL)", "--tensor-parallel-size", "4", "--max-model-len=16384"]
"""
COMPOSE = """
services:
  llm:
    image: lmsysorg/sglang:v0.5.3-cu126
    command: >
      python3 -m sglang.launch_server --model-path zai-org/GLM-4.5-Air
      --tp-size 4 --ep-size 4
"""
SCRIPT = r"""#!/bin/bash
# starts the server
export MODEL=Qwen/Qwen3-8B TP=2
pip install vllm==0.11.0
vllm serve $MODEL \
  --tensor-parallel-size ${TP} \
  --max-num-seqs ${SEQS:-128} &
vllm bench serve --model $MODEL --max-concurrency 8
"""


def said(line: str | Path) -> dict[str, Any]:
    """Return the arguments of a line by name."""
    return {name: given.value for name, given in deployment_of(read_launch(line)).items()}


@pytest.mark.parametrize(
    ("line", "means"),
    [
        (
            ("vllm serve meta-llama/Llama-3.1-8B-Instruct --max-model-len 32k -tp=2 --gpu-memory-utilization=0.85 "
             "--enforce-eager --kv-cache-dtype fp8_e4m3 --max_num_seqs 64"),
            {"engine": "vllm", "model": "meta-llama/Llama-3.1-8B-Instruct", "tp": 2, "max_model_len": 32_000,
             "gpu_memory_utilization": 0.85, "eager": True, "kv_precision": "fp8", "max_num_seqs": 64},
        ),
        (
            ("CUDA_VISIBLE_DEVICES=0,1 python -m vllm.entrypoints.openai.api_server --model mistralai/Mistral-7B-v0.1 "
             "--max-num-batched-tokens 16K --no-enable-prefix-caching | tee log"),
            {"max_num_batched_tokens": 16_384, "prefix_cache": False},
        ),
        (
            ("vllm serve Qwen/Qwen3-235B-A22B-FP8 -tp 4 -dp 2 --enable-expert-parallel "
             """--speculative-config '{"method": "eagle3", "num_speculative_tokens": 3}'"""),
            {"tp": 4, "dp": 2, "ep": 8, "dp_attention": True, "draft_tokens": 3},
        ),
        ("vllm serve Qwen/Qwen3-8B --data-parallel-size 4", {"tp": 1, "dp": 4, "dp_attention": False}),
        ("vllm serve Qwen/Qwen3-8B --speculative-config.num_speculative_tokens 5 -O0",
         {"draft_tokens": 5, "eager": True}),
        ("vllm serve Qwen/Qwen3-8B --speculative-config {method:ngram,num_speculative_tokens:4}", {"draft_tokens": 4}),
        ("vllm serve Qwen/Qwen3-30B-A3B --quantization fp8", {"precision": "fp8"}),
        ("vllm serve Qwen/Qwen3-30B-A3B --enable-expert-parallel true --async-scheduling true -tp2",
         {"tp": 2, "ep": 2}),
        (
            ("python3 -m sglang.launch_server --model-path deepseek-ai/DeepSeek-V3 --tp 8 --dp 8 "
             "--enable-dp-attention --chunked-prefill-size 8192 --mem-fraction-static 0.8 --max-running-requests 256"),
            {"engine": "sglang", "tp": 1, "dp": 8, "dp_attention": True, "max_num_batched_tokens": 1024,
             "gpu_memory_utilization": 0.8, "max_num_seqs": 32},
        ),
        ("sglang serve --model Qwen/Qwen3-32B --dp-size 2 --context-length 32768 --speculative-algo EAGLE",
         {"dp": 2, "dp_attention": False, "max_model_len": 32_768, "draft_tokens": 3}),
        (
            ("mpirun -n 1 trtllm-serve nvidia/DeepSeek-R1-FP4 --tp_size 8 --ep_size 8 --max_batch_size 256 "
             "--max_num_tokens 8192 --kv_cache_free_gpu_memory_fraction 0.85"),
            {"engine": "trtllm", "tp": 8, "ep": 8, "max_num_seqs": 256, "max_num_batched_tokens": 8192},
        ),
        (
            "docker run --gpus all -p 8000:8000 -e HF_TOKEN=x vllm/vllm-openai:v0.11.0 --model openai/gpt-oss-120b",
            {"model": "openai/gpt-oss-120b", "engine_version": "0.11.0", "tp": 1},
        ),
        (DEPLOYED, {"model": "meta-llama/Llama-3.3-70B-Instruct", "tp": 4, "engine_version": "0.9.2",
                    "max_model_len": 16_384}),
        (COMPOSE, {"engine": "sglang", "model": "zai-org/GLM-4.5-Air", "tp": 4, "ep": 4, "engine_version": "0.5.3"}),
        (SCRIPT, {"model": "Qwen/Qwen3-8B", "tp": 2, "max_num_seqs": 128, "engine_version": "0.11.0"}),
        ("vllm serve Qwen/Qwen3-8B\n  --max-num-seqs 16\n  --tensor-parallel-size 2", {"max_num_seqs": 16, "tp": 2}),
        ("vllm serve /cache/models--Qwen--Qwen3-8B/snapshots/0a1b", {"model": "Qwen/Qwen3-8B"}),
        ("vllm serve Qwen/Qwen3-8B --max-model-len auto", {"tp": 1}),
        ("python -m sglang.launch_server --model Qwen/Qwen3-8B --max-total-tokens 100000", {"kv_tokens": 100_000}),
        ("python -m sglang.launch_server --model Qwen/Qwen3-8B --chunked-prefill-size -1",
         {"max_num_batched_tokens": 16_384}),
        ("python -m sglang.launch_server --model Qwen/Qwen3-8B --chunked-prefill-size -1 --max-prefill-tokens 8192",
         {"max_num_batched_tokens": 8192}),
        ("vllm serve Qwen/Qwen3-8B --no-enable-chunked-prefill --max-model-len 10000",
         {"max_num_batched_tokens": 10_000}),
        ("docker run vllm/vllm-openai:v0.6.4 --model Qwen/Qwen2.5-7B-Instruct --max-model-len 20000",
         {"max_num_batched_tokens": 20_000, "max_num_seqs": 256}),
        ("docker run vllm/vllm-openai:v0.6.4 --model meta-llama/Llama-3.1-8B-Instruct",
         {"max_num_batched_tokens": 512}),
        ("vllm serve meta-llama/Llama-3.1-8B-Instruct --kv-cache-memory-bytes 16G", {"kv_tokens": 131_072}),
        ("trtllm-serve Qwen/Qwen3-8B --kv_cache_config.max_tokens 50000", {"kv_tokens": 50_000}),
    ],
)  # fmt: skip
def test_a_launch_line_means_what_its_engine_makes_of_it(line: str, means: dict[str, Any]) -> None:
    made = said(line)
    assert {name: made.get(name) for name in means} == means


def test_a_launch_line_may_lie_in_a_file_and_a_file_of_settings_beside_it(tmp_path: Path) -> None:
    (tmp_path / "extra.yaml").write_text(
        "enable_attention_dp: true\nkv_cache_config: {dtype: fp8, free_gpu_memory_fraction: 0.8}\n"
        "speculative_config: {decoding_type: MTP, num_nextn_predict_layers: 3}\nmax_batch_size: 64\n"
    )
    (tmp_path / "serve.sh").write_text(
        "trtllm-serve deepseek-ai/DeepSeek-R1 --tp_size 8 --ep_size 8 --max_batch_size 32 "
        "--extra_llm_api_options extra.yaml\n"
    )
    made = said(tmp_path / "serve.sh")
    assert made["dp"] == made["ep"] == 8
    assert made["dp_attention"] is True
    assert made["kv_precision"] == "fp8"
    assert made["gpu_memory_utilization"] == 0.8
    assert made["draft_tokens"] == 3
    assert made["max_num_seqs"] == 32, "the line goes before the file"


def test_flags_without_a_part_in_the_answer_are_named_once_with_near_names() -> None:
    line = read_launch(
        "VLLM_ROCM_USE_AITER=0 vllm serve Qwen/Qwen3-8B --gpu-memory-utilisation 0.8 --port 8000 "
        "--kv-transfer-config {} --trust-remote-code --frobnicate"
    )
    assert "--gpu-memory-utilisation (did you mean --gpu-memory-utilization?)" in line.warning
    assert "--frobnicate" in line.warning
    assert "without effect on a prediction: --kv-transfer-config, VLLM_ROCM_USE_AITER" in line.warning
    assert "port" not in line.warning


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("python -m sglang.launch_server --model Qwen/Qwen3-8B --max-prefill-tokens 4096", "--max-prefill-tokens"),
        ("python -m sglang.launch_server --model Qwen/Qwen3-8B --speculative-algo EAGLE --speculative-eagle-topk 8",
         "--speculative-eagle-topk"),
        ("""vllm serve Qwen/Qwen3-8B --compilation-config '{"cudagraph_capture_sizes": [1, 2], "level": 3}'""",
         "--compilation-config cudagraph_capture_sizes"),
        ("trtllm-serve Qwen/Qwen3-8B --moe_backend CUTLASS", "--moe_backend"),
        ("""vllm serve Qwen/Qwen3-8B --hf-overrides '{"num_hidden_layers": 4}'""", "--hf-overrides num_hidden_layers"),
    ],
)  # fmt: skip
def test_flags_that_are_read_and_have_no_part_are_named_too(line: str, named: str) -> None:
    assert read_launch(line).warning.endswith(f"without effect on a prediction: {named}")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("ollama run llama3", "lines of Ollama are not read; omit --serve and state what it does: --model"),
        ("text-generation-launcher --num-shard 4", "lines of text-generation-inference are not read"),
        ("lmdeploy serve gradio http://0.0.0.0:1 --tp 4", "lines of LMDeploy are not read"),
        ("llama-server -c 32768 -ngl 99", "lines of llama.cpp are not read"),
        ("--tp 4", "starts no server that is known"),
        ("vllm bench serve --model x", "starts no server"), ("trtllm-serve disaggregated -c r", "starts no server"),
        ("vllm serve 'x", "quotes do not close"),
        ("services: {a: {image: vllm/vllm-openai, command: --model 'x}}", "quotes do not close"),
        ("vllm serve X --max-num-seqs many", "must be a number"), ("vllm serve X -tp", "has no value"),
        ("missing.sh", "no such file"), ("x" * 200_000, "at most 100,000"),
        ("python -m sglang.launch_server --model Qwen/Qwen3-30B-A3B --tp 8 --dp 3 --enable-dp-attention", "divide"),
        ("vllm serve Qwen/Qwen3-8B --quantization fp9", "unknown"),
        ("vllm serve X -tp 0", "must be from 1 to 4,096"), ("vllm serve X -pp -2", "must be from 1"),
        ("trtllm-serve X --tp_size 99999999999999999999", "must be from 1"), ("vllm serve X -tp 1.5", "whole number"),
        ("vllm serve X --speculative-config {bad", "is no JSON object"),
    ],
)  # fmt: skip
def test_what_is_no_launch_line_is_told_what_is(line: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        deployment_of(read_launch(line))


def test_a_flag_and_an_option_that_contradict_are_refused_by_both_names() -> None:
    line = "vllm serve Qwen/Qwen3-8B --tensor-parallel-size 2"
    with pytest.raises(InputError, match=r"tp=4: serve says 2 \(tensor_parallel_size\)"):
        jevons.memory(serve=line, tp=4)
    with pytest.raises(InputError, match="engine=sglang"):
        jevons.memory(serve=line, engine="sglang")
    with pytest.raises(InputError, match=r"model=llama-3\.1-8b"):
        jevons.memory("llama-3.1-8b", serve=line)
    assert jevons.memory("qwen3-8b", serve=line, tp=2).fits
    with pytest.raises(InputError, match="model: is missing"):
        jevons.memory()


def test_the_same_line_makes_the_same_deployment_in_every_function() -> None:
    line = (
        "vllm serve Qwen/Qwen3-30B-A3B -tp 2 --max-model-len 16384 --gpu-memory-utilization 0.8 --kv-cache-dtype fp8 "
        "--max-num-seqs 64 --max-num-batched-tokens 4096 --enforce-eager"
    )
    memory = jevons.memory(serve=line).deployment
    sized = jevons.size(serve=line, rate=5, static=True, tpot=None).best.deployment
    priced = jevons.cost(serve=line, tpot=None).tokens
    assert priced is not None
    run = jevons.simulate(serve=line, rate=2, requests=100).to_json()
    for one in (sized, priced.candidate.deployment):
        for name in ("layout", "precision", "kv_precision", "memory_frac", "max_model_len", "eager"):
            assert getattr(one, name) == getattr(memory, name), name
        assert one.engine.batching.max_batch == 64
        assert one.engine.batching.step_tokens == 4096
    assert run["memory"]["kv_tokens"] == jevons.memory(serve=line).kv_tokens
    assert run["limits"]["max_batch"] == 64
    assert run["limits"]["max_context"] == 16_384


def test_a_path_that_names_no_model_is_served_as_the_model_that_is_named() -> None:
    assert jevons.memory("qwen3-8b", serve="vllm serve /models/mine -tp 2").deployment.layout.tp == 2


def test_settings_slow_or_shrink_what_they_should() -> None:
    plain = jevons.simulate("llama-3.1-8b", rate=2, requests=200)
    eager = jevons.simulate("llama-3.1-8b", rate=2, requests=200, eager=True)
    assert (eager.latency("tpot_s") or 0) > 1.2 * (plain.latency("tpot_s") or 0)
    small = jevons.simulate("llama-3.1-8b", rate=2, requests=200, gpu_memory_utilization=0.5)
    assert small.to_json()["memory"]["kv_tokens"] < 0.6 * plain.to_json()["memory"]["kv_tokens"]


def test_what_a_function_has_no_use_for_is_warned_of() -> None:
    with pytest.warns(InputWarning, match="without effect here: --kv-offloading-size"):
        jevons.memory(serve="vllm serve Qwen/Qwen3-8B --kv-offloading-size 16")


@pytest.mark.slow
def test_the_lines_that_a_sized_fleet_hands_over_are_read_as_its_layout() -> None:
    for model, fixed in (("llama-3.1-8b", {"tp": 2, "pp": 1}), ("qwen3-30b-a3b", {"dp": 4, "ep": 4, "tp": 1, "pp": 1})):
        best = jevons.size(model, gpu="h200_sxm", rate=20, static=True, **fixed).to_json()["best"]  # type: ignore[arg-type]
        for lines in best["launch"].values():
            for line in lines:
                if "router" in line or "extra" in line or "--config" in line:
                    continue
                made = said(line)
                for name in ("tp", "pp", "dp", "ep", "dp_attention"):
                    assert made[name] == best["layout"][name], f"{name} of {line}"


HELM = """
servingEngineSpec:
  modelSpec:
  - {name: m, repository: vllm/vllm-openai, tag: v0.10.2, modelURL: Qwen/Qwen3-8B, requestGPU: 2,
     vllmConfig: {tensorParallelSize: 2, maxModelLen: 16384, extraArgs: ["--gpu-memory-utilization", "0.85"]}}
"""
LLM_D = """
modelArtifacts: {name: Qwen/Qwen3-8B, uri: "hf://Qwen/Qwen3-8B"}
decode:
  containers:
  - {image: "ghcr.io/llm-d/llm-d:v0.2.0", modelCommand: vllmServe,
     args: ["--tensor-parallel-size=2", "--max-model-len", "16384", "--gpu-memory-utilization", "0.85"]}
"""
OWN = "model: Qwen/Qwen3-8B\ntensor-parallel-size: 2\nmax_model_len: 16384\ngpu-memory-utilization: 0.85\n"
SGL = "model-path: Qwen/Qwen3-8B\ntp-size: 2\ncontext-length: 16384\nmem-fraction-static: 0.85\n"


@pytest.mark.parametrize(("text", "engine"), [(HELM, "vllm"), (LLM_D, "vllm"), (OWN, "vllm"), (SGL, "sglang")])
def test_files_of_settings_without_a_command_are_read(tmp_path: Path, text: str, engine: str) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(text)
    made = {name: given.value for name, given in deployment_of(read_launch(file)).items()}
    assert made["engine"] == engine
    assert (made["model"], made["tp"], made["max_model_len"]) == ("Qwen/Qwen3-8B", 2, 16_384)
    assert made["gpu_memory_utilization"] == 0.85
    assert made.get("engine_version") == ("0.10.2" if text is HELM else None)


def test_options_of_tensorrt_llm_are_read_for_the_model_that_is_named(tmp_path: Path) -> None:
    file = tmp_path / "extra.yaml"
    file.write_text(
        "kv_cache_config: {free_gpu_memory_fraction: 0.8, dtype: fp8}\ncuda_graph_config: {max_batch_size: 64}\n"
    )
    run = jevons.memory("qwen3-8b", gpu="h100_sxm", serve=str(file))
    assert run.deployment.engine.name == "trtllm"


def test_a_file_that_starts_several_servers_says_which_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    service = "  {name}: {{image: 'vllm/vllm-openai:v0.10.1', command: --model Qwen/Qwen3-8B -tp {tp} --port {port}}}\n"
    several = [service.format(name=f"s{port}", tp=tp, port=port) for port, tp in ((1, 1), (2, 2), (3, 1))]
    file.write_text("services:\n" + "".join(several))
    assert "starts servers that differ, and the first is taken" in read_launch(file).warning
    file.write_text("services:\n" + several[0] + several[2])
    assert not read_launch(file).warning


@pytest.mark.parametrize(
    "text",
    [
        "bash -c \"vllm serve 'Qwen/Qwen3-8B' --max-model-len 8192\"",
        "bash -lc 'source /opt/venv/bin/activate && exec vllm serve Qwen/Qwen3-8B --max-model-len 8192 2>&1 | tee log'",
        "ssh gpu1 \"bash -c 'vllm serve Qwen/Qwen3-8B --max-model-len 8192'\"",
        "tmux new -d -s x 'python -m vllm.entrypoints.openai.api_server --model Qwen/Qwen3-8B --max-model-len 8192'",
        'docker run --gpus all --entrypoint bash vllm/vllm-openai -c "vllm serve Qwen/Qwen3-8B --max-model-len 8192"',
        "['vllm','serve','Qwen/Qwen3-8B', '--max-model-len', 8192]",
        'CMD ["vllm", "serve", "Qwen/Qwen3-8B", "--max-model-len", "8192"]',
        '["bash", "-c", "vllm serve Qwen/Qwen3-8B --max-model-len 8192"]',
        "vllm serve “Qwen/Qwen3-8B” —max-model-len 8192",
        "vllm serve\u00a0Qwen/Qwen3-8B –max-model-len\u00a08192",
        "vllm serve Qwen/Qwen3-8B --chat-template 'run vllm serve now' --max-model-len 8192",
    ],
)
def test_a_line_is_read_inside_of_shells_lists_and_what_editors_make_of_it(text):
    line = read_launch(text)
    assert (line.engine, line.value("model"), line.value("max_model_len")) == ("vllm", "Qwen/Qwen3-8B", 8192)
    assert not line.unknown


_FLAGS = "--max-model-len 8192"


@pytest.mark.parametrize(
    "text",
    [
        f'ARGS=(\n  --max-num-seqs 64  # as before\n  {_FLAGS}\n)\nnohup vllm serve Qwen/Qwen3-8B "${{ARGS[@]}}" &',
        f"declare -a A=({_FLAGS})\nA+=(--max-num-seqs 64)\nvllm serve Qwen/Qwen3-8B ${{A[@]}} > log",
        f'N=64\nA=(--max-num-seqs $N)\nvllm serve Qwen/Qwen3-8B ${{A[*]}} --api-key "$(cat a | head -1)" {_FLAGS}',
        f"K=$(cat key; echo 1)\nvllm serve Qwen/Qwen3-8B --max-num-seqs 64 --api-key $(cut -d: -f2 (x)) {_FLAGS}",
        f'A=({_FLAGS})\nB=("${{A[@]}}" --max-num-seqs 64)\nvllm serve Qwen/Qwen3-8B "${{B[@]}}"',
    ],
    ids=["a script", "declared and added to", "a variable within", "outputs of commands", "an array in another"],
)
def test_arrays_and_outputs_of_commands_lose_no_flag_of_a_script(text: str) -> None:
    line = read_launch(text)
    assert [line.value(name) for name in ("model", "max_model_len", "max_num_seqs")] == ["Qwen/Qwen3-8B", 8192, 64]
    assert not line.warning


_YARN = '{"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}'


@pytest.mark.parametrize(
    ("line", "tokens"),
    [
        (f"vllm serve Qwen/Qwen3-8B --rope-scaling '{_YARN}' --max-model-len 131072", 131_072),
        (f"vllm serve Qwen/Qwen3-8B --hf-overrides '{{\"rope_parameters\": {_YARN}}}'", 131_072),
        (f"vllm serve Qwen/Qwen3-8B --hf-overrides.rope_scaling '{_YARN}'", 131_072),
        ("vllm serve Qwen/Qwen3-8B --hf-overrides '{\"max_position_embeddings\": 65536}'", 65_536),
        ("VLLM_ALLOW_LONG_MAX_MODEL_LEN=1 vllm serve Qwen/Qwen3-8B --max-model-len 65536", 65_536),
        (
            f"sglang serve --model-path Qwen/Qwen3-8B --json-model-override-args '{{\"rope_scaling\": {_YARN}}}'",
            131_072,
        ),
        ("vllm serve Qwen/Qwen3-8B --max-model-len 40960", 40_960),
    ],
)
def test_a_line_that_stretches_rotations_reads_as_far_as_it_says(line: str, tokens: int) -> None:
    """QwenLM/Qwen3#1361: 131,072 tokens of a model made for 40,960."""
    assert not read_launch(line).warning
    assert jevons.memory(serve=line, gpu="h200_sxm").to_json()["max_model_len"] == tokens


def test_a_line_that_stretches_nothing_is_refused_with_the_name_that_does() -> None:
    with pytest.raises(InputError, match="at most the 40,960 tokens .*; stretched, as by YaRN, .* qwen3-8b-128k"):
        jevons.memory(serve="vllm serve Qwen/Qwen3-8B --max-model-len 131072")


def test_arrays_that_double_themselves_are_refused_at_once() -> None:
    doubled = "".join(f"A{n + 1}=(${{A{n}[@]}} ${{A{n}[@]}})\n" for n in range(40))
    with pytest.raises(InputError, match=r"the array A\d+ has more than 20,000 characters; give the line itself"):
        read_launch(f"A0=(--max-num-seqs 8)\n{doubled}vllm serve Qwen/Qwen3-8B ${{A40[@]}}")


def test_a_variable_without_a_value_is_named() -> None:
    assert "$EXTRA has no value here, and is left out" in read_launch("vllm serve Qwen/Qwen3-8B $EXTRA -tp 2").warning
    with pytest.raises(InputError, match=r"--tensor-parallel-size \$\(nvidia-smi -L \| wc -l\): must be a number"):
        read_launch("vllm serve Qwen/Qwen3-8B --tensor-parallel-size $(nvidia-smi -L | wc -l)")


_POD = "{{name: s, image: 'vllm/vllm-openai:v0.10.1', {} args: [--model, Qwen/Qwen3-8B, -tp, '2']}}"
_KSERVE = """
kind: InferenceService
spec: {predictor: {minReplicas: 3, model: {modelFormat: {name: huggingface}, storageUri: "hf://Qwen/Qwen3-8B",
  args: [--model_name=x, --tensor-parallel-size=2]}}}
"""
_SPANNED = """
kind: LeaderWorkerSet
spec:
  replicas: 3
  leaderWorkerTemplate:
    leaderTemplate: {spec: {containers: [{image: 'vllm/vllm-openai:v0.10', command: [sh, -c, "bash multi.sh leader
      --ray_cluster_size=$(SIZE); python3 -m vllm.entrypoints.openai.api_server --model Qwen/Qwen3-8B -tp 2"]}]}}
    workerTemplate: {spec: {containers: [{image: 'vllm/vllm-openai:v0.10', command: [sh, -c, "bash multi.sh worker
      --ray_address=$(LEADER)"]}]}}
"""
_TWO_NODES = """
kind: LeaderWorkerSet
spec: {replicas: 3, leaderWorkerTemplate: {
  leaderTemplate: {spec: {containers: [{command: [vllm, serve, Qwen/Qwen3-8B, -tp, "2", --nnodes, "2"]}]}},
  workerTemplate: {spec: {containers: [{command: [vllm, serve, Qwen/Qwen3-8B, -tp, "2", --nnodes, "2"]}]}}}}
"""


@pytest.mark.parametrize(
    "text",
    [
        f"kind: Deployment\nspec: {{replicas: 3, template: {{spec: {{containers: [{_POD.format('')}]}}}}}}",
        f"services: {{a: {_POD.format('scale: 2,')}, b: {_POD.format('deploy: {replicas: 1},')}}}",
        HELM.replace("requestGPU", "replicaCount: 3, requestGPU"),
        LLM_D.replace("decode:", "decode:\n  replicas: 3\n  parallelism: {tensor: 2}").replace(
            '"--tensor-parallel-size=2", ', ""
        ),
        _KSERVE, _SPANNED, _TWO_NODES,
    ],
    ids=["Deployment", "Compose", "production stack", "llm-d", "KServe", "LeaderWorkerSet", "one server on two nodes"],
)  # fmt: skip
def test_a_manifest_says_how_many_replicas_there_are(tmp_path: Path, text: str) -> None:
    file = tmp_path / "manifest.yaml"
    file.write_text(text)
    line = read_launch(file)
    assert (line.value("model"), line.value("tp"), line.value("replicas")) == ("Qwen/Qwen3-8B", 2, 3)
    assert not line.warning
    run = jevons.simulate(serve=file, gpu="h100_sxm", rate=1, requests=5).to_json()
    assert run["accelerators"] == 6
    assert jevons.simulate(serve=file, gpu="h100_sxm", replicas=1, rate=1, requests=5).to_json()["accelerators"] == 2


def test_pools_of_a_chart_are_one_for_prompts_and_one_that_decodes(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(LLM_D + LLM_D[LLM_D.index("decode:") :].replace("decode:", "prefill:\n  replicas: 3"))
    line = read_launch(file)
    assert (line.value("replicas"), line.value("prefill_replicas"), line.warning) == (1, 3, "")
    file.write_text(LLM_D + LLM_D[LLM_D.index("decode:") :].replace("decode:", "prefill:\n  parallelism: {data: 2}"))
    assert "its prefill pool has ranks of its own" in read_launch(file).warning


def test_the_release_of_an_image_holds_for_the_script_that_it_runs():
    text = 'docker run lmsysorg/sglang:v0.5.3 bash -c "python3 -m sglang.launch_server --model-path Qwen/Qwen3-8B"'
    assert (read_launch(text).engine, read_launch(text).release) == ("sglang", "0.5.3")


@pytest.mark.parametrize(
    ("image", "release"),
    [
        ("vllm/vllm-openai:v0.11.0", "0.11.0"), ("lmsysorg/sglang:v0.5.13.post1-rocm720-mi30x", "0.5.13"),
        ("quay.io/ascend/vllm-ascend:v0.9.2rc1-310p", "0.9.2"), ("nvcr.io/nvidia/vllm:26.02-py3", ""),
        ("nvcr.io/nvidia/ai-dynamo/vllm-runtime:0.5.0", ""), ("rocm/vllm:rocm6.4.1_vllm_0.9.1_20250715", "0.9.1"),
        ("rocm/vllm:rocm6.3.1_instinct_vllm0.8.3_20250415", "0.8.3"), ("rocm/vllm-dev:nightly_0610_rc2", ""),
    ],
)  # fmt: skip
def test_a_tag_of_an_image_that_counts_something_else_is_no_release(image: str, release: str) -> None:
    start = "sglang serve --model-path" if "sglang" in image else "vllm serve"
    assert read_launch(f"docker run {image} {start} Qwen/Qwen3-8B").release == release


def test_numbers_below_zero_are_said_and_those_without_a_zero_are_taken():
    line = read_launch("vllm serve Qwen/Qwen3-8B --gpu-memory-utilization .9 --max-num-seqs -1")
    assert line.value("memory_frac") == 0.9
    assert "--max-num-seqs -1: is below 0, and is taken as not set" in line.warning
    with pytest.raises(InputError, match="method .* is no name"):
        deployment_of(read_launch('vllm serve Qwen/Qwen3-8B --speculative-config \'{"method": {"a": 1}}\''))


_EXPERTS = {
    "sglang": "python -m sglang.launch_server --model Qwen/Qwen3-30B-A3B --tp 8 --dp 8 --enable-dp-attention "
    "--moe-a2a-backend deepep --max-running-requests 512",
    "vllm": "vllm serve Qwen/Qwen3-30B-A3B -dp 8 --enable-expert-parallel --max-num-seqs 64 "
    "--all2all-backend deepep_low_latency",
}


@pytest.mark.parametrize(("engine", "flag"), [("sglang", "--enable-two-batch-overlap"), ("vllm", "--enable-dbo")])
@pytest.mark.filterwarnings("ignore::jevons.errors.InputWarning")
def test_exchanges_hide_behind_a_second_batch_where_the_line_asks_for_one(engine: str, flag: str) -> None:
    def sized(line: str) -> jevons.SizeResult:
        return jevons.size(serve=line, gpu="h200_sxm", rate=4, isl=4000, osl=200, ttft=5, tpot=0.2, static=True)

    untold, told = (sized(line).best for line in (_EXPERTS[engine], f"{_EXPERTS[engine]} {flag}"))
    assert told.point.tpot_s < 0.99 * untold.point.tpot_s
    assert told.point.ttft_s < 0.99 * untold.point.ttft_s
    assert flag not in read_launch(f"{_EXPERTS[engine]} {flag}").warning


def test_sglang_hides_no_exchanges_untold_and_vllm_its_own_share() -> None:
    shares = {engine: changed_factors(read_launch(line)).get("ep_overlap_frac") for engine, line in _EXPERTS.items()}
    assert shares == {"sglang": 0.0, "vllm": None}
    assert not changed_factors(read_launch(f"{_EXPERTS['sglang']} --enable-two-batch-overlap"))


def test_an_older_vllm_told_to_compose_steps_ahead_spends_no_more_time_on_a_step_than_a_newer_one() -> None:
    def step_s(release: str, flag: str = "") -> float:
        line = f"docker run vllm/vllm-openai:v{release} --model Qwen/Qwen3-8B {flag}"
        found = jevons.size(serve=line, gpu="h200_sxm", rate=1, isl=500, osl=100, tpot=0.2, static=True)
        return found.best.deployment.engine.host.step_overhead_s

    assert step_s("0.13.0", "--async-scheduling") == pytest.approx(step_s("0.18.0"))
    assert step_s("0.13.0") == pytest.approx(step_s("0.18.0", "--no-async-scheduling"))
    assert step_s("0.13.0") - step_s("0.18.0") == pytest.approx(0.3e-3)


@pytest.mark.parametrize(("line", "flag"), [
    ("python -m sglang.launch_server --model openai/gpt-oss-120b --max-running-requests 64", "--moe-runner-backend"),
    ("vllm serve openai/gpt-oss-120b --max-num-seqs 64", "--moe-backend"),
])  # fmt: skip
def test_marlin_widens_the_weights_of_experts_on_a_device_that_multiplies_in_four_bits(line: str, flag: str) -> None:
    def sized(line: str) -> jevons.SizeResult:
        return jevons.size(serve=line, gpu="b200_sxm", rate=1, isl=8000, osl=200, ttft=5, tpot=0.2, static=True)

    assert sized(f"{line} {flag} marlin").best.point.ttft_s > 1.05 * sized(line).best.point.ttft_s
    assert sized(f"{line} {flag} auto").best.point.ttft_s == sized(line).best.point.ttft_s
    assert not read_launch(f"{line} {flag} marlin").warning
    assert flag in read_launch(f"{line} {flag} cutlass").warning


@pytest.mark.parametrize(
    ("flags", "changed"),
    [
        ("--enable-lora", {"adapters": 1.0, "adapter_rank": 16.0}),
        ("--enable-lora --max-loras 4 --max-lora-rank 64", {"adapters": 4.0, "adapter_rank": 64.0}),
        ("--max-loras 4", {}),
        ("--language-model-only", {"takes_images": False, "takes_videos": False}),
        ("--limit-mm-per-prompt image=0,video=0", {"takes_images": False, "takes_videos": False}),
        ("""--limit-mm-per-prompt '{"video": 0}'""", {"takes_videos": False}),
        ("--limit-mm-per-prompt.video 0", {"takes_videos": False}),
        ("--limit-mm-per-prompt image=20", {}),
        ("--max-model-len auto", {"shortens": True}),
        ("--max-model-len -1", {"shortens": True}),
    ],
)
def test_what_a_server_is_told_to_load_or_to_leave(flags: str, changed: dict[str, float]) -> None:
    line = read_launch(f"vllm serve Qwen/Qwen3-VL-8B-Instruct {flags}")
    assert changed_factors(line) == changed
    assert not line.warning


def test_adapters_of_sglang_are_eight_untold() -> None:
    line = read_launch("python -m sglang.launch_server --model Qwen/Qwen3-8B --enable-lora --max-lora-rank 32")
    told = changed_factors(line)
    assert (told["adapters"], told["adapter_rank"]) == (8.0, 32.0)
