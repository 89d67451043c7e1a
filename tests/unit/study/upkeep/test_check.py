"""The check of facts: stale, conflicting, judged, and what would settle each."""

import datetime as dt

import numpy as np
import pytest

import jevons
from jevons.errors import InputError
from jevons.facts import Fact, Facts, FactValue
from jevons.study.draws.run import Draws
from jevons.study.upkeep.check import conflicts, judged_inputs, settled_by, stale
from places import TINY

DAY = dt.date(2026, 6, 30)


def facts(*values):
    by_id = {}
    for value in values:
        by_id.setdefault(value.id, []).append(value)
    made = (Fact(id=i, unit="CNY", about="", values=tuple(v)) for i, v in by_id.items())
    return Facts({fact.id: fact for fact in made})


def value(fact_id, start, number, **more):
    day = dt.date.fromisoformat(start)
    return FactValue(id=fact_id, value=number, unit="CNY", start=day, published=day, grade="filing", **more)


def test_a_quarterly_figure_is_stale_after_two_quarters_and_a_yearly_one_is_not():
    known = facts(value("a.revenue_quarter_cny", "2025-09-30", 1.0), value("a.revenue_year_cny", "2025-09-30", 4.0))
    assert [s.value.id for s in stale(known, DAY)] == ["a.revenue_quarter_cny"]


def test_an_expired_fact_is_stale_whatever_its_kind():
    known = facts(value("a.something", "2026-01-01", 1.0, expires=dt.date(2026, 2, 1)))
    assert [s.value.id for s in stale(known, DAY)] == ["a.something"]


def test_values_of_one_date_conflict_beyond_five_percent_and_the_chosen_counts():
    known = facts(
        value("a", "2025-01-01", 100.0, chosen=True), value("a", "2025-01-01", 120.0), value("b", "2025-01-01", 100.0),
        value("b", "2025-01-01", 102.0),
    )  # fmt: skip
    found = list(conflicts(known, DAY))
    assert [(c.id, c.counts.number) for c in found] == [("a", 100.0)]
    assert found[0].spread_frac == pytest.approx(0.2)


def test_nothing_published_later_is_seen():
    known = facts(value("a", "2026-01-01", 100.0), value("a", "2026-01-01", 150.0))
    assert not list(conflicts(known, dt.date(2025, 1, 1)))


def test_the_judgement_that_moves_the_outcome_comes_first_with_its_swing():
    scenario = jevons.load(TINY)
    path = next(p for p, a in scenario.amounts().items() if a.uncertain and a.grade == "judgement")
    rng = np.random.default_rng(3)
    column = rng.random(200)
    draws = Draws(
        names=(path, "noise"), values=np.stack([column, rng.random(200)], axis=1),
        outcomes={"o": 10 * column + rng.normal(0, 0.5, 200)}, infeasible=0,
    )  # fmt: skip
    found = list(judged_inputs(scenario, draws, "o"))
    assert [j.path for j in found] == [path]
    assert found[0].variance_frac > 0.8
    assert found[0].swing == pytest.approx(8.0, rel=0.1)


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("hardware.devices.h20.supply", "customs"),
        ("cost.wacc", "yields"),
        ("rent.h100.x_usd_per_h", "price page"),
        ("zzz", "primary"),
    ],
)
def test_every_figure_has_a_source_that_would_settle_it(path, word):
    assert word in settled_by(path)


def test_the_shipped_facts_are_checked_as_of_a_date(tmp_path):
    early, late = jevons.facts.check(as_of="2025-02-24"), jevons.facts.check(as_of="2026-06-30")
    assert len(late.stale) > len(early.stale) > 0
    assert late.to_json()["conflicts"][0]["settled_by"]
    late.save(tmp_path / "check.xlsx")
    with pytest.raises(InputError, match="not a date"):
        jevons.facts.check(as_of="soon")


@pytest.mark.slow
def test_with_a_scenario_judgements_are_ranked():
    found = jevons.facts.check(scenario=TINY, draws=8, processes=1)
    sizes = [j.variance_frac for j in found.judgements]
    assert sizes == sorted(sizes, reverse=True)
    assert "A small cloud" in found.answer
    assert "value per share beyond chance" in found.answer
    assert "swing of value per share [CNY/ADS]" in repr(found)
