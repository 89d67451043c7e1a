"""Start-up lines of vLLM and SGLang, in the words of several releases."""

from __future__ import annotations

from pathlib import Path

import pytest

from jevons.validation.rows import read_tables

V06 = """INFO 11-05 llm_engine.py:237] Initializing an LLM engine (v0.6.3), model='meta-llama/Llama-3.1-8B-Instruct'
INFO 11-05 model_runner.py:1067] Loading model weights took 14.9888 GB
INFO 11-05 gpu_executor.py:122] # GPU blocks: 27480, # CPU blocks: 2048
INFO 11-05 gpu_executor.py:126] Maximum concurrency for 8192 tokens per request: 53.67x
"""
V11 = """\x1b[1;36m(EngineCore_DP0 pid=99)\x1b[0;0m INFO Initializing a V1 LLM engine (v0.11.0), model='Qwen/Qwen3-32B'
\x1b[1;36m(Worker_TP0 pid=101)\x1b[0;0m INFO Model loading took 30.59 GiB and 10.1 seconds
\x1b[1;36m(EngineCore_DP0 pid=99)\x1b[0;0m INFO GPU KV cache size: 318,672 tokens
Desired GPU memory utilization is (0.92, 72 GiB). Actual usage is 30.59 GiB for weight, 1.21 GiB for peak activation,
0.14 GiB for non-torch memory, and 0.61 GiB for CUDAGraph memory.
""".replace(",\n", ", ")
SGLANG = """[2025-10-05 12:00] server_args=ServerArgs(model_path='Qwen/Qwen3-8B', tp_size=2, mem_fraction_static=0.85)
[2025-10-05 12:00:10 TP0] Load weight end. type=Qwen3ForCausalLM, avail mem=63.40 GB, mem usage=7.67 GB.
[2025-10-05 12:00:10 TP0] KV Cache is allocated. #tokens: 427000, K size: 26.06 GB, V size: 26.06 GB
[2025-10-05 12:00:20 TP0] Capture cuda graph end. Time elapsed: 5.2 s. mem usage=0.55 GB. avail mem=10.3 GB.
"""


@pytest.mark.parametrize("name", ["startup.log", "vllm.out", "pasted"])
@pytest.mark.parametrize(
    ("text", "told"),
    [
        (V06, {"engine": "vllm", "engine_version": "0.6.3", "weights_gib": "14.9888", "kv_cache_tokens": "439680"}),
        (V11, {"engine": "vllm", "weights_gib": "30.59", "kv_cache_tokens": "318672", "activation_gib": "1.21",
               "non_torch_gib": "0.14", "cuda_graph_actual_gib": "0.61", "gpu_memory_utilization": "0.92"}),
        (SGLANG, {"engine": "sglang", "model": "Qwen/Qwen3-8B", "tp": "2", "weights_gib": "7.67",
                  "kv_cache_tokens": "427000", "cuda_graph_actual_gib": "0.55", "gpu_memory_utilization": "0.85"}),
    ],
    ids=["vllm 0.6", "vllm 0.11", "sglang"],
)  # fmt: skip
def test_a_log_is_known_by_its_lines_whatever_it_is_called(
    tmp_path: Path, name: str, text: str, told: dict[str, str]
) -> None:
    path = tmp_path / name
    path.write_text(text)
    (table,) = read_tables(path)
    assert table.kind == "startups"
    assert {column: table.rows[0][column] for column in told} == told
    assert table.rows[0]["outcome"] == "ok"
