"""What is wrong with a question, as the page takes it: the field that is meant, and buttons that put it right."""

from __future__ import annotations

from typing import Any

import pytest

import jevons
from jevons.web.problems import problem


def refused(function: Any, **given: Any) -> dict[str, Any]:
    with pytest.raises(jevons.JevonsError) as raised:
        function(**given)
    return problem(raised.value)


def test_a_mistyped_accelerator_is_of_the_field_of_accelerators_and_gives_way_alone() -> None:
    told = refused(jevons.size, model="llama-3.1-8b", gpu=["h200_sxm", "h1000"], rate=1, static=True)
    assert told["field"] == "gpu"
    assert {"field": "gpu", "value": "h100_sxm", "text": "set gpu to h100_sxm", "replaces": "h1000"} in told["remedies"]


def test_names_with_dots_are_offered_whole() -> None:
    told = refused(jevons.buy_rent_api, model="llama-3.1-8b", site="site.moon", api="1/2 USD")
    assert told["field"] == "site"
    assert told["remedies"]
    assert all(one["value"].startswith("site.") for one in told["remedies"])


def test_buttons_lead_from_a_date_before_all_values_to_one_with_an_answer() -> None:
    asked = {"model": "llama-3.1-8b", "gpu": "h100_sxm", "as_of": "1990-01-01", "static": True}
    for _ in range(5):
        told = refused(jevons.size, **asked)
        assert told["field"] == "as_of"
        (remedy,) = told["remedies"]
        assert remedy["value"] > asked["as_of"]
        asked["as_of"] = remedy["value"]
        try:
            assert jevons.size(**asked).best.accelerators >= 1
        except jevons.JevonsError:
            continue
        return
    pytest.fail("five buttons did not lead to an answer")
