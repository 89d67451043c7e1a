"""Which currency a mark stands for that several have: ``¥``, 元 and crowns."""
# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from jevons.study.announcement import lexicon
from jevons.study.announcement.numerals import DIGITS, magnitude_of, value_of
from jevons.study.announcement.patterns import AFTER, BEFORE, FOREIGN, MONEY
from jevons.study.announcement.text import Sentence

_SAME_IN_DOLLARS = re.compile(
    rf"¥\s?(?P<yen>{DIGITS}) ?(?P<a>tn|trn|trillion|bn|billion|mn|million|m|b)?\s?\((?:or |about |some |roughly |~)*"
    rf"(?:us)?\$\s?(?P<usd>{DIGITS}) ?(?P<b>tn|trn|trillion|bn|billion|mn|million|m|b)?"
)
_CROWNS = {
    "SEK": "swedish|sweden|stockholm|gothenburg|malm[öo]|lule[åa]", "NOK": "norwegian|norway|oslo|bergen|stavanger|trondheim|narvik",
    "DKK": "danish|denmark|copenhagen|aarhus", "CZK": "czech|czechia|prague|brno", "ISK": "icelandic|iceland|reykjav[ií]k",
}  # fmt: skip
"""Whose currency is called crowns in English, by words for the country."""
_OF_TAIWAN = re.compile(r"[月年季]增|[月年季]减|法人|上柜|兴柜|台厂")
"""Words that the press of Taiwan alone uses in traditional characters."""
_YEN_A_DOLLAR = 40.0
"""Between the yuan (7 a dollar) and the yen (more than 70)."""


def home_currency(sentences: Sequence[Sentence]) -> str:
    """Return the currency of bare amounts of firms that no list has: the yuan in Chinese, else the only one marked.

    Examples
    --------
    >>> from jevons.study.announcement.text import sentences
    >>> home_currency(sentences("云上科技营收13亿，增了四成。")), home_currency(sentences("雲上科技營收13億。"))
    ('CNY', '')
    """
    whole = "".join(sentence.text for sentence in sentences)
    chinese = re.findall("[\u4e00-\u9fff]", whole)
    traditional = any(ord(char) in lexicon.simplified() for char in chinese)
    other = any(re.search(FOREIGN, sentence.plain) for sentence in sentences)
    mostly = len(chinese) > _MOSTLY * len(whole)
    if mostly:
        return "CNY" if not traditional and not other else ""
    marked = {
        unit
        for sentence in sentences
        for match in MONEY.finditer(sentence.plain)
        if (unit := BEFORE.get(match["pre"] or "") or AFTER.get(match["post"] or ""))
    }
    return next(iter(marked)) if len(marked) == 1 else ""


_MOSTLY = 0.4
"""Part of a text's characters from which on it is Chinese."""


def local_currencies(sentences: Sequence[Sentence], main: str) -> Mapping[str, str]:
    """Return the currency of each mark that several have, by the firm that a text is about, its places and its rates.

    Examples
    --------
    >>> from jevons.study.announcement.text import sentences
    >>> local_currencies(sentences("Sales were ¥412.6 billion ($2.7 billion)."), "")
    {'¥': 'JPY'}
    >>> local_currencies(sentences("PRAGUE - Vltava Data will invest 3 billion crowns."), "")
    {'crowns': 'CZK'}
    """
    whole = " ".join(sentence.plain for sentence in sentences)
    firm = lexicon.firm(main)
    home = "" if firm is None else firm.currency
    found: dict[str, str] = {}
    rate = _SAME_IN_DOLLARS.search(whole)
    if rate is not None:
        yen, usd = (
            value_of(rate[number])[0] * magnitude_of(rate[size] or "") for number, size in (("yen", "a"), ("usd", "b"))
        )
        found["¥"] = "JPY" if usd and yen / usd > _YEN_A_DOLLAR else "CNY"
    elif home == "JPY" or (home != "CNY" and lexicon.pattern("japan").search(whole)):
        found["¥"] = "JPY"
    nation = home if home in _CROWNS else _nation_of_crowns(whole)
    if nation:
        found["crowns"] = nation
    if nation == "DKK":
        found |= {"kroner": nation, "krone": nation}
    written = "".join(sentence.text for sentence in sentences)
    taiwan = re.search(r"新台币|台股|\.tw(?![a-z])|(?<![a-z])nt\$", whole) or (
        _OF_TAIWAN.search(whole)
        and any(char in written for char in "億營萬")
        and not re.search(r"港元|港股|按年", whole)
    )
    if home == "TWD" or (not home and taiwan):
        found["元"] = "TWD"
    return found


def _nation_of_crowns(whole: str) -> str:
    """Return whose crowns a text counts in: those that it names so, else of the country named first; empty for none."""
    named = {}
    for unit, words in _CROWNS.items():
        country = re.search(rf"(?<![a-z])(?:{words})(?![a-z])", whole)
        stated = re.search(rf"(?<![a-z])(?:{words}) crowns", whole)
        if country is not None:
            named[unit] = (stated is None, country.start())
    return min(named, key=named.__getitem__, default="")
