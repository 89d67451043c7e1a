"""Prices of an API that the user states stand in place of those on file."""

from __future__ import annotations

import pytest

from jevons.errors import InputError
from jevons.facts import get
from jevons.sizing.compare import api_price


def test_two_prices_are_of_input_and_output_and_three_have_cached_input_between() -> None:
    two, three = api_price("4/16 CNY", None), api_price("4/1/16CNY", None)
    assert (two.input_cny_per_mtok, two.cached_cny_per_mtok, two.output_cny_per_mtok) == (4.0, 4.0, 16.0)
    assert three.cached_cny_per_mtok == 1.0
    assert two.facts == ()


def test_prices_in_dollars_take_the_rate_on_file() -> None:
    assert api_price("1/2 USD", None).output_cny_per_mtok == pytest.approx(2 * get("fx.cny_per_usd").number)


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("$0.55/$2.19", "0.55/2.19 USD"), ("$0.27/$0.07/$1.10 per 1M tokens", "0.27/0.07/1.10 USD"),
        ("3/15 USD/Mtok", "3/15 USD"), ("4元/16元", "4/16 CNY"), ("US$3/US$15", "3/15 USD"),
        ("0.5/0.8 USD per million tokens", "0.5/0.8 USD"),
    ],
)  # fmt: skip
def test_prices_are_written_as_price_lists_have_them(given: str, plain: str) -> None:
    assert api_price(given, None) == api_price(plain, None)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("4/16", "with their currency"), ("0/16 CNY", "above 0"), ("4/16 XYZ", "no rate of XYZ"),
        ("4/16/2/1 CNY", "with their currency"), ("-4/16 CNY", "with their currency"), ("no.such", "unknown"),
        ("0.88 USD per million tokens", "with their currency"), ("$1/€2", "with their currency"),
        ("4/16 CNY per day", "with their currency"),
    ],
)  # fmt: skip
def test_what_is_no_price_is_refused_with_what_would_be_right(given: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        api_price(given, None)
