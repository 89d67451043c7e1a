"""Any share at any dates: a user's prices, a multiple that somebody calls fair, and prices that are stale."""

import datetime as dt

import pytest

import jevons
from jevons.errors import InputError
from jevons.study import load
from jevons.study.plan.prices import Quote, explain_prices, read_prices
from places import MAIN, TINY

GOOD = "date,price,earnings,yield\n2025-01-02,80,9500000000,0.046\n2025-03-31,110,10500000000,0.042\n"


def written(folder, text):
    path = folder / "prices.csv"
    path.write_text(text)
    return path


@pytest.mark.slow
def test_a_users_prices_give_the_re_rating_of_any_firm(tmp_path):
    path = written(tmp_path, GOOD)
    told = jevons.value(TINY, prices=path, first="2025-01-02", last="2025-03-31").to_json()["rerating"]
    assert sum(told["parts"].values()) == pytest.approx(told["value_after"] - told["value_before"])
    assert told["parts"]["earnings"] > 0
    assert told["currency"] == "CNY"
    assert told["parts"]["currency"] == 0.0
    assert told["parts"]["rates"] > 0


def test_prices_in_another_currency_are_refused_by_what_is_left_for_the_business():
    scenario, days = load(MAIN), (dt.date(2025, 1, 2), dt.date(2025, 3, 31))
    quotes = {day: Quote(line=n, figures={"price": 85.0 + n}) for n, day in enumerate(days, 2)}
    with pytest.raises(
        InputError, match="price 87 of 2025-01-02: .*per ADS in CNY: convert those of another currency"
    ) as caught:
        explain_prices(scenario, quotes, *days)
    assert len(caught.value.faults) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("date,close\n2025-01-02,80\n", "prices.csv:1: .*column `close`: unknown"),
        ("price\n80\n", "has no column `date`"),
        ("date,price\n2025-01-02,80\n2025-01-02,81\n", "prices.csv:3: .*2025-01-02: is there already, on line 2"),
        ("date,price\n2025-01-02,80\n2025-03-31,\n", "prices.csv:3: .*has no price; fill the gap"),
        ("date,price\n2025-01-02,nan\n2025-03-31,1\n", "must be a finite number"),
        ("date,price\n2025-01-02,CAD 84.79\n2025-03-31,1\n", "finite number without `CAD`, in the scenario's currency"),
        ("date,price\n2025-01-02,-1\n2025-03-31,1\n", "must be above 0"),
        ("date,price,yield\n2025-01-02,80,4.6\n2025-03-31,1,4.2\n", "must be a fraction, such as 0.043"),
        (
            "date,price,earnings\n2025-01-02,80,4.1\n2025-03-31,90,4\n",
            "earnings 4.1: is no more than .* and not per share",
        ),
        ("date,price\n02.01.2025,80\n", "write it like 2025-03-31"),
        ("date,price\n2025-01-02,80\n", "at least two dates"),
    ],
)
def test_faults_of_a_file_of_prices_are_named_with_their_line(tmp_path, text, message):
    with pytest.raises(jevons.InputError, match=message):
        read_prices(written(tmp_path, text))


def test_a_date_between_two_closes_is_answered_with_the_nearest(tmp_path):
    path = written(tmp_path, GOOD)
    with pytest.raises(jevons.InputError, match="last=2025-03-30: .*give .* 2025-03-31, the nearest"):
        jevons.value(TINY, prices=path, first="2025-01-02", last="2025-03-30")


@pytest.mark.slow
def test_a_fair_multiple_of_given_earnings_moves_the_price_in_proportion():
    told = jevons.value(TINY, multiple=15, earnings=4.0).to_json()["multiple"]
    assert told["multiple_now"] == pytest.approx(25)
    assert told["price_per_share"] == pytest.approx(60)
    assert told["change_frac"] == pytest.approx(-0.4)


def test_earnings_without_a_multiple_are_refused():
    with pytest.raises(jevons.InputError, match="earnings=4: has no effect without a multiple"):
        jevons.value(TINY, earnings=4.0)


@pytest.mark.slow
def test_an_old_price_is_said_to_be_stale():
    fresh, late = (jevons.value(MAIN, as_of=day) for day in ("2025-02-24", "2025-11-30"))
    assert not any("stale" in note for note in fresh.notes)
    assert any("it is stale" in note for note in late.notes)
    assert late.record["price_date"] == dt.date(2025, 11, 17)
    assert str(late.record["price_date"]) in late.answer


def test_every_fault_of_a_file_of_prices_is_named_at_once(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text(
        "date,price\n2025-13-02,82\n2025-01-03,abc\n2025-03-31,-5\n2025-04-30,\n2025-05-01,9\n2025-05-01,9\n"
    )
    with pytest.raises(InputError) as caught:
        jevons.value(TINY, prices=path)
    assert [fault.line for fault in caught.value.faults] == [2, 3, 4, 5, 7]


def test_dates_of_a_firm_without_prices_on_file_ask_for_them():
    with pytest.raises(InputError, match="2025-04-01.*no prices of CoreWeave are on file"):
        jevons.value(MAIN.with_name("coreweave.yaml"), first="2025-04-01", last="2025-09-30")


@pytest.mark.slow
def test_a_share_of_a_firm_that_owes_more_than_it_has_is_said_to_be_worth_nothing():
    indebted = load(TINY).with_numbers({"finance.net_cash": -1e15})
    result = jevons.value(indebted)
    assert result.to_json()["equity"] < 0
    assert " is worth nothing by these figures: " in result.answer
    assert "%" not in result.answer_parts[0].text()
