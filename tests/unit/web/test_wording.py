"""Words of the page: messages of the library have Chinese, patterns fill in what they stand for."""

from __future__ import annotations

import re

import pytest

import jevons
from chinese import OF_A_FILE, QUOTED, english
from jevons.study.draws.outcomes import SHORT_NAMES
from jevons.study.track.actuals import SERIES, SERIES_NAMES
from jevons.units import CURRENCIES
from jevons.web.problems import problem
from jevons.web.wording import quantity, said, term, terms
from jevons.words import Sentence
from places import ROOT
from result_kinds import MAKERS, SLOW, made

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
    ("buy_rent_api", {"model": "deepseek-r1", "site": "site.moon"}),
    ("size", {"model": "llama-3.1-8b", "rate": 1.0, "gpu_hour": "2 USD", "site": "site.us_texas", "static": True}),
]


@pytest.mark.parametrize(("kind", "given"), ASKED)
def test_a_wrong_input_is_refused_in_chinese_too(kind, given):
    with pytest.raises(jevons.JevonsError) as raised:
        getattr(jevons, kind)(**given)
    message = problem(raised.value)["message"]
    rest = message if term(message, "zh") != message else message.split(": ", 1)[1]
    assert re.search(r"[\u4e00-\u9fff]", term(rest, "zh")), message


MORE = {
    "size of two devices": lambda: jevons.size(
        "llama-3.1-8b", gpu=["h100_sxm", "h20"], rate=10, ttft=0.5, tpot=0.03, static=True
    ),
    "ways beside an API on file": lambda: jevons.buy_rent_api("deepseek-r1", tokens_per_day=5e7),
    "training of adapters": lambda: jevons.train("llama-3.1-8b", gpu="h100_sxm", gpus=8, method="lora", tokens="1B"),
}
OWN = ("A small cloud", "shops", "chat", "small", "large")
"""Names in the scenario of the tests."""
KINDS = [
    pytest.param(name, marks=pytest.mark.slow) if name in {*SLOW, *MORE} else name
    for name in {**MAKERS, **MORE}
    if name != "read"
]
"""All but what quotes an announcement, whose own tests look at it."""


@pytest.mark.parametrize("name", KINDS)
def test_a_result_in_chinese_holds_no_english_words_but_names_and_units(name):
    result = MORE[name]() if name in MORE else made(name)
    spoken = [said([one], "zh") for one in (*result.answer_parts, *result.note_parts)]
    quoted = QUOTED | OF_A_FILE.get(result.kind, set())
    for table in result.tables.values():
        spoken.append(term(table.title, "zh"))
        for place, column in enumerate(table.columns):
            spoken += [term(column.label, "zh"), term(column.unit, "zh")]
            if not {column.name, column.label} & quoted:
                spoken += [term(row[place], "zh") for row in table.rows if isinstance(row[place], str)]
    left = {text: words for text in dict.fromkeys(spoken) if (words := english(text, *OWN))}
    assert left == {}


def test_english_is_seen_between_names_and_units():
    assert english("8 张 h100_sxm 上 llama-3.1-8b：TTFT 90 ms，4.2 TB/s，vllm，NVIDIA H20，`jevons size`") == []
    assert english("总成本 of the machine") == ["of", "the", "machine"]


def test_large_amounts_are_counted_as_the_language_counts():
    spent = Sentence("note", {"text": "205 bn CNY (82.0 to 282 bn CNY); 1.31 million (735 thousand to 1.67 million)"})
    assert said([spent], "zh") == "2,050 亿元（820 至 2,820 亿元）; 131 万（73.5 万 至 167 万）"
    assert said([spent], "en") == spent.values["text"]


@pytest.mark.parametrize("code", CURRENCIES)
def test_every_currency_has_its_name_alone_scaled_and_by_the_piece(code):
    name = terms()[f"# {code}"].removeprefix("# ")
    assert re.fullmatch(r"[\u4e00-\u9fff]+", name)
    said_of = {
        unit: term(unit, "zh") for unit in (code, f"bn {code}", f"{code}/Mtok output", f"3.5 {code}", f"120 bn {code}")
    }
    assert list(said_of.values()) == [name, f"十亿{name}", f"{name}/百万输出 token", f"3.5 {name}", f"1,200 亿{name}"]
    assert quantity(1.2e10, code, "zh") == f"120 亿{name}"


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
