"""One sentence while it is read: its figures, who acts in it, the period and the quantity of a place."""
# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from jevons.study.announcement import lexicon
from jevons.study.announcement.claim import Claim
from jevons.study.announcement.clauses import in_statements
from jevons.study.announcement.context import Context
from jevons.study.announcement.figure import Figure
from jevons.study.announcement.grid import Grid, placed
from jevons.study.announcement.mentions import JOINED, Mention, compared, is_object, role_of, subjects
from jevons.study.announcement.pairs import pairs
from jevons.study.announcement.periods import Periods
from jevons.study.announcement.text import Sentence
from jevons.study.announcement.words import SHARE_OF, SHARE_OF_ZH

_PLUS_MINUS = re.compile(r"\s?[,，(（]?\s?(?:plus or minus|give or take|\+/-|±|上下浮动|正负)\s?")
_UNNAMED = {"rent": "rent", "device_price": "prices", "price": "prices"}
"""Quantities of claims that name a device or a kind of token in its place."""
_ROLES = frozenset({"firm", "country"})


class Reader(Periods):
    """Takes the figures of one sentence apart into claims; each figure belongs to one."""

    def __init__(
        self,
        sentence: Sentence,
        figures: list[Figure],
        named: list[Mention],
        context: Context,
        head: Grid | None = None,
    ) -> None:
        columns, self.changes = placed(sentence, figures, head)
        self.lists = pairs(sentence.plain, figures, named)
        super().__init__(sentence, figures, named, context, self.lists.periods | columns)
        self.acting = subjects(self.plain, named, context.topic or context.main, context.company)
        self.used: set[int] = set()
        self.firms: dict[int, str] = {}
        """Firms of the figures that claims have taken."""
        self.grown: list[Figure] = []
        """Changes that claims have taken, with their sign."""

    def left(self, *kinds: str) -> list[Figure]:
        """Return the figures of these kinds that no claim has taken."""
        return [f for f in self.figures if f.kind in kinds and f.start not in self.used]

    def _tolerance(self, stated: Sequence[Figure]) -> dict[str, Figure]:
        """Return how far a figure may lie off by the words behind it: ``$65 billion, plus or minus 2%``."""
        for figure in stated:
            for other in self.left("percent", "money"):
                if other.start >= figure.end and _PLUS_MINUS.fullmatch(self.plain, figure.end, other.start):
                    self.used.add(other.start)
                    return {"tolerance": replace(other, qualifier="within")}
        return {}

    def is_tolerance(self, figure: Figure) -> bool:
        """Return whether a percentage says how far another figure may lie off."""
        return bool(re.search(rf"{_PLUS_MINUS.pattern}$", self.plain[: figure.start]))

    def make(self, kind: str, firm: str, quantity: str, named: dict[str, Figure], **more: object) -> Claim:
        """Return a claim and note its figures as taken."""
        stated = [f for name, f in named.items() if name not in {"period", "date", "previous_period"}]
        named = named | self._tolerance(stated)
        self.used.update(figure.start for figure in stated)
        self.quantities.update((figure.start, _UNNAMED.get(kind, quantity)) for figure in stated)
        self.firms.update((figure.start, firm) for figure in stated)
        if kind == "growth" and "percent" in named:
            self.grown.append(named["percent"])
        self.spans.update((figure.start, named["period"]) for figure in stated if "period" in named)
        named = {name: self._calendar(figure, firm) for name, figure in named.items()}
        claim = Claim(
            kind=kind, firm=firm, quantity=quantity, sentence=self.sentence, named=named,
            denied=self._denied(stated), status=self._status_in(named.get("period"), stated),
        )  # fmt: skip
        return replace(claim, **more)  # type: ignore[arg-type]

    def _status_in(self, period: Figure | None, stated: Sequence[Figure]) -> str:
        """Return the status of a claim: a period that had ended a year before the announcement is not planned."""
        status, day = self._status(stated), self.context.day
        year = re.match(r"(?:FY)?(20\d\d)", period.label) if period is not None else None
        over = day is not None and year is not None and int(year[1]) < day.year - 1
        return "" if over and status == "planned" else status

    def _calendar(self, figure: Figure, firm: str) -> Figure:
        """Return a period with a quarter of a firm's fiscal year as that of the calendar."""
        match = re.fullmatch(r"FY(\d{4})-Q([1-4])", figure.label) if figure.kind == "period" else None
        if match is None:
            return figure
        known = lexicon.firm(firm or self.context.topic)
        listed = known is not None and known.key in lexicon.firms()
        year_end = known.fiscal_end_month if known is not None and listed else self.context.year_end
        last = year_end + 3 * (int(match[2]) - 4)
        year = int(match[1]) + (last - 1) // 12
        month = (last - 1) % 12 + 1
        return replace(figure, label=f"{year}-Q{(month + 2) // 3}")

    def firm(self, at: int) -> str:
        """Return the firm that a figure at a place is of: who acts before it, else the one spoken of."""
        if at in self.lists.firms:
            return self.lists.firms[at]
        beside = [
            m
            for m in self.mentions
            if m.end <= at and re.fullmatch(r"(?:'s|的)?\s?(?:about |约|近)?", self.plain[m.end : at])
        ]
        beside = [
            m for m in beside
            if m.end < at and role_of(m.firm) in _ROLES
            and (re.match(r"'s|的", self.plain[m.end :]) or not is_object(self.plain, self.mentions, m))
        ]  # fmt: skip
        if beside:
            return beside[-1].firm
        rivals = [m for m in self.mentions if m.start < at and role_of(m.firm) in _ROLES]
        if (
            rivals
            and compared(self.plain, rivals[-1])
            and at - rivals[-1].start < 40
            and not self._moved_on(rivals[-1].end, at)
        ):
            return rivals[-1].firm
        inside = [f for f in self.figures if f.end <= at and f.start in self.firms]
        if inside and re.search(r"(?:of which|其中)[^,，;；]{0,12}$", self.plain[:at]):
            return self.firms[inside[-1].start]
        relative = re.search(r"(?:,? which|,? who|,? whose)[^,，;；]*$", self.plain[:at])
        if relative:
            near = [m for m in self.mentions if m.end <= relative.start() + 1 and role_of(m.firm) in _ROLES]
            if near and relative.start() - near[-1].end <= 1:
                return near[-1].firm
        behind = [m for m in self.acting if m.start < at]
        others = [
            m.start() for m in lexicon.pattern("others").finditer(self.plain, 0, at)
            if not re.match(r"['’]|(?:的)?(?:一致)?预期", self.plain[m.end() :])
        ]  # fmt: skip
        if others and others[-1] > (behind[-1].start if behind else -1):
            return ""
        if behind:
            return self._first_of(behind)
        makers = [m for m in self.mentions if role_of(m.firm) == "supplier" and m.start < at]
        if makers and not re.match(
            r"(?:'s)?.{0,24}(?:gpu|chip|card|h\d00|卡|芯片)", self.plain[makers[-1].end : makers[-1].end + 30]
        ):
            return makers[-1].firm
        owners = [
            m
            for m in self.mentions
            if m.end <= at and role_of(m.firm) == "firm" and re.match(r"['’]s |的", self.plain[m.end :])
        ]
        if owners:
            return owners[-1].firm
        named = [m for m in self.acting if m in self.mentions]
        if named:
            return named[0].firm
        if self.context.topic:
            return self.context.topic
        if self.context.main:
            return ""
        usable = [m for m in self.mentions if role_of(m.firm) in _ROLES and not compared(self.plain, m)]
        return usable[0].firm if usable else ""

    def _first_of(self, behind: Sequence[Mention]) -> str:
        """Return who acted last; of several that act together, the first."""
        first = behind[-1]
        acting = {m.start for m in behind}
        for mention in reversed([m for m in self.mentions if m.end <= first.start]):
            if not JOINED.fullmatch(self.plain, mention.end, first.start):
                break
            first = mention
        return first.firm if first.start in acting else behind[-1].firm

    def _moved_on(self, first: int, last: int) -> bool:
        """Return whether between two places someone else acts, or a new clause begins with its own quantity."""
        return any(first <= m.start < last for m in self.acting) or in_statements(self.plain, first, last)

    def party(self, at: int, firm: str) -> str:
        """Return the other party that is named beside a figure: the nearest firm that does not act; empty where none is."""
        near = [
            m for m in self.mentions
            if m.firm != firm and role_of(m.firm) in {"firm", "supplier"} and not compared(self.plain, m)
            and is_object(self.plain, self.mentions, m)
        ]  # fmt: skip
        beside = [m for m in near if re.search(r"(?:with|from|to|与|和|向|跟)\s?$", self.plain[: m.start])]
        chosen = beside or (near if len({m.firm for m in near}) == 1 else [])
        return min(chosen, key=lambda m: abs(m.start - at)).firm if chosen else ""

    def share_base(self, figure: Figure) -> str:
        """Return the quantity that a percentage is a share of; empty where it is of none."""
        table = lexicon.quantity_words()
        if re.match(r"\s?of (?:it|this|that|them|which|the total)(?![a-z])", self.plain[figure.end :]) or re.search(
            r"其中\S{0,8}占$|占其中的?(?:约|近)?$|(?<![a-z])of which (?:about |roughly |some |nearly |around |more than )?$",
            self.plain[: figure.start],
        ):
            before = [f for f in self.figures if f.end <= figure.start and self.quantities.get(f.start)]
            return self.quantities[before[-1].start] if before else self.context.last
        for match in lexicon.quantity_pattern().finditer(
            self.plain, max(0, figure.start - 24), min(len(self.plain), figure.end + 48)
        ):
            lead = self.plain[max(0, match.start() - 56) : match.start()]
            shared = SHARE_OF.search(lead)
            if match[0] in lexicon.words("generic") and re.match(r"\s[a-z]", self.plain[match.end() :]):
                continue  # says of which kind a noun behind it is
            if (
                shared and (match.start() < figure.start or self.plain[figure.end : match.start()].count(",") == 0)
            ) or (SHARE_OF_ZH.match(self.plain, match.end()) and match.end() <= figure.start):
                return table[re.sub(r"\s+", " ", match[0])]
        return ""
