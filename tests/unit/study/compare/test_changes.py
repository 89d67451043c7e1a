"""`--set PATH=VALUE`: amounts, factors, ranges, settings, and what is refused."""

import pytest

import jevons
from jevons.errors import InputError
from jevons.study.scenario.changes import changed, read_changes
from places import TINY


@pytest.fixture(scope="module")
def scenario():
    return jevons.load(TINY)


def test_a_number_that_is_set_is_certain(scenario):
    amount = changed(scenario, {"cost.wacc": "12 %"}).cost.wacc
    assert (amount.value, amount.low, amount.high) == (pytest.approx(0.12), None, None)


def test_a_factor_moves_value_and_range(scenario):
    uncertain = next(path for path, a in scenario.amounts().items() if a.uncertain and a.value > 0)
    before = scenario.amounts()[uncertain]
    after = changed(scenario, {uncertain: "x0.9"}).amounts()[uncertain]
    assert (after.value, after.low, after.high) == pytest.approx(
        (0.9 * before.value, 0.9 * before.low, 0.9 * before.high)
    )


def test_a_mapping_gives_a_range_and_its_source(scenario):
    given = read_changes(["expansion.budget={low: 1 bn CNY, mode: 2 bn CNY, high: 3 bn CNY}"], "set")
    amount = changed(scenario, given).expansion.budget
    assert (amount.low, amount.value, amount.high) == (1e9, 2e9, 3e9)
    assert amount.source


def test_a_star_stands_for_any_name(scenario):
    paths = [p for p in scenario.amounts() if p.startswith("serving.models.") and p.endswith(".tpot")]
    after = changed(scenario, {"serving.models.*.tpot": "40 ms"}).amounts()
    assert {after[path].value for path in paths} == {0.04}


def test_settings_need_the_file(scenario):
    assert changed(scenario, {"serving.engine": "vllm"}, file=TINY).serving.engine == "vllm"
    with pytest.raises(InputError, match="give the scenario's file"):
        changed(scenario, {"serving.engine": "vllm"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cost.wac=0.1", "Did you mean `cost.wacc`"), ("wacc=0.1", "Did you mean `cost.wacc`"),
        ("cost=1", "is a section"), ("foo", "write it as PATH=VALUE"),
        ("=3", "write it as PATH=VALUE"),
        ("cost.wacc=", "write it as PATH=VALUE"), ("cost.wacc=-1", "must be above 0"),
        ("cost.wacc=abc", "not an amount"),
        ("cost.wacc=nan", "not an amount"), ("expansion.budget=200", "has no unit"),
        ("cost.wacc=x-1", "must be above 0"),
        ("serving.engine=vlm", "Did you mean `vllm`"), ("market.zz.*=1", "no value has such a path"),
        ("as_of=yesterday", "not a date"),
    ],
)  # fmt: skip
def test_a_wrong_change_is_refused_with_place_value_and_remedy(scenario, text, message):
    with pytest.raises(InputError, match=message):
        changed(scenario, read_changes([text], "set"), file=TINY)


def test_a_path_set_twice_is_refused():
    with pytest.raises(InputError, match="set twice"):
        read_changes(["cost.wacc=0.1", "cost.wacc=0.2"], "set")
