"""Brokers in the plan: a glut and a shortage from one set of terms, conservation, and nothing where there are none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jevons.errors import InputError
from jevons.market import RentCurve, clearing_rents
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
    return clear_rents(scenario, here.hour_cur, here.running_cur, here.strength, chain.plan, chain.market, chain.inputs)


@pytest.fixture(scope="module")
def base():
    return planned()


@pytest.fixture(scope="module")
def brokered():
    return planned(**{H20: 150.0, L20: 100.0, "market.brokers.start_rise": 0.15})


def test_without_brokers_rents_are_those_of_the_fleet_alone_to_the_bit(base):
    chain = base.chain
    rental = ~chain.inputs.counts_tokens
    stand = (chain.plan.installed - chain.plan.training_devices).sum(axis=1) * 24.0 * 0.97
    calls = chain.plan.busy_device_h_per_d[~rental].sum(axis=(0, 2, 4)) / 0.7
    work = stand * chain.setting.strength[:, None]
    strength = chain.setting.strength[:, None]
    rent, let = clearing_rents(
        chain.market.calls_per_d[rental].sum(axis=0) * (work / work.sum(axis=0)) / strength,
        chain.market.call_price_cur[rental][0] * strength,
        np.maximum(stand - calls, 0.01 * stand),
        chain.setting.hour_cur / 0.75,
        chain.setting.running_cur,
        -3.0,
        RentCurve(0.75, 0.5),
    )
    assert np.array_equal(chain.rents.cny_per_h, rent)
    assert np.array_equal(chain.rents.let_frac, let)
    assert not chain.rents.brokers_frac.any()


def test_how_brokers_decide_changes_nothing_where_there_are_none(base):
    terms = {"carry": 0.02, "extrapolation": 2.0, "hoard": 0.9, "start_rise": 1.0}
    other = planned(**{f"market.brokers.{name}": value for name, value in terms.items()})
    assert np.array_equal(other.chain.rents.cny_per_h, base.chain.rents.cny_per_h)
    assert np.array_equal(other.chain.plan.served_calls_per_d, base.chain.plan.served_calls_per_d)
    assert other.chain.accounts.value_per_share_cur == base.chain.accounts.value_per_share_cur


def test_what_is_let_held_back_and_idle_adds_up_to_what_brokers_hold(brokered):
    found = brokered.chain.rents
    idle = (found.brokers_held - found.brokers_withheld) * (1 - found.let_frac)
    assert found.brokers_held == pytest.approx(broker_devices(brokered.scenario))
    assert found.brokers_let + found.brokers_withheld + idle == pytest.approx(found.brokers_held)
    for part in (found.brokers_let, found.brokers_withheld, idle):
        assert np.all(part >= 0)
    assert found.brokers_withheld[:, :2].min() > 0


def test_the_planner_sees_what_brokers_leave(brokered, base):
    chain = brokered.chain
    rental = ~chain.inputs.counts_tokens
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
    assert np.array_equal(again.inputs.brokers_frac, brokered.chain.exchange.brokers_frac)
    stock = '{low: 20, mode: 100, high: 300, source: "made up"}'
    result = plan(load(edited(("supply: 400\n", f"supply: 400\n      brokers: {stock}\n"))), draws=4, processes=1)
    assert H20 in result.draws.names
    assert result.draws.infeasible == 0
    assert np.all(np.isfinite(result.draws.outcomes["plan_value"]))


@settings(max_examples=40, deadline=None)
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
    assert np.all(many.cny_per_h <= few.cny_per_h * (1 + 1e-9))


def test_holding_back_raises_every_rent(base):
    stock = {H20: 300.0, L20: 200.0}
    offered = rents(base.chain, **stock)
    held = rents(base.chain, **stock, **{"market.brokers.start_rise": 0.3})
    assert np.all(held.cny_per_h[:, :2] > offered.cny_per_h[:, :2])


@pytest.fixture(scope="module")
def two_chips(edited):
    """A plan with much H800 at brokers and little H20, which calls take more and more of; alike but for hoarding."""
    path = edited(
        ("quarters: 4\nhardware", "quarters: 5\nhardware"),
        ("supply: 400\n      installed: 300", "supply: 10\n      installed: 300\n      brokers: 30"),
        ("l20:\n      price: {fact: l20.price_cny}\n      supply: 200\n      installed: 200",
         "h800_sxm:\n      price: {fact: h800_sxm.price_cny}\n      installed: 20\n      brokers: 2500"),
        ("adopters: 2000000\n", "adopters: 4000000\n"),
        ("peak: 0.5\n      deferrable: 0.2", "peak: 0.34\n      deferrable: 0.2"),
        ("peak: 0.5\n      deferrable: 0.0", "peak: 0.34\n      deferrable: 0.0"),
        ("adopters: 200\n", "adopters: 2500\n      calls_growth: 1.2\n"),
        ("devices: 100\n    growth: 0.2", "devices: 0\n    growth: 0.2"),
    )  # fmt: skip
    scenario = load(path)
    return plan(scenario, draws=0), plan(scenario.with_values({"market.brokers.hoard": 0.0}), draws=0)


def test_one_set_of_terms_gives_the_glut_of_one_chip_and_the_shortage_of_another(two_chips):
    found, open_handed = (result.chain for result in two_chips)
    assert found.convergence.residual < 0.01
    full = found.setting.hour_cur / 0.75
    over, freely = found.rents.cny_per_h / full, open_handed.rents.cny_per_h / full
    h20, h800 = 0, 1
    # much stock against little demand: far below full cost, and all of it on offer
    assert np.all(over[h800] < 0.8)
    assert np.all(found.rents.let_frac[h800] < 0.5)
    assert not found.rents.brokers_withheld[h800].any()
    # little stock against rising demand: above full cost while brokers hold back a part, and it is they who lift it
    short = (over[h20] > 1) & (found.rents.brokers_withheld[h20] > 0)
    assert short.any()
    assert np.all(found.rents.brokers_withheld[h20] < found.rents.brokers_held[h20])
    assert np.all((over[h20] / over[h20, 0])[short] > 1.01 * (freely[h20] / freely[h20, 0])[short])


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
    assert shown["let"][0] == pytest.approx(brokered.chain.rents.brokers_let[0, 0])
    assert shown["withheld"][0] == pytest.approx(brokered.chain.rents.brokers_withheld[0, 0])


@pytest.mark.slow
def test_the_report_draws_rents_and_names_what_brokers_do_where_there_are_any(brokered, base):
    caption = "Rent of each accelerator over its full cost: above 1 scarcity"
    with_them, alone = plan_html(brokered), plan_html(base)
    for page in (with_them, alone):
        assert caption in page
    assert figure_svg(plan_figure(brokered, "rents")) != figure_svg(plan_figure(base, "rents"))
