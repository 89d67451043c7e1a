"""Contracts, leases and debt balance, and reach statements, cash and workbook."""

import numpy as np
import pytest

import jevons
from jevons.errors import InputError
from jevons.finance import Loan, debt_schedule, fund
from jevons.report.workbook import plan_book
from jevons.study.chain.contracts import contracts_of, taken_hours
from jevons.study.plan.group_cash import group_cash
from jevons.study.scenario.load import load
from places import MAIN

pytestmark = pytest.mark.slow

COREWEAVE = MAIN.parent / "coreweave.yaml"


@pytest.fixture(scope="module")
def plan():
    return jevons.plan(load(COREWEAVE, settings={"quarters": 4}), draws=0)


@pytest.fixture(scope="module")
def cheap(plan):
    """The same firm whose customers signed at four times the market."""
    changes = {"market.contracts.*.rate": "8 USD/h", "market.contracts.*.take_or_pay": 0.6}
    return jevons.plan(load(COREWEAVE, settings={"quarters": 4}), draws=0, set=changes)


def test_revenue_of_contracts_is_what_is_due_and_delivered(plan):
    account = plan.chain.accounts.contracts
    assert (account.revenue_cur <= account.due_cur * (1 + 1e-9)).all()
    assert (account.due_cur <= account.committed_cur * (1 + 1e-9)).all()
    books = plan.chain.accounts.statements
    assert books.revenue.contract_revenue_cur == pytest.approx(account.revenue_cur.sum(axis=0))
    assert (books.revenue.contract_revenue_cur <= books.revenue.external_revenue_cur * (1 + 1e-9)).all()


@pytest.mark.slow
def test_customers_who_could_rent_cheaper_pay_the_agreed_share_alone(cheap):
    found, account = contracts_of(cheap.scenario), cheap.chain.accounts.contracts
    assert (cheap.chain.market.call_price_cur[found.segment] < 8).all()
    assert account.due_cur == pytest.approx(0.6 * account.committed_cur)
    assert taken_hours(found, cheap.chain.market) == pytest.approx(0.6 * found.hours_per_d)
    assert account.revenue_cur[0] == pytest.approx(account.due_cur[0])


@pytest.mark.slow
def test_contracts_for_more_than_could_ever_stand_are_refused_with_quarter_and_remedy():
    changes = {"market.contracts.standing.backlog": "2000 bn USD"}
    with pytest.raises(InputError, match=r"contracts\.standing: .* in 20\d\d-Q\d, where at most .* lower `ba"):
        jevons.plan(load(COREWEAVE, settings={"quarters": 4}), draws=0, set=changes)


def test_backlog_falls_by_what_is_committed_to_nothing_at_the_end(plan):
    spec = plan.scenario.market.contracts["standing"]
    account = plan.chain.accounts.contracts
    assert account.committed_cur[0].sum() == pytest.approx(spec.backlog.value * 4 / 16)
    assert account.backlog_cur[0, -1] == pytest.approx(spec.backlog.value * 12 / 16)
    assert account.committed_cur[1, 0] == 0
    ramp = account.committed_cur[1, 1:]
    assert np.diff(ramp) == pytest.approx(np.full(2, ramp[0]))


def test_prepayments_are_used_up_and_take_no_cash_twice(plan):
    account, books = plan.chain.accounts.contracts, plan.chain.accounts.statements
    before = contracts_of(plan.scenario).owed_before_cur
    assert account.owed_cur[:, -1] == pytest.approx(before + (account.received_cur - account.used_cur).sum(axis=1))
    flows = (
        books.earnings.ai_ebita_cur
        - books.earnings.ai_tax_cur
        + books.depreciation_cur
        - books.capex_cur
        - books.cash.prepayment_cur
    )
    assert books.cash.ai_fcf_cur == pytest.approx(flows + books.cash.customer_prepayment_cur)
    assert (books.cash.customer_prepayment_cur < 0).all()


def test_a_lease_is_paid_on_every_watt_in_service(plan):
    books, rent = plan.chain.accounts.statements, plan.scenario.hardware.sites["texas"].lease.value
    assert books.costs.lease_cur == pytest.approx(plan.chain.plan.fleet.it_w * rent / 4, rel=1e-6)


def test_debt_balances_in_the_cash_of_the_group(plan):
    funding = group_cash(plan.scenario, plan.chain.accounts).funding
    debt = funding.debt
    assert debt.opening_cur - debt.repaid_cur == pytest.approx(debt.closing_cur)
    inflow = funding.free_cash_cur + funding.interest_cur - funding.debt_interest_cur
    before = np.concatenate([[plan.scenario.finance.net_cash.value], funding.net_closing_cur[:-1]])
    assert funding.net_closing_cur == pytest.approx(before + inflow - funding.returned_cur)
    assert (funding.closing_cur >= -1e-3).all()
    assert funding.opening_cur[0] == pytest.approx(plan.scenario.finance.net_cash.value + 10.7e9)


def test_notes_are_repaid_whole_and_loans_evenly():
    loans = [
        Loan(name="even", balance_cur=90.0, rate_frac=0.08, quarters=3, evenly=True),
        Loan(name="notes", balance_cur=50.0, rate_frac=0.04, quarters=2),
        Loan(name="later", balance_cur=10.0, rate_frac=0.0, quarters=9),
    ]
    schedule = debt_schedule(loans, 4)
    assert schedule.repaid_cur.tolist() == [[30, 30, 30, 0], [0, 50, 0, 0], [0, 0, 0, 0]]
    assert schedule.closing_cur[:, -1].tolist() == [0, 0, 10]
    assert schedule.interest_cur[0].tolist() == pytest.approx([1.8, 1.2, 0.6, 0.0])


@pytest.mark.parametrize("broken", [{"balance_cur": -1.0}, {"rate_frac": float("nan")}, {"quarters": 0}])
def test_a_loan_without_a_term_or_amount_is_refused(broken):
    with pytest.raises(jevons.InputError, match="with a quarter left"):
        debt_schedule([Loan(**{"name": "a", "balance_cur": 1.0, "rate_frac": 0.1, "quarters": 1} | broken)], 4)


def test_new_debt_is_paid_back_from_cash():
    schedule = debt_schedule([Loan(name="a", balance_cur=100.0, rate_frac=0.0, quarters=1)], 3)
    funding = fund(
        -60.0, np.array([0.0, 200.0, 10.0]), returns_cur=np.zeros(3), interest_frac=0.0, tax_frac=0.0, debt=schedule
    )
    assert funding.raised_cur.tolist() == [60, 0, 0]
    assert funding.debt_closing_cur.tolist() == [60, 0, 0]
    assert funding.closing_cur.tolist() == [0, 140, 150]


def test_without_debt_the_cash_statement_is_one_figure():
    funding = fund(10.0, np.array([-5.0, -10.0]), returns_cur=np.array([2.0, 2.0]), interest_frac=0.0)
    assert funding.debt is None
    assert funding.returned_cur.tolist() == [2, 0]
    assert funding.raised_cur.tolist() == [0, 7]
    assert not funding.debt_closing_cur.any()


@pytest.mark.slow
def test_the_workbook_follows_contracts_debt_and_cash(plan):
    book, own = plan_book(plan), plan.chain.accounts
    assert book.named("PER_SHARE") == pytest.approx(own.value_per_share_cur, rel=1e-9)
    cash = group_cash(plan.scenario, own).funding
    assert book.named("NET_CASH_END") == pytest.approx(cash.net_closing_cur[-1], rel=1e-9)
    count = len(plan.quarters)
    for row, line in (
        (1, cash.opening_cur),
        (6, cash.debt_interest_cur),
        (11, cash.raised_cur),
        (12, cash.closing_cur),
    ):
        shown = [book.value("cash", row, column) for column in range(1, count + 1)]
        assert shown == pytest.approx(list(line), rel=1e-9, abs=1.0), row
    before = book.named("PER_SHARE")
    book.grids["contracts"].cells[6, 1] = 0.5  # share that is paid in any case
    book.set("WACC", plan.scenario.cost.wacc.value)
    assert book.named("PER_SHARE") < before


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("segment: training", "segment: trainin", r"contracts.standing.segment: `trainin`: is no segment .*training"),
        ("      term: 16 quarters\n", "", r"contracts.standing: needs `term`"),
        ("start: 2025-Q4", "start: 2025-Q1", r"contracts.openai.start: 2025-Q1: lies before"),
        ("matures: 2029-Q1", "matures: 2025-Q1", r"debt.term_loans.matures: 2025-Q1: lies before"),
        ("take_or_pay: 0.97", "take_or_pay: 1.97", r"contracts.standing.take_or_pay"),
        ("ai_revenue: [peer.core", "ai_revenu: [peer.core", r"firm.published.ai_revenu: no such series"),
        ("active_power_w", "active_powr_w", r"is not on file"),
    ],
)
def test_faults_name_place_value_and_remedy(tmp_path, old, new, message):
    text = COREWEAVE.read_text()
    assert old in text
    path = tmp_path / "s.yaml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(jevons.InputError, match=message):
        load(path)
