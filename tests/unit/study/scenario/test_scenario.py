"""Scenario files: amounts with units and origins, dates, and what is refused."""

import datetime as dt

import numpy as np
import pytest

from jevons.errors import InputError
from jevons.facts import default_facts
from jevons.study import load
from jevons.study.scenario.amounts import Amount
from jevons.study.scenario.changes import changed
from jevons.study.scenario.shelf import shipped_file
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
    path = edited(("share_price: 100 CNY", "share_price: 10 USD"), ("budget: 0.6 bn CNY", "budget: 100 mn USD"))
    amounts = load(path).amounts()
    rate = default_facts().get("fx.cny_per_usd", dt.date(2025, 2, 24)).number
    assert amounts["finance.share_price"].value == pytest.approx(10 * rate)
    assert amounts["expansion.budget"].value == pytest.approx(1e8 * rate)


def test_no_rate_before_its_first_date_is_a_fault_with_a_place(edited):
    path = edited(("share_price: 100 CNY", "share_price: 10 USD"))
    with pytest.raises(InputError, match=r"s.yaml:\d+:3: finance.share_price: fact `fx.cny_per_usd` has no value"):
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


def test_values_may_be_text_with_a_unit_or_what_a_file_may_hold():
    scenario = load(TINY)
    assert scenario.with_values({"expansion.budget": "2 bn CNY"}).expansion.budget.value == 2e9
    assert scenario.with_values({"cost.wacc": "12 %"}).cost.wacc.value == pytest.approx(0.12)
    assert (
        scenario.with_values({"hardware.devices.h20.price": np.int64(90_000)}).hardware.devices["h20"].price.value
        == 9e4
    )
    drawn = {"low": 0.08, "mode": 0.09, "high": 0.1, "source": "a survey"}
    assert scenario.with_values({"cost.wacc": drawn}).cost.wacc.uncertain
    loaded = scenario.with_values({"cost.load": {"fact": "assumption.load_frac"}}).cost.load
    assert (loaded.value, loaded.low, loaded.origin) == (0.8, 0.65, "assumption.load_frac")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("cost.wack", 1.0, r"cost.wack: no such amount. Did you mean `cost.wacc`"),
        ("h20.price", 1.0, r"no such amount. Did you mean .*hardware.devices.h20.price"),
        ("serving.engine", "vllm", "serving.engine: is a setting and no amount"),
        ("cost.wacc", -1, "cost.wacc: -1: must be above 0"),
        ("cost.wacc", "10 MW", "cost.wacc: unit `MW`: must be a number without a unit; a share may be written with %"),
        ("cost.wacc", float("nan"), "nan: must be a finite number"),
        ("cost.wacc", True, "`True` is not an amount"),
        ("cost.wacc", None, "`None` is not an amount"),
        ("expansion.budget", "200 bn", "expansion.budget: "),
        ("expansion.budget", "200", "200"),
        ("expansion.budget", "3 km", "expansion.budget: "),
        ("expansion.budget", "lots", "`lots` is not an amount; write a number with a unit"),
        ("hardware.sites.north.pue", 0.9, "must be at least 1"),
        ("cost.wacc", {"low": 1, "mode": 2}, "missing: high, source"),
        ("cost.wacc", {"fact": "no.such"}, "no.such"),
        ("expansion.budget_first", 1e15, "budget_first"),
        ("finance.shares", 1e-300, "must be at least 1 "),
    ],
)
def test_values_are_refused_as_a_file_s_are(path, value, message):
    scenario = load(TINY)
    if path.startswith("hardware.sites"):
        path = f"hardware.sites.{next(iter(scenario.hardware.sites))}.pue"
    with pytest.raises(InputError, match=message):
        scenario.with_values({path: value})


def test_all_faults_of_values_come_together():
    with pytest.raises(InputError) as error:
        load(TINY).with_values({"cost.wack": 1.0, "cost.wacc": -1.0})
    assert "cost.wack" in str(error.value)
    assert "must be above 0" in str(error.value)


def test_a_value_outside_of_its_range_is_certain_and_one_inside_keeps_it():
    scenario = load(TINY).with_values({"cost.wacc": {"low": 0.08, "mode": 0.09, "high": 0.1, "source": "a survey"}})
    assert scenario.with_values({"cost.wacc": 0.095}).cost.wacc.high == 0.1
    assert not scenario.with_values({"cost.wacc": 0.2}).cost.wacc.uncertain


def test_drawn_numbers_replace_central_values_and_nothing_else():
    scenario = load(TINY)
    drawn, given = scenario.with_numbers({"cost.wacc": 0.2}), scenario.with_values({"cost.wacc": 0.2})
    assert drawn.cost.wacc.value == given.cost.wacc.value == 0.2
    assert drawn.cost.wacc.origin == scenario.cost.wacc.origin


@pytest.mark.parametrize(
    ("text", "bn_usd"), [("30 bn USD", 30), ("{low: 20 bn USD, mode: 30 bn USD, high: 40 bn USD}", 30)]
)
def test_money_that_is_set_is_in_its_own_currency_whatever_the_scenario_s(text, bn_usd):
    scenario = load("coreweave")
    budget = changed(scenario, {"expansion.budget": text}).expansion.budget
    assert (scenario.currency, budget.unit) == ("USD", "USD")
    assert budget.value == pytest.approx(bn_usd * 1e9)


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
    assert places == [("quarters", 7, 1), ("hardware.sites.north.power", 12, 7), ("market.markup", 53, 3)]


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
        amount = Amount(value=3.0, unit="1", low=1.0, high=4.0)
        assert amount.quantile(np.array([0.0, 2 / 3, 1.0])) == pytest.approx([1.0, 3.0, 4.0])

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


@pytest.mark.parametrize(
    ("path", "offered"),
    [
        ("finance.wacc", "`cost.wacc`?"),
        ("finance.wac", "`cost.wacc`?"),
        ("expansion.budgett", "`expansion.budget`?"),
    ],
)
def test_a_name_of_another_section_is_offered_before_other_names_of_its_own(path, offered):
    with pytest.raises(InputError) as refused:
        changed(load(TINY), {path: 0.1})
    assert str(refused.value).endswith(f"the scenario has no such value. Did you mean {offered}")


@pytest.mark.parametrize(("signed", "coded"), [("$80 mn", "80 mn USD"), ("US$80mn", "80 mn USD")])
def test_a_sign_before_an_amount_is_its_currency(signed, coded):
    budgets = [changed(load(TINY), {"expansion.budget": text}).expansion.budget.value for text in (signed, coded)]
    assert budgets[0] == budgets[1] > 80e6


def test_an_accelerator_without_a_near_name_is_refused_with_where_names_are(edited):
    with pytest.raises(InputError, match="rental_device: unknown accelerator `zz99`. `jevons devices` lists those"):
        load(edited(("rental_device: h20", "rental_device: zz99")))


def test_a_ban_that_may_have_come_before_the_date_is_refused_and_one_in_force_is_not(edited):
    past = ("ban_from: 2025-Q4", "ban_from: 2020-Q1")
    with pytest.raises(
        InputError, match=r"h20\.ban_from: 2020-Q1: lies before as_of, .*give a later quarter, `ban_prob"
    ):
        load(edited(past))
    in_force = load(edited(past, ("ban_probability: 0.3", "ban_probability: 1")))
    assert in_force.hardware.devices["h20"].ban_from == "2020-Q1"


def test_a_date_far_past_the_newest_fact_is_refused():
    with pytest.raises(InputError, match=r"as_of: 2051-02-24: the newest fact on file is of 20\d\d-.*or before"):
        load(TINY, as_of=dt.date(2051, 2, 24))


def test_a_ban_that_the_region_expected_before_the_date_begins_on_it(tmp_path):
    text = shipped_file("tencent").read_text(encoding="utf-8")
    later = tmp_path / "later.yaml"
    later.write_text(text.replace("as_of: 2025-03-31", "as_of: 2026-03-31").replace("start: 2025-Q2", "start: 2026-Q2"))
    assert load(shipped_file("tencent")).hardware.devices["h20"].ban_from == "2025-Q3"
    assert load(later).hardware.devices["h20"].ban_from == "2026-Q1"
