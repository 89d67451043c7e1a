"""`jevons.simulate` sets a load test beside its prediction, and takes the load from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import jevons
from jevons.errors import InputError

BENCH = {
    "model_id": "meta-llama/Llama-3.1-8B-Instruct", "request_rate": "inf", "max_concurrency": 8, "duration": 10.0,
    "completed": 64, "total_input_tokens": 64_000, "total_output_tokens": 6400, "output_throughput": 640.0,
    "mean_ttft_ms": 60.0, "p99_ttft_ms": 200.0, "mean_tpot_ms": 9.0,
}  # fmt: skip


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """Return the file of one run, eight requests at once."""
    path = tmp_path / "bench.json"
    path.write_text(json.dumps(BENCH))
    return path


def test_the_load_of_a_test_is_simulated_and_its_figures_stand_beside(bench: Path) -> None:
    result = jevons.simulate(measured=bench, gpu="h100_sxm")
    record = result.to_json()
    assert record["requests"] == 64
    assert record["mean_isl"] == 1000
    assert record["mean_osl"] == 100
    assert record["model"] == "llama-3.1-8b"
    rows = {row["figure"]: row for row in record["measured"]}
    assert rows["ttft_s.mean"]["measured"] == pytest.approx(0.06)
    assert rows["ttft_s.mean"]["predicted"] == record["ttft_s"]["mean"]
    assert rows["tpot_s.mean"]["low"] < rows["tpot_s.mean"]["predicted"] < rows["tpot_s.mean"]["high"]
    assert rows["output_tok_per_s"]["ratio"] == pytest.approx(640.0 / record["output_tok_per_s"])
    assert next(iter(result.tables)) == "measured"


def test_what_is_given_goes_before_the_file(bench: Path) -> None:
    record = jevons.simulate("qwen3-8b", measured=bench, concurrency=4, requests=32, tp=2).to_json()
    assert record["model"] == "qwen3-8b"
    assert record["requests"] == 32
    assert record["tp"] == 2


def test_of_several_runs_the_one_of_the_load_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "sweep.jsonl"
    path.write_text("\n".join(json.dumps({**BENCH, "max_concurrency": users}) for users in (1, 8, 64)))
    rows = jevons.simulate(measured=path, concurrency=8).to_json()["measured"]
    assert rows
    with pytest.raises(InputError, match="holds 3 runs \\(concurrency 1, concurrency 8, concurrency 64\\)"):
        jevons.simulate(measured=path)


def test_a_fleet_and_a_sweep_are_refused_beside_a_test(bench: Path) -> None:
    for wrong in ({"sweep_rates": "1,2"}, {"rate": 2.0, "autoscale": "1:2"}):
        with pytest.raises(InputError, match="measured"):
            jevons.simulate(measured=bench, **wrong)  # type: ignore[arg-type]


def test_a_file_without_lengths_is_not_set_beside_other_lengths(tmp_path: Path) -> None:
    """Prompts of 2,000 tokens were simulated in their place, without a word."""
    path = tmp_path / "runs.csv"
    path.write_text("concurrency,mean TTFT (ms),output throughput (tok/s)\n8,90,600\n")
    with pytest.raises(InputError, match="states no lengths of requests; add isl and osl"):
        jevons.simulate("llama-3.1-8b", measured=path, gpu="h100_sxm")
    record = jevons.simulate("llama-3.1-8b", measured=path, gpu="h100_sxm", isl=512, osl=128, requests=40).to_json()
    assert record["mean_isl"] == pytest.approx(512)


def test_a_tool_that_names_no_engine_is_set_beside_the_default_one(tmp_path: Path) -> None:
    """AIPerf's JSON was refused: unknown engine ``."""
    path = tmp_path / "profile_export_aiperf.json"
    spread = {"unit": "ms", "avg": 54.6, "p99": 89.8}
    record = {
        "time_to_first_token": spread, "inter_token_latency": {"unit": "ms", "avg": 9.1},
        "request_count": {"unit": "requests", "avg": 100}, "output_sequence_length": {"unit": "tokens", "avg": 128},
        "input_sequence_length": {"unit": "tokens", "avg": 512}, "input_config": {
            "loadgen": {"concurrency": 4}, "endpoint": {"model_names": ["meta-llama/Llama-3.1-8B-Instruct"]},
        },
    }  # fmt: skip
    path.write_text(json.dumps(record))
    shown = {row["figure"]: row for row in jevons.simulate(measured=path, gpu="h100_sxm").to_json()["measured"]}
    assert shown["ttft_s.mean"]["measured"] == pytest.approx(0.0546)
