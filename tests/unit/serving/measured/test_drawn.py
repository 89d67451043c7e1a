"""Tables that are drawn with lines are read as the comma-separated ones that they are."""

from pathlib import Path

import pytest

import jevons
from jevons.serving.measured import read_runs
from jevons.serving.measured.drawn import drawn_table

AIPERF = """\
                              NVIDIA AIPerf | LLM Metrics
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━┳━━━━━━━━━━┳━━━━━━━━━━━┓
┃                            Statistic ┃       avg ┃      min ┃       p99 ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━╇━━━━━━━━━━╇━━━━━━━━━━━┩
│             Time To First Token (ms) │  9,909.68 │ 1,676.80 │ 14,049.07 │
│             Inter Token Latency (ms) │     40.74 │    16.58 │    105.84 │
│     Output Token Throughput Per User │     28.99 │     9.15 │     58.55 │
│                    (tokens/sec/user) │           │          │           │
│      Output Sequence Length (tokens) │    149.00 │   149.00 │    149.00 │
│       Input Sequence Length (tokens) │  3,000.05 │ 3,000.00 │  3,001.00 │
│ Output Token Throughput (tokens/sec) │    292.03 │      N/A │       N/A │
└──────────────────────────────────────┴───────────┴──────────┴───────────┘
"""
EVALSCOPE = """\
+-----------------------------------+----------+
| Key                               |    Value |
+===================================+==========+
| Time taken for tests (s)          | 605.768  |
+-----------------------------------+----------+
| Number of concurrency             |   1      |
+-----------------------------------+----------+
| Output token throughput (tok/s)   |  32.2219 |
+-----------------------------------+----------+
| Average latency (s)               |  30.2874 |
+-----------------------------------+----------+
| Average time to first token (s)   |   0.1283 |
+-----------------------------------+----------+
| Average time per output token (s) |   0.0309 |
+-----------------------------------+----------+
| Average input tokens per request  |  29.25   |
+-----------------------------------+----------+
| Average output tokens per request | 975.95   |
+-----------------------------------+----------+
"""
SWEEP = """\
### Sweep on one A100

|  ISL  | OSL  | Concurrency | N Req | TTFT (ms) | TPOT (ms) | E2EL (ms) | Req Tput (RPS) |
|-------|------|-------------|-------|-----------|-----------|-----------|----------------|
|   128 |  128 |           1 |     8 |      11.4 |       4.6 |     601.2 |          1.661 |
|  2048 |  128 |           1 |     4 |      30.9 |       5.0 |     663.4 |          1.506 |

All with one user.
"""
ACROSS = """\
| Metric | conc=8 | conc=64 |
|--------|-------:|--------:|
| **Mean TTFT (ms)** | 330.6 | 423.1 |
| Mean TPOT (ms) | 12.8 | 34.6 |
"""


def runs(tmp_path, text):
    path = tmp_path / "report.txt"
    path.write_text(text, encoding="utf-8")
    return read_runs(path)


def test_a_box_of_metrics_is_what_the_tool_writes_as_csv(tmp_path):
    (run,) = runs(tmp_path, AIPERF)
    assert run.figures["ttft_s.mean"] == pytest.approx(9.90968)
    assert run.figures["ttft_s.p99"] == pytest.approx(14.04907)
    assert run.figures["tpot_s.mean"] == pytest.approx(0.04074)  # means of requests, as the tool takes them
    assert run.figures["output_tok_per_s"] == pytest.approx(292.03)
    assert (run.isl, run.osl) == (pytest.approx(3000.05), 149.0)


def test_figures_below_each_other_are_one_run(tmp_path):
    (run,) = runs(tmp_path, EVALSCOPE)
    assert run.users == 1
    assert (run.isl, run.osl) == (29.25, 975.95)
    assert run.figures == pytest.approx({
        "duration_s": 605.768, "output_tok_per_s": 32.2219, "e2e_s.mean": 30.2874, "ttft_s.mean": 0.1283,
        "tpot_s.mean": 0.0309,
    })  # fmt: skip


def test_a_table_in_a_report_is_a_run_a_row(tmp_path):
    first, second = runs(tmp_path, SWEEP)
    assert (first.isl, first.osl, first.users, first.requests) == (128.0, 128.0, 1, 8)
    assert second.figures == pytest.approx({
        "ttft_s.mean": 0.0309, "tpot_s.mean": 0.005, "e2e_s.mean": 0.6634, "req_per_s": 1.506,
    })  # fmt: skip


def test_loads_across_are_a_run_each(tmp_path):
    first, second = runs(tmp_path, ACROSS)
    assert (first.users, second.users) == (8, 64)
    assert second.figures == pytest.approx({"ttft_s.mean": 0.4231, "tpot_s.mean": 0.0346})


@pytest.mark.parametrize(
    "text", ["", "ISL,OSL\n1,2\n", "| one row |\n", "| a | b |\n|---|---|\n| 1 |\n", "INFO 01-01 | started\n"]
)
def test_what_is_no_table_is_left_as_it_is(text):
    assert drawn_table(text) == ""


def test_what_a_drawn_table_lacks_is_named(tmp_path):
    path = tmp_path / "aiperf.txt"
    path.write_text(AIPERF, encoding="utf-8")
    server = {"model": "llama-3.3-70b", "gpu": "h100", "tp": 8}
    assert "add --concurrency or --rate" in str(jevons.validate(path, **server).to_json())
    assert not jevons.validate(path, concurrency=32, **server).answer.startswith("0 of")


def test_short_titles_of_a_table_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    path.write_text(
        "| ISL | OSL | Concur | N | TTFT Avg (ms) | TPOT P99 (ms) | Tok/s | Req/s |\n|--|--|--|--|--|--|--|--|\n"
        "| 128 | 64 | 32 | 256 | 2854.5 | 36.0 | 574.03 | 4.4847 |\n"
    )
    (run,) = read_runs(path)
    assert (run.users, run.requests, run.isl, run.osl) == (32, 256, 128.0, 64.0)
    assert run.figures == {
        "ttft_s.mean": pytest.approx(2.8545), "tpot_s.p99": pytest.approx(0.036), "output_tok_per_s": 574.03,
        "req_per_s": 4.4847,
    }  # fmt: skip
