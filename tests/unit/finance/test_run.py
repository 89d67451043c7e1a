import dataclasses

import numpy as np
import pytest

from jevons.errors import InputError
from jevons.expansion import DAYS_PER_QUARTER
from jevons.finance import (
    AccountTerms,
    DcfTerms,
    Shortage,
    base_cloud,
    dcf,
    growing_line,
    line_value,
    statements,
)

TERMS = AccountTerms(tax_frac=0.2, device_life_y=5.0, building_life_y=20.0, overhead_frac=0.1)
PRICE = np.full((2, 9), 4.0)
INTERNAL = np.array([False, True])
RUN_ON = DcfTerms(
    wacc_frac=0.10, tax_frac=0.2, terminal_growth_frac=0.03, terminal_margin_frac=0.2, capital_per_revenue=1.0
)


@pytest.fixture
def accounts(make_plan):
    terms = dataclasses.replace(
        TERMS, initial_cost_cur_per_device=np.array([80_000.0]), opening_building_book_cur=8_000.0
    )
    return statements(make_plan(), PRICE, INTERNAL, terms, base_cloud(1e6, 0.08, 0.1, 0.7, 9))


def test_devices_that_arrive_later_are_on_the_books_and_written_off_from_their_arrival(make_plan):
    arriving = np.zeros((1, 1, 9))
    arriving[0, 0, 2] = 3.0
    terms = dataclasses.replace(TERMS, initial_cost_cur_per_device=np.array([80_000.0]))
    closed = np.zeros((1, 9))
    plain = statements(make_plan(supply_devices=closed), PRICE, INTERNAL, terms)
    books = statements(make_plan(supply_devices=closed, arriving_devices=arriving), PRICE, INTERNAL, terms)
    assert books.balance.device_opening_cur[0] - plain.balance.device_opening_cur[0] == pytest.approx(3 * 80_000)
    later = books.write_offs.device_depreciation_cur - plain.write_offs.device_depreciation_cur
    assert later == pytest.approx([0, 0, *[3 * 80_000 / 20] * 7])
    assert books.cash.device_capex_cur.sum() == 0
    rolled = (
        books.balance.device_opening_cur
        + books.cash.device_capex_cur
        - books.write_offs.device_depreciation_cur
        - books.write_offs.impairment_cur
    )
    assert books.balance.device_closing_cur == pytest.approx(rolled)


def test_what_sells_nothing_at_the_end_is_worth_its_flows_in_the_plan():
    flows = np.array([-5.0, 1.0, 1.0, 1.0])
    value = line_value(
        np.array([3.0, 2.0, 1.0, 0.0]), np.zeros(4), flows, dataclasses.replace(RUN_ON, start_growth_frac=0.1)
    )
    assert value.total_cur == value.explicit_cur == pytest.approx(flows @ 1.1 ** -((np.arange(4) + 0.5) / 4))


def test_the_first_quarters_by_hand(make_plan, accounts):
    # Five devices ordered in the first quarter serve 500 calls a day from the second; the two old ones train.
    assert make_plan().fleet.ordered[0, 0] == pytest.approx([5, *[0] * 8])
    assert accounts.cash.device_capex_cur[:2] == pytest.approx([500_000, 0])
    assert accounts.cash.site_capex_cur.sum() == pytest.approx(5 * 1000 * 20)
    assert accounts.revenue.external_revenue_cur[:2] == pytest.approx([0, 300 * 4 * DAYS_PER_QUARTER])
    assert accounts.revenue.internal_revenue_cur[:2] == pytest.approx([0, 200 * 4 * DAYS_PER_QUARTER])
    assert accounts.costs.energy_cur[:2] == pytest.approx([2 * 24 * DAYS_PER_QUARTER, 7 * 24 * DAYS_PER_QUARTER])
    assert accounts.costs.fixed_cur[:2] == pytest.approx([1000, 3500])
    assert accounts.costs.overhead_cur[1] == pytest.approx(0.1 * 500 * 4 * DAYS_PER_QUARTER)
    old, new = 2 * 80_000 / 20, 500_000 / 20
    assert accounts.write_offs.device_depreciation_cur[:2] == pytest.approx([old, old + new])
    assert accounts.balance.device_opening_cur[0] == pytest.approx(2 * 80_000 * 16 / 20)
    assert accounts.write_offs.building_depreciation_cur[-1] == pytest.approx((8_000 + 100_000) / 80)
    ebita = (
        500 * 4 * DAYS_PER_QUARTER * 0.9
        - 7 * 24 * DAYS_PER_QUARTER
        - 3500
        - old
        - new
        - accounts.write_offs.building_depreciation_cur[1]
    )
    assert accounts.earnings.ai_ebita_cur[1] == pytest.approx(ebita)
    assert accounts.earnings.ai_tax_cur[1] == pytest.approx(0.2 * ebita)


def test_books_cash_and_lines_add_up(accounts):
    a = accounts
    assert (
        a.balance.device_opening_cur
        + a.cash.device_capex_cur
        - a.write_offs.device_depreciation_cur
        - a.write_offs.impairment_cur
        == pytest.approx(a.balance.device_closing_cur)
    )
    assert (
        a.balance.building_opening_cur + a.cash.site_capex_cur - a.write_offs.building_depreciation_cur
        == pytest.approx(a.balance.building_closing_cur)
    )
    assert a.balance.device_opening_cur[1:] == pytest.approx(a.balance.device_closing_cur[:-1])
    assert a.earnings.ai_ebita_cur + a.base.base_ebita_cur == pytest.approx(a.earnings.ebita_cur)
    assert a.cash.ai_fcf_cur == pytest.approx(
        a.earnings.ai_ebita_cur - a.earnings.ai_tax_cur + a.depreciation_cur - a.capex_cur
    )
    assert a.cash.fcf_cur == pytest.approx(a.cash.ai_fcf_cur + a.base.base_fcf_cur)
    assert a.cash.cumulative_cash_cur[-1] == pytest.approx(a.cash.fcf_cur.sum())
    cash_in = a.ai_revenue_cur - a.costs.energy_cur - a.costs.fixed_cur - a.costs.overhead_cur
    assert a.cash.ai_fcf_cur == pytest.approx(cash_in - a.earnings.ai_tax_cur - a.capex_cur)


def test_vintages_sum_to_the_books_and_each_rolls_forward(make_plan):
    terms = dataclasses.replace(TERMS, initial_cost_cur_per_device=np.array([80_000.0]), impair=False)
    supply = np.array([[5.0, 0, 0, 0, 4.0, 0, 0, 0, 0]])
    plan = make_plan(supply_devices=supply, block_calls_per_d=np.tile([[[600.0]], [[400.0]]], (1, 9, 1)))
    a = statements(plan, PRICE, INTERNAL, terms)
    assert a.vintages == ("before 2025", "2025", "2026", "2027")
    assert a.write_offs.vintage_depreciation_cur.sum(axis=0) == pytest.approx(a.write_offs.device_depreciation_cur)
    assert a.balance.vintage_closing_cur.sum(axis=0) == pytest.approx(a.balance.device_closing_cur)
    years = np.array([quarter[:4] for quarter in a.quarters])
    for row, year in enumerate(a.vintages[1:], start=1):
        spent = np.where(years == year, a.cash.device_capex_cur, 0.0)
        book = np.cumsum(spent - a.write_offs.vintage_depreciation_cur[row])
        assert a.balance.vintage_closing_cur[row] == pytest.approx(book, abs=1e-6 * a.cash.device_capex_cur.sum())
    assert (a.write_offs.vintage_depreciation_cur[1:3].sum(axis=1) > 0).all()
    assert a.write_offs.vintage_depreciation_cur[3].sum() == 0  # nothing is bought in the last year


def test_depreciation_and_impairment_shelter_tax_and_move_no_other_cash(make_plan):
    plan = make_plan(terminal_cur_per_device=np.zeros((1, 9)))
    low = np.full((2, 9), 0.6)
    slow, fast, cut = (
        statements(plan, low, INTERNAL, dataclasses.replace(TERMS, device_life_y=life, impair=impair))
        for life, impair in ((5.0, False), (3.0, False), (5.0, True))
    )
    for other in (fast, cut):
        charged = (
            other.depreciation_cur
            + other.write_offs.impairment_cur
            - slow.depreciation_cur
            - slow.write_offs.impairment_cur
        )
        assert np.abs(charged).max() > 0
        assert other.cash.ai_fcf_cur - slow.cash.ai_fcf_cur == pytest.approx(TERMS.tax_frac * charged)


def test_each_part_of_the_cloud_pays_its_own_tax(accounts):
    a = accounts
    assert a.earnings.ai_tax_cur == pytest.approx(
        TERMS.tax_frac * (a.earnings.ai_ebita_cur - a.write_offs.impairment_cur)
    )
    assert a.earnings.tax_cur - a.earnings.ai_tax_cur == pytest.approx(TERMS.tax_frac * a.base.base_ebita_cur)
    assert a.base.base_fcf_cur == pytest.approx(
        (1 - TERMS.tax_frac) * a.base.base_ebita_cur - a.base.base_investment_cur
    )


def test_cash_leads_depreciation(accounts):
    assert accounts.capex_cur[0] > 0
    spent, charged = np.cumsum(accounts.capex_cur), np.cumsum(accounts.depreciation_cur)
    assert (spent > charged).all()


def test_a_vintage_that_cannot_earn_its_book_value_is_written_down(make_plan):
    plan = make_plan(terminal_cur_per_device=np.zeros((1, 9)))
    low = np.full((2, 9), 0.6)
    cut, kept = (statements(plan, low, INTERNAL, dataclasses.replace(TERMS, impair=flag)) for flag in (True, False))
    assert kept.write_offs.impairment_cur.sum() == 0
    assert cut.write_offs.impairment_cur.sum() > 0
    assert cut.write_offs.device_depreciation_cur.sum() < kept.write_offs.device_depreciation_cur.sum()
    assert cut.balance.device_closing_cur[-1] == pytest.approx(0.0, abs=1e-6)  # no use after the horizon was stated
    # At 4 CNY a call and the stated terminal value the same devices are worth their price.
    assert statements(make_plan(), PRICE, INTERNAL, TERMS).write_offs.impairment_cur.sum() == 0


def test_devices_that_retire_before_the_end_of_their_accounting_life_are_written_off(make_plan):
    terms = dataclasses.replace(TERMS, initial_cost_cur_per_device=np.array([80_000.0]))
    plan = make_plan(initial_age_quarters=np.array([12]), training_flop_per_s=np.zeros(9))
    result = statements(plan, PRICE, INTERNAL, terms)
    assert np.nonzero(result.write_offs.impairment_cur)[0].tolist() == [4]
    assert result.write_offs.impairment_cur[4] == pytest.approx(2 * 80_000 * (1 - 16 / 20))


def test_wrong_accounts_input_is_reported_together(make_plan):
    with pytest.raises(InputError) as caught:
        statements(
            make_plan(),
            PRICE[:, :3],
            INTERNAL[:1],
            AccountTerms(
                tax_frac=1.2,
                device_life_y=0.0,
                building_life_y=20.0,
                overhead_frac=0.1,
                initial_cost_cur_per_device=np.ones(4),
            ),
            base_cloud(1e6, 0.0, 0.1, 0.7, 3),
        )
    assert {fault.path for fault in caught.value.faults} == {
        "price_cur_per_call", "internal", "tax_frac", "device_life_y", "initial_cost_cur_per_device",
        "base.revenue_cur", "base.ebita_cur", "base.investment_cur",
    }  # fmt: skip


def test_the_base_cloud_grows_over_a_year_by_its_rate():
    base = base_cloud(100.0, 0.10, 0.2, 0.5, 4)
    assert base.revenue_cur[3] == pytest.approx(110.0)
    assert base.ebita_cur == pytest.approx(0.2 * base.revenue_cur)
    assert base.investment_cur.sum() == pytest.approx(0.5 * 4 * (110.0 - 100.0))


def flat(quarters=8, quarter_profit=10.0):
    revenue = np.full(quarters, 100.0)
    return revenue, np.full(quarters, quarter_profit), np.full(quarters, quarter_profit * 0.8)


def test_a_flat_business_is_worth_its_perpetuity():
    terms = dataclasses.replace(RUN_ON, terminal_growth_frac=0.0, terminal_margin_frac=0.1)
    value = line_value(*flat(), terms)
    # Two years of mid-quarter flows, then mid-year flows for ever, by hand.
    explicit = 8.0 * sum(1.1 ** -((t + 0.5) / 4) for t in range(8))
    after = 32.0 / 0.10 * 1.1**-1.5
    assert value.explicit_cur == pytest.approx(explicit)
    assert value.fade_cur + value.terminal_cur == pytest.approx(after)


def test_growth_after_the_fade_is_worthless_where_its_return_equals_the_cost_of_capital():
    equal = dataclasses.replace(
        RUN_ON, terminal_margin_frac=0.1, start_growth_frac=0.03, fade_y=1, terminal_roic_frac=0.10
    )
    # One year of fade at 3 %, its middle 0.625 years from the last quarter's, then next year's profit for ever.
    assert line_value(*flat(), equal).terminal_cur == pytest.approx(400 * 1.03**1.625 * 0.08 / 0.10 * 1.1**-2.5)


def test_faster_growth_lowers_the_value_of_a_business_with_poor_returns():
    revenue, ebita, fcf = flat()
    poor = dataclasses.replace(RUN_ON, terminal_margin_frac=0.15, capital_per_revenue=1.5)
    slow, fast = (line_value(revenue, ebita, fcf, dataclasses.replace(poor, start_growth_frac=g)) for g in (0.05, 0.30))
    assert slow.growth_destroys_value
    assert slow.roic_frac == pytest.approx(0.08)
    good = dataclasses.replace(poor, terminal_margin_frac=0.25)
    low, high = (line_value(revenue, ebita, fcf, dataclasses.replace(good, start_growth_frac=g)) for g in (0.05, 0.30))
    assert not low.growth_destroys_value
    assert high.total_cur > low.total_cur
    assert fast.terminal_cur + fast.fade_cur < high.terminal_cur + high.fade_cur


def test_value_without_growth_and_value_of_growth_make_the_whole():
    terms = dataclasses.replace(RUN_ON, terminal_margin_frac=0.1, start_growth_frac=0.2)
    revenue, ebita, fcf = flat()
    value = line_value(revenue, ebita, fcf, terms)
    # 400 a year at 8 % after tax for ever, from the middle of the third year
    assert value.standing_cur == pytest.approx(32.0 / 0.10 * 1.1**-1.5)
    assert value.explicit_cur + value.standing_cur + value.growth_cur == pytest.approx(value.total_cur)


@pytest.mark.parametrize(("margin", "adds"), [(0.25, True), (0.15, False)])
def test_growth_adds_value_where_it_returns_more_than_capital_costs_and_takes_it_below(margin, adds):
    # capital 1.5 per revenue, tax 20 %: 13.3 % or 8 % against 10 %
    terms = dataclasses.replace(
        RUN_ON, terminal_margin_frac=margin, capital_per_revenue=1.5, start_growth_frac=0.3, wacc_frac=0.1, tax_frac=0.2
    )
    revenue = np.full(8, 100.0)
    value = line_value(revenue, margin * revenue, margin * 0.8 * revenue, terms)
    assert (value.growth_cur > 0) is adds
    assert value.growth_destroys_value is not adds


def test_capital_that_stands_already_is_not_paid_for_again():
    terms = dataclasses.replace(RUN_ON, terminal_margin_frac=0.1, start_growth_frac=0.2, capital_per_revenue=1.0)
    usual, ahead = (
        line_value(*flat(), dataclasses.replace(terms, opening_capital_cur=held)) for held in (400.0, 500.0)
    )
    assert usual.total_cur == pytest.approx(line_value(*flat(), terms).total_cur)
    # 100 more at the start are not spent over the seven years of the fade
    assert 100 * 1.1**-8.5 < ahead.total_cur - usual.total_cur < 100 * 1.1**-2.5


def test_the_fade_starts_from_the_pace_of_the_last_quarter():
    terms = dataclasses.replace(RUN_ON, terminal_margin_frac=0.1, terminal_growth_frac=0.0, start_growth_frac=0.0)
    rising = np.array([50.0, 60, 70, 80, 90, 95, 98, 100])
    late = line_value(rising, 0.1 * rising, 0.08 * rising, terms)
    assert late.fade_cur + late.terminal_cur == pytest.approx(32.0 / 0.10 * 1.1**-1.5)


def test_growth_is_measured_from_the_last_two_years_where_it_is_not_given():
    revenue = np.concatenate([np.full(4, 100.0), np.full(4, 120.0)])
    measured = line_value(revenue, 0.1 * revenue, 0.08 * revenue, RUN_ON)
    given = line_value(revenue, 0.1 * revenue, 0.08 * revenue, dataclasses.replace(RUN_ON, start_growth_frac=0.2))
    assert measured.total_cur == pytest.approx(given.total_cur)
    with pytest.raises(InputError, match="8 quarters"):
        line_value(revenue[:6], revenue[:6], revenue[:6], RUN_ON)


def test_the_rest_of_the_group_without_growth_is_a_multiple_of_its_profit():
    value = growing_line(
        160e9, growth_frac=0.0, years=10, wacc_frac=0.10, tax_frac=0.2, terminal_growth_frac=0.0, roic_frac=0.15
    )
    assert value == pytest.approx(160e9 * 0.8 / 0.10 * 1.1**0.5)


def test_parts_sum_to_equity_and_equity_to_a_price_per_share(accounts):
    value = dcf(accounts, ai=RUN_ON, base=RUN_ON, rest_cur=5e7, net_cash_cur=2e7, stakes_cur=1e7, shares=1e6)
    assert sum(amount for _, amount in value.bridge) == pytest.approx(value.equity_cur)
    assert value.enterprise_cur == pytest.approx(value.ai.total_cur + value.base.total_cur + 5e7)
    assert value.equity_cur == pytest.approx(value.enterprise_cur + 3e7)
    assert value.per_share_cur == pytest.approx(value.equity_cur / 1e6)


def test_a_group_without_a_base_line_is_valued_without_it(make_plan):
    accounts = statements(make_plan(), PRICE, INTERNAL, TERMS)
    value = dcf(accounts, ai=RUN_ON, base=RUN_ON, rest_cur=0.0, net_cash_cur=0.0, stakes_cur=0.0, shares=1.0)
    assert value.base.total_cur == 0
    assert value.equity_cur == pytest.approx(value.ai.total_cur)


def test_a_line_that_cannot_be_valued_is_named(accounts):
    bad = dataclasses.replace(RUN_ON, wacc_frac=0.03)
    rest = {"rest_cur": 0.0, "net_cash_cur": 0.0, "stakes_cur": 0.0, "shares": 1.0}
    with pytest.raises(InputError, match="Base cloud: cost of capital"):
        dcf(accounts, ai=RUN_ON, base=bad, **rest)
    with pytest.raises(InputError, match="shares = 0"):
        dcf(accounts, ai=RUN_ON, base=RUN_ON, **(rest | {"shares": 0.0}))


def short(revenue, frac, margin=1.0):
    return Shortage(revenue_cur=frac * revenue, ebita_cur=margin * frac * revenue)


def test_rents_of_a_shortage_do_not_run_on():
    """Revenue at calm prices runs on; at once gone, a shortage leaves what the calm line is worth."""
    calm, cash = np.full(8, 100.0), np.zeros(8)
    terms = dataclasses.replace(RUN_ON, start_growth_frac=0.0, opening_capital_cur=500.0, shortage_decay_frac=1.0)
    alone = line_value(calm, 0.1 * calm, cash, terms)
    dear = calm / 0.8  # a fifth of it is rent above the calm level, all of which is earned
    value = line_value(dear, 0.1 * calm + dear - calm, cash, terms, short(dear, 0.2))
    assert value.total_cur == pytest.approx(alone.total_cur)
    kept = line_value(dear, 0.1 * calm + dear - calm, cash, terms)
    assert kept.total_cur > value.total_cur


def test_a_shortage_that_fades_earns_its_years_after_tax():
    calm, cash = np.full(8, 100.0), np.zeros(8)
    gone = dataclasses.replace(RUN_ON, start_growth_frac=0.0, opening_capital_cur=500.0, shortage_decay_frac=1.0)
    half = dataclasses.replace(gone, shortage_decay_frac=0.5)
    values = [line_value(calm, 0.1 * calm, cash, terms, short(calm, 0.1, 0.3)).total_cur for terms in (gone, half)]
    years = np.arange(1, RUN_ON.fade_y + 1) - 0.5
    earned = 4 * 0.03 * 100.0 * (1 - RUN_ON.tax_frac) * (0.5**years * (1 + RUN_ON.wacc_frac) ** -(2 + years)).sum()
    assert values[1] - values[0] == pytest.approx(earned)
