"""What a fleet costs has an interval: a load that is asked for may take fewer or more replicas than were predicted."""

from __future__ import annotations

import math

import pytest

import jevons
from jevons.serving.spread import spread
from jevons.sizing.fleet import FULLEST_FRAC

LLAMA = {"model": "llama-3.1-8b", "gpu": "h100_sxm", "static": True}


@pytest.fixture(scope="module")
def sized():
    return jevons.size(**LLAMA, rate=300.0)


def test_ends_of_a_load_are_whole_replicas_at_either_end_of_the_predicted_rate(sized) -> None:
    rate = spread("rate", "vllm", "h100_sxm", "llama-3.1-8b")
    for fleet, record in zip(sized.entries, sized.to_json()["entries"], strict=True):
        if fleet.prefill is not None:
            continue
        whole = {end: math.ceil(300.0 / ratio / (FULLEST_FRAC * fleet.capacity) - 1e-9)
                 for end, ratio in (("low", rate.high), ("high", rate.low))}  # fmt: skip
        each = record["cost_per_h"] / fleet.replicas
        assert record["cost_per_h_low"] == pytest.approx(min(whole["low"], fleet.replicas) * each)
        assert record["cost_per_h_high"] == pytest.approx(max(whole["high"], fleet.replicas) * each)
    ends = [(one["cost_per_h_low"], one["cost_per_h"], one["cost_per_h_high"]) for one in sized.to_json()["entries"]]
    assert all(low <= cost <= high for low, cost, high in ends)  # whole replicas: an end may be the cost itself
    assert any(low < cost < high for low, cost, high in ends)


def test_both_pools_of_a_divided_fleet_follow_the_rate() -> None:
    fleets = jevons.size(**LLAMA, rate=3000.0).entries
    divided = next(fleet for fleet in fleets if fleet.prefill is not None)
    assert divided.accelerators_at(1.0) == divided.accelerators
    assert divided.accelerators_at(0.5) == pytest.approx(2 * divided.accelerators, rel=0.1)


def test_cost_of_tokens_moves_as_the_fleet_does(sized) -> None:
    for record in sized.to_json()["entries"]:
        for end in ("low", "high"):
            ratios = {record[f"{name}_{end}"] / record[name]
                      for name in ("cost_per_h", "cost_per_mtok", "cost_per_output_mtok")}  # fmt: skip
            assert max(ratios) == pytest.approx(min(ratios))


@pytest.mark.parametrize("load", [{}, {"concurrency": 100}])
def test_a_fleet_of_a_fixed_size_costs_what_it_costs_and_its_tokens_more_or_less(load: dict) -> None:
    record = jevons.size(**LLAMA, **load).to_json()["best"]
    rate = spread("rate", "vllm", "h100_sxm", "llama-3.1-8b")
    assert record["cost_per_h_low"] == record["cost_per_h"] == record["cost_per_h_high"]
    assert record["cost_per_mtok_low"] == pytest.approx(record["cost_per_mtok"] / rate.high)
    assert record["cost_per_mtok_high"] == pytest.approx(record["cost_per_mtok"] / rate.low)


def test_every_fleet_is_explained_from_its_own_device() -> None:
    sized = jevons.size("llama-3.1-8b", gpu=["h100_sxm", "h200_sxm"], rate=300.0, static=True)
    records = sized.to_json()["entries"]
    assert {record["gpu"] for record in records} == {"h100_sxm", "h200_sxm"}
    for place, record in enumerate(records):
        for name in ("accelerators", "cost_per_h", "cost_per_mtok", "power_w", "req_per_s_at_most"):
            assert sized.ledger.nodes[f"entries.{place}.{name}"].value == pytest.approx(record[name])
        behind = {node.path for node in sized.ledger.walk(f"entries.{place}.cost_per_mtok")}
        other = "h200_sxm" if record["gpu"] == "h100_sxm" else "h100_sxm"
        assert f"{record['gpu']}.price_cny" in behind
        assert not any(path.startswith(other) for path in behind)
