from functools import partial
from pathlib import Path

import pytest

import jevons
from jevons.cli.printed import print_result
from jevons.errors import InputError
from jevons.plot.style import write_figure
from places import DATA

run = partial(jevons.simulate, "llama-3.1-8b")

TRACE = DATA / "traces" / "azure_conversation_sample.csv"


def test_the_json_object_holds_latency_throughput_and_cost() -> None:
    record = run(rate=6.0, requests=2000, ttft=0.5, tpot="50ms", gpu_hour="2 USD").to_json()
    for name in ("ttft_s", "tpot_s", "e2e_s"):
        assert list(record[name])[:5] == ["mean", "p50", "p90", "p95", "p99"]
        assert record[name]["mean_low"] < record[name]["mean"] < record[name]["mean_high"]
    assert record["requests"] == 2000
    assert record["stable"]
    assert record["currency"] == "USD"
    assert record["cost_per_output_mtok"] == pytest.approx(2 / 3600 / record["output_tok_per_s"] * 1e6)
    assert record["goodput_req_per_s"] == pytest.approx(6.0, rel=0.1)


def test_a_run_is_counted_as_benchmarks_do_and_its_steady_part_beside_it() -> None:
    """128 requests, 64 at once: the first 64 wait for each other's prompts, which the steady part leaves out."""
    result = run(concurrency=64, requests=128, isl=4000, osl=200)
    record = result.to_json()
    frame = result.to_frame("requests")
    assert record["requests"] == frame.height == 128
    assert record["ttft_s"]["mean"] == pytest.approx(frame["ttft_s"].mean(), rel=1e-9)
    assert record["req_per_s"] * record["wall_s"] == pytest.approx(128)
    assert record["output_tok_per_s"] * record["wall_s"] == pytest.approx(128 * 200)
    assert record["steady"]["requests"] < 128
    assert record["steady"]["ttft_s"]["mean"] < 0.7 * record["ttft_s"]["mean"]
    assert record["steady"]["output_tok_per_s"] > record["output_tok_per_s"]
    assert "ramp" in result.notes[0]
    assert "longer run" in result.notes[0]
    assert record["memory"]["fits"] is True


@pytest.mark.parametrize("ending", ["json", "csv", "parquet"])
def test_a_trace_is_replayed_and_written(tmp_path: Path, ending: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / f"out.{ending}"
    result = run(trace=TRACE, gpus=2)
    print_result(result, out=out)
    assert "TTFT" in capsys.readouterr().out
    assert out.stat().st_size > 0
    assert result.to_frame("requests").height == 150
    if ending == "csv":
        assert len(out.read_text().splitlines()) == 151


def test_an_unstable_load_is_called_so(capsys: pytest.CaptureFixture[str]) -> None:
    print_result(run(rate=80.0, requests=20_000))
    shown = capsys.readouterr().out
    assert shown.startswith("UNSTABLE: 1 x llama-3.1-8b")
    assert "arrivals exceed that by" in shown


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
        {"rate": 1.0, "swap": True}, {"rate": 1.0, "host_gb": 1e-4},
        {"rate": 1.0, "draft_acceptance": 0.5}, {"rate": 1.0, "draft_tokens": 16},
        {"rate": 1.0, "draft_tokens": 2, "draft_acceptance": 1.0}, {"rate": 1.0, "prefill_tp": 2},
        {"concurrency": 4, "prefill_replicas": 1}, {"rate": 1.0, "prefill_replicas": 1, "gpus": 2},
        {"rate": 1.0, "prefill_replicas": 1, "prefill_tp": 3},
    ],
)  # fmt: skip
def test_wrong_options_are_refused(wrong: dict) -> None:
    with pytest.raises(InputError):
        run(**wrong)


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
    result = run(load=path)
    result.save(out)
    write_figure(plot, result.plot.latency())
    record = result.to_json()
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
    print_result(run(load=path, requests=800, rate=4.0), detail=True)
    shown = capsys.readouterr().out
    assert "Classes of requests" in shown
    assert "over the run's" in shown


def test_rates_are_swept_with_the_queue_growing_at_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plot = tmp_path / "sweep.png"
    result = run(sweep_rates="5:51:3", requests=8000, isl=500, osl=200)
    result.save(tmp_path / "sweep.csv")
    write_figure(plot, result.plot.sweep())
    points = result.to_json()["sweep"]
    assert [point["rate"] for point in points] == [5.0, 28.0, 51.0]
    assert [point["stable"] for point in points] == [True, True, False]
    assert points[0]["tpot_s"]["p50"] < points[1]["tpot_s"]["p50"]
    assert plot.read_bytes()[:4] == b"\x89PNG"
    assert len((tmp_path / "sweep.csv").read_text().splitlines()) == 4
    assert result.answer.startswith("Stable up to 28 req/s")
    print_result(run(sweep_rates="5", requests=500))
    assert "arrivals [req/s]" in capsys.readouterr().out


def test_a_trace_is_thinned_and_hurried() -> None:
    record = run(trace=TRACE, keep=0.5, speed=2.0, seed=1).to_json()
    assert 45 < record["requests"] < 105
    assert "2 times its speed" in record["load"]


def test_lengths_come_from_a_trace() -> None:
    record = run(rate=2.0, lengths_from=TRACE, requests=3000).to_json()
    assert record["mean_isl"] == pytest.approx(902, rel=0.1)


RANKED = """
rate: 30
requests: 3000
classes:
  - {name: chat, isl: 400, osl: 150, priority: 0}
  - {name: files, isl: 2000, osl: 400, osl_cv: 0.5, priority: 1}
"""

TALKS = """
rate: 4
requests: 2000
classes:
  - {name: chat, isl: 400, osl: 150, turns: 5, think_s: 20}
"""


def test_priorities_of_a_file_keep_the_first_class_from_waiting(
    tmp_path: Path,
) -> None:
    path = tmp_path / "load.yaml"
    path.write_text(RANKED)
    ranked = run(load=path, kv_tokens=60_000).to_json()
    path.write_text(RANKED.replace("priority: 1", "priority: 0"))
    equal = run(load=path, kv_tokens=60_000).to_json()
    chat, files = (one["ttft_s"]["p99"] for one in ranked["classes"])
    assert chat < 0.5
    assert files > 50 * chat
    assert equal["classes"][0]["ttft_s"]["p99"] > 10.0
    path.write_text(RANKED.replace("priority: 1", "priority: 64"))
    with pytest.raises(InputError, match="priority"):
        run(load=path, kv_tokens=60_000)


def test_preempted_caches_and_prefixes_go_to_the_host(tmp_path: Path) -> None:
    path = tmp_path / "load.yaml"
    path.write_text(RANKED)
    lost, kept = (run(load=path, kv_tokens=60_000, **more).to_json() for more in ({}, {"host_gb": 40.0, "swap": True}))
    assert lost["swaps"] == lost["moved_blocks"] == 0
    assert 0 < kept["swaps"] <= kept["preemptions"]
    assert kept["prefill_tokens"] < lost["prefill_tokens"]
    path.write_text(TALKS)
    records = [run(load=path, kv_tokens=40_000, **more).to_json() for more in ({}, {"host_gb": 100.0})]
    assert records[0]["host_hit_tokens"] == 0
    assert records[1]["host_hit_tokens"] > 0
    assert records[1]["hit_tokens"] > 1.2 * records[0]["hit_tokens"]
    assert records[1]["ttft_s"]["mean"] < records[0]["ttft_s"]["mean"]


def test_drafts_shorten_answers_and_lengthen_steps(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    drafting = run(rate=2.0, requests=2000, draft_tokens=2, draft_acceptance=0.7)
    plain, drafted = run(rate=2.0, requests=2000).to_json(), drafting.to_json()
    gained = (plain["decode_tokens"]) / drafted["decode_tokens"]
    assert gained == pytest.approx(1 + 0.7 + 0.49, rel=0.02)
    assert drafted["tpot_s"]["mean"] < 0.7 * plain["tpot_s"]["mean"]
    assert drafted["itl_s"]["mean"] > plain["itl_s"]["mean"]
    assert plain["itl_s"]["mean"] == pytest.approx(plain["tpot_s"]["mean"], rel=0.03)
    print_result(drafting, detail=True)
    shown = capsys.readouterr().out
    assert "ITL" in shown
    assert "2 drafted, each accepted with 70 %" in shown


def test_pools_for_prompts_and_decoding_keep_prompts_from_delaying_answers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    load = partial(run, rate=12.0, requests=3000, isl=3000, osl=200, isl_cv=1.0)
    apart = load(replicas=1, prefill_replicas=1)
    both, split = load(replicas=2).to_json(), apart.to_json()
    assert both["prefill"] is None
    assert both["accelerators"] == split["accelerators"] == 2
    assert split["itl_s"]["p99"] < 0.5 * both["itl_s"]["p99"]
    assert split["ttft_s"]["mean"] > both["ttft_s"]["mean"]
    # 3,000 tokens of 131,072 bytes over 50 GB/s, and behind other prompts of the same step.
    assert 3000 * 131_072 / 50e9 <= split["prefill"]["hand_over_s"]["mean"] < 4 * 3000 * 131_072 / 50e9
    assert split["energy_kwh"] > 0
    print_result(apart, detail=True)
    shown = capsys.readouterr().out
    assert "for prefill and 1 x llama-3.1-8b" in shown
    assert "mean KV transfer" in shown


def test_a_picture_of_unknown_kind_is_refused_before_any_work(
    capsys: pytest.CaptureFixture[str], tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    from jevons.cli import main

    monkeypatch.setattr("sys.argv", ["jevons", "simulate", "--model", "llama-3.1-8b", "--rate", "1", "--plot", "x.gif"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert "--plot x.gif" in capsys.readouterr().err


HUGE = {"requests": 8640, "rate": 0.1, "gpu": "h20", "routing": "least_tokens"}


@pytest.mark.slow
@pytest.mark.parametrize("replicas", [120, 2000])
def test_days_of_many_replicas_cost_hours_times_price(replicas: int) -> None:
    record = jevons.simulate("qwen3-0.6b", replicas=replicas, gpu_hour="2 USD", **HUGE).to_json()
    hours = replicas * record["end_s"] / 3600
    assert record["replica_hours"] == pytest.approx(hours, rel=1e-6)
    assert record["cost"] == pytest.approx(2 * hours, rel=1e-6)
    assert 0 < record["utilisation_frac"] < 0.01
    equal = jevons.simulate("qwen3-0.6b", replicas=replicas, gpu_hour="2 USD", **{**HUGE, "routing": "least_loaded"})
    shares = [equal.record[name] for name in ("utilisation_frac", "kv_mean_frac", "kv_peak_frac")]
    assert all(0 <= share <= 1 for share in shares)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"precision": "q7_x_m"}, "precision=q7_x_m: unknown"),
        ({"precision": "fp9"}, "Did you mean `fp8`"),
        ({"kv_precision": "q8_0"}, "kv_precision=q8_0: unknown"),
        ({"precision": "x", "mtbf": 5.0}, "precision=x: unknown"),
    ],
)
def test_a_precision_that_nothing_is_stored_in_is_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(InputError) as refused:
        run(rate=1.0, requests=50, **given)
    assert said in str(refused.value)


def test_the_series_of_a_run_hold_every_request_and_token() -> None:
    result = run(rate=6.0, requests=500, osl=50)
    series = result.to_xarray()
    bin_s = series.attrs["bin_s"]
    assert series.output_tok_per_s.attrs["units"] == "tok/s"
    assert float(series.finished_per_s.sum()) * bin_s == pytest.approx(500)
    assert float(series.output_tok_per_s.sum()) * bin_s == pytest.approx(500 * 50, rel=1e-6)
    assert 0 <= float(series.kv_frac.max()) <= 1
