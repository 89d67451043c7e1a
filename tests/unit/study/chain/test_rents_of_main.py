"""Rents of the main scenario: the glut of H800 in early 2025 and what is lost, H20 where the ban comes."""

import itertools

import numpy as np
import pytest

from jevons.facts import default_facts
from jevons.study import load
from jevons.study.chain.fixed_point import run_chain
from jevons.study.chain.operating_points import engineer
from places import MAIN

pytestmark = pytest.mark.slow  # plans whole scenarios


@pytest.fixture(scope="module")
def chain():
    scenario = load(MAIN)
    return run_chain(scenario, engineer(scenario, default_facts(), scenario.as_of))


@pytest.fixture(scope="module")
def barred(chain):
    scenario = chain.scenario
    return run_chain(scenario, engineer(scenario, default_facts(), scenario.as_of), banned=frozenset({"h20"}))


def row(chain, device):
    return list(chain.scenario.hardware.devices).index(device)


def test_h800_open_near_the_rent_of_h100_in_november_2024_with_most_of_them_idle(chain):
    h800 = row(chain, "h800_sxm")
    known = default_facts().get("rent.h100.china_cny_per_h", chain.scenario.as_of).number
    assert chain.rents.rent_cur_per_h[h800, 0] == pytest.approx(known, rel=0.15)
    assert chain.rents.let_frac[h800, 0] < 0.45
    assert chain.rents.rent_cur_per_h[h800, 0] < chain.setting.hour_cur[h800, 0]


def test_h20_open_short_in_early_2025_and_what_was_paid_for_them_is_lost_when_the_rush_ends(chain):
    h20, h800 = row(chain, "h20"), row(chain, "h800_sxm")
    rent, calm, rents = chain.rents.rent_cur_per_h[h20], chain.rents.calm_cur_per_h[h20], chain.rents
    assert rent[0] > 1.08 * calm[0]
    assert rents.shortage[h20, 0] == "answers: chips short"
    assert (
        rents.let_frac[h20, 0] > 1.8 * rents.let_frac[h800, 0]
    )  # one equation: the glut of the other at the same time
    assert not rents.shortage[h800, 0]
    assert rent[2] < 0.85 * rent[0]
    assert rents.resale_cur[h20, 2] < 0.7 * rents.resale_cur[h20, 0]
    assert rents.brokers.bought[h20, 0] > 0
    assert rents.brokers.owners_loss_cur[h20, 2] > rents.brokers.owners_loss_cur[h20, 0]


def test_without_a_rush_h20_open_at_their_calm_rent(chain):
    scenario = chain.scenario.with_numbers({"market.rental_rush": 0.0})
    still = run_chain(scenario, engineer(scenario, default_facts(), scenario.as_of), start=chain)
    h20 = row(still, "h20")
    assert still.rents.rent_cur_per_h[h20, 0] == pytest.approx(still.rents.calm_cur_per_h[h20, 0], rel=0.04)
    assert still.rents.rent_cur_per_h[h20, 4] == pytest.approx(chain.rents.rent_cur_per_h[h20, 4], rel=0.03)


def test_h20_grow_short_and_dearer_than_their_full_cost_where_the_ban_comes(chain, barred):
    h20 = row(barred, "h20")
    rent, calm = barred.rents.rent_cur_per_h[h20], barred.rents.calm_cur_per_h[h20]
    shows = barred.scenario.labels().index(barred.scenario.hardware.devices["h20"].ban_from)
    assert rent[shows] == pytest.approx(rent[1], rel=0.15)
    assert rent[-1] > 1.5 * rent[shows]
    assert rent[-1] > 1.5 * calm[-1]
    assert barred.rents.let_frac[h20, -1] > chain.rents.let_frac[h20, -1]


def test_every_rise_of_a_rent_has_its_shortage_named(chain):
    rent = chain.rents.rent_cur_per_h
    for v, t in np.argwhere((rent[:, 1:] > rent[:, :-1] * 1.001) & (rent[:, :-1] > 0)):
        assert chain.rents.shortage[v, t + 1], (v, t)


def test_brokers_who_hold_h800_lose_and_h20_are_resold_dearer_where_the_ban_comes(chain, barred):
    h20, h800 = row(chain, "h20"), row(chain, "h800_sxm")
    brokers = chain.rents.brokers
    assert brokers.owners_loss_cur[h800, 0] > 1e9
    assert brokers.given_up[h800, -1] > 0
    assert barred.rents.resale_cur[h20, -1] > 1.5 * chain.rents.resale_cur[h20, -1]


def test_what_an_hour_earns_in_the_plan_is_its_rent(chain):
    worth, rents = chain.exchange.hour_worth, chain.rents
    there = rents.rent_cur_per_h > 0
    assert (worth * rents.price_cur_per_h)[there] == pytest.approx(rents.rent_cur_per_h[there], rel=0.06)


def test_a_rise_since_the_last_offer_names_its_shortage_however_long_ago_that_was(chain):
    """Chips that all train for some quarters are let again at a higher rent; that rise was not named."""
    rents = chain.rents
    rises, after_a_gap = 0, 0
    for v, path in enumerate(rents.rent_cur_per_h):
        offered = np.flatnonzero(path > 0)
        for before, now in itertools.pairwise(offered):
            rose = path[now] > 1.001 * path[before]
            assert bool(rents.shortage[v, now]) == rose
            rises += rose
            after_a_gap += rose and now > before + 1
    assert rises > 5
    assert after_a_gap > 0
