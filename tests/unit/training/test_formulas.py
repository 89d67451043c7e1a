import pytest

from jevons.training.formulas import bubble_s, exposed_s, gap_s, slowest_stage_s


def test_bubble_of_one_forward_one_backward():
    # Four stages of 1 s: three stage times to fill and drain, halved by two virtual stages, none without a pipeline.
    assert bubble_s(1.0, 4, 1) == pytest.approx(3.0)
    assert bubble_s(1.0, 4, 2) == pytest.approx(1.5)
    assert bubble_s(1.0, 4, 1, zero_bubble=True) == pytest.approx(1.0)
    assert bubble_s(1.0, 1, 1) == 0.0


def test_head_takes_layers_from_the_last_stage():
    assert slowest_stage_s(1.0, 2.0, 126, 16) == pytest.approx(8.0)
    assert slowest_stage_s(1.0, 0.0, 32, 4) == pytest.approx(8.0)
    assert slowest_stage_s(1.0, 3.0, 32, 1) == pytest.approx(35.0)
    assert slowest_stage_s(1.0, 20.0, 32, 4) == pytest.approx(20.0)


def test_hidden_communication_is_bounded_by_what_hides_it():
    assert exposed_s(10.0, 4.0, 1.0) == pytest.approx(6.0)
    assert exposed_s(3.0, 4.0, 1.0) == pytest.approx(0.0)
    assert exposed_s(3.0, 4.0, 0.5) == pytest.approx(1.5)


def test_a_device_waits_for_its_host_where_launches_take_as_long_as_the_work():
    assert gap_s(3.0, 4.0) == pytest.approx(1.0)
    assert gap_s(1.0, 0.0) == pytest.approx(1.0)
    assert gap_s(1.0, 100.0) == pytest.approx(0.005, rel=1e-3)
    assert gap_s(0.0, 4.0) == 0.0
