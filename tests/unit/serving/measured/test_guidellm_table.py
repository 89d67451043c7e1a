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


RULED = """
  ℹ Run Summary Info
  |============|==========|==========|======|======|======|=========|=====|=====|=========|=====|=====|
  | Benchmark  | Timings                              ||||| Input Tokens      ||| Output Tokens     |||
  | Strategy   | Start    | End      | Dur  | Warm | Cool | Comp    | Inc | Err | Comp    | Inc | Err |
  |            |          |          | Sec  | Sec  | Sec  | Tot     | Tot | Tot | Tot     | Tot | Tot |
  |------------|----------|----------|------|------|------|---------|-----|-----|---------|-----|-----|
  | constant   | 10:06:37 | 10:07:07 | 30.0 | 0.0  | 0.0  | 1500.0  | 0.0 | 0.0 | 1500.0  | 0.0 | 0.0 |
  | constant   | 10:07:08 | 10:07:38 | 30.0 | 0.0  | 0.0  | 7500.0  | 0.0 | 0.0 | 7500.0  | 0.0 | 0.0 |
  | concurrent | 10:07:40 | 10:08:10 | 30.0 | 0.0  | 0.0  | 30000.0 | 0.0 | 0.0 | 30000.0 | 0.0 | 0.0 |
  |============|==========|==========|======|======|======|=========|=====|=====|=========|=====|=====|

  ℹ Request Token Statistics (Completed Requests)
  |============|======|======|======|======|=======|=======|=======|=======|=========|========|
  | Benchmark  | Input Tok  || Output Tok || Total Tok    || Stream Iter  || Output Tok      ||
  | Strategy   | Per Req    || Per Req    || Per Req      || Per Req      || Per Stream Iter ||
  |            | Mdn  | p95  | Mdn  | p95  | Mdn   | p95   | Mdn   | p95   | Mdn     | p95    |
  |------------|------|------|------|------|-------|-------|-------|-------|---------|--------|
  | constant   | 50.0 | 51.0 | 40.0 | 60.0 | 100.0 | 100.0 | 102.0 | 104.0 | 1.0     | 1.0    |
  | constant   | 50.0 | 51.0 | 40.0 | 60.0 | 100.0 | 100.0 | 102.0 | 104.0 | 1.0     | 1.0    |
  | concurrent | 50.0 | 51.0 | 40.0 | 60.0 | 100.0 | 100.0 | 102.0 | 104.0 | 1.0     | 1.0    |
  |============|======|======|======|======|=======|=======|=======|=======|=========|========|

  ℹ Request Latency Statistics (Completed Requests)
  |============|=========|========|======|======|=====|=====|=====|=====|
  | Benchmark  | Request Latency || TTFT       || ITL      || TPOT     ||
  | Strategy   | Sec             || ms         || ms       || ms       ||
  |            | Mdn     | p95    | Mdn  | p95  | Mdn | p95 | Mdn | p95 |
  |------------|---------|--------|------|------|-----|-----|-----|-----|
  | constant   | 0.1     | 0.2    | 14.9 | 17.2 | 2.2 | 2.3 | 2.4 | 2.6 |
  | constant   | 0.1     | 0.2    | 9.8  | 14.4 | 2.4 | 2.5 | 2.6 | 2.7 |
  | concurrent | 0.3     | 0.4    | 20.8 | 30.4 | 6.4 | 6.5 | 6.6 | 6.7 |
  |============|=========|========|======|======|=====|=====|=====|=====|

  ℹ Server Throughput Statistics (All Requests)
  |============|=======|======|=========|==============|===============|==============|
  | Benchmark  | Requests             ||| Input Tokens | Output Tokens | Total Tokens |
  | Strategy   | Concurrency || Per Sec | Per Sec      | Per Sec       | Per Sec      |
  |            | Mdn   | Mean | Mean                                               ||||
  |------------|-------|------|---------|--------------|---------------|--------------|
  | constant   | 0.0   | 0.1  | 1.0     | 57.5         | 40.2          | 97.7         |
  | constant   | 1.0   | 0.6  | 5.0     | 271.8        | 200.7         | 472.5        |
  | concurrent | 8.0   | 7.9  | 20.1    | 1005.0       | 804.0         | 1809.0       |
  |============|=======|======|=========|==============|===============|==============|
"""


def test_tables_of_later_releases_are_joined_by_the_place_of_a_benchmark(tmp_path: Path) -> None:
    path = tmp_path / "guidellm.txt"
    path.write_text(RULED)
    slow, fast, closed = read_runs(path)
    assert [run.rate_req_per_s for run in (slow, fast, closed)] == [1.0, 5.0, None]
    assert (closed.users, closed.requests, closed.isl, closed.osl) == (8, 600, 50.0, 40.0)
    assert fast.figures == {
        "req_per_s": 5.0, "output_tok_per_s": 200.7, "total_tok_per_s": 472.5, "duration_s": 30.0, "e2e_s.p50": 0.1,
        "e2e_s.p95": 0.2, "ttft_s.p50": pytest.approx(0.0098), "ttft_s.p95": pytest.approx(0.0144),
        "tpot_s.p50": pytest.approx(0.0024), "tpot_s.p95": pytest.approx(0.0025),
    }  # fmt: skip


def test_columns_keep_their_meaning_where_each_rate_has_two_statistics(tmp_path: Path) -> None:
    path = tmp_path / "guidellm.txt"
    path.write_text(
        "ℹ Request Latency Statistics\n| Benchmark | TTFT ||\n| Strategy | ms ||\n| | Mdn | p95 |\n|--|--|--|\n"
        "| throughput | 90.5 | 99.0 |\n\nℹ Server Throughput Statistics\n"
        "| Benchmark | Requests |||| Output Tokens ||\n| Strategy | Per Sec || Concurrency || Per Sec ||\n"
        "| | Mdn | Mean | Mdn | Mean | Mdn | Mean |\n|--|--|--|--|--|--|--|\n"
        "| throughput | 1.0 | 2.5 | 64.0 | 61.2 | 3.0 | 7.5 |\n"
    )  # fmt: skip
    (run,) = read_runs(path)
    assert (run.users, run.isl, run.requests) == (64, None, None)
    assert run.figures == {
        "ttft_s.p50": pytest.approx(0.0905),
        "req_per_s": 2.5,
        "output_tok_per_s": 7.5,
        "ttft_s.p95": pytest.approx(0.099),
    }
