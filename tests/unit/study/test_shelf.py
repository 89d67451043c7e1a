"""The shelf of scenarios, and what a region gives to a scenario that names it."""

from pathlib import Path

import pytest

import jevons
from jevons.study.scenario.load import load
from jevons.study.scenario.region import region_names
from places import MAIN

pytestmark = pytest.mark.slow  # plans whole scenarios

SHELF = sorted(MAIN.parent.glob("*.yaml"))
SHORT = """\
name: A new firm
as_of: 2025-02-24
currency: USD
region: us
start: 2025-Q1
quarters: 4
hardware:
  sites: {texas: {power: 50 MW}}
  devices: {h100_sxm: {installed: 20000}, b200_sxm: {supply: 5000}}
market:
  segments: {coding_agents: {share: 0.05}}
expansion: {budget: 2 bn USD, budget_quarters: 4, budget_first: 0.3 bn USD}
finance: {base_revenue: 200 mn USD, net_cash: 1 bn USD, shares: 300 mn shares, share_price: 30 USD}
study: {draws: 0}
"""


@pytest.fixture
def written(tmp_path):
    """Return a function that writes the short scenario with some of its text replaced."""

    def write(*changes: tuple[str, str]) -> Path:
        text = SHORT
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "s.yaml"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("path", SHELF, ids=lambda path: path.stem)
def test_each_scenario_of_the_shelf_is_planned(path):
    """At four quarters, to be quick: it spends within its budget, serves somebody, and values its share."""
    result = jevons.plan(load(path, settings={"quarters": 4}), draws=0)
    cash = result.to_json()["cash"]
    assert 0 <= sum(cash["capex"]) <= sum(cash["budget"]) * (1 + 1e-6)
    assert result.to_json()["residual"] < 0.05
    assert sum(cash["ai_revenue_external"]) + sum(cash["ai_revenue_internal"]) >= 0
    assert result.scenario.currency in result.answer


def test_a_new_firm_takes_a_page():
    others = [path for path in SHELF if path != MAIN]
    assert len(others) >= 8
    assert max(len(path.read_text().splitlines()) for path in others) <= 100


def test_a_file_takes_from_its_region_what_it_leaves_out(written):
    scenario = load(written())
    assert scenario.cost.wacc.low is not None
    assert scenario.hardware.devices["h100_sxm"].price.value > 0
    assert scenario.hardware.devices["h100_sxm"].installed.value == 20000


def test_of_devices_sites_and_segments_it_takes_those_that_it_names(written):
    scenario = load(written())
    assert list(scenario.hardware.devices) == ["h100_sxm", "b200_sxm"]
    assert list(scenario.hardware.sites) == ["texas"]
    assert list(scenario.market.segments) == ["coding_agents"]
    assert scenario.market.segments["coding_agents"].share.value == 0.05
    assert not scenario.market.segments["coding_agents"].share.uncertain


def test_a_collection_that_it_does_not_mention_is_the_regions(written):
    scenario = load(written(("market:\n  segments: {coding_agents: {share: 0.05}}\n", "")))
    assert {"consumer_chat", "training"} <= set(scenario.market.segments)


def test_an_unknown_region_is_refused_with_near_names(written):
    with pytest.raises(jevons.InputError, match=r"s.yaml:4:1: region: `uss`: no such region; there are .*us"):
        load(written(("region: us", "region: uss")))


@pytest.mark.parametrize("given", ["[us]", "7", "../us", ""])
def test_a_region_is_a_name_and_no_path(written, given):
    with pytest.raises(jevons.InputError, match="region"):
        load(written(("region: us", f"region: {given}")))


def test_regions_ship():
    assert {"china", "eu", "gulf", "us"} <= set(region_names())
