"""Failures against published runs: Llama 3 (16,384 devices), Meta's RSC-1 and OPT (1,024), BLOOM (384)."""

import math
from dataclasses import replace

import numpy as np
import pytest

from jevons.errors import InfeasibleError, InputError
from jevons.training.failures import (
    best_interval_s,
    failure_model,
    outlook,
    spare_nodes,
    straggler_frac,
    useful_frac,
)

MODEL = failure_model()


def test_llama_3s_interruptions_and_effective_time():
    # 419 unexpected interruptions in 54 days on 16,384 devices; more than 90 % of the time effective.
    assert MODEL.per_h(16_384) * 54 * 24 == pytest.approx(419, rel=0.1)
    mttf_s = MODEL.mttf_h(16_384) * 3600
    interval_s = best_interval_s(MODEL.checkpoint_s, mttf_s)
    assert 0.90 < useful_frac(interval_s, MODEL.checkpoint_s, MODEL.restart_s, mttf_s) < 0.95


@pytest.mark.parametrize("measured_h", [7.9, 7.5], ids=["rsc-1", "opt-175b"])
def test_jobs_of_1024_devices_fail_as_measured_only_with_a_rate_of_the_job_itself(measured_h):
    assert MODEL.mttf_h(1024) == pytest.approx(measured_h, rel=0.3)
    assert 1.0 / (MODEL.device_per_h * 1024) > 5.0 * measured_h


def test_blooms_devices_fail_about_once_a_week():
    assert 1.0 / (MODEL.device_per_h * 384 * 24) == pytest.approx(7.0, rel=0.1)


def test_spares_are_what_opt_asked_for():
    # Two machines a day go down; 12 spare hosts were requested.
    two_a_day = replace(MODEL, device_per_h=2.0 / 24 / 1024)
    assert spare_nodes(two_a_day, 1024) == 12


def test_the_best_interval_beats_its_neighbours_and_tends_to_young():
    mttf_s, pause_s = 3.0 * 3600, 30.0
    best = best_interval_s(pause_s, mttf_s)
    for other in (0.8 * best, 1.25 * best):
        assert useful_frac(best, pause_s, 300.0, mttf_s) > useful_frac(other, pause_s, 300.0, mttf_s)
    assert best_interval_s(1e-3, mttf_s) == pytest.approx(math.sqrt(2e-3 * mttf_s), rel=1e-3)


@pytest.mark.parametrize("devices", [1024, 16_384, 100_000])
def test_drawn_runs_have_the_expected_length(devices):
    found = outlook(MODEL, devices, 30.0, np.random.default_rng(7), draws=400)
    assert found.days["mean"] == pytest.approx(30.0 / found.goodput_frac, rel=0.02)
    assert found.days["p5"] < found.days["p50"] < found.days["p95"]
    again = outlook(MODEL, devices, 30.0, np.random.default_rng(7), draws=400)
    assert again == found


def test_more_devices_mean_more_failures_spares_and_stragglers():
    small, large = (outlook(MODEL, n, 10.0, np.random.default_rng(1)) for n in (1000, 50_000))
    assert large.mttf_h < small.mttf_h
    assert large.interval_s < small.interval_s
    assert large.goodput_frac < small.goodput_frac
    assert large.spare_nodes > small.spare_nodes
    assert 0.0 < straggler_frac(MODEL, 8) < straggler_frac(MODEL, 8000) <= MODEL.slow_loss_frac


def test_failures_faster_than_restarts_are_refused():
    with pytest.raises(InfeasibleError, match=r"fail every .* min on average, less than a restart"):
        outlook(MODEL, 1_000_000, 1.0, np.random.default_rng(1))
    with pytest.raises(InputError, match="work_days = 0"):
        outlook(MODEL, 8, 0.0, np.random.default_rng(1))
