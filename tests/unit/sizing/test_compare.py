"""Buying, renting and an API: figures by hand, the published order of magnitude, and what must move which way."""

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pytest

from jevons.errors import InfeasibleError, InputError
from jevons.sizing.compare import Assumptions, api_price, compare
from jevons.sizing.hour_price import HourPrice
from jevons.sizing.service import Service

ON = dt.date(2025, 2, 28)
R1 = Service(gpus=8, isl=2000, osl=1000, on=ON)


@pytest.fixture(scope="module")
def found():
    return compare("deepseek-r1", R1, gpus=("h20", "h200", "910c"), output_tok_per_d=57e6)


def test_a_million_yuan_over_three_years_breaks_even_near_57_million_output_tokens_a_day(found):
    assert found.api.output_cny_per_mtok == 16.0
    assert found.bare_tok_per_d(1e6) == pytest.approx(1e6 / (3 * 365.25) / 16 * 1e6)
    assert found.bare_tok_per_d(1e6) == pytest.approx(57e6, rel=0.01)
    for machine in found.machines:  # a machine that holds the model costs one to a few million
        assert 40e6 < found.bare_tok_per_d(machine.price_cny) < 200e6


def test_api_prices_are_those_of_the_date():
    assert api_price("deepseek.chat", dt.date(2025, 1, 15)).output_cny_per_mtok == 2.0
    assert api_price("deepseek.chat", dt.date(2025, 2, 28)).output_cny_per_mtok == 8.0


def test_input_is_priced_with_the_output(found):
    assert found.api_cny_per_output_mtok == pytest.approx(16 + 2 * 4)
    half = replace(found, assumptions=replace(found.assumptions, cached_frac=0.5))
    assert half.api_cny_per_output_mtok == pytest.approx(16 + 2 * (0.5 * 4 + 0.5 * 1))


def test_at_the_break_even_load_both_cost_the_same_and_below_it_the_api_is_cheaper(found):
    busy = replace(found, assumptions=replace(found.assumptions, utilisation_frac=0.9))
    machine = busy.machines[1]
    load = busy.break_even_tok_per_d(machine)
    assert load is not None

    def own(x):
        return sum(busy.owned_parts_cny(machine, busy.machines_for(machine, x)).values())

    assert own(load) == pytest.approx(busy.api_month_cny(load), rel=1e-9)
    assert own(0.98 * load) > busy.api_month_cny(0.98 * load)
    assert own(1.02 * load) <= busy.api_month_cny(1.02 * load)


def test_above_some_load_whole_machines_never_cost_more_than_the_api(found):
    busy = replace(found, assumptions=replace(found.assumptions, utilisation_frac=0.9))
    machine = busy.machines[1]
    first, always = busy.break_even_tok_per_d(machine), busy.always_pays_tok_per_d(machine)
    assert first <= always

    def dearer(load):
        own = sum(busy.owned_parts_cny(machine, busy.machines_for(machine, load)).values())
        return own > busy.api_month_cny(load) * (1 + 1e-9)

    assert not any(dearer(always * factor) for factor in np.linspace(1.0001, 12, 4000))
    assert dearer(always * 0.9999)
    idle = replace(found, assumptions=replace(found.assumptions, utilisation_frac=0.01))
    assert idle.always_pays_tok_per_d(machine) is None


def test_break_even_use_makes_one_machine_cost_what_the_api_does(found):
    machine = found.machines[1]
    used = found.break_even_utilisation(machine)
    assert used < 1
    there = replace(found, assumptions=replace(found.assumptions, utilisation_frac=used))
    assert there.owned_per_mtok(machine) == pytest.approx(found.api_cny_per_output_mtok)
    assert found.break_even_tok_per_d(machine) is None or found.assumptions.utilisation_frac > used


def test_a_date_is_when_the_sums_paid_meet(found):
    busy = replace(found, assumptions=replace(found.assumptions, utilisation_frac=0.9))
    machine, load = busy.machines[1], 300e6
    date = busy.break_even_date(machine, 0.0, load)
    parts = busy.owned_parts_cny(machine, 1)
    running = sum(parts.values()) - parts["machines"]
    months = machine.price_cny / (busy.api_month_cny(load) - running)
    assert (date - ON).days / 30.44 == pytest.approx(months, abs=1.1)


def test_cuts_of_the_api_raise_the_break_even_and_delay_it(found):
    busy = replace(found, assumptions=replace(found.assumptions, utilisation_frac=0.9))
    machine = busy.machines[1]
    factors = [busy.mean_price_factor(cut) for cut in (0.0, 0.3, 0.5)]
    assert factors[0] == 1.0
    assert factors == sorted(factors, reverse=True)
    loads = [busy.break_even_tok_per_d(machine, price_factor=f) or float("inf") for f in factors]
    assert loads == sorted(loads)
    dates = [busy.break_even_date(machine, cut, 300e6) or dt.date.max for cut in (0.0, 0.3, 0.5)]
    assert dates == sorted(dates)


def test_utilisation_dominates_and_power_hardly_counts(found):
    names = [s.name for s in found.swings]
    assert names[0] == "utilisation"
    assert names[-1] == "price of power"
    for swing in found.swings:
        held = found.owned_per_mtok(found.machines[0])
        low, high = sorted((swing.low_cny, swing.high_cny))
        assert low <= held * 1.001
        assert high >= held * 0.999


def test_parts_add_up_and_the_cheapest_way_comes_first(found):
    ways = found.ways()
    costs = [way.month_cny for way in ways]
    assert costs == sorted(costs)
    assert {way.name for way in ways} == {"buy", "rent", "API"}
    for way in ways:
        assert way.month_cny == pytest.approx(sum(way.parts_cny.values()))
        if way.machine is not None:
            assert (
                0
                < way.utilisation_frac
                <= found.assumptions.utilisation_frac * found.assumptions.availability_frac + 1e-9
            )


def test_a_given_rent_is_used_in_yuan(found):
    rented = compare("deepseek-r1", R1, gpus=("h20",), output_tok_per_d=57e6, rents={"h20": HourPrice(1.0, "USD")})
    assert rented.machines[0].rent_origin == "given"
    assert rented.machines[0].rent_cny_per_h == pytest.approx(7.2, rel=0.03)
    assert found.machines[0].rent_origin.startswith("derived: an H100's rent")


def test_assumptions_are_facts_unless_given():
    terms = Assumptions.of(ON, life_y=4.0)
    assert terms.life_y == 4.0
    assert terms.utilisation_frac == 0.3
    with pytest.raises(InputError, match="--utilisation 2: must be from 0.001 to 1"):
        Assumptions.of(ON, utilisation_frac=2.0)


def test_a_device_that_cannot_hold_the_model_says_so():
    with pytest.raises(InfeasibleError, match="device memory"):
        compare("deepseek-r1", replace(R1, gpus=8, precision="bf16"), gpus=("h20",), output_tok_per_d=1e6)


def test_result_saves_frames_and_explains(found, tmp_path):
    found.save(tmp_path / "c.json")
    assert json.loads((tmp_path / "c.json").read_text())["best"]["way"] == "API"
    assert found.to_frame().height == 7
    text = found.explain("h20.bare_break_even_tok_per_d")
    assert "api.deepseek.reasoner.output_cny_per_mtok = 16" in text
    assert "h20.price_cny = 150000" in text
    with pytest.raises(InputError, match="ending must be"):
        found.save(tmp_path / "c.doc")


@pytest.mark.parametrize("name", ["break_even"])
def test_pictures_are_drawn(found, tmp_path, name):
    getattr(found.plot, name)().savefig(tmp_path / "p.png")
    assert (tmp_path / "p.png").stat().st_size > 5000
    with pytest.raises(AttributeError, match="no picture `pie`"):
        _ = found.plot.pie
