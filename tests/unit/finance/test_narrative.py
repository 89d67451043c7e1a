import numpy as np
import pytest

from jevons.errors import InputError
from jevons.finance.narrative import forecast_change, interest, score_narrative


def test_without_surprise_there_is_no_story():
    shares, signs = interest([0.5, -0.9, 0.2], 2.0, 0.5)
    assert not shares.any()
    assert not signs.any()


def test_a_story_spreads_then_is_forgotten():
    shares, signs = interest([3.0, *np.zeros(30)], 2.0, 0.5)
    peak = shares.argmax()
    assert 1 < peak < 20
    assert shares.max() > 0.2
    assert shares[-1] < 0.01
    assert (signs[1:] == 1).all()
    assert (shares >= 0).all()
    assert (shares <= 1).all()


def test_forecasts_use_only_the_past():
    prices = np.exp(np.cumsum([0, 0.1, -0.1, 0.3, 0.2, 0.1, -0.2, 0.1, 0.05, -0.1]))
    spoiled = prices.copy()
    spoiled[-1] *= 9
    first, second = score_narrative(prices), score_narrative(spoiled)
    assert np.array_equal(first.narrative, second.narrative)


def test_a_walk_that_is_one_is_not_beaten_on_average():
    rng = np.random.default_rng(11)
    kept = [score_narrative(np.exp(np.cumsum(0.2 * rng.standard_normal(14)))).keep for _ in range(60)]
    assert np.mean(kept) < 0.5


def test_a_rise_that_was_always_followed_by_more_is_forecast_to_be():
    followed = np.tile([0.0, 0.0, 0.0, 0.0, 0.4, 0.15, 0.05, -0.1], 4)
    faded = np.tile([0.0, 0.0, 0.0, 0.0, 0.4, 0.0, 0.0, 0.0], 4)
    history = [0.0, 0.0, 0.0, 0.0, 0.4]
    assert forecast_change([*followed, *history]) > 0.02
    assert forecast_change([*followed, *history]) > forecast_change([*faded, *history]) + 0.01


def test_no_change_forecasts_no_change():
    assert forecast_change(np.zeros(5)) == 0.0


@pytest.mark.parametrize("prices", [[1.0] * 5, [1.0] * 9 + [-1.0], [1.0] * 9 + [float("nan")]])
def test_wrong_prices_are_refused(prices):
    with pytest.raises(InputError, match="positive numbers"):
        score_narrative(prices)


@pytest.mark.parametrize("rates", [(-1.0, 0.5), (1.0, 1.5)])
def test_wrong_rates_are_refused(rates):
    with pytest.raises(InputError, match="contagion"):
        interest([1.0], *rates)
