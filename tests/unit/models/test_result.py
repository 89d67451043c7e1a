"""`jevons.models.list` and `jevons.models.show`: architectures as results."""

import pytest

import jevons
from jevons.errors import InputError


def test_a_model_shows_what_its_spec_says():
    shown = jevons.models.show("deepseek-v3")
    record = shown.to_json()
    assert record["parameters_total"] == shown.spec.parameters_total == jevons.model("deepseek-v3").parameters_total
    assert shown.tables["layers"].column("count") == [3, 58]
    assert "36.6 bn active" in shown.answer
    assert len(repr(shown).splitlines()) <= 15


def test_the_list_has_a_row_of_raw_numbers_for_each_model():
    listed = jevons.models.list()
    names = listed.to_frame()["name"].to_list()
    assert sorted(names) == jevons.models.names()
    assert listed.tables["models"].column("max_context")[0] == jevons.model(names[0]).max_context


def test_an_unknown_model_is_refused_with_near_names():
    with pytest.raises(InputError, match="Did you mean `qwen3-32b`"):
        jevons.models.show("qwen3-33b")
