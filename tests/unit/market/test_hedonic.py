"""Rents follow what an hour does in each use: one price of work a use, a frontier, idle stock, contracts and age."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jevons.market import (
    RentCurve,
    UseMarket,
    clear_uses,
    contract_rents,
    frontier_cur_per_h,
    rent_cur_per_h,
    resale_cur,
)

CURVE = RentCurve(0.75, 0.5, 0.8)
PERFORMANCE = np.array([[1.0, 0.84], [1.0, 6.68]])  # H20 and H800: bandwidth and matrix peak
TERMS = {"elasticity": -1.0, "following": 3.0}


def market(answers=90.0, training=20.0, stock=(100.0, 30.0), frontier=(10.0, 5.0)):
    return UseMarket(
        wanted=np.array([answers, training]),
        shown_cur_per_h=np.array([10.0, 5.0]),
        offered_h=np.array(stock),
        performance=PERFORMANCE,
        frontier_cur_per_h=np.array(frontier),
        running_cur_per_h=np.array([1.3, 2.4]),
    )


def test_one_equation_gives_the_glut_of_one_chip_and_the_shortage_of_another():
    found = clear_uses(market(), CURVE, **TERMS)
    h20, h800 = found.rent_cur_per_h(PERFORMANCE)
    assert found.let_frac[0] > CURVE.tight_frac > found.let_frac[1]
    assert h20 > 10.0  # above full cost
    assert h800 < 0.6 * 5.0 * 6.68  # far below what compute on the frontier would cost


def test_prices_lie_on_the_curve_of_their_use_and_demand_meets_the_let_hours():
    found = clear_uses(market(), CURVE, **TERMS)
    for use, full in enumerate((10.0, 5.0)):
        floor = min(1.3, 2.4 / PERFORMANCE[use, 1])
        assert found.price_cur_per_h[use] == pytest.approx(
            float(rent_cur_per_h(found.let_frac[use], full, floor, CURVE)), rel=1e-4
        )
    work = (found.share_frac * PERFORMANCE * np.array([100.0, 30.0])).sum(axis=1)
    wanted = np.array([90.0, 20.0]) * (found.price_cur_per_h / np.array([10.0, 5.0])) ** -1.0
    assert found.let_frac * work == pytest.approx(wanted, rel=1e-4)


@given(st.floats(1, 400), st.floats(1, 400), st.floats(1, 500), st.floats(1, 200), st.floats(1.0, 3.0))
def test_more_demand_never_lowers_a_rent_and_more_stock_never_raises_one(answers, training, h20, h800, more):
    def rents(**values):
        return clear_uses(market(**values), CURVE, **TERMS).rent_cur_per_h(PERFORMANCE)

    base = rents(answers=answers, training=training, stock=(h20, h800))
    assert np.all(rents(answers=more * answers, training=training, stock=(h20, h800)) >= base * (1 - 1e-3))
    assert np.all(rents(answers=answers, training=training, stock=(more * h20, more * h800)) <= base * (1 + 1e-3))


def test_while_stock_stands_idle_nobody_can_raise_a_rent():
    low = np.array([4.0, 1.5])
    grown = clear_uses(market(answers=20.0, training=20.0), CURVE, **TERMS, before_cur_per_h=low)
    assert np.all(grown.price_cur_per_h <= low * (1 + 1e-6))
    assert np.all(grown.let_frac <= CURVE.tight_frac + 1e-9)
    short = clear_uses(market(answers=200.0), CURVE, **TERMS, before_cur_per_h=low)
    assert short.price_cur_per_h[0] > 10.0


def test_the_frontier_is_the_cheapest_work_on_sale_and_stands_where_nothing_is():
    cost = np.array([[8.0, 7.0, 7.0], [16.0, 16.0, 16.0]])
    sold = np.array([[True, True, False], [False, False, False]])
    assert frontier_cur_per_h(PERFORMANCE, cost, sold)[0] == pytest.approx([8.0, 7.0, 7.0])
    better = frontier_cur_per_h(PERFORMANCE, cost, np.array([[True] * 3, [True] * 3]))
    assert better[1] == pytest.approx([16.0 / 6.68] * 3)


def test_an_old_chip_falls_with_the_frontier():
    rents = [
        clear_uses(market(frontier=(10.0 * fall, 5.0 * fall)), CURVE, **TERMS).rent_cur_per_h(PERFORMANCE)
        for fall in (1.0, 0.7, 0.4)
    ]
    assert np.all(np.diff(np.array(rents), axis=0) < 0)


def test_long_contracts_are_cheaper_than_spot_when_short_and_dearer_when_idle():
    short = contract_rents(np.array([20.0]), np.array([10.0]), reversion_frac=0.4, decay_frac=0.0)[:, 0]
    idle = contract_rents(np.array([4.0]), np.array([10.0]), reversion_frac=0.4, decay_frac=0.0)[:, 0]
    assert np.all(np.diff(short) < 0)
    assert np.all(np.diff(idle) > 0)
    assert short[0] == 20.0
    decayed = contract_rents(np.array([10.0]), np.array([10.0]), reversion_frac=0.4, decay_frac=0.25)[:, 0]
    assert np.all(np.diff(decayed) < 0)


def test_resale_value_falls_with_age_to_nothing_at_the_end_of_service_and_stays_under_a_new_device():
    ages = np.array([0.0, 2.0, 4.0, 6.0])
    worth = resale_cur(
        np.full(4, 10.0), np.full(4, 0.8), np.full(4, 1.3), 6.0 - ages, wacc_frac=0.1, decay_frac=0.25,
        new_cur=np.array([np.inf] * 4),
    )  # fmt: skip
    assert np.all(np.diff(worth) < 0)
    assert worth[-1] == 0
    capped = resale_cur(10.0, 0.8, 1.3, 6.0, wacc_frac=0.1, decay_frac=0.25, new_cur=np.array(1e5))
    assert capped == 1e5
