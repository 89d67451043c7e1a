"""Amounts have names that people read, in both languages."""

import re

import pytest

from jevons.study import load
from jevons.study.scenario.labels import quantity_label
from jevons.web.wording import terms
from places import ROOT

SCENARIOS = sorted((ROOT / "scenarios").glob("*.yaml"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_amount_of_a_shipped_scenario_has_a_name_in_both_languages(path):
    amounts = [one for one in load(path).amounts() if not one.startswith("study.")]
    labels = {one: quantity_label(one)[0] for one in amounts}
    unnamed = [one for one, label in labels.items() if label == re.split(r"\.", one)[-1].replace("_", " ")]
    assert set(unnamed) <= {"expansion.budget", "finance.net_cash"} | {
        one for one in amounts if one.endswith(".backlog")
    }
    assert [label for label in labels.values() if label not in terms()] == []


def test_a_name_says_what_the_amount_belongs_to():
    assert quantity_label("market.segments.restaurant.value") == (
        "value of a call",
        ("market", "segments", "restaurant"),
    )
    assert quantity_label("finance.rest_growth") == ("growth of the other businesses", ())


def test_an_amount_without_a_name_on_file_is_called_by_its_path():
    assert quantity_label("market.segments.x.new_field") == ("new field", ("market", "segments", "x"))
