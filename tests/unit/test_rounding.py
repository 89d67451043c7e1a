"""Units in which tables of outcomes show amounts."""

import pytest

from jevons.rounding import money_unit, share_price_text, shown_in
from jevons.units import CURRENCIES


@pytest.mark.parametrize("currency", CURRENCIES)
def test_amounts_of_a_firm_are_shown_in_billions_of_its_own_currency(currency):
    assert shown_in(currency) == (1e9, f"bn {currency}")


@pytest.mark.parametrize(
    ("most", "unit"),
    [(4.2e9, "bn ¤"), (-1e9, "bn ¤"), (3.3e8, "mn ¤"), (4e4, "thousand ¤"), (12.0, "thousand ¤"), (0.0, "thousand ¤")],
)
def test_the_largest_amount_has_a_figure_before_the_point(most, unit):
    size, name = money_unit(most)
    assert name == unit
    assert abs(most) < 1e3 or 1.0 <= abs(most) / size < 1e3


def test_a_small_share_keeps_its_hundredths():
    assert [share_price_text(price) for price in (0.385, 23.4, 1021.4, -0.5)] == ["0.39", "23.40", "1,021", "-0.50"]
