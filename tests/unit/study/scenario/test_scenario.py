"""Scenario files: amounts with units and origins, dates, and what is refused."""

import datetime as dt

import numpy as np
import pytest

from jevons.errors import InputError
from jevons.facts import default_facts
from jevons.study import load
from jevons.study.scenario.amounts import Amount
from places import MAIN, TINY


def test_amounts_are_in_the_unit_of_their_field():
    amounts = load(TINY).amounts()
    assert amounts["hardware.sites.north.power"].value == 1e6
    assert amounts["expansion.budget"].value == 0.6e9
    assert amounts["cost.wacc"].value == 0.1
    assert amounts["serving.models.small.price.output"].value == 0.6
    assert amounts["market.peak_hours"].value == 8
    assert amounts["serving.models.small.tpot"] == Amount(value=0.05, unit="s", origin="default")


def test_a_fact_brings_value_grade_and_range():
    facts, amounts = default_facts(), load(TINY).amounts()
    tariff = amounts["hardware.sites.north.tariff"]
    fact = facts.get("site.china_north.tariff_cny_per_kwh", dt.date(2025, 2, 24))
    assert (tariff.value, tariff.low, tariff.high, tariff.grade) == (fact.value, fact.low, fact.high, fact.grade)
    assert tariff.origin == fact.id
    price = amounts["hardware.devices.h20.price"]
    assert (price.low, price.high) == (110_000, 175_000)


def test_foreign_currency_is_converted_at_the_rate_of_the_date(edited):
    path = edited(("ads_price: 100 CNY", "ads_price: 10 USD"), ("budget: 0.6 bn CNY", "budget: 100 mn USD"))
    amounts = load(path).amounts()
    rate = default_facts().get("fx.cny_per_usd", dt.date(2025, 2, 24)).number
    assert amounts["finance.ads_price"].value == pytest.approx(10 * rate)
    assert amounts["expansion.budget"].value == pytest.approx(1e8 * rate)


def test_no_rate_before_its_first_date_is_a_fault_with_a_place(edited):
    path = edited(("ads_price: 100 CNY", "ads_price: 10 USD"))
    with pytest.raises(InputError, match=r"s.yaml:\d+:3: finance.ads_price: fact `fx.cny_per_usd` has no value"):
        load(path, as_of=dt.date(1960, 1, 1))


def test_the_given_date_overrides_that_of_the_file():
    early, late = (load(TINY, as_of=dt.date(2025, 2, day)).as_of for day in (20, 24))
    assert (early, late) == (dt.date(2025, 2, 20), dt.date(2025, 2, 24))


def test_a_date_in_quotes_is_a_date(edited):
    assert load(edited(("as_of: 2025-02-24", 'as_of: "2025-02-24"'))).as_of == dt.date(2025, 2, 24)


def test_the_main_scenario_loads_and_every_amount_says_where_it_is_from():
    scenario = load(MAIN)
    assert scenario.labels()[0] == "2025-Q1"
    assert len(scenario.market.segments) >= 6
    for path, amount in scenario.amounts().items():
        assert np.isfinite(amount.value), path
        assert amount.origin in {"given", "default"} or amount.origin in default_facts(), path
        if amount.uncertain:
            assert amount.low <= amount.value <= amount.high, path
            assert amount.source, path


def test_quarters_are_numbered_across_years(edited):
    scenario = load(edited(("2025-Q1", "2025-Q3"), ("ban_from: 2025-Q4", "ban_from: 2026-Q1")))
    assert scenario.labels() == ("2025-Q3", "2025-Q4", "2026-Q1", "2026-Q2")


def test_values_are_replaced_by_path_and_nothing_else_changes():
    scenario = load(TINY)
    changed = scenario.with_values({"market.segments.chat.value": 0.5, "cost.wacc": 0.2})
    before, after = scenario.amounts(), changed.amounts()
    moved = {path for path in before if before[path] != after[path]}
    assert moved == {"market.segments.chat.value", "cost.wacc"}
    assert after["cost.wacc"].value == 0.2
    with pytest.raises(InputError, match="no such amount: cost.wack"):
        scenario.with_values({"cost.wack": 1.0})


def test_settings_hold_what_is_no_amount():
    settings = load(TINY).settings()
    assert settings["serving.engine"] == ("sglang", "given")
    assert settings["expansion.foresight"] == ("perfect", "default")
    assert settings["as_of"] == ("2025-02-24", "given")
    assert not set(settings) & set(load(TINY).amounts())


def test_every_fault_of_a_file_comes_at_once_with_line_and_column(edited):
    path = edited(("power: 1 MW", "power: 1 TB"), ("markup: 1.3", "markup: lots"), ("quarters: 4", "quarters: 0"))
    with pytest.raises(InputError) as caught:
        load(path)
    places = [(fault.path, fault.line, fault.column) for fault in caught.value.faults]
    assert places == [("quarters", 6, 1), ("hardware.sites.north.power", 11, 7), ("market.markup", 52, 3)]


@pytest.mark.parametrize(("rank", "fine"), [(-0.1, True), (-0.9, False)], ids=["possible", "impossible"])
def test_correlations_must_have_a_joint_distribution(edited, rank, fine):
    a, b, c = "market.elasticity_scale", "serving.software_gain", "hardware.devices.h20.price"
    lines = "".join(
        f"\n    - {{between: [{x}, {y}], rank: {r}}}" for x, y, r in ((a, b, 0.9), (b, c, 0.3), (a, c, rank))
    )
    path = edited(("draws: 0", f"draws: 0\n  correlations:{lines}"))
    if fine:
        assert len(load(path).study.correlations) == 3
    else:
        with pytest.raises(InputError, match="study.correlations: no joint distribution"):
            load(path)


@pytest.mark.parametrize(
    ("pairs", "part"),
    [
        ([("market.elasticity_scale", "market.elasticity_scale")], "with itself"),
        ([("market.elasticity_scale", "serving.software_gain")] * 2, "has a correlation already"),
        ([("market.elasticity_scale", "cost.wacc")], "`cost.wacc` is no uncertain amount"),
    ],
)
def test_correlations_that_say_nothing_are_refused(edited, pairs, part):
    lines = "".join(f"\n    - {{between: [{a}, {b}], rank: 0.5}}" for a, b in pairs)
    with pytest.raises(InputError, match=part):
        load(edited(("draws: 0", f"draws: 0\n  correlations:{lines}")))


class TestQuantiles:
    def test_a_triangle_has_its_mode_and_ends(self):
        amount = Amount(value=2.0, unit="1", low=1.0, high=4.0)
        assert amount.quantile(np.array([0.0, 1 / 3, 1.0])) == pytest.approx([1.0, 2.0, 4.0])

    def test_a_wide_range_is_a_triangle_in_the_logarithm(self):
        amount = Amount(value=10.0, unit="1", low=1.0, high=100.0)
        assert amount.quantile(np.array([0.0, 0.5, 1.0])) == pytest.approx([1.0, 10.0, 100.0])

    def test_certain_amounts_do_not_move(self):
        assert Amount(value=3.0, unit="1").quantile(np.array([0.1, 0.9])).tolist() == [3.0, 3.0]

    @pytest.mark.parametrize("mode", [1.0, 4.0])
    def test_a_mode_at_an_end_is_allowed(self, mode):
        drawn = Amount(value=mode, unit="1", low=1.0, high=4.0).quantile(np.linspace(0, 1, 11))
        assert np.all(np.isfinite(drawn))
        assert np.all(np.diff(drawn) >= 0)
