import numpy as np
import pytest

import jevons
from jevons.errors import InputError
from jevons.serving import sim

TABLE = sim.constant_table(8, 4096, decode_s=0.02, prompt_token_s=1e-4)
LIMITS = sim.SimLimits(max_batch=8, step_tokens=4096, block_tokens=16, kv_blocks=1000)


def loaded(**given: object) -> tuple[sim.Requests, sim.SimResult]:
    load = sim.generate(
        sim.Load(**{"requests": 600, "isl": 200, "osl": 40, "osl_cv": 0.8, "rate_req_per_s": 6.0} | given)
    )
    return load, sim.simulate(load, TABLE, LIMITS)


@pytest.mark.parametrize("bins", [1, 7, 60, 1000])
def test_integrals_over_bins_are_those_of_the_requests(bins: int) -> None:
    load, found = loaded()
    series = sim.time_series(load, found, LIMITS, bins=bins)
    seen = sim.latencies(load, found)
    admitted_s = found.trail.admitted / 1e12
    assert (series.arrivals_per_s * series.bin_s).sum() == pytest.approx(load.count)
    assert (series.finished_per_s * series.bin_s).sum() == pytest.approx(load.count)
    assert (series.output_tok_per_s * series.bin_s).sum() == pytest.approx(load.osl.sum())
    assert (series.waiting * series.bin_s).sum() == pytest.approx((admitted_s - load.arrival_s).sum(), rel=1e-6)
    assert (series.running * series.bin_s).sum() == pytest.approx((seen.finish_s - admitted_s).sum(), rel=1e-6)


def test_one_request_by_hand() -> None:
    load = sim.Requests(arrival_s=np.array([0.0]), isl=np.array([1000]), osl=np.array([51]))
    found = sim.simulate(load, TABLE, LIMITS, edge_frac=0.0)
    series = sim.time_series(load, found, LIMITS, bins=11)  # prompt 0.1 s, then 50 steps of 20 ms: bins of 0.1 s
    assert series.bin_s == pytest.approx(0.1)
    assert series.running == pytest.approx(np.ones(11))
    assert series.output_tok_per_s[1:] * 0.1 == pytest.approx(np.append(6.0, np.full(9, 5.0)), abs=1.01)
    room = LIMITS.kv_blocks * LIMITS.block_tokens
    assert series.kv_frac * room == pytest.approx(np.append(1000.0, 1002.5 + 5.0 * np.arange(10)), rel=1e-6)


def test_running_and_cache_never_exceed_their_limits_nor_fall_below_nothing() -> None:
    load, found = loaded(rate_req_per_s=30.0)
    series = sim.time_series(load, found, LIMITS)
    assert series.running.max() <= LIMITS.max_batch + 1e-6
    for values in (series.running, series.waiting, series.kv_frac, series.output_tok_per_s):
        assert values.min() >= -1e-6
    with pytest.raises(InputError, match="bins = 0"):
        sim.time_series(load, found, LIMITS, bins=0)


def test_classes_are_judged_by_their_own_limits() -> None:
    spec = sim.LoadSpec(
        rate=6.0, requests=4000,
        classes=[
            {"name": "short", "share": 3, "isl": 50, "osl": 10, "slo": {"e2e_s": 100.0}},
            {"name": "long", "share": 1, "isl": 800, "osl": 80, "slo": {"ttft_s": 1e-3}},
        ],
    )  # fmt: skip
    mix = sim.generate_mix(spec)
    found = sim.simulate(mix.requests, TABLE, LIMITS)
    short, long = sim.by_class(mix, found)
    assert (short.good_frac, long.good_frac) == (1.0, 0.0)
    assert short.counted + long.counted == found.counts.counted
    assert short.req_per_s + long.req_per_s == pytest.approx(found.throughput.req_per_s)
    assert short.e2e_s.p50 < long.e2e_s.p50
    assert 0.2 < found.occupancy.utilisation_frac < 1.0


def test_a_share_of_the_requests_stays_within_its_latency() -> None:
    result = jevons.simulate("llama-3.1-8b", rate=5, requests=200)
    told, record = result.distributions(), result.to_json()
    share = [round(one, 9) for one in told["share"]]
    for name in ("ttft_s", "tpot_s", "e2e_s"):
        assert told[name] == sorted(told[name])
        for word, at in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
            assert told[name][share.index(at)] == pytest.approx(record[name][word])
    alone = jevons.simulate("llama-3.1-8b", rate=5, requests=50, osl=1).distributions()
    assert "tpot_s" not in alone
    fleet = jevons.simulate("llama-3.1-8b", rate=5, requests=50, autoscale="1:2").distributions()
    assert len(fleet["e2e_s"]) == len(fleet["share"])
