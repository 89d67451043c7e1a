"""Words of the page: messages of the library have Chinese, patterns fill in what they stand for."""

from __future__ import annotations

import re

import pytest

import jevons
from jevons.study.draws.outcomes import SHORT_NAMES
from jevons.study.track.actuals import SERIES, SERIES_NAMES
from jevons.web.problems import problem
from jevons.web.wording import said, term, terms
from jevons.words import Sentence
from places import ROOT, TINY

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


LLAMA = {"model": "llama-3.1-8b", "gpu": "h100_sxm"}
ANSWERED = {
    "size": lambda: jevons.size("llama-3.1-8b", gpu=["h100_sxm", "h20"], rate=10, ttft=0.5, tpot=0.03, static=True),
    "choice": lambda: jevons.buy_rent_api("deepseek-r1", tokens_per_day=5e7),
    "simulate": lambda: jevons.simulate(**LLAMA, rate=4, requests=60),
    "fleet": lambda: jevons.simulate(**LLAMA, rate=4, requests=60, replicas=2, autoscale="1:3"),
    "cost": lambda: jevons.cost("h20", model="llama-3.1-8b"),
    "memory": lambda: jevons.memory(**LLAMA),
    "train": lambda: jevons.train("llama-3.1-8b", gpus=64, tokens="15B"),
    "plan": lambda: jevons.plan(TINY, draws=4, processes=1),
    "value": lambda: jevons.value(TINY),
    "compare": lambda: jevons.compare(TINY, set={"cost.wacc": "11 %"}, draws=8, processes=1),
}
ENGLISH = re.compile(r"(?:\b[A-Za-z][a-z']*\b[ ,]+){2,}\b[a-z']+\b")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ANSWERED)
def test_a_page_in_chinese_holds_no_english_sentence(kind):
    result = ANSWERED[kind]()
    spoken = [said([one], "zh") for one in (*result.answer_parts, *result.note_parts)]
    for table in result.tables.values():
        cells = [cell for row in table.rows for cell in row if isinstance(cell, str)]
        spoken += [term(text, "zh") for text in (table.title, *(column.label for column in table.columns), *cells)]
    own = "A small cloud"  # the scenario's own name
    assert [text for text in dict.fromkeys(spoken) if ENGLISH.search(text.replace(own, ""))] == []


def test_large_amounts_are_counted_as_the_language_counts():
    spent = Sentence("note", {"text": "205 bn CNY (82.0 to 282 bn CNY); 1.31 million (735 thousand to 1.67 million)"})
    assert said([spent], "zh") == "2,050 亿元（820 至 2,820 亿元）; 131 万（73.5 万 至 167 万）"
    assert said([spent], "en") == spent.values["text"]


def test_a_pattern_fills_in_numbers_and_names_in_their_order():
    assert term("chip supply: Huawei Ascend 910C", "zh") == "芯片供应：华为昇腾 910C"
    assert term("must be from 0.001 to 1", "zh") == "必须在 0.001 到 1 之间"
    assert term("Compute demand, 2027-Q4", "zh") == "算力需求，2027-Q4"
    assert term("no words are on file for this", "zh") == "no words are on file for this"


def test_chinese_words_keep_the_places_that_their_keys_have():
    for key, words in terms().items():
        assert re.sub(r"[^*#]", "", words) == re.sub(r"[^*#]", "", key), key


def test_the_scenarios_of_the_shelf_have_chinese_names_whole():
    names = [jevons.load(path).name for path in sorted((ROOT / "scenarios").glob("*.yaml"))]
    assert len(names) > 9
    assert [name for name in names if term(name, "zh") == name] == []
    assert term("Alibaba, 380 billion CNY over three years", "zh") == "阿里巴巴三年 3,800 亿元"
    one = Sentence(
        "ways.api_price", {"api": names[1], **dict.fromkeys(("since", "given", "cached", "output", "currency"), "")}
    )
    assert term(names[1], "zh") in said((one,), "zh")


def test_names_of_outcomes_and_of_tracked_series_have_chinese():
    names = [*SHORT_NAMES.values(), *SERIES_NAMES.values()]
    assert [name for name in names if term(name, "zh") == name] == []
    assert SERIES_NAMES.keys() == SERIES.keys()
