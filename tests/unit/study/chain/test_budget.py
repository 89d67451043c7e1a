"""Money by quarter, and amounts that contradict each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jevons.errors import InputError
from jevons.study import load, plan
from jevons.study.chain.budget import budget_path, released_cur
from places import TINY


@given(st.floats(1e-3, 1.0), st.integers(1, 40))
def test_all_of_the_budget_is_released_whatever_comes_first(share, quarters):
    path = released_cur(380e9, share * 380e9, quarters)
    assert path.sum() == pytest.approx(380e9, rel=1e-12)
    assert path.size == quarters
    assert np.all(path >= 0)
    if quarters > 1:
        assert path[0] == pytest.approx(share * 380e9, rel=1e-9)


def test_a_large_first_release_is_kept_and_a_line_falls_to_zero():
    assert released_cur(12.0, 2.0, 3) == pytest.approx([2, 4, 6])
    assert released_cur(12.0, 6.0, 4) == pytest.approx([6, 4, 2, 0])
    assert released_cur(12.0, 9.0, 4) == pytest.approx([9, 3, 0, 0])


def test_more_at_first_than_in_all_is_refused():
    with pytest.raises(InputError, match=r"budget_first = 13: must not exceed expansion.budget = 12"):
        released_cur(12.0, 13.0, 4)


def test_a_scenario_that_releases_most_at_once_spends_its_whole_budget():
    scenario = load(TINY).with_values({"expansion.budget_first": 0.5e9})
    path = budget_path(scenario)
    assert path[0] == pytest.approx(0.5e9 * 0.8)
    assert path.sum() == pytest.approx(0.6e9 * 0.8)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("budget_first: 0.1 bn CNY", "budget_first: 0.7 bn CNY", "expansion.budget_first: reaches 7e+08"),
        (
            "price: {input: 3 CNY/Mtok, cached: 3 CNY/Mtok, output: 9 CNY/Mtok}",
            "price: {input: 0 CNY/Mtok, cached: 0 CNY/Mtok, output: 9 CNY/Mtok}",
            "market.segments.chat: has no price: its calls cost nothing at the list price of `large`",
        ),
    ],
)
def test_contradictions_are_named_with_place_value_and_remedy(tmp_path, old, new, message):
    text = TINY.read_text().replace("output_tokens: 500", "output_tokens: 0")
    assert old in text
    path = tmp_path / "s.yaml"
    path.write_text(text.replace(old, new))
    with pytest.raises(InputError) as error:
        load(path)
    assert message in str(error.value)
    assert f"{path}:" in str(error.value)


def test_a_scenario_may_ask_for_whole_clusters_and_site_blocks(tmp_path):
    text = TINY.read_text()
    for old, new in (
        ("build_rate: 1 MW/quarter", "build_rate: 1 MW/quarter\n      block: 0.4 MW"),
        (
            "    growth: 0.2\nfinance:",
            "    growth: 0.2\n    cluster: 150\n    cluster_worth: 1 bn CNY/quarter\nfinance:",
        ),
    ):
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "s.yaml"
    path.write_text(text)
    found = plan(load(path), draws=0).chain.plan
    assert found.problem.training.cluster_cur_per_quarter == pytest.approx(np.full(4, 1e9))
    assert found.fleet.cluster.sum(axis=(0, 1)) == pytest.approx(np.ones(4))
    assert np.all(found.fleet.training_devices.max(axis=(0, 1)) >= 150 * (1 - 1e-9))
    added = np.diff(np.concatenate([found.problem.opening.initial_site_w, found.fleet.site_w[0]])) / 0.4e6
    assert added == pytest.approx(np.round(added), abs=1e-6)
