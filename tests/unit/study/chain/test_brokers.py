"""Brokers in the plan: a glut and a shortage from one set of terms, conservation, and nothing where there are none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from draws import draws
from jevons.errors import InputError
from jevons.plot import figure_svg, plan_figure
from jevons.report import plan_html
from jevons.study import load, plan
from jevons.study.chain.fixed_point import run_chain
from jevons.study.chain.rents import broker_devices, clear_rents
from places import TINY

H20, L20 = "hardware.devices.h20.brokers", "hardware.devices.l20.brokers"


def planned(**values):
    return plan(load(TINY).with_values({path.replace("__", "."): value for path, value in values.items()}), draws=0)


def rents(chain, **values):
    """Return rents of a chain's fleet and renters, with amounts of the scenario changed."""
    scenario = chain.scenario.with_values({path.replace("__", "."): value for path, value in values.items()})
    here = chain.setting
    return clear_rents(scenario, here, chain.plan, chain.market, chain.inputs)


@pytest.fixture(scope="module")
def base():
    return planned()


@pytest.fixture(scope="module")
def brokered():
    return planned(**{H20: 150.0, L20: 100.0, "market.brokers.start_rise": 0.15})


def test_without_brokers_the_firm_lets_alone(base):
    found = base.chain.rents
    assert not found.brokers_frac.any()
    assert not found.brokers.held.any()
    assert not found.brokers.bought.any()


def test_how_brokers_decide_changes_nothing_where_there_are_none(base):
    terms = {"carry": 0.02, "extrapolation": 2.0, "hoard": 0.9, "start_rise": 1.0}
    other = planned(**{f"market.brokers.{name}": value for name, value in terms.items()})
    assert np.array_equal(other.chain.rents.rent_cur_per_h, base.chain.rents.rent_cur_per_h)
    assert np.array_equal(other.chain.plan.service.served_calls_per_d, base.chain.plan.service.served_calls_per_d)
    assert other.chain.accounts.value_per_share_cur == base.chain.accounts.value_per_share_cur


def test_what_is_let_held_back_and_idle_adds_up_to_what_brokers_hold(brokered):
    found = brokered.chain.rents
    idle = (found.brokers.held - found.brokers.withheld) * (1 - found.let_frac)
    assert found.brokers.held == pytest.approx(broker_devices(brokered.scenario))
    assert found.brokers.let + found.brokers.withheld + idle == pytest.approx(found.brokers.held)
    for part in (found.brokers.let, found.brokers.withheld, idle):
        assert np.all(part >= 0)
    assert found.brokers.withheld[:, :2].min() > 0


def test_the_planner_sees_what_brokers_leave(brokered, base):
    chain = brokered.chain
    rental = ~chain.inputs.use.counts_tokens
    all_of_it = (chain.market.market_calls_per_d * chain.inputs.share_frac[:, None])[rental]
    assert chain.market.calls_per_d[rental] == pytest.approx(all_of_it * (1 - chain.exchange.brokers_frac))
    shown, alone = (c.plan.problem.demand.block_calls_per_d[rental].sum(axis=(0, 2)) for c in (chain, base.chain))
    assert np.all(shown < alone)
    assert chain.convergence.residual < 0.01
    assert chain.convergence.rounds <= 20
    assert chain.rents.brokers_frac == pytest.approx(chain.exchange.brokers_frac, abs=0.01)
    assert chain.rents.price_cur_per_h == pytest.approx(chain.exchange.rent_index * 8.0, rel=0.03)


def test_draws_begin_from_the_share_that_brokers_have(brokered, edited):
    again = run_chain(brokered.scenario, brokered.engineering, start=brokered.chain, most_rounds=1)
    assert np.array_equal(again.inputs.renting.brokers_frac, brokered.chain.exchange.brokers_frac)
    stock = '{low: 20, mode: 100, high: 300, source: "made up"}'
    result = plan(load(edited(("supply: 400\n", f"supply: 400\n      brokers: {stock}\n"))), draws=4, processes=1)
    assert H20 in result.draws.names
    assert result.draws.infeasible == 0
    assert np.all(np.isfinite(result.draws.outcomes["plan_value"]))


@settings(max_examples=draws(40), deadline=None)
@given(
    st.floats(0, 2000), st.floats(0, 2000), st.floats(0, 2000), st.floats(0, 2000), st.floats(-0.5, 0.5),
    st.floats(0, 0.95),
)  # fmt: skip
def test_more_stock_of_brokers_never_raises_a_rent_at_given_expectations(base, h20, l20, more, much, rise, hoard):
    terms = {
        "market.brokers.start_rise": rise, "market.brokers.hoard": hoard, "market.brokers.extrapolation": 0.0
    }  # fmt: skip
    few = rents(base.chain, **{H20: h20, L20: l20}, **terms)
    many = rents(base.chain, **{H20: h20 + more, L20: l20 + much}, **terms)
    assert np.all(many.rent_cur_per_h <= few.rent_cur_per_h * (1 + 1e-4))


def test_holding_back_raises_every_rent(base):
    stock = {H20: 300.0, L20: 200.0}
    offered = rents(base.chain, **stock)
    held = rents(base.chain, **stock, **{"market.brokers.start_rise": 0.3})
    assert np.all(held.rent_cur_per_h[:, :2] > offered.rent_cur_per_h[:, :2])


def test_stock_without_renters_growth_without_stock_and_terms_without_brokers_are_refused(edited):
    lonely = edited(
        ("      supply: 400\n", "      supply: 400\n      brokers: 50\n"),
        ("model: rental", "model: small\n      output_tokens: 10"),
    )
    with pytest.raises(InputError, match=r"s\.yaml:\d+:\d+: hardware\.devices\.h20\.brokers: 50: nobody rents"):
        load(lonely)
    growing = edited(("      supply: 400\n", "      supply: 400\n      brokers_growth: 0.5\n"))
    with pytest.raises(InputError, match=r"h20\.brokers_growth: 0\.5: needs `brokers`"):
        load(growing)
    terms = edited(("  segments:\n", "  brokers: {carry: 0.2}\n  segments:\n"))
    with pytest.raises(InputError, match=r"market\.brokers: no device has any; give their stock"):
        load(terms)
    wrong = edited(
        ("      supply: 400\n", "      supply: 400\n      brokers: -5\n"),
        ("  segments:\n", "  brokers: {carry: 0, hoard: 1, expectation: 2}\n  segments:\n"),
    )
    with pytest.raises(InputError) as error:
        load(wrong)
    text = str(error.value)
    for part in ("brokers: -5: must be at least 0", "carry: 0: must be above 0", "hoard: 1: must be at most 0.95",
                 "expectation"):  # fmt: skip
        assert part in text


@pytest.mark.slow
def test_tables_and_json_show_brokers_only_where_there_are_any(brokered, base):
    def rows(result):
        return [row for row in result.tables["rents"].rows if any("broker" in str(cell) for cell in row[:3])]

    assert not rows(base)
    assert base.to_json()["market"]["brokers"] == {}
    assert [row[1] for row in rows(brokered)[:3]] == [
        "stock of brokers", "let by brokers", "withheld by brokers"
    ]  # fmt: skip
    shown = brokered.to_json()["market"]["brokers"]["h20"]
    assert shown["held"][0] == pytest.approx(150)
    assert shown["let"][0] == pytest.approx(brokered.chain.rents.brokers.let[0, 0])
    assert shown["withheld"][0] == pytest.approx(brokered.chain.rents.brokers.withheld[0, 0])


@pytest.mark.slow
def test_the_report_draws_rents_and_names_what_brokers_do_where_there_are_any(brokered, base):
    caption = "Rents of accelerators and stock of brokers"
    with_them, alone = plan_html(brokered), plan_html(base)
    for page in (with_them, alone):
        assert caption in page
    assert figure_svg(plan_figure(brokered, "rents")) != figure_svg(plan_figure(base, "rents"))
