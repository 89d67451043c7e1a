"""Dated facts: growth at a constant list price is no elasticity; a glut and a shortage from one curve."""

import csv

import numpy as np
import pytest

from jevons.errors import InputError
from jevons.market import RentCurve, account_for_growth, rent_cur_per_h
from places import DATA

SAMPLE = DATA / "economics/dated_sample.csv"
ROWS = list(csv.DictReader(SAMPLE.read_text().splitlines()))
CURVE = RentCurve(0.75, 0.5, 0.5)


def year(text):
    parts = [int(part) for part in text.split("-")]
    return parts[0] + (parts[1] - 0.5) / 12


def value(entity, quantity, date):
    found = [r for r in ROWS if (r["entity"], r["quantity"], r["date_or_period"]) == (entity, quantity, date)]
    return float(found[0]["value"])


def doubao():
    rows = sorted((year(r["date_or_period"]), float(r["value"])) for r in ROWS if r["quantity"] == "daily tokens")
    users = sorted((year(r["date_or_period"]), float(r["value"])) for r in ROWS if r["unit"] == "users")
    when, tokens = (np.array(column) for column in zip(*rows, strict=True))
    slope = np.log(users[1][1] / users[0][1]) / (users[1][0] - users[0][0])
    return when, tokens, users[0][1] * np.exp(slope * (when - users[0][0]))


def test_doubao_grew_137_times_at_one_list_price_and_none_of_it_is_elasticity():
    prices = [float(r["value"]) for r in ROWS if r["quantity"].endswith("| input")]
    assert prices == [0.8, 0.8]
    when, tokens, users = doubao()
    found = account_for_growth(when, tokens, users, np.full(when.size, prices[0]))
    assert found.volume_factor == pytest.approx(137, rel=0.01)
    assert found.elasticity is None
    assert "elasticity is not in them" in found.reason
    assert found.price_factor == 1.0
    assert found.users_factor * found.intensity_factor == pytest.approx(found.volume_factor)
    assert found.users_factor > 1
    # the naive reading, which sets the growth against an older cut by others (about 110 CNY to 0.8), "finds" one
    assert np.log(found.volume_factor) / np.log(110 / 0.8) == pytest.approx(1.0, abs=0.05)


def test_a_known_elasticity_is_found_under_any_growth():
    rng = np.random.default_rng(3)
    when = np.arange(12) / 4
    price = np.exp(np.cumsum(rng.normal(-0.05, 0.3, 12)))
    users = 1e6 * np.exp(0.8 * when)
    for truth in (-0.4, -1.7):
        tokens = users * 100 * np.exp(1.5 * when) * price**truth * np.exp(rng.normal(0, 0.01, 12))
        found = account_for_growth(when, tokens, users, price)
        assert found.elasticity == pytest.approx(truth, abs=4 * found.elasticity_error)
        assert found.elasticity_error < 0.05
        assert found.users_factor * found.price_factor * found.intensity_factor == pytest.approx(found.volume_factor)


def test_a_steady_price_fall_cannot_be_told_from_a_trend():
    when = np.arange(6) / 4
    found = account_for_growth(when, np.exp(3 * when), np.ones(6), np.exp(-2 * when))
    assert found.elasticity is None


def test_bad_histories_are_named():
    with pytest.raises(InputError) as error:
        account_for_growth([0, 1, 1], [1.0, 2.0, 3.0], [1.0, 1.0, 1.0], [1.0, 0.0, 1.0])
    assert "year: dates must rise" in str(error.value)
    assert "price: 0: must be above 0" in str(error.value)


def test_rent_rises_with_the_let_share_and_is_continuous():
    share = np.linspace(0, 0.9999, 2000)
    rent = rent_cur_per_h(share, 10.0, 1.0, CURVE)
    assert np.all(np.diff(rent) > 0)
    assert rent[0] == pytest.approx(1.0)
    assert rent_cur_per_h(CURVE.tight_frac, 10.0, 1.0, CURVE) == pytest.approx(10.0)
    steps = np.diff(rent_cur_per_h(np.linspace(CURVE.tight_frac, 0.99, 300), 10.0, 1.0, CURVE))
    assert np.all(np.diff(steps) > 0)
