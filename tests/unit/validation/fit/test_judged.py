"""Intervals of tables that no fit saw."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from jevons.serving.spread import NEARNESS, NEW_SOURCE, QUANTITIES
from jevons.validation.fit.judged import JudgedFigure, judged_coverage, judged_figures, with_judged
from jevons.validation.report import Entry

ALL = {name: [0.8, 1.25, 100] for name in NEARNESS}
DOCUMENT = {"quantities": {quantity: {"all": ALL} for quantity in QUANTITIES}}
ROW = {
    "family": "pages", "engine": "vllm", "engine_version": "0.16.0", "model": "Qwen/Qwen3-32B", "precision": "bf16",
    "gpu": "H100 SXM", "n_gpus": "1", "tp": "1", "isl": "1024", "osl": "512", "concurrency_or_rate": "concurrency 8",
    "metric": "output_tok_s", "value": "80", "notes": "",
}  # fmt: skip


def drawn(sigma, nearness="same", groups=40, each=10):
    rng = np.random.default_rng(1)
    return [
        JudgedFigure(family="pages", quantity="rate", nearness=nearness, group=f"{nearness} {group}", value=value)
        for group in range(groups)
        for value in rng.normal(0.0, sigma, each)
    ]


def test_a_table_of_large_errors_gets_intervals_that_hold_eighty_percent_of_groups_left_out():
    figures = drawn(0.6)
    low, high, rows = with_judged(DOCUMENT, figures)["quantities"]["rate"]["pages"]["same"]
    assert (low, high) == (pytest.approx(math.exp(-0.77), rel=0.1), pytest.approx(math.exp(0.77), rel=0.1))
    assert rows == len(figures)
    count, inside = judged_coverage(DOCUMENT, figures)["pages"]
    assert count == len(figures)
    assert inside == pytest.approx(0.8, abs=0.03)


def test_a_group_of_two_takes_the_interval_that_the_other_one_needs():
    figures = drawn(0.6, groups=2, each=200)
    alone = [figure for figure in figures if figure.group == figures[0].group]
    of_one = with_judged(DOCUMENT, alone)["quantities"]["rate"]["pages"]["same"]
    assert of_one[1] > ALL["same"][1]
    count, inside = judged_coverage(DOCUMENT, figures)["pages"]
    assert count == len(figures)
    assert inside > 0.7


def test_a_new_source_has_the_intervals_of_one_drawn_among_all_tables():
    wide = {name: [0.8**4, 1.25**4, 50] for name in NEARNESS}
    families = {"all": ALL, "exact": ALL, "vague": wide}
    quantities = with_judged({"quantities": {"rate": families}}, [])["quantities"]["rate"]
    low, high, rows = quantities[NEW_SOURCE]["near"]
    growth = math.log(high) / math.log(1.25)
    chances = [2.0 * NormalDist().cdf(1.2816 * growth / width) - 1.0 for width in (1.0, 4.0)]
    assert sum(chances) / 2.0 == pytest.approx(0.8, abs=0.01)
    assert math.log(low) == pytest.approx(-math.log(high), rel=0.01)
    assert rows == 0
    alone = with_judged({"quantities": {"rate": {"all": ALL}}}, [])["quantities"]["rate"]
    assert alone[NEW_SOURCE] == {}


def test_intervals_are_never_narrowed_and_other_quantities_stay():
    changed = with_judged(DOCUMENT, drawn(0.01))["quantities"]
    assert changed["rate"]["pages"]["same"][0] <= 0.8
    assert changed["ttft"]["all"] == ALL
    assert "pages" not in changed["ttft"]


def test_devices_of_a_strange_kind_take_the_errors_of_such_devices():
    changed = with_judged(DOCUMENT, drawn(0.7, "new kind") + drawn(0.1))["quantities"]["rate"]
    assert math.log(changed["all"]["new kind"][1]) == pytest.approx(1.28 * 0.7, rel=0.15)
    assert changed["pages"]["new kind"][1] >= changed["all"]["new kind"][1]
    assert changed["pages"]["new both"][1] < changed["all"]["new kind"][1]


def test_answered_figures_with_an_interval_are_judged_by_how_near_the_fit_s_rows_are():
    entries = [
        Entry(file="f", row=0, metric="output_tok_s", group="g", family="pages", measured=80.0, predicted=100.0),
        Entry(file="f", row=0, metric="running_mean", group="g", family="pages", measured=8.0, predicted=8.0),
        Entry(file="f", row=0, metric="output_tok_s", group="g", family="pages", measured=80.0, reason="no"),
    ]
    found = judged_figures([ROW], entries, {"vllm": [["h100_sxm", "qwen3-32b"]]})
    assert [(one.nearness, one.quantity) for one in found] == [("same", "rate")]
    assert found[0].value == pytest.approx(math.log(0.8))
