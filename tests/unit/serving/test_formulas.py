import numpy as np
import pytest

from jevons.serving.formulas import chunked_pass_s, exposed_comm_s, pareto_front, shared_tpot_s


def test_full_overlap_takes_the_longer_of_the_two():
    comm, busy = np.array([1.0, 3.0]), np.array([2.0, 2.0])
    np.testing.assert_allclose(busy + exposed_comm_s(comm, busy, 1.0), [2.0, 3.0])
    np.testing.assert_allclose(exposed_comm_s(comm, busy, 0.0), comm)


def test_prompts_of_others_stretch_each_token():
    # 11 requests, 100 decode steps each: 10 other prompts of 1 s fall into 100 steps, 0.1 s per step.
    tpot = shared_tpot_s(np.array([0.02]), np.array([11.0]), np.array([1.0]), 100.0)
    assert tpot[0] == pytest.approx(0.12)


def test_chunks_fill_a_pipeline():
    assert chunked_pass_s(np.full(4, 8.0), 1) == pytest.approx(32.0)
    assert chunked_pass_s(np.full(4, 8.0), 4) == pytest.approx((4 + 4 - 1) * 2.0)


def test_front_keeps_only_undominated_points():
    latency, rate = np.array([1.0, 2.0, 3.0, 2.0]), np.array([5.0, 4.0, 9.0, 6.0])
    assert pareto_front(latency, rate) == [True, False, True, True]
