import json
from pathlib import Path

import pytest

from jevons.cli.simulation import Simulation, run_simulate
from jevons.errors import InputError

TRACE = Path(__file__).parents[2] / "data" / "traces" / "azure_conversation_sample.csv"


def test_the_json_object_holds_latency_throughput_and_cost(capsys: pytest.CaptureFixture[str]) -> None:
    run_simulate(Simulation("llama-3.1-8b", rate=6.0, requests=2000, ttft=0.5, tpot=0.05), "2 USD", json=True, out=None)
    record = json.loads(capsys.readouterr().out)
    for name in ("ttft_s", "tpot_s", "e2e_s"):
        assert list(record[name]) == ["mean", "p50", "p90", "p95", "p99"]
    assert record["requests"] == 2000
    assert record["stable"]
    assert record["currency"] == "USD"
    assert record["cost_per_output_mtok"] == pytest.approx(2 / 3600 / record["output_tok_per_s"] * 1e6)
    assert record["goodput_req_per_s"] == pytest.approx(6.0, rel=0.1)


@pytest.mark.parametrize("ending", ["json", "csv", "parquet"])
def test_a_trace_is_replayed_and_written(tmp_path: Path, ending: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / f"out.{ending}"
    run_simulate(Simulation("llama-3.1-8b", trace=TRACE, gpus=2), None, json=False, out=out)
    assert "time to first token" in capsys.readouterr().out
    assert out.stat().st_size > 0
    if ending == "csv":
        assert len(out.read_text().splitlines()) == 151


def test_an_unstable_load_is_called_so(capsys: pytest.CaptureFixture[str]) -> None:
    run_simulate(Simulation("llama-3.1-8b", rate=80.0, requests=20_000), None, json=False, out=None)
    assert capsys.readouterr().out.startswith("UNSTABLE: arrivals exceed")


@pytest.mark.parametrize(
    "wrong",
    [
        {}, {"rate": 0.0}, {"rate": 1.0, "concurrency": 4}, {"trace": TRACE, "concurrency": 4},
        {"rate": 1.0, "gpus": 3, "tp": 2}, {"rate": 1.0, "gpus": 4, "tp": 2, "replicas": 4}, {"rate": 1.0, "tp": 3},
        {"rate": 1.0, "routing": "random"}, {"rate": 1.0, "engine": "vlm"}, {"trace": Path("none.csv")},
    ],
)  # fmt: skip
def test_wrong_options_are_refused(wrong: dict) -> None:
    with pytest.raises(InputError):
        run_simulate(Simulation("llama-3.1-8b", **wrong), None, json=True, out=None)
