"""Reports of offline tools say their limits, tables may be Chinese, and a file of another model is told."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

import jevons
from jevons.errors import InputNote
from jevons.serving.measured import read_runs
from jevons.serving.measured.columns import column_meaning

TRTLLM = """= PYTORCH BACKEND
Model:                  nvidia/Llama-3.1-8B-Instruct-FP8
TensorRT-LLM Version:   0.20.0
KV Cache Dtype:         FP8
= REQUEST DETAILS
Number of requests:             {requests}
Number of concurrent requests:  {requests}
Average Input Length (tokens):  128.0000
Average Output Length (tokens): 128.0000
= WORLD + RUNTIME INFORMATION
TP Size:                1
Max Runtime Batch Size: {batch}
Max Runtime Tokens:     8192
KV Memory Percentage:   90.00%
= PERFORMANCE OVERVIEW
Request Throughput (req/sec):                     200.0
Total Output Throughput (tokens/sec):             26401.48
"""


def predicted(path: Path, **told: str) -> dict[str, float]:
    """Return the predictions of a file's figures on an H100."""
    rows = jevons.validate(path, gpu="h100_sxm", **told).to_json()["rows"]
    return {row["metric"]: row["predicted"] for row in rows}


def test_a_report_of_trtllm_bench_runs_with_its_limits_and_without_a_server(tmp_path: Path) -> None:
    """NVIDIA states 26,401 output tokens/s of an 8B in 8 bits on one H100; a server captures fewer graphs."""
    path = tmp_path / "report.txt"
    path.write_text(TRTLLM.format(requests=4000, batch=2048))
    (run,) = read_runs(path)
    assert run.load == "inf (offline)"
    assert run.serve == (
        "trtllm-serve nvidia/Llama-3.1-8B-Instruct-FP8 --tp_size 1 --max_batch_size 2048 --max_num_tokens 8192 "
        "--kv_cache_free_gpu_memory_fraction 0.9 --kv_cache_dtype fp8"
    )
    many = predicted(path)["output_tok_s"]
    assert many == pytest.approx(26401.48, rel=0.15)
    path.write_text(TRTLLM.format(requests=4000, batch=16))
    assert predicted(path)["output_tok_s"] < 0.2 * many


@pytest.mark.parametrize(
    ("title", "meaning"),
    [
        ("并发数量", ("concurrency", None)), ("输入长度", ("isl", None)), ("输出长度", ("osl", None)),
        ("首Token中位数（TTFT） (ms)", ("ttft_s.p50", 1e-3)), ("首 Token 平均时延 (毫秒)", ("ttft_s.mean", 1e-3)),
        ("每个输出Token的时间中位数（TPOT） (ms)", ("tpot_s.p50", 1e-3)),
        ("端到端延迟中位数 (ms)", ("e2e_s.p50", 1e-3)),
        ("输出吞吐量 (tok/s)", ("output_tok_per_s", None)), ("总吞吐 (tok/s)", ("total_tok_per_s", None)),
        ("请求数", ("requests", None)), ("模型", ("model", None)), ("备注", ("", None)),
    ],
)  # fmt: skip
def test_chinese_titles_mean_what_english_ones_do(title: str, meaning: tuple[str, float | None]) -> None:
    assert column_meaning(title) == meaning


def test_a_file_of_a_model_of_another_size_is_told(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    path.write_text(TRTLLM.format(requests=200, batch=64))
    with pytest.warns(InputNote, match=r"--model llama-3.1-70b: the file says nvidia/Llama-3.1-8B-Instruct-FP8"):
        predicted(path, model="llama-3.1-70b")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        predicted(path, model="llama-3.1-8b")
