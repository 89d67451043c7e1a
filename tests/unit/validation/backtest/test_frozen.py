"""Frozen forecasts keep what was published, and are scored against facts that became public later."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from tests.places import ROOT

from jevons.errors import InputError
from jevons.facts import default_facts
from jevons.validation.backtest.forecast import target_unit
from jevons.validation.backtest.frozen import (
    FactOutcome,
    FrozenForecast,
    fact_outcomes,
    interval_score,
    read_frozen,
    score_frozen,
    write_frozen,
)

FROZEN = ROOT / "docs" / "validation" / "frozen" / "2025-02-24.json"
AS_OF = dt.date(2025, 2, 24)


def outcome(target: str, quarters: tuple[str, ...], value: float, date: dt.date = dt.date(2026, 3, 31)) -> FactOutcome:
    return FactOutcome(
        target=target, quarters=quarters, date=date, value=value, published=dt.date(2026, 5, 20), fact="a.fact"
    )


def test_the_file_holds_what_the_page_printed():
    forecast = read_frozen(FROZEN)
    chain = forecast.quantiles["chain"]
    assert forecast.as_of == AS_OF
    assert chain["cloud_revenue"][:, 0] == pytest.approx([28.5e9, 29.8e9, 31e9])
    assert chain["doubao_tok_per_d"][:, 3] == pytest.approx([15e12, 19.4e12, 25.1e12])
    assert forecast.quantiles["reduced form"]["cloud_margin_frac"][1, 4] == pytest.approx(-0.00522)


def test_every_outcome_became_public_after_the_forecast():
    outcomes = fact_outcomes(default_facts(), AS_OF, read_frozen(FROZEN).quarters)
    assert outcomes
    assert all(one.published > AS_OF for one in outcomes)
    assert {"cloud_revenue", "cloud_margin_frac", "capex", "china_tok_per_d", "doubao_tok_per_d"} <= {
        one.target for one in outcomes
    }


def test_revenue_and_the_national_count_were_inside_and_doubao_and_the_margin_were_not():
    forecast = read_frozen(FROZEN)
    scores = score_frozen(forecast, fact_outcomes(default_facts(), AS_OF, forecast.quarters))
    inside = {
        target: [s.covered for s in scores if s.method == "chain" and s.outcome.target == target]
        for target in forecast.quantiles["chain"]
    }
    assert inside["cloud_revenue"] == [True] * 5
    assert all(inside["china_tok_per_d"])
    assert not any(inside["doubao_tok_per_d"])
    assert not any(inside["cloud_margin_frac"])


def test_two_quarters_together_are_scored_as_their_sum():
    forecast = read_frozen(FROZEN)
    both = outcome("cloud_revenue", ("2025-Q4", "2026-Q1"), 84.91e9)
    score = next(s for s in score_frozen(forecast, [both]) if s.method == "chain")
    assert (score.low, score.middle, score.high) == pytest.approx((68.2e9, 81.5e9, 93.4e9))
    assert score.covered


def test_a_margin_of_two_quarters_together_is_held_against_their_mean():
    forecast = read_frozen(FROZEN)
    both = outcome("cloud_margin_frac", ("2025-Q4", "2026-Q1"), 0.0908)
    score = next(s for s in score_frozen(forecast, [both]) if s.method == "chain")
    assert score.low == pytest.approx((0.111 + 0.119) / 2)
    assert not score.covered


def test_quarters_beyond_the_forecast_are_left_out():
    forecast = read_frozen(FROZEN)
    assert score_frozen(forecast, [outcome("capex", ("2026-Q1", "2026-Q2"), 5e10)]) == []
    assert score_frozen(forecast, [outcome("china_tok_per_d", (), 2e14, dt.date(2026, 6, 30))]) == []


def test_a_score_of_one_number_is_its_absolute_error():
    levels = np.array([0.1, 0.5, 0.9])
    assert interval_score(levels, np.full(3, 5.0), 8.0, log=False) == pytest.approx(3.0)
    wide, off = np.array([1.0, 8.0, 15.0]), np.array([1.0, 4.0, 7.0])
    assert interval_score(levels, wide, 8.0, log=False) < interval_score(levels, off, 8.0, log=False)


def test_what_is_written_is_read_back(tmp_path: Path):
    forecast = read_frozen(FROZEN)
    path = tmp_path / "again.json"
    path.write_text(write_frozen(forecast, "again"), encoding="utf-8")
    again = read_frozen(path)
    assert isinstance(again, FrozenForecast)
    assert again.quarters == forecast.quarters
    for target, table in forecast.quantiles["chain"].items():
        np.testing.assert_allclose(again.quantiles["chain"][target], table)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "no frozen forecast"),
        ("[]", "no frozen forecast"),
        ('{"as_of": "2025-02-24", "levels": [0.1, 0.9], "methods": {"a": {"gdp": {"2025-Q1": [1, 2]}}}}', "unknown"),
        ('{"as_of": "2025-02-24", "levels": [0.1, 0.9], "methods": {"a": {"capex": {"2025-Q1": [2, 1]}}}}', "rising"),
        ('{"as_of": "2025-02-24", "levels": [0.1, 0.9], "methods": {"a": {"capex": {"2025-Q1": [1]}}}}', "rising"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, text: str, told: str):
    path = tmp_path / "broken.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=told):
        read_frozen(path)


def test_a_share_price_is_counted_in_money_per_share_not_in_billions():
    assert target_unit("ads_price_usd") == (1.0, "USD/ADS")
