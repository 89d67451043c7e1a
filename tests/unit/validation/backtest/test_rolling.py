"""Forecasts from many dates see nothing later, are calibrated over all firms and beat naive rules."""

import dataclasses
import datetime as dt
import json

import numpy as np
import pytest
from tests.places import ROOT

from jevons.errors import InputError
from jevons.facts import default_facts
from jevons.validation.backtest.rolling import (
    ORIGINS,
    SERIES,
    Level,
    crps_of_normal,
    forecast_log,
    frozen_quantiles,
    growth_priors,
    known_levels,
    rolling_scores,
    summary,
)

FROZEN = ROOT / "docs" / "validation" / "frozen" / "2026-05-31.json"


@pytest.fixture(scope="module")
def scores():
    return rolling_scores(default_facts())


def test_what_is_published_later_changes_nothing(spoiled):
    date = dt.date(2025, 2, 24)
    for series in SERIES:
        assert known_levels(default_facts(), series, date) == known_levels(spoiled(date), series, date)


def test_intervals_cover_about_what_they_say_over_all_firms(scores):
    for kind, count, covered, _, _ in summary(scores):
        assert count > 40, kind
        assert 0.7 <= covered <= 0.9, kind
    first = rolling_scores(default_facts(), priors=growth_priors(default_facts(), ORIGINS[0]))
    assert np.mean([score.covered for score in first]) < 0.7  # the first scoring is published as it came


def test_forecasts_beat_each_naive_rule_on_its_outcomes(scores):
    for kind, _, _, _, rules in summary(scores):
        for rule, (theirs, ours, _) in rules.items():
            assert ours < theirs, (kind, rule)


def test_every_outcome_is_later_than_its_forecast_and_all_firms_and_dates_are_there(scores):
    assert all(score.date > score.origin - dt.timedelta(days=200) for score in scores)
    assert {"Alibaba", "Tencent", "Microsoft", "Alphabet", "Meta", "CoreWeave"} <= {s.series.firm for s in scores}
    assert len({score.origin for score in scores}) == len(ORIGINS)


def test_growth_on_file_moves_the_drift_and_time_widens_the_spread():
    now, prior = dt.date(2025, 1, 1), growth_priors(default_facts())["revenue"]
    slow = [Level(date=dt.date(2024, 1, 1), log=0.0), Level(date=now, log=0.05)]
    fast = [slow[0], dataclasses.replace(slow[1], log=0.6)]
    ahead = dt.date(2026, 1, 1)
    assert forecast_log(fast, prior, ahead)[0] - 0.6 > forecast_log(slow, prior, ahead)[0] - 0.05
    assert forecast_log(slow, prior, dt.date(2027, 1, 1))[1] > forecast_log(slow, prior, ahead)[1]
    assert forecast_log(slow, prior, ahead)[1] < forecast_log(slow[1:], prior, ahead)[1]


def test_nothing_known_is_refused():
    with pytest.raises(InputError, match="nothing of the series was public"):
        forecast_log([], growth_priors(default_facts())["tokens"], dt.date(2025, 1, 1))


def test_crps_of_a_sharp_forecast_is_its_absolute_error():
    assert crps_of_normal(1.0, 1e-9, 3.0) == pytest.approx(2.0, rel=1e-6)
    assert crps_of_normal(0.0, 1.0, 0.0) == pytest.approx(0.2337, abs=1e-4)


def test_the_frozen_file_holds_rising_quantiles_that_its_priors_gave():
    frozen = json.loads(FROZEN.read_text(encoding="utf-8"))
    assert frozen["as_of"] == "2026-05-31"
    for rows in frozen["facts"].values():
        for row in rows.values():
            assert len(row) == len(frozen["levels"])
            assert row == sorted(row)
    assert {"alibaba.cloud.revenue_quarter_cny", "tokens.china.daily_tok_per_d"} <= set(frozen["facts"])
    again = frozen_quantiles(default_facts(), dt.date(2026, 5, 31), ("2026-Q4",), frozen["levels"])
    for fact in frozen["facts"]:
        if "2026-Q4" in frozen["facts"][fact]:
            assert again[fact]["2026-Q4"] == pytest.approx(frozen["facts"][fact]["2026-Q4"], rel=1e-3)
