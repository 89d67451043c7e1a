"""A small plan from facts to value: balances, seeds, dates, and a verdict that can go either way."""

import dataclasses
import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest
import yaml

import jevons
from jevons.errors import InputError
from jevons.facts import Facts, default_facts
from jevons.schema import json_text
from jevons.study import load, plan
from jevons.study.plan.valuation import returns_on_capital
from places import MAIN, TINY


@pytest.fixture(scope="module")
def scenario():
    return load(TINY)


@pytest.fixture(scope="module")
def result(scenario):
    return plan(scenario)


class TestBalances:
    def test_devices_are_those_installed_and_those_ordered_a_lead_earlier(self, result):
        found = result.chain.plan
        start = found.problem.opening.initial_devices.sum(axis=1)
        ordered, installed = found.fleet.ordered.sum(axis=1), found.fleet.installed.sum(axis=1)
        for device, lead in enumerate(found.problem.machines.lead_quarters):
            arrived = np.concatenate([np.zeros(lead), ordered[device]])[: installed.shape[1]]
            assert installed[device] == pytest.approx(start[device] + np.cumsum(arrived), abs=1e-6)

    def test_money_spent_stays_within_what_was_released(self, result):
        """Invariant 58: Money spent stays within the budget that was released."""
        found = result.chain.plan
        spent = (found.spending.device_capex_cur + found.spending.site_capex_cur).cumsum()
        assert np.all(spent <= found.problem.money.budget_cur.cumsum() * (1 + 1e-9))
        assert spent[-1] > 0
        bought = found.fleet.ordered.sum(axis=1) * found.problem.machines.capex_cur_per_device
        assert found.spending.device_capex_cur == pytest.approx(bought.sum(axis=0))

    def test_power_drawn_is_that_of_the_devices_and_stays_within_the_sites(self, result):
        found = result.chain.plan
        drawn = np.einsum("vrt,v->t", found.fleet.installed, found.problem.machines.device_w)
        assert found.fleet.it_w == pytest.approx(drawn)
        assert np.all(found.fleet.it_w <= found.fleet.site_w.sum(axis=0) * (1 + 1e-9))

    def test_orders_stay_within_supply(self, result):
        found = result.chain.plan
        assert np.all(found.fleet.ordered.sum(axis=1) <= found.problem.supply.supply_devices + 1e-6)

    def test_tokens_are_calls_times_tokens_per_call_and_no_more_than_wanted(self, result):
        served = result.tokens_per_d
        wanted = result.chain.market.tokens_per_d
        assert np.all(served <= wanted * (1 + 1e-9))
        chat = result.segments.index("chat")
        calls = result.chain.market.calls_per_d[chat] * result.served_frac[chat]
        assert served[chat] == pytest.approx(calls * 1500)
        assert served[result.segments.index("renters")] == pytest.approx(0.0)

    def test_value_is_the_sum_of_its_parts(self, result):
        """Invariant 59: The value of equity is the sum of its parts."""
        value = result.to_json()["value"]
        assert value["equity"] == pytest.approx(sum(value["bridge"].values()))
        assert value["per_share"] == pytest.approx(value["equity"] / 1e9)
        assert value["market"] == pytest.approx(100 * 1e9)

    def test_cash_capital_is_what_the_planner_spent(self, result):
        found = result.chain.plan
        cash = result.to_json()["cash"]
        assert cash["capex"] == pytest.approx(found.spending.device_capex_cur + found.spending.site_capex_cur)

    def test_market_and_planner_agree(self, result):
        assert result.chain.convergence.residual < 0.01


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_on_any_number_of_processes(scenario):
    """Invariant 57: The same inputs and seed give the same bytes on any number of processes."""
    texts = {json_text(plan(scenario, draws=4, seed=11, processes=processes).to_json()) for processes in (1, 1, 2)}
    assert len(texts) == 1


@pytest.mark.slow
def test_another_seed_draws_other_outcomes(scenario):
    one, other = (plan(scenario, draws=3, seed=seed, processes=1).draws.values for seed in (1, 2))
    assert not np.array_equal(one, other)


def with_news(start: dt.date) -> Facts:
    """Return the shipped facts with one more value for everything that the scenarios draw on."""
    facts = default_facts()
    news = {}
    for fact_id, fact in facts.by_id.items():
        last = fact.values[-1]
        if isinstance(last.value, str) or fact_id.startswith(("kernel.", "engine.", "operators.")):
            continue
        value = dataclasses.replace(
            last, value=last.value * 1.05, low=None, high=None, start=start, published=start, chosen=False
        )
        news[fact_id] = dataclasses.replace(fact, values=(*fact.values, value))
    return Facts({**facts.by_id, **news}, facts.sources)


@pytest.mark.slow
def test_nothing_published_after_the_date_changes_a_result(scenario, result):
    """Invariant 56: Nothing published after a scenario's date changes its plan."""
    later = with_news(dt.date(2025, 2, 25))
    assert load(MAIN, facts=later).amounts() == load(MAIN).amounts()
    again = plan(load(TINY, facts=later), facts=later)
    assert json_text(again.to_json()) == json_text(result.to_json())


def test_what_was_published_by_the_date_does(scenario):
    news = load(TINY, facts=with_news(dt.date(2025, 2, 24))).amounts()
    assert news["hardware.devices.l20.price"].value == pytest.approx(
        1.05 * scenario.amounts()["hardware.devices.l20.price"].value
    )


class TestJevonsGoesEitherWay:
    def test_compute_falls_where_callers_hardly_react(self, scenario):
        values = {
            f"market.segments.{s}.{n}": v
            for s in ("shops", "chat")
            for n, v in (("elasticity", -0.05), ("value", 1.0), ("value_sigma", 0.5))
        }
        verdict = plan(scenario.with_values(values)).verdict
        assert not verdict.compute_rises
        calls = verdict.response.use_compute_factor["calls"]
        assert calls[-1] < 0.6  # efficiency doubled, tokens nearly as before
        assert calls[-1] < verdict.compute_factor[-1] < 1  # reserves and own training stay

    def test_compute_rises_where_callers_react_strongly(self, scenario):
        values = {f"market.segments.{s}.elasticity": -2.5 for s in ("shops", "chat")}
        verdict = plan(scenario.with_values(values)).verdict
        assert verdict.compute_rises
        assert verdict.elasticity_to_efficiency[-1] > 1
        assert verdict.settled_compute_factor > verdict.compute_factor[-1]

    def test_compute_rises_where_most_tasks_are_worth_too_little_today(self, scenario):
        values = {
            f"market.segments.{s}.{n}": v
            for s, cents in (("shops", 0.0003), ("chat", 0.0008))
            for n, v in (("value", cents), ("value_sigma", 0.6), ("elasticity", -0.1), ("integration", 0.0),
                         ("bass_q", 2.0))
        }  # fmt: skip
        verdict = plan(scenario.with_values(values)).verdict
        assert verdict.compute_factor[-1] > 1

    def test_no_elasticity_at_all_leaves_tokens_flat(self, scenario):
        values = {
            f"market.segments.{s}.{n}": v
            for s in ("shops", "chat", "renters")
            for n, v in (("elasticity", 0.0), ("value", 1e4), ("value_sigma", 0.3))
        }
        verdict = plan(scenario.with_values(values)).verdict
        response = verdict.response
        assert response.use_compute_factor["calls"] == pytest.approx(np.full(4, 0.5), abs=1e-6)
        assert response.use_compute_factor["reserve"] == pytest.approx(np.ones(4), abs=1e-6)
        calls = response.segment_share_frac[:2].sum(axis=0)
        assert verdict.compute_factor == pytest.approx(1 - calls / 2, abs=1e-6)


def test_where_everybody_rents_a_doubling_of_serving_efficiency_changes_nothing(tmp_path):
    text = TINY.read_text()
    first, second = text.index("    shops:"), text.index("    renters:")
    path = tmp_path / "renters.yaml"
    path.write_text(text[:first] + text[second:])
    renting = plan(load(path))
    assert renting.verdict.compute_factor == pytest.approx(np.ones(4))
    assert renting.verdict.planned_compute_factor == pytest.approx(1, abs=0.01)
    assert "NaN" not in json_text(renting.to_json())


def test_a_segment_of_which_the_firm_serves_nothing_has_no_factor_and_spoils_no_other(scenario):
    without = plan(scenario.with_values({"market.segments.chat.share": 0.0}))
    factors = without.to_json()["jevons"]["segment_compute_factor"]
    assert set(factors) == {"shops", "renters"}
    assert np.isfinite(without.verdict.compute_factor).all()


def test_explain_leads_from_the_headline_to_sources(result):
    text = result.explain("finance.value_per_share")
    assert "h20.price" in text
    assert "site.china_north.tariff_cny_per_kwh" in text


def test_the_dataset_has_named_dimensions_and_units(result):
    held = result.to_xarray()
    assert held["installed"].dims == ("device", "site", "quarter")
    assert all(variable.attrs["units"] for variable in held.data_vars.values())
    assert float(held["it_w"].sel(quarter="2025-Q4")) == pytest.approx(result.chain.plan.fleet.it_w[-1])


def test_a_larger_budget_never_lowers_what_is_built(scenario, result):
    more = plan(scenario.with_values({"expansion.budget": 1.2e9}))
    spent = (result.chain.plan.spending.device_capex_cur + result.chain.plan.spending.site_capex_cur).sum()
    assert (more.chain.plan.spending.device_capex_cur + more.chain.plan.spending.site_capex_cur).sum() >= spent * (
        1 - 1e-3
    )


def test_returns_on_capital_come_from_the_books_and_end_with_the_mature_ones(scenario, result):
    rows = returns_on_capital(scenario, result.chain.accounts)
    books = result.chain.accounts.statements
    assert [r["period"] for r in rows] == ["2025", "mature"]
    opening = books.balance.device_opening_cur[0] + books.balance.building_opening_cur[0]
    closing = books.balance.device_closing_cur[-1] + books.balance.building_closing_cur[-1]
    profit = (books.earnings.ai_ebita_cur - books.write_offs.impairment_cur - books.earnings.ai_tax_cur).sum()
    assert rows[0]["roic_frac"] == pytest.approx(profit / ((opening + closing) / 2))
    assert rows[0]["added_roic_frac"] is None
    ai = result.chain.accounts.valuation.ai
    assert rows[-1]["roic_frac"] == pytest.approx(ai.roic_frac)
    assert ai.growth_destroys_value == (ai.roic_frac < scenario.cost.wacc.value)


@pytest.mark.slow
def test_the_last_quarter_orders_for_what_follows_the_plan(scenario):
    blind, sighted = (
        plan(with_expansion(scenario, look_beyond=n)).chain.plan.fleet.ordered.sum(axis=(0, 1)) for n in (0, 4)
    )
    assert blind[-1] == pytest.approx(0.0, abs=1e-6)
    assert sighted[-1] > 0.25 * sighted[-2] > 0


def with_expansion(scenario, **changes):
    """Return the scenario with settings of its expansion replaced."""
    return scenario.model_copy(update={"expansion": scenario.expansion.model_copy(update=changes)})


def test_a_plan_by_month_keeps_the_quarters_accounts(scenario):
    chain = plan(with_expansion(scenario, step="month")).chain
    fine = chain.plan.months
    assert len(fine.problem.quarters) == 12
    assert fine.spending.device_capex_cur.sum() == pytest.approx(chain.accounts.statements.cash.device_capex_cur.sum())
    assert chain.plan.fleet.ordered.sum() == pytest.approx(fine.fleet.ordered.sum())


@pytest.mark.slow
def test_a_result_does_not_overwrite_the_scenario_that_was_loaded_for_it(tmp_path: Path) -> None:
    file = tmp_path / "own.json"
    file.write_text(json.dumps(yaml.safe_load(TINY.read_text(encoding="utf-8")), default=str), encoding="utf-8")
    before = file.read_bytes()
    scenario = load(file)
    for altered in (scenario, scenario.with_values({"cost.wacc": 0.11})):
        with pytest.raises(InputError, match="made from this file, as `scenario`"):
            jevons.value(altered).save(file)
    assert file.read_bytes() == before
