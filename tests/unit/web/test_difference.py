"""Two plans side by side: the amounts that differ, what each does alone, and what is refused."""

import dataclasses
from types import SimpleNamespace

import pytest

import jevons
from jevons.web.difference import difference
from jevons.web.inputs import asked
from jevons.web.work import Desk
from places import TINY


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    desk = Desk(tmp_path_factory.mktemp("desk"))
    desk.scenarios["tiny"] = jevons.load(TINY)
    return desk


def compared(desk, a, b):
    both = {side: {"kind": "plan", "input": {"scenario": "tiny", "set": given}} for side, given in (("a", a), ("b", b))}
    return difference(desk, both, lambda kind, content: None)["result"]


@pytest.mark.slow
def test_plans_list_the_amounts_that_differ_and_each_change_adds_up_to_the_difference(desk):
    result = compared(desk, {"cost.wacc": 0.09, "market.markup": 1.3}, {"cost.wacc": 0.11, "market.markup": 1.3})
    assert result["changed"] == [{"input": "cost.wacc", "unit": "1", "a": 0.09, "b": 0.11}]
    worth = result["difference"]["value_per_share"]
    assert worth["a"] > worth["b"]
    assert worth["unit"] == result["currency"] == "CNY"
    part = next(one for one in result["attribution"] if one["output"] == "value_per_share")
    assert part["parts"][0]["delta"] == pytest.approx(part["total"], rel=1e-6)
    assert [len(result["drawn"][side]["paths"]["tokens_per_d"]["value"]) for side in "ab"] == [4, 4]
    assert result["drawn"]["a"]["quarters"][0] == "2025-Q1"


@pytest.mark.slow
def test_a_side_that_leaves_an_amount_out_shows_the_scenario_s_own(desk):
    result = compared(desk, {}, {"cost.wacc": 0.12})
    assert result["changed"][0]["a"] == desk.scenarios["tiny"].cost.wacc.value


def test_plans_of_two_currencies_are_refused_with_the_command_that_compares_them():
    draws = iter([{"answer": "", "currency": "CNY"}, {"answer": "", "currency": "USD"}])
    desk = SimpleNamespace(draw=lambda given: {"result": next(draws)})
    both = {side: {"kind": "plan", "input": {"scenario": side}} for side in "ab"}
    with pytest.raises(jevons.InputError, match=r"b: counts in USD, a in CNY; .*jevons compare"):
        difference(desk, both, lambda kind, content: None)


def test_two_plans_are_a_quick_question_and_a_comparison_of_comparisons_is_refused():
    plan = {"kind": "plan", "input": {"scenario": "alibaba-380bn"}}
    question = asked("compare", {"a": plan, "b": plan})
    assert question.drawn
    assert question.quick
    train = {"kind": "train", "input": {"model": "llama-3.1-8b"}}
    assert not asked("compare", {"a": train, "b": train}).quick
    with pytest.raises(jevons.InputError, match="a: is a comparison itself"):
        asked("compare", {"a": {"kind": "compare", "input": dict(question.input)}, "b": plan})
    assert dataclasses.replace(question, kind="draw").drawn
