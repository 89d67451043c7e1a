"""Brokers' books: they buy when it seems to pay, pay interest, sell or hand over what they cannot pay, and lose."""

import numpy as np
import pytest

from jevons.errors import InputError
from jevons.market import BalanceSheets, LoanTerms, QuarterFigures

TERMS = LoanTerms(debt_frac=0.6, interest_frac=0.08, term_y=3.0, carry_frac=0.1, entry_frac=0.1)


def sheets(held=100.0, price=150e3):
    cost = np.array([held * price])
    return BalanceSheets(
        terms=TERMS, held=np.array([held]), debt_cur=0.6 * cost, term_left_q=np.array([12.0]), paid_in_cur=0.4 * cost
    )


def quarter(rent=10.0, let=0.8, rise=0.0, resale=140e3, price=150e3, supply=1000.0):
    return QuarterFigures(
        rent_cur_per_h=np.array([rent]), running_cur_per_h=np.array([1.3]), let_frac=np.array([let]),
        withheld=np.zeros(1), rise_frac=np.array([rise]), price_cur=np.array([price]), resale_cur=np.array([resale]),
        supply=np.array([supply]),
    )  # fmt: skip


def test_they_buy_into_a_rising_rent_and_not_into_a_calm_one():
    calm, rising = sheets(), sheets()
    calm.settle(quarter(rent=9.0, let=0.7), np.zeros(1))
    rising.settle(quarter(rent=13.0, let=0.85, rise=0.1), np.zeros(1))
    assert calm.bought[0] == 0
    assert rising.bought[0] == pytest.approx(100.0)  # a tenth of what the firm could buy
    assert rising.debt_cur[0] > calm.debt_cur[0]


def test_nothing_can_be_bought_of_a_chip_that_is_not_on_sale():
    book = sheets()
    book.settle(quarter(rent=30.0, let=0.95, rise=0.3, price=np.inf, supply=0.0), np.zeros(1))
    assert book.bought[0] == 0


def test_a_spike_that_ends_takes_devices_from_brokers_and_money_from_lenders():
    book = sheets()
    for _ in range(4):
        book.settle(quarter(rent=2.0, let=0.2, resale=10e3), np.zeros(1))
    assert book.given_up[0] > 50
    assert book.held[0] + book.given_up[0] == pytest.approx(100.0)
    assert book.lenders_loss_cur[0] > 0
    assert book.owners_loss_cur(np.array([10e3]))[0] == pytest.approx(0.4 * 100 * 150e3, rel=0.1)


def test_a_solvent_broker_without_cash_sells_and_lenders_lose_nothing():
    book = sheets()
    book.settle(quarter(rent=2.0, let=0.2, resale=140e3), np.zeros(1))
    assert 0 < book.given_up[0] < 20
    assert book.lenders_loss_cur[0] == 0


def test_a_loan_is_paid_back_over_its_term_out_of_good_rents():
    book = sheets()
    for _ in range(12):
        book.settle(quarter(rent=11.0, let=0.8, price=1e9), np.zeros(1))
    assert book.debt_cur[0] == pytest.approx(0.0, abs=1.0)
    assert book.given_up[0] == 0


def test_faults_of_the_terms_are_named_together():
    with pytest.raises(InputError) as error:
        LoanTerms(debt_frac=1.0, interest_frac=-0.1, term_y=0.0, carry_frac=-1.0, entry_frac=-1.0)
    for part in ("debt_frac: 1", "interest_frac: -0.1", "term_y: 0", "carry_frac: -1", "entry_frac: -1"):
        assert part in str(error.value)
