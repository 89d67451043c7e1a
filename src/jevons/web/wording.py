"""Sentences of a report as plain text in either language: for readers without scripts, and for what reads the file.

It writes numbers as `static/format.js` does, which draws the same sentences where scripts run.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jevons.units import CURRENCIES, LARGE, MYRIADS, SCALE_LETTERS, SCALES
from jevons.words import LANGUAGES, Sentence, check_language

__all__ = ["LANGUAGES", "catalogue", "catalogue_text", "check_language", "said", "scales", "term", "terms", "text_of"]

_WORDS = Path(__file__).with_name("static") / "i18n"
STEPS = {
    "en": tuple((size, size, f" {word}") for size, word, _ in LARGE[:-1]),
    "zh": tuple((size if size > MYRIADS[-1][0] else 10 * size, size, f" {word}") for size, word in MYRIADS),
}
"""By language: from which number on, by what size and with which word a large number is shown."""


def scales() -> dict[str, Any]:
    """Return what scales numbers: the words that are read, and by language the steps that are shown."""
    return {"read": {**SCALES, **SCALE_LETTERS}, "shown": STEPS}


@functools.cache
def catalogue_text(language: str) -> str:
    """Return the words of a language as JSON text."""
    return (_WORDS / f"{language}.json").read_text(encoding="utf-8")


@functools.cache
def catalogue(language: str) -> dict[str, str]:
    """Return the words of a language by key."""
    words: dict[str, str] = json.loads(catalogue_text(language))
    return words


@functools.cache
def terms() -> dict[str, str]:
    """Return the Chinese of what tables say in English; ``*`` in a key stands for any text, ``#`` for a number."""
    words: dict[str, str] = json.loads((_WORDS / "terms.zh.json").read_text(encoding="utf-8"))
    return words


@functools.cache
def _currencies() -> dict[str, str]:
    """Return the Chinese name of each currency by its code."""
    return {code: name.removeprefix("# ") for code in CURRENCIES if (name := terms().get(f"# {code}"))}


_UNIT_OF_MONEY = re.compile(rf"(?:(?:{'|'.join((*SCALES, *SCALE_LETTERS))}) )?({'|'.join(CURRENCIES)})(?:/.*| per .*)?")
"""A unit of money, as heads of columns have it: ``bn GBP``, ``INR/Mtok output``."""


@functools.cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Return patterns and their words, those that say most first."""
    patterns = []
    for key, words in sorted(terms().items(), key=lambda pair: -len(re.sub(r"[*#]", "", pair[0]))):
        if "*" in key or "#" in key:
            pattern = re.escape(key).replace(r"\*", "(.+)").replace(r"\#", r"([-+±]?\d[\d,.]*(?:-Q\d|-\d\d-\d\d)?)")
            patterns.append((re.compile(pattern), words))
    return patterns


def term(text: str, language: str) -> str:
    """Return a text of a table in a language; as it is where no words are on file."""
    if language != "zh" or not text:
        return text
    if text in terms():
        return terms()[text]
    money = _UNIT_OF_MONEY.fullmatch(text)
    if money and money[1] != "CNY":
        in_yuan = term(text.replace(money[1], "CNY", 1), language)
        return in_yuan.replace("元", _currencies()[money[1]], 1) if "CNY" not in in_yuan else text
    for pattern, words in _patterns():
        match = pattern.fullmatch(text)
        if match:
            return _filled(words, match.groups(), language)
    owner, colon, quantity = text.partition(": ")
    if colon and quantity in terms():
        return f"{term(owner, language)}：{terms()[quantity]}"
    counted = _amounts(text)
    told = term(counted, language) if counted != text else text
    return text if told == counted and _SENTENCE.search(counted) else told


def said(sentences: Sequence[Sentence], language: str) -> str:
    """Return an answer in a language; texts within its sentences go by the terms."""
    return "".join(_in_terms(sentence, language).text(language) for sentence in sentences)


def _in_terms(sentence: Sentence, language: str) -> Sentence:
    def known(value: Any) -> Any:
        if isinstance(value, Sentence):
            return _in_terms(value, language)
        if not isinstance(value, str):
            return value
        if language == "zh" and value in _currencies():
            return _currencies()[value]
        return term(value, language)

    return Sentence(sentence.id, {
        name: [known(item) for item in value] if isinstance(value, list | tuple) else known(value)
        for name, value in sentence.values.items()
    })  # fmt: skip


_SENTENCE = re.compile(r"[a-z]{3,} [a-z]{3,}")
"""Words of an English sentence: one that has no Chinese, such as a quotation, stays whole with its amounts."""
_SIZES = "|".join(word for word in SCALES if len(word) > 1)
_AMOUNT = re.compile(rf"(?:(-?\d[\d,.]*) to )?(-?\d[\d,.]*) ({_SIZES}|[MBT](?= tokens))\b(?: ([A-Z]{{3}})\b)?")


def _amounts(text: str) -> str:
    """Return a text with its large amounts counted as Chinese counts them: 2,050 亿元 for 205 bn CNY."""

    def counted(match: re.Match[str]) -> str:
        scale = {**SCALES, **SCALE_LETTERS}[match[3]]
        ends = [float(digits.replace(",", "")) * scale for digits in match.groups()[:2] if digits]
        most = max(abs(end) for end in ends)
        size, word = next(((size, word) for least, size, word in STEPS["zh"] if most >= least), (1, ""))
        shown = " 至 ".join(number(end / size) for end in ends)
        return f"{shown}{word}{_currencies().get(match[4], match[4]) if match[4] else ''}"

    text, replaced = _AMOUNT.subn(counted, text)
    return text.replace(" to ", " 至 ").replace(" (", "（").replace(")", "）") if replaced else text


def _filled(words: str, parts: Sequence[str], language: str) -> str:
    """Return words with their stars and number signs replaced, in their order."""
    left = iter(parts)
    return re.sub(r"[*#]", lambda _: term(next(left), language), words)


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with three significant digits below 1,000, grouped above."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    decimals = min(max(0, digits - 1 - math.floor(math.log10(abs(value)) + 1e-12)), 8)
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def large(value: float | None, language: str, like: float | None = None) -> str:
    """Return a large count: in millions and billions, or in 万 and 亿; *like* sets the unit where it is another's."""
    if value is None or not math.isfinite(value):
        return "–"
    for least, unit, name in STEPS[language]:
        if abs(value if like is None else like) >= least:
            return number(value / unit) + name
    return number(value)


def shown(figure: Mapping[str, Any], language: str) -> str:
    """Return a figure of a sentence with its interval."""
    value, unit = figure["value"], str(figure["unit"])
    low, high = figure.get("low"), figure.get("high")
    if low is None or high is None:
        return quantity(value, unit, language, digits=2 if str(figure.get("label", "")).startswith("chance.") else 3)
    like = max(abs(low), abs(high))
    a, b = quantity(low, unit, language, like=like), quantity(high, unit, language, like=like)
    to = catalogue(language)["range.to"] if low < 0 else "–"
    tail = re.sub(r"^[-–\d.,]+", "", b)
    if tail and a.endswith(tail) and re.fullmatch(r"[-–\d.,]+", a.removesuffix(tail)):
        a = a.removesuffix(tail)
    return f"{quantity(value, unit, language)} [{a}{to}{b}]"


def quantity(value: float | None, unit: str, language: str, *, digits: int = 3, like: float | None = None) -> str:
    """Return a number with its unit as people read it."""
    if value is None:
        return "–"
    if unit == "frac":
        return f"{number(value * 100, digits)} %"
    if unit == "W":
        size, name = next(((s, n) for s, n in ((1e6, " MW"), (1e3, " kW")) if abs(value) >= s), (1.0, " W"))
        return number(value / size) + name
    if unit in _currencies():
        text = large(value, language, like)
        if language == "zh":
            return f"{text}{' ' if text[-1].isdigit() else ''}{_currencies()[unit]}"
        return f"{text} {unit}"
    text = large(value, language, like)
    return text if unit == "1" else f"{text} {term(unit, language)}"


def text_of(sentence: Mapping[str, Any], language: str) -> str:
    """Return a sentence of a report as text."""
    values = {name: _value(value, language) for name, value in sentence["values"].items()}
    template = catalogue(language)[sentence["id"]]
    text = re.sub(r"\{(\w+)\}", lambda part: values.get(part[1], part[0]), template)
    return text[0].upper() + text[1:]


def _value(value: Any, language: str) -> str:
    if isinstance(value, Mapping) and "kind" in value:
        name = _name(value, language)
        inner = language == "en" and value["kind"] != "device"
        return name[0].lower() + name[1:] if inner and re.match("[A-Z][a-z]", name) else name
    if isinstance(value, Mapping):
        return shown(value, language)
    return term(str(value), language)


def _name(named: Mapping[str, Any], language: str) -> str:
    kind, of = named["kind"], str(named["of"])
    words = catalogue(language)
    if kind == "device":
        return str(named["text"])
    if kind == "use":
        return words.get(f"use.{of}", term(str(named["text"]), language))
    if kind == "limit":
        head, _, what = str(named["text"]).partition(": ")
        head = words.get(f"limit.{head}", term(head, language))
        return (f"{what} 的{head}" if language == "zh" else f"{head} of {what}") if what else head
    return term(str(named["text"]), language)
