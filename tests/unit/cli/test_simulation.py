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
        {"load": Path("none.yaml")}, {"load": Path("a.yaml"), "trace": TRACE}, {"rate": 1.0, "speed": 2.0},
        {"trace": TRACE, "speed": 2.0, "rate": 1.0}, {"trace": TRACE, "keep": 0.0}, {"rate": 1.0, "keep": 0.5},
        {"rate": 1.0, "arrivals": "day"}, {"sweep_rates": "1,x"}, {"sweep_rates": "0,1"}, {"sweep_rates": "1:2"},
        {"sweep_rates": "1,2", "rate": 3.0}, {"trace": TRACE, "lengths_from": TRACE},
        {"rate": 1.0, "prefix_cache": True},
        {"rate": 1.0, "plot": Path("x.gif")},
    ],
)  # fmt: skip
def test_wrong_options_are_refused(wrong: dict) -> None:
    with pytest.raises(InputError):
        run_simulate(Simulation("llama-3.1-8b", **wrong), None, json=True, out=None)


LOAD = """
rate: 8
requests: 1500
arrivals: bursts
classes:
  - {name: chat, share: 3, isl: 100, osl: 60, system_tokens: 400, turns: 3, think_s: 5, slo: {ttft_s: 1}}
  - {name: files, share: 1, isl: 3000, osl: 30, slo: {e2e_s: 0.001}}
"""


def test_a_file_of_classes_is_simulated_and_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")  # a narrow terminal breaks lines within what is looked for
    path, plot, out = tmp_path / "load.yaml", tmp_path / "a.svg", tmp_path / "a.csv"
    path.write_text(LOAD)
    run_simulate(Simulation("llama-3.1-8b", load=path, plot=plot), None, json=True, out=out)
    record = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in record["classes"]] == ["chat", "files"]
    assert record["classes"][1]["good_frac"] == 0.0
    assert record["hit_tokens"] > 0
    assert record["energy_kwh_per_mtok"] > 0
    assert record["edges"]["warm_up_s"] > 0
    series = record["series"]
    assert len(series["start_s"]) == len(series["kv_frac"]) == 60
    assert sum(series["arrivals_per_s"]) * series["bin_s"] == pytest.approx(1500, rel=1e-6)
    assert {line.split(",")[-2] for line in out.read_text().splitlines()[1:]} == {"chat", "files"}
    assert plot.read_text().startswith("<svg")
    run_simulate(Simulation("llama-3.1-8b", load=path, requests=800, rate=4.0), None, json=False, out=None)
    shown = capsys.readouterr().out
    assert "classes of requests" in shown
    assert "of warm-up and" in shown


def test_rates_are_swept_with_the_queue_growing_at_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plot = tmp_path / "sweep.png"
    options = Simulation("llama-3.1-8b", sweep_rates="5:85:3", requests=8000, plot=plot)
    run_simulate(options, None, json=True, out=tmp_path / "sweep.csv")
    points = json.loads(capsys.readouterr().out)["sweep"]
    assert [point["rate"] for point in points] == [5.0, 45.0, 85.0]
    assert [point["stable"] for point in points] == [True, True, False]
    assert points[0]["tpot_s"]["p50"] < points[1]["tpot_s"]["p50"]
    assert plot.read_bytes()[:4] == b"\x89PNG"
    assert len((tmp_path / "sweep.csv").read_text().splitlines()) == 4
    run_simulate(Simulation("llama-3.1-8b", sweep_rates="5", requests=500), None, json=False, out=None)
    assert "arrivals [req/s]" in capsys.readouterr().out


def test_a_trace_is_thinned_and_hurried(capsys: pytest.CaptureFixture[str]) -> None:
    run_simulate(Simulation("llama-3.1-8b", trace=TRACE, keep=0.5, speed=2.0, seed=1), None, json=True, out=None)
    record = json.loads(capsys.readouterr().out)
    assert 45 < record["requests"] < 105
    assert "2 times its speed" in record["load"]


def test_lengths_come_from_a_trace(capsys: pytest.CaptureFixture[str]) -> None:
    run_simulate(Simulation("llama-3.1-8b", rate=2.0, lengths_from=TRACE, requests=3000), None, json=True, out=None)
    record = json.loads(capsys.readouterr().out)
    assert record["mean_isl"] == pytest.approx(902, rel=0.1)
