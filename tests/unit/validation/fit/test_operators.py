"""The operators' fit: known factors come back, and rows held out are judged by kernels that never saw them."""

import numpy as np
import pytest

from jevons.hardware import accelerator
from jevons.operators.families import matrix_rates
from jevons.operators.types import PRECISIONS
from jevons.validation.fit import operator_errors as errors
from jevons.validation.fit import operators as fit
from jevons.validation.fit.operators import PLANS, Sample, fit_and_judge, fit_values, folds_of, physics

PLAN = PLANS["gemm"]
TRUE = {name: bound[0] for name, bound in PLAN.bounds.items()} | {
    "compute_frac": 0.62, "memory_frac": 0.9, "launch_s": 9e-6
}  # fmt: skip


def sample_of(noise=0.0, seed=3):
    """Return products whose times are physics with known factors."""
    draw = np.random.default_rng(seed)
    widths = ((4096, 4096), (8192, 4096), (4096, 14336), (28672, 8192), (8192, 28672), (1024, 512))
    shapes = [(m, n, k) for n, k in widths for m in (1, 8, 64, 256, 1024, 4096, 16384)]
    m, n, k = np.array(shapes, float).T
    shape = {"m": m, "n": n, "k": k, "count": np.ones(len(m)), "out_bytes": np.full(len(m), 2.0)}
    rates = matrix_rates(accelerator("h200_sxm"), PRECISIONS["bf16"], repeated=True)
    key = ("gemm", "h200_sxm", "vllm", "bf16", "")
    empty = Sample(key=key, rates=rates, shape=shape, log_s=np.zeros(len(m)))
    log_s = physics(PLAN.family, empty, TRUE) + noise * draw.standard_normal(len(m))
    return Sample(key=key, rates=rates, shape=shape, log_s=log_s)


def test_known_factors_are_found_again():
    found = fit_values(PLAN, sample_of(noise=0.01), None, 1e-4)
    assert found["compute_frac"] == pytest.approx(TRUE["compute_frac"], rel=0.05)
    assert found["memory_frac"] == pytest.approx(TRUE["memory_frac"], rel=0.05)
    assert found["launch_s"] == pytest.approx(TRUE["launch_s"], rel=0.1)


def test_a_pull_towards_the_prior_holds_what_rows_do_not_say():
    few = sample_of().part(np.arange(3))
    held = fit_values(PLAN, few, TRUE | {"compute_frac": 0.5}, 10.0)
    assert held["compute_frac"] == pytest.approx(0.5, rel=0.02)


def test_groups_held_out_are_never_in_the_fit(monkeypatch):
    sample = sample_of(noise=0.02)
    (fold,) = folds_of(PLAN, [sample])
    groups = list(zip(sample.shape["n"], sample.shape["k"], strict=True))
    by_fold = {number: {groups[i] for i in np.flatnonzero(fold == number)} for number in set(fold.tolist())}
    seen = []
    original = fit.fit_kernels

    def recorded(plan, samples, prior):
        seen.append({pair for s in samples for pair in zip(s.shape["n"], s.shape["k"], strict=True)})
        return original(plan, samples, prior)

    monkeypatch.setattr(fit, "fit_kernels", recorded)
    fit_and_judge(("gemm", [sample], TRUE))
    whole, *trials = seen
    assert whole == set(groups)
    assert [whole - trial for trial in trials] == [by_fold[number] for number in sorted(by_fold)]


def test_the_error_of_a_group_held_out_ignores_how_it_was_measured():
    sample = sample_of(noise=0.02)
    (fold,) = folds_of(PLAN, [sample])
    out = fold == 0
    spoilt = sample.part(np.ones(len(out), bool))
    spoilt.log_s[out] += 0.7
    (before,), (after,) = (fit_and_judge(("gemm", [one], TRUE)) for one in (sample, spoilt))
    np.testing.assert_allclose(after.held_out[out], before.held_out[out] - 0.7, atol=1e-6)
    assert np.abs(after.fitted[out]).mean() > np.abs(before.fitted[out]).mean()


def test_eight_of_ten_rows_lie_within_the_error_and_devices_count_alike():
    wide, narrow = np.full(1000, 0.5), np.full(60, 0.1)
    long = np.log(1e-3)
    parts = [(wide, np.full(1000, long)), (narrow, np.full(60, long))]
    assert errors.error_of(parts, True) == pytest.approx(np.expm1(0.5))
    assert errors.error_of([parts[1]] * 9 + [parts[0]], True) == pytest.approx(np.expm1(0.1))
    assert errors.error_of(parts, False) is None


def test_coverage_is_that_of_a_limit_set_without_the_device():
    log_s = np.full(10, np.log(1e-3))
    residuals = {"kin": {"a": (np.full(10, 0.1), log_s), "b": (np.full(10, 0.3), log_s)}}
    assert errors.coverage_by_distance(residuals) == {"kin": (20, 0.5)}


def test_a_kernel_with_few_rows_takes_mostly_its_familys_error():
    family = errors.Errors(0.5, 0.6)
    widths = []
    for rows in (2, 2000):
        sample = sample_of().part(np.arange(rows) % 7)
        sample.log_s = np.full(rows, np.log(1e-3))
        one = fit.Fitted(
            sample=sample, kernel=None, fitted=None, held_out=np.full(rows, np.log(1.1)), held_out_physics=None
        )
        widths.append(errors.own_error(one, family))
    assert widths[0].long == pytest.approx((2 * 0.1 + 20 * 0.5) / 22)
    assert widths[1].long == pytest.approx(0.1, abs=0.01)
    assert widths[0].short == family.short


def test_a_memory_bound_table_of_long_calls_is_not_taken_for_an_eager_host():
    sample = sample_of()
    long = sample.part(sample.log_s > np.log(40e-6))
    assert fit.bounds_of(PLAN, long)["host_s"][0] == fit.OFF
    slow = long.part(np.ones(len(long.log_s), bool))
    slow.log_s = np.maximum(slow.log_s, np.log(4e-4))
    assert fit.bounds_of(PLAN, slow)["host_s"][0] > 1e-4
