"""Actuals of a firm in another currency than its scenario's are refused with what would do."""

import pytest

from jevons.errors import InputError
from jevons.study import load
from jevons.study.track.actuals import actuals_of_file
from places import TINY


def test_an_amount_in_another_currency_says_which_one_it_should_be_in(tmp_path):
    path = tmp_path / "actuals.csv"
    path.write_text("quarter,quantity,value,unit\n2025-Q2,capex,21,bn USD\n")
    with pytest.raises(InputError, match="convert it to CNY, the scenario's currency"):
        actuals_of_file(path, load(TINY))
