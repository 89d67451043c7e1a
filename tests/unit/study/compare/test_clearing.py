"""The margin and the capital per revenue at which a business returns its cost of capital."""

from __future__ import annotations

from dataclasses import replace

import pytest

import jevons
from jevons.study.compare.clearing import Clearing

ONE = Clearing(when="mature", margin_frac=0.2, capital_per_revenue=1.5, tax_frac=0.2, wacc_frac=0.1)


def test_at_its_clearing_margin_or_capital_a_business_returns_its_cost() -> None:
    assert ONE.return_frac == pytest.approx(0.2 * 0.8 / 1.5)
    assert replace(ONE, margin_frac=ONE.clearing_margin_frac).return_frac == pytest.approx(0.1)
    assert replace(ONE, capital_per_revenue=ONE.clearing_capital_per_revenue).return_frac == pytest.approx(0.1)


def test_no_capital_clears_a_loss() -> None:
    loss = replace(ONE, margin_frac=-0.1)
    assert loss.clearing_capital_per_revenue == 0
    assert not loss.record()["clears"]


def test_a_comparison_states_what_each_side_needs_to_clear() -> None:
    both = jevons.compare("tests/unit/study/tiny.yaml", set={"cost.wacc": 0.2}, draws=0)
    clears = both.to_json()["clears"]
    assert [one["wacc_frac"] for one in clears["b"]] == [0.2, 0.2]
    for one, other in zip(clears["a"], clears["b"], strict=True):
        assert one["clearing_margin_frac"] < other["clearing_margin_frac"]
    assert "margin that clears" in str(both.tables["clears"])
