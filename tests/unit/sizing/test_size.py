"""Fleets for a load: counted by hand, simulated within their limits, left out with a reason."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

import jevons
from jevons import models, serving
from jevons.errors import InfeasibleError, InputError
from jevons.serving import sim
from jevons.sizing.finalists import Bench, _interval
from jevons.sizing.fleet import FULLEST_FRAC, replicas_for
from jevons.sizing.hour_price import HourPrice
from jevons.sizing.rank_table import rank_table
from jevons.sizing.search import size
from jevons.sizing.service import Demand, Service

SMALL = Service(gpu="h100_sxm", gpus=2, isl=500, osl=100, tpot_s=0.03, ttft_s=0.5)
PRICE = HourPrice(2.0, "USD")


@pytest.fixture(scope="module")
def sized():
    return size("llama-3.1-8b", SMALL, demand=Demand(rate_req_per_s=60.0), prices=PRICE)


def test_replicas_leave_headroom_and_round_up():
    assert replicas_for(9.5, 10.0) == 1
    assert replicas_for(9.6, 10.0) == 2
    assert replicas_for(0.001, 10.0) == 1
    assert pytest.approx(0.95) == FULLEST_FRAC


def test_cost_is_accelerators_times_price_over_tokens(sized):
    best = sized.best
    record = best.record(sized.service)
    assert best.accelerators == best.deployment.devices * best.replicas + (
        0 if best.prefill is None else best.prefill.devices * best.prefill_replicas
    )
    assert record["cost_per_mtok"] == pytest.approx(2.0 * best.accelerators / 3600 / (60 * 600) * 1e6)
    assert record["power_w"] == best.accelerators * best.deployment.accelerator.server_w


def test_simulated_fleets_keep_the_limits_at_the_upper_end_of_the_interval(sized):
    assert sized.entries
    for fleet in sized.entries:
        assert fleet.observed.stable
        assert fleet.observed.latency["ttft_s"]["p95"].high <= 0.5
        assert fleet.observed.latency["tpot_s"]["p95"].high <= 0.03


def test_entries_are_sorted_by_cost_and_the_front_is_not_beaten(sized):
    sure = [fleet for fleet in sized.entries if fleet.chance(sized.service) >= sized.confidence]
    assert sized.entries[: len(sure)] == tuple(sure)
    for fleets in (sure, sized.entries[len(sure) :]):
        costs = [fleet.per_hour for fleet in fleets]
        assert costs == sorted(costs)
    assert sized.pareto[0].per_hour == min(fleet.per_hour for fleet in sized.entries)
    for own in sized.pareto:
        for other in sized.entries:
            assert not (other.per_hour < own.per_hour and other.e2e_s < own.e2e_s)


def test_the_same_seed_gives_the_same_answer(sized):
    again = size("llama-3.1-8b", SMALL, demand=Demand(rate_req_per_s=60.0), prices=PRICE)
    assert again.to_json() == sized.to_json()


def test_a_tighter_limit_never_needs_fewer_accelerators(sized):
    tight = size("llama-3.1-8b", replace(SMALL, tpot_s=0.015), demand=Demand(rate_req_per_s=60.0, runs=2), prices=PRICE)
    assert tight.best.accelerators >= sized.best.accelerators


def test_twice_the_load_costs_at_most_about_twice(sized):
    double = size("llama-3.1-8b", replace(SMALL, gpus=1), demand=Demand(rate_req_per_s=120.0, runs=2), prices=PRICE)
    assert sized.best.accelerators <= double.best.accelerators <= 2 * sized.best.accelerators + 1


def test_one_copy_without_a_load_is_static():
    found = size("llama-3.1-8b", SMALL, prices=PRICE)
    assert found.best.observed is None
    assert found.best.replicas == 1
    rates = [f.point.tok_per_s_per_device for f in found.entries]
    assert rates == sorted(rates, reverse=True)
    assert [f.point.tpot_s for f in found.pareto] == sorted(f.point.tpot_s for f in found.pareto)


def test_users_of_a_closed_loop_are_carried():
    found = size("llama-3.1-8b", SMALL, demand=Demand(users=64, runs=2), prices=PRICE)
    assert found.best.observed.latency["tpot_s"]["p95"].high <= 0.03
    # Little's law: users = rate x time of an answer.
    static = size("llama-3.1-8b", SMALL, demand=Demand(users=64), prices=PRICE, simulated=False).best
    assert static.rate_req_per_s * static.e2e_s == pytest.approx(64)
    assert found.best.rate_req_per_s * found.best.e2e_s == pytest.approx(64)


def test_users_bring_the_rate_that_a_simulation_of_them_finishes():
    layout = {"tp": 1, "pp": 1, "ep": 1, "dp": 1}
    load = {"concurrency": 20, "isl": 500, "osl": 100, "gpu_hour": "2 USD", "precision": "fp8", **layout}
    run = jevons.simulate("llama-3.1-8b", gpu="h100_sxm", requests=2000, **load).to_json()
    for static, tolerance in ((True, 0.15), (False, 0.03)):
        best = jevons.size("llama-3.1-8b", gpu="h100_sxm", static=static, **load).to_json()["best"]
        assert best["req_per_s"] == pytest.approx(run["req_per_s"], rel=tolerance)
        assert best["cost_per_mtok"] == pytest.approx(run["cost_per_mtok"], rel=tolerance)


@pytest.mark.parametrize(("rate", "tolerance"), [(0.01, 0.02), (3.0, 0.15), (12.0, 0.2)])
def test_static_latencies_are_those_under_the_load_not_at_capacity(rate, tolerance):
    """A fleet far below its capacity answers as quickly as a simulation of that load says."""
    same = {
        "gpu": "h100_sxm", "rate": rate, "isl": 500, "osl": 100, "precision": "fp8", "tp": 1, "pp": 1, "ep": 1, "dp": 1,
    }  # fmt: skip
    best = jevons.size("llama-3.1-8b", static=True, ttft=5.0, tpot=0.1, **same).to_json()["best"]
    run = jevons.simulate("llama-3.1-8b", requests=400, **same).to_json()
    assert best["replicas"] == 1
    for key in ("ttft_s", "tpot_s", "e2e_s"):
        assert best[key] == pytest.approx(run[key]["mean"], rel=tolerance), key


def test_static_latencies_of_pools_apart_are_those_under_the_load():
    found = size("llama-3.1-8b", SMALL, demand=Demand(rate_req_per_s=1.0), prices=PRICE, simulated=False)
    apart = [fleet for fleet in found.entries if fleet.prefill is not None]
    assert apart
    for fleet in apart:
        assert fleet.unqueued.batch == 1
        assert fleet.e2e_s < fleet.point.ttft_s + 99 * fleet.point.tpot_s


def test_a_trace_sets_rate_and_lengths(tmp_path):
    path = tmp_path / "load.csv"
    rows = "\n".join(f"{i * 0.1:.3f},{400 + i % 3},{50 + i % 5}" for i in range(400))
    path.write_text(f"arrived_at,num_prefill_tokens,num_decode_tokens\n{rows}\n")
    found = size("llama-3.1-8b", SMALL, demand=Demand(trace=path), prices=PRICE)
    assert found.rate_req_per_s == pytest.approx(10.0)
    assert (found.service.isl, found.service.osl) == (401, 52)
    assert found.best.observed.runs == 1


def test_several_devices_are_compared_in_one_currency():
    prices = {"h100": HourPrice(2.0, "USD"), "h20": HourPrice(8.0, "CNY")}
    found = size(
        "llama-3.1-8b", SMALL, demand=Demand(rate_req_per_s=60.0), gpus=("h100", "h20"), prices=prices, simulated=False
    )
    assert {f.deployment.accelerator.id for f in found.entries} == {"h100_sxm", "h20"}
    assert {p.currency for p in found.prices.values()} == {"USD"}
    assert found.prices["h20"].amount == pytest.approx(8.0 / 7.2, rel=0.05)
    assert "8 CNY" in found.prices["h20"].origin


def test_layouts_that_do_not_fit_are_named_with_the_reason():
    found = size("qwen2.5-72b", replace(SMALL, gpus=4, tpot_s=0.1), prices=PRICE)
    by_layout = {(i.layout, i.precision): i for i in found.infeasible}
    assert by_layout["tp1", "bf16"].reason == "device memory"
    assert "needs 145.4 GB of weights per device" in by_layout["tp1", "bf16"].detail
    assert found.tried == len(found.infeasible) + len([f for f in found.entries if f.prefill is None])


def test_a_limit_that_queueing_breaks_is_named_with_the_figures():
    # A limit between the least prompt time alone and what p99 sees behind another prompt.
    floor = size("llama-3.1-8b", SMALL, simulated=False).best.point.ttft_s
    bursty = replace(SMALL, gpus=1, ttft_s=floor * 1.02, percentile="p99", isl=8000, osl=8)
    least = serving.best_static_point(
        serving.Deployment(
            model=models.load("llama-3.1-8b"),
            accelerator=bursty.accelerator(),
            layout=serving.Layout(),
            precision="fp8",
            kv_precision="bf16",
            engine=bursty.factors(),
        ),
        bursty.workload(),
    ).ttft_s
    with pytest.raises(InfeasibleError, match=r"TTFT p99 is [\d,.]+ ms against [\d,.]+ ms|TTFT p99"):
        size(
            "llama-3.1-8b",
            replace(bursty, ttft_s=least * 1.001),
            demand=Demand(rate_req_per_s=20.0, cv=4.0),
            prices=PRICE,
        )


def test_a_budget_says_by_how_much_it_is_missed():
    with pytest.raises(
        InfeasibleError, match=r"costs [\d,]+ USD a month .* \d+ % above --budget 100 USD; the limit carries"
    ):
        size("llama-3.1-8b", SMALL, demand=Demand(rate_req_per_s=60.0), prices=PRICE, budget_per_month=(100.0, "USD"))
    enough = size(
        "llama-3.1-8b",
        SMALL,
        demand=Demand(rate_req_per_s=60.0),
        prices=PRICE,
        budget_per_month=(5000.0, "USD"),
        simulated=False,
    )
    assert 0 < max(f.per_hour for f in enough.entries) * 730.5 <= 5000.0


def test_interval_is_students():
    found = _interval([1.0, 2.0, 3.0])
    assert found.mean == 2.0
    assert found.half == pytest.approx(4.302653 / math.sqrt(3), rel=1e-5)
    assert _interval([5.0]).half is None


def test_pools_for_prompts_and_decoding_hand_every_request_over(sized):
    split = next(f for f in sized.entries if f.prefill is not None)
    seen = Bench(service=SMALL, demand=Demand(rate_req_per_s=60.0, runs=2)).observe(split)
    assert seen.stable
    e2e, ttft, tpot = (seen.latency[n]["mean"].mean for n in ("e2e_s", "ttft_s", "tpot_s"))
    assert e2e == pytest.approx(ttft + 99 * tpot, rel=1e-6)
    assert ttft > serving.step_time(split.prefill, prefill_tokens=500.0).time_s[0]


def test_rank_table_of_one_rank_agrees_with_the_simulators():
    deployment = serving.Deployment(
        model=models.load("llama-3.1-8b"),
        accelerator=SMALL.accelerator(),
        layout=serving.Layout(tp=2),
        precision="bf16",
        kv_precision="bf16",
        engine=serving.engine(),
    )
    own, theirs = rank_table(deployment, 32, 2048, 4096.0), sim.step_table(deployment, 32, 2048)
    np.testing.assert_array_equal(own.base, theirs.base)
    whole = [t.alone[1:] + t.own[1:] for t in (own, theirs)]
    np.testing.assert_allclose(*whole, rtol=0.05)
    assert np.median(np.abs(whole[0] / whole[1] - 1)) < 0.01


def test_rank_table_spreads_prompts_over_ranks():
    deployment = serving.Deployment(
        model=models.load("deepseek-v3"),
        accelerator=replace(SMALL, gpu="h200_sxm").accelerator(),
        layout=serving.Layout(dp=16, ep=16, dp_attention=True),
        precision="fp8",
        kv_precision="bf16",
        engine=serving.engine(),
    )
    table = rank_table(deployment, 64, 16_384, 2000.0)
    prompts = 8
    step_s = serving.step_time(deployment, prefill_tokens=16_000.0, prefill_requests=prompts).time_s[0]
    assert (table.alone[16_000] + prompts * table.own[2000]) / 1e12 == pytest.approx(step_s, rel=1e-6)


def test_each_explained_figure_of_a_fleet_follows_from_its_printed_formula(sized):
    nodes = sized.ledger.nodes
    computed = [path for path, node in nodes.items() if node.symbols]
    assert {"request.tokens", "best.cost_per_h", "best.cost_per_mtok"} <= set(computed)
    for path in computed:
        assert sized.ledger.recompute(path) == pytest.approx(nodes[path].value, rel=1e-9), path
    assert nodes["best.cost_per_h"].value == pytest.approx(sized.best.per_hour, rel=1e-12)
    per_mtok = sized.best.record(sized.service)["cost_per_mtok"]
    assert nodes["best.cost_per_mtok"].value == pytest.approx(per_mtok, rel=1e-12)


def test_result_explains_saves_and_frames(sized, tmp_path):
    text = sized.explain("best.cost_per_mtok")
    assert text.startswith("best.cost_per_mtok = ")
    assert "price.per_accelerator_hour = 2 USD/h" in text
    with pytest.raises(InputError, match="no figure `best.cost`"):
        sized.explain("best.cost")
    sized.save(tmp_path / "size.json")
    assert json.loads((tmp_path / "size.json").read_text())["best"]["accelerators"] == sized.best.accelerators
    sized.save(tmp_path / "size.csv")
    frame = sized.to_frame()
    assert frame.height == len(sized.entries)
    assert (tmp_path / "size.csv").read_text().count("\n") == frame.height + 1
    with pytest.raises(InputError, match="the ending must be one of .json"):
        sized.save(tmp_path / "size.doc")
    assert sized.tables["fleets"].title.startswith("llama-3.1-8b on h100_sxm, 500 in, 100 out, 60 req/s")
    assert "carries 60 req/s of llama-3.1-8b" in sized.answer
    assert repr(sized).count("\n") < 15


def test_users_who_think_come_at_the_rate_that_quick_answers_let_them():
    found = size("llama-3.1-8b", SMALL, demand=Demand(users=600, think_s=30.0), prices=PRICE, simulated=False)
    for fleet in found.entries:
        assert 600 / (30.0 + fleet.e2e_s) <= fleet.rate_req_per_s <= 600 / 30.0


def test_the_front_has_quicker_fleets_at_a_price(sized):
    assert len(sized.pareto) > 1
    assert sized.pareto[-1].e2e_s < 0.8 * sized.pareto[0].e2e_s


def test_pipelines_are_sized_but_said_not_to_be_simulated():
    found = size("llama-3.1-8b", replace(SMALL, fixed=(("pp", 2),)), demand=Demand(rate_req_per_s=10.0), prices=PRICE)
    assert all(f.deployment.layout.pp == 2 and f.observed is None for f in found.entries)
    assert "not simulated" in found.tables["fleets"].title


def test_answers_of_one_token_have_no_time_per_token():
    found = size("llama-3.1-8b", replace(SMALL, osl=1, gpus=1), demand=Demand(rate_req_per_s=5.0, runs=1), prices=PRICE)
    assert found.tables["fleets"].column("tpot_p95_s")[0] is None
    assert found.best.prefill is None


def test_pictures_are_drawn(sized, tmp_path):
    sized.plot.pareto().savefig(tmp_path / "p.png")
    assert (tmp_path / "p.png").stat().st_size > 5000


def test_an_unsure_fleet_gets_more_replicas_without_simulation():
    tight = replace(SMALL, gpus=1, ttft_s=None, tpot_s=0.012)
    rate = 0.5 * size("llama-3.1-8b", tight, prices=PRICE).best.capacity

    def shared(confidence):
        demand = Demand(rate_req_per_s=rate)
        found = size("llama-3.1-8b", tight, demand=demand, prices=PRICE, simulated=False, confidence=confidence)
        return sorted((f for f in found.entries if f.prefill is None), key=lambda f: f.rank)

    cheapest = shared(0.0)[0]
    asked = cheapest.chance(tight) + 0.03
    assert asked < 1.0
    sure = [f for f in shared(asked) if f.deployment == cheapest.deployment and f.chance(tight) >= asked]
    assert len(sure) == 1
    assert cheapest.replicas < sure[0].replicas <= 2 * cheapest.replicas + 1


@pytest.mark.parametrize(("model", "precision", "told"), [
    ("llama-3.1-8b", "auto", True), ("llama-3.1-8b", "fp8", False), ("llama-3.1-8b", "bf16", False),
    ("deepseek-r1", "auto", False), ("gpt-oss-20b", "auto", False),
])  # fmt: skip
def test_weights_that_nobody_asked_for_are_told(model: str, precision: str, told: bool) -> None:
    answer = jevons.size(model, gpu="h200", rate=1, precision=precision, static=True).answer
    assert (" in fp8 with TTFT" in answer) is told
