"""Rents of the main scenario: the glut of H800 and the shortage of H20 in early 2025, a spike, and what is lost."""

import numpy as np
import pytest

from jevons.facts import default_facts
from jevons.study import load
from jevons.study.chain.fixed_point import run_chain
from jevons.study.chain.operating_points import engineer
from places import MAIN


@pytest.fixture(scope="module")
def chain():
    scenario = load(MAIN)
    return run_chain(scenario, engineer(scenario, default_facts(), scenario.as_of))


def row(chain, device):
    return list(chain.scenario.hardware.devices).index(device)


def test_h800_open_near_the_rent_of_h100_in_november_2024_with_most_of_them_idle(chain):
    h800 = row(chain, "h800_sxm")
    known = default_facts().get("rent.h100.china_cny_per_h", chain.scenario.as_of).number
    assert chain.rents.cny_per_h[h800, 0] == pytest.approx(known, rel=0.15)
    assert chain.rents.let_frac[h800, 0] < 0.4
    assert chain.rents.cny_per_h[h800, 0] < chain.setting.hour_cur[h800, 0]


def test_h20_is_short_at_the_same_time_and_dearer_than_its_full_cost_in_the_spike(chain):
    h20 = row(chain, "h20")
    rent, calm = chain.rents.cny_per_h[h20], chain.rents.calm_cur_per_h[h20]
    top = int(np.argmax(rent))
    assert 0 < top < 6
    assert rent[top] > 1.15 * rent[0]
    assert rent[top] > 1.15 * calm[top]
    assert rent[-1] < 0.95 * rent[top]


def test_every_rise_of_a_rent_has_its_shortage_named(chain):
    rent = chain.rents.cny_per_h
    for v, t in np.argwhere((rent[:, 1:] > rent[:, :-1] * 1.001) & (rent[:, :-1] > 0)):
        assert chain.rents.shortage[v, t + 1], (v, t)


def test_brokers_buy_into_the_spike_and_those_with_h800_lose(chain):
    h20, h800 = row(chain, "h20"), row(chain, "h800_sxm")
    brokers = chain.rents.brokers
    assert np.argmax(brokers.bought[h20]) in range(1, 6)
    assert brokers.owners_loss_cur[h800, 0] > 1e9
    assert brokers.given_up[h800, -1] > 0
    top = int(np.argmax(chain.rents.resale_cur[h20]))
    assert chain.rents.resale_cur[h20, -1] < 0.8 * chain.rents.resale_cur[h20, top]


def test_what_an_hour_earns_in_the_plan_is_its_rent(chain):
    worth, rents = chain.exchange.hour_worth, chain.rents
    there = rents.cny_per_h > 0
    assert (worth * rents.price_cur_per_h)[there] == pytest.approx(rents.cny_per_h[there], rel=0.06)
