"""The clauses of a sentence: what each plans, supposes, denies or leaves to others."""
# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import re
from collections.abc import Sequence

from jevons.study.announcement.clauses import clause_end, statement_before
from jevons.study.announcement.cues import cue
from jevons.study.announcement.figure import Figure
from jevons.study.announcement.patterns import CONDITIONAL, PLANNED
from jevons.study.announcement.words import Words

_DENIED = re.compile(
    r"(?:no (?:plans?|intention|need)|not plan(?:ning)?|den(?:y|ies|ied|ying)|rul(?:e|es|ed) out|dismiss(?:es|ed)?|"
    r"reject(?:s|ed)?|(?:has|have|had|did|does|do|will|would|is|are) not|won't|didn't|hasn't|never|scrap(?:s|ped)|"
    r"cancel(?:s|ed|led)|abandon(?:s|ed)?|否认|没有计划|无计划|暂无|无意|不会|不打算|并未|从未|尚未|不再|取消了?|放弃了?|辟谣)"
    r"(?!\s?(?:be\s)?(?:exceed|more than|less than|over |above|below|under|cut|reduc|lower|chang|only"
    r"|超过|低于|高于|少于|削减|下调|改变|仅))"
)
"""Words after which a clause says what is not so; bounds, and cuts that will not come, are none."""
_NOT_THIS = re.compile(
    r"(?:(?<![a-z])not|rather than|instead of|而非|而不是)\s(?:the |an? |some |about )?$|(?:而非|而不是)$"
)
"""What stands before a figure that another stands for: ``£750m, not the £800m``."""
_WITHDRAWN = re.compile(
    r"(?<![a-z])(?:earlier|previous|original) version|incorrectly|erroneously|wrongly|mistakenly|misstated|误写|误报|有误|更正前|误称"
)
"""Words of what a text takes back."""
_DONE = r"(?:has|have|had) (?:also |already |now |since |just )*(?!been (?:asked|told|set)|to |no |an? |the |plan)(?:[a-z]+ed|spent|sold|bought|built|won|put|cut|paid|lost|drawn|met|made|taken|sunk)"
_PAST = re.compile(
    r"(?<![a-z])(?:was|were|totalled|totaled|reached|stood|came|fell|rose|grew|climbed|jumped|surged|dropped|reported|missed|beat"
    rf"|{_DONE})(?![a-z])|达到?了?|已|实现|为\d|报"
)
"""Words of what has come, which a plan before them in the sentence does not reach."""


_OWN_STATEMENT = re.compile(
    r"(?<![a-z])(?:guidance|outlook|forecast|plans? to|expects? to|intends? to|aims? to|hopes? to|wants? to|will"
    rf"|{_DONE})(?![a-z])|指引|展望"
)
"""What says of a figure whether it is to come or has come, and not its quantity."""
_JOINS = re.compile(r"\s(?:and|while|but|after|because|although)\s")
_SAID = re.compile(r"(?<![a-z])(?:said|says|told|announced|confirmed|wrote|added|disclosed|promised)(?![a-z])[^;]*$")
"""What makes the ``would`` behind it no condition: somebody told then what was to come."""
_ONLY_IF = re.compile(r"(?<![a-z])(?:if|unless|could|might|subject to|pending|provided|were to)(?![a-z])")


class Statements(Words):
    """What the clause of each figure says of it: planned, conditional, estimated, denied, or what is."""

    def __init__(self, plain: str, figures: Sequence[Figure]) -> None:
        super().__init__(plain, figures)
        self.bound: dict[int, int] = {}
        """Place of a period, and of the only figure that it belongs to."""

    def _clause(self, at: int) -> str:
        """Return the clause around a place."""
        ends = [(m.start(), m.end()) for m in re.finditer(r"[，;；。]|(?<!\d),|,(?!\d)", self.plain)]
        ends += [(m.start(), m.end()) for m in _JOINS.finditer(self.plain) if self._parts(m.start(), m.end())]
        begin = max((last for _, last in ends if last <= at), default=0)
        return self.plain[begin : min((first for first, _ in ends if first >= at), default=len(self.plain))]

    def _parted(self, first: int, last: int) -> bool:
        """Return whether a conjunction between two places joins two statements."""
        return any(self._parts(m.start(), m.end()) for m in _JOINS.finditer(self.plain, first, last))

    def _parts(self, first: int, last: int) -> bool:
        """Return whether a conjunction joins two statements: a figure before it, then a quantity and its figure."""
        after = [f.start for f in self.figures if f.start >= last and f.kind not in {"period", "date"}]
        before = any(f.end <= first and f.kind not in {"period", "date"} for f in self.figures)
        named = bool(after) and any(last <= start < after[0] for start, *_ in self.words)
        own = named or (bool(after) and _OWN_STATEMENT.search(self.plain, last, after[0]) is not None)
        return before and own

    def _denied(self, stated: Sequence[Figure]) -> bool:
        """Return whether the clause before the first figure says that it is not so."""
        first = min((f.start for f in stated), default=0)
        lead = self.plain[:first]
        clause = re.split(r"[,，;；。]|\bbut\b|但", lead)[-1]
        withdrawn = _WITHDRAWN.search(statement_before(lead, first))
        return bool(_DENIED.search(clause) or withdrawn or _NOT_THIS.search(lead))

    def _status(self, stated: Sequence[Figure]) -> str:
        """Return whether a claim is of what is planned, of what happens in some case, or of what is."""
        first = min((f.start for f in stated), default=0)
        if first in self.bound.values():
            return "earlier"
        clause = self._clause(first)
        case = CONDITIONAL.search(clause) or CONDITIONAL.match(self.plain.lstrip("\"“' "))
        told = case is not None and case[0] == "would" and self._told(first)
        if case and not told:
            return "conditional"
        if self._estimated(stated):
            return "estimated"
        ahead = told or PLANNED.search(clause) or (PLANNED.search(self.plain[:first]) and not _PAST.search(clause))
        return "planned" if ahead else ""

    def _told(self, at: int) -> bool:
        """Return whether the ``would`` of a place is that of reported speech: ``it said it would invest``."""
        would = self.plain.rfind("would", 0, clause_end(self.plain, at))
        return not _ONLY_IF.search(self.plain) and _SAID.search(self.plain[:would]) is not None

    def _estimated(self, stated: Sequence[Figure]) -> bool:
        """Return whether the first figure is what others estimate, by the words right beside it."""
        if not stated:
            return False
        first = stated[0]
        others = [f.start for f in self.figures if f.kind == "money" and f.start >= first.end]
        after = self.plain[first.end : min([*others, first.end + 20])]
        return bool(cue("estimated").after.match(after) or cue("estimated").precedes(self.plain, first))
