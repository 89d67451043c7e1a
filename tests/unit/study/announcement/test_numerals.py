"""Numbers of announcements in their many spellings."""

import re

import pytest

from jevons.study.announcement.numerals import NUMBER, magnitude_of, value_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3800亿", 3.8e11), ("3,800亿", 3.8e11), ("三千八百亿", 3.8e11), ("叁仟捌佰亿", 3.8e11), ("1.5万亿", 1.5e12),
        ("十万", 1e5), ("百亿", 1e10), ("两千", 2000), ("一万二千", 12000), ("1亿5千万", 1.5e8), ("二〇二五", 2025),
        ("80 billion", 8e10), ("80bn", 8e10), ("100k", 1e5), ("1.2 million", 1.2e6), ("two hundred thousand", 2e5),
        ("half a trillion", 5e11), ("a hundred thousand", 1e5), ("100,000", 1e5), ("twenty five", 25), ("380b", 3.8e11),
    ],
)  # fmt: skip
def test_a_number_has_its_value_in_every_spelling(text, value):
    assert re.fullmatch(NUMBER, text)
    assert value_of(text) == (pytest.approx(value), pytest.approx(value))


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("几", 2, 9), ("数百亿", 2e10, 9e10), ("几十亿", 2e9, 9e9), ("tens of billions", 2e10, 9e10), ("a few", 2, 9)],
)
def test_a_vague_number_is_a_range_from_two_to_nine(text, low, high):
    assert value_of(text) == (low, high)


def test_the_first_end_of_a_range_takes_the_magnitude_of_the_second():
    assert magnitude_of("72 billion") == 1e9
    assert magnitude_of("64") == 1.0
    assert magnitude_of("4000亿") == 1e8


@pytest.mark.parametrize(
    ("text", "value"),
    [("a quarter of a trillion", 250e9), ("three quarters of a billion", 750e6), ("half of a trillion", 500e9),
     ("one third of a million", 1e6 / 3), ("half a trillion", 500e9), ("a trillion", 1e12)],
)  # fmt: skip
def test_a_share_of_a_large_number_is_that_share_and_not_the_whole(text: str, value: float) -> None:
    assert re.fullmatch(NUMBER, text)
    assert value_of(text) == pytest.approx((value, value))
