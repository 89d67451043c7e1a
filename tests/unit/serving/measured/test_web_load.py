"""Summaries of k6 and statistics of Locust are read as runs of whole requests; a caller states their lengths."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import jevons
from jevons.errors import InputError
from jevons.serving.measured import read_runs

LATENCY = {"avg": 1520.3, "min": 800.1, "med": 1490.2, "max": 3001.0, "p(90)": 1900.2, "p(95)": 2100.4}
EXPORTED = {"metrics": {"http_req_duration": LATENCY, "http_reqs": {"count": 600, "rate": 10.0},
                        "vus": {"value": 3, "min": 1, "max": 16}}}  # fmt: skip
WRITTEN = {"metrics": {name: {"type": "trend", "values": values} for name, values in EXPORTED["metrics"].items()}}
LOCUST = """Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Requests/s,50%,90%,95%,99%
POST,/v1/chat/completions,590,4,1500,1530.0,9.8,1500,1900,2100,2800
GET,/health,20,0,5,5.1,0.3,5,6,7,9
,Aggregated,610,4,1490,1480.3,10.1,1490,1890,2090,2790
"""


@pytest.mark.parametrize("summary", [EXPORTED, WRITTEN], ids=["--summary-export", "handleSummary"])
def test_users_and_latencies_of_k6(summary: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "k6.json"
    path.write_text(json.dumps(summary))
    (run,) = read_runs(path)
    assert (run.make, run.users, run.requests, run.isl) == ("k6", 16, 600, None)
    assert run.figures == {
        "e2e_s.mean": pytest.approx(1.5203), "e2e_s.p50": pytest.approx(1.4902), "e2e_s.p90": pytest.approx(1.9002),
        "e2e_s.p95": pytest.approx(2.1004), "req_per_s": 10.0,
    }  # fmt: skip


def test_all_requests_of_locust_together_without_those_that_failed(tmp_path: Path) -> None:
    path = tmp_path / "stats.csv"
    path.write_text(LOCUST)
    (run,) = read_runs(path)
    assert (run.make, run.requests, run.figures["req_per_s"]) == ("Locust", 606, 10.1)
    assert run.figures["e2e_s.mean"] == pytest.approx(1.4803)
    assert run.figures["e2e_s.p99"] == pytest.approx(2.79)


def test_a_head_alone_is_no_run(tmp_path: Path) -> None:
    path = tmp_path / "stats.csv"
    path.write_text(LOCUST.split("\n", maxsplit=1)[0] + "\n")
    with pytest.raises(InputError, match="holds no result of a load test"):
        read_runs(path)


def test_it_goes_beside_a_prediction_of_the_stated_lengths(tmp_path: Path) -> None:
    path = tmp_path / "k6.json"
    path.write_text(json.dumps(EXPORTED))
    record = jevons.simulate("qwen3-0.6b", measured=path, gpu="h100_sxm", isl=200, osl=100, requests=40).to_json()
    shown = {row["figure"]: row["measured"] for row in record["measured"]}
    assert shown["e2e_s.mean"] == pytest.approx(1.5203)
