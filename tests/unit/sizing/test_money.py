"""Prices of an accelerator-hour as contracts and price lists write them."""

from __future__ import annotations

import pytest

from jevons.errors import InputError
from jevons.sizing.money import amount_of, given_price
from jevons.units import HOURS_PER_MONTH


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("0.5 USD per gpu per hour", 0.5, "USD"), ("USD 2.50 per GPU-hour", 2.5, "USD"), ("$2.49/GPU-hr", 2.49, "USD"),
        ("2 usd/hour/gpu", 2.0, "USD"), ("$2 per hour per GPU", 2.0, "USD"), ("USD2/h", 2.0, "USD"),
        ("15元/卡时", 15.0, "CNY"), ("6 元每卡每小时", 6.0, "CNY"), ("8.5 RMB/h", 8.5, "CNY"),
        ("3000 元/月", 3000.0 / HOURS_PER_MONTH, "CNY"), ("1,200 USD per month", 1200.0 / HOURS_PER_MONTH, "USD"),
    ],
)  # fmt: skip
def test_an_hour_is_priced_as_it_is_written(text: str, amount: float, currency: str) -> None:
    price = given_price(text)
    assert price is not None
    assert (price.amount, price.currency) == (pytest.approx(amount), currency)


@pytest.mark.parametrize(
    "text", ["2 USD per gpu", "98 USD/h for 8 GPUs", "2 USD/minute", "2 USD per million", "0 USD", "2 dollars"]
)
def test_what_is_no_price_of_one_accelerators_hour_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"--gpu-hour"):
        given_price(text)


def test_the_sign_of_two_currencies_is_refused_by_name() -> None:
    for read in (given_price, amount_of):
        with pytest.raises(InputError, match="two currencies, write CNY or JPY"):
            read("¥15/h")


@pytest.mark.parametrize("text", ["300000 RMB", "CNY 300k", "300k CNY"])
def test_a_budget_is_written_before_or_after_its_currency(text: str) -> None:
    assert amount_of(text) == (300_000.0, "CNY")
