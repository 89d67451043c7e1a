"""Results of load tests are read as their tools write them, in seconds and requests as the tool means them."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import pytest

import jevons
from jevons.errors import InputError
from jevons.serving.measured import FORMATS, MeasuredRun, read_runs

VLLM: dict[str, Any] = {
    "date": "20250530-203806", "backend": "vllm", "model_id": "meta-llama/Llama-3.1-8B-Instruct", "num_prompts": 300,
    "request_rate": 10.0, "burstiness": 1.0, "max_concurrency": None, "duration": 36.0, "completed": 300,
    "total_input_tokens": 300_000, "total_output_tokens": 81_000, "request_throughput": 8.33,
    "output_throughput": 2250.0, "total_token_throughput": 10_583.0, "mean_ttft_ms": 54.6, "median_ttft_ms": 53.0,
    "p90_ttft_ms": 70.0, "p99_ttft_ms": 89.8, "mean_tpot_ms": 13.6, "p99_tpot_ms": 17.6, "mean_itl_ms": 13.5,
    "mean_e2el_ms": 3700.0, "p95_e2el_ms": 5200.0,
}  # fmt: skip
SGLANG = {
    "backend": "sglang", "dataset_name": "random", "request_rate": math.inf, "max_concurrency": 32,
    "random_input_len": 1024, "random_output_len": 512, "duration": 60.0, "completed": 320,
    "total_input_tokens": 327_680, "total_output_tokens": 163_840, "total_output_tokens_retokenized": 163_700,
    "request_throughput": 5.33, "output_throughput": 2730.7, "mean_e2e_latency_ms": 5900.0,
    "median_e2e_latency_ms": 5880.0, "mean_ttft_ms": 120.0, "p99_ttft_ms": 300.0, "mean_tpot_ms": 11.3,
    "mean_itl_ms": 11.2, "p95_itl_ms": 14.0, "concurrency": 31.5,
    "server_info": {"model_path": "Qwen/Qwen3-32B", "tp_size": 2, "version": "0.5.3"},
}  # fmt: skip


def _averages(mean: float, unit: str = "ms") -> dict[str, Any]:
    return {"unit": unit, "avg": mean, "p50": mean, "p90": 1.2 * mean, "p95": 1.3 * mean, "p99": 1.5 * mean}


AIPERF = {
    "request_throughput": {"unit": "requests/sec", "avg": 5.0}, "request_latency": _averages(2000.0),
    "request_count": {"unit": "requests", "avg": 100.0}, "time_to_first_token": _averages(80.0),
    "inter_token_latency": _averages(9.6), "output_token_throughput": {"unit": "tokens/sec", "avg": 1000.0},
    "output_sequence_length": {"unit": "tokens", "avg": 200.0},
    "input_sequence_length": {"unit": "tokens", "avg": 550.0},
    "input_config": {"endpoint": {"model_names": ["Qwen/Qwen3-8B"]}, "loadgen": {"concurrency": 10}},
}  # fmt: skip
GENAI_PERF = {
    **{name: value for name, value in AIPERF.items() if name != "input_config"},
    "input_config": {"model": ["Qwen/Qwen3-8B"], "perf_analyzer": {"stimulus": {"concurrency": 10}}},
}


def _guide(mean: float) -> dict[str, Any]:
    return {"successful": {"mean": mean, "median": mean, "percentiles": {"p50": mean, "p90": mean, "p95": mean,
                                                                         "p99": 2 * mean}}}  # fmt: skip


GUIDELLM = {
    "benchmarks": [{
        "config": {"strategy": {"type_": "constant", "rate": 4.0}, "backend": {"model": "Qwen/Qwen3-8B"}},
        "duration": 60.0, "request_totals": {"successful": 240},
        "metrics": {
            "requests_per_second": _guide(4.0), "request_latency": _guide(2.5), "prompt_token_count": _guide(256.0),
            "output_token_count": _guide(128.0), "time_to_first_token_ms": _guide(40.0),
            "time_per_output_token_ms": _guide(19.5), "inter_token_latency_ms": _guide(19.0),
            "output_tokens_per_second": _guide(512.0), "tokens_per_second": _guide(1536.0),
        },
    }],
}  # fmt: skip
INFERENCE_PERF = {
    "load_summary": {"count": 100, "requested_rate": 2.0, "achieved_rate": 1.98},
    "successes": {
        "count": 100,
        "latency": {"request_latency": {"mean": 2.0, "median": 1.9, "p99": 3.0},
                    "time_to_first_token": {"mean": 0.05, "median": 0.04, "p90": 0.07, "p99": 0.1},
                    "time_per_output_token": {"mean": 0.015}, "inter_token_latency": {"mean": 0.014}},
        "throughput": {"input_tokens_per_sec": 500.0, "output_tokens_per_sec": 260.0, "requests_per_sec": 1.98},
        "prompt_len": {"mean": 250.0}, "output_len": {"mean": 130.0},
    },
    "failures": {"count": 0},
}  # fmt: skip
LLMPERF = {
    "version": "2023-08-31", "model": "Qwen/Qwen3-8B", "mean_input_tokens": 550, "num_concurrent_requests": 4,
    "results_ttft_s_mean": 0.1, "results_ttft_s_quantiles_p99": 0.2, "results_end_to_end_latency_s_mean": 2.1,
    "results_number_input_tokens_mean": "553.0", "results_number_output_tokens_mean": "101.0",
    "results_num_completed_requests": 40, "results_num_completed_requests_per_min": 110.0,
    "results_mean_output_throughput_token_per_s": 185.0,
}  # fmt: skip
PRINTED = """
Traffic request rate: inf
Maximum request concurrency: 32
============ Serving Benchmark Result ============
Successful requests:                     320
Benchmark duration (s):                  60.00
Total input tokens:                      327680
Total generated tokens:                  163840
Request throughput (req/s):              5.33
Output token throughput (tok/s):         2730.70
---------------Time to First Token----------------
Mean TTFT (ms):                          120.00
P99 TTFT (ms):                           300.00
Mean TPOT (ms):                          11.30
==================================================
"""
CSV = "Concurrency,ISL,OSL,Mean TTFT (ms),P99 TPOT (ms),Output throughput (tok/s),note\n8,1000,200,60.5,12,600,x\n"
METRICS = """
# HELP vllm:num_requests_running Number of requests
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="Qwen/Qwen3-8B"} 12.0
vllm:num_requests_waiting{engine="0",model_name="Qwen/Qwen3-8B"} 0.0
vllm:cache_config_info{block_size="16",cache_dtype="auto",gpu_memory_utilization="0.9",num_gpu_blocks="25000"} 1.0
vllm:request_success_total{finished_reason="stop",model_name="Qwen/Qwen3-8B"} 90.0
vllm:request_success_total{finished_reason="length",model_name="Qwen/Qwen3-8B"} 10.0
vllm:prompt_tokens_total{model_name="Qwen/Qwen3-8B"} 50000.0
vllm:generation_tokens_total{model_name="Qwen/Qwen3-8B"} 20000.0
vllm:time_to_first_token_seconds_bucket{le="0.04",model_name="Qwen/Qwen3-8B"} 50.0
vllm:time_to_first_token_seconds_bucket{le="0.08",model_name="Qwen/Qwen3-8B"} 100.0
vllm:time_to_first_token_seconds_bucket{le="+Inf",model_name="Qwen/Qwen3-8B"} 100.0
vllm:time_to_first_token_seconds_count{model_name="Qwen/Qwen3-8B"} 100.0
vllm:time_to_first_token_seconds_sum{model_name="Qwen/Qwen3-8B"} 4.5
"""
TPOT_LLMPERF = (2.1 - 0.1) / 100
CASES: dict[str, tuple[str, dict[str, Any], dict[str, float]]] = {
    "vllm.json": (json.dumps(VLLM), {"rate_req_per_s": 10.0, "users": None, "isl": 1000.0, "osl": 270.0,
                  "requests": 300}, {"ttft_s.p90": 0.07, "e2e_s.p95": 5.2, "total_tok_per_s": 10_583.0}),
    "vllm_inf.json": (json.dumps({**VLLM, "request_rate": "inf", "max_concurrency": 16}),
                      {"users": 16, "rate_req_per_s": None}, {"itl_s.mean": 0.0135}),
    "vllm_burst.json": (json.dumps({**VLLM, "request_rate": "inf"}), {"users": None, "rate_req_per_s": math.inf}, {}),
    "sglang.jsonl": (f"{json.dumps(SGLANG)}\n{json.dumps(SGLANG)}\n", {"users": 32, "model": "Qwen/Qwen3-32B",
                     "degrees": {"tp": 2}, "engine": "sglang", "version": "0.5.3"}, {"e2e_s.mean": 5.9}),
    "aiperf.json": (json.dumps(AIPERF), {"users": 10, "isl": 550.0, "model": "Qwen/Qwen3-8B", "requests": 100},
                    {"tpot_s.mean": 0.0096, "ttft_s.p99": 0.12, "output_tok_per_s": 1000.0}),
    "genai_perf.json": (json.dumps(GENAI_PERF), {"users": 10, "model": "Qwen/Qwen3-8B"}, {"e2e_s.mean": 2.0}),
    "guidellm.json": (json.dumps(GUIDELLM), {"rate_req_per_s": 4.0, "isl": 256.0, "requests": 240},
                      {"tpot_s.mean": 0.019, "ttft_s.p99": 0.08, "e2e_s.mean": 2.5, "output_tok_per_s": 512.0}),
    "inference_perf.json": (json.dumps(INFERENCE_PERF), {"rate_req_per_s": 2.0, "osl": 130.0},
                            {"ttft_s.p50": 0.04, "tpot_s.mean": 0.015, "itl_s.mean": 0.014}),
    "llmperf.json": (json.dumps(LLMPERF), {"users": 4, "isl": 553.0, "osl": 101.0},
                     {"tpot_s.mean": TPOT_LLMPERF, "req_per_s": 110 / 60}),
    "printed.txt": (PRINTED, {"users": 32, "isl": 1024.0, "osl": 512.0}, {"ttft_s.p99": 0.3, "req_per_s": 5.33}),
    "table.csv": (CSV, {"users": 8, "isl": 1000.0}, {"ttft_s.mean": 0.0605, "tpot_s.p99": 0.012}),
    "metrics.prom": (METRICS, {"users": 12, "isl": 500.0, "osl": 200.0, "requests": 100},
                     {"kv_cache_tokens": 400_000, "ttft_s.mean": 0.045, "ttft_s.p90": 0.072}),
}  # fmt: skip


def read(path: Path, text: str) -> list[MeasuredRun]:
    """Return the runs of a text in a file of that name."""
    path.write_text(text)
    return read_runs(path)


@pytest.mark.parametrize("name", CASES)
def test_a_result_is_read_in_the_meaning_of_its_tool(tmp_path: Path, name: str) -> None:
    text, said, figures = CASES[name]
    run = read(tmp_path / name, text)[0]
    assert {key: getattr(run, key) for key in said} == said
    for key, value in figures.items():
        assert run.figures[key] == pytest.approx(value), key


def test_lines_lists_and_packed_files_hold_several_runs(tmp_path: Path) -> None:
    assert len(read(tmp_path / "a.jsonl", CASES["sglang.jsonl"][0])) == 2
    assert len(read(tmp_path / "b.json", json.dumps([VLLM, VLLM, VLLM]))) == 3
    assert len(read(tmp_path / "c.txt", PRINTED + PRINTED)) == 2
    (tmp_path / "d.json.gz").write_bytes(gzip.compress(json.dumps(VLLM).encode()))
    assert read_runs(tmp_path / "d.json.gz")[0].requests == 300


def test_what_is_not_read_is_told_what_is_with_an_example_of_each(tmp_path: Path) -> None:
    for text in ('{"a": 1}', "x,y\n1,2\n", "hello", "[1, 2]"):
        with pytest.raises(InputError) as told:
            read(tmp_path / "a.json", text)
        for name, example in FORMATS.items():
            assert f"{name}: {example}" in str(told.value)


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"ttft": "First [ms]"}, ""), ({"ttft_p99_ms": "late"}, ""), ({"ttft": "late"}, "no unit"),
        ({"speed": "late"}, "no figure is called so"), ({"ttft": "lat"}, "no such column. Did you mean `late`"),
    ],
)  # fmt: skip
def test_columns_of_other_names_are_mapped(tmp_path: Path, mapping: dict[str, str], message: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text("users,isl,osl,First [ms],late\n4,100,10,50,70\n")
    if message:
        with pytest.raises(InputError, match=message):
            read_runs(path, mapping)
        return
    assert 0.05 <= next(iter(read_runs(path, mapping)[0].figures.values())) <= 0.07


def test_a_result_is_validated_and_calibrates_with_what_it_does_not_say_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    path.write_text(json.dumps(VLLM))
    bare = jevons.validate(path)
    assert bare.overall.coverage_frac == 0.0
    assert "names no device" in bare.to_json()["rows"][0]["reason"]
    report = jevons.validate(path, gpu="h100_sxm", serve="vllm serve meta-llama/Llama-3.1-8B-Instruct -tp 1")
    assert report.overall.coverage_frac == 1.0
    rows = {row["metric"]: row for row in report.to_json()["rows"]}
    assert rows["ttft_ms"]["measured"] == pytest.approx(54.6)
    assert 0.2 < rows["tpot_ms"]["predicted"] / rows["tpot_ms"]["measured"] < 5
    fitted = jevons.calibrate(path, gpu="h100_sxm")
    assert fitted.figures > 2
    assert fitted.median_ape < (fitted.median_ape_before or 9)


def test_a_snapshot_calibrates_memory_and_latency_at_once(tmp_path: Path) -> None:
    path = tmp_path / "metrics.prom"
    path.write_text(METRICS)
    rows = {row["metric"]: row for row in jevons.validate(path, gpu="h100_sxm").to_json()["rows"]}
    assert rows["kv_cache_tokens"]["measured"] == 400_000
    assert rows["ttft_ms"]["measured"] == pytest.approx(45.0)
    fitted = jevons.calibrate(path, gpu="h100_sxm")
    cache = jevons.memory("qwen3-8b", gpu="h100_sxm", calibration=_saved(fitted, tmp_path)).kv_tokens
    assert cache == pytest.approx(400_000, rel=0.05)


def _saved(fitted: Any, folder: Path) -> Path:
    fitted.save(folder / "own.json")
    return folder / "own.json"


def test_the_csv_of_aiperf_says_what_its_json_says(tmp_path: Path) -> None:
    file = tmp_path / "profile_export_aiperf.csv"
    file.write_text(
        "Metric,avg,min,max,p99,p95,p90,p75,p50,p25\n"
        'Time to First Token (ms),"1,054.60",50,90,89.8,80,75,60,53.0,50\n'
        "Inter Token Latency (ms),13.6,13,14,13.9,13.8,13.7,13.6,13.5,13.4\n"
        "Request Latency (ms),3700,3600,3800,3790,3780,3770,3750,3700,3650\n"
        "Input Sequence Length (tokens),1000,1000,1000,1000,1000,1000,1000,1000,1000\n"
        "Output Sequence Length (tokens),200,200,200,200,200,200,200,200,200\n"
        "\nMetric,Value\n"
        'Output Token Throughput (tokens/sec),"2,250.00"\n'
        "Request Throughput (per sec),8.33\nRequest Count (count),300.00\n"
    )
    (run,) = read_runs(file)
    assert (run.isl, run.osl, run.requests) == (1000, 200, 300)
    assert run.figures["ttft_s.mean"] == pytest.approx(1.0546)
    assert run.figures["tpot_s.p99"] == pytest.approx(0.0139)
    assert run.figures["output_tok_per_s"] == 2250
    report = jevons.validate(str(file), model="llama-3.1-8b", gpu="h100_sxm", rate=10)
    assert report.tables["figures"].rows
    assert report.tables["overall"].detail


def test_the_first_aiperf_and_guidellm_name_their_model_and_load_beside_the_figures(tmp_path: Path) -> None:
    figures = {name: value for name, value in AIPERF.items() if name != "input_config"}
    first = tmp_path / "aiperf.json"
    first.write_text(json.dumps({"records": figures, "input_config": AIPERF["input_config"]}))
    (run,) = read_runs(first)
    assert (run.model, run.users) == ("Qwen/Qwen3-8B", 10)
    one = {**GUIDELLM["benchmarks"][0], "config": {"strategy": {"type_": "concurrent", "streams": 8}}}
    guide = tmp_path / "guide.json"
    guide.write_text(json.dumps({"args": {"model": "Qwen/Qwen3-8B"}, "benchmarks": [one]}))
    (run,) = read_runs(guide)
    assert (run.model, run.users) == ("Qwen/Qwen3-8B", 8)


def test_results_written_one_after_another_are_all_read(tmp_path: Path) -> None:
    path = tmp_path / "two.json"
    path.write_text("\n".join(json.dumps({**SGLANG, "max_concurrency": users}, indent=2) for users in (32, 64)))
    assert [run.users for run in read_runs(path)] == [32, 64]
