"""Which period of a sentence, or of those before it, each of its figures is of."""
# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import re
from dataclasses import replace

from jevons.study.announcement import lexicon
from jevons.study.announcement.clauses import clause_end, clause_start, in_clauses
from jevons.study.announcement.context import Context
from jevons.study.announcement.cues import cue
from jevons.study.announcement.figure import Figure, moved
from jevons.study.announcement.margins import year_before
from jevons.study.announcement.mentions import Mention, compared
from jevons.study.announcement.statements import Statements
from jevons.study.announcement.text import Sentence

_BESIDE = re.compile(
    r"(?:较|比|由|从|高于|低于|超过|相比(?:于|之下)?|对比|接近|持平于|与|compared (?:with|to)|versus|vs\.?|above|below|than|against|exceeding|double|triple|twice|half|times"
    r"|(?:up|down|rise|risen|rose|increase|increased|grew|fell|lower|higher|raised|lifted|%|fold)[^,，;；。]{0,24} (?:from|on)|up from|down from)"
    r"\s?(?:the |its |a |about |约|近|roughly )*$"
)
"""What stands before the level that something is measured against."""
_PART = re.compile(r"(?:其中|(?<![a-z])of which)(?: about| some| roughly|约|近)?\s?$")
"""What stands before a part of the amount before it, whose period is its own."""
_ADVERBIAL = re.compile(
    r"(?<![a-z])(?:in|over|for|by|during|through|until|the|next|coming|fiscal|year|years|and|of|from|to|between|at|end|spread|mostly|mainly|starting|beginning)(?![a-z])"
    r"|用于|投放|投入|完成|执行|底|末|前|年内|期间|分|将|至|到|在|于|[\s\W]"
)
"""What else a clause may have that only says when."""
_HAS_COME = re.compile(
    r"(?<![a-z])(?:grew|rose|fell|dropped|climbed|jumped|reported|posted|reached|earned|booked|signed|won|sold|spent|bought|was|were)(?![a-z])"
)
"""Verbs of what has come."""
_A_STATEMENT = 2


def _of_that_year(span: Figure) -> Figure:
    """Return the year itself for one that something is reached by: ``revenue of $12bn by 2028``."""
    return (
        replace(span, label=span.label.removeprefix("to "), low=1.0, high=1.0) if span.label.startswith("to ") else span
    )


class Periods(Statements):
    """Which period each figure of a sentence is of."""

    def __init__(
        self,
        sentence: Sentence,
        figures: list[Figure],
        named: list[Mention],
        context: Context,
        columns: dict[int, Figure],
    ) -> None:
        super().__init__(sentence.plain, figures)
        self.sentence, self.mentions, self.context, self.cells = sentence, named, context, columns
        self.spans: dict[int, Figure] = {}
        """Periods of the figures that claims have taken."""
        self.quantities: dict[int, str] = {}
        """Quantities of the figures that claims have taken."""
        self._bind()

    def _bind(self) -> None:
        """Note the periods of levels that something is measured against, and those that are none: maturities."""
        for span in [f for f in self.figures if f.kind == "period"]:
            if (
                cue("maturity").precedes(self.plain, span)
                or (re.fullmatch(r"\d{4}", span.label) and cue("maturity").follows(self.plain, span))
                or cue("since").precedes(self.plain, span)
            ):
                self.bound[span.start] = -1
        for figure in [
            f for f in self.figures if f.kind in {"money", "percent", "count", "devices", "power", "multiple"}
        ]:
            near = None if figure.what == "factor" else self._adjacent(figure)
            if near is not None and near.start not in self.bound:
                lead = self.plain[: min(near.start, figure.start)]
                in_brackets = lead.endswith(("(", "（")) and re.match(
                    r"\s?[)）;；,，]", self.plain[max(near.end, figure.end) :]
                )
                if (
                    in_brackets
                    or _PART.search(lead)
                    or (_BESIDE.search(lead) and not re.search(r"(?:by|to|in)\s?$", lead))
                ):
                    self.bound[near.start] = figure.start
        for span in [f for f in self.figures if f.kind == "period" and re.match(r"\d|FY", f.label)]:
            if span.start not in self.bound and re.search(
                r"(?:than|versus|vs\.?|较|比)\s?(?:in )?$", self.plain[: span.start]
            ):
                self.bound[span.start] = -1

    def _adjacent(self, figure: Figure) -> Figure | None:
        """Return the period that stands right before or right behind a figure: ``2024年的768亿元``, ``$131 billion in 2025``."""
        for span in self.figures:
            if span.kind != "period" or not re.match(r"\d|FY", span.label):
                continue
            if span.end <= figure.start and re.fullmatch(
                r"(?:年|年度)?[底末初]?(?:的|'s|[:：])?\s?(?:about |约|近|的|为)*[-−–]?",
                self.plain[span.end : figure.start],
            ):
                return span
            if span.start >= figure.end and re.fullmatch(
                r"\s?(?:(?:it |they |the company )?(?:spent|invested|earned|made|had|reported|recorded|booked) )?(?:in|for|of|during|at|by|as of)?\s?(?:the )?(?:end of )?",
                self.plain[figure.end : span.start],
            ):
                return span
        return None

    def beside(self, figure: Figure) -> bool:
        """Return whether a figure is the level of another period that something is measured against."""
        return figure.start in self.bound.values()

    def period(self, figure: Figure) -> dict[str, Figure]:
        """Return the period nearest to a figure, and the date of the sentence where there is one."""
        at = figure.start
        if at in self.cells:
            return {"period": self.cells[at]}
        exceed = lexicon.pattern("exceed")
        own = [f for f in self.figures if f.kind == "period" and self.bound.get(f.start) == at]
        spans = [
            f for f in self.figures
            if f.kind == "period" and f.start not in self.bound
            and not (f.label == "past" and ((f.start > at and self._apart(f, at)) or exceed.search(self.plain, max(0, f.start - 24), f.start)))
            and not (re.match(r"\d|FY", f.label) and f.start > at and exceed.search(self.plain, at, f.start))
        ]  # fmt: skip
        spans = [f for f in spans if not (self._says_more(f, at) or self._of_a_plan(f, figure))]
        spans = [f for f in spans if f.label != "each" or not self._after_another(figure, f)]
        spans = own or [
            f for f in spans if not self._of_next_clause(f, at) and not (f.label.startswith("to ") and self._taken(f, figure))
        ]  # fmt: skip
        result: dict[str, Figure] = {}
        dates = [f for f in self.figures if f.kind == "date"]
        if dates and not own:
            beside = min(self._distance(f, figure) for f in dates)
            spans = [
                f for f in spans
                if self._distance(f, figure) <= beside or not (self._apart(f, at) or self._another_between(figure, f))
            ]  # fmt: skip
        if spans:
            result["period"] = min(spans, key=lambda f: self._distance(f, figure))
        each = [f for f in spans if f.label == "each"]
        lasting = [f for f in spans if f.label != "each" and (f.low != 1 or f.label == "next")]
        if each and lasting:
            result |= {"each": each[0], "period": lasting[0]}
        if dates:
            result["date"] = min(dates, key=lambda f: abs(f.start - at))
        return result

    def own_period(self, figure: Figure, firm: str, quantity: str) -> dict[str, Figure]:
        """Return the period of a figure: its own, a year back where it says so, else that of the results."""
        found = self.period(figure)
        if year_before(self.plain, figure):
            return self._year_before(found)
        if self._estimated([figure]) and self._adjacent(figure) is None:
            found |= self._of_the_estimated(figure, quantity)
        if (
            "period" in found
            and quantity
            and quantity not in lexicon.words("flows")
            and self._of_a_flow(found["period"], figure)
        ):
            found.pop("period")
        if cue("own_level").precedes(self.plain, figure):
            found.pop("period", None)
            return found
        if "period" in found and quantity in lexicon.words("levels"):
            found["period"] = _of_that_year(found["period"])
        rivals = [m.start for m in self.mentions if m.firm == firm and compared(self.plain, m)]
        if rivals and "period" in found and found["period"].start < max(rivals) <= figure.start:
            del found["period"]
        if "period" not in found and quantity in lexicon.words("flows"):
            found |= self._reported(figure, firm)
        return found

    def _of_the_estimated(self, figure: Figure, quantity: str) -> dict[str, Figure]:
        """Return the period of the amount before an estimate of the same quantity, which it is held against."""
        levels = [
            start for start, span in self.spans.items()
            if start < figure.start and start not in self.bound.values() and self.quantities.get(start) == quantity
        ]  # fmt: skip
        return {"period": self.spans[max(levels)]} if levels else {}

    def _of_a_flow(self, span: Figure, figure: Figure) -> bool:
        """Return whether a period before a level belongs to a flow of another clause: ``revenue in FY25 was X, debt is Y``."""
        if span.start > figure.start or not self._apart(span, figure.start) or span.start < 0:
            return False
        begin, last = clause_start(self.plain, span.start), clause_end(self.plain, span.end)
        flows = lexicon.words("flows")
        return any(begin <= f.start < last and self.quantities.get(f.start, "") in flows for f in self.figures)

    def _reported(self, figure: Figure, firm: str) -> dict[str, Figure]:
        reported = self.context.reported
        ahead = self._status([figure])
        if reported is None or ahead in {"planned", "conditional"} or firm != self.context.main:
            return {}
        return {"period": moved(reported, -self.sentence.start)}

    def _year_before(self, found: dict[str, Figure]) -> dict[str, Figure]:
        kept = {name: one for name, one in found.items() if name == "date"}
        reported = self.context.reported
        whole = found.get("period")
        if whole is None and reported is not None:
            whole = moved(reported, -self.sentence.start)
        if whole is not None and re.match(r"(?:FY)?\d{4}(?:-[QH]\d|-9M)?$", whole.label):
            kept["period"] = replace(whole, label=re.sub(r"\d{4}", lambda m: str(int(m[0]) - 1), whole.label))
        return kept

    def _of_next_clause(self, span: Figure, at: int) -> bool:
        """Return whether a dated period opens a later clause with a figure of its own, after one that holds at *at*."""
        if span.start < at or not re.match(r"\d|FY|past|quarter|next", span.label) or not self._apart(span, at):
            return False
        if span.label == "next":
            last = clause_end(self.plain, span.end)
            return any(span.end <= f.start < last and f.kind in {"money", "percent"} for f in self.figures)
        earlier = any(f.kind == "period" and f.start < at and re.match(r"\d|FY", f.label) for f in self.figures)
        earlier = earlier or self.context.reported is not None
        return earlier and any(f.start > span.start and f.kind in {"money", "percent"} for f in self.figures)

    def _of_a_plan(self, span: Figure, figure: Figure) -> bool:
        """Return whether a period stands in a later clause of what is planned, and the figure tells what has come."""
        if span.start < figure.end or not re.match(r"\d|FY|next", span.label) or not self._apart(span, figure.start):
            return False
        return (
            self._status([span]) == "planned"
            and self._status([figure]) == ""
            and bool(_HAS_COME.search(self._clause(figure.start)))
        )

    def _says_more(self, span: Figure, at: int) -> bool:
        """Return whether a period stands in a later clause that says something else without a figure: ``2027年量产``."""
        if span.start < at or not self._apart(span, at) or not re.match(r"\d|FY", span.label):
            return False
        begin, last = clause_start(self.plain, span.start), clause_end(self.plain, span.end)
        figures = any(begin <= f.start < last and f.kind not in {"period", "date"} for f in self.figures)
        own = _ADVERBIAL.sub("", self.plain[begin : span.start] + " " + self.plain[span.end : last])
        return not figures and len(own.strip()) >= _A_STATEMENT

    def _taken(self, span: Figure, figure: Figure) -> bool:
        """Return whether a time limit stands in another clause, beside a figure of that clause."""
        measured = (f for f in self.figures if f.kind not in {"period", "date"})
        inside = [f for f in measured if not self._apart(span, f.start)]
        return figure not in inside and bool(inside)

    def _after_another(self, figure: Figure, span: Figure) -> bool:
        """Return whether ``a year`` stands behind a later figure, which it is then of alone."""
        kinds = {"period", "date"}
        return any(figure.end <= f.start < span.start and f.kind not in kinds for f in self.figures)

    def _another_between(self, figure: Figure, span: Figure) -> bool:
        """Return whether another figure of the same kind stands between a figure and a period behind it."""
        return any(figure.end <= f.start < span.start and f.kind == figure.kind for f in self.figures)

    def _apart(self, figure: Figure, at: int) -> bool:
        """Return whether a figure stands in another clause."""
        first, last = sorted((figure.start, at))
        return in_clauses(self.plain, first, last) or self._parted(first, last)

    def _distance(self, span: Figure, figure: Figure) -> float:
        gap = figure.start - span.end if span.start < figure.start else span.start - figure.end
        first, last = sorted((span.start, figure.start))
        crossed = len(re.findall(r"[,，;；]|(?<![a-z])(?:while|and)(?![a-z])", self.plain[first:last]))
        parted = 16 * self._parted(first, last)
        unsaid = parted + (8 if span.label == "" else 0)
        return max(gap, 0) + 8 * crossed + unsaid
