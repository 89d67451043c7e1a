"""Statements by quarter add up line by line, and what a price asks of the plan does."""

import numpy as np
import pytest

from jevons.study import load, plan
from jevons.study.chain.accounts import lines_as_planned
from jevons.study.plan.group_cash import group_cash, line_cash
from jevons.study.plan.tables.statements import required_table, statement_tables, statements_record
from jevons.study.plan.valuation import required_of_plan
from places import MAIN, TINY


@pytest.fixture(scope="module")
def result():
    return plan(load(TINY), draws=0)


@pytest.fixture(scope="module")
def cash(result):
    return group_cash(result.scenario, result.chain.accounts)


def lines(table):
    return {row[0]: np.array(row[2:], float) for row in table.rows}


def test_the_lines_of_the_ai_cloud_sum_to_its_profit_and_cash(result, cash):
    held = lines(statement_tables(result.chain.accounts.statements, cash)[0])
    costs = sum(amounts for name, amounts in held.items() if name in {"Energy", "Operations", "Overhead"})
    charged = sum(amounts for name, amounts in held.items() if name.startswith("Depreciation"))
    revenue = held["Revenue, external"] + held["Revenue, internal"]
    assert held["EBITA"] == pytest.approx(revenue + costs + charged, abs=1e-12)
    spent = held["Capex, accelerators"] + held["Capex, sites"]
    assert held["Free cash flow"] == pytest.approx(held["EBITA"] + held["Tax"] - charged + spent, abs=1e-12)
    assert [name for name in held if name.startswith("Depreciation")] == [
        "Depreciation, before 2025", "Depreciation, bought 2025", "Depreciation, sites",
    ]  # fmt: skip


def test_cash_of_the_group_rolls_forward_from_its_parts(cash):
    f = cash.funding
    free = cash.cloud_cur + cash.rest_cur - cash.lines_spent_cur + cash.lines_received_cur
    assert f.free_cash_cur == pytest.approx(free)
    assert f.closing_cur == pytest.approx(
        f.opening_cur + f.interest_cur + f.free_cash_cur - f.returned_cur + f.raised_cur
    )
    assert f.opening_cur[1:] == pytest.approx(f.closing_cur[:-1])


def test_owners_get_what_the_scenario_says_and_nothing_by_default(result, cash):
    assert not cash.funding.returned_cur.any()
    giving = result.scenario.with_values({"finance.owner_returns": 4e9})
    assert group_cash(giving, result.chain.accounts).funding.returned_cur == pytest.approx(1e9)
    assert load(MAIN).finance.owner_returns.value == pytest.approx(90e9)


def test_the_record_names_each_vintage(result):
    books = result.chain.accounts.statements
    record = statements_record(books)
    assert list(record["vintage_depreciation"]) == ["before 2025", "2025"]
    total = sum(record["vintage_depreciation"].values())
    assert total == pytest.approx(record["device_depreciation"])


def test_other_lines_take_their_share_and_bring_what_their_value_counts():
    main = load(MAIN).model_copy(update={"quarters": 40})
    spent, received = line_cash(main)
    money = main.expansion.budget.value * main.expansion.execution.value * (1 - main.expansion.ai_share.value)
    shares = sum(line.share.value for line in main.expansion.lines.values())
    assert spent.sum() == pytest.approx(shares * money)
    worth = (received - spent) @ (1 + main.cost.wacc.value) ** -((np.arange(40) + 0.5) / 4)
    planned = lines_as_planned(main)
    assert worth == pytest.approx(planned.total_value_cur, abs=0.03 * planned.spent_cur.sum())
    assert received[0] == 0  # a lag of half a year at least


def test_a_plan_without_other_lines_spends_nothing_on_them():
    spent, received = line_cash(load(TINY))
    assert not spent.any()
    assert not received.any()


def test_what_the_price_asks_of_the_plan_adds_up(result):
    asked = required_of_plan(result.chain.accounts)
    assert asked["plan_needed"] + asked["base_value"] == pytest.approx(asked["cloud_left"])
    assert asked["after_needed"] + asked["cash"] == pytest.approx(asked["plan_needed"])
    assert asked["after_value"] + asked["cash"] == pytest.approx(asked["plan_value"])
    assert required_table(asked).rows[-1][0] == "AI cloud, value after the horizon"


def test_a_price_that_asks_nothing_says_so(result):
    asked = required_of_plan(result.chain.accounts) | {"after_needed": -1.0}
    assert "needs no value" in required_table(asked).rows[-1][-1]
