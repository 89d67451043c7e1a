import numpy as np
import pytest

from jevons.expansion import in_service, marginal_revenue


def test_in_service_runs_from_lead_for_the_length_of_life():
    service = in_service(np.array([1, 0]), np.array([2, 1]), 4)
    assert service[0].astype(int).tolist() == [[0, 1, 1, 0], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]]
    assert service[1].astype(int).tolist() == np.eye(4, dtype=int).tolist()


def test_marginal_revenue_of_linear_demand_falls_twice_as_fast_as_price():
    sizes = np.array([10.0, 30.0, 20.0, 40.0])
    middles = np.cumsum(sizes) - sizes / 2
    assert marginal_revenue(100 - 0.5 * middles, sizes) == pytest.approx(100 - middles)


def test_marginal_revenue_never_rises_and_keeps_the_total():
    values, sizes = np.array([10.0, 2.0, 1.9, 1.8]), np.array([1.0, 1.0, 10.0, 10.0])
    gained = marginal_revenue(values, sizes)
    assert (np.diff(gained) <= 1e-12).all()
    last_edge = 1.8 - 0.1 / 2
    assert (gained * sizes).sum() == pytest.approx(22 * last_edge)


def test_one_block_and_empty_blocks_keep_their_value():
    assert marginal_revenue(np.array([[5.0]]), np.array([[2.0]])) == pytest.approx(5.0)
    assert np.isfinite(marginal_revenue(np.array([5.0, 4.0, 3.0]), np.array([0.0, 0.0, 0.0]))).all()
