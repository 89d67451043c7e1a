"""Words of a sentence that name quantities, and which of its figures each names."""
# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import re
from collections.abc import Sequence

from jevons.study.announcement import lexicon
from jevons.study.announcement.clauses import clause_start, in_clauses
from jevons.study.announcement.figure import Figure

_CLOUD = re.compile(
    r"阿里云|云智能|alibaba cloud|aliyun|google cloud|(?<![a-z])aws(?![a-z])|cloud (?:intelligence )?(?:group|segment|business|unit)"
)
_PARTS = {"revenue": "part_revenue", "operating_income": "part_income", "net_income": "part_income"}
"""Quantities of a segment where the sentence is about one."""
_CLOUDS = {"revenue": "cloud_revenue", "operating_income": "cloud_income", "ebita": "cloud_ebita"}
"""Quantities that are of the cloud where their clause names one."""
SHARE_OF = re.compile(
    r"(?:%|percent(?:age)?|per cent|share|portion|proportion|fraction|half|third|quarter|fifth|tenth|most|multiple|teens|digits?)\s"
    r"(?:range\s)?of\s(?:[\w']+\s){0,4}$|占[^,，。;；]{0,8}$"
)
SHARE_OF_ZH = re.compile(
    r"的(?:约|近|逾|超过|不到)?(?:[低中高]?[单双两]位数|百分|\d+(?:\.\d+)?\s?%|[一二三四五六七八九两]成|[\d一二三四五六七八九十]+倍)"
)
MOST_A_SHARE = 1e6
"""More than a share costs, in any currency."""
_IS = re.compile(
    r"(?:\s|(?<![a-z])(?:of|at|is|was|were|reached|totall?ed|came to|stood at|about|around|roughly|some|nearly|over|more than|estimate|forecast)(?![a-z])|约|为|是|达到?|有|共|逾|近)*"
)
"""What stands between a word and the figure that it names."""
_ANOTHER_NOUN = re.compile(
    r"[^,;]{0,12}(?<![a-z])(?:including|excluding|before|net of)\s"
    r"|\s(?!(?:of|in|for|from|on|worth|to|at|as|more|less|higher|lower)\s)(?:[a-z][a-z-]+\s){1,2}(?:on|for|against|over|with)\s"
)
"""Words between a figure and a noun that then only says with what, or on what: ``a $4.5 billion charge on inventory``."""
_EVENTS = frozenset({"contract", "notes", "debt", "equity", "grant", "penalty", "impairment"})
"""Quantities that are things of which there are several, named behind their amount."""
_OF_KIND = re.compile(
    r"\s(?:(?!(?:of|in|on|for|from|to|by|with|at|as|and|or|while|was|were|is|are|has|had|will|last|this|next|a|an|the|its|their|per|each|more|less)\s)[\w'-]+\s){1,2}"
    r"|[\u4e00-\u9fff]{1,4}"
)
"""Words that say of which kind the thing behind them is: ``a Rs 1,734 crore IndiaAI order``."""
_BY_PIECE = frozenset({"prices", "electricity", "rent", "call_price", "per_user", "share_price", "eps"})
"""Quantities of which an amount of millions is none."""
_FOR_WHOM = re.compile(r"(?<![a-z])[a-z-]{3,}s? (?:for|among) (?:(?:the|its|our|their|all) )?(?:[a-z-]+ ){0,2}$")
"""What makes a noun only that for which another is: ``tariffs for the largest users``."""
_WITHOUT = re.compile(r"(?<![a-z])(?:no|without|zero|free of)\s(?:any |net |bank |further )?$|(?:没有|无|零)(?:任何)?$")
"""What stands before a noun that is not there: ``no debt``."""
_VENTURE = re.compile(
    r"(?<![a-z])(?:project|campus|plant|data cent(?:er|re)|programme|program|complex|park|facility)s?(?![a-z])[^,;.]{0,32}$"
)
"""What is worth what is spent on it."""
_TIMES = re.compile(r"\d\s?(?:x|×|times)\s(?:(?:the |our |its )?\S*\d\d\S*\s)?$")
"""What stands before the earnings that a multiple is of: ``26x '27E``."""
_LOST = frozenset({"lose", "loses", "lost", "losing"})
_SOMETHING = re.compile(
    r"\s(?:it|them|their|its|his|her|the|access|ground|sleep|out|customers?|share|power|track|sight|patience|jobs?)(?![a-z])"
)
"""What is lost that is no money."""
_SOURCES = frozenset({"debt", "equity", "cash", "notes"})
_PAID_WITH = re.compile(
    r"(?:以|用|通过|利用|依靠|(?<![a-z])(?:funded|financed|paid|backed)[^,;.]{0,12}(?:by|with|from|through)|(?<![a-z])(?:mix|combination) of)[^,，;；。]{0,14}$"
)
_MEANS = 40
"""What more a word weighs against an amount where it only says what is paid with."""


class Words:
    """Which word of a sentence names the quantity of which figure."""

    def __init__(self, plain: str, figures: Sequence[Figure]) -> None:
        self.plain, self.figures = plain, figures
        self.words = self._quantity_words()

    def _quantity_words(self) -> list[tuple[int, int, str, str]]:
        """Return the words that name quantities, with their places; what a share is taken of is no quantity here."""
        table = lexicon.quantity_words()
        words = []
        for match in lexicon.quantity_pattern().finditer(self.plain):
            lead = self.plain[max(0, match.start() - 56) : match.start()]
            own = any(f.kind == "money" and self.is_of(match.end(), f) for f in self.figures)
            if (SHARE_OF.search(lead) and not own) or SHARE_OF_ZH.match(self.plain, match.end()):
                continue
            word = re.sub(r"\s+", " ", match[0])
            key = table[word]
            if lexicon.measures(key) and _FOR_WHOM.search(lead):
                continue
            if word == "worth" and re.search(
                r"(?:contract|deal|agreement|order|package)s?(?![a-z])(?:[^,;.]|(?<=\d)[,.](?=\d)){0,48}$", lead
            ):
                continue
            if key == "eps" and _TIMES.search(lead) and not own:
                continue  # what a multiple is of
            if word == "worth" and _VENTURE.search(lead):
                key = "capex"
            if _WITHOUT.search(lead) or (word in _LOST and _SOMETHING.match(self.plain, match.end())):
                continue
            if any(f.kind == "multiple" and f.start < match.end() and match.start() < f.end for f in self.figures):
                continue
            if key == "revenue" and self._of_a_part(match.start(), match.end()):
                key = "part_revenue"
            words.append((match.start(), match.end(), key, word))
        return words

    def _of_a_part(self, start: int, end: int) -> bool:
        """Return whether revenue is that of a product or segment, by the word before it or what it comes from."""
        parts = lexicon.pattern("parts")
        lead = self.plain[max(0, start - 24) : start].rstrip()
        from_part = re.match(
            r" (?:from|of) (?:its |the |our )?(?!operations|continuing|the (?:group|company))[a-z0-9]", self.plain[end:]
        )
        return any(m.end() == len(lead) for m in parts.finditer(lead)) or bool(
            from_part and parts.search(self.plain, end, min(len(self.plain), end + 40))
        )

    def quantity(self, figure: Figure, kinds: frozenset[str] = frozenset({"money"})) -> str:
        """Return the quantity that the words nearest to a figure name; figures of *kinds* stand between it and others."""
        best: tuple[float, str] = (140.0, "")
        generic = frozenset(lexicon.words("generic"))
        for start, end, key, word in self.words:
            if lexicon.measures(key) and figure.kind not in lexicon.measures(key):
                continue
            if end <= figure.start:
                gap, between = float(figure.start - end), self.plain[end : figure.start]
            elif start >= figure.end:
                gap, between = 1.3 * (start - figure.end) + 4, self.plain[figure.end : start]
                joined = re.fullmatch(r"\s?(?:of|in|worth of)\s(?:[\w.%]+\s){0,3}|\s?(?:的)?", between)
                of_kind = _OF_KIND.fullmatch(between) if key in _EVENTS else None
                joined = joined or of_kind
                gap = min(gap, 1.0 if joined else gap)
                gap += 20 * len(re.findall(r"[,，;；、]", between))
                others = any(
                    f is not figure and f.kind in kinds and figure.end <= f.start < start for f in self.figures
                )
                if in_clauses(between, 0, len(between)) and (others or self._has_own(end, figure, kinds)):
                    continue
                if self._followed(end, figure) or _ANOTHER_NOUN.match(between):
                    continue
                if word == "azure" and figure.kind == "money":
                    continue  # what is bought, not what is earned
            else:
                continue
            if (
                figure.kind == "money"
                and figure.low >= MOST_A_SHARE
                and (word in {"shares", "stock", "股价", "港股", "美股", "target"} or key in _BY_PIECE)
            ):
                continue
            gap += 10 if word in generic else 0
            gap += _MEANS if key in _SOURCES and _PAID_WITH.search(self.plain[:start]) else 0
            gap += 14 * len(re.findall(r"[,，;；、]| while | and ", between)) - 0.5 * len(word)
            first, last = min(end, figure.end), max(start, figure.start)
            gap += 15 * sum(f is not figure and f.kind in kinds and first <= f.start < last for f in self.figures)
            if gap < best[0]:
                best = (gap, key)
        return self.of_cloud(best[1], figure)

    def _followed(self, end: int, figure: Figure) -> bool:
        """Return whether another figure of the same kind stands right behind a word: ``A on revenue of B``."""
        later = (f for f in self.figures if f is not figure and f.kind == figure.kind and f.start >= end)
        first = next(later, None)
        return first is not None and self.is_of(end, first)

    def is_of(self, end: int, figure: Figure) -> bool:
        """Return whether a figure stands right behind a word that ends at a place."""
        return end <= figure.start and _IS.fullmatch(self.plain, end, figure.start) is not None

    def _has_own(self, end: int, figure: Figure, kinds: frozenset[str]) -> bool:
        """Return whether a word of a later clause has a figure of its own, before or behind it in that clause."""
        near = [f for f in self.figures if f is not figure and f.kind in kinds | {figure.kind} and end <= f.start]
        own = near and re.fullmatch(r"[^,，;；。]{0,16}", self.plain[end : near[0].start])
        return bool(own)

    def of_cloud(self, quantity: str, figure: Figure) -> str:
        """Return a quantity as that of the cloud where its clause names one, or of a segment that the sentence is about."""
        if quantity in _PARTS and lexicon.pattern("segments").search(self.plain[: figure.start]):
            return _PARTS[quantity]
        if quantity not in _CLOUDS:
            return quantity
        begin = clause_start(self.plain, figure.start)
        clause = self.plain[begin : figure.end]
        alone = not re.search(r"total|group|总|全公司|集团(?!收入)", clause)
        whole = (
            _CLOUD.search(self.plain[: figure.end])
            if len([f for f in self.figures if f.kind == "money"]) <= 2
            else None
        )
        return _CLOUDS[quantity] if _CLOUD.search(clause) or (whole and alone) else quantity
