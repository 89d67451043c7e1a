"""Intervals from errors left out, and what a few runs of a deployment do."""

import numpy as np
import pytest

from jevons.serving.spread import NEARNESS
from jevons.validation.fit import few_shot
from jevons.validation.fit.calibrate import own_factors
from jevons.validation.fit.few_shot import few_shot_errors
from jevons.validation.fit.serving import Problem, factors_for, folds, gather, thinned
from jevons.validation.fit.spread import _Figure, _Needed, _scale, interval_coverage, spread_document
from places import DATA


@pytest.fixture(scope="module")
def problem():
    items = gather([DATA / "serving" / f"{name}.csv" for name in ("inferencex_silicon", "trtllm_overview")])
    return Problem(items=items, factors=factors_for(items))


def left_out(problem):
    return folds(problem.items, lambda item: item.group)


def drawn(problem, scale):
    """Return errors of that size, alike within a group as measured ones are."""
    rng = np.random.default_rng(3)
    of_group = {item.group: rng.normal(0.0, scale) for item in problem.items}
    return np.array([of_group[problem.items[i].group] + rng.normal(0.0, scale / 4) for i in problem.owner])


def test_intervals_widen_with_distance_and_name_what_was_seen(problem):
    errors = drawn(problem, 0.2)
    made = spread_document(problem, [(left_out(problem), errors)], np.full(len(errors), np.nan))
    for quantity in (name for name, found in made["quantities"].items() if found):
        of_all = made["quantities"][quantity]["all"]
        widths = [np.log(of_all[name][1] / of_all[name][0]) for name in NEARNESS if name != "new model"]
        assert widths == sorted(widths)
    pairs = {(item.device, item.model) for item in problem.items if item.engine == "trtllm"}
    assert {tuple(pair) for pair in made["seen"]["trtllm"]} == pairs


def test_coverage_counts_what_lies_inside(problem):
    errors = drawn(problem, 0.2)
    found = interval_coverage(problem, left_out(problem), errors)
    assert {row["family"] for row in found} == {"inferencex_silicon", "trtllm_overview"}
    assert all(0.0 <= row["inside_frac"] <= 1.0 and row["width"] >= 1.0 for row in found)


def test_a_thinned_set_keeps_every_deployment(problem):
    few = thinned(problem.items, 1)
    assert len(few) < len(problem.items)
    assert {item.group for item in few} == {item.group for item in problem.items}
    assert len(thinned(few, 1)) == len(few)


@pytest.mark.slow
def test_a_constant_error_of_a_deployment_is_gone_after_a_few_runs(problem, monkeypatch):
    monkeypatch.setattr(few_shot, "RUNS", 2)
    monkeypatch.setattr(few_shot, "LEAST_OTHERS", 1)
    base = np.full(len(problem.owner), 0.3)
    none = np.zeros((len(base), len(problem.factors)))
    spread = np.full(len(problem.factors), 0.05)
    errors = few_shot_errors(problem, (problem.start, base, none), spread, left_out(problem))
    judged = errors[~np.isnan(errors)]
    assert len(judged)
    assert (np.abs(judged) < 0.3 + 1e-9).all()
    assert np.median(np.abs(judged)) < 0.25


def test_a_deployment_has_a_pace_of_its_own(problem):
    names = {(factor.owner, factor.name) for factor in own_factors(problem.items)}
    assert {("trtllm", "decode_pace"), ("trtllm", "prompt_pace")} <= names


@pytest.mark.parametrize(("groups", "least", "most"), [(40, 0.6, 0.7), (6, 0.68, 0.75)])
def test_intervals_that_hold_too_much_are_narrowed_less_where_few_groups_say_so(groups, least, most):
    growth = np.linspace(0.1, 0.8, 10)  # what figures left out needed of their intervals: all had room to spare
    needed = [
        _Needed(
            figure=_Figure(index=i, family="x", quantity="tpot", nearness="near", group=str(i % groups), value=0.1),
            own=growth[i // groups], every=1.0,
        )
        for i in range(10 * groups)
    ]  # fmt: skip
    assert least <= _scale(needed, "tpot", "x") <= most
    assert _scale(needed, "tpot", "y") is None
