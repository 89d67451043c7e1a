"""Tracking: actuals of files and facts, weights, new forecasts, and what is refused."""

import numpy as np
import pytest

import jevons
from jevons.errors import InputError
from jevons.facts import default_facts
from jevons.study.chain.accounts import base_trend_cur
from jevons.study.draws.run import Draws
from jevons.study.scenario.sections import SeasonSpec
from jevons.study.track.actuals import Actual, actuals_of_facts, actuals_of_file
from jevons.study.track.update import moved_inputs, quantiles, reweighted, values_of
from places import ROOT, TINY

HEAD = "quarter,quantity,value,unit\n"
QUARTERS = ("2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4")


@pytest.fixture(scope="module")
def scenario():
    return jevons.load(TINY)


def written(tmp_path, text):
    path = tmp_path / "actuals.csv"
    path.write_text(text)
    return path


def drawn(count=400):
    rng = np.random.default_rng(1)
    growth = rng.normal(0.1, 0.05, count)
    revenue = 30e9 * (1 + growth[:, None]) ** (np.arange(4) / 4)
    other = rng.normal(0.0, 1.0, count)
    return Draws(
        names=("growth", "other"), values=np.stack([growth, other], axis=1),
        outcomes={"value": growth * 100}, infeasible=0, paths={"cloud_revenue": revenue},
    )  # fmt: skip


def came(value, quarter="2025-Q4", series="cloud_revenue"):
    return Actual(series=series, quarter=quarter, value=value, source="")


def test_what_comes_high_moves_the_input_that_explains_it_and_no_other():
    draws = drawn()
    update = reweighted(draws, QUARTERS, [came(30e9 * 1.2)])
    moved = moved_inputs(draws, update.weights)
    assert moved[0][0] == "growth"
    assert moved[0][3] > 0.5
    assert "other" not in [name for name, *_ in moved]
    assert quantiles(draws.outcomes["value"], update.weights)[1] > quantiles(draws.outcomes["value"], None)[1]


def test_a_count_is_held_against_the_forecast_of_its_day():
    draws = drawn()
    draws.paths["tokens_per_d"] = np.broadcast_to(1e12 * 2.0 ** np.arange(4), (400, 4))
    first, last = (
        Actual(series="tokens_per_d", quarter="2025-Q2", value=1.0, source="", elapsed=e) for e in (0.0, 1.0)
    )
    assert values_of(draws, QUARTERS, first) == pytest.approx(2e12)
    assert values_of(draws, QUARTERS, last) == pytest.approx(4e12)


def test_reported_revenue_has_the_season_and_opens_at_the_trend():
    season = SeasonSpec.model_validate({"q1": 0.9, "q2": 1.0, "q3": 1.0, "q4": 1.1})
    assert season.factors("2025-Q2", 5) == [1.0, 1.0, 1.1, 0.9, 1.0]
    scenario = jevons.load(ROOT / "scenarios" / "alibaba-380bn.yaml")
    revenue, ai = scenario.finance.base_revenue.value, scenario.market.ai_revenue_share.value
    assert base_trend_cur(scenario, 5e9) == pytest.approx(revenue * (1 - ai) / 1.053)


def test_what_comes_as_forecast_leaves_most_draws():
    draws = drawn()
    middle = float(np.median(draws.paths["cloud_revenue"][:, 3]))
    update = reweighted(draws, QUARTERS, [came(middle)])
    assert update.tempering == 1.0
    assert update.ess > 0.5 * len(update.weights)
    assert update.weights.sum() == pytest.approx(1.0)


def test_what_no_draw_can_follow_is_tempered_to_a_tenth_of_them():
    draws = drawn()
    update = reweighted(draws, QUARTERS, [came(90e9)])
    assert update.tempering < 1
    assert update.ess == pytest.approx(0.1 * len(update.weights), rel=0.02)


def test_nothing_at_all_that_came_is_weighed_too():
    update = reweighted(drawn(), QUARTERS, [came(0.0)])
    assert np.isfinite(update.weights).all()
    assert update.ess >= 0.1 * len(update.weights) - 1e-6


def test_more_quarters_of_one_series_count_as_one_observation():
    draws = drawn()
    once = reweighted(draws, QUARTERS, [came(30e9 * 1.2)])
    again = reweighted(draws, QUARTERS, [came(30e9 * 1.2 ** (t / 4), q) for t, q in enumerate(QUARTERS)])
    assert again.ess >= once.ess


def test_equal_weights_give_plain_quantiles():
    values = np.linspace(0, 1, 101)
    assert quantiles(values, np.full(101, 1 / 101)) == pytest.approx(quantiles(values, None), abs=0.01)


def test_money_without_a_unit_is_refused_with_the_unit_to_write(scenario, tmp_path):
    file = written(tmp_path, HEAD + f"{scenario.labels()[0]},cloud revenue,30.1,\n")
    with pytest.raises(InputError, match=r"has no unit and would count as 30.1 CNY; write it like `30.1 bn CNY`"):
        actuals_of_file(file, scenario)


def test_a_file_is_read_with_units_dates_and_spellings(scenario, tmp_path):
    text = HEAD + (
        "2025-Q2,cloud revenue,0.05,bn CNY\n2025-03-31,capital expenditure,20,mn CNY\n2025Q3,margin,9 %,\n"
        "2025-Q4,tokens per day,1.5 bn tok/day,\n"
    )  # fmt: skip
    found = {(a.series, a.quarter): a.value for a in actuals_of_file(written(tmp_path, text), scenario)}
    assert found["cloud_revenue", "2025-Q2"] == pytest.approx(5e7)
    assert found["group_capex", "2025-Q1"] == pytest.approx(2e7)
    assert found["cloud_ebita_frac", "2025-Q3"] == pytest.approx(0.09)
    assert found["tokens_per_d", "2025-Q4"] == pytest.approx(1.5e9)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("2025-Q1,cloud_revenue,1 bn CNY,\n2025-Q1,cloud revenue,2 bn CNY,\n", "there twice"),
        ("2025-Q1,cloud_revenu,1 bn CNY,\n", "Did you mean `cloud_revenue`"),
        ("2025-Q5,cloud_revenue,1 bn CNY,\n", "write it like 2025-Q2"),
        ("2025-02-28,cloud_revenue,1 bn CNY,\n", "write it like 2025-Q2"),
        ("2025-Q1,cloud_revenue,,\n", "is empty"),
        ("2025-Q1,cloud_revenue,much,bn CNY\n", "value `much bn CNY`"),
        ("2025-Q1,cloud_revenue,nan,\n", "finite"),
        ("2025-Q1,cloud_revenue,3,kg\n", "value `3 kg`"), ("", "has no rows"),
        ("2025-Q1,cloud_revenue,-1 bn CNY,\n", "from 0 to"), ("2025-Q1,tokens_per_d,1e40,\n", "from 0 to"),
        ("2025-Q1,cloud_ebita_frac,9,\n", "0.09 for 9 %"),
    ],
)  # fmt: skip
def test_wrong_actuals_are_refused_with_line_value_and_remedy(scenario, tmp_path, rows, message):
    with pytest.raises(InputError, match=message):
        actuals_of_file(written(tmp_path, HEAD + rows), scenario)


def test_a_file_without_the_columns_is_refused(scenario, tmp_path):
    with pytest.raises(InputError, match="no column quantity"):
        actuals_of_file(written(tmp_path, "quarter,value\n2025-Q1,3\n"), scenario)


def test_facts_published_after_the_scenario_are_its_actuals():
    main = jevons.load(ROOT / "scenarios" / "alibaba-380bn.yaml")
    found = actuals_of_facts(main, default_facts(), None)
    revenue = {a.quarter: a.value for a in found if a.series == "cloud_revenue"}
    assert revenue["2025-Q3"] == pytest.approx(39.824e9)
    assert {"cloud_revenue", "group_capex", "cloud_ebita_frac"} <= {a.series for a in found}
    early = actuals_of_facts(main, default_facts(), main.as_of.replace(year=2025, month=9, day=1))
    assert len(early) < len(found)


@pytest.mark.slow
def test_a_scenario_is_tracked_with_gaps_and_quarters_outside(tmp_path):
    quarters = jevons.load(TINY).labels()
    text = HEAD + f"{quarters[0]},cloud revenue,15,mn CNY\n{quarters[2]},cloud revenue,16,mn CNY\n2040-Q1,margin,9 %,\n"
    tracked = jevons.track(TINY, actuals=written(tmp_path, text), draws=4, processes=1)
    record = tracked.to_json()
    assert record["gaps"] == [f"cloud revenue in {quarters[1]}"]
    assert "outside the scenario's quarters" in record["left_out"][0]
    assert 1 - 1e-9 <= record["effective_sample_size"] <= 4 + 1e-9
    assert all(r["low"] <= r["median"] <= r["high"] for r in record["forecast"])
    picture = tracked.plot.track()
    picture.savefig(tmp_path / "t.png")
    assert picture.legends
    assert not any(axis.get_legend() for axis in picture.axes)  # one there hides an actual figure
    for ending in ("csv", "json", "xlsx", "html"):
        tracked.save(tmp_path / f"t.{ending}")


def test_actuals_of_other_years_alone_are_refused(tmp_path):
    with pytest.raises(InputError, match="nothing lies within"):
        jevons.track(TINY, actuals=written(tmp_path, HEAD + "2040-Q1,margin,9 %,\n"), draws=2, processes=1)
