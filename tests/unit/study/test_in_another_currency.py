"""A scenario's amounts in another currency: the same plan, counted in other money."""

import pytest

import jevons
from jevons.errors import InputError
from jevons.facts import default_facts
from jevons.report.extras import statement_tables
from jevons.units import MONEY
from places import TINY


def test_a_plan_in_another_currency_is_the_same_plan():
    own, other = jevons.plan(TINY, draws=0), jevons.plan(TINY, draws=0, currency="usd")
    rate = default_facts().get("fx.cny_per_usd", own.scenario.as_of).number
    value_cur, value_usd = (p.chain.accounts.plan_value_cur for p in (own, other))
    assert value_cur == pytest.approx(rate * value_usd, rel=1e-6)
    assert own.chain.plan.fleet.installed == pytest.approx(other.chain.plan.fleet.installed, rel=1e-6)
    assert other.to_json()["currency"] == "USD"
    assert " USD" in other.answer
    assert "CNY" not in other.answer


def test_a_scenario_that_was_loaded_in_one_is_not_told_in_another():
    loaded = jevons.load(TINY)
    with pytest.raises(InputError, match=r"currency=USD: the scenario was loaded in CNY"):
        jevons.plan(loaded, draws=0, currency="USD")
    assert jevons.load(TINY, settings={"currency": "USD"}).currency == "USD"


def test_comparisons_values_and_resolved_values_take_it():
    assert "USD" in jevons.value(TINY, currency="USD").answer
    both = jevons.compare(TINY, set={"cost.wacc": 0.12}, draws=0, currency="EUR")
    assert both.scenario.currency == "EUR"
    rows = {row[0]: row for row in jevons.study.resolved(TINY, currency="HKD").tables["resolved"].rows}
    assert rows["currency"][1] == "HKD"


def test_statements_of_a_report_name_the_currency_of_the_scenario():
    tables = statement_tables(jevons.plan(TINY, draws=0))
    units = {str(cell) for table in tables for row in table.rows for cell in row}
    units |= {column.unit for table in tables for column in table.columns}
    assert any("CNY" in unit for unit in units)
    assert not any(MONEY in unit for unit in units)
