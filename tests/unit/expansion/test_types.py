import numpy as np
import pytest


def test_fields_of_the_parts_are_found_and_replaced_by_name(make_problem):
    problem = make_problem(devices=2)
    richer = problem.replace(budget_cur=problem.money.budget_cur * 2, devices=("a", "b"), retire_early=True)
    assert np.array_equal(richer.money.budget_cur, 2 * problem.field("budget_cur"))
    assert (richer.devices, richer.terms.retire_early) == (("a", "b"), True)
    assert richer.demand is problem.demand
    assert problem.terms.retire_early is False


def test_a_field_that_no_part_has_is_refused(make_problem):
    with pytest.raises(TypeError, match="budget_usd"):
        make_problem().replace(budget_usd=1.0)
    with pytest.raises(TypeError):
        make_problem(budget_usd=1.0)
    with pytest.raises(AttributeError, match="budget_usd"):
        make_problem().field("budget_usd")
