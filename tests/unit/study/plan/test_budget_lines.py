"""Budget lines of a plan: value by line sums to the total, and the best split is not beaten."""

import dataclasses

import numpy as np
import pytest

from jevons.errors import InputError
from jevons.expansion import split_value
from jevons.study import load, plan
from jevons.study.chain.accounts import budget_lines, lines_as_planned, whole_budget_cur
from jevons.study.plan.budget_lines import _envelope, plan_lines
from places import TINY

LINES = """
  lines:
    models: {share: 0.5, first_return: 0.9, scale: 20 m CNY, lag: 1 y, life: 5 y}
    upgrade: {label: Upgrades, share: 0.3, first_return: 0.7, scale: 10 m CNY, lag: 0.5 y, life: 4 y}
finance:"""


def with_lines(tmp_path, old="", new=""):
    path = tmp_path / "s.yaml"
    path.write_text(TINY.read_text().replace("\nfinance:", LINES.replace(old, new), 1))
    return load(path)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return plan(with_lines(tmp_path_factory.mktemp("lines")))


def test_value_by_line_sums_to_the_total(result):
    lines, value = result.lines, result.chain.accounts.valuation
    assert lines.value_cur[0] == pytest.approx(result.chain.accounts.plan_value_cur)
    assert lines.value_cur[1:].sum() == pytest.approx(value.lines_cur)
    assert lines.value_cur.sum() == pytest.approx(value.ai.total_cur + value.lines_cur)
    assert sum(amount for _, amount in value.bridge) == pytest.approx(value.equity_cur)
    assert dict(value.bridge)["Upgrades"] == pytest.approx(lines.value_cur[2])


def test_no_line_takes_more_than_there_is(result):
    lines = result.lines
    left = whole_budget_cur(result.scenario) * (1 - result.scenario.expansion.ai_share.value)
    assert lines.spent_cur[1:] == pytest.approx([0.5 * left, 0.3 * left])
    assert lines.spent_cur.sum() <= lines.budget_cur * (1 + 1e-9)
    assert lines.best_spent_cur.sum() <= lines.budget_cur * (1 + 1e-9)


def test_no_other_split_is_worth_more(result):
    lines, scenario = result.lines, result.scenario
    best = lines.best_value_cur.sum()
    assert best >= lines.value_cur.sum() * (1 - 1e-9)
    rng = np.random.default_rng(3)
    for spent, value in zip(lines.curve_spent_cur, lines.curve_value_cur, strict=True):
        for share in rng.dirichlet(np.ones(3), 30)[:, :2] * max(lines.budget_cur - spent, 0.0):
            other = split_value(budget_lines(scenario), share, wacc_frac=scenario.cost.wacc.value)
            assert value + other.total_value_cur <= best * (1 + 1e-9) + 1.0


def test_the_lines_count_in_the_value_of_the_share_and_without_them_nothing_changes(result):
    bare = result.scenario.model_copy(update={"expansion": result.scenario.expansion.model_copy(update={"lines": {}})})
    other = plan(bare)
    assert other.lines is None
    value, without = result.chain.accounts.valuation, other.chain.accounts.valuation
    assert value.equity_cur - without.equity_cur == pytest.approx(value.lines_cur)


def test_shares_beyond_what_infrastructure_leaves_are_named(tmp_path):
    with pytest.raises(InputError, match=r"expansion\.lines: shares reach 0\.9 \+ 0\.3 = 1\.2: must sum to at most 1"):
        with_lines(tmp_path, "share: 0.5", "share: 0.9")
    drawn = with_lines(tmp_path).with_numbers({"expansion.lines.models.share": 0.9})  # nothing is checked there
    with pytest.raises(InputError, match=r"expansion\.lines: shares sum to 1\.2: must not exceed 1"):
        lines_as_planned(drawn)


def test_an_envelope_keeps_the_corners_of_a_concave_curve_and_skips_dents():
    x, y = _envelope(np.array([0.0, 1.0, 2.0, 3.0, 3.0]), np.array([0.0, 1.0, 5.0, 4.0, 6.0]))
    assert x == pytest.approx([0, 2, 3])
    assert y == pytest.approx([0, 5, 6])


def test_a_scenario_without_other_lines_has_no_split(result):
    chain = result.chain
    bare = chain.scenario.model_copy(update={"expansion": chain.scenario.expansion.model_copy(update={"lines": {}})})
    assert plan_lines(dataclasses.replace(chain, scenario=bare)) is None
