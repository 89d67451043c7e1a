"""Power, accelerators and other things that a sentence counts."""

from __future__ import annotations

import re
from typing import Any

from jevons.study.announcement import lexicon
from jevons.study.announcement.clauses import clause_before
from jevons.study.announcement.figure import Figure
from jevons.study.announcement.found import Span, found, is_two, range_of
from jevons.study.announcement.numerals import value_of
from jevons.study.announcement.patterns import (
    CHIPS,
    COUNT,
    DEVICES,
    FROM_TO,
    MACHINES,
    POWER,
    POWER_UNITS,
)


def powers(sentence: str) -> Any:
    """Yield electric power."""
    for match in POWER.finditer(sentence):
        unit = POWER_UNITS[match["unit"][0]]
        if match["b"] and FROM_TO.search(sentence[: match.start()]) and not re.search("[-–—~]", match[0]):
            first = POWER_UNITS[(match["unit0"] or match["unit"])[0]]
            for name, end, scale in (("a", match.end("a"), first), ("b", match.end(), unit)):
                size, place = value_of(match[name])[0] * scale, Span(match.start(name), end)
                yield (
                    place,
                    Figure(kind="power", low=size, high=size, unit="W", start=place.start(), end=place.end(), text=""),
                )
            continue
        if match["unit0"] and match["b"]:
            low, high = value_of(match["a"])[0] * POWER_UNITS[match["unit0"][0]], value_of(match["b"])[1] * unit
        elif match["unit0"]:
            continue
        elif match["b"] and is_two(sentence, match):
            low, high = (size * unit for size in value_of(match["b"]))
            start = match.start("b")
            yield (
                Span(start, match.end()),
                Figure(kind="power", low=low, high=high, unit="W", start=start, end=match.end(), text=""),
            )
            continue
        else:
            low, high = (size * unit for size in range_of(match["a"], match["b"]))
        yield found(match, kind="power", low=low, high=high, unit="W")


_BOUGHT = re.compile(r"采购|购买|订购|试购|购入|部署|交付|出货|拿下|囤|共|合计")
"""Verbs of what is bought by the piece: 块 is then no money."""
_EACH = {"two": 2, "four": 4, "eight": 8, "sixteen": 16, "seventy-two": 72}
_MOST_EACH = 576
"""Accelerators of the largest machine that is sold as one."""


def machines(sentence: str) -> Any:
    """Yield accelerators of machines that are counted with what each holds."""
    pattern, table = lexicon.named("devices")
    for match in MACHINES.finditer(sentence):
        g = match.groupdict()
        each = next(g[name] for name in ("k", "k2", "k3") if g[name])
        devices_each = _EACH.get(each) or value_of(each)[0]
        low, high = value_of(next(g[name] for name in ("n", "n2", "n3") if g[name]))
        kind = next((g[name] for name in ("kind", "kind2", "kind3", "kind4", "kind5") if g[name]), "")
        if g["k"] and not kind and not re.search(r"卡|gpu|芯片", match[0]):
            continue
        if not 2 <= devices_each <= _MOST_EACH or low < 1:
            continue
        before = re.split(r"[。;；]", sentence[: match.start()])[-1]
        near = list(pattern.finditer(before))
        kind = kind.removesuffix("s") or (near[-1][0] if near else "")
        what = table.get(kind, table.get(kind.removesuffix("x"), ""))
        yield found(match, kind="devices", low=low * devices_each, high=high * devices_each, unit="devices", what=what)


def devices(sentence: str) -> Any:
    """Yield accelerators."""
    _, table = lexicon.named("devices")
    for match in DEVICES.finditer(sentence):
        low, high = range_of(match["a"], match["b"])
        if low < 2 or (match["plain"] in {"cards", "chips", "卡", "芯片"} and low < 100):
            continue
        kind = (match["kind"] or "").removesuffix("s")
        if match["b"] and is_two(sentence, match):
            low, high = value_of(match["b"])
            start = match.start("b")
            figure = Figure(
                kind="devices", low=low, high=high, unit="devices", start=start, end=match.end(), text="",
                what=table.get(kind, kind),
            )  # fmt: skip
            yield Span(start, match.end()), figure
            continue
        dash = match["b"] and re.search(r"[-–—−~～]", sentence[match.end("a") : match.start("b")])
        if match["b"] and not dash and FROM_TO.search(sentence[max(0, match.start() - 6) : match.start()]):
            first, second = value_of(match["a"]), value_of(match["b"])
            what = table.get(kind, kind)
            for (low, high), start, end in (
                (first, match.start(), match.end("a")),
                (second, match.start("b"), match.end()),
            ):
                yield (
                    Span(start, end),
                    Figure(
                        kind="devices", low=low, high=high, unit="devices", start=start, end=end, text="", what=what
                    ),
                )
            continue
        yield match, Figure(
            kind="devices", low=low, high=high, unit="devices", start=match.start(), end=match.end(), text="",
            what=table.get(kind, kind),
        )  # fmt: skip


def chips(sentence: str) -> Any:
    """Yield accelerators that are counted by a measure word alone, where the sentence speaks of chips."""
    names, table = lexicon.named("devices")
    if not (names.search(sentence) or re.search(r"芯片|gpu|加速卡|算力|昇腾|出货|量产|思元|流片", sentence)):
        return
    counted = ""  # measure words that have counted chips in this sentence
    for match in CHIPS.finditer(sentence):
        low, high = range_of(match["a"], match["b"])
        before = list(names.finditer(sentence, 0, match.start()))
        what = table.get(before[-1][0], "") if before else ""
        measure = match[0][-1]
        named = measure in counted or _CHIP_BEFORE.search(sentence[: match.start()])
        money = measure in "块张片枚" and not (named or _BOUGHT.search(clause_before(sentence, match.start())))
        if low >= 100 and not money:
            counted += measure
            yield found(match, kind="devices", low=low, high=high, unit="devices", what=what)


_CHIP_BEFORE = re.compile(r"(?:gpu|显卡|算力卡|加速卡|智算卡|芯片)\s?$")
"""A chip that a count with its measure word follows: ``GPU 3,200张``."""
_TOKENS_AT_LEAST = 1e12
"""Calls are never so many: what is called 调用量 is then the number of their tokens."""


_IN_UNITS = frozenset({"compute", "energy"})
"""Things that are counted in units of different sizes."""


def counts(sentence: str) -> Any:
    """Yield what else is counted."""
    nouns = lexicon.count_pattern()
    for match in COUNT.finditer(sentence):
        if match["b"] and is_two(sentence, match):
            yield from _count_of(sentence, COUNT.match(sentence, match.start(), match.end("a")), nouns)
            yield from _count_of(sentence, COUNT.match(sentence, match.start("b")), nouns)
            continue
        yield from _count_of(sentence, match, nouns)


NAMED_BY_SIZE = re.compile(
    r"[\d.]+[bt][ -](?:[a-z]+ ){0,2}?(?:models?|llms?|checkpoints?|versions?)(?![a-z])"
    r"|[\d.]+[bt]的?模型|[\d.]+[tgk](?=[\u4e00-\u9fff])"
)
"""A model by its parameters, or a thing by its speed, of which a text then has one: ``the 70B model``."""


def _count_of(sentence: str, match: re.Match[str] | None, nouns: re.Pattern[str]) -> Any:
    """Yield the count that a match states, with the thing that is counted."""
    if match is None:
        return
    low, high = range_of(match["a"], match["b"])
    arabic = match["a"][0].isdigit()
    rest = sentence[match.end() : match.end() + 24]
    noun = nouns.search(rest.split("人民币")[0])
    if re.search(r"(?:per|/|每|every|a)\s?$", sentence[max(0, match.start() - 6) : match.start()]):
        return
    if NAMED_BY_SIZE.match(sentence, match.start()):
        return
    if arabic and re.match(r"[a-z]", rest) and sentence[match.end() - 1].isdigit() and not nouns.match(rest):
        return  # part of a name, such as 910C
    named = list(lexicon.pattern("series_names").finditer(sentence, max(0, match.start() - 12), match.start()))
    if named and match.start() - named[-1].end() <= 2 and high < 10_000:
        return  # name of a series, such as 思元690 or ERNIE 5.0
    if re.search(r"\d{3,4}[a-z]{1,3}(?:、\d{3,4}[a-z]{0,3})*[、和]$", sentence[: match.start()]):
        return  # one of a list of names, such as 950DT、960
    if re.match(
        r"世纪|年代|年(?:来|以来)?的?(?:新高|新低|最高|最低|高位|低位|高点|低点)"
        r"|日|号|天|超节点|(?:st|nd|rd|th)\b|月|岁|个季度|\s(?:quarters?|weeks?|days?|months?|years?)\b",
        rest,
    ):
        return
    reach = 14 if arabic else 4
    reach_back = 60 if re.search(r"(?:较|比|从|由|from|than)[^,，;；]{0,12}$", sentence[: match.start()]) else 24
    near = (
        noun is not None and not re.search(r"[,，。;；:：()]|\band\b", rest[: noun.start()]) and noun.start() <= reach
    )
    exact_measure = match["measure"] is not None
    large = high >= 100
    if match["measure"] == "次" and large:
        loaded = re.search(r"下载[^,，;；。]{0,8}$", sentence[: match.start()])
        what, end = "downloads" if loaded else "calls", match.end()
    elif near and noun is not None and (arabic or large) and not (exact_measure and not arabic and not large):
        what, end = lexicon.count_words()[noun[0]], match.end() + noun.end()
    elif (exact_measure and arabic) or (
        large
        and not near
        and re.search(r"token|词元|用户|参数|调用", sentence[max(0, match.start() - reach_back) : match.start()])
    ):
        earlier = list(nouns.finditer(sentence, max(0, match.start() - reach_back), match.start()))
        things = [lexicon.count_words()[match_[0]] for match_ in earlier]
        what = "tokens" if "tokens" in things else things[-1] if things else ""
        what = what or lexicon.count_words().get(match["measure"] or "", "")
        what = "servers" if not what and match["measure"] == "架" else what
        end = match.end()
    elif arabic and high >= 1000 and (own := re.match(r"\s?([a-z]{3,}s)(?![a-z])", rest)):
        what, end = own[1], match.end() + own.end()
    elif arabic and not match["measure"]:
        what, end = "", match.end()
    else:
        return
    unit = noun[0].upper() if near and noun is not None and what in _IN_UNITS else what or "1"
    if what == "calls" and low >= _TOKENS_AT_LEAST:
        what = "tokens"
    yield (
        match,
        Figure(kind="count", low=low, high=high, unit=unit, start=match.start(), end=end, text="", what=what),
    )
