"""Forecasts of the whole chain: frozen, ordered, of the right date; without growth only prices move demand."""

import datetime as dt

import numpy as np
import pytest

from jevons.errors import InputError
from jevons.facts import default_facts
from jevons.study import load
from jevons.validation.backtest.chain_forecast import chain_forecasts
from jevons.validation.backtest.forecast import HORIZON, TARGETS, VARIANTS, evidence
from jevons.validation.backtest.score import REDUCED, backtest
from places import MAIN

pytestmark = pytest.mark.slow

AS_OF = dt.date(2025, 2, 24)
DRAWS = 20


def of(facts):
    known = evidence(facts, AS_OF)
    return chain_forecasts(known, load(MAIN, facts=facts), facts, draws=DRAWS, seed=5)


@pytest.fixture(scope="module")
def known():
    return evidence(default_facts(), AS_OF)


@pytest.fixture(scope="module")
def made():
    return of(default_facts())


def test_every_target_has_ordered_finite_quantiles(made):
    assert set(made) == set(VARIANTS)
    for forecast in made.values():
        assert set(forecast.draws) == set(TARGETS)
        for target in TARGETS:
            count, quarters = forecast.draws[target].shape
            assert DRAWS - 4 <= count <= DRAWS  # a draw whose ban leaves too few chips for contracts has no plan
            assert quarters == HORIZON
            assert np.isfinite(forecast.draws[target]).all()


def test_what_is_published_later_changes_nothing(made, spoiled):
    again = of(spoiled(AS_OF))
    for variant, forecast in made.items():
        for target in TARGETS:
            assert forecast.draws[target].tobytes() == again[variant].draws[target].tobytes()


def test_with_one_elasticity_only_prices_move_tokens(made):
    """Tokens are a power of prices that hardly move: far from what adoption and use per user bring."""
    full, constant = made["full"].draws["china_tok_per_d"], made["constant elasticity only"].draws["china_tok_per_d"]
    assert (full[:, -1] / full[:, 0] > 1.5).all()
    assert np.median(constant[:, -1] / constant[:, 0]) < 1.3
    assert (constant[:, -1] >= 0.9 * constant[:, 0]).all()  # some leave for machines of their own


def test_growth_is_revenue_over_the_year_before(made, known):
    draws = made["full"].draws
    assert draws["cloud_growth_frac"][:, 0] == pytest.approx(draws["cloud_revenue"][:, 0] / known.revenue_cur[0] - 1)
    assert draws["cloud_growth_frac"][:, 4] == pytest.approx(
        draws["cloud_revenue"][:, 4] / draws["cloud_revenue"][:, 0] - 1
    )


def test_the_story_moves_money_and_shares_only(made):
    told, untold = made["full"].draws, made["no narrative"].draws
    moved = {target for target in TARGETS if told[target].tobytes() != untold[target].tobytes()}
    assert moved == {"capex", "ads_price_usd"}


def test_a_scenario_of_another_date_start_or_length_is_refused(known):
    scenario = load(MAIN)
    wrong = scenario.model_copy(update={"as_of": dt.date(2025, 3, 1), "start": "2025-Q2", "quarters": HORIZON})
    with pytest.raises(InputError) as caught:
        chain_forecasts(known, wrong, default_facts(), draws=DRAWS, seed=5)
    said = str(caught.value)
    assert "as_of = 2025-03-01" in said
    assert "start = 2025-Q2: must be 2025-Q1" in said
    assert f"quarters = {HORIZON}: must be above" in said


def test_rivals_that_are_forecast_must_be_in_the_scenario(known):
    scenario = load(MAIN)
    rivals = {k: v for k, v in scenario.market.providers.rivals.items() if k != "bytedance"}
    providers = scenario.market.providers.model_copy(update={"rivals": rivals})
    market = scenario.market.model_copy(update={"providers": providers})
    with pytest.raises(InputError, match="`bytedance` is missing"):
        chain_forecasts(known, scenario.model_copy(update={"market": market}), default_facts(), draws=DRAWS, seed=5)


def test_the_chain_is_scored_beside_its_reduced_form(tmp_path, monkeypatch, made):
    monkeypatch.setattr("jevons.validation.backtest.score.chain_forecasts", lambda *_args, **_options: made)
    path = tmp_path / "outcomes.csv"
    path.write_text(
        "entity,quantity,date_or_period,value,unit\nByteDance (Doubao),daily tokens,2025-03,1e13,tokens per day\n"
    )
    result = backtest([path], default_facts(), as_of=AS_OF, draws=100, scenario=load(MAIN))
    assert result.engine == "chain"
    assert {score.method for score in result.scores} >= {*VARIANTS, REDUCED, "exponential tokens"}
    assert backtest([path], default_facts(), as_of=AS_OF, draws=100).engine == REDUCED
