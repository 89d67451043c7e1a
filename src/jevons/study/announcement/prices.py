"""Prices that a sentence states: per million tokens, of an accelerator, and rents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from jevons.study.announcement import lexicon
from jevons.study.announcement.claim import Claim
from jevons.study.announcement.clauses import in_clauses
from jevons.study.announcement.figure import Figure
from jevons.study.announcement.patterns import FORMER
from jevons.study.announcement.reader import Reader

RAISED = re.compile(
    r"(?:up|down) from|rais|lift|increas|upgrad|hik|upped|cut|lower|上调|提高|提升|升至|调高|上修|下调|降|涨"
)
"""Words of a level that has moved from one before."""
_OTHER_KIND = re.compile(
    r"[^。]{0,12}?(output|input|输出|输入|缓存命中|cache hits?|cached input)(?:\s?tokens?)?"
    r"(?:价格?|为|降至|is|at|for|costs?|\s){0,3}\s?"
)
_PER_MILLION = re.compile(r"百万\s?个?\s?(?:输入|输出)?\s?tok|(?:million|1m|/m)\s?(?:input\s|output\s)?tok")
_BECAME = re.compile(r"\s?(?:降至|降到|下调至|下调到|调整为|调整至|涨至|涨到|上调至|to)\s?")
"""Words between a price and the one that follows it."""
_GPU_HOUR = re.compile(r"gpu[- ]?hours?|gpu per hour|accelerator[- ]hours?|card[- ]hours?|卡时|卡/小时|每卡每小时")


def prices(reader: Reader) -> Iterator[Claim]:
    """Yield prices per million tokens, each with its kind of token, its model and what it was before."""
    last = reader.context.price
    if last is not None:
        yield from _second_price(reader, replace(last.named["price"], start=0, end=0), last.other)
    olds = [f for f in reader.left("price") if FORMER.search(reader.plain[max(0, f.start - 50) : f.start])]
    olds += [
        f for f in reader.left("price")
        if any(_BECAME.fullmatch(reader.plain, f.end, g.start) for g in reader.left("price") if g.start >= f.end)
        and re.search(r"从|由|from", reader.plain[max(0, f.start - 40) : f.start])
    ]  # fmt: skip
    olds = olds if RAISED.search(reader.plain) and len(olds) < len(reader.left("price")) else []
    for figure in reader.left("price"):
        if figure in olds:
            continue
        behind = [f for f in olds if f.unit == figure.unit and figure.end <= f.start] or [
            f for f in olds if f.unit == figure.unit and _BECAME.fullmatch(reader.plain, f.end, figure.start)
        ]
        pair = [
            f for f in reader.left("money")
            if re.fullmatch(r"\s?(?:in|input)?\s?/\s?(?:out|output)?\s?", reader.plain[f.end : figure.start])
        ]  # fmt: skip
        if pair:
            first = replace(pair[0], kind="price")
            named = {"price": first} | _dated(reader)
            yield reader.make("price", reader.firm(first.start), "input", named, other=_model(reader, first.start))
            named = {"price": figure} | _dated(reader)
            yield reader.make("price", reader.firm(figure.start), "output", named, other=_model(reader, figure.start))
            continue
        model = _model(reader, figure.start)
        kind = _price_kind(reader, figure)
        named = {"price": figure} | ({"previous": behind[0]} if behind else {}) | _dated(reader)
        yield reader.make("price", reader.firm(figure.start), kind, named, other=model)
        yield from _second_price(reader, figure, model)
    yield from _loose_prices(reader)


def _second_price(reader: Reader, first: Figure, model: str) -> Iterator[Claim]:
    """Yield the second price of ``input 0.8 yuan per million tokens, output 3.2 yuan``: of as many tokens."""
    for money in reader.left("money"):
        between = reader.plain[first.end : money.start]
        kind = _OTHER_KIND.fullmatch(between) if money.start >= first.end else None
        if (
            kind is None
            or money.unit != first.unit
            or not (reader.context.price or _PER_MILLION.search(reader.plain[: money.start]))
        ):
            continue
        named = {"price": replace(money, kind="price")} | _dated(reader)
        quantity = "input" if kind[1] in {"input", "输入"} else "output" if kind[1] in {"output", "输出"} else "cached"
        yield reader.make("price", reader.firm(money.start), quantity, named, other=model)
        first = money


_KIND_AFTER = re.compile(
    r"\s?(?:on |for |per |a |an |the )*"
    r"(?:(?P<cached>cache[- ]?hits?|cached|缓存命中)|(?P<input>input|输入)|(?P<output>output|输出))"
    r"|\s(?:(?P<out>out)|(?P<in>in))(?=\s?(?:[,.;:/)]|$|and ))"
)
_KIND_BEFORE = re.compile(
    r"(?:(?P<cached>cache[- ]?hits?|cached input|cached|缓存命中)|(?P<input>input|输入)|(?P<output>output|输出))"
    r"(?:\s?(?:tokens?|价格?|为|仅|只要|降至|is|at|for|costs?|:|,|[(（][^)）]{0,12}[)）])){0,3}\s?$"
)


def _loose_prices(reader: Reader) -> Iterator[Claim]:
    """Yield prices beside a kind of token alone, where tokens are priced in this sentence or the one before."""
    spoken = any(f.kind == "price" for f in reader.figures) or reader.context.priced is not None
    for money in reader.left("money") if spoken else []:
        kind = _KIND_AFTER.match(reader.plain, money.end) or _KIND_BEFORE.search(reader.plain[: money.start])
        if kind is None or money.high >= _MOST_FOR_TOKENS:
            continue
        name = next(key for key, word in kind.groupdict().items() if word)
        quantity = {"out": "output", "in": "input"}.get(name, name)
        named = {"price": replace(money, kind="price")} | _dated(reader)
        last = reader.context.priced
        same = last is not None and not _model(reader, money.start) and last.firm == reader.firm(money.start)
        model = last.other if same and last is not None else _model(reader, money.start)
        yield reader.make("price", reader.firm(money.start), quantity, named, other=model)


_MOST_FOR_TOKENS = 2000.0
"""More than a million tokens cost."""


def _dated(reader: Reader) -> dict[str, Figure]:
    dates = [f for f in reader.figures if f.kind == "date"]
    return {"date": dates[0]} if dates else {}


def _model(reader: Reader, at: int) -> str:
    pattern, table = lexicon.named("price_models")
    listed, prefixes = lexicon.listed_models()
    places = [(m.start(), m.end(), table[re.sub(r"\s+", " ", m[0])]) for m in pattern.finditer(reader.plain)]
    places = [place for place in places if not re.match(r"\.\d", reader.plain[place[1] :])]
    for match in listed.finditer(reader.plain):
        name = re.sub(r"[-_. ]", "", match[0])
        inside = [place for place in places if place[0] < match.end() and match.start() < place[1]]
        if name in prefixes and all(match.end() - match.start() > end - start for start, end, _ in inside):
            places = [place for place in places if place not in inside] + [(match.start(), match.end(), prefixes[name])]
    behind = [place for place in sorted(places) if place[0] < at]
    return behind[-1][2] if behind else min(places)[2] if places else ""


def _price_kind(reader: Reader, figure: Figure) -> str:
    for kind in ("cached", "input", "output"):
        if lexicon.words_pattern(lexicon.words("price_kinds")[kind]).search(reader.plain, figure.start, figure.end):
            inside = reader.plain[figure.end : figure.end + 24]
            if kind != "input" or not re.match(r"\s?[(（]", inside):
                return kind
    following = min((f.start for f in reader.figures if f.start >= figure.end), default=len(reader.plain))
    bracket = re.search(r"[(（]([^)）]*)[)）]", reader.plain[figure.end : min(following, figure.end + 48)])
    if bracket:
        for kind in ("cached", "input", "output"):
            if lexicon.words_pattern(lexicon.words("price_kinds")[kind]).search(bracket[1]):
                return kind
    best: tuple[float, str] = (60.0, "")
    for kind, words in lexicon.words("price_kinds").items():
        for match in lexicon.words_pattern(words).finditer(reader.plain):
            gap: float = figure.start - match.end() if match.end() <= figure.start else match.start() - figure.end + 4
            between = reader.plain[min(match.end(), figure.end) : max(match.start(), figure.start)]
            gap += 25 * len(re.findall(r"[,，;；/、]| and ", between)) - 0.1 * len(match[0])
            if match.start() >= figure.end and re.search(r"[,，;；、(（]", between):
                gap += 10
            if gap < best[0]:
                best = (gap, kind)
    return best[1]


_GENERATION = re.compile(r"(?<![a-z])(?:ampere|hopper|blackwell|rubin)(?![a-z])")
"""Accelerators by the name of their generation."""


def _more_rents(reader: Reader, last: Claim) -> Iterator[Claim]:
    """Yield rents that go on from the sentence before: ``Blackwell is north of $3.80``."""
    pattern, table = lexicon.named("devices")
    for figure in reader.left("money"):
        device = pattern.search(reader.plain, 0, figure.start)
        known = device is not None or _GENERATION.search(reader.plain, 0, figure.start)
        if known and figure.unit == last.named["rent"].unit and figure.high < _MOST_RENT * last.named["rent"].high:
            name = "" if device is None else table.get(device[0], table.get(device[0].removesuffix("x"), ""))
            yield reader.make(
                "rent", reader.firm(figure.start), name, {"rent": figure} | _dated(reader), other=last.other
            )


_MOST_RENT = 10.0
"""How many times the rent of one accelerator that of another may be."""


_OF_POWER = re.compile(r"\s?(?:per|an?|/|每)\s?(?:kwh|mwh|kilowatt|megawatt|unit of power|千瓦时|度)")


def _rented_for(reader: Reader, figure: Figure) -> str:
    """Return the span that an amount may be the rent of, ``hour`` or ``month``: of its clause, else the nearest."""
    spans = {"hour": (lexicon.pattern("hourly"), _GPU_HOUR), "month": (lexicon.pattern("monthly"),)}
    places = [
        (in_clauses(reader.plain, *sorted((m.start(), figure.start))), abs(m.start() - figure.start), name)
        for name, patterns in spans.items() for pattern in patterns for m in pattern.finditer(reader.plain)
    ]  # fmt: skip
    return min(places)[2] if places else ""


def unit_prices(reader: Reader) -> Iterator[Claim]:
    """Yield prices of an accelerator and rents: money of that size beside a device's name."""
    pattern, table = lexicon.named("devices")
    device = pattern.search(reader.plain)
    rented = reader.context.rented
    if rented is not None and rented.other and not reader.words:
        yield from _more_rents(reader, rented)
    generation = _GENERATION.search(reader.plain)
    if device is None and not _GPU_HOUR.search(reader.plain) and generation is None:
        return
    name = "" if device is None else table[device[0].removesuffix("x") if device[0] not in table else device[0]]
    for figure in reader.left("money"):
        per = "" if _OF_POWER.match(reader.plain, figure.end) else _rented_for(reader, figure)
        if (per == "hour" and figure.high < (500 if name else 5000)) or (per == "month" and figure.high < 1e6):
            yield reader.make("rent", reader.firm(figure.start), name, {"rent": figure} | _dated(reader), other=per)
        elif name and figure.low >= 1e3 and figure.high < 1e7 and lexicon.pattern("costs").search(reader.plain):
            yield reader.make("device_price", "", name, {"price": figure} | _dated(reader))
