"""Loads drawn in parts: the same requests, steps and totals as a load that is kept."""

from dataclasses import asdict, replace

import numpy as np
import pytest

import jevons
from jevons.errors import InfeasibleError, InputError
from jevons.serving.sim import Load, SimLimits, constant_table, generate, simulate, time_series
from jevons.serving.sim.load.parts import course, parts
from jevons.serving.sim.replica.streamed import Bins, simulate_streamed

TABLE = constant_table(16, 64, decode_s=0.01, prompt_token_s=0.0002)
LIMITS = SimLimits(max_batch=16, step_tokens=64, block_tokens=16, kv_blocks=200)
LOADS = {
    "poisson": Load(requests=4000, isl=40, osl=20, rate_req_per_s=30.0, isl_cv=1.0, osl_cv=0.7),
    "gamma": Load(requests=4000, isl=40, osl=20, arrivals="gamma", cv=3.0, rate_req_per_s=20.0, osl_cv=1.5),
    "constant": Load(requests=4000, isl=40, osl=20, arrivals="constant", rate_req_per_s=30.0),
    "overloaded": Load(requests=4000, isl=200, osl=60, rate_req_per_s=300.0, isl_cv=0.5),
    "some too long": Load(requests=4000, isl=400, osl=20, rate_req_per_s=10.0, isl_cv=3.0),
}  # fmt: skip


@pytest.mark.parametrize("load", LOADS.values(), ids=LOADS)
def test_parts_are_the_same_requests(load):
    kept = generate(load, 3)
    for index, whole in enumerate((kept.arrival_s, kept.isl, kept.osl)):
        assert np.array_equal(np.concatenate([part[index] for part in parts(load, 3, 137)]), whole)


@pytest.mark.parametrize("replicas", [1, 3])
@pytest.mark.parametrize("load", LOADS.values(), ids=LOADS)
def test_a_load_in_parts_is_served_to_the_picosecond_as_one_that_is_kept(load, replicas):
    more = {"replicas": replicas, "entry_s": 0.003, "ttft_s": 0.5, "tpot_s": 0.02, "seed": 3}
    requests = generate(load, 3)
    kept, streamed = simulate(requests, TABLE, LIMITS, **more), simulate_streamed(load, TABLE, LIMITS, part=137, **more)
    found = streamed.simulated
    assert {name: values.tolist() for name, values in found.trail.totals.items()} == {
        name: values.tolist() for name, values in kept.trail.totals.items()
    }
    assert np.array_equal(found.trail.gaps, kept.trail.gaps)
    assert asdict(found.counts) == asdict(kept.counts)
    assert asdict(found.work) == asdict(kept.work)
    assert found.timing.window_s == kept.timing.window_s
    for mine, theirs in ((found, kept), (found.whole, kept.whole)):
        for name, value in asdict(mine.throughput).items():
            assert value == pytest.approx(getattr(theirs.throughput, name), rel=1e-12), name
        for name in ("ttft_s", "tpot_s", "e2e_s", "itl_s"):
            near, exact = getattr(mine.latency, name), getattr(theirs.latency, name)
            assert near.mean == pytest.approx(exact.mean, rel=1e-9), name
            for quantile in ("p50", "p90", "p95", "p99"):
                # Between two of few values an exact quantile lies anywhere.
                assert getattr(near, quantile) == pytest.approx(getattr(exact, quantile), rel=0.02), (name, quantile)
    for name in ("utilisation_frac", "mean_batch", "mean_running", "mean_in_system", "kv_mean_frac", "kv_peak_frac"):
        assert getattr(found.occupancy, name) == pytest.approx(getattr(kept.occupancy, name), rel=1e-9), name
    mine, theirs = found.overload.overload_frac, kept.overload.overload_frac
    assert mine == theirs or mine == pytest.approx(theirs, rel=1e-3)
    series = time_series(requests, kept, LIMITS, replicas=replicas, entry_s=0.003)
    mean = float(np.mean(series.arrivals_per_s) * series.bin_s)
    assert float(np.mean(streamed.series.arrivals_per_s) * streamed.series.bin_s) == pytest.approx(mean, rel=1e-6)
    assert float(streamed.series.running.max()) == pytest.approx(float(series.running.max()), rel=0.1)


def test_the_size_of_parts_changes_nothing():
    load = LOADS["overloaded"]
    one, other = (simulate_streamed(load, TABLE, LIMITS, part=part).simulated for part in (50, 100_000))
    assert asdict(one.work) == asdict(other.work)
    assert asdict(one.latency) == asdict(other.latency)


def test_bins_of_latencies_are_fine():
    values = np.random.default_rng(1).lognormal(-3, 2, 400_000)
    bins = Bins()
    for part in np.split(values, 8):
        bins.add(part)
    found = bins.spread()
    for name, q in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
        assert getattr(found, name) == pytest.approx(np.quantile(values, q), rel=3e-4)
    assert found.mean == pytest.approx(values.mean(), rel=1e-9)
    assert Bins().spread() is None


def test_what_cannot_be_drawn_in_parts_or_served_is_refused(monkeypatch):
    with pytest.raises(InfeasibleError, match="no request fits"):
        course(Load(requests=10, isl=400, osl=20), 1, 100)
    with pytest.raises(InputError, match="must be from 1 to 1,000,000,000"):
        list(parts(Load(requests=10**10, isl=1, osl=1, rate_req_per_s=1e9), 1))
    with pytest.raises(InputError, match="without drafts"):
        simulate_streamed(LOADS["poisson"], TABLE, replace(LIMITS, draft_tokens=2, draft_acceptance_frac=0.5))
    monkeypatch.setattr("jevons.serving.sim.replica.streamed.UNANSWERED", 100)
    with pytest.raises(InputError, match="more than these replicas can do"):
        simulate_streamed(LOADS["overloaded"], TABLE, LIMITS, part=137)


def test_a_command_of_a_load_in_parts_prints_what_it_prints_of_one_that_is_kept(monkeypatch, tmp_path):
    """All but percentiles, the series' ends and the clock are the same; rows of requests are refused in a line."""
    given = {"gpu": "h20", "rate": 100.0, "requests": 3000, "isl": 100, "osl": 20, "isl_cv": 1.0, "replicas": 2}
    kept = jevons.simulate("qwen3-0.6b", **given)
    monkeypatch.setattr("jevons.sizing.load.KEPT_REQUESTS", 1000)
    parted = jevons.simulate("qwen3-0.6b", **given)
    mine, theirs = parted.to_json(), kept.to_json()
    apart = {"series", "simulated_req_per_s", "answer", "answer_parts", "compile_s", "computed_s"}
    assert mine.keys() == theirs.keys()
    for key in mine.keys() - apart:
        if isinstance(mine[key], float):
            assert mine[key] == pytest.approx(theirs[key], rel=0.002), key
        elif not isinstance(mine[key], dict):
            assert mine[key] == theirs[key], key
    assert len(parted.tables) == len(kept.tables)
    parted.save(tmp_path / "x.json")
    for refused in (lambda: parted.to_frame("requests"), lambda: parted.save(tmp_path / "x.csv"), parted.plot.latency):
        with pytest.raises(InputError, match="single requests are kept up to"):
            refused()


def test_loads_that_need_all_their_requests_are_kept_or_refused(monkeypatch):
    monkeypatch.setattr("jevons.sizing.load.KEPT_REQUESTS", 1000)
    given = {"gpu": "h20", "isl": 100, "osl": 20}
    for more in ({"concurrency": 8}, {"rate": 50, "routing": "least_loaded"}, {"rate_stages": "10:100s,20:100s"}):
        assert jevons.simulate("qwen3-0.6b", requests=2000, **given, **more).run.streamed is None
    with pytest.raises(InputError, match=r"2e\+08|200,000,000"):
        jevons.simulate("qwen3-0.6b", requests=900_000_000, concurrency=8, **given)
