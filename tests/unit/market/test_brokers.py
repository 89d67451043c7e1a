"""Brokers: what they expect of rents, and what they hold back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.market.test_market import inputs

from jevons.errors import InputError
from jevons.market import BrokerTerms, expected_rise_frac, market_path, withheld_frac

TERMS = BrokerTerms(carry_frac=0.1, extrapolation=0.5, hoard_frac=0.6, start_rise_frac=0.2)


def test_the_last_change_is_carried_on_in_part():
    rents = np.array([[8.0, 10.0, 12.0], [9.0, 9.0, 6.0]])
    assert expected_rise_frac(rents, TERMS) == pytest.approx([0.1, -1 / 6])


def test_until_two_quarters_are_seen_the_given_rise_is_expected():
    for quarters in (0, 1):
        assert expected_rise_frac(np.full((3, quarters), 8.0), TERMS) == pytest.approx([0.2] * 3)


def test_a_chip_that_was_not_in_the_market_is_expected_to_stand_still():
    assert expected_rise_frac(np.array([[0.0, 8.0], [8.0, 0.0], [0.0, 0.0]]), TERMS) == pytest.approx([0.0] * 3)


def test_nothing_is_held_back_up_to_the_cost_of_holding_and_all_that_can_be_at_twice_that():
    rise = np.array([-0.5, 0.0, 0.1, 0.15, 0.2, 3.0])
    assert withheld_frac(rise, 0.1, 0.6) == pytest.approx([0, 0, 0, 0.3, 0.6, 0.6])


@given(st.floats(-0.9, 3), st.floats(0, 1), st.floats(0.01, 1), st.floats(0, 0.95))
def test_a_higher_expected_rise_never_has_less_held_back(rise, more, carry, hoard):
    low, high = withheld_frac(rise, carry, hoard), withheld_frac(rise + more, carry, hoard)
    assert 0 <= low <= high <= hoard


def test_faults_of_the_terms_are_named_together():
    with pytest.raises(InputError) as error:
        BrokerTerms(carry_frac=0.0, extrapolation=-1.0, hoard_frac=1.0, start_rise_frac=-1.0)
    text = str(error.value)
    for part in (
        "carry_frac: 0: must be above 0",
        "extrapolation: -1",
        "hoard_frac: 1: must be",
        "start_rise_frac: -1",
    ):
        assert part in text


def test_what_brokers_let_leaves_the_providers_renters_and_nobody_elses():
    share = np.linspace(0.0, 0.5, 12)
    for counts in (True, False):
        kind = {"counts_tokens": np.array([counts]), "quarters": 12}
        with_them, alone = market_path(inputs(brokers_frac=share, **kind)), market_path(inputs(**kind))
        kept = 1.0 if counts else 1.0 - share
        assert with_them.calls_per_d[0] == pytest.approx(alone.calls_per_d[0] * kept)
        assert with_them.market_calls_per_d == pytest.approx(alone.market_calls_per_d)
