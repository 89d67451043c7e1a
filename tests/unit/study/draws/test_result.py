"""Studies are library functions that return results."""

import pytest

import jevons
from jevons.errors import InputError
from places import TINY


def test_monte_carlo_is_a_function_of_the_study_part_with_a_result():
    study = jevons.study.montecarlo(TINY, draws=4, seed=5, processes=1)
    assert len(repr(study).splitlines()) <= 15
    assert len(study.tables["draws"]) == study.draws.values.shape[0] == 4 - study.draws.infeasible
    assert study.to_json()["draws"] == 4
    assert {"outcomes", "probabilities", "sensitivity", "draws"} <= set(study.tables)


def test_a_sweep_has_a_row_for_each_point_and_names_an_unknown_path():
    study = jevons.study.sweep(TINY, {"finance.terminal_margin": [0.1, 0.2]}, processes=1)
    assert study.tables["draws"].column("finance.terminal_margin") == [0.1, 0.2]
    with pytest.raises(InputError, match="Did you mean `finance.terminal_margin`"):
        jevons.study.sweep(TINY, {"finance.terminal_margn": [0.1]})


def test_what_a_part_does_not_offer_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module `jevons.study` has no attribute `monte_carl`"):
        _ = jevons.study.monte_carl
