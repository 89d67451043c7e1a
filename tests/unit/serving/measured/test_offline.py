"""Results of tools without a server between are read in the load that they ran: a batch, or one sequence."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

import jevons
from jevons.serving.measured import read_runs

SPREAD = {"p50": 3000.0, "p90": 4000.0, "p95": 4200.0, "p99": 4500.0, "minimum": 1.0, "average": 2900.0}
TRTLLM: dict[str, Any] = {
    "engine": {"model": "meta-llama/Llama-3.1-8B-Instruct", "version": "1.0.0", "backend": "Pytorch"},
    "machine": {"name": "NVIDIA H100 80GB HBM3", "memory.total": 79.1},
    "world_info": {"tp_size": 2, "pp_size": 1, "ep_size": None, "world_size": 2, "max_batch_size": 2048},
    "request_info": {"num_requests": 1000, "avg_num_concurrent_requests": 31.8, "avg_input_length": 1024.0,
                     "avg_output_length": 256.0},
    "performance": {"total_latency_ms": 92_000.0, "avg_request_latency_ms": 2900.0, "request_throughput_req_s": 10.9,
                    "system_output_throughput_tok_s": 2782.6, "request_latency_percentiles_ms": SPREAD},
    "streaming_metrics": {"avg_ttft_ms": 60.0, "avg_tpot_ms": 11.1, "ttft_percentiles": {"p99": 150.0}},
}  # fmt: skip
THROUGHPUT = {"elapsed_time": 40.0, "num_requests": 1000, "total_num_tokens": 1_280_000, "requests_per_second": 25.0,
              "tokens_per_second": 32_000.0}  # fmt: skip
LATENCY = {"avg_latency": 1.52, "latencies": [1.5, 1.54], "percentiles": {"50": 1.51, "90": 1.6, "99": 1.7}}
OFFLINE = {"backend": "engine", "successful_requests": 100, "total_latency": 20.0, "total_input_tokens": 102_400,
           "total_output_tokens": 12_800, "request_throughput": 5.0, "output_throughput": 640.0,
           "total_throughput": 5760.0}  # fmt: skip
ONE_BATCH = {"run_name": "before", "batch_size": 8, "input_len": 1024, "output_len": 128, "prefill_latency": 0.06,
             "median_decode_latency": 0.0085, "total_latency": 1.14, "overall_throughput": 8084.0}  # fmt: skip
LLAMA = [
    {"build_number": 5000, "gpu_info": "NVIDIA GeForce RTX 4090", "model_type": "llama 8B Q4_K - Medium",
     "model_filename": "models/Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf", "n_prompt": 512, "n_gen": 0, "n_depth": 0,
     "avg_ns": 43_000_000, "avg_ts": 11_907.0},
    {"build_number": 5000, "gpu_info": "NVIDIA GeForce RTX 4090", "model_type": "llama 8B Q4_K - Medium",
     "model_filename": "models/Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf", "n_prompt": 0, "n_gen": 128, "n_depth": 4096,
     "avg_ns": 900_000_000, "avg_ts": 142.2},
]  # fmt: skip
LLAMA_TABLE = """ggml_cuda_init: found 1 CUDA devices:
| model                  |     size |  params | backend | ngl |          test |              t/s |
| ---------------------- | -------: | ------: | ------- | --: | ------------: | ---------------: |
| llama 8B Q4_K - Medium | 4.58 GiB |  8.03 B | CUDA    |  99 |         pp512 | 11907.25 ± 12.50 |
| llama 8B Q4_K - Medium | 4.58 GiB |  8.03 B | CUDA    |  99 | tg128 @ d4096 |    142.20 ± 0.20 |

build: 1a2b3c4d (5000)
"""
LLAMA_CSV = (
    'build_number,gpu_info,model_filename,model_type,n_prompt,n_gen,n_depth,avg_ns,avg_ts\n"5000","NVIDIA A100",'
    '"/m/Qwen2.5-7B-Instruct-Q8_0-00001-of-00002.gguf","qwen2 7B Q8_0","0","64","0","640000000","100.0"\n'
)
PRINTED = """
===========================================================
= PERFORMANCE OVERVIEW
===========================================================
Request Throughput (req/sec):                     10.9000
Total Output Throughput (tokens/sec):             2782.6000
Total Latency (ms):                               92000.0000
Average request latency (ms):                     2900.0000
Number of requests:             1,000
Number of concurrent requests:  960.5
Average Input Length (tokens):  1024.0000
Average Output Length (tokens): 256.0000
Model:                  meta-llama/Llama-3.1-8B-Instruct
TP Size:                2
"""
EARLY = """
= PERFORMANCE OVERVIEW
Total Output Throughput (tokens/sec):             6051.0000
Total Latency (ms):                               1015366.0
Average request latency (ms):                     523000.0
Model:                  nvidia/Llama-3.1-405B-Instruct-FP8
Number of Sequences:  3000

-- Percentiles statistics ---------------------------------

        Input              Output           Seq. Length
-----------------------------------------------------------
MIN:   128.0000          2048.0000         2176.0000
AVG:   128.0000          2048.0000         2176.0000
"""
VLLM_LINE = """INFO done
Throughput: 25.00 requests/s, 32,000.00 total tokens/s, 6400.00 output tokens/s
Total num prompt tokens:  1024000
Total num output tokens:  256000
"""
TGI = """# TYPE tgi_request_duration histogram
tgi_request_duration_sum 250.0
tgi_request_duration_count 100
tgi_request_mean_time_per_token_duration_sum 2.0
tgi_request_mean_time_per_token_duration_count 100
tgi_request_input_length_sum 50000
tgi_request_input_length_count 100
tgi_request_generated_tokens_sum 12000
tgi_request_generated_tokens_count 100
tgi_request_success 100
tgi_batch_current_size 9
"""
DYNAMO = """dynamo_frontend_time_to_first_token_seconds_sum{model="Qwen/Qwen3-8B"} 5.0
dynamo_frontend_time_to_first_token_seconds_count{model="Qwen/Qwen3-8B"} 50
dynamo_frontend_inter_token_latency_seconds_sum{model="Qwen/Qwen3-8B"} 100.0
dynamo_frontend_inter_token_latency_seconds_count{model="Qwen/Qwen3-8B"} 10000
dynamo_frontend_input_sequence_tokens_sum{model="Qwen/Qwen3-8B"} 50000
dynamo_frontend_input_sequence_tokens_count{model="Qwen/Qwen3-8B"} 50
dynamo_frontend_inflight_requests{model="Qwen/Qwen3-8B"} 4
"""
LLAMA_8B = {"model": "meta-llama/Llama-3.1-8B-Instruct", "engine": "trtllm"}
QUANTISED = {"model": "Meta-Llama-3.1-8B-Instruct", "precision": "q4_k_m", "gpu": "NVIDIA GeForce RTX 4090", "users": 1}
CASES: tuple[tuple[str, str, int, dict[str, Any], dict[str, float]], ...] = (
    ("report.json", json.dumps(TRTLLM), 0, {**LLAMA_8B, "users": 32, "degrees": {"tp": 2, "pp": 1}, "gpus": 2,
                                                "isl": 1024.0, "version": "1.0.0"},
     {"e2e_s.mean": 2.9, "e2e_s.p99": 4.5, "ttft_s.mean": 0.06, "ttft_s.p99": 0.15, "tpot_s.mean": 0.0111,
      "output_tok_per_s": 2782.6, "duration_s": 92.0}),
    ("report.txt", PRINTED, 0, {**LLAMA_8B, "rate_req_per_s": math.inf, "requests": 1000, "osl": 256.0},
     {"e2e_s.mean": 2.9, "req_per_s": 10.9}),
    ("early.txt", EARLY, 0, {"rate_req_per_s": math.inf, "requests": 3000, "isl": 128.0, "osl": 2048.0},
     {"e2e_s.mean": 523.0, "output_tok_per_s": 6051.0}),
    ("throughput.json", json.dumps(THROUGHPUT), 0, {"rate_req_per_s": math.inf, "requests": 1000, "isl": None},
     {"req_per_s": 25.0, "total_tok_per_s": 32_000.0, "duration_s": 40.0}),
    ("throughput.txt", VLLM_LINE, 0, {"requests": 1000, "isl": 1024.0, "osl": 256.0}, {"output_tok_per_s": 6400.0}),
    ("latency.json", json.dumps(LATENCY), 0, {"users": None, "rate_req_per_s": None},
     {"e2e_s.mean": 1.52, "e2e_s.p99": 1.7}),
    ("offline.jsonl", json.dumps(OFFLINE), 0, {"rate_req_per_s": math.inf, "isl": 1024.0, "osl": 128.0},
     {"output_tok_per_s": 640.0, "duration_s": 20.0}),
    ("one_batch.jsonl", json.dumps(ONE_BATCH), 0, {"users": 8, "isl": 1024.0, "engine": "sglang"},
     {"ttft_s.mean": 0.06, "tpot_s.mean": 0.0085, "e2e_s.mean": 1.14}),
    ("llama.json", json.dumps(LLAMA), 0, {**QUANTISED, "isl": 512.0, "osl": 1.0}, {"ttft_s.mean": 0.043}),
    ("llama.json", json.dumps(LLAMA), 1, {**QUANTISED, "isl": 4096.0, "osl": 128.0}, {"tpot_s.mean": 0.9 / 128}),
    ("llama.jsonl", "\n".join(json.dumps(one) for one in LLAMA), 1, QUANTISED, {"tpot_s.mean": 0.9 / 128}),
    ("llama.md", LLAMA_TABLE, 0, {"model": "", "precision": "q4_k_m", "isl": 512.0}, {"ttft_s.mean": 512 / 11907.25}),
    ("llama.md", LLAMA_TABLE, 1, {"isl": 4096.0, "osl": 128.0}, {"tpot_s.mean": 1 / 142.2}),
    ("llama.csv", LLAMA_CSV, 0, {"model": "Qwen2.5-7B-Instruct", "precision": "q8_0"}, {"tpot_s.mean": 0.01}),
    ("tgi.prom", TGI, 0, {"users": 9, "isl": 500.0, "osl": 120.0, "requests": 100, "engine": "generic"},
     {"e2e_s.mean": 2.5, "tpot_s.mean": 0.02}),
    ("dynamo.prom", DYNAMO, 0, {"users": 4, "isl": 1000.0, "model": "Qwen/Qwen3-8B"},
     {"ttft_s.mean": 0.1, "itl_s.mean": 0.01}),
)  # fmt: skip


@pytest.mark.parametrize(("name", "text", "place", "said", "figures"), CASES)
def test_an_offline_result_is_read_in_the_meaning_of_its_tool(
    tmp_path: Path, name: str, text: str, place: int, said: dict[str, Any], figures: dict[str, float]
) -> None:
    path = tmp_path / name
    path.write_text(text)
    run = read_runs(path)[place]
    assert {key: getattr(run, key) for key in said} == said
    for key, value in figures.items():
        assert run.figures[key] == pytest.approx(value), key


def test_a_report_of_trtllm_bench_is_validated_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(TRTLLM))
    report = jevons.validate(path)
    assert report.overall.answered == report.overall.rows > 5
    assert (report.overall.median_ape or 9) < 0.5
    measured = {row["figure"] for row in jevons.simulate(measured=path).to_json()["measured"]}
    assert {"ttft_s.mean", "output_tok_per_s", "e2e_s.p99"} <= measured


def test_a_test_of_llama_bench_is_predicted_with_the_generic_engine(tmp_path: Path) -> None:
    path = tmp_path / "llama.json"
    path.write_text(json.dumps(LLAMA))
    report = jevons.validate(path)
    assert report.overall.answered == 2
    assert (report.overall.median_ape or 9) < 0.7


@pytest.mark.parametrize(
    ("text", "told"),
    [(THROUGHPUT, {"isl": 1024, "osl": 256}), (LATENCY, {"isl": 512, "osl": 128, "concurrency": 8})],
)
def test_what_an_offline_result_does_not_say_is_said_beside_it(
    tmp_path: Path, text: dict[str, Any], told: dict[str, Any]
) -> None:
    path = tmp_path / "bench.json"
    path.write_text(json.dumps(text))
    assert jevons.validate(path).overall.answered == 0
    report = jevons.validate(path, model="llama-3.1-8b", gpu="h100_sxm", **told)
    assert report.overall.answered == report.overall.rows


def test_a_row_of_llama_bench_that_is_cut_short_is_left_out(tmp_path: Path) -> None:
    """Found by fuzzing: a KeyError."""
    file = tmp_path / "llama.md"
    file.write_text(LLAMA_TABLE.replace(" |         pp512 | 11907.25 ± 12.50 |", " |         pp512"))
    (run,) = read_runs(file)
    assert run.figures["tpot_s.mean"] == pytest.approx(1 / 142.2)


def test_less_than_one_request_at_once_is_no_number_of_users(tmp_path: Path) -> None:
    """Found by fuzzing: half a request became none, as if a batch of 0 had run."""
    file = tmp_path / "one_batch.jsonl"
    file.write_text(json.dumps({**ONE_BATCH, "batch_size": 0.5}))
    (run,) = read_runs(file)
    assert run.users is None
