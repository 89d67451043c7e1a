"""Sites outside China: power, buildings, machines, rents and staff at the prices of their market."""

from __future__ import annotations

import datetime as dt
import re

import pytest

import jevons
from jevons.errors import InputError
from jevons.facts import default_facts, get
from jevons.hardware import accelerator, site_facts, site_from_facts, site_ids, site_region
from jevons.sizing.compare import SITE_OF_FIRM, Assumptions, machines_at
from jevons.sizing.hour_price import SITE, cny_per, purchase_price
from jevons.study.scenario.region import region_names, region_sections
from jevons.words import name_of

DAY = dt.date(2026, 1, 31)
ABROAD = [site for site in site_ids() if site_region(site) != "china"]


def test_each_region_of_scenarios_has_sites_and_takes_their_figures_from_the_same_facts() -> None:
    assert {site_region(site) for site in site_ids()} == set(region_names())
    for region in region_names():
        for site in region_sections(region)["hardware"]["sites"].values():
            assert site["facts"] in site_ids()


@pytest.mark.parametrize("site", ABROAD)
def test_money_of_a_site_is_converted_at_the_rate_of_the_day_and_has_a_range(site: str) -> None:
    ids = site_facts(site)
    at = site_from_facts(site, on=DAY)
    currency = "EUR" if site_region(site) == "eu" else "USD"
    assert at.tariff_cur_per_kwh == pytest.approx(get(ids["tariff"], DAY).number * cny_per(currency, DAY))
    assert at.build_cur_per_w == pytest.approx(get(ids["build"], DAY).number * cny_per(currency, DAY))
    for fact_id in ids.values():
        fact = get(fact_id, DAY)
        assert fact.low < fact.number < fact.high
        assert fact.reason


def test_machines_abroad_cost_what_they_cost_abroad_and_what_is_sold_in_china_alone_its_price_there() -> None:
    h200, h20 = accelerator("h200_sxm"), accelerator("h20")
    assert purchase_price(h200, DAY, SITE).id == "h200_sxm.price_cny"
    assert purchase_price(h200, DAY, "site.us_texas").id == "h200_sxm.price_usd"
    assert purchase_price(h20, DAY, "site.us_texas").id == "h20.price_cny"


def test_electricity_of_an_hour_is_in_proportion_to_tariff_and_pue() -> None:
    hours = {
        site: jevons.cost("h100_sxm", site=site, as_of=DAY).hour for site in ("site.us_texas", "site.eu_frankfurt")
    }
    at = {site: site_from_facts(site, on=DAY) for site in hours}
    ratio = [hours[site].energy_cur / (at[site].tariff_cur_per_kwh * at[site].pue) for site in hours]
    assert ratio[0] == pytest.approx(ratio[1])
    assert hours["site.us_texas"].capital_cur == pytest.approx(hours["site.eu_frankfurt"].capital_cur)


def test_the_explanation_of_an_hour_abroad_goes_through_the_rate_to_the_facts() -> None:
    result = jevons.cost("h100_sxm", site="site.eu_nordics", as_of=DAY)
    told = str(result.explain("per_hour"))
    for part in ("site.eu_nordics.tariff_eur_per_kwh", "site.eu_nordics.build_eur_per_w", "h100_sxm.price_usd"):
        assert part in told
    assert result.ledger.nodes["per_hour"].value == pytest.approx(result.per_hour)


@pytest.mark.parametrize("site", ABROAD)
def test_rents_and_staff_are_those_of_the_market(site: str) -> None:
    found = jevons.buy_rent_api("llama-3.1-8b", site=site, tokens_per_day="50M", api="0.1/0.4 USD", as_of=DAY)
    assert tuple(m.device.id for m in found.machines) == machines_at(site)
    assert not any("china" in m.rent_origin or "China" in m.rent_origin for m in found.machines)
    staff = next(s for s in found.swings if s.name == "staff")
    assert staff.fact.startswith(f"own_machine.{site_region(site)}.staff_")
    assert staff.low < get(staff.fact, DAY).number < staff.high
    told = found.to_json()
    assert told["site"] == site
    assert all("2023" < machine["price_since"] < DAY.isoformat() for machine in told["machines"])
    assert all("2023" < machine["rent_since"] < DAY.isoformat() for machine in told["machines"])
    assert any(name_of(site).text() in note for note in found.notes)
    tariff = next(s for s in found.swings if s.name == "price of power")
    assert tariff.fact == site_facts(site)["tariff"]
    assert tariff.low_cny < tariff.high_cny


def test_at_home_nothing_is_said_and_machines_are_those_of_china() -> None:
    found = jevons.buy_rent_api("llama-3.1-8b", tokens_per_day="50M", api="0.1/0.4 USD", as_of=DAY)
    assert found.assumptions.site == SITE_OF_FIRM
    assert found.assumptions.staff_cny_per_y == get("own_machine.staff_cny_per_y", DAY).number
    assert not any("site." in note for note in found.notes)


def test_a_price_that_is_given_or_derived_has_no_date() -> None:
    found = jevons.buy_rent_api(
        "llama-3.1-8b", gpu="b200_sxm", purchase_price="b200_sxm=40000 USD", tokens_per_day="50M", api="0.1/0.4 USD",
        as_of=DAY,
    )  # fmt: skip
    (machine, *_) = found.to_json()["machines"]
    assert machine["price_since"] is None
    assert machine["rent_origin"].startswith("derived")
    assert machine["rent_since"] is None


def test_staff_that_is_given_counts_at_any_site() -> None:
    assert Assumptions.of(DAY, site="site.us_texas", staff_cny_per_y=1.0).staff_cny_per_y == 1.0


def test_size_prices_hours_at_the_site() -> None:
    home, abroad = (
        jevons.size("llama-3.1-8b", gpu="h100_sxm", rate=10, static=True, site=site, as_of=DAY)
        for site in (SITE, "site.us_texas")
    )
    assert abroad.prices["h100_sxm"].amount != pytest.approx(home.prices["h100_sxm"].amount, rel=0.01)
    assert "site.us_texas" in abroad.prices["h100_sxm"].origin
    assert abroad.best.accelerators == home.best.accelerators
    assert "site.us_texas.tariff_usd_per_kwh" in abroad.ledger.nodes


@pytest.mark.parametrize("site", ["site.google", "site.us", "texas", "../x"])
def test_a_site_without_all_figures_is_refused_with_those_that_have_them(site: str) -> None:
    for ask in (
        lambda: jevons.buy_rent_api("llama-3.1-8b", site=site, api="0.1/0.4 USD"),
        lambda: jevons.size("llama-3.1-8b", site=site, static=True),
        lambda: jevons.cost("h100_sxm", site=site),
    ):
        with pytest.raises(InputError, match=r"site.*unknown.*site\.us_texas"):
            ask()


def test_a_site_beside_a_price_of_the_hour_has_no_effect_and_is_refused() -> None:
    with pytest.raises(InputError, match="gpu.hour states the price"):
        jevons.size("llama-3.1-8b", site="site.us_texas", gpu_hour="2 USD", static=True)


def test_wages_that_the_judgements_name_are_on_file() -> None:
    for fact_id in (
        "own_machine.us.staff_usd_per_y",
        "own_machine.eu.staff_eur_per_y",
        "own_machine.gulf.staff_usd_per_y",
    ):
        named = re.findall(r"wage\.[\w.]+\w", get(fact_id).reason)
        assert named
        assert all(one in default_facts() for one in named)
