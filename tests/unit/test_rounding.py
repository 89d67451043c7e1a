"""Units in which tables of outcomes show amounts."""

import pytest

from jevons.rounding import shown_in
from jevons.units import CURRENCIES


@pytest.mark.parametrize("currency", CURRENCIES)
def test_amounts_of_a_firm_are_shown_in_billions_of_its_own_currency(currency):
    assert shown_in(currency) == (1e9, f"bn {currency}")
