"""Firms where a sentence names them: those that act, those that something is compared with, and other parties."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jevons.study.announcement import lexicon
from jevons.study.announcement.text import Sentence

_GIVEN = re.compile(r"(?:向|对|给|(?<!宣布)在|invest(?:s|ed|ing|ment|ments)? in|into|for|with|alongside)\s?$")
_SOURCE = re.compile(r"(?:(?:%|it|half|most|third|quarter|which) (?:is |was |came |comes )?from|来自)\s?$")
_THAN = re.compile(r"(?:than|exceed\w*|surpass\w*|versus|超过|反超|超越|高于|相比|传闻中的)[^,，]{0,10}$")
_LIKE = re.compile(
    r"(?:(?:prices?|costs?|size|scale|half|rates?|level|that) of|unlike|such as|rivals?|competitors?|peers?|similar to|"
    r"same as|compared (?:with|to)|比肩|对标|类似|不同于|竞争对手)(?: the)?\s?$"
)
_DEAL = re.compile(r"(?:'s)?,? (?:contract|deal|agreement|order|partnership|合同|订单|协议)")

_OWNER = re.compile(
    r"(?:\s?[(（][^)）]{2,20}[)）])?[)）]?"
    r"(?:[-– ](?:backed|owned|led|controlled|funded)(?![a-z])|旗下的?(?=[a-z\u4e00-\u9fff])|支持的|控股的)"
)
"""What follows the owner of the firm that is spoken of."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A firm named at a place of a sentence."""

    start: int
    firm: str


def role_of(firm: str) -> str:
    """Return the role of a firm; empty where there is none."""
    known = lexicon.firm(firm)
    return "" if known is None else known.role


def mentions(plain: str, stated: Mapping[str, str] | None = None) -> list[Mention]:
    """Return the firms that a plain sentence names, in their order, with those that its text *stated*."""
    names = lexicon.firm_names()
    found = [
        Mention(m.start(), names[re.sub(r"\s+", " ", m[0])])
        for m in lexicon.firm_pattern().finditer(plain)
        if not _other_party(plain, m)
    ]
    if stated:
        found += [
            Mention(m.start(), stated[re.sub(r"\s+", " ", m[0])])
            for m in lexicon.words_pattern(stated).finditer(plain)
            if not _other_party(plain, m)
        ]
    return sorted(found, key=lambda mention: mention.start)


def _other_party(plain: str, match: re.Match[str]) -> bool:
    """Return whether a name is the other side of a contract, or a yardstick such as ``half the price of``."""
    deal = _DEAL.match(plain, match.end()) and re.search(r"(?:^|\bthe |\ban? |与|和)$", plain[: match.start()])
    return bool(
        deal or _OWNER.match(plain, match.end()) or _LIKE.search(plain[max(0, match.start() - 24) : match.start()])
    )


def compared(plain: str, named: Sequence[Mention], mention: Mention) -> bool:
    """Return whether a firm stands only as what something is compared with, or as who is given something."""
    lead = plain[max(0, mention.start - 14) : mention.start]
    if _GIVEN.search(lead) and any(m.start < mention.start for m in named):
        return True
    return bool(_SOURCE.search(lead) or _THAN.search(lead))


def main_firm(sentences: Sequence[Sentence], stated: Mapping[str, str] | None = None) -> str:
    """Return the firm that an announcement is about: named most, the first sentences weighing more."""
    votes: Counter[str] = Counter()
    for place, sentence in enumerate(sentences):
        named = mentions(sentence.plain, stated)
        for mention in named:
            if role_of(mention.firm) == "firm" and not compared(sentence.plain, named, mention):
                votes[mention.firm] += 3 if place < 3 else 1
    return votes.most_common(1)[0][0] if votes else ""
