"""The serving fit: factors of rows held out do not depend on them, and tables count what they show."""

from pathlib import Path

import numpy as np
import pytest

from jevons.validation.fit.held_out import error_table, figures, splits, table_text
from jevons.validation.fit.serving import Problem, copied_runs, factors_for, folds, gather, held_out, solve

SAMPLES = Path(__file__).parents[3] / "data" / "serving"


@pytest.fixture(scope="module")
def fitted():
    items = gather([SAMPLES / "trtllm_overview.csv"])
    problem = Problem(items=items, factors=factors_for(items))
    theta = problem.clip(problem.start)
    base = problem.errors(theta)
    return problem, theta, base, problem.slopes(theta, base)


@pytest.mark.slow
def test_a_part_held_out_is_predicted_the_same_however_it_was_measured(fitted):
    problem, theta, base, slopes = fitted
    parts = folds(problem.items, lambda item: item.group, 3)
    errors = held_out(problem, theta, base, slopes, parts)
    name, members = next(iter(parts.items()))
    rows = np.isin(np.array(problem.owner), members)
    target = list(problem.target)
    try:
        problem.target[:] = [t + 1.0 if out else t for t, out in zip(target, rows, strict=True)]
        moved = held_out(problem, theta, base - rows, slopes, {name: members})
    finally:
        problem.target[:] = target
    np.testing.assert_allclose(moved[rows], errors[rows] - 1.0, atol=1e-9)
    assert np.isnan(moved[~rows]).all()


@pytest.mark.slow
def test_rows_that_are_fitted_do_move_the_factors(fitted):
    problem, theta, base, slopes = fitted
    every = np.ones(len(problem.owner), bool)
    assert not np.allclose(solve(problem, base, slopes, theta, every), solve(problem, base + 0.3, slopes, theta, every))


@pytest.mark.slow
def test_slow_hosts_are_a_device_s_before_they_are_its_generation_s(fitted):
    problem, theta, base, slopes = fitted
    every = np.ones(len(problem.owner), bool)
    moved = solve(problem, base + 0.1, slopes, theta, every) - solve(problem, base, slopes, theta, every)
    hosts = {f.owner: float(by) for f, by in zip(problem.factors, moved, strict=True) if f.name == "host"}
    assert hosts["l40s"] > 2.0 * hosts["ada"] > 0.0  # the sample's only device of that generation


def test_each_way_of_holding_out_covers_every_item_once(fitted):
    problem = fitted[0]
    for parts in splits(problem.items).values():
        assert sorted(i for members in parts.values() for i in members) == list(range(len(problem.items)))


def test_tables_and_figures_hold_every_figure(fitted):
    problem, _, base, _ = fitted
    rows = error_table(problem, base)
    assert sum(row["figures"] for row in rows) == len(problem.owner)
    assert table_text("x", rows).count("median") == sum(row["median_ape"] is not None for row in rows)
    records = figures(problem, {"fitted": base})
    known = [r["fitted"] / r["measured"] for r in records if r["fitted"] is not None]
    np.testing.assert_allclose(np.log(known), base[~np.isnan(base)], atol=1e-3)


def test_runs_that_repeat_another_configurations_figures_are_copies():
    def run(name, gpu, values):
        metrics = ("output_tok_s", "ttft_ms_mean", "tpot_ms_mean")
        common = {"run_id": name, "gpu": gpu, "model": "m", "source_title": gpu}
        return [{**common, "metric": metric, "value": value} for metric, value in zip(metrics, values, strict=True)]

    rows = run("a", "A100", ("10.1", "20.2", "30.3")) + run("b", "H100", ("10.1", "20.2", "30.3"))
    rows += run("c", "A100", ("10.1", "20.2", "30.3")) + run("d", "H100", ("10.1", "20.2", "31.0"))
    assert copied_runs(rows) == {"b"}
