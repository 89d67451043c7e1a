import datetime as dt

import pytest

import jevons
from jevons.errors import FactError, InputError
from jevons.facts import default_facts, load_facts
from jevons.facts.rates import cny_per
from jevons.units import CURRENCIES

PRICE = (
    "  x.price_cny:\n    unit: {unit}\n    about: p\n    values:\n"
    "      - {{from: 2024-01-01, value: 1, grade: vendor, source: s}}\n"
)
HEAD = "sources:\n  s: {title: A table}\nfacts:\n"


def facts_of(tmp_path, body, name="f.yaml"):
    (tmp_path / name).write_text(HEAD + body)
    return load_facts([tmp_path])


def test_values_become_the_unit_of_the_name(tmp_path):
    facts = facts_of(
        tmp_path,
        "  x.hbm_bytes_per_s:\n    unit: TB/s\n    about: bandwidth\n    values:\n"
        "      - {from: 2024-01-01, value: 4.8, grade: vendor, source: s}\n",
    )
    assert facts.get("x.hbm_bytes_per_s").value == 4.8e12
    assert facts.get("x.hbm_bytes_per_s").unit == "bytes/s"


def test_nothing_published_later_is_visible(tmp_path):
    """Invariant 55: A fact published after the date asked for is invisible."""
    facts = facts_of(
        tmp_path,
        "  x.revenue_cny:\n    unit: bn CNY\n    about: revenue\n    values:\n"
        "      - {from: 2024-09-30, published: 2024-11-15, value: 29.6, grade: filing, source: s}\n"
        "      - {from: 2024-12-31, published: 2025-02-20, value: 31.7, grade: filing, source: s}\n",
    )
    assert facts.get("x.revenue_cny", dt.date(2025, 2, 19)).value == 29.6e9
    assert facts.get("x.revenue_cny", dt.date(2025, 2, 20)).value == 31.7e9
    assert len(facts.series("x.revenue_cny", dt.date(2025, 1, 1))) == 1
    with pytest.raises(FactError, match="first became public on 2024-11-15"):
        facts.get("x.revenue_cny", dt.date(2024, 10, 1))


def test_a_value_that_starts_later_is_not_in_force(tmp_path):
    facts = facts_of(
        tmp_path,
        "  x.price_cny:\n    unit: CNY\n    about: price\n    values:\n"
        "      - {from: 2024-01-01, value: 1, grade: vendor, source: s}\n"
        "      - {from: 2026-01-01, published: 2024-06-01, value: 2, grade: vendor, source: s}\n",
    )
    assert facts.get("x.price_cny", dt.date(2025, 1, 1)).value == 1


CONFLICT = (
    "  x.price_cny:\n    unit: CNY\n    about: price\n    values:\n"
    "      - {{from: 2024-01-01, value: 1, grade: vendor, source: s}}\n"
    "      - {{from: 2024-01-01, value: 2, grade: vendor, source: s{mark}}}\n"
)


def test_conflicting_values_need_a_reasoned_choice(tmp_path):
    with pytest.raises(InputError, match="disagree"):
        facts_of(tmp_path, CONFLICT.format(mark=""))
    with pytest.raises(InputError, match="disagree"):
        facts_of(tmp_path, CONFLICT.format(mark=", chosen: true"))
    facts = facts_of(tmp_path, CONFLICT.format(mark=", chosen: true, reason: the later reading"))
    assert facts.get("x.price_cny").value == 2
    assert len(facts.fact("x.price_cny").values) == 2


def test_the_same_fact_in_two_files_is_an_error(tmp_path):
    body = PRICE.format(unit="CNY")
    (tmp_path / "a.yaml").write_text(HEAD + body)
    (tmp_path / "b.yaml").write_text("facts:\n" + body)
    with pytest.raises(InputError, match="given twice"):
        load_facts([tmp_path])


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("{from: 2024-01-01, value: 1, grade: vendor}", "without a source is a defect"),
        ("{from: 2024-01-01, value: 1, grade: judgement}", "needs `reason:`, `low:` and `high:`"),
        ("{from: 2024-01-01, value: 1, grade: derived}", "needs `formula:` and `parents:`"),
        ("{from: 2024-01-01, value: 1, grade: rumour, source: s}", "none of"),
        ("{from: 2024-01-01, value: 1, grade: vendor, source: t}", "unknown source"),
        ("{from: 2024-01-01, value: 1, grade: vendor, source: s, lokator: x}", "Did you mean `locator`"),
        ("{from: someday, value: 1, grade: vendor, source: s}", "not a date"),
        ("{from: 2024-01-01, value: 9, low: 1, high: 2, reason: r, grade: judgement}", "outside its range"),
        ("{from: 2024-01-01, value: many, grade: vendor, source: s}", "not a number"),
    ],
)
def test_values_without_evidence_are_faults(tmp_path, value, part):
    with pytest.raises(InputError, match=part):
        facts_of(tmp_path, f"  x.price_cny:\n    unit: CNY\n    about: p\n    values:\n      - {value}\n")


def test_units_that_contradict_the_name_are_faults(tmp_path):
    with pytest.raises(InputError, match="suffix says CNY"):
        facts_of(tmp_path, PRICE.format(unit="GB"))


def test_expired_values_raise(tmp_path):
    facts = facts_of(
        tmp_path,
        "  x.price_cny:\n    unit: CNY\n    about: p\n    values:\n"
        "      - {from: 2024-01-01, expires: 2024-12-31, value: 1, grade: vendor, source: s}\n",
    )
    assert facts.get("x.price_cny", dt.date(2024, 6, 1)).value == 1
    with pytest.raises(FactError, match="expired"):
        facts.get("x.price_cny", dt.date(2025, 1, 1))


def test_unknown_facts_offer_near_ids():
    with pytest.raises(FactError, match="Did you mean `h20.hbm_bytes_per_s`"):
        default_facts().get("h20.hbm_byte_per_s")


def test_every_shipped_fact_has_a_description_and_evidence():
    for fact in default_facts():
        assert fact.about, fact.id
        for value in fact.values:
            assert value.source or value.reason or value.formula, fact.id
            assert value.published >= dt.date(1990, 1, 1)


def test_results_of_a_quarter_are_not_visible_before_their_publication():
    facts = default_facts()
    for fact_id in ("alibaba.cloud.revenue_quarter_cny", "alibaba.group.capex_quarter_cny"):
        for value in facts.fact(fact_id).values:
            assert (value.published - value.start).days >= 20, (fact_id, value.start)


def test_own_figures_stand_for_facts_until_the_block_ends() -> None:
    before = jevons.facts.get("h20.price_cny")
    with jevons.facts.changed({"h20.price_cny": 90_000}):
        own = jevons.facts.get("h20.price_cny")
        assert (own.value, own.grade, own.low, own.high) == (90_000.0, "judgement", 90_000.0, 90_000.0)
        assert "set by whoever asked" in own.reason
    assert jevons.facts.get("h20.price_cny") == before


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"h20.price": 1}, "unknown fact `h20.price`"), ({"h20.price_cny": -1}, "above zero"),
        ({"h20.price_cny": float("nan")}, "finite number"), ({"h20.price_cny": "cheap"}, "finite number"),
        ({"h20.price_cny": True}, "finite number"),
    ],
)  # fmt: skip
def test_own_figures_that_no_fact_can_have_are_refused(values, message) -> None:
    with pytest.raises(jevons.JevonsError, match=message), jevons.facts.changed(values):
        pass


@pytest.mark.parametrize("currency", [code for code in CURRENCIES if code != "CNY"])
def test_each_currency_has_a_rate_at_the_end_of_february_2025(currency):
    rate = cny_per(default_facts(), currency, dt.date(2025, 2, 28))
    assert rate == pytest.approx(cny_per(default_facts(), currency), rel=0.2)


def test_a_currency_without_a_rate_on_the_date_is_refused_with_the_first_date():
    with pytest.raises(FactError, match="2020-05-04"):
        cny_per(default_facts(), "SAR", dt.date(2019, 1, 1))


def test_a_value_that_is_said_to_be_as_another_is_that_value():
    facts = default_facts()
    copies = [
        (fact.id, value.parents[0])
        for fact in facts
        for value in fact.values
        if value.grade == "derived" and (value.formula or "").startswith("as the ") and len(value.parents) == 1
    ]
    assert len(copies) > 50
    assert [(name, source) for name, source in copies if facts.get(name).value != facts.get(source).value] == []
