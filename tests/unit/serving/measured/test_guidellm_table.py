"""The tables that GuideLLM prints are read as its JSON is: load by name, inter-token latency as TPOT."""

from __future__ import annotations

from pathlib import Path

import pytest

import jevons
from jevons.serving.measured import read_runs

INFO = """Benchmarks Info:
=========================
Metadata |||| Requests Made ||| Prompt Tok/Req ||| Output Tok/Req ||| Prompt Tok Total||| Output Tok Total||
      Benchmark| Start Time| End Time| Duration (s)|  Comp|  Inc| Err|  Comp|   Inc|   Err|  Comp|   Inc|   Err|     Comp|     Inc|  Err|     Comp|    Inc| Err
---------------|-----------|---------|-------------|------|-----|----|------|------|------|------|------|------|---------|--------|-----|---------|-------|----
    synchronous|   20:46:40| 20:51:40|        300.0|   231|    1|   0| 956.8| 979.0|   0.0| 162.7|  65.0|   0.0|   221015|     979|    0|    37586|     65|   0
 constant@26.21|   21:02:01| 21:07:01|        300.0|  7848|   39|   2| 946.8| 931.7| 900.0| 164.0|  70.0|   0.0|  7430486|   36336| 1800|  1287072|   2730|   0
"""  # noqa: E501 - as it is printed
STATS = """
Benchmarks Stats:
=========================
Metadata | Request Stats || Out Tok/sec| Tot Tok/sec| Req Latency (sec) ||| TTFT (ms) ||| ITL (ms) ||| TPOT (ms) ||
      Benchmark| Per Second| Concurrency|        mean|        mean|  mean| median|   p99|  mean| median|    p99| mean| median|  p99| mean| median|  p99
---------------|-----------|------------|------------|------------|------|-------|------|------|-------|-------|-----|-------|-----|-----|-------|-----
    synchronous|      0.77|        1.00|       125.3|       862.0|  1.30|   1.29|  1.90|  44.0|   43.1|   61.0|  7.8|    7.7|  8.1|  8.0|    7.9|  8.3
 constant@26.21|     26.15|      120.40|      4281.1|     29064.3|  4.60|   4.58|  6.20| 120.0|  110.5|  400.0| 27.4|   27.2| 33.0| 28.1|   27.9| 34.0
"""  # noqa: E501 - as it is printed


def test_each_benchmark_is_a_run_with_its_load_and_lengths(tmp_path: Path) -> None:
    path = tmp_path / "guidellm.txt"
    path.write_text(f"Setup complete\n{INFO}{STATS}\nSaving benchmarks report")
    alone, loaded = read_runs(path)
    assert (alone.users, alone.isl, alone.osl, alone.requests) == (1, 956.8, 162.7, 231)
    assert (loaded.users, loaded.rate_req_per_s, loaded.requests) == (None, 26.21, 7848)
    assert loaded.figures == {
        "req_per_s": 26.15, "output_tok_per_s": 4281.1, "total_tok_per_s": 29_064.3, "duration_s": 300.0,
        "e2e_s.mean": 4.6, "e2e_s.p50": 4.58, "e2e_s.p99": 6.2, "ttft_s.mean": pytest.approx(0.12),
        "ttft_s.p50": pytest.approx(0.1105), "ttft_s.p99": pytest.approx(0.4), "tpot_s.mean": pytest.approx(0.0274),
        "tpot_s.p50": pytest.approx(0.0272), "tpot_s.p99": pytest.approx(0.033),
    }  # fmt: skip


def test_one_of_the_runs_is_set_beside_a_prediction_and_all_are_judged(tmp_path: Path) -> None:
    path = tmp_path / "guidellm.txt"
    path.write_text(INFO + STATS)
    record = jevons.simulate("llama-3.1-8b", measured=path, gpu="h100_sxm", concurrency=1, requests=20).to_json()
    shown = {row["figure"]: row for row in record["measured"]}
    assert shown["tpot_s.mean"]["measured"] == pytest.approx(0.0078)
    judged = jevons.validate(path, model="llama-3.1-8b", gpu="h100_sxm").to_json()
    assert judged["overall"]["answered"] == judged["overall"]["rows"] > 10


def test_figures_alone_have_no_lengths(tmp_path: Path) -> None:
    path = tmp_path / "stats.txt"
    path.write_text(STATS)
    alone, _ = read_runs(path)
    assert (alone.isl, alone.requests, alone.users) == (None, None, 1)
