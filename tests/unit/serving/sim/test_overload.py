"""The rule that says whether a load outgrows its replicas, on loads whose answer is plain arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from jevons.serving.sim.overload import STABLE, backlog_of, overload_of


def _finished(arrival: np.ndarray, pace_per_s: float) -> np.ndarray:
    """Return when one server that finishes *pace_per_s* is done with each."""
    finish = np.empty_like(arrival)
    free_s = 0.0
    for place, came_s in enumerate(arrival):
        free_s = max(free_s, came_s) + 1.0 / pace_per_s
        finish[place] = free_s
    return finish


def test_arrivals_above_the_pace_are_an_overload_by_their_ratio() -> None:
    arrival = np.arange(1, 2001) / 10.0
    finish = _finished(arrival, 8.0)
    seen = overload_of(backlog_of(arrival, float(finish.max()), finish), busy_frac=1.0)
    assert seen.overload_frac == pytest.approx(10.0 / 8.0 - 1.0, abs=0.005)
    assert seen.capacity_req_per_s == pytest.approx(8.0, rel=0.005)


@pytest.mark.parametrize("pace", [10.0, 12.0])
def test_a_pace_of_the_arrivals_or_above_is_stable(pace: float) -> None:
    arrival = np.arange(1, 2001) / 10.0
    finish = _finished(arrival, pace)
    assert overload_of(backlog_of(arrival, float(finish.max()), finish), busy_frac=1.0) == STABLE


def test_replicas_that_rest_are_not_overloaded() -> None:
    arrival = np.arange(1, 2001) / 10.0
    finish = _finished(arrival, 8.0)
    assert overload_of(backlog_of(arrival, float(finish.max()), finish), busy_frac=0.9) == STABLE


def test_a_burst_at_the_end_of_a_slow_load_is_stable() -> None:
    arrival = np.concatenate([np.linspace(0.5, 50.0, 100), np.full(600, 50.5), np.full(300, 100.0)])
    finish = _finished(arrival, 12.0)
    assert overload_of(backlog_of(arrival, float(finish.max()), finish), busy_frac=1.0) == STABLE


def test_a_load_that_is_over_before_anything_is_finished_counts_its_whole_run() -> None:
    arrival = np.linspace(0.01, 1.0, 400)
    finish = np.linspace(20.0, 40.0, 400)
    backlog = backlog_of(arrival, 30.0, finish)
    seen = overload_of(backlog, busy_frac=1.0)
    assert seen.overload_frac == pytest.approx(39.0)
    assert seen.capacity_req_per_s == pytest.approx(10.0)
    assert overload_of(backlog_of(arrival, 1.5, finish), busy_frac=1.0) == STABLE
