"""Figures in a sentence: money, prices, counts, percentages, multiples, periods and dates, each with its place."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from jevons.study.announcement import lexicon
from jevons.study.announcement.counted import NAMED_BY_SIZE, chips, counts, devices, machines, powers
from jevons.study.announcement.figure import Figure
from jevons.study.announcement.found import Span, found, range_of
from jevons.study.announcement.numerals import DIGITS, ZH_CHARACTERS, magnitude_of, value_of
from jevons.study.announcement.patterns import (
    AFTER,
    AFTERWARDS,
    BARE_MULTIPLE,
    BEFORE,
    CENTS,
    CENTS_OF,
    FACTOR,
    FACTORS,
    FEN,
    FOLD,
    FROM_TO,
    LOW_TEENS,
    MONEY,
    MOVED,
    MULTIPLE,
    MULTIPLE_WORD,
    NEGATIVE,
    OTHER_MULTIPLE,
    OTHER_WORDS,
    PART,
    PARTS,
    PER_MILLION_OF,
    PER_SHARE,
    PER_TOKENS,
    PERCENT,
    PRE,
    QUALIFIERS,
    RANGING,
    RESPECTIVE,
    SERIES,
    SERIES_SCALED,
    TICKER,
    TO_MONEY,
    VALUED,
)
from jevons.study.announcement.relative import relative
from jevons.study.announcement.spans import dates, periods, quarters, spans


def figures(sentence: str, written: str, currency: str, local: Mapping[str, str] | None = None) -> list[Figure]:
    """Return the figures of a plain sentence in their order.

    *currency* is that of the firm spoken of; *local* gives that of a mark that several have, in this text.
    """
    read: list[Figure] = []
    taken = [False] * len(sentence)

    def free(match: Any) -> bool:
        return not any(taken[match.start() : match.end()])

    def add(figure: Figure) -> None:
        words = written[figure.start : figure.end]
        blank, lead = len(words) - len(words.rstrip()), len(words) - len(words.lstrip())
        figure = replace(figure, start=figure.start + lead, end=figure.end - blank)
        read.append(replace(figure, text=written[figure.start : figure.end]))
        taken[figure.start : figure.end] = [True] * (figure.end - figure.start)

    numbered = (m for m in lexicon.firm_pattern().finditer(sentence) if re.search(rf"[\d{ZH_CHARACTERS}]", m[0]))
    for name in (*TICKER.finditer(sentence), *numbered):
        taken[name.start() : name.end()] = [True] * (name.end() - name.start())
    for reader in (
        relative,
        dates,
        lambda text: _series(text, currency),
        _multiples,
        _percents,
        powers,
        machines,
        devices,
        chips,
    ):
        for match, figure in reader(sentence):
            if free(match):
                add(figure)
    for match, figure in _moneys(sentence, currency, local or {}):
        if free(match):
            add(figure)
    for reader in (periods, quarters, spans):
        for match, figure in reader(sentence):
            if free(match):
                add(figure)
            elif re.fullmatch(r"20\d\d-20\d\d", figure.label) and not any(taken[figure.start : figure.start + 4]):
                add(replace(figure, end=figure.start + 4, low=1.0, high=1.0, label=figure.label[:4]))
    for match, figure in counts(sentence):
        if free(match):
            add(figure)
    read = sorted((_qualified(figure, sentence) for figure in read), key=lambda figure: figure.start)
    return _all_fiscal(_against_levels(read, sentence), sentence)


_AGAINST = re.compile(
    r"(?:\s(?:an?|per) [a-z-]+|/[a-z]+)?"
    r"[,，]?\s?[(（]?(?:but|up|down|原|此前|之前)?\s?(?:from|against|versus|vs\.?|compared with|so far:?|was|previously"
    r"|previous:?|earlier|not|rather than|only|just|now|而非|而不是|为|of which|[:：])"
    r"(?:\s(?:the|about|around|roughly|only|just))*\s?"
)
"""What stands between an amount and another level of it, given without its unit."""
_LEAST_OF_LEVEL, _MOST_OF_LEVEL = 0.2, 5.0
"""Between which parts of an amount a bare number lies that is another level of it."""


def _scale_of(text: str) -> float:
    """Return the factor of the last magnitude that a figure is written with; 1 for none."""
    scales = (magnitude_of(word) for word in re.findall(rf"[{ZH_CHARACTERS}]+|[a-z]+", text.lower()))
    return next((scale for scale in reversed(list(scales)) if scale > 1.0), 1.0)


def _against_levels(read: list[Figure], sentence: str) -> list[Figure]:
    """Return the figures with each bare number that an amount is held against in its unit: ``$95m (so far: 128)``."""
    for place, (first, second) in enumerate(itertools.pairwise(list(read)), 1):
        first = read[place - 1]  # noqa: PLW2901 - it may have become money itself
        if first.kind != "money" or second.kind != "count" or second.what:
            continue
        scale = _scale_of(first.text) if _scale_of(second.text) == 1.0 else 1.0
        near = _LEAST_OF_LEVEL <= second.middle * scale / first.middle <= _MOST_OF_LEVEL if first.middle else False
        if near and _AGAINST.fullmatch(sentence, first.end, second.start):
            low, high = second.low * scale, second.high * scale
            read[place] = replace(second, kind="money", unit=first.unit, low=low, high=high)
    return read


_BETWEEN_YEARS = re.compile(r"\s?(?:[/、,，]|and|及|和|与|至|to)\s?")


def _all_fiscal(read: list[Figure], sentence: str) -> list[Figure]:
    """Return the figures with each year of a list a fiscal one where one of them is: ``2027及2028财年``."""
    years = [place for place, figure in enumerate(read) if re.fullmatch(r"(?:FY)?20\d\d", figure.label)]
    for _ in range(2):
        for first, second in itertools.pairwise(years):
            a, b = read[first], read[second]
            joined = second == first + 1 and _BETWEEN_YEARS.fullmatch(sentence, a.end, b.start)
            if joined and a.label.startswith("FY") != b.label.startswith("FY"):
                plain = first if b.label.startswith("FY") else second
                read[plain] = replace(read[plain], label=f"FY{read[plain].label}")
    return read


def _qualified(figure: Figure, sentence: str) -> Figure:
    if figure.kind in {"date", "period"} or figure.qualifier:
        return figure
    before = sentence[max(0, figure.start - 16) : figure.start]
    for name, pattern in QUALIFIERS:
        if pattern.search(before):
            return replace(figure, qualifier=name)
    for name, pattern in AFTERWARDS:
        if pattern.match(sentence, figure.end):
            return replace(figure, qualifier=name)
    return figure


def _series(sentence: str, currency: str) -> Any:
    """Yield each of several values that share one unit, where periods or firms have them one by one."""
    for match in SERIES_SCALED.finditer(sentence):
        values = list(re.finditer(rf"{DIGITS}[万亿]+", match["values"]))
        for value in values if len(values) > 2 or RESPECTIVE.search(sentence) else ():
            size, start = value_of(value[0])[0], match.start() + value.start()
            end = match.end() if value is values[-1] else match.start() + value.end()
            unit = AFTER[match["money"]]
            yield Span(start, end), Figure(kind="money", low=size, high=size, unit=unit, start=start, end=end, text="")
    for match in SERIES.finditer(sentence):
        places = [
            (match.start("values") + m.start(), match.start("values") + m.end(), m[0])
            for m in re.finditer(DIGITS, match["values"])
        ]
        by_one = RESPECTIVE.search(sentence)
        slashed = len(places) > 2 and "/" in match["values"]
        if not (by_one or slashed or len(places) == _years_named(sentence, match.start())):
            continue
        scale = magnitude_of(match["scale"]) if match["scale"] else 1.0
        unit = BEFORE.get(match["pre"] or "") or AFTER.get(match["money"] or "") or (scale >= 1e4 and currency) or ""
        if match["percent"]:
            said: dict[str, Any] = {"kind": "percent", "unit": "1"}
            scale = 0.01
        elif match["fold"] and (what := _multiple_of(sentence, match.start())):
            said = {"kind": "multiple", "unit": "1", "what": what}
        elif unit:
            said = {"kind": "money", "unit": unit, "assumed": not (match["pre"] or match["money"])}
        else:
            continue
        for start, end, text in places:
            size = value_of(text)[0] * scale
            last = match.end() if end == match.end("values") else end
            first = match.start() if start == match.start("values") else start
            yield Span(first, last), Figure(low=size, high=size, start=first, end=last, text="", **said)


_YEARS = re.compile(r"(?<!\d)(?:20)?(?P<first>\d\d)\s?年?\s?[-–—~至到]\s?(?:20)?(?P<last>\d\d)年")


def _years_named(sentence: str, start: int) -> int:
    """Return how many years the last run of years before a place has: three of 2026-2028年; 0 without one."""
    runs = list(_YEARS.finditer(sentence, 0, start))
    return int(runs[-1]["last"]) - int(runs[-1]["first"]) + 1 if runs else 0


def _multiple_of(sentence: str, start: int) -> str:
    """Return what a list of multiples is of, by the last word before it that says so; empty where none does."""
    named = {name: [m.end() for m in word.finditer(sentence, 0, start)] for name, word in OTHER_WORDS.items()}
    named["pe"] = [m.end() for m in MULTIPLE_WORD.finditer(sentence, 0, start)]
    places = {name: ends[-1] for name, ends in named.items() if ends}
    return max(places, key=places.__getitem__) if places else ""


_OF_OTHER = re.compile(
    r"(?:收入|营收|销售额?|投资|资产|产能|规模|算力|同期|增长|增加|[暴激猛大]增|上涨|[暴大]涨|提升|扩大|翻了?|相当于[^,，。]{0,12})的?(?:约|近|将近|接近|超过?|逾|达|为|是)*\s?$"
)
"""What stands before a multiple of something else than earnings."""


_MULTIPLES = {"ev": "ev_ebitda", "sales": "price_sales", "book": "price_book"}
"""Quantity of a multiple by what it is a multiple of."""
_OF_DEBT = re.compile(r"(?:debt|leverage|负债|杠杆|借款|cover(?:s|ed|age)?)[^;；。]{0,32}$")
"""What stands before a multiple that is debt over earnings."""


def _multiples(sentence: str) -> Any:
    for match in MULTIPLE.finditer(sentence):
        text = next(group for group in (match["a"], match["b"], match["c"], match["d"]) if group)
        low, high = value_of(text)
        if 0 < low < 1000:
            figure = Figure(
                kind="multiple", low=low, high=high, unit="1", start=match.start(), end=match.end(), text="", what="pe"
            )
            if match["year"]:
                figure = replace(figure, end=match.start("year"))
            yield Span(figure.start, figure.end), figure
    for match in OTHER_MULTIPLE.finditer(sentence):
        if not _OF_DEBT.search(sentence, 0, match.start()):
            kind = next(name for name in _MULTIPLES if match[f"{name}1"] or match[f"{name}2"])
            low, high = value_of(match["a"] or match["b"])
            yield found(match, kind="multiple", low=low, high=high, unit="1", what=_MULTIPLES[kind])
    if MULTIPLE.search(sentence) or VALUED.search(sentence) or MULTIPLE_WORD.search(sentence):
        for match in BARE_MULTIPLE.finditer(sentence):
            low, high = value_of(re.sub(r"[x×倍]", "", match[0]))
            if 2 < low < 1000 and not _OF_OTHER.search(sentence, 0, match.start()):
                yield found(match, kind="multiple", low=low, high=high, unit="1", what="pe")


def _percents(sentence: str) -> Any:
    yield from _of_hundred(sentence)
    for match in LOW_TEENS.finditer(sentence):
        low, high = _TEENS[{"低": "low", "中": "mid", "高": "high"}.get(match[2] or "", match[1])]
        yield found(match, kind="percent", low=low, high=high, unit="1", what="of_revenue")
    for match in PART.finditer(sentence):
        if match["zh"]:
            size = value_of(match["over"])[0] / value_of(match["under"])[0]
        else:
            size = value_of(match["n"] or match["n2"] or "one")[0] * PARTS[match["of"] or match["of2"]]
        start, end = match.span("zh" if match["zh"] else "more" if match["more"] else "part")
        yield Span(start, end), Figure(kind="percent", low=size, high=size, unit="1", start=start, end=end, text="")
    yield from _folds(sentence)
    for match in FACTOR.finditer(sentence):
        size = FACTORS[match[0]]
        if not re.match(r"[- ]digit", sentence[match.end() :]):
            yield found(match, kind="percent", low=size, high=size, unit="1", what="factor")


def _of_hundred(sentence: str) -> Any:
    """Yield percentages, basis points and tenths; two that something went from and to are two figures."""
    for match in PERCENT.finditer(sentence):
        lead = sentence[max(0, match.start() - 24) : match.start()]
        if match["b"] and (
            (re.search(r"%\s?and\s", match[0]) and "between" not in lead[-12:])
            or (
                FROM_TO.search(lead)
                and not RANGING.search(lead)
                and re.search(r"to|至|到", match[0])
                and MOVED.search(sentence)
            )
        ):
            for name, end in (("a", match.start("b") - 1), ("b", match.end())):
                size = value_of(match[name])[0] / (1e4 if match["bp"] else 100)
                figure = Figure(
                    kind="percent", low=size, high=size, unit="1", start=match.start(name), end=end, text=""
                )
                yield (
                    Span(match.start(name), end),
                    replace(figure, end=figure.end if name == "b" else match.end("a") + 1),
                )
            continue
        if match["zh"] or match["cheng"]:
            low = high = value_of(match["zh"] or match["cheng"])[0] * (1 if match["zh"] else 10) + tenth_of(
                match["tenth"]
            )
        else:
            low, high = range_of(match["a"], match["b"])
        scale = 1e4 if match["bp"] else 100
        yield found(match, kind="percent", low=low / scale, high=high / scale, unit="1")


def _folds(sentence: str) -> Any:
    """Yield factors as the growth that they are: doubled, threefold, 翻番, to half of what it was."""
    for match in FOLD.finditer(sentence):
        if match["to"] or match["under"]:
            size = value_of(match["to"])[0] if match["to"] else value_of(match["over"])[0] / value_of(match["under"])[0]
            start = match.start("to" if match["to"] else "under")
            yield (
                Span(start, match.end()),
                Figure(
                    kind="percent",
                    low=size - 1,
                    high=size - 1,
                    unit="1",
                    start=start,
                    end=match.end(),
                    text="",
                    what="factor",
                ),
            )
            continue
        if match["fan"]:
            size = 2.0 ** value_of(match["fan"])[0] - 1
            yield found(match, kind="percent", low=size, high=size, unit="1", what="factor")
            continue
        group, less = next((g, 0.0 if g == "n" else 1.0) for g in ("n", "m", "j", "k") if match[g])
        low, high = value_of("two" if match[group] == "twice" else match[group])
        figure = Figure(
            kind="percent", low=low - less, high=high - less, unit="1", start=match.start(group), end=match.end(),
            text="", what="factor",
        )  # fmt: skip
        yield Span(figure.start, figure.end), figure


def tenth_of(text: str | None) -> float:
    """Return what the second figure of 七成五 or 三成半 adds, in hundredths."""
    return 0.0 if text is None else 5.0 if text == "半" else value_of(text)[0]


_TEENS = {"low": (0.10, 0.14), "mid": (0.13, 0.17), "high": (0.16, 0.19)}
"""What ``low teens`` and its like stand for."""


def _negatives(sentence: str, currency: str) -> Any:
    """Yield amounts below zero in brackets; a bare number in brackets is none."""
    for match in NEGATIVE.finditer(sentence):
        unit = BEFORE.get(match["pre"] or "") or AFTER.get(match["post"] or "") or (match["scale"] and currency)
        if unit and (match["scale"] or match["pre"]):
            size = -value_of(match["a"])[0] * (magnitude_of(match["scale"]) if match["scale"] else 1.0)
            yield found(match, kind="money", low=size, high=size, unit=unit)


def _moneys(sentence: str, currency: str, local: Mapping[str, str]) -> Any:
    yield from _negatives(sentence, currency)
    for match in FEN.finditer(sentence):
        unit = {"分": 0.01, "角": 0.1, "毛": 0.1}
        first = re.search(r"[角毛分]", sentence[match.start() : match.start("b")])
        if match["post"] == "分" and not match["q"] and not (first and first[0] in "角毛"):
            continue
        a = value_of(match["a"])
        b = value_of(match["b"])
        sizes = [v * unit[first[0] if first else match["post"]] for v in a] + [v * unit[match["post"]] for v in b]
        yield found(match, kind="money", low=min(sizes), high=max(sizes), unit="CNY")
    for match in MONEY.finditer(sentence):
        if (
            match["b"]
            and FROM_TO.search(sentence[max(0, match.start() - 12) : match.start()])
            and MOVED.search(sentence)
            and not re.search(r"[-–—−~～]", sentence[match.end("a") : match.start("b")])
            and not TO_MONEY.search(sentence[: match.start()])
        ):
            yield from _both(sentence, match, currency, local)
            continue
        if match["b"] and _listed(sentence, match):
            yield from _both(sentence, match, currency, local)
            continue
        pre, post = match["pre"], match["post"] or match["post0"]
        low, high = range_of(match["a"], match["b"])
        start = match.start()
        if match["b"] and not pre and re.fullmatch(r"(?:19|20)\d\d", match["a"]):  # ``for 2026 to $50 billion``
            low, high = value_of(match["b"])
            lead = re.search(rf"(?:{PRE})?\s?$", sentence[match.end("a") : match.start("b")])
            start = match.end("a") + lead.start() if lead else match.start("b")
            pre = sentence[start : match.start("b")].strip()
        known = BEFORE.get(pre or "") or AFTER.get(post or "")
        factor = 1.0
        if post in CENTS:
            factor, known = CENTS[post], CENTS_OF.get(post, "CNY")
            if post == "c":
                if not _A_SHARE.search(sentence, max(0, match.start() - _REACH), match.start()):
                    continue  # degrees, or a part of a name
                known = currency or "USD"
            if post in {"角", "毛", "厘"} and not re.match(r"[几数\d一二两三四五六七八九]", match["a"]):
                continue
        elif post == "块" and pre is None and re.match(r"\s?(?:gpu|h\d|卡|芯片|英伟达)", sentence[match.end() :]):
            continue
        if pre == "¥" and "日" in sentence[match.end() : match.end() + 2]:
            known = "JPY"
        known = local.get(pre or "") or (local.get(post or "") if not pre else "") or known
        assumed = False
        if known is None:
            if not _bare_money(sentence, match) or NAMED_BY_SIZE.match(sentence, match.start("a")):
                continue
            known, assumed = currency or "", True
            if not known:
                continue
        figure = Figure(
            kind="money", low=low * factor, high=high * factor, unit=known, start=start, end=match.end(),
            text="", assumed=assumed,
        )  # fmt: skip
        yield Span(start, match.end()), _priced(figure, sentence)


def _listed(sentence: str, match: re.Match[str]) -> bool:
    """Return whether two amounts joined by ``and`` are two of a list, and no ends of a range."""
    joined = re.search(r"\s?and\s?", sentence[match.end("a") : match.start("b")])
    return (
        joined is not None
        and "between" not in sentence[max(0, match.start() - 12) : match.start()]
        and bool(magnitude_of(match["a"]) > 1.0)
    )


def _both(sentence: str, match: re.Match[str], currency: str, local: Mapping[str, str]) -> Any:
    """Yield both ends of ``raised from A to B`` as figures of their own."""
    post = match["post"] or match["post0"] or ""
    unit = local.get(match["pre"] or post) or BEFORE.get(match["pre"] or "") or AFTER.get(post) or currency
    if not (match["pre"] or post or _bare_money(sentence, match)):
        return
    scale = CENTS.get(match["post"] or "", 1.0)
    a, b = value_of(match["a"]), value_of(match["b"])
    if magnitude_of(match["a"]) == 1.0 and a[0] < b[0] / 1000 and "," not in match["a"]:
        a = (a[0] * magnitude_of(match["b"]), a[1] * magnitude_of(match["b"]))
    if not unit:
        return
    lead = re.search(rf"(?:{PRE})?\s?$", sentence[match.end("a") : match.start("b")])
    middle = match.end("a") + lead.start() if lead else match.start("b")
    for (low, high), start, end in ((a, match.start(), match.end("a")), (b, middle, match.end())):
        figure = Figure(kind="money", low=low * scale, high=high * scale, unit=unit, start=start, end=end, text="")
        yield Span(start, end), _priced(figure, sentence)


def _bare_money(sentence: str, match: re.Match[str]) -> bool:
    """Return whether a number without a currency is money: at least a hundred million, with nothing counted behind."""
    low, _ = range_of(match["a"], match["b"])
    behind = sentence[match.end() : match.end() + 12].lstrip(" -")
    sized = re.search(r"[万亿]|m(?:illio)?n", match["a"]) or (match["b"] and re.search(r"m(?:illio)?n", match["b"]))
    named = low >= 1e4 and sized and _said_to_be_money(sentence, match.start())
    if (low < 1e8 and not named) or re.match(
        r"[个家座张块枚颗片名位台款次吨人户股%年月日卡]|shares|warrants|(?:[a-z]+ )?token"
        r"|词元|参数|param|用户|users?\b|gpus?|kwh|度|千瓦|兆瓦|吉瓦|立方|平方|升(?![至到])|桶|公里",
        behind,
    ):
        return False
    against = re.search(r"(?:较|比|从|由|from|than)[^,，;；]{0,12}$", sentence[: match.start()])
    if re.search(
        r"(?:process|serv|handl)\w*(?: (?:over|about|more than|nearly|some))?\s?$|处理(?:了|约|超过)*\s?$",
        sentence[: match.start()],
    ):
        return False
    ahead = sentence[max(0, match.start() - (90 if against else 22)) : match.start()]
    if re.search(r"token|词元|用户|参数|调用", ahead) and not re.search(r"投|(?<!词)元|收入|spend|invest|capex", ahead):
        return False
    noun = lexicon.count_pattern().search(sentence, match.end(), match.end() + _REACH)
    between = "," if noun is None else sentence[match.end() : noun.start()]
    return (
        re.search(r"[,，.。;；:：()]|(?<![a-z])(?:and|on|for|in|from|of|to|with|by)(?![a-z])|[在于用向给]", between)
        is not None
    )


_IS = re.compile(
    r"(?:\s|(?<![a-z])(?:of|at|is|was|were|will|should|could|would|be|"
    r"now|came to|reached|about|around|roughly)(?![a-z])"
    r"|却|从|由|则|仍|为|是|约|近|逾|超过?|达到?|共|合计|才|仅|只有|高达|不到|\s)*"
)


def _said_to_be_money(sentence: str, start: int) -> bool:
    """Return whether a word right before a place names what is earned, spent or owed: 电费2100万, 收入才6000万."""
    table, flows = (
        lexicon.quantity_words(),
        {*lexicon.words("flows"), "power_cost", "cost", "cash", "debt", "rent", "prices"},
    )
    before = lexicon.quantity_pattern().finditer(sentence, max(0, start - 16), start)
    return any(table[m[0]] in flows and _IS.fullmatch(sentence, m.end(), start) for m in before)


_A_SHARE = re.compile(r"(?<![a-z])(?:eps|dividends?|div|dps|a share|per share)(?![a-z])")
_REACH = 24
"""Characters between a number and the noun of what it counts, that noun included."""


def _priced(figure: Figure, sentence: str) -> Figure:
    """Return a price per million tokens or per share where the words around say so, else the money as it is."""
    after = PER_TOKENS.match(sentence, figure.end) or PER_TOKENS.match(sentence, figure.end + 1)
    before = None
    for match in PER_TOKENS.finditer(sentence, max(0, figure.start - 40), figure.start):
        if not re.search(r"[.。;；]", sentence[match.end() : figure.start]):
            before = match
    bare = None if after else PER_MILLION_OF.match(sentence, figure.end)
    if bare and figure.high < 2000 and re.search(r"tok", sentence[max(0, figure.start - 60) : figure.start]):
        return replace(figure, kind="price", end=bare.end())
    if not (after or before) and (unit := _unit_of_price(figure, sentence)):
        return replace(figure, what=unit)
    if (after or before) and figure.high < 2000:
        said = after or before
        if said is None:
            return figure
        per = (said["en"] or said["zh"] or "").strip()
        scale = value_of(per)[0] if per else 1.0
        scale = 1e6 if after is None and said["en"] is None and said["zh"] is None else scale
        end = figure.end if after is None else after.end()
        return replace(figure, kind="price", end=end, low=figure.low * 1e6 / scale, high=figure.high * 1e6 / scale)
    return figure


_PER = re.compile(r"\s?(?:/|per |an? |each |every |每)\s?")
_PER_BEFORE = re.compile(r"(?:每|an? |each |per )$")


def _unit_of_price(figure: Figure, sentence: str) -> str:
    """Return the quantity of a price for one of a unit, ``4 cents per kilowatt-hour``, ``0.32元/度``; empty without."""
    units, table = lexicon.unit_words()
    per = _PER.match(sentence, figure.end)
    unit = units.match(sentence, per.end()) if per else None
    if unit is None:
        before = [m for m in units.finditer(sentence, 0, figure.start) if _PER_BEFORE.search(sentence, 0, m.start())]
        near = before and re.fullmatch(r"[^,，;；。]{0,16}", sentence[before[-1].end() : figure.start])
        unit = before[-1] if near else None
    return "" if unit is None else table[re.sub(r"\s+", " ", unit[0])]


def per_share(figure: Figure, sentence: str) -> bool:
    """Return whether money is said to be per share."""
    return bool(PER_SHARE.search(sentence[max(0, figure.start - 8) : figure.end + 14]))
