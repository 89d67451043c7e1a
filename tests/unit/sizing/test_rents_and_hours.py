"""Machines from one accelerator up, by the hour, at rents of named providers and terms."""

from __future__ import annotations

import pytest

import jevons
from jevons.errors import InputError
from jevons.hardware import accelerator
from jevons.sizing.comparison import Comparison
from jevons.sizing.rents import rent_offers


def _ways(**more: object) -> Comparison:
    found = jevons.buy_rent_api("llama-3.1-8b", gpu="h100", tokens_per_day="40M", **more)
    assert isinstance(found, Comparison)
    return found


def _month(found: Comparison, name: str) -> float:
    return next(way.month_cny for way in found.ways() if way.name == name)


@pytest.fixture(scope="module")
def always() -> Comparison:
    return _ways()


def test_the_smallest_machine_is_one_accelerator_unless_whole_servers_are_asked_for(always: Comparison) -> None:
    assert always.smallest[0].accelerators == 1
    node = _ways(unit="node")
    assert node.smallest[0].accelerators == 8
    assert _month(always, "rent") < 0.5 * _month(node, "rent")


def test_rented_machines_cost_less_in_office_hours_and_least_when_scaled_to_zero(always: Comparison) -> None:
    office, zero = _ways(hours="office"), _ways(hours="scale-to-zero")
    assert _month(zero, "rent") < _month(always, "rent")
    assert _month(zero, "buy") == pytest.approx(_month(always, "buy"))
    machine = office.machines[0]
    assert office.carried_tok_per_d(machine) == pytest.approx(always.carried_tok_per_d(machine) * 50 / 168)
    one = office.rented_parts_cny(machine, 1)["rent"]
    assert one == pytest.approx(always.rented_parts_cny(machine, 1)["rent"] * 50 / 168)


def test_break_even_of_scale_to_zero_is_where_both_cost_the_same() -> None:
    zero = _ways(hours="scale-to-zero", api="anthropic.claude_sonnet_4")
    machine = zero.machines[0]
    even = zero.break_even_tok_per_d(machine, rented=True)
    assert even is not None
    assert sum(zero.rented_parts_cny(machine, 1, even).values()) == pytest.approx(zero.api_month_cny(even))


def test_rents_of_a_provider_and_term_count_where_named() -> None:
    offers = rent_offers(accelerator("h100_sxm"), None)
    assert {"aws", "google", "lambda", "china"} <= {one.provider for one in offers}
    aws = next(one for one in offers if (one.provider, one.term) == ("aws", "on_demand"))
    found = _ways(provider="aws", term="on_demand")
    assert found.machines[0].rent_origin == aws.fact
    assert found.tables["rents"].column("provider").count("aws") >= 1
    with pytest.raises(InputError, match="term=spot: no such rent of h100_sxm is on file"):
        _ways(term="spot")
    with pytest.raises(InputError, match=r"provider=awz: .*aws"):
        _ways(provider="awz")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"static": True}, "static: has no effect without"),
        ({"rent": "h20=6 CNY"}, "is none of the machines compared"),
        ({"preset": "restaurant", "years": 3.0}, "years.*has no effect with"),
        ({"currency": "XYZ"}, "unknown"),
    ],
)
def test_options_without_effect_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        jevons.buy_rent_api(**({"model": "llama-3.1-8b", "gpu": "h100"} | options))


def test_a_month_of_machines_has_an_interval_by_the_error_of_their_rate_and_an_api_none():
    result = jevons.buy_rent_api("llama-3.1-8b", gpu="h20", rate=50)
    for way in result.to_json()["ways"]:
        low, middle, high = (way["cost"][f"per_month{end}"] for end in ("_low", "", "_high"))
        assert low <= middle <= high
        assert (low < high) == (way["way"] != "API")
