"""The update by a few runs: what they agree on is learned, what they contradict each other on is not."""

import numpy as np
import pytest

from jevons.validation.fit.update import Evidence, update


def evidence(decode, first, sigma=(0.15, 0.3)):
    """Runs whose errors per token and of first tokens are given; two paces, and no other factor."""
    count = len(decode)
    slope = np.repeat(np.eye(2), count, axis=0)
    return Evidence(
        error=np.concatenate([decode, first]), slope=slope, sigma=np.array(sigma), run=np.tile(np.arange(count), 2),
        kind=np.array(["tpot"] * count + ["ttft"] * count),
    )  # fmt: skip


def test_runs_that_miss_alike_are_learned_from():
    moved = update(evidence([0.5, 0.52, 0.48, 0.5], [0.0, 0.02, -0.02, 0.0]))
    assert moved[0] == pytest.approx(-0.5, abs=0.1)
    assert moved[1] == pytest.approx(0.0, abs=0.05)


def test_runs_that_contradict_each_other_move_little():
    moved = update(evidence([1.2, -1.1, 0.9, -1.3], [1.5, -1.2, -0.9, 1.1]))
    assert np.abs(moved).max() < 0.1


def test_one_outlier_does_not_carry_the_others_away():
    with_it = update(evidence([0.3, 0.32, 0.28, 3.0], [0.0, 0.0, 0.0, 0.0]))
    assert with_it[0] == pytest.approx(-0.3, abs=0.12)


def test_an_update_does_not_make_a_deployments_other_runs_much_worse():
    rng = np.random.default_rng(5)
    worse = []
    for _ in range(200):
        own, scatter = rng.normal(0.0, 0.3), rng.uniform(0.02, 0.8)
        errors = own + rng.normal(0.0, scatter, 12)
        moved = update(evidence(errors[:4], rng.normal(0.0, 0.6, 4)))
        worse.append(np.median(np.abs(errors[4:] + moved[0])) / np.median(np.abs(errors[4:])))
    assert np.median(worse) < 0.98
    assert np.quantile(worse, 0.9) < 1.25


def test_no_runs_move_nothing_and_one_moves_little():
    assert not update(evidence([], [])).any()
    one = update(evidence([0.5], [0.5]))
    assert -0.5 < one[0] < 0.0
