"""Comparisons: paired draws, differences inside their intervals, attribution that adds up, named cases."""

import json
import re

import numpy as np
import pytest

import jevons
from jevons.errors import InfeasibleError, InputError
from jevons.study.chain.value_bridge import CHANNELS
from jevons.study.compare.cases import cases, sides
from jevons.study.compare.run import pair
from jevons.study.draws.outcomes import OUTCOMES
from jevons.study.draws.run import Draws
from jevons.study.draws.sampling import draw_amounts
from jevons.study.scenario.changes import changed
from jevons.words import templates
from places import ROOT, TINY

MAIN = ROOT / "scenarios" / "alibaba-380bn.yaml"


@pytest.fixture(scope="module")
def dear():
    return jevons.compare(TINY, set={"cost.wacc": "12 %", "market.markup": "x1.2"}, draws=4, processes=1)


def test_every_headline_has_a_b_and_a_difference_inside_its_interval(dear):
    found = dear.to_json()["difference"]
    assert set(found) == set(OUTCOMES)
    for name, record in found.items():
        assert record["delta"] == pytest.approx(record["b"] - record["a"]), name
        assert record["low"] <= record["delta"] <= record["high"], name


def test_boom_and_bust_show_in_write_downs_idle_hours_rents_and_losses(dear):
    found = dear.to_json()
    for side in "ab":
        cycle = found["cycle"][side]
        assert 0.0 <= cycle["idle_frac"] <= 1.0
        assert cycle["write_downs_cur"] >= 0.0
        assert cycle["brokers_loss_cur"] >= 0.0
    assert len(dear.tables["cycle"].rows) == 5


def test_how_far_a_draw_of_a_must_go_to_reach_b_is_told(dear):
    draws = dear.comparison.a.draws.outcomes["value_per_share"]
    assert dear.reached_frac() == pytest.approx(np.mean(draws <= dear.comparison.b.central["value_per_share"]))
    assert any("of A's draws" in note for note in dear.notes)


def test_a_dearer_cost_of_capital_lowers_the_value_of_the_plan(dear):
    name = next(n for n in OUTCOMES if n.startswith("plan_value"))
    assert dear.difference()[name]["delta"] < 0


def test_effects_and_interaction_add_up_to_the_difference(dear):
    for name, parts in dear.attribution().items():
        assert sum(parts.values()) == pytest.approx(dear.difference()[name]["delta"]), name
        assert set(parts) == {"cost.wacc", "market.markup", "interaction"}


def test_channels_sum_to_the_difference_of_the_ai_clouds_value(dear):
    record = dear.to_json()
    assert sum(record["channels"].values()) == pytest.approx(record["difference"]["plan_value"]["delta"])
    assert dear.tables["channels"].records()[-1]["added"] == pytest.approx(record["difference"]["plan_value"]["delta"])


def test_the_answer_names_the_largest_gains_and_losses_of_the_ai_clouds_value_and_they_add_up(dear):
    told = next(sentence for sentence in dear.answer_parts if sentence.id == "compare.channels").values
    worth = {side: getattr(dear.comparison, side).central["plan_value"] for side in "ab"}
    size = {"mn CNY": 1e6, "bn CNY": 1e9}[told["unit"]]
    assert float(told["b"]) - float(told["a"]) == pytest.approx((worth["b"] - worth["a"]) / size, rel=0.05)
    gain, loss = (float(told[kind] or 0) for kind in ("gain", "loss"))
    assert gain - loss == pytest.approx((worth["b"] - worth["a"]) / size, rel=0.05)
    for kind, whole in (("gains", gain), ("losses", loss)):
        amounts = [float(one.values["amount"]) for one in told[kind] or []]
        assert sum(amounts) == pytest.approx(whole, rel=0.03)
        named = [float(one.values["amount"]) for one in told[kind] or [] if one.id != "channel.rest"]
        assert named == sorted(named, reverse=True)
    largest = max(dear.comparison.channels, key=lambda name: abs(dear.comparison.channels[name]))
    said = [*(told["gains"] or []), *(told["losses"] or [])]
    assert f"channel.{largest}" in {one.id for one in said}
    for language in ("en", "zh"):
        assert all(one.text(language) in dear.answer_parts[-1].text(language) for one in said)


def test_every_channel_of_value_has_words():
    for language in ("en", "zh"):
        assert {f"channel.{name}" for name in (*CHANNELS, "rest")} <= set(templates(language))


def test_what_changed_is_listed_with_both_values(dear):
    changed = {c["path"]: c for c in dear.to_json()["changed"]}
    assert set(changed) == {"cost.wacc", "market.markup"}
    assert changed["cost.wacc"]["b"] == pytest.approx(0.12)


def test_a_correlated_amount_that_is_set_is_drawn_no_more():
    scenario = jevons.load(MAIN)
    path = scenario.study.correlations[0].between[0]
    names, _ = draw_amounts(changed(scenario, {path: scenario.amounts()[path].value}), 4, 1)
    assert path not in names


def test_one_change_explains_all():
    both = jevons.compare(TINY, set={"cost.wacc": 0.12}, draws=0)
    for parts in both.attribution().values():
        assert parts["interaction"] == pytest.approx(0.0, abs=1e-9 * max(1.0, abs(parts["cost.wacc"])))
    assert both.difference()[next(iter(OUTCOMES))]["low"] is None


def test_pairing_narrows_the_interval_of_a_difference(dear):
    name = next(iter(OUTCOMES))
    pairs = dear.comparison.paired[name]
    assert np.std(pairs[:, 1] - pairs[:, 0]) <= np.std(pairs[:, 0]) + np.std(pairs[:, 1])


def test_a_draw_without_a_plan_on_one_side_leaves_out_its_twin():
    def draws(values):
        rows = np.array([[v, 1.0] for v in values])
        return Draws(names=("x", "y"), values=rows, outcomes={"o": rows[:, 0] * 10}, infeasible=0)

    paired = pair(draws([1.0, 2.0, 3.0]), draws([1.0, 3.0]), [])
    assert paired["o"].tolist() == [[10.0, 10.0], [30.0, 30.0]]


@pytest.mark.slow
def test_which_side_a_scenario_stands_on_changes_none_of_its_figures():
    changes = {"cost.wacc": "12 %", "market.markup": "x1.2"}
    plain = jevons.load(TINY)
    changed_scenario = changed(plain, changes)
    there = jevons.compare(plain, changed_scenario, draws=0).comparison
    back = jevons.compare(changed_scenario, plain, draws=0).comparison
    assert there.b.central == back.a.central
    assert there.a.central == back.b.central
    assert there.b.cycle == back.a.cycle


def test_the_effect_of_one_change_is_what_that_change_does_alone(dear):
    """Begun from A's answer, an effect would be that of another path to the fixed point."""
    alone = jevons.compare(TINY, set={"cost.wacc": "12 %"}, draws=0).difference()
    for name, parts in dear.attribution().items():
        assert parts["cost.wacc"] == alone[name]["delta"], name


def test_two_files_are_compared_and_settings_swap_by_section(tmp_path):
    other = tmp_path / "b.yaml"
    other.write_text(TINY.read_text().replace("name: ", "name: Other ", 1).replace("engine: ", "engine: vllm #", 1))
    both = jevons.compare(TINY, other, draws=0)
    assert [c["path"] for c in both.to_json()["changed"]] == ["serving.engine"]


def test_every_case_fits_the_main_scenario():
    scenario = jevons.load(MAIN)
    for case in cases().values():
        a, b = sides(case, scenario)
        assert a.amounts() != b.amounts(), case.name


def test_pictures_and_page_show_both_sides(dear, tmp_path):
    for name in ("paths", "attribution"):
        getattr(dear.plot, name)().savefig(tmp_path / f"{name}.png")
    dear.save(tmp_path / "c.html")
    text = (tmp_path / "c.html").read_text()
    frozen = json.loads(re.search(r'<script type="application/json" id="frozen">(.*?)</script>', text, re.DOTALL)[1])
    assert {"paths", "attribution"} <= set(frozen["document"]["result"])
    for ending in ("csv", "json", "xlsx", "parquet"):
        dear.save(tmp_path / f"c.{ending}")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({}, "nothing to compare with"),
        ({"case": "deepsek"}, "Did you mean `deepseek`"),
        ({"set": {"cost.wac": 1}}, "cost.wacc"),
        ({"set": {"cost.wacc": 0.1}, "draws": 1}, "one draw has no interval"),
        ({"case": "deepseek"}, "lacks what this case changes"),
    ],
)  # fmt: skip
def test_wrong_comparisons_are_refused(how, message):
    with pytest.raises(InputError, match=message):
        jevons.compare(TINY, **how)


def test_a_change_to_what_is_already_there_is_refused():
    scenario = jevons.load(TINY)
    with pytest.raises(InputError, match="the same inputs"):
        jevons.compare(
            TINY, set={"cost.wacc": scenario.cost.wacc.value} if not scenario.cost.wacc.uncertain else {}, b=TINY
        )


def test_a_side_without_a_plan_is_named():
    with pytest.raises(InfeasibleError, match="B has no feasible plan"):
        jevons.compare(TINY, set={"serving.models.*.tpot": "0.01 ms"}, draws=0)


@pytest.mark.slow
def test_a_plan_takes_changes_too():
    before, after = jevons.plan(TINY, draws=0), jevons.plan(TINY, set={"cost.wacc": 0.12}, draws=0)
    assert after.chain.accounts.plan_value_cur < before.chain.accounts.plan_value_cur


def test_money_of_another_currency_is_restated():
    from jevons.facts import default_facts
    from jevons.study.compare.cycle import Cycle
    from jevons.study.compare.run import Side, _restated, rate

    scenario = jevons.load(TINY)
    factor = rate(default_facts(), "USD", "CNY", scenario.as_of)
    assert 6.5 < factor < 8
    assert rate(default_facts(), "CNY", "USD", scenario.as_of) == pytest.approx(1 / factor)
    cycle = Cycle(
        write_downs_cur=4.0, idle_frac=0.3, rent_first_cur_per_h=None, rent_last_cur_per_h=2.0, brokers_loss_cur=0.0
    )
    central = {"capex": 2.0, "devices": 3.0}
    side = Side(scenario=scenario, central=central, paths={"capex": [1.0]}, draws=None, cycle=cycle)
    other = _restated(side, factor)
    assert other.central == {"capex": pytest.approx(2 * factor), "devices": 3.0}
    assert other.paths["capex"] == [pytest.approx(factor)]
    assert other.cycle.write_downs_cur == pytest.approx(4 * factor)
    assert (other.cycle.idle_frac, other.cycle.rent_first_cur_per_h) == (0.3, None)


def test_the_title_names_what_is_compared_in_words(dear):
    assert dear.tables["differences"].title.endswith(f"B: 2 changes of {dear.names[0]}")
    assert "Sentence" not in dear.tables["differences"].title
