"""`jevons.facts.list`, `search`, `show` and `get`: facts as results."""

import datetime as dt

import pytest

import jevons
from jevons.errors import FactError, InputError


def test_a_search_yields_facts_and_tables_of_their_values_in_force():
    found = jevons.facts.search("h20 price")
    assert "h20.price_cny" in [fact.id for fact in found]
    assert len(found) == len(found.facts)
    frame = found.to_frame()
    assert {"id", "value", "unit", "source", "url"} <= set(frame.columns)
    assert found.tables["facts"].column("fact") == frame["id"].to_list()
    assert len(repr(found).splitlines()) <= 15


def test_a_list_says_how_many_facts_had_no_value_on_the_date():
    now, then = jevons.facts.list("h20."), jevons.facts.list("h20.", as_of="2024-03-01")
    left = len(now.facts) - len(then.values)
    assert left > 0
    assert f"{left} more had no value" in then.answer


def test_a_fact_shows_what_was_public_on_the_date_and_marks_the_value_in_force():
    early, late = (jevons.facts.show("h20.price_cny", as_of=day) for day in ("2024-06-01", "2024-12-01"))
    assert len(early.values) + 1 == len(late.values)
    assert late.tables["values"].column("in_force") == ["", "yes"]
    assert late.current == jevons.facts.get("h20.price_cny", dt.date(2024, 12, 1))
    assert late.current.source.url in late.answer


def test_get_takes_a_date_as_text_and_its_value_reads_in_a_line():
    value = jevons.facts.get("h20.price_cny", "2025-02-24")
    assert repr(value).startswith("<h20.price_cny = 150,000 CNY from 2024-07-12, literature: Huxiu")
    with pytest.raises(InputError, match="on yesterday: not a date"):
        jevons.facts.get("h20.price_cny", "yesterday")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: jevons.facts.list("h21."), "no fact begins with `h21.`"),
        (lambda: jevons.facts.list("h20.", as_of="1990-01-01"), "^as_of=1990-01-01: none of the"),
        (lambda: jevons.facts.search("qqqq"), "no fact has all of `qqqq`"),
        (lambda: jevons.facts.show("h20.price_cn"), "Did you mean `h20.price_cny`"),
        (lambda: jevons.facts.list(as_of=7), "as_of=7: must be a date or text"),
    ],
)
def test_wrong_words_ids_and_dates_are_refused_with_what_would_be_right(call, message):
    with pytest.raises((InputError, FactError), match=message):
        call()


def test_a_search_lists_facts_of_the_thing_before_facts_that_mention_it():
    ids = [fact.id for fact in jevons.facts.search("h20").facts]
    assert ids[0].startswith("h20.")
    assert (
        ids.index("h20.tdp_w") < ids.index("tool_chain.chip.h20.score") < ids.index("rent.h200.aws.on_demand_usd_per_h")
    )
