"""Words of the page: messages of the library have Chinese, patterns fill in what they stand for."""

from __future__ import annotations

import re

import pytest

import jevons
from jevons.web.problems import problem
from jevons.web.wording import term, terms

ASKED = [
    ("size", {"model": "nope", "rate": 1.0}),
    ("size", {"model": "llama-3.1-8b", "gpu": ["h1000"], "rate": 1.0}),
    ("size", {"model": "llama-3.1-8b", "rate": -1.0}),
    ("size", {"model": "llama-3.1-8b", "rate": 5.0, "ttft": "5m5"}),
    ("size", {"model": "llama-3.1-8b", "gpu": ["h100_sxm"], "rate": 5.0, "tpot": 0.0001, "static": True}),
    ("size", {"model": "llama-3.1-8b", "rate": 5.0, "engine": "foo"}),
    ("train", {"model": "llama-3.1-8b", "gpus": 0}),
    ("train", {"model": "llama-3.1-8b", "gpus": 64, "tokens": "15B", "precision": "x"}),
    ("buy_rent_api", {"model": "deepseek-r1", "tokens_per_day": 1e6, "utilisation": 3.0}),
]


@pytest.mark.parametrize(("kind", "given"), ASKED)
def test_a_wrong_input_is_refused_in_chinese_too(kind, given):
    with pytest.raises(jevons.JevonsError) as raised:
        getattr(jevons, kind)(**given)
    message = problem(raised.value)["message"]
    rest = message if term(message, "zh") != message else message.split(": ", 1)[1]
    assert re.search(r"[\u4e00-\u9fff]", term(rest, "zh")), message


def test_a_pattern_fills_in_numbers_and_names_in_their_order():
    assert term("chip supply: Huawei Ascend 910C", "zh") == "芯片供应：华为昇腾 910C"
    assert term("must be from 0.001 to 1", "zh") == "必须在 0.001 到 1 之间"
    assert term("Compute demand, 2027-Q4", "zh") == "算力需求，2027-Q4"
    assert term("no words are on file for this", "zh") == "no words are on file for this"


def test_chinese_words_keep_the_places_that_their_keys_have():
    for key, words in terms().items():
        assert re.sub(r"[^*#]", "", words) == re.sub(r"[^*#]", "", key), key
