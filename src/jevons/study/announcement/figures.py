"""Figures in a sentence: money, prices, counts, percentages, multiples, periods and dates, each with its place."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace
from typing import Any

from jevons.study.announcement import lexicon
from jevons.study.announcement.figure import Figure
from jevons.study.announcement.numerals import magnitude_of, value_of
from jevons.study.announcement.patterns import (
    AFTER,
    AFTERWARDS,
    ANNUAL,
    BARE_MULTIPLE,
    BEFORE,
    CENTS,
    CHIPS,
    COUNT,
    DATES,
    DECADE,
    DEVICES,
    FACTOR,
    FACTORS,
    FEN,
    FOLD,
    FROM_TO,
    LOW_TEENS,
    MACHINES,
    MONEY,
    MONTHS,
    MOVED,
    MULTIPLE,
    PART,
    PARTS,
    PER_MILLION_OF,
    PER_SHARE,
    PER_TOKENS,
    PERCENT,
    PERIODS,
    POWER,
    POWER_UNITS,
    PRE,
    QUALIFIERS,
    QUARTER,
    QUARTER_ENDS,
    SPAN,
    TICKER,
    TO_MONEY,
    TOKEN_SCALE,
    VALUED,
)
from jevons.study.announcement.relative import relative


def figures(sentence: str, written: str, currency: str) -> list[Figure]:
    """Return the figures of a plain sentence in their order; *currency* is that of the firm spoken of."""
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

    for ticker in TICKER.finditer(sentence):
        taken[ticker.start() : ticker.end()] = [True] * (ticker.end() - ticker.start())
    for reader in (relative, _dates, _multiples, _percents, _powers, _machines, _devices, _chips):
        for match, figure in reader(sentence):
            if free(match):
                add(figure)
    for match, figure in _moneys(sentence, currency):
        if free(match):
            add(figure)
    for reader in (_periods, _quarters, _spans):
        for match, figure in reader(sentence):
            if free(match):
                add(figure)
    for match, figure in _counts(sentence):
        if free(match):
            add(figure)
    return sorted((_qualified(quantity, sentence) for quantity in read), key=lambda one: one.start)


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


def _range(a: str, b: str | None) -> tuple[float, float]:
    low, high = value_of(a)
    if b:
        other = value_of(b)
        if magnitude_of(a) == 1.0 and low < other[0] and "," not in a:
            scale = magnitude_of(b)
            low, high = low * scale, high * scale
        low, high = min(low, other[0]), max(high, other[1])
    return low, high


def _dates(sentence: str) -> Any:
    for match in DATES.finditer(sentence):
        g = match.groupdict()
        year = next((int(g[k]) for k in ("y1", "y2", "y3", "y4", "y5", "y6") if g[k]), 0)
        month = next((int(g[k]) for k in ("m1", "m2", "m5") if g[k]), 0)
        month = month or next((MONTHS[g[k][:3]] for k in ("mon3", "mon4", "mon6") if g[k]), 0)
        day = next((int(g[k]) for k in ("d1", "d2", "d3", "d4") if g[k]), 0)
        if not 1 <= month <= 12 or day > 31:
            continue
        try:
            dt.date(year or 2024, month, day or 1)
        except ValueError:
            continue
        label = f"{year or '----'}-{month:02d}" + (f"-{day:02d}" if day else "")
        yield _found(match, kind="date", low=year, high=year, unit="date", label=label)


def _found(match: re.Match[str], **said: Any) -> tuple[re.Match[str], Figure]:
    """Return a match and the figure that it states, at its place in the sentence."""
    return match, Figure(start=match.start(), end=match.end(), text="", **said)


_OF_OTHER = re.compile(
    r"(?:收入|营收|销售额?|投资|资产|产能|规模|算力|同期|相当于[^,，。]{0,12})的?(?:约|近|将近|接近|超过?|逾|达|为|是)*\s?$"
)
"""What stands before a multiple of something else than earnings."""


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
            yield _Span(figure.start, figure.end), figure
    if MULTIPLE.search(sentence) or VALUED.search(sentence):
        for match in BARE_MULTIPLE.finditer(sentence):
            low, high = value_of(re.sub(r"[x×倍]", "", match[0]))
            if 2 < low < 1000 and not _OF_OTHER.search(sentence, 0, match.start()):
                yield _found(match, kind="multiple", low=low, high=high, unit="1", what="pe")


def _percents(sentence: str) -> Any:
    for match in PERCENT.finditer(sentence):
        if (
            match["b"]
            and re.search(r"%\s?and\s", match[0])
            and "between" not in sentence[max(0, match.start() - 12) : match.start()]
        ):
            for name, end in (("a", match.start("b") - 1), ("b", match.end())):
                size = value_of(match[name])[0] / 100
                figure = Figure(
                    kind="percent", low=size, high=size, unit="1", start=match.start(name), end=end, text=""
                )
                yield (
                    _Span(match.start(name), end),
                    replace(figure, end=figure.end if name == "b" else match.end("a") + 1),
                )
            continue
        if match["zh"] or match["cheng"]:
            low = high = value_of(match["zh"] or match["cheng"])[0] * (1 if match["zh"] else 10)
        else:
            low, high = _range(match["a"], match["b"])
        yield _found(match, kind="percent", low=low / 100, high=high / 100, unit="1")
    for match in LOW_TEENS.finditer(sentence):
        low, high = _TEENS[{"低": "low", "中": "mid", "高": "high"}.get(match[2] or "", match[1])]
        yield _found(match, kind="percent", low=low, high=high, unit="1", what="of_revenue")
    for match in PART.finditer(sentence):
        if match["zh"]:
            size = value_of(match["over"])[0] / value_of(match["under"])[0]
        else:
            size = (value_of(match["n"])[0] if match["n"] else 1.0) * PARTS[match["of"]]
        start, end = match.span("zh" if match["zh"] else "part")
        yield _Span(start, end), Figure(kind="percent", low=size, high=size, unit="1", start=start, end=end, text="")
    for match in FOLD.finditer(sentence):
        group, less = ("n", 0.0) if match["n"] else ("m" if match["m"] else "k", 1.0)
        low, high = value_of(match[group])
        figure = Figure(
            kind="percent", low=low - less, high=high - less, unit="1", start=match.start(group), end=match.end(),
            text="", what="factor",
        )  # fmt: skip
        yield _Span(figure.start, figure.end), figure
    for match in FACTOR.finditer(sentence):
        size = FACTORS[match[0]]
        if not re.match(r"[- ]digit", sentence[match.end() :]):
            yield _found(match, kind="percent", low=size, high=size, unit="1", what="factor")


def _powers(sentence: str) -> Any:
    for match in POWER.finditer(sentence):
        unit = POWER_UNITS[match["unit"][0]]
        if match["unit0"] and match["b"]:
            low, high = value_of(match["a"])[0] * POWER_UNITS[match["unit0"][0]], value_of(match["b"])[1] * unit
        elif match["unit0"]:
            continue
        else:
            low, high = (size * unit for size in _range(match["a"], match["b"]))
        yield _found(match, kind="power", low=low, high=high, unit="W")


_TEENS = {"low": (0.10, 0.14), "mid": (0.13, 0.17), "high": (0.16, 0.19)}
"""What ``low teens`` and its like stand for."""
_BOUGHT = re.compile(r"采购|购买|订购|试购|购入|部署|交付|出货|拿下|囤|共|合计")
"""Verbs of what is bought by the piece: 块 is then no money."""
_EACH = {"two": 2, "four": 4, "eight": 8, "sixteen": 16, "seventy-two": 72}
_MOST_EACH = 576
"""Accelerators of the largest machine that is sold as one."""


def _machines(sentence: str) -> Any:
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
        yield _found(match, kind="devices", low=low * devices_each, high=high * devices_each, unit="devices", what=what)


def _devices(sentence: str) -> Any:
    _, table = lexicon.named("devices")
    for match in DEVICES.finditer(sentence):
        low, high = _range(match["a"], match["b"])
        if low < 2 or (match["plain"] in {"cards", "chips", "卡", "芯片"} and low < 100):
            continue
        kind = (match["kind"] or "").removesuffix("s")
        if match["b"] and FROM_TO.search(sentence[max(0, match.start() - 6) : match.start()]):
            first, second = value_of(match["a"]), value_of(match["b"])
            what = table.get(kind, kind)
            for (low, high), start, end in (
                (first, match.start(), match.end("a")),
                (second, match.start("b"), match.end()),
            ):
                yield (
                    _Span(start, end),
                    Figure(
                        kind="devices", low=low, high=high, unit="devices", start=start, end=end, text="", what=what
                    ),
                )
            continue
        yield match, Figure(
            kind="devices", low=low, high=high, unit="devices", start=match.start(), end=match.end(), text="",
            what=table.get(kind, kind),
        )  # fmt: skip


def _chips(sentence: str) -> Any:
    """Yield accelerators that are counted by a measure word alone, where the sentence speaks of chips."""
    names, table = lexicon.named("devices")
    if not (names.search(sentence) or re.search(r"芯片|gpu|加速卡|算力|昇腾", sentence)):
        return
    for match in CHIPS.finditer(sentence):
        low, high = _range(match["a"], match["b"])
        before = list(names.finditer(sentence, 0, match.start()))
        what = table.get(before[-1][0], "") if before else ""
        money = match[0][-1] in "块张片枚" and not _BOUGHT.search(
            re.split(r"[,，;；。]", sentence[: match.start()])[-1]
        )
        if low >= 100 and not money:
            yield _found(match, kind="devices", low=low, high=high, unit="devices", what=what)


def _moneys(sentence: str, currency: str) -> Any:
    for match in FEN.finditer(sentence):
        unit = {"分": 0.01, "角": 0.1, "毛": 0.1}
        first = re.search(r"[角毛分]", sentence[match.start() : match.start("b")])
        if match["post"] == "分" and not match["q"] and not (first and first[0] in "角毛"):
            continue
        a = value_of(match["a"])
        b = value_of(match["b"])
        sizes = [v * unit[first[0] if first else match["post"]] for v in a] + [v * unit[match["post"]] for v in b]
        yield _found(match, kind="money", low=min(sizes), high=max(sizes), unit="CNY")
    for match in MONEY.finditer(sentence):
        if (
            match["b"]
            and FROM_TO.search(sentence[max(0, match.start() - 12) : match.start()])
            and MOVED.search(sentence)
            and not TO_MONEY.search(sentence[: match.start()])
        ):
            yield from _both(sentence, match, currency)
            continue
        if match["b"] and _listed(sentence, match):
            yield from _both(sentence, match, currency)
            continue
        pre, post = match["pre"], match["post"] or match["post0"]
        low, high = _range(match["a"], match["b"])
        start = match.start()
        if match["b"] and not pre and re.fullmatch(r"(?:19|20)\d\d", match["a"]):  # ``for 2026 to $50 billion``
            low, high = value_of(match["b"])
            lead = re.search(rf"(?:{PRE})?\s?$", sentence[match.end("a") : match.start("b")])
            start = match.end("a") + lead.start() if lead else match.start("b")
            pre = sentence[start : match.start("b")].strip()
        known = BEFORE.get(pre or "") or AFTER.get(post or "")
        factor = 1.0
        if post in CENTS:
            factor, known = CENTS[post], "USD" if "cent" in post else "CNY"
            if post in {"角", "毛", "厘"} and not re.match(r"[几数\d一二两三四五六七八九]", match["a"]):
                continue
        elif post == "块" and pre is None and re.match(r"\s?(?:gpu|h\d|卡|芯片|英伟达)", sentence[match.end() :]):
            continue
        if pre == "¥" and "日" in sentence[match.end() : match.end() + 2]:
            known = "JPY"
        if pre == "¥" and re.search(r"japan|tokyo|日本|东京|円|(?<![a-z])yen", sentence):
            known = "JPY"
        assumed = False
        if known is None:
            if not _bare_money(sentence, match):
                continue
            known, assumed = currency or "", True
            if not known:
                continue
        figure = Figure(
            kind="money", low=low * factor, high=high * factor, unit=known, start=start, end=match.end(),
            text="", assumed=assumed,
        )  # fmt: skip
        yield _Span(start, match.end()), _priced(figure, sentence)


def _listed(sentence: str, match: re.Match[str]) -> bool:
    """Return whether two amounts joined by ``and`` are two of a list, and no ends of a range."""
    joined = re.search(r"\s?and\s?", sentence[match.end("a") : match.start("b")])
    return (
        joined is not None
        and "between" not in sentence[max(0, match.start() - 12) : match.start()]
        and bool(magnitude_of(match["a"]) > 1.0)
    )


def _both(sentence: str, match: re.Match[str], currency: str) -> Any:
    """Yield both ends of ``raised from A to B`` as figures of their own."""
    unit = BEFORE.get(match["pre"] or "") or AFTER.get(match["post"] or match["post0"] or "") or currency
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
        yield _Span(start, end), _priced(figure, sentence)


@dataclass(frozen=True, slots=True)
class _Span:
    """Place of a figure that is part of a match."""

    first: int
    last: int

    def start(self) -> int:
        """Return where it begins."""
        return self.first

    def end(self) -> int:
        """Return where it ends."""
        return self.last


def _bare_money(sentence: str, match: re.Match[str]) -> bool:
    """Return whether a number without a currency is money: at least a hundred million, with nothing counted behind."""
    low, _ = _range(match["a"], match["b"])
    behind = sentence[match.end() : match.end() + 12].lstrip(" -")
    if low < 1e8 or re.match(
        r"[个家座张块枚颗片名位台款次吨人户股%年月日卡]|shares|warrants|(?:[a-z]+ )?token"
        r"|词元|参数|param|用户|users?\b|gpus?|kwh|度",
        behind,
    ):
        return False
    against = re.search(r"(?:较|比|从|由)[^,，;；]{0,12}$", sentence[: match.start()])
    if re.search(
        r"(?:process|serv|handl)\w*(?: (?:over|about|more than|nearly|some))?\s?$|处理(?:了|约|超过)*\s?$",
        sentence[: match.start()],
    ):
        return False
    ahead = sentence[max(0, match.start() - (60 if against else 22)) : match.start()]
    if re.search(r"token|词元|用户|参数|调用", ahead) and not re.search(r"投|(?<!词)元|收入|spend|invest|capex", ahead):
        return False
    return lexicon.count_pattern().match(behind) is None


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
    if (after or before) and figure.high < 2000:
        said = after or before
        if said is None:
            return figure
        scale = TOKEN_SCALE.get((said["en"] or said["zh"] or "").strip(), 1.0)
        scale = 1e6 if after is None and said["en"] is None and said["zh"] is None else scale
        end = figure.end if after is None else after.end()
        return replace(figure, kind="price", end=end, low=figure.low * 1e6 / scale, high=figure.high * 1e6 / scale)
    return figure


def per_share(figure: Figure, sentence: str) -> bool:
    """Return whether money is said to be per share."""
    return bool(PER_SHARE.search(sentence[max(0, figure.start - 8) : figure.end + 14]))


def _periods(sentence: str) -> Any:
    quarter_words = {"first": 1, "second": 2, "third": 3, "fourth": 4, "一": 1, "二": 2, "三": 3, "四": 4}
    for match in PERIODS.finditer(sentence):
        g = match.groupdict()
        label, years = "", 1.0
        fiscal = next((g[name] for name in ("fqy1", "fqy2", "fqy3", "fqy4", "fqy5", "fqy6") if g[name]), "")
        if fiscal:
            quarter = next(g[name] for name in ("fq1", "fq2", "fqw", "fq4", "fq5", "fqw2") if g[name])
            year = fiscal if len(fiscal) == 4 else f"20{fiscal}"
            label, years = f"FY{year}-Q{quarter_words.get(quarter, quarter)}", 0.25
        elif g["fyr1"]:
            first, last = int(g["fyr1"]), int(g["fyr2"])
            if not 0 < last - first < 100:
                continue
            label, years = f"FY{first}-{last}", last - first + 1.0
        elif g["fy"] or g["fy2"]:
            year = g["fy"] or g["fy2"]
            label = f"FY{year if len(year) == 4 else '20' + year}"
        elif g["mq"]:
            ends = {"march": 1, "june": 2, "september": 3, "december": 4}
            label, years = f"{g['yq5']}-Q{ends[g['mq']]}", 0.25
        elif g["yq"] or g["yq3"] or g["yq4"]:
            quarter = g["q1"] or g["q2"] or g["q3"] or g["qw"]
            label = f"{g['yq'] or g['yq3'] or g['yq4']}-Q{quarter_words.get(quarter, quarter)}"
            years = 0.25
        elif g["y1"] or g["y3"] or g["y5"]:
            first, last = int(g["y1"] or g["y3"] or g["y5"]), int(g["y2"] or g["y4"] or g["y6"])
            if not 0 < last - first < 100:
                continue
            label, years = f"{first}-{last}", last - first + 1.0
        elif g["by"] or g["by2"]:
            label, years = f"to {g['by'] or g['by2']}", 0.0
        elif g["half"]:
            label, years = f"{g['half']}-H{1 if g['h'] == '上半年' else 2}", 0.5
        elif g["year"]:
            label = g["year"]
        yield match, Figure(
            kind="period", low=years, high=years, unit="y", start=match.start(), end=match.end(), text="", label=label,
            what=g["end"] or "",
        )  # fmt: skip


def _quarters(sentence: str) -> Any:
    """Yield quarters without a year as periods labelled ``?Q1`` by number or ``?M06`` by last month."""
    ordinals = {"first": 1, "second": 2, "third": 3, "fourth": 4, "一": 1, "二": 2, "三": 3, "四": 4}
    for match in QUARTER.finditer(sentence):
        number = match["zh"] or match["word"] or match["q"] or (match["head"] and "1")
        label = f"?M{QUARTER_ENDS[match['month']]:02d}" if match["month"] else f"?Q{ordinals.get(number) or number}"
        yield _found(match, kind="period", low=0.25, high=0.25, unit="y", label=label)


def _spans(sentence: str) -> Any:
    for match in SPAN.finditer(sentence):
        size = value_of(match["n"])[0]
        unit = match["unit"].removeprefix("个").replace("财年", "年")
        if "季" in unit and re.search(r"(?:连续|连)\s?$", sentence[: match.start()]):
            continue  # how often, not when
        years = size / (4 if "quarter" in unit or "季" in unit else 12 if "month" in unit or "月" in unit else 1)
        if not 0 < years <= 60 or (unit == "年" and size > 60):
            continue
        before = sentence[max(0, match.start() - 10) : match.start()]
        past = bool(re.search(r"(?:past|last|previous|过去|此前|前|近)\s?$", before))
        label = (
            "past"
            if past
            else "next"
            if match["next"] or re.search(r"(?:next|coming|连续|连投|持续)\s?\S?$", before)
            else ""
        )
        yield _found(match, kind="period", low=years, high=years, unit="y", label=label)
    for match in DECADE.finditer(sentence):
        label = "past" if match["when"] in {"past", "last", "previous"} else "next"
        yield _found(match, kind="period", low=10, high=10, unit="y", label=label)
    for match in ANNUAL.finditer(sentence):
        yield _found(match, kind="period", low=1, high=1, unit="y", label="each")


_TOKENS_AT_LEAST = 1e12
"""Calls are never so many: what is called 调用量 is then the number of their tokens."""


def _counts(sentence: str) -> Any:
    nouns = lexicon.count_pattern()
    for match in COUNT.finditer(sentence):
        low, high = _range(match["a"], match["b"])
        arabic = match["a"][0].isdigit()
        rest = sentence[match.end() : match.end() + 24]
        noun = re.match(r"[^,，。;；:：()（）\d]{0,14}?", rest) and nouns.search(rest)
        if re.search(r"(?:per|/|每|every|a)\s?$", sentence[max(0, match.start() - 6) : match.start()]):
            continue
        if arabic and re.match(r"[a-z]", rest) and sentence[match.end() - 1].isdigit():
            continue  # part of a name, such as 910C
        if re.search(r"\d{3,4}[a-z]{1,3}(?:、\d{3,4}[a-z]{0,3})*[、和]$", sentence[: match.start()]):
            continue  # one of a list of names, such as 950DT、960
        if re.match(r"世纪|年代|日|号|天|超节点|(?:st|nd|rd|th)\b|月|岁", rest):
            continue
        reach = 14 if arabic else 4
        reach_back = 60 if re.search(r"(?:较|比|从|由|from|than)[^,，;；]{0,12}$", sentence[: match.start()]) else 24
        near = (
            noun is not None
            and not re.search(r"[,，。;；:：()]|\band\b", rest[: noun.start()])
            and noun.start() <= reach
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
            end = match.end()
        elif arabic and high >= 1000 and (own := re.match(r"\s?([a-z]{3,}s)(?![a-z])", rest)):
            what, end = own[1], match.end() + own.end()
        elif arabic and not match["measure"]:
            what, end = "", match.end()
        else:
            continue
        if what == "calls" and low >= _TOKENS_AT_LEAST:
            what = "tokens"
        yield (
            match,
            Figure(
                kind="count", low=low, high=high, unit=what or "1", start=match.start(), end=end, text="", what=what
            ),
        )
