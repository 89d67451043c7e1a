"""The fit of memory: what it adds up is what is shipped, and whole groups left out are predicted."""

import csv
from pathlib import Path

import numpy as np
import pytest

from jevons.training import TrainingLayout, memory_bytes, training_factors
from jevons.validation.fit.memory import (
    fit_startups,
    outcome_bytes,
    outcome_counts,
    read_outcomes,
    read_startups,
    shipped,
    shipped_outcome_factors,
    startups_held_out,
)
from jevons.validation.training.cases import read_training_case

DATA = Path(__file__).parents[3] / "data"
LAYOUTS = DATA / "training" / "h100_layouts.csv"


@pytest.fixture(scope="module")
def starts():
    return read_startups(DATA / "serving" / "vllm_memory.csv")


def test_fitted_factors_are_near_the_shipped_ones(starts):
    fitted = fit_startups(starts)
    for name in ("newer.sampler_bytes", "older.sampler_bytes", "hidden_copies", "newer.comm_bytes"):
        assert fitted[name] == pytest.approx(shipped(name), rel=0.1)


@pytest.mark.slow
def test_models_left_out_have_their_tokens_within_three_percent(starts):
    errors = np.abs(startups_held_out(starts, lambda one: one.model)["kv_cache_tokens"])
    assert np.median(errors) < 0.03
    assert np.quantile(errors, 0.9) < 0.08


def test_outcomes_are_added_up_as_the_training_memory_is():
    outcomes = read_outcomes(LAYOUTS)
    added = outcome_bytes(outcomes, shipped_outcome_factors(), training_factors())
    with LAYOUTS.open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["outcome"] in {"ok", "oom"}]
    for row, total in zip(rows, added, strict=True):
        case = read_training_case(row)
        printed = case.fixed()
        tp, pp = printed["tp"], printed["pp"]
        layout = TrainingLayout(
            tp=tp, pp=pp, dp=case.job.cluster.devices // (tp * pp), zero=printed["zero"], recompute=case.recompute,
            micro_batch=printed["micro_batch"],
        )  # fmt: skip
        assert sum(memory_bytes(case.job, layout).values()) == pytest.approx(total)


def test_counts_are_rows_right_and_unsafe():
    outcomes = read_outcomes(LAYOUTS)
    rows, right, unsafe = outcome_counts(outcomes, shipped_outcome_factors())
    assert rows == len(outcomes.model)
    assert rows - right >= unsafe >= 0
