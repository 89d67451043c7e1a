"""One sentence while it is read: its figures, who acts in it, the period and the quantity of a place."""
# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from jevons.study.announcement import lexicon
from jevons.study.announcement.claim import Claim
from jevons.study.announcement.cues import cue
from jevons.study.announcement.figure import Figure, moved
from jevons.study.announcement.grid import Grid, placed
from jevons.study.announcement.margins import year_before
from jevons.study.announcement.mentions import JOINED, Mention, compared, is_object, role_of, subjects
from jevons.study.announcement.pairs import pairs
from jevons.study.announcement.patterns import CONDITIONAL, PLANNED
from jevons.study.announcement.text import Sentence

_DENIED = re.compile(
    r"(?:no (?:plans?|intention|need)|not plan(?:ning)?|den(?:y|ies|ied|ying)|rul(?:e|es|ed) out|dismiss(?:es|ed)?|"
    r"reject(?:s|ed)?|(?:has|have|had|did|does|do|will|would|is|are) not|won't|didn't|hasn't|never|scrap(?:s|ped)|"
    r"cancel(?:s|ed|led)|abandon(?:s|ed)?|否认|没有计划|无计划|暂无|无意|不会|不打算|并未|从未|尚未|不再|取消了?|放弃了?|辟谣)"
    r"(?!\s?(?:be\s)?(?:exceed|more than|less than|over |above|below|under|cut|reduc|lower|chang|only"
    r"|超过|低于|高于|少于|削减|下调|改变|仅))"
)
"""Words after which a clause says what is not so; bounds, and cuts that will not come, are none."""
_CLOUD = re.compile(
    r"阿里云|云智能|alibaba cloud|aliyun|google cloud|(?<![a-z])aws(?![a-z])|cloud (?:intelligence )?(?:group|segment|business|unit)"
)
_PARTS = {"revenue": "part_revenue", "operating_income": "part_income", "net_income": "part_income"}
"""Quantities of a segment where the sentence is about one."""
_CLOUDS = {"revenue": "cloud_revenue", "operating_income": "cloud_income", "ebita": "cloud_ebita"}
"""Quantities that are of the cloud where their clause names one."""
_SHARE_OF = re.compile(
    r"(?:%|percent(?:age)?|per cent|share|portion|proportion|fraction|half|third|quarter|fifth|tenth|most|multiple|teens|digits?)\s"
    r"(?:range\s)?(?:of|to)\s(?:[\w']+\s){0,4}$|占[^,，。;；]{0,8}$"
)
_SHARE_OF_ZH = re.compile(
    r"的(?:约|近|逾|超过|不到)?(?:[低中高]?[单双两]位数|百分|\d+(?:\.\d+)?\s?%|[一二三四五六七八九两]成|[\d一二三四五六七八九十]+倍)"
)
_BESIDE = re.compile(
    r"(?:较|比|由|从|高于|低于|超过|相比(?:于|之下)?|对比|接近|持平于|与|compared (?:with|to)|versus|vs\.?|above|below|than|against|exceeding|double|triple|twice|half|times"
    r"|(?:up|down|rise|risen|rose|increase|increased|grew|fell|lower|higher|raised|lifted|%|fold)[^,，;；。]{0,12} (?:from|on)|up from|down from)"
    r"\s?(?:the |its |a |about |约|近|roughly )*$"
)
"""What stands before the level that something is measured against."""
_MOST_A_SHARE = 1e6
"""More than a share costs, in any currency."""
_PLUS_MINUS = re.compile(r"\s?[,，(（]?\s?(?:plus or minus|give or take|\+/-|±|上下浮动|正负)\s?")
_ADVERBIAL = re.compile(
    r"(?<![a-z])(?:in|over|for|by|during|through|until|the|next|coming|fiscal|year|years|and|of|from|to|between|at|end|spread|mostly|mainly|starting|beginning)(?![a-z])"
    r"|用于|投放|投入|完成|执行|底|末|前|年内|期间|分|将|至|到|在|于|[\s\W]"
)
"""What else a clause may have that only says when."""
_A_STATEMENT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the sentences before have settled.

    Parameters
    ----------
    main, company, topic, analyst : str
        Firm that the text is about; that which ``the company`` is; firm that the sentence before was about, empty where it told of another without a figure;
        analyst that was named last.
    last : str
        Quantity that the sentence before stated last, where this one goes on after its semicolon.
    price, priced : Claim or None
        Price of tokens that the sentence before stated last, likewise; the same also where that sentence had ended.
    spoken : str
        Quantity of the amount that the sentence right before stated last.
    reported : Figure or None
        Period that results are reported for, with its place in the text.
    stated : mapping of str to str
        Firms that the text names and the word list lacks.
    """

    main: str
    company: str
    topic: str
    analyst: str
    last: str
    price: Claim | None
    priced: Claim | None
    spoken: str
    reported: Figure | None
    stated: Mapping[str, str]


class Reader:
    """Takes the figures of one sentence apart into claims; each figure belongs to one."""

    def __init__(
        self,
        sentence: Sentence,
        figures: list[Figure],
        named: list[Mention],
        context: Context,
        head: Grid | None = None,
    ) -> None:
        self.sentence, self.plain, self.context = sentence, sentence.plain, context
        self.figures, self.mentions = figures, named
        self.acting = subjects(self.plain, named, context.topic or context.main, context.company)
        self.used: set[int] = set()
        self.quantities: dict[int, str] = {}
        self.spans: dict[int, Figure] = {}
        self.firms: dict[int, str] = {}
        """Quantities, periods and firms of the figures that claims have taken."""
        self.bound: dict[int, int] = {}
        """Place of a period, and of the only figure that it belongs to."""
        self.cells, self.changes = placed(sentence, figures, head)
        """Periods of figures in a line of a table, and the places of changes."""
        self.lists = pairs(self.plain, figures, named)
        self.cells = self.lists.periods | self.cells
        self.words = self._quantity_words()
        self._bind()

    def left(self, *kinds: str) -> list[Figure]:
        """Return the figures of these kinds that no claim has taken."""
        return [f for f in self.figures if f.kind in kinds and f.start not in self.used]

    def _tolerance(self, stated: Sequence[Figure]) -> dict[str, Figure]:
        """Return how far a figure may lie off by the words behind it: ``$65 billion, plus or minus 2%``."""
        for figure in stated:
            for other in self.left("percent"):
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
        self.spans.update((figure.start, named["period"]) for figure in stated if "period" in named)
        named = {name: self._calendar(figure, firm) for name, figure in named.items()}
        claim = Claim(
            kind=kind, firm=firm, quantity=quantity, sentence=self.sentence, named=named,
            denied=self._denied(stated), status=self._status(stated),
        )  # fmt: skip
        return replace(claim, **more)  # type: ignore[arg-type]

    def _clause(self, at: int) -> str:
        """Return the clause around a place."""
        ends = [(m.start(), m.end()) for m in re.finditer(r"[，;；。]|(?<!\d),|,(?!\d)", self.plain)]
        ends += [
            (m.start(), m.end())
            for m in re.finditer(r"\s(?:and|while|but)\s", self.plain)
            if self._parts(m.start(), m.end())
        ]
        begin = max((last for _, last in ends if last <= at), default=0)
        return self.plain[begin : min((first for first, _ in ends if first >= at), default=len(self.plain))]

    def _parts(self, first: int, last: int) -> bool:
        """Return whether a conjunction joins two statements: a figure before it, then a quantity and its figure."""
        after = [f.start for f in self.figures if f.start >= last and f.kind not in {"period", "date"}]
        before = any(f.end <= first and f.kind not in {"period", "date"} for f in self.figures)
        return before and bool(after) and any(last <= start < after[0] for start, *_ in self.words)

    def _denied(self, stated: Sequence[Figure]) -> bool:
        """Return whether the clause before the first figure says that it is not so."""
        first = min((f.start for f in stated), default=0)
        clause = re.split(r"[,，;；。]|\bbut\b|但", self.plain[:first])[-1]
        return bool(_DENIED.search(clause))

    def _status(self, stated: Sequence[Figure]) -> str:
        """Return whether a claim is of what is planned, of what happens in some case, or of what is."""
        first = min((f.start for f in stated), default=0)
        if first in self.bound.values():
            return "earlier"
        clause = self._clause(first)
        if CONDITIONAL.search(clause) or CONDITIONAL.match(self.plain.lstrip("\"“' ")):
            return "conditional"
        if self._estimated(stated):
            return "estimated"
        ahead = PLANNED.search(clause) or (PLANNED.search(self.plain[:first]) and not _PAST.search(clause))
        return "planned" if ahead else ""

    def _estimated(self, stated: Sequence[Figure]) -> bool:
        """Return whether the first figure is what others estimate, by the words right beside it."""
        if not stated:
            return False
        first = stated[0]
        others = [f.start for f in self.figures if f.kind == "money" and f.start >= first.end]
        after = self.plain[first.end : min([*others, first.end + 20])]
        return bool(cue("estimated").after.match(after) or cue("estimated").precedes(self.plain, first))

    def _calendar(self, figure: Figure, firm: str) -> Figure:
        """Return a period with a quarter of a firm's fiscal year as that of the calendar."""
        match = re.fullmatch(r"FY(\d{4})-Q([1-4])", figure.label) if figure.kind == "period" else None
        if match is None:
            return figure
        known = lexicon.firm(firm or self.context.topic)
        last = (known.fiscal_end_month if known is not None else 12) + 3 * (int(match[2]) - 4)
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
        return any(first <= m.start < last for m in self.acting) or bool(re.search(r"[;；。]", self.plain[first:last]))

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
                if _BESIDE.search(lead) and not re.search(r"(?:by|to|in)\s?$", lead):
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
                r"(?:年|年度)?[底末初]?(?:的|'s)?\s?(?:about |约|近|的)*", self.plain[span.end : figure.start]
            ):
                return span
            if span.start >= figure.end and re.fullmatch(
                r"\s?(?:(?:it|they|the company) (?:spent|invested|earned|made|had|reported) )?(?:in|for|during|at|by|as of)?\s?(?:the )?(?:end of )?",
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
            and not (f.label == "past" and (self._apart(f, at) or exceed.search(self.plain, max(0, f.start - 24), f.start)))
            and not (re.match(r"\d|FY", f.label) and f.start > at and exceed.search(self.plain, at, f.start))
        ]  # fmt: skip
        spans = [f for f in spans if not self._says_more(f, at)]
        spans = own or [
            f for f in spans if not self._of_next_clause(f, at) and not (f.label.startswith("to ") and self._taken(f, figure))
        ]  # fmt: skip
        result: dict[str, Figure] = {}
        dates = [f for f in self.figures if f.kind == "date"]
        if dates and not own:
            beside = min(self._distance(f, figure) for f in dates)
            spans = [f for f in spans if self._distance(f, figure) <= beside or not self._apart(f, at)]
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
        rivals = [m.start for m in self.mentions if m.firm == firm and compared(self.plain, m)]
        if rivals and "period" in found and found["period"].start < max(rivals) <= figure.start:
            del found["period"]
        if "period" not in found and quantity in lexicon.words("flows"):
            found |= self._reported(figure, firm)
        return found

    def _of_a_flow(self, span: Figure, figure: Figure) -> bool:
        """Return whether a period before a level belongs to a flow of another clause: ``revenue in FY25 was X, debt is Y``."""
        if span.start > figure.start or not self._apart(span, figure.start) or span.start < 0:
            return False
        end = re.search(r"[，;；]|(?<!\d),|,(?!\d)", self.plain[span.end :])
        last = span.end + end.start() if end else len(self.plain)
        begin = max((m.end() for m in re.finditer(r"[，;；]|(?<!\d),|,(?!\d)", self.plain[: span.start])), default=0)
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
        if span.start < at or not re.match(r"\d|FY|past|quarter", span.label) or not self._apart(span, at):
            return False
        earlier = any(f.kind == "period" and f.start < at and re.match(r"\d|FY", f.label) for f in self.figures)
        earlier = earlier or self.context.reported is not None
        return earlier and any(f.start > span.start and f.kind in {"money", "percent"} for f in self.figures)

    def _says_more(self, span: Figure, at: int) -> bool:
        """Return whether a period stands in a later clause that says something else without a figure: ``2027年量产``."""
        if span.start < at or not self._apart(span, at) or not re.match(r"\d|FY", span.label):
            return False
        begin = max((m.end() for m in re.finditer(r"[,，;；。]", self.plain[: span.start])), default=0)
        end = re.search(r"[,，;；。]", self.plain[span.end :])
        last = span.end + end.start() if end else len(self.plain)
        figures = any(begin <= f.start < last and f.kind not in {"period", "date"} for f in self.figures)
        own = _ADVERBIAL.sub("", self.plain[begin : span.start] + " " + self.plain[span.end : last])
        return not figures and len(own.strip()) >= _A_STATEMENT

    def _taken(self, span: Figure, figure: Figure) -> bool:
        """Return whether a time limit stands in another clause, beside a figure of that clause."""
        begin = max((m.end() for m in re.finditer(r"[,，;；。]", self.plain[: span.start])), default=0)
        end = re.search(r"[,，;；。]", self.plain[span.end :])
        last = span.end + end.start() if end else len(self.plain)
        inside = [f for f in self.figures if begin <= f.start < last and f.kind not in {"period", "date"}]
        return figure not in inside and bool(inside)

    def _apart(self, figure: Figure, at: int) -> bool:
        """Return whether a figure stands in another clause."""
        first, last = sorted((figure.start, at))
        return bool(re.search(r"[，;；]|(?<!\d),|,(?!\d)", self.plain[first:last]))

    def _distance(self, span: Figure, figure: Figure) -> float:
        gap = figure.start - span.end if span.start < figure.start else span.start - figure.end
        first, last = sorted((span.start, figure.start))
        crossed = len(re.findall(r"[,，;；]|(?<![a-z])(?:while|and)(?![a-z])", self.plain[first:last]))
        between = re.finditer(r"\s(?:and|while|but)\s", self.plain)
        parted = 16 * any(first < m.start() < last and self._parts(m.start(), m.end()) for m in between)
        unsaid = parted + (8 if span.label == "" else 0)
        return max(gap, 0) + 8 * crossed + unsaid

    def _quantity_words(self) -> list[tuple[int, int, str, str]]:
        """Return the words that name quantities, with their places; what a share is taken of is no quantity here."""
        table = lexicon.quantity_words()
        words = []
        for match in lexicon.quantity_pattern().finditer(self.plain):
            lead = self.plain[max(0, match.start() - 56) : match.start()]
            if _SHARE_OF.search(lead) or _SHARE_OF_ZH.match(self.plain, match.end()):
                continue
            word = re.sub(r"\s+", " ", match[0])
            key = table[word]
            if word == "worth" and re.search(
                r"(?:contract|deal|agreement|order|package)s?(?![a-z])[^,;.]{0,16}$", lead
            ):
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
            shared = _SHARE_OF.search(lead)
            if match[0] in lexicon.words("generic") and re.match(r"\s[a-z]", self.plain[match.end() :]):
                continue  # says of which kind a noun behind it is
            if (
                shared and (match.start() < figure.start or self.plain[figure.end : match.start()].count(",") == 0)
            ) or (_SHARE_OF_ZH.match(self.plain, match.end()) and match.end() <= figure.start):
                return table[re.sub(r"\s+", " ", match[0])]
        return ""

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
                gap = min(gap, 1.0 if joined else gap)
                gap += 20 * len(re.findall(r"[,，;；、]", between))
                others = any(
                    f is not figure and f.kind in kinds and figure.end <= f.start < start for f in self.figures
                )
                if re.search(r"[,，;；]", between) and (others or self._has_own(end, figure, kinds)):
                    continue
                if word == "azure" and figure.kind == "money":
                    continue  # what is bought, not what is earned
            else:
                continue
            if (
                figure.kind == "money"
                and figure.low >= _MOST_A_SHARE
                and word in {"shares", "stock", "股价", "港股", "美股", "target"}
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
        begin = max((m.end() for m in re.finditer(r"[,，;；。]", self.plain[: figure.start])), default=0)
        clause = self.plain[begin : figure.end]
        alone = not re.search(r"total|group|总|全公司|集团(?!收入)", clause)
        whole = (
            _CLOUD.search(self.plain[: figure.end])
            if len([f for f in self.figures if f.kind == "money"]) <= 2
            else None
        )
        return _CLOUDS[quantity] if _CLOUD.search(clause) or (whole and alone) else quantity


_SOURCES = frozenset({"debt", "equity", "cash", "notes"})
_PAID_WITH = re.compile(
    r"(?:以|用|通过|利用|依靠|(?<![a-z])(?:funded|financed|paid|backed)[^,;.]{0,12}(?:by|with|from|through)|(?<![a-z])(?:mix|combination) of)[^,，;；。]{0,14}$"
)
_MEANS = 40
"""What more a word weighs against an amount where it only says what is paid with."""
_PAST = re.compile(
    r"(?<![a-z])(?:was|were|totalled|totaled|reached|stood|came|has spent|had spent|fell|rose|grew|reported|missed|beat)(?![a-z])|达到?了?|已|实现|为\d|报"
)
"""Words of what has come, which a plan before them in the sentence does not reach."""
_UNNAMED = {"rent": "rent", "device_price": "prices", "price": "prices"}
"""Quantities of claims that name a device or a kind of token in its place."""
_ROLES = frozenset({"firm", "country"})
