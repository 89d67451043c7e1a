"""Sentences of answers come from templates, so that faces can say them in other languages."""

from __future__ import annotations

import re

import pytest

import jevons
from draws import some
from jevons.errors import InfeasibleError, InputError, agreed
from jevons.rounding import number
from jevons.words import Sentence, answer_of, languages, templates

FORMS = {"+%", "", "g", "ms", "%", "%1", "p%", "d2", "[]", "[ms]"}


def test_fields_are_shown_in_their_forms() -> None:
    values = {"fleet": "2 x tp1", "accelerators": 2, "gpu": "h20", "rate": 30.0, "model": "m", "statistic": "p95"}
    values |= {"ttft": 0.3612, "ttft_low": 0.3, "ttft_high": 0.45, "tpot": None, "cost": None, "currency": None}
    assert Sentence("size.carries", values).text() == (
        "2 x tp1 on 2 h20 carries 30 req/s of m with TTFT p95 361 ms [300–450]."
    )
    full = values | {"tpot": 0.04, "cost": 1.234, "currency": "USD"}
    assert Sentence("size.carries", full).text().endswith("and TPOT p95 40.0 ms; 1.23 USD/Mtok.")


def test_every_template_has_known_forms_and_brackets_that_close() -> None:
    for language in languages():
        for text in templates(language).values():
            assert text.count("[[") == text.count("]]")
            for form in re.findall(r"\{\w+(?::([^{}]+))?\}", text):
                assert form in FORMS, text


def test_other_languages_have_the_same_sentences_and_fields() -> None:
    english = templates("en")
    for language in languages():
        other = templates(language)
        assert set(other) == set(english)
        for name, text in other.items():
            fields = {field.removesuffix("_yi") for field in re.findall(r"\{(\w+)", text)}  # 亿 counts in 10⁸
            assert fields <= set(re.findall(r"\{(\w+)", english[name])), name


@pytest.mark.parametrize("currency", some(["EUR", "USD", "CNY"]))
def test_costs_follow_the_currency_and_answers_can_be_made_again_from_their_parts(currency: str) -> None:
    cost = jevons.cost("h20", model="llama-3.1-8b", currency=currency)
    record = cost.to_json()
    parts = [Sentence(one["id"], one["values"]) for one in record["answer_parts"]]
    assert record["answer"] == cost.answer == answer_of(*parts)
    assert record["currency"] == currency
    assert f"{number(record['blended_per_mtok'], 2)} {currency}" in cost.answer  # its interval allows two digits
    yuan = jevons.cost("h20", model="llama-3.1-8b", currency="CNY").per_hour
    assert cost.per_hour * cost.cny_rate == pytest.approx(yuan)


def test_a_price_keeps_its_currency_unless_another_is_asked_for() -> None:
    run = jevons.simulate("llama-3.1-8b", rate=2, requests=200, gpu_hour="8 CNY")
    assert run.to_json()["currency"] == "CNY"
    euros = jevons.simulate("llama-3.1-8b", rate=2, requests=200, gpu_hour="8 CNY", currency="EUR")
    assert euros.to_json()["currency"] == "EUR"
    assert 6 < run.to_json()["cost_per_mtok"] / euros.to_json()["cost_per_mtok"] < 9


@pytest.mark.parametrize(("gap", "shown"), [(-0.003, "+0 %"), (0.0, "+0 %"), (-0.123, "-12 %"), (0.126, "+13 %")])
def test_a_change_that_rounds_to_nothing_has_no_minus(gap, shown):
    values = {"share": "A share", "worth": "1", "currency": "CNY", "gap": gap, "price": "1", "date": "2025-01-01"}
    assert f", {shown} against its price" in Sentence("value.worth_none", values).text()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("batch of 1 sequences", "batch of 1 sequence"),
        ("1 entries, 1 rows and 2 columns", "1 entry, 1 row and 2 columns"),
        ("11 devices, 0.1 tokens, tp = 1 does not divide 1,001 heads", None),
    ],
)
def test_one_of_a_thing_is_in_the_singular(text, said):
    assert agreed(text) == (said or text)
    assert str(InputError(text)) == (said or text)
    assert str(InfeasibleError(text)) == (said or text)
