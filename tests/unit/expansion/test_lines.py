"""Three budget lines: value by line sums to the total, and the best split is the best."""

import dataclasses
import itertools

import numpy as np
import pytest
from scipy.integrate import quad

from jevons.errors import InfeasibleError, InputError
from jevons.expansion import BudgetLine, best_split, line_factor, split_value

LINES = (
    BudgetLine(name="infrastructure", first_return_frac=0.9, scale_cur=200.0, lag_y=1.0, life_y=8.0),
    BudgetLine(name="models and applications", first_return_frac=1.3, scale_cur=60.0, lag_y=2.0, life_y=8.0),
    BudgetLine(name="existing business", first_return_frac=1.1, scale_cur=40.0, lag_y=0.5, life_y=6.0),
)


def test_the_factor_is_the_integral_of_the_falling_stream():
    for line, wacc in itertools.product(LINES, (0.0, 1e-6, 0.05, 0.12)):
        rate = np.log1p(wacc)
        whole = quad(
            lambda t, line=line, rate=rate: (1 - t / line.life_y) * np.exp(-rate * (line.lag_y + t)), 0, line.life_y
        )
        assert line_factor(line, wacc) == pytest.approx(whole[0], rel=1e-6)


def test_value_by_line_sums_to_the_total_and_marginals_are_equal():
    found = best_split(LINES, 200.0, wacc_frac=0.1)
    assert found.value_cur.sum() == pytest.approx(found.total_value_cur)
    assert found.spent_cur.sum() == pytest.approx(200.0)
    assert found.marginal == pytest.approx(np.full(3, found.marginal[0]), rel=1e-9)
    assert found.marginal[0] > 1


def test_no_other_split_on_a_grid_is_worth_more():
    best = best_split(LINES, 200.0, wacc_frac=0.1).total_value_cur
    others = [
        split_value(LINES, np.array([a, b, 200.0 - a - b]), wacc_frac=0.1).total_value_cur
        for a, b in itertools.product(np.arange(0, 201, 5.0), repeat=2)
        if a + b <= 200
    ]
    assert best >= max(others)
    assert best == pytest.approx(max(others), rel=1e-2)


def test_the_marginal_is_what_one_more_yuan_returns():
    spent = np.array([50.0, 30.0, 20.0])
    base = split_value(LINES, spent, wacc_frac=0.1)
    for i in range(3):
        more = split_value(LINES, spent + 1e-4 * np.eye(3)[i], wacc_frac=0.1)
        gain = (more.total_value_cur - base.total_value_cur) / 1e-4
        assert gain == pytest.approx(base.marginal[i] - 1, rel=1e-4)


def test_money_that_earns_less_than_its_cost_stays_unspent():
    found = best_split(LINES, 1e4, wacc_frac=0.1)
    assert found.unspent_cur > 0
    assert found.marginal == pytest.approx(np.ones(3))
    assert best_split(LINES, 2e4, wacc_frac=0.1).total_value_cur == pytest.approx(found.total_value_cur)


def test_a_longer_lag_moves_money_away():
    late = (dataclasses.replace(LINES[0], lag_y=3.0), *LINES[1:])
    assert best_split(late, 200.0, wacc_frac=0.1).spent_cur[0] < best_split(LINES, 200.0, wacc_frac=0.1).spent_cur[0]


def test_commitments_bind_and_beyond_the_budget_have_no_answer():
    held = (LINES[0], dataclasses.replace(LINES[1], least_cur=120.0), LINES[2])
    assert best_split(held, 200.0, wacc_frac=0.1).spent_cur[1] == pytest.approx(120.0)
    with pytest.raises(InfeasibleError, match=r"commitments of 120 exceed the budget of 100"):
        best_split(held, 100.0, wacc_frac=0.1)


def test_faults_of_lines_are_named_together():
    bad = (dataclasses.replace(LINES[0], scale_cur=0.0), dataclasses.replace(LINES[1], least_cur=9.0, most_cur=3.0))
    with pytest.raises(InputError) as error:
        best_split(bad, 200.0, wacc_frac=0.1)
    assert "infrastructure.scale_cur: 0: must be above 0 and finite" in str(error.value)
    assert "models and applications.most_cur: 3: must be at least least_cur, 9" in str(error.value)
