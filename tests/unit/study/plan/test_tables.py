"""Words of the tables of a plan."""

from __future__ import annotations

import pytest

from jevons.study.plan.tables.summary import growth_word


@pytest.mark.parametrize(
    ("growth", "reason", "word"),
    [
        (0.373, "", "37 %"),
        (None, "none: worth it at 0% growth", "any"),
        (None, "no growth below 100% justifies it", "none"),
    ],
)
def test_growth_that_a_price_assumes_is_named_alike_in_every_table(growth, reason, word):
    assert growth_word({"growth_frac": growth, "reason": reason}) == word
