import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from jevons.errors import InputError
from jevons.study.draws.sampling import correlate, draw_amounts, latin_hypercube, rank_correlations, weakest_factor
from jevons.study.scenario.amounts import Amount
from jevons.study.scenario.changes import changed
from jevons.study.scenario.load import load
from places import ROOT


def test_each_column_is_stratified():
    drawn = latin_hypercube(7, ["a", "b"], 50)
    for column in drawn.T:
        assert sorted(np.floor(column * 50).astype(int)) == list(range(50))


def test_a_new_name_never_shifts_another_stream():
    alone = latin_hypercube(7, ["a"], 20)
    among = latin_hypercube(7, ["z", "a", "b"], 20)
    assert np.array_equal(alone[:, 0], among[:, 1])


def test_rank_correlations_are_induced_and_margins_kept():
    names = ["a", "b", "c"]
    drawn = latin_hypercube(3, names, 2000)
    moved = correlate(drawn, names, {("a", "c"): -0.6}, 3)
    assert spearmanr(moved[:, 0], moved[:, 2]).statistic == pytest.approx(-0.6, abs=0.03)
    assert abs(spearmanr(moved[:, 0], moved[:, 1]).statistic) < 0.06
    assert np.array_equal(np.sort(moved, axis=0), np.sort(drawn, axis=0))


def test_impossible_correlations_are_wrong_input():
    names = ["a", "b", "c"]
    pairs = {("a", "b"): 0.95, ("b", "c"): 0.95, ("a", "c"): -0.95}
    with pytest.raises(InputError, match="no joint distribution"):
        correlate(latin_hypercube(3, names, 20), names, pairs, 3)


def test_triangular_quantiles():
    amount = Amount(value=3.5, unit="1", low=1.0, high=5.0)
    u = np.array([0.0, (3.5 - 1) / (5 - 1), 1.0])
    assert amount.quantile(u) == pytest.approx([1.0, 3.5, 5.0])
    many = amount.quantile((np.arange(100_000) + 0.5) / 100_000)
    assert many.mean() == pytest.approx((1 + 3.5 + 5) / 3, rel=1e-4)


def test_ranges_of_factors_are_drawn_in_the_logarithm_and_do_not_lean():
    for low, value, high in ((0.01, 1.0, 100.0), (1000.0, 2000.0, 4000.0)):
        assert Amount(value=value, unit="1", low=low, high=high).quantile(np.array([0.5])) == pytest.approx([value])


def test_ranges_of_steps_are_drawn_on_the_line_and_do_not_lean():
    for low, value, high in ((0.2, 0.4, 0.6), (0.05, 0.5, 0.95), (-0.3, 0.0, 0.3), (-0.2, -0.1, 0.0)):
        drawn = Amount(value=value, unit="1", low=low, high=high).quantile(np.array([0.25, 0.5, 0.75]))
        assert drawn[1] == pytest.approx(value)
        assert drawn[2] - drawn[1] == pytest.approx(drawn[1] - drawn[0])


@given(
    near=st.floats(0.01, 10.0), wide=st.floats(1.01, 50.0), at=st.floats(0.0, 1.0),
    probability=st.floats(0.001, 0.999),
)  # fmt: skip
def test_a_range_and_its_mirror_image_are_drawn_alike(near, wide, at, probability):
    far = near * wide
    value = min(max(near * wide**at, near), far)
    here = Amount(value=value, unit="1", low=near, high=far).quantile(np.array([probability]))
    there = Amount(value=-value, unit="1", low=-far, high=-near).quantile(np.array([1 - probability]))
    assert here[0] == pytest.approx(-there[0])
    assert near * (1 - 1e-9) <= here[0] <= far * (1 + 1e-9)


def test_certain_amounts_do_not_vary():
    assert np.all(Amount(value=3.0, unit="1").quantile(np.array([0.1, 0.9])) == 3.0)


def test_sensitivity_ranks_the_strongest_input_first():
    rng = np.random.default_rng(1)
    values = rng.random((300, 3))
    ranked = rank_correlations(["a", "b", "c"], values, values[:, 0] - 5 * values[:, 1])
    assert ranked[0][0] == "b"
    assert ranked[0][1] < -0.8


def test_the_remedy_for_impossible_correlations_is_one():
    matrix = np.array([[1, 0.95, -0.95], [0.95, 1, 0.95], [-0.95, 0.95, 1]])
    factor = weakest_factor(matrix)
    assert np.linalg.eigvalsh(np.eye(3) + factor * (matrix - np.eye(3)))[0] > 0
    assert np.linalg.eigvalsh(np.eye(3) + (factor + 0.02) * (matrix - np.eye(3)))[0] < 0
    assert weakest_factor(np.eye(3)) == 1.0


@pytest.mark.slow
def test_a_correlated_amount_that_is_made_certain_leaves_all_other_draws_as_they_were():
    scenario = load(ROOT / "scenarios" / "alibaba-380bn.yaml")
    first, values = draw_amounts(scenario, 8, 7)
    for path, change in (
        ("serving.software_gain", 0.5), ("finance.terminal_margin", 0.2), ("hardware.devices.h20.supply", "x0"),
    ):  # fmt: skip
        assert any(path in one.between for one in scenario.study.correlations)
        second, others = draw_amounts(changed(scenario, {path: change}), 8, 7)
        assert set(first) - set(second) == {path}
        assert np.array_equal(values[:, [first.index(name) for name in second]], others)
