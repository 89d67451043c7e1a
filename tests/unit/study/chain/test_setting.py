"""The start of a plan: devices on their way, commitments, and AI revenue that rented hours are scaled to."""

import numpy as np
import pytest

from jevons.errors import InputError
from jevons.facts import default_facts
from jevons.study import load
from jevons.study.chain.demand import opening_scale
from jevons.study.chain.fixed_point import run_chain
from jevons.study.chain.operating_points import engineer
from jevons.study.chain.setting import committed_path, setting
from jevons.study.draws.sampling import draw_amounts
from places import TINY


@pytest.fixture(scope="module")
def engineering():
    scenario = load(TINY)
    return engineer(scenario, default_facts(), scenario.as_of)


def test_devices_on_their_way_come_in_equal_parts_and_are_no_expense(engineering, edited):
    path = edited(("      supply: 400\n", "      supply: 400\n      arriving: 90\n      arriving_over: 3 quarters\n"))
    with_them, without = run_chain(load(path), engineering), run_chain(load(TINY), engineering)
    coming = with_them.plan.problem.opening.arriving_devices[0].sum(axis=0)
    assert coming == pytest.approx([30, 30, 30, 0])
    assert with_them.plan.fleet.installed[0, :, 0].sum() == pytest.approx(
        without.plan.fleet.installed[0, :, 0].sum() + 30
    )
    books = with_them.accounts.statements
    before = without.accounts.statements
    assert books.balance.device_opening_cur[0] > before.balance.device_opening_cur[0]
    rolled = (
        books.balance.device_opening_cur
        + books.cash.device_capex_cur
        - books.write_offs.device_depreciation_cur
        - books.write_offs.impairment_cur
    )
    assert books.balance.device_closing_cur == pytest.approx(rolled)


def test_a_site_feeds_what_stands_before_what_is_on_its_way(engineering, edited):
    path = edited(("      supply: 400\n", "      supply: 400\n      arriving: 1e6\n"))
    problem = run_chain(load(path), engineering).plan.problem
    watts = problem.machines.device_w @ (
        problem.opening.initial_devices + problem.opening.arriving_devices.sum(axis=2)
    ).sum(axis=1)
    assert problem.opening.initial_devices[0].sum() == pytest.approx(300)
    assert watts == pytest.approx(1e6)


def test_commitments_are_ordered_and_a_ban_voids_them(engineering, edited):
    path = edited(("      supply: 400\n", "      supply: 400\n      committed: 50\n      committed_until: 2025-Q3\n"))
    scenario = load(path)
    assert committed_path(scenario)[0] == pytest.approx([50, 50, 50, 0])
    plan = run_chain(scenario, engineering).plan
    assert (plan.fleet.ordered[0].sum(axis=0)[:3] >= 50 * (1 - 1e-9)).all()
    barred = setting(scenario, engineering, banned=frozenset({"h20"}))
    assert (barred.committed <= barred.supply).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("      committed: 500\n", r"h20.committed: = 500 a quarter: the supply in 2025-Q1 is 400; lower it"),
        (
            "      committed: 300\n      supply_growth: -0.5\n",
            r"h20.committed: = 300 a quarter: the supply in 2025-Q3 is 282.843; lower it",
        ),
        (
            "      committed: 100\n      supply_from: 2025-Q3\n",
            r"h20.committed: = 100 a quarter: the supply in 2025-Q1 is 0; lower it, end it earlier with",
        ),
    ],
)
def test_a_supply_below_the_commitments_is_refused_with_place_value_and_remedy(edited, change, message):
    path = edited(("      supply: 400\n", f"      supply: 400\n{change}"))
    with pytest.raises(InputError, match=message) as caught:
        load(path)
    fault = caught.value.faults[0]
    assert fault.file.endswith("s.yaml")
    assert fault.line
    assert fault.column


def test_rented_hours_bring_what_calls_leave_of_the_stated_ai_revenue_at_the_rent_given(engineering, edited):
    path = edited(
        ("  rental_price: 8 CNY/h\n", "  rental_price: 8 CNY/h\n  ai_revenue_share: 0.2\n  ai_revenue_growth: 1.0\n")
    )
    scenario, plain = load(path), load(TINY)
    inputs = run_chain(plain, engineering).inputs
    scale = opening_scale(scenario, inputs)
    price = (inputs.use.tokens_per_call * inputs.pricing.list_price_cur_per_tok[inputs.model]).sum(
        axis=1
    ) * inputs.pricing.price_factor
    sold = (
        inputs.adoption.adopters
        * inputs.adoption.adopted_frac
        * inputs.use.calls_per_d
        * inputs.share_frac
        * price
        * scale
        * 365.25
        / 4
    )
    outside = np.array([not s.internal for s in scenario.market.segments.values()])
    assert sold[outside].sum() == pytest.approx(0.2 * scenario.finance.base_revenue.value * 2**0.25)
    assert opening_scale(plain, inputs) == pytest.approx(np.ones(inputs.model.size))


def test_the_firm_is_paid_its_premium_and_renters_weigh_the_rent(engineering, edited):
    plain = run_chain(load(TINY), engineering)
    path = edited(("  rental_price: 8 CNY/h\n", "  rental_price: 8 CNY/h\n  cloud_premium: 1.5\n"))
    paid = run_chain(load(path), engineering, start=plain, most_rounds=1)
    rented = ~paid.inputs.use.counts_tokens
    assert paid.market.calls_per_d == pytest.approx(plain.market.calls_per_d, rel=0.05)
    assert paid.market.seen_call_price_cur[rented] == pytest.approx(paid.market.call_price_cur[rented] / 1.5)
    assert paid.market.seen_call_price_cur[~rented].shape == paid.market.call_price_cur[~rented].shape
    assert paid.accounts.statements.ai_revenue_cur.sum() > plain.accounts.statements.ai_revenue_cur.sum()


def test_with_a_premium_the_same_revenue_takes_fewer_hours(engineering, edited):
    stated = "  rental_price: 8 CNY/h\n  ai_revenue_share: 0.2\n"
    bare = run_chain(load(edited(("  rental_price: 8 CNY/h\n", stated))), engineering)
    sold = run_chain(load(edited(("  rental_price: 8 CNY/h\n", f"{stated}  cloud_premium: 2\n"))), engineering)
    rented = ~bare.inputs.use.counts_tokens
    ratio = sold.inputs.use.calls_per_d[rented] / bare.inputs.use.calls_per_d[rented]
    assert ratio == pytest.approx(0.5, rel=0.05)
    assert sold.rents.rent_cur_per_h[0, 0] < bare.rents.rent_cur_per_h[0, 0]


def test_draws_of_supply_below_a_commitment_free_the_firm(engineering, edited):
    path = edited(
        (
            "      supply: 400\n",
            '      supply: {low: 10, mode: 400, high: 500, source: "made up"}\n      committed: 300\n',
        )
    )
    scenario = load(path)
    names, values = draw_amounts(scenario, 40, 3)
    drawn = [dict(zip(names, row, strict=True)) for row in values]
    least = min(drawn, key=lambda d: d["hardware.devices.h20.supply"])
    assert least["hardware.devices.h20.supply"] < 300
    amounts = {name: value for name, value in least.items() if name in scenario.amounts()}
    assert run_chain(scenario.with_values(amounts), engineering).plan.fleet.ordered[0].sum() > 0


def test_the_fixed_point_meets_the_planner_s_own_prices(engineering):
    result = run_chain(load(TINY), engineering)
    assert result.convergence.residual < 0.01
    assert 0 <= result.convergence.gap_frac < 0.02
    hurried = run_chain(load(TINY), engineering, most_rounds=1)
    assert hurried.convergence.gap_frac > result.convergence.gap_frac
